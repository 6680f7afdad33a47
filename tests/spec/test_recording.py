"""What a run records: names and types of its series, and when steps are thinned out."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tuitrain.spec.catalogue import find
from tuitrain.spec.comparison import compare
from tuitrain.spec.experiment import run_name, single
from tuitrain.spec.recording import (
    MAX_RECORDED_WEIGHTS,
    RECORDING_BUDGET,
    TENSOR_STATISTICS,
    Chunk,
    element_names,
    layout,
)
from tuitrain.spec.size import shapes


def test_names_of_elements():
    assert element_names("w", ()) == ["w"]
    assert element_names("b", (2,)) == ["b[0]", "b[1]"]
    assert element_names("w", (2, 2)) == ["w[0,0]", "w[0,1]", "w[1,0]", "w[1,1]"]


def test_every_weight_of_a_small_model():
    small = layout(shapes(find("line-fit")), runs=1, steps=10_000, dtype="float64")
    assert small.series == ("loss", "lr", "grad_norm", "w[0,0]", "b[0]")
    assert small.stride == 1


def test_the_learning_rate_keeps_its_precision():
    dtypes = layout({"w": (2, 1)}, runs=1, steps=10, dtype="float32").dtypes
    assert {name for name, dtype in dtypes.items() if dtype == "float64"} == {"lr"}


def test_statistics_of_a_large_model():
    edge = layout({"w": (MAX_RECORDED_WEIGHTS, 1)}, 1, 10, "float32")
    assert edge.series[-1] == f"w[{MAX_RECORDED_WEIGHTS - 1},0]"
    large = layout({"w": (MAX_RECORDED_WEIGHTS, 1), "b": (1,)}, 1, 10, "float32")
    assert large.series[3:] == tuple(
        f"{name}.{statistic}" for name in "wb" for statistic in TENSOR_STATISTICS
    )


@given(
    runs=st.integers(1, 10_000),
    steps=st.integers(1, 10**9),
    size=st.integers(1, 200),
    stacks=st.integers(1, 100),
)
def test_a_recording_keeps_to_its_budget(runs, steps, size, stacks):
    recorded = layout({"w": (size,)}, runs, steps, "float32", stacks)
    assert recorded.stride & (recorded.stride - 1) == 0
    values = runs * (steps // recorded.stride) * len(recorded.series)
    assert stacks * values <= RECORDING_BUDGET
    thinned = {"loss_min", "loss_max"} & set(recorded.series)
    assert bool(thinned) == (recorded.stride > 1)


def test_runs_record_as_much_in_many_stacks_as_in_one():
    one = layout({"w": (2,)}, 10_000, 10_000, "float32")
    parts = layout({"w": (2,)}, 400, 10_000, "float32", stacks=25)
    assert one.stride == parts.stride > 1


def test_steps_of_a_chunk():
    chunk = Chunk(0, first=4, stride=4, series={"loss": np.zeros((2, 3), np.float32)})
    assert (chunk.rows, chunk.last) == (3, 12)


def test_stacks_are_the_runs_of_each_preset_in_order():
    sales, line = find("sales-mse"), find("line-fit")
    mixed = compare([sales, line], optimizers=["sgd", "adam"])
    reordered = replace(mixed, runs=mixed.runs[::-1])
    for experiment in (mixed, reordered):
        stacks = experiment.stacks()
        presets = [{experiment.runs[i].preset for i in stack} for stack in stacks]
        assert presets == [{name} for name in experiment.presets]
        assert stacks == [sorted(stack) for stack in stacks]
        assert sorted(i for stack in stacks for i in stack) == [0, 1, 2, 3]
    assert reordered.stacks() == [[2, 3], [0, 1]]


def test_a_single_run_is_the_preset_itself():
    preset = find("book-mse")
    experiment = single(preset, device="cpu")
    (run,) = experiment.runs
    assert run.name == "book-mse adam lr=0.001 seed=0"
    assert (run.optimizer, run.schedule, run.seed) == (
        preset.optimizer,
        preset.schedule,
        preset.train.seed,
    )
    assert experiment.presets == {"book-mse": preset}
    assert experiment.stacks() == [[0]]
    assert run_name("p", preset.optimizer, 3) == "p adam lr=0.001 seed=3"
