"""Files that are no presets: large, deep, endless; asked for, or only lying there."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests.spec.test_bad_input import GOOD, fails
from tuitrain.errors import InputError
from tuitrain.spec.catalogue import LARGEST_FILE, own
from tuitrain.spec.load import load_file


@pytest.mark.parametrize("part", ["a", '"a b"', "'' "])
@pytest.mark.parametrize(
    "form", ["{}=1", "title.{} = 1", "x = {{ {} = 1 }}", "x = {{y=1, {}", "[ {} ]", "[[{}"]
)
def test_a_key_of_very_many_parts(tmp_path, part, form):
    """At once: to parse it takes minutes, for the time grows with the square of the parts."""
    text = form.format(".".join([part] * 100_000))
    assert fails(tmp_path, text) == "not valid TOML: nested too deeply"


@pytest.mark.parametrize("form", ["# {}", "story = '{}'", "story = 'of {}' # and {}"])
def test_many_parts_that_are_no_key(tmp_path, form):
    path = tmp_path / "mine.toml"
    path.write_text(form.format(*[".".join(["a", "b"] * 100)] * 2) + "\n" + GOOD)
    assert load_file(path).title == "Mine"


@pytest.mark.parametrize(
    ("line", "key"),
    {
        ".".join("a" * 50) + " = 1": ".".join("a" * 21),
        f"title.{'.'.join('a' * 50)} = 1": "title." + ".".join("a" * 20),
        f"title = {'[' * 50}{']' * 50}": "title" + "[0]" * 20,
        f"loss = {'{a = ' * 50}1{'}' * 50}": "loss." + ".".join("a" * 20),
    }.items(),
    ids=["parts", "parts below text", "lists", "tables"],
)
def test_a_document_that_is_nested_too_deeply_to_be_shown(tmp_path, line, key):
    assert fails(tmp_path, line) == (
        f"{key}: nested too deeply; expected at most 20 tables or lists inside one another"
    )


@pytest.mark.parametrize("digits", [300, 5000])
@pytest.mark.parametrize(
    ("key", "expected"),
    {
        "lr": "a number of at most 308 digits",
        "beta1": "a number at least 0 and below 1",
    }.items(),
)
def test_a_hexadecimal_number_that_python_writes_no_digits_of(tmp_path, key, expected, digits):
    text = GOOD.replace("lr = 0.1", f"{key} = 0x{'F' * digits}", 1)
    line = fails(tmp_path, text)
    assert line.startswith(f"optimizer.{key}: cannot be ")
    assert line.endswith(f"; expected {expected}")
    assert len(line) < 200


@pytest.mark.parametrize(
    ("change", "line"),
    {
        ('kind = "linear"', f'kind = "linear"\ninit = {{ w = [{"1.5, " * 5000}] }}'): (
            "model.init.w: cannot be [1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1...; "
            "expected 2 lists of 2 numbers, such as [[0.0, 0.0], [0.0, 0.0]]"
        ),
        ("y = [[1, 0],", f"y = [[{'-1, ' * 5000}],"): (
            "data.y: row 2 is [0, 1], "
            "row 1 is [-1, -1, -1, -1, -1, -1, -1, -1, -1, -1...; "
            "expected as many numbers in every row"
        ),
        ('title = "Mine"', f'title = "Mine"\n{"a" * 5000} = 1'): f"{'a' * 117}...: unknown key",
        ('title = "Mine"', f"[{'a' * 5000}]\n[{'a' * 5000}]"): (
            f"not valid TOML: Cannot declare ('{'a' * 100}... (at line 2, column 5002)"
        ),
    }.items(),
    ids=["weights", "rows", "key", "message"],
)
def test_a_line_does_not_grow_with_the_value(tmp_path, change, line):
    assert GOOD.count(change[0]) == 1
    assert fails(tmp_path, GOOD.replace(*change)).startswith(line)


def test_names_of_very_many_parameters_are_not_all_told(tmp_path):
    layers = f'kind = "network"\nhidden = [{"1, " * 1000}]\ninit = {{ v = 1 }}'
    line = fails(tmp_path, GOOD.replace('kind = "linear"', layers))
    assert line.startswith("model.init.v: no such parameter; expected one of w1, b1, w2, b2, ")
    assert len(line) < 200


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_lines_may_end_as_elsewhere(tmp_path, end):
    path = tmp_path / "mine.toml"
    path.write_bytes(GOOD.replace("\n", end).encode())
    assert load_file(path).title == "Mine"


# What is no file ------------------------------------------------------------------------------


def test_a_pipe_is_not_waited_for(tmp_path):
    path = tmp_path / "mine.toml"
    os.mkfifo(path)
    with pytest.raises(InputError) as error:
        load_file(path)
    assert str(error.value) == f"{path}: not a regular file; expected a TOML file"


def test_a_pipe_of_a_shell_is_read():
    """`<(...)` names one end of a pipe by its descriptor."""
    end, other = os.pipe()
    writer = threading.Thread(target=lambda: (os.write(other, GOOD.encode()), os.close(other)))
    writer.start()
    try:
        assert load_file(Path(f"/dev/fd/{end}")).title == "Mine"
    finally:
        writer.join()
        os.close(end)


def test_own_presets_are_those_that_can_be_read(tmp_path):
    """Nobody asked for the other files: they neither stop the screen nor hold it up."""
    (tmp_path / "mine.toml").write_text(GOOD)
    (tmp_path / "linked.toml").symlink_to("mine.toml")
    (tmp_path / "digits.toml").write_text(f"n = {'9' * 5000}")
    (tmp_path / "hex.toml").write_text(f"n = 0x{'F' * 5000}")
    (tmp_path / "deep.toml").write_text(f"{'.'.join(['a'] * 90)} = 1")
    (tmp_path / "deeper.toml").write_text(f"{'.'.join(['a'] * 100_000)} = 1")
    (tmp_path / "bytes.toml").write_bytes(bytes(range(256)))
    (tmp_path / "empty.toml").touch()
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "nowhere.toml").symlink_to("nowhere")
    (tmp_path / "loop.toml").symlink_to("loop.toml")
    (tmp_path / "endless.toml").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.toml")
    assert own(tmp_path).keys() == {"mine.toml", "linked.toml"}


def test_a_large_file_is_read_only_when_it_is_asked_for(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD + "#" * (LARGEST_FILE - len(GOOD)))
    assert own(tmp_path).keys() == {"mine.toml"}
    path.write_text(GOOD + "#" * LARGEST_FILE)
    assert own(tmp_path) == {}
    assert load_file(path).title == "Mine"
