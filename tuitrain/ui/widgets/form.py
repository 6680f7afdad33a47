"""The form of settings: two beside one another, what is wrong beneath them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Button, Input, Label, Select, Static

from tuitrain.optim import OPTIMIZERS
from tuitrain.spec.preset import Preset
from tuitrain.ui.plan import EACH_OWN, LR, SEED, Checked, Plan, product
from tuitrain.ui.settings import OPTIMIZER, Draft, Setting, name_of
from tuitrain.ui.widgets.marks import MarkSelect

CHANGED_MARK, WRONG_MARK = "•", "✗"

HINTS = {LR: "or 1e-3,1e-2 or 1e-4:1:log:32", SEED: "or from:below, such as 0:8"}
"""What else a setting may be, shown while the cursor is in it."""
MENU_HINT = "space in the menu marks several"


class Entry(Horizontal):
    """A label and the input of one setting."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.setting = Setting("", "", "")
        self.label = Label(classes="label")
        self.input = Input(compact=True)
        self.shown = True

    def compose(self) -> ComposeResult:
        yield self.label
        yield self.input

    def show(self, setting: Setting, text: str) -> None:
        """Show a setting; the input keeps its cursor if its text is right already."""
        self.setting = setting
        self.visible = self.shown = True
        if self.input.value != text:
            with self.input.prevent(Input.Changed):
                self.input.value = text
                self.input.cursor_position = len(text)

    def hide(self) -> None:
        """Stand for no setting; the place stays, so that the column keeps its width."""
        self.setting = Setting("", "", "")
        self.visible = self.shown = False

    def mark(self, *, changed: bool, wrong: bool) -> None:
        """Mark a setting that is not the preset's, and one that cannot be."""
        sign = WRONG_MARK if wrong else CHANGED_MARK if changed else " "
        self.label.update(f"{sign} {self.setting.label}")
        self.set_class(changed, "-changed")
        self.set_class(wrong, "-wrong")


class Row(Vertical):
    """Settings beside one another, and a line for what is wrong with them."""

    def __init__(self, *parts: Horizontal) -> None:
        super().__init__()
        self.parts = parts
        self.error = Static(classes="error", markup=False)

    def compose(self) -> ComposeResult:
        yield Horizontal(*self.parts, classes="parts")
        yield self.error

    @property
    def entries(self) -> Iterator[Entry]:
        return (part for part in self.parts if isinstance(part, Entry))

    def explain(self, lines: Iterable[str]) -> None:
        """Say what is wrong, one line for each."""
        text = "\n".join(lines)
        self.error.update(text)
        self.error.display = bool(text)


class Choice(Horizontal):
    """A label and a menu."""

    def __init__(self, label: str, select: Select[str]) -> None:
        super().__init__()
        self.text = label
        self.label = Label(f"  {label}", classes="label")
        self.select = select

    def compose(self) -> ComposeResult:
        yield self.label
        yield self.select

    def mark(self, *, changed: bool) -> None:
        self.label.update(f"{CHANGED_MARK if changed else ' '} {self.text}")
        self.set_class(changed, "-changed")


class SettingsForm(Vertical):
    """Edits a plan by one of its presets; every edit is checked as it is typed."""

    class Changed(Message):
        """The settings changed; `preset` is None while something is wrong."""

        def __init__(self, preset: Preset | None) -> None:
            super().__init__()
            self.preset = preset

    class Started(Message):
        """The start button was pressed."""

    def __init__(self, devices: list[str], id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.plan: Plan | None = None
        self.shown = ""
        self.menu = MarkSelect(list(OPTIMIZERS), "optimizer")
        self.optimizer = Choice("optimizer", self.menu)
        names = [(name, name) for name in devices]
        self.devices = Choice(
            "device", Select(names, id="device-menu", allow_blank=False, compact=True)
        )
        lr, steps, batch, seed, schedule = (Entry() for _ in range(5))
        self.entries = [lr, steps, batch, seed, schedule]
        self.rows = [
            Row(self.optimizer, lr),
            Row(steps, batch),
            Row(seed, self.devices),
            Row(schedule),
        ]

    def compose(self) -> ComposeResult:
        yield from self.rows
        with Horizontal(id="go"):
            yield Button("Start training", id="start", variant="primary", compact=True)
            yield Static(id="ready", markup=False)

    @property
    def device(self) -> str:
        """The chosen device."""
        return str(self.devices.select.value)

    def edit(self, draft: Draft) -> None:
        """Show the settings of a draft."""
        self.draft = draft
        with self.prevent(Select.Changed):
            self.optimizer.select.value = draft.changes.get(OPTIMIZER, name_of(draft.preset))
        self._show()

    def focus_start(self) -> None:
        self.screen.set_focus(self.query_one("#start"))

    def focus_setting(self, key: str) -> None:
        """Put the cursor where something is to be corrected."""
        for entry in self.entries:
            if entry.setting.key == key:
                entry.input.focus()

    def _show(self) -> None:
        assert self.draft is not None  # edit() gave it before anything could change
        settings = self.draft.settings()
        while len(self.entries) < len(settings):
            self._add_row()
        for entry, setting in zip(self.entries, settings, strict=False):
            entry.show(setting, self.draft.changes.get(setting.key, setting.default))
        for entry in self.entries[len(settings) :]:
            entry.hide()
        self._check()

    def _add_row(self) -> None:
        """One more row of numbers: mounted when a preset needs it, for a quick first frame."""
        pair = Entry(), Entry()
        row = Row(*pair)
        self.mount(row, before=self.rows[-3])
        self.entries += pair
        self.rows.insert(-3, row)

    def _check(self) -> None:
        assert self.draft is not None
        preset, errors = self.draft.checked()
        for row in self.rows:
            for entry in row.entries:
                key = entry.setting.key
                entry.mark(changed=key in self.draft.changes, wrong=key in errors)
            row.display = any(not isinstance(part, Entry) or part.shown for part in row.parts)
            row.explain(
                f"{WRONG_MARK} {entry.setting.label}: {errors[entry.setting.key]}"
                for entry in row.entries
                if entry.setting.key in errors
            )
        self.optimizer.mark(changed=OPTIMIZER in self.draft.changes)
        changed = len(self.draft.changes)
        self.query_one("#ready", Static).update(
            f"{WRONG_MARK} to correct: {len(errors)}"
            if errors
            else f"{CHANGED_MARK} {changed} changed from the preset"
            if changed
            else "the preset's own settings"
        )
        self.query_one("#start", Button).disabled = preset is None
        self.post_message(self.Changed(preset))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        entry = event.input.parent
        if self.draft is not None and isinstance(entry, Entry):
            self.draft.set(entry.setting.key, event.value)
            self._check()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.screen.focus_next()

    @on(Select.Changed, "#optimizer")
    def _optimizer_chosen(self, event: Select.Changed) -> None:
        event.stop()
        if self.draft is not None:
            self.draft.set(OPTIMIZER, str(event.value))
            self._show()

    @on(Select.Changed, "#device")
    def _device_chosen(self, event: Select.Changed) -> None:
        event.stop()
        self.devices.mark(changed=event.value != "auto")

    @on(Button.Pressed, "#start")
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.post_message(self.Started())
