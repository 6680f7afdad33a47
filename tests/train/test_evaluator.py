"""What evaluations hold, against plain NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from msgspec import structs

from tuitrain.data import Dataset, dataset, grid
from tuitrain.spec.data import Circle, Digits, Dots, Iris, Plane, Points
from tuitrain.spec.evaluation import GRID
from tuitrain.spec.loss import (
    BinaryCrossEntropy,
    CrossEntropy,
    Expression,
    Hinge,
    MeanSquared,
    Regularisation,
    SoftmaxCrossEntropy,
)
from tuitrain.spec.model import Convolution, Linear, Network, Parameter
from tuitrain.spec.preset import Preset
from tuitrain.train import evaluator as module
from tuitrain.train.evaluator import NO_CLASS, Evaluator, Values, labels, predicted_class, rows_of
from tuitrain.train.models import initial

Problem = Callable[..., Preset]

SPARSE = SoftmaxCrossEntropy(targets="sparse")
RUNS = 4


def rows(preset: Preset) -> Dataset:
    data = dataset(preset)
    assert data is not None
    return data


def start(preset: Preset) -> torch.Tensor:
    """Parameters of some runs, [R, P]."""
    return torch.from_numpy(np.stack([initial(preset, seed) for seed in range(RUNS)]))


def evaluated(preset: Preset, p: torch.Tensor | None = None, *, pictures: bool = True) -> Values:
    evaluator = Evaluator(preset, rows_of(preset), torch.float64, torch.device("cpu"))
    return evaluator(start(preset) if p is None else p, pictures=pictures)


def relu_network(preset: Preset, p: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The prediction [N, outputs] of one run of a network with one hidden layer of relu."""
    inputs, outputs = x.shape[1], rows(preset).y.shape[1]
    units = preset.model.hidden[0]  # type: ignore[union-attr]
    w1, b1, w2, b2 = np.split(p, np.cumsum([inputs * units, units, units * outputs]))
    hidden = np.maximum(x @ w1.reshape(inputs, units) + b1, 0)
    return np.asarray(hidden @ w2.reshape(units, outputs) + b2)


def softmax(z: np.ndarray) -> np.ndarray:
    powers = np.exp(z - z.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def sigmoid(z: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-z)))


