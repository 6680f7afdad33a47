"""The sweep of real trainings in a real application."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from textual.app import App, ComposeResult

from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.live import Recording
from tuitrain.record.ranking import losses
from tuitrain.record.sweep import lines
from tuitrain.spec.catalogue import find
from tuitrain.spec.comparison import compare
from tuitrain.spec.experiment import Experiment
from tuitrain.spec.grouping import panes
from tuitrain.ui.markers import Marker
from tuitrain.ui.widgets.plot import Plot
from tuitrain.ui.widgets.sweep import SweepView
from tuitrain.worker.session import Session

Trained = tuple[Experiment, np.ndarray]
RATES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Two optimizers; sgd diverges at the greatest rate."""
    experiment = compare(
        [find("sales-mse")],
        optimizers=["sgd", "adam"],
        learning_rates=RATES,
        seeds=3,
        settings={"train.steps": [300]},
    )
    folder = ExperimentFolder.create(tmp_path_factory.mktemp("runs"), experiment)
    Session(folder).run()
    recording = Recording(folder)
    recording.refresh()
    recording.close()
    return experiment, losses(recording.results)


@pytest.fixture
def marker(request: pytest.FixtureRequest) -> Iterator[Marker]:
    before, Plot.marker = Plot.marker, request.param
    yield request.param
    Plot.marker = before


class Sweeps(App[None]):
    """One sweep that fills the screen, and a record of its messages."""

    CSS = "SweepView { width: 1fr; height: 1fr; }"

    def __init__(self, trained: Trained) -> None:
        super().__init__()
        self.experiment, self.losses = trained
        self.view = SweepView()
        self.chosen: list[SweepView.Chosen] = []
        self.selected: list[tuple[str, float | None]] = []

    def compose(self) -> ComposeResult:
        yield self.view

    def on_mount(self) -> None:
        (pane,) = panes(self.experiment)
        self.view.show(lines(self.experiment, pane))

    def on_sweep_view_chosen(self, message: SweepView.Chosen) -> None:
        self.chosen.append(message)

    def on_sweep_view_selected(self, message: SweepView.Selected) -> None:
        self.selected.append((message.line.name, message.lr))

    def update(self, **more: float | bool) -> None:
        self.view.update(self.losses, **more)  # type: ignore[arg-type]

    def rows(self) -> list[str]:
        return [self.view.render_line(y).text for y in range(self.view.size.height)]


async def test_lines_marks_crosses_and_words(trained: Trained) -> None:
    app = Sweeps(trained)
    async with app.run_test(size=(120, 40)) as pilot:
        app.update(start=0.6)
        await pilot.pause()
        rows = app.rows()
        sgd, adam = app.view.sweeps
        assert sgd.best is not None
        assert adam.best is not None
        assert f"best lr  ━● sgd {RATES[sgd.best]:g}  ━■ adam {RATES[adam.best]:g}" in rows[0]
        # the only divergence is that of sgd at the last rate, which stands at the right
        assert sgd.diverged == [0] * 7 + [3]
        assert not any(adam.diverged)
        assert rows[1].strip() == "×"  # noqa: RUF001 - the sign on the screen
        assert rows[1].index("×") > 110  # noqa: RUF001
        text = "\n".join(rows)
        assert f"best {RATES[sgd.best]:g}" in text
        assert sgd.steepest is None  # it falls fastest at the least rate
        assert "steepest" not in text
        assert "at the start" in text
        assert rows[-1].startswith(f"sgd  best lr {RATES[sgd.best]:g} (final loss ")
        assert "diverges at lr 3" in rows[-1]
        assert rows[-2].split() == ["0.001", "0.01", "0.1", "1"]
        assert text.count("■") > 4
        assert all(len(row) == 120 for row in rows)
        app.losses = app.losses.copy()
        app.losses[:3] = app.losses[3:6]  # the loss falls from the second rate on
        app.update()
        await pilot.pause()
        assert "steepest 0.003" in "\n".join(app.rows())


async def test_what_goes_on_is_not_called_final(trained: Trained) -> None:
    app = Sweeps(trained)
    async with app.run_test(size=(100, 24)) as pilot:
        assert "no data yet" in "\n".join(app.rows())
        app.view.update(np.full(len(app.losses), np.nan))
        await pilot.pause()
        assert "no data yet" in "\n".join(app.rows())
        app.update(final=False)
        await pilot.pause()
        assert "loss so far" in app.rows()[-1]
        assert "final" not in app.rows()[-1]


async def test_only_what_changes_is_drawn_again(trained: Trained) -> None:
    app = Sweeps(trained)
    async with app.run_test(size=(100, 24)) as pilot:
        app.update()
        await pilot.pause()
        before = app.rows()
        app.losses = app.losses * np.where(np.arange(len(app.losses)) < 3, 1.5, 1)
        app.update()
        await pilot.pause()
        assert app.rows() != before


