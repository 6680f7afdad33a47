from __future__ import annotations

import contextlib
import json
import math
import sqlite3
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.inbox import Pause, Resume, SetLearningRate, Step, Stop, send
from tuitrain.record.live import Recording
from tuitrain.record.reader import StoreReader
from tuitrain.spec import recording as recording_module
from tuitrain.spec.catalogue import find
from tuitrain.spec.experiment import Experiment, Run, single
from tuitrain.spec.overrides import override
from tuitrain.train.trainer import Trainer
from tuitrain.worker import background
from tuitrain.worker.progress import GROWTH
from tuitrain.worker.session import Session

from .conftest import Begin, Until, acknowledgement, ended, events, obeyed


@pytest.mark.parametrize("pace", [None, 900.0])
@pytest.mark.parametrize("preset", ["line-fit", "sales-mse", "parabola-decay"])
def test_the_recording_is_the_trainers_arrays_bit_by_bit(
    begin: Begin, preset: str, pace: float | None
) -> None:
    experiment = single(override(find(preset), {"train.steps": 700}), device="cpu", pace=pace)
    recording = ended(begin(experiment))
    trainer = Trainer(experiment.presets[preset], experiment.runs)
    first = trainer.weights()
    chunk = trainer.advance(700)
    assert chunk
    for name, values in chunk.series.items():
        series = recording.series(0, name)
        assert series.values.tobytes() == values[0].tobytes(), name
        assert (series.first_step, series.last_step) == (1, 700)
    for recorded, weights in (
        (recording.first_weights, first),
        (recording.last_weights, trainer.weights()),
    ):
        for name, values in weights.items():
            assert recorded[0][name].tobytes() == values[0].tobytes()
    (result,) = recording.results
    assert (result.status, result.steps) == ("finished", 700)
    assert result.loss == chunk.series["loss"][0, -1]
    assert result.best_loss == chunk.series["loss"].min()
    assert result.final_loss == trainer.evaluate().values["loss"][0]
    status = recording.status
    assert (status.state, status.step, status.total, status.threads) == ("finished", 700, 700, 1)
    assert status.device == "cpu"
    assert status.device_name
    assert status.steps_per_second == pytest.approx(700 / status.seconds)
    assert [e.kind for e in recording.events] == ["started", "finished"]


def test_chunks_start_small_and_grow(
    begin: Begin, endless: Experiment, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "SHARE", 0.0)  # each block is a chunk
    folder = begin(endless)
    until(lambda: folder.status().seconds > 1)
    with contextlib.closing(StoreReader(folder.database)) as reader:
        rows = [chunk.rows for _, chunk in reader.chunks()]
    assert rows[0] == 1
    assert all(later <= GROWTH * max(rows[: i + 1]) for i, later in enumerate(rows[1:]))
    assert max(rows) > 100


def test_pausing_stops_and_resuming_goes_on(
    begin: Begin, endless: Experiment, until: Until
) -> None:
    folder = begin(endless)
    until(lambda: folder.status().step > 0)
    paused = obeyed(folder, Pause(), until)
    status = folder.status()
    assert (status.state, status.step) == ("paused", paused.step)
    time.sleep(0.2)
    assert folder.status() == status
    resumed = obeyed(folder, Resume(), until)
    assert resumed.step == paused.step
    assert folder.state() == "running"
    until(lambda: folder.status().step > resumed.step)
    kinds = [event.kind for event in events(folder)]
    assert kinds == ["started", "paused", "command", "resumed", "command"]
    assert list(folder.inbox.iterdir()) == []


def test_pauses_are_no_training_time(begin: Begin, endless: Experiment, until: Until) -> None:
    began = time.monotonic()
    folder = begin(msgspec.structs.replace(endless, paused=True))
    until(lambda: folder.state() == "paused")
    time.sleep(1.0)
    obeyed(folder, Step(), until)
    obeyed(folder, Stop(), until)
    assert ended(folder).status.seconds < time.monotonic() - began - 1.0


