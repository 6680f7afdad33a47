"""What the training costs the machine: the worker, and the GPU that it trains on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.nvml import GIGA, Card, driver
from tests.ui.conftest import LONG, dashboard, page, start, state, until
from tuitrain.record.reader import StoreReader
from tuitrain.record.usage import GPU
from tuitrain.ui.widgets.usage import DevicePanel, gpu_facts, short_name

H200 = "37 %  5.2/150 GB  41 °C  302 W"


@pytest.fixture
def on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers say that they train on a GPU: here they can only say so."""
    say(monkeypatch, device="cuda:1", device_name="NVIDIA H200", device_uuid="2")


def say(monkeypatch: pytest.MonkeyPatch, **said: str) -> None:
    """Let workers say that they train on another device than they do."""
    status = StoreReader.status
    monkeypatch.setattr(StoreReader, "status", lambda reader: replace(status(reader), **said))


@pytest.mark.parametrize("size", [(120, 40), (200, 60)])
async def test_the_gpu_that_trains_is_told_and_no_other(opened, on_a_gpu, size) -> None:
    with driver(Card("GPU-1", temperature=99), Card("GPU-2"), Card("GPU-3", temperature=99)):
        async with opened(size) as pilot:
            await start(pilot, "sales-mse", **LONG)
            await until(pilot, lambda: "gpu" in page(pilot), "GPU")
            shown = page(pilot)
            assert "NVIDIA H200, 1 thread" in shown
            assert H200 in shown
            assert "99 °C" not in shown
            await pilot.press("s")
            await until(pilot, lambda: state(pilot) == "stopped", "end")
            await until(pilot, lambda: "has ended" in page(pilot), "end in the panel")
            assert "°C" not in page(pilot)


async def test_on_a_small_screen_it_stands_under_the_pictures(opened) -> None:
    async with opened((80, 24)) as pilot:
        await start(pilot, "sales-mse", **LONG)
        assert "of a core" not in page(pilot)
        await pilot.press("v")
        await until(pilot, lambda: "of a core" in page(pilot), "usage")


async def test_on_the_processor_no_gpu_is_told(opened) -> None:
    with driver(Card("GPU-1")):
        async with opened() as pilot:
            await start(pilot, "sales-mse", **LONG)
            await until(pilot, lambda: "of a core" in page(pilot), "usage")
            assert "°C" not in str(dashboard(pilot).query_one(DevicePanel).render())
            assert "°C" not in page(pilot)


async def test_labels_stay_whole_beside_a_name_that_is_cut(opened, monkeypatch) -> None:
    say(monkeypatch, device_name="Intel(R) Core(TM) Ultra 9 Processor 285HX with more words to it")
    async with opened() as pilot:
        await start(pilot, "sales-mse", **LONG)
        await until(pilot, lambda: "of a core" in page(pilot), "usage")
        assert "device Intel Core Ultra 9" in page(pilot)
        assert "worker " in page(pilot)


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Intel(R) Xeon(R) Processor", "Intel Xeon Processor"),
        ("Intel(R) Core(TM) i7-8550U CPU @ 1.80GHz", "Intel Core i7-8550U"),
        ("AMD Ryzen 9 5950X 16-Core Processor", "AMD Ryzen 9 5950X 16-Core Processor"),
        ("NVIDIA H200", "NVIDIA H200"),
    ],
)
def test_names_of_devices_are_shown_without_marks(name: str, short: str) -> None:
    assert short_name(name) == short


@pytest.mark.parametrize(
    ("gpu", "facts"),
    [
        (GPU("H200", 37, 5_200_000_000, 150 * GIGA, 41, 302.4), H200.split("  ")),
        (GPU("T4", 0, 0, 16 * GIGA, 30, 9.876), ["0 %", "0.0/16 GB", "30 °C", "10 W"]),
        (GPU("Tegra", None, None, None, 50, None), ["50 °C"]),
    ],
)
def test_what_a_gpu_does_not_tell_is_left_out(gpu: GPU, facts: list[str]) -> None:
    assert gpu_facts(gpu) == facts
