"""The errors that a user sees: always one line, never a traceback."""

from __future__ import annotations


class InputError(ValueError):
    """Bad input, told in one line; the command line exits with code 2.

    Args:
        problem: what is wrong, with the offending value.
        where: the file, key or option that holds it.
        expected: what would be right.
    """

    def __init__(self, problem: str, *, where: str = "", expected: str = "") -> None:
        self.problem = problem
        self.where = where
        self.expected = expected
        line = f"{where}: {problem}" if where else problem
        line = f"{line}; expected {expected}" if expected else line
        # A value or a path may hold a line break, or worse: a command to the terminal.
        super().__init__("".join(c if c.isprintable() else ascii(c)[1:-1] for c in line))