@pytest.mark.parametrize(("total", "stride"), [(2_000_000, 1), (20_000_000, 4)])
def test_results_are_written_when_runs_end_and_told_by_their_rows_before(
    begin: Begin, until: Until, total: int, stride: int
) -> None:
    """Run 1 diverges, run 0 goes on; run 2 is a stack of its own, which finishes."""
    long = override(find("line-fit"), {"train.steps": total})
    short = override(find("parabola-decay"), {"train.steps": 5})
    [run] = single(long).runs
    runs = [
        run,
        msgspec.structs.replace(
            run, name="1", optimizer=msgspec.structs.replace(run.optimizer, lr=1e6)
        ),
        single(short).runs[0],
    ]
    presets = {long.name: long, short.name: short}
    folder = begin(Experiment(presets=presets, runs=runs, device="cpu"))
    statuses = ["running", "diverged", "finished"]
    until(lambda: [result.status for result in folder.results()] == statuses)
    obeyed(folder, Pause(), until)
    with contextlib.closing(StoreReader(folder.database)) as reader:
        assert [result.steps for result in reader.runs()][::2] == [0, 5]
        assert reader.layouts()[0].stride == stride
    with contextlib.closing(Recording(folder)) as recording:
        recording.refresh()
        loss = recording.series(0, "loss")
        for result in (folder.results()[0], recording.results[0]):
            assert result.steps == loss.last_step
            assert 0 <= folder.status().stack_steps[0] - result.steps < stride
            assert (result.loss, result.best_loss) == (loss.last, loss.min)


def test_one_step_is_one_step(begin: Begin, endless: Experiment, until: Until) -> None:
    folder = begin(msgspec.structs.replace(endless, paused=True))
    until(lambda: folder.state() == "paused")
    assert folder.status().step == 0
    for step in (1, 2, 3):
        assert obeyed(folder, Step(), until).step == step
        assert (folder.state(), folder.status().step) == ("paused", step)
        assert folder.results()[0].steps == step
        assert math.isfinite(folder.results()[0].loss)
    several = [send(folder, Step()) for _ in range(4)]
    until(lambda: acknowledgement(folder, several[-1]))
    acknowledged = [acknowledgement(folder, name) for name in several]
    assert [e.step for e in acknowledged if e] == [4, 5, 6, 7]
    recording = Recording(folder)
    recording.refresh()
    np.testing.assert_array_equal(recording.series(0, "loss").steps, np.arange(1, 8))


def test_a_step_while_running_leaves_it_paused(
    begin: Begin, endless: Experiment, until: Until
) -> None:
    folder = begin(endless)
    until(lambda: folder.status().step > 0)
    stepped = obeyed(folder, Step(), until)
    assert (folder.state(), folder.status().step) == ("paused", stepped.step)


def test_the_learning_rate_changes_with_the_next_step(
    begin: Begin, endless: Experiment, until: Until
) -> None:
    folder = begin(msgspec.structs.replace(endless, paused=True))
    before = endless.runs[0].optimizer.lr
    for command in (SetLearningRate(0.015625), Step(), Step(), SetLearningRate(0.5, run=0), Step()):
        obeyed(folder, command, until)
    recording = Recording(folder)
    recording.refresh()
    np.testing.assert_array_equal(recording.series(0, "lr").values, [0.015625, 0.015625, 0.5])
    changes = [e for e in recording.events if e.kind == "lr"]
    assert [(e.step, e.run, e.detail["old"], e.detail["new"]) for e in changes] == [
        (1, None, before, 0.015625),
        (3, 0, 0.015625, 0.5),
    ]
    refused = obeyed(folder, SetLearningRate(0.1, run=7), until)
    assert "no run 7" in refused.detail["error"]


