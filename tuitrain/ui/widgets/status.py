"""The line that says what is happening."""

from __future__ import annotations

from typing import NamedTuple

from rich.text import Text
from textual.strip import Strip
from textual.widget import Widget

from tuitrain.record.status import Status
from tuitrain.ui import pace
from tuitrain.ui.markers import ASCII

SHORTEST = 8
"""Columns of a progress bar in which progress can be seen."""


class Sign(NamedTuple):
    """How a state is shown: a symbol beside the word, and a style that only underlines it."""

    symbol: str
    ascii: str
    style: str

    def __str__(self) -> str:
        return self.ascii if ASCII else self.symbol


SIGNS = {
    "starting": Sign("○", "o", "quiet"),
    "running": Sign("▶", ">", "primary"),
    "paused": Sign("‖", "=", "accent"),
    "finished": Sign("✓", "v", "success"),
    "stopped": Sign("■", "#", "accent"),
    "diverged": Sign("✗", "x", "error"),
    "failed": Sign("✗", "x", "error"),
    "killed": Sign("✗", "x", "error"),
}


class StatusLine(Widget):
    """State, progress, time to go, speed and device of an experiment."""

    DEFAULT_CSS = "StatusLine { height: 1; padding: 0 1; }"

    def __init__(
        self,
        id: str | None = None,  # noqa: A002
        *,
        runs: int = 1,
        budget: float | None = None,
    ) -> None:
        super().__init__(id=id)
        self.status = Status("starting")
        self.runs, self.budget = runs, budget

    def show(self, status: Status) -> None:
        """Show a status; redrawn only if a character would change."""
        before, self.status = self.status, status
        if facts(before, self.runs, self.budget) != facts(status, self.runs, self.budget):
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The text as it is: going through Textual's content costs ten times as much."""
        variables, width = self.app.theme_variables, self.size.width
        text = line(self.status, width, variables["quiet"], variables, self.runs, self.budget)
        text.end = ""
        segments = list(text.render(self.app.console))
        return Strip(segments).adjust_cell_length(width).apply_style(self.rich_style)


def done(status: Status, budget: float | None = None) -> float:
    """The share of the training that is done: of its steps, or of its time if that ends first."""
    share = status.step / status.total if status.total else 0.0
    return share if budget is None else min(max(share, status.seconds / budget), 1.0)


def facts(status: Status, runs: int = 1, budget: float | None = None) -> tuple[str, ...]:
    """The texts of the line: state, steps, share, time, speed, device.

    The speed is empty where there is none: in a pause, and after an end that the pace, not the
    machine, has put off.

    Args:
        runs: that train side by side; the steps of a second are those of each of them.
        budget: seconds of training after which it ends, if the steps are not done by then.
    """
    speed, held, left = pace.speed(status), pace.held(status), pace.steps_left(status)
    if status.ended:
        time = f"compute {clock(status.seconds)}" if held else f"in {clock(status.seconds)}"
    elif speed > 0 and status.state == "running":
        # At a pace all presets go on side by side; else they share the machine.
        all_left = status.total - status.step
        seconds = max(left) / speed if held and left else all_left / status.steps_per_second
        if budget is not None:
            seconds = min(seconds, max(budget - status.seconds, 0.0))
        time = f"eta {clock(seconds)}"
    else:
        time = "eta –"  # noqa: RUF001
    steps = f"{status.step:,} / {status.total:,}" if budget is None else f"{status.step:,} steps"
    return (
        status.state,
        steps if status.total else "–",  # noqa: RUF001
        f"{int(round(100 * done(status, budget), 6))} %",  # 100 * (29 / 100) is 28.999...
        time,
        "" if status.state == "paused" or (status.ended and held) else _speed(status, runs),
        status.device,
    )


def _speed(status: Status, runs: int) -> str:
    """The machine's speed, or the pace if that is less: it says which of the two it is."""
    each = pace.speed(status)
    number = f"{each:,.0f}" if each >= 10 or each.is_integer() else f"{each:.1f}"
    text = f"pace {number} steps/s" if pace.held(status) else f"{number} steps/s"
    return text if runs == 1 else f"{runs:,} runs × {text}"  # noqa: RUF001


def line(
    status: Status,
    width: int,
    quiet: str,
    colours: dict[str, str],
    runs: int = 1,
    budget: float | None = None,
) -> Text:
    """The status line in a given width; the bar takes what the words leave.

    Where that is too little, the words move together, and then the device is left out.
    """
    state, steps, share, time, speed, device = facts(status, runs, budget)
    sign = SIGNS[state]
    colour = colours.get(sign.style, quiet)
    head = Text.assemble((f"{sign} {state}", f"bold {colour}"), "  ", steps, "  ")
    for gap, words in (
        ("   ", (time, speed, device)),
        ("  ", (time, speed, device)),
        ("  ", (time, speed)),
    ):
        told = "".join(gap + word for word in words if word)
        tail = Text.assemble(f" {share}", (told, quiet))
        room = width - head.cell_len - tail.cell_len
        if room >= SHORTEST:
            break
    progress = bar(done(status, budget), min(room, 80), colour, colours["rule"])
    return Text.assemble(head, progress, tail)


def bar(share: float, width: int, colour: str, empty: str) -> Text:
    """A progress bar; what is done differs from what is not in shape too."""
    full, half, rest = ("#", "", ".") if ASCII else ("━", "╸", "─")
    halves = round(max(0.0, min(share, 1.0)) * 2 * max(width, 0))
    done = full * (halves // 2) + (half if halves % 2 else "")
    return Text.assemble((done, colour), (rest * (width - len(done)), empty))


def clock(seconds: float) -> str:
    """A time in the two units that matter: 0.4 s, 12 s, 3:07, 2:15:00."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02}"
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
