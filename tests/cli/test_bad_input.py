"""Bad input: one line that says what, where and what would be right; exit code 2."""

from __future__ import annotations

import contextlib
import errno
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuitrain.cli import main
from tuitrain.cli.commands import COMMANDS
from tuitrain.worker.launch import WarmWorker

RULES = (
    "sgd, sgdm, momentum, nesterov, adagrad, rmsprop, adadelta, adam, amsgrad, adamax, nadam, "
    "radam, adamw, rprop, lion"
)

LINES = {
    "run line-fit --lr 0.1,0.2": (
        "--lr: '0.1,0.2' is a list, and `run` trains one run; expected one value"
    ),
    "run line-fit -o adam,sgd": (
        "--optimizer: 'adam,sgd' is a list, and `run` trains one run; expected one value"
    ),
    "run line-fit --engine compiled": (
        "--engine: 'compiled' is not ready yet; expected auto or eager"
    ),
    "run line-fit --device tpu": "--device: 'tpu'; expected auto, cpu, cuda or cuda:N",
    "run line-fit --steps 5 --epochs 5": ("--steps: conflicts with --epochs; expected one of them"),
    "run line-fit --set optimizer.lr=x": (
        '--set optimizer.lr=x: cannot be "x"; expected a number at least 0'
    ),
    "run line-fit --lr 0.1 --set optimizer.lr=0.2": (
        "--set optimizer.lr=0.2: conflicts with --lr; expected one of them"
    ),
    "compare line-fit --schedule cosine --set schedule.kind=step": (
        "--set schedule.kind=step: conflicts with --schedule; expected one of them"
    ),
    "run line-fit -o adam --set optimizer=sgd": (
        "--set optimizer=sgd: conflicts with --optimizer; expected one of them"
    ),
    "run line-fit -o rprop --set optimizer.step_max=1e-9": (
        "line-fit: optimizer.step_min: cannot be 1e-06; expected at most 1e-09, step_max"
    ),
    "run line-fit --schedule exponential:decay=1e309": (
        "--schedule exponential:decay=1e309: decay=1e309; expected a finite number above 0"
    ),
    "run line-fit --schedule cosine:end=inf": (
        "--schedule cosine:end=inf: end=inf; expected a finite number at least 0"
    ),
    "run line-fit --schedule cosine:end=nan": (
        "--schedule cosine:end=nan: end=nan; expected a finite number at least 0"
    ),
    "run line-fit --schedule cosine:steps=null": (
        "--schedule cosine:steps=null: steps=null; expected a whole number"
    ),
    "run line-fit --detach --json": "--detach: conflicts with --json; expected one of them",
    "run line-fit --ui": (
        "the dashboard needs a terminal; stdin is not one; "
        "expected a terminal; without one, use `tuitrain run PRESET`"
    ),
    "run line-fit --set lr": "--set lr: no value; expected KEY=VALUE",
    "run xor-relu --set data.noise=1e308": (
        "--set data.noise=1e308: cannot be 1e+308; "
        "expected a number at least 0 and at most 1,000,000"
    ),
    "run xor-relu --set model.initialisation.kind=uniform --set model.initialisation.low=-1e308": (
        "--set model.initialisation.low=-1e308: cannot be -1e+308; "
        "expected a number at least -1,000,000 and at most 1,000,000"
    ),
    "run digits-cnn --set model.init.w1=[[1,2]]": (
        "--set model.init.w1=[[1,2]]: cannot be given: it has four dimensions, "
        "the weights of a convolution; expected no w1 in model.init"
    ),
    "": (
        "the dashboard needs a terminal; stdin is not one; "
        "expected a terminal; without one, use `tuitrain run PRESET`"
    ),
    "optimizers show adam,sgd": f"no optimizer 'adam,sgd'; expected one of {RULES}",
    "optimizers show nope": f"no optimizer 'nope'; expected one of {RULES}",
    "export --format pdf": "--format: cannot write 'pdf'; expected csv, jsonl, svg or png",
    "export": "Missing option '--format'; see `tuitrain export --help`",
    "experiments --runs-dir=": "--runs-dir: an empty path; expected a directory",
    "run line-fit --runs-dir=": "--runs-dir: an empty path; expected a directory",
    "--runs-dir=": "--runs-dir: an empty path; expected a directory",
    "--runs-dir= experiments": "--runs-dir: an empty path; expected a directory",
    "--runs-dir=/nowhere": (
        "the dashboard needs a terminal; stdin is not one; "
        "expected a terminal; without one, use `tuitrain run PRESET`"
    ),
    "nope": "No such command 'nope'; see `tuitrain --help`",
    "run": "Missing argument 'PRESET'; see `tuitrain run --help`",
    "presets --nope": "No such option '--nope'; see `tuitrain presets --help`",
    "attach": "{runs}: no experiment yet; expected an id of `tuitrain experiments`",
    "stop": "{runs}: no experiment yet; expected an id of `tuitrain experiments`",
    "rm 2026": "{runs}: no experiment '2026'; expected an id of `tuitrain experiments`",
}

