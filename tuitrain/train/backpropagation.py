"""The gradient of fully connected networks, written out: forwards, then back layer by layer."""

from __future__ import annotations

from math import prod

import torch

from tuitrain.spec.model import Linear, Network
from tuitrain.spec.preset import Preset
from tuitrain.spec.size import layers
from tuitrain.train.activations import ACTIVATIONS, DERIVATIVES, activate
from tuitrain.train.loss_gradients import loss_gradient
from tuitrain.train.objective import Batch, Objective


class Backpropagation(Objective):
    """Forwards: z = W a, a = f(z). Backwards, from dz = dL/dz of the last layer:

        dL/dW = a dz              (a of the layer before, summed over rows)
        dL/da = W dz
        dz of the layer before = dL/da f'(z)

    A bias is the weight of a unit that is always 1: in the flat parameters it stands behind the
    weights of its layer, so that both are one matrix `[inputs + 1, outputs]`.
    """

    def __init__(self, preset: Preset) -> None:
        assert isinstance(preset.model, Linear | Network)
        stack = layers(preset)
        self._bias = int(preset.model.bias)
        self._shapes = [(layer.inputs + self._bias, layer.outputs) for layer in stack]
        self._sizes = [prod(shape) for shape in self._shapes]
        self._hidden = [layer.activation for layer in stack[:-1]]
        self._output = stack[-1].activation
        self._loss = loss_gradient(preset.loss)
        self._kept: dict[tuple[int, int], list[torch.Tensor]] = {}

    def batch(self, x: torch.Tensor, y: torch.Tensor) -> Batch:
        x = x.T
        if self._bias:
            x = torch.cat([x, torch.ones_like(x[:1])])
        return x.contiguous(), *self._loss.targets(y.T.contiguous())

    def __call__(self, p: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        x, *targets = batch
        parts = torch.split_with_sizes(p, self._sizes, 1)
        weights = [part.view(-1, *shape) for part, shape in zip(parts, self._shapes, strict=True)]
        inputs = [x.expand(len(p), -1, -1), *self._hidden_units(p, x.shape[1])]
        sums = []
        for w, name, a, after in zip(weights, self._hidden, inputs, inputs[1:], strict=False):
            sums.append(torch.bmm(w.mT, a))
            activate(name, sums[-1], self._without_ones(after))
        z = torch.bmm(weights[-1].mT, inputs[-1])
        predicted = ACTIVATIONS[self._output](z)
        losses, dz = self._loss(predicted, *targets)
        dz = DERIVATIVES[self._output](z, predicted, dz)
        gradients = [torch.bmm(inputs[-1], dz.mT)]
        for i in reversed(range(len(sums))):
            da = torch.bmm(self._without_ones(weights[i + 1]), dz)
            a = self._without_ones(inputs[i + 1])
            dz = DERIVATIVES[self._hidden[i]](sums[i], a, da)
            gradients.append(torch.bmm(inputs[i], dz.mT))
        return losses, torch.cat([gradient.flatten(1) for gradient in reversed(gradients)], 1)

    def _hidden_units(self, p: torch.Tensor, rows: int) -> list[torch.Tensor]:
        """Room for what the units of each hidden layer make of a batch: `[R, units + 1, B]`.

        It is used again by every call with as many runs and rows, and given up when runs end; the
        unit that is always 1 stays there.
        """
        key = (len(p), rows)
        if key not in self._kept:
            self._kept = {kept: room for kept, room in self._kept.items() if kept[0] == len(p)}
            sizes = [inputs for inputs, _ in self._shapes[1:]]
            self._kept[key] = [p.new_ones((len(p), size, rows)) for size in sizes]
        return self._kept[key]

    def _without_ones(self, values: torch.Tensor) -> torch.Tensor:
        """All units `[R, units, ...]` but the one that is always 1."""
        return values[:, : values.shape[1] - 1] if self._bias else values
