"""How large the model of a preset is, and how long its training."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, prod

from tuitrain.spec.preset import Gaussian, Linear, Parameter, Points, Preset, Sales


def inputs_outputs(preset: Preset) -> tuple[int, int]:
    """Inputs and outputs of the model."""
    match preset.data:
        case Points(x=x, y=y):
            return _width(x), _width(y)
        case Sales():
            return 2, 1
        case Gaussian(truth=truth):
            return len(truth), 1
        case None:
            return 0, max(preset.model.size, 1) if isinstance(preset.model, Parameter) else 1


def _width(rows: list[float | list[float]]) -> int:
    """Numbers in a row."""
    return 0 if not rows else len(rows[0]) if isinstance(rows[0], list) else 1


def rows(preset: Preset) -> int:
    """Rows of the dataset; 0 without one."""
    match preset.data:
        case Points(y=y):
            return len(y)
        case Sales(rows=count) | Gaussian(rows=count):
            return count
        case None:
            return 0


def shapes(preset: Preset) -> dict[str, tuple[int, ...]]:
    """Shape of each parameter, in order, without the run axis."""
    match preset.model:
        case Parameter(size=0):
            return {"w": ()}
        case Parameter(size=size):
            return {"w": (size,)}
        case Linear(bias=bias):
            inputs, outputs = inputs_outputs(preset)
            return {"w": (inputs, outputs)} | ({"b": (outputs,)} if bias else {})


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


@dataclass(frozen=True)
class Size:
    """The size of a model as the course counts it.

    Attributes:
        layers: hidden layers + output layer.
        parameters: all w + all b.
        multiply_adds: multiply-adds of one forward pass of one row.
        multiply_adds_per_step: those of the forward pass of one batch.
        text: the same as three lines that show the sums.
    """

    layers: int
    parameters: int
    multiply_adds: int
    multiply_adds_per_step: int
    text: str


def size(preset: Preset) -> Size:
    """The size of the preset's model; a free parameter is no network and has no layers."""
    layers = [shape for shape in shapes(preset).values() if len(shape) == 2]
    parameters = {name: prod(shape) for name, shape in shapes(preset).items()}
    adds, batch = sum(map(prod, layers)), batch_rows(preset)
    total = sum(parameters.values())
    counted = " + ".join(f"{count:,} {name}" for name, count in parameters.items())
    products = " + ".join("×".join(map(str, shape)) for shape in layers)  # noqa: RUF001
    text = "\n".join(
        (
            f"layers = {max(len(layers) - 1, 0)} hidden + 1 output = {len(layers)}"
            if layers
            else "layers = 0 (no network: the parameter itself is the prediction)",
            f"parameters = {counted}" + (f" = {total:,}" if len(parameters) > 1 else ""),
            f"multiply-adds = {products} = {adds:,} a row, × {batch:,} rows = {adds * batch:,} a step"  # noqa: RUF001, E501
            if layers
            else "multiply-adds = 0",
        )
    )
    return Size(len(layers), total, adds, adds * batch, text)
