"""The decision boundary: ground, contour, points, and what is read from it."""

from __future__ import annotations

import numpy as np
import pytest
from rich.color import ColorSystem
from textual.color import Color

from tests.ui.single import Single, marked
from tuitrain.record.landscape import Window
from tuitrain.ui.colours import series_colour
from tuitrain.ui.widgets.boundary import BoundaryView, Scatter
from tuitrain.ui.widgets.leaders import Leaders
from tuitrain.ui.widgets.relief import interpolated

SQUARE = Window((-3.0, 3.0), (-3.0, 3.0))
POINTS = np.array([[-2.0, 2.0], [2.0, 2.0], [-2.0, -2.0], [2.0, -2.0]])


def scatter(**changes) -> Scatter:
    """Class 0 to the left, class 1 to the right; the lower two rows are for testing."""
    given = {
        "x": POINTS,
        "target": np.array([0.0, 1.0, 0.0, 1.0]),
        "test": np.array([False, False, True, True]),
        "window": SQUARE,
        "inputs": ("x1", "x2"),
        "classes": ("blue", "red"),
    }
    return Scatter(**{**given, **changes})


def plane(function, size: int = 48, window: Window = SQUARE) -> np.ndarray:
    """function(x1, x2) over a window, [G, G, K]."""
    x1, x2 = np.meshgrid(np.linspace(*window.x, size), np.linspace(*window.y, size))
    values = function(x1, x2)
    return values[..., None] if values.ndim == 2 else values


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def place(app: Single, x1: float, x2: float) -> tuple[int, int]:
    """The cell at a point of the plane."""
    area, window = app.view._area, app.view.window  # type: ignore[attr-defined]
    across = (x1 - window.x[0]) / window.size[0]
    up = (x2 - window.y[0]) / window.size[1]
    return area.x + int(across * area.width), area.y + int((1 - up) * area.height)


def hue(colour: Color, other: Color) -> bool:
    """Whether a ground has a class's colour: the same part is the strongest."""
    return int(np.argmax(colour.rgb)) == int(np.argmax(other.rgb))


async def test_each_side_has_the_colour_of_its_class_and_is_stronger_where_it_is_surer() -> None:
    app = Single(BoundaryView())
    async with app.run_test(size=(60, 30)) as pilot:
        app.view.show(scatter(), plane(lambda x1, x2: sigmoid(x1 - 0 * x2)))
        await pilot.pause()
        blue, red = series_colour(0), series_colour(1)
        lefts = [app.background(*place(app, x, 0.5)) for x in (-2.8, -1.5, -0.4)]
        rights = [app.background(*place(app, x, 0.5)) for x in (2.8, 1.5, 0.4)]
        assert all(hue(c, blue) for c in lefts)
        assert all(hue(c, red) for c in rights)
        for side in (lefts, rights):
            assert side[0].brightness > side[1].brightness > side[2].brightness


async def test_up_is_the_second_input() -> None:
    app = Single(BoundaryView())
    async with app.run_test(size=(60, 30)) as pilot:
        app.view.show(scatter(), plane(lambda x1, x2: sigmoid(4 * (x2 - 1) + 0 * x1)))
        await pilot.pause()
        assert hue(app.background(*place(app, 0, 2.5)), series_colour(1))
        assert hue(app.background(*place(app, 0, 0.0)), series_colour(0))
        # The line lies at x2 = 1.
        column, row = place(app, -1.0, 1.0)
        assert any(0x2800 < ord(app.rows()[y][column]) < 0x2900 for y in (row - 1, row, row + 1))


async def test_classes_have_signs_and_rows_for_testing_are_hollow() -> None:
    app = Single(BoundaryView())
    async with app.run_test(size=(60, 30)) as pilot:
        app.view.show(scatter(), plane(lambda x1, x2: sigmoid(x1 - 0 * x2)))
        await pilot.pause()
        rows = app.rows()
        found = [rows[y][x] for x, y in (place(app, *point) for point in POINTS.tolist())]
        assert found == ["●", "■", "○", "□"]
        x, y = place(app, *POINTS[0])
        assert hue(app.colour(x, y), series_colour(0))
        assert hue(app.background(x, y), series_colour(0))  # the ground goes on beneath it
        assert rows[0].split() == ["x2", "vs", "x1", "●", "blue", "■", "red", "○", "test"]


