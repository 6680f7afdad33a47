"""What a step costs, side by side with the loop that PyTorch's tutorials write.

    python -m tests.benchmarks.step_cost [--steps N] [--rounds N]

The problem is `sales-mse` (32 rows, 2 weights, float32, one thread). Both sides record loss and
weights at every step. The rounds of all contestants take turns, so that a busy machine slows all
of them alike; the best round of each counts.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from time import perf_counter

import torch
from msgspec import structs

from tuitrain.data import dataset
from tuitrain.optim import OPTIMIZERS
from tuitrain.spec.catalogue import find
from tuitrain.spec.experiment import single
from tuitrain.train import Trainer, use_threads

STOCK: dict[str, Callable[[list[torch.nn.Parameter]], torch.optim.Optimizer]] = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.002),
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=0.002),
}
STACKS = (1, 64, 256, 1024)


def stock(name: str) -> Callable[[int], None]:
    """The loop of a tutorial: forward, backward, step, item."""
    data = dataset(find("sales-mse"))
    assert data is not None
    x, y = (torch.from_numpy(values).float() for values in (data.x, data.y))
    w = torch.nn.Parameter(torch.tensor([[-0.8113182], [1.4845988]]))
    optimizer = STOCK[name]([w])

    def train(steps: int) -> None:
        losses, weights = [], []
        for _ in range(steps):
            loss = torch.nn.functional.mse_loss(x @ w, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            weights.append(w.detach().clone())

    return train


def stacked(name: str, runs: int) -> Callable[[int], None]:
    """The trainer with `runs` runs, in chunks of the usual size."""
    preset = find("sales-mse")
    preset = structs.replace(
        preset,
        optimizer=OPTIMIZERS[name](lr=0.002),
        train=structs.replace(preset.train, steps=10**6),
    )
    trainer = Trainer(preset, single(preset).runs * runs)

    def train(steps: int) -> None:
        for _ in range(0, steps, 500):
            trainer.advance(min(500, steps))

    return train


def measure(
    contestants: dict[tuple[str, str], Callable[[int], None]], steps: int, rounds: int
) -> dict[tuple[str, str], float]:
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
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    use_threads(1)
    contestants = {}
    for name in STOCK:
        contestants[name, "torch.optim"] = stock(name)
        for runs in STACKS:
            contestants[name, f"stack of {runs:,}"] = stacked(name, runs)
    cost = measure(contestants, options.steps, options.rounds)
    print(f"{'optimizer':<12}{'loop':<16}{'us/step':>10}{'us/step/run':>14}{'times faster':>16}")
    for (name, loop), step in cost.items():
        runs = int(loop.split()[-1].replace(",", "")) if loop.startswith("stack") else 1
        faster = cost[name, "torch.optim"] * runs / step
        print(f"{name:<12}{loop:<16}{step:>10.1f}{step / runs:>14.3f}{faster:>16.1f}")


if __name__ == "__main__":
    main()
