"""Real worker processes: what only a process of its own can show."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tuitrain.errors import InputError
from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.inbox import Pause, SetLearningRate, Stop, send
from tuitrain.record.live import Recording
from tuitrain.spec.catalogue import find
from tuitrain.spec.experiment import Experiment, single
from tuitrain.worker.launch import WarmWorker, begin, launch

from .conftest import Until, ended

Start = Callable[[Experiment], ExperimentFolder]

MINE = """
title = "Mine"
[data]
csv = "line.csv"
[model]
kind = "linear"
[loss]
kind = "mse"
[optimizer]
name = "sgd"
lr = 0.01
[train]
steps = 5
"""

PARENT = """
import sys
from pathlib import Path
from tuitrain.record.folder import ExperimentFolder
from tuitrain.worker.launch import launch
launch(ExperimentFolder(Path(sys.argv[1])))
print("started", flush=True)
input()
"""


def warm(worker: WarmWorker, until: Until) -> WarmWorker:
    """Waits until it has nothing to do any more but to wait itself."""
    process = psutil.Process(worker.pid)

    def waits() -> bool:
        loaded = any("libtorch_cpu" in m.path for m in process.memory_maps())
        return loaded and process.status() == psutil.STATUS_SLEEPING and process.cpu_percent() < 5

    def idle() -> bool:
        process.cpu_percent()
        time.sleep(0.05)
        return waits()

    until(idle)
    return worker


@pytest.fixture
def runs_dir(tmp_path: Path) -> Iterator[Path]:
    """Workers that a test leaves behind in it are ended."""
    yield tmp_path
    for path in tmp_path.glob("*/process.json"):
        worker = ExperimentFolder(path.parent).process()
        if worker and worker.alive():
            os.kill(worker.pid, signal.SIGKILL)


@pytest.fixture
def start(runs_dir: Path) -> Start:
    def start(experiment: Experiment) -> ExperimentFolder:
        folder = ExperimentFolder.create(runs_dir, experiment)
        launch(folder)
        return folder

    return start


def dead(pid: int) -> bool:
    """Gone, or a zombie that nobody has waited for."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def pid(folder: ExperimentFolder) -> int:
    process = folder.process()
    assert process
    return process.pid


def test_a_preset_is_trained_to_its_end(start: Start, until: Until) -> None:
    folder = start(single(find("sales-cost1-profit99")))
    recording = ended(folder)
    assert recording.status.state == "finished", folder.log.read_text()
    assert len(recording.series(0, "loss")) == recording.status.total == 15000
    until(lambda: not folder.alive())
    assert folder.log.read_text() == ""
    assert not (folder.path / "reserve").exists()


@pytest.mark.parametrize(
    ("spoil", "code", "line"),
    [
        (lambda folder: folder.path.joinpath("experiment.toml").write_text("rums = 1"), 2, "rums"),
        (lambda folder: folder.path.joinpath("run.lock").mkdir(), 1, "run.lock"),
    ],
    ids=["experiment", "lock"],
)
def test_a_worker_that_cannot_begin_says_why(
    start: Start,
    endless: Experiment,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[ExperimentFolder], object],
    code: int,
    line: str,
) -> None:
    create = ExperimentFolder.create

    def spoilt(runs_dir: Path, experiment: Experiment) -> ExperimentFolder:
        folder = create(runs_dir, experiment)
        spoil(folder)
        return folder

    monkeypatch.setattr(ExperimentFolder, "create", spoilt)
    folder = start(endless)
    status = ended(folder).status
    assert (status.state, status.exit_code) == ("failed", code), folder.log.read_text()
    assert line in status.error
    assert "\n" not in status.error


