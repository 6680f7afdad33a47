from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.reader import StoreReader
from tuitrain.record.store import StoreWriter
from tuitrain.spec.catalogue import find
from tuitrain.spec.experiment import Experiment, single
from tuitrain.spec.recording import Chunk, Layout

LAYOUT = Layout(2, {"loss": "float32", "lr": "float64"})


@pytest.fixture
def experiment() -> Experiment:
    return single(find("line-fit"))


@pytest.fixture
def folder(tmp_path: Path, experiment: Experiment) -> ExperimentFolder:
    return ExperimentFolder.create(tmp_path / "runs", experiment)


def chunk(first: int, rows: int = 4) -> Chunk:
    steps = np.arange(first, first + rows)
    loss = np.stack([1 / steps, 2 / steps]).astype(np.float32)
    return Chunk(0, first, 1, {"loss": loss, "lr": np.full((2, rows), 0.1)})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.db"


@pytest.fixture
def writer(path: Path) -> Iterator[StoreWriter]:
    with contextlib.closing(StoreWriter(path, [LAYOUT])) as writer:
        yield writer


@pytest.fixture
def reader(writer: StoreWriter, path: Path) -> Iterator[StoreReader]:
    with contextlib.closing(StoreReader(path)) as reader:
        yield reader
