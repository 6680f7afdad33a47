from __future__ import annotations

import contextlib
import errno
import importlib.metadata
import math
import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import psutil
import pytest

from tuitrain.errors import InputError
from tuitrain.optim.schedules import Cosine
from tuitrain.optim.sign import Rprop
from tuitrain.record import folder as folders
from tuitrain.record.directory import runs_directory
from tuitrain.record.folder import (
    STARTING,
    ExperimentFolder,
    check_local,
    experiments,
    filesystem,
    remove,
    resolve,
)
from tuitrain.record.status import RunResult, Status
from tuitrain.record.store import StoreWriter
from tuitrain.spec.catalogue import catalogue, find
from tuitrain.spec.experiment import Experiment, Run
from tuitrain.spec.preset import Expected
from tuitrain.spec.recording import Chunk, Layout

HOLD_LOCK = """
import sys
from pathlib import Path
from tuitrain.record.folder import ExperimentFolder
with ExperimentFolder(Path(sys.argv[1])).lock():
    print("held", flush=True)
    input()
"""


@dataclass
class Mount:
    device: str
    mountpoint: str
    fstype: str


def record(folder: ExperimentFolder, status: Status) -> None:
    with contextlib.closing(StoreWriter(folder.database, [])) as writer, writer.transaction():
        writer.status(status)
        writer.run(RunResult(0, "a", "p", "sgd", 0.1, 0, "running", 3, 0.5))


@pytest.fixture
def dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def started(folder: ExperimentFolder, pid: int) -> None:
    """As if process `pid`, dead or alive, were the worker."""
    if psutil.pid_exists(pid):
        folder.set_process(pid)
    else:
        folders.process.write(
            folder.path / "process.json",
            folders.process.ProcessId(pid, 1.0, folders.process.boot_id()),
        )


def test_all_that_repeats_it_is_written_down(tmp_path: Path) -> None:
    presets = catalogue()
    runs = [
        Run(name=name, preset=name, optimizer=p.optimizer, schedule=p.schedule, seed=i)
        for i, (name, p) in enumerate(presets.items())
    ]
    given = Experiment(presets=presets, runs=runs, device="cpu", threads=3, paused=True)
    created = ExperimentFolder.create(tmp_path, given)
    back = ExperimentFolder(created.path).experiment
    assert msgspec.structs.replace(back, created="", versions={}) == given
    assert list(back.presets) == list(presets)
    assert back.versions["python"] == sys.version.split()[0]
    assert set(back.versions) == {"python", "tuitrain", "torch", "numpy"}
    assert back.created.endswith("+00:00")


def test_repeating_it_writes_down_what_trains_it_now(
    tmp_path: Path, experiment: Experiment
) -> None:
    old = msgspec.structs.replace(experiment, created="2020-01-01", versions={"torch": "1.0"})
    back = ExperimentFolder(ExperimentFolder.create(tmp_path, old).path).experiment
    assert back.versions == folders.versions()
    assert back.created > old.created


