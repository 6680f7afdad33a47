"""What is damaged in a store is found, and left out."""

from __future__ import annotations

import contextlib
import sqlite3
import zlib
from pathlib import Path

import numpy as np
import pytest

from tests.record.conftest import chunk
from tuitrain.record.reader import StoreReader
from tuitrain.record.store import StoreWriter


@pytest.mark.parametrize("column", ["data", "summary", "first", "rows"])
def test_a_flipped_bit_is_found(
    writer: StoreWriter, reader: StoreReader, path: Path, column: str
) -> None:
    for first in (1, 5, 9):
        with writer.transaction():
            writer.append(chunk(first))
    with sqlite3.connect(path) as database:
        (value,) = database.execute(f"SELECT {column} FROM chunks WHERE id = 2").fetchone()
        value = value ^ 1 if isinstance(value, int) else bytes([value[0] ^ 1]) + value[1:]
        database.execute(f"UPDATE chunks SET {column} = ? WHERE id = 2", (value,))
    assert [key for key, _ in reader.chunks()] == [1, 3]
    assert list(reader.corrupt) == ["chunk 2"]
    assert "checksum" in reader.corrupt["chunk 2"]
    short = [key for key, _ in reader.summaries()]
    assert short == ([1, 2, 3] if column == "data" else [1, 3])


DAMAGE = {
    "stack": 1,
    "step": 8,
    "position": 2,
    "name": "v",
    "dtype": "int64",
    "shape": "[1, 2]",
    "data": np.zeros((2, 1)).tobytes(),
}


@pytest.mark.parametrize("column", DAMAGE)
def test_damaged_weights_are_not_given_out(
    writer: StoreWriter, reader: StoreReader, path: Path, column: str
) -> None:
    with writer.transaction():
        writer.snapshot(0, 0, {"w": np.ones((2, 1)), "b": np.ones(2)})
        writer.snapshot(0, 4, {"w": np.ones((2, 1)), "b": np.ones(2)})
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        where = "WHERE name = 'w' AND step = 0"
        database.execute(f"UPDATE weights SET {column} = ? {where}", (DAMAGE[column],))
    assert reader.weights(0, "first") == {}
    assert reader.corrupt == {"snapshot of stack 0 at step 0": "the checksum is wrong"}
    assert reader.weights(0, "last").keys() == (set() if column == "step" else {"w", "b"})
    assert reader.weights(1, "first") == {}


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        (None, None),
        ("shape", "w is not of all runs"),
        ("dtype", "data type 'floot64' not understood"),
        ("data", "the checksum is wrong"),
    ],
)
def test_weights_of_version_2_are_told_by_the_checksum_of_their_numbers(
    writer: StoreWriter, reader: StoreReader, path: Path, column: str | None, problem: str | None
) -> None:
    with writer.transaction():
        writer.snapshot(0, 0, {"w": np.ones((2, 1))})
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        crc = zlib.crc32(np.ones((2, 1)).tobytes())
        database.execute("UPDATE weights SET crc = ?", (crc,))
        if column:
            value = "floot64" if column == "dtype" else DAMAGE[column]
            database.execute(f"UPDATE weights SET {column} = ?", (value,))
    assert reader.weights(0, "first").keys() == (set() if column else {"w"})
    assert [*reader.corrupt.values()] == ([problem] if problem else [])