BEGINNINGS = {
    "run line-fit --steps abc": "--steps abc: ",
    "run line-fit --steps 0": "--steps 0: ",
    "run line-fit --epochs -3": "--epochs -3: ",
    "run line-fit --lr nan": "--lr nan: ",
    "run line-fit --lr fast": "--lr fast: ",
    "run line-fit --batch 6": "--batch 6: ",
    "run line-fit --seed -1": "--seed -1: ",
    "run line-fit --dtype float16": "--dtype float16: ",
    "run line-fit --optimizer nope": "--optimizer nope: ",
    "run line-fit --schedule cosine:and=1": "--schedule cosine:and=1: ",
    "run line-fit --set loss.cost=9": "--set loss.cost=9: ",
    "run line-fit --set optimizer.beta1=0.8": "--set optimizer.beta1=0.8: ",
    "run line-fi": "line-fi: ",
    "run nowhere/mine.toml": "nowhere/mine.toml: ",
    "presets show nope": "nope: ",
}


def called(arguments: list[str]) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    return code, out.getvalue(), err.getvalue()


@pytest.fixture(autouse=True)
def private(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUITRAIN_RUNS_DIR", str(runs_dir))


@pytest.mark.parametrize("arguments", LINES)
def test_the_whole_line(arguments: str, runs_dir: Path) -> None:
    line = LINES[arguments].format(runs=runs_dir)
    assert called(arguments.split()) == (2, "", f"tuitrain: error: {line}\n")
    assert not runs_dir.exists()


@pytest.mark.parametrize("arguments", BEGINNINGS)
def test_the_line_names_what_was_given_and_what_would_be_right(
    arguments: str, runs_dir: Path
) -> None:
    code, out, err = called(arguments.split())
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"tuitrain: error: {BEGINNINGS[arguments]}")
    assert "; expected " in err
    assert not runs_dir.exists()


@pytest.mark.parametrize("digits", [310, 400, 5000])
@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "sales-mse", "--set", "expected.weights.w="],
        ["run", "sales-mse", "--set", "model.init.w="],
        ["run", "sales-mse", "--set", "train.seed="],
        ["compare", "sales-mse", "--no-ui", "--steps", ""],
    ],
    ids=lambda arguments: arguments[-1] or arguments[-2],
)
def test_a_number_of_too_many_digits(arguments: list[str], digits: int) -> None:
    *before, last = arguments
    code, out, err = called([*before, f"{last}1{'0' * digits}"])
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "; expected a " in err


@pytest.mark.parametrize("option", ["--steps", "--lr", "--epochs", "--batch", "--seed"])
def test_a_number_of_very_many_digits_is_cut(option: str) -> None:
    code, out, err = called(["run", "sales-mse", option, "9" * 5000])
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"tuitrain: error: {option} 999")
    assert "; expected a " in err
    assert len(err) < 300


