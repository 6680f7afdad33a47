"""Starting workers: detached processes that outlive whoever started them."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tuitrain.errors import InputError
from tuitrain.record.folder import ExperimentFolder
from tuitrain.spec.experiment import Experiment

END = b"\n"
"""Ends the path that a worker is given."""

PROBE = b"\0"
"""Stands between the path and its end where questions are to be answered, not trained."""

_detached: list[subprocess.Popen[bytes]] = []
"""Workers that go on by themselves; kept so that those that have ended can be reaped."""


class WarmWorker:
    """A worker that has imported torch already and waits for an experiment.

    It is detached: its own session, nothing of ours but one pipe. If the pipe closes before an
    experiment was handed over (because we died, say), it ends.
    """

    def __init__(self) -> None:
        _reap()
        self._process = self._spawn()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def start(self, folder: ExperimentFolder) -> None:
        """Hands the experiment over; from here on the worker is on its own.

        Raises:
            InputError: the experiment has a living worker.
            OSError: there is no room for a worker, or it died at once.
        """
        if (worker := folder.process()) and worker.alive():
            raise InputError("is being trained already", where=folder.id)
        path = str(folder.path.absolute())
        # process.json first: if we die in between, a viewer sees a dead worker and not none
        folder.set_process(self._process.pid)
        try:
            self._hand_over(path)
        except BrokenPipeError:  # it died while it waited
            self._process.wait()
            self._process = self._spawn()
            folder.set_process(self._process.pid)
            try:
                self._hand_over(path)
            except BrokenPipeError as error:  # not to be taken for one of stdout
                raise ChildProcessError(errno.ECHILD, "it died before it began") from error
        _detached.append(self._process)

    def probe(self, folder: ExperimentFolder) -> None:
        """Lets the worker answer what is asked about an experiment that has ended."""
        with contextlib.suppress(BrokenPipeError):  # `alive` says so
            self._hand_over(str(folder.path.absolute()) + PROBE.decode())
        _detached.append(self._process)

    def close(self) -> None:
        """Lets a worker go that has nothing to do; one that trains goes on."""
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        if self._process not in _detached:
            _detached.append(self._process)

    def _hand_over(self, path: str) -> None:
        assert self._process.stdin
        with self._process.stdin as pipe:
            pipe.write(os.fsencode(path) + END)

    @staticmethod
    def _spawn() -> subprocess.Popen[bytes]:
        # -P: no module of the directory that the user happens to be in is imported
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "tuitrain.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def launch(folder: ExperimentFolder) -> None:
    """Starts a worker on an experiment."""
    WarmWorker().start(folder)


def begin(
    runs_dir: Path, experiment: Experiment, warm: WarmWorker | None = None
) -> ExperimentFolder:
    """Creates an experiment and starts its worker, or leaves nothing behind.

    Args:
        runs_dir: where experiments are.
        experiment: what to train.
        warm: the worker; a new one by default. It is used up, unless the folder cannot be created.

    Raises:
        InputError: why it cannot be created or started.
    """
    folder = ExperimentFolder.create(runs_dir, experiment)
    try:
        (warm or WarmWorker()).start(folder)
    except OSError as error:  # no more processes, no more memory
        shutil.rmtree(folder.path, ignore_errors=True)
        problem = f"could not be started: {error.strerror or error}"
        raise InputError(problem, where="the worker") from error
    return folder


def _reap() -> None:
    _detached[:] = [process for process in _detached if process.poll() is None]
