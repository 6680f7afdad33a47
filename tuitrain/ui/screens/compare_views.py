"""The further views of a comparison, all about the pane of the selected line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tuitrain.record.sweep import Line as Sweeping
from tuitrain.record.sweep import lines as sweep_lines
from tuitrain.spec.recording import element_names
from tuitrain.spec.size import shapes
from tuitrain.ui.board import Board
from tuitrain.ui.lines import Line
from tuitrain.ui.screens.compare_rows import Roll
from tuitrain.ui.survey import Survey
from tuitrain.ui.widgets.fits import Fits, FittedLine
from tuitrain.ui.widgets.landscape import LandscapeView
from tuitrain.ui.widgets.picture import PictureView
from tuitrain.ui.widgets.sweep import SweepView


class Views:
    """Keeps sweep, landscape and fit up to date; only the one that is seen costs anything.

    Args:
        board: what is known.
        roll: which lines are shown.
    """

    def __init__(self, board: Board, roll: Roll) -> None:
        self.board, self.roll = board, roll
        self.sweep = SweepView(placeholder="waiting for the first step", id="sweep")
        self.map = LandscapeView(placeholder="no landscape yet", id="map")
        self.fit = PictureView(placeholder="", id="fit")
        self._sweep_pane: int | None = None
        self._sweeps: dict[int, list[Sweeping]] = {}
        self._surveys: dict[str, Survey] = {}
        self._fits: dict[str, Fits] = {}
        self._line: Line | None = None
        self._run: int | None = None

    def missing(self, view: str, line: Line | None) -> str:
        """Why a view cannot be shown for a line, in words; empty if it can."""
        if line is None:
            return "No run is selected"
        if view == "map" and not self.survey(line.group.preset).possible:
            return "A landscape needs two parameters or more"
        if view == "fit" and not self._fitted(line.group.preset).possible:
            return "The fit is drawn for models with one input and one output"
        if view == "sweep" and not any(len(each.groups) > 1 for each in self._sweeping(line.pane)):
            return "A sweep needs several learning rates per optimizer, such as --lr 1e-4:1:log:9"
        return ""

    def follow(self, view: str, line: Line | None, run: int | None = None) -> None:
        """Bring a view up to what is recorded.

        Args:
            line: that is selected.
            run: that is selected within it.
        """
        before, self._line, self._run = self._line, line, run
        if line is None and before is not None:
            self._empty(before)
        if line is None or self.missing(view, line):
            return
        match view:
            case "sweep":
                self._show_sweep(line)
            case "map":
                self._show_map(line)
            case "fit":
                picture = self._fitted(line.group.preset)(self._fitted_lines(line))
                self.fit.entitle(line.group.preset)
                self.fit.show(picture)

    def _empty(self, before: Line) -> None:
        """No run is left: the pictures of those that were there would be of others."""
        self.map.show(self.map.plane, self.map.home, self.map.landscapes, [], self.map.optimum)
        if self._fitted(before.group.preset).possible:
            self.fit.show(self._fitted(before.group.preset)([]))

    def command(self, name: str, how: str) -> None:
        """What the keys of a chart do; the fit has no axes to zoom."""
        if name == "fit":
            return
        view: SweepView | LandscapeView = self.sweep if name == "sweep" else self.map
        match how:
            case "zoom_in" | "zoom_out":
                view.zoom(1.5 if how == "zoom_in" else 1 / 1.5)
            case "pan_left" | "pan_right":
                view.pan(0.2 if how == "pan_right" else -0.2)
            case "zoom_reset":
                view.reset()
            case "cursor_left" | "cursor_right" if isinstance(view, SweepView):
                view.move_cursor(1 if how == "cursor_right" else -1)

    # Sweep ------------------------------------------------------------------------------------

    def _sweeping(self, pane: int) -> list[Sweeping]:
        """The lines of a pane's sweep."""
        if pane not in self._sweeps:
            self._sweeps[pane] = sweep_lines(self.board.experiment, self.board.lines.panes[pane])
        return self._sweeps[pane]

    def _show_sweep(self, line: Line) -> None:
        pane = self.board.lines.panes[line.pane]
        found = self._sweeping(line.pane)
        if self._sweep_pane != line.pane:
            self._sweep_pane = line.pane
            self.sweep.entitle(pane.name)
            self.sweep.show(found, self._sweep_colours(found))
        here = next(
            (i for i, x in enumerate(found) if any(g.runs == line.runs for g in x.groups)), None
        )
        if here is not None and here != self.sweep.selected:
            self.sweep.select(here - self.sweep.selected)
        compared = self.board.comparison
        start = compared.initial[pane.runs]
        known = start[np.isfinite(start)]
        middle = float(np.median(known)) if known.size else float("nan")
        reached = compared.losses, compared.steps, compared.roundings
        self.sweep.update(*reached, start=middle, final=compared.final)

    def _sweep_colours(self, found: Sequence[Sweeping]) -> list[int | str]:
        """Those of the curves, where these have one for each update rule."""
        colours = [
            {line.colour for line in self.board.lines if set(line.runs) <= set(whole)}
            for whole in ([run for group in x.groups for run in group.runs] for x in found)
        ]
        apart = all(len(one) == 1 for one in colours)
        return [min(one) for one in colours] if apart else list(range(len(found)))

    # Landscape --------------------------------------------------------------------------------

    def survey(self, preset: str) -> Survey:
        """The landscape of a preset."""
        if preset not in self._surveys:
            stack = list(self.board.experiment.presets).index(preset)
            best = self.board.best_weights.get(preset) or None
            self._surveys[preset] = Survey(self.board.recording, stack, best=best)
        return self._surveys[preset]

    def _show_map(self, line: Line) -> None:
        """The ways of the lines that are shown."""
        survey = self.survey(line.group.preset)
        shown = self.roll.paths(line, self._run)
        for run, own in shown.items():
            survey.dress(run, own.name, own.letter, own.colour)
        survey.update()
        trails = dict(zip(survey.runs, survey.trails, strict=False))
        self.map.entitle(line.group.preset)
        self.map.show(
            survey.plane,
            survey.home,
            survey.landscapes,
            [trails[run] for run in shown if run in trails],
            survey.optimum,
        )

    def ask(self, event: LandscapeView.Wanted) -> None:
        """Pass the map's question on."""
        if self._line is not None:
            self.survey(self._line.group.preset).ask(event.window, event.columns, event.rows)

    # Fit --------------------------------------------------------------------------------------

    def _fitted(self, preset: str) -> Fits:
        if preset not in self._fits:
            self._fits[preset] = Fits(self.board.experiment.presets[preset])
        return self._fits[preset]

    def _fitted_lines(self, line: Line) -> list[FittedLine]:
        """The models of the lines that are shown, the selected line's first."""
        found = []
        for run, other in self.roll.paths(line, self._run).items():
            weights = self._weights(run)
            if weights and all(np.isfinite(value).all() for value in weights.values()):
                found.append(FittedLine(weights, other.colour, other.letter))
        return found

    def _weights(self, run: int) -> Mapping[str, NDArray[np.floating]]:
        """A run's parameters after its last recorded step; empty if they are not recorded."""
        recording, experiment = self.board.recording, self.board.experiment
        if run in recording.last_weights:
            return recording.last_weights[run]
        name = experiment.runs[run].preset
        stack = list(experiment.presets).index(name)
        blocks = recording.blocks(stack)
        if not blocks:
            return recording.first_weights.get(run, {})
        place = self.survey(name).runs.index(run)
        series, found = blocks[-1].series, {}
        for tensor, shape in shapes(experiment.presets[name]).items():
            names = element_names(tensor, shape)
            if not all(element in series for element in names):
                return {}
            values = [series[element][place, -1] for element in names]
            found[tensor] = np.array(values, np.float64).reshape(shape)
        return found
