"""What the training costs the machine."""

from __future__ import annotations

import re

from rich.table import Table

from tuitrain.record.status import Status
from tuitrain.record.usage import GPU
from tuitrain.ui.widgets.paragraph import Paragraph

MEGA, GIGA = 1_000_000, 1_000_000_000

LABEL = len("device")
"""Columns of the labels, which stay whole: Rich would cut them as soon as a value is too long."""


class DevicePanel(Paragraph):
    """Device, share of a core and memory of the worker, and the GPU that it trains on."""

    def show(self, status: Status, cpu: float, memory: int, gpu: GPU | None, alive: bool) -> None:
        """Show the figures of now."""
        table = Table.grid(padding=(0, 1))
        table.add_column(style="dim", no_wrap=True, min_width=LABEL)
        table.add_column(ratio=1, overflow="ellipsis", no_wrap=True)
        threads = f"{status.threads} thread{'s' * (status.threads != 1)}"
        name = short_name(status.device_name or status.device)
        table.add_row("device", f"{name}, {threads}" if name else "starting")
        usage = f"{cpu:.0f} % of a core, {memory / MEGA:,.0f} MB" if alive else "has ended"
        table.add_row("worker", usage)
        if gpu is not None and alive:  # else it may train for others
            table.add_row("gpu", "  ".join(gpu_facts(gpu)))
        self.update(table)


def short_name(device: str) -> str:
    """A device's name without marks of registration, and without the clock rate of a processor."""
    return re.sub(r"\((?:R|TM|C)\)|( CPU)? @ .*$", "", device)


def gpu_facts(gpu: GPU) -> list[str]:
    """What a graphics processor tells about itself; what it does not tell is left out."""
    facts = []
    if gpu.utilisation is not None:
        facts.append(f"{gpu.utilisation} %")
    if gpu.memory_used is not None and gpu.memory_total is not None:
        facts.append(f"{gpu.memory_used / GIGA:.1f}/{gpu.memory_total / GIGA:.0f} GB")
    if gpu.temperature is not None:
        facts.append(f"{gpu.temperature} °C")
    if gpu.power is not None:
        facts.append(f"{gpu.power:.0f} W")
    return facts
