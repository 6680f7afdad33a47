"""What the comparison screen costs while runs stream: `python tests/benchmarks/compare_screen.py`.

Runs the real screen in a pseudo-terminal of 120 x 40 while a worker trains 30 runs of 15,000
steps, and reads what it spends: CPU time of the screen's process, bytes sent to the terminal,
frames. Wanted: 10 frames a second, under 30 % of one core and under 64 KB/s. On a busy machine
frames and share tremble; the CPU time of one frame hardly does.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path
from typing import NamedTuple

import psutil

from tuitrain.record.folder import ExperimentFolder
from tuitrain.spec.catalogue import find
from tuitrain.spec.comparison import compare
from tuitrain.worker.launch import launch

SHARE, RATE = 0.30, 64_000
"""The limits: of one core, and bytes a second."""

STEPS = 15_000
APART = 0.02
"""Seconds without output that part two frames."""

WARM_UP = 1.0
"""Seconds that belong to starting, not to streaming."""


def open_screen(folder: ExperimentFolder, size: tuple[int, int]) -> tuple[int, int]:
    """The screen in a pseudo-terminal: (pid, file descriptor of its output)."""
    pid, terminal = pty.fork()
    if pid == 0:
        environment = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        arguments = ["-m", "tuitrain", "attach", folder.id, "--runs-dir", str(folder.path.parent)]
        os.execve(sys.executable, [sys.executable, *arguments], environment)
    columns, rows = size
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    return pid, terminal


class Cost(NamedTuple):
    """What a screen spends, from the first frames to the end."""

    seconds: float
    cpu: float
    bytes: int
    frames: int


def watch(folder: ExperimentFolder, size: tuple[int, int]) -> Cost:
    """Follows a screen until the training has ended."""
    pid, terminal = open_screen(folder, size)
    process = psutil.Process(pid)
    sent = frames = 0
    begin = cpu = None
    last = 0.0
    while not folder.status().ended:
        if not select.select([terminal], [], [], 0.05)[0]:
            continue
        data, now = os.read(terminal, 1 << 16), time.monotonic()
        if begin is None:
            if folder.status().step and b"steps/s" in data:
                begin = now + WARM_UP
        elif now >= begin:
            if cpu is None:
                cpu = _cpu(process)
            sent += len(data)
            frames += now - last > APART
            last = now
    assert begin is not None, "training ended before anything was seen"
    assert cpu is not None
    seconds, spent = time.monotonic() - begin, _cpu(process) - cpu
    process.kill()
    os.waitpid(pid, 0)
    os.close(terminal)
    return Cost(seconds, spent, sent, frames)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def measure(title: str, seeds: int, rates: list[float], size: tuple[int, int] = (120, 40)) -> bool:
    """Prints one line; whether the limits are kept."""
    rules = ["sgd", "sgdm", "adagrad", "rmsprop", "adam"]
    settings = {"train.steps": [STEPS]}
    experiment = compare(
        [find("sales-mse")], optimizers=rules, learning_rates=rates, seeds=seeds, settings=settings
    )
    with tempfile.TemporaryDirectory() as runs_dir:
        folder = ExperimentFolder.create(Path(runs_dir), experiment)
        launch(folder)
        cost = watch(folder, size)
        seconds = folder.status().seconds
    share, rate = cost.cpu / cost.seconds, cost.bytes / cost.seconds
    kept = share < SHARE and rate < RATE
    print(
        f"{title}: {len(experiment.runs)} runs in {seconds:.1f} s, "
        f"{cost.frames / cost.seconds:.1f} frames/s, {100 * share:.0f} % of a core, "
        f"{rate / 1000:.1f} KB/s; {1000 * cost.cpu / cost.frames:.1f} ms of CPU a frame"
        f"{'' if kept else '  TOO MUCH'}"
    )
    return kept


if __name__ == "__main__":
    fine = [
        measure("30 lines of one run", 1, [1e-4, 1e-3, 1e-2, 0.03, 0.1, 0.3]),
        measure("5 lines of 6 seeds", 6, []),
    ]
    sys.exit(not all(fine))
