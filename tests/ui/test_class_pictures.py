"""The confusion matrix and the images with what they are taken for."""

from __future__ import annotations

import re

import numpy as np
import pytest
from rich.color import ColorSystem
from textual.color import Color

from tests.ui.single import Single, marked
from tuitrain.ui.widgets.classes import shortened
from tuitrain.ui.widgets.confusion import ConfusionView
from tuitrain.ui.widgets.images import Guesses, ImagesView

DIGITS = tuple(map(str, range(10)))
GROUND = Color.parse("#12161c")
SIZES = [(1, 1), (2, 3), (5, 4), (9, 6), (16, 5), (40, 12), (200, 60)]


# Confusion ------------------------------------------------------------------------------------


async def test_ten_classes_fit_40_by_12_cells() -> None:
    counts = np.arange(100).reshape(10, 10) % 37
    counts[3] = 0
    app = Single(ConfusionView())
    async with app.run_test(size=(40, 12)) as pilot:
        app.view.show(counts, DIGITS)
        await pilot.pause()
        rows = app.rows()
        assert rows[0].split() == [*DIGITS, "recall"]
        for digit, row in enumerate(rows[1:11]):
            name, *numbers, recall, percent = row.replace("·", "0").replace("▀", " ").split() + [
                "%"
            ] * (digit == 3)
            assert name == str(digit)
            assert [int(n) for n in numbers] == counts[digit].tolist()
            if digit == 3:
                assert recall == "-"
                continue
            assert percent == "%"
            assert int(recall) == round(100 * counts[digit, digit] / counts[digit].sum())


async def test_the_ground_is_stronger_the_larger_the_share_and_other_for_what_is_wrong() -> None:
    app = Single(ConfusionView())
    async with app.run_test(size=(60, 20)) as pilot:
        app.view.show([[90, 9, 1], [0, 50, 50], [0, 0, 7]], ("setosa", "versicolor", "virginica"))
        await pilot.pause()
        rows = [row.replace("▀", " ") for row in app.rows()]

        def below(name: str, text: str) -> Color:
            """The ground of the field with a number, one row below it."""
            (y,) = [y for y, row in enumerate(rows) if row.split()[:1] == [name]]
            return app.background(rows[y].index(f" {text} ") + 1, y + 1)

        right, seldom, once = (below("setosa", text) for text in ("90", "9", "1"))
        assert right.rgb[2] == max(right.rgb)  # blue
        assert seldom.rgb[0] == max(seldom.rgb)  # red
        assert right.brightness > seldom.brightness > once.brightness > GROUND.brightness
        assert below("virginica", "·") == GROUND  # nobody is taken for that


@pytest.mark.parametrize("width", [36, 38, 44, 60, 100])
@pytest.mark.parametrize("names", [("setosa", "versicolor", "virginica"), ("ankle boot", "shirt")])
async def test_names_stand_whole_where_there_is_room(width: int, names: tuple[str, ...]) -> None:
    app = Single(ConfusionView())
    async with app.run_test(size=(width, 18)) as pilot:
        app.view.show(np.eye(len(names), dtype=int) * 50, names)
        await pilot.pause()
        rows = [re.split(r"  +", row.replace("▀", "  ").strip()) for row in app.rows()]
        header = [word for row in rows[:2] for word in row if word]
        assert sorted(header) == sorted([*names, "true", "recall"])
        assert [row[0] for row in rows[2:] if row[0] in names] == list(names)


async def test_where_colours_are_few_what_is_right_is_bold() -> None:
    for marker, system in (("braille", ColorSystem.STANDARD), ("ascii", ColorSystem.TRUECOLOR)):
        app = Single(ConfusionView(), colours=system)
        with marked(marker):
            async with app.run_test(size=(40, 10)) as pilot:
                app.view.show([[90, 9], [3, 50]], ("a", "b"))
                await pilot.pause()
                rows = app.rows()
                assert "▀" not in "".join(rows)
                assert marker != "ascii" or "".join(rows).isascii()
                (y,) = [y for y, row in enumerate(rows) if "90" in row]
                assert app.style(rows[y].index("90"), y).bold


def test_names_are_cut_or_numbered() -> None:
    assert shortened(("setosa", "versicolor"), 4) == ["seto", "vers"]
    assert shortened(("class A", "class B"), 5) == ["0", "1"]


async def test_of_many_classes_those_that_fit_are_shown_and_counted() -> None:
    counts = np.eye(1000, dtype=int) * 5
    app = Single(ConfusionView())
    async with app.run_test(size=(40, 12)) as pilot:
        app.view.show(counts, tuple(map(str, range(1000))))
        await pilot.pause()
        rows = app.rows()
        assert rows[-1].strip() == "the first 11 of 1,000 classes down, 40 a"
        for y, row in enumerate(rows[:-1]):
            assert [x for x, sign in enumerate(row) if sign == "5"] == [y]
            assert row.count("·") == 39