async def test_contours_lie_where_the_probability_is_a_half() -> None:
    app = Single(BoundaryView())
    async with app.run_test(size=(80, 40)) as pilot:
        app.view.show(
            scatter(x=POINTS[:0], target=np.zeros(0), test=np.zeros(0, bool)),
            plane(lambda x1, x2: sigmoid(4 - x1**2 - x2**2)),
        )
        await pilot.pause()
        area = app.view._area
        marks = [
            (x, y)
            for y, row in enumerate(app.rows())
            for x, c in enumerate(row)
            if 0x2800 < ord(c) < 0x2900 and y < area.y + area.height
        ]
        assert len(marks) > 40
        for x, y in marks:
            x1 = -3 + 6 * (x - area.x + 0.5) / area.width
            x2 = 3 - 6 * (y - area.y + 0.5) / area.height
            assert np.hypot(x1, x2) == pytest.approx(2.0, abs=0.15)


async def test_three_classes_part_in_lines_and_each_has_its_colour() -> None:
    def thirds(x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
        logits = np.stack([-4 * x1, 4 * x1, 4 * x2 - 4], axis=-1)
        shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return shares / shares.sum(axis=-1, keepdims=True)

    app = Single(BoundaryView())
    async with app.run_test(size=(60, 30)) as pilot:
        three = scatter(classes=("one", "two", "three"), target=np.array([0.0, 1, 2, 2]))
        app.view.show(three, plane(thirds))
        await pilot.pause()
        for number, point in enumerate([(-2.5, -1.0), (2.5, -1.0), (0.0, 2.8)]):
            ground, colour = app.background(*place(app, *point)), series_colour(number)
            dark = Color.parse("#12161c")
            assert ground.rgb == pytest.approx(dark.blend(colour, 0.5).rgb, abs=12)
        rows = app.rows()
        assert [rows[y][x] for x, y in (place(app, *p) for p in POINTS[2:].tolist())] == ["△"] * 2


async def test_numbers_have_a_bar_and_lines_of_equal_value() -> None:
    app = Single(BoundaryView())
    async with app.run_test(size=(60, 30)) as pilot:
        numbers = scatter(classes=(), target=np.array([-1.0, 1.0, -0.2, 0.4]))
        app.view.show(numbers, plane(lambda x1, x2: (x1 + 0 * x2) / 3))
        await pilot.pause()
        assert hue(app.background(*place(app, -2.8, 0.5)), series_colour(0))
        assert hue(app.background(*place(app, 2.8, 0.5)), series_colour(1))
        area, rows = app.view._area, app.rows()
        bar = [row[area.x + area.width :].split() for row in rows[area.y : area.y + area.height]]
        told = [float(words[1]) for words in bar if len(words) > 1]
        assert told == sorted(told, reverse=True)
        assert (max(told), min(told)) == (1.0, -1.0) or len(told) >= 3
        assert hue(app.background(area.x + area.width + 1, area.y), series_colour(1))
        lines = sum(0x2800 < ord(c) < 0x2900 for c in "".join(rows))
        assert lines > 3 * area.height
        assert rows[0].split()[3:] == ["○", "test,", "●", "train"]


@pytest.mark.parametrize(
    ("targets", "span"),
    [([100, 110], (100, 110)), ([-110, -100], (-110, -100)), ([-3, 2], (-3, 3)), ([], (0, 1))],
)
def test_shades_span_the_numbers_and_not_zero(targets: list[float], span: tuple[float, float]):
    assert scatter(target=np.array(targets, float)).span == span


async def test_axes_are_in_the_units_of_the_data() -> None:
    app = Single(BoundaryView())
    window = Window((100.0, 400.0), (0.0, 0.3))
    async with app.run_test(size=(60, 30)) as pilot:
        grid = plane(lambda x1, x2: sigmoid(x1 - 250 + 0 * x2), window=window)
        given = scatter(window=window, x=np.array([[150.0, 0.1]]), target=np.zeros(1))
        app.view.show(Scatter(**{**vars(given), "test": np.zeros(1, bool)}), grid)
        await pilot.pause()
        assert app.view._area.width > 50  # unlike units need not be square
        rows = app.rows()
        assert "200" in rows[-1]
        assert any(row.startswith("0.2") for row in rows)
        x, y = place(app, 150.0, 0.1)
        assert rows[y][x] == "●"


async def test_a_square_stays_about_square() -> None:
    app = Single(BoundaryView())
    async with app.run_test(size=(150, 20)) as pilot:
        app.view.show(scatter(), plane(lambda x1, x2: sigmoid(x1 - 0 * x2)))
        await pilot.pause()
        area = app.view._area
        assert area.width <= 1.15 * 2 * area.height + 1
        assert abs((area.x - 2) - (150 - area.x - area.width)) < 6  # in the middle


async def test_it_reads_the_prediction_under_the_mouse() -> None:
    app = Single(BoundaryView())
    async with app.run_test(size=(80, 40)) as pilot:
        app.view.show(scatter(), plane(lambda x1, x2: sigmoid(x1 - 0 * x2)))
        await pilot.pause()
        x, y = place(app, 1.5, 0.5)
        await pilot.hover(BoundaryView, offset=(x, y))
        await pilot.pause()
        told = app.rows()[0]
        assert "red" in told
        share = float(told.split("red")[1].split("%")[0])
        at = -3 + 6 * (x - app.view._area.x + 0.5) / app.view._area.width
        assert share == pytest.approx(100 * float(sigmoid(np.array(at))), abs=1.0)


async def test_before_the_first_picture_the_data_are_there_alone() -> None:
    app = Single(BoundaryView(placeholder="not yet"))
    async with app.run_test(size=(60, 30)) as pilot:
        assert "not yet" in "".join(app.rows())
        app.view.show(scatter(), None)
        await pilot.pause()
        text = "".join(app.rows())
        assert text.count("●") == 2  # of the legend, too
        assert "▀" not in text


async def test_what_is_not_finite_has_no_shade() -> None:
    def half(x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
        return np.where(x1 > 0, np.nan, 0.9 + 0 * x2)

    app = Single(BoundaryView())
    async with app.run_test(size=(60, 30)) as pilot:
        app.view.show(scatter(), plane(half))
        await pilot.pause()
        assert app.background(*place(app, 2.5, 0.5)) == Color.parse("#12161c")
        assert hue(app.background(*place(app, -2.5, 0.5)), series_colour(1))
        for classes, values in (
            ((), half),
            (("a", "b", "c"), lambda a, b: np.full((48, 48, 3), np.nan)),
        ):
            target = np.array([0.0, 1.0, 1.0, 0.0])
            app.view.show(scatter(classes=classes, target=target), plane(values))
            await pilot.pause()
            assert "●" in "".join(app.rows())


@pytest.mark.parametrize("colours", [ColorSystem.STANDARD, ColorSystem.TRUECOLOR])
async def test_in_sixteen_colours_or_ascii_regions_are_told_by_dots(colours: ColorSystem) -> None:
    marker = "braille" if colours == ColorSystem.STANDARD else "ascii"
    app = Single(BoundaryView(), colours=colours)
    with marked(marker):
        async with app.run_test(size=(80, 40)) as pilot:
            app.view.show(scatter(), plane(lambda x1, x2: sigmoid(3 * x1 - 0 * x2)))
            await pilot.pause()
            rows, area = app.rows(), app.view._area
            text = "".join(rows)
            assert "▀" not in text
            assert marker != "ascii" or text.isascii()
            left = [row[area.x : area.x + area.width // 2 - 2] for row in rows[1 : area.height]]
            right = [
                row[area.x + area.width // 2 + 2 : area.x + area.width]
                for row in rows[1 : area.height]
            ]
            signs = " ●○■□" if marker == "braille" else " OoXx"
            assert not set("".join(left)) - set(signs)
            dots = sum(c not in signs for c in "".join(right))
            assert dots > 0.15 * sum(map(len, right))
            found = [rows[y][x] for x, y in (place(app, *point) for point in POINTS.tolist())]
            assert found == (["●", "■", "○", "□"] if marker == "braille" else list("OXox"))


async def test_256_colours_keep_their_hue() -> None:
    app = Single(BoundaryView(), colours=ColorSystem.EIGHT_BIT)
    async with app.run_test(size=(60, 30)) as pilot:
        app.view.show(scatter(), plane(lambda x1, x2: sigmoid(4 * x1 - 0 * x2)))
        await pilot.pause()
        for x, number in ((-2.8, 0), (2.8, 1)):
            ground = app.background(*place(app, x, 0.5))
            assert hue(ground, series_colour(number))
            assert max(ground.rgb) - min(ground.rgb) > 100


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 4), (16, 5), (21, 6), (45, 11), (200, 60)])
@pytest.mark.parametrize("colours", [ColorSystem.STANDARD, ColorSystem.TRUECOLOR])
@pytest.mark.parametrize("classes", [(), ("blue", "red")])
async def test_any_size(size: tuple[int, int], colours: ColorSystem, classes) -> None:
    app = Single(BoundaryView(), colours=colours)
    async with app.run_test(size=size) as pilot:
        app.view.show(scatter(classes=classes), plane(lambda x1, x2: sigmoid(x1 + x2)))
        await pilot.pause()
        assert [len(row) for row in app.rows()] == [size[0]] * size[1]


async def test_points_never_bury_the_ground() -> None:
    random = np.random.default_rng(0)
    many = scatter(
        x=random.uniform(-3, 3, (5000, 2)),
        target=np.zeros(5000),
        test=np.zeros(5000, bool),
    )
    app = Single(BoundaryView())
    async with app.run_test(size=(60, 30)) as pilot:
        app.view.show(many, plane(lambda x1, x2: sigmoid(x1 - 0 * x2)))
        await pilot.pause()
        area = app.view._area
        points = sum(row.count("●") for row in app.rows()[1:])
        assert 0.1 < points / (area.width * area.height) <= 0.34


# Many classes ---------------------------------------------------------------------------------


def voronoi(count: int, sharp: float = 2.0) -> np.ndarray:
    """Probabilities of classes that lie around random places, [48, 48, K]."""
    places = np.random.default_rng(0).uniform(-3, 3, (count, 2))

    def near(x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
        far = (x1[..., None] - places[:, 0]) ** 2 + (x2[..., None] - places[:, 1]) ** 2
        shares = np.exp(-sharp * (far - far.min(axis=-1, keepdims=True)))
        return shares / shares.sum(axis=-1, keepdims=True)

    return plane(near)


def test_the_leads_are_those_over_the_best_of_all_others() -> None:
    grid = voronoi(12)
    seen = dict.fromkeys(range(12), False)
    for lead, (down, right) in Leaders.of(grid).leads(grid):
        middle = np.unravel_index(lead.argmax(), lead.shape)
        number = int(grid[down, right][middle].argmax())
        others = np.delete(grid, number, axis=2).max(axis=2)
        whole = grid[:, :, number] - others
        np.testing.assert_array_equal(lead, whole[down, right])
        outside = whole.copy()
        outside[down, right] = -1
        assert outside.max() < 0  # no line is cut off
        seen[number] = True
    assert all(seen.values())


def test_the_leader_of_every_pixel_is_that_of_all_classes_interpolated() -> None:
    grid = voronoi(12)
    x, y = np.linspace(-3.1, 3, 70), np.linspace(3, -3, 50)
    side, lead = Leaders.of(grid).sides(grid, SQUARE, x, y)
    every = np.stack([interpolated(grid[:, :, k], SQUARE, x, y) for k in range(12)], axis=-1)
    known = ~np.isnan(every[..., 0])
    assert not known.all()
    np.testing.assert_array_equal(np.isnan(lead), ~known)
    best = np.sort(every, axis=-1)[known]
    np.testing.assert_array_equal(side[known], every.argmax(axis=-1)[known])
    np.testing.assert_allclose(lead[known], best[:, -1] - best[:, -2], atol=1e-12)


async def test_a_thousand_classes_are_drawn_and_those_left_out_of_the_legend_counted() -> None:
    names = tuple(map(str, range(1000)))
    app = Single(BoundaryView())
    async with app.run_test(size=(60, 30)) as pilot:
        app.view.show(scatter(classes=names, target=np.array([0.0, 1, 998, 999])), voronoi(1000))
        await pilot.pause()
        told = app.rows()[1].split()
        assert told[-1] == "more"
        assert told[1::2][:4] == ["0", "1", "2", "3"]
        assert int(told[-2].replace(",", "").lstrip("+")) + len(told[:-2]) // 2 == 1001
