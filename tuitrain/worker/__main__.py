"""The worker process: imports torch, waits for the path of an experiment, trains it.

Started by `tuitrain.worker.launch`, which hands the path over on stdin; without one, it ends.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import sys
from pathlib import Path

from tuitrain.errors import InputError
from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.store import StoreWriteError
from tuitrain.worker.launch import END, PROBE
from tuitrain.worker.probing import serve
from tuitrain.worker.session import Session


def main() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.umask(0o077)
    os.chdir("/")  # the user's directory may be deleted or unmounted while we train
    waits = not select.select([sys.stdin], [], [], 0)[0]
    if waits:
        warm_up("auto")
    path = sys.stdin.buffer.read()
    if path.endswith(END):  # else whoever started us died before it had told us all of it
        path = path.removesuffix(END)
        folder = ExperimentFolder(Path(os.fsdecode(path.removesuffix(PROBE))))
        write_log(folder)
        answer(folder) if path.endswith(PROBE) else train(folder, warm=waits)


def warm_up(device: str) -> None:
    """Imports torch and trains a few steps, so that a real training starts at once.

    Args:
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
    """
    from tuitrain.spec.catalogue import find
    from tuitrain.spec.experiment import single

    with contextlib.suppress(Exception):  # the session meets the same error, and records it
        from tuitrain.train.device import fix_rounding
        from tuitrain.train.trainer import Trainer

        fix_rounding(1)
        preset = find("line-fit")
        trainer = Trainer(preset, single(preset).runs, device=device)
        trainer.advance(1)
        trainer.advance(4)
        trainer.evaluate()


def write_log(folder: ExperimentFolder) -> None:
    """Lets all that is printed go to the experiment's worker.log."""
    log = os.open(folder.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")


def train(folder: ExperimentFolder, *, warm: bool) -> None:
    """Trains an experiment; a process that is not warm yet takes no device but that to train on."""
    session = Session(folder)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: session.stop())
    if not warm:
        with contextlib.suppress(InputError):  # the session meets it too, and records it
            warm_up(folder.experiment.device)
    try:
        with folder.lock():
            session.run()
    except InputError as error:  # another worker's experiment: nothing is recorded
        logging.error("%s", error)
    except OSError as error:
        session.refuse(error)


def answer(folder: ExperimentFolder) -> None:
    """Answers questions about an experiment that has ended."""
    try:
        serve(folder)
    except (InputError, StoreWriteError) as error:
        logging.error("%s", error)


if __name__ == "__main__":
    main()
