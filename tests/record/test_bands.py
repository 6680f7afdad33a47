"""Bands on recordings that a real worker has made, against NumPy's own quartiles."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from tuitrain.record.bands import Band, Bands, Gap
from tuitrain.record.chunks import joined
from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.live import Recording
from tuitrain.spec import recording as recording_module
from tuitrain.spec.catalogue import find
from tuitrain.spec.comparison import compare
from tuitrain.spec.experiment import Experiment
from tuitrain.spec.recording import Chunk
from tuitrain.train import Trainer
from tuitrain.worker.launch import launch


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Two presets x SGD at a fine and an impossible rate x 4 seeds, trained to the end."""
    experiment = compare(
        [find("sales-mse"), find("line-fit")],
        optimizers=["sgd"],
        learning_rates=[0.01, 1e3],
        seeds=4,
        settings={"train.steps": [200]},
    )
    folder = ExperimentFolder.create(Path(tmp_path_factory.mktemp("runs")), experiment)
    launch(folder)
    deadline = time.monotonic() + 60
    while not folder.status().ended:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    recording = Recording(folder)
    recording.refresh()
    return recording


def losses(recording: Recording, runs: range) -> np.ndarray:
    return np.stack([recording.series(run, "loss").values for run in runs]).astype(np.float64)


def test_median_and_quartiles_of_every_step(recording: Recording) -> None:
    bands = Bands(recording, [range(4), range(8, 12)])
    bands.refresh()
    for band, runs in zip(bands.bands, (range(4), range(8, 12)), strict=True):
        rows = losses(recording, runs)
        assert rows.shape == (4, 200)
        for series, share in ((band.low, 0.25), (band.median, 0.5), (band.high, 0.75)):
            assert series.values == pytest.approx(np.quantile(rows, share, axis=0), rel=1e-12)
            assert series.steps.tolist() == list(range(1, 201))
        assert not band.lost


def test_one_run_is_its_own_median(recording: Recording) -> None:
    bands = Bands(recording, [[2]])
    bands.refresh()
    [band] = bands.bands
    assert band.median.values.tolist() == losses(recording, range(2, 3))[0].tolist()
    assert len(band.low) == len(band.high) == 0


def test_diverged_runs_count_as_infinite_and_end_the_line(recording: Recording) -> None:
    every = recording.results
    assert [every[run].status for run in (4, 5, 6, 7)] == ["diverged"] * 4
    bands = Bands(recording, [range(4, 8), range(2, 5), range(1, 5)])
    bands.refresh()
    all_lost, one_of_three, one_of_four = bands.bands
    assert all_lost.lost
    assert all_lost.median.last_step <= max(every[run].steps for run in range(4, 8)) + 1
    assert not np.isfinite(all_lost.median.last)
    assert np.isfinite(all_lost.median.values[:-1]).all()
    # With fewer than half of the runs lost, the median goes on, over those that are left.
    for band in (one_of_three, one_of_four):
        assert not band.lost
        assert len(band.median) == 200
    assert np.isinf(one_of_three.high.last)


def test_rows_arrive_in_parts_as_they_do_at_once(recording: Recording) -> None:
    whole = Bands(recording, [range(4)])
    whole.refresh()
    parts = Bands(recording, [range(4)])
    blocks = recording.blocks(0)
    assert len(blocks) > 1
    for chunk in blocks:
        parts._stacks[0].add(chunk.first, chunk.stride, chunk.series["loss"], None)
    assert parts.bands[0].median.values.tolist() == whole.bands[0].median.values.tolist()


def test_the_closing_row_of_a_thinned_recording_stands_at_its_own_step() -> None:
    loss = np.ones((1, 3))
    first, second = (Chunk(0, start, 4, {"loss": loss}) for start in (1, 13))
    closing = Chunk(0, 24, 4, {"loss": loss[:, :1]})
    assert joined([first, second, closing]) == [[first, second], [closing]]


