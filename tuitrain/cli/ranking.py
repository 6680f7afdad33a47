"""The result of a comparison: as JSON for scripts, as a table and a verdict for people."""

from __future__ import annotations

import math
from typing import Any

from rich.text import Text

from tuitrain.cli.console import console, show_table, table
from tuitrain.cli.result import finite
from tuitrain.cli.result import report as report_runs
from tuitrain.data.optimum import optima
from tuitrain.record.comparison import Comparison, Standing
from tuitrain.record.live import Recording
from tuitrain.record.ranking import Ranked, Spread
from tuitrain.spec.experiment import Experiment
from tuitrain.spec.grouping import differing, fairness, value


def compared(recording: Recording) -> tuple[Comparison, list[Standing]]:
    """What the whole recording shows."""
    experiment = recording.folder.experiment
    known = optima(experiment.presets)
    comparison = Comparison(experiment, {name: found.loss for name, found in known.items()})
    return comparison, comparison.refresh(recording)


def report(recording: Recording) -> dict[str, Any]:
    """The object that `--json` prints; what is not finite, or was not reached, is None."""
    comparison, standings = compared(recording)
    experiment = recording.folder.experiment
    keys = [key for key in differing(experiment) if key not in (*COLUMNS, "seed")]
    document = report_runs(recording)
    reached = zip(
        document["runs"],
        comparison.targets.tolist(),
        comparison.steps.tolist(),
        comparison.seconds.tolist(),
        strict=True,
    )
    for run, target, steps, seconds in reached:
        run["target"] = finite(target)
        run["steps_to_target"] = int(steps) if math.isfinite(steps) else None
        run["seconds_to_target"] = finite(seconds)
    return document | {
        "fair": fairness(experiment),
        "optimum": {s.pane.name: finite(comparison.optimum(s.pane)) for s in standings},
        "target": {s.pane.name: finite(s.target) for s in standings},
        "ranking": {
            s.pane.name: [
                report_group(experiment, ranked, keys, comparison.final) for ranked in s.ranking
            ]
            for s in standings
        },
        "verdict": {s.pane.name: s.verdict for s in standings},
    }


def report_group(
    experiment: Experiment, ranked: Ranked, keys: list[str], final: bool
) -> dict[str, Any]:
    """One place of a ranking, with the values of some more keys.

    Args:
        final: whether the losses are final.
    """
    runs = [experiment.runs[run] for run in ranked.group.runs]
    return {
        "rank": ranked.rank,
        "name": ranked.group.name,
        "preset": ranked.group.preset,
        "optimizer": value(experiment, runs[0], "optimizer"),
        "lr": ranked.group.optimizer.lr,
        **{key: value(experiment, runs[0], key) for key in keys},
        "median_loss": finite(ranked.loss.median),
        "median_final_loss": finite(ranked.loss.median) if final else None,
        "quartiles": [finite(ranked.loss.low), finite(ranked.loss.high)],
        "seeds": [run.seed for run in runs],
        **{name: finite(spread.median) for name, spread in ranked.metrics.items()},
        "diverged": ranked.diverged,
        "median_steps_to_target": finite(ranked.steps.median),
    }


COLUMNS = ("preset", "optimizer", "lr")
"""What every place of a ranking names, even where it is the same for all."""


def print_ranking(recording: Recording) -> None:
    """Prints every pane's ranking and its verdict."""
    comparison, standings = compared(recording)
    status, out = recording.status, console()
    for standing in standings:
        known = comparison.optimum(standing.pane)
        facts = [] if known is None else [f"optimum {known:.6g}"]
        if math.isfinite(standing.target):
            facts.append(f"target {standing.target:.6g}")
        out.print(Text(standing.pane.name, style="bold"), Text(", ".join(facts), style="dim"))
        reached = "final loss" if comparison.final else "loss so far"
        print_standing(recording.folder.experiment, standing, known, reached)
        out.print(Text(standing.verdict))
        out.print()
    out.print(Text(fairness(recording.folder.experiment), style="dim"))
    runs = len(recording.folder.experiment.runs)
    out.print(
        Text(
            f"{runs:,} runs {status.state} in {status.seconds:.2f} s on {status.device}; "
            f"saved in {recording.folder.path}",
            style="dim",
        )
    )


def print_standing(
    experiment: Experiment, standing: Standing, known: float | None, reached: str
) -> None:
    """Prints the table of one pane.

    Args:
        known: the least possible loss.
        reached: what its losses are called.
    """
    first = [experiment.runs[ranked.group.runs[0]] for ranked in standing.ranking]
    keys = [
        key
        for key in differing(experiment)
        if key != "seed" and len({str(value(experiment, run, key)) for run in first}) > 1
    ]
    several = any(len(ranked.group.runs) > 1 for ranked in standing.ranking)
    settings = [key.removeprefix("optimizer.") for key in keys or ["optimizer"]]
    metrics = standing.ranking[0].metrics
    told = ["gap"] * (known is not None) + [name.replace("_", " ") for name in metrics]
    told += ["to target", "diverged"]
    heads = ["", *settings, reached, *["quartiles"] * several, *told]
    made = table(*heads, right=("", reached, *told))
    for ranked, run in zip(standing.ranking, first, strict=True):
        row = [str(ranked.rank)]
        row += [show(value(experiment, run, key)) for key in keys or ["optimizer"]]
        row.append(figure(ranked.loss.median))
        row += [between(ranked.loss)] * several
        row += [figure(ranked.gap(known), 3)] if known is not None else []
        row += [figure(ranked.metrics[name].median, 4) for name in metrics]
        row.append(f"{ranked.steps.median:,.0f}" if math.isfinite(ranked.steps.median) else "-")
        row.append(f"{ranked.diverged}/{len(ranked.group.runs)}" if ranked.diverged else "")
        made.add_row(*map(Text, row))
    show_table(made)


def show(item: object) -> str:
    return f"{item:g}" if isinstance(item, float) else "" if item is None else str(item)


def figure(number: float, digits: int = 7) -> str:
    """A loss; a dash where there is none."""
    return f"{number:.{digits}g}" if math.isfinite(number) else "-"


def between(spread: Spread) -> str:
    if not math.isfinite(spread.low):
        return "-"
    return f"{figure(spread.low, 4)} to {figure(spread.high, 4)}"
