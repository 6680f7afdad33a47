"""A CSV file beside a preset file that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

PRESET = """\
title = "Mine"
[data]
kind = "csv"
csv = "mine.csv"
[model]
kind = "network"
[loss]
kind = "mse"
[optimizer]
name = "sgd"
lr = 0.1
[train]
steps = 10
"""
GOOD = """\
width,height,kind
1,2.5,cat
3,-4e1,dog
5,6,cat
"""


@pytest.fixture
def write(tmp_path):
    """The path of a preset file beside `mine.csv`, by the CSV's text and lines of its table."""

    def files(text: str | bytes = GOOD, *lines: str, loss: str = "mse") -> Path:
        content = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "mine.csv").write_bytes(content)
        preset = PRESET.replace('csv = "mine.csv"', "\n".join(('csv = "mine.csv"', *lines)))
        path = tmp_path / "mine.toml"
        path.write_text(preset.replace('"mse"', f'"{loss}"'), "utf-8")
        return path

    return files
