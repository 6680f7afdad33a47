"""Workers without the seconds in which each would import torch.

They are forked from a process that has imported it, and are the real ones from there on. Workers
as users get them, each an interpreter of its own, run in the tests of `tuitrain.worker.launch`, of
the command line and in the terminal.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from multiprocessing import forkserver
from multiprocessing.connection import Connection

import pytest

from tuitrain.worker.launch import WarmWorker

FORKS = multiprocessing.get_context("forkserver")
# It only imports: a process that has looked for a GPU must not fork.
FORKS.set_forkserver_preload(["tuitrain.worker.__main__", "tuitrain.train.trainer"])


def work(stdin: Connection) -> None:
    """What `python -m tuitrain.worker` does, in a session of its own as there."""
    from tuitrain.worker.__main__ import main

    os.setsid()
    sys.stdin = os.fdopen(os.dup(stdin.fileno()))
    main()


class ForkedProcess:
    """A worker process, with what `WarmWorker` needs of `subprocess.Popen`."""

    def __init__(self) -> None:
        reading, writing = FORKS.Pipe(duplex=False)
        with reading, writing:
            self._process = FORKS.Process(target=work, args=(reading,), daemon=True)
            self._process.start()
            self.stdin = os.fdopen(os.dup(writing.fileno()), "wb")
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self) -> None:
        self._process.join()


@pytest.fixture(scope="session")
def fork_server() -> None:
    """Starts it here: within an application, Textual has taken stderr away."""
    forkserver.ensure_running()


@pytest.fixture(autouse=True)
def forked_workers(fork_server: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every worker that this process starts is forked."""
    monkeypatch.setattr(WarmWorker, "_spawn", ForkedProcess)
