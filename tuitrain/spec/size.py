"""How large the model of a preset is, and how long its training."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from math import ceil, prod

from tuitrain.spec.data import (
    Circle,
    Csv,
    Digits,
    Dots,
    Gauss,
    Gaussian,
    Iris,
    Plane,
    Points,
    Sales,
    TwoGaussians,
    TwoMoons,
    TwoSpirals,
    Xor,
)
from tuitrain.spec.loss import BinaryCrossEntropy, CrossEntropy, Hinge, SoftmaxCrossEntropy
from tuitrain.spec.model import AnyModel, Convolution, Linear, Network, Output, Parameter
from tuitrain.spec.preset import Preset
from tuitrain.spec.table import table

# The data -----------------------------------------------------------------------------------


def all_rows(preset: Preset) -> int:
    """Rows of the dataset, those for testing among them; 0 without one."""
    match preset.data:
        case None:
            return 0
        case Points(y=y):
            return len(y)
        case Iris():
            return 150
        case Digits():
            return 1797
        case Csv() as file:
            return len(table(file).y)
        case drawn:
            return drawn.rows


def test_rows(preset: Preset) -> int:
    """Rows that are set aside for testing."""
    return round(all_rows(preset) * preset.data.test) if preset.data is not None else 0


def rows(preset: Preset) -> int:
    """Rows that are trained on; 0 without data."""
    return all_rows(preset) - test_rows(preset)


def classes(preset: Preset) -> int:
    """How many classes the rows belong to; 0 where targets are numbers."""
    match preset.data, preset.loss:
        case ((Dots() | Xor() | Circle() | TwoGaussians() | TwoSpirals() | TwoMoons()), _):
            return 2
        case Iris(), _:
            return 3
        case Digits(), _:
            return 10
        case Csv() as file, _:
            return len(table(file).classes)
        case Points(y=y), SoftmaxCrossEntropy(targets="sparse"):
            return int(max(max(row) if isinstance(row, list) else row for row in y)) + 1
        case Points(y=y), (SoftmaxCrossEntropy() | CrossEntropy()):
            return _width(y)
        case Points(y=y), (BinaryCrossEntropy() | Hinge()):
            return max(_width(y), 2)
    return 0


def inputs_outputs(preset: Preset) -> tuple[int, int]:
    """Inputs and outputs of the model.

    Of two classes, one output tells which; where the loss or the output layer compares
    distributions, and of more classes, there is one output for each.
    """
    match preset.data:
        case Points(x=x, y=y):
            return _width(x), classes(preset) if _sparse(preset) else _width(y)
        case Sales() | Plane() | Gauss():
            return 2, 1
        case Gaussian(truth=truth):
            return len(truth), 1
        case None:
            return 0, max(preset.model.size, 1) if isinstance(preset.model, Parameter) else 1
        case Iris():
            inputs = 4
        case Digits():
            inputs = 64
        case Csv() as file:
            inputs = len(table(file).inputs)
        case _:
            inputs = 2
    count = classes(preset)
    if not count:
        return inputs, 1
    return inputs, 1 if count == 2 and not _distributions(preset) else count


def image(preset: Preset) -> tuple[int, int, int] | None:
    """Channels, height and width of an input that is an image."""
    return (1, 8, 8) if isinstance(preset.data, Digits) else None


def _sparse(preset: Preset) -> bool:
    return isinstance(preset.loss, SoftmaxCrossEntropy) and preset.loss.targets == "sparse"


def _distributions(preset: Preset) -> bool:
    """Whether the loss or the output layer compares distributions."""
    softmax = isinstance(preset.model, Network | Convolution) and preset.model.output == "softmax"
    return softmax or isinstance(preset.loss, SoftmaxCrossEntropy | CrossEntropy)


def _width(values: list[float | list[float]]) -> int:
    """Numbers in a row."""
    return 0 if not values else len(values[0]) if isinstance(values[0], list) else 1


# The model ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Layer:
    """A layer of a network.

    Attributes:
        weights: shape of `w`: [inputs, outputs], or [channels out, channels in, kernel, kernel].
        activation: of its outputs.
        image: channels, height and width of the image that a convolution takes; None for a fully
            connected layer.
    """

    weights: tuple[int, ...]
    activation: Output
    image: tuple[int, int, int] | None = None

    @property
    def inputs(self) -> int:
        """Inputs of one unit."""
        return prod(self.weights[1:]) if self.image else self.weights[0]

    @property
    def outputs(self) -> int:
        """Units, or channels."""
        return self.weights[0] if self.image else self.weights[1]

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds for one row."""
        return prod(self.weights) * (prod(self.image[1:]) if self.image else 1)


