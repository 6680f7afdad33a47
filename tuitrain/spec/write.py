"""A preset as a file that its user reads and edits."""

from __future__ import annotations

import textwrap
from typing import Any

import msgspec
import tomli_w
from msgspec import NODEFAULT, structs
from msgspec.structs import replace

from tuitrain.spec.data import Csv
from tuitrain.spec.preset import Preset

TEXTS = ("title", "story", "formula", "source", "expectation")
TABLES = (
    "data",
    "model",
    "loss",
    "regularisation",
    "optimizer",
    "schedule",
    "train",
    "expected",
)
WHOLE = ("model", "optimizer", "train")
"""The tables of which every key is written: they are what one changes first."""

COLUMNS = 98


def to_file(preset: Preset, origin: str) -> str:
    """The text of a preset file: what is not as it would be anyway, and how it is trained.

    It has no name, which is the file's, and no place in the catalogue; a file of data may change.

    Args:
        origin: what it was made from, for the comment at the top.
    """
    if isinstance(preset.data, Csv):
        preset = replace(preset, data=replace(preset.data, sha256=""))
    lines = [f"# Made from {origin} by tuitrain.", ""]
    for key in TEXTS:
        text = getattr(preset, key)
        if text:
            lines.append(_text(key, text))
    for key in TABLES:
        table = getattr(preset, key)
        if table is not None:
            lines += _table(key, _given(table, whole=key in WHOLE))
    return "\n".join(lines) + "\n"


def _given(table: msgspec.Struct, *, whole: bool) -> dict[str, Any]:
    """The kind of a table and its keys, those as they are by default only where all are wanted."""
    config = table.__struct_config__
    found: dict[str, Any] = {str(config.tag_field): config.tag} if config.tag_field else {}
    for field in structs.fields(table):
        value = getattr(table, field.name)
        default = field.default
        if field.default_factory is not NODEFAULT:
            default = field.default_factory()
        if value is None or (value == default and not whole):
            continue
        nested = isinstance(value, msgspec.Struct)
        found[field.name] = _given(value, whole=False) if nested else msgspec.to_builtins(value)
    return found


def _table(name: str, table: dict[str, Any]) -> list[str]:
    """A table under its heading, then the tables in it; nothing of an empty one."""
    inner = {key: value for key, value in table.items() if isinstance(value, dict)}
    plain = [f"{key} = {_value(value)}" for key, value in table.items() if key not in inner]
    lines = ["", f"[{name}]", *plain] if plain else []
    for key, value in inner.items():
        lines += _table(f"{name}.{key}", value)
    return lines


def _text(key: str, text: str) -> str:
    """A text: paragraphs are wrapped, a formula keeps its lines."""
    if key in ("story", "expectation"):
        paragraphs = text.split("\n\n")
        text = "\n\n".join(
            textwrap.fill(each, COLUMNS, break_long_words=False, break_on_hyphens=False)
            for each in paragraphs
        )
    long = key in ("story", "expectation", "formula")
    written = tomli_w.dumps({key: f"{text}\n" if long else text}, multiline_strings=long)
    return written.rstrip("\n")


def _value(value: Any) -> str:
    """A value on one line; of a long list every item on its own."""
    if not isinstance(value, list | tuple):
        return tomli_w.dumps({"k": value}).removeprefix("k = ").rstrip("\n")
    items = [_value(item) for item in value]
    short = f"[{', '.join(items)}]"
    if len(short) <= COLUMNS - 20:
        return short
    return "[\n" + "".join(f"    {item},\n" for item in items) + "]"
