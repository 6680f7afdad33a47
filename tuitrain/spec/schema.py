"""The JSON Schema of preset files, for editors that complete and check them."""

from __future__ import annotations

import ast
import inspect
from textwrap import dedent
from typing import Any

import msgspec

from tuitrain.optim import OPTIMIZERS
from tuitrain.optim.schedules import SCHEDULES
from tuitrain.spec import data, loss, model, preset
from tuitrain.spec.preset import Preset

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """The schema of a preset file, with the docstrings of the types as descriptions.

    An editor with Taplo takes it from a first line such as `#:schema preset.schema.json`.
    """
    schema: dict[str, Any] = _without_null(msgspec.json.schema(Preset))
    definitions = schema["$defs"]
    tables = (cls for module in (preset, data, model, loss) for cls in vars(module).values())
    for cls in (*tables, *OPTIMIZERS.values(), *SCHEDULES.values()):
        if isinstance(cls, type) and cls.__name__ in definitions:
            properties = definitions[cls.__name__]["properties"]
            for key, text in _descriptions(cls).items():
                properties[key]["description"] = text
            if tag := cls.__struct_config__.tag_field:  # type: ignore[attr-defined]
                properties[tag]["description"] = (inspect.getdoc(cls) or "").partition("\n")[0]
    definitions["Csv"]["required"].remove("kind")  # a file says enough
    definitions["Train"]["oneOf"] = [{"required": ["steps"]}, {"required": ["epochs"]}]
    return {"$schema": DIALECT, "title": "A preset of tuitrain", **schema}


def _descriptions(cls: type) -> dict[str, str]:
    """The docstring under each field of a struct and of the structs that it extends."""
    texts: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if issubclass(base, msgspec.Struct) and base is not msgspec.Struct:
            (body,) = ast.parse(dedent(inspect.getsource(base))).body
            texts |= _documented(body)
    return texts


def _documented(body: ast.stmt) -> dict[str, str]:
    """Annotated names of a class body that a string follows."""
    assert isinstance(body, ast.ClassDef)  # the source of a class
    texts = {}
    for statement, following in zip(body.body, body.body[1:], strict=False):
        match statement, following:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                texts[name] = inspect.cleandoc(text)
    return texts


def _without_null(schema: Any) -> Any:
    """The schema without null, which TOML cannot write."""
    match schema:
        case {"anyOf": [only, {"type": "null"}] | [{"type": "null"}, only], **others}:
            return _without_null({**others, **only})
        case dict():
            return {
                key: _without_null(item)
                for key, item in schema.items()
                if item is not None and item != {"type": "null"}
            }
        case list():
            return [_without_null(item) for item in schema if item != {"type": "null"}]
        case _:
            return schema