def in_numpy(preset: Preset, z: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Loss, class of each row, and probability of each class, [N, classes]."""
    sign = 2 * y - 1
    match preset.loss:
        case SoftmaxCrossEntropy():
            shares = softmax(z)
            return float(-np.log((shares * y).sum(1)).mean()), z.argmax(1), shares
        case BinaryCrossEntropy():
            loss, border, p = np.log1p(np.exp(-sign * z)).mean(), 0.0, sigmoid(z)
        case Hinge():
            loss, border, p = np.maximum(1 - sign * z, 0).mean(), 0.0, sigmoid(z)
        case _:
            loss, border, p = ((z - y) ** 2).mean(), 0.5, np.clip(z, 0, 1)
    return float(loss), (z[:, 0] > border).astype(int), np.hstack([1 - p, p])


CASES = {
    "iris": (Iris(test=0.2, shuffle=3, standardise=True), SPARSE),
    "iris without tests": (Iris(), SoftmaxCrossEntropy()),
    "circle bce": (Circle(rows=80, test=0.25, noise=0.2), BinaryCrossEntropy()),
    "circle hinge": (Circle(rows=80, test=0.25), Hinge()),
    "circle mse": (Circle(rows=80, test=0.25), MeanSquared()),
    "circle softmax": (Circle(rows=80), SPARSE),
    "dots": (Dots(rows=50, seed=2), MeanSquared()),
}


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def preset(request: pytest.FixtureRequest, problem: Problem) -> Preset:
    data, loss = request.param
    return problem(data=data, loss=loss, model=Network(hidden=[6]))


def test_values_by_hand(preset: Preset) -> None:
    data, found = rows(preset), evaluated(preset, pictures=False)
    names = ["loss", "accuracy"] + ["test_loss", "test_accuracy"] * (len(data.x_test) > 0)
    assert list(found) == names
    for run, p in enumerate(start(preset).numpy()):
        for prefix, x, y in (("", data.x, data.y), ("test_", data.x_test, data.y_test)):
            if len(x):
                loss, chosen, _ = in_numpy(preset, relu_network(preset, p, x), y)
                assert found[f"{prefix}loss"][run] == pytest.approx(loss, rel=1e-12)
                accuracy = (chosen == data.labels(y)).mean()
                assert found[f"{prefix}accuracy"][run] == pytest.approx(accuracy, abs=1e-15)
    for values in found.values():
        assert (values.shape, values.dtype) == ((RUNS,), np.float64)


def test_confusion_by_hand(preset: Preset) -> None:
    """Of the test rows, where there are some."""
    data, found = rows(preset), evaluated(preset)["confusion"]
    x, y = (data.x_test, data.y_test) if len(data.x_test) else (data.x, data.y)
    count = len(data.classes)
    assert (found.shape, found.dtype) == ((RUNS, count, count), np.int32)
    for run, p in enumerate(start(preset).numpy()):
        _, chosen, _ = in_numpy(preset, relu_network(preset, p, x), y)
        expected = np.zeros((count, count), int)
        for true, guess in zip(data.labels(y), chosen, strict=True):
            expected[true, guess] += 1
        assert found[run].tolist() == expected.tolist()


def test_the_grid_by_hand(preset: Preset) -> None:
    values, data = evaluated(preset), rows(preset)
    if data.x.shape[1] != 2:
        assert "grid" not in values
        return
    points = grid(data, GRID)
    outputs = data.y.shape[1]
    assert values["grid"].shape == (RUNS, GRID, GRID, outputs)
    assert values["grid"].dtype == np.float32
    for run, p in enumerate(start(preset).numpy()):
        _, _, shares = in_numpy(preset, relu_network(preset, p, points), np.zeros((1, outputs)) + 1)
        expected = shares if outputs > 1 else shares[:, 1:]
        np.testing.assert_allclose(
            values["grid"][run].reshape(-1, outputs), expected, rtol=1e-6, atol=1e-7
        )
    # From the least to the greatest x2; along each, x1.
    assert points[0].tolist() == points.min(0).tolist()
    assert points[1, 0] > points[0, 0]
    assert points[1, 1] == points[0, 1]


def test_the_grid_of_numbers_is_the_prediction(problem: Problem) -> None:
    preset = problem(data=Plane(rows=50), model=Network(hidden=[5]))
    values = evaluated(preset)
    assert sorted(values) == ["grid", "loss", "weights"]
    for run, p in enumerate(start(preset).numpy()):
        expected = relu_network(preset, p, grid(rows(preset), GRID)).reshape(GRID, GRID, 1)
        np.testing.assert_allclose(values["grid"][run], expected, rtol=1e-6, atol=1e-6)


def test_images_are_told_one_by_one(problem: Problem) -> None:
    preset = problem(data=Digits(test=0.1, shuffle=1), loss=SPARSE, model=Network(hidden=[8]))
    values, data = evaluated(preset), rows(preset)
    assert (values["predicted"].dtype, values["probability"].dtype) == (np.int16, np.float32)
    for run, p in enumerate(start(preset).numpy()):
        z = relu_network(preset, p, data.x_test)
        _, chosen, shares = in_numpy(preset, z, data.y_test)
        assert values["predicted"][run].tolist() == chosen.tolist()
        np.testing.assert_allclose(
            values["probability"][run], shares[np.arange(len(z)), chosen], rtol=1e-6
        )


def test_pictures_hold_the_weights_in_the_dtype_of_the_training(preset: Preset) -> None:
    p = start(preset).float()
    evaluator = Evaluator(preset, rows(preset), torch.float32, torch.device("cpu"))
    weights = evaluator(p, pictures=True)["weights"]
    assert weights.dtype == np.float32
    assert weights.tolist() == p.tolist()
    assert "weights" not in evaluator(p)


def test_large_weights_cost_beside_the_loss_of_the_data(preset: Preset) -> None:
    costly = structs.replace(preset, regularisation=Regularisation(l1=0.1, l2=0.2))
    free, found = evaluated(preset), evaluated(costly)
    assert found["data_loss"].tolist() == free["loss"].tolist()
    data = rows(preset)
    inputs, outputs = data.x.shape[1], data.y.shape[1]
    for run, p in enumerate(start(preset).numpy()):
        w1, _, w2, _ = np.split(p, np.cumsum([inputs * 6, 6, 6 * outputs]))
        w = np.concatenate([w1, w2])
        cost = 0.1 * np.abs(w).sum() + 0.1 * (w**2).sum()
        assert found["loss"][run] == pytest.approx(free["loss"][run] + cost, rel=1e-12)
    for name in free.keys() - {"loss"}:
        assert found[name].tolist() == free[name].tolist()


@pytest.mark.parametrize("memory", [1, 500, 5000])
@pytest.mark.parametrize(
    ("data", "model"),
    [
        (Iris(test=0.2), Network(hidden=[6])),
        (Digits(test=0.95), Convolution(channels=[2])),
    ],
    ids=["network", "convolution"],
)
def test_parts_change_nothing(
    problem: Problem,
    monkeypatch: pytest.MonkeyPatch,
    data: Iris,
    model: Network,
    memory: int,
) -> None:
    preset = problem(data=data, model=model, loss=SPARSE)
    whole = evaluated(preset)
    monkeypatch.setattr(module, "MEMORY", memory)
    for name, values in evaluated(preset).items():
        np.testing.assert_allclose(values, whole[name], rtol=1e-6, atol=1e-12, err_msg=name)


def test_no_more_runs_are_worked_out_at_once_than_fit(
    problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is done to predictions is done to those of so many runs alone."""
    preset = problem(data=Circle(rows=80), model=Network(hidden=[6]), loss=SPARSE)
    monkeypatch.setattr(module, "MEMORY", 2 * GRID**2 * 6)
    seen: dict[str, list[int]] = {}
    original: dict[str, Callable[..., torch.Tensor]] = {}
    for name in ("data_loss", "predicted_class", "probabilities"):

        def noted(
            kind: object, predicted: torch.Tensor, *more: object, name: str = name
        ) -> torch.Tensor:
            seen.setdefault(name, []).append(len(predicted))
            return original[name](kind, predicted, *more)

        original[name] = getattr(module, name)
        monkeypatch.setattr(module, name, noted)
    p = torch.from_numpy(np.stack([initial(preset, seed) for seed in range(5)]))
    values = evaluated(preset, p)
    assert seen == {name: [2, 2, 1] for name in original}
    assert {len(each) for each in values.values()} == {5}


# Classes --------------------------------------------------------------------------------------


def test_what_is_no_number_is_in_no_class(preset: Preset) -> None:
    p = start(preset)
    p[1] = torch.nan
    found, whole = evaluated(preset, p), evaluated(preset)
    assert found["accuracy"][1] == 0.0
    assert not found["confusion"][1].any()
    for name in ("accuracy", "confusion"):
        assert found[name][[0, 2, 3]].tolist() == whole[name][[0, 2, 3]].tolist()


def test_no_class_of_an_image(problem: Problem) -> None:
    preset = problem(data=Digits(test=0.1), loss=SPARSE, model=Network())
    p = start(preset)
    p[2] = torch.nan
    values = evaluated(preset, p)
    assert (values["predicted"][2] == NO_CLASS).all()
    assert np.isnan(values["probability"][2]).all()


@pytest.mark.parametrize("kind", [SoftmaxCrossEntropy(), CrossEntropy()], ids=repr)
def test_accuracy_is_the_share_of_rows(problem: Problem, kind: SoftmaxCrossEntropy) -> None:
    data = Points(x=[1.0, -1.0, 2.0], y=[[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    model = Linear(init={"w": [[1.0, -1.0]], "b": [0.0, 0.0]})
    found = evaluated(problem(model=model, loss=kind, data=data))
    assert found["accuracy"][0] == 2 / 3
    one_row = problem(model=model, loss=kind, data=Points(x=[1.0], y=[[1.0, 0.0]]))
    assert "accuracy" not in evaluated(one_row)


def test_distributions_and_free_labels_have_no_class(problem: Problem) -> None:
    soft = Points(x=[1.0, 2.0], y=[[0.5, 0.5], [1.0, 0.0]])
    assert list(evaluated(problem(data=soft, loss=SoftmaxCrossEntropy()))) == ["loss", "weights"]
    several = Points(x=[1.0, 2.0], y=[[1, 1, 0], [0, 0, 0]])
    assert list(evaluated(problem(data=several, loss=BinaryCrossEntropy()))) == ["loss", "weights"]


def test_labels() -> None:
    assert labels(torch.tensor([[0.0], [1.0]])).tolist() == [0, 1]  # type: ignore[union-attr]
    assert labels(torch.tensor([[0.0, 1.0], [1.0, 0.0]])).tolist() == [1, 0]  # type: ignore[union-attr]
    assert labels(torch.tensor([[0.5], [1.0]])) is None
    assert labels(torch.tensor([[1.0, 1.0], [1.0, 0.0]])) is None


def test_free_logits_are_evaluated_row_by_row(problem: Problem) -> None:
    preset = problem(
        model=Parameter(size=2, init={"w": [0.0, 1.0]}),
        loss=SPARSE,
        data=Points(y=[0, 1, 1, 1]),
    )
    found = evaluated(preset)
    assert found["accuracy"][0] == 0.75
    assert found["confusion"][0].tolist() == [[0, 1], [0, 3]]


def test_a_formula_has_a_loss_alone(problem: Problem) -> None:
    preset = problem(model=Parameter(), loss=Expression(formula="(w + 1)^2"), data=None)
    p = torch.tensor([[1.0], [2.0]], dtype=torch.float64)
    assert evaluated(preset, p, pictures=False)["loss"].tolist() == [4.0, 9.0]


def test_the_first_of_equal_predictions_and_no_nan_is_chosen() -> None:
    predicted = torch.tensor([[[1.0, 0.0, 5.0], [1.0, torch.nan, 6.0], [1.0, 3.0, -torch.inf]]])
    assert predicted_class(SPARSE, predicted).tolist() == [[0, NO_CLASS, 1]]
    single = torch.tensor([[[0.4, 0.6, torch.nan, -1.0]]])
    assert predicted_class(MeanSquared(), single).tolist() == [[0, 1, NO_CLASS, 0]]
    assert predicted_class(Hinge(), single).tolist() == [[1, 1, NO_CLASS, 0]]
