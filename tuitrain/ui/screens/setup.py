"""The setup screen: choose a preset, see what it is, set how it is trained."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from rich.padding import Padding
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tuitrain.errors import InputError
from tuitrain.spec.catalogue import SUFFIX, find, own
from tuitrain.spec.preset import Preset
from tuitrain.ui.aside import aside
from tuitrain.ui.finding import is_path, matching, typed
from tuitrain.ui.keys import bindings
from tuitrain.ui.messages import Start
from tuitrain.ui.plan import Checked, Plan
from tuitrain.ui.screens.fitted import FittedScreen
from tuitrain.ui.settings import Draft
from tuitrain.ui.story import about, in_its_words
from tuitrain.ui.widgets.form import SettingsForm
from tuitrain.ui.widgets.keyline import KeyLine
from tuitrain.ui.widgets.marks import PresetList, margin
from tuitrain.ui.widgets.paragraph import OneLine, Paragraph
from tuitrain.ui.widgets.preview import Preview

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NOTHING = "No preset has what you typed in its name, title or topic."


class Filter(Input):
    """The filter above the list: arrows move in the list, Enter takes the preset."""

    BINDINGS: ClassVar = [
        Binding("down", "move('cursor_down')", show=False),
        Binding("up", "move('cursor_up')", show=False),
        Binding("pagedown", "move('page_down')", show=False),
        Binding("pageup", "move('page_up')", show=False),
    ]

    def action_move(self, how: str) -> None:
        presets = self.screen.query_one("#presets", OptionList)
        getattr(presets, f"action_{how}")()


class SetupScreen(FittedScreen):
    """Presets on the left, the chosen one on the right, its settings below.

    Args:
        presets: to choose from, by name; the first is chosen.
        devices: tells the names of devices, in a thread, after the first frame.
        trained: chosen instead, with its own settings.
    """

    # In the filter, `?` and `q` are letters like others: the footer shows the keys that are not.
    BINDINGS: ClassVar = [
        *bindings("setup"),
        *bindings("everywhere", footer=False),
    ]
    AUTO_FOCUS = "#filter"
    FULL = (100, 32)
    WIDE = 150
    HOME = (80, 24)
    """Columns and lines below which settings stand one beneath another and data are not shown."""
    LEAST = (40, 12)
    """Columns and lines below either of which there is no room for anything."""

    def __init__(
        self,
        presets: Mapping[str, Preset],
        devices: Callable[[], list[str]],
        trained: Preset | None = None,
    ) -> None:
        super().__init__()
        self.presets = dict(presets)
        self.devices = devices
        self.drafts = {name: Draft(preset) for name, preset in presets.items()}
        self.plan = Plan(self.drafts)
        self.chosen = next(iter(presets))
        if trained is not None:
            self.chosen = trained.name
            shipped = self.presets.setdefault(trained.name, trained)
            self.drafts[trained.name] = Draft.towards(shipped, trained)

    def compose(self) -> ComposeResult:
        yield OneLine(id="brand")
        yield Static("tuitrain needs a terminal of 80x24 or more", id="larger")
        with Container(id="setup"):
            with Vertical(id="choose"):
                yield Filter(placeholder="type to filter", id="filter")
                yield PresetList(id="presets", compact=True)
            with Vertical(id="chosen"):
                with VerticalScroll(id="about"):
                    yield Paragraph(id="story")
                yield SettingsForm(self.plan, self.chosen, id="settings")
            yield Preview(id="preview")
        yield KeyLine()

    def _fits(self, size: Size) -> dict[str, bool]:
        return super()._fits(size) | {
            "-narrow": size.width < self.HOME[0],
            "-short": size.height < self.HOME[1],
            "-least": size.width < self.LEAST[0] or size.height < self.LEAST[1],
        }

    def on_mount(self) -> None:
        self.query_one("#choose").border_title = "Presets"
        self.query_one("#brand", OneLine).update(
            Text.assemble((" tuitrain", "bold"), "  watch neural networks learn")
        )
        # Filled before the first layout, not by the list's message after it.
        with self.prevent(OptionList.OptionHighlighted):
            self._list("")
        self._choose(self.chosen)
        self.call_after_refresh(self._complete)

    async def _complete(self) -> None:
        """After the first frame: settings, pictures, a driver and files take their time.

        Keys, which pass through the screen, wait until the settings are there.
        """
        if self.building.locked() or not self.is_attached:
            return  # the application is being left
        async with self.building:
            await self.query_one(SettingsForm).mount_settings()
        self.query_one(Preview).prepare()
        aside(self, self.devices, self._offer_devices, self._unknown("Graphics processors"))
        aside(self, lambda: own(Path()), self._offer_presets, self._unknown("Your presets"))

    def _unknown(self, what: str) -> Callable[[Exception], None]:
        """Says that something could not be found out; the screen does without it."""

        def tell(error: Exception) -> None:
            problem = f"{type(error).__name__}: {error}"
            self.notify(problem, title=f"{what} not found", severity="warning", markup=False)

        return tell

    def _offer_presets(self, found: Mapping[str, Preset]) -> None:
        """List the presets of the working directory too."""
        for path in found.keys() - self.presets.keys():
            self._take_in(path, found[path])
        needle = self.query_one("#filter", Input).value
        if found and not is_path(needle):
            self._list(needle)

    def _offer_devices(self, devices: list[str]) -> None:
        self.query_one(SettingsForm).offer(devices)

    # Choosing -------------------------------------------------------------------------------

    def _list(self, needle: str, *, anew: bool = False) -> None:
        """Fill the list with the presets that match, grouped by topic; or with a file's own.

        Args:
            needle: what is typed into the filter.
            anew: whether to choose the best match, and not to keep a choice that matches as well.
        """
        listed = self.query_one("#presets", OptionList)
        names: list[str] = []
        problem = "nothing matches"
        try:
            names = (
                [self._load(needle.strip())] if is_path(needle) else matching(self.presets, needle)
            )
        except InputError as error:
            problem = str(error)
        options: list[Option] = []
        for topic, group in groupby(names, lambda name: self.presets[name].topic):
            options.append(Option(Text(topic, "bold"), disabled=True))
            options += [Option(self._line(name), id=name) for name in group]
        listed.set_options(options or [Option(Padding(Text(problem), (0, 2)), disabled=True)])
        unread = "this file is no preset" if is_path(needle) else "no preset matches"
        self.query_one(SettingsForm).offer_start("" if names else unread)
        if names:
            self.query_one("#setup").remove_class("-nothing")
            wanted = self.chosen if self.chosen in names and not anew else names[0]
            listed.highlighted = listed.get_option_index(str(wanted))
        else:
            self._tell_nothing(unread, problem if is_path(needle) else NOTHING)

    def _tell_nothing(self, title: str, reason: str) -> None:
        """Where a preset is described, say why there is none; its settings are hidden."""
        self.query_one("#setup").add_class("-nothing")
        self.query_one("#chosen").border_title = Content(title.capitalize())
        self.query_one("#story", Paragraph).update(Text(f"{reason}\n\nesc clears the filter."))

    def _load(self, path: str) -> str:
        """Take a user's own preset in, under its path; InputError if it cannot be read."""
        try:
            preset = find(str(Path(path).expanduser()))
        except RuntimeError as error:  # ~ of a user that there is not
            raise InputError(str(error), where=path) from None
        if self.presets.get(path) != preset:
            self._take_in(path, preset)
        return path

    def _take_in(self, path: str, preset: Preset) -> None:
        self.presets[path], self.drafts[path] = preset, Draft(preset)

    def _line(self, name: str) -> Text:
        return Text(margin(name in self.plan.marked) + name)

    @on(PresetList.Marked)
    def _marked(self, event: PresetList.Marked) -> None:
        self.plan.marked ^= {event.name}
        self.query_one(PresetList).replace_option_prompt(event.name, self._line(event.name))
        count = len(self.plan.marked)
        told = f", {count} marked" if count else ""
        self.query_one("#choose").border_title = f"Presets{told}"
        self._choose(self.chosen)

    @on(Input.Changed, "#filter")
    def _filter_changed(self, event: Input.Changed) -> None:
        self._list(event.value, anew=bool(typed(event.value)))

    @on(OptionList.OptionHighlighted, "#presets")
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if event.option_id and self._matched:  # it may be told of a list that is no more
            self._choose(event.option_id)

    @on(Input.Submitted, "#filter")
    @on(OptionList.OptionSelected, "#presets")
    def _take(self) -> None:
        """The preset is chosen: the start button is next."""
        if self._matched:
            self.query_one(SettingsForm).focus_start()
        else:
            self.app.bell()

    @property
    def _matched(self) -> bool:
        """Whether the list has a preset to choose."""
        return any(option.id for option in self.query_one("#presets", OptionList).options)

    def _choose(self, name: str) -> None:
        self.chosen = name
        preset = self.presets[name]
        self.query_one("#setup").remove_class("-nothing")
        self.query_one("#chosen").border_title = Content(preset.title)
        self.query_one("#about", VerticalScroll).scroll_home(animate=False)
        self._describe(self.query_one(SettingsForm).edit(name) or preset)

    @on(SettingsForm.Changed)
    def _settings_changed(self, event: SettingsForm.Changed) -> None:
        if event.preset is not None:
            self._describe(event.preset)

    def _find(self, name: str) -> None:
        """Choose a preset that the filter may hide."""
        entry = self.query_one("#filter", Input)
        with entry.prevent(Input.Changed):
            entry.value = ""
        self._choose(name)
        self._list("")

    def _describe(self, preset: Preset) -> None:
        shipped = self.presets[self.chosen]
        self.query_one("#story", Paragraph).update(about(in_its_words(preset, shipped)))
        self.query_one(Preview).show(preset)

    # Keys -----------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # Where text is typed, `/` is a part of it.
        return action != "filter" or not isinstance(self.focused, Input)

    def action_filter(self) -> None:
        self.query_one("#filter").focus()

    def action_back_to_list(self) -> None:
        entry = self.query_one("#filter", Input)
        if entry.has_focus:
            entry.value = ""
        entry.focus()

    def action_defaults(self) -> None:
        if not self._matched:
            self.app.bell()
            return
        self.drafts[self.chosen] = Draft(self.presets[self.chosen])
        self.plan.reset()
        self._choose(self.chosen)

    def action_save(self) -> None:
        """Write the preset that is shown, as it is set, to a file of the user's."""
        checked = self.plan.checked(self.chosen)
        if not self._matched or checked.shown is None:
            self._refuse(checked)
            return
        from tuitrain.ui.screens.save_dialog import SaveDialog

        own = is_path(self.chosen)
        suggested = self.chosen if own else f"{self.chosen}-mine{SUFFIX}"
        preset = in_its_words(checked.shown, self.presets[self.chosen])
        self.app.push_screen(SaveDialog(preset, suggested), self._saved)

    def _saved(self, path: str | None) -> None:
        """Choose what was saved: the filter understands its path."""
        if path is not None:
            self.notify(path, title="Preset saved", markup=False)
            entry = self.query_one("#filter", Input)
            with entry.prevent(Input.Changed):
                entry.value = path
            self._list(path)
            self._choose(path)
            entry.focus()
            entry.action_select_all()  # what is typed next is looked for instead

    def action_help(self) -> None:
        from tuitrain.ui.screens.dialogs import HelpDialog

        self.app.push_screen(HelpDialog(("setup", "marks", "everywhere")))

    @on(SettingsForm.Started)
    def action_start(self) -> None:
        checked = self.plan.checked(self.chosen)
        if self._matched and checked.experiment is not None:
            self.app.post_message(Start(self, replace(checked.experiment, device=self.plan.device)))
        else:
            self._refuse(checked)

    def _refuse(self, checked: Checked) -> None:
        """Go to what keeps the settings from being used."""
        self.app.bell()
        if not self._matched:
            self.action_filter()
            return
        if checked.elsewhere:
            self._find(checked.elsewhere)
            checked = self.plan.checked(self.chosen)
        self.query_one(SettingsForm).focus_setting(next(iter(checked.errors)))
