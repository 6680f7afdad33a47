"""The viewer's side of an experiment: what is recorded, as it grows."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuitrain.errors import InputError
from tuitrain.record.chunks import joined
from tuitrain.record.evaluations import Evaluations, Picture, PictureCache
from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.landscape import Landscape
from tuitrain.record.reader import StoreReader, StoreReadError
from tuitrain.record.series import Series
from tuitrain.record.status import Event, RunResult, Status
from tuitrain.record.store import KEPT
from tuitrain.spec.recording import Chunk, Layout

Weights = dict[str, NDArray[np.floating]]


class Seen(NamedTuple):
    """The last row of each table that has been taken in."""

    chunk: int = 0
    event: int = 0
    evaluation: int = 0


class _Stack:
    """What is recorded of one stack, and the series that somebody looks at."""

    def __init__(self, number: int, layout: Layout, runs: list[int]) -> None:
        self.number = number
        self.layout = layout
        self.runs = runs
        self.chunks: list[Chunk] = []
        self.series: dict[tuple[int, str], Series] = {}
        self._fed: dict[tuple[int, str], int] = {}
        self.best = np.full(layout.runs, np.nan)
        self.evaluations = Evaluations()

    def append(self, chunk: Chunk) -> None:
        if self.chunks and chunk.first <= self.chunks[-1].last:
            return  # written once more, after a write that had only seemed to fail
        self.chunks.append(chunk)
        least = chunk.series["loss_min" if "loss_min" in chunk.series else "loss"]
        finite = np.where(np.isfinite(least), least, np.inf).min(axis=1)
        self.best = np.fmin(self.best, np.where(np.isinf(finite), np.nan, finite))

    def feed(self, position: int, name: str, last_step: int | None) -> Series:
        """Brings one series up to date, of a run that ended at `last_step`: None if it goes on.

        Rows after that belong to other runs only; but for a thinned loss, where the first of them
        tells what the run did since the row before.
        """
        key = position, name
        if key not in self.series:
            self.series[key] = Series(self.layout.dtypes[name])
        series, fed = self.series[key], self._fed.get(key, 0)
        for block in joined(self.chunks[fed:]):
            first, stride = block[0].first, block[0].stride
            columns, end = [name], last_step
            if name == "loss" and "loss_min" in self.layout.dtypes:
                columns += ["loss_min", "loss_max"]
                if last_step is not None and series.last_step < last_step:
                    end = last_step + stride - 1
            rows = None if end is None else max(0, (end - first) // stride + 1)
            values = [np.concatenate([c.series[x][position] for c in block]) for x in columns]
            series.append(first, stride, *(column[:rows] for column in values))
        self._fed[key] = len(self.chunks)
        return series


class Recording:
    """What is recorded of an experiment, up to the last `refresh`.

    Never raises because a worker died, a store is not there yet or damaged, or the folder
    vanished: `status` says so. A run is named by its index in the experiment's runs.

    Args:
        folder: the experiment.
        rows: read the recorded rows too; without them, the results, the evaluations and the
            weights at both ends are there.
    """

    def __init__(self, folder: ExperimentFolder, *, rows: bool = True) -> None:
        self.folder = folder
        self._rows = rows
        self.status = Status("starting")
        self.events: list[Event] = []
        self.first_weights: dict[int, Weights] = {}
        """Per run, the parameters before step 1."""
        self.last_weights: dict[int, Weights] = {}
        """Per run, the parameters at the end; empty until then, and if it was not reached."""
        self._reader: StoreReader | None = None
        self._corrupt: dict[str, str] = {}
        self._stacks: list[_Stack] = []
        self._places: dict[int, tuple[_Stack, int]] = {}
        self._results: list[RunResult] = []
        self._seen = Seen()
        self._results_of = -1
        self._pictures = PictureCache()
        self._landscapes: dict[int, list[Landscape]] = {}
        self._last_landscape = 0

    def refresh(self) -> bool:
        """Reads what is new.

        Returns:
            Whether anything has changed.
        """
        before = self.status, self._seen
        # the status first: what it says has been recorded is then found below
        self.status = self.folder.status()
        try:
            if self._connected():
                self._read()
        except (StoreReadError, InputError) as error:
            self.close()
            self.status = dataclasses.replace(self.status, error=self.status.error or str(error))
        for stack in self._stacks:
            for position, name in stack.series:
                self.series(stack.runs[position], name)
        return before != (self.status, self._seen)

    def close(self) -> None:
        """Lets go of the store; the next `refresh` opens it again."""
        if self._reader:
            self._corrupt |= self._reader.corrupt
            self._reader.close()
            self._reader = None
            self._results_of = -1

    @property
    def ended(self) -> bool:
        """Whether nothing more will be recorded."""
        return self.status.ended

    @property
    def corrupt(self) -> dict[str, str]:
        """What is wrong with all that was left out, such as `chunk 2`."""
        return self._corrupt | (self._reader.corrupt if self._reader else {})

    def names(self, run: int) -> tuple[str, ...]:
        """The recorded series of a run, `loss` first; empty before anything is recorded."""
        return self._places[run][0].layout.series if run in self._places else ()

    def series(self, run: int, name: str) -> Series:
        """A series of a run; the same object grows with every `refresh`.

        Before anything is recorded, an empty one that stays empty.

        Raises:
            KeyError: the run has no series of this name.
        """
        if run not in self._places:
            return Series()
        stack, position = self._places[run]
        return stack.feed(position, name, self._diverged_at(run))

    def chunks(self, run: int) -> Iterator[tuple[int, Weights]]:
        """The rows of a run block by block: the first step, and `[K]` for each series."""
        if run in self._places:
            stack, position = self._places[run]
            for chunk in stack.chunks:
                yield chunk.first, {name: rows[position] for name, rows in chunk.series.items()}

    def blocks(self, stack: int, after: int = 0) -> list[Chunk]:
        """The rows of a whole stack as they were recorded, from the block number `after` on."""
        return self._stacks[stack].chunks[after:] if stack < len(self._stacks) else []

    def landscapes(self, stack: int) -> list[Landscape]:
        """The losses over planes that were asked for last, in the order of the answers."""
        return list(self._landscapes.get(stack, ()))

    def evaluated(self, run: int, name: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Steps and values, [E] each, of one metric of the evaluations.

        Empty if there is nothing of this name. A run has nothing from the step on in which it
        diverged.
        """
        if run not in self._places:
            return np.empty(0, np.int64), np.empty(0)
        stack, position = self._places[run]
        steps, values = stack.evaluations.table(name)
        diverged_at = self._diverged_at(run)
        count = len(steps) if diverged_at is None else int(steps.searchsorted(diverged_at))
        return steps[:count], values[:count, position] if count else np.empty(0)

    def evaluations(
        self, stack: int, name: str, after: int = 0
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """As `evaluated`, of all runs of a stack: steps [E] and values [E, R].

        They are NaN from the step on in which a run diverged.

        Args:
            stack: index of the stack.
            name: of what is told.
            after: how many of the first ones are left out.
        """
        if stack >= len(self._stacks):
            return np.empty(0, np.int64), np.empty((0, 0))
        steps, values = self._stacks[stack].evaluations.table(name)
        steps, values = steps[after:], values[after:]
        if len(steps):
            ends = [self._diverged_at(run) for run in self._stacks[stack].runs]
            over = np.array([np.inf if end is None else end for end in ends])
            values = np.where(steps[:, np.newaxis] < over, values, np.nan)
        return steps, values

    def picture_steps(self, run: int, name: str | None = None) -> list[int]:
        """The steps of which there are pictures (of a name)."""
        return self._places[run][0].evaluations.picture_steps(name) if run in self._places else []

    def picture(self, run: int, name: str, step: int | None = None) -> Picture | None:
        """The newest picture of a run; with `step`, the newest that did not come after it.

        None where there is none, and where the one of that step is damaged: an earlier one would
        be shown under the wrong step. See `spec.recording.Evaluation` for the names; the run axis
        is removed. What is read is kept for the next time, as long as others are not looked at
        more.
        """
        if run not in self._places:
            return None
        stack, position = self._places[run]
        newest = stack.evaluations.pictured(name, step)
        whole = None if newest is None else self._picture(stack.number, newest, name)
        return None if whole is None else whole[position]

    def _picture(self, stack: int, step: int, name: str) -> Picture | None:
        """A picture of all runs of a stack; None if it cannot be read."""
        key = stack, step, name
        found = self._pictures.get(key)
        if found is None:
            with contextlib.suppress(StoreReadError):
                found = self._reader.picture(*key) if self._connected() and self._reader else None
            if found is not None:
                self._pictures.put(key, found)
        return found

    def _diverged_at(self, run: int) -> int | None:
        return self._results[run].diverged_at if run < len(self._results) else None

    @property
    def results(self) -> list[RunResult]:
        """What every run has reached so far."""
        return [self._so_far(result) for result in self._results]

    def _so_far(self, result: RunResult) -> RunResult:
        """A run's result as its last row and evaluation have it, until the experiment ends."""
        if result.index not in self._places:
            return result
        stack, position = self._places[result.index]
        newest = stack.evaluations.newest
        if newest is not None and not result.metrics and result.status != "diverged":
            metrics = {n: float(x[position]) for n, x in newest.values.items() if n != "loss"}
            result = dataclasses.replace(result, metrics=metrics)
        if not result.alive:
            return result
        if self.status.state == "killed":
            result = dataclasses.replace(result, status="killed")
        if not stack.chunks:
            return result
        chunk = stack.chunks[-1]
        return dataclasses.replace(
            result,
            steps=chunk.last,
            loss=float(chunk.series["loss"][position, -1]),
            best_loss=float(stack.best[position]),
        )

    def _connected(self) -> bool:
        if self._reader is None and self.folder.database.exists():
            self._reader = StoreReader(self.folder.database)
        return self._reader is not None

    def _read(self) -> None:
        reader = self._reader
        assert reader is not None
        with reader.snapshot():
            if not self._stacks:
                self._arrange(reader)
            # Each is noted as it is taken in: what follows may not be readable.
            for key, chunk in reader.chunks(self._seen.chunk) if self._rows else ():
                self._stacks[chunk.stack].append(chunk)
                self._seen = self._seen._replace(chunk=key)
            for key, event in reader.events(self._seen.event):
                self.events.append(event)
                self._seen = self._seen._replace(event=key)
            for key, scalars in reader.evaluations(self._seen.evaluation):
                self._stacks[scalars.stack].evaluations.append(scalars)
                self._seen = self._seen._replace(evaluation=key)
            if (version := reader.version()) != self._results_of:
                self._results = self._reached(reader)
                self._results_of = version
            for key, landscape in reader.landscapes(self._last_landscape):
                kept = self._landscapes.setdefault(landscape.stack, [])
                kept[:] = [*kept, landscape][-KEPT:]
                self._last_landscape = key
            if not self.first_weights:
                self.first_weights = self._weights(reader, "first")
            if self.status.final and not self.last_weights:
                self.last_weights = self._weights(reader, "last")

    def _reached(self, reader: StoreReader) -> list[RunResult]:
        """What the runs have reached; where no rows are kept, the newest tell of those alive."""
        results = reader.runs()
        if results and self._stacks:
            experiment = self.folder.experiment
            if [(i, run.preset) for i, run in enumerate(experiment.runs)] != [
                (result.index, result.preset) for result in results
            ]:
                raise StoreReadError(f"{reader.path} does not belong to its experiment.toml")
            if not self._rows and any(run.alive for run in results):
                return reader.brought_up_to_date(results, experiment.presets)
        return results

    def _arrange(self, reader: StoreReader) -> None:
        """Finds out which run stands where in which stack."""
        if not reader.layouts():
            return  # nor is experiment.toml looked at, which may be what is wrong
        experiment = self.folder.experiment
        stacks = zip(reader.layouts_of(experiment), experiment.stacks(), strict=True)
        for number, (layout, indices) in enumerate(stacks):
            stack = _Stack(number, layout, indices)
            self._stacks.append(stack)
            self._places |= {run: (stack, place) for place, run in enumerate(indices)}

    def _weights(self, reader: StoreReader, which: Literal["first", "last"]) -> dict[int, Weights]:
        found: dict[int, Weights] = {}
        for i, stack in enumerate(self._stacks):
            weights = reader.weights(i, which)
            for position, run in enumerate(stack.runs):
                if weights:
                    found[run] = {name: values[position] for name, values in weights.items()}
        return found
