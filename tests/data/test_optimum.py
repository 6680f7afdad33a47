"""Every optimum against the course's own numbers, an exhaustive search, or the trainer's loss."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tuitrain.data.optimum import optimum
from tuitrain.spec.catalogue import catalogue, find
from tuitrain.spec.load import decode
from tuitrain.spec.overrides import override
from tuitrain.spec.preset import Preset
from tuitrain.spec.size import shapes
from tuitrain.train.probes import Surface

COURSE: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "reference" / "course.json").read_text(encoding="utf-8")
)


def judged(preset: Preset, weights: np.ndarray) -> np.ndarray:
    """The trainer's own loss of flat weights [n, P], in float64."""
    return Surface(preset)(np.asarray(weights, np.float64))


def flat(weights: dict[str, np.ndarray]) -> np.ndarray:
    return np.concatenate([np.ravel(value) for value in weights.values()])


def test_the_least_squares_of_the_course() -> None:
    found, course = optimum(find("sales-mse")), COURSE["sales-mse"]
    assert found is not None
    assert flat(found.weights) == pytest.approx(course["least_squares_optimum"], abs=5e-6)
    assert found.loss == pytest.approx(course["optimum_loss"], abs=5e-7)


def test_the_linear_program_of_the_course() -> None:
    found, course = optimum(find("sales-cost1-profit99")), COURSE["sales-cost1-profit99"]
    assert found is not None
    assert flat(found.weights) == pytest.approx(course["linear_program_optimum"], abs=5e-6)
    assert found.loss == pytest.approx(course["optimum_loss"], abs=5e-4)


KNOWN = [name for name in catalogue() if optimum(find(name)) is not None]


def test_of_which_presets_an_optimum_is_known() -> None:
    """Of all whose predictions are linear in the weights, and of free logits and parabolas."""
    deep = {name for name in catalogue() if getattr(find(name).model, "hidden", []) != []}
    assert deep
    assert not deep & set(KNOWN)
    assert {"plane", "line-fit", "parabola-decay", "cross-entropy-two-guesses"} < set(KNOWN)


@pytest.mark.parametrize("name", KNOWN)
def test_no_weights_near_an_optimum_are_better(name: str) -> None:
    preset, found = find(name), optimum(find(name))
    assert found is not None
    if not found.weights:
        return
    best = flat(found.weights)
    assert {k: v.shape for k, v in found.weights.items()} == shapes(preset)
    assert judged(preset, best[np.newaxis])[0] == pytest.approx(found.loss, rel=1e-12, abs=1e-20)
    random = np.random.default_rng(1)
    for distance in (1e-4, 1e-2, 1.0, 10.0):
        others = best + distance * random.normal(size=(500, best.size))
        assert judged(preset, others).min() >= found.loss - 1e-12


def exhaustive(x: np.ndarray, y: np.ndarray, cost: float, profit: float) -> float:
    """The least sum of prices over all vertices."""
    least = np.inf
    for rows in combinations(range(len(x)), x.shape[1]):
        corner = x[list(rows)]
        if abs(np.linalg.det(corner)) > 1e-9:
            error = x @ np.linalg.solve(corner, y[list(rows)]) - y
            error[abs(error) < 1e-9] = 0
            least = min(least, float(np.where(error > 0, cost * error, -profit * error).sum()))
    return least


def points(x: Any, y: Any, loss: dict[str, Any], *, bias: bool = False) -> Preset:
    return decode(
        {
            "title": "t",
            "data": {"kind": "points", "x": x, "y": y},
            "model": {"kind": "linear", "bias": bias},
            "loss": loss,
            "optimizer": {"name": "sgd"},
            "train": {"steps": 1},
        },
        "points",
    )


numbers = st.integers(-8, 8).map(lambda n: n / 4)


