"""CSV files: what is read, and one line for what cannot be."""

from __future__ import annotations

import hashlib
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.spec.conftest import GOOD, PRESET
from tuitrain.data import dataset
from tuitrain.errors import InputError
from tuitrain.spec.load import decode, load_file, parse
from tuitrain.spec.size import classes, inputs_outputs, rows
from tuitrain.spec.table import LARGEST_TABLE, table


@pytest.fixture
def read(write):
    """The table of a CSV."""
    return lambda *args, **kwargs: table(load_file(write(*args, **kwargs)).data)


@pytest.fixture
def fails(write, tmp_path):
    """The one line that a CSV is refused with, without the path before it."""

    def line(*args, **kwargs) -> str:
        with pytest.raises(InputError) as error:
            load_file(write(*args, **kwargs))
        text = str(error.value)
        assert text.startswith(f"{tmp_path}/mine.")
        assert text.isprintable()
        return text.removeprefix(f"{tmp_path}/mine.")

    return line


# What is read -----------------------------------------------------------------------------------


def test_columns_names_and_classes(read):
    found = read()
    assert found.x.tolist() == [[1, 2.5], [3, -40], [5, 6]]
    assert found.y.tolist() == [0, 1, 0]
    assert found.inputs == ("width", "height")
    assert found.classes == ("cat", "dog")
    assert found.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()


@pytest.mark.parametrize(
    "text",
    {
        "byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
        "CRLF": GOOD.replace("\n", "\r\n").encode(),
        "CR": GOOD.replace("\n", "\r").encode(),
        "quotes": b'"width","height","kind"\n"1","2.5","cat"\n3,-4e1,"dog"\n5,6,cat\n',
        "no last line end": GOOD.rstrip("\n").encode(),
        "blank lines": GOOD.replace("\n", "\n\n").encode() + b"\n\n",
        "spaces": GOOD.replace(",", " , ").encode(),
    }.values(),
)
def test_other_ways_to_write_the_same(read, text):
    plain, other = read(), read(text)
    np.testing.assert_array_equal(other.x, plain.x)
    np.testing.assert_array_equal(other.y, plain.y)
    assert (other.inputs, other.classes) == (plain.inputs, plain.classes)


def test_quoted_fields_hold_separators_quotes_and_line_breaks(read):
    found = read('a,b\n1,"x, ""y"""\n2,z\n')
    assert found.classes == ('x, "y"', "z")


@pytest.mark.parametrize("separator", [";", "\\t", " ", "|"])
def test_another_separator(read, separator):
    character = separator.encode().decode("unicode_escape")
    found = read(GOOD.replace(",", character), f'separator = "{separator}"')
    assert found.x.tolist() == [[1, 2.5], [3, -40], [5, 6]]


@pytest.mark.parametrize("target", ['"height"', "2"])
def test_another_target(read, target):
    found = read("a,height,b\n1,2,3\n4,5,6\n", f"target = {target}")
    assert found.x.tolist() == [[1, 3], [4, 6]]
    assert found.y.tolist() == [2, 5]
    assert found.inputs == ("a", "b")
    assert found.classes == ()


def test_chosen_columns_in_their_order(read):
    found = read("a,b,c,d,y\n1,2,3,4,5\n6,7,8,9,0\n", 'columns = ["d", 1]')
    assert found.x.tolist() == [[4, 1], [9, 6]]
    assert found.inputs == ("d", "a")


def test_columns_that_are_left_out_may_hold_anything(read):
    found = read("name,a,y\nAnna,1,2\nBert,3,4\n", 'columns = ["a"]')
    assert found.x.tolist() == [[1], [3]]


def test_without_a_header(read):
    found = read("1,2,a\n3,4,b\n", "header = false")
    assert found.x.tolist() == [[1, 2], [3, 4]]
    assert found.inputs == ("column 1", "column 2")


def test_nameless_columns_are_named_by_number(read):
    assert read(",height,kind\n1,2,a\n3,4,b\n").inputs == ("column 1", "height")


def test_classes_that_are_numbers(read):
    text = "a,y\n1,10\n2,9\n3,10\n"
    found = read(text, "classes = true")
    assert found.classes == ("9", "10")
    assert found.y.tolist() == [1, 0, 1]
    assert read(text).classes == ()
    assert read(text).y.tolist() == [10, 9, 10]


