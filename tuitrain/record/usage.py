"""What a training costs the machine: processor, memory, graphics processors."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import psutil
import pynvml  # type: ignore[import-untyped]


class ProcessUsage:
    """Processor time and memory of one process."""

    def __init__(self, pid: int) -> None:
        self._process: psutil.Process | None = None
        with contextlib.suppress(psutil.Error):
            self._process = psutil.Process(pid)

    def read(self) -> tuple[float, int]:
        """Percent of one core since the last call, and resident bytes; zeros once it is gone."""
        if self._process is not None:
            with contextlib.suppress(psutil.Error), self._process.oneshot():
                return self._process.cpu_percent(), self._process.memory_info().rss
        return 0.0, 0


@dataclass(frozen=True)
class GPU:
    """A graphics processor.

    Attributes:
        utilisation: percent of the time that it was busy.
        memory_used, memory_total: bytes.
        temperature: degrees Celsius.
        power: watts.
    Each is None where the hardware does not tell.
    """

    name: str
    utilisation: int | None
    memory_used: int | None
    memory_total: int | None
    temperature: int | None
    power: float | None


def gpus() -> list[GPU]:
    """The NVIDIA GPUs of this machine; none without the hardware or its driver."""
    try:
        pynvml.nvmlInit()
        handles = map(pynvml.nvmlDeviceGetHandleByIndex, range(pynvml.nvmlDeviceGetCount()))
        return [_gpu(handle) for handle in handles]
    except pynvml.NVMLError:
        return []


def _gpu(handle: object) -> GPU:
    rates = memory = temperature = power = None
    with contextlib.suppress(pynvml.NVMLError):
        rates = pynvml.nvmlDeviceGetUtilizationRates(handle)
    with contextlib.suppress(pynvml.NVMLError):
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    with contextlib.suppress(pynvml.NVMLError):
        temperature = pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU)
    with contextlib.suppress(pynvml.NVMLError):
        power = pynvml.nvmlDeviceGetPowerUsage(handle) / 1000  # milliwatts
    return GPU(
        pynvml.nvmlDeviceGetName(handle),
        rates and rates.gpu,
        memory and memory.used,
        memory and memory.total,
        temperature,
        power,
    )
