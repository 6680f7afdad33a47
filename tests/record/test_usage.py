from __future__ import annotations

import os
import subprocess
import sys
import time

from tuitrain.record.usage import ProcessUsage, gpus


def test_a_busy_process_is_seen() -> None:
    usage = ProcessUsage(os.getpid())
    usage.read()
    until = time.perf_counter() + 0.2
    while time.perf_counter() < until:
        sum(range(1000))
    percent, memory = usage.read()
    assert percent > 10
    assert memory > 1 << 20


def test_a_process_that_is_gone_uses_nothing() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    usage = ProcessUsage(child.pid)
    child.wait()
    assert usage.read() == (0.0, 0)
    assert ProcessUsage(child.pid).read() == (0.0, 0)


def test_gpus_are_told_or_there_are_none() -> None:
    for gpu in gpus():
        assert gpu.name
        assert gpu.memory_total is None or gpu.memory_total > 0
