"""What all tests share."""

from __future__ import annotations

import gc
import os

import pytest
from hypothesis import settings

# What the user has set for a terminal is not what is tested; read before tuitrain is imported.
for name in ("NO_COLOR", "TUITRAIN_MARKERS"):
    os.environ.pop(name, None)

# No deadline: a busy machine is no failure. In CI the same examples every time, so that a red
# run can be repeated; at a desk new ones, which find more.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cuda", action="store_true", help="train on a GPU in tests/cuda")


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("--cuda"):
        # The other tests have the bits of the processor for a measure.
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--cuda"):
        skip = pytest.mark.skip(reason="needs a GPU: pytest --cuda tests/cuda")
        for item in items:
            if item.path.parent.name == "cuda":
                item.add_marker(skip)


def pytest_collection_finish() -> None:
    """What is there by now stays; screens are drawn with as little collecting as for users."""
    from tuitrain.cli.dashboard import COLLECT_AFTER

    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 4, 4)
