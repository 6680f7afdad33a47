"""Opening the dashboard, which needs a terminal."""

from __future__ import annotations

import gc
import os
import select
import sys
import threading
from typing import TYPE_CHECKING

from tuitrain.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from tuitrain.record.folder import ExperimentFolder
    from tuitrain.ui.app import TuitrainApp

GONE = 129
"""Exit code of a dashboard whose terminal has gone: 128 + SIGHUP, as shells have it."""

COLLECT_AFTER = 20_000
"""New objects after which garbage is looked for; by default after a fraction of a frame."""


def require_terminal() -> None:
    """Raises InputError where no screen can be drawn or no key be read; Textual draws on stderr."""
    streams = {"stdin": sys.stdin, "stdout": sys.stdout, "stderr": sys.stderr}
    for name, stream in streams.items():
        if stream is None or not stream.isatty():
            raise InputError(
                f"the dashboard needs a terminal; {name} is not one",
                expected="a terminal; without one, use `tuitrain run PRESET`",
            )


def open_setup(runs_dir: Path | None = None) -> None:
    """Opens the setup screen.

    Args:
        runs_dir: where experiments are kept; the default one without it.
    """
    require_terminal()
    application = import_application()
    from tuitrain.record.directory import runs_directory

    show(application(runs_dir or runs_directory()))


def open_experiment(folder: ExperimentFolder) -> None:
    """Opens the dashboard on an experiment, running or ended."""
    require_terminal()
    application = import_application()
    from tuitrain.data.dataset import dataset

    for preset in folder.experiment.presets.values():
        dataset(preset)  # what is wrong with a file is said before the screen is drawn
    show(application(folder.path.parent, attach=folder))


def import_application() -> type[TuitrainApp]:
    """The application's class.

    Until the first frame there is no garbage, and looking for it takes time: the application
    turns that on again. A frame makes thousands of objects, hardly any of them in cycles: looking
    after every `COLLECT_AFTER` only saves a tenth of the dashboard's time.
    """
    gc.disable()
    gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])
    from tuitrain.ui.app import TuitrainApp

    return TuitrainApp


def show(app: TuitrainApp) -> None:
    """Runs the application to its end, which is the end of its terminal if that goes first.

    Raises:
        SystemExit: with the application's exit code, of one that crashed.
    """
    threading.Thread(target=end_with_terminal, args=(sys.stdin.fileno(),), daemon=True).start()
    app.run()
    for folder in app.left_running.values():
        if not (status := folder.status()).ended:
            print(f"still {status.state}: tuitrain attach {folder.id}", file=sys.stderr)
    if app.return_code:
        sys.exit(app.return_code)


def end_with_terminal(terminal: int) -> None:
    """Ends the process when its terminal hangs up.

    SIGHUP may be ignored (nohup), and Textual cannot be asked to leave: its threads wait for a
    terminal that is gone. Nothing is lost: all that is recorded is the worker's, which goes on.
    """
    hang_up = select.poll()
    hang_up.register(terminal, 0)  # no event but a hang-up, which is always told
    hang_up.poll()
    os._exit(GONE)
