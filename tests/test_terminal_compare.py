"""A comparison as a person makes it: `tuitrain` in a real terminal, driven by keys alone."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from pyte.screens import Char

from tests.terminal import (  # noqa: F401  (fixtures are found by name)
    CTRL_S,
    DOWN,
    ENTER,
    ESCAPE,
    PATIENCE,
    TAB,
    Terminal,
    only,
    runs_fixture,
    terminal_fixture,
)
from tuitrain.record.reader import StoreReader

SALES = ("sales-mse", "sales-cost1-profit99", "sales-cost99-profit1")
OPTIMIZERS = ("sgd", "sgdm", "adagrad", "rmsprop", "adam")
SIZES = {
    (80, 24): "3 × 5 × 8 = 120 runs",  # noqa: RUF001
    (120, 40): "3 presets × 5 optimizers × 8 seeds = 120 runs",  # noqa: RUF001
}


def tab_to(tty: Terminal, sign: str) -> None:
    """Press Tab until the screen shows that the focus has come to where it should be."""
    for _ in range(40):
        before = tty.cells()
        tty.press(TAB)
        deadline = time.monotonic() + PATIENCE
        while not moved(before, drawn := tty.cells()):
            assert time.monotonic() < deadline, f"the focus stays where it is in\n{tty.read()}"
        while moved(drawn, now := tty.cells()):
            drawn = now
        if re.search(sign, tty.read()):
            return
    raise AssertionError(f"{sign!r} never came up in\n{tty.read()}")


def moved(before: list[Char], after: list[Char]) -> bool:
    """Whether the focus has: that changes colours of a whole field. A cursor blinks in one cell."""
    return sum(a != b for a, b in zip(before, after, strict=True)) > 2


def set_seeds(tty: Terminal) -> None:
    tty.wait("type to filter")
    tty.press(*"sales")
    tty.wait("sales-cost99-profit1(.|\n)*Start training")
    tty.wait("y vs x1, 32 rows")  # all is drawn: what changes from now on is the focus
    tab_to(tty, "or start:stop, such as 0:8")
    tty.press("\x15", *"0:8")  # ctrl+u: away with the seed that is there
    tty.wait("seeds +0:8(.|\n)*8 seeds = 8 runs")


def mark_presets(tty: Terminal) -> None:
    tty.press(ESCAPE)  # to the filter, above the list
    tab_to(tty, "space mark")
    for number, name in enumerate(SALES):
        tty.press(*[DOWN] * (number > 0))
        tty.press(" ")
        tty.wait(f"✓ {name}")
    tty.wait("seeds for all +0:8")


def mark_optimizers(tty: Terminal) -> None:
    tty.press(TAB, TAB, ENTER)
    tty.wait("adagrad")
    for name in OPTIMIZERS:
        tty.press(*name, " ")
        tty.wait(f"✓ {name} ")
    tty.press(ENTER)
    tty.wait("optimizers +5: s")


@pytest.mark.parametrize("size", SIZES)
def test_three_presets_five_optimizers_and_eight_seeds_by_keys_alone(
    terminal: Callable[..., Terminal], runs: Path, size: tuple[int, int]
) -> None:
    tty = terminal(size=size)
    set_seeds(tty)
    mark_presets(tty)
    mark_optimizers(tty)
    tty.wait(f"Start comparison: {SIZES[size]}")
    tty.press(CTRL_S)
    tty.wait("120 runs")
    tty.wait("finished +45,000 / 45,000")
    tty.press("q")
    assert tty.end() == 0
    reader = StoreReader(only(runs).database)
    results = reader.runs()
    found = [(result.preset, result.optimizer, result.seed) for result in results]
    assert found == list(product(SALES, OPTIMIZERS, range(8)))
    assert {result.status for result in results} == {"finished"}
    assert {result.steps for result in results} == {15000}
    rows = sum(chunk.rows for _, chunk in reader.chunks())
    assert rows == 3 * 15000
