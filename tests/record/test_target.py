"""Steps to a target, against what the rows of a real training say."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tuitrain.record.target import Losses
from tuitrain.spec import recording as recording_module
from tuitrain.spec.catalogue import find
from tuitrain.spec.comparison import compare
from tuitrain.spec.recording import Chunk
from tuitrain.train import Trainer


@pytest.mark.parametrize("blocks", [[300], [1, 4, 16, 79, 200], [37] * 9])
def test_the_first_row_at_or_below_the_target(blocks: list[int]) -> None:
    experiment = compare(
        [find("sales-mse"), find("sales-cost1-profit99")],
        optimizers=["sgd", "adam"],
        learning_rates=[0.01, 0.1],
        seeds=2,
        settings={"train.steps": [300]},
    )
    losses = Losses(experiment)
    rows: dict[int, list[np.ndarray]] = {i: [] for i in range(len(experiment.runs))}
    indices = []
    for stack, preset in enumerate(experiment.presets.values()):
        indices.append(experiment.stacks()[stack])
        trainer = Trainer(preset, [experiment.runs[i] for i in indices[stack]], stack=stack)
        for steps in blocks:
            chunk = trainer.advance(steps)
            if chunk is None:
                continue
            losses.add(chunk)
            for place, run in enumerate(indices[stack]):
                rows[run].append(chunk.series["loss"][place])
    whole = [np.concatenate(rows[i]) for i in range(len(experiment.runs))]
    assert [len(row) for row in whole] == [300] * 16
    np.testing.assert_array_equal(losses.initial, [row[0] for row in whole])
    np.testing.assert_array_equal(losses.last, [row[-1] for row in whole])
    for factor in (2.0, 0.5, 0.01):
        targets = np.array([factor * row[0] for row in whole])
        expected = [
            1 + int(np.argmax(row <= target)) if (row <= target).any() else np.nan
            for row, target in zip(whole, targets, strict=True)
        ]
        np.testing.assert_array_equal(losses.steps_to(targets), expected)
        assert factor < 1 or expected == [1] * 16


def test_the_search_goes_on_with_new_rows() -> None:
    experiment = compare([find("sales-mse")], seeds=3, settings={"train.steps": [2000]})
    trainer = Trainer(find("sales-mse"), experiment.runs)
    losses, target = Losses(experiment), [0.3] * 3
    found = []
    for _ in range(20):
        chunk = trainer.advance(100)
        assert chunk is not None
        losses.add(chunk)
        found.append(losses.steps_to(target).copy())
    assert np.isnan(found[0]).any()
    assert np.isfinite(found[-1]).all()
    for before, after in itertools.pairwise(found):
        known = np.isfinite(before)
        np.testing.assert_array_equal(after[known], before[known])


@pytest.mark.parametrize(("name", "rows"), [("book-mse", 128), ("book-less10", 128)])
@pytest.mark.parametrize("batch", [8, 48])
@pytest.mark.parametrize("blocks", [[160], [5, 20, 47, 88]])
def test_small_batches_are_judged_by_a_whole_epoch(
    name: str, rows: int, batch: int, blocks: list[int]
) -> None:
    experiment = compare([find(name)], settings={"train.batch": [batch]}, learning_rates=[0.0])
    preset = experiment.presets[name]
    trainer = Trainer(preset, experiment.runs)
    whole = float(trainer.evaluate().values["loss"][0])
    losses = Losses(experiment)
    for steps in blocks:
        chunk = trainer.advance(steps)
        assert chunk is not None
        losses.add(chunk)
    # at a learning rate of 0 every epoch has the loss of the whole training set
    assert losses.last[0] == pytest.approx(whole, rel=1e-5)
    batches = -(-rows // batch)
    assert losses.steps_to([whole * 1.0001])[0] == batches
    assert np.isnan(losses.steps_to([whole * 0.9999])[0])


@pytest.fixture
def thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording budget that leaves every eighth step or so of 300."""
    monkeypatch.setattr(recording_module, "RECORDING_BUDGET", 600)


@pytest.mark.usefixtures("thinned")
def test_thinned_rows_tell_the_loss_before_the_first_step() -> None:
    experiment = compare([find("sales-mse")], settings={"train.steps": [300]})
    [preset] = experiment.presets.values()
    trainer = Trainer(preset, experiment.runs)
    before = trainer.evaluate().values["loss"]
    losses = Losses(experiment)
    for _ in range(3):
        chunk = trainer.advance(100)
        assert chunk is not None
        assert chunk.stride > 1
        losses.add(chunk)
    assert losses.initial == pytest.approx(before)
    assert losses.steps_to(2 * before).tolist() == [1]


def test_thinned_rows_that_begin_later_do_not_tell_it() -> None:
    """As they were recorded before: at steps 8, 16, ..."""
    experiment = compare([find("sales-mse")])
    losses = Losses(experiment)
    losses.add(Chunk(0, 8, 8, {"loss": np.array([[3.0, 2.0]]), "loss_min": np.array([[2.5, 1.5]])}))
    assert np.isnan(losses.initial).all()
    assert losses.last.tolist() == [2.0]
    assert losses.steps_to([2.0]).tolist() == [16]


@pytest.mark.usefixtures("thinned")
@pytest.mark.parametrize("lr", [0.0, 0.5])
def test_thinned_rows_of_small_batches_leave_it_to_evaluations(lr: float) -> None:
    experiment = compare(
        [find("moons")],
        settings={"train.batch": [150], "train.steps": [600]},  # rows are of one batch of two
        optimizers=["sgd"],
        learning_rates=[lr],
    )
    [preset] = experiment.presets.values()
    trainer = Trainer(preset, experiment.runs)
    losses, judged = Losses(experiment), trainer.take_evaluations()
    for _ in range(6):
        chunk = trainer.advance(100)
        assert chunk is not None
        assert chunk.stride > 1
        losses.add(chunk)
        assert np.isnan(losses.last).all()
        assert np.isfinite(losses.initial).all()
    judged += trainer.take_evaluations()
    steps = np.array([evaluation.step for evaluation in judged])
    values = np.stack([evaluation.values["loss"] for evaluation in judged])
    losses.evaluate(0, steps[:2], values[:2])
    assert losses.last.tolist() == values[1].tolist()
    losses.evaluate(0, steps[2:], values[2:])
    assert losses.last.tolist() == trainer.evaluate().values["loss"].tolist()
    target = values[0] * 0.9
    reached = values[:, 0] <= target
    assert reached.any() == (lr > 0)
    # as with full batches: the loss of a step is that of the weights which it begins from
    expected = steps[reached.argmax()] + 1 if reached.any() else np.nan
    assert losses.steps_to(values[0]).tolist() == [1]
    np.testing.assert_array_equal(losses.steps_to(target), [expected])


def test_a_run_that_diverged_has_no_loss_below_a_target() -> None:
    experiment = compare([find("sales-mse")], learning_rates=[0.01, 1e30])
    trainer = Trainer(find("sales-mse"), experiment.runs)
    losses = Losses(experiment)
    chunk = trainer.advance(2000)
    assert isinstance(chunk, Chunk)
    assert list(trainer.diverged) == [1]
    losses.add(chunk)
    found = losses.steps_to([0.01, 0.01])
    assert np.isfinite(found[0])
    assert np.isnan(found[1])
    assert np.isfinite(losses.last).all()
