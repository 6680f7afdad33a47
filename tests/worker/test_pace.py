"""The pace of a real training: it is kept to, and changes while it runs."""

from __future__ import annotations

import contextlib
import time

import msgspec
import pytest

from tuitrain.record.inbox import Pause, SetPace, Step, Stop, send
from tuitrain.record.live import Recording
from tuitrain.record.reader import StoreReader
from tuitrain.spec.catalogue import find
from tuitrain.spec.experiment import Experiment, single
from tuitrain.spec.overrides import override

from .conftest import Begin, Until, ended, obeyed


def lasted(recording: Recording) -> float:
    """Seconds from the first event to the last."""
    return recording.events[-1].time - recording.events[0].time


@pytest.mark.parametrize(("count", "pace"), [(60, 30.0), (4, 2.0)])
def test_a_pace_is_kept_to(begin: Begin, count: int, pace: float) -> None:
    preset = override(find("line-fit"), {"train.steps": count})
    recording = ended(begin(single(preset, device="cpu", pace=pace)))
    assert (recording.status.state, recording.status.pace) == ("finished", pace)
    assert lasted(recording) > (count - 1) / pace - 0.1


def test_waiting_for_the_pace_is_no_training_and_no_work(begin: Begin, until: Until) -> None:
    folder = begin(single(override(find("line-fit"), {"train.steps": 3}), device="cpu", pace=1.0))
    until(lambda: folder.status().step == 1)  # all is imported
    before = time.process_time()
    time.sleep(1.0)
    assert time.process_time() - before < 0.5
    recording = ended(folder)
    assert lasted(recording) > 1.9
    assert recording.status.seconds < 0.9
    assert recording.status.steps_per_second == pytest.approx(3 / recording.status.seconds)


def test_the_pace_changes_while_it_runs(begin: Begin, endless: Experiment, until: Until) -> None:
    folder = begin(msgspec.structs.replace(endless, pace=0.1))
    until(lambda: folder.status().step == 1)
    changed = obeyed(folder, SetPace(1000.0), until)
    assert (changed.step, folder.status().pace) == (1, 1000.0)
    until(lambda: folder.status().step > 300)
    assert folder.state() == "running"
    with contextlib.closing(StoreReader(folder.database)) as reader:
        assert max(chunk.rows for _, chunk in reader.chunks()) == 50
    obeyed(folder, SetPace(None), until)
    assert folder.status().pace is None
    until(lambda: folder.status().step > 50_000)
    slowed = obeyed(folder, SetPace(0.01), until)
    assert folder.status().step <= slowed.step + 1
    until(lambda: folder.status().step == slowed.step + 1)
    time.sleep(0.3)
    assert folder.status().step == slowed.step + 1


def test_commands_do_not_wait_for_the_pace(begin: Begin, endless: Experiment, until: Until) -> None:
    folder = begin(msgspec.structs.replace(endless, pace=0.05))
    until(lambda: folder.status().step == 1)
    sent = time.time()
    assert obeyed(folder, Pause(), until).step == 1
    assert obeyed(folder, Step(), until).step == 2
    send(folder, Stop())
    recording = ended(folder)
    assert recording.status.state == "stopped"
    assert recording.events[-1].time - sent < 5  # and not 20, the time of a step


def test_the_pace_is_that_of_every_stack(begin: Begin, until: Until) -> None:
    presets = {
        name: override(find(name), {"train.steps": 60}) for name in ("line-fit", "sales-mse")
    }
    runs = [run for preset in presets.values() for run in single(preset).runs]
    folder = begin(Experiment(presets=presets, runs=runs, device="cpu", pace=60.0))
    until(lambda: min([0, *folder.status().stack_steps][-2:]) >= 20)
    first, second = folder.status().stack_steps
    assert abs(first - second) < 10
    assert lasted(ended(folder)) > 0.9
