"""What a session saves when something fails, and what must not make it fail."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.worker.conftest import Begin, Until, acknowledgement, ended, obeyed, steps
from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.inbox import Pause, Probe, Step, Stop, send
from tuitrain.record.landscape import Window, through
from tuitrain.record.reader import StoreReader
from tuitrain.record.store import StoreWriter
from tuitrain.spec.catalogue import find
from tuitrain.spec.experiment import Experiment, single
from tuitrain.spec.overrides import override
from tuitrain.spec.recording import Chunk
from tuitrain.train.probes import Surface
from tuitrain.worker import background
from tuitrain.worker.progress import Progress
from tuitrain.worker.session import Session


def test_a_store_that_cannot_be_written_fails_cleanly(
    begin: Begin, endless: Experiment, until: Until
) -> None:
    """SQLite itself refuses: a trigger stands for the disk; the last words do get through.

    No result names a step that is not recorded.
    """
    folder = begin(endless)
    until(lambda: folder.status().step > 10)
    with sqlite3.connect(folder.database) as database:
        database.execute(
            "CREATE TRIGGER full BEFORE INSERT ON chunks BEGIN SELECT RAISE(ABORT, 'no room'); END"
        )
    recording = ended(folder)
    assert recording.status.state == "failed"
    assert "could not be written: no room" in recording.status.error
    assert recording.corrupt == {}
    assert not (folder.path / "reserve").exists()
    loss = recording.series(0, "loss")
    assert len(loss) > 10
    (result,) = recording.results
    assert (result.status, result.steps) == ("failed", len(loss))
    assert (result.loss, result.best_loss) == (loss.last, loss.min)
    assert recording.status.step == len(loss)


def test_rows_that_could_not_be_written_at_first_are_written_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ExperimentFolder.create(tmp_path, single(steps(find("line-fit"), 5000), device="cpu"))
    append: Callable[[StoreWriter, Chunk], None] = StoreWriter.append
    tries = []

    def failing(writer: StoreWriter, chunk: Chunk) -> None:
        tries.append(chunk.first)
        if len(tries) == 3:
            raise sqlite3.OperationalError("disk is full")
        append(writer, chunk)

    monkeypatch.setattr(StoreWriter, "append", failing)
    Session(folder).run()
    recording = ended(folder)
    assert recording.status.error == "run.db could not be written: disk is full"
    assert tries[2] in tries[3:]
    loss = recording.series(0, "loss")
    assert loss.steps.tolist() == list(range(1, len(loss) + 1))
    assert len(loss) >= tries[2]
    assert recording.results[0].steps == len(loss)


def test_no_row_is_lost_by_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "SHARE", 1e9)
    experiment = single(steps(find("line-fit"), 8000), device="cpu")
    folder = ExperimentFolder.create(tmp_path, experiment)
    began = time.monotonic()
    Session(folder).run()
    took = time.monotonic() - began
    recording = ended(folder)
    assert recording.series(0, "loss").steps.tolist() == list(range(1, 8001))
    assert len(recording.blocks(0)) <= 1 + took / background.LONGEST


def test_what_failed_is_never_recorded_as_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ExperimentFolder.create(tmp_path, single(steps(find("line-fit"), 50), device="cpu"))

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("disk is full")

    snapshots = []

    def first_alone(writer: StoreWriter, *snapshot: object) -> None:
        snapshots.append(snapshot)
        if len(snapshots) > 1:
            monkeypatch.setattr(StoreWriter, "event", full)
            full()

    monkeypatch.setattr(StoreWriter, "snapshot", first_alone)
    Session(folder).run()
    with contextlib.closing(StoreReader(folder.database)) as reader:
        assert reader.status().state == "running"


def test_looking_on_does_not_end_the_training(
    begin: Begin, endless: Experiment, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(Surface, "__call__", full)
    folder = begin(endless)
    until(lambda: folder.status().step > 10)
    plane = through(0, 1, [0.0, 0.0], ["w", "b"])
    event = obeyed(folder, Probe(0, plane, Window((0, 1), (0, 1)), 4, 4), until)
    assert event.detail["error"] == "RuntimeError: out of memory"
    assert folder.status().state == "running"


def test_nothing_is_done_after_a_stop(begin: Begin, endless: Experiment, until: Until) -> None:
    folder = begin(endless)
    obeyed(folder, Pause(), until)
    step = folder.status().step
    first, second = send(folder, Stop()), send(folder, Step())
    recording = ended(folder)
    assert (recording.status.state, recording.status.step) == ("stopped", step)
    assert acknowledgement(folder, first) is not None
    assert acknowledgement(folder, second) is None


def test_a_last_step_that_leads_to_no_number_is_a_divergence(begin: Begin) -> None:
    preset = override(
        find("line-fit"), {"train.dtype": "float32", "optimizer.lr": 1000.0, "train.steps": 5}
    )
    recording = ended(begin(single(preset, device="cpu")))
    (result,) = recording.results
    assert recording.series(0, "loss").last < float("inf")
    assert (result.status, result.diverged_at, result.diverged_in) == ("diverged", 5, "loss")
    assert recording.status.state == "diverged"
    [event] = [event for event in recording.events if event.kind == "diverged"]
    assert (event.step, event.run, event.detail) == (5, 0, {"tensor": "loss"})


def test_a_run_that_had_ended_has_not_failed_with_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though its result was not written yet: run 1 has diverged, and run 2 is at its end."""
    monkeypatch.setattr(background, "SHARE", 1e9)  # nothing is written meanwhile
    long, short = steps(find("line-fit"), 5000), steps(find("parabola-decay"), 5)
    [going], [brief] = single(long).runs, single(short).runs
    optimizer = msgspec.structs.replace(going.optimizer, lr=1e6)
    fast = msgspec.structs.replace(going, optimizer=optimizer)
    presets = {long.name: long, short.name: short}
    experiment = Experiment(presets=presets, runs=[going, fast, brief], device="cpu")
    folder = ExperimentFolder.create(tmp_path, experiment)
    advance = Progress.advance

    def failing(stack: Progress, count: int) -> object:
        if stack.trainer.step >= 1000:
            raise RuntimeError("out of memory")
        return advance(stack, count)

    monkeypatch.setattr(Progress, "advance", failing)
    Session(folder).run()
    recording = ended(folder)
    assert recording.status.state == "failed"
    assert [r.status for r in recording.results] == ["failed", "diverged", "finished"]
    assert recording.results[2].steps == 5
