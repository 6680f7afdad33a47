"""Arrays as columns of a row in the store, and the checksum of a row."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def pack(values: NDArray[Any]) -> tuple[str, str, bytes]:
    """The dtype, the shape and the little-endian bytes of an array."""
    data = np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
    return values.dtype.name, json.dumps(values.shape), data


def unpack(kind: str, shape: str, data: bytes) -> NDArray[Any]:
    """The array that `pack` was given, read-only.

    Raises:
        ValueError: the columns are damaged, or do not fit each other.
    """
    try:
        dtype = np.dtype(kind).newbyteorder("<")
        values = np.frombuffer(data, dtype).reshape(json.loads(shape))
    except TypeError as error:
        raise ValueError(str(error)) from None
    return values.astype(dtype.newbyteorder("="), copy=False)


def checksum(columns: Sequence[int | str], data: bytes) -> int:
    """crc32 over the other columns of a row and its bytes."""
    return zlib.crc32(data, zlib.crc32(json.dumps(columns).encode()))
