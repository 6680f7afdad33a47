from __future__ import annotations

import os
import subprocess
import sys
import time

import pynvml

from tuitrain.record.usage import ProcessUsage, gpus, readable


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


def has_driver() -> bool:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return False
    return True


def test_gpus_are_told_or_there_are_none() -> None:
    assert len(gpus()) == (pynvml.nvmlDeviceGetCount() if has_driver() else 0)
    for gpu in gpus():
        assert gpu.name
        assert gpu.memory_total is None or gpu.memory_total > 0


def test_the_driver_is_loaded_once() -> None:
    gpus()
    called = []
    sys.setprofile(lambda frame, event, _: called.append(frame.f_code.co_name))
    gpus()
    sys.setprofile(None)
    assert "gpus" in called
    assert "nvmlInit" not in called


def test_a_gpu_that_cannot_be_read_is_left_out() -> None:
    assert readable([10_000]) == []
    names = [gpu.name for gpu in readable([10_000, *range(len(gpus()))])]
    assert names == [gpu.name for gpu in gpus()]
