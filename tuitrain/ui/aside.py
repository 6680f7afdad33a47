"""Work that a screen must not wait for, and that can neither end it nor keep it from ending."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from textual.message_pump import MessagePump

Found = TypeVar("Found")


def aside(
    node: MessagePump,
    work: Callable[[], Found],
    then: Callable[[Found], object],
    failed: Callable[[Exception], object],
) -> None:
    """Do some work in a thread; among the node's own messages comes what is to be done with it.

    The thread is a daemon. Textual's own would be waited for at the end, and a file system or a
    driver may never answer.

    Args:
        node: the screen or widget that wants it; once it has been closed, nothing comes.
        work: what takes time, and may fail in any way.
        then: called with what came of it.
        failed: called with what went wrong instead.
    """

    def do() -> None:
        told: Callable[[], object]
        try:
            told = partial(then, work())
        except Exception as error:
            told = partial(failed, error)
        with suppress(RuntimeError):  # the application has ended, and its loop with it
            node.call_later(told)

    threading.Thread(target=do, daemon=True).start()
