"""The dashboard: one experiment, live or over, read from its folder."""

from __future__ import annotations

from typing import ClassVar

import msgspec
from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.widgets import Static

from tuitrain.optim import name_of
from tuitrain.optim.schedules import format_schedule
from tuitrain.record.folder import ExperimentFolder
from tuitrain.record.inbox import SetLearningRate
from tuitrain.record.live import Recording
from tuitrain.record.usage import GPU, ProcessUsage, gpu
from tuitrain.spec.size import size
from tuitrain.ui.diagnosis import Diagnosis
from tuitrain.ui.facts import RunFacts
from tuitrain.ui.judge import Judge
from tuitrain.ui.keys import bindings
from tuitrain.ui.markers import ASCII
from tuitrain.ui.messages import Refreshed, Restart
from tuitrain.ui.pace import watchable
from tuitrain.ui.pictures import Fit
from tuitrain.ui.screens.dashboard_charts import (
    accuracy_goal,
    accuracy_layers,
    loss_layers,
    marks,
)
from tuitrain.ui.screens.dashboard_pictures import Pictures, suiting
from tuitrain.ui.screens.dialogs import (
    DirectionsDialog,
    HelpDialog,
    LearningRateDialog,
    RestartDialog,
    SourceDialog,
)
from tuitrain.ui.screens.network_dialogs import SizeDialog, WeightDialog
from tuitrain.ui.screens.training import FRAME, TrainingScreen
from tuitrain.ui.survey import NO_CHOICE, Survey
from tuitrain.ui.widgets.chart import Chart, next_smoothing
from tuitrain.ui.widgets.curves import Layer, Reference
from tuitrain.ui.widgets.keyline import KeyLine
from tuitrain.ui.widgets.landscape import LandscapeView
from tuitrain.ui.widgets.logpane import LogPane
from tuitrain.ui.widgets.paragraph import OneLine
from tuitrain.ui.widgets.status import StatusLine
from tuitrain.ui.widgets.tensors import TensorsTable
from tuitrain.ui.widgets.ticks import spans_decades
from tuitrain.ui.widgets.usage import DevicePanel
from tuitrain.ui.widgets.weights import WeightsTable

DIAGNOSE_EVERY = 5
"""Frames between two diagnoses: words that change faster cannot be read."""

GUTTER = 8

SIGNS = {
    "improving": ("↘", "\\"),
    "improving slowly": ("↘", "\\"),
    "plateau": ("→", "-"),
    "oscillating": ("≈", "~"),
    "getting worse": ("↗", "/"),
    "hovers near the optimum": ("≈", "~"),
}
"""Of what a run does; any other word has the sign of its tone."""
TONE_SIGNS = {"good": ("✓", "v"), "neutral": ("·", "-"), "warning": ("!", "!"), "bad": ("✗", "x")}
TONES = {"good": "success", "neutral": "primary", "warning": "accent", "bad": "error"}


