"""Planes, windows, and landscapes as they are stored."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuitrain.record import store
from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.inbox import Probe, receive, send
from tuitrain.record.landscape import Landscape, Plane, Window, flat, principal, through
from tuitrain.record.reader import StoreReader
from tuitrain.record.store import StoreWriter
from tuitrain.spec.recording import Layout

PLANE = through(0, 1, [0.0, 0.0], ["w", "b"])
WINDOW = Window((-1.0, 2.0), (0.0, 4.0))
LOSS = np.array([[1.0, 2.0, np.inf], [np.nan, -3.5, 1e300]])


def test_a_plane_of_two_weights_keeps_their_values_as_coordinates() -> None:
    plane = through(2, 0, [9.0, 7.0, 9.0], ["a", "b", "c"])
    assert plane.names == ("c", "a")
    assert plane.points([5.0], [6.0]).tolist() == [[6.0, 7.0, 5.0]]
    x, y = plane.project([[6.0, 1.0, 5.0]])
    assert (x.tolist(), y.tolist()) == ([5.0], [6.0])


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 40), size=st.integers(2, 8))
def test_points_of_a_principal_plane_project_onto_themselves(
    seed: int, count: int, size: int
) -> None:
    random = np.random.default_rng(seed)
    plane = principal(random.normal(size=(count, size)))
    x, y = random.normal(size=(2, 5))
    across, up = np.array(plane.across), np.array(plane.up)
    np.testing.assert_allclose([across @ across, up @ up, across @ up], [1, 1, 0], atol=1e-9)
    np.testing.assert_allclose(plane.project(plane.points(x, y)), [x, y], atol=1e-9)


def test_principal_directions_are_those_of_the_greatest_spread() -> None:
    time = np.linspace(-1, 1, 101)
    points = np.stack([0 * time, 3 * time, 0 * time, time**2 - np.mean(time**2)], axis=1)
    plane = principal(points + 5.0)
    np.testing.assert_allclose(plane.across, [0, 1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(plane.up, [0, 0, 0, 1], atol=1e-12)
    share = 3.06 / (3.06 + np.mean((time**2 - np.mean(time**2)) ** 2))
    assert plane.names == (f"PC1 ({share:.0%})", f"PC2 ({1 - share:.0%})")


def test_the_largest_numbers_have_principal_directions() -> None:
    points = np.array([[-1e308, 0, 1e300], [-1e308, 1e305, 1e300], [-1e308, -1e305, 1e300]])
    plane = principal(points)
    assert np.isfinite([*plane.origin, *plane.across, *plane.up]).all()
    np.testing.assert_allclose(np.abs(plane.across), [0, 1, 0], atol=1e-9)


def test_columns_project_as_rows_do() -> None:
    random = np.random.default_rng(1)
    points = random.normal(size=(4, 7, 3))
    plane = principal(points.reshape(-1, 3))
    by_columns = plane.project_columns([points[..., i] for i in range(3)])
    np.testing.assert_allclose(by_columns, plane.project(points), atol=1e-12)


def test_weights_in_one_row() -> None:
    weights = {"w": np.array([[1.0], [2.0]], np.float32), "b": np.array([3.0], np.float32)}
    assert flat(weights).tolist() == [1.0, 2.0, 3.0]


def test_windows() -> None:
    assert WINDOW.widened(0.5) == Window((-2.5, 3.5), (-2.0, 6.0))
    assert WINDOW.widened(0.1).contains(WINDOW)
    assert not WINDOW.contains(WINDOW.widened(0.1))
    assert WINDOW.overlap(Window((1.0, 5.0), (-1.0, 1.0))) == 1.0
    assert WINDOW.overlap(Window((3.0, 5.0), (0.0, 1.0))) == 0.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.db"


def write(path: Path, *landscapes: Landscape) -> None:
    with contextlib.closing(StoreWriter(path, [Layout(1, {"loss": "float64"})])) as writer:
        for landscape in landscapes:
            with writer.transaction():
                writer.landscape(landscape)


def test_what_is_stored_is_read_again(path: Path) -> None:
    write(path, Landscape(3, PLANE, WINDOW, LOSS))
    with contextlib.closing(StoreReader(path)) as reader:
        ((key, found),) = reader.landscapes()
        assert list(reader.landscapes(after=key)) == []
    assert (found.stack, found.plane, found.window) == (3, PLANE, WINDOW)
    np.testing.assert_array_equal(found.loss, LOSS)
    assert found.x.tolist() == [-1.0, 0.5, 2.0]
    assert found.y.tolist() == [0.0, 4.0]


def test_the_oldest_of_a_stack_go(path: Path) -> None:
    many = [Landscape(0, PLANE, WINDOW, LOSS + i) for i in range(store.KEPT + 3)]
    write(path, Landscape(1, PLANE, WINDOW, LOSS), *many)
    with contextlib.closing(StoreReader(path)) as reader:
        kept = [landscape for _, landscape in reader.landscapes()]
    assert [it.stack for it in kept] == [1] + [0] * store.KEPT
    np.testing.assert_array_equal(kept[1].loss, LOSS + 3)


def test_a_damaged_one_is_left_out(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(path, *(Landscape(0, PLANE, WINDOW, LOSS + i) for i in range(2)))
    with contextlib.closing(sqlite3.connect(path)) as database:
        (data,) = database.execute("SELECT data FROM probes WHERE id = 1").fetchone()
        damaged = bytes([data[0] ^ 1]) + data[1:]
        database.execute("UPDATE probes SET data = ? WHERE id = 1", (damaged,))
        database.commit()
    with contextlib.closing(StoreReader(path)) as reader:
        ((key, found),) = reader.landscapes()
    assert key == 2
    np.testing.assert_array_equal(found.loss, LOSS + 1)
    assert "landscape 1 is left out" in caplog.text


def test_a_store_that_ended_takes_further_landscapes(path: Path) -> None:
    write(path)
    with contextlib.closing(StoreWriter(path)) as writer, writer.transaction():
        writer.landscape(Landscape(0, PLANE, WINDOW, LOSS))
    with contextlib.closing(StoreReader(path)) as reader:
        assert len(list(reader.landscapes())) == 1
        assert reader.layouts() == [Layout(1, {"loss": "float64"})]


def test_a_probe_is_a_command(folder: ExperimentFolder) -> None:
    probe = Probe(0, PLANE, WINDOW, 40, 30)
    name = send(folder, probe)
    assert receive(folder) == [(name, probe)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"columns": 1},
        {"rows": 100_000},
        {"window": Window((1.0, 1.0), (0.0, 1.0))},
        {"window": Window((0.0, float("inf")), (0.0, 1.0))},
        {"plane": Plane([0.0], [1.0, 0.0], [0.0, 1.0], ("a", "b"))},
    ],
)
def test_a_probe_that_cannot_be_answered_is_no_command(
    folder: ExperimentFolder, wrong: dict[str, object]
) -> None:
    document = {"stack": 0, "plane": PLANE, "window": WINDOW, "columns": 40, "rows": 30} | wrong
    text = msgspec.json.encode({"command": "probe"} | document)
    folder.inbox.joinpath("1.json").write_bytes(text)
    assert receive(folder) == []
    assert (folder.inbox / "rejected" / "1.json").exists()