def layers(preset: Preset) -> list[Layer]:
    """The layers of the preset's network, from the inputs on; none for a free parameter."""
    inputs, outputs = inputs_outputs(preset)
    match preset.model:
        case Parameter():
            return []
        case Linear():
            return [Layer((inputs, outputs), "linear")]
        case model:
            activations = _activations(model)
            found: list[Layer] = []
            if isinstance(model, Convolution):
                channels, height, width = image(preset) or (1, 1, inputs)
                for out in model.channels:
                    shape = (out, channels, model.kernel, model.kernel)
                    found.append(Layer(shape, activations[len(found)], (channels, height, width)))
                    channels = out
                    height, width = height // model.pool, width // model.pool
                inputs = channels * height * width
            for units in model.hidden:
                found.append(Layer((inputs, units), activations[len(found)]))
                inputs = units
            return [*found, Layer((inputs, outputs), model.output)]


def hidden_layers(model: AnyModel) -> int:
    """Layers before the output layer."""
    if isinstance(model, Network | Convolution):
        return len(model.hidden) + (len(model.channels) if isinstance(model, Convolution) else 0)
    return 0


def _activations(model: Network | Convolution) -> list[Output]:
    """The activation of each hidden layer."""
    if isinstance(model.activation, list):
        return [*model.activation]
    return [model.activation] * hidden_layers(model)


def shapes(preset: Preset) -> dict[str, tuple[int, ...]]:
    """Shape of each parameter, in order, without the run axis."""
    model = preset.model
    if isinstance(model, Parameter):
        return {"w": (model.size,) if model.size else ()}
    numbered = isinstance(model, Network | Convolution)
    found: dict[str, tuple[int, ...]] = {}
    for number, layer in enumerate(layers(preset), 1):
        suffix = str(number) if numbered else ""
        found[f"w{suffix}"] = layer.weights
        if model.bias:
            found[f"b{suffix}"] = (layer.outputs,)
    return found


# The training -------------------------------------------------------------------------------


def batch_rows(preset: Preset) -> int:
    """Rows of a full-sized batch; 0 without data."""
    return rows(preset) if preset.train.batch == "full" else preset.train.batch


def batches_per_epoch(preset: Preset) -> int:
    """Updates in one pass over the data; 1 without data."""
    return ceil(rows(preset) / batch_rows(preset)) if rows(preset) else 1


def planned_steps(preset: Preset) -> int:
    """Updates of the whole training."""
    if preset.train.steps is not None:
        return preset.train.steps
    assert preset.train.epochs is not None  # a preset has one of the two
    return preset.train.epochs * batches_per_epoch(preset)


# In words -----------------------------------------------------------------------------------

ALIKE = 3
"""So many layers alike, one after the other, are written as a product."""


@dataclass(frozen=True)
class Size:
    """The size of a model as the course counts it.

    Attributes:
        layers: hidden layers + output layer.
        parameters: all w + all b.
        text: the same, and the multiply-adds, as three lines that show the sums. The gradient of a
            layer takes as many for its weights as the layer itself, and as many for its inputs,
            which the first layer need not know.
    """

    layers: int
    parameters: int
    text: str


def size(preset: Preset) -> Size:
    """The size of the preset's model; a free parameter is no network and has no layers."""
    stack = layers(preset)
    parameters = {name: prod(shape) for name, shape in shapes(preset).items()}
    adds, batch = sum(layer.multiply_adds for layer in stack), batch_rows(preset)
    step = batch * (3 * adds - stack[0].multiply_adds) if stack else 0
    total = sum(parameters.values())
    by_layer = [dict(each) for _, each in groupby(parameters.items(), lambda item: item[0][1:])]
    counted = _added([_counted(layer) for layer in by_layer])
    products = _added([(_product(layer), _product(layer)) for layer in stack])
    text = "\n".join(
        (
            f"layers = {len(stack) - 1} hidden + 1 output = {len(stack)}"
            if stack
            else "layers = 0 (no network: the parameter itself is the prediction)",
            f"parameters = {counted}" + (f" = {total:,}" if len(parameters) > 1 else ""),
            f"multiply-adds = {products} = {adds:,} a row forwards; "
            f"{step:,} a step of {batch:,} rows, with the gradient"
            if stack
            else "multiply-adds = 0",
        )
    )
    return Size(len(stack), total, text)


def _counted(parameters: dict[str, int]) -> tuple[str, str]:
    """The parameters of a layer, without its number and with it."""
    alike = " + ".join(f"{count:,} {name[0]}" for name, count in parameters.items())
    return alike, " + ".join(f"{count:,} {name}" for name, count in parameters.items())


def _added(terms: list[tuple[str, str]]) -> str:
    """The sum of terms, each as it stands for several alike, and as it stands alone."""
    parts: list[str] = []
    for alike, run in groupby(terms, lambda term: term[0]):
        alone = [term for _, term in run]
        parts += alone if len(alone) < ALIKE else [f"{len(alone)} × ({alike})"]  # noqa: RUF001
    return " + ".join(parts)


def _product(layer: Layer) -> str:
    """What the multiply-adds of a layer are the product of."""
    factors = [*layer.weights, *(layer.image[1:] if layer.image else ())]
    return "×".join(map(str, factors))  # noqa: RUF001
