"""Resource usage of a training: CPU, memory, GPUs."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import takewhile

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
    """The NVIDIA GPUs of this machine that can be read; none without the hardware or its driver."""
    found = []
    for index in range(_count()):
        with contextlib.suppress(pynvml.NVMLError):  # it may have dropped off the bus
            found.append(_facts(pynvml.nvmlDeviceGetHandleByIndex(index)))
    return found


def gpu(uuid: str) -> GPU | None:
    """The GPU, or the part of one, with a UUID; None without one, or if it cannot be read."""
    for kind in ("GPU", "MIG") if uuid and _count() else ():
        with contextlib.suppress(pynvml.NVMLError):
            return _facts(pynvml.nvmlDeviceGetHandleByUUID(f"{kind}-{uuid}"))
    return None


def usable() -> int:
    """How many GPUs CUDA offers to a process that is started here.

    CUDA_VISIBLE_DEVICES lists them by number or UUID; CUDA stops at one that there is not, and
    offers none if one is listed twice.
    """
    count, chosen = _count(), os.environ.get("CUDA_VISIBLE_DEVICES")
    if not count or chosen is None:
        return count

    def there(name: str) -> bool:
        number = name.strip()
        return number.startswith(("GPU-", "MIG-")) or number in map(str, range(count))

    names = chosen.split(",")
    return len(list(takewhile(there, names))) if len(set(names)) == len(names) else 0


def offered() -> int | None:
    """How many GPUs PyTorch has here, known without importing it; None where only it can tell.

    That is where the driver tells of none: in some containers and on some boards its library is
    missing, and CUDA works all the same.
    """
    with contextlib.suppress(PackageNotFoundError):  # from elsewhere, perhaps with CUDA
        if version("torch").endswith("+cpu"):
            return 0
    return usable() if _count() else None


@cache
def _count() -> int:
    """How many GPUs there are; asked once in a process, as loading the driver takes long."""
    try:
        pynvml.nvmlInit()
        return int(pynvml.nvmlDeviceGetCount())
    except pynvml.NVMLError:
        return 0


def _facts(handle: object) -> GPU:
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
