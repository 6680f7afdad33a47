"""What a comparison costs: 256 learning rates against one run of the same steps.

    python -m tests.benchmarks.compare_cost [--runs N] [--steps N] [--rounds N]

Both are whole experiments: a warm worker process, as it waits behind the setup screen, is handed
an experiment on `sales-mse`, trains it and records every step of every run; the clock runs from
then until the experiment's end is on disk. The rounds of both take turns, so that a busy machine
slows both alike; the best round of each counts.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import psutil

from tuitrain.record.folder import ExperimentFolder
from tuitrain.spec.catalogue import find
from tuitrain.spec.comparison import compare
from tuitrain.spec.experiment import Experiment
from tuitrain.spec.ranges import numbers
from tuitrain.worker.launch import WarmWorker

LIMIT = 4.0
"""How many times the wall time of one run a comparison may take."""


def experiment(runs: int, steps: int) -> Experiment:
    """`sales-mse` with its own optimizer, at so many learning rates."""
    rates = numbers(f"1e-4:0.5:log:{runs}", "--runs") if runs > 1 else []
    settings = {"train.steps": [steps]}
    return compare([find("sales-mse")], learning_rates=rates, settings=settings, device="cpu")


def warm() -> WarmWorker:
    """A worker that has nothing left to do but wait."""
    worker = WarmWorker()
    process, used = psutil.Process(worker.pid), -1.0
    while sum(process.cpu_times()[:2]) != used:
        used = sum(process.cpu_times()[:2])
        time.sleep(0.3)
    return worker


def measure(runs_dir: Path, planned: Experiment) -> tuple[float, float]:
    """Seconds of wall time, and those of them that the worker trained and recorded."""
    worker = warm()
    folder = ExperimentFolder.create(runs_dir, planned)
    start = time.perf_counter()
    worker.start(folder)
    while not (status := folder.status()).ended:
        time.sleep(0.005)
    wall = time.perf_counter() - start
    assert status.state == "finished", status
    return wall, status.seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=256)
    parser.add_argument("--steps", type=int, default=15_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    planned = {runs: experiment(runs, options.steps) for runs in (1, options.runs)}
    best = {runs: (float("inf"), float("inf")) for runs in planned}
    with tempfile.TemporaryDirectory() as directory:
        for _ in range(options.rounds):
            for runs, each in planned.items():
                best[runs] = min(best[runs], measure(Path(directory), each))
    print(f"{'runs':>8}{'wall s':>10}{'training s':>12}{'us/step':>10}")
    for runs, (wall, training) in best.items():
        each_step = training / options.steps * 1e6
        print(f"{runs:>8,}{wall:>10.3f}{training:>12.3f}{each_step:>10.1f}")
    ratio = best[options.runs][0] / best[1][0]
    print(f"{options.runs:,} runs take {ratio:.2f} times the wall time of one (limit {LIMIT:g})")
    return int(ratio > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
