"""The setup screen for networks: their settings, the preview of the data, the size."""

from __future__ import annotations

import pytest
from textual.widgets import Button, Input

from tests.ui.conftest import page, until
from tests.ui.test_setup import entry, retype
from tuitrain.spec.catalogue import catalogue, find
from tuitrain.spec.load import to_toml
from tuitrain.spec.overrides import override
from tuitrain.spec.size import size
from tuitrain.ui.settings import Draft
from tuitrain.ui.widgets.fields import Group, Row
from tuitrain.ui.widgets.form import SettingsForm
from tuitrain.ui.widgets.plot import Plot
from tuitrain.ui.widgets.preview import MOST_DRAWN, Preview


async def pick(pilot, name: str) -> None:
    """Choose a preset by its whole name."""
    pilot.app.screen.query_one("#filter", Input).value = name
    await pilot.pause()
    pilot.app.screen._choose(name)
    await pilot.pause()


def said(pilot, key: str) -> str:
    """What stands beneath a setting."""
    row = next(r for r in pilot.app.screen.query(Row) if entry(pilot, key) in r.entries)
    return str(row.error.content) if row.error.display else ""


def shown(pilot):
    """The preset as the form has it; None while something is wrong."""
    return pilot.app.screen.plan.checked(pilot.app.screen.chosen).shown


def picture(pilot) -> str:
    """The text of the preview."""
    preview = pilot.app.screen.query_one(Preview).region
    rows = page(pilot).splitlines()[preview.y : preview.bottom]
    return "\n".join(row[preview.x : preview.right] for row in rows)


def model_heading(pilot) -> str:
    groups = pilot.app.screen.query_one(SettingsForm).groups
    return next(str(g.heading.content) for g in groups if g.title == "Model")


# Settings -------------------------------------------------------------------------------------

EDITS = {
    "model.hidden": ("24, 8", [24, 8]),
    "model.activation": ("relu, tanh", ["relu", "tanh"]),
    "model.initialisation.kind": ("he", "he"),
    "loss.kind": ("mse", "mse"),
    "model.output": ("sigmoid", "sigmoid"),
    "regularisation.l1": ("1e-4", 1e-4),
    "regularisation.l2": (".001", 0.001),
    "data.rows": ("200", 200),
    "data.noise": ("0.5", 0.5),
    "data.seed": ("7", 7),
    "data.test": ("0.25", 0.25),
    "data.shuffle": ("", None),
    "data.standardise": ("false", False),
}


async def test_the_formula_of_another_model_is_not_shown(opened) -> None:
    async with opened(size=(160, 50)) as pilot:
        await pick(pilot, "hills")
        assert "24 units" in page(pilot)
        await retype(pilot, "model.hidden", "32, 16")
        await until(pilot, lambda: "24 units" not in page(pilot), "no formula")
        assert "formula" not in page(pilot)
        await retype(pilot, "model.hidden", "24, 12")
        await until(pilot, lambda: "24 units" in page(pilot), "formula")


async def test_every_setting_of_a_network_changes_the_preset(opened) -> None:
    async with opened() as pilot:
        await pick(pilot, "spiral")
        for number, (key, (text, _)) in enumerate(EDITS.items(), 1):
            await retype(pilot, key, text)
            assert not said(pilot, key), key
            assert f"{number} changed" in page(pilot), key
        expected = {key: value for key, (_, value) in EDITS.items()}
        assert shown(pilot) == override(find("spiral"), expected)
        await pilot.press("ctrl+r")
        assert shown(pilot) == find("spiral")


WRONG = {
    "model.hidden": ("16, x", 'cannot be "x"'),
    "model.activation": ("rely", '"relu"'),
    "model.output": ("softmax", "cannot be"),
    "model.initialisation.kind": ("she", '"he"'),
    "loss.kind": ("hing", '"hinge"'),
    "regularisation.l2": ("-1", "at least 0"),
    "data.rows": ("0", "at least 1"),
    "data.noise": ("-0.1", "at least 0"),
    "data.test": ("1", "below 1"),
    "data.shuffle": ("x", "whole number"),
    "data.standardise": ("maybe", "true or false"),
}


