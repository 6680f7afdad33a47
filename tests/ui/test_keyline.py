"""The line of keys at the foot of a screen."""

from __future__ import annotations

import math
from pathlib import Path

from textual.pilot import Pilot
from textual.style import Style

from tests.ui.conftest import LONG, at_full_speed, dashboard, opens, page, start, state, until
from tuitrain.ui.screens.dashboard import DashboardScreen
from tuitrain.ui.widgets.keyline import KeyLine


def line(pilot: Pilot[None]) -> str:
    return page(pilot).splitlines()[-1]


def looks(pilot: Pilot[None], word: str) -> list[Style]:
    """How the letters of a word in the line are drawn."""
    content = pilot.app.screen.query_one(KeyLine).render()
    first = content.plain.index(word)
    return [
        Style.parse(span.style) if isinstance(span.style, str) else span.style
        for span in content.spans
        if span.start <= first < span.end
    ]


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
        await until(pilot, lambda: "[ ] pace" in line(pilot), "keys")
        await until(pilot, lambda: shown.recording.status.pace is not None, "pace")
        place = line(pilot).index("[ ] pace")
        pace = lambda: shown.recording.status.pace or math.inf  # noqa: E731
        first = pace()
        await pilot.click(offset=(place + len("["), 39))  # between the two
        await pilot.click(offset=(place, 39))
        await until(pilot, lambda: pace() < first, "slower")
        second = pace()
        await pilot.click(offset=(place + len("[ "), 39))
        await until(pilot, lambda: pace() > second, "faster again")


async def test_what_cannot_be_done_is_dim_and_not_clicked(opened, runs_dir: Path) -> None:
    async with opened(attach=at_full_speed(runs_dir, "line-fit", train__steps="9")) as pilot:
        await opens(pilot, DashboardScreen)
        await until(pilot, lambda: state(pilot) == "finished", "end")
        await until(pilot, lambda: any(look.dim for look in looks(pilot, "step")), "dim")
        assert not any(look.dim for look in looks(pilot, "reset"))
        await pilot.click(offset=(line(pilot).index("step"), 39))
        await pilot.pause()
        assert pilot.app.screen is dashboard(pilot)
        assert not pilot.app._notifications


async def test_the_key_beneath_the_mouse_is_lit(opened) -> None:
    async with opened() as pilot:
        await until(pilot, lambda: "^s start" in line(pilot), "keys")
        keys = pilot.app.screen.query_one(KeyLine)
        await pilot.hover(KeyLine, offset=(1, 0))
        await until(pilot, lambda: keys.pointed == "f5", "lit")
        await pilot.hover("#presets", offset=(3, 3))
        await until(pilot, lambda: keys.pointed == "", "not any more")
