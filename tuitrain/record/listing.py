"""What a list of experiments tells of each of them."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tuitrain.errors import InputError
from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.status import RunResult, Status


@dataclass(frozen=True)
class Listed:
    """One experiment as it is now.

    Attributes:
        presets: their names; none where neither the store nor experiment.toml can be read.
        results: of its runs, without the best loss of those that go on; none where the store
            cannot be read.
        lr_set: the learning rate that was set last while a single run trained, if any was.
    """

    folder: ExperimentFolder
    status: Status
    presets: Sequence[str]
    results: Sequence[RunResult]
    lr_set: float | None = None

    @property
    def loss(self) -> float | None:
        """The last loss; of several runs the least. None where none is a finite number."""
        return min((r.loss for r in self.results if math.isfinite(r.loss)), default=None)

    @property
    def age(self) -> float:
        """Seconds since it was created; its id tells when that was."""
        try:
            created = datetime.strptime(self.folder.id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
        except ValueError:
            return 0.0
        return round((datetime.now(UTC) - created).total_seconds(), 1)


def listed(folder: ExperimentFolder) -> Listed:
    """Reads what is to be told of an experiment.

    Its experiment.toml only where the store has no names: of 10,000 runs, that takes seconds.
    """
    status, results = folder.status(), folder.results(best=False)
    presets = status.stack_presets or list(dict.fromkeys(result.preset for result in results))
    if not presets:
        with contextlib.suppress(InputError):
            presets = list(folder.experiment.presets)
    lr_set = folder.lr_set() if len(results) == 1 else None
    return Listed(folder, status, presets, results, lr_set)


def joined(names: Sequence[str], what: str, longest: int) -> str:
    """The names; how many there are where they take more than `longest` letters."""
    told = ", ".join(names)
    return told if len(told) <= longest or len(names) == 1 else f"{len(names)} {what}"


def duration(seconds: float) -> str:
    """A span of time in words as short as they may be: `1.9 s`, `4 min`, `3 h`, `12 d`."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
