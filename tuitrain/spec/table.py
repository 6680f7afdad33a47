"""The rows of a CSV file: strict, with errors that name file and line."""

from __future__ import annotations

import io
import stat
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import inf, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec.structs import replace

from tuitrain.errors import InputError
from tuitrain.spec.base import MOST_CLASSES, MOST_ROWS
from tuitrain.spec.data import Column, Csv
from tuitrain.spec.strict import nearest, show, unseen
from tuitrain.spec.textfile import decode_utf8, read_bytes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LARGEST_TABLE = 128_000_000
"""Bytes; a table is read whole."""

KEPT = 32
"""Tables that are kept when they have been read."""

T = TypeVar("T")

LARGEST_SPLIT = 32_000_000
"""Bytes of a table of which the fields are kept: they take some eight times its memory."""

Line = tuple[int, tuple[str, ...]]
"""Number of a line from 1, and its fields."""


@dataclass(frozen=True)
class Table:
    """The rows of a file; the arrays are shared and cannot be written to.

    Attributes:
        x: inputs, float64 [rows, inputs].
        y: targets, float64 [rows]: numbers, or the number of the class (0, 1, ...).
        inputs: names of the inputs: those of the header, or `column 1`, ...
        classes: names of the classes in alphabetical order, or by number where all are numbers;
            () where targets are numbers.
        sha256: of the file.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    inputs: tuple[str, ...]
    classes: tuple[str, ...]
    sha256: str


def table(data: Csv) -> Table:
    """The table of a CSV file, read once for as long as the file stays as it is.

    With a checksum it is read once for all: what is on the disk later is of no matter to an
    experiment that has begun.

    Raises:
        InputError: the file is missing, too large, another than it was, or has a bad line.
    """
    sha256 = data.sha256 or _checksum(data.csv, *_version(data.csv))
    # of a preset that differs in other keys of the data the table is the same
    plain = replace(data, sha256=sha256, test=0.0, shuffle=None, standardise=False)
    return _table(msgspec.json.encode(plain))


def _version(file: str) -> tuple[int, int]:
    """Size and time of the last change of a regular file."""
    try:
        status = Path(file).stat()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        raise InputError(reason, where=file, expected="a CSV file") from None
    if not stat.S_ISREG(status.st_mode):  # a pipe could not be read again
        raise InputError("not a regular file", where=file, expected="a CSV file")
    return status.st_size, status.st_mtime_ns


def content(data: Csv) -> bytes:
    """The bytes of a CSV file with a checksum.

    Raises:
        InputError: the file cannot be read, or is another than it was.
    """
    found = _content(data.csv)
    if _sha256(found) != data.sha256:
        expected = f"the file with sha256 {data.sha256}"
        raise InputError("has changed", where=data.csv, expected=expected)
    return found


def _content(file: str) -> bytes:
    _version(file)
    return read_bytes(Path(file), LARGEST_TABLE, "a CSV file")


@lru_cache(maxsize=KEPT)
def _checksum(file: str, size: int, changed: int) -> str:
    """Of a file of this version."""
    return _sha256(_content(file))


def _sha256(content: bytes) -> str:
    import hashlib  # late, as csv below: few presets have a file, and the first frame waits

    return hashlib.sha256(content).hexdigest()


@lru_cache(maxsize=KEPT)
def _table(document: bytes) -> Table:
    """The table of a `Csv` in JSON, with the checksum of its file."""
    data = msgspec.json.decode(document, type=Csv)
    text = content(data)
    decode_utf8(text, data.csv)
    lines = _all_lines(text, data)
    names = _names(lines, data)
    last = len(names)
    target = _column(last if data.target is None else data.target, names, data, "target")
    inputs = [_column(column, names, data, "columns") for column in data.columns]
    inputs = inputs or [i for i in range(len(names)) if i != target]
    _check_columns(inputs, target, names, data)
    if not data.header:
        lines = _all_lines(text, data)  # the first one again
    x, y, classes = _Reader(data, names, inputs, target).read(lines)
    x.flags.writeable = y.flags.writeable = False
    return Table(x, y, tuple(names[i] for i in inputs), classes, data.sha256)


# Lines ----------------------------------------------------------------------------------------


def _error(data: Csv, line: int, problem: str, expected: str = "") -> InputError:
    return InputError(problem, where=f"{data.csv}: line {line}", expected=expected)


_split: dict[tuple[str, str], list[Line]] = {}
"""The lines of the file that was read last, by checksum and separator: while one chooses its
columns, it is split once."""


def _all_lines(text: bytes, data: Csv) -> Iterator[Line]:
    """The lines of a file, kept if it is not too large."""
    key = data.sha256, data.separator
    lines = _split.get(key)
    if lines is None:
        if len(text) > LARGEST_SPLIT:
            return _lines(text, data)
        try:
            lines = list(_lines(text, data))
        except InputError:
            return _lines(text, data)  # of several errors the first one is told
        _split.clear()
        _split[key] = lines
    return iter(lines)


def _lines(content: bytes, data: Csv) -> Iterator[Line]:
    """The lines that are not blank, all with as many fields as the first; a quoted field may
    hold a line break, and the number is then that of the first line."""
    import csv

    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    reader = csv.reader(text, delimiter=data.separator, strict=True)
    first: Line | None = None
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise _error(data, line, str(error), "fields in CSV") from None
        if fields is None:
            return
        if not fields:
            continue
        first = first or (line, tuple(fields))
        if len(fields) != len(first[1]):
            counts = f"{len(first[1])}, as line {first[0]} has"
            raise _error(data, line, f"has {_count(len(fields), 'field')}", counts)
        yield line, tuple(fields)  # a tuple of texts costs the garbage collector nothing


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


# Columns --------------------------------------------------------------------------------------


def _names(lines: Iterator[Line], data: Csv) -> list[str]:
    """The names of the columns, from the header if there is one; takes the first line."""
    line, fields = next(lines, (0, ()))
    if not fields:
        raise InputError("empty", where=data.csv, expected="a line for each row")
    names = [f"column {i + 1}" for i in range(len(fields))]
    if data.header:
        if all(isfinite(_number(field)) for field in fields):
            # the first row would be lost without a word
            raise _error(data, line, "holds numbers only", "names, or data.header = false")
        names = [field.strip() or name for field, name in zip(fields, names, strict=True)]
        for name in names:
            _refuse_unseen(name, data, line)
        if twice := _repeated(names):
            raise _error(data, line, f"has the column {show(twice[0])} twice", "it once")
    if len(names) < 2:
        hint = "inputs and a target, or another data.separator"
        raise _error(data, line, "has 1 field", hint)
    return names


def _refuse_unseen(text: str, data: Csv, line: int) -> None:
    """Names go to a terminal, where a control character is a command."""
    if bad := "\n" if "\n" in text else unseen(text):
        raise _error(data, line, f"holds the control character {bad!a}", "printable text")


def _column(column: Column, names: list[str], data: Csv, key: str) -> int:
    """Place of a column given by name or number from 1."""
    if isinstance(column, int) and 1 <= column <= len(names):
        return column - 1
    if isinstance(column, str) and data.header and column in names:
        return names.index(column)
    if isinstance(column, int):
        expected = f"1 to {len(names)}"
    else:
        expected = nearest(column, names) if data.header else "a number: there is no header"
    raise InputError(f"no column {show(column)} for data.{key}", where=data.csv, expected=expected)


def _check_columns(inputs: list[int], target: int, names: list[str], data: Csv) -> None:
    """The target is no input, and no input is given twice."""
    for bad, why in (
        ([target] * (target in inputs), "is the target"),
        (_repeated(inputs), "is there twice"),
    ):
        if bad:
            problem = f"{show(names[bad[0]])} in data.columns {why}"
            raise InputError(problem, where=data.csv, expected="other columns")


def _repeated(items: Iterable[T]) -> list[T]:
    return [item for item, count in Counter(items).items() if count > 1]


# Values ---------------------------------------------------------------------------------------


class _Reader:
    """Inputs and targets of lines.

    Args:
        data: what the preset says of the file.
        names: of all columns.
        inputs: places of the inputs.
        target: place of the target.
    """

    def __init__(self, data: Csv, names: list[str], inputs: list[int], target: int) -> None:
        self.data, self.names, self.inputs, self.target = data, names, inputs, target
        self.classes = data.classes
        self.labels: dict[str, int] = {}

    def read(
        self, lines: Iterator[Line]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[str, ...]]:
        import numpy as np

        x, y = array("d"), array("d")
        for line, fields in lines:
            row = [_number(fields[i]) for i in self.inputs]
            if not all(map(isfinite, row)):
                raise self._no_number(line, fields, self.inputs)
            x.extend(row)
            y.append(self._target(line, fields))
            if len(y) > MOST_ROWS:
                raise InputError("too large", where=self.data.csv, expected=f"{MOST_ROWS:,} rows")
        if not y:
            raise InputError("has no rows", where=self.data.csv, expected="at least one row")
        targets = np.frombuffer(y)
        if self.classes:
            targets = np.array(self._ranks())[targets.astype(np.intp)]
        names = tuple(sorted(self.labels, key=_order))
        return np.frombuffer(x).reshape(len(y), len(self.inputs)), targets, names

    def _target(self, line: int, fields: tuple[str, ...]) -> float:
        """The target of a row: a number, or the number of its class as they come."""
        text = fields[self.target].strip()
        number = _number(text)
        if self.classes == "auto":  # the first row decides: a slip further down is an error
            self.classes = not isfinite(number)
        if not self.classes:
            if not isfinite(number):
                raise self._no_number(line, fields, [self.target])
            return number
        if text not in self.labels:
            self._new_class(line, text)
        return self.labels[text]

    def _new_class(self, line: int, text: str) -> None:
        if not text:
            raise _error(self.data, line, self._empty(self.target), "the name of a class")
        if self.data.classes == "auto" and isfinite(_number(text)):
            problem = f"{show(self.names[self.target])} is {text}, and no number before"
            raise _error(self.data, line, problem, "the name of a class, or data.classes = true")
        _refuse_unseen(text, self.data, line)
        if len(self.labels) == MOST_CLASSES:
            hint = f"at most {MOST_CLASSES:,} classes, or data.classes = false"
            raise _error(self.data, line, f"{show(text)} is one class too many", hint)
        self.labels[text] = len(self.labels)

    def _ranks(self) -> list[float]:
        """Number of each class in the order of their names, by number as they came."""
        if len(self.labels) == 1:
            only = f"has only the class {show(*self.labels)}"
            raise InputError(only, where=self.data.csv, expected="at least two classes")
        rank = {text: float(i) for i, text in enumerate(sorted(self.labels, key=_order))}
        return [rank[text] for text in self.labels]

    def _no_number(self, line: int, fields: tuple[str, ...], columns: list[int]) -> InputError:
        """The error of a row with a field that is no finite number."""
        column = next(i for i in columns if not isfinite(_number(fields[i])))
        text, name = fields[column].strip(), show(self.names[column])
        expected = "a finite number"
        if column == self.target:
            expected += ", or data.classes = true"
        elif not self.data.header and line == 1:
            expected += ", or data.header = true"
        problem = f"{name} is {show(text)}" if text else self._empty(column)
        return _error(self.data, line, problem, expected)

    def _empty(self, column: int) -> str:
        return f"{show(self.names[column])} is empty"


def _number(text: str) -> float:
    """The number that a field spells; infinity where it spells none."""
    try:
        return inf if "_" in text else float(text)  # Python reads 1_000, CSV does not
    except ValueError:
        return inf


def _order(text: str) -> tuple[float, str]:
    return _number(text), text
