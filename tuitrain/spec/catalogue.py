"""The shipped presets, and any preset by name or path."""

from __future__ import annotations

import os
from contextlib import suppress
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from tuitrain.errors import InputError
from tuitrain.spec.load import load_file
from tuitrain.spec.preset import Preset

SUFFIX = ".toml"
MOST_FILES = 200
LARGEST_FILE = 1_000_000
"""Bytes of a file that is looked at unasked: larger ones take seconds."""

MOST_NAMES = 3
"""Names that an error tells of those that may be meant."""

SHORTEST = 3
"""Letters of a word that is looked for in names and titles: fewer are in almost all of them."""


def preset_directory() -> Path:
    """Where the shipped presets lie: in the wheel, or the repository's own directory."""
    package = Path(__file__).parent.parent
    installed = package / "presets"
    return installed if installed.is_dir() else package.parent / "presets"


@cache
def catalogue() -> dict[str, Preset]:
    """All shipped presets by name, in catalogue order."""
    presets = [load_file(path) for path in preset_directory().glob(f"*{SUFFIX}")]
    return {p.name: p for p in sorted(presets, key=lambda p: (p.order, p.name))}


def own(directory: Path) -> dict[str, Preset]:
    """The presets that lie in a directory, by file name; all else is passed over.

    Of very many files, the first `MOST_FILES` are looked at, and none above `LARGEST_FILE`.
    """
    found = {}
    with suppress(OSError):
        for path in sorted(directory.glob(f"*{SUFFIX}"))[:MOST_FILES]:
            with suppress(InputError):
                if path.is_file() and path.stat().st_size <= LARGEST_FILE:
                    found[path.name] = load_file(path)
    return found


def find(name_or_path: str) -> Preset:
    """A shipped preset by name, or the preset of a file by its path.

    Raises:
        InputError: no such preset (names the nearest), or the file is not right.
    """
    if name_or_path in catalogue():
        return catalogue()[name_or_path]
    path = Path(name_or_path)
    if name_or_path.endswith(SUFFIX) or os.sep in name_or_path or path.is_file():
        return load_file(path)
    *first, last = near(name_or_path) or ["a name that `tuitrain presets` lists"]
    names = f"{', '.join(first)} or {last}" if first else last
    raise InputError(
        "no such preset",
        where=name_or_path,
        expected=f"{names}, or the path of a {SUFFIX} file",
    )


def near(word: str) -> list[str]:
    """The names of the presets that a word may mean, three at most.

    Those that are spelled almost like it, then those whose name or title has it.
    """
    close = get_close_matches(word, catalogue(), n=MOST_NAMES)
    said = [
        preset.name
        for preset in catalogue().values()
        if len(word) >= SHORTEST and word.lower() in f"{preset.name} {preset.title}".lower()
    ]
    return [*dict.fromkeys([*close, *said])][:MOST_NAMES]
