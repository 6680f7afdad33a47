"""The runs that train together: parameters of all, and slices for each update rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from msgspec import structs
from numpy.typing import NDArray

from tuitrain.optim import Optimizer
from tuitrain.train.column import Column

Tensors = tuple[torch.Tensor, ...]


@dataclass
class _Slice:
    """Neighbouring rows that take their steps in one call of one rule."""

    rule: Optimizer
    size: int
    state: Tensors


def _kind(rule: Optimizer) -> tuple[object, ...]:
    """What the rules of runs have in common that take their steps in one call.

    Of most hyper-parameters it is whether they are 0, for that may switch a term of the step off.
    """
    settings = structs.asdict(rule)
    del settings["lr"]
    shared = (
        value != 0 if isinstance(value, float) and name not in rule.apart else value
        for name, value in settings.items()
    )
    return type(rule), *shared


def _common(rules: Sequence[Optimizer], device: torch.device) -> Optimizer:
    """One rule for runs of one kind: what differs between them is a column.

    What is equal stays the number that it is for a run alone. The learning rates come with every
    step, so that of the rule counts for nothing.
    """
    columns: dict[str, Any] = {}
    for name in structs.asdict(rules[0]):
        values = [getattr(rule, name) for rule in rules]
        if name != "lr" and len(set(values)) > 1:
            columns[name] = Column.of(values, device)
    return structs.replace(rules[0], lr=0.0, **columns)


class Stack:
    """Rows of flat parameters that take their steps together.

    Runs with the same rule are neighbours and share one call, unless they differ in a
    hyper-parameter that decides what is computed: a flag, one that is 0 for some of them, or one
    of `Optimizer.apart`.

    Args:
        optimizers: the rule of every run of the experiment's stack.
        rows: indices of the runs that take part, A of them.
        p: parameters of those runs, [A, P], in the order of `rows`.
        state: the optimizer state, by name, each [A, P] in the order of `rows`.
    """

    def __init__(
        self,
        optimizers: Sequence[Optimizer],
        rows: Sequence[int],
        p: torch.Tensor,
        state: Mapping[str, torch.Tensor],
    ) -> None:
        places: dict[tuple[object, ...], list[int]] = {}
        for place, row in enumerate(rows):
            places.setdefault(_kind(optimizers[row]), []).append(place)
        order = [place for group in places.values() for place in group]
        self.rows: NDArray[np.intp] = np.array(rows, np.intp)[order]
        self.p = p[order]
        self._slices = []
        for group in places.values():
            rule = _common([optimizers[rows[place]] for place in group], p.device)
            memory = tuple(state[name][group] for name in rule.state)
            self._slices.append(_Slice(rule, len(group), memory))
        self._sizes = [part.size for part in self._slices]

    def rates(self, lr: torch.Tensor) -> list[Tensors]:
        """Learning rates `[K, A]` as `update` takes them: for every step, `[runs, 1]` per slice."""
        parts = (part.unsqueeze(2).unbind() for part in torch.split_with_sizes(lr, self._sizes, 1))
        return list(zip(*parts, strict=True))

    def update(self, t: int, rates: Tensors, g: torch.Tensor) -> torch.Tensor:
        """Take step `t` (from 1) along the gradient `g` `[A, P]`; the new parameters."""
        if len(self._slices) == 1:
            only = self._slices[0]
            self.p, *state = only.rule.step(t, rates[0], self.p, g, *only.state)
            only.state = tuple(state)
            return self.p
        new = []
        ps, gs = (torch.split_with_sizes(whole, self._sizes) for whole in (self.p, g))
        for part, lr, p, gradient in zip(self._slices, rates, ps, gs, strict=True):
            p, *state = part.rule.step(t, lr, p, gradient, *part.state)
            part.state = tuple(state)
            new.append(p)
        self.p = torch.cat(new)
        return self.p

    def state(self) -> dict[str, torch.Tensor]:
        """The optimizer state, by name, each [A, P] in the order of `rows`."""
        names = dict.fromkeys(name for part in self._slices for name in part.rule.state)
        whole = {name: torch.zeros_like(self.p) for name in names}
        first = 0
        for part in self._slices:
            for name, value in zip(part.rule.state, part.state, strict=True):
                whole[name][first : first + part.size] = value
            first += part.size
        return whole
