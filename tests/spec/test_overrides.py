"""Changes to single keys: what they mean, what they drop, and how they fail."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuitrain.errors import InputError
from tuitrain.optim import OPTIMIZERS, name_of
from tuitrain.optim.schedules import Cosine
from tuitrain.spec.base import LARGEST
from tuitrain.spec.catalogue import catalogue, find
from tuitrain.spec.load import decode, parse, to_toml
from tuitrain.spec.loss import Asymmetric, MeanSquared
from tuitrain.spec.overrides import assignments, override, parse_value
from tuitrain.spec.preset import Expected

finite = st.floats(allow_nan=False, allow_infinity=False)
sales, parabola = find("sales-mse"), find("parabola-decay")


@pytest.mark.parametrize("name", catalogue())
def test_no_change_changes_nothing(name):
    assert override(find(name), {}) == find(name)


@given(lr=finite.filter(lambda x: x >= 0), steps=st.integers(1, 10**12), text=st.booleans())
def test_numbers_arrive_exactly(lr, steps, text):
    spell = repr if text else lambda x: x
    changed = override(sales, {"optimizer.lr": spell(lr), "train.steps": spell(steps)})
    assert changed.optimizer.lr == lr
    assert changed.train.steps == steps
    assert changed == msgspec.structs.replace(
        sales,
        expected=changed.expected,
        optimizer=msgspec.structs.replace(sales.optimizer, lr=lr),
        train=msgspec.structs.replace(sales.train, steps=steps),
    )


@given(
    rows=st.integers(1, 1000),
    seed=st.integers(0, 2**32 - 1),
    noise=st.floats(0, LARGEST),
    cost=finite.filter(lambda x: x >= 0),
    weights=st.tuples(finite, finite),
    texts=st.text(st.characters(exclude_categories=["C", "Zl", "Zp"])),
)
def test_a_changed_preset_survives_toml(rows, seed, noise, cost, weights, texts):
    changed = override(
        find("sales-cost1-profit99"),
        {
            "data.rows": rows,
            "data.seed": seed,
            "data.noise": noise,
            "loss.cost": cost,
            "model.init.w": [[weight] for weight in weights],
            "topic": f"a{texts}",
            "story": f"b{texts}",
        },
    )
    assert decode(parse(to_toml(changed), "here"), "here") == changed


@pytest.mark.parametrize("rule", OPTIMIZERS)
@pytest.mark.parametrize("key", ["optimizer", "optimizer.name"])
def test_another_optimizer_brings_its_own_defaults(rule, key):
    adam = find("book-mse")
    changed = override(adam, {key: rule, "optimizer.lr": 0.5})
    assert name_of(changed.optimizer) == rule
    if rule == "adam":
        assert changed.optimizer == msgspec.structs.replace(adam.optimizer, lr=0.5)
    else:
        assert changed.optimizer == OPTIMIZERS[rule](lr=0.5)


def test_the_same_optimizer_keeps_its_settings():
    tuned = override(find("book-mse"), {"optimizer.beta1": 0.5})
    assert override(tuned, {"optimizer": "adam"}).optimizer.beta1 == 0.5
    assert override(tuned, {"optimizer": "nadam"}).optimizer.beta1 == 0.9


def test_order_of_changes_does_not_matter():
    forth = override(sales, {"optimizer.beta1": 0.5, "optimizer": "adam"})
    back = override(sales, {"optimizer": "adam", "optimizer.beta1": 0.5})
    assert forth == back
    assert forth.optimizer.beta1 == 0.5


def test_steps_and_epochs_replace_each_other():
    epochs = override(sales, {"train.epochs": "3", "train.batch": "8"})
    assert (epochs.train.steps, epochs.train.epochs, epochs.train.batch) == (None, 3, 8)
    steps = override(epochs, {"train.steps": "5"})
    assert (steps.train.steps, steps.train.epochs) == (5, None)
    with pytest.raises(InputError, match="either steps or epochs"):
        override(sales, {"train.steps": "5", "train.epochs": "3"})


def test_a_schedule_by_specification_and_by_key():
    by_text = override(sales, {"schedule": "cosine:end=0.01,warmup=5"})
    assert by_text.schedule == Cosine(end=0.01, warmup=5)
    by_key = override(
        sales, assignments(["schedule.kind=cosine", "schedule.end=0.01", "schedule.warmup=5"])
    )
    assert by_key.schedule == by_text.schedule


def test_another_loss_starts_from_its_defaults():
    assert override(sales, {"loss": "asymmetric"}).loss == Asymmetric()
    assert override(sales, {"loss.kind": "asymmetric", "loss.cost": "9"}).loss.cost == 9
    assert override(find("book-less10"), {"loss": "mse"}).loss == MeanSquared()
    table = override(sales, {"loss": "{kind = 'asymmetric', profit = 4}"})
    assert table.loss == Asymmetric(profit=4)


@pytest.mark.parametrize(
    "change",
    [{"loss": "asymmetric"}, {"data.rows": 16}, {"optimizer": "adam"}, {"train.steps": 5}],
)
def test_what_is_expected_belongs_to_the_presets_own_settings(change):
    assert override(sales, change).expected == Expected()
    kept = override(sales, change | {"expected.loss": 3.0})
    assert kept.expected.loss == 3.0


@pytest.mark.parametrize("change", [{}, {"optimizer": "sgd"}, {"train.steps": 15000}])
def test_the_same_settings_keep_what_is_expected(change):
    assert override(sales, change).expected == sales.expected


def test_another_shape_drops_what_was_expected():
    changed = override(parabola, {"model.size": 2, "model.init.w": "[1, 2]"})
    assert changed.model.init == {"w": [1.0, 2.0]}
    assert changed.expected == Expected()


def test_start_values_belong_to_the_seed():
    assert override(sales, {"train.seed": 0}).model.init == sales.model.init
    assert override(sales, {"train.seed": 1}).model.init == {}
    kept = override(sales, {"train.seed": 1, "model.init.w": [[1], [2]]})
    assert kept.model.init == {"w": [[1.0], [2.0]]}


def test_nothing_is_changed_in_place():
    before = to_toml(sales)
    override(sales, {"model.init.w": [[1], [2]], "train.seed": 4, "loss": "asymmetric"})
    assert to_toml(sales) == before


FAILURES = {
    "loss.cost=9": 'kind "mse" has no settings; expected kind = "asymmetric"',
    "steps=3": "unknown key here; expected train.steps",
    "tran.steps=3": "unknown key; expected train",
    "train.steps.x=3": "unknown key; expected no key below steps",
    "train=3": "cannot be 3; expected a table",
    "train.steps=abc": 'cannot be "abc"; expected a whole number at least 1',
    "train.steps=0": "cannot be 0; expected a whole number at least 1",
    "train.steps=1e15": (
        "cannot be 1000000000000000; "
        "expected a whole number at least 1 and at most 1,000,000,000,000"
    ),
    "train.batch=33": "cannot be 33; expected at most 32, the rows of the data",
    "optimizer.lr=nan": "cannot be nan; expected a finite number",
    "optimizer=adamm": 'cannot be "adamm"; expected "adam"',
    "optimizer.beta1=0.3": 'unknown key for name "sgd"; expected one of lr, weight_decay',
    "model.init.w=[1, 2]": (
        "cannot be [1, 2]; expected 2 lists of 1 number, such as [[0.0], [0.0]]"
    ),
    "model.init.b=[0]": "no such parameter; expected one of w",
    "data.truth=[1]": (
        'unknown key for kind "sales"; '
        "expected one of test, shuffle, standardise, rows, seed, noise"
    ),
    "optimizer.lr=1e400": "cannot be inf; expected a finite number",
    "model.bias=nan": "cannot be nan; expected true or false",
    "train.dtype=nan": 'cannot be nan; expected one of "float32", "float64"',
    "a.b.c=1": (
        "unknown key; expected one of title, loss, model, optimizer, train, topic, story, "
        "formula, source, expectation, data, regularisation, schedule, expected, name, order"
    ),
    "model.init.w=[[1], ['a']]": 'cannot be "a"; expected a number',
    "optimizer.lr=1\nx = 2": 'cannot be "1\\nx = 2"; expected a number at least 0',
}


@pytest.mark.parametrize(("text", "line"), FAILURES.items())
def test_a_failure_names_the_option(text, line):
    with pytest.raises(InputError) as error:
        override(sales, assignments([text]))
    shown = text.replace("\n", "\\n")
    assert str(error.value) == f"--set {shown}: {line}"


@pytest.mark.parametrize("digits", ["9" * 5000, "0x" + "F" * 5000], ids=["decimal", "hexadecimal"])
@pytest.mark.parametrize("key", ["train.steps", "train.seed"])
def test_a_number_of_very_many_digits_is_cut(key, digits):
    with pytest.raises(InputError) as error:
        override(sales, assignments([f"{key}={digits}"]))
    place = f"--set {key}={digits}"[:117]
    assert str(error.value).startswith(f"{place}...: cannot be ")
    assert "; expected a whole number at least " in str(error.value)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize(
    ("text", "line"),
    {
        ".".join(["a"] * 1500) + "=1": "nested too deeply; expected at most 20 tables or lists ",
        f"model.init.w={'[' * 90}{']' * 90}": "nested too deeply; expected at most 20 ",
        "a" * 5000 + "=1": "unknown key; expected one of title, ",
        "a" * 5000: "no value; expected KEY=VALUE",
    }.items(),
    ids=["parts", "lists", "name", "no value"],
)
def test_a_long_key_or_value_gives_a_short_line(text, line):
    with pytest.raises(InputError) as error:
        override(sales, assignments([text]))
    place = f"--set {text}"
    place = place if len(place) <= 120 else f"{place[:117]}..."
    assert str(error.value).startswith(f"{place}: {line}")


@pytest.mark.parametrize("key", ["title", "name", "topic", "story", "formula", "source"])
@pytest.mark.parametrize("text", ["123", "2024", "1e3", "nan", "true", "[1, 2]", "2024-01-01", "a"])
def test_text_is_typed_as_it_is_meant(key, text):
    assert getattr(override(sales, assignments([f"{key}={text}"])), key) == text


def test_text_may_be_quoted():
    assert override(sales, {"title": '"a \\"b\\""'}).title == 'a "b"'
    assert override(sales, {"title": "'2024'"}).title == "2024"


def test_a_formula_may_look_like_a_number_and_a_path_must_not(tmp_path, monkeypatch):
    with pytest.raises(InputError, match='cannot be "5": it does not depend on w'):
        override(parabola, {"loss.formula": "5"})
    (tmp_path / "2024").write_text("a,b\n1,2\n3,4\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="cannot be 2024; expected text"):
        override(sales, {"data.csv": "2024"})
    assert override(sales, {"data.csv": "./2024", "data.target": "2"}).data.target == 2


def test_a_value_that_was_not_typed_keeps_its_type():
    with pytest.raises(InputError, match=r"cannot be 3; expected text"):
        override(sales, {"title": 3})


def test_a_failure_names_the_option_that_it_is_told():
    with pytest.raises(InputError) as error:
        override(sales, {"train.steps": 0}, {"train.steps": "--steps 0"})
    assert str(error.value) == "--steps 0: cannot be 0; expected a whole number at least 1"
    with pytest.raises(InputError, match=r"^--schedule cosin: "):
        override(sales, {"schedule": "cosin"}, {"schedule": "--schedule cosin"})


def test_a_failure_elsewhere_names_the_preset():
    with pytest.raises(InputError) as error:
        override(find("book-mse"), {"data.rows": 4})
    assert str(error.value) == (
        "book-mse: train.batch: cannot be 8; expected at most 4, the rows of the data"
    )
    with pytest.raises(InputError, match=r"^parabola-decay: data.kind: missing; expected one of"):
        override(parabola, {"data.rows": 4})


def one_line_or(make):
    """What `make` gives, or None after an error of one printable line."""
    line = ""
    try:
        return make()
    except InputError as error:
        line = str(error)
    assert line.isprintable()
    return None


@given(key=st.text(), value=st.text())
def test_any_text_gives_a_preset_or_one_line(key, value):
    if (
        changed := one_line_or(lambda: override(sales, assignments([f"{key}={value}"])))
    ) is not None:
        assert decode(parse(to_toml(changed), "here"), "here") == changed


@given(
    key=st.sampled_from(
        [
            "data",
            "data.kind",
            "data.rows",
            "loss",
            "loss.kind",
            "model",
            "model.init",
            "model.init.w",
            "optimizer",
            "optimizer.lr",
            "schedule",
            "schedule.kind",
            "train",
            "train.steps",
            "train.batch",
            "expected",
            "expected.weights.w",
            "title",
            "name",
            "order",
        ]
    ),
    value=st.one_of(
        st.text(),
        st.sampled_from(["points", "gaussian", "expression", "adam", "cosine", "full", "0", "-1"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=5,
        ),
    ),
)
def test_any_value_gives_a_preset_or_one_line(key, value):
    changed = one_line_or(lambda: override(sales, {key: value}))
    if changed is not None:
        assert decode(parse(to_toml(changed), "here"), "here") == changed


def test_assignments():
    assert assignments(["loss.cost=9", " title = a=b "]) == {"loss.cost": "9", "title": "a=b"}
    for texts, line in {
        ("loss.cost",): "--set loss.cost: no value; expected KEY=VALUE",
        ("=3",): "--set =3: no value; expected KEY=VALUE",
        ("a=1", "a=2"): "--set a=2: a is set twice; expected one value",
    }.items():
        with pytest.raises(InputError) as error:
            assignments(texts)
        assert str(error.value) == line


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("1e4", 10_000),
        ("1.5e3", 1500),
        ("-2.5E1", -25),
        ("1.5e0", 1.5),
        ("1500.0", 1500.0),
        ("1_000", 1000),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("2.0", 2.0),
        ("true", True),
        ("adam", "adam"),
        ('"3"', "3"),
        ("[1, 2.5]", [1, 2.5]),
        ("{a = 1}", {"a": 1}),
        ("(w + 1)^2", "(w + 1)^2"),
        ("", ""),
    ],
)
def test_values_are_read_as_toml(text, value):
    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)


def test_start_values_go_where_they_no_longer_fit():
    iris = find("iris")
    assert iris.model.init
    for kept in ({"model.activation": "tanh"}, {"optimizer.lr": 1}, {"loss.kind": "cross-entropy"}):
        assert override(iris, kept).model.init == iris.model.init, kept
    for drawn in ({"model.hidden": [8]}, {"model.bias": False}, {"data.kind": "digits"}):
        assert override(iris, drawn).model.init == {}, drawn
    for drawn in ({"model.initialisation": "he"}, {"model.initialisation.std": 2}):
        assert override(iris, drawn).model.init == {}, drawn
    given = {"model.bias": False, "model.init.w1": [[0.0] * 3] * 4, "model.init.b1": [0.0] * 3}
    with pytest.raises(InputError, match="no such parameter"):
        override(iris, given)
