"""The parts of the form of settings: labelled inputs and menus, in rows under headings."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar

from textual import events
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Select

from tuitrain.ui.plan import OWN
from tuitrain.ui.settings import Setting
from tuitrain.ui.widgets.paragraph import OneLine, Paragraph

CHANGED_MARK, WRONG_MARK, CHOICE_MARK = "•", "✗", "↕"


class Field(Input):
    """The input of a setting: up and down go through the names that it is one of."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(-1)", show=False),
        Binding("down", "step(1)", show=False),
    ]

    def action_step(self, by: int) -> None:
        entry = self.parent
        if not isinstance(entry, Entry) or not entry.setting.choice:
            raise SkipAction  # then they scroll the form
        entry.step(by)


class Entry(Horizontal):
    """A label and the input of one setting."""

    class Stepped(Message):
        """The next name is wanted, or the one before."""

        def __init__(self, entry: Entry, by: int) -> None:
            super().__init__()
            self.entry = entry
            self.by = by

    def __init__(self, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.setting = Setting("", "", "")
        self.label = OneLine(classes="label")
        self.input = Field(placeholder=OWN, validate_on=())
        self.shown = True

    def compose(self) -> ComposeResult:
        yield self.label
        yield self.input

    def show(self, setting: Setting, text: str) -> None:
        """Show a setting; the input keeps its cursor if its text is right already."""
        self.setting = setting
        self.display = self.shown = True
        self.styles.clear_rule("visibility")  # seen where the form is
        self.input.placeholder = setting.empty or OWN
        if self.input.value.strip() != text:
            with self.input.prevent(Input.Changed):
                self.input.value = text
                self.input.cursor_position = len(text)

    def hide(self, *, gone: bool = False) -> None:
        """Stand for no setting; the place stays, so that the column keeps its width.

        Args:
            gone: whether the place is given to the setting beside it.
        """
        self.setting = Setting("", "", "")
        self.visible = self.shown = False
        self.display = not gone

    def mark(self, label: str, *, changed: bool, wrong: bool) -> None:
        """Mark a setting that is not the preset's, and one that cannot be."""
        sign = WRONG_MARK if wrong else CHANGED_MARK if changed else " "
        self.label.update(f"{sign} {label}{f' {CHOICE_MARK}' * self.setting.choice}")
        self.set_class(changed, "-changed")
        self.set_class(wrong, "-wrong")

    def step(self, by: int) -> None:
        """Ask for the name that comes next, or (-1) before."""
        self.post_message(self.Stepped(self, by))

    def on_click(self, event: events.Click) -> None:
        if event.widget is self.label and self.setting.choice:
            self.step(1)


class Choice(Horizontal):
    """A label and a menu."""

    def __init__(self, label: str, select: Select[str]) -> None:
        super().__init__()
        self.text = label
        self.label = OneLine(f"  {label}", classes="label")
        self.select = select

    def compose(self) -> ComposeResult:
        yield self.label
        yield self.select

    def mark(self, *, changed: bool, several: bool = False) -> None:
        """Mark what is not the preset's, and where there are several."""
        sign = CHANGED_MARK if changed else " "
        self.label.update(f"{sign} {self.text}{'s' * several}")
        self.set_class(changed, "-changed")


class Row(Vertical):
    """Settings beside one another, and a line for what is wrong with them."""

    def __init__(self, *parts: Entry | Choice) -> None:
        super().__init__()
        self.parts = parts
        self.error = Paragraph(classes="error", markup=False)

    def compose(self) -> ComposeResult:
        yield Horizontal(*self.parts, classes="parts")

    @property
    def entries(self) -> Iterator[Entry]:
        return (part for part in self.parts if isinstance(part, Entry))

    def fill(self, settings: deque[Setting], text: Callable[[Setting], str]) -> None:
        """Take the next settings, as many as there is room for; a wide one has the row alone."""
        alone = False
        for entry in self.entries:
            first = entry is self.parts[0]
            if settings and not alone and (first or not settings[0].wide):
                setting = settings.popleft()
                entry.show(setting, text(setting))
                alone = setting.wide
            else:
                entry.hide(gone=alone)
        self.display = any(not isinstance(part, Entry) or part.shown for part in self.parts)

    def explain(self, lines: Iterable[str]) -> None:
        """Say what is wrong, one line for each; nothing is mounted for it before.

        Nor while the application is being left: nothing can be.
        """
        text = "\n".join(lines)
        if text and self.is_attached:
            if not self.error.is_attached:
                self.mount(self.error)
            self.error.update(text)
            self.call_after_refresh(self.error.scroll_visible, animate=False)
        self.error.display = bool(text)


class Group(Vertical):
    """Settings under a heading."""

    def __init__(self, title: str, *rows: Row) -> None:
        super().__init__()
        self.title = title
        self.rows = list(rows)
        self.heading = OneLine(title, classes="heading", markup=False)

    def compose(self) -> ComposeResult:
        yield self.heading
        yield from self.rows

    @property
    def entries(self) -> Iterator[Entry]:
        return (entry for row in self.rows for entry in row.entries)

    def show(self, settings: Iterable[Setting], text: Callable[[Setting], str]) -> None:
        """Show settings, in more rows when they are needed: few make a quick first frame."""
        waiting = deque(settings)
        for row in self.rows:
            row.fill(waiting, text)
        added = []
        while waiting:
            added.append(Row(Entry(), Entry()))
            added[-1].fill(waiting, text)
        self.rows += added
        if added and self.is_attached:
            self.mount_all(added)
        self.display = any(row.display for row in self.rows)


def height(settings: Iterable[Setting]) -> int:
    """Lines that settings take in two columns under a heading, with it; none without settings."""
    rows, half = 0, False
    for setting in settings:
        if half and not setting.wide:
            half = False
        else:
            rows, half = rows + 1, not setting.wide
    return rows + (rows > 0)
