"""What a comparison costs: 256 learning rates, or values of Adam's beta1, against one run.

    python -m tests.benchmarks.compare_cost [--runs N] [--steps N] [--rounds N]

All are whole experiments of as many steps: a warm worker process, as it waits behind the setup
screen, is handed an experiment on `sales-mse`, trains it and records every step of every run; the
clock runs from then until the experiment's end is on disk. The rounds of all take turns, so that a
busy machine slows all alike; the best round of each counts.
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

SWEEPS: dict[str, tuple[list[str], str]] = {
    "optimizer.lr": ([], "1e-4:0.5:log"),
    "optimizer.beta1": (["adam"], "0.5:0.95:lin"),
}
"""The optimizer of each sweep (none: the preset's own), and the range of its values."""


def experiments(key: str, runs: int, steps: int) -> dict[int, Experiment]:
    """One run of `sales-mse`, and so many that differ in one setting of the optimizer."""
    optimizers, span = SWEEPS[key]
    found = {}
    for count in (1, runs):
        values = numbers(f"{span}:{count}", "--runs") if count > 1 else []
        settings = {"train.steps": [steps]} | ({key: values} if values else {})
        preset = [find("sales-mse")]
        found[count] = compare(preset, optimizers=optimizers, settings=settings, device="cpu")
    return found


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
    planned = {
        (key, runs): each
        for key in SWEEPS
        for runs, each in experiments(key, options.runs, options.steps).items()
    }
    best = dict.fromkeys(planned, (float("inf"), float("inf")))
    with tempfile.TemporaryDirectory() as directory:
        for _ in range(options.rounds):
            for contestant, each in planned.items():
                best[contestant] = min(best[contestant], measure(Path(directory), each))
    print(f"{'sweep':<16}{'runs':>8}{'wall s':>10}{'training s':>12}{'us/step':>10}")
    for (key, runs), (wall, training) in best.items():
        each_step = training / options.steps * 1e6
        print(f"{key:<16}{runs:>8,}{wall:>10.3f}{training:>12.3f}{each_step:>10.1f}")
    ratios = {key: best[key, options.runs][0] / best[key, 1][0] for key in SWEEPS}
    for key, ratio in ratios.items():
        print(f"{options.runs:,} of {key} take {ratio:.2f} times as long as one (limit {LIMIT:g})")
    return int(max(ratios.values()) > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
