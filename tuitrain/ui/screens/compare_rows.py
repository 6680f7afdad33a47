"""The rows of a comparison: which lines are shown, in what order, and what the table says."""

from __future__ import annotations

import math
from typing import Any

from rich.console import Console
from rich.text import Text

from tuitrain.spec.grouping import rates
from tuitrain.spec.size import planned_steps
from tuitrain.ui.board import Board, Facts
from tuitrain.ui.lines import Line, as_text, label
from tuitrain.ui.runfilter import RunFilter
from tuitrain.ui.widgets.runtable import SPARK, Column, Key, Row
from tuitrain.ui.widgets.status import SIGNS
from tuitrain.ui.widgets.ticks import compact

FIGURES = (
    Column("loss", "loss", 9, need=9),
    Column(SPARK, "", 10, right=False, need=2),
    Column("best", "best", 9, need=3),
    Column("accuracy", "accuracy", 8, need=4),
    Column("test_accuracy", "test acc.", 9, need=8),
    Column("gap", "gap left %", 10, need=5),
    Column("steps", "to target", 9, need=6),
    Column("seconds", "s", 6, need=1),
)
MOST_KEY_WIDTH = 24
WIDEST = 9
"""Characters of a figure."""


class Roll:
    """The filter, the order, and the hidden, pinned, solo and expanded lines.

    Args:
        board: what is known of the lines.
    """

    def __init__(self, board: Board) -> None:
        self.board = board
        self.filter = RunFilter("", ())
        self.sort = ("rank", False)
        self._hidden: set[int] = set()
        self._pinned: set[int] = set()
        self._open: set[int] = set()
        self._alone: int | None = None

    # Choices ----------------------------------------------------------------------------------

    def line(self, row: Row | None) -> Line | None:
        """The line of a row."""
        return self._line(row.key) if row is not None else None

    def _line(self, key: Key) -> Line | None:
        kind, number = key
        if kind == "line":
            return self.board.lines[number] if number < len(self.board.lines) else None
        return (
            next((x for x in self.board.lines if number in x.runs), None) if kind == "run" else None
        )

    def _toggle(self, chosen: set[int], key: Key) -> None:
        if (line := self._line(key)) is not None:
            chosen ^= {line.number}

    def fold(self, key: Key) -> None:
        """Show the runs of a line, or no more."""
        self._toggle(self._open, key)

    def hide(self, key: Key) -> None:
        self._toggle(self._hidden, key)

    def pin(self, key: Key) -> None:
        self._toggle(self._pinned, key)

    def pinned(self, line: Line) -> bool:
        return line.number in self._pinned

    def place(self, line: Line) -> int:
        """In the ranking of its pane; 0 before there is one."""
        return self.board.facts[line.number].place if self.board.facts else 0

    def solo(self, key: Key) -> None:
        """Draw this line only; again: all that are not hidden."""
        line = self._line(key)
        number = None if line is None else line.number
        self._alone = None if number == self._alone else number

    def show_all(self) -> None:
        """As it was at first."""
        self._hidden.clear()
        self._pinned.clear()
        self._alone = None
        self.filter = RunFilter("", ())

    def group_next(self) -> None:
        """Make lines by the next way of grouping."""
        ways = self.board.groupings
        self.board.group(ways[(ways.index(self.board.lines.by) + 1) % len(ways)])
        self._open.clear()
        self.show_all()

    def sort_by(self, column: str) -> None:
        """Sort by a column; again: the other way round."""
        self.sort = (column, not self.sort[1]) if column == self.sort[0] else (column, False)

    def sort_next(self, by: int) -> None:
        keys = [column.key for column in self.columns() if column.key != SPARK]
        here = keys.index(self.sort[0]) if self.sort[0] in keys else 0
        self.sort = keys[(here + by) % len(keys)], False

    def reverse(self) -> None:
        self.sort = self.sort[0], not self.sort[1]

    # Lines ------------------------------------------------------------------------------------

    def listed(self, pane: int) -> list[Line]:
        """The lines of a pane that pass the filter, as sorted, pinned ones first."""
        board = self.board
        lines = [line for line in board.lines if line.pane == pane]
        if self.filter:
            lines = [line for line in lines if self.filter(board.filter_facts(line))]
        lines.sort(key=lambda line: self._order(line), reverse=self.sort[1])
        return sorted(lines, key=lambda line: line.number not in self._pinned)

    def _order(self, line: Line) -> tuple[Any, ...]:
        key = self.sort[0]
        facts = self.board.facts[line.number] if self.board.facts else None
        if key in line.keys or facts is None:
            item = line.keys.get(key)
            size = float(item) if isinstance(item, int | float) else 0.0
            return (not isinstance(item, int | float), size, as_text(item), line.number)
        item = getattr(facts, key, 0)
        if isinstance(item, str):
            return (True, 0.0, item, facts.place)
        size = float(item or 0)
        return (False, math.inf if math.isnan(size) else size, "", facts.place)

    def drawn(self, pane: int | None) -> list[Line]:
        """The lines whose curves are seen, the best first; of all panes if None."""
        wanted = range(len(self.board.lines.panes)) if pane is None else (pane,)
        lines = [line for index in wanted for line in self.listed(index) if self._seen(line)]
        return sorted(lines, key=lambda line: (not self.pinned(line), self.place(line)))

    def _seen(self, line: Line) -> bool:
        if self._alone is not None and line.number != self._alone:
            return self._alone >= len(self.board.lines)
        return line.number not in self._hidden or line.number == self._alone

    def paths(self, row_line: Line, run: int | None) -> dict[int, Line]:
        """The runs whose ways and models are drawn, the selected line's first.

        Of lines of several seeds the same seed each, so that all come from one place: that of
        the selected run, or the first. A line that is alone shows all of its runs.
        """
        drawn = self.drawn(row_line.pane)
        drawn = [line for line in drawn if line.group.preset == row_line.group.preset]
        drawn.sort(key=lambda line: line.number != row_line.number)
        if len(drawn) == 1:
            return dict.fromkeys(drawn[0].runs, drawn[0])
        runs = self.board.experiment.runs
        seed = runs[row_line.runs[0] if run is None else run].seed
        return {
            next((r for r in line.runs if runs[r].seed == seed), line.runs[0]): line
            for line in drawn
        }

    # Table ------------------------------------------------------------------------------------

    def columns(self) -> list[Column]:
        """Of the table: rank, what differs between runs, and figures."""
        made = [Column("rank", "#", max(2, len(str(len(self.board.lines)))), need=10)]
        for key in self.board.lines.shown:
            texts = [as_text(line.keys.get(key)) for line in self.board.lines]
            width = min(max(len(key.rpartition(".")[2]), *map(len, texts), 4), MOST_KEY_WIDTH)
            numbers = any(isinstance(line.keys.get(key), int | float) for line in self.board.lines)
            made.append(Column(key, key.rpartition(".")[2], width, right=numbers, need=10))
        made.append(Column("state", "state", 12, right=False, need=7))
        unknown = {"accuracy", "test_accuracy"} - set(self.board.accuracies)
        if not self.board.optima:
            unknown.add("gap")
        return made + [column for column in FIGURES if column.key not in unknown]

    def rows(self) -> list[Row]:
        """Of the table: the lines pane by pane, with the runs of those that are unfolded."""
        rows = []
        panes = self.board.lines.panes
        for index in range(len(panes)):
            lines = self.listed(index)
            if len(panes) > 1 and lines:
                rows.append(self._heading(index))
            for line in lines:
                rows.append(self._row(line))
                if line.number in self._open and len(line.runs) > 1:
                    rows += [self._run_row(line, run) for run in self._by_loss(line)]
        return rows

    def _heading(self, index: int) -> Row:
        pane = self.board.lines.panes[index]
        words = []
        if self.board.standings:
            words.append(f"target {compact(self.board.standings[index].target)}")
        optimum = self.board.comparison.optimum(pane)
        if optimum is not None:
            words.append(f"optimum {compact(optimum)}")
        return Row(
            ("pane", index),
            {"": " " * (len(pane.name) + 3) + "   ".join(words), "name": f" {pane.name}"},
        )

    def _row(self, line: Line) -> Row:
        known = self.board.facts[line.number] if self.board.facts else None
        cells = {key: as_text(line.keys.get(key)) for key in self.board.lines.shown}
        if known is not None:
            cells |= figures(known) | {"rank": str(known.rank)}
        return Row(
            ("line", line.number),
            cells,
            line.letter,
            line.colour,
            self.board.bands.bands[line.number].median,
            tones(known, bool(known and known.rank == 1)),
            quiet=not self._seen(line),
            pinned=line.number in self._pinned,
            folded=line.number not in self._open if len(line.runs) > 1 else None,
        )

    def _by_loss(self, line: Line) -> list[int]:
        losses = self.board.comparison.losses
        return sorted(line.runs, key=lambda run: (math.isnan(losses[run]), losses[run], run))

    def _run_row(self, line: Line, run: int) -> Row:
        known = self.board.run_facts(run) if self.board.facts else None
        told = self.board.experiment.runs[run]
        cells = {} if known is None else figures(known)
        keys = self.board.lines.shown
        rest = {"seed": told.seed} | {k: told.optimizer.lr for k in ("lr",) if k not in line.keys}
        cells[keys[0]] = " " + label(rest, ["lr", "seed"])
        series = self.board.run_series(line)[run]
        return Row(("run", run), cells, " ", line.colour, series, tones(known, False), quiet=False)


