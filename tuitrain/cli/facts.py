"""A summary of a preset, in lines: its data, its layers, its expected values."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from tuitrain.data import dataset
from tuitrain.spec.base import Tagged
from tuitrain.spec.model import AnyModel, Convolution, Network, Parameter
from tuitrain.spec.preset import Expected, Preset
from tuitrain.spec.size import Layer, layers, shapes, size

MOST_NAMES = 10
"""Inputs or classes up to which their names are listed."""

Fact = tuple[str, str]
"""What is told, and what there is to tell."""


def facts(preset: Preset) -> list[Fact]:
    """What a preset comes to.

    Raises:
        InputError: its data cannot be read.
    """
    return [*_data(preset), *_model(preset), *_expected(preset.expected)]


def _data(preset: Preset) -> Iterator[Fact]:
    data, rows = preset.data, dataset(preset)
    if data is None or rows is None:
        yield "data", "none: the loss is a formula"
        return
    count = len(rows.x)
    parts = [f"{_kind(data)}: {count:,} row{'s' * (count != 1)} to train on"]
    parts += [f"{len(rows.x_test):,} for testing"] * bool(len(rows.x_test))
    parts += [f"shuffled by seed {data.shuffle}"] * (data.shuffle is not None)
    parts += ["standardised"] * data.standardise
    yield "data", ", ".join(parts)
    if rows.inputs:
        yield "inputs", _listed(rows.inputs)
    outputs = rows.y.shape[1]
    numbers = "none: targets are numbers" + f", {outputs} for each row" * (outputs > 1)
    yield "classes", _listed(rows.classes) if rows.classes else numbers


def _model(preset: Preset) -> Iterator[Fact]:
    model = preset.model
    for number, layer in enumerate(layers(preset), 1):
        yield f"layer {number}", _layer(layer, model)
    if isinstance(model, Parameter):
        yield "model", "no network: the parameter w itself is the prediction"
    yield "parameters", f"{size(preset).parameters:,}"
    yield "initialisation", _start(preset)
    rule = preset.regularisation
    weighed = [f"{n} = {x:g}" for n, x in structs.asdict(rule).items() if x]
    yield "regularisation", ", ".join(weighed) or "none"


def _layer(layer: Layer, model: AnyModel) -> str:
    bias = "" if isinstance(model, Parameter) or model.bias else ", no bias"
    if layer.image is None or not isinstance(model, Convolution):
        return f"{layer.inputs:,} -> {layer.outputs:,}, {layer.activation}{bias}"
    channels, height, width = layer.image
    pooled = f", {model.pool} x {model.pool} max pooling" if model.pool > 1 else ""
    return (
        f"convolution {model.kernel} x {model.kernel} of {height} x {width} pixels, "
        f"{channels:,} -> {layer.outputs:,} channels, {layer.activation}{bias}{pooled}"
    )


def _start(preset: Preset) -> str:
    """How the weights start."""
    model = preset.model
    given = [name for name in shapes(preset) if name in model.init]
    if len(given) == len(shapes(preset)):
        return "given in the file"
    if isinstance(model, Network | Convolution):
        rule = model.initialisation
        settings = [f"{name} = {x:g}" for name, x in structs.asdict(rule).items()]
        text = " ".join([_kind(rule), *settings])
        text += f"; biases {model.biases:g}" if model.bias else ""
    else:
        text = f"normal std = {model.std:g}"
    return text + (f"; {', '.join(given)} given in the file" if given else "")


def _expected(expected: Expected) -> Iterator[Fact]:
    if expected.loss is not None:
        yield "expected loss", f"{expected.loss:g} ± {expected.tolerance:g}"
    if expected.loss_below is not None:
        yield "expected loss", f"below {expected.loss_below:g}"
    for name, (low, high) in expected.metrics.items():
        yield f"expected {name.replace('_', ' ')}", f"{low:g} to {high:g}"


def _kind(item: Tagged) -> str:
    """What a preset file calls it."""
    return str(item.__struct_config__.tag)


def _listed(names: tuple[str, ...]) -> str:
    shown = names if len(names) <= MOST_NAMES else (*names[:3], "...", names[-1])
    return f"{len(names):,}: {', '.join(shown)}"
