"""The dashboard: one experiment, live or over, read from its folder."""

from __future__ import annotations

from typing import ClassVar

import msgspec
from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Static

from tuitrain.optim import name_of
from tuitrain.optim.schedules import format_schedule
from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.inbox import Command, Pause, Resume, SetLearningRate, SetPace, Step, Stop, send
from tuitrain.record.live import Recording
from tuitrain.record.usage import GPU, ProcessUsage, gpus
from tuitrain.ui.diagnosis import Diagnosis
from tuitrain.ui.facts import RunFacts
from tuitrain.ui.keys import bindings
from tuitrain.ui.messages import Back, Refreshed, Restart
from tuitrain.ui.pace import faster, machine_speed, slower, watchable
from tuitrain.ui.pictures import Fit
from tuitrain.ui.screens.dialogs import (
    HelpDialog,
    LearningRateDialog,
    RestartDialog,
    SourceDialog,
)
from tuitrain.ui.survey import Survey
from tuitrain.ui.widgets.chart import Chart
from tuitrain.ui.widgets.curves import Layer, Mark, Reference
from tuitrain.ui.widgets.landscape import LandscapeView
from tuitrain.ui.widgets.logpane import LogPane
from tuitrain.ui.widgets.picture import PictureView
from tuitrain.ui.widgets.status import ASCII, StatusLine
from tuitrain.ui.widgets.usage import DevicePanel
from tuitrain.ui.widgets.weights import WeightsTable

FRAME = 0.1
"""Seconds between two looks into the store."""

JUDGE_EVERY = 5
"""Frames between two diagnoses: words that change faster cannot be read."""

SMOOTHINGS = (0.0, 0.6, 0.9, 0.98)
GUTTER = 8
DECADES = 100.0
"""A loss that has fallen to a hundredth is shown on a logarithmic axis, unless the user chose."""

SIGNS = {
    "improving": ("↘", "\\"),
    "improving slowly": ("↘", "\\"),
    "plateau": ("→", "-"),
    "oscillating": ("≈", "~"),
    "getting worse": ("↗", "/"),
    "hops around the optimum": ("≈", "~"),
}
"""Of what a run does; any other word has the sign of its tone."""
TONE_SIGNS = {"good": ("✓", "v"), "neutral": ("·", "-"), "warning": ("!", "!"), "bad": ("✗", "x")}
TONES = {"good": "success", "neutral": "primary", "warning": "accent", "bad": "error"}


