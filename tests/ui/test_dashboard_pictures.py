"""Fit and loss landscape on the dashboard, of real runs."""

from __future__ import annotations

import pytest

from tests.ui.conftest import page, start, state, until
from tuitrain.ui.widgets.chart import Chart
from tuitrain.ui.widgets.landscape import LandscapeView


async def test_the_landscape_takes_the_place_of_the_fit_and_moves(opened) -> None:
    async with opened() as pilot:
        screen = await start(pilot, "sales-mse", full_speed=False)
        await pilot.press(*["left_square_bracket"] * 6)  # so slow that it moves to the end
        view = screen.query_one(LandscapeView)
        assert not view.display
        await pilot.press("v")
        await until(pilot, lambda: bool(view.landscapes), "answer")
        assert "w[1,0] vs w[0,0]" in page(pilot)
        assert not screen.query_one("#fit").display
        before = view.trails[0].last
        await until(pilot, lambda: view.trails[0].last != before, "the run moves on the map")
        await pilot.press("v")
        assert screen.query_one("#fit").display
        await pilot.resize_terminal(200, 60)
        await until(pilot, lambda: view.display and screen.query_one("#fit").display, "both")


async def test_fit_and_landscape_follow_the_cursor_and_name_its_step(opened) -> None:
    async with opened(size=(200, 60)) as pilot:
        screen = await start(pilot, "sales-mse", train__steps="400")
        await until(pilot, lambda: state(pilot) == "finished", "end")
        view = screen.query_one(LandscapeView)
        await until(pilot, lambda: bool(view.landscapes), "landscape")
        end = view.trails[0].last
        screen.query_one("#loss", Chart).set_cursor(40, notify=True)
        await until(pilot, lambda: "Loss landscape at 40" in page(pilot), "step")
        assert "Prediction vs y at 40" in page(pilot)
        w = screen.facts.tensors(40)["w"].ravel()
        assert view.trails[0].last == pytest.approx(w, rel=1e-6)
        screen.query_one("#loss", Chart).set_cursor(None, notify=True)
        await until(pilot, lambda: "Loss landscape at" not in page(pilot), "the end again")
        assert view.trails[0].last == end


async def test_only_two_parameters_have_a_map(opened) -> None:
    async with opened() as pilot:
        screen = await start(pilot, "parabola-decay")
        await pilot.press("v")
        assert not screen.query(LandscapeView)
        assert screen.query_one("#fit").display


async def test_the_landscape_of_a_larger_model_lies_along_two_chosen_weights(opened) -> None:
    async with opened() as pilot:
        shown = await start(pilot, "xor-linear")
        await until(pilot, lambda: state(pilot) == "finished", "end")
        first, second, _ = shown.survey.names
        await pilot.press("d", "space", "down", "space", "enter")
        await until(pilot, lambda: f"{second} vs {first}" in page(pilot), "two weights")
        await until(pilot, lambda: bool(shown.survey.landscapes), "the answer")
        await pilot.press("d", "space", "down", "space", "enter")
        await until(pilot, lambda: "PC2 (" in page(pilot), "principal directions")
