"""A stand-in for the library of NVIDIA's driver, beneath the real pynvml: this machine has none.

Where there is a GPU, `tests/cuda` reads the real one.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pynvml

from tuitrain.record import usage

GIGA = 10**9


@dataclass(frozen=True)
class Card:
    """What the driver tells of a GPU; None where the hardware does not tell."""

    uuid: str
    name: str = "NVIDIA H200"
    utilisation: int | None = 37
    memory: tuple[int, int] | None = (5_200_000_000, 150_000_000_000)
    temperature: int | None = 41
    milliwatts: int | None = 302_400
    lost: bool = False
    """Whether it has dropped off the bus."""


class Driver:
    """The functions of `libnvidia-ml` that are called, with arguments as C has them."""

    def __init__(self, cards: tuple[Card, ...]) -> None:
        self.cards = cards
        self.started = 0

    def nvmlInitWithFlags(self, flags: int) -> int:  # noqa: N802
        self.started += 1
        return pynvml.NVML_SUCCESS

    def nvmlDeviceGetCount_v2(self, count: Any) -> int:  # noqa: N802
        count._obj.value = len(self.cards)
        return pynvml.NVML_SUCCESS

    def nvmlDeviceGetHandleByIndex_v2(self, index: Any, device: Any) -> int:  # noqa: N802
        return self._hand_out(self.cards[index.value : index.value + 1], device)

    def nvmlDeviceGetHandleByUUID(self, uuid: Any, device: Any) -> int:  # noqa: N802
        return self._hand_out([c for c in self.cards if c.uuid.encode() == uuid.value], device)

    def _hand_out(self, found: Any, device: Any) -> int:
        if not found:
            return pynvml.NVML_ERROR_NOT_FOUND
        [device._obj.card] = found
        return pynvml.NVML_ERROR_GPU_IS_LOST if found[0].lost else pynvml.NVML_SUCCESS

    def nvmlDeviceGetName(self, device: Any, name: Any, size: Any) -> int:  # noqa: N802
        name.value = device.card.name.encode()
        return pynvml.NVML_SUCCESS

    def nvmlDeviceGetUtilizationRates(self, device: Any, rates: Any) -> int:  # noqa: N802
        return self._tell(rates._obj, gpu=device.card.utilisation)

    def nvmlDeviceGetMemoryInfo(self, device: Any, memory: Any) -> int:  # noqa: N802
        used, total = device.card.memory or (None, None)
        return self._tell(memory._obj, used=used, total=total)

    def nvmlDeviceGetTemperature(self, device: Any, sensor: Any, degrees: Any) -> int:  # noqa: N802
        return self._tell(degrees._obj, value=device.card.temperature)

    def nvmlDeviceGetPowerUsage(self, device: Any, milliwatts: Any) -> int:  # noqa: N802
        return self._tell(milliwatts._obj, value=device.card.milliwatts)

    @staticmethod
    def _tell(into: ctypes.Structure | ctypes.c_uint, **values: int | None) -> int:
        for name, value in values.items():
            if value is None:
                return pynvml.NVML_ERROR_NOT_SUPPORTED
            setattr(into, name, value)
        return pynvml.NVML_SUCCESS


@contextmanager
def driver(*cards: Card) -> Iterator[Driver]:
    """A machine with these GPUs."""
    loaded, known = pynvml.nvmlLib, dict(pynvml._nvmlGetFunctionPointer_cache)
    pynvml.nvmlLib = made = Driver(cards)
    pynvml._nvmlGetFunctionPointer_cache.clear()
    usage._count.cache_clear()
    try:
        yield made
    finally:
        pynvml.nvmlLib = loaded
        pynvml._nvmlGetFunctionPointer_cache.clear()
        pynvml._nvmlGetFunctionPointer_cache.update(known)
        usage._count.cache_clear()
