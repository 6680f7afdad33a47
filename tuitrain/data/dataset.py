"""The rows that a preset learns from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuitrain.spec.preset import Gaussian, Points, Preset, Sales
from tuitrain.spec.size import inputs_outputs


@dataclass(frozen=True)
class Dataset:
    """The rows of a dataset.

    Attributes:
        x: inputs, float64 [N, inputs]; no columns where the model has no inputs.
        y: targets, float64 [N, outputs].
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]


def dataset(preset: Preset) -> Dataset | None:
    """The dataset of a preset, the same at every call; None where it has none."""
    match preset.data:
        case None:
            return None
        case Points(x=x, y=y):
            inputs, outputs = inputs_outputs(preset)
            return Dataset(
                np.array(x, np.float64).reshape(len(y), inputs),
                np.array(y, np.float64).reshape(len(y), outputs),
            )
        case Sales() as sales:
            return _sales(sales)
        case Gaussian() as gaussian:
            return _gaussian(gaussian)


def _sales(sales: Sales) -> Dataset:
    """Source: Peking University TensorFlow course notes; all of x is drawn before the noise."""
    random = np.random.RandomState(sales.seed)
    x = random.rand(sales.rows, 2)
    noise = np.zeros(sales.rows)
    if sales.noise:
        # Divided as the course divides (rand()/10 - 0.05): a product would differ in last bits.
        noise = random.rand(sales.rows) / (1 / sales.noise) - sales.noise / 2
    return Dataset(x, (x[:, 0] + x[:, 1] + noise)[:, np.newaxis])


def _gaussian(gaussian: Gaussian) -> Dataset:
    random = np.random.RandomState(gaussian.seed)
    x = random.normal(gaussian.mean, gaussian.std, (gaussian.rows, len(gaussian.truth)))
    noise = random.normal(0, gaussian.noise, gaussian.rows)
    return Dataset(x, ((x * gaussian.truth).sum(axis=1) + noise)[:, np.newaxis])
