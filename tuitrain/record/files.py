"""Small files that others read while they change."""

from __future__ import annotations

from pathlib import Path


def replace(path: Path, content: bytes) -> None:
    """Puts `content` at `path` in one step: a reader sees all of it or nothing.

    Only the user can read the file.
    """
    draft = path.with_name(f".{path.name}.tmp")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.replace(path)