async def test_the_cursor_goes_from_rate_to_rate(trained: Trained) -> None:
    app = Sweeps(trained)
    async with app.run_test(size=(100, 24)) as pilot:
        app.update()
        await pilot.pause()
        view = app.view
        best = view.sweeps[0].best
        assert best is not None
        view.move_cursor(-1)
        assert view.cursor == RATES[best]
        view.move_cursor(-1)
        assert view.cursor == RATES[best - 1]
        view.move_cursor(-100)
        assert view.cursor == RATES[0]
        await pilot.pause()
        assert "loss at lr 0.001" in app.rows()[0]
        assert sum("●" in row for row in app.rows()[1:-1]) >= 2
        view.move_cursor(100)
        await pilot.pause()
        assert "loss at lr 3  ━● sgd inf" in app.rows()[0]
        view.set_cursor(None)
        await pilot.pause()
        assert "best lr" in app.rows()[0]
        rates = [lr for _, lr in app.selected]
        assert rates == [RATES[best], RATES[best - 1], RATES[0], RATES[-1], None]


async def test_the_chosen_rate_is_the_best_or_that_at_the_cursor(trained: Trained) -> None:
    app = Sweeps(trained)
    async with app.run_test(size=(100, 24)) as pilot:
        app.view.choose()
        app.update()
        await pilot.pause()
        app.view.choose()
        app.view.select(1)
        app.view.choose()
        app.view.set_cursor(0.03)
        app.view.choose()
        await pilot.pause()
        sgd, adam = app.view.sweeps
        assert sgd.best is not None
        assert adam.best is not None
        assert [message.lr for message in app.chosen] == [RATES[sgd.best], RATES[adam.best], 0.03]
        group = app.chosen[-1].group
        run = app.experiment.runs[group.runs[0]]
        assert (run.optimizer, run.optimizer.lr) == (group.optimizer, 0.03)
        assert run.name.startswith("sales-mse adam lr=0.03 ")
        assert app.rows()[-1].startswith("adam ")
        app.view.select(1)
        assert app.view.selected == 0


async def test_zoom_leaves_out_rates_and_reset_brings_them_back(trained: Trained) -> None:
    app = Sweeps(trained)
    async with app.run_test(size=(100, 24)) as pilot:
        app.update()
        await pilot.pause()
        app.view.set_cursor(0.01)
        await pilot.pause()
        whole = app.rows()
        app.view.zoom(4)
        await pilot.pause()
        assert app.rows()[-2].split()[0] != "0.001"
        assert "×" not in "".join(app.rows())  # noqa: RUF001
        app.view.pan(10)
        await pilot.pause()
        assert "×" in app.rows()[1]  # noqa: RUF001
        for _ in range(30):
            app.view.zoom(2)
        app.view.zoom(1e-9)
        await pilot.pause()
        app.view.reset()
        await pilot.pause()
        assert app.rows() == whole


async def test_the_mouse_points_at_rates_and_lines(trained: Trained) -> None:
    app = Sweeps(trained)
    async with app.run_test(size=(100, 24)) as pilot:
        app.update()
        await pilot.pause()
        row, column = next(
            (y, line.index("■")) for y, line in enumerate(app.rows()) if "■" in line and y
        )
        await pilot.hover(SweepView, offset=(column, row))
        assert app.view.cursor in RATES
        await pilot.click(SweepView, offset=(column, row))
        assert app.view.selected == 1
        await pilot.hover(SweepView, offset=(2, 23))
        assert app.view.cursor is None


@pytest.mark.parametrize("marker", ["ascii"], indirect=True)
async def test_ascii_keeps_to_ascii(marker: Marker, trained: Trained) -> None:
    app = Sweeps(trained)
    async with app.run_test(size=(60, 20)) as pilot:
        app.update(start=0.6)
        await pilot.pause()
        app.view.set_cursor(0.01)
        await pilot.pause()
        assert all(row.isascii() for row in app.rows())
        assert app.rows()[1].strip() == "x"
        assert "=o sgd" in app.rows()[0]


@pytest.mark.parametrize("marker", ["braille", "block", "ascii"], indirect=True)
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (9, 4), (17, 6), (30, 9), (300, 90)])
async def test_every_size(marker: Marker, size: tuple[int, int], trained: Trained) -> None:
    app = Sweeps(trained)
    async with app.run_test(size=size) as pilot:
        app.update(start=0.6)
        await pilot.pause()
        app.view.move_cursor(2)
        app.view.zoom(2)
        await pilot.pause()
        assert [len(row) for row in app.rows()] == [size[0]] * size[1]
        await pilot.resize_terminal(size[0] + 1, size[1] + 1)
        await pilot.pause()
        assert [len(row) for row in app.rows()] == [size[0] + 1] * (size[1] + 1)


async def test_losses_that_no_logarithm_knows(trained: Trained) -> None:
    app = Sweeps(trained)
    async with app.run_test(size=(100, 24)) as pilot:
        app.losses = np.where(np.isfinite(app.losses), 0.0, app.losses)
        app.update(start=1.0)
        await pilot.pause()
        assert "best lr" in app.rows()[0]
        app.losses = app.losses - 1.0
        app.update(start=1.0)
        await pilot.pause()
        labels = [row.split("┤")[0].strip() for row in app.rows() if "┤" in row]
        assert "0" in labels or "0.0" in labels
        assert any(label.startswith("-") for label in labels)
