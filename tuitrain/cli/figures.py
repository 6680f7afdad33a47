"""Figures for a paper, with matplotlib: the runs over their steps, and the learning-rate sweep."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter
from numpy.typing import NDArray

from tuitrain.errors import InputError
from tuitrain.record.bands import Band, Bands
from tuitrain.record.comparison import Comparison
from tuitrain.record.live import Recording
from tuitrain.record.series import Series
from tuitrain.record.sweep import Sweep, lines, sweep
from tuitrain.spec.grouping import Pane
from tuitrain.spec.recording import MAX_RECORDED_WEIGHTS

WIDTH = 7.0
"""Of a page's text, in inches."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Apart for every kind of colour vision (Okabe and Ito, 2008); their yellow is too pale."""

GREY = "#777777"

DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1.5, 1, 1.5)))
MARKERS = "os^Dv<>Ph"

COLUMNS = 300
"""Points across one axis, where there are more steps than twice as many."""

PALE = 0.2
"""Opacity of bands."""

ABOVE = 10.0
"""Losses more than so many times the loss at the start leave an axis at its top."""

LONG = 200
"""Steps from which on those of a sweep stand on a logarithmic axis."""

MOST_NAMED = 10
"""Weights, or learning rates of the only line, up to which each of them has its own style."""

STYLE = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.5,
    "axes.axisbelow": True,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.2,
    "savefig.dpi": 300,
    "svg.fonttype": "none",  # letters stay letters: they can be searched, and edited
    "svg.hashsalt": "tuitrain",  # the same recording gives the same file
}

Numbers = NDArray[np.float64]
Styles = dict[str, dict[str, Any]]


def write_figure(recording: Recording, format_: str, file: BinaryIO) -> None:
    """Draws what is recorded: of one run its loss, learning rate and weights, of several the
    losses of every preset and, where learning rates differ, the sweep over them.

    Where there are more steps than an axis has room for, lines are means over a stretch of
    steps, and the pale bands reach to the least and the greatest value of the stretch.

    Args:
        recording: refreshed.
        format_: `svg` or `png`.
        file: what is written.

    Raises:
        InputError: nothing is recorded yet.
    """
    stacks = range(len(recording.folder.experiment.presets))
    if not all(recording.blocks(stack) for stack in stacks):
        raise InputError("nothing is recorded yet", where=recording.folder.id)
    with rc_context(STYLE):  # type: ignore[arg-type]
        one = len(recording.folder.experiment.runs) == 1
        figure = single_figure(recording) if one else comparison_figure(recording)
        metadata = {"Date": None, "Creator": "tuitrain"} if format_ == "svg" else {}
        figure.savefig(file, format=format_, metadata=metadata)


# One run --------------------------------------------------------------------------------------


def single_figure(recording: Recording) -> Figure:
    """Loss, learning rate and weights of the only run, above each other."""
    run = recording.folder.experiment.runs[0]
    figure = Figure(figsize=(0.7 * WIDTH, 5.0), layout="constrained")
    top, middle, bottom = figure.subplots(3, 1, sharex=True, height_ratios=(2, 0.8, 1.5))
    top.set_title(run.name)
    loss = recording.series(0, "loss")
    _draw_series(top, [loss], COLOURS[0])
    top.set_ylabel("loss")
    _scale(top, loss.values, float(loss.values[0]))
    _draw_series(middle, [recording.series(0, "lr")], COLOURS[0])
    middle.set_ylabel("learning rate")
    middle.set_ylim(bottom=0)
    _draw_weights(bottom, recording)
    _label_steps(bottom, loss.last_step)
    return figure


def _draw_weights(axes: Axes, recording: Recording) -> None:
    """Every recorded weight, or where they are too many the norm of every tensor."""
    every = [name for name in recording.names(0) if not name.startswith(("loss", "grad_norm"))]
    norms = [name for name in every if name.endswith(".norm")]
    names = norms or [name for name in every if name != "lr"]
    many = len(names) > MOST_NAMED
    for number, name in enumerate(names[:MAX_RECORDED_WEIGHTS]):
        style = {"lw": 0.6} if many else {"ls": _style(number)["ls"]}
        colour = COLOURS[0] if many else _style(number)["color"]
        _draw_series(axes, [recording.series(0, name)], colour, label=name, **style)
    axes.set_ylabel("norm" if norms else "weight")
    if 1 < len(names) <= MOST_NAMED:
        axes.legend(ncols=2)


