from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tuitrain.record import chunks
from tuitrain.spec.recording import Chunk, Layout

DTYPES = {"loss": "float32", "lr": "float64", "w[0,0]": "float32"}


@st.composite
def recorded(draw: st.DrawFn) -> Chunk:
    shape = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    series = {name: draw(arrays(dtype, shape)) for name, dtype in DTYPES.items()}
    for name in draw(st.sets(st.sampled_from(list(DTYPES)))):
        series[name][:] = series[name][:, :1]
    first, stride = draw(st.integers(1, 10**12)), draw(st.sampled_from([1, 2, 8]))
    return Chunk(draw(st.integers(0, 3)), first, stride, series)


@given(recorded())
def test_every_bit_comes_back(chunk: Chunk) -> None:
    layout = Layout(len(chunk.series["loss"]), DTYPES, chunk.stride)
    back = chunks.decode(chunks.extent(chunk), chunks.encode(chunk), layout)
    assert (back.stack, back.first, back.stride) == (chunk.stack, chunk.first, chunk.stride)
    assert list(back.series) == list(chunk.series)
    for name, values in chunk.series.items():
        assert back.series[name].dtype == values.dtype
        assert back.series[name].tobytes() == values.tobytes()


@given(recorded())
def test_the_summary_is_of_the_finite_values(chunk: Chunk) -> None:
    layout = Layout(len(chunk.series["loss"]), DTYPES, chunk.stride)
    short = chunks.decode_summary(chunks.extent(chunk), chunks.summarise(chunk), layout)
    for s, values in enumerate(chunk.series.values()):
        for r, row in enumerate(values):
            finite = [float(x) for x in row if np.isfinite(x)]
            assert short.bad[s, r] == len(row) - len(finite)
            np.testing.assert_array_equal(short.last[s, r], float(row[-1]))
            np.testing.assert_array_equal(short.low[s, r], min(finite, default=np.nan))
            np.testing.assert_array_equal(short.high[s, r], max(finite, default=np.nan))


@pytest.mark.parametrize("change", [-1, 1])
def test_bytes_of_another_length_are_refused(change: int) -> None:
    chunk = Chunk(0, 1, 1, {name: np.ones((2, 3), dtype) for name, dtype in DTYPES.items()})
    layout = Layout(2, DTYPES)
    data, summary = chunks.encode(chunk), chunks.summarise(chunk)
    data, summary = (x[:-1] if change < 0 else x + b"\0" for x in (data, summary))
    with pytest.raises(chunks.ChunkError):
        chunks.decode(chunks.extent(chunk), data, layout)
    with pytest.raises(chunks.ChunkError):
        chunks.decode_summary(chunks.extent(chunk), summary, layout)


def test_big_endian_arrays_are_stored_as_every_machine_reads_them() -> None:
    values = np.array([[1.0, 2.5]])
    encoded = chunks.encode(Chunk(0, 1, 1, {"loss": values.astype(">f8")}))
    assert encoded.startswith(values.astype("<f8").tobytes())


def test_what_stays_the_same_is_stored_once() -> None:
    loss = np.arange(8000.0, dtype=np.float32).reshape(8, 1000)
    lr = np.full((8, 1000), 0.1)
    chunk = Chunk(0, 1, 1, {"loss": loss, "lr": lr})
    assert len(chunks.encode(chunk)) < loss.nbytes + 100
    lr[3, 500] = np.nextafter(0.1, 1)
    assert len(chunks.encode(chunk)) > loss.nbytes + lr.nbytes


def test_layouts_come_back_in_order() -> None:
    layouts = [Layout(3, DTYPES, 4), Layout(1, {"loss": "float64"})]
    back = chunks.layouts_from_json(chunks.layouts_to_json(layouts))
    assert back == layouts
    assert back[0].series == tuple(DTYPES)
