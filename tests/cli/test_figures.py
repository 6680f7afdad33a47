"""`tuitrain export --format svg|png`: figures of real experiments, read back."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import matplotlib.image
import numpy as np
import pytest

from tuitrain.cli import main
from tuitrain.cli.figures import comparison_figure, single_figure
from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.live import Recording
from tuitrain.spec.catalogue import find
from tuitrain.spec.comparison import compare
from tuitrain.spec.experiment import Experiment, single
from tuitrain.spec.overrides import override
from tuitrain.worker.session import Session

if TYPE_CHECKING:
    from tests.cli.conftest import Inside


def trained(path: Path, experiment: Experiment) -> Recording:
    folder = ExperimentFolder.create(path, experiment)
    Session(folder).run()
    recording = Recording(folder)
    recording.refresh()
    recording.close()
    return recording


def words(svg: bytes | str) -> list[str]:
    """What is written in a picture: text that is still text, not outlines of letters."""
    return [
        "".join(element.itertext()).strip()
        for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    ]


def swept(path: Path, **more: Any) -> Recording:
    experiment = compare(
        [find("sales-mse"), find("sales-cost1-profit99")],
        optimizers=["sgd", "adam"],
        learning_rates=[0.001, 0.01, 0.1, 3.0],
        seeds=3,
        settings={"train.steps": [40]},
        **more,
    )
    return trained(path, experiment)


def test_the_figure_of_one_run(tmp_path: Path) -> None:
    short = override(find("line-fit"), {"train.steps": 50})
    recording = trained(tmp_path, single(short))
    figure = single_figure(recording)
    loss, lr, weights = figure.axes
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "learning rate", "weight"]
    assert weights.get_xlabel() == "step"
    assert loss.get_yscale() == "log"
    assert loss.get_title() == recording.folder.experiment.runs[0].name
    np.testing.assert_array_equal(loss.lines[0].get_ydata(), recording.series(0, "loss").values)
    np.testing.assert_array_equal(lr.lines[0].get_ydata(), recording.series(0, "lr").values)
    assert [line.get_label() for line in weights.lines] == ["w[0,0]", "b[0]"]
    legend = weights.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["w[0,0]", "b[0]"]


def test_many_steps_become_few_points_that_hide_no_spike(tmp_path: Path) -> None:
    recording = trained(tmp_path, single(find("sales-mse")))
    loss = recording.series(0, "loss")
    axes = single_figure(recording).axes[0]
    (line,), (band,) = axes.lines, axes.collections
    assert len(loss) == 15_000
    assert len(line.get_xdata()) == 300  # type: ignore[arg-type]
    assert line.get_ydata()[0] == loss.values[0]  # type: ignore[index]
    heights = band.get_paths()[0].vertices[:, 1]  # type: ignore[index]
    assert (heights.min(), heights.max()) == (loss.min, loss.max)


def test_overlay_and_sweep_of_every_preset(tmp_path: Path) -> None:
    recording = swept(tmp_path)
    figure = comparison_figure(recording)
    labels = [(axes.get_title(), axes.get_xlabel(), axes.get_ylabel()) for axes in figure.axes]
    assert labels == [
        ("sales-mse", "step", "loss"),
        ("", "learning rate", "final loss"),
        ("sales-cost1-profit99", "step", "loss"),
        ("", "learning rate", "final loss"),
    ]
    overlay, sweep, *_ = figure.axes
    assert (sweep.get_xscale(), sweep.get_yscale()) == ("log", "log")
    results = recording.results
    medians = [
        np.median([r.final_loss for r in results if (r.preset, r.optimizer, r.lr) == key])
        for key in [("sales-mse", "sgd", lr) for lr in (0.001, 0.01, 0.1)]
    ]
    np.testing.assert_allclose(sweep.lines[0].get_ydata()[:3], medians)  # type: ignore[index]
    assert sweep.lines[0].get_ydata()[3] < 1e30 or np.isnan(sweep.lines[0].get_ydata()[3])  # type: ignore[index]
    # two lines, each with a band over its seeds, in the same colour left and right
    assert len(overlay.collections) == len(sweep.collections) == 2
    assert [line.get_color() for line in overlay.lines[:2]] == ["#0072B2", "#D55E00"]
    assert sweep.lines[0].get_color() == "#0072B2"
    assert overlay.lines[0].get_linestyle() != overlay.lines[1].get_linestyle()
    (legend,) = figure.legends
    told = [text.get_text() for text in legend.get_texts()]
    assert told[:4] == ["sgd", "adam", "best learning rate", "steepest"]
    assert legend.get_title().get_text() == (
        "median and quartiles of 3 seeds; over steps: each at its best learning rate"
    )


def test_diverged_runs_are_crosses_at_the_top(tmp_path: Path) -> None:
    experiment = compare([find("parabola-constant")], learning_rates=[0.01, 0.1, 50.0])
    figure = comparison_figure(trained(tmp_path, experiment))
    overlay, sweep = figure.axes
    crosses = [line for line in sweep.lines if line.get_marker() == "x"]
    assert [line.get_xdata()[0] for line in crosses] == [50.0]  # type: ignore[index]
    assert crosses[0].get_transform() == sweep.get_xaxis_transform()
    assert 0.9 < crosses[0].get_ydata()[0] < 1  # type: ignore[index]
    assert any(line.get_marker() == "x" for line in overlay.lines)
    assert overlay.get_ylim()[1] < 1e4  # the loss at the start is 36
    told = [text.get_text() for text in figure.legends[0].get_texts()]
    # of a single line every rate has its own curve
    assert told == ["lr 0.01", "lr 0.1", "lr 50", "best learning rate", "steepest", "diverged"]


def test_without_several_rates_there_is_no_sweep(tmp_path: Path) -> None:
    presets = [find("sales-mse"), find("sales-cost1-profit99"), find("line-fit")]
    experiment = compare(presets, optimizers=["sgd", "adam"], settings={"train.steps": [20]})
    figure = comparison_figure(trained(tmp_path, experiment))
    assert [axes.get_title() for axes in figure.axes] == [preset.name for preset in presets]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["sgd", "adam"]
    assert len({axes.get_subplotspec().rowspan.start for axes in figure.axes}) == 1  # type: ignore[union-attr]


def test_what_is_written(inside: Inside, tmp_path: Path) -> None:
    swept(inside.runs_dir)
    svg = inside("export", "--format", "svg")
    assert (svg.returncode, svg.stderr) == (0, "")
    told = words(svg.stdout)
    for word in ("sales-mse", "step", "loss", "learning rate", "final loss", "sgd", "adam"):
        assert word in told
    again = inside("export", "--format", "svg", "-o", tmp_path / "a.svg")
    assert (again.returncode, again.stdout) == (0, "")
    assert (tmp_path / "a.svg").read_text() == svg.stdout
    png = inside("export", "--format", "png", "-o", tmp_path / "a.png")
    assert (png.returncode, png.stderr) == (0, "")
    pixels = matplotlib.image.imread(io.BytesIO((tmp_path / "a.png").read_bytes()))
    assert pixels.shape[1] == 2100  # seven inches with 300 dots each
    colours = (pixels.reshape(-1, 4) * 255).round().astype(np.uint8).view(np.uint32)
    assert len(np.unique(colours)) > 100


def test_without_matplotlib_one_line_tells_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trained(tmp_path, single(find("line-fit")))
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "tuitrain.cli.figures", raising=False)
    code = main(["export", "--format", "svg", "--runs-dir", str(tmp_path)])
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err == (
        "tuitrain: error: --format svg: needs matplotlib; "
        "expected pip install 'tuitrain[figures]'\n"
    )


def test_without_a_row_there_is_no_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ExperimentFolder.create(tmp_path, single(find("line-fit")))
    target = tmp_path / "a.png"
    arguments = ["export", "--format", "png", "-o", str(target), "--runs-dir", str(tmp_path)]
    assert main(arguments) == 2
    expected = f"tuitrain: error: {folder.id}: nothing is recorded yet\n"
    assert capsys.readouterr().err == expected
    assert not target.exists()


def test_the_help_names_the_formats(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--help"]) == 0
    assert re.search(r"csv\|jsonl\|svg\|png", capsys.readouterr().out)
