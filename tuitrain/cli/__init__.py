"""The command line; every command is imported when it is called."""

from __future__ import annotations

import logging

from tuitrain.cli.main import main

__all__ = ["main"]

# The commands say themselves what a recording lacks: its log is for the worker, who has a file.
logging.getLogger("tuitrain").addHandler(logging.NullHandler())
