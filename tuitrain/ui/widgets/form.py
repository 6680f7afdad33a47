"""The form of settings, in groups: what is wrong stands beneath what it is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Input, Select, Static

from tuitrain.optim import OPTIMIZERS, Optimizer, summary
from tuitrain.optim import name_of as optimizer_name
from tuitrain.spec.preset import Preset
from tuitrain.spec.size import size
from tuitrain.ui.plan import AUTO, DEVICE, LR, SEED, Checked, Plan, product
from tuitrain.ui.settings import (
    ACTIVATION,
    CHANNELS,
    CHOOSING,
    DATA_GROUP,
    GROUPS,
    HIDDEN,
    MODEL_GROUP,
    OPTIMIZER,
    OPTIMIZER_GROUP,
    SHUFFLE,
    TRAINING_GROUP,
    Setting,
    name_of,
)
from tuitrain.ui.widgets.fields import CHANGED_MARK, WRONG_MARK, Choice, Entry, Group, Row, height
from tuitrain.ui.widgets.marks import MarkSelect
from tuitrain.ui.widgets.paragraph import OneLine

HINTS = {
    LR: "or 1e-3,1e-2 or 1e-4:1:log:32",
    SEED: "or start:stop, such as 0:8",
    HIDDEN: "units of each layer: 16, 16",
    CHANNELS: "of each convolution: 8, 16",
    ACTIVATION: "or one for each: relu, tanh",
    SHUFFLE: "a seed",
    "data.test": "the last rows: 0.2 is a fifth",
}
"""What else a setting may be, shown while the cursor is in it."""
MENU_HINT = "space in the menu marks several"
MENU_ROOM = [Setting("", "", "", group) for group in (OPTIMIZER_GROUP, TRAINING_GROUP)]
"""Takes the place of the menus where lines are counted."""
BESIDE_START = 10
"""Columns of the start button's line that its text cannot have."""


