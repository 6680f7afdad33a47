"""The setup screen: choose a preset, see what it is, set how it is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.table import Table
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Input, OptionList, Static
from textual.widgets.option_list import Option

from tuitrain.spec.experiment import single
from tuitrain.spec.preset import Preset
from tuitrain.spec.size import size
from tuitrain.ui.keys import bindings
from tuitrain.ui.messages import Start
from tuitrain.ui.pace import watchable
from tuitrain.ui.screens.dialogs import HelpDialog
from tuitrain.ui.settings import Draft
from tuitrain.ui.widgets.form import SettingsForm
from tuitrain.ui.widgets.preview import Preview

if TYPE_CHECKING:
    from collections.abc import Mapping


class Filter(Input):
    """The filter above the list: arrows move in the list, Enter takes the preset."""

    BINDINGS: ClassVar = [
        Binding("down", "move('cursor_down')", show=False),
        Binding("up", "move('cursor_up')", show=False),
        Binding("pagedown", "move('page_down')", show=False),
        Binding("pageup", "move('page_up')", show=False),
    ]

    async def action_submit(self) -> None:
        # At once, so that a second Enter typed ahead starts the training.
        if isinstance(self.screen, SetupScreen):
            self.screen.take()

    def action_move(self, how: str) -> None:
        presets = self.screen.query_one("#presets", OptionList)
        getattr(presets, f"action_{how}")()


class SetupScreen(Screen[None]):
    """Presets on the left, the chosen one on the right, its settings below."""

    # In the filter, `?` and `q` are letters like others: the footer shows the keys that are not.
    BINDINGS: ClassVar = [*bindings("setup"), *bindings("everywhere", footer=False)]
    AUTO_FOCUS = "#filter"

    def __init__(self, presets: Mapping[str, Preset], devices: list[str]) -> None:
        super().__init__()
        self.presets = presets
        self.devices = devices
        self.drafts = {name: Draft(preset) for name, preset in presets.items()}
        self.chosen = next(iter(presets))

    def compose(self) -> ComposeResult:
        yield Static(id="brand")
        with Container(id="setup"):
            with Vertical(id="choose"):
                yield Filter(placeholder="type to filter", id="filter", compact=True)
                yield OptionList(id="presets", compact=True)
            with Vertical(id="chosen"):
                with VerticalScroll(id="about"):
                    yield Static(id="story")
                yield SettingsForm(self.devices, id="settings")
            yield Preview(id="preview")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one("#choose").border_title = "Presets"
        self.query_one("#settings").border_title = "Settings"
        self.query_one("#brand", Static).update(
            Text.assemble((" tuitrain", "bold"), "  watch neural networks learn")
        )
        self._list("")

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width < 100 or event.size.height < 32, "-compact")
        self.set_class(event.size.width >= 150, "-wide")

    # Choosing -------------------------------------------------------------------------------

    def _list(self, needle: str) -> None:
        """Fill the list with the presets that match, grouped by topic."""
        listed = self.query_one("#presets", OptionList)
        words = needle.lower().split()
        found: dict[str, list[Preset]] = {}
        for name, preset in self.presets.items():
            hay = f"{name} {preset.title} {preset.topic}".lower()
            if all(word in hay for word in words):
                found.setdefault(preset.topic, []).append(preset)
        options: list[Option] = []
        for topic, presets in found.items():
            options.append(Option(Text(topic, "bold"), disabled=True))
            options += [Option(f"  {preset.name}", id=preset.name) for preset in presets]
        listed.set_options(options or [Option("  nothing matches", disabled=True)])
        names = [option.id for option in options if option.id]
        if names:
            wanted = self.chosen if self.chosen in names else names[0]
            listed.highlighted = listed.get_option_index(str(wanted))

    @on(Input.Changed, "#filter")
    def _filter_changed(self, event: Input.Changed) -> None:
        self._list(event.value)

    @on(OptionList.OptionHighlighted, "#presets")
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if event.option_id:
            self._choose(event.option_id)

    @on(OptionList.OptionSelected, "#presets")
    def take(self) -> None:
        """The preset is chosen: the start button is next."""
        self.query_one(SettingsForm).focus_start()

    def _choose(self, name: str) -> None:
        self.chosen = name
        preset = self.presets[name]
        self.query_one("#chosen").border_title = preset.title
        self.query_one("#about", VerticalScroll).scroll_home(animate=False)
        self.query_one(SettingsForm).edit(self.drafts[name])
        self._describe(preset)

    @on(SettingsForm.Changed)
    def _settings_changed(self, event: SettingsForm.Changed) -> None:
        if event.preset is not None:
            self._describe(event.preset)

    def _describe(self, preset: Preset) -> None:
        self.query_one("#story", Static).update(about(preset))
        self.query_one(Preview).show(preset)

    # Keys -----------------------------------------------------------------------------------

    def action_filter(self) -> None:
        self.query_one("#filter").focus()

    def action_back_to_list(self) -> None:
        entry = self.query_one("#filter", Input)
        if entry.has_focus:
            entry.value = ""
        entry.focus()

    def action_defaults(self) -> None:
        self.drafts[self.chosen] = Draft(self.presets[self.chosen])
        self._choose(self.chosen)

    def action_help(self) -> None:
        self.app.push_screen(HelpDialog(("setup", "everywhere")))

    @on(SettingsForm.Started)
    def action_start(self) -> None:
        form = self.query_one(SettingsForm)
        preset, errors = self.drafts[self.chosen].checked()
        if preset is None:
            form.focus_setting(next(iter(errors)))
            self.app.bell()
            return
        watched = single(preset, device=form.device, pace=watchable(preset))
        self.app.post_message(Start(watched))


def about(preset: Preset) -> Table:
    """The story of a preset, then its facts, each with its name beside it."""
    facts = Table.grid(padding=(0, 2), expand=True)
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(ratio=1)
    rows = {
        "formula": preset.formula,
        "expect": preset.expectation,
        "size": size(preset).text,
        "source": preset.source,
    }
    for name, text in rows.items():
        if text:
            facts.add_row(name, Text(text.strip()))
            facts.add_row()
    page = Table.grid(expand=True)
    page.add_row(Text(preset.story.strip()))
    page.add_row()
    page.add_row(facts)
    return page