class DashboardScreen(TrainingScreen):
    """Shows an experiment and passes keys on to its worker.

    Args:
        folder: of the experiment.
        before: what is recorded of the one whose place it takes; its loss is drawn beneath.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("dashboard", "chart", "everywhere")]

    FOR_WORKER = TrainingScreen.FOR_WORKER | {"learning_rate", "scale_rate"}

    def __init__(self, folder: ExperimentFolder, before: Recording | None = None) -> None:
        super().__init__(folder)
        self.before = before
        self.facts = RunFacts(self.recording)
        self.judge = Judge(self.facts)
        best = self.facts.optimum.weights if self.facts.optimum else {}
        self.survey = Survey(self.recording, best=best or None)
        panels = suiting(self.facts, Fit(self.facts.preset), self.survey)
        self.pictures = Pictures(panels)
        self.mapped = any(panel.name == "map" for panel in panels)
        self.usage: ProcessUsage | None = None
        self._frame = 0
        self._log_y: bool | None = None  # as the user wants it
        self._log_x = False
        self._smoothing = 0.0
        self._cursor: int | None = None
        self._diagnosed = ""
        self._was_alive = True
        self._asked_rate = ("", 0.0)

    def successor(self, folder: ExperimentFolder) -> DashboardScreen:
        """The screen of a run that takes the place of this one, with the chart as it is here."""
        screen, chart = DashboardScreen(folder, self.recording), self.query_one("#loss", Chart)
        screen._log_y, screen._smoothing = chart.log_y or self._log_y, chart.smoothing
        screen._log_x = self._log_x
        return screen

    def on_unmount(self) -> None:
        if self.before is not None:
            self.before.close()

    def compose(self) -> ComposeResult:
        yield OneLine(self._headline(), id="headline")
        yield StatusLine(id="status")
        with Container(id="panels"):
            yield Chart("Loss", gutter=GUTTER, placeholder="waiting for the first step", id="loss")
            with Vertical(id="side"):
                with VerticalScroll(id="weights", classes="panel", can_focus=False) as weights:
                    weights.border_title = "Weights"
                    yield TensorsTable() if self.facts.many else WeightsTable()
                yield self.pictures
                yield Static(size(self.facts.preset).text, id="size", classes="panel", markup=False)
                yield DevicePanel(id="device", classes="panel")
            yield Chart("Accuracy", gutter=GUTTER, placeholder="", id="accuracy")
            yield Chart("Learning rate", gutter=GUTTER, placeholder="", id="lr")
        yield LogPane(self.folder.log, id="log")
        yield OneLine(id="diagnosis")
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one("#device").border_title = "Device"
        self.query_one("#log").border_title = "Log"
        self.query_one("#log").display = False
        self.query_one("#size").border_title = "Size"
        self.set_class(bool(accuracy_layers(self.facts)), "-accuracy")
        self.set_class(self.facts.evaluations_known, "-network")
        loss = self.query_one("#loss", Chart)
        loss.log_y, loss.smoothing = bool(self._log_y), self._smoothing
        self._arrange_pictures()
        self.refresh_facts()
        self.set_interval(FRAME, self.refresh_facts)
        self.set_interval(1.0, self._measure)
        self._measure()

    def on_resize(self, event: events.Resize) -> None:
        # Textual calls the base class's method too, but only after this one.
        self.call_later(self._arrange_pictures)

    def _arrange_pictures(self) -> None:
        """Two side by side, one, or one in place of the charts, as there is room."""
        charts = "charts" if self.has_class("-compact") else ""
        self.pictures.spread(two=self.has_class("-wide"), back_to=charts)
        hint = f" (v: {self.pictures.panels[0].word})" if charts and self.pictures.panels else ""
        for chart in self.query("#loss"):  # not there yet when the first size is told
            chart.border_title = f"Loss{hint}"

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
        if self.before is not None and not self.before.ended:
            self.before.refresh()  # it is about to stop
            if self.before.ended:
                self.before.close()
        if self.recording.refresh() or self._frame == 0:
            self.post_message(Refreshed())
        elif self._frame % DIAGNOSE_EVERY == 0:
            self._diagnose()
        self._frame += 1

    @on(Refreshed)
    def _show(self) -> None:
        """The one handler that changes the widgets."""
        status = self.recording.status
        self.query_one(StatusLine).show(status)
        self.query_one("#headline", OneLine).update(self._headline())
        self._show_charts()
        self._show_weights()
        if status.state != self._diagnosed:
            self._measure()
        if status.state != self._diagnosed or self._frame % DIAGNOSE_EVERY == 0:
            self._diagnose()
        log = self.query_one(LogPane)
        if log.display:
            log.follow(self.recording.events, ended=self.recording.ended)
        if self._was_alive != self.alive:
            self._was_alive = self.alive
            self.refresh_bindings()

    def _show_charts(self) -> None:
        charts = [self.query_one(f"#{name}", Chart) for name in ("loss", "accuracy", "lr")]
        loss, accuracy, lr = charts
        if not loss.curves and self.recording.names(0):
            loss.show(loss_layers(self.facts, self.before))
            accuracy.show(accuracy_layers(self.facts), references=accuracy_goal(self.facts))
            lr.show([Layer("lr", self.facts.series("lr"), colour=2, smooth=False)])
        goal = self.facts.loss_goal()
        loss.references = [] if goal is None else [Reference(goal, self.facts.goal)]
        self.facts.read_evaluations()
        width = max(chart.y_axis_width for chart in charts)
        for chart in charts:
            chart.y_axis_width = width
            chart.steps = self.span
            chart.log_x = self._log_x
            chart.marks = marks(self.recording.events)
            chart.redraw()
        series = self.facts.series("loss")
        if self._log_y is None and len(series):
            loss.log_y = spans_decades(series.min, series.max)

    def _show_weights(self) -> None:
        """Weights and pictures, as they are or as they were at the cursor."""
        total = self.span
        for table in self.query(TensorsTable):
            at = "" if self._cursor is None else f" at {self._cursor:,}"
            self.query_one("#weights").border_title = f"Weights{at}"
            table.show(self.facts.tensors_table(), total, self._cursor)
        for few in self.query(WeightsTable):
            few.show(self.facts.weights(), total, self._cursor, self.facts.goal)
        self.pictures.show(self._cursor)

    @on(LandscapeView.Wanted)
    def _map_wanted(self, event: LandscapeView.Wanted) -> None:
        self.survey.ask(event.window, event.columns, event.rows)

    def _diagnose(self) -> None:
        self._diagnosed = self.recording.status.state
        self.query_one("#diagnosis", OneLine).update(self._in_words(self.judge()))

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
        cpu, memory, trains_on = 0.0, 0, None
        if self.usage and process and process.alive():
            cpu, memory = self.usage.read()
            trains_on = gpu(self.recording.status.device_uuid)
        self.call_later(self._show_usage, cpu, memory, trains_on)

    def _show_usage(self, cpu: float, memory: int, trains_on: GPU | None) -> None:
        status = self.recording.status
        panel = self.query_one(DevicePanel)
        panel.show(status, cpu, memory, trains_on, alive=not status.ended)

    @on(Chart.CursorMoved)
    def _cursor_moved(self, event: Chart.CursorMoved) -> None:
        """The other panels show the step under the cursor too."""
        self._cursor = event.step
        for chart in self.query(Chart):
            chart.set_cursor(event.step)
        self._show_weights()

    # Keys: the worker -----------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "directions" and not self.mapped:
            return None
        if action == "picture" and not self.pictures.panels:
            return None
        if action == "weight" and not self.facts.many:
            return None
        return super().check_action(action, parameters)

    def action_learning_rate(self) -> None:
        def answered(lr: float | None) -> None:
            if lr is not None and self.alive:
                self._send(SetLearningRate(lr=lr))

        self.app.push_screen(LearningRateDialog(self.facts.lr()), answered)

    def action_scale_rate(self, factor: float) -> None:
        asked, wanted = self._asked_rate
        rate = factor * (self.facts.lr() if self._answered(asked) else wanted)
        self._asked_rate = self._send(SetLearningRate(lr=rate)), rate

    def action_reset(self) -> None:
        def answered(answer: str | None) -> None:
            if answer == "restart":
                self._restart()

        if self.alive and self.facts.step:
            self.app.push_screen(RestartDialog(), answered)
        else:
            self._restart()

    def _restart(self) -> None:
        pace = self.pace or watchable(self.facts.preset)
        again = self.folder.experiment
        experiment = msgspec.structs.replace(again, paused=True, created="", pace=pace)
        self.app.post_message(Restart(self, experiment))

    # Keys: the screen ---------------------------------------------------------------------------

    def action_chart(self, how: str) -> None:
        chart = self.query_one("#loss", Chart)
        match how:
            case "log_y":
                self._log_y = chart.log_y = not chart.log_y
            case "log_x":
                self._log_x = not self._log_x
                self._show_charts()
            case "smoothing":
                chart.smoothing = next_smoothing(chart.smoothing)
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

    def action_picture(self) -> None:
        """The next picture; where it takes the place of the charts, these come round too."""
        if self.has_class("-compact") and not self.has_class("-picture"):
            self.add_class("-picture")
            return
        if self.pictures.at_last:
            self.remove_class("-picture")
        self.pictures.turn()

    def action_directions(self) -> None:
        def answered(pair: tuple[str, ...] | None) -> None:
            if pair is not None:
                self.survey.choose((pair[0], pair[1]) if pair else None)
                self.pictures.turn_to("map")
                self.add_class("-picture")

        if len(self.survey.names) > 2:
            self.app.push_screen(DirectionsDialog(self.survey.names, self.survey.pair), answered)
        else:
            self.notify(NO_CHOICE, severity="warning", markup=False)

    def action_size(self) -> None:
        self.app.push_screen(SizeDialog(self.facts.preset))

    def action_weight(self) -> None:
        self.app.push_screen(WeightDialog(self.facts))

    def action_source(self) -> None:
        self.app.push_screen(SourceDialog(self.facts.run.optimizer, self.facts.lr()))

    def action_help(self) -> None:
        self.app.push_screen(HelpDialog(("dashboard", "chart", "everywhere")))
