"""Every schedule against its closed form and, where it has one, its twin in torch.optim."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import cos, floor, inf, pi
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from tuitrain.errors import InputError
from tuitrain.optim.schedules import (
    SCHEDULES,
    AnySchedule,
    Constant,
    Exponential,
    InverseTime,
    OneCycle,
    Schedule,
    format_schedule,
    parse_schedule,
)

TOTAL = 60

CLOSED_FORMS: list[tuple[str, Callable[[int], float]]] = [
    ("constant", lambda t: 1.0),
    ("exponential", lambda t: 0.99**t),
    ("exponential:decay=0.5,every=7", lambda t: 0.5 ** (t / 7)),
    ("exponential:decay=0.5,every=7,staircase=true", lambda t: 0.5 ** (t // 7)),
    ("inverse-time:decay=0.1", lambda t: 1 / (1 + 0.1 * t)),
    ("inverse-time:decay=2,every=5", lambda t: 1 / (1 + 2 * t / 5)),
    ("inverse-time:decay=2,every=5,staircase=true", lambda t: 1 / (1 + 2 * (t // 5))),
    ("step:every=25,gamma=0.3", lambda t: 0.3 ** floor(t / 25)),
    ("polynomial", lambda t: 1 - t / TOTAL),
    ("polynomial:end=0.2,power=2", lambda t: 0.2 + 0.8 * (1 - t / TOTAL) ** 2),
    ("polynomial:end=0.2,steps=40", lambda t: 0.2 + 0.8 * (1 - min(t, 40) / 40)),
    ("cosine", lambda t: (1 + cos(pi * t / TOTAL)) / 2),
    ("cosine:end=0.1,steps=40", lambda t: 0.1 + 0.9 * (1 + cos(pi * min(t, 40) / 40)) / 2),
    ("one-cycle:start=0,end=0,rise=0.5,steps=42",  # up to t = 20, down to t = 41
     lambda t: (1 - cos(pi * t / 20)) / 2 if t < 20 else (1 + cos(pi * min(t - 20, 21) / 21)) / 2),
]  # fmt: skip

Twin = Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler]

TWINS: list[tuple[str, Twin]] = [
    ("constant", partial(lr_scheduler.ConstantLR, factor=1.0)),
    ("constant:warmup=25,warmup_from=0.2",
     partial(lr_scheduler.LinearLR, start_factor=0.2, total_iters=25)),
    ("exponential:decay=0.9", partial(lr_scheduler.ExponentialLR, gamma=0.9)),
    ("step:every=25,gamma=0.3", partial(lr_scheduler.StepLR, step_size=25, gamma=0.3)),
    ("polynomial", partial(lr_scheduler.PolynomialLR, total_iters=TOTAL)),
    ("polynomial:power=3,steps=40", partial(lr_scheduler.PolynomialLR, total_iters=40, power=3)),
    ("cosine", partial(lr_scheduler.CosineAnnealingLR, T_max=TOTAL)),
    ("cosine:end=0.1", partial(lr_scheduler.CosineAnnealingLR, T_max=TOTAL, eta_min=0.1)),
    ("one-cycle", partial(lr_scheduler.OneCycleLR, max_lr=1.0, total_steps=TOTAL)),
    ("one-cycle:rise=1",
     partial(lr_scheduler.OneCycleLR, max_lr=1.0, total_steps=TOTAL, pct_start=1.0)),
    ("one-cycle:start=0.1,end=0.001,rise=0.25",
     partial(lr_scheduler.OneCycleLR, max_lr=1.0, total_steps=TOTAL, pct_start=0.25,
             div_factor=10.0, final_div_factor=100.0)),
    ("inverse-time:decay=0.1",
     partial(lr_scheduler.LambdaLR, lr_lambda=lambda t: 1 / (1 + 0.1 * t))),
]  # fmt: skip

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "warmup": st.integers(0, 10**6),
    "warmup_from": st.floats(0, 2),
    "decay": st.floats(1e-6, 1),
    "every": st.integers(1, 10**6),
    "staircase": st.booleans(),
    "gamma": st.floats(1e-6, 1),
    "end": st.floats(0, 2),
    "power": st.floats(0.1, 9),
    "steps": st.none() | st.integers(1, 10**6),
    "start": st.floats(0, 1),
    "rise": st.floats(0, 1),
}


def any_of(kind: type[Schedule]) -> st.SearchStrategy[Schedule]:
    return st.builds(kind, **{key: VALUES[key] for key in kind.__struct_fields__})


any_schedule = st.one_of([any_of(kind) for kind in SCHEDULES.values()])


@pytest.mark.parametrize(("spec", "formula"), CLOSED_FORMS)
def test_follows_its_closed_form(spec: str, formula: Callable[[int], float]) -> None:
    factors = parse_schedule(spec).factors(np.arange(TOTAL + 5), TOTAL)
    planned = [formula(t) for t in range(TOTAL)]
    np.testing.assert_allclose(factors[:TOTAL], planned, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", SCHEDULES)
def test_has_a_closed_form(name: str) -> None:
    assert name in {spec.partition(":")[0] for spec, _ in CLOSED_FORMS}


@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step()`")
@pytest.mark.parametrize(("spec", "twin"), TWINS)
def test_follows_torch(spec: str, twin: Twin) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = twin(optimizer)
    factors = []
    for _ in range(TOTAL):
        factors.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(factors) < TOTAL:
            scheduler.step()
    computed = parse_schedule(spec).factors(np.arange(TOTAL), TOTAL)
    np.testing.assert_allclose(computed, factors, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(("spec", "formula"), CLOSED_FORMS)
def test_warmup_comes_in_front(spec: str, formula: Callable[[int], float]) -> None:
    separator = "," if ":" in spec else ":"
    warmed = parse_schedule(f"{spec}{separator}warmup=10,warmup_from=0.5")
    factors = warmed.factors(np.arange(TOTAL + 10), TOTAL + 10)
    np.testing.assert_allclose(factors[:10], 0.5 + 0.05 * np.arange(10), rtol=1e-13)
    planned = [formula(t) for t in range(TOTAL)]
    np.testing.assert_allclose(factors[10:], planned, rtol=1e-13, atol=1e-15)


@given(any_schedule, st.integers(1, 10**6), st.integers(0, 2 * 10**6))
def test_factors_are_finite_and_do_not_depend_on_the_block(
    schedule: Schedule, total: int, done: int
) -> None:
    block = schedule.factors(done + np.arange(3), total)
    alone = [schedule.factors(done + k, total) for k in range(3)]
    assert block.dtype == np.float64
    assert block.shape == (3,)
    assert ((block >= 0) & np.isfinite(block)).all()
    np.testing.assert_allclose(block, alone, rtol=1e-15)


@given(st.integers(1, 40), st.floats(0, 1))
def test_one_cycle_reaches_its_end_however_short(total: int, rise: float) -> None:
    factors = OneCycle(end=0.01, rise=rise).factors(np.arange(total), total)
    assert factors.max() <= 1
    if total > 1 and rise < 1 - 1 / total:
        assert factors[-1] == pytest.approx(0.01)


def test_the_parabola_of_the_course() -> None:
    rates = 0.2 * Exponential(decay=0.99, every=1).factors(np.arange(40), 40)
    printed = {0: 0.2, 1: 0.198, 5: 0.19019800998, 20: 0.16358138751944618, 39: 0.13514580981205662}
    for epoch, rate in printed.items():
        assert rates[epoch] == pytest.approx(rate, rel=1e-13)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("spec", ["exponential:decay=2", "step:every=1,gamma=10"])
def test_a_rate_that_grows_without_end_is_infinite_without_a_word(spec: str) -> None:
    assert parse_schedule(spec).factors(np.arange(3000), 3000)[-1] == np.inf


def test_constant_is_exactly_one() -> None:
    assert (Constant().factors(np.arange(1000), 1000) == 1).all()


# SPEC --------------------------------------------------------------------------------------------


@given(any_schedule)
def test_format_and_parse_are_inverse(schedule: Schedule) -> None:
    assert parse_schedule(format_schedule(schedule)) == schedule


@given(any_schedule)
def test_decodes_from_a_preset(schedule: Schedule) -> None:
    assert msgspec.convert(msgspec.to_builtins(schedule), AnySchedule) == schedule


def test_format_leaves_out_defaults_and_ends_with_the_warmup() -> None:
    assert format_schedule(Constant()) == "constant"
    assert format_schedule(parse_schedule("cosine:warmup=100,end=0.01")) == (
        "cosine:end=0.01,warmup=100"
    )
    assert format_schedule(InverseTime(staircase=True)) == "inverse-time:staircase=true"


@pytest.mark.parametrize(
    ("typed", "plain"),
    {
        "step:gamma=.5": "step:gamma=0.5",
        "step:gamma=+5.": "step:gamma=5.0",
        "step:every=1e3": "step:every=1000",
        "exponential:staircase=1": "exponential:staircase=true",
    }.items(),
)
def test_a_number_is_written_as_one_likes(typed: str, plain: str) -> None:
    assert parse_schedule(typed) == parse_schedule(plain)


def test_spaces_and_empty_settings_do_no_harm() -> None:
    assert parse_schedule(" step: every = 3 ,") == parse_schedule("step:every=3")
    assert parse_schedule("cosine:") == parse_schedule("cosine")


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        ("cosin", "--schedule: no schedule 'cosin'; expected one of constant, exponential, "
         "inverse-time, step, polynomial, cosine, one-cycle (nearest: cosine)"),
        ("", "--schedule: no schedule ''; expected one of constant, exponential, "
         "inverse-time, step, polynomial, cosine, one-cycle"),
        ("step:evry=3", "--schedule step:evry=3: no key 'evry'; "
         "expected one of every, gamma, warmup, warmup_from (nearest: every)"),
        ("step:every=3.5", "--schedule step:every=3.5: every=3.5; expected a whole number"),
        ("step:every=0", "--schedule step:every=0: every=0; expected a whole number at least 1"),
        ("step:every", "--schedule step:every: every=; expected a whole number"),
        ("cosine:end=x", "--schedule cosine:end=x: end=x; expected a number"),
        ("cosine:end=-1", "--schedule cosine:end=-1: end=-1; expected a number at least 0"),
        ("cosine:end=inf", "--schedule cosine:end=inf: end=inf; "
         "expected a finite number at least 0"),
        ("cosine:end=nan", "--schedule cosine:end=nan: end=nan; "
         "expected a finite number at least 0"),
        ("cosine:steps=null", "--schedule cosine:steps=null: steps=null; "
         "expected a whole number"),
        ("exponential:decay=1e309", "--schedule exponential:decay=1e309: decay=1e309; "
         "expected a finite number above 0"),
        ("cosine:end=1,end=2", "--schedule cosine:end=1,end=2: end is given twice; "
         "expected one value"),
        ("exponential:staircase=maybe", "--schedule exponential:staircase=maybe: "
         "staircase=maybe; expected true or false"),
    ],
)  # fmt: skip
def test_a_bad_spec_is_told_in_one_line(spec: str, line: str) -> None:
    with pytest.raises(InputError) as error:
        parse_schedule(spec, where="--schedule")
    assert str(error.value) == line


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "step", "every": 0},
        {"kind": "step", "every": 2.5},
        {"kind": "step", "every": True},
        {"kind": "exponential", "staircase": 1},
        {"kind": "exponential", "decay": inf},
        {"kind": "exponential", "decay": 0.0},
        {"kind": "constant", "warmup": -1},
        {"kind": "constant", "decay": 0.9},
        {"kind": "sine"},
    ],
)
def test_decoding_is_strict(document: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(document, AnySchedule)


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_tells_its_formula_in_one_line(name: str) -> None:
    assert "lr" in (SCHEDULES[name].__doc__ or "")
    assert "\n" not in (SCHEDULES[name].__doc__ or "")
