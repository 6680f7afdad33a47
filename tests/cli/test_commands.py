"""The commands that only tell: presets, optimizers, doctor, completion."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pytest

from tests.nvml import Card, driver
from tuitrain.cli import main
from tuitrain.cli.doctor import unused_gpus
from tuitrain.optim import OPTIMIZERS, hyperparameters
from tuitrain.spec.catalogue import catalogue
from tuitrain.spec.load import load_file

if TYPE_CHECKING:
    from tests.cli.conftest import Command, Inside


def test_presets_are_listed_by_topic(inside: Inside) -> None:
    lines = inside("presets").stdout.splitlines()
    names = [line.split()[0] for line in lines if line.startswith("  ")]
    assert names == list(catalogue())
    for preset in catalogue().values():
        assert any(line == preset.topic for line in lines)
        assert any(preset.title in line for line in lines)


def test_presets_of_the_working_directory_are_listed_under_their_path(
    inside: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = inside("presets").stdout
    monkeypatch.chdir(tmp_path)
    text = inside("presets", "show", "line-fit").stdout
    (tmp_path / "line-fit.toml").write_text(text)
    (tmp_path / "other.toml").write_text("[tool]\nname = 'no preset'\n")
    (tmp_path / "broken.toml").write_text("[")
    listed = inside("presets")
    assert (listed.returncode, listed.stderr) == (0, "")
    before, _, after = listed.stdout.partition("\nin this directory\n")
    assert before.split() == shipped.split()
    [line] = after.splitlines()
    name, *rest = line.split(maxsplit=1)
    assert name == "line-fit.toml"
    assert rest[0].startswith(catalogue()["line-fit"].title)
    assert inside("run", name, "--steps", "3", "--quiet").returncode == 0


@pytest.mark.parametrize("things", ["presets", "optimizers"])
def test_a_list_can_be_asked_for_by_its_name(inside: Inside, things: str) -> None:
    assert inside(things, "list").stdout == inside(things).stdout != ""


def test_an_error_goes_nowhere_where_stderr_is_closed(tuitrain: Command) -> None:
    ran = subprocess.run(
        ["bash", "-c", f"{tuitrain.path} bogus 2>&-"],
        capture_output=True,
        env=tuitrain.environment,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (2, b"")


@pytest.mark.parametrize(
    "command",
    [
        "run line-fit --steps 5 --quiet >&-",
        "compare line-fit --steps 5 --quiet <&-",
        "experiments --json >&-",
        "doctor >&-",
    ],
)
def test_closed_streams_are_no_errors(tuitrain: Command, command: str) -> None:
    ran = subprocess.run(
        ["bash", "-c", f"{tuitrain.path} {command}"],
        capture_output=True,
        text=True,
        env=tuitrain.environment,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("name", ["line-fit", "parabola-decay"])
def test_a_shown_preset_is_a_preset_file(inside: Inside, tmp_path: Path, name: str) -> None:
    file = tmp_path / f"{name}.toml"
    file.write_text(inside("presets", "show", name).stdout)
    assert inside("presets", "check", file).returncode == 0
    assert load_file(file) == catalogue()[name]
    assert inside("presets", "show", file).stdout == file.read_text()


def test_the_schema_is_json(inside: Inside) -> None:
    schema = json.loads(inside("presets", "schema").stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert "optimizer" in json.dumps(schema)


def test_every_shipped_file_is_right(inside: Inside) -> None:
    files = sorted((Path(__file__).parents[2] / "presets").glob("*.toml"))
    checked = inside("presets", "check", *files)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert len(checked.stdout.splitlines()) == len(files)
    assert all(tomllib.loads(file.read_text())["title"] for file in files)


def test_optimizers_are_listed_with_their_defaults(inside: Inside) -> None:
    _, *lines = inside("optimizers").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(OPTIMIZERS)
    for line, rule in zip(lines, OPTIMIZERS.values(), strict=True):
        for name, value in hyperparameters(rule).items():
            assert f"{name}={str(value).lower()}" in line


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_shows_its_formula_and_its_step(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(["optimizers", "show", name]) == 0
    out = capsys.readouterr().out
    rule = OPTIMIZERS[name]
    assert out.startswith(f"{name} ({rule.paper})\n")
    assert "Args:" in out
    assert "\ndef step(self" in out
    assert out.rstrip().splitlines()[-1].startswith("    return ")


def test_the_doctor_looks_at_everything(tuitrain: Command, runs_dir: Path) -> None:
    told = tuitrain("doctor")
    lines = [line.split(maxsplit=2) for line in told.stdout.splitlines()[:-2]]
    found = {what: (mark, rest) for mark, what, rest in lines}
    assert told.returncode == 0
    assert {"versions", "python", "sqlite", "torch", "cpu", "presets"} < found.keys()
    assert found["torch"][0] == "ok"
    assert found["sqlite"] == ("ok", sqlite3.sqlite_version)
    assert found["terminal"] == ("ok", "not a terminal; the dashboard needs one")
    assert not {"colours", "encoding"} & found.keys()
    assert str(runs_dir) in found["experiments"][1]
    assert told.stdout.splitlines()[-1].endswith("warnings")
    assert not runs_dir.exists()


def test_the_doctor_passes_over_what_others_print(tuitrain: Command, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('hello')")
    told = tuitrain("doctor", PYTHONPATH=str(tmp_path))
    assert told.returncode == 0
    assert "ok  torch" in told.stdout


@pytest.mark.parametrize(
    ("cards", "visible", "built", "ok", "told"),
    [
        (0, None, "13.0", True, "none; training runs on the CPU"),
        (1, "", "13.0", True, "H200: hidden by CUDA_VISIBLE_DEVICES"),
        (1, None, None, False, "H200: this PyTorch cannot use it; install a CUDA build"),
        (
            1,
            None,
            "13.0",
            False,
            "H200: this PyTorch cannot use it; its driver may be too old",
        ),
    ],
)
def test_the_doctor_says_why_no_gpu_is_used(
    monkeypatch: pytest.MonkeyPatch,
    cards: int,
    visible: str | None,
    built: str | None,
    ok: bool,
    told: str,
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with driver(*[Card("GPU-1", "H200")] * cards):
        assert unused_gpus(built) == ("gpu", ok, told)


def test_the_doctor_warns_of_a_poor_terminal(tuitrain: Command) -> None:
    child = pexpect.spawn(
        tuitrain.path,
        ["doctor"],
        env=tuitrain.environment | {"TERM": "dumb", "LC_ALL": "C", "PYTHONUTF8": "0"},
        dimensions=(20, 70),
        encoding="utf-8",
        timeout=30,
    )
    child.expect(r"warn\s+terminal\s+dumb, 70x20; minimum is 80x24")
    child.expect(r"warn\s+colours")
    child.expect(r"warn\s+encoding\s+ascii")
    child.expect(pexpect.EOF)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(inside: Inside, shell: str) -> None:
    script = inside("completion", shell)
    assert script.returncode == 0
    assert f"_TUITRAIN_COMPLETE={shell}_complete" in script.stdout


def test_what_can_be_chosen_is_told_in_one_line(inside: Inside) -> None:
    refused = inside("completion")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        "tuitrain: error: Missing argument '{bash|zsh|fish}'. Choose from: bash, zsh, fish; "
        "see `tuitrain completion --help`\n"
    )


ENDS = ("grad", "delta", "m", "max", "mw")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("tuitrain op", ["optimizers"]),
        ("tuitrain run line", ["line-fit"]),
        ("tuitrain presets show sales-m", ["sales-mse"]),
        ("tuitrain run line-fit -o adam", ["adam", "adamax", "adamw"]),
        ("tuitrain optimizers show li", ["lion"]),
        ("tuitrain run line-fit --fail", ["--fail-on-divergence"]),
        ("tuitrain run line-fit --schedule co", ["constant", "cosine"]),
        ("tuitrain run line-fit --device a", ["auto"]),
        ("tuitrain run line-fit --dtype f", ["float32", "float64"]),
        ("tuitrain export --format s", ["svg"]),
        ("tuitrain compare line-fit -o sgd,ad", [f"sgd,ada{x}" for x in ENDS]),
        ("tuitrain compare line-fit -o adam,sgdm,sg", ["adam,sgdm,sgd"]),
        ("tuitrain compare line-fit --dtype float64,f", ["float64,float32"]),
    ],
)
def test_names_complete(tuitrain: Command, words: str, expected: list[str]) -> None:
    assert completed(tuitrain, words) == [f"plain,{word}" for word in expected]


def test_one_run_has_no_list(tuitrain: Command) -> None:
    assert completed(tuitrain, "tuitrain run line-fit -o sgd,ad") == [""]


def completed(tuitrain: Command, words: str) -> list[str]:
    """What a shell is told where it asks for the last of some words."""
    answered = tuitrain(
        _TUITRAIN_COMPLETE="bash_complete",
        COMP_WORDS=words,
        COMP_CWORD=str(len(words.split()) - 1),
    )
    assert answered.stderr == ""
    return answered.stdout.splitlines()


@pytest.mark.parametrize(
    "words",
    [
        "tuitrain stop",
        "tuitrain attach --runs-dir {other}",
        "tuitrain --runs-dir {other} export --format csv",
    ],
)
def test_ids_complete(tuitrain: Command, tmp_path: Path, words: str) -> None:
    other = tmp_path / "other"
    runs_dir = other if "{other}" in words else tuitrain.runs_dir
    ids = [f"20260101-00000{number}-abcd" for number in (1, 2)]
    for id_ in (*ids, "20250101-000000-abcd"):
        (runs_dir / id_).mkdir(parents=True)
        (runs_dir / id_ / "experiment.toml").touch()
    told = completed(tuitrain, f"{words.format(other=other)} 2026")
    assert told == [f"plain,{id_}" for id_ in reversed(ids)]


def test_what_cannot_be_a_directory_holds_no_ids(tuitrain: Command) -> None:
    assert completed(tuitrain, "tuitrain stop --runs-dir= 2") == [""]


def test_a_directory_completes(tuitrain: Command) -> None:
    assert completed(tuitrain, "tuitrain stop --runs-dir /tm") == ["dir,/tm"]


def test_python_m_is_the_same_command(tuitrain: Command) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tuitrain", "--version"], capture_output=True, text=True, check=True
    )
    assert ran.stdout == tuitrain("--version").stdout


@pytest.mark.parametrize(
    "damage",
    [
        'UPDATE status SET document = \'{"state": "runn\'',
        "UPDATE meta SET value = '['",
        "UPDATE events SET detail = '{'",
        "UPDATE runs SET metrics = '{'",
        "UPDATE meta SET value = replace(value, 'float32', 'float3r')",
        "UPDATE weights SET shape = '[1, 9]' WHERE position = 0 AND step = 0",
        "UPDATE runs SET preset = 'lime-fit'",
        "UPDATE runs SET id = 1",
        "UPDATE runs SET steps = 'three'",
        "UPDATE runs SET metrics = '[]'",
    ],
)
def test_a_damaged_store_is_named_and_leaves_the_others_alone(
    inside: Inside, runs_dir: Path, damage: str
) -> None:
    ids = []
    for _ in range(2):
        ran = inside("run", "line-fit", "--steps", "3", "--json")
        ids.append(json.loads(ran.stdout)["experiment"])
    with contextlib.closing(sqlite3.connect(runs_dir / ids[0] / "run.db")) as database:
        database.execute(damage)
        database.commit()
    assert {row["id"] for row in inside.experiments()} == set(ids)
    exported = ["export", ids[0], "--format", "csv"]
    for command in (["experiments", ids[0]], exported, ["rm", ids[0], "-y"]):
        done = inside(*command)
        assert "Traceback" not in done.stderr
        assert len(done.stderr.splitlines()) <= 1
    assert [row["id"] for row in inside.experiments()] == ids[1:]


def test_what_is_left_out_of_a_recording_is_said_once(tuitrain: Command, runs_dir: Path) -> None:
    ran = tuitrain("compare", "line-fit", "--lr", "0.01,0.02", "--steps", "9", "--json")
    id_ = json.loads(ran.stdout)["experiment"]
    with contextlib.closing(sqlite3.connect(runs_dir / id_ / "run.db")) as database, database:
        database.execute("UPDATE chunks SET crc = crc + 1 WHERE id = 1")
    said = "tuitrain: chunk 1 is left out: the checksum is wrong\n"
    for command in (["experiments", id_], ["export", id_, "--format", "csv"]):
        told = tuitrain(*command)
        assert (told.returncode, told.stderr) == (0, said)