def headline(board: Board, width: int) -> Text:
    """What is compared, that it is fair, and at which learning rates, which are no part of that."""
    experiment = board.experiment
    names = list(dict.fromkeys(preset.name for preset in experiment.presets.values()))
    told = ", ".join(names)
    if len(told) > width // 2 - 10:
        told = f"{len(names)} presets"
    runs, groups = len(experiment.runs), sum(len(pane.groups) for pane in board.lines.panes)
    seeds = f" = {groups:,} × {runs // groups} seeds" if runs > groups else ""  # noqa: RUF001
    lengths = {planned_steps(preset) for preset in experiment.presets.values()}
    same = "same start, batches, steps" if len(lengths) == 1 else "same start and batches"
    return Text.assemble(
        (f" {told}", "bold"),
        (f"   {runs:,} runs{seeds}   fair: {same}   lr {rates(experiment)}", "dim"),
        no_wrap=True,
        overflow="ellipsis",
    )


def findings(board: Board, line: Line | None) -> Text:
    """What has come out in the pane of a line."""
    if not board.standings:
        return Text("waiting for the first step", "dim")
    if line is None:
        return Text("no run is left by the filter", "dim")
    standing = board.standings[line.pane]
    name = (f"{standing.pane.name}: ", "bold") if len(board.standings) > 1 else ""
    return Text.assemble(name, standing.verdict, overflow="ellipsis")


