"""`--device cuda`: what is refused before anything is started, and what only a worker can tell."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from typing import TYPE_CHECKING

import click
import pytest

from tests.nvml import Card, driver
from tuitrain.cli.run import run
from tuitrain.cli.training import check_gpu
from tuitrain.errors import InputError
from tuitrain.record import usage

if TYPE_CHECKING:
    from tests.cli.conftest import Inside

WITH_CUDA = "2.13.0"
WITHOUT = "2.13.0+cpu"


@pytest.fixture(autouse=True)
def nothing_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def build(monkeypatch: pytest.MonkeyPatch, version: str | None) -> None:
    """Makes PyTorch another build; None: one that nothing is known of."""

    def told(name: str) -> str:
        if version is None:
            raise PackageNotFoundError(name)
        return version

    monkeypatch.setattr(usage, "version", told)


@pytest.mark.parametrize(
    "command",
    [
        "run line-fit",
        "run line-fit --json",
        "run line-fit --detach",
        "run line-fit --ui",
        "compare line-fit --detach",
        "compare line-fit --no-ui",
    ],
)
@pytest.mark.parametrize("device", ["cuda", "cuda:0", "cuda:99"])
def test_a_gpu_that_there_is_not_is_refused_before_anything_starts(
    inside: Inside, monkeypatch: pytest.MonkeyPatch, command: str, device: str
) -> None:
    build(monkeypatch, WITHOUT)
    refused = inside(*command.split(), "--device", device)
    line = f"tuitrain: error: --device: no GPU for {device!r}; expected cpu or auto\n"
    assert (refused.returncode, refused.stdout, refused.stderr) == (2, "", line)
    assert not inside.runs_dir.exists()


@pytest.mark.parametrize(
    ("cards", "visible", "device", "expected"),
    [
        (1, None, "cuda:1", "cuda:0 to cuda:0"),
        (2, None, "cuda:2", "cuda:0 to cuda:1"),
        (2, "1", "cuda:1", "cuda:0 to cuda:0"),
        (2, "", "cuda", "cpu or auto"),
    ],
)
def test_a_number_above_those_of_the_gpus_is_refused(
    monkeypatch: pytest.MonkeyPatch, cards: int, visible: str | None, device: str, expected: str
) -> None:
    build(monkeypatch, WITH_CUDA)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with (
        driver(*[Card(f"GPU-{i}") for i in range(cards)]),
        pytest.raises(InputError, match=f"^--device: no GPU for '{device}'; expected {expected}$"),
    ):
        check_gpu(device)


@pytest.mark.parametrize("version", [WITH_CUDA, "2.13.0+cu130", None])
@pytest.mark.parametrize(
    ("cards", "device"), [(1, "cuda"), (2, "cuda:1"), (0, "cuda"), (0, "cuda:3")]
)
def test_a_gpu_that_there_is_or_may_be_is_not_refused(
    monkeypatch: pytest.MonkeyPatch, version: str | None, cards: int, device: str
) -> None:
    build(monkeypatch, version)
    with driver(*[Card(f"GPU-{i}") for i in range(cards)]):
        check_gpu(device)


@pytest.mark.parametrize(
    ("version", "cards", "devices"),
    [
        (WITHOUT, 1, ["auto", "cpu"]),
        (WITH_CUDA, 0, ["auto", "cpu", "cuda"]),
        (WITH_CUDA, 2, ["auto", "cpu", "cuda", "cuda:0", "cuda:1"]),
    ],
)
def test_the_devices_that_there_may_be_complete(
    monkeypatch: pytest.MonkeyPatch, version: str, cards: int, devices: list[str]
) -> None:
    build(monkeypatch, version)
    [option] = [parameter for parameter in run.params if parameter.name == "device"]
    with driver(*[Card(f"GPU-{i}") for i in range(cards)]):
        told = option.shell_complete(click.Context(run), "")
    assert [item.value for item in told] == devices