class SettingsForm(Vertical):
    """Edits a plan by one of its presets; every edit is checked as it is typed.

    The first frame does not wait for the settings, half of all the widgets of the screen: they have
    their room, and come with `mount_settings`.
    """

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
        self.nothing = ""
        names = [(AUTO, AUTO)]
        with self.prevent(Select.Changed):  # what a menu shows at first has not been chosen
            told = {name: about(rule) for name, rule in OPTIMIZERS.items()}
            self.menu = MarkSelect(told, "optimizer")
            devices = Select(names, id="device-menu", allow_blank=False, compact=True)
        self.optimizer = Choice("optimizer", self.menu)
        self.devices = Choice("device", devices)
        self.groups: list[Group] = []
        listed = [*MENU_ROOM, *plan.settings(shown)]
        self.room = Static()
        self.room.styles.height = sum(
            height(each for each in listed if each.group == title) for title in GROUPS
        )

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="fields", can_focus=False):
            yield self.room
        with Horizontal(id="go"):
            yield Button("Start training", id="start", variant="primary", compact=True)
            yield OneLine(id="ready", markup=False)

    async def mount_settings(self) -> None:
        """Add the settings, filled, and let the menus show what is chosen."""
        self.groups = [
            Group(OPTIMIZER_GROUP, Row(self.optimizer, Entry())),
            Group(TRAINING_GROUP, Row(Entry(), Entry()), Row(Entry(), self.devices)),
            Group(MODEL_GROUP),
            Group(DATA_GROUP),
        ]
        with self.prevent(self.Changed):
            self._show()
        self.room.display = False
        await self.query_one("#fields").mount_all(self.groups)
        self._set_menus()

    @property
    def entries(self) -> Iterator[Entry]:
        return (entry for group in self.groups for entry in group.entries)

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
        if self.groups:
            self._set_menus()
        with self.prevent(self.Changed):
            return self._show().shown

    def _set_menus(self) -> None:
        """Show what the plan has chosen; unlike an input, a menu cannot before it is mounted."""
        draft = self.plan.drafts[self.shown]
        with self.prevent(Select.Changed):
            chosen = draft.changes.get(OPTIMIZER, name_of(draft.preset))
            self.menu.show(chosen, self.plan.optimizers)
            self.devices.select.value = self.plan.device

    def offer_start(self, nothing: str = "") -> None:
        """Offer to start, or say why there is nothing to be started."""
        self.nothing = nothing
        self._seen_anew()

    def focus_start(self) -> None:
        self.screen.set_focus(self.query_one("#start"))

    def focus_setting(self, key: str) -> None:
        """Put the cursor where something is to be corrected."""
        for entry in self.entries:
            if entry.setting.key == key:
                entry.input.focus()

    def _show(self) -> Checked:
        self._fill()
        return self._check()

    def _fill(self) -> None:
        settings = self.plan.settings(self.shown)
        for group in self.groups:
            listed = [setting for setting in settings if setting.group == group.title]
            group.show(listed, lambda setting: self.plan.text(self.shown, setting))

    def _check(self) -> Checked:
        plan, checked = self.plan, self.plan.checked(self.shown)
        self.checked = checked
        changed = plan.changed(self.shown)
        for entry in self.entries:
            key = entry.setting.key
            label = plan.label(entry.setting)
            entry.mark(label, changed=key in changed, wrong=key in checked.errors)
        for group in self.groups:
            for row in group.rows:
                row.explain(
                    f"{WRONG_MARK} {plan.label(entry.setting)}: {checked.errors[entry.setting.key]}"
                    for entry in row.entries
                    if entry.setting.key in checked.errors
                )
        marked = bool(plan.optimizers)
        self.optimizer.mark(changed=marked or OPTIMIZER in changed, several=marked)
        self.devices.mark(changed=DEVICE in changed)
        self._sum_up(plan, checked)
        self._count(checked.shown)
        self.post_message(self.Changed(checked.shown))
        return checked

    def _count(self, preset: Preset | None) -> None:
        """The size of the model in the heading above its settings."""
        if preset is not None:
            counted = size(preset)
            layers = f"{counted.layers} layer{'s' * (counted.layers != 1)}, " * (counted.layers > 0)
            parameters = f"{counted.parameters:,} parameter{'s' * (counted.parameters != 1)}"
            for group in self.groups:
                if group.title == MODEL_GROUP:
                    group.heading.update(f"{MODEL_GROUP}: {layers}{parameters}")

    def _sum_up(self, plan: Plan, checked: Checked) -> None:
        """The title, the button and the words beside it."""
        names = plan.presets(self.shown)
        whose = "" if names == [self.shown] else f" of {self.shown}"
        self.border_title = Content(
            f"Settings{whose}{'' if self.shown in names else ' (not marked)'}"
        )
        button = self.query_one("#start", Button)
        button.disabled = checked.experiment is None or bool(self.nothing)
        label = self._start_label(plan, checked)
        if str(button.label) != label:
            button.label = label
            button.refresh(layout=True)  # its width is that of its label
        plural = checked.experiment is not None and len(checked.experiment.runs) > 1
        told = (
            f"{WRONG_MARK} {wrong(checked)}"
            if checked.errors or checked.elsewhere
            else ""
            if plural
            else self._hint() or self._difference(plan)
        )
        if self.nothing:
            told = f"{WRONG_MARK} {self.nothing}"
        self.query_one("#ready", OneLine).update(told)

    def _difference(self, plan: Plan) -> str:
        changed = len(plan.changed(self.shown))
        if changed:
            return f"{CHANGED_MARK} {changed} changed from the preset"
        return "unchanged from the preset"

    def _start_label(self, plan: Plan, checked: Checked) -> str:
        experiment = checked.experiment
        if self.nothing:
            return "Nothing to start"
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
        if not isinstance(parent, Entry):
            return ""
        key, now = parent.setting.key, parent.input.value.strip()
        names = self.plan.choices(self.shown, key) if parent.setting.choice else []
        if now in names:  # what comes next comes first
            place = names.index(now)
            names = names[place + 1 :] + names[:place]
        return "  ".join(filter(None, [HINTS.get(key, ""), " ".join(names)]))

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
            # not what the event tells: more may have been typed since, and would be undone
            self.plan.set(self.shown, entry.setting.key, event.input.value)
            if entry.setting.key in CHOOSING:
                self._show()  # what is chosen has settings of its own
            else:
                self._check()

    @on(Entry.Stepped)
    def _stepped(self, event: Entry.Stepped) -> None:
        """The next of the names; the first one after anything else."""
        event.stop()
        names = self.plan.choices(self.shown, event.entry.setting.key)
        now = event.entry.input.value.strip()
        place = (names.index(now) + event.by) % len(names) if now in names else 0
        event.entry.input.value = names[place]
        event.entry.input.focus()

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


def wrong(checked: Checked) -> str:
    """How many settings are wrong here, or which preset has one that is."""
    if checked.elsewhere:
        return f"a setting of {checked.elsewhere} is wrong"
    count = len(checked.errors)
    return "1 setting is wrong" if count == 1 else f"{count} settings are wrong"


def about(rule: type[Optimizer]) -> str:
    """One line on an optimizer, without its name, which stands before it."""
    told = summary(rule)
    name, colon, rest = told.partition(": ")
    return rest[:1].upper() + rest[1:] if colon and name.lower() == optimizer_name(rule) else told
