"""Bad preset files: one line that names file, key and value, and says what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuitrain.errors import InputError
from tuitrain.spec.load import experiment_from_toml, load_file

GOOD = """\
title = "Mine"
[data]
kind = "points"
x = [[1, 2], [3, 4], [5, 6]]
y = [[1, 0], [0, 1], [1, 0]]
[model]
kind = "linear"
[loss]
kind = "mse"
[optimizer]
name = "adam"
lr = 0.1
[train]
steps = 10
"""
FORMULA = """\
title = "Mine"
[model]
kind = "parameter"
[loss]
kind = "expression"
formula = "(w + 1)^2"
[optimizer]
name = "sgd"
lr = 0.1
[train]
steps = 10
"""

CHANGES = {
    # Unknown keys, with the nearest
    ("lr = 0.1", "learning = 0.1\nlr = 0.1"): (
        'optimizer.learning: unknown key for name "adam"; '
        "expected one of lr, beta1, beta2, eps, weight_decay"
    ),
    ("lr = 0.1", "lr = 0.1\nbeta_1 = 0.8"): (
        'optimizer.beta_1: unknown key for name "adam"; expected beta1'
    ),
    ("steps = 10", "step = 10"): "train.step: unknown key; expected steps",
    ('title = "Mine"', 'title = "Mine"\nlr = 0.5'): "lr: unknown key here; expected optimizer.lr",
    ('title = "Mine"', 'titel = "Mine"'): "titel: unknown key; expected title",
    ('kind = "mse"', 'kind = "mse"\ncost = 3'): (
        'loss.cost: kind "mse" has no settings; expected kind = "asymmetric"'
    ),
    # Missing keys
    ('title = "Mine"', ""): "title: missing; expected text",
    ('kind = "mse"', ""): (
        'loss.kind: missing; expected one of "mse", "asymmetric", "softmax-cross-entropy", '
        '"cross-entropy", "binary-cross-entropy", "hinge", "expression"'
    ),
    ("steps = 10", ""): "train.steps: missing; expected either steps or epochs",
    ("y = [[1, 0], [0, 1], [1, 0]]", ""): (
        "data.y: missing; expected a list of numbers or lists of numbers"
    ),
    # Wrong types
    ("lr = 0.1", 'lr = "0.1"'): 'optimizer.lr: cannot be "0.1"; expected a number at least 0',
    ("lr = 0.1", "lr = true"): "optimizer.lr: cannot be true; expected a number at least 0",
    ("steps = 10", "steps = 10.5"): (
        "train.steps: cannot be 10.5; expected a whole number at least 1"
    ),
    ('title = "Mine"', "title = 3"): "title: cannot be 3; expected text",
    ("steps = 10", "steps = 10\n[expected]\nweights = 3"): (
        "expected.weights: cannot be 3; expected a table"
    ),
    ('[loss]\nkind = "mse"', ""): "loss: missing; expected a table with the key `kind`",
    ('kind = "linear"', 'kind = "linear"\nbias = 1'): (
        "model.bias: cannot be 1; expected true or false"
    ),
    ('kind = "linear"', 'kind = "linear"\ninit = { b = [0, 0], w = [[1, "2"], [3, 4]] }'): (
        'model.init.w[0][1]: cannot be "2"; expected a number'
    ),
    # Impossible values
    ("steps = 10", "steps = -10"): "train.steps: cannot be -10; expected a whole number at least 1",
    ("steps = 10", "steps = 10_000_000_000_000"): (
        "train.steps: cannot be 10000000000000; "
        "expected a whole number at least 1 and at most 1,000,000,000,000"
    ),
    ("steps = 10", "steps = 10\nbatch = 4"): (
        "train.batch: cannot be 4; expected at most 3, the rows of the data"
    ),
    ("steps = 10", "steps = 10\nbatch = 0"): (
        'train.batch: cannot be 0; expected a whole number at least 1 or "full"'
    ),
    ("steps = 10", 'steps = 10\nbatch = "ful"'): (
        'train.batch: cannot be "ful"; expected a whole number at least 1 or "full"'
    ),
    ("steps = 10", "steps = 10\nepochs = 2"): (
        "train.epochs: cannot be 2 beside steps = 10; expected either steps or epochs"
    ),
    ("steps = 10", "steps = 10\nseed = -1"): (
        "train.seed: cannot be -1; expected a whole number at least 0"
    ),
    ("steps = 10", 'steps = 10\ndtype = "float16"'): (
        'train.dtype: cannot be "float16"; expected one of "float32", "float64"'
    ),
    ("lr = 0.1", "lr = inf"): "optimizer.lr: cannot be inf; expected a finite number",
    ('kind = "linear"', 'kind = "linear"\nstd = nan'): (
        "model.std: cannot be nan; expected a finite number"
    ),
    ('kind = "linear"', 'kind = "linear"\ninit = { b = [0, -inf] }'): (
        "model.init.b[1]: cannot be -inf; expected a finite number"
    ),
    # Numbers that are none, where none is meant
    ('title = "Mine"', "title = nan"): "title: cannot be nan; expected text",
    ('title = "Mine"', 'title = "Mine"\norder = inf'): (
        "order: cannot be inf; expected a whole number"
    ),
    ('kind = "linear"', 'kind = "linear"\nbias = nan'): (
        "model.bias: cannot be nan; expected true or false"
    ),
    ('kind = "mse"', "kind = inf"): (
        'loss.kind: cannot be inf; expected one of "mse", "asymmetric", '
        '"softmax-cross-entropy", "cross-entropy", "binary-cross-entropy", "hinge", "expression"'
    ),
    ('title = "Mine"', "titel = nan"): "titel: unknown key; expected title",
    ("steps = 10", "steps = 10\nseed = nan"): (
        "train.seed: cannot be nan; expected a whole number at least 0"
    ),
    ("steps = 10", "steps = 10\nbatch = inf"): (
        "train.batch: cannot be inf; "
        'expected a whole number at least 1 and at most 10,000,000 or "full"'
    ),
    ("lr = 0.1", "lr = -0.1"): "optimizer.lr: cannot be -0.1; expected a number at least 0",
    ("lr = 0.1", "beta1 = 1"): (
        "optimizer.beta1: cannot be 1; expected a number at least 0 and below 1"
    ),
    ("y = [[1, 0], [0, 1], [1, 0]]", "y = [1, nan, 2]"): (
        "data.y[1]: cannot be nan; expected a finite number"
    ),
    ('name = "adam"', 'name = "adm"'): 'optimizer.name: cannot be "adm"; expected "adam"',
    ('kind = "mse"', 'kind = "mean"'): (
        'loss.kind: cannot be "mean"; expected one of "mse", "asymmetric", '
        '"softmax-cross-entropy", "cross-entropy", "binary-cross-entropy", "hinge", "expression"'
    ),
    ('title = "Mine"', 'title = "\\u001b[2J"'): (
        "title: holds the control character '\\x1b'; expected printable text"
    ),
    ('title = "Mine"', 'title = " "'): 'title: cannot be " "; expected one line of text',
    # Rows
    ("[3, 4], [5, 6]]", "[3, 4], [5]]"): (
        "data.x: row 3 is [5], row 1 is [1, 2]; expected as many numbers in every row"
    ),
    ("y = [[1, 0], [0, 1], [1, 0]]", "y = [1, [0], 1]"): (
        "data.y: row 2 is [0], row 1 is 1; expected as many numbers in every row"
    ),
    ("[3, 4], [5, 6]]", "[3, 4]]"): "data.x: has 2 rows; expected 3, as data.y has",
    ("y = [[1, 0], [0, 1], [1, 0]]", "y = []"): "data.y: cannot be []; expected at least one row",
    ("y = [[1, 0], [0, 1], [1, 0]]", "y = [[], [], []]"): (
        "data.y: row 1 is []; expected at least one number in every row"
    ),
    # Model and loss that do not fit
    ("x = [[1, 2], [3, 4], [5, 6]]", ""): (
        'model.kind: cannot be "linear" without inputs; expected "parameter" or data.x'
    ),
    ('kind = "linear"', 'kind = "parameter"'): (
        'model.kind: cannot be "parameter" with 2 inputs; expected "linear" or "network"'
    ),
    ('kind = "linear"', 'kind = "linear"\ninit = { w = [1, 2] }'): (
        "model.init.w: cannot be [1, 2]; "
        "expected 2 lists of 2 numbers, such as [[0.0, 0.0], [0.0, 0.0]]"
    ),
    ('kind = "linear"', 'kind = "linear"\ninit = { w = [[1, 2], [3]] }'): (
        "model.init.w: cannot be [[1, 2], [3]]; "
        "expected 2 lists of 2 numbers, such as [[0.0, 0.0], [0.0, 0.0]]"
    ),
    ('kind = "linear"', 'kind = "linear"\ninit = { v = [1, 2] }'): (
        "model.init.v: no such parameter; expected one of w, b"
    ),
    ("steps = 10", "steps = 10\n[expected]\nweights = { b = 1 }"): (
        "expected.weights.b: cannot be 1; expected a list of 2 numbers"
    ),
    ('kind = "mse"', 'kind = "expression"\nformula = "w^2"'): (
        'loss.kind: cannot be "expression" with data; '
        'expected a loss that compares with y, such as "mse", or no data'
    ),
}

FORMULA_CHANGES = {
    ("(w + 1)^2", "(w + 1"): (
        "loss.formula: cannot be \"(w + 1\": '(' was never closed; expected one such as (w + 1)^2"
    ),
    ("(w + 1)^2", "v^2"): (
        'loss.formula: cannot be "v^2": unknown name v; expected one such as (w + 1)^2'
    ),
    ("steps = 10", "steps = 10\nbatch = 8"): (
        'train.batch: cannot be 8 without data; expected "full"'
    ),
    ('kind = "expression"\nformula = "(w + 1)^2"', 'kind = "mse"'): (
        'data: missing, and loss.kind is "mse"; expected a table with `kind`'
    ),
    ('kind = "parameter"', 'kind = "linear"'): (
        'model.kind: cannot be "linear" without inputs; expected "parameter" or data.x'
    ),
    ('kind = "parameter"', 'kind = "parameter"\nsize = -1'): (
        "model.size: cannot be -1; expected a whole number at least 0"
    ),
    ('kind = "parameter"', 'kind = "parameter"\ninit = { w = [1] }'): (
        "model.init.w: cannot be [1]; expected a number"
    ),
}


def fails(tmp_path: Path, text: str | bytes) -> str:
    path = tmp_path / "mine.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    with pytest.raises(InputError) as error:
        load_file(path)
    line = str(error.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    return line.removeprefix(f"{path}: ")


@pytest.mark.parametrize(("change", "line"), CHANGES.items(), ids=CHANGES.values())
def test_one_wrong_key(tmp_path, change, line):
    assert GOOD.count(change[0]) == 1
    assert fails(tmp_path, GOOD.replace(*change)) == line


@pytest.mark.parametrize(("change", "line"), FORMULA_CHANGES.items(), ids=FORMULA_CHANGES.values())
def test_one_wrong_key_beside_a_formula(tmp_path, change, line):
    assert FORMULA.count(change[0]) == 1
    assert fails(tmp_path, FORMULA.replace(*change)) == line


@pytest.mark.parametrize("text", [GOOD, FORMULA])
def test_the_files_that_were_spoilt_are_good(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text, "utf-8")
    assert load_file(path).name == "mine"


FITS = "expected rows of at least two numbers >= 0 with the sum 1"


@pytest.mark.parametrize(
    ("y", "line"),
    {
        "[[1, 0], [0.5, 0.6], [1, 0]]": (
            f'data.y: row 2 is [0.5, 0.6], and loss.kind is "cross-entropy"; {FITS}'
        ),
        "[[1, 0], [0, 1], [-1, 2]]": (
            f'data.y: row 3 is [-1, 2], and loss.kind is "cross-entropy"; {FITS}'
        ),
        "[1, 0, 1]": (
            'loss.kind: cannot be "cross-entropy" with these targets; '
            f"{FITS.replace('expected', 'expected data.y with')}"
        ),
    }.items(),
)
def test_targets_that_are_no_distributions(tmp_path, y, line):
    text = GOOD.replace("[[1, 0], [0, 1], [1, 0]]", y).replace('"mse"', '"cross-entropy"')
    assert fails(tmp_path, text) == line


def test_toml_errors_come_with_line_and_column(tmp_path):
    line = fails(tmp_path, 'title = "Mine"\n[data]\nkind points\n')
    assert line.startswith("not valid TOML: ")
    assert "line 3, column 6" in line


def test_nested_too_deeply(tmp_path):
    assert fails(tmp_path, "x = " + "[" * 100_000) == "not valid TOML: nested too deeply"


@pytest.mark.parametrize(
    ("digits", "line"),
    [
        (310, "optimizer.lr: cannot be 1000"),
        (5000, "not valid TOML: a number of over 4,300 digits"),
    ],
)
def test_a_number_of_too_many_digits(tmp_path, digits, line):
    path = tmp_path / "large.toml"
    path.write_text(GOOD.replace("lr = 0.1", f"lr = 1{'0' * digits}"))
    with pytest.raises(InputError) as error:
        load_file(path)
    assert str(error.value).startswith(f"{path}: {line}")


def test_a_file_that_is_not_utf8(tmp_path):
    line = fails(tmp_path, b'title = "Mine"\nstory = "\xff"\n')
    assert line == "not UTF-8 in line 2; expected text"


def test_a_byte_order_mark_is_no_error(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_file(path).title == "Mine"


def test_a_missing_file(tmp_path):
    path = tmp_path / "none.toml"
    with pytest.raises(InputError) as error:
        load_file(path)
    assert str(error.value) == f"{path}: No such file or directory; expected a TOML file"


def test_a_directory(tmp_path):
    with pytest.raises(InputError) as error:
        load_file(tmp_path)
    assert str(error.value) == f"{tmp_path}: Is a directory; expected a TOML file"


def test_a_path_that_cannot_be(tmp_path):
    with pytest.raises(InputError) as error:
        load_file(Path("nul\0.toml"))
    assert "\0" not in str(error.value)


def test_an_endless_file_is_refused():
    with pytest.raises(InputError) as error:
        load_file(Path("/dev/zero"))
    assert str(error.value) == "/dev/zero: too large; expected at most 16 MB"


EXPERIMENT = f"""\
[[runs]]
name = "one"
preset = "mine"
seed = 0
optimizer = {{ name = "sgd", lr = 0.1 }}
schedule = {{ kind = "constant" }}
[presets.mine]
name = "mine"
{FORMULA.replace("[", "[presets.mine.")}
"""


@pytest.mark.parametrize(
    ("change", "line"),
    {
        ('preset = "mine"', 'preset = "yours"'): (
            'runs[0].preset: cannot be "yours"; expected one of mine'
        ),
        ("steps = 10", "steps = 0"): (
            "presets.mine.train.steps: cannot be 0; expected a whole number at least 1"
        ),
        ("steps = 10", "steps = 10\nbatch = 3"): (
            'presets.mine.train.batch: cannot be 3 without data; expected "full"'
        ),
        ('name = "one"', 'name = "one"\ndevice = "cpu"'): "runs[0].device: unknown key; expected ",
    }.items(),
)
def test_a_wrong_experiment(change, line):
    assert experiment_from_toml(EXPERIMENT, "experiment.toml").runs[0].name == "one"
    assert EXPERIMENT.count(change[0]) == 1
    with pytest.raises(InputError) as error:
        experiment_from_toml(EXPERIMENT.replace(*change), "experiment.toml")
    assert str(error.value).startswith(f"experiment.toml: {line}")
