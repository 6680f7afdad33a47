"""When a training is judged, and which evaluations carry pictures."""

from __future__ import annotations

from math import ceil

import pytest
from msgspec import structs

from tuitrain.spec.catalogue import catalogue, find
from tuitrain.spec.evaluation import (
    LEAST,
    MOST,
    MOST_PICTURED,
    OVERHEAD,
    PICTURE_BYTES,
    gridded,
    picture_bytes,
    pictured,
    stride,
)
from tuitrain.spec.preset import Preset
from tuitrain.spec.size import batches_per_epoch, planned_steps


def lasting(name: str, steps: int) -> Preset:
    preset = find(name)
    return structs.replace(preset, train=structs.replace(preset.train, steps=steps, epochs=None))


def pictures(preset: Preset, runs: int = 1, stacks: int = 1) -> list[int]:
    """The steps of which a training has pictures."""
    every, nth = stride(preset), pictured(preset, runs, stacks)
    if every is None or nth is None:
        return []
    total = planned_steps(preset)
    return sorted({*range(0, total + 1, every * nth), total})


# Strides ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", catalogue())
def test_a_stride_is_whole_epochs_and_leaves_enough_to_watch(name: str) -> None:
    preset = find(name)
    every, epoch = stride(preset), batches_per_epoch(preset)
    if every is None:
        return
    assert every % epoch == 0
    evaluations = planned_steps(preset) // every
    assert evaluations <= MOST
    assert evaluations >= min(LEAST, planned_steps(preset) // epoch)
    if gridded(preset) and planned_steps(preset) >= 60 * epoch:
        assert evaluations >= 60


@pytest.mark.parametrize("name", ["beginner", "digits-softmax", "digits-mlp", "digits-cnn"])
def test_digits_are_judged_after_every_epoch(name: str) -> None:
    assert stride(find(name)) == batches_per_epoch(find(name))


@pytest.mark.parametrize(
    ("name", "steps", "every"),
    [
        ("iris", 2000, 16),  # epochs of 4 steps: no more often than OVERHEAD
        ("iris", 240, 4),  # LEAST
        ("iris", 100, 4),
        ("iris", 3, 3),
        ("iris", 80_000, 160),  # MOST
        ("xor-relu", 2000, OVERHEAD),  # an epoch is a step
        ("xor-relu", 30, 1),
        ("moons", 2000, 20),
        ("gauss", 600, 10),
    ],
)
def test_strides_by_hand(name: str, steps: int, every: int) -> None:
    assert stride(lasting(name, steps)) == every


# Pictures ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("stacks", [1, 3, 40, 300, 2000, 10_000])
@pytest.mark.parametrize("runs", [1, 7, 100, 2500, 10_000])
@pytest.mark.parametrize("name", ["moons", "spiral", "iris", "digits-mlp"])
def test_pictures_of_all_stacks_keep_to_their_room(name: str, runs: int, stacks: int) -> None:
    preset = find(name)
    at = pictures(preset, runs, stacks)
    size = runs * picture_bytes(preset)
    assert stacks * len(at) * size <= PICTURE_BYTES
    assert len(at) <= MOST_PICTURED + 1
    if at:
        assert (at[0], at[-1]) == (0, planned_steps(preset))
    else:
        assert stacks * 2 * max(size, 16 << 10) > PICTURE_BYTES - stacks * (32 << 10)


def test_a_product_over_settings_shares_the_room() -> None:
    """300 stacks with 31 pictures each took 87 MB."""
    preset = lasting("moons", 300)
    assert len(pictures(preset)) == len(pictures(preset, 1, 40)) == 31
    assert 5 <= len(pictures(preset, 1, 300)) <= 13


def test_where_even_two_do_not_fit_there_is_none() -> None:
    preset = find("spiral")
    most = PICTURE_BYTES // 2 // picture_bytes(preset)
    assert pictures(preset, most) == [0, planned_steps(preset)]
    assert pictured(preset, most + 1) is None
    assert pictured(preset, 10_000) is None


def test_as_many_as_there_is_room_for() -> None:
    preset = find("spiral")
    every = stride(preset)
    assert every is not None
    evaluations = ceil(planned_steps(preset) / every)
    runs = PICTURE_BYTES // 4 // picture_bytes(preset)
    assert pictured(preset, runs) == evaluations // 3
    assert len(pictures(preset, runs)) == 4


def test_where_nothing_is_judged_nothing_is_drawn() -> None:
    assert stride(find("line-fit")) is None
    assert pictured(find("line-fit"), 1) is None
