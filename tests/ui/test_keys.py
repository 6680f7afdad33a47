"""The table of keys: complete, without clashes, and true."""

from __future__ import annotations

from itertools import chain

import pytest

from tuitrain.ui.app import TuitrainApp
from tuitrain.ui.keys import KEYS, bindings
from tuitrain.ui.screens.compare import KEYS as COMPARE_KEYS
from tuitrain.ui.screens.compare import CompareScreen
from tuitrain.ui.screens.dashboard import DashboardScreen
from tuitrain.ui.screens.setup import SetupScreen

SCREENS = [
    (SetupScreen, ("setup",)),
    (DashboardScreen, ("dashboard", "chart", "everywhere")),
    (CompareScreen, COMPARE_KEYS),
]


@pytest.mark.parametrize(("screen", "places"), SCREENS)
def test_every_action_exists(screen: type, places: tuple[str, ...]) -> None:
    for key in KEYS:
        if key.place in places:
            name = key.action.partition("(")[0]
            owner = TuitrainApp if name.startswith("app.") else screen
            assert callable(getattr(owner, f"action_{name.removeprefix('app.')}")), key


@pytest.mark.parametrize("places", [places for _, places in SCREENS])
def test_no_key_has_two_meanings(places: tuple[str, ...]) -> None:
    names = [binding.key for binding in bindings(*places)]
    assert len(names) == len(set(names))


def test_the_footer_fits_eighty_columns() -> None:
    for places in (("setup",), ("dashboard", "everywhere"), ("compare", "everywhere")):
        shown = [b for b in bindings(*places) if b.show]
        # A key, a space, its word, a space; of a group the keys one by one, then the word.
        keys = sum(len(b.key_display or "") + 1 for b in shown)
        words = {b.group.description if b.group else b.description for b in shown}
        assert keys + sum(len(word) + 1 for word in words) <= 79, places


def test_slower_and_faster_are_one_entry_in_the_footer() -> None:
    pace = [b for b in bindings("dashboard") if b.show and b.group]
    assert [b.key_display for b in pace] == ["[", "]"]
    assert len({b.group for b in pace}) == 1


def test_every_key_has_a_meaning() -> None:
    assert all(key.meaning and key.shown for key in KEYS)
    assert "ctrl+c" in chain.from_iterable(key.keys.split(",") for key in KEYS)
