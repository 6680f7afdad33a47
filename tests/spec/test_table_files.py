"""CSV files: where their paths begin, files that change or go, and experiments' own copies."""

from __future__ import annotations

import hashlib
import shutil

import pytest
from msgspec.structs import replace

from tests.spec.conftest import GOOD
from tuitrain.data import dataset
from tuitrain.errors import InputError
from tuitrain.record.folder import ExperimentFolder
from tuitrain.spec import table as tables
from tuitrain.spec.catalogue import find
from tuitrain.spec.experiment import single
from tuitrain.spec.load import decode, load_file, parse, pinned, to_toml
from tuitrain.spec.overrides import override
from tuitrain.spec.size import inputs_outputs, rows
from tuitrain.spec.table import _table, table


def test_a_path_begins_at_the_preset_file(write, tmp_path, monkeypatch):
    path = write()
    monkeypatch.chdir("/")
    preset = load_file(path)
    assert preset.data.csv == str(tmp_path / "mine.csv")
    assert decode(parse(to_toml(preset), "mine"), "mine") == preset


def test_a_path_of_the_command_line_begins_where_one_is(write, tmp_path, monkeypatch):
    preset = load_file(write())
    (tmp_path / "other.csv").write_text("a,b\n1,2\n3,4\n")
    monkeypatch.chdir(tmp_path)
    changed = override(preset, {"data.csv": "other.csv"})
    assert changed.data.csv == str(tmp_path / "other.csv")
    assert inputs_outputs(changed) == (1, 1)


def test_another_file_needs_no_old_checksum(write, tmp_path):
    preset = pinned(load_file(write()))
    (tmp_path / "other.csv").write_text("a,b\n1,2\n3,4\n")
    changed = override(preset, {"data.csv": str(tmp_path / "other.csv")})
    assert changed.data.sha256 == ""
    assert override(preset, {"train.steps": 7}).data.sha256 == preset.data.sha256


def test_a_changed_file_is_read_again(write, tmp_path):
    preset = load_file(write())
    assert rows(preset) == 3
    (tmp_path / "mine.csv").write_text(GOOD + "7,8,dog\n")
    assert rows(preset) == 4


def test_a_file_is_split_once_while_its_columns_are_chosen(write, tmp_path, monkeypatch):
    """The table is what it is when read afresh; of another separator or content it is split."""
    preset = load_file(write())
    split = []
    lines = tables._lines
    monkeypatch.setattr(tables, "_lines", lambda *args: split.append(1) or lines(*args))

    def after(**changes) -> tuple[list[list[float]], int]:
        split.clear()
        return table(replace(preset.data, **changes)).x.tolist(), len(split)

    assert after(columns=["width"]) == ([[1], [3], [5]], 0)
    assert after(columns=["height"]) == ([[2.5], [-40], [6]], 0)
    assert after(target="height", columns=[1], header=True) == ([[1], [3], [5]], 0)
    (tmp_path / "mine.csv").write_text(GOOD + "7,8,dog\n")
    assert after(columns=["width"]) == ([[1], [3], [5], [7]], 1)
    assert after(columns=["height"]) == ([[2.5], [-40], [6], [8]], 0)
    (tmp_path / "mine.csv").write_text("a;b,c;d\n1;2;3\n")
    assert after(separator=";", columns=["a"]) == ([[1]], 1)
    monkeypatch.setattr(tables, "LARGEST_SPLIT", 10)
    (tmp_path / "mine.csv").write_text(GOOD + "9,9,cat\n")
    assert after(columns=["width"]) == ([[1], [3], [5], [9]], 1)
    assert after(columns=["height"]) == ([[2.5], [-40], [6], [9]], 1)


def test_a_file_that_has_gone(write, tmp_path):
    preset = load_file(write())
    (tmp_path / "mine.csv").unlink()
    with pytest.raises(InputError) as error:
        rows(preset)
    assert str(error.value) == (
        f"{tmp_path}/mine.csv: No such file or directory; expected a CSV file"
    )


@pytest.fixture
def forget():
    """Forgets all tables, as a new process does."""
    return _table.cache_clear


def test_a_file_with_another_checksum_is_refused(write, tmp_path, forget):
    preset = pinned(load_file(write()))
    (tmp_path / "mine.csv").write_text(GOOD + "7,8,dog\n")
    assert len(dataset(preset).x) == 3  # it was read before
    forget()
    with pytest.raises(InputError) as error:
        dataset(preset)
    assert str(error.value) == (
        f"{tmp_path}/mine.csv: has changed; expected the file with sha256 {preset.data.sha256}"
    )
    with pytest.raises(InputError, match="has changed"):
        ExperimentFolder.create(tmp_path / "runs", single(preset))
    assert not (tmp_path / "runs").exists()


def test_experiments_have_their_own_files(write, tmp_path, forget):
    """They need nothing else: not when the file changes or goes, nor when they are moved."""
    path = write()
    first = ExperimentFolder.create(tmp_path / "runs", single(load_file(path)))
    (tmp_path / "mine.csv").write_text(GOOD + "7,8,dog\n")
    second = ExperimentFolder.create(tmp_path / "runs", single(load_file(path)))
    (tmp_path / "mine.csv").unlink()
    (tmp_path / "runs").rename(tmp_path / "moved")
    for folder, count in (first, 3), (second, 4):
        forget()
        moved = tmp_path / "moved" / folder.id
        (preset,) = ExperimentFolder(moved).experiment.presets.values()
        kept = moved / "data" / f"{preset.data.sha256[:12]}.csv"
        assert preset.data.csv == str(kept)
        assert kept.stat().st_mode & 0o777 == 0o600
        assert kept.parent.stat().st_mode & 0o777 == 0o700
        assert preset.data.sha256 == hashlib.sha256(kept.read_bytes()).hexdigest()
        assert len(dataset(preset).x) == count


def test_an_experiment_just_made_is_as_it_is_read(write, tmp_path):
    """Presets of one file share the copy, and it can be trained again when the first one goes."""
    preset = load_file(write())
    other = override(preset, {"train.steps": 3})
    made = single(preset)
    made = replace(made, presets=made.presets | {"other": other})
    folder = ExperimentFolder.create(tmp_path / "runs", made)
    assert len(list((folder.path / "data").iterdir())) == 1
    assert ExperimentFolder(folder.path).experiment == folder.experiment
    again = ExperimentFolder.create(tmp_path / "runs", folder.experiment)
    shutil.rmtree(folder.path)
    assert len(dataset(again.experiment.presets["other"]).x) == 3
    assert str(again.path) in again.experiment.presets["other"].data.csv


def test_an_experiment_without_a_file_has_no_copies(tmp_path):
    folder = ExperimentFolder.create(tmp_path / "runs", single(find("line-fit")))
    assert not (folder.path / "data").exists()
