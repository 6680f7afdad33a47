from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.inbox import send
from tuitrain.record.live import Recording
from tuitrain.record.status import Event
from tuitrain.spec.catalogue import find
from tuitrain.spec.experiment import Experiment, single
from tuitrain.spec.preset import Preset
from tuitrain.worker.session import Session

Until = Callable[..., None]
Begin = Callable[[Experiment], ExperimentFolder]


@pytest.fixture
def until() -> Until:
    """Waits for a condition, at most so many seconds."""

    def wait(condition: Callable[[], object], seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.005)

    return wait


def ended(folder: ExperimentFolder) -> Recording:
    """The whole recording, once the experiment has ended."""
    recording = Recording(folder)
    deadline = time.monotonic() + 120
    with contextlib.closing(recording):
        while not recording.refresh() or not recording.ended:
            assert time.monotonic() < deadline, recording.status
            time.sleep(0.005)
    return recording


def events(folder: ExperimentFolder) -> list[Event]:
    recording = Recording(folder)
    with contextlib.closing(recording):
        recording.refresh()
        return recording.events


def acknowledgement(folder: ExperimentFolder, name: str) -> Event | None:
    found = [e for e in events(folder) if e.kind == "command" and e.detail["id"] == name]
    assert len(found) <= 1
    return found[0] if found else None


def obeyed(folder: ExperimentFolder, command: object, until: Until) -> Event:
    """Sends a command and returns its acknowledgement."""
    name = send(folder, command)  # type: ignore[arg-type]
    until(lambda: acknowledgement(folder, name))
    event = acknowledgement(folder, name)
    assert event
    return event


def steps(preset: Preset, count: int) -> Preset:
    """The preset with another number of steps."""
    train = msgspec.structs.replace(preset.train, steps=count, epochs=None)
    return msgspec.structs.replace(preset, train=train)


@pytest.fixture
def endless() -> Experiment:
    """Trains for minutes unless it is stopped."""
    return single(steps(find("line-fit"), 20_000_000), device="cpu")


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Runs a session in a thread of this process: the real one, without the cost of a process."""
    sessions: list[tuple[Session, threading.Thread]] = []

    def begin(experiment: Experiment) -> ExperimentFolder:
        folder = ExperimentFolder.create(tmp_path / "runs", experiment)
        folder.set_process(os.getpid())
        session = Session(folder)
        thread = threading.Thread(target=session.run)
        sessions.append((session, thread))
        thread.start()
        return folder

    yield begin
    for session, thread in sessions:
        session.stop()
        thread.join(20)
        assert not thread.is_alive()