# Several runs ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Row:
    """One pane.

    Attributes:
        sweeps: its lines with the losses that they have reached.
        start: the median loss before the first step.
        bands: what is drawn over the steps, by the name that it has in the legend: every line
            at its best learning rate, or all rates of the only line.
        final: whether the losses of the sweeps are final.
        drawn: what the bands are of where that is not the recorded loss, in words.
    """

    pane: Pane
    sweeps: list[Sweep]
    start: float
    bands: dict[str, Band]
    final: bool
    drawn: str

    @property
    def swept(self) -> bool:
        return any(len(each.line.groups) > 1 for each in self.sweeps)


def comparison_figure(recording: Recording) -> Figure:
    """Every pane's losses over the steps and, where learning rates differ, its sweep."""
    comparison = Comparison(recording.folder.experiment, {})
    comparison.refresh(recording)
    rows = [_row(recording, comparison, pane) for pane in comparison.panes]
    names = dict.fromkeys(name for row in rows for name in row.bands)
    styles = {name: _style(number) for number, name in enumerate(names)}
    swept = any(row.swept for row in rows)
    across = 2 if swept else min(len(rows), 3)
    down = len(rows) if swept else math.ceil(len(rows) / across)
    entries = 4 if across > 1 else 3
    height = 2.5 * down + 0.18 * math.ceil((len(names) + 3 * swept) / entries) + 0.3
    figure = Figure(figsize=(WIDTH if across > 1 else 0.7 * WIDTH, height), layout="constrained")
    grid = figure.subplots(down, across, squeeze=False)
    for number, row in enumerate(rows):
        axes = grid[number, 0] if swept else grid.flat[number]
        _draw_overlay(axes, row, styles, log=swept)
        if swept:
            _draw_sweep(grid[number, 1], row, styles)
    for unused in [] if swept else grid.flat[len(rows) :]:
        unused.remove()
    figure.legend(
        handles=_handles(rows, styles),
        loc="outside lower center",
        ncols=entries,
        title=_note(rows),
        title_fontsize=7,
    )
    return figure


def _row(recording: Recording, comparison: Comparison, pane: Pane) -> _Row:
    known = [start for start in comparison.initial[pane.runs].tolist() if math.isfinite(start)]
    every = lines(comparison.experiment, pane)
    reached = comparison.losses, comparison.steps, comparison.roundings
    sweeps = [sweep(line, *reached) for line in every]
    if len(sweeps) == 1 and 1 < len(sweeps[0].line.groups) <= MOST_NAMED:
        runs = {f"lr {group.optimizer.lr:.4g}": group.runs for group in sweeps[0].line.groups}
    else:  # of a line that diverges everywhere, the least rate
        runs = {each.line.name: each.line.groups[each.best or 0].runs for each in sweeps}
    bands = Bands(recording, list(runs.values()))
    bands.refresh()
    named = dict(zip(runs, bands.bands, strict=True))
    start = float(np.median(known)) if known else math.nan
    return _Row(pane, sweeps, start, named, comparison.final, bands.drawn(pane.presets))


def _draw_overlay(axes: Axes, row: _Row, styles: Styles, *, log: bool) -> None:
    """Losses over steps, each line's median over seeds with its quartiles.

    Args:
        log: whether many steps stand on a logarithmic axis: at their best learning rates some
            optimizers need few of them.
    """
    last = max((band.median.last_step for band in row.bands.values()), default=0)
    log = log and last >= LONG
    for name, band in row.bands.items():
        style = {"ls": styles[name]["ls"]}
        series = [band.median, band.low, band.high] if len(band.low) else [band.median]
        _draw_series(axes, series, styles[name]["color"], log=log, **style)
        finite = np.flatnonzero(np.isfinite(band.median.values))[-1:]
        if band.lost and len(finite):
            at = band.median.steps[finite], band.median.values[finite]
            axes.plot(*at, "x", color=styles[name]["color"], ms=5)
    axes.set_title(row.pane.name)
    axes.set_ylabel("loss")
    shown = [series.values for b in row.bands.values() for series in (b.median, b.low)]
    _scale(axes, np.concatenate([[row.start], *shown]), row.start)
    _label_steps(axes, last, log=log)


