"""The least possible loss of a preset, where it is known exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from tuitrain.data.dataset import Dataset, dataset
from tuitrain.spec.expression import evaluate
from tuitrain.spec.loss import (
    Asymmetric,
    Expression,
    MeanSquared,
    Regularisation,
    SoftmaxCrossEntropy,
)
from tuitrain.spec.model import Linear, Network, Parameter
from tuitrain.spec.preset import Preset
from tuitrain.spec.size import shapes

Matrix = NDArray[np.float64]

MOST_VALUES = 1_000_000
"""Inputs (rows x parameters) up to which an optimum is worked out: within a second."""

MOST_DEGREES = 16
"""Degree of a polynomial up to which its roots are good to many digits."""

NUDGE = 1e-10
"""By how much of their size targets are moved apart, so that no row lies on a plane by chance."""

ROUNDING = 1e-12
"""Cosine below which two directions are at right angles but for rounding; and size beside the
whole below which a direction of the rows is none."""

MOST_CANCELLED = 1e8
"""Targets that the terms of a prediction may be large; of larger ones, rounding is what is left."""

SLACK = 1e-13
"""Share of its terms below which the slope of a sum is zero but for rounding."""


@dataclass(frozen=True)
class Optimum:
    """The least loss on the whole training set.

    Attributes:
        loss: the least loss; where no finite weights attain it, its infimum.
        weights: a place where it is reached, by parameter in its shape; empty where it is
            reached only at infinity.
        method: how it was found, in words.
    """

    loss: float
    weights: dict[str, NDArray[np.float64]]
    method: str


def optimum(preset: Preset) -> Optimum | None:
    """The least possible loss of a preset; None where there is no exact way to it.

    Predictions that are linear in the parameters have one: a mean of squares is a least-squares
    problem, the asymmetric loss a linear program. The cross-entropy of free logits is least where
    they give the mean target, a formula that is a polynomial at a root of its derivative. Nothing
    is known of deeper networks, nor with regularisation, nor where the numbers are too large or
    too small for float64.
    """
    if preset.regularisation != Regularisation():
        return None
    with np.errstate(all="ignore"):
        try:
            found = _exact(preset)
        except np.linalg.LinAlgError:
            return None
    if found is None:
        return None
    numbers = np.hstack([found.loss, *map(np.ravel, found.weights.values())])
    return found if np.isfinite(numbers).all() else None


def _exact(preset: Preset) -> Optimum | None:
    match preset.loss, preset.model:
        case Expression(formula=formula), _:
            return _of_formula(formula, shapes(preset)["w"])
        case SoftmaxCrossEntropy(), Parameter():
            return _of_logits(_rows(preset).y)
        case ((MeanSquared() | Asymmetric()), (Linear() | Parameter())):
            return _of_linear(preset)
        case ((MeanSquared() | Asymmetric()), Network(hidden=[], output="linear")):
            return _of_linear(preset)
    return None


def optima(presets: Mapping[str, Preset]) -> dict[str, Optimum]:
    """The least possible loss of every preset for which it is known, by its key."""
    known = {name: optimum(preset) for name, preset in presets.items()}
    return {name: found for name, found in known.items() if found is not None}


def _rows(preset: Preset) -> Dataset:
    rows = dataset(preset)
    assert rows is not None  # only a formula has none
    return rows


class _Formula(Polynomial):
    """What a formula makes of the polynomial w, if it makes a polynomial of it."""

    def __pow__(self, power: float) -> _Formula:  # type: ignore[override]
        if self.degree() * power > MOST_DEGREES:
            raise ValueError("the degree is too high")
        raised: _Formula = super().__pow__(power)
        return raised


def _of_formula(formula: str, shape: tuple[int, ...]) -> Optimum | None:
    """A polynomial in every element of w; None for anything else, or one without a least value."""
    try:
        loss = evaluate(formula, _Formula([0.0, 1.0]))
    except (TypeError, ValueError, ArithmeticError):
        return None
    if not isinstance(loss, Polynomial) or not np.isfinite(loss.coef).all():
        return None
    degree = loss.trim().degree()
    if degree == 0 or degree % 2 or degree > MOST_DEGREES or loss.trim().coef[-1] < 0:
        return None
    # rounding gives a multiple root a small imaginary part, so every root is tried
    places = loss.deriv().trim().roots().real
    values = evaluate(formula, places)
    best = int(values.argmin())
    weights = np.full(shape, places[best])
    return Optimum(float(values[best]) * weights.size, {"w": weights}, "root of the derivative")


def _of_logits(y: Matrix) -> Optimum:
    """Logits that are the same for every row: their softmax should be the mean target."""
    mean = y.mean(axis=0)
    sure = mean[mean > 0]
    loss = float(abs((sure * np.log(sure)).sum()))
    reached = {"w": np.log(mean)} if (mean > 0).all() else {}
    return Optimum(loss, reached, "softmax = mean target" if reached else "at infinity")


def _of_linear(preset: Preset) -> Optimum | None:
    """Predictions that are linear in the parameters: x w + b, or a free w for every row."""
    data, loss = _rows(preset), preset.loss
    with_bias = isinstance(preset.model, Linear | Network) and preset.model.bias
    # a free parameter is the bias of a model without inputs
    ones = [np.ones((len(data.y), 1))] if with_bias or isinstance(preset.model, Parameter) else []
    x = np.hstack([data.x, *ones])
    if x.size > MOST_VALUES or not np.isfinite(x).all():
        return None
    # Inputs of one size, exactly: or some would pass for rounding beside others.
    _, powers = np.frexp(np.abs(x).max(axis=0))
    x = np.ldexp(x, -powers)
    if np.linalg.matrix_rank(x, tol=ROUNDING * np.linalg.norm(x)) < x.shape[1]:
        return None
    if isinstance(loss, Asymmetric):
        found = [_least_priced(x, y, loss.cost, loss.profit) for y in data.y.T]
        if any(w is None for w in found):
            return None
        w, method = np.column_stack([w for w in found if w is not None]), "linear program"
        error = x @ w - data.y
        prices = np.where(error > 0, loss.cost * error, -loss.profit * error)
        least = prices.sum() if loss.reduce == "sum" else prices.mean()
    else:
        solution = np.linalg.lstsq(x, data.y, rcond=None)[0]
        w, method = np.asarray(solution, np.float64), "least squares"
        least = ((x @ w - data.y) ** 2).mean()
    if (np.abs(x) @ np.abs(w)).max() > MOST_CANCELLED * np.abs(data.y).max():
        return None
    w = np.ldexp(w, -powers[:, np.newaxis])
    inputs = data.x.shape[1]
    parts = (w[:inputs], w[inputs]) if with_bias else (w,)
    weights = {
        name: part.reshape(shape)
        for (name, shape), part in zip(shapes(preset).items(), parts, strict=True)
    }
    return Optimum(float(least), weights, method)


def _least_priced(x: Matrix, y: Matrix, cost: float, profit: float) -> Matrix | None:
    """The w `[P]` with the least sum of prices of x w - y: a linear program.

    The least value lies at a vertex, where as many rows as there are parameters are met exactly.
    From one vertex, the steepest edge (one of these rows let go, to either side) is followed to
    the lowest vertex on it, until no edge leads down.

    Barrodale and Roberts (1973), "An improved algorithm for discrete L1 linear approximation".

    Args:
        x: inputs [N, P] of rank P, their columns about equally large.
        y: targets [N].
        cost: price of one unit predicted too much.
        profit: price of one unit predicted too little.
    """
    # Rows that are met by chance would hide edges. An optimal set of rows stays optimal when
    # the targets are moved back.
    size = NUDGE * (np.abs(y).max() or 1.0)
    moved = y + size * np.random.RandomState(0).uniform(-1, 1, len(y))
    met, lengths = _independent(x), np.linalg.norm(x, axis=1)
    for _ in range(len(x) + 1000):  # far more than it takes, unless rounding leads in a circle
        edges = np.linalg.inv(x[met])  # [P, P]: along column j, row met[j] alone rises
        error = x @ (edges @ moved[met]) - moved
        error[met] = 0
        rates = x @ edges  # [N, P] of every row's error along every edge
        slope = np.where(error > 0, cost, -profit) @ np.where(error[:, np.newaxis], rates, 0.0)
        slopes = np.concatenate([slope + cost, profit - slope])  # upwards, then downwards
        edge = int(slopes.argmin())
        # what is left of zero after so many additions
        if slopes[edge] >= -SLACK * (cost + profit) * np.abs(rates).sum(axis=0).max():
            return np.asarray(np.linalg.solve(x[met], y[met]), np.float64)
        place = edge % len(met)
        rate = rates[:, place] if edge < len(met) else -rates[:, place]
        least = ROUNDING * lengths * np.linalg.norm(edges[:, place])
        rate = np.where(np.abs(rate) < least, 0, rate)  # or a row would take its double's place
        turn = _turn(error, rate, slopes[edge], cost + profit)
        if turn is None:
            break
        met[place] = turn
    return None


def _turn(error: Matrix, rate: Matrix, slope: float, bend: float) -> int | None:
    """The row at which the sum of prices stops falling along an edge; None if it never does.

    Args:
        error: of every row, [N]; 0 for the rows that are met.
        rate: at which it changes, [N].
        slope: of the sum at the beginning of the edge.
        bend: by how much the slope of a row's price changes where its error changes sign.
    """
    ahead = np.flatnonzero(error * rate < 0)
    ahead = ahead[np.argsort(-error[ahead] / rate[ahead])]
    if not len(ahead):  # so large are the numbers
        return None
    slopes = slope + bend * np.abs(rate[ahead]).cumsum()
    return int(ahead[min(int((slopes < 0).sum()), len(ahead) - 1)])


def _independent(x: Matrix) -> NDArray[np.intp]:
    """As many rows of x as it has columns, of full rank: each the farthest from those before."""
    rest, rows = x.copy(), []
    for _ in range(x.shape[1]):
        lengths = (rest**2).sum(axis=1)
        rows.append(int(lengths.argmax()))
        direction = rest[rows[-1]] / np.sqrt(lengths[rows[-1]])
        rest -= np.outer(rest @ direction, direction)
    return np.array(rows, np.intp)
