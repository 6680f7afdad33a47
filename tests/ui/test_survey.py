"""What a map shows of real recordings, and that its questions are answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tuitrain.data.optimum import optimum
from tuitrain.optim import OPTIMIZERS
from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.inbox import Stop, send
from tuitrain.record.live import Recording
from tuitrain.spec.catalogue import find
from tuitrain.spec.experiment import Experiment, Run, single
from tuitrain.spec.load import decode
from tuitrain.spec.overrides import override
from tuitrain.spec.preset import Preset
from tuitrain.ui.survey import Survey
from tuitrain.worker.launch import launch

Train = Callable[[Experiment], Recording]

FOUR = {
    "title": "four inputs",
    "data": {
        "kind": "gaussian", "rows": 40, "seed": 3, "truth": [1.0, -2.0, 0.5, 3.0], "noise": 0.3
    },
    "model": {"kind": "linear"},
    "loss": {"kind": "mse"},
    "optimizer": {"name": "adam", "lr": 0.01},
    "train": {"steps": 400},
}  # fmt: skip


FLOAT32 = {"rtol": 1e-5, "atol": 1e-6}
"""Of a sum of five products, whose order is NumPy's."""


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def train(tmp_path: Path) -> Iterator[Train]:
    """Starts a real worker on an experiment; gives its recording once there are steps."""
    recordings: list[Recording] = []

    def begin(experiment: Experiment) -> Recording:
        folder = ExperimentFolder.create(tmp_path / "runs", experiment)
        launch(folder)
        recording = Recording(folder)
        recordings.append(recording)
        until(lambda: recording.refresh() and recording.status.step)
        return recording

    yield begin
    for recording in recordings:
        if not recording.status.ended:
            send(recording.folder, Stop())
            until(lambda recording=recording: recording.refresh() and recording.ended)
        recording.close()


def ended(recording: Recording) -> Recording:
    until(lambda: recording.refresh() or recording.ended)
    until(lambda: (recording.refresh(), recording.ended)[1])
    return recording


def several(preset: Preset, *rules: tuple[str, float]) -> Experiment:
    runs = [
        Run(
            name=f"{preset.name} {rule} lr={lr} seed={preset.train.seed}",
            preset=preset.name,
            optimizer=OPTIMIZERS[rule](lr=lr),
            schedule=preset.schedule,
            seed=preset.train.seed,
        )
        for rule, lr in rules
    ]
    return Experiment(presets={preset.name: preset}, runs=runs, device="cpu")


def answer(survey: Survey) -> None:
    """Asks for the home window, and waits for the landscape."""
    assert survey.home is not None
    home = survey.home
    before = len(survey.landscapes)
    survey.ask(home.widened(0.1), 40, 30)

    def there() -> bool:
        survey.recording.refresh()
        survey.update()
        return len(survey.landscapes) > before

    until(there)


@pytest.mark.parametrize(
    ("dtype", "start"),
    [("float32", [1e39, 1.0, 2.0]), ("float64", [-1e308, 0.0, 1.0]), ("float32", [1e39, 1.0])],
)
def test_weights_that_are_nowhere_on_a_map_have_none(
    train: Train, dtype: str, start: list[float]
) -> None:
    preset = decode(
        {
            "title": "far away",
            "model": {"kind": "parameter", "size": len(start), "init": {"w": start}},
            "loss": {"kind": "expression", "formula": "abs(w)"},
            "optimizer": {"name": "sgd", "lr": 0.1},
            "train": {"steps": 3, "dtype": dtype},
        },
        "far",
    )
    survey = Survey(ended(train(several(preset, ("sgd", 0.1)))))
    survey.update()
    assert survey.plane is None
    assert not survey.trails


def test_the_ways_are_the_recorded_weights(train: Train) -> None:
    preset = override(find("sales-mse"), {"train.steps": 500})
    recording = ended(train(several(preset, ("sgd", 0.05), ("adam", 0.02))))
    best = optimum(preset)
    assert best is not None
    survey = Survey(recording, best=best.weights)
    survey.update()
    assert [trail.name for trail in survey.trails] == ["sgd lr=0.05", "adam lr=0.02"]
    assert [trail.letter for trail in survey.trails] == ["A", "B"]
    for run, trail in enumerate(survey.trails):
        for name, side in (("w[0,0]", 0), ("w[1,0]", 1)):
            way = np.concatenate([block[side] for block in trail.blocks])
            np.testing.assert_array_equal(way, recording.series(run, name).values)
        assert trail.start == pytest.approx((-0.8113182, 1.4845988))
        assert survey.home is not None
        for x, y in (trail.start, trail.last, survey.optimum or (np.nan, np.nan)):
            assert survey.home.x[0] < x < survey.home.x[1]
            assert survey.home.y[0] < y < survey.home.y[1]


