"""The line of diagnosis on the dashboard, of real runs."""

from __future__ import annotations

from pathlib import Path

from tests.ui.conftest import at_full_speed, dashboard, page, start, state, until
from tuitrain.ui.diagnosis import Miss, Movement, ended


async def test_hopping_where_it_is_expected_is_no_warning(opened) -> None:
    async with opened() as pilot:
        await start(pilot, "sales-cost1-profit99", full_speed=False)
        await pilot.press("left_square_bracket")  # there is time to look
        await until(pilot, lambda: "≈ hovers near the optimum" in page(pilot), "diagnosis")
        assert dashboard(pilot).judge().tone == "neutral"


async def test_where_all_is_reached_that_is_expected_a_run_that_goes_on_says_so(opened) -> None:
    async with opened() as pilot:
        await start(pilot, "line-fit", full_speed=False)
        await pilot.press("left_square_bracket")  # there is time to look
        reached = lambda: "✓ expected values reached: the loss has hardly" in page(pilot)  # noqa: E731
        await until(pilot, reached, "diagnosis")
        assert state(pilot) == "running"


async def test_a_run_that_comes_to_rest_at_the_optimum_says_so(opened) -> None:
    async with opened() as pilot:
        await start(pilot, "sales-mse", optimizer="adam", optimizer__lr="0.01")
        await until(pilot, lambda: "✓ finished: optimum reached" in page(pilot), "diagnosis")


async def test_a_run_that_comes_to_rest_elsewhere_is_on_a_plateau(opened) -> None:
    async with opened() as pilot:
        await start(pilot, "sales-mse", optimizer__lr="1e-9")
        await until(pilot, lambda: "finished: plateau at the end" in page(pilot), "diagnosis")


async def test_the_sign_of_the_end_is_by_its_tone(opened, runs_dir: Path) -> None:
    async with opened(attach=at_full_speed(runs_dir, "book-less10")) as pilot:
        await until(pilot, lambda: state(pilot) == "finished", "end")
        await until(pilot, lambda: "finished: " in page(pilot), "diagnosis")
        screen = dashboard(pilot)
        missed = ended("finished", 5, Movement("plateau"), [Miss("w", 0.9, "1")])
        assert screen._in_words(missed).plain.startswith(" ! finished: expected not reached")
        assert "✓ finished: " in page(pilot)
        assert "steps/s" in page(pilot).splitlines()[1]
