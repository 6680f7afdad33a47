"""Presets and experiments from TOML and back."""

from __future__ import annotations

import contextlib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import tomli_w
from msgspec.structs import replace

from tuitrain.errors import InputError
from tuitrain.spec.check import check
from tuitrain.spec.data import Csv
from tuitrain.spec.experiment import Experiment
from tuitrain.spec.preset import Preset
from tuitrain.spec.strict import SpecError, convert, shortened
from tuitrain.spec.table import table
from tuitrain.spec.textfile import decode_utf8, read_bytes

LARGEST_FILE = 16_000_000
"""Bytes of a preset."""

LONGEST = 120
"""Characters of a key or of a parser's message in an error."""

DEEPEST = 100
"""Parts of a key; tomllib's time grows with the square of their number."""

_PART = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')"""
_DEEP_KEY = re.compile(rf"(?:^[ \t]*\[{{0,2}}|[{{,])[ \t]*(?:{_PART}[ \t]*\.[ \t]*){{{DEEPEST}}}")
"""In a line, a key of more parts: where it begins, or in a table inside of it."""


def load_file(path: Path) -> Preset:
    """The preset of a file; its name is the file's unless the file gives one.

    Raises:
        InputError: the file cannot be read, is no TOML, or is no preset; one line.
    """
    return decode(parse(read_text(path), str(path)), str(path))


def decode(document: Mapping[str, Any], where: str) -> Preset:
    """The preset of a document, checked throughout.

    Args:
        document: the tables of the file, as tomllib reads them; without `name`, the preset is
            named after `where`.
        where: what errors call the document: a file, or a preset's name. The path of a file of
            data begins in the directory of the document, or else in the working directory.

    Raises:
        InputError: the first key that is wrong, its value, and what would be right; or what is
            wrong with a file of data.
    """
    try:
        preset = convert({"name": Path(where).stem} | spelled_out(document), Preset)
        preset = located(preset, Path(where).parent)
        check(preset)
    except SpecError as error:
        raise _input_error(error, where) from None
    return preset


def located(preset: Preset, directory: Path) -> Preset:
    """The preset with the path of its file of data made absolute, if it has one.

    Args:
        preset: any preset.
        directory: where a path begins that is not absolute.
    """
    if not isinstance(preset.data, Csv):
        return preset
    path = Path(preset.data.csv)
    with contextlib.suppress(RuntimeError):  # of a user that there is not: it is a plain name
        path = path.expanduser()
    return replace(preset, data=replace(preset.data, csv=str((directory / path).absolute())))


def pinned(preset: Preset) -> Preset:
    """The preset with the checksum of its file of data, if it has one.

    Raises:
        InputError: the file cannot be read, or has another checksum already.
    """
    if not isinstance(preset.data, Csv):
        return preset
    return replace(preset, data=replace(preset.data, sha256=table(preset.data).sha256))


def spelled_out(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with what its author may leave out or break into lines.

    A table `data` with a file `csv` is of that kind. The lines of a paragraph of story and
    expectation are joined, as they will be wrapped anew.
    """
    joined = dict(document)
    data = document.get("data")
    if isinstance(data, dict) and "csv" in data:
        joined["data"] = {"kind": "csv"} | data
    for key in ("story", "expectation"):
        if isinstance(text := document.get(key), str):
            paragraphs = re.split(r"\n\s*\n", text.strip())
            joined[key] = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    if isinstance(formula := document.get("formula"), str):
        joined["formula"] = formula.strip("\n")
    return joined


def to_document(value: msgspec.Struct) -> dict[str, Any]:
    """A preset or an experiment as tables of plain values, every key written out."""
    document: dict[str, Any] = _without_none(msgspec.to_builtins(value))
    return document


def to_toml(value: Preset | Experiment) -> str:
    """A preset or an experiment as TOML, every key written out; reading it gives the same back."""
    return tomli_w.dumps(to_document(value), multiline_strings=True)


def experiment_from_toml(text: str, where: str) -> Experiment:
    """The experiment of an `experiment.toml`.

    Args:
        text: the file's text.
        where: its path, which is what errors call it; files of data are beside it.

    Raises:
        InputError: the first key that is wrong, its value, and what would be right.
    """
    try:
        experiment = convert(parse(text, where), Experiment)
        presets = {n: located(p, Path(where).parent) for n, p in experiment.presets.items()}
        experiment = replace(experiment, presets=presets)
        for name, preset in experiment.presets.items():
            try:
                check(preset, recorded=True)
            except SpecError as error:
                raise SpecError(
                    f"presets.{name}.{error.key}", error.problem, error.expected
                ) from None
        for index, run in enumerate(experiment.runs):
            if run.preset not in experiment.presets:
                names = ", ".join(experiment.presets)
                raise SpecError(
                    f"runs[{index}].preset", f'cannot be "{run.preset}"', f"one of {names}"
                )
    except SpecError as error:
        raise _input_error(error, where) from None
    return experiment


def parse(text: str, where: str) -> dict[str, Any]:
    """The tables of a TOML text; InputError with line and column."""
    try:
        if _has_deep_key(text):
            raise RecursionError
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message, at, place = str(error).rpartition(" (at ")  # it may hold a whole key
        problem = f"{shortened(message, LONGEST)}{at}{place}"
    except ValueError:  # Python reads no more digits than that
        problem = "a number of over 4,300 digits"
    except RecursionError:
        problem = "nested too deeply"
    raise InputError(f"not valid TOML: {problem}", where=where)


def read_text(path: Path) -> str:
    """The text of a UTF-8 file; InputError if there is none."""
    return decode_utf8(read_bytes(path, LARGEST_FILE, "a TOML file"), str(path))


def _has_deep_key(text: str) -> bool:
    # counting first: to look closely at every line takes a tenth as long as to parse it
    return any(
        line.count(".") >= DEEPEST and _DEEP_KEY.search(line) is not None
        for line in text.split("\n")
    )


def _input_error(error: SpecError, where: str) -> InputError:
    key = shortened(error.key, LONGEST)
    return InputError(error.problem, where=f"{where}: {key}", expected=error.expected)


def _without_none(value: Any) -> Any:
    """TOML has no null: a key without a value is left out."""
    match value:
        case dict():
            return {key: _without_none(item) for key, item in value.items() if item is not None}
        case list():
            return [_without_none(item) for item in value]
        case _:
            return value
