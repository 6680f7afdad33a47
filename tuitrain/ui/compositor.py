"""Partial updates that send what has changed and nothing to the left of it."""

from __future__ import annotations

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate, Compositor


class FineUpdate(ChopsUpdate):
    """Spans of lines, each cut off at both of its ends.

    Textual 8 cuts them off at the right only: a number that changes at the right end of a wide
    widget sends the widget's whole line, ten times a second.
    """

    def render_segments(self, console: Console) -> str:
        """The update as it is written to the terminal."""
        sequences = []
        for y, x1, x2 in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= x2 or end <= x1:
                    continue
                first, last = max(x, x1), min(end, x2)
                sequences.append(Control.move_to(first, y).segment.text)
                sequences.append(strip.crop(first - x, last - x).render(console))
        return "".join(sequences)


class FineCompositor(Compositor):
    """A compositor whose partial updates are fine."""

    def render_partial_update(self) -> FineUpdate | None:
        """What has changed since the last time, None if nothing has."""
        update = super().render_partial_update()
        if update is None:
            return None
        return FineUpdate(update.chops, update.spans, update.chop_ends)