def test_an_experiment_can_be_written_down_without_pytorch(
    tmp_path: Path, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its worker is who says what is missing."""

    def installed(name: str) -> str:
        if name == "torch":
            raise importlib.metadata.PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(importlib.metadata, "version", installed)
    back = ExperimentFolder(ExperimentFolder.create(tmp_path, experiment).path).experiment
    assert set(back.versions) == {"python", "tuitrain", "numpy"}


def test_only_the_user_can_look_in(folder: ExperimentFolder) -> None:
    send_to = folders.files.replace
    send_to(folder.inbox / "1.json", b"{}")
    with folder.lock():
        for path in [folder.path, *folder.path.rglob("*")]:
            mode = 0o700 if path.is_dir() else 0o600
            assert stat.S_IMODE(path.stat().st_mode) == mode, path


def test_ids_sort_by_time(tmp_path: Path, experiment: Experiment) -> None:
    created = [ExperimentFolder.create(tmp_path, experiment).id for _ in range(20)]
    assert created == sorted(created)
    assert len(set(created)) == 20
    assert all(re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{4,}", name) for name in created)
    assert [f.id for f in experiments(tmp_path)] == created[::-1]


def test_what_is_no_experiment_is_not_listed(tmp_path: Path, folder: ExperimentFolder) -> None:
    (folder.path.parent / "other").mkdir()
    assert [f.id for f in experiments(folder.path.parent)] == [folder.id]
    assert experiments(tmp_path / "nowhere") == []


def test_resolving(tmp_path: Path, experiment: Experiment) -> None:
    with pytest.raises(InputError, match="no experiment yet"):
        resolve(tmp_path)
    first, second = (ExperimentFolder.create(tmp_path, experiment) for _ in range(2))
    assert resolve(tmp_path).id == second.id
    assert resolve(tmp_path, first.id).id == first.id
    with pytest.raises(InputError, match="not unique"):
        resolve(tmp_path, first.id[:8])
    with pytest.raises(InputError, match="no experiment 'x'"):
        resolve(tmp_path, "x")
    with pytest.raises(InputError, match="an empty id"):
        resolve(tmp_path, "")


def test_where_experiments_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TUITRAIN_RUNS_DIR", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    if sys.platform == "linux":
        assert runs_directory() == tmp_path / "tuitrain" / "runs"
    monkeypatch.setenv("TUITRAIN_RUNS_DIR", "~/there")
    assert runs_directory() == Path.home() / "there"
    assert runs_directory("here") == Path.cwd() / "here"


def test_a_directory_that_cannot_be_made_is_bad_input(
    tmp_path: Path, experiment: Experiment
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="--runs-dir"):
        ExperimentFolder.create(tmp_path / "file" / "runs", experiment)


@pytest.mark.parametrize(
    ("kind", "refused"),
    [
        ("nfs4", True),
        ("fuse.sshfs", True),
        ("lustre", True),
        ("smb3", True),
        ("9p", True),
        ("ext4", False),
        ("fuseblk", False),
        ("fuse.fuse-overlayfs", False),
        ("tmpfs", False),
    ],
)
def test_network_filesystems_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, refused: bool
) -> None:
    mounts = [
        Mount("root", "/", "ext4"),
        Mount("below", str(tmp_path.parent), "xfs"),
        Mount("server", str(tmp_path), kind),
    ]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: mounts)  # noqa: A006
    check_local(tmp_path.parent)
    with pytest.raises(InputError, match="--runs-dir") if refused else contextlib.nullcontext():
        check_local(tmp_path / "not" / "yet" / "there")


def test_the_filesystem_of_a_path_is_found() -> None:
    mounted = {mount.mountpoint: mount.fstype for mount in psutil.disk_partitions(all=True)}
    for path in ("/", "/proc", "/dev"):
        assert filesystem(Path(path)) == mounted.get(path, mounted["/"])


def test_a_broken_experiment_is_bad_input(folder: ExperimentFolder) -> None:
    (folder.path / "experiment.toml").write_text("presets = 1")
    with pytest.raises(InputError, match=r"experiment\.toml: presets: cannot be 1"):
        _ = ExperimentFolder(folder.path).experiment


@pytest.fixture
def holder(folder: ExperimentFolder) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD_LOCK, str(folder.path)]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as child:
        assert child.stdout
        assert child.stdout.readline() == "held\n"
        yield child
        child.kill()


def test_the_lock_keeps_a_second_worker_out(
    folder: ExperimentFolder, holder: subprocess.Popen[str]
) -> None:
    with pytest.raises(InputError, match="another process"), folder.lock():
        pytest.fail("it has been locked twice")
    holder.kill()
    with folder.lock(patience=10):
        assert (folder.path / "run.lock").exists()


def test_removing_waits_for_the_last_moment_of_a_worker(
    folder: ExperimentFolder, holder: subprocess.Popen[str]
) -> None:
    record(folder, Status("finished"))
    assert holder.stdin
    holder.stdin.write("\n")
    holder.stdin.flush()
    remove(folder)
    assert not folder.path.exists()


def test_an_interrupted_removal_leaves_an_experiment_that_can_be_removed(
    folder: ExperimentFolder, dead_pid: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(folder, dead_pid)
    record(folder, Status("finished"))
    taken = []

    def killed(path: Path) -> None:
        raise KeyboardInterrupt

    def unlink(path: Path) -> None:
        taken.append(path.name)
        if path.name == "run.db":
            monkeypatch.setattr(Path, "unlink", killed)
        os.unlink(path)  # noqa: PTH108

    monkeypatch.setattr(Path, "unlink", unlink)
    monkeypatch.setattr(folders.shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        remove(folder)
    assert "run.db" in taken
    monkeypatch.undo()
    [left] = experiments(folder.path.parent)
    remove(left)
    assert not folder.path.exists()


def test_a_folder_that_cannot_be_written_is_not_left_behind(
    tmp_path: Path, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(folders.files, "replace", full)
    with pytest.raises(InputError, match="No space left on device; expected free space"):
        ExperimentFolder.create(tmp_path, experiment)
    assert list(tmp_path.iterdir()) == []


def test_who_holds_the_lock_lives_whatever_the_process_is_called(
    folder: ExperimentFolder, holder: subprocess.Popen[str]
) -> None:
    """As from another container, or after the clock was set."""
    stranger = folders.process.ProcessId(holder.pid, 1.0, "another boot")
    folders.process.write(folder.path / "process.json", stranger)
    assert not stranger.alive()
    assert folder.alive()
    holder.kill()
    holder.wait()
    assert not folder.alive()


def test_what_was_trained_before_there_was_a_rule_against_it_can_be_looked_at(
    tmp_path: Path, experiment: Experiment
) -> None:
    preset = msgspec.structs.replace(
        find("circle"), optimizer=Rprop(), schedule=Cosine(), expected=Expected(metrics={})
    )
    run = msgspec.structs.replace(experiment.runs[0], preset="circle", optimizer=preset.optimizer)
    old = Experiment(presets={"circle": preset}, runs=[run])
    folder = ExperimentFolder.create(tmp_path, old)
    assert ExperimentFolder(folder.path).experiment.presets["circle"].schedule == Cosine()


def test_what_is_alive_is_not_removed(folder: ExperimentFolder, dead_pid: int) -> None:
    started(folder, os.getpid())
    record(folder, Status("paused"))
    with pytest.raises(InputError, match="still being trained"):
        remove(folder)
    assert folder.database.exists()
    started(folder, dead_pid)
    remove(folder)
    assert not folder.path.exists()


def test_a_worker_has_time_to_come_up(folder: ExperimentFolder) -> None:
    def after(seconds: float) -> str:
        clock: Callable[[], float] = lambda: time.time() + seconds  # noqa: E731
        return ExperimentFolder(folder.path, clock=clock).state()

    assert after(0) == "starting"
    assert after(STARTING - 1) == "starting"
    assert after(STARTING + 1) == "killed"


@pytest.mark.parametrize("state", ["starting", "running", "paused"])
def test_a_dead_worker_is_seen(folder: ExperimentFolder, dead_pid: int, state: str) -> None:
    started(folder, os.getpid())
    record(folder, Status(state, 3, 9))  # type: ignore[arg-type]
    assert folder.state() == state
    assert folder.results()[0].status == "running"
    started(folder, dead_pid)
    assert folder.status() == Status("killed", 3, 9)
    assert folder.results()[0].status == "killed"
    assert folder.results()[0].loss == 0.5
    assert math.isnan(folder.results()[0].final_loss)


@pytest.mark.parametrize("stride", [1, 4])
def test_rows_are_newer_than_the_results_of_a_killed_run(
    folder: ExperimentFolder, experiment: Experiment, dead_pid: int, stride: int
) -> None:
    """The worker writes rows at once, and results of runs that have ended."""
    started(folder, dead_pid)
    [run] = experiment.runs
    names = ("loss", "loss_min") if stride > 1 else ("loss",)
    layout = Layout(1, dict.fromkeys(names, "float64"), stride)
    with contextlib.closing(StoreWriter(folder.database, [layout])) as writer:
        with writer.transaction():
            writer.status(Status("running", 8, 90))
            writer.run(RunResult(0, run.name, run.preset, "sgd", 0.1, 0, "running", 8, 0.5, 0.4))
        assert folder.results()[0].loss == 0.5
        for first, losses in ((4, [0.01, 0.5]), (12, [0.2, 0.3]), (20, [0.7, 0.6])):
            values = np.array([losses])
            with writer.transaction():
                writer.append(
                    Chunk(0, first, stride, {n: values / (1 + (n != "loss")) for n in names})
                )
    [result] = folder.results()
    assert (result.status, result.steps, result.loss) == ("killed", 20 + stride, 0.6)
    assert result.best_loss == (0.2 if stride == 1 else 0.1)


@pytest.mark.parametrize("state", ["finished", "stopped", "diverged", "failed"])
def test_an_ended_worker_is_not_killed(folder: ExperimentFolder, dead_pid: int, state: str) -> None:
    started(folder, dead_pid)
    record(folder, Status(state))  # type: ignore[arg-type]
    assert folder.state() == state


def test_a_process_that_never_came_up_is_seen_at_once(
    folder: ExperimentFolder, dead_pid: int
) -> None:
    started(folder, dead_pid)
    assert folder.state() == "killed"
    assert folder.results() == []


def test_a_damaged_store_fails_with_one_line(folder: ExperimentFolder, dead_pid: int) -> None:
    started(folder, dead_pid)
    folder.database.write_text("no database" * 100)
    status = folder.status()
    assert status.state == "failed"
    assert "not a database" in status.error
    assert "\n" not in status.error


def test_a_folder_that_is_gone_has_failed(folder: ExperimentFolder) -> None:
    remove_anyway = folder.path.rename(folder.path.with_name("elsewhere"))
    assert remove_anyway.exists()
    assert folder.status().state == "failed"
    assert "is gone" in folder.status().error
