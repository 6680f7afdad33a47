"""Strict decoding whose errors name the key, its value and what would be right."""

from __future__ import annotations

import math
import re
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from itertools import islice
from typing import Any, TypeVar

import msgspec
import msgspec.inspect as ms

T = TypeVar("T")

UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories of characters that are not seen, but may move or hide what is."""

FEW = 5
"""So many words an error lists all, even where one of them is near."""

NOTHING = ms.NoneType()
"""The type of what may not be there at all; TOML has no null."""

SHOWN = 60
"""Characters of a value in an error."""

MOST_LEVELS = 20
"""Tables and lists inside one another; no preset has half as many."""


class SpecError(ValueError):
    """What is wrong with one key of a document.

    Args:
        key: dotted key, such as `loss.cost`.
        problem: what is wrong, with the value.
        expected: what would be right.
    """

    def __init__(self, key: str, problem: str, expected: str = "") -> None:
        self.key = key
        self.problem = problem
        self.expected = expected
        super().__init__(f"{key}: {problem}")


def convert(document: Mapping[str, Any], into: type[T]) -> T:
    """The document as typed data; SpecError for the first key that is wrong."""
    if not _harmless(document):
        kind: type = into
        _refuse_non_finite(document, _type_of(kind), "")
    try:
        return msgspec.convert(document, into)
    except msgspec.ValidationError as error:
        raise _explain(str(error), document, into) from None


def show(value: object) -> str:
    """A value as TOML writes it, shortened."""
    match value:
        case bool():
            text = str(value).lower()
        case str():
            text = '"' + "".join(map(_escaped, value[:SHOWN])) + '"'
        case dict():
            items = islice(value.items(), SHOWN)
            text = "{" + ", ".join(f"{key} = {show(item)}" for key, item in items) + "}"
        case list():
            text = "[" + ", ".join(map(show, value[:SHOWN])) + "]"
        case int() if value.bit_length() > 14_000:
            text = hex(value)  # as it was written, for Python neither reads nor writes its digits
        case _:
            text = str(value)
    return shortened(text)


def shortened(text: str, most: int = SHOWN) -> str:
    """The text, or its beginning and three dots: `most` characters at most."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else ascii(character)[1:-1]


def unseen(text: str) -> str | None:
    """The first character that must not go to a terminal, where it may be a command."""
    if text.replace("\n", "").isprintable():
        return None  # as nearly all are, which is seen at once
    return next((c for c in text if c != "\n" and unicodedata.category(c) in UNSEEN), None)


def _harmless(value: object, level: int = 0) -> bool:
    """Whether numbers are finite and nothing is nested too deeply; types take long to ask for."""
    match value:
        case dict() | list():
            items = value.values() if isinstance(value, dict) else value
            return level <= MOST_LEVELS and all(_harmless(item, level + 1) for item in items)
        case int() | float():
            return abs(value) <= sys.float_info.max  # which nan is not
        case _:
            return True


def _refuse_non_finite(value: object, kind: ms.Type, key: str, level: int = 0) -> None:
    """SpecError for a number that no float holds, or for what is nested too deeply to be shown.

    Where no such number is meant (`title = nan`), msgspec finds the wrong type or the bound, and
    so what would be right.
    """
    match value:
        case dict() | list() if level > MOST_LEVELS:
            most = f"at most {MOST_LEVELS} tables or lists inside one another"
            raise SpecError(key, "nested too deeply", most)
        case dict():
            for name, item in value.items():
                inner = _inside(kind, value, name)
                _refuse_non_finite(item, inner, f"{key}.{name}" if key else name, level + 1)
        case list():
            inner = _inside(kind, value)
            for index, item in enumerate(value):
                _refuse_non_finite(item, inner, f"{key}[{index}]", level + 1)
        case float() if not math.isfinite(value):
            if any(isinstance(m, ms.FloatType) for m in _members(kind)):
                raise SpecError(key, f"cannot be {value}", "a finite number")
        case int() if abs(value) > sys.float_info.max and _unbounded(kind):
            raise SpecError(key, f"cannot be {show(value)}", "a number of at most 308 digits")


