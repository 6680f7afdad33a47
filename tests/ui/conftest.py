"""What the tests of the screens share: the real application with the real worker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from textual.events import Key
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from tests.forked import fork_server, forked_workers
from tuitrain.record.folder import ExperimentFolder, experiments
from tuitrain.record.inbox import SetPace, Stop, send
from tuitrain.spec.catalogue import find
from tuitrain.spec.experiment import single
from tuitrain.spec.overrides import override
from tuitrain.ui.app import TuitrainApp
from tuitrain.ui.screens.dashboard import DashboardScreen
from tuitrain.worker.launch import launch

__all__ = ["fork_server", "forked_workers"]

PATIENCE = 120.0
"""Seconds to wait for what another process does on a busy machine."""

POLL = 0.02
"""Seconds from one look at the screen to the next."""

LONG = {"train__steps": "20000000"}
"""Settings with which a training does not end before the test does.

Few enough steps for each of them to be recorded.
"""

STEADY = 2000.0
"""Steps a second of such a training: it moves, and leaves the machine to the other tests."""

Opening = TypeVar("Opening", bound=Screen[Any])
Opened = Callable[..., "asynccontextmanager[Pilot[None]]"]


async def until(pilot: Pilot[None], condition: Callable[[], bool], what: str) -> None:
    """Let the application run until something holds, and is drawn."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        assert pilot.app._exception is None, f"failed before: {what}"
        await asyncio.sleep(POLL)
    if pilot.app.screen_stack:
        await pilot.pause(0)


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys, and let each of them act: the application takes them one after another.

    Textual's own waits after each until the process rests, which one with a training never does.
    """
    app = pilot.app
    assert isinstance(app, TuitrainApp)

    def acted() -> bool:
        acting = app._key_acts or app._typed_ahead
        return app._leaving or (not acting and app._unfinished is None)

    for key in keys:
        at_once(pilot, key)
        await pilot._wait_for_screen()
        await until(pilot, acted, f"{key} to act")


async def opens(pilot: Pilot[None], kind: type[Opening]) -> Opening:
    """The screen of this kind, once it is in front with its widgets."""
    app = pilot.app
    assert isinstance(app, TuitrainApp)
    await until(
        pilot, lambda: isinstance(app.screen, kind) and app._unfinished is None, kind.__name__
    )
    assert isinstance(app.screen, kind)
    return app.screen


def dashboard(pilot: Pilot[None]) -> DashboardScreen:
    """The dashboard on top of the screens, or below a dialog."""
    shown = [s for s in pilot.app.screen_stack if isinstance(s, DashboardScreen)]
    assert shown, f"no dashboard in {pilot.app.screen_stack}"
    return shown[-1]


def state(pilot: Pilot[None]) -> str:
    """The state that the dashboard has read."""
    return dashboard(pilot).recording.status.state


def page(pilot: Pilot[None]) -> str:
    """All text on the screen."""
    width, height = pilot.app.size
    lines = pilot.app.screen._compositor.render_strips()
    assert len(lines) == height
    assert all(line.cell_length <= width for line in lines)
    return "\n".join(line.text for line in lines)


@pytest.fixture
def runs_dir(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def opened(runs_dir: Path) -> Callable[..., object]:
    """Opens the application; every experiment in its directory is stopped at the end."""

    @asynccontextmanager
    async def open_app(
        size: tuple[int, int] = (120, 40), attach: ExperimentFolder | None = None
    ) -> AsyncIterator[Pilot[None]]:
        app = TuitrainApp(runs_dir, attach=attach)
        try:
            async with app.run_test(size=size) as pilot:
                await pilot.pause()
                pilot.press = partial(press, pilot)  # type: ignore[method-assign]
                yield pilot
        finally:
            for folder in experiments(runs_dir):
                if not folder.status().ended:
                    send(folder, Stop())

    return open_app


async def choose(pilot: Pilot[None], name: str) -> None:
    """Type a preset's name into the filter."""
    await pilot.press(*name)
    await pilot.pause()


async def start(
    pilot: Pilot[None], name: str, *, full_speed: bool = True, **settings: str
) -> DashboardScreen:
    """Choose a preset by its name, set settings as the form does, start, wait for its worker.

    Args:
        full_speed: whether the training is not to keep to the pace at which it would be watched;
            one that is not to end keeps to `STEADY`.
    """
    screen = pilot.app.screen
    screen.query_one("#filter", Input).value = name  # typing it draws the screen for every letter
    await pilot.pause()
    for key, value in settings.items():
        screen.drafts[screen.chosen].set(key.replace("__", "."), value)  # type: ignore[attr-defined]
    await pilot.press("ctrl+s")
    await opens(pilot, DashboardScreen)
    await until(pilot, lambda: state(pilot) != "starting", "worker")
    if full_speed and settings.items() >= LONG.items():
        send(dashboard(pilot).folder, SetPace(STEADY))
    elif full_speed:
        await pilot.press("f")
    return dashboard(pilot)


def at_once(pilot: Pilot[None], *keys: str) -> None:
    """Keys that arrive in one go, before any of them has been answered."""
    for key in keys:
        printed = len(key) == 1
        pilot.app.post_message(Key(_character_to_key(key), key) if printed else Key(key, None))


def at_full_speed(runs_dir: Path, name: str, **changes: str) -> ExperimentFolder:
    """An experiment of one run that trains as fast as it can, to be opened."""
    preset = override(find(name), {key.replace("__", "."): value for key, value in changes.items()})
    folder = ExperimentFolder.create(runs_dir, single(preset))
    launch(folder)
    return folder
