"""How classes look: a colour and a sign each, so that hue alone never tells them apart."""

from __future__ import annotations

from typing import NamedTuple


class ClassSign(NamedTuple):
    """The signs of a class's rows."""

    train: str
    test: str


SIGNS = (ClassSign("●", "○"), ClassSign("■", "□"), ClassSign("▲", "△"), ClassSign("◆", "◇"))
PLAIN_SIGNS = (ClassSign("O", "o"), ClassSign("X", "x"), ClassSign("A", "a"), ClassSign("D", "d"))


def sign(number: int, *, plain: bool = False) -> ClassSign:
    """The signs of class `number`."""
    signs = PLAIN_SIGNS if plain else SIGNS
    return signs[number % len(signs)]


def shortened(names: tuple[str, ...], width: int) -> list[str]:
    """The names in at most `width` characters each: their beginnings, or their numbers.

    Numbers where the beginnings would not tell them apart.
    """
    cut = [name[:width] for name in names]
    return cut if len(set(cut)) == len(cut) else [str(i)[-width:] for i in range(len(names))]