@settings(deadline=None)
@given(st.data())
def test_the_linear_program_against_all_vertices(data: st.DataObject) -> None:
    """Small whole numbers: rows repeat, lie on planes by chance, and depend on each other."""
    width = data.draw(st.integers(1, 3))
    row = st.lists(numbers, min_size=width, max_size=width)
    x = data.draw(st.lists(row, min_size=width, max_size=9))
    y = data.draw(st.lists(numbers, min_size=len(x), max_size=len(x)))
    cost, profit = data.draw(st.tuples(*[st.sampled_from([0, 1, 3, 99])] * 2))
    found = optimum(points(x, y, {"kind": "asymmetric", "cost": cost, "profit": profit}))
    if np.linalg.matrix_rank(x) < width:
        assert found is None
    else:
        assert found is not None
        assert found.loss == pytest.approx(
            exhaustive(np.array(x), np.array(y), cost, profit), rel=1e-9, abs=1e-9
        )


@pytest.mark.parametrize(
    ("x", "y", "cost", "profit"),
    [
        (
            [[0.75, 1.25]] * 2 + [[0, 0]] * 2 + [[0, -1.5], [0.5, -1.5]],
            [0, -0.25, 0, 0, 0, 0],
            1,
            0,
        ),
        ([[2, 1], [2, 1], [2, 5], [-1, 0], [-1, 0]], [-1, 5, -1, 0, 3], 0, 1),
        (
            [[3, 0], [-3, 4], [5, 3], [3, 0], [3, 0], [-4, 1], [-2, 6]],
            [0, 4, 2, 0, -6, 6, -4],
            0,
            9,
        ),
    ],
)
def test_a_row_that_stands_there_twice_is_met_once(
    x: list[list[float]], y: list[float], cost: float, profit: float
) -> None:
    found = optimum(points(x, y, {"kind": "asymmetric", "cost": cost, "profit": profit}))
    assert found is not None
    assert found.loss == pytest.approx(exhaustive(np.array(x), np.array(y), cost, profit), abs=1e-9)


def test_inputs_of_very_different_sizes() -> None:
    """A year and a price beside a bias: a small share of a row is no rounding."""
    years = [2008, 2010, 2006, 2017, 2018, 2012, 2008, 2005]
    prices = [6.7e8, 5.9e8, 8.5e8, 2e7, 1.9e8, 2.1e8, 4.8e8, 8e8]
    x = [[1.0, *row] for row in zip(years, prices, strict=True)]
    y = [-5.0, -2.0, 5.0, -5.0, 3.0, 0.0, -5.0, 1.0]
    found = optimum(points(x, y, {"kind": "asymmetric", "cost": 1, "profit": 1}))
    assert found is not None
    assert found.loss == pytest.approx(exhaustive(np.array(x), np.array(y), 1, 1), rel=1e-9)


def test_a_price_may_be_a_hundred_million_times_the_other() -> None:
    x = [[v] for v in (-2, 1, 2, -0.3403020148718656, 0.6140935215954126, 0)]
    y = [0, 0.8310249512782744, 0, 0, -2, 1]
    found = optimum(points(x, y, {"kind": "asymmetric", "cost": 1e-6, "profit": 99}, bias=True))
    assert found is not None
    rows = np.hstack([x, np.ones((6, 1))])
    assert found.loss == pytest.approx(exhaustive(rows, np.array(y), 1e-6, 99), rel=1e-9)


@pytest.mark.parametrize("loss", [{"kind": "mse"}, {"kind": "asymmetric"}])
def test_rows_that_depend_on_each_other_but_for_rounding_have_no_optimum(loss: Any) -> None:
    changes = {"data.rows": 2, "data.standardise": True, "model.bias": False}
    assert optimum(override(find("sales-mse"), changes)) is None
    nearly = [[1 + 1e-10, -1.0], [-1.0, 1 + 1e-10]]
    assert optimum(points(nearly, [-1.0, -2.0], loss)) is None


@pytest.mark.parametrize(
    "formula",
    ["1e-160*w^4 + 1e160*w^2", "1e-300*w^4 + 1e300*w^2", "1e-200*w^2 + 1e200*w"],
)
def test_a_formula_beyond_float64_has_no_optimum(formula: str) -> None:
    assert optimum(override(find("parabola-decay"), {"loss.formula": formula})) is None


@pytest.mark.parametrize("kind", ["mse", "asymmetric"])
@pytest.mark.parametrize("size", [1e-320, 1e300, 1e308])
def test_targets_beyond_float64_have_no_optimum_or_a_finite_one(kind: str, size: float) -> None:
    y = [size, -size, size / 10]
    for x in ([[1.0], [2.0], [3.0]], [[1e-320]] * 3, [[1e-170], [2e-170], [3e-170]]):
        found = optimum(points(x, y, {"kind": kind}, bias=False))
        assert found is None or np.isfinite([found.loss, *flat(found.weights)]).all()


