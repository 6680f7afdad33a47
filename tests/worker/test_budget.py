from __future__ import annotations

import msgspec

from tests.worker.conftest import Begin, Until, steps
from tuitrain.record.live import Recording
from tuitrain.spec.catalogue import find
from tuitrain.spec.comparison import compare


def test_a_budget_of_seconds_ends_all_stacks_fairly(begin: Begin, until: Until) -> None:
    presets = [steps(find(name), 10**8) for name in ("line-fit", "sales-mse")]
    folder = begin(compare(presets, seconds=0.8, device="cpu"))
    until(lambda: folder.status().ended)
    recording = Recording(folder)
    recording.refresh()
    recording.close()
    assert recording.status.state == "finished"
    assert 0.8 <= recording.status.seconds < 20
    assert [result.status for result in recording.results] == ["finished"] * 2
    slow, fast = sorted(recording.status.stack_steps)
    assert slow > fast / 10


def test_steps_that_are_done_sooner_end_it_sooner(begin: Begin, until: Until) -> None:
    experiment = msgspec.structs.replace(
        compare([steps(find("line-fit"), 50)], device="cpu"), seconds=500.0
    )
    folder = begin(experiment)
    until(lambda: folder.status().ended)
    assert folder.status().step == 50
    assert folder.status().seconds < 20
