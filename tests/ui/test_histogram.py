"""The spread of tensors over the steps, as a map and as a table."""

from __future__ import annotations

import numpy as np
import pytest
from rich.color import ColorSystem

from tests.ui.single import Single, marked
from tuitrain.record.series import Series
from tuitrain.ui.facts import Tensor
from tuitrain.ui.histories import Histories, History
from tuitrain.ui.widgets.histogram import HistogramView
from tuitrain.ui.widgets.tensors import TensorsTable

SHAPES = {"w1": (50, 40), "b1": (40,), "w2": (40, 5), "b2": (5,)}
COUNT = 50 * 40 + 40 + 40 * 5 + 5


def widening(steps: range) -> Histories:
    """Normal weights that spread as the steps go by; biases stay 0."""
    histories, random = Histories(SHAPES), np.random.default_rng(0)
    for step in steps:
        weights = random.normal(0, 0.1 + step / 1000, COUNT)
        weights[2000:2040] = 0
        histories.add(step, weights)
    return histories


def test_shares_add_up_to_one_and_lie_where_the_values_are() -> None:
    history = History("w", (1000,))
    values = np.random.default_rng(1).normal(3, 0.5, 1000)
    history.add(0, values)
    bounds = np.linspace(0, 6, 61)
    shares = history.within(0, bounds)
    assert shares.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(shares, np.histogram(values, bounds)[0] / 1000, atol=0.02)


def test_a_tensor_of_one_value_and_one_that_is_not_finite() -> None:
    history = History("b", (4,))
    history.add(0, np.zeros(4))
    history.add(1, np.full(4, np.nan))
    history.add(2, np.array([1.0, np.inf, 1.0, 1.0]))
    assert history.steps == [0, 2]
    assert history.within(0, np.array([-1.0, -0.1, 0.1, 1.0])).tolist() == [0, 1, 0]
    low, high = history.span()
    assert low < 0 < 1 < high


def test_one_value_far_off_does_not_squeeze_the_others() -> None:
    history, values = History("w", (10_000,)), np.linspace(-1, 1, 10_000)
    values[0] = 1000
    history.add(0, values)
    assert history.span()[1] < 30


def test_histories_split_the_flat_weights() -> None:
    histories = Histories(SHAPES)
    assert histories.last_step == -1
    histories.add(7, np.repeat([1.0, 2.0, 3.0, 4.0], [2000, 40, 200, 5]))
    assert histories.last_step == 7
    middles = [float(history.edges[0].mean()) for history in histories]
    assert middles == pytest.approx([1, 2, 3, 4])


async def test_the_map_widens_with_the_values() -> None:
    app = Single(HistogramView())
    async with app.run_test(size=(100, 40)) as pilot:
        app.view.show(widening(range(0, 501, 50)), 1000)
        await pilot.pause()
        rows = app.rows()
        assert [name for name in SHAPES if any(f"{name} " in row for row in rows)] == list(SHAPES)
        assert any("w1 50×40" in row for row in rows)  # noqa: RUF001
        (top,) = [y for y, row in enumerate(rows) if "w1 " in row]
        (left,) = {rows[top].index("w1")}
        below = next(y for y in range(top + 1, 40) if "▀" not in rows[y])
        heights = [
            sum(app.colour(x, y) != app.colour(left, top + 1) for y in range(top + 1, below))
            for x in (left, left + 20)
        ]
        assert heights[1] > 2 * heights[0]
        # The axis spans the planned steps: the second half is still to come.
        drawn = [x for x, c in enumerate(rows[top + 3]) if c == "▀" and x < 50]
        width = max(x for x, c in enumerate(rows[-2][:52]) if c in "─┬") - left + 1
        assert len(drawn) == pytest.approx(width / 2, abs=2)


async def test_every_step_is_shown_from_its_step_on() -> None:
    histories = Histories({"w": (10,)})
    histories.add(0, np.zeros(10))
    histories.add(60, np.ones(10))
    histories.add(100, np.ones(10))
    app = Single(HistogramView())
    async with app.run_test(size=(60, 20)) as pilot:
        app.view.show(histories, 100)
        await pilot.pause()
        rows = app.rows()
        strong = {}
        left = rows[0].index("w")
        for x in range(left, 60):
            bright = [
                y
                for y in range(1, 18)
                if max(*app.colour(x, y).rgb, *app.background(x, y).rgb) > 200
            ]
            assert len(bright) >= 1
            strong[x] = np.mean(bright)
        low = [x for x, y in strong.items() if y > 9]
        assert len(low) / len(strong) == pytest.approx(0.6, abs=0.05)
        assert low == sorted(low)
        assert low[0] == left


