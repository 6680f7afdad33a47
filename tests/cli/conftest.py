"""The real command, with a directory of its own for experiments."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.forked import ForkedProcess
from tuitrain.cli import main
from tuitrain.record.folder import experiments, resolve
from tuitrain.worker.launch import WarmWorker

PATIENCE = 60.0
"""Seconds to wait for a step on a busy machine."""

COMMAND = str(Path(sysconfig.get_path("scripts")) / "tuitrain")


@dataclass(frozen=True)
class Command:
    """`tuitrain` as it is installed, with its experiments in `runs_dir`."""

    runs_dir: Path
    path: str = COMMAND

    def __call__(self, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        """Runs it to its end; `more` is its environment."""
        return subprocess.run(
            [self.path, *map(str, arguments)],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env=self.environment | more,
            timeout=60,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts it, and comes back when its worker trains."""
        process = subprocess.Popen(
            [self.path, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
        )
        assert process.stderr
        assert process.stderr.readline().startswith("running")
        deadline = time.monotonic() + PATIENCE
        while not resolve(self.runs_dir).status().step:
            assert time.monotonic() < deadline, "no step"
            time.sleep(0.02)
        return process

    def experiments(self) -> list[dict[str, Any]]:
        """What `tuitrain experiments --json` says."""
        listed: list[dict[str, Any]] = json.loads(self("experiments", "--json").stdout)
        return listed

    @property
    def environment(self) -> dict[str, str]:
        """Ours, without what would style the output."""
        unset = {"FORCE_COLOR", "NO_COLOR", "COLUMNS", "LINES", "_TUITRAIN_COMPLETE"}
        kept = {name: value for name, value in os.environ.items() if name not in unset}
        return kept | {"TUITRAIN_RUNS_DIR": str(self.runs_dir), "OMP_NUM_THREADS": "1"}


class Inside(Command):
    """The same in this process, for what is no matter of processes; its workers are forked."""

    def __call__(self, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        stdout, stderr = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(stdout),
            contextlib.redirect_stderr(stderr),
        ):
            for name in os.environ.keys() - self.environment.keys():
                patch.delenv(name)
            for name, value in (self.environment | more).items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdin", io.StringIO())
            patch.setattr(WarmWorker, "_spawn", ForkedProcess)
            code = main([*map(str, arguments)])
        stdout.seek(0)
        return subprocess.CompletedProcess(arguments, code, stdout.read(), stderr.getvalue())


@pytest.fixture
def runs_dir(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def tuitrain(runs_dir: Path) -> Iterator[Command]:
    """The command; the workers that a failed test leaves behind are ended."""
    yield Command(runs_dir)
    end_workers(runs_dir)


@pytest.fixture
def inside(runs_dir: Path) -> Iterator[Inside]:
    """The command in this process."""
    yield Inside(runs_dir)
    end_workers(runs_dir)


def end_workers(runs_dir: Path) -> None:
    for folder in experiments(runs_dir):
        worker = folder.process()
        if worker and worker.alive():
            with contextlib.suppress(psutil.NoSuchProcess):  # it may be on its way out
                psutil.Process(worker.pid).kill()


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Command, dict[str, Any]]:
    """A directory with one finished experiment, and what `--json` said."""
    tuitrain = Command(tmp_path_factory.mktemp("runs"))
    ran = tuitrain("run", "line-fit", "--json")
    assert ran.returncode == 0, ran.stderr
    return tuitrain, json.loads(ran.stdout)
