"""Evaluates weights: loss and accuracy on all rows, and the data for the plots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from tuitrain.data import Dataset, dataset
from tuitrain.data.plane import grid
from tuitrain.spec.evaluation import GRID, gridded
from tuitrain.spec.loss import AnyLoss, BinaryCrossEntropy, Expression, Hinge, SoftmaxCrossEntropy
from tuitrain.spec.preset import Preset
from tuitrain.spec.size import classes, image
from tuitrain.train.losses import Loss, data_loss, targets

Values = dict[str, NDArray[np.generic]]

MEMORY = 2**22
"""Values (runs x rows x units) that are worked out at once."""

NO_CLASS = -1
"""The class predicted where a prediction is not a number."""


@dataclass(frozen=True)
class _Rows:
    """Some rows.

    Attributes:
        x: inputs, [inputs, N].
        target: what the loss compares with.
        label: class of each row, [N]; None where rows have none.
    """

    x: torch.Tensor
    target: torch.Tensor
    label: torch.Tensor | None


@dataclass(frozen=True)
class _Evaluated:
    """The predictions of a stack for some rows.

    Attributes:
        loss: [R], without the regularisation penalty.
        outputs: [R, outputs, N].
        predicted: class predicted, [R, N].
        label: the true one, [N]; None where rows have none.
    """

    loss: torch.Tensor
    outputs: torch.Tensor
    predicted: torch.Tensor
    label: torch.Tensor | None

    def accuracy(self) -> torch.Tensor | None:
        """Fraction of rows classified correctly, [R]; None where rows have no class."""
        if self.label is None:
            return None
        right = self.predicted.eq(self.label).sum(1).double()
        # CUDA divides by a scalar by multiplying with its reciprocal: 49/49 is less than 1 then.
        return right / torch.full_like(right, len(self.label))


class Evaluator:
    """Evaluates the weights of a preset's runs.

    Args:
        preset: the model, the loss and the data.
        data: its rows.
        dtype: in which values are worked out.
        device: where they are worked out.
    """

    def __init__(
        self, preset: Preset, data: Dataset, dtype: torch.dtype, device: torch.device
    ) -> None:
        self._kind, self._classes, self._image = preset.loss, classes(preset), image(preset)
        self._loss = Loss(preset, dtype, device)

        def tensor(values: NDArray[np.float64]) -> torch.Tensor:
            return torch.from_numpy(values).to(device, dtype)

        self._train = self._rows(tensor(data.x), tensor(data.y))
        self._test = self._rows(tensor(data.x_test), tensor(data.y_test))
        self._grid = tensor(grid(data, GRID)).T.contiguous() if gridded(preset) else None

    def _rows(self, x: torch.Tensor, y: torch.Tensor) -> _Rows:
        return _Rows(x.T.contiguous(), targets(self._kind, y), labels(y) if self._classes else None)

    @torch.no_grad()
    def loss(self, p: torch.Tensor) -> torch.Tensor:
        """The objective `[R]` at the flat parameters `p` `[R, P]` on the training rows."""
        parts = [self._loss_of_data(part, self._train) for part in torch.split(p, self.at_once)]
        return self._with_penalty(torch.cat(parts), p)

    @property
    def at_once(self) -> int:
        """Runs whose training rows fit `MEMORY`."""
        return max(MEMORY // self.values, 1)

    @property
    def values(self) -> int:
        """Activations of the training rows in the widest layer of the model."""
        return max(self._train.x.shape[1] * self._loss.model.widest, 1)

    @torch.no_grad()
    def __call__(self, p: torch.Tensor, *, pictures: bool = False) -> Values:
        """The values of a `spec.recording.Evaluation` of the flat parameters `p` `[R, P]`."""
        if isinstance(self._kind, Expression):
            return arrays({"loss": self.loss(p).double()})
        parts = [self._values(part, pictures) for part in torch.split(p, self._runs_at_once)]
        return arrays({name: torch.cat([part[name] for part in parts]) for name in parts[0]})

    @property
    def _runs_at_once(self) -> int:
        """Runs whose predictions of the training rows, the test rows or the grid fit `MEMORY`."""
        points = 0 if self._grid is None else self._grid.shape[1]
        rows = max(self._train.x.shape[1], self._test.x.shape[1], points, 1)
        return max(MEMORY // (rows * self._loss.model.widest), 1)

    def _values(self, p: torch.Tensor, pictures: bool) -> dict[str, torch.Tensor]:
        """As a call, of as many runs as fit into `MEMORY`."""
        train = self._evaluated(p, self._train)
        test = self._evaluated(p, self._test) if self._test.x.shape[1] else None
        found = {"loss": self._with_penalty(train.loss, p)}
        if self._loss.penalty is not None:
            found["data_loss"] = train.loss
        accuracy = train.accuracy()
        if accuracy is not None and self._train.x.shape[1] > 1:  # of a single row it is no share
            found["accuracy"] = accuracy
        if test is not None:
            found["test_loss"] = test.loss
            if (accuracy := test.accuracy()) is not None:
                found["test_accuracy"] = accuracy
        found = {name: value.double() for name, value in found.items()}
        return found | self._pictures(p, test or train) if pictures else found

    def _with_penalty(self, loss: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
        return loss if self._loss.penalty is None else loss + self._loss.penalty(p)[0]

    def _loss_of_data(self, p: torch.Tensor, rows: _Rows) -> torch.Tensor:
        if isinstance(self._kind, Expression):
            return self._loss.of_data(p, rows.x, rows.target)
        return data_loss(self._kind, self._outputs(p, rows.x), rows.target)

    def _outputs(self, p: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """Predictions `[R, outputs, N]` of so few runs that some rows at once fit `MEMORY`."""
        model = self._loss.model
        divided = torch.split(x, max(MEMORY // model.widest, 1), 1)
        return torch.cat([model(p, some).expand(-1, -1, some.shape[1]) for some in divided], 2)

    def _evaluated(self, p: torch.Tensor, rows: _Rows) -> _Evaluated:
        outputs = self._outputs(p, rows.x)
        loss = data_loss(self._kind, outputs, rows.target)
        return _Evaluated(loss, outputs, predicted_class(self._kind, outputs), rows.label)

    # Pictures -------------------------------------------------------------------------------

    def _pictures(self, p: torch.Tensor, evaluated: _Evaluated) -> dict[str, torch.Tensor]:
        """What the pictures are drawn from; `evaluated` are the test rows, if there are any."""
        found = {"weights": p}
        if self._grid is not None:
            outputs = self._outputs(p, self._grid)
            if self._classes:
                outputs = probabilities(self._kind, outputs)
            found["grid"] = outputs.float().mT.reshape(len(p), GRID, GRID, -1)
        if evaluated.label is not None:
            found["confusion"] = confusion(evaluated.label, evaluated.predicted, self._classes)
            if self._image:
                found["predicted"] = evaluated.predicted.short()
                shares = probabilities(self._kind, evaluated.outputs)
                found["probability"] = probability_of(shares, evaluated.predicted).float()
        return found


def rows_of(preset: Preset) -> Dataset:
    """The dataset of a preset; where it has none, one row of nothing."""
    nothing = np.empty((1, 0))
    return dataset(preset) or Dataset(
        x=nothing,
        y=nothing,
        x_test=nothing[:0],
        y_test=nothing[:0],
        inputs=(),
        classes=(),
        mean=np.empty(0),
        std=np.empty(0),
    )


def arrays(tensors: dict[str, torch.Tensor]) -> Values:
    return {name: value.cpu().numpy() for name, value in tensors.items()}


# Classes ----------------------------------------------------------------------------------------


def labels(y: torch.Tensor) -> torch.Tensor | None:
    """The class `[N]` that each row of `y` `[N, outputs]` tells; None where one tells none.

    Of one column, 0 or 1 is the class itself; of several, the place of the single 1.
    """
    hard = ((y == 0) | (y == 1)).all()
    if y.shape[1] == 1:
        return y[:, 0].long() if hard else None
    return y.argmax(1) if hard & (y.sum(1) == 1).all() else None


def predicted_class(kind: AnyLoss, outputs: torch.Tensor) -> torch.Tensor:
    """The class `[R, N]` that each prediction `[R, outputs, N]` is for; `NO_CLASS` for NaN.

    Of one output, class 1 lies above 0 where the loss takes a logit, else above a half.
    """
    # max and not argmax: it passes a NaN on, and is ten times as fast across units
    greatest, place = outputs.max(1)
    if outputs.shape[1] == 1:
        border = 0.0 if isinstance(kind, BinaryCrossEntropy | Hinge) else 0.5
        place = (greatest > border).long()
    return place.masked_fill(greatest.isnan(), NO_CLASS)


def probabilities(kind: AnyLoss, outputs: torch.Tensor) -> torch.Tensor:
    """Probability of each class, of the outputs `[R, outputs, N]`; of class 1 for one output.

    Of a hinge loss, whose margins are no probabilities, a score to shade by."""
    match kind:
        case SoftmaxCrossEntropy():
            return outputs.softmax(1)
        case BinaryCrossEntropy() | Hinge():
            return outputs.sigmoid()
    return outputs.clamp(0, 1)


def probability_of(shares: torch.Tensor, predicted: torch.Tensor) -> torch.Tensor:
    """Of the probabilities `[R, outputs, N]`, that of the class `[R, N]` that is predicted."""
    if shares.shape[1] == 1:
        return torch.where(predicted == 1, shares[:, 0], 1 - shares[:, 0])
    return shares.gather(1, predicted.clamp_min(0).unsqueeze(1)).squeeze(1)


def confusion(label: torch.Tensor, predicted: torch.Tensor, classes: int) -> torch.Tensor:
    """How many rows of each true class were predicted as each class: int32 `[R, C, C]`.

    Rows without a predicted class are not counted.
    """
    runs = torch.arange(len(predicted), device=predicted.device).unsqueeze(1)
    cell = ((runs * classes + label) * classes + predicted)[predicted != NO_CLASS]
    counts = torch.bincount(cell, minlength=len(predicted) * classes**2)
    return counts.reshape(-1, classes, classes).int()