def test_questions_are_answered_while_it_trains_and_after(train: Train) -> None:
    preset = override(find("line-fit"), {"train.steps": 20_000_000})
    recording = train(single(preset, device="cpu"))
    survey = Survey(recording)
    survey.update()
    answer(survey)
    send(recording.folder, Stop())
    ended(recording)
    answer(survey)
    later = Survey(Recording(recording.folder))
    later.recording.refresh()
    later.update()
    assert len(later.landscapes) == 2  # what was once worked out stays
    later.recording.close()


def test_a_run_by_itself_is_named_by_its_optimizer(train: Train) -> None:
    """Its learning rate may change."""
    preset = override(find("line-fit"), {"optimizer.name": "adam", "train.steps": 20})
    survey = Survey(ended(train(single(preset, device="cpu"))))
    survey.update()
    assert [trail.name for trail in survey.trails] == ["adam"]


def test_a_run_that_diverges_does_not_decide_the_window(train: Train) -> None:
    preset = override(find("sales-mse"), {"train.steps": 400})
    recording = ended(train(several(preset, ("sgd", 0.05), ("sgd", 8.0))))
    survey = Survey(recording)
    survey.update()
    assert [trail.lost for trail in survey.trails] == [False, True]
    assert survey.home is not None
    assert max(survey.home.size) < 5


def test_a_larger_model_is_seen_along_its_principal_directions(train: Train) -> None:
    preset = msgspec.structs.replace(decode(FOUR, "four"), name="four")
    recording = ended(train(single(preset, device="cpu")))
    survey = Survey(recording)
    survey.update()
    assert survey.plane is not None
    assert survey.plane.names[0].startswith("PC1 (")
    (trail,) = survey.trails
    names = ["w[0,0]", "w[1,0]", "w[2,0]", "w[3,0]", "b[0]"]
    rows = np.stack([recording.series(0, name).values for name in names], axis=1)
    x, y = survey.plane.project(rows)
    np.testing.assert_allclose(np.concatenate([block[0] for block in trail.blocks]), x, **FLOAT32)
    np.testing.assert_allclose(np.concatenate([block[1] for block in trail.blocks]), y, **FLOAT32)
    answer(survey)
    survey.choose(("b[0]", "w[2,0]"))
    survey.update()
    assert survey.plane.names == ("b[0]", "w[2,0]")
    assert trail is not survey.trails[0]
    assert survey.trails[0].last == pytest.approx((rows[-1, 4], rows[-1, 2]))
    assert survey.landscapes == []  # those of the other plane do not fit


def test_one_parameter_has_no_landscape(train: Train) -> None:
    survey = Survey(ended(train(single(find("parabola-decay")))))
    survey.update()
    assert not survey.possible
    assert survey.plane is None


def test_runs_look_as_other_panels_have_them(train: Train) -> None:
    preset = override(find("line-fit"), {"train.steps": 50})
    survey = Survey(ended(train(several(preset, ("sgd", 0.01), ("adam", 0.1)))))
    survey.update()
    survey.dress(1, "mine", "x", 7)
    assert [trail.letter for trail in survey.trails] == ["A", "x"]
    assert (survey.trails[1].name, survey.trails[1].colour) == ("mine", 7)


def test_the_directions_of_a_large_model_come_from_as_many_points_as_can_be_worked_out_at_once(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    preset = override(find("digits-mlp"), {"train.epochs": 8})
    recording = ended(train(single(preset, device="cpu")))
    survey = Survey(recording, 0)
    survey.update()
    points = survey._seen(survey._blocks())
    assert len(points) > 4
    monkeypatch.setattr("tuitrain.ui.survey.VALUES", 3 * points.shape[1])
    fewer = survey._seen(survey._blocks())
    assert len(fewer) <= 3 + 2
    np.testing.assert_array_equal(fewer[[0, -1]], points[[0, -1]])
