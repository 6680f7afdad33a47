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
        super().__init__(f"{line}; expected {expected}" if expected else line)
