"""Devices by name."""

from __future__ import annotations

import pytest
import torch

from tuitrain.errors import InputError
from tuitrain.train import device_name, fix_rounding, resolve_device


def test_cpu_is_always_there() -> None:
    assert resolve_device("cpu") == torch.device("cpu")
    assert device_name(torch.device("cpu"))


def test_auto_takes_a_gpu_when_there_is_one() -> None:
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert resolve_device("auto").type == expected
    assert device_name(resolve_device("auto"))


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0", ""])
def test_unknown_names(name: str) -> None:
    with pytest.raises(InputError, match="unknown device"):
        resolve_device(name)


@pytest.mark.parametrize("name", ["cuda", "cuda:0"])
def test_without_a_gpu_cuda_is_an_error_of_one_line(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="no GPU") as error:
        resolve_device(name)
    assert "\n" not in str(error.value)


def test_a_gpu_that_is_not_there() -> None:
    with pytest.raises(InputError, match="no GPU"):
        resolve_device("cuda:99")


def test_threads_and_the_arithmetic_of_convolutions_are_fixed() -> None:
    before = torch.get_num_threads()
    try:
        fix_rounding(1)
        assert torch.get_num_threads() == 1
        assert torch.backends.cudnn.deterministic
        assert not torch.backends.cudnn.benchmark
        assert not torch.backends.cudnn.allow_tf32
        assert not torch.backends.cuda.matmul.allow_tf32
    finally:
        fix_rounding(before)
