"""Trains the runs of one stack together; no files, no processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, prod

import numpy as np
import torch
from numpy.typing import NDArray

from tuitrain.errors import InputError
from tuitrain.optim import name_of
from tuitrain.optim.schedules import AnySchedule
from tuitrain.spec.evaluation import pictured, stride
from tuitrain.spec.experiment import Run
from tuitrain.spec.preset import Preset
from tuitrain.spec.recording import Chunk, Evaluation, layout
from tuitrain.spec.size import batch_rows, planned_steps, shapes
from tuitrain.train.block import Block, block_size
from tuitrain.train.device import resolve_device
from tuitrain.train.evaluator import Evaluator, rows_of
from tuitrain.train.gradients import objective
from tuitrain.train.models import initial, named
from tuitrain.train.objective import Batch
from tuitrain.train.recorder import Recorder, Series
from tuitrain.train.stack import Stack
from tuitrain.train.state import Divergence, TrainState


class Trainer:
    """Trains the runs of one stack together.

    A run's numbers depend neither on how the steps are divided over `advance` calls (bit by bit,
    with one thread) nor, but for rounding, on the runs it is stacked with.

    Args:
        preset: what to train.
        runs: R trainings of it.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        stack: index of the stack in the experiment, told in every chunk.
        stacks: how many there are in the experiment; they share the room for rows and pictures.

    Attributes:
        layout: the series that chunks carry.
        total: planned steps.
        step: finished steps.
        device: where the training runs.
        diverged: the runs that ended because a value was not finite, by index.
        pictured: every how many-th evaluation carries pictures, besides the last; None: none does.

    Raises:
        InputError: the device does not exist.
    """

    def __init__(
        self,
        preset: Preset,
        runs: Sequence[Run],
        *,
        device: str = "cpu",
        stack: int = 0,
        stacks: int = 1,
    ) -> None:
        self.preset = preset
        self.runs = tuple(runs)
        self.device = resolve_device(device)
        self.stack = stack
        self.total = planned_steps(preset)
        self.step = 0
        self.diverged: dict[int, Divergence] = {}
        self._shapes = shapes(preset)
        self._dtype = getattr(torch, preset.train.dtype)
        self.layout = layout(self._shapes, len(self.runs), self.total, preset.train.dtype, stacks)
        self._recorder = Recorder(self.layout, self._shapes, preset.train.dtype)
        self._objective = objective(preset, self._dtype, self.device)
        data = rows_of(preset)
        self._evaluator = Evaluator(preset, data, self._dtype, self.device)
        self._x, self._y = self._tensor(data.x), self._tensor(data.y)
        self._batches = self._divide(batch_rows(preset))
        weights = len(self.runs) * self._parameters * self._dtype.itemsize
        self._block = block_size(self.device.type, weights)
        self._stride = stride(preset)
        self.pictured = pictured(preset, len(self.runs), stacks)
        self._lr = np.array([run.optimizer.lr for run in self.runs])
        self._reference = np.ones(len(self.runs))
        self._warmed = np.zeros(len(self.runs), np.int64)
        self._ended = np.empty((len(self.runs), self._parameters), preset.train.dtype)
        self._stack = self._start()
        self._due = [] if self._stride is None else [self.evaluate(pictures=True)]

    # Set-up ---------------------------------------------------------------------------------

    @property
    def _parameters(self) -> int:
        return sum(map(prod, self._shapes.values()))

    def _tensor(self, values: NDArray[np.floating]) -> torch.Tensor:
        return torch.from_numpy(values).to(self._dtype).to(self.device)

    def _divide(self, rows: int) -> list[Batch]:
        """The batches of an epoch: consecutive rows, the last one smaller if they do not divide."""
        rows = rows or 1
        parts = zip(torch.split(self._x, rows), torch.split(self._y, rows), strict=True)
        return [self._objective.batch(x, y) for x, y in parts]

    def _start(self) -> Stack:
        seeds = {run.seed: None for run in self.runs}
        weights = {seed: initial(self.preset, seed) for seed in seeds}
        p = self._tensor(np.stack([weights[run.seed] for run in self.runs]))
        return self._stacked(range(len(self.runs)), p, {})

    def _stacked(
        self, rows: Sequence[int], p: torch.Tensor, state: Mapping[str, torch.Tensor]
    ) -> Stack:
        """A stack of the runs `rows`; what `state` leaves out is zero."""
        optimizers = [run.optimizer for run in self.runs]
        names = {name for rule in optimizers for name in rule.state}
        zeros = torch.zeros_like(p)
        return Stack(optimizers, rows, p, {name: state.get(name, zeros) for name in names})

    # Training -------------------------------------------------------------------------------

    @property
    def finished(self) -> bool:
        """Whether all steps are done or every run has diverged."""
        return self.step >= self.total or len(self.diverged) == len(self.runs)

    @torch.no_grad()
    def advance(self, steps: int) -> Chunk | None:
        """Train at most `steps` further steps.

        Returns:
            Their rows; None where none of them is one (`layout.stride` > 1, or finished).
        """
        first = self.step + 1
        until = min(self.step + steps, self.total)
        parts: list[Series] = []
        while self.step < until and not self.finished:
            # Blocks end at fixed steps: where they end decides the shapes that are computed
            # with, and a sum of another shape may be rounded differently.
            end = min(until, (self.step // self._block + 1) * self._block)
            block = self._train(end - self.step)
            parts.append(self._record(block))
            self._evaluate(block)
            self._drop()
        stride = self.layout.stride
        if not any(part["loss"].shape[1] for part in parts):
            return None
        series = {name: np.concatenate([part[name] for part in parts], 1) for name in parts[0]}
        return Chunk(self.stack, first + (1 - first) % stride, stride, series)

    def closing_row(self) -> Chunk | None:
        """The last step as a row of its own, to be recorded where the training ends here.

        Returns:
            None where it is a row anyway, and before the first step.
        """
        stride = self.layout.stride
        if not self.step or (self.step - 1) % stride == 0:
            return None
        return Chunk(self.stack, self.step, stride, self._recorder.closing())

    def _train(self, steps: int) -> Block:
        """Take `steps` steps: the only loop over steps there is."""
        lr = self._rates(steps)[:, self._stack.rows]
        rates = self._stack.rates(self._tensor(lr))
        losses, gradients, weights = [], [], [self._stack.p]
        for k in range(steps):
            batch = self._batches[(self.step + k) % len(self._batches)]
            loss, gradient = self._objective(self._stack.p, batch)
            losses.append(loss)
            gradients.append(gradient)
            weights.append(self._stack.update(self.step + k + 1, rates[k], gradient))
        return Block(
            self.step + 1,
            self._stack.rows,
            lr,
            torch.stack(losses),
            torch.stack(gradients),
            torch.stack(weights),
        )

    def _rates(self, steps: int) -> NDArray[np.float64]:
        """Learning rates of the next steps, [steps, R]."""
        done = np.arange(self.step, self.step + steps)
        places: dict[tuple[AnySchedule, int], int] = {}
        followed = zip((run.schedule for run in self.runs), self._warmed.tolist(), strict=True)
        place = [places.setdefault(key, len(places)) for key in followed]
        factors = [
            schedule.factors(np.maximum(done, warmed), self.total) for schedule, warmed in places
        ]
        factor = np.stack(factors, axis=1)[:, place]
        scheduled = self._reference > 0
        share = np.divide(factor, self._reference, out=np.ones_like(factor), where=scheduled)
        return self._lr * share

    def _record(self, block: Block) -> Series:
        """The rows of a block: notes which runs diverged in it, and counts its steps."""
        places = {int(row): place for place, row in enumerate(block.rows)}
        if not block.finite():
            for place, divergence in block.divergences(self._shapes).items():
                row = int(block.rows[place])
                if row not in self.diverged:
                    self.diverged[row] = divergence
                    after = block.weights[divergence.step - block.first + 1, place]
                    self._ended[row] = after.cpu().numpy()
        lengths = np.full(len(places), len(block.loss))
        for row, end in self.diverged.items():
            if row in places:
                lengths[places[row]] = max(end.step - self.step, 0)
        self.step += int(lengths.max())
        return self._recorder.series(block, lengths)

    def _drop(self) -> None:
        """Go on without the runs that have ended, at steps that do not depend on chunks."""
        if self.step % self._block or self.finished:
            return
        left = [i for i, row in enumerate(self._stack.rows) if int(row) not in self.diverged]
        if len(left) < len(self._stack.rows):
            state = {name: value[left] for name, value in self._stack.state().items()}
            self._stack = self._stacked(self._stack.rows[left].tolist(), self._stack.p[left], state)

    def set_learning_rate(self, lr: float, run: int | None = None) -> None:
        """Let the next step use exactly `lr`; the schedule goes on in proportion to it.

        What rises ends there: `lr` is kept until the step at which the warm-up, or the rise of
        one-cycle, would have ended, and the schedule goes on from it then. Where the schedule's
        factor for the next step is 0, `lr` is kept from there on. A rule that takes the learning
        rate for its first step alone is left as it is.

        Args:
            lr: the learning rate of the next step.
            run: index of the run; None means all of them.

        Raises:
            InputError: `lr` is negative or not finite, there is no such run, or no run is left
                that would follow it.
        """
        if not isfinite(lr) or lr < 0:
            raise InputError(f"learning rate {lr}", expected="a finite number, 0 or more")
        if run is not None and not 0 <= run < len(self.runs):
            raise InputError(f"run {run}", expected=f"0 to {len(self.runs) - 1}")
        following = self._following(range(len(self.runs)) if run is None else [run])
        for index in following:
            schedule = self.runs[index].schedule
            self._lr[index], self._warmed[index] = lr, schedule.rising(self.total)
            done = max(self.step, schedule.rising(self.total))
            self._reference[index] = schedule.factors(done, self.total)

    def _following(self, chosen: Sequence[int]) -> list[int]:
        """Those of the runs `chosen` whose next step depends on the learning rate.

        Raises:
            InputError: there is none.
        """
        left = [i for i in chosen if i not in self.diverged] if self.step < self.total else []
        if not left:
            who = f"run {chosen[0]} has" if len(chosen) == 1 else "all runs have"
            raise InputError(f"{who} ended: no step is left that would use a learning rate")
        following = [i for i in left if self.runs[i].optimizer.follows_lr or not self.step]
        if not following:
            rule = name_of(self.runs[left[0]].optimizer)
            raise InputError(f"{rule} takes the learning rate for its first step alone")
        return following

    def learning_rates(self) -> NDArray[np.float64]:
        """The learning rate of the next step of each run, [R]."""
        return self._rates(1).ravel()

    # Results --------------------------------------------------------------------------------

    @property
    def last_loss(self) -> NDArray[np.floating]:
        """The loss that each run's last step was computed from, [R]; NaN before the first."""
        return self._recorder.last_loss

    @property
    def best_loss(self) -> NDArray[np.floating]:
        """The least finite loss of any step of each run, [R]; NaN where there is none."""
        return self._recorder.best_loss

    def _current(self) -> NDArray[np.floating]:
        """Parameters of every run, [R, P]: those a diverged run ended with included."""
        whole = self._ended.copy()
        alive = [i for i, row in enumerate(self._stack.rows) if int(row) not in self.diverged]
        whole[self._stack.rows[alive]] = self._stack.p.cpu().numpy()[alive]
        return whole

    def weights(self) -> dict[str, NDArray[np.floating]]:
        """The current weights, each [R, *shape], in the dtype of the training."""
        flat = torch.from_numpy(self._current())
        return {name: value.numpy() for name, value in named(flat, self._shapes).items()}

    def evaluate(self, pictures: bool = False) -> Evaluation:
        """Evaluate the current weights of every run on all rows.

        Args:
            pictures: whether to add what the pictures are drawn from, where the store has room
                for it (`spec.evaluation.pictured`).
        """
        return self._evaluation(self.step, self._current(), pictures)

    def take_evaluations(self) -> list[Evaluation]:
        """The evaluations that have become due since the last call, as `spec.evaluation` says.

        They are those of the initial weights, of every `stride`-th step and of the last one.
        """
        due, self._due = self._due, []
        return due

    def _evaluate(self, block: Block) -> None:
        """Make the evaluations that are due in a block that has been recorded."""
        every = self._stride
        if every is None:
            return
        steps = set(range(block.first + -block.first % every, self.step + 1, every))
        last = {self.step} if self.finished else set()
        for step in sorted(steps | last):
            pictures = step in last or step // every % (self.pictured or 1) == 0
            self._due.append(self._evaluation(step, self._weights_at(step, block), pictures))

    def _weights_at(self, step: int, block: Block) -> NDArray[np.floating]:
        """Parameters of every run after a step of a block, [R, P]."""
        whole = self._ended.copy()
        places = {int(row): place for place, row in enumerate(block.rows)}
        after = block.weights[step - block.first + 1].cpu().numpy()
        on = [row for row in places if row not in self.diverged or step < self.diverged[row].step]
        whole[on] = after[[places[row] for row in on]]
        return whole

    def _evaluation(self, step: int, p: NDArray[np.floating], pictures: bool) -> Evaluation:
        pictures = pictures and self.pictured is not None
        return Evaluation(self.stack, step, self._evaluator(self._tensor(p), pictures=pictures))

    # State ----------------------------------------------------------------------------------

    @property
    def state(self) -> TrainState:
        """The complete training state; setting it resumes from there."""
        optimizer = {}
        for name, value in self._stack.state().items():
            optimizer[name] = np.zeros_like(self._ended)
            optimizer[name][self._stack.rows] = value.cpu().numpy()
            optimizer[name][list(self.diverged)] = 0
        return TrainState(
            step=self.step,
            parameters=self._current(),
            optimizer=optimizer,
            lr=self._lr.copy(),
            reference=self._reference.copy(),
            warmed=self._warmed.copy(),
            window=self._recorder.window.copy(),
            last_loss=self._recorder.last_loss.copy(),
            best_loss=self._recorder.best_loss.copy(),
            last_row=dict(self._recorder.last_row),
            diverged=dict(self.diverged),
            evaluations=tuple(self._due),
        )

    @state.setter
    def state(self, state: TrainState) -> None:
        self.step = state.step
        self.diverged = dict(state.diverged)
        self._due = list(state.evaluations)
        self._lr, self._reference = state.lr.copy(), state.reference.copy()
        self._warmed = state.warmed.copy()
        self._recorder.window = state.window.copy()
        self._recorder.last_loss = state.last_loss.copy()
        self._recorder.best_loss = state.best_loss.copy()
        self._recorder.last_row = dict(state.last_row)
        self._ended = state.parameters.copy()
        # As `_drop` left it: runs that ended after the last fixed step are still in the stack.
        dropped_until = self.step // self._block * self._block
        rows = [
            row
            for row in range(len(self.runs))
            if row not in self.diverged or self.diverged[row].step > dropped_until
        ]
        memory = {name: self._tensor(value[rows]) for name, value in state.optimizer.items()}
        self._stack = self._stacked(rows, self._tensor(state.parameters[rows]), memory)
