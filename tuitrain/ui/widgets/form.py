"""The form of settings: two beside one another, what is wrong beneath them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Button, Input, Label, Select, Static

from tuitrain.optim import OPTIMIZERS
from tuitrain.spec.preset import Preset
from tuitrain.ui.plan import AUTO, DEVICE, LR, OWN, SEED, Checked, Plan, product
from tuitrain.ui.settings import OPTIMIZER, Setting, name_of
from tuitrain.ui.widgets.marks import MarkSelect

CHANGED_MARK, WRONG_MARK = "•", "✗"

HINTS = {LR: "or 1e-3,1e-2 or 1e-4:1:log:32", SEED: "or from:below, such as 0:8"}
"""What else a setting may be, shown while the cursor is in it."""
MENU_HINT = "space in the menu marks several"
BESIDE_START = 10
"""Columns of the start button's line that its text cannot have."""


class Entry(Horizontal):
    """A label and the input of one setting."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.setting = Setting("", "", "")
        self.label = Label(classes="label")
        self.input = Input(compact=True, placeholder=OWN)
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

    def mark(self, label: str, *, changed: bool, wrong: bool) -> None:
        """Mark a setting that is not the preset's, and one that cannot be."""
        sign = WRONG_MARK if wrong else CHANGED_MARK if changed else " "
        self.label.update(f"{sign} {label}")
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

    @property
    def entries(self) -> Iterator[Entry]:
        return (part for part in self.parts if isinstance(part, Entry))

    def explain(self, lines: Iterable[str]) -> None:
        """Say what is wrong, one line for each; nothing is mounted for it before."""
        text = "\n".join(lines)
        if text:
            if not self.error.is_attached:
                self.mount(self.error)
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

    def mark(self, *, changed: bool, several: bool = False) -> None:
        """Mark what is not the preset's, and where there are several."""
        sign = CHANGED_MARK if changed else " "
        self.label.update(f"{sign} {self.text}{'s' * several}")
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

    def __init__(self, plan: Plan, shown: str, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.plan = plan
        self.checked: Checked | None = None
        self.shown = shown
        names = [(AUTO, AUTO)]
        with self.prevent(Select.Changed):  # what a menu shows at first has not been chosen
            self.menu = MarkSelect(list(OPTIMIZERS), "optimizer")
            devices = Select(names, id="device-menu", allow_blank=False, compact=True)
        self.optimizer = Choice("optimizer", self.menu)
        self.devices = Choice("device", devices)
        lr, steps, batch, seed, schedule = (Entry() for _ in range(5))
        self.entries = [lr, steps, batch, seed, schedule]
        self.rows = [
            Row(self.optimizer, lr),
            Row(steps, batch),
            Row(seed, self.devices),
            Row(schedule),
        ]
        self._add_rows(len(plan.settings(shown)))

    def compose(self) -> ComposeResult:
        yield from self.rows
        with Horizontal(id="go"):
            yield Button("Start training", id="start", variant="primary", compact=True)
            yield Static(id="ready", markup=False)

    def offer(self, devices: Iterable[str]) -> None:
        """Fill the menu of devices."""
        menu = self.devices.select
        with self.prevent(Select.Changed):
            menu.set_options([(name, name) for name in devices])
            menu.value = self.plan.device

    def edit(self, shown: str) -> Preset | None:
        """Show the settings of the plan, of those for one preset this one's.

        Returns:
            That preset with its settings; None while something is wrong with them.
        """
        self.shown = shown
        draft, marked = self.plan.drafts[shown], self.plan.optimizers
        with self.prevent(Select.Changed, self.Changed):
            self.menu.show(draft.changes.get(OPTIMIZER, name_of(draft.preset)), marked)
            self.devices.select.value = self.plan.device
            return self._show().shown

    def focus_start(self) -> None:
        self.screen.set_focus(self.query_one("#start"))

    def focus_setting(self, key: str) -> None:
        """Put the cursor where something is to be corrected."""
        for entry in self.entries:
            if entry.setting.key == key:
                entry.input.focus()

    def _show(self) -> Checked:
        settings = self.plan.settings(self.shown)
        for row in self._add_rows(len(settings)):
            self.mount(row, before=self.rows[-3])
        for entry, setting in zip(self.entries, settings, strict=False):
            entry.show(setting, self.plan.text(self.shown, setting))
        for entry in self.entries[len(settings) :]:
            entry.hide()
        return self._check()

    def _add_rows(self, settings: int) -> list[Row]:
        """More rows of numbers, when a preset needs them: few widgets make a quick first frame."""
        added = []
        while len(self.entries) < settings:
            pair = Entry(), Entry()
            added.append(Row(*pair))
            self.entries += pair
            self.rows.insert(-3, added[-1])
        return added

    def _check(self) -> Checked:
        plan, checked = self.plan, self.plan.checked(self.shown)
        self.checked = checked
        changed = plan.changed(self.shown)
        for row in self.rows:
            for entry in row.entries:
                key = entry.setting.key
                label = plan.label(entry.setting)
                entry.mark(label, changed=key in changed, wrong=key in checked.errors)
            row.display = any(not isinstance(part, Entry) or part.shown for part in row.parts)
            row.explain(
                f"{WRONG_MARK} {plan.label(entry.setting)}: {checked.errors[entry.setting.key]}"
                for entry in row.entries
                if entry.setting.key in checked.errors
            )
        marked = bool(plan.optimizers)
        self.optimizer.mark(changed=marked or OPTIMIZER in changed, several=marked)
        self.devices.mark(changed=DEVICE in changed)
        self._sum_up(plan, checked)
        self.post_message(self.Changed(checked.shown))
        return checked

    def _sum_up(self, plan: Plan, checked: Checked) -> None:
        """The title, the button and the words beside it."""
        names = plan.presets(self.shown)
        whose = "" if names == [self.shown] else f" of {self.shown}"
        self.border_title = f"Settings{whose}{'' if self.shown in names else ' (not marked)'}"
        button = self.query_one("#start", Button)
        button.disabled = checked.experiment is None
        label = self._start_label(plan, checked)
        if str(button.label) != label:
            button.label = label
            button.refresh(layout=True)  # its width is that of its label
        plural = checked.experiment is not None and len(checked.experiment.runs) > 1
        told = (
            f"{WRONG_MARK} to correct: {checked.elsewhere or len(checked.errors)}"
            if checked.errors or checked.elsewhere
            else ""
            if plural
            else self._hint() or self._difference(plan)
        )
        ready = self.query_one("#ready", Static)
        if ready.content != told:
            ready.update(told)

    def _difference(self, plan: Plan) -> str:
        changed = len(plan.changed(self.shown))
        if changed:
            return f"{CHANGED_MARK} {changed} changed from the preset"
        return "the preset's own settings"

    def _start_label(self, plan: Plan, checked: Checked) -> str:
        experiment = checked.experiment
        if experiment is None:
            return "Start training" if plan.single else "Start comparison"
        if len(experiment.runs) == 1:
            [name] = experiment.presets
            shown = plan.drafts[self.shown].preset.name
            return "Start training" if name == shown else f"Start training {name}"
        whole, short = (f"Start comparison: {told}" for told in product(plan, experiment))
        return whole if len(whole) + BESIDE_START <= self.size.width else short

    def _hint(self) -> str:
        """What else the setting in which the cursor is may be."""
        focused = self.screen.focused
        if focused is self.menu:
            return MENU_HINT
        parent = focused.parent if focused is not None else None
        return HINTS.get(parent.setting.key, "") if isinstance(parent, Entry) else ""

    @on(events.Resize)
    @on(events.DescendantFocus)
    @on(events.DescendantBlur)
    def _seen_anew(self) -> None:
        if self.checked is not None:
            self._sum_up(self.plan, self.checked)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        entry = event.input.parent
        if isinstance(entry, Entry):
            self.plan.set(self.shown, entry.setting.key, event.value)
            self._check()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.screen.focus_next()

    @on(Select.Changed, "#optimizer")
    def _optimizer_chosen(self, event: Select.Changed) -> None:
        event.stop()
        self.plan.set(self.shown, OPTIMIZER, str(event.value))
        self._show()

    @on(MarkSelect.Marked)
    def _optimizers_marked(self, event: MarkSelect.Marked) -> None:
        event.stop()
        self.plan.optimizers = set(event.marked)
        self._show()

    @on(Select.Changed, "#device-menu")
    def _device_chosen(self, event: Select.Changed) -> None:
        event.stop()
        self.plan.device = str(event.value)
        self._check()

    @on(Button.Pressed, "#start")
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.post_message(self.Started())
