"""One experiment from start to end: training, recording, handling commands.

torch is imported only when a session runs, so that one that cannot import it can say so.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import time
from collections.abc import Sequence
from typing import Any

from tuitrain.errors import InputError
from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.inbox import (
    Command,
    Inbox,
    Pause,
    Probe,
    Resume,
    SetLearningRate,
    SetPace,
    Step,
    Stop,
)
from tuitrain.record.reader import StoreReader
from tuitrain.record.status import Event, EventKind, ExperimentState, RunResult, RunStatus, Status
from tuitrain.record.store import StoreWriteError, StoreWriter
from tuitrain.worker.background import BackgroundWriter, News, Transaction, patience
from tuitrain.worker.probing import Prober, Questions, problem
from tuitrain.worker.progress import Pace, Progress, Throughput, unknown

log = logging.getLogger(__name__)

BLOCK = 0.05
"""Seconds of work between two looks into the inbox."""

IDLE = 0.02
"""Seconds between two looks into the inbox while there is nothing to train."""


class Session:
    """Trains the experiment of a folder and records it, until it has ended or is stopped."""

    _questions: Questions

    def __init__(self, folder: ExperimentFolder) -> None:
        self.folder = folder
        self._status = Status("starting")
        self._stopping = False
        self._stacks: list[Progress] = []
        self._throughput = Throughput()
        self._news: list[News] = []
        self._ended: list[RunResult] = []
        """Of runs that have ended and are not recorded yet; the others are told by their rows."""
        self._inbox = Inbox(folder)
        self._recording = self._recorded = 0.0
        self._writer: BackgroundWriter | None = None

    def stop(self) -> None:
        """Ends the session soon, as a `Stop` command does; a signal handler may call it."""
        self._stopping = True

    def run(self) -> None:
        """Trains to the end. Whatever happens is recorded; nothing is raised."""
        if self.folder.database.exists():
            log.error("%s has been trained already", self.folder.id)
            return
        try:
            self._begin()
            while not self._stopping and self._unfinished() and not self._spent():
                self._take_turn()
            self._finish()
        except Exception as error:
            log.log(logging.ERROR, "%s", error, exc_info=not isinstance(error, InputError))
            self._fail(error)
        finally:
            if self._writer:
                self._writer.close()

    def refuse(self, error: OSError) -> None:
        """Records why it cannot even begin, unless something is recorded already."""
        log.error("%s", error)
        if not self.folder.database.exists():
            self._fail(error)

    # Start and end --------------------------------------------------------------------------

    def _begin(self) -> None:
        from tuitrain.train.device import device_name, device_uuid, fix_rounding, resolve_device
        from tuitrain.train.trainer import Trainer

        experiment = self.folder.experiment
        self.folder.sync()  # else the store might outlast what it is about
        fix_rounding(experiment.threads)
        device = resolve_device(experiment.device)
        self._questions = Questions(Prober(experiment, str(device)))
        stacks = experiment.stacks()
        for stack, (indices, preset) in enumerate(
            zip(stacks, experiment.presets.values(), strict=True)
        ):
            runs = [experiment.runs[index] for index in indices]
            trainer = Trainer(preset, runs, device=str(device), stack=stack, stacks=len(stacks))
            progress = Progress(trainer, runs, indices, Pace(BLOCK, experiment.pace))
            self._stacks.append(progress)
            self._news += progress.take_due()
        self._update(
            "paused" if experiment.paused else "running",
            device=str(device),
            device_name=device_name(device),
            device_uuid=device_uuid(device),
            threads=experiment.threads,
            pace=experiment.pace,
            stack_presets=list(experiment.presets),
        )
        layouts = [stack.trainer.layout for stack in self._stacks]
        self._writer = BackgroundWriter(StoreWriter(self.folder.database, layouts))
        self._event("started", {"device": str(device)})
        self._record(self._results("running"), snapshot=True)

    def _finish(self) -> None:
        complete = all(stack.trainer.finished for stack in self._stacks) or self._spent()
        for stack in self._stacks:
            self._news += stack.take_due(ended=True)
        rest: RunStatus = "finished" if complete else "stopped"
        results = [r for stack in self._stacks for r in stack.final_results(rest)]
        known = {stack.indices[place] for stack in self._stacks for place in stack.trainer.diverged}
        for result in results:
            if result.status == "diverged" and result.index not in known:  # by its last step
                detail = {"tensor": result.diverged_in}
                self._event("diverged", detail, step=result.diverged_at, run=result.index)
        state: ExperimentState = "finished" if complete else "stopped"
        if complete and all(result.status == "diverged" for result in results):
            state = "diverged"
        self._event("stopped" if state == "stopped" else "finished")
        steps = sum(stack.trainer.step for stack in self._stacks)
        speed = steps / self._status.seconds if self._status.seconds else 0.0
        self._update(state, steps_per_second=speed)
        self._record(results, snapshot=True)
        self._written()

    def _fail(self, error: Exception) -> None:
        """Records why, after all that is not on disk yet, if the store can still be written."""
        code = 2 if isinstance(error, InputError) else 1
        try:
            if self._status.ended:  # else it would stay so, should the reason not fit on the disk
                self._update("running")
            if self._writer is None:
                self._writer = BackgroundWriter(StoreWriter(self.folder.database, []))
            news, self._news = self._news, []
            broken = isinstance(error, StoreWriteError)
            self._writer.rescue(Transaction(self._status, news), broken=broken)
            results = self._reached()
            presets = list(self.folder.experiment.presets) if self._stacks else []
            steps = [max(r.steps for r in results if r.preset == name) for name in presets]
            line = problem(error)
            self._update("failed", error=line, exit_code=code, step=sum(steps), stack_steps=steps)
            self._event("failed", {"error": line})
            self._writer.record(Transaction(self._status, self._news, results))
            self._written()
        except Exception:
            log.exception("the failure could not be recorded")

    def _reached(self) -> list[RunResult]:
        """What the runs have reached when the experiment fails: as far as their rows are there."""
        try:
            experiment = self.folder.experiment
        except InputError:  # it is what has failed
            return []
        with contextlib.closing(StoreReader(self.folder.database)) as reader:
            recorded = reader.brought_up_to_date(reader.runs(), experiment.presets)
        if not recorded:
            return [unknown(index, run, "failed") for index, run in enumerate(experiment.runs)]
        ended = {r.index: r for r in self._results("failed") if r.status != "failed"}
        return [
            ended.get(result.index, dataclasses.replace(result, status="failed"))
            if result.alive
            else result
            for result in recorded
        ]

    # The loop -------------------------------------------------------------------------------

    def _take_turn(self) -> None:
        """Handles new commands; else trains a block of one stack, or sleeps if none is due."""
        commands = self._inbox.receive()
        stack = self._next_stack()
        wait = IDLE
        if self._status.state == "running":
            wait = stack.pace.due - time.perf_counter()
        trained = not commands and wait <= 0
        if commands:
            self._handle_all(commands)
        elif trained:
            self._train(stack)
        elif not self._questions:
            time.sleep(min(wait, IDLE))
        if trained or self._news:
            self._record_if_due()
        if self._questions:
            self._answer()

    def _record_if_due(self) -> None:
        started = time.perf_counter()
        if started >= self._recorded + patience(self._status.seconds, self._news):
            self._record()
            self._recording = time.perf_counter() - started

    def _unfinished(self) -> list[Progress]:
        return [stack for stack in self._stacks if not stack.trainer.finished]

    def _spent(self) -> bool:
        """Whether the experiment has had all the time that it was given."""
        budget = self.folder.experiment.seconds
        return budget is not None and self._status.seconds >= budget

    def _next_stack(self) -> Progress:
        """The stack that is due first: at full speed, those that have steps left in turn."""
        return min(self._unfinished(), key=lambda stack: stack.pace.due)

    def _train(self, stack: Progress, steps: int | None = None) -> None:
        """Trains `steps` steps of a stack, or as many as its pace says.

        That takes the time that recording the block before has taken, too.
        """
        planned = steps or stack.pace.steps
        before, started = stack.trainer.step, time.perf_counter()
        chunk, diverged = stack.advance(planned)
        done, seconds = stack.trainer.step - before, time.perf_counter() - started
        if steps is None:
            stack.pace.took(done, started, seconds)
        seconds += self._recording
        self._recording = 0.0
        stack.seconds += seconds
        self._throughput.took(done, seconds)
        self._update(
            self._status.state,
            seconds=self._status.seconds + seconds,
            steps_per_second=self._throughput.value,
        )
        if chunk is not None:
            self._news.append(chunk)
        self._news += stack.take_due()
        for place, divergence in diverged.items():
            self._event(
                "diverged",
                {"tensor": divergence.tensor},
                step=divergence.step,
                run=stack.indices[place],
            )
        # Where this was the last stack, `_finish` records all of them.
        whole = stack.trainer.finished and self._unfinished()
        self._ended += stack.results("running", None if whole else diverged)

    # Commands -------------------------------------------------------------------------------

    def _handle_all(self, commands: list[tuple[str, Command]]) -> None:
        """Does what is asked."""
        handled = []
        for name, command in commands:
            if self._stopping:
                break  # what comes after a stop is not done any more
            if isinstance(command, Probe):
                self._questions.ask(name, command)
            else:
                self._handle(name, command)
                handled.append(name)
        self._acknowledged(handled)

    def _acknowledged(self, names: list[str]) -> None:
        """Takes commands out of the inbox, once what they did is on disk."""
        self._record()
        self._written()
        for name in names:
            self._inbox.done(name)

    def _answer(self) -> None:
        """Goes on with the first question for as long as a block takes: training must go on too."""
        answer = self._questions.work(BLOCK)
        if answer is not None:
            if answer.landscape is not None:
                self._news.append(answer.landscape)
            self._event("command", answer.detail)
            self._acknowledged([answer.name])

    def _handle(self, name: str, command: Command) -> None:
        detail: dict[str, Any] = {"id": name, "command": type(command).__struct_config__.tag}
        match command:
            case Pause():
                self._update("paused")
                self._event("paused")
            case Resume():
                self._update("running")
                self._event("resumed")
            case Step():
                self._step()
            case Stop():
                self._stopping = True
            case SetLearningRate():
                try:
                    self._set_learning_rate(command)
                except InputError as error:
                    detail["error"] = str(error)
            case SetPace():
                self._set_pace(command.pace)
                detail["pace"] = command.pace
        self._event("command", detail)

    def _step(self) -> None:
        for stack in self._unfinished():
            self._train(stack, 1)
        self._update("paused")
        self._event("stepped")

    def _set_learning_rate(self, command: SetLearningRate) -> None:
        if command.run is not None and command.run >= len(self.folder.experiment.runs):
            raise InputError(f"there is no run {command.run}", where="lr")
        concerned = [s for s in self._stacks if command.run is None or command.run in s.indices]
        refused: list[InputError] = []
        for stack in concerned:
            place = None if command.run is None else stack.indices.index(command.run)
            try:
                rates = stack.set_learning_rate(command.lr, place)
            except InputError as error:
                refused.append(error)
                continue
            old = rates[0] if len(set(rates)) == 1 else rates
            detail = {"stack": stack.trainer.stack, "old": old, "new": command.lr}
            self._event("lr", detail, step=stack.trainer.step + 1, run=command.run)
        if len(refused) == len(concerned):
            raise refused[0]

    def _set_pace(self, pace: float | None) -> None:
        for stack in self._stacks:
            stack.pace.keep_to(pace)
        self._throughput = Throughput()  # smaller blocks cost more to record for each step
        self._update(self._status.state, pace=pace, steps_per_second=0.0)

    # Recording ------------------------------------------------------------------------------

    def _update(self, state: ExperimentState, **changes: object) -> None:
        self._status = dataclasses.replace(self._status, state=state, **changes)  # type: ignore[arg-type]

    def _event(
        self,
        kind: EventKind,
        detail: dict[str, Any] | None = None,
        *,
        step: int | None = None,
        run: int | None = None,
    ) -> None:
        """Notes that something happened; after the furthest stack's step, if not told."""
        if step is None:
            step = max((stack.trainer.step for stack in self._stacks), default=0)
        self._news.append(Event(time.time(), step, run, kind, detail or {}))

    def _results(self, unfinished: RunStatus) -> list[RunResult]:
        return [result for stack in self._stacks for result in stack.results(unfinished)]

    def _record(self, results: Sequence[RunResult] = (), *, snapshot: bool = False) -> None:
        """Begins to write all news, results and the status in one transaction.

        Args:
            results: of all runs; without them, those of the runs that have ended since.
            snapshot: whether the weights are recorded, too.
        """
        assert self._writer
        trainers = [stack.trainer for stack in self._stacks]
        self._update(
            self._status.state,
            step=sum(trainer.step for trainer in trainers),
            total=sum(trainer.total for trainer in trainers),
            stack_steps=[trainer.step for trainer in trainers],
            stack_totals=[trainer.total for trainer in trainers],
            stack_seconds=[stack.seconds for stack in self._stacks],
        )
        weights = [(x.stack, x.step, x.weights()) for x in trainers] if snapshot else []
        reached = results or self._ended
        self._writer.record(Transaction(self._status, self._news, reached, weights))
        # Not before: what is refused is tried once more when the session fails.
        self._news, self._ended = [], []
        self._recorded = time.perf_counter()

    def _written(self) -> None:
        """Waits until all that was recorded is on disk; StoreWriteError if it will not be."""
        if self._writer is not None:
            self._writer.wait()
