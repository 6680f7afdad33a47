"""The window that saves the settings as a preset of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input, Static

from tuitrain.spec.catalogue import SUFFIX
from tuitrain.spec.preset import Preset
from tuitrain.spec.write import to_file
from tuitrain.ui.screens.dialog import Dialog
from tuitrain.ui.widgets.paragraph import Paragraph


class SaveDialog(Dialog[str | None]):
    """Asks for a file and writes the preset to it.

    The answer is the path as it was typed, None if nothing was saved. What exists already is
    overwritten when the same name is entered once more.
    """

    BINDINGS: ClassVar = [Binding("escape", "dismiss(None)", show=False)]

    def __init__(self, preset: Preset, suggested: str) -> None:
        super().__init__()
        self.preset = preset
        self.suggested = suggested
        self.asked = ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Save as a preset of your own"
            yield Static(
                f"Saved in {Path.cwd()} unless you type a path. `tuitrain run FILE` trains it.",
                classes="hint",
                markup=False,
            )
            yield Input(self.suggested, id="file")
            yield Paragraph("", id="file-problem", classes="error", markup=False)
            yield Static("enter save   esc cancel", classes="hint")

    @on(Input.Changed)
    def _typed(self) -> None:
        self.asked = ""
        self._tell("")

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        name = event.value.strip()
        if not name:
            self._tell("✗ a file name is missing")
            return
        name += "" if name.endswith(SUFFIX) else SUFFIX
        text = to_file(self.preset, self.preset.name)
        try:
            path = Path(name).expanduser()
            with path.open("w" if self.asked == name else "x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            self.asked = name
            self._tell(f"{name} exists already: enter overwrites it")
        except (OSError, ValueError, RuntimeError) as error:
            # ValueError: a NUL in the name; RuntimeError: ~ of a user that there is not
            reason = error.strerror if isinstance(error, OSError) else None
            self._tell(f"✗ {name}: {reason or error}")
        else:
            self.dismiss(name)

    def _tell(self, problem: str) -> None:
        self.query_one("#file-problem", Paragraph).update(problem)
        if problem:
            self.app.bell()
