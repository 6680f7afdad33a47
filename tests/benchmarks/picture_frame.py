"""What a frame of the pictures of a network costs: `python tests/benchmarks/picture_frame.py`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import numpy as np
from rich.color import ColorSystem
from textual.app import App, ComposeResult

from tuitrain.record.landscape import Window
from tuitrain.ui.histories import Histories
from tuitrain.ui.widgets.boundary import BoundaryView, Scatter
from tuitrain.ui.widgets.confusion import ConfusionView
from tuitrain.ui.widgets.histogram import HistogramView
from tuitrain.ui.widgets.images import Guesses, ImagesView
from tuitrain.ui.widgets.plot import Plot

SIZES = ((35, 20), (80, 20), (60, 36))
"""Cells of a picture on screens of 120 x 40, 80 x 24 and 200 x 60."""


class Bench(App[None]):
    """One picture."""

    CSS = "Screen > * { width: 1fr; height: 1fr; }"

    def __init__(self, view: Plot) -> None:
        super().__init__()
        self.console._color_system = ColorSystem.TRUECOLOR
        self.view = view

    def compose(self) -> ComposeResult:
        yield self.view


def median_ms(work: Callable[[], object], times: int = 50) -> float:
    """Median CPU time, so that what else the machine does is not counted."""
    spent = []
    for _ in range(times):
        start = time.thread_time()
        work()
        spent.append(time.thread_time() - start)
    return 1000 * float(np.median(spent))


async def measure(
    name: str, view: Plot, show: Callable[[int], None], size: tuple[int, int]
) -> None:
    async with Bench(view).run_test(size=size) as pilot:
        show(0)
        await pilot.pause()
        frame = iter(range(1, 1000))

        def draw() -> object:
            show(next(frame))
            return view._drawn()

        cost = median_ms(draw)
        cells = view._drawn()
        strips = median_ms(lambda: [list(cells.runs(y, view._opaque)) for y in range(cells.height)])
        text = (
            f"{name:>20} {size[0]:>4} x {size[1]}: draw {cost:.2f} ms, all strips {strips:.2f} ms"
        )
        print(f"{text}, {len(view._inks):,} inks")


def boundary(classes: int) -> tuple[BoundaryView, Callable[[int], None]]:
    random = np.random.default_rng(0)
    window = Window((-5.0, 5.0), (-5.0, 5.0))
    x = random.uniform(-5, 5, (500, 2))
    names = tuple(map(str, range(classes)))
    target = random.integers(0, max(classes, 2), 500).astype(float)
    scatter = Scatter(x, target, np.arange(500) > 350, window, ("x1", "x2"), names)
    x1, x2 = np.meshgrid(np.linspace(-5, 5, 48), np.linspace(-5, 5, 48))
    radius, angle = np.hypot(x1, x2), np.arctan2(x2, x1)
    view = BoundaryView()

    def show(frame: int) -> None:
        turned = angle + 0.1 * frame + 1.3 * radius
        if classes <= 2:
            view.show(scatter, (1 / (1 + np.exp(-4 * np.sin(turned))))[..., None])
            return
        logits = np.stack([3 * np.sin(turned + k) for k in range(classes)], -1)
        view.show(scatter, np.exp(logits) / np.exp(logits).sum(-1, keepdims=True))

    return view, show


def images() -> tuple[ImagesView, Callable[[int], None]]:
    random = np.random.default_rng(0)
    pixels, true = random.random((360, 8, 8)), random.integers(0, 10, 360)
    view = ImagesView()

    def show(frame: int) -> None:
        taken = np.where(random.random(360) < 0.05, 0, true)
        view.show(Guesses(pixels, true, taken, random.random(360), tuple("0123456789")))

    return view, show


def confusion() -> tuple[ConfusionView, Callable[[int], None]]:
    view = ConfusionView()
    return view, lambda frame: view.show(np.eye(10, dtype=int) * frame + 1, tuple("0123456789"))


def histogram() -> tuple[HistogramView, Callable[[int], None]]:
    random = np.random.default_rng(0)
    histories = Histories({"w1": (64, 32), "b1": (32,), "w2": (32, 10), "b2": (10,)})
    weights = random.normal(0, 0.2, 2410)
    for step in range(0, 3000, 30):
        histories.add(step, weights := weights + random.normal(0, 0.01, 2410))
    view = HistogramView()

    def show(frame: int) -> None:
        histories.add(3000 + frame, weights)
        view.show(histories, 3000 + frame)

    return view, show


if __name__ == "__main__":
    for label, make in {
        "boundary, 2 classes": lambda: boundary(2),
        "boundary, 3 classes": lambda: boundary(3),
        "prediction": lambda: boundary(0),
        "images": images,
        "confusion": confusion,
        "histogram": histogram,
    }.items():
        for cells in SIZES:
            asyncio.run(measure(label, *make(), cells))
