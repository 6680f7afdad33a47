"""Small files that others read while they change."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import sys
from pathlib import Path

FLOCK = "qqihh" if sys.platform == "darwin" else "hhqqi0q"
"""C's `struct flock`: type and whence, start and length, pid; on macOS in another order."""


def replace(path: Path, content: bytes) -> None:
    """Puts `content` at `path` in one step: a reader sees all of it or nothing.

    Only the user can read the file.
    """
    draft = path.with_name(f".{path.name}.tmp")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.replace(path)


def sync(path: Path) -> None:
    """Lets a file, or the names in a directory, outlast a power cut, if the disk can do that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def locked(path: Path) -> bool:
    """Whether another process holds the file locked with `lockf`; asked without taking the lock."""
    darwin = sys.platform == "darwin"
    wanted = (0, 0, 0, fcntl.F_WRLCK, 0) if darwin else (fcntl.F_WRLCK, 0, 0, 0, 0)
    with contextlib.suppress(OSError), path.open("rb") as file:
        answer = fcntl.fcntl(file, fcntl.F_GETLK, struct.pack(FLOCK, *wanted))
        kind = struct.unpack(FLOCK, answer)[3 if darwin else 0]
        return bool(kind != fcntl.F_UNLCK)
    return False
