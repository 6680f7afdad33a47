"""Presets as files that are read and edited: short, and the same when they are read back."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tuitrain.spec.catalogue import catalogue, find
from tuitrain.spec.load import decode, load_file, parse, pinned
from tuitrain.spec.overrides import override
from tuitrain.spec.write import to_file


def as_saved(preset, name):
    """What is read back: a file has no place in the catalogue."""
    plain = type(preset)(title="", loss=preset.loss, model=preset.model, train=preset.train,
                         optimizer=preset.optimizer)  # fmt: skip
    return replace(preset, name=name, topic=plain.topic, order=plain.order)


@pytest.mark.parametrize("name", catalogue())
def test_what_is_written_is_read_back(name):
    preset = find(name)
    text = to_file(preset, name)
    assert text.startswith(f"# Made from {name} by tuitrain.\n")
    assert decode(parse(text, "mine"), "mine") == as_saved(preset, "mine")
    assert max(map(len, text.splitlines())) <= 160
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


CHANGES = {
    "model.hidden": [24, 8],
    "model.activation": ["relu", "tanh"],
    "model.initialisation": {"kind": "normal", "std": 0.1},
    "regularisation.l2": 0.001,
    "loss.kind": "hinge",
    "data.noise": 0.25,
    "data.shuffle": None,
    "schedule": "cosine:end=0.01",
    "optimizer": "sgdm",
}


def test_what_was_changed_is_written_too():
    changed = override(find("spiral"), CHANGES)
    text = to_file(changed, "spiral")
    assert decode(parse(text, "mine"), "mine") == as_saved(changed, "mine")
    assert "[expected" not in text
    assert "hidden = [24, 8]" in text
    assert "momentum = 0.9" in text


def test_texts_are_kept_as_they_are():
    story = (
        'A "quoted" \\ word, ends in """, and a\ttab.\n\nΔ: the second paragraph - ' + "word " * 60
    )
    preset = override(find("line-fit"), {"story": story, "title": "100 % 'it'"})
    assert decode(parse(to_file(preset, "x"), "mine"), "mine") == as_saved(preset, "mine")


def test_the_file_of_the_data_may_change(tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("a,b\n1,2\n3,4\n")
    preset = tmp_path / "first.toml"
    preset.write_text(
        'title = "t"\n[data]\nkind = "csv"\ncsv = "rows.csv"\n[model]\nkind = "linear"\n'
        '[loss]\nkind = "mse"\n[optimizer]\nname = "sgd"\nlr = 0.1\n[train]\nsteps = 1\n'
    )
    pin = pinned(load_file(preset))
    assert pin.data.sha256
    elsewhere = tmp_path / "deep" / "mine.toml"
    elsewhere.parent.mkdir()
    elsewhere.write_text(to_file(pin, "first"))
    rows.write_text("a,b\n1,2\n3,5\n")
    saved = load_file(elsewhere)
    assert saved.data.csv == str(rows)
    assert not saved.data.sha256
