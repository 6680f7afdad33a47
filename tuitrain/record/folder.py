"""The experiment folder: all that a worker and its viewers share."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fcntl
import importlib.metadata
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import psutil
from msgspec.structs import replace

from tuitrain.errors import InputError
from tuitrain.record import files, process
from tuitrain.record.reader import StoreReader, StoreReadError
from tuitrain.record.status import ExperimentState, RunResult, Status
from tuitrain.spec.data import Csv
from tuitrain.spec.experiment import Experiment
from tuitrain.spec.load import (
    experiment_from_toml,
    located,
    pinned,
    read_text,
    to_toml,
)
from tuitrain.spec.preset import Preset
from tuitrain.spec.table import content

DESCRIPTION = "experiment.toml"
"""File of an experiment with what is trained; a folder is an experiment by having it."""

TABLES = "data"
"""Directory of an experiment with the CSV files that it learns from."""

PROCESS = "process.json"
"""File of an experiment that tells which process its worker is."""

LOCK = "run.lock"
"""File of an experiment that its worker holds locked for its life."""

ANSWERS = "answer.lock"
"""File of an experiment that is held locked while answers are written after its worker."""

STARTING = 10.0
"""Seconds that a new folder may wait for its worker before it counts as dead."""

CLOSING = 5.0
"""Seconds that a worker may take to close its store after its last word."""

# fmt: off
NETWORK = (
    "nfs", "cifs", "smb", "afp", "afs", "webdav", "9p", "fuse",
    "lustre", "ceph", "gluster", "beegfs", "gpfs",
)
# fmt: on
LOCAL_FUSE = ("fuseblk", "fuse.fuse-overlayfs", "fuse.ntfs", "fuse.exfat")


class ExperimentFolder:
    """One experiment on disk: what to train, what was recorded, and the worker's inbox."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self.database = path / "run.db"
        self.log = path / "worker.log"
        self.inbox = path / "inbox"
        self._clock = clock

    def __repr__(self) -> str:
        return f"ExperimentFolder({str(self.path)!r})"

    @classmethod
    def create(cls, runs_dir: Path, experiment: Experiment) -> ExperimentFolder:
        """A new folder, with the experiment and the versions of what trains it written down.

        Files of data are copied into it: the user's own may change or go.

        Raises:
            InputError: the directory is not on a local disk, or not writable; or a file of data
                cannot be read.
        """
        now = datetime.now(UTC)
        presets, tables = _with_tables({n: pinned(p) for n, p in experiment.presets.items()})
        experiment = replace(
            experiment, presets=presets, created=now.isoformat(), versions=versions()
        )
        runs_dir = runs_dir.expanduser().absolute()
        try:
            runs_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            check_local(runs_dir)
            folder = cls(_new_directory(runs_dir, now))
            folder._describe(experiment, tables)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise InputError(
                f"cannot be written: {error.strerror}",
                where=str(runs_dir),
                expected="free space" if full else "a directory of yours, given with --runs-dir",
            ) from error
        # of 10,000 runs, reading it back takes a second
        here = {name: located(preset, folder.path) for name, preset in presets.items()}
        folder.experiment = replace(experiment, presets=here)
        return folder

    def _describe(self, experiment: Experiment, tables: Mapping[str, bytes]) -> None:
        """Writes down what is trained; leaves nothing behind where that fails."""
        try:
            self.inbox.mkdir(mode=0o700)
            if tables:
                (self.path / TABLES).mkdir(mode=0o700)
            for name, content in tables.items():
                files.replace(self.path / name, content)
            files.replace(self.path / DESCRIPTION, to_toml(experiment).encode())
        except OSError:
            shutil.rmtree(self.path, ignore_errors=True)
            raise

    @property
    def id(self) -> str:
        return self.path.name

    @cached_property
    def experiment(self) -> Experiment:
        """What is trained here.

        Raises:
            InputError: experiment.toml is missing or not valid.
        """
        path = self.path / DESCRIPTION
        return experiment_from_toml(read_text(path), str(path))

    def sync(self) -> None:
        """Lets what is trained outlast a power cut, as what is recorded of it does."""
        tables = self.path / TABLES
        described = [self.path / DESCRIPTION, *tables.glob("*"), tables, self.path]
        for path in (*described, self.path.parent):
            files.sync(path)

    @contextlib.contextmanager
    def lock(self, patience: float = 0.0, file: str = LOCK) -> Iterator[None]:
        """Held by the worker for its life; another `file`, by whoever answers after it.

        Raises:
            InputError: another process holds it, still after `patience` seconds.
        """
        # lockf and not flock: a forked child must not keep it when its owner has died
        descriptor = os.open(self.path / file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(descriptor, patience)
        except OSError as error:
            os.close(descriptor)
            raise InputError("is being trained by another process", where=self.id) from error
        try:
            yield
        finally:
            os.close(descriptor)

    def released(self, patience: float) -> bool:
        """Waits until no worker holds the lock: after its last word it still closes the store.

        Returns:
            False if one holds it still after `patience` seconds.
        """
        deadline = time.monotonic() + patience
        while files.locked(self.path / LOCK):
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        return True

    def process(self) -> process.ProcessId | None:
        """The worker, dead or alive; None before it was started."""
        return process.read(self.path / PROCESS)

    def set_process(self, pid: int) -> None:
        """Writes down which process is the worker."""
        with contextlib.suppress(psutil.NoSuchProcess):
            process.write(self.path / PROCESS, process.ProcessId.of(pid))

    def alive(self) -> bool:
        """Whether the worker lives, or has yet to come up."""
        worker = self.process()
        if worker:
            # Seen from another container, or by a clock that was set, a process has another name.
            return worker.alive() or files.locked(self.path / LOCK)
        with contextlib.suppress(OSError):
            return self._clock() - (self.path / DESCRIPTION).stat().st_mtime < STARTING
        return False

    def status(self) -> Status:
        """What the worker recorded last; `killed` if it has died since.

        `failed` if what it recorded cannot be read, with the reason as `error`.
        """
        recorded = self._recorded()
        if recorded.ended or self.alive():
            return recorded
        recorded = self._recorded()  # it may have ended between the two looks
        if recorded.ended:
            return recorded
        return dataclasses.replace(recorded, state="failed" if recorded.error else "killed")

    def state(self) -> ExperimentState:
        """The state alone; see `status`."""
        return self.status().state

    def results(self, *, best: bool = True) -> list[RunResult]:
        """What the runs have reached; empty if nothing can be read.

        Args:
            best: whether `best_loss` is wanted of runs that go on; see `brought_up_to_date`.
        """
        status = self.status()
        killed = status.state == "killed"
        try:
            with contextlib.closing(StoreReader(self.database)) as reader, reader.snapshot():
                runs = reader.runs()
                if any(run.alive for run in runs):
                    presets = status.stack_presets or self.experiment.presets
                    runs = reader.brought_up_to_date(runs, presets, best=best)
        except (StoreReadError, InputError):
            return []
        return [dataclasses.replace(r, status="killed") if killed and r.alive else r for r in runs]

    def lr_set(self) -> float | None:
        """The learning rate that was set last while it trained; None where none is recorded."""
        try:
            with contextlib.closing(StoreReader(self.database)) as reader:
                rates = [event.detail["new"] for _, event in reader.events() if event.kind == "lr"]
        except (StoreReadError, KeyError):
            return None
        return float(rates[-1]) if rates else None

    def _recorded(self) -> Status:
        if not self.path.is_dir():
            return Status("failed", error=f"{self.path} is gone")
        if not self.database.exists():
            return Status("starting")
        try:
            with contextlib.closing(StoreReader(self.database)) as reader:
                return reader.status()
        except StoreReadError as error:
            return Status("starting", error=str(error))


def experiments(runs_dir: Path) -> list[ExperimentFolder]:
    """All experiments of a directory, newest first."""
    paths = sorted(runs_dir.glob(f"*/{DESCRIPTION}"), reverse=True)
    return [ExperimentFolder(path.parent) for path in paths]


def resolve(runs_dir: Path, prefix: str | None = None) -> ExperimentFolder:
    """The experiment whose id starts with `prefix`; the newest without one.

    Raises:
        InputError: there is none, or more than one.
    """
    if prefix == "":  # what an unset variable of a shell becomes must not mean the newest
        raise InputError("an empty id", expected="an id of `tuitrain experiments`, or none at all")
    found = [f for f in experiments(runs_dir) if f.id.startswith(prefix or "")]
    if not found:
        what = f"no experiment {prefix!r}" if prefix else "no experiment yet"
        raise InputError(what, where=str(runs_dir), expected="an id of `tuitrain experiments`")
    if prefix and len(found) > 1 and found[0].id != prefix:
        ids = ", ".join(f.id for f in found[:4])
        raise InputError(f"{prefix!r} is not unique: {ids}", expected="more of the id")
    return found[0]


def remove(folder: ExperimentFolder) -> None:
    """Deletes an experiment.

    Raises:
        InputError: it is still being trained.
    """
    if not folder.status().ended:
        raise InputError("is still being trained", where=folder.id, expected="a stopped experiment")
    with folder.lock(patience=CLOSING):
        try:
            for path in folder.path.iterdir():
                if path.name not in (DESCRIPTION, PROCESS):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            shutil.rmtree(folder.path)  # these last: if this is interrupted, it is still listed
        except OSError as error:
            problem = f"could not be deleted: {error.strerror}"
            raise InputError(problem, where=str(folder.path)) from error


def versions() -> dict[str, str]:
    """The versions that a result depends on; found without importing anything heavy."""
    found = {"python": platform.python_version()}
    for name in ("tuitrain", "torch", "numpy"):
        # Without PyTorch nothing is trained, but the worker is who can say so.
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def check_local(path: Path) -> None:
    """Write-ahead logging needs memory shared between processes: no network filesystem has it.

    Raises:
        InputError: `path` is on one.
    """
    kind = filesystem(path)
    if kind.startswith(NETWORK) and not kind.startswith(LOCAL_FUSE):
        raise InputError(
            f"is on a network filesystem ({kind}), where recordings would be damaged",
            where=str(path),
            expected="a directory on a local disk, given with --runs-dir",
        )


def filesystem(path: Path) -> str:
    """Type of the filesystem that holds `path`, such as `ext4` or `nfs4`."""
    path = path.resolve()
    mounts = [m for m in psutil.disk_partitions(all=True) if path.is_relative_to(m.mountpoint)]
    # the longest mount point holds it; of equal ones, the last mounted
    mounts.sort(key=lambda m: len(m.mountpoint))
    return mounts[-1].fstype if mounts else ""


def _with_tables(presets: dict[str, Preset]) -> tuple[dict[str, Preset], dict[str, bytes]]:
    """The presets with the paths of their CSV files in an experiment folder, from that folder on,
    so that it can be moved; and the contents of these files by path."""
    moved, tables = dict(presets), {}
    for name, preset in presets.items():
        if isinstance(data := preset.data, Csv):
            file = f"{TABLES}/{data.sha256[:12]}.csv"
            moved[name] = replace(preset, data=replace(data, csv=file))
            if file not in tables:
                tables[file] = content(data)
    return moved, tables


def _lock(descriptor: int, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(0.01)


def _new_directory(runs_dir: Path, now: datetime) -> Path:
    """Makes `YYYYMMDD-HHMMSS-xxxx`: x counts 1/65536 of a second, so that names sort by time."""
    fraction = now.microsecond * 0x10000 // 1_000_000
    while True:
        path = runs_dir / f"{now:%Y%m%d-%H%M%S}-{fraction:04x}"
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            fraction += 1
        else:
            return path
