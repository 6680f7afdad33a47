"""The rows of `tuitrain export`, of recordings whose steps are thinned out."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest

from tuitrain.cli.export import Evaluations, Steps
from tuitrain.record.reader import StoreReader, StoreReadError
from tuitrain.record.store import StoreWriter
from tuitrain.spec.catalogue import find
from tuitrain.spec.experiment import single
from tuitrain.spec.recording import Chunk, Evaluation, Layout

NAMES = ("loss", "loss_min", "loss_max", "lr", "grad_norm", "w[0,0]")


def test_the_last_losses_of_a_run_that_ended_between_rows_are_written(tmp_path: Path) -> None:
    layout = Layout(1, dict.fromkeys(NAMES, "float64"), 4)
    series = {name: np.array([[1.0, 2.0, np.nan, np.nan]]) for name in NAMES}
    series["loss_min"][0, 2], series["loss_max"][0, 2] = 0.5, np.inf
    closing = {name: np.array([[np.nan]]) for name in NAMES}
    with (
        contextlib.closing(StoreWriter(tmp_path / "run.db", [layout])) as writer,
        writer.transaction(),
    ):
        writer.append(Chunk(0, 1, 4, series))
        writer.append(Chunk(0, 15, 4, closing))
    with contextlib.closing(StoreReader(tmp_path / "run.db")) as reader:
        table = Steps(reader, single(find("sales-mse")))
        rows = [dict(zip(table.header, row, strict=True)) for row in table.rows()]
    assert table.header[:6] == ["run", "step", "loss", "lr", "grad_norm", "w[0,0]"]
    assert table.header[6:] == ["loss_min", "loss_max"]
    assert [row["step"] for row in rows] == [1, 5, 9]
    assert (rows[2]["loss_min"], rows[2]["loss_max"]) == (0.5, np.inf)
    assert np.isnan(rows[2]["loss"])


@pytest.mark.parametrize("kind", [Steps, Evaluations])
def test_rows_of_runs_that_the_experiment_does_not_know_are_refused(
    tmp_path: Path, kind: type[Steps | Evaluations]
) -> None:
    layout = Layout(2, dict.fromkeys(NAMES, "float64"))
    with (
        contextlib.closing(StoreWriter(tmp_path / "run.db", [layout])) as writer,
        writer.transaction(),
    ):
        writer.append(Chunk(0, 1, 1, {name: np.ones((2, 3)) for name in NAMES}))
        writer.evaluation(Evaluation(0, 3, {"loss": np.ones(2)}))
    with (
        contextlib.closing(StoreReader(tmp_path / "run.db")) as reader,
        pytest.raises(StoreReadError, match=r"does not belong to its experiment\.toml"),
    ):
        kind(reader, single(find("sales-mse")))
