"""How soon a worker obeys while it trains at full speed: `python -m tests.benchmarks.commands`.

Measured from sending a command to its acknowledgement in the store, with a viewer that looks all
the time. Wanted: a tenth of a second, of which a block of training is the half.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.inbox import Command, Pause, Resume, SetLearningRate, Stop, send
from tuitrain.record.live import Recording
from tuitrain.spec.catalogue import find
from tuitrain.spec.experiment import single
from tuitrain.spec.overrides import override
from tuitrain.worker.launch import launch

LIMIT = 0.1
"""Seconds; of the median."""

TIMES = 20


def obeyed(recording: Recording, command: Command) -> float:
    """Seconds until a command is acknowledged."""
    sent = time.perf_counter()
    name = send(recording.folder, command)
    while not any(event.detail.get("id") == name for event in recording.events):
        recording.refresh()
    return time.perf_counter() - sent


def main() -> int:
    preset = override(find("line-fit"), {"train.steps": "100000000"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as runs:
        recording = Recording(ExperimentFolder.create(Path(runs), single(preset, device="cpu")))
        launch(recording.folder)
        while recording.status.seconds < 1:  # its blocks have grown to their full size
            recording.refresh()
            time.sleep(0.05)
        seconds = []
        for _ in range(TIMES):
            seconds += [obeyed(recording, command) for command in (SetLearningRate(0.01), Pause())]
            obeyed(recording, Resume())
            time.sleep(0.2)
        obeyed(recording, Stop())
        recording.close()
    median = statistics.median(seconds)
    print(f"command to acknowledgement: median {median:.3f} s, max {max(seconds):.3f} s")
    return int(median > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
