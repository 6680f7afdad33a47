"""The application: wiring of screens, worker and folder, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import math
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import dropwhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeGuard

from textual import events, on, work
from textual._context import prevent_message_types_stack
from textual.app import App
from textual.dom import DOMNode
from textual.screen import Screen

from tuitrain.errors import InputError
from tuitrain.spec.catalogue import catalogue
from tuitrain.ui.keys import ALWAYS, bindings
from tuitrain.ui.messages import Back, Restart, Start
from tuitrain.ui.screens.fitted import FittedScreen
from tuitrain.ui.screens.setup import SetupScreen
from tuitrain.ui.themes import DARK, LIGHT

if TYPE_CHECKING:
    from tuitrain.record.folder import ExperimentFolder
    from tuitrain.spec.experiment import Experiment
    from tuitrain.spec.preset import Preset
    from tuitrain.ui.screens.training import TrainingScreen
    from tuitrain.worker.launch import WarmWorker

LINKS = 4
"""How often the way from the focus up to the app is followed before the next key: a key may press
a button, which tells the form, which asks the screen, which asks the app."""

LONGEST_BUILD = 10.0
"""Seconds for which the end waits for a screen that is being built."""

UNDRAWN = 0.1
"""Seconds for which keys that keep coming may hold the drawing back."""


class TuitrainApp(App[None]):
    """The dashboard's application.

    Args:
        runs_dir: where experiments are kept.
        attach: an experiment to open at once; without it, the setup screen opens.

    Attributes:
        left_running: the experiments that were not to be stopped when their screen was left, by id.
    """

    CSS_PATH = "tuitrain.tcss"
    ENABLE_COMMAND_PALETTE = False
    TITLE = "tuitrain"
    NOTIFICATION_TIMEOUT = 4
    BINDINGS: ClassVar = [b for b in bindings("everywhere", footer=False) if b.key in ALWAYS]

    def __init__(self, runs_dir: Path, *, attach: ExperimentFolder | None = None) -> None:
        super().__init__()
        self.runs_dir = runs_dir
        self.attached = attach
        self._warm: WarmWorker | None = None
        self._settled = self._leaving = self._key_acts = False
        self._typed_ahead: list[events.Key | events.Paste] = []
        self._undrawn = contextlib.ExitStack()
        self._drawn = -math.inf
        self.left_running: dict[str, ExperimentFolder] = {}
        for theme in (DARK, LIGHT):
            self.register_theme(theme)
        self.theme = DARK.name

    def on_load(self) -> None:
        """Handles signals before the terminal is taken over: it must be given back in any case."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves SIGHUP
                # Not in a test's thread, where no signal arrives either.
                with contextlib.suppress(RuntimeError, ValueError):
                    loop.add_signal_handler(number, self._end)

    def on_mount(self) -> None:
        self.call_after_refresh(self._settle)

    async def _shutdown(self) -> None:
        """Ends, but not in the middle of building a screen.

        Widgets that are mounted from here on never get their own widgets, and whatever a screen
        does with them as it comes up would fail, in Textual too.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_BUILD):
                for screen in self.screen_stack:
                    await screen._mounted_event.wait()
                    if isinstance(screen, FittedScreen):
                        await screen.building.acquire()  # and keep it
        await super()._shutdown()

    @property
    def _unfinished(self) -> Screen[Any] | None:
        """A screen that does not have all its widgets yet; it may lie beneath a dialog."""
        for screen in self.screen_stack:
            adding = isinstance(screen, FittedScreen) and screen.building.locked()
            if adding or not screen.is_mounted:
                return screen
        return None

    def on_unmount(self) -> None:
        if self._warm is not None:
            self._warm.close()

    def get_default_screen(self) -> Screen[None]:
        """The first screen; Textual would put an empty one beneath it, and draw that first."""
        screen: Screen[Any]
        screen = self._setup_screen() if self.attached is None else viewer(self.attached)
        # `switch_screen` takes away what `push_screen` gives, and this screen was never pushed.
        screen._push_result_callback(self, None)
        return screen

    def refresh_css(self, animate: bool = True) -> None:
        if self.screen_stack:
            super().refresh_css(animate)
        else:  # the theme has been set, but nothing is there yet to be styled by it
            self.stylesheet.set_variables(self.get_css_variables())

    def _setup_screen(self, trained: Preset | None = None) -> SetupScreen:
        return SetupScreen(catalogue(), devices, trained)

    async def on_event(self, event: events.Event) -> None:
        """Keys act one after another, each on what those before it have led to.

        Textual sends each to what has the focus when it comes, though one before it, still on its
        way through the widgets, is about to move the focus or to open a screen.
        """
        if isinstance(event, (events.Key, events.Paste)) and not event.is_forwarded:
            self._typed_ahead.append(event)
            await self._take_key()
        else:
            await super().on_event(event)

    async def _take_key(self) -> None:
        """Hand over the key that has waited longest, once the one before it has gone its way."""
        if self._key_acts or not self._settled or self._leaving or not self.screen_stack:
            return
        self._draw_or_wait()
        if not self._typed_ahead:
            return
        if unfinished := self._unfinished:  # without its widgets, and without a focus
            unfinished.call_later(self.call_later, self._take_key)
            return
        self._key_acts = True
        # A callback carries along what its poster prevents; that must not reach the key.
        prevent_message_types_stack.set([set()])
        path = list((self.focused or self.screen).ancestors_with_self)
        await super().on_event(self._typed_ahead.pop(0))
        self._follow(iter(path * LINKS))

    def _draw_or_wait(self) -> None:
        """Draw, but for a moment not what the next key is about to change again."""
        self._undrawn.close()
        if len(self._typed_ahead) > 1 and time.monotonic() - self._drawn < UNDRAWN:
            self._undrawn.enter_context(self.batch_update())
        else:
            self._drawn = time.monotonic()
        for screen in self.screen_stack:  # those below a dialog, too
            screen.check_idle()

    def _follow(self, path: Iterator[DOMNode]) -> None:
        """Go the way of a key, in the same queues, and then take the next one."""
        if not any(node.call_later(self._follow, path) for node in path):
            self._key_acts = False
            self.call_later(self._take_key)

    def _settle(self) -> None:
        """The first frame is out: now comes what would have kept it waiting, the screen first."""
        self._settled = True
        if self._leaving:
            self._end()
            return
        if not gc.isenabled():
            gc.freeze()  # what is there by now stays to the end
            gc.enable()
        self.screen.call_after_refresh(self._warm_up)
        self.call_later(self._take_key)

    def _end(self) -> None:
        """Leave, but not in the middle of building a screen, which could not go on."""
        self._leaving = True
        if not self._settled:
            return  # `_settle` comes back to it
        if unfinished := self._unfinished:
            unfinished.call_later(self.call_later, self._end)
        else:
            self.exit()

    @work(thread=True, exclusive=True, group="warm")
    def _warm_up(self) -> None:
        """The setup screen is read before anything is started: time for all the imports."""
        from tuitrain.worker.launch import WarmWorker

        if self._warm is None:
            with contextlib.suppress(OSError):  # the start will meet it again, and say so
                self.call_later(self._keep_warm, WarmWorker())  # it imports torch
        import tuitrain.ui.screens.dashboard  # noqa: F401

    def _keep_warm(self, worker: WarmWorker) -> None:
        """For the next start; a second one, asked for meanwhile, is let go."""
        if self._warm is None:
            self._warm = worker
        else:
            worker.close()

    # What screens ask for ---------------------------------------------------------------------

    @on(Start)
    def _start(self, message: Start) -> None:
        from tuitrain.worker.launch import begin

        if message.sender is not self.screen or self._leaving:
            return  # asked twice before the first could be answered, or too late
        warm, self._warm = self._warm, None
        self.call_after_refresh(self._warm_up)
        try:
            folder = begin(self.runs_dir, message.experiment, warm)
        except InputError as error:
            if warm is not None:
                warm.close()
            self.notify(str(error), severity="error", title="Not started", markup=False)
            return
        if isinstance(message, Restart):
            message.sender.stop_if_alive()  # not before the new one is there
            self.switch_screen(message.sender.successor(folder))
        else:
            self.push_screen(viewer(folder))

    def action_open(self) -> None:
        from tuitrain.ui.screens.experiments_dialog import ExperimentsDialog

        self.push_screen(ExperimentsDialog(self.runs_dir), self._open)

    def _open(self, folder: ExperimentFolder | None) -> None:
        """Show an experiment, running or ended; going back leads to where it was chosen."""
        if folder is None:
            return
        from tuitrain.data.dataset import dataset

        try:
            for preset in folder.experiment.presets.values():
                dataset(preset)
            self.push_screen(viewer(folder))
        except InputError as error:
            self.notify(str(error), severity="error", title="Not opened", markup=False)

    @on(Back)
    def _back(self, message: Back) -> None:
        if message.sender is self.screen:  # else it was asked twice
            experiment = message.sender.folder.experiment
            self._ask_about([message.sender], lambda: self._show_setup(experiment))

    def _show_setup(self, experiment: Experiment) -> None:
        """The screen as it was left from which this was started; if none, one with its preset."""
        # Typed twice at once, the key goes back once.
        self._typed_ahead = list(dropwhile(goes_back, self._typed_ahead))
        if len(self.screen_stack) > 1:
            self.pop_screen()
        else:
            self.switch_screen(self._setup_screen(next(iter(experiment.presets.values()))))

    def _ask_about(self, dashboards: Sequence[TrainingScreen], then: Callable[[], object]) -> None:
        """Ask what becomes of a run that is alive, then go on unless the user stays."""
        alive = [dashboard for dashboard in dashboards if dashboard.alive]

        def answered(answer: str | None) -> None:
            if answer == "stop":
                for dashboard in alive:
                    dashboard.stop_if_alive()
            elif answer == "leave":
                self._leave_running(alive)
            if answer in ("stop", "leave"):
                then()

        if alive:
            from tuitrain.ui.screens.dialogs import LeaveDialog, LeavePausedDialog

            paused = all(dashboard.paused for dashboard in alive)
            dialog = LeavePausedDialog(alive) if paused else LeaveDialog(alive)
            self.push_screen(dialog, answered)
        else:
            then()

    # Keys that work everywhere ----------------------------------------------------------------

    def action_theme(self) -> None:
        self.theme = LIGHT.name if self.theme == DARK.name else DARK.name

    def action_picture(self) -> None:
        name = f"tuitrain-{time.strftime('%Y%m%d-%H%M%S')}.svg"
        place = Path() if os.access(".", os.W_OK) else self.runs_dir
        path = place / name
        try:
            place.mkdir(parents=True, exist_ok=True)
            path = path.absolute()
            path.write_text(self.export_screenshot(title="tuitrain"), "utf-8")
        except OSError as error:
            told, title = f"{path}: {error.strerror or error}", "Screenshot not saved"
            self.notify(told, title=title, severity="error", markup=False)
        else:
            self.notify(str(path), title="Screenshot saved", markup=False)

    def action_leave(self) -> None:
        from tuitrain.ui.screens.dialogs import LeaveDialog

        viewers = [screen for screen in self.screen_stack if is_viewer(screen)]
        if isinstance(self.screen, LeaveDialog):
            # Asked twice, or on the way back: nothing is lost by leaving it running.
            self._leave_running(viewers)
            self._end()
        else:
            self._ask_about(viewers, self._end)

    def _leave_running(self, viewers: Sequence[TrainingScreen]) -> None:
        self.left_running |= {each.folder.id: each.folder for each in viewers if each.alive}


def goes_back(typed: events.Key | events.Paste) -> bool:
    """Whether this is the key that leads back from an experiment."""
    return isinstance(typed, events.Key) and typed.key in ("b", "escape")


def viewer(folder: ExperimentFolder) -> TrainingScreen:
    """The screen that shows an experiment: many runs are compared."""
    if len(folder.experiment.runs) > 1:
        from tuitrain.ui.screens.compare import CompareScreen

        return CompareScreen(folder)
    from tuitrain.ui.screens.dashboard import DashboardScreen

    return DashboardScreen(folder)


def is_viewer(screen: Screen[Any]) -> TypeGuard[TrainingScreen]:
    """Whether a screen shows an experiment, asked without importing one that does not."""
    return hasattr(screen, "stop_if_alive")


def devices() -> list[str]:
    """What the device menu offers."""
    from tuitrain.record.usage import offered

    return ["auto", "cpu", *(f"cuda:{number}" for number in range(offered() or 0))]
