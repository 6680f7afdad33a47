"""The command line; every command is imported when it is called."""

from __future__ import annotations

from tuitrain.cli.main import main

__all__ = ["main"]