def test_relative_paths_are_those_of_whoever_starts_a_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, until: Until
) -> None:
    """The worker itself leaves that directory, which may go."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    Path("line.csv").write_text("x,y\n0,1\n1,3\n2,5\n")
    Path("mine.toml").write_text(MINE)
    folder = ExperimentFolder.create(Path("runs"), single(find("mine.toml"), paused=True))
    launch(folder)
    until(lambda: folder.state() == "paused")
    assert psutil.Process(pid(folder)).cwd() == "/"
    send(folder, Stop())
    assert ended(folder).status.state == "stopped"


def test_a_warm_worker_starts_and_obeys_at_full_speed(
    runs_dir: Path, endless: Experiment, until: Until
) -> None:
    worker = warm(WarmWorker(), until)
    folder = ExperimentFolder.create(runs_dir, endless)
    recording = Recording(folder)
    worker.start(folder)

    def drawn() -> bool:
        recording.refresh()
        return len(recording.series(0, "loss")) > 0

    until(drawn)
    until(lambda: folder.status().seconds > 0.5)  # blocks have grown to their full size
    for command in (SetLearningRate(0.001), SetLearningRate(0.002), Pause(), Stop()):
        name = send(folder, command)

        def acknowledged(name: str = name) -> bool:
            recording.refresh()
            return any(e.detail.get("id") == name for e in recording.events)

        until(acknowledged)
    until(lambda: folder.state() == "stopped")


def test_a_worker_is_on_its_own(start: Start, endless: Experiment, until: Until) -> None:
    folder = start(endless)
    until(lambda: folder.status().step > 0)
    worker = pid(folder)
    assert os.getsid(worker) == worker != os.getsid(0)
    files = [Path(f"/proc/{worker}/fd/{fd}").resolve() for fd in (1, 2)]
    assert files == [folder.log, folder.log]
    for file in folder.path.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file

    with pytest.raises(InputError, match="trained already"):
        launch(folder)
    (folder.path / "process.json").rename(folder.path / "process")  # as if nobody knew
    launch(folder)
    second = folder.process()
    assert second
    until(lambda: not second.alive())
    assert "another process" in folder.log.read_text()
    (folder.path / "process").rename(folder.path / "process.json")

    step = folder.status().step
    os.kill(worker, signal.SIGHUP)
    until(lambda: folder.status().step > step)
    os.kill(worker, signal.SIGTERM)  # stops as the command does
    recording = ended(folder)
    assert recording.status.state == "stopped"
    assert recording.last_weights[0]["w"][0, 0] == recording.series(0, "w[0,0]").last


def test_a_killed_worker_is_seen_as_killed(start: Start, endless: Experiment, until: Until) -> None:
    """It is our child, and a zombie for as long as nobody waits for it."""
    folder = start(endless)
    until(lambda: folder.status().step > 1000)
    recording = Recording(folder)
    os.kill(pid(folder), signal.SIGKILL)
    killed = time.perf_counter()

    def seen() -> bool:
        recording.refresh()
        return recording.status.state == "killed"

    until(seen)
    assert time.perf_counter() - killed < 2
    assert recording.ended
    for [result] in (recording.results, folder.results()):
        loss = recording.series(0, "loss")
        assert (result.status, result.steps) == ("killed", len(loss))
        assert (result.loss, result.best_loss) == (loss.last, loss.min)
    assert recording.corrupt == {}
    assert len(recording.series(0, "loss")) == recording.status.step
    assert psutil.Process(pid(folder)).status() == psutil.STATUS_ZOMBIE


def test_the_death_of_the_parent_stops_nothing(
    runs_dir: Path, endless: Experiment, until: Until
) -> None:
    folder = ExperimentFolder.create(runs_dir, endless)
    command = [sys.executable, "-c", PARENT, str(folder.path)]
    with subprocess.Popen(command, stdin=-1, stdout=-1, start_new_session=True) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == b"started\n"
        os.killpg(parent.pid, signal.SIGHUP)  # as a terminal that goes away does
        parent.kill()
    until(lambda: folder.status().step > 0)
    assert psutil.Process(pid(folder)).ppid() != parent.pid
    send(folder, Stop())
    recording = ended(folder)
    assert recording.status.state == "stopped"


def test_a_warm_worker_ends_with_whoever_started_it(until: Until) -> None:
    program = (
        "import os\n"
        "from tuitrain.worker.launch import WarmWorker\n"
        "print(WarmWorker().pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    command = [sys.executable, "-c", program]
    closed = WarmWorker()
    closed.close()
    parent = subprocess.run(command, stdout=-1, check=False)
    worker = int(parent.stdout)
    until(lambda: dead(worker))
    until(lambda: dead(closed.pid))


def test_a_warm_worker_that_died_is_replaced(runs_dir: Path, until: Until) -> None:
    worker = WarmWorker()
    first = worker.pid
    os.kill(first, signal.SIGKILL)
    until(lambda: dead(first))
    folder = ExperimentFolder.create(runs_dir, single(find("line-fit")))
    worker.start(folder)
    recording = ended(folder)
    assert recording.status.state == "finished"
    assert pid(folder) == worker.pid != first


class Dead:
    """A worker process that dies before it can be told anything."""

    pid = 2**22 + 1

    def __init__(self) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        self.stdin = os.fdopen(writing, "wb")

    def wait(self) -> None:
        """It is dead already."""


def refused() -> None:
    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


@pytest.mark.parametrize(
    ("spawn", "problem"),
    [(Dead, "it died before it began"), (refused, "Resource temporarily unavailable")],
)
def test_an_experiment_whose_worker_does_not_start_leaves_nothing(
    tmp_path: Path,
    endless: Experiment,
    monkeypatch: pytest.MonkeyPatch,
    spawn: Callable[[], object],
    problem: str,
) -> None:
    monkeypatch.setattr(WarmWorker, "_spawn", staticmethod(spawn))
    with pytest.raises(InputError) as error:
        begin(tmp_path, endless)
    assert str(error.value) == f"the worker: could not be started: {problem}"
    assert list(tmp_path.iterdir()) == []


def test_an_experiment_is_given_to_the_worker_that_waits(
    runs_dir: Path, endless: Experiment, until: Until
) -> None:
    worker = WarmWorker()
    folder = begin(runs_dir, endless, worker)
    assert pid(folder) == worker.pid
    until(lambda: folder.status().step > 0)
    send(folder, Stop())
    assert ended(folder).status.state == "stopped"