def _draw_sweep(axes: Axes, row: _Row, styles: Styles) -> None:
    """Final loss against learning rate; crosses at the top where runs have diverged."""
    reached = [np.where(np.isinf(each.loss), np.nan, each.loss) for each in row.sweeps]
    lost = [each for each in row.sweeps if any(each.diverged)]
    room = min(0.045 * len(lost), 0.3)  # for the crosses, so that no line runs through them
    seen = np.concatenate([[row.start], *(loss.ravel() for loss in reached)])
    _scale(axes, seen, row.start, room)
    for each, loss in zip(row.sweeps, reached, strict=True):
        style, rates = styles.get(each.line.name, _style(0)), each.line.rates
        low, median, high = np.maximum(loss, axes.get_ylim()[0]).T  # zero lies at the bottom
        axes.plot(rates, median, **style)
        axes.fill_between(rates, low, high, color=style["color"], alpha=PALE, lw=0)
        for place, mark in ((each.steepest, _STEEPEST), (each.best, _BEST)):
            if place is not None:
                at = rates[place], np.clip(median[place], *axes.get_ylim())
                axes.plot(*at, **mark | {"mec": style["color"]})
    for number, each in enumerate(lost):
        colour = styles.get(each.line.name, _style(0))["color"]
        _draw_crosses(axes, each, colour, 0.98 - room * number / len(lost))
    axes.set_xscale("log")
    axes.set_xlabel("learning rate")
    axes.set_ylabel("final loss" if row.final else "loss so far")
    if math.isfinite(row.start):
        axes.axhline(row.start, color=GREY, lw=0.8, ls=(0, (1, 2)), zorder=1)
        across = axes.get_yaxis_transform()
        axes.text(0.99, row.start, "at the start", transform=across, **_NOTE)


_MARK: dict[str, Any] = {"mew": 0.9, "ls": "", "clip_on": False}
_STEEPEST = _MARK | {"marker": "o", "ms": 8, "mfc": "none"}
_BEST = _MARK | {"marker": "*", "ms": 10, "mfc": "white", "zorder": 4}
_NOTE: dict[str, Any] = {"color": GREY, "fontsize": 6, "ha": "right", "va": "bottom", "zorder": 1}


def _draw_crosses(axes: Axes, each: Sweep, colour: str, height: float) -> None:
    """At the top: a cross for each rate at which all runs have diverged, a pale one for some."""
    for group, count in zip(each.line.groups, each.diverged, strict=True):
        if count:
            axes.plot(
                group.optimizer.lr,
                height,
                "x",
                color=colour,
                ms=4,
                alpha=1.0 if count == len(group.runs) else 0.45,
                transform=axes.get_xaxis_transform(),
                clip_on=False,
            )


def _handles(rows: Sequence[_Row], styles: Styles) -> list[Line2D]:
    """The entries of the legend: what the bands are of, and what the marks mean."""
    swept = any(row.swept for row in rows)
    markers = swept and any(len(row.sweeps) > 1 for row in rows)
    handles = [
        Line2D([], [], **style | ({} if markers else {"marker": ""}), label=name)
        for name, style in styles.items()
    ]
    black: dict[str, Any] = {"color": "black", "mec": "black", "ls": ""}
    if swept:
        handles.append(Line2D([], [], **_BEST | black, label="best learning rate"))
        handles.append(Line2D([], [], **_STEEPEST | black, label="steepest"))
    if any(any(each.diverged) for row in rows for each in row.sweeps):
        handles.append(Line2D([], [], **black, marker="x", label="diverged"))
    return handles


