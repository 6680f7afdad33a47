"""What the filter of the presets means: words that they have, or the path of a file."""

from __future__ import annotations

import os
from collections.abc import Mapping

from tuitrain.spec.catalogue import SUFFIX
from tuitrain.spec.preset import Preset


def typed(text: str) -> str:
    """The text of the filter without a `/` in front, the key that leads to the filter."""
    return text.strip().removeprefix("/")


def is_path(text: str) -> bool:
    """Whether what is typed into the filter is meant as the path of a preset."""
    path = typed(text)
    return "/" in path or os.sep in path or path.endswith(SUFFIX)


def matching(presets: Mapping[str, Preset], text: str) -> list[str]:
    """The presets that have every word of the filter, topic by topic, the best match first.

    Best is the name itself, then a name that begins with what is typed, then one that has every
    word; last come those that have a word in the title or the topic alone.
    """
    topics = list(dict.fromkeys(preset.topic for preset in presets.values()))
    ranks = {}
    needle = typed(text).lower()
    words = needle.split()
    for name, preset in presets.items():
        said = f"{name} {preset.title} {preset.topic}".lower()
        if all(word in said for word in words):
            own = name.lower()
            has = all(word in own for word in words)
            ranks[name] = (own != needle, not own.startswith(needle), not has)
    best: dict[str, tuple[bool, ...]] = {}
    for name, rank in ranks.items():
        topic = presets[name].topic
        best[topic] = min(rank, best.get(topic, rank))

    def order(name: str) -> tuple[object, ...]:
        topic = presets[name].topic
        return best[topic], topics.index(topic), ranks[name]

    return sorted(ranks, key=order)
