"""`tuitrain doctor`: what works on this machine, and what to do about what does not."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console
from rich.text import Text

from tuitrain.cli.console import show_table, table
from tuitrain.cli.options import runs_dir_option

PROBE = """
import json, torch
count = torch.cuda.device_count() if torch.cuda.is_available() else 0
print(json.dumps({
    "version": torch.__version__,
    "built": torch.version.cuda,
    "threads": torch.get_num_threads(),
    "gpus": [torch.cuda.get_device_name(i) for i in range(count)],
}))
"""


PATIENCE = 120.0
"""Seconds that PyTorch has to be imported and to look for GPUs."""


class Finding(NamedTuple):
    """One line: what was looked at, whether it is well, and what was found."""

    what: str
    ok: bool
    found: str


@click.command()
@runs_dir_option
def doctor(runs_dir: Path) -> None:
    """Check what works here: devices, terminal, versions, paths."""
    made = table("", "", "")
    made.show_header = False
    findings = [*versions(), *devices(), *terminal(), *places(runs_dir)]
    for what, ok, found in findings:
        mark = Text("ok", style="green") if ok else Text("warn", style="bold yellow")
        made.add_row(mark, what, Text(found))
    show_table(made)
    warnings = sum(not finding.ok for finding in findings)
    click.echo(f"\n{warnings or 'no'} warning{'s' * (warnings != 1)}")


def versions() -> Iterator[Finding]:
    names = ("tuitrain", "textual", "rich", "numpy", "msgspec")
    found = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    yield Finding("versions", True, found)
    yield Finding("python", True, f"{platform.python_version()} on {platform.platform()}")
    yield Finding("sqlite", True, sqlite3.sqlite_version)


def devices() -> Iterator[Finding]:
    """PyTorch is asked in a process of its own: a broken one must not take the doctor along."""
    command = [sys.executable, "-P", "-c", PROBE]  # -P: no torch.py of the working directory
    try:
        asked = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        yield Finding("torch", False, f"has not answered in {PATIENCE:g} s")
        return
    if asked.returncode:
        problem = (asked.stderr.strip().splitlines() or ["no message"])[-1]
        yield Finding("torch", False, f"cannot be imported: {problem}")
        return
    *_, answer = asked.stdout.splitlines()  # importing it may have printed something before
    torch = json.loads(answer)
    built = f"CUDA {torch['built']}" if torch["built"] else "CPU only"
    yield Finding("torch", True, f"{torch['version']} ({built}), {torch['threads']} threads")
    yield Finding("cpu", True, f"{os.cpu_count()} cores")
    for number, name in enumerate(torch["gpus"]):
        yield Finding(f"cuda:{number}", True, name)
    if not torch["gpus"]:
        yield unused_gpus(torch["built"])


def unused_gpus(built: str | None) -> Finding:
    """Why PyTorch uses no GPU, though the driver may see some.

    Args:
        built: the CUDA version that PyTorch was built for.
    """
    from tuitrain.record.usage import gpus, usable

    names = ", ".join(gpu.name for gpu in gpus())
    if not names:
        return Finding("gpu", True, "none; training runs on the CPU")
    if not usable():
        return Finding("gpu", True, f"{names}: hidden by CUDA_VISIBLE_DEVICES")
    advice = "its driver may be too old" if built else "install a CUDA build"
    return Finding("gpu", False, f"{names}: this PyTorch cannot use it; {advice}")


def terminal() -> Iterator[Finding]:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield Finding("terminal", True, "not a terminal; the dashboard needs one")
        return
    size = shutil.get_terminal_size()
    large = size.columns >= 80 and size.lines >= 24
    advice = "" if large else "; minimum is 80x24"
    name = os.environ.get("TERM", "unset")
    yield Finding("terminal", large, f"{name}, {size.columns}x{size.lines}{advice}")
    colours = Console(force_terminal=True).color_system or "none"
    least = colours in ("256", "truecolor")
    advice = "" if least else "; set TERM to one ending in -256color for more"
    yield Finding("colours", least, f"{colours}{advice}")
    encoding = sys.stdout.encoding
    unicode = encoding.lower().replace("-", "") == "utf8"
    advice = "" if unicode else "; set LANG to one ending in .UTF-8"
    yield Finding("encoding", unicode, f"{encoding}{advice}")


def places(runs_dir: Path) -> Iterator[Finding]:
    from tuitrain.errors import InputError
    from tuitrain.record.folder import check_local
    from tuitrain.spec.catalogue import catalogue, preset_directory

    parent = next(path for path in (runs_dir, *runs_dir.parents) if path.exists())
    try:
        check_local(parent)
        with tempfile.TemporaryFile(dir=parent):
            free = shutil.disk_usage(parent).free / 2**30
    except (InputError, OSError) as error:
        yield Finding("experiments", False, f"{runs_dir}: {error}")
    else:
        yield Finding("experiments", free > 1, f"{runs_dir} ({free:.0f} GiB free)")
    try:
        found = f"{len(catalogue())} in {preset_directory()}"
    except InputError as error:
        yield Finding("presets", False, str(error))
    else:
        yield Finding("presets", bool(catalogue()), found)
