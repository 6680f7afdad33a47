"""What is imported with what, seen in fresh interpreters: the layers, and where torch lives."""

from __future__ import annotations

import json
import pkgutil
import resource
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import tuitrain

EVERYTHING = """
import importlib, json, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(json.dumps(sorted(sys.modules)))
"""

COMMAND = """
import json, sys
from tuitrain.cli import main
main(sys.argv[1:])
print("\\n" + json.dumps(sorted(sys.modules)))
"""

FIRST_FRAME = """
import asyncio, json, sys
from pathlib import Path
from tuitrain.cli import dashboard, main
from tuitrain.ui.app import TuitrainApp

seen = []
TuitrainApp.post_display_hook = lambda app: seen.append(sorted(sys.modules))

async def open_it():
    async with TuitrainApp(Path(sys.argv[1])).run_test(size=(120, 40)):
        print(json.dumps(seen[0]))

asyncio.run(open_it())
"""

BELOW = {
    "tuitrain.errors": set(),
    "tuitrain.optim": {"errors"},
    "tuitrain.spec": {"errors", "optim"},
    "tuitrain.data": {"errors", "optim", "spec"},
    "tuitrain.record": {"errors", "optim", "spec"},
    "tuitrain.train": {"errors", "optim", "spec", "data"},
    "tuitrain.worker": {"errors", "optim", "spec", "data", "record", "train"},
    "tuitrain.ui": {"errors", "optim", "spec", "data", "record", "worker"},
}
"""What each layer may import of ours."""


def modules(code: str, *arguments: str) -> set[str]:
    """The modules that a fresh interpreter has imported after running code."""
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return set(json.loads(ran.stdout.splitlines()[-1]))


def imported(layer: str) -> set[str]:
    """The modules that a whole layer imports."""
    if layer == "tuitrain.errors":
        return modules("import json, sys, tuitrain.errors; print(json.dumps([*sys.modules]))")
    return modules(EVERYTHING, layer)


def test_every_layer_has_a_contract() -> None:
    layers = {f"tuitrain.{module.name}" for module in pkgutil.iter_modules(tuitrain.__path__)}
    assert layers - {"tuitrain.__main__", "tuitrain.cli"} == set(BELOW)


@pytest.mark.parametrize("layer", BELOW)
def test_layers(layer: str) -> None:
    found = imported(layer)
    ours = {name.split(".")[1] for name in found if name.startswith("tuitrain.")}
    assert ours - {layer.removeprefix("tuitrain.")} <= BELOW[layer]
    assert layer in ("tuitrain.train", "tuitrain.worker") or "torch" not in found
    assert layer == "tuitrain.ui" or "textual" not in found


def test_the_screen_reaches_training_through_launch_alone() -> None:
    found = {name for name in imported("tuitrain.ui") if name.startswith("tuitrain.worker.")}
    assert found == {"tuitrain.worker.launch"}


@pytest.mark.parametrize(
    "arguments", [["--version"], ["--help"], ["run", "--help"], ["export", "--help"]]
)
def test_answers_that_need_nothing_import_nothing(arguments: list[str]) -> None:
    assert not {"torch", "textual", "numpy"} & modules(COMMAND, *arguments)


def test_the_first_frame_waits_for_no_numpy_and_no_commands(tmp_path: Path) -> None:
    found = modules(FIRST_FRAME, str(tmp_path))
    assert "tuitrain.ui.screens.setup" in found
    assert not {"torch", "numpy", "click", "tuitrain.ui.screens.dashboard"} & found


@pytest.mark.parametrize("arguments", [["presets"], ["optimizers"], ["experiments"]])
def test_lists_import_no_torch_and_no_screen(arguments: list[str]) -> None:
    assert not {"torch", "textual"} & modules(COMMAND, *arguments)


def test_version_takes_less_than_150_ms_of_processor_time() -> None:
    command = [str(Path(sysconfig.get_path("scripts")) / "tuitrain"), "--version"]

    def cost() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)

    assert min(cost() for _ in range(5)) < 0.15
