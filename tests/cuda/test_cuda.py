"""Training on a GPU, and what its driver tells: `pytest --cuda tests/cuda` where there is one."""

from __future__ import annotations

import json
import subprocess
import sysconfig
from pathlib import Path

import numpy as np
import pynvml
import pytest
import torch
from msgspec.structs import replace

from tests.train.same import everything, same_bits, same_evaluations
from tuitrain.optim import OPTIMIZERS
from tuitrain.record.usage import gpu, gpus, usable
from tuitrain.spec.catalogue import catalogue, find
from tuitrain.spec.comparison import compare
from tuitrain.spec.overrides import override
from tuitrain.spec.preset import Preset
from tuitrain.train import Trainer, device_name, device_uuid, fix_rounding, resolve_device

STEPS = 60

APART = {"float64": 1e-9, "float32": 1e-4}
"""How far sums in another order lead a training apart, relative to its values: in `STEPS` steps of
float64, in 5 of float32. With a convolution in TF32 it would be 1e-3."""

DIVERGING = {"careless": 1e-4}
"""Presets whose learning rate makes differences grow from step to step, in float64."""


def trainer(preset: Preset, optimizers: list[str], device: str, steps: int = STEPS) -> Trainer:
    """A few steps with some rules and two seeds each."""
    short = replace(preset, train=replace(preset.train, steps=steps, epochs=None))
    experiment = compare([short], optimizers=optimizers, seeds=2)
    [stacked] = experiment.presets.values()
    fix_rounding(1)
    return Trainer(stacked, experiment.runs, device=device)


def same_on_both(preset: Preset, rule: str, dtype: str, apart: float, steps: int = STEPS) -> None:
    """Train on the GPU and on the processor; all that is recorded is nearly the same."""
    cast = override(preset, {"train.dtype": dtype})
    trainers = (trainer(cast, [rule], device, steps) for device in ("cuda", "cpu"))
    one, other = (everything(each, 7) for each in trainers)
    assert one.keys() == other.keys()
    for name, values in one.items():
        scale = np.nanmax(np.abs(values), initial=1.0)
        np.testing.assert_allclose(
            values / scale, other[name] / scale, rtol=0, atol=apart, err_msg=name
        )


def test_a_gpu_is_taken_by_itself() -> None:
    assert resolve_device("auto") == resolve_device("cuda") == torch.device("cuda:0")


@pytest.mark.parametrize("name", catalogue())
def test_every_preset_trains_as_on_the_processor_and_twice_the_same(name: str) -> None:
    preset = find(name)
    on_gpu, again = (trainer(preset, ["adam", "sgd"], "cuda") for _ in range(2))
    same_bits(everything(on_gpu, 7), everything(again, 7))
    same_evaluations(on_gpu.take_evaluations(), again.take_evaluations())
    # Not with Adam, which makes a whole step of a gradient that is nothing but rounding.
    same_on_both(preset, "sgd", "float64", DIVERGING.get(name, APART["float64"]))
    same_on_both(preset, "sgd", "float32", APART["float32"], steps=5)


@pytest.mark.parametrize("name", ["line-fit", "iris", "digits-mlp", "digits-cnn"])
def test_the_bits_do_not_depend_on_how_the_steps_are_divided(name: str) -> None:
    first, *others = (
        everything(trainer(find(name), ["adam"], "cuda"), *steps)
        for steps in ((1,), (7,), (1, 40), (STEPS,))
    )
    for other in others:
        same_bits(first, other)


@pytest.mark.parametrize("rule", OPTIMIZERS)
def test_every_rule_trains_as_on_the_processor(rule: str) -> None:
    same_on_both(find("sales-mse"), rule, "float64", APART["float64"])


def test_the_driver_tells_of_the_gpu_that_trains() -> None:
    pynvml.nvmlInit()
    device = resolve_device("cuda")
    held = torch.ones(1 << 20, device=device)
    found = gpu(device_uuid(device))
    assert found is not None
    assert found.name == device_name(device)
    assert found.memory_total is not None
    assert found.memory_used is not None
    assert held.nbytes < found.memory_used <= found.memory_total
    assert found.name in [gpu.name for gpu in gpus()]
    assert usable() == torch.cuda.device_count()


def test_the_command_trains_on_it(tmp_path: Path) -> None:
    command = Path(sysconfig.get_path("scripts")) / "tuitrain"
    ran = subprocess.run(
        [command, "run", "line-fit", "--device", "cuda", "--json", "--runs-dir", tmp_path],
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(ran.stdout)
    assert told["device"] == "cuda:0"
    assert told["runs"][0]["weights"]["w"] == [[pytest.approx(2, abs=1e-12)]]
