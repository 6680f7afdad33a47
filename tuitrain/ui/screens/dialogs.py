"""The windows over a screen: what they ask, the update step's source, the keys."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import msgspec
from rich.table import Table
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.button import ButtonVariant

from tuitrain.optim import Optimizer, name_of, source
from tuitrain.ui.keys import KEYS, Place
from tuitrain.ui.screens.dialog import Dialog
from tuitrain.ui.settings import as_text
from tuitrain.ui.widgets.paragraph import Paragraph

if TYPE_CHECKING:
    from tuitrain.ui.screens.training import TrainingScreen

LOOK = 0.1
"""Seconds between two looks at whether what is asked about is still alive."""


class _Question(Dialog[str]):
    """A run is alive: what is to become of it? The answer is the id of a button.

    A run that ends meanwhile leaves less to be asked: the same keys go on or stay.

    Args:
        about: the screens of the runs; if none is given, all that are open.
    """

    BINDINGS: ClassVar = [
        Binding("escape", "answer('stay')", show=False),
        # At once, so that an Enter typed right behind them meets the button that they lead to.
        Binding("left", "app.focus_previous", show=False, priority=True),
        Binding("right", "app.focus_next", show=False, priority=True),
    ]

    title_text = "Training is running"
    explanation = ""
    answers: ClassVar[dict[str, str]] = {}
    """The label of each button by its id; the first one is the default."""
    hint = ""
    ended_answers: ClassVar[dict[str, str]] = {}
    """The labels that are left once the run has ended."""
    ended_hint = ""

    def __init__(self, about: Sequence[TrainingScreen] = ()) -> None:
        super().__init__()
        self.about = about
        self.ended = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = self.title_text
            yield Static(self.explanation, id="explanation", markup=False)
            with Horizontal(classes="buttons"):
                for number, (name, label) in enumerate(self.answers.items()):
                    variant: ButtonVariant = "default" if number else "primary"
                    yield Button(label, id=name, variant=variant, compact=True)
            yield Static(self.hint, id="hint", classes="hint", markup=False)

    def on_mount(self) -> None:
        self.set_interval(LOOK, self._look)

    def _look(self) -> None:
        """Say so, once, when what this is about has ended."""
        screens: Sequence[object] = self.about or self.app.screen_stack
        if self.ended or any(getattr(screen, "alive", False) for screen in screens):
            return
        self.ended = True
        self.query_one(".dialog").border_title = "Training has ended"
        self.query_one("#explanation", Static).update("Everything recorded is kept; ^o opens it.")
        self.query_one("#hint", Static).update(self.ended_hint)
        for button in self.query(Button):
            button.label = self.ended_answers.get(str(button.id), "")
            button.display = bool(button.label)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.action_answer(event.button.id or "stay")

    def action_answer(self, answer: str) -> None:
        self.dismiss(answer)


class LeaveDialog(_Question):
    """Asks before the screen of a living run is left: `leave`, `stop` or `stay`."""

    BINDINGS: ClassVar = [
        Binding("l", "answer('leave')", show=False),
        Binding("s", "answer('stop')", show=False),
    ]
    explanation = "It can go on alone; ^o or `tuitrain attach` opens it."
    answers: ClassVar = {"leave": "Leave it running", "stop": "Stop it", "stay": "Stay"}
    hint = "l leave   s stop   esc stay   ^q quit"
    ended_answers: ClassVar = {"leave": "Leave", "stay": "Stay"}
    ended_hint = "l leave   esc stay   ^q quit"


class LeavePausedDialog(LeaveDialog):
    """The same of a run that does not go on by itself."""

    title_text = "Training is paused"
    explanation = "It stays paused; ^o or `tuitrain attach` opens it again."
    answers: ClassVar = LeaveDialog.answers | {"leave": "Leave it paused"}


class RestartDialog(_Question):
    """Asks before a living run is stopped for a new one: `restart` or `stay`."""

    BINDINGS: ClassVar = [Binding("r", "answer('restart')", show=False)]
    title_text = "Start again?"
    explanation = "This run stops; everything it has recorded is kept."
    answers: ClassVar = {"restart": "Stop it and start again", "stay": "Stay"}
    hint = "r start again   esc stay"
    ended_answers: ClassVar = {"restart": "Start again", "stay": "Stay"}
    ended_hint = hint


class LearningRateDialog(Dialog[float | None]):
    """Asks for the learning rate of the next step; None leaves it as it is."""

    BINDINGS: ClassVar = [Binding("escape", "dismiss(None)", show=False)]

    def __init__(self, now: float) -> None:
        super().__init__()
        self.now = now

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog narrow") as dialog:
            dialog.border_title = "Learning rate from the next step on"
            yield Static("A schedule is scaled to continue from it.", classes="hint")
            yield Input(as_text(self.now), id="rate")
            yield Paragraph("", id="problem", classes="error", markup=False)
            yield Static("enter set   esc cancel", classes="hint")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self.query_one("#problem", Paragraph).update(_problem(event.value))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        if _problem(event.value):
            self.app.bell()
        else:
            lr = float(event.value)
            self.dismiss(None if lr == self.now else lr)


class TargetDialog(Dialog[float | str | None]):
    """Asks for the loss to reach in one pane: a number, None for its default, "" to leave it."""

    BINDINGS: ClassVar = [Binding("escape", "dismiss('')", show=False)]

    def __init__(self, pane: str, now: float | None) -> None:
        super().__init__()
        self.pane, self.now = pane, now

    def compose(self) -> ComposeResult:
        now = "" if self.now is None or math.isnan(self.now) else f"{self.now:.6g}"
        with Vertical(classes="dialog narrow") as dialog:
            dialog.border_title = "Target loss"
            what = f"For {self.pane} alone: steps are counted until a run's loss is at most this."
            yield Static(what, classes="hint", markup=False)
            yield Input(now, id="target")
            yield Paragraph("", id="target-problem", classes="error", markup=False)
            yield Static("enter set   empty: default   esc cancel", classes="hint")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self.query_one("#target-problem", Paragraph).update(self._wrong(event.value))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        if self._wrong(event.value):
            self.app.bell()
        else:
            self.dismiss(float(event.value) if event.value.strip() else None)

    @staticmethod
    def _wrong(text: str) -> str:
        try:
            fits = not text.strip() or math.isfinite(float(text))
        except ValueError:
            fits = False
        return "" if fits else f"✗ {text!r} is not a number"


class DirectionsDialog(Dialog[tuple[str, ...] | None]):
    """Asks for the two weights that a landscape lies along.

    The answer is their names, x first; () for the principal directions, None to leave it.
    """

    BINDINGS: ClassVar = [
        Binding("escape", "dismiss(None)", show=False),
        Binding("space", "mark", show=False, priority=True),
        Binding("enter", "look", show=False, priority=True),
    ]

    def __init__(self, names: Sequence[str], now: tuple[str, str] | None) -> None:
        super().__init__()
        self.names = names
        self.chosen = list(now or ())

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog narrow") as dialog:
            dialog.border_title = "Directions of the loss landscape"
            yield Static("Mark two weights, or none for PC1 and PC2.", classes="hint")
            yield OptionList(*map(self._told, self.names), id="weights-listed", compact=True)
            yield Static("space mark   enter show   esc cancel", classes="hint")

    def on_mount(self) -> None:
        listed = self.query_one(OptionList)
        listed.highlighted = self.names.index(self.chosen[0]) if self.chosen else 0
        listed.focus()

    def _told(self, name: str) -> Text:
        axis = "xy"[self.chosen.index(name)] if name in self.chosen else " "
        return Text.assemble((f"{axis} ", "bold"), name)

    def action_mark(self) -> None:
        """Mark or unmark; of three marked weights the first one gives way."""
        name = self.names[self.query_one(OptionList).highlighted or 0]
        if name in self.chosen:
            self.chosen.remove(name)
        else:
            self.chosen = [*self.chosen, name][-2:]
        self._show()

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self.action_mark()

    def _show(self) -> None:
        listed = self.query_one(OptionList)
        for place, name in enumerate(self.names):
            listed.replace_option_prompt_at_index(place, self._told(name))

    def action_look(self) -> None:
        """Answer, unless a second weight is missing."""
        if len(self.chosen) == 1:
            self.app.bell()
        else:
            self.dismiss(tuple(self.chosen))


def _problem(text: str) -> str:
    """What is wrong with a learning rate; empty if nothing is."""
    wanted = "must be a finite number, 0 or more"
    try:
        value = float(text)
    except ValueError:
        return f"✗ {text!r} is not a number" if text.strip() else f"✗ {wanted}"
    return "" if math.isfinite(value) and value >= 0 else f"✗ {text}: {wanted}"


class Page(Dialog[None]):
    """A page to read; escape or any of its keys closes it."""

    title_text = ""

    BINDINGS: ClassVar = [Binding("escape,q,enter,b", "dismiss", "close", show=False)]

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog page") as page:
            page.border_title = self.title_text
            page.border_subtitle = "esc closes"
            yield from self.contents()

    def contents(self) -> ComposeResult:
        raise RuntimeError("a page has contents")

    def on_click(self, event: events.Click) -> None:
        if event.widget is self:
            self.dismiss()


class SourceDialog(Page):
    """The real source of the update step; below it, what it comes from and its settings now."""

    BINDINGS: ClassVar = [Binding("u", "dismiss", show=False)]

    def __init__(self, optimizer: Optimizer, lr: float) -> None:
        super().__init__()
        self.optimizer = optimizer
        self.lr = lr
        self.title_text = f"{name_of(optimizer)}: the update step, as it runs"

    def contents(self) -> ComposeResult:
        from rich.syntax import Syntax  # late: the lexers take 50 ms to import

        rule = type(self.optimizer)
        theme = "ansi_dark" if self.app.current_theme.dark else "ansi_light"
        code = Syntax("", "python", theme=theme).highlight(source(rule))
        code.rstrip()
        code.style = ""  # no background of its own
        yield Static(code, classes="facts")
        told, _, meanings = (inspect.getdoc(rule) or "").partition("\nArgs:\n")
        yield Static(self._settings(meanings), classes="facts")
        yield Static(told.rstrip(), markup=False)

    def _settings(self, meanings: str) -> Table:
        """Each hyper-parameter with its value now, and with what the docstring says of it."""
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column(style="bold", no_wrap=True)
        table.add_column(style="dim")
        values = msgspec.structs.asdict(self.optimizer) | {"lr": self.lr}
        for name, value in values.items():
            found = re.search(rf"^ +{name}: (.*(?:\n {{5,}}.*)*)", meanings, re.MULTILINE)
            meaning = " ".join(found[1].split()) if found else ""
            table.add_row(name, as_text(value), Text(meaning))
        return table


class HelpDialog(Page):
    """The table of keys, for those places that are on the screen."""

    title_text = "Keys"
    BINDINGS: ClassVar = [Binding("question_mark,f1", "dismiss", show=False)]

    HEADINGS: ClassVar[dict[Place, str]] = {
        "setup": "Setup",
        "marks": "In the lists of presets and optimizers",
        "dashboard": "Training",
        "chart": "Loss chart",
        "compare": "Comparison",
        "curves": "Curves",
        "everywhere": "Everywhere but where text is typed",
    }

    def __init__(self, places: Sequence[Place]) -> None:
        super().__init__()
        self.places = places

    def contents(self) -> ComposeResult:
        table = Table.grid(padding=(0, 2))
        table.add_column(justify="right", style="bold", no_wrap=True)
        table.add_column()
        for number, place in enumerate(self.places):
            if number:
                table.add_row()
            table.add_row("", Text(self.HEADINGS[place], "dim"))
            for key in KEYS:
                if key.place == place:
                    table.add_row(Text(key.shown), Text(key.meaning))
        yield Static(table)
