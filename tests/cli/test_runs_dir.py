"""`--runs-dir`, before a command, after it, and without one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tuitrain.cli import dashboard

if TYPE_CHECKING:
    from tests.cli.conftest import Inside


@pytest.mark.parametrize(
    ("arguments", "directory"),
    [
        ("experiments", "runs"),
        ("--runs-dir {tmp}/before experiments", "before"),
        ("experiments --runs-dir {tmp}/after", "after"),
        ("--runs-dir {tmp}/before experiments --runs-dir {tmp}/after", "after"),
    ],
)
def test_a_command_takes_the_nearest(
    inside: Inside, tmp_path: Path, arguments: str, directory: str
) -> None:
    told = inside(*arguments.format(tmp=tmp_path).split())
    assert told.returncode == 0
    assert f"No experiments in {tmp_path / directory} yet" in told.stderr


def test_the_setup_screen_starts_in_it(
    inside: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    monkeypatch.setattr(dashboard, "require_terminal", lambda: None)
    monkeypatch.setattr(dashboard, "show", opened.append)
    for arguments in ([], ["--runs-dir", tmp_path / "chosen"]):
        assert inside(*arguments).returncode == 0
    assert [app.runs_dir for app in opened] == [inside.runs_dir, tmp_path / "chosen"]
