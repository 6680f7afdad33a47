"""Lists and ranges as the command line and the setup screen write them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from difflib import get_close_matches
from itertools import chain
from typing import Literal, overload

from tuitrain.errors import InputError
from tuitrain.optim import OPTIMIZERS
from tuitrain.optim.schedules import SCHEDULES
from tuitrain.spec.overrides import parse_value

MOST_VALUES = 10_000
"""Values that one range may have."""

NUMBERS = "numbers such as 1e-3,1e-2, or a range such as 1e-4:1:log:32 or 0.1:1:lin:10"
SEEDS = "how many, such as 8, or which, such as 0:16 or 0,3,5"

_RANGE = re.compile(r"[^:\[\"']*:[^:]*:\s*(log|lin)\b.*")


def numbers(text: str, where: str) -> list[float]:
    """The numbers of `1e-3,1e-2` or `1e-4:1:log:32` (ends included), or of a list of both.

    Args:
        text: the list.
        where: how an error names it, such as `--lr 1e-3,x`.

    Raises:
        InputError: an item is no number and no range, or a range has no numbers.
    """
    found: list[float] = []
    for item in items(text, where, NUMBERS):
        found += _range(item, where) if ":" in item else [_number(item, where)]
    return list(dict.fromkeys(found))


def number(text: str, where: str) -> float:
    """A single finite number; InputError for anything else."""
    return _number(text, where, "a number")


def seeds(text: str, where: str) -> int | Sequence[int]:
    """How many seeds (`8`), or which: `0:16` (0 to 15), `0,3,5`, or a list of both.

    Raises:
        InputError: none of these, no seed at all, or too long a list.
    """
    if "," not in text:
        return _seeds(text, where)
    parts = [_seeds(item, where, alone=False) for item in items(text, where, SEEDS)]
    if sum(map(len, parts)) > MOST_VALUES:
        expected = f"at most {MOST_VALUES:,} seeds in a list"
        raise InputError("the list is too long", where=where, expected=expected)
    return list(dict.fromkeys(chain.from_iterable(parts)))


@overload
def _seeds(text: str, where: str) -> int | range: ...
@overload
def _seeds(text: str, where: str, *, alone: Literal[False]) -> range: ...
def _seeds(text: str, where: str, *, alone: bool = True) -> int | range:
    """A number or a range of seeds; a number is a seed itself where it does not stand alone."""
    match = re.fullmatch(r"\s*(\d{1,12})\s*(?::\s*(\d{1,12})\s*)?", text)
    if not match:
        raise InputError("not a number of seeds", where=where, expected=SEEDS)
    first, below = match.groups()
    if below is None:
        chosen: int | range = int(first) if alone else range(int(first), int(first) + 1)
    else:
        chosen = range(int(first), int(below))
    if not chosen:
        raise InputError("no seed at all", where=where, expected=SEEDS)
    return chosen


def optimizers(text: str, where: str) -> list[str]:
    """The names of `sgd,adam`.

    Raises:
        InputError: an unknown name (says the nearest).
    """
    expected = "a name that `tuitrain optimizers` lists"
    names = items(text, where, expected)
    for name in names:
        if name not in OPTIMIZERS:
            near = get_close_matches(name, OPTIMIZERS, n=3)
            raise InputError(
                f"no optimizer {name!r}", where=where, expected=" or ".join(near) or expected
            )
    return list(dict.fromkeys(names))


def schedules(text: str, where: str) -> list[str]:
    """The specifications of `constant,cosine:end=0.01,warmup=100`: two of them.

    A comma also parts the settings of a schedule: what names no schedule belongs to the one
    before.
    """
    found: list[str] = []
    for item in items(text, where, f"one of {', '.join(SCHEDULES)}"):
        if found and re.match(r"[^:]*=", item):
            found[-1] += f",{item}"
        else:
            found.append(item)
    return list(dict.fromkeys(found))


def values(text: str, where: str) -> list[object]:
    """The TOML values of `0.8,0.9`, or the numbers of `0.8:0.99:lin:5`.

    Commas inside brackets or quotes part nothing, so `[[1],[2]]` is one value.

    Raises:
        InputError: an item is empty, or a range has no numbers.
    """
    found: list[object] = []
    for item in items(text, where, "VALUE or VALUE,VALUE"):
        found += _range(item, where) if _RANGE.fullmatch(item) else [parse_value(item)]
    return list({repr(value): value for value in found}.values())  # 1 == True, but is not it


def items(text: str, where: str, expected: str) -> list[str]:
    """The parts between commas that stand in no brackets and no quotes; none may be empty."""
    parts, depth, quote = [""], 0, ""
    for c in text:
        if quote:
            quote = "" if c == quote else quote
        elif c in "\"'":
            quote = c
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == "," and depth == 0:
            parts.append("")
            continue
        parts[-1] += c
    parts = [part.strip() for part in parts]
    if not all(parts):
        raise InputError("an item is empty", where=where, expected=expected)
    return parts


def _number(text: str, where: str, expected: str = NUMBERS) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{text!r} is not a number", where=where, expected=expected)
    return value


def _range(text: str, where: str) -> list[float]:
    """The numbers of FROM:TO:log:COUNT or FROM:TO:lin:COUNT."""
    import numpy as np

    parts = [part.strip() for part in text.split(":")]
    if len(parts) != 4 or parts[2] not in ("log", "lin") or not parts[3].isdecimal():
        raise InputError(f"{text!r} is no range", where=where, expected=NUMBERS)
    start, end = (_number(part, where) for part in parts[:2])
    # a limit on the digits first: int() of a million of them takes minutes
    count = int(parts[3]) if len(parts[3]) < 10 else MOST_VALUES + 1
    problem, expected = "", ""
    if start > end or count == 0:
        problem, expected = "is empty", "the smaller number first, and a count of 1 or more"
    elif count > MOST_VALUES:
        problem, expected = "is too long", f"at most {MOST_VALUES:,} values"
    elif parts[2] == "log" and start <= 0:
        problem, expected = "has no logarithm", "numbers above 0, or lin"
    if problem:
        raise InputError(f"{text} {problem}", where=where, expected=expected)
    space = np.geomspace if parts[2] == "log" else np.linspace
    with np.errstate(over="ignore", invalid="ignore"):
        found = space(start, end, count)
    if not np.isfinite(found).all():
        raise InputError(f"{text} is too wide", where=where, expected="numbers nearer to 0")
    # 0.001 and not 0.0010000000000000002, which is what the powers of ten come out as
    return list(dict.fromkeys(float(f"{x:.13g}") for x in found))
