"""Lines of many runs over the data."""

from __future__ import annotations

import numpy as np
from textual.app import App, ComposeResult

from tuitrain.spec.catalogue import find
from tuitrain.spec.overrides import override
from tuitrain.ui.pictures import Fit
from tuitrain.ui.widgets.fits import Fits, FittedLine
from tuitrain.ui.widgets.picture import PictureView, span


def line(slope: float, height: float, letter: str, colour: int = 0) -> FittedLine:
    return FittedLine({"w": np.array([[slope]]), "b": np.array([height])}, colour, letter)


def test_every_run_is_a_line_in_its_colour_and_the_first_is_on_top() -> None:
    fits = Fits(find("line-fit"))
    picture = fits([line(2, 5, "A", 3), line(1, 0, "B", 4)])
    assert picture is not None
    lower, upper, data = picture.layers
    assert data.role == "data"
    assert (lower.role, lower.letter, upper.role, upper.letter) == (4, "B", 3, "A")
    np.testing.assert_allclose(upper.y, 2 * upper.x + 5)
    assert fits([line(9, 9, "A")]).x == picture.x  # type: ignore[union-attr]


def test_only_models_with_one_input_are_lines() -> None:
    assert Fits(find("line-fit")).possible
    for name in ("sales-mse", "parabola-decay", "cross-entropy-two-guesses"):
        assert not Fits(find(name)).possible
        assert Fits(find(name))([line(1, 1, "A")]) is None


def test_a_run_without_weights_has_no_line() -> None:
    picture = Fits(find("line-fit"))([FittedLine({}, 0, "A"), line(2, 5, "B")])
    assert picture is not None
    assert [layer.letter for layer in picture.layers] == ["B", "o"]


class Pictures(App[None]):
    def compose(self) -> ComposeResult:
        yield PictureView()


async def test_letters_stand_on_their_lines() -> None:
    app = Pictures()
    async with app.run_test(size=(60, 20)) as pilot:
        view = app.query_one(PictureView)
        picture = Fits(find("line-fit"))([line(2, 5, "A"), line(0, 5, "B", 1)])
        assert picture is not None
        view.show(picture)
        await pilot.pause()
        rows = [view.render_line(y).text for y in range(20)]
        places = {c: (r.index(c), y) for y, r in enumerate(rows) for c in "AB" if c in r}
        assert sum(row.count("o") for row in rows) >= 3  # the data, with lines over them
        assert places["A"][0] != places["B"][0]
        assert places["A"][1] < places["B"][1]  # where x is positive, the steeper is higher
        for x, y in places.values():
            assert any(0x2800 < ord(c) < 0x2900 for c in rows[y][x - 2 : x + 3])
        for lines in ([], [line(np.nan, 0, "A")], [line(1e300, 0, "A")]):
            view.show(Fits(find("line-fit"))(lines))
            await pilot.pause()


def test_classes_are_not_compared_with_what_comes_before_their_probability() -> None:
    assert Fit(override(find("moons"), {"model.kind": "linear"})).base is None
    assert Fit(find("sales-mse")).base is not None


def test_an_axis_has_some_length_however_near_the_values_are() -> None:
    low, high = span([0.0, 1e-320])
    assert high - low > 0.1
