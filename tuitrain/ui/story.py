"""What the setup screen tells of a preset, in its own words."""

from __future__ import annotations

from contextlib import suppress

from msgspec.structs import replace
from rich.table import Table
from rich.text import Text

from tuitrain.errors import InputError
from tuitrain.spec.preset import Preset
from tuitrain.spec.size import size


def in_its_words(preset: Preset, shipped: Preset) -> Preset:
    """A preset without what its texts say of other settings.

    The formula is that of the model and the loss; the expectation holds for no change at all.
    """
    if preset == shipped:
        return preset
    parts = ("model", "loss", "regularisation")
    same = all(getattr(preset, part) == getattr(shipped, part) for part in parts)
    return replace(preset, formula=preset.formula if same else "", expectation="")


def about(preset: Preset) -> Table:
    """The story of a preset, then its facts, each with its name beside it.

    The size is left out while the file of the data cannot be read.
    """
    counted = ""
    with suppress(InputError):  # the form and the preview tell it
        counted = size(preset).text
    facts = Table.grid(padding=(0, 2), expand=True)
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(ratio=1)
    rows = {
        "formula": preset.formula,
        "expect": preset.expectation,
        "size": counted,
        "source": preset.source,
    }
    for name, text in rows.items():
        if text:
            facts.add_row(name, Text(text.strip()))
            facts.add_row()
    page = Table.grid(expand=True)
    page.add_row(Text(preset.story.strip()))
    page.add_row()
    page.add_row(facts)
    return page