def _inside(kind: ms.Type, value: dict[str, Any] | list[Any], name: str = "") -> ms.Type:
    """The type under a key of a table, or of the items of a list; `NOTHING` where none may be."""
    for member in _members(kind):
        match member:
            case ms.DictType(value_type=inner) if isinstance(value, dict):
                return inner
            case ms.ListType(item_type=inner) if isinstance(value, list):
                return inner
            case ms.TupleType(item_types=(inner, *_)) if isinstance(value, list):
                return inner
            case ms.StructType() if isinstance(value, dict):
                fields = _structs(kind, value)[0].fields
                return next((f.type for f in fields if f.encode_name == name), NOTHING)
    return NOTHING


def _unbounded(kind: ms.Type) -> bool:
    """Whether a number may be as large as one likes."""
    numbers = (m for m in _members(kind) if isinstance(m, ms.IntType | ms.FloatType))
    return any(number.le is None and number.lt is None for number in numbers)


_MESSAGE = re.compile(r"(?P<problem>.*?)(?: - at `(?:key in )?\$(?P<path>.*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`")
_OWN_WORDS = re.compile(r"(?!Expected |Invalid |Number out of range|Object ).*", re.DOTALL)


def _explain(message: str, document: Mapping[str, Any], into: type) -> SpecError:
    """The SpecError behind the message of a msgspec.ValidationError."""
    parts = _MESSAGE.fullmatch(message)
    assert parts is not None  # the path is optional: everything matches
    problem = parts["problem"]
    key, value, kind = _follow(parts["path"] or "", document, _type_of(into))
    below = f"{key}." if key else ""
    if unknown := _UNKNOWN.fullmatch(problem):
        name = unknown[1]
        return SpecError(f"{below}{name}", *_unknown_key(name, kind, value))
    if missing := _MISSING.fullmatch(problem):
        name = missing[1]
        return SpecError(f"{below}{name}", "missing", describe(_child(kind, value, name), None))
    if _OWN_WORDS.fullmatch(problem):
        return SpecError(key, f"cannot be {show(value)}: {problem}")
    if isinstance(value, str) and isinstance(kind, ms.LiteralType):
        near = get_close_matches(value, map(str, kind.values), n=1)
        expected = show(near[0]) if near and len(kind.values) > FEW else describe(kind, value)
        return SpecError(key, f"cannot be {show(value)}", expected)
    return SpecError(key, f"cannot be {show(value)}", describe(kind, value))


@cache
def _type_of(into: type) -> ms.Type:
    return ms.type_info(into)


def _follow(path: str, value: Any, kind: ms.Type) -> tuple[str, Any, ms.Type]:
    """Key, value and type at a path such as `.model.init[...][0]`.

    msgspec writes `[...]` for every key of a dict: its first value that does not fit is meant.
    """
    key = ""
    for name, index in re.findall(r"\.(\w+)|\[(\d+|\.\.\.)\]", path):
        if index.isdigit():
            kind = _item(kind, int(index))
            value, key = value[int(index)], f"{key}[{index}]"
            continue
        if index:
            kind = _member(kind, ms.DictType).value_type
            # Of what is wrong in a way that `_fits` does not know, the table as a whole is named.
            name = next((n for n, item in value.items() if not _fits(item, kind)), None)
            if name is None:
                break
        else:
            kind = _child(kind, value, name)
        value, key = value.get(name), f"{key}.{name}" if key else name
    return key, value, kind


def _members(kind: ms.Type) -> tuple[ms.Type, ...]:
    """The types that a type allows; TOML has no null."""
    types = kind.types if isinstance(kind, ms.UnionType) else (kind,)
    return tuple(member for member in types if not isinstance(member, ms.NoneType))


K = TypeVar("K", bound=ms.Type)


def _member(kind: ms.Type, wanted: type[K]) -> K:
    return next(member for member in _members(kind) if isinstance(member, wanted))


def _item(kind: ms.Type, index: int) -> ms.Type:
    """The type of an item of a list, or of one whose items are counted."""
    pairs = [member for member in _members(kind) if isinstance(member, ms.TupleType)]
    return pairs[0].item_types[index] if pairs else _member(kind, ms.ListType).item_type


def _structs(kind: ms.Type, value: object) -> list[ms.StructType]:
    """The tables that a type allows; the one that the value's tag chooses, if it has one."""
    structs = [member for member in _members(kind) if isinstance(member, ms.StructType)]
    if isinstance(value, Mapping):
        chosen = [s for s in structs if s.tag_field and s.tag == value.get(s.tag_field)]
        return chosen or structs
    return structs


