"""Where results and progress cannot be written, or nobody reads them."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command


def test_a_reader_that_leaves_is_no_error(trained: tuple[Command, dict[str, Any]]) -> None:
    tuitrain, _ = trained
    piped = subprocess.run(
        ["bash", "-c", f"{tuitrain.path} export --format csv | head -n 1; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        env=tuitrain.environment,
        check=False,
    )
    assert piped.stdout.startswith("run,step,loss")
    assert (piped.returncode, piped.stderr) == (0, "")


@pytest.mark.parametrize(
    "command",
    [
        "export --format csv >/dev/full",
        "export --format csv -o /dev/full",
        "experiments --json >/dev/full",
        "presets show line-fit >/dev/full",
    ],
)
def test_output_for_which_there_is_no_space_is_no_bad_input(
    trained: tuple[Command, dict[str, Any]], command: str
) -> None:
    tuitrain, _ = trained
    full = subprocess.run(
        ["bash", "-c", f"{tuitrain.path} {command}"],
        capture_output=True,
        text=True,
        env=tuitrain.environment,
        check=False,
    )
    line = "tuitrain: error: output: No space left on device\n"
    assert (full.returncode, full.stdout, full.stderr) == (1, "", line)


def test_a_training_goes_on_where_its_progress_cannot_be_written(tuitrain: Command) -> None:
    ran = subprocess.run(
        ["bash", "-c", f"{tuitrain.path} run line-fit --json 2>/dev/full"],
        capture_output=True,
        text=True,
        env=tuitrain.environment,
        check=False,
    )
    assert ran.returncode == 0
    assert json.loads(ran.stdout)["runs"][0]["status"] == "finished"


def test_the_result_comes_though_nobody_reads_the_progress(tuitrain: Command) -> None:
    script = f"{tuitrain.path} run line-fit --json 2>&1 >result.json | head -0"
    subprocess.run(
        ["bash", "-c", script], cwd=tuitrain.runs_dir.parent, env=tuitrain.environment, check=True
    )
    told = json.loads((tuitrain.runs_dir.parent / "result.json").read_text())
    assert told["runs"][0]["status"] == "finished"
