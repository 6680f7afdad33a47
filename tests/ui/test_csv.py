"""The dashboard of an experiment on a CSV file that has changed or gone, and of a linear border."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from tests.ui.conftest import dashboard, page, start, state, until
from tuitrain.record.folder import ExperimentFolder, experiments
from tuitrain.spec.catalogue import find
from tuitrain.spec.data import Csv
from tuitrain.spec.load import to_toml
from tuitrain.ui.widgets.boundary import BoundaryView


@pytest.fixture
def preset(tmp_path: Path) -> Path:
    """A preset file of `spiral` with the rows of `rows.csv` beside it."""
    table = tmp_path / "rows.csv"
    table.write_text("a,b,kind\n" + "".join(f"{i},{i % 3},{'uv'[i % 2]}\n" for i in range(20)))
    spiral = find("spiral")
    train = replace(spiral.train, batch=5, epochs=10)
    mine = replace(spiral, name="mine", data=Csv(csv=str(table), test=0.2), train=train)
    path = tmp_path / "mine.toml"
    path.write_text(to_toml(replace(mine, expected=type(mine.expected)())))
    return path


@pytest.mark.parametrize("gone", [False, True])
async def test_a_recording_is_opened_without_its_file(
    opened, runs_dir: Path, preset: Path, gone: bool
) -> None:
    async with opened() as pilot:
        await start(pilot, str(preset))
        await until(pilot, lambda: state(pilot) == "finished", "end")
    table = preset.with_name("rows.csv")
    table.unlink() if gone else table.write_text("a,b,c,d\n1,2,3,4\n")
    (folder,) = experiments(runs_dir)
    async with opened(attach=ExperimentFolder(folder.path)) as pilot:
        await until(pilot, lambda: "finished: " in page(pilot), "diagnosis")
        screen = dashboard(pilot)
        await until(pilot, lambda: screen.query(BoundaryView).first().scatter, "rows")
        data = screen.facts.data
        assert data is not None
        assert (data.inputs, data.classes) == (("a", "b"), ("u", "v"))
        assert len(data.x) + len(data.x_test) == 20


async def test_the_readme_has_a_whole_preset_for_a_file_of_ones_own(
    opened, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (Path(__file__).parents[2] / "README.md").read_text()
    blocks = dict(re.findall(r"```(csv|toml)\n(.*?)```", text, re.DOTALL))
    for suffix, block in blocks.items():
        Path(f"flowers.{suffix}").write_text(block)
    async with opened() as pilot:
        screen = await start(pilot, "flowers.toml")
        await until(pilot, lambda: state(pilot) == "finished", "end")
        data = screen.facts.data
        assert data is not None
        assert (data.classes, len(data.x), len(data.x_test)) == (("setosa", "versicolor"), 6, 2)
        [run] = screen.folder.results()
        assert run.metrics["accuracy"] == 1


async def test_a_linear_model_of_classes_has_a_border(opened) -> None:
    async with opened() as pilot:
        await start(pilot, "dots", model__kind="linear", train__steps="50")
        await until(pilot, lambda: state(pilot) == "finished", "end")
        screen = dashboard(pilot)
        view = screen.query(BoundaryView).first()

        def drawn() -> bool:
            last = screen.recording.picture(0, "grid")
            return view.grid is not None and np.array_equal(view.grid, last)

        await until(pilot, drawn, "last picture")
        grid = view.grid
        assert grid is not None
        assert np.ptp(grid) > 0.05
        for axis in (0, 1):  # a linear model rises or falls along an input, and never turns
            signs = np.sign(np.diff(grid[..., 0], axis=axis))
            assert len({-1.0, 1.0} & {*signs.ravel().tolist()}) == 1
