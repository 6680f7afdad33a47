from __future__ import annotations

from pathlib import Path

import pytest

from tuitrain.record.folder import ExperimentFolder
from tuitrain.spec.catalogue import find
from tuitrain.spec.experiment import Experiment, single


@pytest.fixture
def experiment() -> Experiment:
    return single(find("line-fit"))


@pytest.fixture
def folder(tmp_path: Path, experiment: Experiment) -> ExperimentFolder:
    return ExperimentFolder.create(tmp_path / "runs", experiment)
