"""A chunk as bytes: the recorded numbers bit for bit, and what a drawing needs of them."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from tuitrain.spec.recording import Chunk, Layout


class ChunkError(ValueError):
    """Bytes that are not what was written."""


@dataclass(frozen=True)
class Extent:
    """Which rows of which stack a chunk holds."""

    stack: int
    first: int
    stride: int
    rows: int

    @property
    def last(self) -> int:
        """Step of the last row."""
        return self.first + (self.rows - 1) * self.stride

    def checksum(self, *blobs: bytes) -> int:
        """crc32 over these numbers and the blobs."""
        value = zlib.crc32(struct.pack("<4q", self.stack, self.first, self.stride, self.rows))
        for blob in blobs:
            value = zlib.crc32(blob, value)
        return value


@dataclass(frozen=True)
class Summary:
    """What one chunk holds, in short.

    Attributes:
        extent: which rows.
        low, high: [S, R] minimum and maximum over finite values, NaN without any.
        last: [S, R] the last row's values.
        bad: [S, R] how many values are NaN or infinite.
    """

    extent: Extent
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    last: NDArray[np.float64]
    bad: NDArray[np.float64]


def joined(chunks: Iterable[Chunk]) -> list[list[Chunk]]:
    """The chunks of one stack in blocks without a gap in their steps."""
    blocks: list[list[Chunk]] = []
    for chunk in chunks:
        if blocks and chunk.first == blocks[-1][-1].last + chunk.stride:
            blocks[-1].append(chunk)
        else:
            blocks.append([chunk])
    return blocks


def merged(chunks: Iterable[Chunk]) -> list[Chunk]:
    """The same rows in as few chunks as can be."""
    stacks: dict[int, list[Chunk]] = {}
    for chunk in chunks:
        stacks.setdefault(chunk.stack, []).append(chunk)
    blocks = [block for mine in stacks.values() for block in joined(mine)]
    return [block[0] if len(block) == 1 else _merged(block) for block in blocks]


def _merged(block: Sequence[Chunk]) -> Chunk:
    first = block[0]
    series = {name: np.concatenate([c.series[name] for c in block], 1) for name in first.series}
    return Chunk(first.stack, first.first, first.stride, series)


def extent(chunk: Chunk) -> Extent:
    """Which rows a chunk holds."""
    return Extent(chunk.stack, chunk.first, chunk.stride, chunk.rows)


def encode(chunk: Chunk) -> bytes:
    """The values: each series in order, little-endian in its own dtype, then a byte for each.

    The byte is 0 where all values `[R, K]` are there, and 1 where every run kept its value
    throughout (a constant learning rate, say), which is then there once, `[R, 1]`.
    """
    stored = [_stored(values) for values in chunk.series.values()]
    once = bytes(values.shape[1] < chunk.rows for values in stored)
    return b"".join([*(values.tobytes() for values in stored), once])


def _stored(values: NDArray[np.floating]) -> NDArray[np.floating]:
    values = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    bits = values.view(f"u{values.itemsize}")  # NaN is not equal to itself, and 0.0 is to -0.0
    same = np.array_equal(bits[:, 0], bits[:, -1]) and (bits == bits[:, :1]).all()
    return values[:, :1] if same else values


def decode(extent: Extent, data: bytes, layout: Layout) -> Chunk:
    """The chunk that `encode` was given; its arrays are read-only views of `data`.

    Raises:
        ChunkError: `data` has another length than the layout says.
    """
    series = {}
    offset, end = 0, len(data) - len(layout.dtypes)
    for (name, kind), once in zip(layout.dtypes.items(), data[max(end, 0) :], strict=False):
        dtype = np.dtype(kind).newbyteorder("<")
        columns = 1 if once else extent.rows
        count = layout.runs * columns
        if offset + count * dtype.itemsize > end:
            raise ChunkError(f"{len(data)} bytes are too few for {extent.rows} rows")
        values = np.frombuffer(data, dtype, count, offset).reshape(layout.runs, columns)
        offset += values.nbytes
        values = values.astype(dtype.newbyteorder("="), copy=False)
        series[name] = np.broadcast_to(values, (layout.runs, extent.rows))
    if offset != end:
        raise ChunkError(f"{len(data)} bytes do not fit {extent.rows} rows")
    return Chunk(extent.stack, extent.first, extent.stride, series)


def summarise(chunk: Chunk) -> bytes:
    """Minimum, maximum, last value, number of non-finite values: `[4, S, R]` float64."""
    columns = [_extremes(values) for values in chunk.series.values()]
    return np.array(columns, "<f8").swapaxes(0, 1).tobytes()


def decode_summary(extent: Extent, data: bytes, layout: Layout) -> Summary:
    """The inverse of `summarise`.

    Raises:
        ChunkError: `data` has another length than the layout says.
    """
    shape = (4, len(layout.dtypes), layout.runs)
    if len(data) != 8 * int(np.prod(shape)):
        raise ChunkError(f"{len(data)} bytes are no summary")
    return Summary(extent, *np.frombuffer(data, "<f8").reshape(shape))


def layouts_to_json(layouts: Sequence[Layout]) -> str:
    """The layouts as the store's `meta` table keeps them."""
    return json.dumps(
        [{"runs": x.runs, "dtypes": dict(x.dtypes), "stride": x.stride} for x in layouts]
    )


def layouts_from_json(text: str) -> list[Layout]:
    """The inverse of `layouts_to_json`.

    Raises:
        ValueError: it is damaged.
    """
    layouts = msgspec.json.decode(text, type=list[Layout])
    for layout in layouts:
        kinds = {np.dtype(kind).kind for kind in layout.dtypes.values()}
        if "loss" not in layout.dtypes or kinds != {"f"} or layout.stride < 1:
            raise ValueError("a layout is damaged")
    return layouts


def _extremes(values: NDArray[np.floating]) -> tuple[NDArray[np.floating], ...]:
    low, high, last = values.min(axis=1), values.max(axis=1), values[:, -1]
    if np.isfinite(low).all() and np.isfinite(high).all():
        return low, high, last, np.zeros_like(low)
    finite = np.isfinite(values)
    low = np.where(finite, values, np.inf).min(axis=1)
    high = np.where(finite, values, -np.inf).max(axis=1)
    bad = (~finite).sum(axis=1)
    none = bad == values.shape[1]
    return np.where(none, np.nan, low), np.where(none, np.nan, high), last, bad
