"""The one table of keys: it drives dispatch, footer and help."""

from __future__ import annotations

from typing import Literal, NamedTuple

from textual.binding import Binding

Place = Literal["everywhere", "setup", "marks", "dashboard", "chart", "compare", "curves"]


class Key(NamedTuple):
    """One action and the keys that start it.

    Attributes:
        place: where the key works.
        keys: Textual's names of the keys, by commas.
        shown: how footer and help write the key.
        action: name of the action.
        label: the word in the footer, one for all keys that share it; empty keeps it out.
        meaning: the sentence in the help.
    """

    place: Place
    keys: str
    shown: str
    action: str
    label: str
    meaning: str


KEYS = (
    Key("setup", "slash", "/", "filter", "filter", "Find a preset by typing part of its name"),
    Key("setup", "escape", "esc", "back_to_list", "filter", "Back to the filter; there, clear it"),
    Key("setup", "f5,ctrl+s", "^s", "start", "start", "Start training (also F5)"),
    Key("setup", "ctrl+p,f2", "^p", "save", "save", "Save as a preset of your own (also F2)"),
    Key(
        "setup",
        "ctrl+o,f3",
        "^o",
        "app.open",
        "open",
        "Open an experiment, live or ended (also F3)",
    ),
    Key("setup", "ctrl+r", "^r", "defaults", "defaults", "Reset all settings to the preset's"),
    Key("setup", "f1", "F1", "help", "help", "Show these keys"),
    Key("setup", "ctrl+q", "^q", "app.leave", "quit", "Leave"),
    Key("marks", "space", "space", "mark", "mark", "Mark several, or click before the name"),
    Key("dashboard", "space", "space", "pause_or_resume", "pause", "Start, pause, resume"),
    Key("dashboard", "n", "n", "step", "step", "Train one step, then wait"),
    Key("dashboard", "s", "s", "stop", "stop", "Stop for good; what was recorded stays"),
    Key("dashboard", "l", "l", "learning_rate", "rate", "Change the learning rate while it runs"),
    Key("dashboard", "less_than_sign", "<", "scale_rate(0.5)", "", "Halve the learning rate"),
    Key("dashboard", "greater_than_sign", ">", "scale_rate(2.0)", "", "Double the learning rate"),
    Key("dashboard", "left_square_bracket", "[", "pace('slower')", "pace", "Fewer steps a second"),
    Key("dashboard", "right_square_bracket", "]", "pace('faster')", "pace", "More steps a second"),
    Key("dashboard", "f", "f", "pace('full')", "", "Full speed: as fast as the machine can"),
    Key("dashboard", "r", "r", "reset", "reset", "New run from the same initial weights"),
    Key("dashboard", "u", "u", "source", "rule", "Show the source of the update step"),
    Key(
        "dashboard",
        "v",
        "v",
        "picture",
        "",
        "Next plot; on a small screen, then the charts",
    ),
    Key("dashboard", "d", "d", "directions", "", "Choose the axes of the landscape"),
    Key("dashboard", "z", "z", "size", "", "Layers, parameters and multiply-adds, with their sums"),
    Key("dashboard", "e", "e", "weight", "", "One weight of a large model over the steps"),
    Key("dashboard", "w", "w", "log", "", "Show or hide the worker's log"),
    Key("dashboard", "b,escape", "b", "back", "setup", "Back to the setup screen (also esc)"),
    Key("chart", "g", "g", "chart('log_y')", "", "Logarithmic or linear loss axis"),
    Key("chart", "G,upper_g", "G", "chart('log_x')", "", "Logarithmic or linear step axis"),
    Key("chart", "m", "m", "chart('smoothing')", "", "More smoothing, and then none again"),
    Key("chart", "plus,equals_sign", "+", "chart('zoom_in')", "", "Zoom in (also the wheel)"),
    Key("chart", "minus", "-", "chart('zoom_out')", "", "Zoom out"),
    Key("chart", "left", "←", "chart('pan_left')", "", "Move to earlier steps (or drag)"),
    Key("chart", "right", "→", "chart('pan_right')", "", "Move to later steps"),
    Key("chart", "0", "0", "chart('zoom_reset')", "", "Show the whole run"),
    Key("chart", "comma", ",", "chart('cursor_left')", "", "Read a value: cursor to the left"),
    Key("chart", "full_stop", ".", "chart('cursor_right')", "", "Read a value: cursor right"),
    Key("compare", "1", "1", "view('curves')", "curves", "The losses of all runs over the steps"),
    Key("compare", "2", "2", "view('sweep')", "sweep", "The final loss over the learning rate"),
    Key("compare", "3", "3", "view('map')", "map", "Loss landscape with every run's path"),
    Key("compare", "4", "4", "view('fit')", "fit", "The data with every run's model"),
    Key("compare", "space", "space", "pause_or_resume", "pause", "Start, pause, resume all runs"),
    Key("compare", "n", "n", "step", "", "Train one step, then wait"),
    Key("compare", "s", "s", "stop", "stop", "Stop all runs for good; what was recorded stays"),
    Key("compare", "left_square_bracket", "[", "pace('slower')", "", "Fewer steps a second"),
    Key("compare", "right_square_bracket", "]", "pace('faster')", "", "More steps a second"),
    Key("compare", "f", "f", "pace('full')", "", "Full speed: as fast as the machine can"),
    Key("compare", "up", "↑", "select(-1)", "", "Select a row of the table"),
    Key("compare", "down", "↓", "select(1)", "", "Select a row of the table"),
    Key("compare", "pageup", "PgUp", "page(-1)", "", "Scroll up by a page"),
    Key("compare", "pagedown", "PgDn", "page(1)", "", "Scroll down by a page"),
    Key("compare", "enter", "enter", "line('fold')", "", "Show the runs in the selected row"),
    Key("compare", "slash", "/", "filter", "filter", "Filter runs: words, lr>=0.01 optimizer=adam"),
    Key("compare", "c", "c", "group", "", "Group runs into lines: by seeds, run or key"),
    Key("compare", "o", "o", "line('solo')", "", "Show the selected line only; again: all"),
    Key("compare", "h", "h", "line('hide')", "", "Hide the selected line, or show it again"),
    Key(
        "compare",
        "i",
        "i",
        "line('pin')",
        "",
        "Pin the selected line: it stays on top of the table",
    ),
    Key("compare", "a", "a", "show_all", "", "Show all lines again, nothing pinned or filtered"),
    Key("compare", "less_than_sign", "<", "sort(-1)", "", "Sort by previous column"),
    Key("compare", "greater_than_sign", ">", "sort(1)", "", "Sort by the next column"),
    Key("compare", "v", "v", "reverse", "", "Reverse the sort order"),
    Key(
        "compare",
        "r",
        "r",
        "run",
        "",
        "Start one run with the settings of the line or the cursor",
    ),
    Key("compare", "l", "l", "target", "", "Set the loss to reach in the selected line's pane"),
    Key("compare", "u", "u", "source", "", "Show the source of the selected update step"),
    Key("compare", "d", "d", "directions", "", "Choose the axes of the landscape"),
    Key("compare", "w", "w", "log", "", "Show or hide the worker's log"),
    Key("compare", "escape", "esc", "no_filter", "", "Clear the filter; if none is set, as b"),
    Key("compare", "b", "b", "back", "setup", "Back to the setup screen"),
    Key("curves", "y", "y", "gap", "", "The loss, or its gap to the optimum"),
    Key("curves", "x", "x", "unit", "", "Unit of the x axis: step, epoch or second"),
    Key("everywhere", "question_mark,f1", "?", "help", "help", "Show these keys (also F1)"),
    Key("everywhere", "t", "t", "app.theme", "", "Dark or light"),
    Key(
        "everywhere",
        "p,f12",
        "p",
        "app.picture",
        "",
        "Save a screenshot (SVG, also F12)",
    ),
    Key("everywhere", "q,ctrl+q,ctrl+c", "q", "app.leave", "quit", "Leave (also ctrl+c, ctrl+q)"),
)

ALWAYS = ("ctrl+c", "ctrl+q")
"""Keys that no widget may take for itself."""


def bindings(*places: Place, footer: bool = True) -> list[Binding]:
    """The bindings of the keys of some places, in the order of the table.

    Args:
        footer: whether the footer may show them.
    """
    labels = [key.label for key in KEYS if key.label and key.place in places]
    return [
        Binding(
            name,
            key.action,
            key.label or key.meaning,
            show=footer and bool(key.label) and name == key.keys.split(",")[0],
            key_display=key.shown,
            priority=name in ALWAYS,
            group=Binding.Group(key.label, compact=True) if labels.count(key.label) > 1 else None,
        )
        for key in KEYS
        if key.place in places
        for name in key.keys.split(",")
    ]
