"""How fast a training goes that is watched: steps a second of each run, in the series 1-2-5."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tuitrain.spec.preset import Preset
from tuitrain.spec.size import planned_steps

if TYPE_CHECKING:
    from tuitrain.record.status import Status

WATCHED = 8.0
"""Seconds that a training should last for its picture to be seen moving."""

PACES = tuple(float(digit * 10**power) for power in range(5) for digit in (1, 2, 5))


def watchable(preset: Preset) -> float:
    """The pace at which a preset's training lasts about `WATCHED` seconds."""
    wanted = planned_steps(preset) / WATCHED
    return min(PACES, key=lambda pace: abs(math.log(pace / wanted)))


def machine_speed(status: Status) -> float:
    """The steps a second that the machine manages; 0 before that is known."""
    return status.steps_per_second / max(len(steps_left(status)), 1)


def steps_left(status: Status) -> list[int]:
    """Of each preset whose runs go on, or of each when none does; [] before that is known."""
    left = [
        total - step for step, total in zip(status.stack_steps, status.stack_totals, strict=False)
    ]
    return [steps for steps in left if steps > 0] or left


def held(status: Status) -> bool:
    """Whether it is the pace that makes it no faster, not the machine."""
    return status.pace is not None and not 0 < machine_speed(status) <= status.pace


def speed(status: Status) -> float:
    """The steps a second: the pace, or what the machine manages; 0 before that is known."""
    return status.pace if status.pace is not None and held(status) else machine_speed(status)


def slower(pace: float | None, machine: float) -> float:
    """The next pace below what is done now.

    Args:
        pace: the pace now.
        machine: the steps a second that the machine manages; 0 if that is not known.
    """
    now = min(filter(None, (pace, machine)), default=math.inf)
    return max((each for each in PACES if each < now), default=PACES[0])


def faster(pace: float | None, machine: float) -> float | None:
    """The next pace above; None, full speed, if there is none or the machine is slower."""
    if pace is None or 0 < machine <= pace:
        return None
    return min((each for each in PACES if each > pace), default=None)
