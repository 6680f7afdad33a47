"""Where the letters of runs stand on the map, and what explains them."""

from __future__ import annotations

import numpy as np

from tests.ui.conftest import until
from tests.ui.maps import Maps, spiral, truecolour
from tuitrain.ui.widgets.badges import badges


async def test_runs_at_one_place_have_one_letter_and_a_number() -> None:
    app = Maps()
    async with app.run_test(size=(100, 30)) as pilot:
        away = spiral("D", 3)
        x, y = away.blocks[0]
        away.blocks = [(x[:100], y[:100])]
        app.show(*(spiral(letter, n) for n, letter in enumerate("ABC")), away, spiral("+", 4))
        await pilot.pause()
        column, row = app.find("★")
        assert app.rows()[row][column : column + 4] == "★A+3"
        area = app.view._area
        column, row = app.find("D")
        assert column == area.x + int((x[99] + 2) / 4 * area.width)
        assert row == area.y + int((1 - y[99]) / 2 * area.height)
        assert not any(letter in "".join(app.rows()[1:]) for letter in "BC")


async def test_the_selected_run_is_the_one_whose_letter_is_seen() -> None:
    app = Maps()
    async with app.run_test(size=(100, 30)) as pilot:
        app.show(spiral("B", 1), spiral("A", 0))
        await pilot.pause()
        assert "★B+1" in "".join(app.rows()[1:])


async def test_the_signs_and_the_colours_are_explained_beside_many_runs() -> None:
    app = Maps()
    async with app.run_test(size=(118, 30)) as pilot:
        truecolour(app)
        app.show(*(spiral("ABCDEFGHIJKLMNOP"[n % 16], n) for n in range(40)))
        app.view.refresh()
        await pilot.pause()
        header = app.rows()[0]
        assert "A run A" in header
        assert " more  ○ start  ★ optimum" in header
        assert header.rstrip().endswith("loss")
        await pilot.resize_terminal(50, 20)
        await until(pilot, lambda: "optimum" not in app.rows()[0], "names first")
        assert "A run A" in app.rows()[0]


def test_badges_never_overlap_and_count_every_run_once() -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        count = int(random.integers(1, 60))
        cells = [(int(c), int(r)) for c, r in random.integers(0, (12, 3), (count, 2))]
        letters = [*"ABCDEFGHIJ", *"+" * 50][:count]
        found = badges(letters, cells, 12)
        assert sorted(run for badge in found for run in badge.runs) == list(range(count))
        for badge in found:
            first, last = badge.span
            assert last <= 12
            assert badge.cell == cells[badge.runs[0]]
            apart = [x for x in found if x is not badge and x.cell[1] == badge.cell[1]]
            assert all(x.span[1] <= first or last <= x.span[0] for x in apart)


def test_a_run_with_a_letter_of_its_own_stands_for_those_without() -> None:
    [badge] = badges(["+", "Q", "+"], [(3, 0)] * 3, 9)
    assert (badge.letter, badge.shown, badge.more) == ("Q", 1, "+2")
    [badge] = badges(["+", "+"], [(3, 0)] * 2, 9)
    assert (badge.letter, badge.more) == ("+", "1")
    [badge] = badges(["A", "B"], [(4, 0)] * 2, 9, star=(6, 0))  # which is not to be hidden
    assert (badge.left, badge.span) == (True, (2, 5))
    [badge] = badges(["A", "B"], [(4, 0)] * 2, 9, star=(6, 1))
    assert not badge.left
    [badge] = badges(["A", "B"], [(8, 0)] * 2, 9)
    assert (badge.left, badge.span) == (True, (6, 9))