async def test_what_is_wrong_with_a_network_stands_beneath_it(opened) -> None:
    async with opened(size=(80, 24)) as pilot:
        await pick(pilot, "spiral")
        for key, (text, reason) in WRONG.items():
            await retype(pilot, key, text)
            assert said(pilot, key).startswith("✗"), key
            assert reason in said(pilot, key), key
            assert pilot.app.screen.query_one("#start", Button).disabled
            await pilot.press("ctrl+s")
            await pilot.pause()
            assert pilot.app.focused is entry(pilot, key).input, key
            told = said(pilot, key)[:12]
            await until(pilot, lambda told=told: told in page(pilot), f"{key} scrolled into view")
            await pilot.press("ctrl+r")
            assert not said(pilot, key), key


@pytest.mark.parametrize(
    "wrong",
    [
        {"model.hidden": "x", "data.noise": "-1"},
        {"optimizer.lr": "fast", "optimizer.weight_decay": "-3", "train.batch": "6.5"},
        {"train.batch": "none", "train.seed": "x", "train.epochs": "0"},
    ],
)
def test_all_that_is_wrong_is_told_at_once(wrong: dict[str, str]) -> None:
    draft = Draft(find("spiral"))
    for key, text in {"optimizer.beta1": "0.8", **wrong}.items():
        draft.set(key, text)
    preset, errors = draft.checked()
    assert preset is None
    assert errors.keys() == wrong.keys()


@pytest.mark.parametrize("name", catalogue())
def test_a_draft_towards_a_trained_preset_makes_it(name: str) -> None:
    shipped = find(name)
    trained = override(
        shipped,
        {
            "optimizer.name": "nadam",
            "optimizer.lr": 0.037,
            "schedule": "cosine:end=0.01",
            "train.seed": 8,
        },
    )
    draft = Draft.towards(shipped, trained)
    assert draft.preset == shipped
    assert draft.changes.keys() == {"optimizer.name", "optimizer.lr", "schedule", "train.seed"}
    assert draft.checked() == (trained, {})


def test_a_draft_towards_what_the_form_cannot_say_is_that_preset_itself() -> None:
    shipped = find("spiral")
    trained = override(shipped, {"title": "Mine"})
    draft = Draft.towards(shipped, trained)
    assert draft.preset == trained
    assert draft.checked() == (trained, {})


def test_lists_of_units_are_read_as_people_write_them() -> None:
    for text in ("16,16", "[16, 16]", " 16 , 16 ", "[16,16]"):
        draft = Draft(find("spiral"))
        draft.set("model.hidden", text)
        assert not draft.changes, text
    for text, hidden in {"": [], "[]": [], "8": [8], "[8, 4]": [8, 4]}.items():
        draft.set("model.hidden", text)
        changed, errors = draft.checked()
        assert not errors
        assert changed.model.hidden == hidden


async def test_an_initialiser_brings_its_own_numbers(opened) -> None:
    async with opened() as pilot:
        await pick(pilot, "spiral")
        await retype(pilot, "model.initialisation.kind", "uniform")
        await retype(pilot, "model.initialisation.low", "-0.5")
        start = shown(pilot).model.initialisation
        assert (start.low, start.high) == (-0.5, 1.0)
        await retype(pilot, "model.initialisation.kind", "normal")
        assert entry(pilot, "model.initialisation.std").input.value == "1"
        assert "model.initialisation.low" not in pilot.app.screen.plan.changed("spiral")
        await retype(pilot, "model.initialisation.kind", "xavier")
        assert not pilot.app.screen.plan.changed("spiral")


async def test_arrows_and_clicks_go_through_the_names(opened) -> None:
    async with opened() as pilot:
        await pick(pilot, "spiral")
        field = entry(pilot, "model.activation").input
        field.focus()
        await pilot.press("down")
        assert field.value == "relu"
        await pilot.press("up", "up")
        assert field.value == "sigmoid"
        assert shown(pilot).model.activation == "sigmoid"
        await pilot.click(entry(pilot, "data.standardise").label)
        await pilot.pause()
        assert shown(pilot).data.standardise is False
        assert pilot.app.focused is entry(pilot, "data.standardise").input


async def test_only_losses_that_suit_the_data_are_offered(opened) -> None:
    offered = {
        "spiral": {"mse", "asymmetric", "softmax-cross-entropy", "cross-entropy",
                   "binary-cross-entropy", "hinge"},
        "hills": {"mse", "asymmetric"},
        "line-fit": {"mse", "asymmetric"},
    }  # fmt: skip
    async with opened(size=(200, 60)) as pilot:
        for name, losses in offered.items():
            await pick(pilot, name)
            field = entry(pilot, "loss.kind").input
            field.focus()
            await pilot.pause()
            seen = {field.value}
            for _ in losses:
                await pilot.press("down")
                seen.add(field.value)
            assert seen == losses, name
            assert all(loss in page(pilot) for loss in losses)  # the hint