@pytest.mark.parametrize("lr", [0.01, 10.0])
def test_thinned_rows_take_nothing_from_the_results(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, lr: float
) -> None:
    """A step that is no row counts as any other: 510 is no row, nor is divergence's."""
    preset = override(find("line-fit"), {"train.steps": 510, "optimizer.lr": lr})
    full = ended(begin(single(preset, device="cpu")))
    [whole], losses = full.results, full.series(0, "loss").values
    monkeypatch.setattr(recording_module, "RECORDING_BUDGET", 1000)
    thinned = ended(begin(single(preset, device="cpu")))
    [result] = thinned.results
    rows = thinned.series(0, "loss")
    assert len(rows) < whole.steps / 3
    assert whole.steps % 4 != 1
    assert rows.steps[:3].tolist() == [1, 5, 9]
    assert rows.last_step == whole.steps
    np.testing.assert_array_equal([rows.values[0], rows.last], losses[[0, -1]])
    assert (result.status, result.steps) == (whole.status, whole.steps)
    np.testing.assert_array_equal([result.loss, whole.loss], losses[-1])
    assert result.best_loss == whole.best_loss == losses[np.isfinite(losses)].min()
    if lr == 10.0:
        assert result.status == "diverged"
        assert not math.isfinite(result.loss)


def test_stopping_keeps_everything(begin: Begin, endless: Experiment, until: Until) -> None:
    folder = begin(endless)
    until(lambda: folder.status().step > 100)
    stop = send(folder, Stop())
    recording = ended(folder)
    acknowledged = acknowledgement(folder, stop)
    (result,) = recording.results
    assert acknowledged
    assert acknowledged.step == result.steps == recording.status.step
    assert (recording.status.state, result.status) == ("stopped", "stopped")
    series = recording.series(0, "w[0,0]")
    assert series.last_step == result.steps
    assert recording.last_weights[0]["w"][0, 0] == series.last
    assert math.isfinite(result.final_loss)
    assert [e.kind for e in recording.events] == ["started", "command", "stopped"]


def test_a_command_acts_once(begin: Begin, endless: Experiment, until: Until) -> None:
    """The same file again, as after a crash between acknowledging and deleting it."""
    folder = begin(msgspec.structs.replace(endless, paused=True))
    name = send(folder, Step())
    until(lambda: acknowledgement(folder, name))
    until(lambda: not list(folder.inbox.iterdir()))
    (folder.inbox / f"{name}.json").write_bytes(msgspec.json.encode(Step()))
    until(lambda: not list(folder.inbox.iterdir()))
    obeyed(folder, Pause(), until)
    assert folder.status().step == 1


def test_what_is_no_command_stops_nothing(begin: Begin, endless: Experiment, until: Until) -> None:
    folder = begin(endless)
    (folder.inbox / "0.json").write_text("{]")
    until(lambda: (folder.inbox / "rejected" / "0.json").exists())
    assert obeyed(folder, Pause(), until)


def test_a_diverging_run_ends_with_step_and_tensor(begin: Begin) -> None:
    preset = override(find("line-fit"), {"optimizer.lr": 1e6})
    recording = ended(begin(single(preset, device="cpu")))
    (result,) = recording.results
    assert (recording.status.state, result.status) == ("diverged", "diverged")
    assert result.diverged_at == result.steps == len(recording.series(0, "loss"))
    assert result.diverged_in in ("loss", "gradient of w", "gradient of b", "w", "b")
    losses = recording.series(0, "loss").values
    assert len(losses) > 3
    assert np.isfinite(losses[:-1]).all()
    assert result.best_loss == losses[:-1].min()
    (event,) = [e for e in recording.events if e.kind == "diverged"]
    assert (event.step, event.run) == (result.diverged_at, 0)
    assert event.detail == {"tensor": result.diverged_in}
    assert recording.status.exit_code == 0


