from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from typing import NoReturn

import pynvml
import pytest

from tests.nvml import GIGA, Card, driver
from tuitrain.record import usage
from tuitrain.record.usage import GPU, ProcessUsage, gpu, gpus, usable


def test_a_busy_process_is_seen() -> None:
    usage = ProcessUsage(os.getpid())
    usage.read()
    began, until = time.perf_counter(), time.process_time() + 0.3
    while time.process_time() < until:
        sum(range(1000))
    percent, memory = usage.read()
    assert percent > 50 * 0.3 / (time.perf_counter() - began)  # others may be busy, too
    assert memory > 1 << 20


def test_a_process_that_is_gone_uses_nothing() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    usage = ProcessUsage(child.pid)
    child.wait()
    assert usage.read() == (0.0, 0)
    assert ProcessUsage(child.pid).read() == (0.0, 0)


def test_without_a_driver_there_are_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pynvml, "nvmlLib", None)
    monkeypatch.setattr(pynvml, "CDLL", missing)
    usage._count.cache_clear()
    assert (gpus(), gpu("1"), usable()) == ([], None, 0)
    usage._count.cache_clear()


def missing(name: str) -> NoReturn:
    raise OSError(f"{name}: cannot open shared object file")


def test_the_gpus_of_a_machine_in_their_units() -> None:
    with driver(Card("GPU-1"), Card("GPU-2", "NVIDIA T4", 0, (0, 16 * GIGA), 30, 9_876)):
        assert gpus() == [
            GPU("NVIDIA H200", 37, 5_200_000_000, 150 * GIGA, 41, 302.4),
            GPU("NVIDIA T4", 0, 0, 16 * GIGA, 30, 9.876),
        ]


def test_a_gpu_is_found_by_its_uuid_whatever_its_number() -> None:
    with driver(Card("GPU-1", temperature=41), Card("GPU-2", temperature=42)):
        assert [found and found.temperature for found in map(gpu, ["2", "1"])] == [42, 41]
        assert gpu("3") is None
        assert gpu("") is None


@pytest.mark.parametrize("missing", ["utilisation", "memory", "temperature", "milliwatts"])
def test_what_the_hardware_does_not_tell_is_left_out(missing: str) -> None:
    with driver(replace(Card("GPU-1"), **{missing: None})):
        [found] = gpus()
    names = {
        "utilisation": ["utilisation"],
        "memory": ["memory_used", "memory_total"],
        "temperature": ["temperature"],
        "milliwatts": ["power"],
    }
    assert [name for name, value in vars(found).items() if value is None] == names[missing]


def test_the_driver_is_loaded_once() -> None:
    with driver(Card("GPU-1")) as loaded:
        assert len(gpus() + gpus()) == 2
        assert gpu("1")
        assert loaded.started == 1


def test_a_part_of_a_gpu_is_found_too() -> None:
    with driver(Card("GPU-1"), Card("MIG-2", "NVIDIA H200 MIG 1g.18gb")):
        found = gpu("2")
    assert found
    assert found.name == "NVIDIA H200 MIG 1g.18gb"


def test_a_gpu_that_cannot_be_read_is_left_out() -> None:
    with driver(Card("GPU-1", lost=True), Card("GPU-2")):
        assert len(gpus()) == 1
        assert gpu("1") is None


@pytest.mark.parametrize(
    ("visible", "count"),
    [
        (None, 2),
        ("0,1", 2),
        (" 1 ", 1),
        ("GPU-2", 1),
        ("", 0),
        ("-1", 0),
        ("0,0", 0),
        ("1,7,0", 1),  # CUDA does not look behind one that there is not
    ],
)
def test_cuda_offers_the_gpus_that_it_may_see(
    visible: str | None, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with driver(Card("GPU-1"), Card("GPU-2")):
        assert usable() == count