async def test_a_loss_that_needs_another_output_says_so_at_the_output(opened) -> None:
    async with opened() as pilot:
        await pick(pilot, "spiral")
        await retype(pilot, "loss.kind", "cross-entropy")
        assert 'cannot be "linear"' in said(pilot, "model.output")
        assert not said(pilot, "loss.kind")
        await pilot.press("ctrl+s")
        assert pilot.app.focused is entry(pilot, "model.output").input
        await retype(pilot, "model.output", "softmax")
        assert not said(pilot, "model.output")
        assert shown(pilot).loss.__struct_config__.tag == "cross-entropy"
        assert shown(pilot).model.output == "softmax"


async def test_start_values_give_way_to_other_layers(opened) -> None:
    async with opened() as pilot:
        await pick(pilot, "iris")
        assert shown(pilot).model.init
        await retype(pilot, "model.hidden", "8")
        assert not said(pilot, "model.hidden")
        assert shown(pilot).model.init == {}


@pytest.mark.parametrize("size_", [(80, 24), (120, 40), (200, 60)])
async def test_every_preset_can_be_edited_to_its_last_setting(opened, size_) -> None:
    async with opened(size=size_) as pilot:
        for name in ("deep-relu", "digits-cnn", "iris", "line-fit", "parabola-decay"):
            await pick(pilot, name)
            entries = [e for e in pilot.app.screen.query_one(SettingsForm).entries if e.shown]
            entries[-1].input.focus()
            label = f"{entries[-1].setting.label} "
            await until(pilot, lambda label=label: label in page(pilot), f"{name}: {label}")
            assert "Start training" in page(pilot), name
            headings = [g.title for g in pilot.app.screen.query(Group) if g.display]
            data = [] if name.startswith("parabola") else ["Data"]
            assert headings == ["Optimizer", "Training", "Model", *data], name


# Size -----------------------------------------------------------------------------------------


async def test_the_size_answers_at_once(opened) -> None:
    async with opened(size=(200, 60)) as pilot:
        await pick(pilot, "spiral")
        assert model_heading(pilot) == "Model: 3 layers, 337 parameters"
        await retype(pilot, "model.hidden", "64, 64, 64, 64")
        counted = size(override(find("spiral"), {"model.hidden": [64] * 4}))
        assert model_heading(pilot) == f"Model: 5 layers, {counted.parameters:,} parameters"
        text = " ".join(page(pilot).split())
        assert f"3 × (4,096 w + 64 b) + 64 w5 + 1 b5 = {counted.parameters:,}" in text  # noqa: RUF001
        await retype(pilot, "model.hidden", "64, x")
        assert model_heading(pilot) == f"Model: 5 layers, {counted.parameters:,} parameters"
        await pick(pilot, "digits-cnn")
        assert model_heading(pilot) == "Model: 3 layers, 1,898 parameters"


# Preview --------------------------------------------------------------------------------------


async def test_the_picture_of_the_data_answers_at_once(opened) -> None:
    async with opened(size=(200, 60)) as pilot:
        await pick(pilot, "spiral")
        drawn = [picture(pilot)]
        assert "350 rows + 150 test" in drawn[0]
        assert "x2 vs x1" in drawn[0]
        assert {"●", "○", "■", "□"} <= set(drawn[0])
        for key, text in {"data.noise": "1.5", "data.seed": "4", "data.rows": "90"}.items():
            await retype(pilot, key, text)
            assert picture(pilot) not in drawn, key
            drawn.append(picture(pilot))
        assert "63 rows + 27 test" in drawn[-1]
        await retype(pilot, "data.test", "0")
        assert "90 rows" in picture(pilot)
        assert "test" not in picture(pilot)
        assert not {"○", "□"} & set(picture(pilot))
        await retype(pilot, "data.noise", "-1")  # what was right last stays
        assert "90 rows" in picture(pilot)


