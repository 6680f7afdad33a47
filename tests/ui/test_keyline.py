"""The line of keys at the foot of a screen."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from rich.style import Style
from textual.events import AppBlur, AppFocus, MouseDown, MouseUp
from textual.pilot import Pilot

from tests.ui.conftest import LONG, at_full_speed, opens, page, start, state, until
from tuitrain.ui.screens.dashboard import DashboardScreen
from tuitrain.ui.screens.save_dialog import SaveDialog
from tuitrain.ui.widgets.keyline import KeyLine


def line(pilot: Pilot[None]) -> str:
    return page(pilot).splitlines()[-1]


def place(pilot: Pilot[None], words: str) -> tuple[int, int]:
    """Where words of the line begin on the screen."""
    return line(pilot).index(words), pilot.app.size.height - 1


def drawn(pilot: Pilot[None], words: str) -> Style:
    """The look of their first letter."""
    return pilot.app.screen.get_style_at(*place(pilot, words))


async def test_keys_stand_closer_where_there_is_less_room(opened) -> None:
    async with opened(size=(120, 40)) as pilot:
        await start(pilot, "sales-mse", **LONG)
        await until(pilot, lambda: "space pause  n step  s stop" in line(pilot), "two spaces")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "space pause n step s stop" in line(pilot), "one space")
        assert line(pilot).rstrip().endswith("q quit")
        await pilot.resize_terminal(40, 24)
        await until(pilot, lambda: line(pilot).rstrip().endswith("…"), "the rest is cut off")


async def test_each_key_of_a_word_is_clicked_on_its_own(opened) -> None:
    async with opened() as pilot:
        shown = await start(pilot, "sales-mse", full_speed=False, **LONG)
        await until(pilot, lambda: shown.recording.status.pace is not None, "pace")
        pace = lambda: shown.recording.status.pace or math.inf  # noqa: E731
        (x, y), first = place(pilot, "[ ] pace"), pace()
        for beside in ("[", "[ ] "):  # between the two, and on their word
            await pilot.click(offset=(x + len(beside), y))
        await pilot.click(offset=(x, y))
        await until(pilot, lambda: pace() < first, "slower")
        second = pace()
        await pilot.click(offset=(x + len("[ "), y))
        await until(pilot, lambda: pace() > second, "faster again")
        told = [event for event in shown.recording.events if "pace" in event.detail]
        assert len(told) == 2


async def test_what_cannot_be_done_is_dim(opened, runs_dir: Path) -> None:
    async with opened(attach=at_full_speed(runs_dir, "line-fit", train__steps="9")) as pilot:
        await opens(pilot, DashboardScreen)
        await until(pilot, lambda: state(pilot) == "finished", "end")
        # Textual draws what is dim in a colour nearer to the background's.
        dim = lambda: drawn(pilot, "n step").color != drawn(pilot, "r reset").color  # noqa: E731
        await until(pilot, dim, "dim")
        assert drawn(pilot, "l rate").color == drawn(pilot, "n step").color
        assert drawn(pilot, "u rule").color == drawn(pilot, "r reset").color


@pytest.mark.parametrize("words", ["^p save", " save", "save"])
async def test_an_entry_is_lit_beneath_the_mouse_and_clicked_wherever(opened, words: str) -> None:
    async with opened() as pilot:
        await until(pilot, lambda: "^p save" in line(pilot), "keys")
        plain = drawn(pilot, words).bgcolor
        await pilot.hover(offset=place(pilot, words))
        await until(pilot, lambda: drawn(pilot, words).bgcolor != plain, "lit")
        assert drawn(pilot, "^s start").bgcolor == plain
        await pilot.hover("#presets", offset=(3, 3))
        await until(pilot, lambda: drawn(pilot, words).bgcolor == plain, "not any more")
        await pilot.click(offset=place(pilot, words))
        await opens(pilot, SaveDialog)


async def test_the_keys_are_those_of_what_has_the_focus(opened) -> None:
    async with opened() as pilot:
        await until(pilot, lambda: "^s start" in line(pilot), "keys")
        assert "space mark" not in line(pilot)
        await pilot.press("tab")
        await until(pilot, lambda: "space mark" in line(pilot), "the list's")
        await pilot.press("escape")
        await until(pilot, lambda: "space mark" not in line(pilot), "the filter's")


async def test_a_click_that_brings_the_terminal_back_presses_what_it_is_on(opened) -> None:
    async with opened() as pilot:
        await until(pilot, lambda: "^p save" in line(pilot), "keys")
        before = line(pilot)
        pilot.app.post_message(AppBlur())
        await until(pilot, lambda: not pilot.app.app_focus, "the terminal is left")
        pilot.app.screen.query_one(KeyLine).refresh()
        await pilot.pause(0.1)
        assert line(pilot) == before
        pilot.app.post_message(AppFocus())
        offset = place(pilot, "^p save")
        await pilot._post_mouse_events([MouseDown, MouseUp], offset=offset, button=1)
        await opens(pilot, SaveDialog)