def shortened(text: Text, console: Console, width: int, lines: int) -> Text:
    """A text that is cut where its lines end, with a mark that it goes on."""
    wrapped = text.wrap(console, max(width, 1))
    if len(wrapped) <= lines:
        return text
    wrapped[lines - 1].truncate(max(width - 2, 1), overflow="crop")
    return Text("\n").join(wrapped[:lines]).append(" …")


def figures(known: Facts) -> dict[str, str]:
    """What the table says of a line or a run."""
    sign = SIGNS.get(known.state, SIGNS["starting"])
    word = known.state
    if known.diverged and known.runs > 1:
        word = f"{known.diverged} of {known.runs}"
    return {
        "state": f"{sign} {word}",
        "loss": number(known.loss),
        "best": number(known.best),
        "accuracy": share(known.accuracy),
        "test_accuracy": share(known.test_accuracy),
        "gap": number(100 * known.gap, 3) if known.gap else "0",
        "steps": f"{known.steps:,.0f}" if math.isfinite(known.steps) else "–",  # noqa: RUF001
        "seconds": f"{known.seconds:.2f}" if math.isfinite(known.seconds) else "",
    }


def tones(known: Facts | None, first: bool) -> dict[str, Any]:
    """Which texts stand out: the leader, and who is lost."""
    found: dict[str, Any] = {}
    if known is None:
        return found
    if known.state in ("diverged", "failed", "killed"):
        found["state"] = "bad"
    if math.isinf(known.loss):
        found["loss"] = "bad"
    elif first:
        found |= {"rank": "good", "loss": "good"}
    return found


def share(item: float) -> str:
    """An accuracy in percent."""
    return f"{100 * item:.1f} %" if math.isfinite(item) else ""


def number(item: float, digits: int = 4) -> str:
    """A figure of always as many digits, so that it does not tremble."""
    if math.isnan(item):
        return ""
    if math.isinf(item):
        return "∞"
    if item == 0 or 1e-3 <= abs(item) < 1e5:
        return f"{item:#.{digits}g}".rstrip(".")
    text = f"{item:.{digits - 1}e}"
    # Of a sign or a third digit of the exponent, the last digit of the number makes room.
    return text if len(text) <= WIDEST else number(item, digits - 1)
