"""Where experiments are kept. Apart from their folders, so that a screen can ask at once."""

from __future__ import annotations

import os
from pathlib import Path


def runs_directory(option: str | None = None) -> Path:
    """Where experiments are kept: `option`, else TUITRAIN_RUNS_DIR, else the user's data."""
    chosen = option or os.environ.get("TUITRAIN_RUNS_DIR")
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return platformdirs.user_data_path("tuitrain", appauthor=False) / "runs"
