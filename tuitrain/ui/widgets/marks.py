"""Lists in which several things can be marked: the presets, and the menu of optimizers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import OptionList, Select
from textual.widgets._select import SelectCurrent, SelectOverlay

from tuitrain.ui.keys import bindings
from tuitrain.ui.markers import ASCII

MARGIN = 2
"""Columns before a name, for its mark: a click there marks."""


def margin(marked: bool) -> str:
    """What stands before a name."""
    sign = "x" if ASCII else "✓"
    return f"{sign if marked else ' ':{MARGIN}}"


class PresetList(OptionList):
    """The presets: space marks, Enter takes."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("marks")]

    class Marked(Message):
        """A preset is to be marked, or its mark taken away."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def action_mark(self) -> None:
        option = self.highlighted_option
        if option is not None and option.id:
            self.post_message(self.Marked(option.id))

    def _on_click(self, event: events.Click) -> None:  # type: ignore[override]
        number = event.style.meta.get("option")
        offset = event.get_content_offset(self)
        if number is None or offset is None or offset.x >= MARGIN:
            return  # the list's own handler comes next
        event.prevent_default()
        option = self.get_option_at_index(number)
        if option.id:
            self.post_message(self.Marked(option.id))


class Menu(SelectOverlay):
    """A menu's list: typing finds a name, space marks it, Enter takes what is marked.

    Args:
        told: what each name means, by name.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "close", key_display="esc"),
        *bindings("marks"),
    ]

    def __init__(self, told: Mapping[str, str]) -> None:
        super().__init__()
        self.names = list(told)
        self.told = told
        self.longest = max(map(len, told), default=0)
        self.marked: set[str] = set()

    def draw(self) -> None:
        """Write the marks before the names, and behind them what they mean."""
        for index, name in enumerate(self.names[: self.option_count]):
            prompt = f"{margin(name in self.marked)}{name:{self.longest}}  {self.told[name]}"
            self.replace_option_prompt_at_index(index, Text(prompt))

    def _find_search_match(self, query: str) -> int | None:
        """The first name that begins so, or else has it: not what is told of the names."""
        wanted = query.lower()
        ranked = [
            (not name.startswith(wanted), index)
            for index, name in enumerate(self.names[: self.option_count])
            if wanted in name
        ]
        return min(ranked)[1] if ranked else None

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        return key != "space" and super().check_consume_key(key, character)

    async def _on_key(self, event: events.Key) -> None:
        # The class above takes every other letter; it is called next in any case.
        if event.key == "space":
            event.stop()
            event.prevent_default()
            self.action_mark()

    def _on_click(self, event: events.Click) -> None:  # type: ignore[override]
        number = event.style.meta.get("option")
        offset = event.get_content_offset(self)
        if number is not None and offset and (self.marked or offset.x <= MARGIN):
            event.prevent_default()
            self.highlighted = number
            self.action_mark()

    def action_mark(self) -> None:
        if self.highlighted is not None:
            self._search_query = ""  # the next letter begins another name
            self.marked ^= {self.names[self.highlighted]}
            self.draw()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        if self.marked:
            event.stop()
            event.prevent_default()
            self.action_dismiss()


class MarkSelect(Select[str]):
    """A menu in which one name is chosen, or several are marked."""

    class Marked(Message):
        """The menu was closed with other marks than before."""

        def __init__(self, marked: set[str]) -> None:
            super().__init__()
            self.marked = marked

    def __init__(self, told: Mapping[str, str], id: str) -> None:  # noqa: A002
        super().__init__([(name, name) for name in told], id=id, allow_blank=False, compact=True)
        self.menu = Menu(told)
        self.known: set[str] = set()

    def compose(self) -> ComposeResult:
        yield SelectCurrent(self.prompt)
        yield self.menu.data_bind(compact=Select.compact)

    def show(self, value: str, marked: set[str]) -> None:
        """Show what is chosen, or marked."""
        self.known = set(marked)
        self.menu.marked = set(marked)
        self.value = value
        self._label()
        self.menu.draw()

    def _label(self) -> None:
        names = [name for name in self.menu.names if name in self.known]
        told = f"{len(names)}: {', '.join(names)}" if names else str(self.value)
        self.query_one(SelectCurrent).update(told)

    def _setup_options_renderables(self) -> None:
        super()._setup_options_renderables()
        self.menu.draw()

    def _watch_expanded(self, expanded: bool) -> None:
        super()._watch_expanded(expanded)
        if not expanded and self.menu.marked != self.known:
            self.known = set(self.menu.marked)
            self._label()
            self.post_message(self.Marked(self.known))
