"""Pictures of the setup screen: nothing in it varies from day to day."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tuitrain.ui import app as application
from tuitrain.ui.app import TuitrainApp


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TuitrainApp:
    # The pictures must not depend on the graphics processors of the machine.
    monkeypatch.setattr(application, "devices", lambda: ["auto", "cpu"])
    # A tick of the cursor that is under way when blinking is turned off would hide it.
    monkeypatch.setattr(Input, "cursor_blink", False)
    return TuitrainApp(tmp_path)


async def still(pilot: Pilot[None]) -> None:
    """Choose the yogurt case."""
    await pilot.press("c", "o", "s", "t", "1")
    await pilot.pause()


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
def test_setup(snap_compare, app: TuitrainApp, size: tuple[int, int]) -> None:
    assert snap_compare(app, terminal_size=size, run_before=still)
