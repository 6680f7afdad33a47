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

DISABLED = "dim $footer-description-foreground"
"""The look of what cannot be done now."""


class KeyLine(Widget):
    """The footer of a screen: its keys and what they do, each to be clicked as well.

    Textual's own makes a widget with styles of its own of every key, makes all of them anew when
    the focus moves, and styles them anew with every class of the screen that changes.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    KeyLine {
        dock: bottom; height: 1; padding: 0 1; background: $footer-background;
        text-wrap: nowrap; text-overflow: ellipsis;
    }
    """

    active: reactive[tuple[ActiveBinding, ...]] = reactive(())
    """What is shown, in the order of the bindings."""
    pointed: reactive[str] = reactive("")
    """The key beneath the mouse."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[object]) -> None:
        # While the terminal has lost the focus nothing has it, but the keys will be the same again.
        if screen is self.screen and self.app.app_focus:
            self.active = tuple(
                each for each in screen.active_bindings.values() if each.binding.show
            )

    def render(self) -> Content:
        groups = groupby(self.active, lambda each: each.binding.group or each.binding.action)
        entries = [self._entry(list(same)) for _, same in groups]
        left = self.content_size.width - sum(entry.cell_length for entry in entries)
        gap = WIDE if left >= WIDE * (len(entries) - 1) else NARROW
        return Content(" " * gap).join(entries)

    def _entry(self, same: list[ActiveBinding]) -> Content:
        """A key with its word, or the keys of a group before theirs, which is not clicked."""
        first, group = same[0], same[0].binding.group
        word = Content.styled(
            group.description if group else first.binding.description,
            "$footer-description-foreground" if first.enabled else DISABLED,
        )
        if group is None:
            return self._clicked(self._key(first) + " " + word, first.binding.key)
        keys = (self._clicked(self._key(each), each.binding.key) for each in same)
        return Content(" ").join([*keys, word])

    def _key(self, active: ActiveBinding) -> Content:
        look = "bold $footer-key-foreground" if active.enabled else f"{DISABLED} bold"
        return Content.styled(self.app.get_key_display(active.binding), look)

    def _clicked(self, part: Content, key: str) -> Content:
        """A part of the line on which a click presses a key."""
        if key == self.pointed:
            part = part.stylize_before("on $block-hover-background")
        return part.stylize(Style.from_meta({"key": key}))

    def watch_hover_style(self, previous_hover_style: RichStyle, hover_style: RichStyle) -> None:
        self.pointed = hover_style.meta.get("key", "")

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if key := event.style.meta.get("key"):
            self.app.simulate_key(key)
