"""Runs the README's first command in a terminal, until the dashboard is open, and leaves it.

Usage, where the command may make a virtual environment:
    python .../tests/readme_dashboard.py COMMAND
"""

from __future__ import annotations

import os
import sys

import pexpect
import pyte

INSTALLING, LEAVING = 600.0, 30.0
"""Seconds that they may take."""


def main(command: str) -> None:
    screen = pyte.Screen(120, 40)
    stream = pyte.ByteStream(screen)
    child = pexpect.spawn(
        "sh",
        ["-c", command],
        dimensions=(screen.lines, screen.columns),
        env=os.environ | {"TERM": "xterm-256color"},
        timeout=INSTALLING,
    )
    shown = ""
    try:
        while "Start training" not in shown:
            stream.feed(child.read_nonblocking(1 << 16))
            shown = "\n".join(screen.display)
    except (pexpect.EOF, pexpect.TIMEOUT) as error:
        sys.exit(f"{shown}\n{type(error).__name__} before the dashboard was open")
    print("the dashboard is open")
    child.send("\x03")  # ctrl+c
    child.expect(pexpect.EOF, timeout=LEAVING)
    child.close()
    if child.exitstatus != 0:
        sys.exit(f"exit code {child.exitstatus}, signal {child.signalstatus}")


if __name__ == "__main__":
    main(sys.argv[1])