def _keys(struct: ms.StructType) -> list[str]:
    return [field.encode_name for field in struct.fields]


def _unknown_key(name: str, kind: ms.Type, value: Mapping[str, Any]) -> tuple[str, str]:
    """Problem and expectation for a key that the table does not have."""
    struct = _structs(kind, value)[0]
    keys = _keys(struct)
    for table, item in value.items():
        if isinstance(item, dict) and table in keys:
            inner = _structs(_child(kind, value, table), item)
            if inner and name in _keys(inner[0]):
                return "unknown key here", f"{table}.{name}"
    if not keys:
        others = [f'"{s.tag}"' for s in _structs(kind, None) if name in _keys(s)]
        kinds = f"{struct.tag_field} = {' or '.join(others)}" if others else "no further key"
        return f'{struct.tag_field} "{struct.tag}" has no settings', kinds
    problem = f'unknown key for {struct.tag_field} "{struct.tag}"' if struct.tag else "unknown key"
    return problem, nearest(name, keys)


def _child(kind: ms.Type, value: object, name: str) -> ms.Type:
    """The type under a key of a table; the tag's type is the tags that there are."""
    structs = _structs(kind, value)
    if name == structs[0].tag_field:
        return ms.LiteralType(tuple(str(s.tag) for s in _structs(kind, None)))
    return next(field.type for field in structs[0].fields if field.encode_name == name)


def _fits(value: object, kind: ms.Type) -> bool:
    match kind:
        case ms.UnionType(types=types):
            return any(_fits(value, member) for member in types)
        case ms.ListType(item_type=item_type):
            return isinstance(value, list) and all(_fits(item, item_type) for item in value)
        case ms.TupleType(item_types=items) if isinstance(value, list):
            pairs = zip(value, items, strict=False)
            return len(value) == len(items) and all(_fits(*pair) for pair in pairs)
        case ms.TupleType():
            return False
        case ms.StructType(cls=cls):
            try:
                msgspec.convert(value, cls)
            except msgspec.ValidationError:
                return False
            return True
        case ms.StrType():
            return isinstance(value, str)
        case _:
            return isinstance(value, int | float) and not isinstance(value, bool)


def describe(kind: ms.Type, value: object) -> str:
    """What a type allows, in words, to someone who wrote `value`."""
    return " or ".join(dict.fromkeys(_words(member, value) for member in _members(kind)))


def _number(kind: ms.IntType | ms.FloatType, value: object) -> str:
    noun = "a whole number" if isinstance(kind, ms.IntType) else "a number"
    limits = {"at least": kind.ge, "above": kind.gt, "at most": kind.le, "below": kind.lt}
    # A limit that only guards against absurdity is news to nobody but who exceeds it.
    exceeded = abs(value) if isinstance(value, int | float) else 0
    said = [
        f"{words} {limit:,}"
        for words, limit in limits.items()
        if limit is not None and abs(limit) <= max(1000, exceeded)  # 1000 beside nan
    ]
    return f"{noun} {' and '.join(said)}" if said else noun


def _words(kind: ms.Type, value: object) -> str:
    match kind:
        case ms.IntType() | ms.FloatType():
            return _number(kind, value)
        case ms.LiteralType(values=values):
            said = [show(value) for value in values]
            return said[0] if len(said) == 1 else f"one of {', '.join(said)}"
        case ms.ListType(item_type=item_type):
            items = describe(item_type, None)
            return f"a list of {items.replace('a number', 'numbers').replace('a list', 'lists')}"
        case ms.TupleType(item_types=(first, *_) as types):
            return f"a list of {len(types)} {describe(first, None).removeprefix('a ')}s"
        case ms.StructType(tag_field=str(tag_field)):
            return f"a table with the key `{tag_field}`"
        case ms.StructType() | ms.DictType():
            return "a table"
        case ms.BoolType():
            return "true or false"
        case _:
            return "text"


def nearest(word: str, words: Sequence[str]) -> str:
    """The nearest of the words where one is near, else all of them."""
    near = get_close_matches(word, words, n=1)
    return near[0] if near else f"one of {', '.join(words)}"
