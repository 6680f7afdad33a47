"""What the types of a preset cannot say: checks across its keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import prod

from tuitrain.optim import name_of
from tuitrain.optim.schedules import Constant, format_schedule
from tuitrain.optim.sign import Rprop
from tuitrain.spec import expression
from tuitrain.spec.base import MOST_CLASSES, Numbers
from tuitrain.spec.data import Csv, Points
from tuitrain.spec.loss import (
    BinaryCrossEntropy,
    CrossEntropy,
    Expression,
    Hinge,
    SoftmaxCrossEntropy,
)
from tuitrain.spec.model import Convolution, Linear, Network, Parameter, Uniform
from tuitrain.spec.preset import Preset
from tuitrain.spec.size import (
    all_rows,
    classes,
    hidden_layers,
    image,
    inputs_outputs,
    rows,
    shapes,
    test_rows,
)
from tuitrain.spec.strict import SpecError, shortened, show, unseen
from tuitrain.spec.table import table

MOST_PARAMETERS = 10_000_000
MOST_NAMES = 120
"""Characters of the names of parameters in an error."""
METRICS = ("accuracy", "test_accuracy", "data_loss", "test_loss")


def check(preset: Preset, *, recorded: bool = False) -> None:
    """Raise the first SpecError of a preset whose types are right, or its CSV file's InputError.

    Args:
        preset: of a file, or of an experiment.
        recorded: what was trained before there was a rule against it can still be looked at.
    """
    _texts(preset)
    _length(preset)
    if isinstance(preset.data, Points):
        _points(preset.data)
    if isinstance(preset.data, Csv):
        _csv(preset.data)
    _data(preset)
    _model(preset)
    _loss(preset)
    _batch(preset)
    _parameters("model.init", preset.model.init, shapes(preset))
    _parameters("expected.weights", preset.expected.weights, shapes(preset))
    if not recorded:
        _optimizer(preset)
        _metrics(preset)


def _texts(preset: Preset) -> None:
    for key in ("name", "title", "topic", "story", "formula", "source", "expectation"):
        text = getattr(preset, key)
        if (bad := unseen(text)) is not None:
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
                f"row {odd + 1} is {_told(values[odd])}, row 1 is {_told(values[0])}",
                "as many numbers in every row",
            )
        if values and values[0] == []:
            raise SpecError(key, "row 1 is []", "at least one number in every row")
    if points.x and len(points.x) != len(points.y):
        raise SpecError("data.x", f"has {len(points.x)} rows", f"{len(points.y)}, as data.y has")


def _csv(data: Csv) -> None:
    if bad := unseen(data.csv):
        raise SpecError("data.csv", f"holds the control character {bad!a}", "printable text")
    if data.separator in '"\r\n':
        raise SpecError("data.separator", f"cannot be {show(data.separator)}", "one such as , or ;")
    table(data)


def _data(preset: Preset) -> None:
    if preset.data is not None and preset.data.test:
        share = preset.data.test
        if not test_rows(preset):
            raise SpecError(
                "data.test",
                f"cannot be {show(share)} of {all_rows(preset)} rows",
                "at least one row",
            )
        if not rows(preset):
            raise SpecError("data.test", f"cannot be {show(share)}", "a row to train on")


def _model(preset: Preset) -> None:
    inputs, outputs = inputs_outputs(preset)
    match preset.model:
        case (Linear() | Network() | Convolution()) as model if not inputs:
            kind = model.__struct_config__.tag
            raise SpecError(
                "model.kind", f'cannot be "{kind}" without inputs', '"parameter" or data.x'
            )
        case Parameter() if inputs:
            raise SpecError(
                "model.kind", f'cannot be "parameter" with {inputs} inputs', '"linear" or "network"'
            )
        case Parameter(size=size) if preset.data is not None and max(size, 1) != outputs:
            raise SpecError("model.size", f"cannot be {size}", f"{outputs}, as wide as data.y")
        case (Network() | Convolution()) as model:
            _layers(preset, model)


def _layers(preset: Preset, model: Network | Convolution) -> None:
    """Convolutions need images that are large enough; every hidden layer has one activation."""
    if isinstance(model, Convolution):
        if (pixels := image(preset)) is None:
            raise SpecError(
                "model.kind",
                'cannot be "convolution" with these data',
                'images: data.kind = "digits"',
            )
        most, smallest = 0, min(pixels[1:])
        while model.pool > 1 and smallest >= model.pool:
            most, smallest = most + 1, smallest // model.pool
        if len(model.channels) > most and model.pool > 1:
            raise SpecError(
                "model.channels",
                f"cannot be {show(model.channels)} with pool = {model.pool}",
                f"at most {most} convolutions of {pixels[1]} x {pixels[2]} pixels",
            )
    if isinstance(model.activation, list) and len(model.activation) != hidden_layers(model):
        count = hidden_layers(model)
        raise SpecError(
            "model.activation",
            f"has {len(model.activation)} names",
            f"{count}, as there are hidden layers, or one name for all",
        )
    if isinstance(model.initialisation, Uniform):
        low, high = model.initialisation.low, model.initialisation.high
        if low > high:
            bound = f"at most {_told(high)}, high"
            raise SpecError("model.initialisation.low", f"cannot be {_told(low)}", bound)
    parameters = sum(prod(shape) for shape in shapes(preset).values())
    if parameters > MOST_PARAMETERS:
        raise SpecError(
            "model.hidden", f"gives {parameters:,} parameters", f"at most {MOST_PARAMETERS:,}"
        )


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
            _targets(preset, str(kind))
            _output(preset, str(kind))


def _targets(preset: Preset, kind: str) -> None:
    """What a loss compares with must be what it can be compared with."""
    loss, data = preset.loss, preset.data
    fitting: Callable[[float | list[float]], bool]
    match loss:
        case SoftmaxCrossEntropy(targets="sparse"):
            fits, fitting = "the number of a class in every row: 0, 1, ...", _is_class
            if isinstance(data, Points) and classes(preset) < 2:
                raise SpecError("data.y", "is of one class", "at least two: 0 and 1")
        case SoftmaxCrossEntropy() | CrossEntropy():
            fits, fitting = "rows of at least two numbers >= 0 with the sum 1", _are_shares
            if isinstance(data, Points) and inputs_outputs(preset)[1] < 2:
                raise SpecError(
                    "loss.kind", f'cannot be "{kind}" with these targets', f"data.y with {fits}"
                )
        case BinaryCrossEntropy() | Hinge():
            fits, fitting = "0 or 1", _are_bits
        case _:
            return
    if not classes(preset):
        fits = "targets of classes" + ": data.classes = true" * isinstance(data, Csv)
        raise SpecError("loss.kind", f'cannot be "{kind}" with these targets', fits)
    for row, y in enumerate(data.y if isinstance(data, Points) else [], start=1):
        if not fitting(y):
            raise SpecError("data.y", f'row {row} is {_told(y)}, and loss.kind is "{kind}"', fits)


def _is_class(y: float | list[float]) -> bool:
    return not isinstance(y, list) and 0 <= y < MOST_CLASSES and y == int(y)


def _are_shares(y: float | list[float]) -> bool:
    return isinstance(y, list) and min(y) >= 0 and abs(sum(y) - 1) <= 1e-6


def _are_bits(y: float | list[float]) -> bool:
    return all(value in (0, 1) for value in (y if isinstance(y, list) else [y]))


def _output(preset: Preset, kind: str) -> None:
    """Some losses bring the last activation with them, and one needs it."""
    model = preset.model
    output = model.output if isinstance(model, Network | Convolution) else "linear"
    match preset.loss:
        case SoftmaxCrossEntropy() | BinaryCrossEntropy() | Hinge() if output != "linear":
            raise SpecError(
                "model.output",
                f'cannot be "{output}": loss.kind "{kind}" takes raw outputs',
                '"linear"',
            )
        case CrossEntropy() if isinstance(model, Linear):
            raise SpecError(
                "model.kind",
                f'cannot be "linear": loss.kind "{kind}" takes probabilities',
                '"network" with output = "softmax", or loss.kind = "softmax-cross-entropy"',
            )
        case CrossEntropy() if output != "softmax" and not isinstance(model, Parameter):
            raise SpecError(
                "model.output",
                f'cannot be "{output}": loss.kind "{kind}" takes probabilities',
                '"softmax", or loss.kind = "softmax-cross-entropy"',
            )
        case _ if output == "softmax" and inputs_outputs(preset)[1] < 2:
            raise SpecError("model.output", 'cannot be "softmax" with one output', '"linear"')


def _optimizer(preset: Preset) -> None:
    match preset.optimizer:
        case Rprop(step_min=low, step_max=high) if low > high:
            bound = f"at most {_told(high)}, step_max"
            raise SpecError("optimizer.step_min", f"cannot be {_told(low)}", bound)
    if not preset.optimizer.follows_lr and preset.schedule != Constant():
        rule = name_of(preset.optimizer)
        raise SpecError(
            "schedule",
            f'cannot be "{format_schedule(preset.schedule)}" with {rule}',
            f'"constant": {rule} takes lr for its first step alone',
        )


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
            names = shortened(", ".join(shapes), MOST_NAMES)
            raise SpecError(f"{table}.{name}", "no such parameter", f"one of {names}")
        if len(shapes[name]) > 2:
            problem = "cannot be given: it has four dimensions, the weights of a convolution"
            raise SpecError(f"{table}.{name}", problem, f"no {name} in {table}")
        if _shape(value) != shapes[name]:
            problem = f"cannot be {_told(value)}"
            raise SpecError(f"{table}.{name}", problem, in_words(shapes[name]))


def _shape(value: object) -> tuple[int, ...] | None:
    """The shape of nested lists; None where they are not all of one length."""
    if not isinstance(value, list):
        return ()
    first, *others = {_shape(item) for item in value} or {()}
    return None if others or first is None else (len(value), *first)


def _told(value: Numbers | list[float]) -> str:
    """Numbers as files write them: whole ones, too, were read as floats."""
    return re.sub(r"\.0(?=[],]|$)", "", show(value))


def _metrics(preset: Preset) -> None:
    """Every metric must be one that a training of this preset is judged by."""
    counted, tested = _of_classes(preset), test_rows(preset) > 0
    costs = preset.regularisation.l1 > 0 or preset.regularisation.l2 > 0
    for name, (low, high) in preset.expected.metrics.items():
        key = f"expected.metrics.{name}"
        if name not in METRICS:
            raise SpecError(key, "no such metric", f"one of {', '.join(METRICS)}")
        if name.startswith("test_") and not tested:
            raise SpecError(key, "there are no test rows", "data.test above 0")
        if name.endswith("accuracy") and not counted:
            raise SpecError(key, "needs classes", "data_loss or test_loss")
        if name == "accuracy" and rows(preset) < 2:
            raise SpecError(key, "cannot be of a single row", "at least two rows to train on")
        if name == "data_loss" and (not costs or isinstance(preset.loss, Expression)):
            raise SpecError(key, "is the loss itself", "loss_below, or data and regularisation")
        if low > high:
            raise SpecError(key, f"cannot be {_told([low, high])}", "the least value first")


def _of_classes(preset: Preset) -> bool:
    """Whether every row belongs to one class alone, as accuracy counts them."""
    data = preset.data
    if not isinstance(data, Points) or not classes(preset):
        return classes(preset) > 0
    several = [y for y in data.y if isinstance(y, list) and len(y) > 1]
    return all(set(y) <= {0, 1} and sum(y) == 1 for y in several)


def in_words(shape: tuple[int, ...]) -> str:
    """What a value of this shape looks like."""
    match shape:
        case ():
            return "a number"
        case (n,):
            return f"a list of {n} number{'s' * (n > 1)}"
        case (n, m):
            return f"{n} list{'s' * (n > 1)} of {m} number{'s' * (m > 1)}, such as {_sample(n, m)}"
    raise ValueError(f"no parameter has the shape {shape}")


def _sample(n: int, m: int) -> str:
    return str([[0.0] * m] * n) if n * m <= 6 else "[[0.0, ...], ...]"