def _note(rows: Sequence[_Row]) -> str | None:
    """What lines and bands are."""
    drawn = dict.fromkeys(row.drawn for row in rows if row.drawn)
    seeds = max(len(group.runs) for row in rows for group in row.pane.groups)
    told = [f"over steps: {', '.join(drawn)}"] if drawn else []
    told += [f"median and quartiles of {seeds} seeds"] if seeds > 1 else []
    if any(row.swept and row.sweeps[0].line.name in row.bands for row in rows):
        told.append("over steps: each at its best learning rate")
    return "; ".join(told) or None


# Axes -----------------------------------------------------------------------------------------


def _style(number: int) -> dict[str, Any]:
    """Colour, dashes and marker of a line: the lengths of the lists have no common factor."""
    return {
        "color": COLOURS[number % len(COLOURS)],
        "ls": DASHES[number % len(DASHES)],
        "marker": MARKERS[number % len(MARKERS)],
    }


def _draw_series(
    axes: Axes, series: Sequence[Series], colour: str, *, log: bool = False, **style: Any
) -> None:
    """A series, and a pale band to the extremes of its stretches of steps.

    Args:
        series: the line; or the line and the lower and the upper edge of the band.
        log: whether the stretches are equal on a logarithmic axis.
    """
    middle, low, high = series[0], series[-2 if len(series) > 1 else 0], series[-1]
    if not len(middle):
        return
    if len(middle) <= 2 * COLUMNS:
        x = middle.steps.astype(np.float64)
        mean, bottom, top = (each.values.astype(np.float64) for each in (middle, low, high))
    else:
        first, last = middle.first_step, middle.last_step
        # the same stretches as `Series.columns` makes
        edges = (np.geomspace if log else np.linspace)(first, last, COLUMNS + 1)
        rows = np.searchsorted(middle.steps, np.ceil(edges[:-1]))
        filled = np.diff([*rows, len(middle)]) > 0
        x, mean = (_means(values, rows[filled]) for values in (middle.steps, middle.values))
        bottom = low.columns(first, last, COLUMNS, log).low[filled]
        top = high.columns(first, last, COLUMNS, log).high[filled]
        # the first stretch would hide where it all began
        x[0], mean[0] = first, middle.values[0]
    axes.plot(x, np.where(np.isfinite(mean), mean, np.nan), color=colour, **style)
    shown = np.isfinite(bottom + top)
    axes.fill_between(x[shown], bottom[shown], top[shown], color=colour, alpha=PALE, lw=0)


def _means(values: NDArray[Any], rows: NDArray[np.intp]) -> Numbers:
    """The mean over each stretch of values; the stretches begin at `rows`."""
    sums: Numbers = np.add.reduceat(values.astype(np.float64), rows)
    return sums / np.diff([*rows, len(values)])


def _scale(axes: Axes, values: NDArray[np.floating], start: float, room: float = 0.0) -> None:
    """A logarithmic axis, unless losses are negative or all alike; what has run away is cut off.

    Args:
        start: the loss before the first step, or NaN.
        room: at the top, as a part of the axis.
    """
    finite = np.asarray(values[np.isfinite(values)], np.float64)
    if start > 0:
        finite = np.minimum(finite, ABOVE * start)
    positive = finite[finite > 0]
    if positive.size and not (finite < 0).any() and positive.max() > 5 * positive.min():
        low, high = np.log10([positive.min(), positive.max()])
        axes.set_yscale("log")
        margin = 0.05 * (high - low)
        axes.set_ylim(10 ** (low - margin), 10 ** (high + margin + room * (high - low)))
        if high - low < 2:  # few powers of ten, so 2 and 5 times them as well
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_formatter(lambda x, _: f"{x:g}" if f"{x:e}"[0] in "25" else "")
    elif finite.size and np.ptp(finite):
        low, high = finite.min(), finite.max()
        axes.set_ylim(low - 0.05 * (high - low), high + (0.05 + room) * (high - low))


def _label_steps(axes: Axes, last: int, *, log: bool = False) -> None:
    axes.set_xlabel("step")
    if log:
        axes.set_xscale("log")
    axes.set_xlim(1 if log else 0, max(last, 2))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
