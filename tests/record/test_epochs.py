"""Means of epochs, against sums that NumPy makes one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuitrain.record.epochs import EpochMean, windows
from tuitrain.spec.catalogue import find
from tuitrain.spec.comparison import compare
from tuitrain.spec.overrides import override


@given(st.integers(1, 7), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_windows_are_sums_over_the_last_values(size: int, count: int, seed: int) -> None:
    values = np.random.RandomState(seed).lognormal(sigma=8, size=(3, count))
    found = windows(values, size)
    for i in range(count):
        expected = values[:, max(0, i + 1 - size) : i + 1].sum(axis=1)
        np.testing.assert_allclose(found[:, i], expected, rtol=1e-12)


@pytest.mark.parametrize("blocks", [[50], [1] * 50, [3, 1, 16, 17, 13]])
def test_batches_count_by_their_rows_however_the_rows_come_in(blocks: list[int]) -> None:
    [preset] = compare([find("book-mse")], settings={"train.batch": [48]}).presets.values()
    sizes = np.array([48, 48, 32])  # of 128 rows
    losses = np.random.RandomState(0).rand(2, 50)
    means, first, found = EpochMean.of(preset), 1, []
    assert means is not None
    for size in blocks:
        found.append(means.of_rows(first, losses[:, first - 1 : first - 1 + size]))
        first += size
    for i, mean in enumerate(np.concatenate(found, axis=1).T):
        last = np.arange(max(0, i - 2), i + 1)
        weighted = (losses[:, last] * sizes[last % 3]).sum(axis=1) / sizes[last % 3].sum()
        np.testing.assert_allclose(mean, weighted, rtol=1e-12)


def test_full_batches_need_no_mean() -> None:
    assert EpochMean.of(find("sales-mse")) is None


def test_rows_behind_a_gap_are_not_mixed_with_those_before_it() -> None:
    mean = EpochMean(override(find("sales-mse"), {"train.batch": 8}))
    mean.of_rows(1, np.full((1, 4), 1.0))
    found = mean.of_rows(9, np.full((1, 3), 100.0))
    assert found.tolist() == [[100.0] * 3]