@pytest.mark.parametrize(
    "text",
    ["n = " + "9" * 5000, "n = 0x" + "F" * 5000, ".".join(["a"] * 3000) + " = 1"],
    ids=["digits", "hexadecimal digits", "parts"],
)
def test_a_file_that_asks_too_much_of_the_parser(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    code, out, err = called(["presets", "check", str(path)])
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"tuitrain: error: {path}: ")
    assert len(err) < 300 + len(str(path))


def test_a_file_with_mistakes(tmp_path: Path) -> None:
    good = Path(__file__).parents[2] / "presets" / "line-fit.toml"
    bad = tmp_path / "bad.toml"
    bad.write_text(good.read_text().replace("0.027", '"fast"'))
    broken = tmp_path / "broken.toml"
    broken.write_text("title = ")
    code, out, err = called(["presets", "check", str(bad), str(good), str(broken)])
    lines = err.splitlines()
    assert code == 2
    assert out.startswith(f"{good}: ok")
    assert len(out.splitlines()) == 1
    assert [line.startswith("tuitrain: error: ") for line in lines] == [True, True]
    assert str(bad) in lines[0]
    assert "lr" in lines[0]
    assert str(broken) in lines[1]


def test_control_characters_do_not_reach_the_terminal() -> None:
    _, _, err = called(["run", "line\x1b[31m-fit\nnext"])
    assert "\x1b" not in err
    assert err.count("\n") == 1


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    code, out, err = called(["run", "line-fit", "--runs-dir", str(file / "runs")])
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert str(file) in err


def no_nul(make: Callable[[], st.SearchStrategy[str]]) -> st.SearchStrategy[str]:
    return make().filter(lambda text: "\0" not in text)


WORDS = """
line-fit sales-mse show check schema csv jsonl adam bash . / - -- = 1 0 -1 1e4 1e999 nan full cpu
--lr --steps --epochs --batch -o --optimizer --schedule --seed --device --dtype --engine --set
--json --quiet --runs-dir --detach --fail-on-divergence --format -y --yes -h -V cuda:99 float64
eager loss.cost=9 optimizer=adam optimizer.name=lion train.steps=7 train.batch=2 data.x=[] model={}
schedule=one-cycle cosine:end=1
"""

words = st.one_of(
    st.sampled_from(WORDS.split()),
    no_nul(lambda: st.text(max_size=12)),
    no_nul(lambda: st.binary(max_size=8).map(os.fsdecode)),
)


# `doctor` takes a second, and `compare` would train.
FUZZED = ["--nope", *sorted(COMMANDS.keys() - {"doctor", "compare"})]


@given(st.sampled_from(FUZZED), st.lists(words, max_size=6))
@settings(deadline=None, max_examples=300)
def test_no_arguments_make_a_traceback(command: str, rest: list[str]) -> None:
    # `--ui` lets `run` check everything and then find that there is no terminal.
    arguments = ["run", "--ui", *rest] if command == "run" else [command, *rest]
    code, _, err = called(arguments)
    assert code in (0, 2)
    errors = [line for line in err.split("\n") if line.startswith("tuitrain: error: ")]
    assert bool(errors) == (code == 2)
    if command != "presets":  # `presets check` has a line for each file
        assert err.count("\n") <= 1


@given(st.sampled_from(["--lr", "--steps", "--epochs", "--batch", "--seed", "--set"]), words)
@settings(deadline=None, max_examples=200)
def test_no_value_makes_a_traceback(option: str, value: str) -> None:
    code, out, err = called(["run", "sales-mse", "--ui", f"{option}={value}"])
    assert (code, out, err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("form", [["--json"], ["--detach"]])
def test_a_training_that_cannot_be_started_leaves_nothing(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch, form: list[str]
) -> None:
    def refused() -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    monkeypatch.setattr(WarmWorker, "_spawn", staticmethod(refused))
    line = "tuitrain: error: the worker: could not be started: Broken pipe\n"
    assert called(["run", "line-fit", *form]) == (2, "", line)
    assert list(runs_dir.iterdir()) == []
