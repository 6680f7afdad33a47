"""What a step costs, side by side with the loop that PyTorch's tutorials write.

    python -m tests.benchmarks.step_cost [PROBLEM ...] [--steps N] [--rounds N]

Float32, one thread. Both sides record the loss of every step, and the weights where there are at
most 64. The rounds of all contestants take turns, so that a busy machine slows all of them alike;
the best round of each counts.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import torch
from msgspec import structs
from torch import nn

from tuitrain.data import dataset
from tuitrain.optim import OPTIMIZERS
from tuitrain.spec.catalogue import find
from tuitrain.spec.data import Circle, Digits, Iris
from tuitrain.spec.experiment import single
from tuitrain.spec.loss import BinaryCrossEntropy, MeanSquared, SoftmaxCrossEntropy
from tuitrain.spec.model import Convolution, Network
from tuitrain.spec.preset import Preset, Train
from tuitrain.train import Trainer, fix_rounding


@dataclass(frozen=True)
class Problem:
    """A preset, and the same model and loss as a tutorial writes them."""

    preset: Preset
    model: Callable[[], nn.Module]
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    optimizers: tuple[str, ...] = ("sgd",)
    stacks: tuple[int, ...] = (1, 64)


def problem(
    data: object,
    model: object,
    kind: object,
    batch: int,
    stock: Callable[[], nn.Module],
    **more: object,
) -> Problem:
    """A problem of networks, named by its layers."""
    preset = Preset(
        title="A network",
        data=data,  # type: ignore[arg-type]
        model=model,  # type: ignore[arg-type]
        loss=kind,  # type: ignore[arg-type]
        optimizer=OPTIMIZERS["sgd"](lr=0.002),
        train=Train(steps=10**6, batch=batch),
    )
    return Problem(preset, stock, **more)  # type: ignore[arg-type]


PROBLEMS = {
    "sales-mse, 2 weights": Problem(
        find("sales-mse"),
        lambda: nn.Linear(2, 1, bias=False),
        nn.functional.mse_loss,
        ("sgd", "adam"),
        (1, 64, 256, 1024),
    ),
    "iris, 4-3 softmax mse": problem(
        Iris(test=0.2, shuffle=116),
        Network(output="softmax"),
        MeanSquared(),
        32,
        lambda: nn.Sequential(nn.Linear(4, 3), nn.Softmax(1)),
        loss=nn.functional.mse_loss,
        optimizers=("sgd", "adam"),
    ),
    "circle, 2-8-8-1 tanh": problem(
        Circle(rows=320),
        Network(hidden=[8, 8], activation="tanh"),
        BinaryCrossEntropy(),
        32,
        lambda: nn.Sequential(
            nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1)
        ),
        loss=nn.functional.binary_cross_entropy_with_logits,
        optimizers=("sgd", "adam"),
    ),
    "digits, 64-32-10 relu": problem(
        Digits(),
        Network(hidden=[32]),
        SoftmaxCrossEntropy(targets="sparse"),
        32,
        lambda: nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)),
        loss=nn.functional.cross_entropy,
    ),
    "digits, conv 8-16": problem(
        Digits(),
        Convolution(channels=[8, 16]),
        SoftmaxCrossEntropy(targets="sparse"),
        32,
        lambda: nn.Sequential(
            nn.Unflatten(1, (1, 8, 8)),
            *(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(64, 10)),
        ),
        loss=nn.functional.cross_entropy,
        stacks=(1, 16),
    ),
}
STOCK: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
}


def stock(problem: Problem, name: str) -> Callable[[int], None]:
    """The loop of a tutorial: forward, backward, step, item."""
    data = dataset(problem.preset)
    assert data is not None
    x, y = (torch.from_numpy(values).float() for values in (data.x, data.y))
    if problem.loss is nn.functional.cross_entropy:
        y = y.argmax(1)
    size = problem.preset.train.batch
    rows = len(x) if size == "full" else size
    batches = list(zip(x.split(rows), y.split(rows), strict=True))
    model = problem.model()
    optimizer = STOCK[name](model.parameters(), lr=0.002)
    few = sum(parameter.numel() for parameter in model.parameters()) <= 64

    def train(steps: int) -> None:
        losses, weights = [], []
        for step in range(steps):
            inputs, targets = batches[step % len(batches)]
            loss = problem.loss(model(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if few:
                weights.append([w.detach().clone() for w in model.parameters()])

    return train


def stacked(problem: Problem, name: str, runs: int) -> Callable[[int], None]:
    """The trainer with `runs` runs, in chunks of the usual size; judging all rows is left out."""
    preset = structs.replace(
        problem.preset,
        optimizer=OPTIMIZERS[name](lr=0.002),
        train=structs.replace(problem.preset.train, steps=10**6),
    )
    trainer = Trainer(preset, single(preset).runs * runs)

    def train(steps: int) -> None:
        for _ in range(0, steps, 500):
            trainer.advance(min(500, steps))

    return train


def measure(
    contestants: dict[tuple[str, str, str], Callable[[int], None]], steps: int, rounds: int
) -> dict[tuple[str, str, str], float]:
    """Microseconds per step of each: its best of `rounds`."""
    best = dict.fromkeys(contestants, float("inf"))
    for train in contestants.values():
        train(100)
    for _ in range(rounds):
        for key, train in contestants.items():
            start = perf_counter()
            train(steps)
            best[key] = min(best[key], (perf_counter() - start) / steps * 1e6)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("problems", nargs="*", help="what their names begin with")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    fix_rounding(1)
    contestants = {}
    for title, problem in PROBLEMS.items():
        if options.problems and not title.startswith(tuple(options.problems)):
            continue
        for name in problem.optimizers:
            contestants[title, name, "torch.optim"] = stock(problem, name)
            for runs in problem.stacks:
                contestants[title, name, f"stack of {runs:,}"] = stacked(problem, name, runs)
    cost = measure(contestants, options.steps, options.rounds)
    print(
        f"{'problem':<24}{'optimizer':<12}{'loop':<16}"
        f"{'us/step':>10}{'us/step/run':>14}{'times faster':>16}"
    )
    for (title, name, loop), step in cost.items():
        runs = int(loop.split()[-1].replace(",", "")) if loop.startswith("stack") else 1
        faster = cost[title, name, "torch.optim"] * runs / step
        print(f"{title:<24}{name:<12}{loop:<16}{step:>10.1f}{step / runs:>14.3f}{faster:>16.1f}")


if __name__ == "__main__":
    main()
