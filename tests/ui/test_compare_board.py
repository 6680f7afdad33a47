"""What the comparison screen knows of an experiment, beside what the command line tells of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.live import Recording
from tuitrain.record.ranking import rounding
from tuitrain.spec.catalogue import find
from tuitrain.spec.comparison import compare
from tuitrain.ui.board import Board
from tuitrain.worker.session import Session


def trained(folder: ExperimentFolder) -> Board:
    """The board of an experiment after its end."""
    Session(folder).run()
    recording = Recording(folder)
    recording.refresh()
    board = Board(recording)
    board.stand()
    recording.close()
    return board


def test_no_run_ends_below_its_best_loss(tmp_path: Path) -> None:
    """The final loss is that of the last weights, less than the mean over the last epoch's."""
    experiment = compare([find("iris")], seeds=2, settings={"train.epochs": [3]})
    board = trained(ExperimentFolder.create(tmp_path, experiment))
    means = board.comparison._rows.least
    assert (board.comparison.losses < means).all()
    assert [facts.best for facts in board.facts] == [facts.loss for facts in board.facts]


@pytest.mark.parametrize("steps", [57, 58])
def test_a_gap_is_nothing_on_the_screen_where_it_is_nothing_in_the_ranking(
    tmp_path: Path, steps: int
) -> None:
    """A loss of two roundings of the least loss, 0, has itself a larger rounding than that."""
    parabola = find("parabola-constant")
    experiment = compare([parabola], learning_rates=[0.1], settings={"train.steps": [steps]})
    board = trained(ExperimentFolder.create(tmp_path, experiment))
    [[ranked]] = [standing.ranking for standing in board.standings]
    least = board.optima["parabola-constant"]
    start = float(board.comparison.initial[0])
    assert 1.5 < ranked.loss.median / rounding(least, start, float(np.finfo(np.float32).eps)) < 2.5
    assert ranked.gap(least) == 0.0
    assert [facts.gap for facts in board.facts] == [0.0]
