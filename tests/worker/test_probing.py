"""Landscapes from real workers: beside a training, and after it has ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.worker.conftest import Begin, Until
from tuitrain.errors import InputError
from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.inbox import Pause, Probe, receive, send
from tuitrain.record.landscape import Window, through
from tuitrain.record.live import Recording
from tuitrain.spec.catalogue import find
from tuitrain.spec.experiment import Experiment, single
from tuitrain.spec.overrides import override
from tuitrain.train.probes import Surface
from tuitrain.worker.launch import WarmWorker, launch
from tuitrain.worker.probing import Prober, Questions, serve

PLANE = through(0, 1, [0.0, 0.0], ["w[0,0]", "b[0]"])
STATE = """
import sys
from pathlib import Path
from tuitrain.record.folder import ExperimentFolder
print(ExperimentFolder(Path(sys.argv[1])).status().state)
"""

CLOSES = """
import sys, time
from pathlib import Path
from tuitrain.record.folder import ExperimentFolder
with ExperimentFolder(Path(sys.argv[1])).lock():
    print("locked", flush=True)
    time.sleep(0.5)
"""

PROBE = Probe(0, PLANE, Window((0.0, 4.0), (-1.0, 6.0)), 24, 12)


def answered(folder: ExperimentFolder, name: str) -> dict[str, object] | None:
    """The acknowledgement of a command."""
    with contextlib.closing(Recording(folder)) as recording:
        recording.refresh()
        details = [event.detail for event in recording.events if event.kind == "command"]
    return next((detail for detail in details if detail["id"] == name), None)


def landscape(folder: ExperimentFolder) -> np.ndarray:
    with contextlib.closing(Recording(folder)) as recording:
        recording.refresh()
        (found,) = recording.landscapes(0)
    assert (found.plane, found.window) == (PLANE, PROBE.window)
    return found.loss


def expected() -> np.ndarray:
    x, y = np.meshgrid(np.linspace(0, 4, 24), np.linspace(-1, 6, 12))
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    return Surface(find("line-fit"))(points).reshape(12, 24)


@pytest.mark.parametrize("paused", [False, True])
def test_a_worker_that_trains_answers(
    begin: Begin, endless: Experiment, until: Until, paused: bool
) -> None:
    folder = begin(endless)
    until(lambda: folder.status().step > 0)
    if paused:
        send(folder, Pause())
    name = send(folder, PROBE)
    until(lambda: answered(folder, name))
    np.testing.assert_allclose(landscape(folder), expected(), rtol=1e-12)


def test_nobody_waits_for_a_large_landscape(begin: Begin, until: Until) -> None:
    folder = begin(single(override(find("spiral"), {"train.epochs": 1_000_000})))
    until(lambda: folder.status().step > 0)
    parameters = Surface(find("spiral")).parameters
    plane = through(0, 1, [0.0] * parameters, [f"p{i}" for i in range(parameters)])
    question = send(folder, Probe(0, plane, PROBE.window, 150, 120))
    step = folder.status().step
    until(lambda: folder.status().step > step)
    assert answered(folder, question) is None  # and yet it trains on
    pause = send(folder, Pause())
    until(lambda: answered(folder, question) is not None, 60)
    with contextlib.closing(Recording(folder)) as recording:
        recording.refresh()
        told = [event.detail["id"] for event in recording.events if event.kind == "command"]
        (found,) = recording.landscapes(0)
    assert told == [pause, question]
    assert found.loss.shape == (120, 150)
    assert np.isfinite(found.loss).all()


def test_a_wrong_question_is_acknowledged_with_what_is_wrong(
    begin: Begin, endless: Experiment, until: Until
) -> None:
    folder = begin(endless)
    until(lambda: folder.status().step > 0)
    name = send(folder, Probe(7, PLANE, PROBE.window, 8, 8))
    until(lambda: answered(folder, name))
    detail = answered(folder, name)
    assert detail is not None
    assert "there is no stack 7" in str(detail["error"])
    assert folder.status().state == "running"


def test_an_ended_experiment_is_answered_by_a_worker_of_its_own(begin: Begin, until: Until) -> None:
    folder = begin(single(find("line-fit")))
    until(lambda: folder.status().state == "finished")
    before, process = folder.results(), folder.process()
    name = send(folder, PROBE)
    worker = WarmWorker()
    try:
        worker.probe(folder)
        until(lambda: answered(folder, name), 60)
        np.testing.assert_allclose(landscape(folder), expected(), rtol=1e-12)
        until(lambda: not receive(folder))
        # it goes on to answer, and takes the place of nobody
        again = send(folder, PROBE)
        until(lambda: answered(folder, again))
        assert worker.alive
        assert folder.process() == process
        assert (folder.status().state, folder.results()) == ("finished", before)
    finally:
        worker._process.kill()


def test_a_killed_experiment_stays_killed_while_it_is_answered(
    tmp_path: Path, endless: Experiment, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ExperimentFolder.create(tmp_path, endless)
    launch(folder)
    until(lambda: folder.status().step > 10, 60)
    process = folder.process()
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: folder.status().state == "killed")
    states = []
    work = Questions.work

    def seen(questions: Questions, seconds: float) -> object:
        ask = [sys.executable, "-c", STATE, str(folder.path)]
        states.append(subprocess.run(ask, capture_output=True, text=True, check=True).stdout)
        return work(questions, seconds)

    monkeypatch.setattr(Questions, "work", seen)
    name = send(folder, PROBE)
    serve(folder, idle=0.2)
    assert answered(folder, name)
    assert set(states) == {"killed\n"}


def test_it_ends_when_nobody_asks(begin: Begin, until: Until) -> None:
    folder = begin(single(find("line-fit")))
    until(lambda: folder.status().state == "finished")
    name = send(folder, PROBE)
    until(lambda: folder.status().ended)
    assert folder.released(patience=5.0)
    serve(folder, idle=0.2)
    assert answered(folder, name)
    assert not receive(folder)


def test_an_ended_worker_that_still_closes_its_store_is_waited_for(
    begin: Begin, until: Until
) -> None:
    folder = begin(single(find("line-fit")))
    until(lambda: folder.status().ended)
    name = send(folder, PROBE)
    closing = subprocess.Popen([sys.executable, "-c", CLOSES, str(folder.path)], stdout=-1)
    assert closing.stdout
    assert closing.stdout.readline() == b"locked\n"
    serve(folder, idle=0.2)
    assert closing.wait() == 0
    assert answered(folder, name)


def test_a_plane_of_another_model_is_refused() -> None:
    prober = Prober(single(find("line-fit")))
    plane = through(0, 1, [0.0, 0.0, 0.0], ["a", "b", "c"])
    with pytest.raises(InputError, match="3 parameters; expected 2"):
        list(prober.parts(Probe(0, plane, PROBE.window, 8, 8)))
