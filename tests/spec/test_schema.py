"""The JSON Schema agrees with the loader, and tells what every key means."""

from __future__ import annotations

import json

import jsonschema
import pytest

from tuitrain.optim import OPTIMIZERS
from tuitrain.spec.catalogue import find
from tuitrain.spec.load import to_document
from tuitrain.spec.preset import Preset
from tuitrain.spec.schema import json_schema


def test_it_is_plain_json_and_knows_every_optimizer():
    schema = json.loads(json.dumps(json_schema()))
    assert schema == json_schema()
    names = schema["$defs"]["Preset"]["properties"]["optimizer"]["discriminator"]["mapping"]
    assert names.keys() == OPTIMIZERS.keys()


def test_every_key_of_a_preset_is_described():
    definitions = json_schema()["$defs"]
    own = [cls for cls in definitions if cls not in {c.__name__ for c in OPTIMIZERS.values()}]
    for name in own:
        definition = definitions[name]
        assert definition["description"], name
        if definition["properties"].keys() & {"warmup"}:
            continue  # schedules belong to tuitrain.optim
        for key, entry in definition["properties"].items():
            assert entry.get("description"), f"{name}.{key}"


def test_toml_has_no_null():
    assert "null" not in json.dumps(json_schema())


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("train", {"epochs": 3}),
        ("train", {"steps": -1}),
        ("train", {"batch": "ful"}),
        ("train", {"step": 3}),
        ("loss", {"cost": 1}),
        ("loss", {"kind": "mean"}),
        ("optimizer", {"beta1": 0.9}),
        ("optimizer", {"lr": "0.1"}),
        ("model", {"init": {"w": "zero"}}),
        ("data", {"rows": 0}),
    ],
)
def test_what_the_types_refuse_the_schema_refuses(table, change):
    validator = jsonschema.Draft202012Validator(json_schema())
    document = to_document(find("sales-mse"))
    validator.validate(document)
    document[table] |= change
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(document)


def test_required_keys_are_those_without_default():
    required = json_schema()["$defs"]["Preset"]["required"]
    assert required == ["title", "loss", "model", "optimizer", "train"]
    assert list(Preset.__struct_fields__[:5]) == required


def test_the_file_of_data_says_what_kind_they_are():
    validator = jsonschema.Draft202012Validator(json_schema())
    document = to_document(find("sales-mse"))
    validator.validate(document | {"data": {"csv": "my.csv", "target": 3}})
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(document | {"data": {"target": 3}})
