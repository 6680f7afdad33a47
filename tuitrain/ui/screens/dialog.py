"""What every window over a screen has in common."""

from __future__ import annotations

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """A window that is answered once."""

    def dismiss(self, result: Answer | None = None) -> AwaitComplete:
        # Keys typed at once may answer twice: the second answer would take the screen below away.
        return super().dismiss(result) if self.app.screen is self else AwaitComplete()