class DashboardScreen(Screen[None]):
    """Shows an experiment and passes keys on to its worker.

    Args:
        folder: of the experiment.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("dashboard", "chart", "everywhere")]

    AUTO_FOCUS = ""  # keys go to the screen; the log takes them only when it is clicked

    def __init__(self, folder: ExperimentFolder) -> None:
        super().__init__()
        self.folder = folder
        self.recording = Recording(folder)
        self.facts = RunFacts(self.recording)
        self.fit = Fit(self.facts.preset)
        best = self.facts.optimum.weights if self.facts.optimum else {}
        self.survey = Survey(self.recording, best=best or None)
        self.mapped = len(self.survey.names) == 2
        self.usage: ProcessUsage | None = None
        self._frame = 0
        self._scale_chosen = False
        self._cursor: int | None = None
        self._judged = ""
        self._was_alive = True
        self._asked_pace: tuple[str, float | None] = ("", None)

    def compose(self) -> ComposeResult:
        yield Static(self._headline(), id="headline")
        yield StatusLine(id="status")
        with Container(id="panels"):
            yield Chart("Loss", gutter=GUTTER, placeholder="waiting for the first step", id="loss")
            with Vertical(id="side"):
                with VerticalScroll(id="weights", classes="panel", can_focus=False) as weights:
                    weights.border_title = "Weights"
                    yield WeightsTable()
                yield PictureView(placeholder="", id="fit", classes="panel")
                if self.mapped:
                    yield LandscapeView(placeholder="", id="map", classes="panel")
                yield DevicePanel(id="device", classes="panel")
            yield Chart("Learning rate", gutter=GUTTER, placeholder="", id="lr")
        yield LogPane(self.folder.log, id="log")
        yield Static(id="diagnosis")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one("#device").border_title = "Device"
        self.query_one("#log").border_title = "Log"
        self.query_one("#log").display = False
        self.query_one("#fit").set_class(self.fit.base is None, "-without")
        if self.fit.base is not None:
            self.query_one("#fit").border_title = self.fit.base.title
        for view in self.query(LandscapeView):
            view.border_title = "Loss landscape"
            self.set_class(self.fit.base is None, "-map")
        self.refresh_facts()
        self.set_interval(FRAME, self.refresh_facts)
        self.set_interval(1.0, self._measure)
        self._measure()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width < 100 or event.size.height < 30, "-compact")
        self.set_class(event.size.width >= 160, "-wide")

    def on_unmount(self) -> None:
        self.recording.close()

    def _headline(self) -> Text:
        run, preset = self.facts.run, self.facts.preset
        batch = "" if preset.train.batch == "full" else f"batch {preset.train.batch}"
        changed = self.facts.changed_lr
        now = "" if changed in (None, run.optimizer.lr) else f" → {changed:g}"
        rate = f"lr {run.optimizer.lr:g}{now}"
        parts = [name_of(run.optimizer), rate, format_schedule(run.schedule)]
        parts += [batch, f"seed {run.seed}"]
        return Text.assemble(
            (f" {preset.title}", "bold"),
            ("   " + "  ".join(filter(None, parts)), "dim"),
            no_wrap=True,
            overflow="ellipsis",
        )

    # Data ---------------------------------------------------------------------------------------

    def refresh_facts(self) -> None:
        """Read what is new and tell; nothing else reads the store."""
        if self.recording.refresh() or self._frame == 0:
            self.post_message(Refreshed())
        elif self._frame % JUDGE_EVERY == 0:
            self._judge()
        self._frame += 1

    @on(Refreshed)
    def _show(self) -> None:
        """The one handler that changes the widgets."""
        status = self.recording.status
        self.query_one(StatusLine).show(status)
        headline = self.query_one("#headline", Static)
        if headline.content != (told := self._headline()):
            headline.update(told)
        self._show_charts()
        self._show_weights()
        self._show_map()
        if status.state != self._judged or self._frame % JUDGE_EVERY == 0:
            self._judge()
        log = self.query_one(LogPane)
        if log.display:
            log.follow(self.recording.events)
        if self._was_alive != self.alive:
            self._was_alive = self.alive
            self.refresh_bindings()

    def _show_charts(self) -> None:
        total = self.recording.status.total
        loss, lr = self.query_one("#loss", Chart), self.query_one("#lr", Chart)
        if not loss.curves and self.recording.names(0):
            loss.show([Layer("loss", self.facts.series("loss"))])
            lr.show([Layer("lr", self.facts.series("lr"), colour=2, smooth=False)])
        goal = self.facts.loss_goal()
        loss.references = [] if goal is None else [Reference(goal, self.facts.goal)]
        for chart in (loss, lr):
            chart.steps = total
            chart.marks = self._marks()
            chart.redraw()
        series = self.facts.series("loss")
        if not self._scale_chosen and len(series):
            loss.log_y = series.min > 0 and series.max > DECADES * series.min

    def _marks(self) -> list[Mark]:
        marks = []
        for event in self.recording.events:
            if event.kind == "lr":
                marks.append(Mark(event.step, f"lr {event.detail.get('new', 0):g}"))
            elif event.kind == "diverged":
                marks.append(Mark(event.step, "diverged", "warning"))
        return marks

    def _show_weights(self) -> None:
        total = self.recording.status.total
        self.query_one(WeightsTable).show(
            self.facts.weights(), total, self._cursor, self.facts.goal
        )
        if self.fit.base is not None:
            self.query_one("#fit", PictureView).show(self.fit(self.facts.tensors(self._cursor)))

    def _show_map(self) -> None:
        for view in self.query(LandscapeView):
            if view.display:
                self.survey.update()
                at = self.survey
                view.show(at.plane, at.home, at.landscapes, at.trails, at.optimum)

    @on(LandscapeView.Wanted)
    def _map_wanted(self, event: LandscapeView.Wanted) -> None:
        self.survey.ask(event.window, event.columns, event.rows)

    def _judge(self) -> None:
        self._judged = self.recording.status.state
        diagnosis = self.facts.diagnosis()
        self.query_one("#diagnosis", Static).update(self._in_words(diagnosis))

    def _in_words(self, diagnosis: Diagnosis) -> Text:
        colour = self.app.theme_variables[TONES[diagnosis.tone]]
        sign = SIGNS.get(diagnosis.word, TONE_SIGNS[diagnosis.tone])[ASCII]
        return Text.assemble(
            (f" {sign} {diagnosis.word}: ", f"bold {colour}"),
            diagnosis.sentence,
            no_wrap=True,
            overflow="ellipsis",
        )

    @work(thread=True, exclusive=True, group="usage")
    def _measure(self) -> None:
        process = self.folder.process()
        if self.usage is None and process is not None:
            self.usage = ProcessUsage(process.pid)
        cpu, memory = self.usage.read() if self.usage and process and process.alive() else (0.0, 0)
        self.app.call_from_thread(self._show_usage, cpu, memory, gpus())

    def _show_usage(self, cpu: float, memory: int, found: list[GPU]) -> None:
        status = self.recording.status
        for panel in self.query(DevicePanel):  # none any more when the screen is being left
            panel.show(status, cpu, memory, found, alive=not status.ended)

    @on(Chart.CursorMoved)
    def _cursor_moved(self, event: Chart.CursorMoved) -> None:
        """The other panels show the step under the cursor too."""
        self._cursor = event.step
        for chart in self.query(Chart):
            chart.set_cursor(event.step)
        self._show_weights()

    # Keys: the worker -----------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        return not self.recording.status.ended

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        needs_worker = action in ("pause_or_resume", "step", "stop", "learning_rate", "pace")
        if needs_worker:
            return True if self.alive else None
        return True if self.mapped or action != "landscape" else None

    def _send(self, command: Command) -> str:
        return send(self.folder, command)

    def stop_if_alive(self) -> None:
        """Ask the worker to end, unless it has."""
        if self.alive:
            self._send(Stop())

    def action_pause_or_resume(self) -> None:
        self._send(Resume() if self.recording.status.state == "paused" else Pause())

    def action_step(self) -> None:
        self._send(Step())

    def action_stop(self) -> None:
        self._send(Stop())

    def action_learning_rate(self) -> None:
        def answered(lr: float | None) -> None:
            if lr is not None and self.alive:
                self._send(SetLearningRate(lr=lr))

        self.app.push_screen(LearningRateDialog(self.facts.lr()), answered)

    @property
    def _pace(self) -> float | None:
        """The pace now; the one that was asked for, until the worker has answered."""
        name, asked = self._asked_pace
        answered = any(event.detail.get("id") == name for event in self.recording.events)
        return asked if name and not answered else self.recording.status.pace

    def action_pace(self, change: str) -> None:
        pace, machine = self._pace, machine_speed(self.recording.status)
        match change:
            case "slower":
                pace = slower(pace, machine)
            case "faster":
                pace = faster(pace, machine)
            case "full":
                pace = None
        self._asked_pace = self._send(SetPace(pace)), pace

    def action_reset(self) -> None:
        def answered(answer: str | None) -> None:
            if answer == "restart":
                self._restart()

        if self.alive and self.facts.step:
            self.app.push_screen(RestartDialog(), answered)
        else:
            self._restart()

    def _restart(self) -> None:
        self.stop_if_alive()
        pace = self._pace or watchable(self.facts.preset)
        again = self.folder.experiment
        experiment = msgspec.structs.replace(again, paused=True, created="", pace=pace)
        self.app.post_message(Restart(experiment))

    # Keys: the screen ---------------------------------------------------------------------------

    def action_chart(self, how: str) -> None:
        chart = self.query_one("#loss", Chart)
        match how:
            case "log_y":
                self._scale_chosen = True
                chart.log_y = not chart.log_y
            case "smoothing":
                chart.smoothing = SMOOTHINGS[(SMOOTHINGS.index(chart.smoothing) + 1) % 4]
            case "zoom_in" | "zoom_out":
                chart.zoom(1.5 if how == "zoom_in" else 1 / 1.5)
            case "pan_left" | "pan_right":
                chart.pan(0.2 if how == "pan_right" else -0.2)
            case "zoom_reset":
                chart.reset()
                chart.set_cursor(None, notify=True)
            case "cursor_left" | "cursor_right":
                chart.move_cursor(1 if how == "cursor_right" else -1)

    @on(Chart.ViewChanged)
    def _view_changed(self, event: Chart.ViewChanged) -> None:
        for chart in self.query(Chart):
            if chart is not event.chart:
                chart.set_view(event.view)

    def action_landscape(self) -> None:
        self.toggle_class("-map")
        self.call_after_refresh(self._show_map)

    def action_log(self) -> None:
        log = self.query_one(LogPane)
        log.display = not log.display
        log.follow(self.recording.events)

    def action_source(self) -> None:
        self.app.push_screen(SourceDialog(self.facts.run.optimizer, self.facts.lr()))

    def action_help(self) -> None:
        self.app.push_screen(HelpDialog(("dashboard", "chart", "everywhere")))

    def action_back(self) -> None:
        self.app.post_message(Back(self))
