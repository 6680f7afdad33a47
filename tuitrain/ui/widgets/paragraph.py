"""Texts that change."""

from __future__ import annotations

from typing import Self

from textual.geometry import Region
from textual.visual import VisualType
from textual.widget import Widget
from textual.widgets import Static


class AutoHeight(Widget):
    """A widget whose height follows its content, whatever else is laid out meanwhile.

    Textual 8 counts the changes of a widget to know whether the size that it has worked out is
    still right, but counts none while an earlier change waits for the widget's next idle moment.
    A layout in between keeps the old height for the new content, until the next change.
    """

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        if layout and self._layout_required:
            self._layout_updates += 1
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)


class Paragraph(Static, AutoHeight):
    """A text that is updated and takes as many lines as it needs."""


class OneLine(Static):
    """A line of text as wide as its place: whatever it says, nothing has to move for it."""

    DEFAULT_CSS = "OneLine { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }"

    def update(self, content: VisualType = "", *, layout: bool = False) -> None:
        """Say something else; nothing is drawn if it is the same.

        For strings, and for texts whose colours are in their spans: by those they are compared.
        """
        if content != self.content:
            super().update(content, layout=layout)
