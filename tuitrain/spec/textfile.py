"""Reading the text files of users, with errors in one line."""

from __future__ import annotations

import errno
import stat
from pathlib import Path

from tuitrain.errors import InputError

STREAMS = ("/dev", "/proc/self/fd")
"""Where standard input and the `<(...)` of a shell lie; a pipe elsewhere may never be written."""


def read_bytes(path: Path, largest: int, expected: str) -> bytes:
    """The content of a file.

    Args:
        path: of the file.
        largest: bytes that it may have; it is read whole, so /dev/zero must not be.
        expected: what would be right where there is none.

    Raises:
        InputError: it cannot be read, is a pipe or a device, or is too large.
    """
    try:
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or any(map(path.is_relative_to, STREAMS))):
            raise OSError(errno.EINVAL, "not a regular file")
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        raise InputError(reason, where=str(path), expected=expected) from None
    if len(content) > largest:
        most = f"at most {largest // 1_000_000} MB"
        raise InputError("too large", where=str(path), expected=most)
    return content


def decode_utf8(content: bytes, where: str) -> str:
    """The text, with or without a byte order mark; InputError where it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(f"not UTF-8 in line {line}", where=where, expected="text") from None
