"""What the types of a preset cannot say: checks across its keys."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

import numpy as np

from tuitrain.spec import expression
from tuitrain.spec.preset import (
    CrossEntropy,
    Expression,
    Linear,
    Numbers,
    Parameter,
    Points,
    Preset,
    SoftmaxCrossEntropy,
)
from tuitrain.spec.size import inputs_outputs, rows, shapes
from tuitrain.spec.strict import SpecError, show

UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories of characters that are not seen, but may move or hide what is."""


def check(preset: Preset) -> None:
    """Raise the first SpecError of a preset whose types are right."""
    _texts(preset)
    _length(preset)
    if isinstance(preset.data, Points):
        _points(preset.data)
    _model(preset)
    _loss(preset)
    _batch(preset)
    _parameters("model.init", preset.model.init, shapes(preset))
    _parameters("expected.weights", preset.expected.weights, shapes(preset))


def _texts(preset: Preset) -> None:
    # Texts go to a terminal, where a control character is a command.
    for key in ("name", "title", "topic", "story", "formula", "source", "expectation"):
        text = getattr(preset, key)
        bad = next((c for c in text if c != "\n" and unicodedata.category(c) in UNSEEN), None)
        if bad is not None:
            raise SpecError(key, f"holds the control character {bad!a}", "printable text")
    for key in ("name", "title"):
        text = getattr(preset, key)
        if not text.strip() or "\n" in text:
            raise SpecError(key, f"cannot be {show(text)}", "one line of text")


def _length(preset: Preset) -> None:
    steps, epochs = preset.train.steps, preset.train.epochs
    if steps is None and epochs is None:
        raise SpecError("train.steps", "missing", "either steps or epochs")
    if steps is not None and epochs is not None:
        raise SpecError(
            "train.epochs", f"cannot be {epochs} beside steps = {steps}", "either steps or epochs"
        )


def _points(points: Points) -> None:
    if not points.y:
        raise SpecError("data.y", "cannot be []", "at least one row")
    for key, values in (("data.y", points.y), ("data.x", points.x)):
        widths = [len(row) if isinstance(row, list) else 0 for row in values]
        odd = next((i for i, width in enumerate(widths) if width != widths[0]), None)
        if odd is not None:
            raise SpecError(
                key,
                f"row {odd + 1} is {values[odd]}, row 1 is {values[0]}",
                "as many numbers in every row",
            )
        if values and values[0] == []:
            raise SpecError(key, "row 1 is []", "at least one number in every row")
    if points.x and len(points.x) != len(points.y):
        raise SpecError("data.x", f"has {len(points.x)} rows", f"{len(points.y)}, as data.y has")


def _model(preset: Preset) -> None:
    inputs, outputs = inputs_outputs(preset)
    match preset.model:
        case Linear() if not inputs:
            raise SpecError(
                "model.kind", 'cannot be "linear" without inputs', '"parameter" or data.x'
            )
        case Parameter() if inputs:
            raise SpecError("model.kind", f'cannot be "parameter" with {inputs} inputs', '"linear"')
        case Parameter(size=size) if preset.data is not None and max(size, 1) != outputs:
            raise SpecError("model.size", f"cannot be {size}", f"{outputs}, as wide as data.y")


def _loss(preset: Preset) -> None:
    match preset.loss:
        case Expression(formula=formula):
            if preset.data is not None:
                raise SpecError(
                    "loss.kind",
                    'cannot be "expression" with data',
                    'a loss that compares with y, such as "mse", or no data',
                )
            try:
                expression.check(formula)
            except ValueError as error:
                raise SpecError(
                    "loss.formula", f"cannot be {show(formula)}: {error}", "one such as (w + 1)^2"
                ) from None
        case loss:
            kind = loss.__struct_config__.tag
            if preset.data is None:
                raise SpecError(
                    "data", f'missing, and loss.kind is "{kind}"', "a table with `kind`"
                )
            if isinstance(loss, SoftmaxCrossEntropy | CrossEntropy):
                _distributions(preset, str(kind))


def _distributions(preset: Preset, kind: str) -> None:
    """Cross-entropy compares two distributions: every target must be one."""
    fits = "rows of at least two numbers >= 0 with the sum 1"
    if not isinstance(preset.data, Points) or inputs_outputs(preset)[1] < 2:
        raise SpecError(
            "loss.kind", f'cannot be "{kind}" with these targets', f"data.y with {fits}"
        )
    y = np.array(preset.data.y)
    wrong = np.flatnonzero((y < 0).any(1) | (abs(y.sum(1) - 1) > 1e-6))
    if wrong.size:
        row = preset.data.y[wrong[0]]
        raise SpecError("data.y", f'row {wrong[0] + 1} is {row}, and loss.kind is "{kind}"', fits)


def _batch(preset: Preset) -> None:
    batch = preset.train.batch
    if batch == "full":
        return
    if preset.data is None:
        raise SpecError("train.batch", f"cannot be {batch} without data", '"full"')
    if batch > rows(preset):
        raise SpecError(
            "train.batch", f"cannot be {batch}", f"at most {rows(preset)}, the rows of the data"
        )


def _parameters(
    table: str, values: Mapping[str, Numbers], shapes: Mapping[str, tuple[int, ...]]
) -> None:
    for name, value in values.items():
        if name not in shapes:
            raise SpecError(f"{table}.{name}", "no such parameter", f"one of {', '.join(shapes)}")
        try:
            shape = np.shape(value)
        except ValueError:
            shape = (-1,)
        if shape != shapes[name]:
            raise SpecError(f"{table}.{name}", f"cannot be {value}", in_words(shapes[name]))


def in_words(shape: tuple[int, ...]) -> str:
    """What a value of this shape looks like."""
    match shape:
        case ():
            return "a number"
        case (n,):
            return f"a list of {n} number{'s' * (n > 1)}"
        case (n, m, *_):
            return f"{n} list{'s' * (n > 1)} of {m} number{'s' * (m > 1)}, such as {_sample(n, m)}"
    raise ValueError(f"no parameter has the shape {shape}")


def _sample(n: int, m: int) -> str:
    return str([[0.0] * m] * n) if n * m <= 6 else "[[0.0, ...], ...]"
