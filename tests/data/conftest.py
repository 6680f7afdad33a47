"""Presets that differ in their data alone."""

from __future__ import annotations

import pytest

from tuitrain.data import dataset
from tuitrain.spec.load import decode


def preset_of(kind, loss="mse", **data):
    """A preset of a network, by kind of data, kind or table of the loss, and keys of `data`."""
    document = {
        "title": kind,
        "data": {"kind": kind, **data},
        "model": {"kind": "network"},
        "loss": {"kind": loss} if isinstance(loss, str) else loss,
        "optimizer": {"name": "sgd", "lr": 0.1},
        "train": {"steps": 1},
    }
    return decode(document, kind)


@pytest.fixture
def rows():
    """The dataset by kind of data, loss and keys of `data`."""
    return lambda kind, loss="mse", **data: dataset(preset_of(kind, loss, **data))