def test_ticks_stretch_the_steps_of_a_stack(recording: Recording) -> None:
    bands = Bands(recording, [range(4), range(8, 12)], ticks=[3, 1])
    bands.refresh()
    assert bands.bands[0].median.steps[:3].tolist() == [3, 6, 9]
    assert bands.bands[1].median.steps[:3].tolist() == [1, 2, 3]


def test_a_gap_is_one_at_the_start_and_rounding_at_the_end() -> None:
    gap = Gap(least=np.array([2.0]), start=np.array([10.0]), rounding=np.array([1e-6]))
    found = gap(np.array([[10.0, 6.0, 2.0, 2.0 - 1e-9, 1.0]]), np.array([0]))
    assert found[0] == pytest.approx([1.0, 0.5, 1e-6 / 8, 1e-6 / 8, -1 / 8])


def test_a_band_ends_at_its_first_value_that_is_no_number() -> None:
    band = Band((0,))
    band.append(1, 1, np.array([[3.0, 2.0, np.inf, np.nan]]))
    band.append(5, 1, np.array([[1.0]]))
    assert band.lost
    assert band.median.values.tolist() == [3.0, 2.0, np.inf]


def of_small_batches(lr: float) -> Experiment:
    """One run on moons: ten batches an epoch, whose losses differ."""
    return compare(
        [find("moons")],
        settings={"train.steps": [600]},
        optimizers=["sgd"],
        learning_rates=[lr],
    )


class InMemory:
    """What a trainer hands over, as `Recording` gives it."""

    def __init__(self, experiment: Experiment) -> None:
        [preset] = experiment.presets.values()
        self.folder = SimpleNamespace(experiment=experiment)
        self.trainer = Trainer(preset, experiment.runs)
        self.chunks: list[Chunk] = []
        self.judged = self.trainer.take_evaluations()

    def advance(self, steps: int) -> None:
        chunk = self.trainer.advance(steps)
        assert chunk is not None
        self.chunks.append(chunk)
        self.judged += self.trainer.take_evaluations()

    def blocks(self, stack: int, after: int = 0) -> list[Chunk]:
        return self.chunks[after:]

    def evaluations(self, stack: int, name: str, after: int = 0) -> tuple[np.ndarray, np.ndarray]:
        some = self.judged[after:]
        values = np.array([one.values[name] for one in some]).reshape(len(some), 1)
        return np.array([one.step for one in some], np.int64), values


def test_small_batches_are_drawn_as_the_mean_of_the_last_epoch() -> None:
    source = InMemory(of_small_batches(0.0))
    bands = Bands(cast(Recording, source), [[0]])
    for _ in range(8):
        source.advance(75)
        bands.refresh()
    median = bands.bands[0].median
    assert median.steps.tolist() == list(range(1, 601))
    # at a learning rate of 0 every epoch has the loss of the whole training set, batches have not
    whole = float(source.trainer.evaluate().values["loss"][0])
    batches = np.concatenate([chunk.series["loss"][0] for chunk in source.chunks])
    assert np.ptp(batches) > 0.05
    assert median.values[9:] == pytest.approx(np.full(591, whole), rel=1e-5)
    assert median.values[0] == batches[0]
    assert bands.drawn(["moons"]) == "mean of the last epoch"


def test_thinned_rows_of_small_batches_are_drawn_from_the_evaluations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recording_module, "RECORDING_BUDGET", 600)
    source = InMemory(of_small_batches(0.5))
    bands = Bands(cast(Recording, source), [[0]])
    for _ in range(6):
        source.advance(100)
        bands.refresh()
    assert source.chunks[0].stride > 1
    steps, values = source.evaluations(0, "loss")
    assert bands.bands[0].median.steps.tolist() == steps.tolist()
    assert bands.bands[0].median.values.tolist() == values[:, 0].tolist()
    assert bands.drawn(["moons"]) == "evaluations"


def test_full_batches_are_drawn_as_they_are_recorded(recording: Recording) -> None:
    assert Bands(recording, [range(4)]).drawn(["sales-mse", "line-fit"]) == ""
