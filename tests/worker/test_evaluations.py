"""Evaluations of a real training, from the trainer to the recording."""

from __future__ import annotations

import contextlib
import math
import sqlite3

import msgspec
import numpy as np
import pytest

from tuitrain.record.inbox import Resume, Step, Stop, send
from tuitrain.record.live import Recording
from tuitrain.spec.catalogue import find
from tuitrain.spec.comparison import compare
from tuitrain.spec.evaluation import PICTURE_BYTES, picture_bytes, stride
from tuitrain.spec.experiment import Experiment, single
from tuitrain.spec.load import decode
from tuitrain.spec.preset import Preset
from tuitrain.train.trainer import Trainer

from .conftest import Begin, Until, ended, steps


@pytest.fixture
def network() -> Preset:
    """A small network on two classes of points, with rows for testing."""
    document = {
        "title": "a network",
        "name": "network",
        "data": {"kind": "xor", "rows": 80, "test": 0.25},
        "model": {"kind": "network", "hidden": [4]},
        "loss": {"kind": "binary-cross-entropy"},
        "regularisation": {"l2": 0.01},
        "optimizer": {"name": "adam", "lr": 0.01},
        "train": {"steps": 1000},
    }
    return decode(document, "test")


def judged(experiment: Experiment) -> dict[int, dict[str, np.ndarray]]:
    """The evaluations of an experiment's one stack by step, straight from a trainer."""
    (preset,) = experiment.presets.values()
    trainer = Trainer(preset, experiment.runs)
    trainer.advance(trainer.total)
    return {e.step: dict(e.values) for e in trainer.take_evaluations()}


def test_the_recording_is_what_the_trainer_judged_bit_by_bit(begin: Begin, network: Preset) -> None:
    last_step = 8000
    longer = steps(network, last_step)
    experiment = compare([longer], optimizers=["sgd", "adam"], seeds=2, device="cpu")
    recording = ended(begin(experiment))
    truth = judged(experiment)
    assert len(truth) == 501
    names = ("loss", "data_loss", "accuracy", "test_loss", "test_accuracy")
    for run in range(4):
        for name in names:
            found, values = recording.evaluated(run, name)
            assert found.tolist() == list(truth)
            assert values.tolist() == [float(v[name][run]) for v in truth.values()]
        pictured = recording.picture_steps(run)
        assert (pictured[0], pictured[-1]) == (0, last_step)
        assert 10 < len(pictured) <= 101
        for step in (pictured[0], pictured[5], pictured[-1]):
            for name in ("weights", "grid", "confusion"):
                picture = recording.picture(run, name, step)
                assert picture is not None
                assert picture.tobytes() == truth[step][name][run].tobytes()
    weights = recording.picture(3, "weights")
    assert weights is not None
    last = np.concatenate([np.ravel(value) for value in recording.last_weights[3].values()])
    np.testing.assert_array_equal(weights, last)
    for run, result in enumerate(recording.results):
        final = {
            name: float(values[run]) for name, values in truth[last_step].items() if name in names
        }
        assert result.final_loss == final.pop("loss")
        assert result.metrics == final


def test_the_untrained_model_is_there_while_it_is_paused_at_the_start(
    begin: Begin, network: Preset, until: Until
) -> None:
    short = single(steps(network, 120), device="cpu")  # judged after every other step
    folder = begin(msgspec.structs.replace(short, paused=True))
    recording = Recording(folder)
    until(lambda: recording.refresh() and recording.status.state == "paused")
    assert recording.status.step == 0
    assert recording.evaluated(0, "accuracy")[0].tolist() == [0]
    picture, first = recording.picture(0, "weights"), recording.first_weights[0]
    assert picture is not None
    assert picture.tobytes() == b"".join(value.tobytes() for value in first.values())
    assert recording.results[0].metrics.keys() >= {"accuracy", "test_accuracy"}
    send(folder, Step())
    send(folder, Step())
    until(lambda: recording.refresh() and recording.status.step == 2)
    assert recording.evaluated(0, "accuracy")[0].tolist() == [0, 2]
    send(folder, Resume())
    until(lambda: recording.refresh() and recording.ended)
    recording.close()


def test_where_it_is_stopped_the_weights_are_judged(
    begin: Begin, network: Preset, until: Until
) -> None:
    folder = begin(single(steps(network, 20_000_000), device="cpu", pace=1000.0))
    until(lambda: folder.status().step > 10)
    send(folder, Stop())
    recording = ended(folder)
    (result,) = recording.results
    assert (result.status, recording.status.state) == ("stopped", "stopped")
    assert 0 < result.steps < (stride(steps(network, 20_000_000)) or 0)  # none was due yet
    found, accuracy = recording.evaluated(0, "accuracy")
    assert found.tolist() == [0, result.steps]
    assert recording.picture_steps(0) == [0, result.steps]
    assert result.metrics["accuracy"] == accuracy[-1]
    picture, last = recording.picture(0, "weights"), recording.last_weights[0]
    assert picture is not None
    assert picture.tobytes() == b"".join(value.tobytes() for value in last.values())


