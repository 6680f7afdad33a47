"""Norms and sums of the rows of a block."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from tuitrain.train.reductions import folded_norms, folded_sums, norms

Reduction = Callable[[torch.Tensor], torch.Tensor]


@pytest.mark.parametrize("norm", [norms, folded_norms])
@pytest.mark.parametrize("size", [1e-40, 1e-30, 1e-20, 1e-3, 1.0, 1e15, 1e20, 1e30, 5e37])
def test_norms_have_the_range_of_their_dtype(norm: Reduction, size: float) -> None:
    values = size * torch.tensor([[[3.0, 4.0], [0.0, 0.0]]])
    assert norm(values).dtype == torch.float32
    assert norm(values)[0].tolist() == pytest.approx([5 * size, 0.0], rel=1e-5)
    assert norm(values.double())[0].tolist() == pytest.approx([5 * size, 0.0], rel=1e-5)
    assert not norm(values * torch.inf)[0, 0].isfinite()
    assert norm(values * torch.nan).isnan().all()


@pytest.mark.parametrize("length", [1, 2, 3, 64, 127, 1000])
def test_folded_sums_are_sums_whose_bits_do_not_depend_on_the_other_rows(length: int) -> None:
    values = torch.randn(9, 2, length, generator=torch.Generator().manual_seed(length))
    sums = folded_sums(values)
    torch.testing.assert_close(sums, values.double().sum(2).float(), rtol=0, atol=1e-5)
    for some in (slice(1), slice(2, 9), slice(3, 4), slice(0)):
        assert torch.equal(folded_sums(values[some]), sums[some])
        assert torch.equal(folded_norms(values[some]), folded_norms(values)[some])