def test_stacks_advance_in_turn_and_runs_end_for_themselves(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run 1 diverges, the others go on; two presets are two stacks."""
    monkeypatch.setattr(background, "SHARE", 0.0)  # each block is a chunk
    presets = {
        name: override(find(name), {"train.steps": 3000}) for name in ("line-fit", "sales-mse")
    }
    runs = [
        Run(
            name=f"{i}",
            preset=name,
            optimizer=msgspec.structs.replace(presets[name].optimizer, lr=lr),
            schedule=presets[name].schedule,
            seed=0,
        )
        for i, (name, lr) in enumerate([("line-fit", 0.01), ("line-fit", 1e6), ("sales-mse", 0.01)])
    ]
    folder = begin(Experiment(presets=presets, runs=runs, device="cpu"))
    recording = ended(folder)
    assert [r.status for r in recording.results] == ["finished", "diverged", "finished"]
    assert recording.status.state == "finished"
    assert recording.status.stack_steps == [3000, 3000]
    assert (recording.status.step, recording.status.total) == (6000, 6000)
    assert sum(recording.status.stack_seconds) == pytest.approx(recording.status.seconds)
    with contextlib.closing(StoreReader(folder.database)) as reader:
        order = [chunk.stack for _, chunk in reader.chunks()]
    assert order[:4] in ([0, 1, 0, 1], [1, 0, 1, 0])
    assert len(recording.series(0, "loss")) == len(recording.series(2, "loss")) == 3000


@pytest.mark.parametrize("device", ["cuda:99", "abacus"])
def test_a_device_that_is_not_there_fails_with_one_line(
    begin: Begin, endless: Experiment, device: str
) -> None:
    recording = ended(begin(msgspec.structs.replace(endless, device=device)))
    status = recording.status
    assert (status.state, status.exit_code) == ("failed", 2)
    assert device in status.error
    assert "\n" not in status.error
    assert [r.status for r in recording.results] == ["failed"]
    assert [e.kind for e in recording.events] == ["failed"]


def test_an_experiment_that_cannot_be_read_fails_with_one_line(
    tmp_path: Path, endless: Experiment
) -> None:
    folder = ExperimentFolder.create(tmp_path, endless)
    (folder.path / "experiment.toml").write_text("runs = 1")
    Session(ExperimentFolder(folder.path)).run()
    status = folder.status()
    assert (status.state, status.exit_code) == ("failed", 2)
    assert "experiment.toml" in status.error


def test_an_unexpected_error_is_told_in_one_line_and_logged(
    begin: Begin,
    endless: Experiment,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = begin(endless)
    until(lambda: folder.status().step > 10)
    monkeypatch.setattr(Trainer, "advance", lambda *_: 1 / 0)
    recording = ended(folder)
    assert recording.status.error == "ZeroDivisionError: division by zero"
    assert (recording.status.state, recording.status.exit_code) == ("failed", 1)
    assert "Traceback" in caplog.text
    (result,) = recording.results
    assert (result.status, result.steps) == ("failed", len(recording.series(0, "loss")))


def test_what_has_been_trained_is_not_trained_again(
    begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    folder = begin(single(find("parabola-decay"), device="cpu"))
    before = ended(folder)
    Session(folder).run()
    assert "trained already" in caplog.text
    after = ended(folder)
    assert (after.status, after.results) == (before.status, before.results)
    assert after.events == before.events
    assert after.series(0, "loss").values.tobytes() == before.series(0, "loss").values.tobytes()


def test_the_experiment_can_be_read_by_anyone(begin: Begin, tmp_path: Path) -> None:
    """The store is plain SQLite: no code of ours is needed to find one's way."""
    folder = begin(single(find("parabola-decay"), device="cpu"))
    ended(folder)
    with contextlib.closing(sqlite3.connect(f"file:{folder.database}?mode=ro", uri=True)) as db:
        ((layouts,),) = db.execute("SELECT value FROM meta WHERE key = 'layouts'")
        assert list(json.loads(layouts)[0]["dtypes"])[:3] == ["loss", "lr", "grad_norm"]
        ((status,),) = db.execute("SELECT document FROM status")
        assert json.loads(status)["state"] == "finished"
