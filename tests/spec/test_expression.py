"""Formulas in w: what they mean, and that nothing but arithmetic gets through."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tuitrain.spec.expression import FUNCTIONS, check, evaluate

W = np.linspace(0.1, 1.5, 7)


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("(w + 1)^2", (W + 1) ** 2),
        ("(w + 1)**2", (W + 1) ** 2),
        ("-w^2", -(W**2)),
        ("2^w", 2**W),
        ("w^2^0.5", W ** (2**0.5)),
        ("(w−1)²·3 + w³", (W - 1) ** 2 * 3 + W**3),  # noqa: RUF001
        ("sin(w) + cos(2*w)/tan(w)", np.sin(W) + np.cos(2 * W) / np.tan(W)),
        ("exp(-w) * log(w) - sqrt(w)", np.exp(-W) * np.log(W) - np.sqrt(W)),
        ("tanh(w) + abs(w - 1)", np.tanh(W) + abs(W - 1)),
        ("w * sin(pi / 2) + e", W + np.e),
        ("sqrt(w - 2)^2 + log(0.05 - w)", np.full(7, np.nan)),
        (" w ", W),
    ],
)
def test_value(formula, value):
    check(formula)
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(evaluate(formula, W), value, rtol=1e-15)
    tensor = evaluate(formula, torch.tensor(W))
    np.testing.assert_allclose(tensor.numpy(), value, rtol=1e-14)


@given(st.floats(-3, 3))
def test_a_single_number(w):
    assert evaluate("(w + 1)^2", np.float64(w)) == (w + 1) ** 2


def test_it_can_be_differentiated():
    w = torch.tensor(5.0, requires_grad=True)
    evaluate("(w + 1)^2", w).backward()
    assert w.grad == 12


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_agree_on_numbers_arrays_and_tensors(name):
    constant = evaluate(f"w + {name}(0.5)", np.zeros(1))[0]
    array = evaluate(f"{name}(w)", np.array([0.5]))[0]
    tensor = evaluate(f"{name}(w)", torch.tensor([0.5], dtype=torch.float64))[0]
    assert constant == pytest.approx(array, rel=1e-15)
    assert float(tensor) == pytest.approx(array, rel=1e-15)


REFUSED = {
    "": "invalid syntax",
    "w +": "invalid syntax",
    "(w": "'(' was never closed",
    "v + 1": "unknown name v",
    "sinh(w)": "unknown function sinh",
    "sin(w, w)": "sin(w, w) is not arithmetic on w",
    "sin(x=w)": "sin(x=w) is not arithmetic on w",
    "w.real": "w.real is not arithmetic on w",
    "w[0]": "w[0] is not arithmetic on w",
    "__import__('os')": "unknown function __import__",
    "(lambda: w)()": "(lambda: w)() is not arithmetic on w",
    "w if w else 1": "w if w else 1 is not arithmetic on w",
    "w @ w": "w @ w is not arithmetic on w",
    "w // 2": "w // 2 is not arithmetic on w",
    "w < 1": "w < 1 is not arithmetic on w",
    "w + True": "True is not arithmetic on w",
    "w + 1j": "1j is not arithmetic on w",
    "w + 'a'": "'a' is not arithmetic on w",
    "sin": "unknown name sin",
    "1 + 2": "it does not depend on w",
    "w + 1/0": "division by zero",
    "w / 0": "division by zero",
    "w + 9^9^9^9": "a number is too large",
    "w + (0-1)^0.5": "a number is not real",
    "w + sqrt(0-1)": "math domain error",
    "abs((0-1)^0.5 * w)": "a number is not real",
    "abs(((0-1)^0.5)^w)": "a number is not real",
    "w + 1e999": "a number is too large",
    "w" + " + w" * 100: "longer than 200 characters",
}


@pytest.mark.parametrize(("formula", "reason"), REFUSED.items())
def test_refused(formula, reason):
    with pytest.raises(ValueError, match=re.escape(reason)):
        check(formula)


@pytest.mark.parametrize("formula", ["log(w+1)", "sqrt(w-1)", "sin(1e999*w)", "exp(w^2)"])
def test_where_it_has_no_value_numpy_says_so_and_nothing_is_raised(formula):
    with np.errstate(all="ignore"):
        for w in (np.float64(-1e200), np.array(-1e200), np.array([-1e200])):
            assert not np.isfinite(evaluate(formula.replace("1e999", "1e300"), w)).any()


@given(st.text(st.sampled_from("w+-*/^()., 12e_[]{}:'lambdsinqrt="), max_size=40))
def test_any_text_is_a_formula_or_a_reason(text):
    reason = None
    try:
        check(text)
    except ValueError as error:
        reason = str(error)
    if reason is None:
        with np.errstate(all="ignore"):
            assert np.shape(evaluate(text, W)) == W.shape
    else:
        assert reason