@given(
    values=st.lists(
        st.tuples(*[st.floats(allow_nan=False, allow_infinity=False)] * 3), min_size=1, max_size=20
    )
)
def test_numbers_are_read_to_the_last_bit(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("csv") / "mine.csv"
    path.write_text("a,b,y\n" + "".join(f"{a!r},{b!r},{y!r}\n" for a, b, y in values))
    document = parse(PRESET, "mine") | {"data": {"csv": str(path)}}
    found = table(decode(document, "mine").data)
    np.testing.assert_array_equal(np.column_stack([found.x, found.y]), values)


def test_the_size_and_the_dataset_agree_with_the_file(write):
    text = "a,b,kind\n" + "".join(f"{i},{i * i},{'uvw'[i % 3]}\n" for i in range(30))
    lines = ("test = 0.2", "shuffle = 1", "standardise = true")
    preset = load_file(write(text, *lines, loss="softmax-cross-entropy"))
    assert (rows(preset), classes(preset), inputs_outputs(preset)) == (24, 3, (2, 3))
    data = dataset(preset)
    assert (data.x.shape, data.y.shape, data.x_test.shape) == ((24, 2), (24, 3), (6, 2))
    assert (data.inputs, data.classes) == (("a", "b"), ("u", "v", "w"))
    raw = (data.x * data.std + data.mean).round(9)
    np.testing.assert_array_equal(data.labels(data.y), raw[:, 0] % 3)


@pytest.mark.parametrize(("loss", "outputs"), {"mse": 1, "softmax-cross-entropy": 2}.items())
def test_two_classes(write, loss, outputs):
    preset = load_file(write(loss=loss))
    assert inputs_outputs(preset) == (2, outputs)
    data = dataset(preset)
    assert data.y.shape == (3, outputs)
    assert data.labels(data.y).tolist() == [0, 1, 0]


# What is refused --------------------------------------------------------------------------------

LINES = {
    "": "csv: empty; expected a line for each row",
    "\n\n": "csv: empty; expected a line for each row",
    "a,b\n": "csv: has no rows; expected at least one row",
    "a\n1\n": "csv: line 1: has 1 field; expected inputs and a target, or another data.separator",
    "a,b\n1,2\n3\n": "csv: line 3: has 1 field; expected 2, as line 1 has",
    "a,b\n\n1,2\n\n3,4,5\n": "csv: line 5: has 3 fields; expected 2, as line 1 has",
    'a,b\n"1\n",2\n3,4,5\n': "csv: line 4: has 3 fields; expected 2, as line 1 has",
    "a,b\n1,2\nx,4\n": 'csv: line 3: "a" is "x"; expected a finite number',
    "a,b\n1,2\n1_000,4\n": 'csv: line 3: "a" is "1_000"; expected a finite number',
    "a,b\n1,2\n,4\n": 'csv: line 3: "a" is empty; expected a finite number',
    "a,b\n1,2\nnan,4\n": 'csv: line 3: "a" is "nan"; expected a finite number',
    "a,b\n1,2\n-inf,4\n": 'csv: line 3: "a" is "-inf"; expected a finite number',
    "a,b\n1,2\n1e999,4\n": 'csv: line 3: "a" is "1e999"; expected a finite number',
    "a,b\n1,2\n3,\n": (
        'csv: line 3: "b" is empty; expected a finite number, or data.classes = true'
    ),
    "a,b\n1,2\n3,x\n": (
        'csv: line 3: "b" is "x"; expected a finite number, or data.classes = true'
    ),
    "a,b\n1,NA\n2,3.5\n": (
        'csv: line 3: "b" is 3.5, and no number before; '
        "expected the name of a class, or data.classes = true"
    ),
    "a,b\n1,x\n2,\n": 'csv: line 3: "b" is empty; expected the name of a class',
    "a,b\n1,x\n2,x\n": 'csv: has only the class "x"; expected at least two classes',
    "a,b\n1,x\n2,\x1b[2J\n": (
        r"csv: line 3: holds the control character '\x1b'; expected printable text"
    ),
    'a,b\n1,x\n2,"y\nz"\n': (
        r"csv: line 3: holds the control character '\n'; expected printable text"
    ),
    "a\x07,b\n1,2\n": r"csv: line 1: holds the control character '\x07'; expected printable text",
    "a,a\n1,2\n": 'csv: line 1: has the column "a" twice; expected it once',
    "1,2\n3,4\n": ("csv: line 1: holds numbers only; expected names, or data.header = false"),
    'a,b\n1,"2\n': "csv: line 2: unexpected end of data; expected fields in CSV",
    'a,b\n1,"2"3\n': "csv: line 2: ',' expected after '\"'; expected fields in CSV",
    "Länge,b\n1,2\nx,2\n": 'csv: line 3: "Länge" is "x"; expected a finite number',
}


@pytest.mark.parametrize(("text", "line"), LINES.items(), ids=LINES.values())
def test_a_bad_file(fails, text, line):
    assert fails(text) == line


KEYS = {
    'target = "kid"': 'csv: no column "kid" for data.target; expected kind',
    'target = ""': 'csv: no column "" for data.target; expected one of width, height, kind',
    "target = 4": "csv: no column 4 for data.target; expected 1 to 3",
    'columns = ["depth"]': ('csv: no column "depth" for data.columns; expected width'),
    'columns = ["width", 3]': 'csv: "kind" in data.columns is the target; expected other columns',
    'columns = ["width", 1]': 'csv: "width" in data.columns is there twice; expected other columns',
    "target = 0": "toml: data.target: cannot be 0; expected text or a whole number at least 1",
    "classes = false": (
        'csv: line 2: "kind" is "cat"; expected a finite number, or data.classes = true'
    ),
    "header = false": (
        'csv: line 1: "column 1" is "width"; expected a finite number, or data.header = true'
    ),
    'separator = ";"': (
        "csv: line 1: has 1 field; expected inputs and a target, or another data.separator"
    ),
    "separator = '\"'": r'toml: data.separator: cannot be "\""; expected one such as , or ;',
    "sha256 = 'abc'": ("csv: has changed; expected the file with sha256 abc"),
    "test = 0.1": "toml: data.test: cannot be 0.1 of 3 rows; expected at least one row",
}


@pytest.mark.parametrize(("key", "line"), KEYS.items(), ids=KEYS)
def test_a_wrong_key(fails, key, line):
    assert fails(GOOD, key) == line


def test_a_column_by_name_without_a_header(fails):
    assert fails("1,2\n3,4\n", "header = false", 'target = "b"') == (
        'csv: no column "b" for data.target; expected a number: there is no header'
    )


def test_numbers_where_the_loss_wants_classes(fails):
    assert fails("a,b\n1,0\n2,1\n", loss="softmax-cross-entropy") == (
        'toml: loss.kind: cannot be "softmax-cross-entropy" with these targets; '
        "expected targets of classes: data.classes = true"
    )


def test_too_many_classes(fails):
    text = "a,b\n" + "".join(f"{i},c{i}\n" for i in range(1001))
    assert fails(text) == (
        'csv: line 1002: "c1000" is one class too many; '
        "expected at most 1,000 classes, or data.classes = false"
    )


def test_a_file_that_is_not_utf8(fails):
    assert fails(b"a,b\n1,2\n\xe4,2\n") == "csv: not UTF-8 in line 3; expected text"


def test_a_file_that_is_too_large(fails, write, tmp_path):
    path = write()
    os.truncate(tmp_path / "mine.csv", LARGEST_TABLE + 1)
    with pytest.raises(InputError, match=r"mine.csv: too large; expected at most 128 MB$"):
        load_file(path)


@pytest.mark.parametrize(
    ("file", "problem"),
    {
        "none.csv": "No such file or directory",
        "..": "not a regular file",
        "/dev/zero": "not a regular file",
    }.items(),
)
def test_no_file(write, tmp_path, file, problem):
    path = write()
    path.write_text(path.read_text().replace("mine.csv", file))
    with pytest.raises(InputError) as error:
        load_file(path)
    assert str(error.value) == f"{tmp_path / file}: {problem}; expected a CSV file"


@pytest.mark.parametrize("file", ["a\0b", "a\x1b[2J", "\ud800"])
def test_a_path_that_cannot_be(file):
    document = parse(PRESET, "mine") | {"data": {"kind": "csv", "csv": file}}
    with pytest.raises(InputError, match=r"^mine: data.csv: holds the control character"):
        decode(document, "mine")


@given(content=st.binary(max_size=60) | st.text("a1,\"'\n\r .-e\0", max_size=60))
def test_any_file_gives_a_table_or_one_line(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("csv") / "mine.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    document = parse(PRESET, "mine") | {"data": {"csv": str(path)}}
    found, line = None, ""
    try:
        found = table(decode(document, "mine").data)
    except InputError as error:
        line = str(error)
    if found is None:
        assert line.startswith(str(path))
        assert line.isprintable()
    else:
        assert np.isfinite(found.x).all()
        assert np.isfinite(found.y).all()
        assert len(found.x) == len(found.y) > 0
