"""The pace: what it starts with, how it is changed, and what the status line says of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from tests.ui.conftest import dashboard, page, start, state, until
from tuitrain.record.status import Status
from tuitrain.spec.catalogue import catalogue, find
from tuitrain.spec.overrides import override
from tuitrain.spec.size import planned_steps
from tuitrain.ui.pace import PACES, faster, slower, watchable
from tuitrain.ui.screens.dashboard import DashboardScreen
from tuitrain.ui.widgets.status import facts

RUNNING = Status(
    "running",
    step=5000,
    total=15000,
    steps_per_second=37210.4,
    stack_steps=[5000],
    stack_totals=[15000],
    pace=2000.0,
)


@pytest.mark.parametrize("preset", catalogue().values(), ids=lambda preset: preset.name)
def test_every_preset_lasts_about_eight_seconds(preset) -> None:
    assert 5 < planned_steps(preset) / watchable(preset) < 12


def test_the_pace_of_extreme_lengths() -> None:
    assert watchable(override(find("line-fit"), {"train.steps": 1})) == 1
    assert watchable(override(find("line-fit"), {"train.steps": 20_000_000})) == PACES[-1]


def test_slower_and_faster_go_by_one_two_five() -> None:
    up, down = [1.0], [5000.0]
    while (pace := faster(up[-1], 1e6)) is not None:
        up.append(pace)
    assert up == list(PACES)
    for _ in range(9):
        down.append(slower(down[-1], 1e6))
    assert down == [5000, 2000, 1000, 500, 200, 100, 50, 20, 10, 5]
    assert slower(1.0, 1e6) == 1
    assert (faster(3.0, 1e6), slower(3.0, 1e6)) == (5, 2)


def test_from_full_speed_slower_is_slower_than_the_machine() -> None:
    assert slower(None, 3700.0) == 2000
    assert slower(50_000.0, 3700.0) == 2000
    assert slower(None, 0.0) == PACES[-1]
    assert faster(None, 3700.0) is None
    assert faster(5000.0, 3700.0) is None


@pytest.mark.parametrize(
    ("changes", "time", "speed"),
    [
        ({}, "eta 5.0 s", "pace 2,000 steps/s"),
        ({"pace": None}, "eta 0.3 s", "37,210 steps/s"),
        ({"pace": 50_000.0}, "eta 0.3 s", "37,210 steps/s"),
        ({"steps_per_second": 0.0}, "eta 5.0 s", "pace 2,000 steps/s"),
        ({"steps_per_second": 0.0, "pace": None}, "eta –", "0 steps/s"),  # noqa: RUF001
        ({"pace": 2.0}, "eta 1:23:20", "pace 2 steps/s"),
        ({"state": "paused"}, "eta –", ""),  # noqa: RUF001
        ({"state": "paused", "pace": None}, "eta –", ""),  # noqa: RUF001
        ({"state": "finished", "seconds": 0.4}, "compute 0.4 s", ""),
        ({"state": "finished", "seconds": 0.4, "pace": None}, "in 0.4 s", "37,210 steps/s"),
        (
            {"stack_steps": [2500, 2500], "stack_totals": [7500, 7500], "pace": 1000.0},
            "eta 5.0 s",
            "pace 1,000 steps/s",
        ),
        # At a pace, the time is that of the longest; those that have ended take none.
        (
            {"stack_steps": [100, 2000], "stack_totals": [10_000, 2000], "pace": 100.0},
            "eta 1:39",
            "pace 100 steps/s",
        ),
        (
            {
                "step": 2100,
                "total": 12_000,
                "stack_steps": [100, 2000],
                "stack_totals": [10_000, 2000],
                "steps_per_second": 1000.0,
                "pace": None,
            },
            "eta 9.9 s",
            "1,000 steps/s",
        ),
    ],
)
def test_the_status_line_tells_the_pace_from_the_machines_speed(
    changes: dict[str, object], time: str, speed: str
) -> None:
    told = facts(replace(RUNNING, **changes))
    assert told[3:5] == (time, speed)


def answers(screen: DashboardScreen) -> list[float | None]:
    """The paces that the worker has taken, in order."""
    return [event.detail["pace"] for event in screen.recording.events if "pace" in event.detail]


async def test_a_start_is_paced_and_the_keys_change_it(opened) -> None:
    async with opened() as pilot:
        await start(pilot, "sales-mse", full_speed=False)
        screen = dashboard(pilot)
        status = lambda: screen.recording.status  # noqa: E731
        assert screen.folder.experiment.pace == 2000
        # Typed ahead: the worker has not answered the first when the next is pressed.
        await pilot.press(*["left_square_bracket"] * 6)
        await until(pilot, lambda: len(answers(screen)) == 6, "answers")
        slowed = answers(screen)
        # Each lower than the one before; by more where the machine manages less.
        assert set(slowed) <= set(PACES)
        whole = [1000, 500, 200, 100, 50, 20]
        assert all(pace <= most for pace, most in zip(slowed, whole, strict=True))
        assert all(b < a or a == b == 1 for a, b in pairwise(slowed))
        await until(pilot, lambda: status().pace == slowed[-1], "slower")
        told = f"pace {slowed[-1]:g} steps/s"
        await until(pilot, lambda: told in page(pilot), "slower on the screen")
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: status().pace == faster(slowed[-1], 0), "faster")
        assert state(pilot) == "running"
        await pilot.press("f")
        await until(pilot, lambda: state(pilot) == "finished", "end")
        assert status().pace is None
        assert "pace" not in page(pilot).splitlines()[1]
        await pilot.press("left_square_bracket")
        assert not list(screen.folder.inbox.glob("*.json"))


async def test_a_reset_keeps_the_pace_or_takes_the_presets(opened) -> None:
    async with opened() as pilot:
        first = await start(pilot, "sales-mse", full_speed=False)
        await pilot.press("left_square_bracket")
        slowed = first.pace
        assert slowed is not None
        assert slowed <= 1000
        await until(pilot, lambda: first.facts.step > 0, "a step")
        await pilot.press("r", "r")
        await until(pilot, lambda: dashboard(pilot) is not first, "new dashboard")
        second = dashboard(pilot)
        assert second.folder.experiment.pace == slowed
        await until(pilot, lambda: state(pilot) == "paused", "paused")
        await pilot.press("f")
        await until(pilot, lambda: second.recording.status.pace is None, "full speed")
        await pilot.press("r")
        await until(pilot, lambda: dashboard(pilot) is not second, "new dashboard")
        assert dashboard(pilot).folder.experiment.pace == 2000
