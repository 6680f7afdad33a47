"""The curves of a comparison: which panes are seen, and what each of them shows."""

from __future__ import annotations

import numpy as np
from textual import on
from textual.containers import Container

from tuitrain.optim import name_of
from tuitrain.ui.board import Board
from tuitrain.ui.lines import SEEDS, Line
from tuitrain.ui.screens.compare_rows import Roll
from tuitrain.ui.widgets.chart import next_smoothing
from tuitrain.ui.widgets.curves import Reference
from tuitrain.ui.widgets.panes import BandLayer, LossPane
from tuitrain.ui.widgets.runtable import Row
from tuitrain.ui.widgets.ticks import spans_decades

LEAST_WIDTH, LEAST_HEIGHT = 36, 9
"""Of a pane, in cells; where not all panes have that, the one of the selected line is shown."""

MOST_CURVES = 60
"""Lines that are drawn in one pane; of more, those that are pinned or have the best ranks."""

CROWD = 12
"""Of more lines than that in a pane, only the best of each optimizer stand out."""

GAPS = "Gap to the optimum, relative to the start"
UNITS = {"step": "step", "epoch": "epoch", "seconds": "s"}
AROUND = {"step": "steps", "epoch": "epochs", "seconds": "seconds"}


class CurvesView(Container):
    """A chart for each pane, or one for the gaps of all.

    Args:
        board: what is known.
        roll: which lines are shown.
    """

    DEFAULT_CSS = """
    CurvesView { layout: grid; grid-gutter: 0 1; height: 1fr; }
    """

    def __init__(self, board: Board, roll: Roll, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.board, self.roll = board, roll
        self.panes = [LossPane("", gutter=7) for _ in board.lines.panes]
        self.whole = LossPane(GAPS, gutter=7)
        self._layers: dict[int, BandLayer] = {}
        self._built: object = None
        self._selected: Row | None = None
        self._scale_chosen = False
        self._seen: tuple[list[LossPane], int] = ([], 0)

    def compose(self):  # type: ignore[no-untyped-def]
        yield from self.panes
        yield self.whole

    def on_mount(self) -> None:
        self._show_panes()

    def on_resize(self) -> None:
        self._show_panes()
        if self._layers:
            self.follow()

    @property
    def charts(self) -> list[LossPane]:
        """Those that may be seen."""
        return [self.whole] if self.board.gap_shown else self.panes

    # What is shown ----------------------------------------------------------------------------

    def follow(self) -> None:
        """Draw what the bands have become."""
        for index, chart in enumerate(self.charts):
            if chart.display:
                self._tune(index, chart)
                chart.redraw()

    def assign(self, selected: Row | None) -> None:
        """Let each chart have the lines that are to be seen, the selected one on top."""
        self._selected = selected
        self._show_panes()
        if self._built is not self.board.bands:
            self._built = self.board.bands
            self._layers = {
                line.number: BandLayer.of(band, self._told(line), line.letter, line.colour)
                for line, band in zip(self.board.lines, self.board.bands.bands, strict=True)
            }
        chosen = self.roll.line(selected)
        for index, chart in enumerate(self.charts):
            shown = self.roll.drawn(None if self.board.gap_shown else index)
            leaders = {line.number for line in shown}
            if len(shown) > CROWD:
                leaders = self._leaders(shown, chosen)
            drawn = sorted(shown, key=lambda line: line.number not in leaders)
            layers = [self._layers[line.number] for line in reversed(drawn[:MOST_CURVES])]
            for place, layer in enumerate(reversed(layers)):
                layer.strong = chosen is not None and layer is self._layers[chosen.number]
                layer.faint = place >= len(leaders)
            chart.curves = layers
            chart.note = _note(len(shown), len(leaders))
            chart.references = self._references(index)
        if not self._scale_chosen:
            log_y = self.board.gap_shown or any(map(self._spans_decades, range(len(self.charts))))
            for chart in self.charts:
                chart.log_y = log_y
        self.follow()

    def _leaders(self, lines: list[Line], chosen: Line | None) -> set[int]:
        """The best line of each optimizer, those that are pinned, and the one that is chosen."""
        ranked = sorted(lines, key=self.roll.place, reverse=True)
        best = {(line.pane, name_of(line.group.optimizer)): line for line in ranked}
        others = [line for line in lines if line is chosen or self.roll.pinned(line)]
        return {line.number for line in [*best.values(), *others]}

    def _told(self, line: Line) -> str:
        several = self.board.gap_shown and len(self.board.lines.panes) > 1
        return f"{line.name} {self.board.lines.panes[line.pane].name}" if several else line.name

    def _references(self, index: int) -> list[Reference]:
        if self.board.gap_shown or not self.board.standings:
            return []
        standing = self.board.standings[index]
        optimum = self.board.comparison.optimum(standing.pane)
        references = [] if optimum is None else [Reference(optimum, "optimum")]
        if standing.target == standing.target:
            references.append(Reference(standing.target, "target"))
        return references

    def _tune(self, index: int, chart: LossPane) -> None:
        """Axes, titles and names that depend on how far the runs have come."""
        board = self.board
        for line in board.lines:
            self._layers[line.number].lost = board.bands.bands[line.number].lost
        pane = board.lines.panes[index]
        presets = list(board.experiment.presets) if board.gap_shown else pane.presets
        chart.steps = board.total(presets)
        chart.step_unit, chart.unit_name = board.step_unit(presets), UNITS[board.unit]
        title = GAPS if board.gap_shown else pane.name if len(self.panes) > 1 else "Loss"
        if len(self._seen[0]) < len(self.charts):
            title = f"{index + 1} of {len(self.charts)}: {title}"
        by = "" if board.lines.by == SEEDS else f", one line per {board.lines.by}"
        seeds = any(len(line.runs) > 1 for line in board.lines)
        drawn = board.bands.drawn(presets)
        told = filter(None, [drawn, "median and quartiles" if seeds else ""])
        whole = f"{', '.join(told)} over {AROUND[board.unit]}{by}".lstrip()
        room = chart.size.width - len(title) - len("  ")
        chart.entitle(title, next((words for words in (whole, drawn) if len(words) <= room), ""))

    def _spans_decades(self, pane: int) -> bool:
        """Whether the losses of its lines have fallen so far that a linear axis shows nothing.

        By the least losses, which only fall: by the last ones, the axis would go to and fro.
        """
        facts = self.board.facts
        lines = self.roll.drawn(pane) if facts else []
        shown = [line for line in lines if not self._layers[line.number].lost]
        starts = [self._layers[line.number].series.values[:1] for line in shown]
        most = np.fmax.reduce(np.concatenate([*starts, [np.nan]]))
        least = np.fmin.reduce([*(facts[line.number].best for line in shown), np.nan])
        return spans_decades(least, most)

    def _show_panes(self) -> None:
        """As many panes as have room, side by side or in rows; or that of the selected line."""
        width, height = self.size
        charts = self.charts
        across = max(1, min(len(charts), width // LEAST_WIDTH))
        down = max(1, min(-(-len(charts) // across), height // LEAST_HEIGHT))
        line = self.roll.line(self._selected)
        here = line.pane if line is not None and not self.board.gap_shown else 0
        room = across * down
        first = min(here // room * room, max(0, len(charts) - room))
        seen = charts[first : first + room]
        across = min(across, len(seen))
        if (seen, across) != self._seen:
            self._seen = seen, across
            for chart in (*self.panes, self.whole):
                chart.display = chart in seen
            self.styles.grid_size_columns = across
            self.styles.grid_size_rows = -(-len(seen) // across)

    # Keys -------------------------------------------------------------------------------------

    def command(self, how: str) -> None:
        """What the keys of a chart do, in every pane."""
        first = next((chart for chart in self.charts if chart.display), self.charts[0])
        match how:
            case "log_y":
                self._scale_chosen = True
                log_y = not first.log_y
                for chart in self.charts:
                    chart.log_y = log_y
            case "log_x":
                for chart in (*self.panes, self.whole):
                    chart.log_x = not chart.log_x
            case "smoothing":
                weight = next_smoothing(first.smoothing)
                for chart in (*self.panes, self.whole):
                    chart.smoothing = weight
            case "zoom_in" | "zoom_out":
                first.zoom(1.5 if how == "zoom_in" else 1 / 1.5)
            case "pan_left" | "pan_right":
                first.pan(0.2 if how == "pan_right" else -0.2)
            case "zoom_reset":
                first.reset()
                first.set_cursor(None, notify=True)
            case "cursor_left" | "cursor_right":
                first.move_cursor(1 if how == "cursor_right" else -1)

    def toggle_gap(self) -> str:
        """Losses or gaps; what stands against it, in words."""
        if not self.board.gap_shown and not self.board.optima:
            return "The optimum is not known for these presets"
        self._scale_chosen = False
        self.board.show_gap(not self.board.gap_shown)
        return ""

    def next_unit(self) -> None:
        """Count the x axis in the next unit."""
        units = self.board.units
        self.board.measure_in(units[(units.index(self.board.unit) + 1) % len(units)])
        for chart in (*self.panes, self.whole):
            chart.set_view(None)
            chart.set_cursor(None)

    @on(LossPane.CursorMoved)
    def _cursor_moved(self, event: LossPane.CursorMoved) -> None:
        """The cursor stands at one place in all panes."""
        for chart in self.charts:
            chart.set_cursor(event.step)

    @on(LossPane.ViewChanged)
    def _view_changed(self, event: LossPane.ViewChanged) -> None:
        """All panes show the same part of the x axis."""
        for chart in self.charts:
            if chart.view != event.view:
                chart.set_view(event.view)


def _note(lines: int, leaders: int) -> str:
    """What is seen of many lines, in words."""
    words = [f"best {MOST_CURVES} of {lines}"] if lines > MOST_CURVES else []
    return ", ".join([*words, *["bright: best of each optimizer"] * (leaders < lines)])
