from __future__ import annotations

import logging
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.inbox import (
    Pause,
    Resume,
    SetLearningRate,
    SetPace,
    Step,
    Stop,
    discard,
    receive,
    send,
)

COMMANDS = [
    Pause(),
    Step(),
    SetLearningRate(0.1),
    SetLearningRate(1e-300, run=3),
    SetPace(0.5),
    SetPace(None),
    Resume(),
    Stop(),
]


def test_commands_come_in_the_order_of_sending(folder: ExperimentFolder) -> None:
    sent = [(send(folder, command), command) for command in COMMANDS * 3]
    assert receive(folder) == sent
    assert len({name for name, _ in sent}) == len(sent)


def test_they_wait_until_they_are_discarded(folder: ExperimentFolder) -> None:
    first, second = send(folder, Pause()), send(folder, Stop())
    assert receive(folder) == receive(folder)
    discard(folder, first)
    discard(folder, first)
    assert receive(folder) == [(second, Stop())]


def test_half_written_files_are_not_seen(folder: ExperimentFolder) -> None:
    (folder.inbox / ".0001.json.tmp").write_text('{"command": "pau')
    assert receive(folder) == []


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"command": "explode"}',
        '{"command": "lr"}',
        '{"command": "lr", "lr": -1}',
        '{"command": "lr", "lr": 1e400}',
        '{"command": "lr", "lr": NaN}',
        '{"command": "lr", "lr": 0.1, "run": -1}',
        '{"command": "pause", "now": true}',
        '{"command": "pace"}',
        '{"command": "pace", "pace": 0}',
        '{"command": "pace", "pace": 1e400}',
        "\udcff",
    ],
)
def test_what_is_no_command_is_moved_aside(
    folder: ExperimentFolder, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    (folder.inbox / "0.json").write_bytes(content.encode(errors="surrogateescape"))
    name = send(folder, Pause())
    with caplog.at_level(logging.WARNING):
        assert receive(folder) == [(name, Pause())]
    assert "0.json is no command" in caplog.text
    assert [p.name for p in (folder.inbox / "rejected").iterdir()] == ["0.json"]
    assert receive(folder) == [(name, Pause())]


@given(st.binary(max_size=60))
@example(b'{"command":"stop"}')
def test_any_bytes_are_a_command_or_moved_aside(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = ExperimentFolder(tmp_path_factory.mktemp("bytes"))
    folder.inbox.mkdir()
    (folder.inbox / "0.json").write_bytes(content)
    received = [name for name, _ in receive(folder)]
    rejected = folder.inbox / "rejected" / "0.json"
    assert (received == ["0"]) != rejected.exists()
    if rejected.exists():
        assert rejected.read_bytes() == content
    discard(folder, "0")
    assert receive(folder) == []


def test_a_directory_in_the_way_is_moved_aside(folder: ExperimentFolder) -> None:
    (folder.inbox / "0.json").mkdir()
    assert receive(folder) == []
    assert (folder.inbox / "rejected" / "0.json").is_dir()


def test_without_an_inbox_there_are_no_commands(folder: ExperimentFolder) -> None:
    folder.inbox.rmdir()
    assert receive(folder) == []
    name = send(folder, Stop())
    assert receive(folder) == [(name, Stop())]


@pytest.mark.parametrize("lr", [math.nan, math.inf, -0.1])
def test_a_learning_rate_is_finite(lr: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        SetLearningRate(lr)


@pytest.mark.parametrize("pace", [math.nan, math.inf, 0.0, -1.0])
def test_a_pace_is_finite_and_above_zero(pace: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        SetPace(pace)
