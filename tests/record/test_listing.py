"""What a list tells of an experiment."""

from __future__ import annotations

import contextlib

import pytest

from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.listing import listed
from tuitrain.record.status import RunResult, Status
from tuitrain.record.store import StoreWriter


@pytest.mark.parametrize("presets", [[], ["line-fit", "sales-mse"]], ids=["old", "new"])
def test_an_experiment_is_listed_without_its_description(
    folder: ExperimentFolder, presets: list[str]
) -> None:
    """Which takes seconds to read where there are many runs."""
    with contextlib.closing(StoreWriter(folder.database, [])) as writer, writer.transaction():
        writer.status(Status("finished", stack_presets=presets))
        for i, (preset, loss) in enumerate([("sales-mse", 0.5), ("line-fit", 0.25)]):
            writer.run(RunResult(i, str(i), preset, "sgd", 0.1, i, "finished", 3, loss))
    (folder.path / "experiment.toml").write_text("damaged")
    one = listed(ExperimentFolder(folder.path))
    assert one.presets == (presets or ["sales-mse", "line-fit"])
    assert one.loss == 0.25


def test_before_anything_is_recorded_the_description_names_the_presets(
    folder: ExperimentFolder,
) -> None:
    one = listed(ExperimentFolder(folder.path))
    assert (one.presets, one.results, one.loss) == (["line-fit"], [], None)
    (folder.path / "experiment.toml").write_text("damaged")
    assert listed(ExperimentFolder(folder.path)).presets == []