async def test_the_cursor_is_a_line() -> None:
    app = Single(HistogramView())
    async with app.run_test(size=(60, 20)) as pilot:
        app.view.show(widening(range(0, 101, 10)), 100, 50)
        await pilot.pause()
        places = {x for row in app.rows()[1:4] for x, c in enumerate(row) if c == "│"}
        assert len(places) >= 2  # beside the axis


async def test_tensors_without_room_are_left_out_biases_first() -> None:
    app = Single(HistogramView())
    async with app.run_test(size=(30, 13)) as pilot:
        app.view.show(widening(range(0, 101, 10)), 100)
        await pilot.pause()
        text = "\n".join(app.rows())
        assert "w1" in text
        assert "w2" in text
        assert "b1" not in text
        assert "+2 more" in text


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 4), (16, 5), (24, 8), (45, 11), (200, 60)])
@pytest.mark.parametrize("marker", ["ascii", "braille"])
@pytest.mark.parametrize("colours", [ColorSystem.STANDARD, ColorSystem.TRUECOLOR])
async def test_any_size(size: tuple[int, int], marker, colours: ColorSystem) -> None:
    for view, shown in (
        (HistogramView(), (widening(range(0, 101, 10)), 100, 30)),
        (TensorsTable(), (tensors(), 100, 30)),
    ):
        with marked(marker):
            app = Single(view, colours=colours)
            async with app.run_test(size=size) as pilot:
                await pilot.pause()
                view.show(*shown)  # type: ignore[arg-type]
                await pilot.pause()
                rows = app.rows()
                assert all(len(row) == size[0] for row in rows)
                assert marker != "ascii" or "".join(rows).isascii()


# The table ------------------------------------------------------------------------------------


def series(values: np.ndarray) -> Series:
    found = Series()
    found.append(1, 1, values)
    return found


def tensors() -> list[Tensor]:
    rise = np.linspace(1, 2, 100)
    return [
        Tensor(name, series(rise * k), series(-rise / 100), series(rise / 10), series(rise / 1000))
        for k, name in enumerate(SHAPES, 1)
    ]


async def test_the_table_has_norm_mean_std_and_ratio_of_every_tensor() -> None:
    app = Single(TensorsTable())
    async with app.run_test(size=(100, 8)) as pilot:
        app.view.show(tensors(), 100)
        await pilot.pause()
        rows = app.rows()
        assert rows[0].split() == ["norm", "mean", "std", "update/w"]
        for k, (name, row) in enumerate(zip(SHAPES, rows[1:], strict=False), 1):
            words = [w for w in row.split() if not set(w) & set("▁▂▃▄▅▆▇█")]
            assert words == [name, f"{2 * k}", "-0.02", "0.2", "2.0e-03"]
            assert sum(c in "▁▂▃▄▅▆▇█" for c in row) > 30
        app.view.show(tensors(), 100, 1)
        await pilot.pause()
        assert app.rows()[1].split()[1] == "1"


async def test_a_narrow_table_keeps_its_numbers() -> None:
    app = Single(TensorsTable())
    async with app.run_test(size=(36, 8)) as pilot:
        app.view.show(tensors(), 100)
        await pilot.pause()
        row = app.rows()[1]
        assert [w for w in row.split() if not set(w) & set("▁▂▃▄▅▆▇█")] == [
            "w1",
            "2",
            "-0.02",
            "0.2",
        ]
        assert sum(c in "▁▂▃▄▅▆▇█" for c in row) >= 9


@pytest.mark.parametrize("width", [36, 39, 48, 60, 100])
async def test_a_number_of_any_length_keeps_apart_from_what_stands_before_it(width: int) -> None:
    values = (140.0, -8.312e-4, -1.2345e-12, 999.9, -123456.0, -1e-100, 1e300)
    table = [Tensor("w12", *[series(np.full(100, value))] * 4) for value in values]
    app = Single(TensorsTable())
    async with app.run_test(size=(width, 9)) as pilot:
        app.view.show(table, 100)
        await pilot.pause()
        for value, row in zip(values, app.rows()[1:], strict=False):
            name, *words = row.split()
            assert name == "w12"
            numbers = [word for word in words if not set(word) & set("▁▂▃▄▅▆▇█")][:3]
            assert [float(n.replace("k", "e3")) for n in numbers] == [pytest.approx(value, 0.1)] * 3
