"""Every value that the sources print, or that their own programs gave, against the presets."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from msgspec import structs

from tuitrain.data import dataset
from tuitrain.optim import OPTIMIZERS
from tuitrain.spec.catalogue import catalogue, find
from tuitrain.spec.experiment import single
from tuitrain.spec.loss import CrossEntropy, SoftmaxCrossEntropy
from tuitrain.spec.preset import Preset
from tuitrain.spec.recording import Chunk
from tuitrain.train import Trainer
from tuitrain.train.losses import data_loss, targets

COURSE: dict[str, Any] = json.loads(
    (Path(__file__).parent / "reference" / "course.json").read_text(encoding="utf-8")
)
SALES = ["sales-mse", "sales-cost1-profit99", "sales-cost99-profit1"]
BOOK = ["book-less10", "book-more10", "book-mse"]


class Training:
    """A preset trained to its end; row k is step k + 1."""

    def __init__(self, preset: Preset) -> None:
        trainer = Trainer(preset, single(preset).runs)
        self.first = trainer.weights()
        chunk = trainer.advance(trainer.total)
        assert isinstance(chunk, Chunk)
        self.chunk = chunk
        self.last = trainer.weights()
        self.judged = {name: value[0] for name, value in trainer.evaluate().values.items()}

    def __getitem__(self, series: str) -> np.ndarray:
        return self.chunk.series[series][0]

    def weights(self, step: int) -> list[float]:
        """The two weights of a linear model after `step` updates."""
        return [self["w[0,0]"][step - 1], self["w[1,0]"][step - 1]]


@cache
def trained(name: str) -> Training:
    return Training(find(name))


def parabola(lr: float) -> Training:
    preset = find("parabola-constant")
    return Training(structs.replace(preset, optimizer=structs.replace(preset.optimizer, lr=lr)))


def close(values: Any, tolerance: float) -> Any:
    return pytest.approx(np.array(values), abs=tolerance, rel=0)


# Every preset -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", catalogue())
def test_a_preset_reaches_what_it_promises(name: str) -> None:
    expected, run = find(name).expected, trained(name)
    for parameter, value in expected.weights.items():
        assert run.last[parameter][0] == close(value, expected.tolerance)
    loss = run.judged["loss"]
    assert expected.loss is None or loss == close(expected.loss, expected.tolerance)
    assert expected.loss_below is None or loss < expected.loss_below
    for metric, (low, high) in expected.metrics.items():
        assert low <= run.judged[metric] <= high, metric


# Line ---------------------------------------------------------------------------------------


def test_line_fit() -> None:
    reference, run = COURSE["line-fit"], trained("line-fit")
    expect = reference["expect"]
    assert run.first["w"].item() == reference["init"]["w"]
    assert run.first["b"].item() == reference["init"]["b"]
    assert len(run["loss"]) == reference["steps"]
    for step, values in ((1, expect["after_1"]), (reference["steps"], expect["final"])):
        assert run["w[0,0]"][step - 1] == close(values["w"], expect["tol"])
        assert run["b[0]"][step - 1] == close(values["b"], expect["tol"])
    assert run.judged["loss"] < expect["final_loss_below"]
    assert run["loss"][-1] < expect["final_loss_below"]


# Yogurt sales -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SALES + BOOK)
def test_the_start_is_the_published_one(name: str) -> None:
    init = COURSE["sales-mse"]["init"]
    assert trained(name).first["w"].ravel().tolist() == np.float32(init).tolist()


def test_sales_mse_step_by_step() -> None:
    expect, run = COURSE["sales-mse"]["expect"], trained("sales-mse")
    for printed, (w1, w2, loss) in expect["trace_w1_w2_loss"].items():
        step = int(printed) + 1  # the program prints after its update, counted from 0
        assert run.weights(step) == close([w1, w2], expect["tol"])
        assert run["loss"][step - 1] == close(loss, expect["tol"])
    assert len(run["loss"]) == COURSE["sales-mse"]["steps"]
    assert run.last["w"].ravel() == close(expect["final"], expect["tol"])


def test_sales_optima_are_the_published_ones() -> None:
    data = dataset(find("sales-mse"))
    assert data is not None
    optimum = np.linalg.lstsq(data.x, data.y, rcond=None)[0]
    mse = COURSE["sales-mse"]
    assert optimum.ravel() == close(mse["least_squares_optimum"], 1e-5)
    assert np.mean((data.x @ optimum - data.y) ** 2) == close(mse["optimum_loss"], 1e-6)

    reference = COURSE["sales-cost1-profit99"]
    best = np.array(reference["linear_program_optimum"])
    predicted = torch.from_numpy(data.x @ best)[None, None]
    loss = data_loss(find("sales-cost1-profit99").loss, predicted, torch.from_numpy(data.y.T))
    assert loss.item() == close(reference["optimum_loss"], 1e-3)


@pytest.mark.parametrize("name", SALES[1:])
def test_sales_with_unequal_prices(name: str) -> None:
    expect, run = COURSE[name]["expect"], trained(name)
    assert run.weights(1) == close(expect["after_1"], expect["after_1_tol"])
    assert len(run["loss"]) == COURSE[name]["steps"]
    for value, (low, high) in zip(run.last["w"].ravel(), expect["final_range"], strict=True):
        assert low <= value <= high
    # float32, the same operations: much closer than the range, which would hold for any rounding.
    assert run.last["w"].ravel() == close(expect["final_float32"], 0.02)


def test_sales_first_loss() -> None:
    name = "sales-cost1-profit99"
    assert trained(name)["loss"][0] == close(COURSE[name]["expect"]["loss_0"], 1e-3)


@pytest.mark.parametrize("name", BOOK)
def test_book_step_by_step(name: str) -> None:
    expect, run = COURSE[name]["expect"], trained(name)
    for updates, weights in expect["trace"].items():
        assert run.weights(int(updates)) == close(weights, expect["tol"])
    assert len(run["loss"]) == COURSE["book-less10"]["steps"]
    assert run.last["w"].ravel() == close(expect["final"], expect["tol"])


@pytest.mark.parametrize("name", BOOK)
def test_book_rate_and_betas(name: str) -> None:
    optimizer, reference = find(name).optimizer, COURSE["book-less10"]
    assert (optimizer.lr, optimizer.eps) == (reference["lr"], reference["eps"])
    assert [optimizer.beta1, optimizer.beta2] == reference["betas"]


# Parabola -----------------------------------------------------------------------------------


def test_parabola_decay_step_by_step() -> None:
    expect, run = COURSE["parabola-decay"]["expect"], trained("parabola-decay")
    assert run.first["w"].item() == COURSE["parabola-decay"]["init"]
    for series, key in (("w", "w_after_epoch"), ("lr", "lr_at_epoch"), ("loss", "loss_at_epoch")):
        for epoch, value in expect[key].items():
            assert run[series][int(epoch)] == close(value, expect["tol"])
    assert len(run["loss"]) == 40


def test_parabola_decay_for_a_thousand_steps() -> None:
    preset = find("parabola-decay")
    long = Training(structs.replace(preset, train=structs.replace(preset.train, steps=1000)))
    short = trained("parabola-decay")
    assert long["w"][:40].tolist() == short["w"].tolist()
    assert long["lr"][999] == pytest.approx(0.2 * 0.99**999)
    assert long.last["w"][0] == close(-1.0, 1e-6)


def test_parabola_at_one_fifth() -> None:
    reference = COURSE["parabola-constant"]
    run, tolerance = parabola(0.2), reference["tol"]
    for step, value in reference["lr 0.2"]["after"].items():
        assert run["w"][int(step) - 1] == close(value, tolerance)
    assert run["w"] == close(6 * 0.6 ** np.arange(1, len(run["w"]) + 1) - 1, tolerance)
    assert find("parabola-constant").optimizer.lr == 0.2


@pytest.mark.parametrize("lr", [0.001, 0.999])
def test_parabola_too_small_and_too_large(lr: float) -> None:
    reference = COURSE["parabola-constant"]
    run = parabola(lr)
    assert run["w"][39] == close(reference[f"lr {lr}"]["after_40"], reference["tol"])
    # 0.999 swings from side to side of -1, 0.001 creeps down from one side.
    assert np.all(np.diff(np.sign(run["w"] + 1)) != 0) == (lr == 0.999)


def test_parabola_swings_for_ever() -> None:
    w = parabola(1.0)["w"]
    assert w[0::2] == close(np.full(len(w[0::2]), -7.0), COURSE["parabola-constant"]["tol"])
    assert w[1::2] == close(np.full(len(w[1::2]), 5.0), COURSE["parabola-constant"]["tol"])


# y = x1 + 2 x2 ------------------------------------------------------------------------------


def test_plain_mse_finds_the_truth() -> None:
    reference, run = COURSE["plain-mse-x1-2x2"], trained("plain-mse")
    expect = reference["expect"]
    assert run.last["w"].ravel() == close(expect["truth"], expect["tol"])
    assert len(run["loss"]) == reference["steps"]
    assert find("plain-mse").optimizer.lr == reference["lr"]


@pytest.mark.parametrize(
    ("name", "share"), [("asymmetric-over3", 1 / 4), ("asymmetric-under3", 3 / 4)]
)
def test_unequal_prices_move_the_share_predicted_too_much(name: str, share: float) -> None:
    """The minimum of the mean price is the quantile profit / (cost + profit) of the errors."""
    preset = find(name)
    assert preset.loss.profit / (preset.loss.cost + preset.loss.profit) == share
    data = dataset(preset)
    assert data is not None
    over = data.x @ trained(name).last["w"][0] > data.y
    assert over.mean() == close(share, 0.15)


@pytest.mark.parametrize("name", ["asymmetric-over3", "asymmetric-under3"])
def test_without_noise_the_text_would_end_at_the_truth(name: str) -> None:
    preset = find(name)
    run = Training(structs.replace(preset, data=structs.replace(preset.data, noise=0.0)))
    truth = COURSE["plain-mse-x1-2x2"]["expect"]["truth"]
    assert run.last["w"].ravel() == close(truth, 0.015)


# Cross-entropy ------------------------------------------------------------------------------


def guesses() -> list[tuple[list[float], float]]:
    table = COURSE["cross-entropy-two-guesses"]["guesses"]
    return [(json.loads(f"[{guess[1:-1]}]"), loss) for guess, loss in table.items()]


@pytest.mark.parametrize(("guess", "loss"), guesses())
def test_two_guesses(guess: list[float], loss: float) -> None:
    reference = COURSE["cross-entropy-two-guesses"]
    preset = find("cross-entropy-two-guesses")
    y = torch.tensor([reference["target"]], dtype=torch.float32).T
    p = torch.tensor(guess)[None, :, None]
    assert data_loss(SoftmaxCrossEntropy(), p.log(), y) == close([loss], reference["tol"])
    assert data_loss(CrossEntropy(), p, y) == close([loss], reference["tol"])
    init = {"w": [float(value) for value in np.log(guess)]}
    start = Training(structs.replace(preset, model=structs.replace(preset.model, init=init)))
    assert start["loss"][0] == close(loss, reference["tol"])


def test_two_guesses_starts_at_the_first() -> None:
    reference, run = COURSE["cross-entropy-two-guesses"], trained("cross-entropy-two-guesses")
    assert np.exp(run.first["w"][0]) / np.exp(run.first["w"][0]).sum() == close([0.6, 0.4], 1e-6)
    assert run["loss"][0] == close(reference["guesses"]["(0.6,0.4)"], reference["tol"])
    assert np.all(np.diff(run["loss"]) < 0)


def test_softmax_cross_entropy_of_five_rows() -> None:
    reference = COURSE["softmax-cross-entropy-5-rows"]
    rows, tolerance = reference["target_rows"], reference["tol"]
    logits = torch.tensor(reference["logits"], dtype=torch.float64).T[None]
    y = torch.tensor(rows, dtype=torch.float64)
    sparse = SoftmaxCrossEntropy(targets="sparse")
    forms = [
        (SoftmaxCrossEntropy(), logits, y.T),
        (CrossEntropy(), logits.softmax(1), y.T),
        (sparse, logits, torch.tensor([row.index(1) for row in rows])),
    ]
    assert targets(sparse, y).tolist() == forms[2][2].tolist()
    for kind, predicted, target in forms:
        for row, loss in enumerate(reference["losses"]):
            one = data_loss(kind, predicted[..., [row]], target[..., [row]])
            assert one == close([loss], tolerance)
        mean = data_loss(kind, predicted, target)
        assert mean == close([np.mean(reference["losses"])], tolerance)


# Iris ---------------------------------------------------------------------------------------

OPTIMIZERS_OF_IRIS = {
    "sgd": ("sgd", {}),
    "sgdm (m = 0.9 m + 0.1 g; w -= lr m)": ("sgdm", {"momentum": 0.9}),
    "adagrad (v += g^2; w -= lr g/sqrt(v))": ("adagrad", {}),
    "rmsprop (beta 0.9)": ("rmsprop", {"alpha": 0.9}),
    "adam (0.9, 0.999, bias-corrected)": ("adam", {"beta1": 0.9, "beta2": 0.999}),
}
"""Each of the course with what it is here; eps is our default, which is outside of the root."""


@pytest.fixture(scope="module")
def raced() -> Trainer:
    """The five optimizers on iris from the same start, as one stack."""
    preset, lr = find("iris"), COURSE["iris"]["lr"]
    runs = [
        structs.replace(single(preset).runs[0], optimizer=OPTIMIZERS[name](lr=lr, **settings))
        for name, settings in OPTIMIZERS_OF_IRIS.values()
    ]
    return Trainer(preset, runs)


@pytest.fixture(scope="module")
def epochs(raced: Trainer) -> np.ndarray:
    """The mean loss of the four batches of each epoch, as the course prints it, [5, epochs]."""
    chunk = raced.advance(raced.total)
    assert chunk is not None
    mean: np.ndarray = chunk.series["loss"].reshape(len(raced.runs), -1, 4).mean(2)
    return mean


def test_iris_is_the_published_program() -> None:
    reference, preset = COURSE["iris"], find("iris")
    assert preset.model.init == {"w1": reference["init"]["W"], "b1": reference["init"]["b"]}
    assert (preset.optimizer.lr, preset.train.epochs) == (reference["lr"], reference["epochs"])
    data = dataset(preset)
    assert data is not None
    assert (data.x.shape, data.x_test.shape) == ((120, 4), (30, 4))
    assert data.labels(data.y_test).tolist() == reference["test_labels"]
    assert preset.train.dtype == "float32"


def test_the_course_names_five_optimizers() -> None:
    named = [
        name for name in COURSE["iris"]["expect"] if name not in ("tol", "test_accuracy_final")
    ]
    assert named == list(OPTIMIZERS_OF_IRIS)


@pytest.mark.parametrize("place", range(5), ids=[name for name, _ in OPTIMIZERS_OF_IRIS.values()])
def test_iris_epoch_by_epoch(epochs: np.ndarray, raced: Trainer, place: int) -> None:
    reference = COURSE["iris"]["expect"]
    expect = reference[list(OPTIMIZERS_OF_IRIS)[place]]
    # in its note: how far the digits of rmsprop depend on eps
    tolerance = 1e-3 if "note" in expect else reference["tol"]
    assert epochs.shape == (5, COURSE["iris"]["epochs"])
    for epoch in ("0", "99", "499"):
        assert epochs[place, int(epoch)] == close(expect[epoch], tolerance)
    judged = raced.evaluate().values
    assert judged["test_accuracy"][place] == reference["test_accuracy_final"]


# Dots ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "key"), [("dots", "free"), ("dots-l2", "l2")])
def test_dots(name: str, key: str) -> None:
    reference, preset = COURSE["dots"], find(name)
    settings = {"lr": preset.optimizer.lr, "epochs": preset.train.epochs}
    assert settings in reference["settings"]
    run, expect = trained(name), reference["expect"][key]
    squares = sum(float((run.last[w] ** 2).sum()) for w in ("w1", "w2")) / 2
    found = {
        "mse": run.judged.get("data_loss", run.judged["loss"]),
        "accuracy": run.judged["accuracy"],
        "half_sum_w2": squares,
    }
    for metric, (low, high) in expect.items():
        assert low <= found[metric] <= high, metric
    l2 = preset.regularisation.l2
    assert l2 == (0.03 if key == "l2" else 0.0)
    assert run.judged["loss"] == pytest.approx(found["mse"] + l2 * squares, rel=1e-5)


def test_dots_are_the_published_ones() -> None:
    data = dataset(find("dots"))
    assert data is not None
    assert data.x.tolist() == np.random.RandomState(2).randn(300, 2).tolist()
    assert data.y.sum() == 188


@pytest.mark.parametrize(("lr", "count"), [(0.01, 400), (0.005, 800)])
def test_dots_from_other_starts(lr: float, count: int) -> None:
    """Error and accuracy of five; how large free weights end depends on how they start."""
    for name, key in (("dots", "free"), ("dots-l2", "l2")):
        preset, expect = find(name), COURSE["dots"]["expect"][key]
        preset = structs.replace(preset, train=structs.replace(preset.train, epochs=count))
        [run] = single(preset).runs
        rule = structs.replace(run.optimizer, lr=lr)
        runs = [structs.replace(run, optimizer=rule, seed=seed) for seed in range(5)]
        trainer = Trainer(preset, runs)
        trainer.advance(trainer.total)
        judged = trainer.evaluate().values
        mse = judged.get("data_loss", judged["loss"])
        for found, metric in ((mse, "mse"), (judged["accuracy"], "accuracy")):
            low, high = expect[metric]
            assert np.all((low <= found) & (found <= high)), (name, metric, found)
