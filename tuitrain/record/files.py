"""Small files that others read while they change."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


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
