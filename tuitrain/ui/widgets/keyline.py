"""The keys that work now, in the last line of a screen."""

from __future__ import annotations

from itertools import groupby

from rich.style import Style as RichStyle
from textual import events
from textual.binding import ActiveBinding
from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen
from textual.style import Style
from textual.widget import Widget

WIDE, NARROW = 2, 1
"""Spaces between two entries, if all have room with that many, and elsewhere."""


class KeyLine(Widget):
    """A line of keys and what they do; a click on one presses it.

    Textual's footer makes a widget with styles of its own of every key, makes all of them anew
    when the focus moves, and styles them anew with every class of the screen that changes.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    KeyLine {
        dock: bottom; height: 1; padding: 0 1; background: $footer-background;
        text-wrap: nowrap; text-overflow: ellipsis;
    }
    """

    pointed: reactive[str] = reactive("")
    """The key beneath the mouse."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[object]) -> None:
        if screen is self.screen:
            self.refresh()

    def render(self) -> Content:
        shown = [each for each in self.screen.active_bindings.values() if each.binding.show]
        groups = groupby(shown, lambda each: each.binding.group or each.binding.action)
        entries = [self._entry(list(same)) for _, same in groups]
        left = self.content_size.width - sum(entry.cell_length for entry in entries)
        gap = WIDE if left >= WIDE * (len(entries) - 1) else NARROW
        return Content(" " * gap).join(entries)

    def _entry(self, same: list[ActiveBinding]) -> Content:
        """The keys of a group, or of one action, and the word for what they do."""
        first = same[0].binding
        parts = [
            self._part(each, self.app.get_key_display(each.binding), "bold $footer-key-foreground")
            for each in same
        ]
        word = first.group.description if first.group else first.description
        parts.append(self._part(same[0], word, "$footer-description-foreground"))
        return Content(" ").join(parts)

    def _part(self, active: ActiveBinding, text: str, look: str) -> Content:
        if not active.enabled:
            return Content.styled(text, f"dim {look}")
        key = active.binding.key
        if key == self.pointed:
            look = "bold $footer-key-foreground on $block-hover-background"
        return Content.styled(text, look).stylize(Style.from_meta({"key": key}))

    def watch_hover_style(self, previous_hover_style: RichStyle, hover_style: RichStyle) -> None:
        self.pointed = hover_style.meta.get("key", "")

    def on_click(self, event: events.Click) -> None:
        if key := event.style.meta.get("key"):
            self.app.simulate_key(key)
