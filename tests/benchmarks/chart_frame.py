"""What a frame of the loss chart costs: `python tests/benchmarks/chart_frame.py`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import numpy as np
from textual.app import App, ComposeResult

from tuitrain.record.series import Series
from tuitrain.ui.widgets.chart import Chart
from tuitrain.ui.widgets.curves import Layer, Mark, Reference


class Bench(App[None]):
    """One chart of 120 x 40 cells."""

    def __init__(self, chart: Chart) -> None:
        super().__init__()
        self.chart = chart

    def compose(self) -> ComposeResult:
        yield self.chart


def median_ms(work: Callable[[], object], times: int = 50) -> float:
    """Median CPU time, so that what else the machine does is not counted."""
    spent = []
    for _ in range(times):
        start = time.thread_time()
        work()
        spent.append(time.thread_time() - start)
    return 1000 * float(np.median(spent))


def noisy_loss(rows: int) -> Series:
    random = np.random.default_rng(0)
    steps = np.arange(rows)
    series = Series(np.float32)
    series.append(1, 1, np.exp(0.3 * random.normal(size=rows) - steps / (rows / 5)))
    return series


async def measure(rows: int, smoothing: float) -> None:
    chart = Chart("loss", steps=rows)
    chart.styles.width, chart.styles.height = 120, 40
    chart.curves = [Layer("loss", noisy_loss(rows))]
    chart.marks, chart.references = [Mark(rows // 2, "paused")], [Reference(0.01, "expected")]
    chart.set_reactive(Chart.smoothing, smoothing)
    chart.set_reactive(Chart.log_y, True)
    async with Bench(chart).run_test(size=(120, 40)):
        cells = chart._drawn()
        draw = median_ms(chart._drawn)
        runs = median_ms(lambda: [list(cells.runs(y)) for y in range(cells.height)])
        columns = median_ms(lambda: chart.curves[0].series.columns(1, rows, 200))
        print(
            f"{rows:>10,} rows, smoothing {smoothing:g}: draw {draw:.2f} ms, "
            f"all strips {runs:.2f} ms, 200 columns {columns:.2f} ms"
        )


if __name__ == "__main__":
    for count in (15_000, 10_000_000):
        for weight in (0.0, 0.99):
            asyncio.run(measure(count, weight))
