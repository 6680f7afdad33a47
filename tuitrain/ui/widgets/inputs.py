"""Inputs that take every key in the order in which it was typed."""

from __future__ import annotations

from textual import events
from textual.widgets import Input


class OrderedInput(Input):
    """An input whose editing keys act in their turn.

    Textual 8 looks for the binding of a key, such as backspace, after the key has gone through all
    widgets above; letters that came right behind it are inserted meanwhile, and then deleted.
    """

    async def _on_key(self, event: events.Key) -> None:
        # Textual calls the method of the class above too, unless it is prevented.
        if self.screen.focused is not self:
            event.prevent_default()  # a key before this one has moved the focus
            return
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            if await self.app.run_action(binding.action, self):
                event.stop()
                event.prevent_default()
                return
