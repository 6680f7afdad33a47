from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuitrain.errors import InputError
from tuitrain.spec import ranges


def test_lists_and_ranges_of_numbers() -> None:
    assert ranges.numbers("1e-3, 1e-2", "--lr") == [0.001, 0.01]
    assert ranges.numbers("1e-4:1:log:5", "--lr") == [0.0001, 0.001, 0.01, 0.1, 1.0]
    assert ranges.numbers("0.1:1:lin:10", "--lr") == [x / 10 for x in range(1, 11)]
    assert ranges.numbers("0:1:lin:3,2", "--lr") == [0.0, 0.5, 1.0, 2.0]
    assert ranges.numbers("1e-4:1:log:32", "--lr") == pytest.approx(
        np.geomspace(1e-4, 1, 32).tolist(), rel=1e-12
    )


@given(
    st.floats(1e-12, 1e3), st.floats(1, 1e6), st.integers(2, 50), st.sampled_from(["log", "lin"])
)
def test_a_range_runs_from_end_to_end(start: float, factor: float, count: int, kind: str) -> None:
    found = ranges.numbers(f"{start!r}:{start * factor!r}:{kind}:{count}", "--lr")
    assert found[0] == pytest.approx(start, rel=1e-12)
    assert found[-1] == pytest.approx(start * factor, rel=1e-12)
    assert found == sorted(set(found))
    assert len(found) == count or factor < 1 + 1e-10


def test_what_is_listed_twice_counts_once() -> None:
    assert ranges.numbers("0.1,0.01,1e-1", "--lr") == [0.1, 0.01]
    assert ranges.optimizers("adam,sgd,adam", "-o") == ["adam", "sgd"]


def test_seeds_are_a_count_or_a_range() -> None:
    assert ranges.seeds("8", "--seeds") == 8
    assert ranges.seeds("3:7", "--seeds") == range(3, 7)


def test_values_are_parted_outside_brackets_and_quotes() -> None:
    assert ranges.values("0.8,0.9", "--set") == [0.8, 0.9]
    assert ranges.values("8,full", "--set") == [8, "full"]
    assert ranges.values("[[1],[2]],[[3],[4]]", "--set") == [[[1], [2]], [[3], [4]]]
    assert ranges.values('"a,b",c', "--set") == ["a,b", "c"]
    assert ranges.values("0.8:0.9:lin:3", "--set") == [0.8, 0.85, 0.9]
    assert [*map(repr, ranges.values("true,1,true", "--set"))] == ["True", "1"]


def test_seeds_are_a_number_a_range_or_a_list() -> None:
    assert ranges.seeds("8", "--seeds") == 8
    assert ranges.seeds("2:5", "--seeds") == range(2, 5)
    assert ranges.seeds("0, 3,5", "--seeds") == [0, 3, 5]
    assert ranges.seeds("7,0:3,1", "--seeds") == [7, 0, 1, 2]


def test_a_comma_within_a_schedule_parts_its_settings() -> None:
    given = "constant,cosine:end=0.01,warmup=100,step:every=10"
    assert ranges.schedules(given, "--schedule") == [
        "constant",
        "cosine:end=0.01,warmup=100",
        "step:every=10",
    ]


@pytest.mark.parametrize(
    ("parse", "text", "problem"),
    [
        (ranges.numbers, "1e-3,x", "'x' is not a number"),
        (ranges.numbers, "1e-3,,1", "an item is empty"),
        (ranges.numbers, "", "an item is empty"),
        (ranges.numbers, "nan", "'nan' is not a number"),
        (ranges.numbers, "1e-4:1", "'1e-4:1' is no range"),
        (ranges.numbers, "1e-4:1:exp:3", "'1e-4:1:exp:3' is no range"),
        (ranges.numbers, "1e-4:1:log:3.5", "is no range"),
        (ranges.numbers, "1e-4:1:log:0", "is empty"),
        (ranges.numbers, "1:1e-4:log:3", "is empty"),
        (ranges.numbers, "0:1:log:3", "has no logarithm"),
        (ranges.numbers, "1:2:lin:" + "9" * 5000, "is too long"),
        (ranges.seeds, "0", "no seed at all"),
        (ranges.seeds, "4:4", "no seed at all"),
        (ranges.seeds, "-1", "not a number of seeds"),
        (ranges.seeds, "0,x", "not a number of seeds"),
        (ranges.seeds, "0,,5", "an item is empty"),
        (ranges.seeds, "0,5:5", "no seed at all"),
        (ranges.seeds, "0,1:99999999999", "the list is too long"),
        (ranges.seeds, "1:2:3", "not a number of seeds"),
        (ranges.optimizers, "sgd,adamm", "no optimizer 'adamm'"),
        (ranges.values, "1,", "an item is empty"),
        (ranges.values, "0.9:0.8:lin:3", "is empty"),
    ],
)
def test_bad_items_are_named(parse: Callable[[str, str], object], text: str, problem: str) -> None:
    with pytest.raises(InputError, match=r"^--option") as error:
        parse(text, "--option")
    assert problem in str(error.value)
    assert "expected" in str(error.value)


def test_the_nearest_optimizer_is_named() -> None:
    with pytest.raises(InputError, match="expected adam"):
        ranges.optimizers("adm", "-o")
