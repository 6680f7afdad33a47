"""What the tables of a preset file share: strictness, and the numbers that stand in them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

MOST_ROWS = 10_000_000
MOST_CLASSES = 1_000
LARGEST = 1_000_000
"""Magnitude of what random numbers are drawn by: their range and squares never overflow."""

Rows = Annotated[int, Meta(ge=1, le=MOST_ROWS)]
Seed = Annotated[int, Meta(ge=0, lt=2**32)]
Number = Annotated[float, Meta(ge=-LARGEST, le=LARGEST)]
Deviation = Annotated[float, Meta(ge=0, le=LARGEST)]
"""How far numbers that are drawn spread."""
Numbers = float | list[float | list[float]]
"""A scalar, a vector or a matrix of numbers."""


class Strict(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file: unknown keys are errors."""


class Tagged(Strict, frozen=True, tag_field="kind"):
    """One of several kinds of a table, told apart by its key `kind`."""
