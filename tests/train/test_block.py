"""Blocks of steps: how many steps they have, and how often the host waits for one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.train.same import everything
from tuitrain.optim.adam import Adam
from tuitrain.optim.sgd import SGD
from tuitrain.spec.experiment import Run
from tuitrain.spec.model import Network
from tuitrain.spec.preset import Preset
from tuitrain.train import Trainer
from tuitrain.train import block as block_module
from tuitrain.train import recorder as recorder_module
from tuitrain.train.block import block_size
from tuitrain.train.reductions import folded_norms

Problem = Callable[..., Preset]
Runs = Callable[..., list[Run]]


class Calls(TorchDispatchMode):
    """Counts what PyTorch is asked to do, by the name of the operation."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        self.counts[function.overloadpacket.__name__] += 1
        return function(*args, **kwargs or {})


@pytest.fixture
def norms_of_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Works norms out on the processor as a GPU does."""
    for module in (block_module, recorder_module):
        monkeypatch.setattr(module, "norms", folded_norms)


@pytest.mark.parametrize(
    ("device", "weights", "steps"),
    [
        ("cpu", 4 * 2, 1024),
        ("cpu", 4 * 2**12, 1024),
        ("cpu", 4 * (2**12 + 1), 512),
        ("cpu", 8 * 2**12, 512),
        ("cpu", 4 * 2**22, 1),
        ("cpu", 4 * 2**30, 1),
        ("cuda", 4 * 2, 1024),
        ("cuda", 4 * 1000 * 2410, 16),  # 1,000 runs of digits-mlp
        ("cuda", 8 * 1000 * 2410, 8),
        ("cuda", 4 * 2**30, 1),
    ],
)
def test_a_block_has_as_many_steps_as_its_device_has_room_for(
    device: str, weights: int, steps: int
) -> None:
    assert block_size(device, weights) == steps


@pytest.mark.parametrize(("dtype", "weights"), [("float32", 4 * 2 * 4), ("float64", 8 * 2 * 4)])
def test_the_room_of_a_block_is_counted_in_bytes(
    problem: Problem, runs: Runs, monkeypatch: pytest.MonkeyPatch, dtype: str, weights: int
) -> None:
    """Two runs of a plane, with three slopes and a bias, in blocks of two steps."""
    monkeypatch.setitem(block_module.BLOCK_BYTES, "cpu", 2 * weights)
    preset = problem(dtype=dtype)
    trainer = Trainer(preset, runs(preset, [SGD(lr=0.01), SGD(lr=0.02)]))
    with patch.object(trainer, "_record", wraps=trainer._record) as record:
        trainer.advance(6)
    assert [len(call.args[0].loss) for call in record.call_args_list] == [2, 2, 2]


@pytest.mark.usefixtures("norms_of_a_gpu")
@pytest.mark.parametrize("hidden", [4, 40], ids=["few weights", "many weights"])
def test_a_gpu_waits_once_for_a_block_and_for_no_step(
    problem: Problem, runs: Runs, hidden: int
) -> None:
    preset = problem(model=Network(hidden=[hidden]), dtype="float32", steps=64)
    trainer = Trainer(preset, runs(preset, [Adam(lr=0.01), SGD(lr=0.01), Adam(lr=0.02, beta1=0.8)]))
    with Calls() as calls:
        assert trainer.advance(64) is not None
    # whether the block is finite; `nonzero` would be a mask that picks out elements
    assert calls.counts["_local_scalar_dense"] == 1
    assert calls.counts["nonzero"] == 0
    assert calls.counts["mul"] > 64


def test_a_block_leaves_the_device_in_two_copies(
    problem: Problem, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    preset = problem(model=Network(hidden=[40]), steps=200)
    trainer = Trainer(preset, runs(preset))
    copied: list[tuple[int, ...]] = []
    copy = torch.Tensor.cpu

    def cpu(tensor: torch.Tensor) -> torch.Tensor:
        copied.append(tuple(tensor.shape))
        return copy(tensor)

    monkeypatch.setattr(torch.Tensor, "cpu", cpu)
    monkeypatch.setattr(trainer, "_evaluate", lambda block: None)  # has copies of its own
    assert trainer.advance(64) is not None
    statistics = 1 + 6 * 4  # norm of the gradient, and six of each of four tensors
    assert copied == [(64, 1), (statistics, 64, 1)]


def test_norms_of_a_gpu_are_those_of_the_processor(
    problem: Problem, runs: Runs, request: pytest.FixtureRequest
) -> None:
    preset = problem(model=Network(hidden=[40]), dtype="float32", steps=20)
    make = lambda: Trainer(preset, runs(preset, [Adam(lr=0.01), SGD(lr=0.01)]))  # noqa: E731
    expected = everything(make(), 20)
    request.getfixturevalue("norms_of_a_gpu")
    for name, values in everything(make(), 20).items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-5, atol=1e-7, err_msg=name)