def test_a_large_linear_program_is_solved_at_once() -> None:
    preset = override(find("sales-cost1-profit99"), {"data.rows": 20_000})
    found = optimum(preset)
    assert found is not None
    best = flat(found.weights)
    around = best + 1e-6 * np.array([[1, 0], [-1, 0], [0, 1], [0, -1], [1, -1], [-1, 1]])
    assert (judged(preset, around) > found.loss).all()


def test_several_outputs_and_a_bias() -> None:
    x = [[0.0], [1.0], [2.0], [4.0]]
    y = [[1.0, 0.0], [3.0, 0.5], [4.0, 3.0], [9.5, 1.0]]
    for kind in ({"kind": "mse"}, {"kind": "asymmetric", "cost": 2, "reduce": "mean"}):
        preset = points(x, y, kind, bias=True)
        found = optimum(preset)
        assert found is not None
        assert {k: v.shape for k, v in found.weights.items()} == {"w": (1, 2), "b": (2,)}
        best = flat(found.weights)
        assert judged(preset, best[np.newaxis])[0] == pytest.approx(found.loss, rel=1e-12)
        others = best + 0.1 * np.random.default_rng(2).normal(size=(2000, 4))
        assert judged(preset, others).min() >= found.loss


@pytest.mark.parametrize(
    ("formula", "least", "place"),
    [
        ("(w + 1)^2", 0.0, -1.0),
        ("w^4 - 2*w^2 + w/8", None, None),
        ("3 - 2*w + w*w", 2.0, 1.0),
        ("(w - 2)^4 + 5", 5.0, 2.0),
    ],
)
def test_a_polynomial_is_least_at_a_root(
    formula: str, least: float | None, place: float | None
) -> None:
    preset = find("parabola-constant")
    preset = replace(preset, loss=replace(preset.loss, formula=formula))
    found = optimum(preset)
    assert found is not None
    w = np.linspace(-10, 10, 200_001)[:, np.newaxis]
    assert found.loss <= judged(preset, w).min() + 1e-12
    if least is not None:
        assert found.loss == pytest.approx(least, abs=1e-12)
        assert flat(found.weights)[0] == pytest.approx(place, abs=1e-3)


@pytest.mark.parametrize(
    "formula", ["w^3", "-w^2", "w", "sin(w)", "abs(w)", "1/w^2", "w^200", "exp(w)"]
)
def test_what_has_no_exact_least_value_has_none(formula: str) -> None:
    preset = find("parabola-constant")
    assert optimum(replace(preset, loss=replace(preset.loss, formula=formula))) is None


def test_free_logits_give_the_mean_target() -> None:
    preset = find("cross-entropy-two-guesses")
    sure = optimum(preset)
    assert sure is not None
    assert (sure.loss, sure.weights) == (0.0, {})
    unsure = replace(preset, data=replace(preset.data, y=[[1, 0], [1, 0], [0, 1]]))  # type: ignore[type-var]
    found = optimum(unsure)
    assert found is not None
    assert found.loss == pytest.approx(-(2 * np.log(2 / 3) + np.log(1 / 3)) / 3)
    assert judged(unsure, flat(found.weights)[np.newaxis])[0] == pytest.approx(found.loss)


def test_where_large_weights_cost_something_nothing_is_known() -> None:
    preset = override(find("sales-mse"), {"regularisation.l2": 0.1})
    assert optimum(preset) is None


def test_a_network_of_one_layer_is_a_linear_model() -> None:
    layer = override(
        find("line-fit"), {"model": {"kind": "network", "init": {"w1": [[0.0]], "b1": [0.0]}}}
    )
    found, expected = optimum(layer), optimum(find("line-fit"))
    assert found is not None
    assert expected is not None
    assert found.loss == expected.loss
    assert list(found.weights) == ["w1", "b1"]
    assert flat(found.weights).tolist() == flat(expected.weights).tolist()
    bent = override(layer, {"model.output": "softplus"})
    assert optimum(bent) is None