# Images ---------------------------------------------------------------------------------------


def guesses(count: int = 12) -> Guesses:
    """Image n is full to pixel row n % 9; numbers 2, 5 and 7 are taken wrongly."""
    images = np.zeros((count, 8, 8))
    for number in range(count):
        images[number, : number % 9] = 1.0
    true = np.arange(count) % 10
    predicted = true.copy()
    for number, taken in {2: 3, 5: 6, 7: 1}.items():
        predicted[number : number + 1] = taken
    probability = np.linspace(0.5, 0.99, count)
    return Guesses(images, true, predicted, probability, DIGITS)


def captions(rows: list[str]) -> list[str]:
    return [text for row in rows for text in row.replace("%", "%|").split("|") if "→" in text]


async def test_the_wrong_ones_come_first_the_surest_of_them_ahead() -> None:
    app = Single(ImagesView())
    async with app.run_test(size=(53, 12)) as pilot:
        app.view.show(guesses())
        await pilot.pause()
        rows = app.rows()
        assert rows[0].split()[:4] == ["3", "of", "12", "wrong"]
        told = [text.strip() for text in captions(rows[1:])]
        probability = guesses().probability
        assert told[:3] == [
            f"{true}→{taken} {100 * probability[true]:.0f}%"
            for true, taken in ((7, 1), (5, 6), (2, 3))
        ]
        # Then the least sure.
        assert [text.split("→")[0] for text in told[3:6]] == ["0", "1", "3"]
        assert len(told) == 12


async def test_pixels_are_drawn_two_to_a_cell() -> None:
    app = Single(ImagesView())
    async with app.run_test(size=(9, 6)) as pilot:
        one = Guesses(np.zeros((1, 8, 8)), np.array([3]), np.array([3]), np.array([1.0]), DIGITS)
        one.images[0, 0, 0] = one.images[0, 3, 2] = one.images[0, 7, 7] = 1.0
        one.images[0, 4, 4] = 0.5
        app.view.show(one)
        await pilot.pause()
        ink = app.colour(0, 1)
        assert ink.brightness > 0.9
        assert app.background(0, 1) == GROUND
        assert (app.colour(2, 2), app.background(2, 2)) == (GROUND, ink)
        assert (app.colour(7, 4), app.background(7, 4)) == (GROUND, ink)
        assert GROUND.brightness + 0.2 < app.colour(4, 3).brightness < ink.brightness - 0.2
        assert app.rows()[5].strip() == "3→3 100%"


@pytest.mark.parametrize("marker", ["ascii", "braille"])
async def test_without_colours_density_shows_them(marker) -> None:
    app = Single(ImagesView())
    with marked(marker):
        async with app.run_test(size=(20, 6)) as pilot:
            app.set_reactive(type(app).theme, app.theme)
            app.no_color = True
            app.view.show(guesses(2))
            app.view.refresh()
            await pilot.pause()
            rows = app.rows()
            text = "".join(rows[1:5])
            assert "▀" not in text
            assert set(text) - {" "}
            assert marker != "ascii" or "".join(rows).isascii()


async def test_what_is_no_number_is_taken_for_nothing() -> None:
    app = Single(ImagesView())
    async with app.run_test(size=(30, 9)) as pilot:
        one = Guesses(
            np.zeros((1, 8, 8)), np.array([3]), np.array([-1]), np.array([np.nan]), DIGITS
        )
        app.view.show(one)
        await pilot.pause()
        assert any(row.strip() == "3→?" for row in app.rows())


async def test_all_right_is_said() -> None:
    app = Single(ImagesView())
    async with app.run_test(size=(40, 12)) as pilot:
        right = guesses(2)
        app.view.show(right)
        await pilot.pause()
        assert app.rows()[0].startswith("all 2 right")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("colours", [ColorSystem.STANDARD, ColorSystem.TRUECOLOR])
async def test_any_size(size: tuple[int, int], colours: ColorSystem) -> None:
    for view, shown in (
        (ConfusionView(), (np.eye(10, dtype=int) * 1234, DIGITS)),
        (ConfusionView(), ([[1, 2], [3, 4]], ("a long name", "a longer name"))),
        (ImagesView(), (guesses(),)),
    ):
        app = Single(view, colours=colours)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            view.show(*shown)  # type: ignore[arg-type]
            await pilot.pause()
            assert [len(row) for row in app.rows()] == [size[0]] * size[1]
