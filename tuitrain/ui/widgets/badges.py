"""Where the letters of runs stand on a map: each at its run, and one for all at one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuitrain.ui.lines import MANY

Cell = tuple[int, int]


@dataclass
class Badge:
    """The letter of one run, and how many more are at its place.

    Attributes:
        cell: column and row of the letter.
        end: the first column that it may not reach.
        letter: of the run.
        runs: numbers of the runs at its place, in order; the letter is that of one of them.
        shown: number of the run whose letter it is.
    """

    cell: Cell
    end: int
    letter: str
    runs: list[int]
    shown: int

    @property
    def more(self) -> str:
        """How many more there are."""
        rest = len(self.runs) - 1
        return "" if not rest else f"{rest}" if self.letter == MANY else f"+{rest}"

    @property
    def left(self) -> bool:
        """Whether that stands to the left, for want of room."""
        return self.cell[0] + 1 + len(self.more) > self.end

    @property
    def span(self) -> tuple[int, int]:
        """Its first column, and the one after its last."""
        column, width = self.cell[0], len(self.more)
        return (column - width, column + 1) if self.left else (column, column + 1 + width)

    def meets(self, other: Badge) -> bool:
        """Whether the two would overlap, in one row."""
        return self.span[0] < other.span[1] and other.span[0] < self.span[1]

    def join(self, other: Badge) -> Badge:
        """One for both, where the earlier run is."""
        first, second = sorted((self, other), key=lambda badge: badge.runs[0])
        shown = second if first.letter == MANY != second.letter else first
        runs = sorted(first.runs + second.runs)
        return Badge(first.cell, first.end, shown.letter, runs, shown.shown)


def badges(
    letters: Sequence[str], cells: Sequence[Cell | None], end: int, star: Cell | None = None
) -> list[Badge]:
    """The badges of all runs, none of which hides another.

    Args:
        letters: of the runs, the first of which counts most.
        cells: where each of them is; None: out of view.
        end: the first column that no badge may reach.
        star: where something stands that no number may hide.
    """
    together: dict[Cell, Badge] = {}
    for number, (letter, cell) in enumerate(zip(letters, cells, strict=True)):
        if cell is not None:
            limit = star[0] if star and star[1] == cell[1] and star[0] > cell[0] else end
            badge = Badge(cell, limit, letter, [number], number)
            together[cell] = together[cell].join(badge) if cell in together else badge
    rows: dict[int, list[Badge]] = {}
    for badge in together.values():
        row = rows.setdefault(badge.cell[1], [])
        while other := next((other for other in row if other.meets(badge)), None):
            row.remove(other)
            badge = badge.join(other)  # now longer, it may meet another
        row.append(badge)
    return [badge for row in rows.values() for badge in row]