async def test_each_kind_of_data_has_its_picture(opened) -> None:
    words = {
        "iris": ["120 rows + 30 test", "petal width vs petal length", "setosa", "virginica"],
        "digits-cnn": ["1,438 rows + 359 test", "8x8 pixels, 10 classes", "▀"],
        "hills": ["x2 vs x1", "●", "■"],
        "line-fit": ["y vs x, 5 rows"],
        "sales-mse": ["y vs x1, 32 rows", "y vs x2"],
        "parabola-decay": ["Loss vs w"],
    }
    async with opened(size=(200, 60)) as pilot:
        for name in [*words, *reversed(words)]:  # each after another, and back
            await pick(pilot, name)
            for word in words[name]:
                assert word in picture(pilot), name
            told = " ".join(words[name])
            for word in ("pixels", "over x", "petal", "Loss"):
                assert (word in picture(pilot)) == (word in told), (name, word)


async def test_a_number_to_predict_is_shaded_by_its_size(opened) -> None:
    async with opened(size=(120, 40)) as pilot:
        await pick(pilot, "hills")
        view = pilot.app.screen.query_one(Preview).plane
        colours = {
            segment.style.color
            for y in range(view.size.height)
            for segment in view.render_line(y)
            if segment.style and set(segment.text) & set("●■○□")
        }
        assert len(colours) > 8


async def test_rows_for_testing_are_rings_over_one_input(opened) -> None:
    async with opened() as pilot:
        await retype(pilot, "data.test", "0.4")
        assert "3 rows + 2 test" in picture(pilot)
        below_the_title = picture(pilot).split("\n", 1)[1]
        assert below_the_title.count("o") == 2


async def test_digits_are_shown_one_of_each(opened) -> None:
    async with opened(size=(200, 60)) as pilot:
        await pick(pilot, "digits-mlp")
        guesses = pilot.app.screen.query_one(Preview).samples.guesses
        assert guesses.true[:20].tolist() == [*range(10), *range(10)]
        row = next(line for line in picture(pilot).splitlines() if line.split()[:3] == list("012"))
        assert row.split() == list("012345")


async def test_millions_of_rows_are_not_drawn_for_the_picture(opened) -> None:
    async with opened() as pilot:
        await pick(pilot, "spiral")
        await retype(pilot, "data.rows", "10000000")
        preview = pilot.app.screen.query_one(Preview)
        assert len(preview.plane.scatter.x) == MOST_DRAWN
        assert "7,000,000 rows + 3,000,000" in picture(pilot)


async def test_the_picture_is_plain_where_only_ascii_is_drawn(opened, monkeypatch) -> None:
    async with opened() as pilot:
        monkeypatch.setattr(Plot, "marker", "ascii")
        for name in ("spiral", "digits-cnn", "iris"):
            await pick(pilot, name)
            assert not set("●■▲○□△▀█░") & set(picture(pilot)), name


# A file of data -------------------------------------------------------------------------------


async def test_a_file_of_data_that_goes_is_told_in_a_line(opened, tmp_path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("a,b,kind\n" + "".join(f"{i},{i % 3},{'uv'[i % 2]}\n" for i in range(20)))
    text = to_toml(find("spiral"))
    start, end = text.index("[data]"), text.index("[regularisation]")
    file = tmp_path / "mine.toml"
    data = '[data]\ncsv = "rows.csv"\ntest = 0.25\n'
    file.write_text(text[:start] + data + text[end:])
    file.write_text(file.read_text().replace("batch = 35", "batch = 5"))
    async with opened(size=(200, 60)) as pilot:
        await pick(pilot, str(file))
        assert "15 rows + 5 test" in picture(pilot)
        assert "b vs a" in picture(pilot)
        assert entry(pilot, "data.csv").input.value == str(rows)
        content = rows.read_text()
        rows.unlink()
        await retype(pilot, "optimizer.lr", "0.5")
        assert "No such file" in said(pilot, "data.csv")
        assert "\n" not in said(pilot, "data.csv")
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert pilot.app.focused is entry(pilot, "data.csv").input
        await pick(pilot, "line-fit")
        await pick(pilot, str(file))
        assert "No such file" in said(pilot, "data.csv")
        assert "No such file" in " ".join(picture(pilot).split())
        rows.write_text(content.replace("4,1,u", "4,1"))
        await retype(pilot, "optimizer.lr", "0.2")
        assert "has 2 fields" in said(pilot, "data.csv")
        other = tmp_path / "others.csv"
        other.write_text(content.replace("u", "w"))
        await retype(pilot, "data.csv", str(other))
        assert not said(pilot, "data.csv")
        assert "w" in picture(pilot)
        assert shown(pilot).data.csv == str(other)
