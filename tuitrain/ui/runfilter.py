"""Which runs are shown: words of their names, and conditions such as `lr>=0.01`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from math import isnan, nan

from tuitrain.errors import InputError

Facts = Mapping[str, object]
"""What is known of a run by key; text or numbers, None where the run has no such key."""

_CONDITION = re.compile(r"([A-Za-z_][\w.\-]*)(<=|>=|!=|==|=|<|>)(.*)")
_ORDER: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


class RunFilter:
    """A filter as the user typed it.

    Words must occur in a run's name, in any order and without regard to case. A condition is a
    key, one of `= != < <= > >=` and a value; several values by commas after `=` or `!=`
    (`optimizer=sgd,adam`). All must hold.

    Args:
        text: words and conditions, parted by spaces.
        keys: what conditions may be about.

    Raises:
        InputError: a condition about an unknown key, or with something to compare by size that
            is not a number.
    """

    def __init__(self, text: str, keys: Sequence[str]) -> None:
        self.text = text
        self._words: list[str] = []
        self._conditions: list[Callable[[Facts], bool]] = []
        for token in text.split():
            if found := _CONDITION.fullmatch(token):
                key, sign, value = found.groups()
                self._conditions.append(_condition(key, sign, value, keys))
            else:
                self._words.append(token.lower())

    def __bool__(self) -> bool:
        return bool(self._words or self._conditions)

    def __call__(self, facts: Facts) -> bool:
        """Whether a run is shown; its `name` is what words are sought in."""
        name = str(facts.get("name", "")).lower()
        return all(word in name for word in self._words) and all(
            condition(facts) for condition in self._conditions
        )


def _condition(key: str, sign: str, value: str, keys: Sequence[str]) -> Callable[[Facts], bool]:
    token = f"{key}{sign}{value}"
    if key not in keys:
        near = get_close_matches(key, keys, n=3) or keys
        raise InputError(f"no key {key!r}", where=token, expected=" or ".join(near))
    if not value:
        raise InputError("nothing to compare with", where=token, expected=f"{key}{sign}VALUE")
    if sign in _ORDER:
        limit = _number(value)
        if isnan(limit):
            raise InputError(f"{value!r} is not a number", where=token, expected=f"{key}{sign}0.01")
        compare = _ORDER[sign]
        return lambda facts: compare(_number(facts.get(key)), limit)
    wanted = value.split(",")
    same = sign != "!="
    return lambda facts: any(_equal(facts.get(key), one) for one in wanted) == same


def _number(value: object) -> float:
    """A value as a number; NaN, which no comparison holds for, if it is none."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return nan


def _equal(value: object, wanted: str) -> bool:
    """Whether a value is what was typed: numbers by size, everything else by its letters."""
    number = _number(wanted)
    if isinstance(value, bool):
        return str(value).lower() == wanted.lower()
    if isinstance(value, int | float) and not isnan(number):
        return abs(value - number) <= 1e-9 * max(abs(value), abs(number))
    return str(value).lower() == wanted.lower()
