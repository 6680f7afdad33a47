"""The one table of keys: it drives dispatch, footer and help."""

from __future__ import annotations

from typing import Literal, NamedTuple

from textual.binding import Binding

Place = Literal["everywhere", "setup", "dashboard", "chart"]


class Key(NamedTuple):
    """One action and the keys that start it.

    Attributes:
        place: where the key works.
        keys: Textual's names of the keys, by commas.
        shown: how footer and help write the key.
        action: name of the action.
        label: the word in the footer; empty keeps it out.
        meaning: the sentence in the help.
    """

    place: Place
    keys: str
    shown: str
    action: str
    label: str
    meaning: str


KEYS = (
    Key("setup", "slash", "/", "filter", "filter", "Find a preset by typing a part of its name"),
    Key("setup", "f5,ctrl+s", "^s", "start", "start", "Start training (also F5)"),
    Key("setup", "ctrl+r", "^r", "defaults", "defaults", "Set every setting back to the preset's"),
    Key("setup", "f1", "F1", "help", "help", "Show these keys"),
    Key("setup", "ctrl+q", "^q", "app.leave", "quit", "Leave"),
    Key("setup", "escape", "esc", "back_to_list", "", "Back to the list of presets"),
    Key("dashboard", "space", "space", "pause_or_resume", "pause", "Start, pause, resume"),
    Key("dashboard", "n", "n", "step", "step", "Train one step, then wait"),
    Key("dashboard", "s", "s", "stop", "stop", "Stop for good; what was recorded stays"),
    Key("dashboard", "l", "l", "learning_rate", "rate", "Change the learning rate while it runs"),
    Key("dashboard", "r", "r", "reset", "reset", "Back to the same initial weights, as a new run"),
    Key("dashboard", "u", "u", "source", "source", "Show the source of the update step"),
    Key("dashboard", "w", "w", "log", "", "Open and close the worker's log"),
    Key("dashboard", "b,escape", "b", "back", "setup", "Back to the setup screen (also esc)"),
    Key("chart", "g", "g", "chart('log_y')", "", "Loss on a logarithmic axis or a linear one"),
    Key("chart", "m", "m", "chart('smoothing')", "", "More smoothing; round again to none"),
    Key("chart", "plus,equals_sign", "+", "chart('zoom_in')", "", "Zoom in (also the wheel)"),
    Key("chart", "minus", "-", "chart('zoom_out')", "", "Zoom out"),
    Key("chart", "left", "←", "chart('pan_left')", "", "Move to earlier steps (or drag)"),
    Key("chart", "right", "→", "chart('pan_right')", "", "Move to later steps"),
    Key("chart", "0", "0", "chart('zoom_reset')", "", "Show the whole run"),
    Key("chart", "comma", ",", "chart('cursor_left')", "", "Read a value: cursor to the left"),
    Key("chart", "full_stop", ".", "chart('cursor_right')", "", "Read a value: cursor right"),
    Key("everywhere", "question_mark,f1", "?", "help", "help", "Show these keys (also F1)"),
    Key("everywhere", "t", "t", "app.theme", "", "Dark or light"),
    Key(
        "everywhere",
        "p,f12",
        "p",
        "app.picture",
        "",
        "Save a picture of the screen (SVG, also F12)",
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
    return [
        Binding(
            name,
            key.action,
            key.label or key.meaning,
            show=footer and bool(key.label) and name == key.keys.split(",")[0],
            key_display=key.shown,
            priority=name in ALWAYS,
        )
        for key in KEYS
        if key.place in places
        for name in key.keys.split(",")
    ]