def test_stopped_where_the_weights_were_judged_without_pictures_there_are_pictures_too(
    begin: Begin, network: Preset, until: Until
) -> None:
    long = steps(network, 8000)
    every = stride(long) or 0
    folder = begin(msgspec.structs.replace(single(long, device="cpu"), paused=True))
    with contextlib.closing(Recording(folder)) as watched:
        for _ in range(every):
            send(folder, Step())
        until(lambda: watched.refresh() and watched.status.step == every)
        assert watched.evaluated(0, "accuracy")[0].tolist() == [0, every]
        assert watched.picture_steps(0) == [0]
        send(folder, Stop())
        until(lambda: watched.refresh() and watched.ended)
        assert watched.evaluated(0, "accuracy")[0].tolist() == [0, every]
        assert watched.picture_steps(0) == [0, every]
    recording = ended(folder)
    assert recording.evaluated(0, "accuracy")[0].tolist() == [0, every]
    picture, last = recording.picture(0, "weights"), recording.last_weights[0]
    assert picture is not None
    assert picture.tobytes() == b"".join(value.tobytes() for value in last.values())


def test_where_there_is_no_room_for_pictures_there_are_none(
    begin: Begin, network: Preset, until: Until
) -> None:
    """Nor where the training is stopped."""
    many = compare([network], seeds=3800, device="cpu")
    folder = begin(msgspec.structs.replace(many, paused=True))
    recording = Recording(folder)
    until(lambda: recording.refresh() and recording.status.state == "paused")
    send(folder, Step())
    send(folder, Stop())
    recording.close()
    recording = ended(folder)
    assert recording.evaluated(0, "accuracy")[0].tolist() == [0, 1]
    assert recording.picture_steps(0) == []
    assert recording.picture(0, "weights") is None
    with sqlite3.connect(folder.database) as database:
        assert database.execute("SELECT COUNT(*) FROM pictures").fetchone() == (0,)


def test_presets_share_the_room_for_pictures(begin: Begin, network: Preset) -> None:
    """Of a preset with 1,800 seeds alone there are three; of two such, none."""
    size = 1800 * picture_bytes(network)
    assert 3 * size < PICTURE_BYTES < 4 * size
    both = [steps(network, 1), msgspec.structs.replace(steps(network, 1), name="other")]
    for presets, pictured in ((both[:1], [0, 1]), (both, [])):
        recording = ended(begin(compare(presets, seeds=1800, device="cpu")))
        assert recording.evaluated(0, "accuracy")[0].tolist() == [0, 1]
        assert recording.picture_steps(0) == pictured


def test_a_run_that_diverges_has_no_metrics(begin: Begin, network: Preset) -> None:
    linear = msgspec.structs.replace(network, data=msgspec.structs.replace(network.data, test=0.0))
    experiment = compare([linear], optimizers=["sgd"], learning_rates=[1e30, 0.1], device="cpu")
    recording = ended(begin(experiment))
    lost, other = recording.results
    assert (lost.status, other.status) == ("diverged", "finished")
    assert set(lost.metrics) == set(other.metrics) == {"accuracy", "data_loss"}
    assert all(math.isnan(value) for value in lost.metrics.values())
    assert 0 <= other.metrics["accuracy"] <= 1
    assert lost.diverged_at is not None
    found, values = recording.evaluated(0, "loss")
    assert all(step < lost.diverged_at for step in found.tolist())
    assert np.isfinite(values).all()
    assert recording.evaluated(1, "loss")[0].tolist()[-1] == 1000


def test_evaluations_are_written_with_the_rows_they_follow(begin: Begin, network: Preset) -> None:
    """At every moment: no evaluation is there whose step has no row yet, and none is missing."""
    network = steps(network, 960)  # judged after every 16th, the last one among them
    folder = begin(single(network, device="cpu", pace=500.0))
    every = stride(network) or 0
    seen = set()
    recording = Recording(folder)
    while not recording.ended:
        recording.refresh()
        found, rows = recording.evaluated(0, "loss")[0], recording.series(0, "loss")
        if len(rows):
            seen.add(rows.last_step)
            assert found.tolist() == [*range(0, rows.last_step + 1, every)]
    recording.close()
    assert len(seen) > 3


def test_where_there_is_nothing_more_to_tell_nothing_is_evaluated(begin: Begin) -> None:
    folder = begin(single(find("line-fit"), device="cpu"))
    recording = ended(folder)
    assert recording.results[0].metrics == {}
    assert recording.results[0].final_loss < 1e-27
    with sqlite3.connect(folder.database) as database:
        assert database.execute("SELECT COUNT(*) FROM evaluations").fetchone() == (0,)
