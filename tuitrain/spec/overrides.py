"""Changes to single keys of a preset, as the command line and the setup screen make them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import msgspec.inspect as ms
from msgspec.structs import replace

from tuitrain.errors import InputError
from tuitrain.optim.schedules import parse_schedule
from tuitrain.spec.check import check
from tuitrain.spec.data import Csv
from tuitrain.spec.load import LONGEST, located, spelled_out, to_document
from tuitrain.spec.preset import Expected, Preset
from tuitrain.spec.size import shapes
from tuitrain.spec.strict import SpecError, convert, shortened, show

TAGS = {
    "optimizer": "name",
    "schedule": "kind",
    "loss": "kind",
    "model": "kind",
    "model.initialisation": "kind",
    "data": "kind",
}
"""The key that chooses what a table is."""

STARTS = ("model.initialisation", "model.biases", "model.std")
"""The keys of the initialisation; initial values that are written out would hide them."""

CSV = "data.csv"
"""The key that makes the data those of a file, whatever they were."""

SHAPING = ("data", "model", "loss")
"""The tables on which the shapes of the parameters depend."""


def assignments(texts: Iterable[str]) -> dict[str, object]:
    """The changes that texts such as `loss.cost=9` ask for; `override` parses the values.

    Raises:
        InputError: no `=`, or a key given twice.
    """
    changes: dict[str, object] = {}
    for text in texts:
        key, equals, value = (part.strip() for part in text.partition("="))
        place = shortened(f"--set {text}", LONGEST)
        if not key or not equals:
            raise InputError("no value", where=place, expected="KEY=VALUE")
        if key in changes:
            raise InputError(f"{shortened(key)} is set twice", where=place, expected="one value")
        changes[key] = value
    return changes


def override(
    preset: Preset, changes: Mapping[str, object], options: Mapping[str, str] | None = None
) -> Preset:
    """The preset with some keys changed, checked throughout.

    Choosing another kind of optimizer, loss, model or data (`optimizer=adam`, `loss.kind=mse`)
    takes that kind's own defaults for everything, as `data.csv` does; `schedule` takes a
    specification such as `cosine:end=0.01`. `train.epochs` replaces `train.steps` and the other way
    round. What no longer holds goes: `expected`, which belongs to the preset's own settings, and
    `model.init`, which belongs to its own seed and shapes, after a change of `train.seed`, of a
    shape or of how weights start, and `data.sha256` after one of `data.csv`.

    Args:
        preset: what to start from.
        changes: value by dotted key, such as `loss.cost`; a string is parsed as a TOML value,
            where the key takes other than text, too.
        options: how an error names the option behind a key; `--set KEY=VALUE` unless given.

    Raises:
        InputError: an unknown key or an impossible value, named by its option.
    """
    options = options or {}
    given = {k: value if isinstance(value, str) else show(value) for k, value in changes.items()}
    names = {
        key: shortened(options.get(key, f"--set {key}={value}"), LONGEST)
        for key, value in given.items()
    }
    document = to_document(preset)
    if CSV in changes and "data.kind" not in changes:
        changes = {"data.kind": "csv", **changes}
        names["data.kind"] = names[CSV]
    for key in sorted(changes, key=_coarse_first):
        value = changes[key]
        if key == "schedule" and isinstance(value, str):
            document["schedule"] = msgspec.to_builtins(parse_schedule(value, names[key]))
        else:
            value = _typed(key, value) if isinstance(value, str) else value
            _set(document, key, value, names[key])
    if len(lengths := {"train.steps", "train.epochs"} - changes.keys()) == 1:
        document["train"].pop(lengths.pop().removeprefix("train."), None)
    try:
        changed = _without_stale(convert(spelled_out(document), Preset), preset, changes)
        changed = _fitting(located(changed, Path()), preset, changes)
        check(changed)
    except SpecError as error:
        place = _place(error.key, names) or f"{preset.name}: {error.key}"
        raise InputError(error.problem, where=place, expected=error.expected) from None
    return changed


def parse_value(text: str) -> object:
    """The TOML value that a text spells; the text itself where it spells none.

    A whole number may be written as 1e4 or 1.5e4, and a fraction as .5.
    """
    try:
        document = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):  # also of a number with more digits than Python reads
        document = {}
    value = document["value"] if document.keys() == {"value"} else text
    if isinstance(value, str) and value == text:
        try:
            value = float(text)
        except ValueError:
            return text
    whole = "." not in text or "e" in text.lower()
    if isinstance(value, float) and value.is_integer() and whole and abs(value) < 2**53:
        return int(value)
    return value


def _typed(key: str, text: str) -> object:
    """What a text means for a key: `title=2024` is text, and `order=2024` a number."""
    value = parse_value(text)
    return text if key in _texts() and not isinstance(value, str) else value


@cache
def _texts() -> frozenset[str]:
    """The dotted keys that take any text; a path that is a number is more likely a mistake."""
    return frozenset(_texts_of(ms.type_info(Preset), "")) - {CSV}


def _texts_of(kind: ms.Type, key: str) -> Iterator[str]:
    match kind:
        case ms.StrType():
            yield key
        case ms.StructType(fields=fields):
            for field in fields:
                yield from _texts_of(field.type, f"{key}.{field.encode_name}".lstrip("."))
        case ms.UnionType(types=kinds):
            for member in kinds:
                if isinstance(member, ms.StructType):
                    yield from _texts_of(member, key)


def _coarse_first(key: str) -> tuple[int, bool]:
    """Tables before their keys, and the key that chooses what a table is before the others."""
    table, _, name = key.rpartition(".")
    return key.count("."), TAGS.get(table) != name


def _set(document: dict[str, Any], key: str, value: object, place: str) -> None:
    if key in TAGS and not isinstance(value, dict):
        key = f"{key}.{TAGS[key]}"
    *tables, name = key.split(".")
    table: Any = document
    for step in tables:
        above, table = table, table.setdefault(step, {})
        if not isinstance(table, dict):
            raise InputError("unknown key", where=place, expected=f"no key below {step}")
    if TAGS.get(".".join(tables)) == name and table.get(name) != value:
        above[tables[-1]] = {name: value}  # another kind has other keys
    else:
        table[name] = value


def _without_stale(changed: Preset, before: Preset, changes: Mapping[str, object]) -> Preset:
    """The changed preset without what the changes made untrue, unless they set it themselves."""
    if changed != before and not _given("expected", changes):
        changed = replace(changed, expected=Expected())
    drawn = changed.train.seed != before.train.seed or any(_given(key, changes) for key in STARTS)
    if drawn and not _given("model.init", changes):
        changed = _drawn_anew(changed)
    file = _given(CSV, changes) and not _given("data.sha256", changes)
    if isinstance(changed.data, Csv) and file:
        changed = replace(changed, data=replace(changed.data, sha256=""))
    return changed


def _fitting(changed: Preset, before: Preset, changes: Mapping[str, object]) -> Preset:
    """The changed preset without initial weights that were for parameters of other shapes."""
    if not changed.model.init or _given("model.init", changes):
        return changed
    if all(getattr(changed, table) == getattr(before, table) for table in SHAPING):
        return changed
    drawn = _drawn_anew(changed)
    check(drawn)  # without which there may be no shapes
    return changed if shapes(changed) == shapes(before) else drawn


def _drawn_anew(preset: Preset) -> Preset:
    return replace(preset, model=replace(preset.model, init={}))


def _given(table: str, changes: Mapping[str, object]) -> bool:
    """Whether the changes are about a table, or a key in it."""
    return any(f"{key}.".startswith(f"{table}.") for key in changes)


def _place(key: str, names: Mapping[str, str]) -> str | None:
    """The option that set a key, or something above or below it."""
    key = key.partition("[")[0]  # an option sets a list as a whole
    related = (
        name for name in names if f"{key}.".startswith(f"{name}.") or name.startswith(f"{key}.")
    )
    nearest = max(related, key=len, default=None)
    return names[nearest] if nearest is not None else None
