"""What curves are drawn with, as the user's terminal draws it best."""

from __future__ import annotations

import os
from typing import Literal, cast, get_args

Marker = Literal["braille", "block", "ascii"]


def chosen() -> Marker:
    """The value of TUITRAIN_MARKERS, or braille."""
    marker = os.environ.get("TUITRAIN_MARKERS", "")
    return cast(Marker, marker) if marker in get_args(Marker) else "braille"


MARKER = chosen()
ASCII = MARKER == "ascii"
"""Whether the whole screen keeps to ASCII."""
