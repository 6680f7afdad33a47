"""The dashboard of networks, on real trainings: charts, pictures, replay, words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from textual.widgets import Input

from tests.ui.conftest import dashboard, page, start, state, until
from tuitrain.record.folder import ExperimentFolder, experiments
from tuitrain.spec.catalogue import catalogue
from tuitrain.spec.size import size
from tuitrain.ui.facts import RunFacts
from tuitrain.ui.screens.dashboard_pictures import AT_ONCE, HistogramPanel
from tuitrain.ui.screens.network_dialogs import SizeDialog, WeightDialog
from tuitrain.ui.widgets.boundary import BoundaryView
from tuitrain.ui.widgets.chart import Chart
from tuitrain.ui.widgets.confusion import ConfusionView
from tuitrain.ui.widgets.histogram import HistogramView
from tuitrain.ui.widgets.images import ImagesView
from tuitrain.ui.widgets.landscape import LandscapeView
from tuitrain.ui.widgets.tensors import TensorsTable
from tuitrain.ui.widgets.weights import WeightsTable


async def finished(pilot, name: str, **settings: str) -> None:
    """Train a preset to its end."""
    await start(pilot, name, **settings)
    await until(pilot, lambda: state(pilot) == "finished", "end")
    told = ("finished: ", "finished as expected: ")
    await until(pilot, lambda: any(words in page(pilot) for words in told), "diagnosis")


@pytest.mark.parametrize(
    ("name", "size", "named"),
    [("digits-mlp", (120, 40), "batch –"), ("dots-l2", (80, 24), "batch + penalty –")],  # noqa: RUF001
)
async def test_what_is_not_known_before_the_first_step_is_a_dash(opened, name, size, named) -> None:
    async with opened(size=size) as pilot:
        shown = await start(pilot, name, full_speed=False, train__epochs="2000")
        await until(pilot, lambda: shown.facts.step > 0, "a step")
        await pilot.press("r")
        await until(pilot, lambda: len(pilot.app.screen_stack) > 2 or not shown.alive, "question")
        await pilot.press("r")
        await until(pilot, lambda: dashboard(pilot) is not shown, "a new run")
        await until(pilot, lambda: named in page(pilot), "legend")
        assert "nan" not in page(pilot)


async def test_a_range_that_is_met_is_told_without_praise(opened) -> None:
    async with opened() as pilot:
        await finished(pilot, "deep-sigmoid")
        told = dashboard(pilot).judge()
        assert (told.word, told.tone) == ("finished as expected", "neutral")
        assert told.sentence.startswith("test accuracy ")
        assert "(40 % to 60 %)" in told.sentence
        chart = dashboard(pilot).query_one("#accuracy", Chart)
        assert [line.value for line in chart.references] == [0.4, 0.6]


async def test_a_perfect_classifier_is_not_told_to_train_on(opened) -> None:
    async with opened() as pilot:
        await finished(pilot, "digits-mlp", optimizer__lr="0.01")
        assert dashboard(pilot).facts.evaluated("accuracy").last == 1
        assert "more steps" not in dashboard(pilot).judge().sentence


def titles(pilot) -> list[str]:
    """Of the pictures on the screen."""
    screen = dashboard(pilot)
    return [str(panel.view.border_title) for panel in screen.pictures.shown]


async def test_charts_show_train_and_test_over_the_batches(opened) -> None:
    async with opened() as pilot:
        await finished(pilot, "spiral", train__epochs="20")
        screen = dashboard(pilot)
        loss, accuracy = screen.query_one("#loss", Chart), screen.query_one("#accuracy", Chart)
        assert [layer.name for layer in loss.curves] == ["batch", "train", "test"]
        assert [layer.faint for layer in loss.curves] == [True, False, False]
        assert accuracy.display
        (result,) = screen.recording.results
        for layer in accuracy.curves:
            name = {"train": "accuracy", "test": "test_accuracy"}[layer.name]
            assert layer.series.last == result.metrics[name]
            assert layer.series.first_step == 0
            assert layer.series.last_step == 200
        text = page(pilot)
        assert f"test {result.metrics['test_accuracy']:.4g}" in text
        assert "Accuracy" in text


async def test_train_and_test_are_of_the_same_weights_with_a_full_batch(opened) -> None:
    async with opened() as pilot:
        await finished(pilot, "moons", train__batch="full", train__epochs="20")
        screen = dashboard(pilot)
        loss = screen.query_one("#loss", Chart)
        assert [layer.name for layer in loss.curves] == ["step", "train", "test"]
        assert [layer.faint for layer in loss.curves] == [True, False, False]
        step, train, test = (layer.series for layer in loss.curves)
        assert train.steps.tolist() == test.steps.tolist() == list(range(21))
        steps, judged = screen.recording.evaluated(0, "loss")
        assert train.at(10) == judged[steps.tolist().index(10)]
        # The loss of step 11 is that of the weights after step 10.
        assert step.at(11) == pytest.approx(train.at(10), rel=1e-4)
        assert step.at(10) != pytest.approx(train.at(10), rel=1e-4)
        loss.set_cursor(10)
        await pilot.pause()
        assert f"train {train.at(10):.4g}" in page(pilot)


async def test_presets_without_evaluations_look_as_they_did(opened) -> None:
    async with opened() as pilot:
        await finished(pilot, "line-fit", train__steps="50")
        screen = dashboard(pilot)
        assert [layer.name for layer in screen.query_one("#loss", Chart).curves] == ["loss"]
        assert not screen.query_one("#accuracy").display
        assert not screen.query_one("#size").display
        assert screen.query_one(WeightsTable)
        assert titles(pilot) == ["Data and model (v: landscape)"]
        await pilot.press("e")
        assert dashboard(pilot) is pilot.app.screen  # every weight is in the table


async def test_the_key_goes_round_the_pictures(opened) -> None:
    async with opened() as pilot:
        await finished(pilot, "spiral", train__epochs="20")
        screen = dashboard(pilot)
        seen = []
        for kind in (BoundaryView, ConfusionView, HistogramView, LandscapeView):
            view = screen.query_one(kind)
            await until(
                pilot, lambda view=view: view.display and view.size.width > 0, kind.__name__
            )
            assert [v.view.display for v in screen.pictures.panels].count(True) == 1
            seen += titles(pilot)
            await pilot.press("v")
        assert seen == [
            "Decision boundary (v: confusion)",
            "Confusion, test rows (v: weights)",
            "Weights over steps (v: landscape)",
            "Loss landscape (v: boundary)",
        ]
        await until(pilot, lambda: screen.query_one(BoundaryView).display, "round again")


async def test_the_boundary_is_that_of_the_last_picture_and_follows_the_cursor(opened) -> None:
    async with opened() as pilot:
        await finished(pilot, "spiral", train__epochs="20")
        screen, recording = dashboard(pilot), dashboard(pilot).recording
        view = screen.query_one(BoundaryView)
        steps = recording.picture_steps(0, "grid")
        assert len(steps) > 5
        np.testing.assert_array_equal(view.grid, recording.picture(0, "grid"))
        chart = screen.query_one("#loss", Chart)
        await pilot.press("comma", *["comma"] * 30)
        assert chart.cursor is not None
        before = max(step for step in steps if step <= chart.cursor)
        assert before < steps[-1]
        await until(
            pilot, lambda: titles(pilot)[0].startswith(f"Decision boundary at {before:,}"), "at"
        )
        np.testing.assert_array_equal(view.grid, recording.picture(0, "grid", before))
        assert f"Weights at {chart.cursor:,}" in page(pilot)
        await pilot.press("0")
        await until(pilot, lambda: titles(pilot)[0].startswith("Decision boundary (v"), "now")
        np.testing.assert_array_equal(view.grid, recording.picture(0, "grid"))


async def test_the_confusion_matrix_counts_the_test_rows(opened) -> None:
    async with opened() as pilot:
        await finished(pilot, "digits-softmax", train__epochs="2")
        screen = dashboard(pilot)
        counts = screen.recording.picture(0, "confusion")
        (result,) = screen.recording.results
        assert counts.sum() == 359
        assert np.trace(counts) / 359 == pytest.approx(result.metrics["test_accuracy"])
        wrong = 359 - int(np.trace(counts))
        await until(pilot, lambda: f"{wrong} of 359 wrong" in page(pilot), "images")
        assert screen.query_one(ImagesView).display
        await pilot.press("v")
        view = screen.query_one(ConfusionView)
        await until(pilot, lambda: view.counts is not None, "confusion")
        np.testing.assert_array_equal(view.counts, counts)


async def test_two_pictures_side_by_side_where_there_is_room(opened) -> None:
    async with opened(size=(200, 60)) as pilot:
        await finished(pilot, "spiral", train__epochs="20")
        screen = dashboard(pilot)
        assert len(titles(pilot)) == 2
        left, right = screen.query_one(BoundaryView).region, screen.query_one(ConfusionView).region
        assert left.y == right.y
        assert left.right <= right.x
        for line in size(catalogue()["spiral"]).text.splitlines():
            assert line in page(pilot)
        for keys, second in (
            ("v", "Weights over steps (v: landscape)"),
            ("vv", "Confusion, test rows (v: weights)"),
        ):
            await pilot.press(*keys)
            wanted = ["Decision boundary", second]
            await until(pilot, lambda wanted=wanted: titles(pilot) == wanted, second)


async def test_a_small_screen_shows_the_charts_or_a_picture(opened) -> None:
    async with opened(size=(80, 24)) as pilot:
        await finished(pilot, "spiral", train__epochs="20")
        screen = dashboard(pilot)
        loss, view = screen.query_one("#loss", Chart), screen.query_one(BoundaryView)
        assert "Loss (v: boundary)" in page(pilot)
        assert screen.query_one("#accuracy").region.height > 3
        await pilot.press("v")
        await until(pilot, lambda: view.region.width == 80 and not loss.region, "picture")
        assert view.region.height > 15
        await pilot.press("v", "v", "v")
        await until(pilot, lambda: screen.query_one(LandscapeView).region.width == 80, "landscape")
        assert "(v: charts)" in page(pilot)
        await pilot.press("v")
        await until(pilot, lambda: loss.region.width == 80 and not view.region, "charts")


async def test_numbers_have_their_prediction_drawn_and_no_accuracy(opened) -> None:
    async with opened() as pilot:
        await finished(pilot, "plane", train__epochs="3")
        screen = dashboard(pilot)
        assert titles(pilot) == ["Prediction (v: landscape)"]
        assert not screen.query_one("#accuracy").display
        assert "test accuracy" not in page(pilot)
        view = screen.query_one(BoundaryView)
        assert view.scatter.classes == ()
        assert np.count_nonzero(view.scatter.test) == 100


async def test_one_weight_of_many_over_the_pictures(opened) -> None:
    async with opened() as pilot:
        await finished(pilot, "spiral", train__epochs="20")
        recording = dashboard(pilot).recording
        await pilot.press("e")
        assert isinstance(pilot.app.screen, WeightDialog)
        entry = pilot.app.screen.query_one(Input)
        for wrong, said in (
            ("w9[0]", "no such weight"),
            ("w2[3,16]", "[0,0] to [15,15]"),
            ("w2", "to"),
            ("w2[1 2]", "no such weight"),
            ("w2[3,,5]", "no such weight"),
            ("w2[3,\u0665]", "no such weight"),
            ("b2[" + 5000 * "9" + "]", "no such weight"),
            ("b2[]", "[0] to [15]"),
        ):
            entry.value = wrong
            await pilot.pause()
            assert said in page(pilot), wrong
        entry.value = "w2[3 , 5 ]"
        await pilot.press("enter")
        (layer,) = pilot.app.screen.query_one(Chart).curves
        assert layer.name == "w2[3 , 5 ]"
        entry.value = "w2[3,5]"
        await pilot.press("enter")
        (layer,) = pilot.app.screen.query_one(Chart).curves
        assert layer.name == "w2[3,5]"
        steps = recording.picture_steps(0, "weights")
        place = 2 * 16 + 16 + 3 * 16 + 5
        wanted = [recording.picture(0, "weights", step)[place] for step in steps]
        assert layer.series.steps.tolist() == steps
        assert layer.series.values.tolist() == wanted
        last = recording.last_weights[0]["w2"][3, 5]
        assert wanted[-1] == pytest.approx(float(last))
        await pilot.press("escape", "z")
        assert isinstance(pilot.app.screen, SizeDialog)
        await pilot.pause()
        assert "parameters = 32 w1 + 16 b1" in page(pilot)


async def test_tensors_have_their_statistics(opened) -> None:
    async with opened() as pilot:
        await finished(pilot, "spiral", train__epochs="20")
        (table,) = dashboard(pilot).query(TensorsTable)
        assert [tensor.name for tensor in table.tensors] == ["w1", "b1", "w2", "b2", "w3", "b3"]
        last = dashboard(pilot).recording.last_weights[0]["w2"]
        assert table.tensors[2].norm.last == pytest.approx(float(np.linalg.norm(last)), rel=1e-4)


async def test_the_landscape_of_a_large_model_follows_its_pictures(opened) -> None:
    async with opened() as pilot:
        await finished(pilot, "spiral", train__epochs="20")
        screen = dashboard(pilot)
        await pilot.press("v", "v", "v")
        view = screen.query_one(LandscapeView)
        await until(pilot, lambda: bool(view.trails), "the way")
        (trail,) = view.trails
        assert len(trail.blocks) == len(screen.recording.picture_steps(0, "weights"))
        end = view.plane.project(screen.recording.picture(0, "weights"))
        assert trail.last == pytest.approx([float(side) for side in end])
        await until(pilot, lambda: bool(view.landscapes), "answer")


async def test_what_was_recorded_is_shown_again(opened, runs_dir: Path) -> None:
    async with opened() as pilot:
        await finished(pilot, "spiral", train__epochs="20")
    (folder,) = experiments(runs_dir)
    async with opened(size=(200, 60), attach=ExperimentFolder(folder.path)) as pilot:
        await until(pilot, lambda: "finished: " in page(pilot), "diagnosis")
        await pilot.press("v")
        view = dashboard(pilot).query_one(HistogramView)
        steps = dashboard(pilot).recording.picture_steps(0, "weights")
        await until(pilot, lambda: view.histories and view.histories[0].steps == steps, "histories")


async def test_weights_that_cannot_be_read_are_tried_once(opened, runs_dir: Path, monkeypatch):
    async with opened() as pilot:
        await finished(pilot, "spiral", train__epochs="20")
    (folder,) = experiments(runs_dir)
    tried: list[int] = []

    def unreadable(facts: RunFacts, name: str, step: int | None = None) -> None:
        if name == "weights" and step is not None:
            tried.append(step)

    monkeypatch.setattr(RunFacts, "picture", unreadable)
    async with opened(size=(200, 60), attach=ExperimentFolder(folder.path)) as pilot:
        await until(pilot, lambda: "finished: " in page(pilot), "diagnosis")
        await pilot.press("v")
        screen = dashboard(pilot)
        steps = screen.recording.picture_steps(0, "weights")
        assert len(steps) > 2 * AT_ONCE
        await until(pilot, lambda: len(tried) >= len(steps), "all of them")
        for _ in range(3):
            screen.pictures.show(None)
            await pilot.pause(0.1)
        assert tried == steps


async def test_the_weights_are_read_on_with_the_cursor_where_it_is(opened, runs_dir: Path) -> None:
    async with opened() as pilot:
        await finished(pilot, "spiral", train__epochs="20")
    (folder,) = experiments(runs_dir)
    async with opened(size=(200, 60), attach=ExperimentFolder(folder.path)) as pilot:
        await until(pilot, lambda: "finished: " in page(pilot), "diagnosis")
        screen = dashboard(pilot)
        (panel,) = (each for each in screen.pictures.panels if isinstance(each, HistogramPanel))
        for step in (50, 20):
            panel.update(step)
        steps = screen.recording.picture_steps(0, "weights")
        assert len(panel.histories[0].steps) < len(steps)
        await until(pilot, lambda: panel.histories[0].steps == steps, "histories")
        assert panel.view.step == 20


@pytest.mark.parametrize("name", ["spiral", "digits-mlp", "plane"])
async def test_any_size(opened, name: str) -> None:
    async with opened() as pilot:
        await finished(pilot, name, train__epochs="2")
        for shape in ((20, 5), (1, 1), (300, 80), (80, 24)):
            await pilot.resize_terminal(*shape)
            for _ in range(5):
                await pilot.press("v")
                await pilot.pause(0.05)
            assert page(pilot)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("xor-linear", "at chance: accuracy 52 % is no better than chance; without a hidden layer"),
        ("deep-sigmoid", "not learning: vanishing gradients: a step moves w1 by "),
        ("xor-relu", "expected values reached; test accuracy "),
    ],
)
async def test_the_line_of_diagnosis_knows_networks(opened, name: str, said: str) -> None:
    async with opened(size=(160, 40)) as pilot:
        await finished(pilot, name)
        await until(pilot, lambda: said in page(pilot), said)


async def test_a_metric_that_is_missed_is_named(opened) -> None:
    async with opened(size=(160, 40)) as pilot:
        screen = await start(pilot, "moons")
        screen.facts.expected.metrics["test_accuracy"] = (1.01, 1.02)
        await until(pilot, lambda: state(pilot) == "finished", "end")
        last = screen.facts.evaluated("test_accuracy").last
        said = f"expected not reached: test accuracy is {last:.4g}, not 1.01 to 1.02"
        await until(pilot, lambda: said in page(pilot), said)
