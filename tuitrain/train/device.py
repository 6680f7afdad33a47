"""The device that trains, and how many threads it may use."""

from __future__ import annotations

import platform
from pathlib import Path

import torch

from tuitrain.errors import InputError


def resolve_device(name: str) -> torch.device:
    """The device called `auto` (CUDA when there is one, else CPU), `cpu`, `cuda` or `cuda:N`.

    Raises:
        InputError: an unknown name, or a GPU that this machine does not have.
    """
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    if name == "cpu":
        return torch.device("cpu")
    kind, _, index = name.partition(":")
    if kind != "cuda" or (name != "cuda" and not (index.isascii() and index.isdecimal())):
        raise InputError(
            f"unknown device {name!r}", where="device", expected="auto, cpu, cuda or cuda:N"
        )
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if count == 0:
        raise InputError(f"no GPU for {name!r}", where="device", expected="cpu or auto")
    if int(index or 0) >= count:
        raise InputError(
            f"no GPU for {name!r}", where="device", expected=f"cuda:0 to cuda:{count - 1}"
        )
    return torch.device("cuda", int(index or 0))


def device_name(device: torch.device) -> str:
    """What the hardware calls itself, such as `NVIDIA H200` or the processor's model name."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine() or "cpu"


def device_uuid(device: torch.device) -> str:
    """The GPU's UUID, which its driver writes behind `GPU-`; empty for the processor.

    CUDA numbers the GPUs that it may see, and the fastest may come first: the driver has other
    numbers for them.
    """
    if device.type != "cuda":
        return ""
    return str(torch.cuda.get_device_properties(device).uuid)


def fix_rounding(threads: int) -> None:
    """Fix what the last bits of results depend on, so that equal trainings are equal bit by bit.

    On CPU, sums depend on the number of threads. On CUDA, convolutions would depend on the
    algorithm that cuDNN takes, and be worked out in TF32, which has 10 bits of the 23 of float32.

    Args:
        threads: CPU threads of this process.
    """
    torch.set_num_threads(threads)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
