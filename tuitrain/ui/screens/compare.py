"""The comparison screen: all runs of an experiment, live or over, read from its folder."""

from __future__ import annotations

import time
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.actions import parse
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.timer import Timer
from textual.widgets import ContentSwitcher, Input, Static

from tuitrain.errors import InputError
from tuitrain.record.folder import ExperimentFolder
from tuitrain.spec.grouping import Group, fairness
from tuitrain.ui.board import Board
from tuitrain.ui.keys import Place, bindings
from tuitrain.ui.messages import Refreshed, Start
from tuitrain.ui.runfilter import RunFilter
from tuitrain.ui.screens.compare_curves import CurvesView
from tuitrain.ui.screens.compare_rows import Roll, findings, headline, shortened
from tuitrain.ui.screens.compare_views import Views
from tuitrain.ui.screens.dialogs import DirectionsDialog, HelpDialog, SourceDialog, TargetDialog
from tuitrain.ui.screens.training import FRAME, TrainingScreen
from tuitrain.ui.survey import NO_CHOICE
from tuitrain.ui.widgets.keyline import KeyLine
from tuitrain.ui.widgets.landscape import LandscapeView
from tuitrain.ui.widgets.logpane import LogPane
from tuitrain.ui.widgets.paragraph import OneLine, Paragraph
from tuitrain.ui.widgets.runtable import RunTable
from tuitrain.ui.widgets.status import StatusLine
from tuitrain.ui.widgets.sweep import SweepView

STAND_EVERY = 5
"""Frames between two tables: numbers that change faster cannot be read."""

TELL_EVERY = 15
"""Frames between two verdicts; a multiple of `STAND_EVERY`."""

MANY_LINES, PAUSE = 500, 0.3
"""With more lines than that, a filter is applied when nothing was typed for so many seconds."""

SHARE = 4
"""A look that takes t seconds is followed by at least as many times t of rest."""

KEYS: tuple[Place, ...] = ("compare", "chart", "curves", "everywhere")


class CompareScreen(TrainingScreen):
    """Shows the runs of an experiment against one another and passes keys on to its worker.

    Args:
        folder: of the experiment.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(*KEYS)]

    def __init__(self, folder: ExperimentFolder) -> None:
        super().__init__(folder)
        self.board = Board(self.recording)
        self.roll = Roll(self.board)
        self.views = Views(self.board, self.roll)
        self._view = "curves"
        self._frame = 0
        self._behind = False
        """Whether something has been read since the verdict was told."""
        self._rest_until = 0.0
        self._was = ""
        self._dimmed: object = None
        self._told = Text()
        self._judged = False
        self._typing: Timer | None = None

    def compose(self) -> ComposeResult:
        yield OneLine(id="headline")
        experiment = self.board.experiment
        yield StatusLine(id="status", runs=len(experiment.runs), budget=experiment.seconds)
        with ContentSwitcher(initial="curves", id="views"):
            yield CurvesView(self.board, self.roll, id="curves")
            yield from (self.views.sweep, self.views.map, self.views.fit)
        yield RunTable(id="runs")
        with Container(id="finding"):
            yield Input(placeholder="words, lr>=0.01, optimizer=adam,sgd", id="find")
            yield Paragraph(id="problem", classes="error")
        yield LogPane(self.folder.log, id="log")
        yield Paragraph(id="verdict")
        yield Static(Text(fairness(self.board.experiment), "dim"), id="fair")
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one("#log").border_title = "Log"
        self.query_one("#log").display = False
        self.query_one("#finding").display = False
        self.refresh_facts()
        self.set_interval(FRAME, self.refresh_facts)

    def on_resize(self, event: events.Resize) -> None:
        # Textual calls the base class's method too.
        self.query_one("#headline", OneLine).update(headline(self.board, event.size.width))
        if self._told:
            self._show_verdict()

    # Data -------------------------------------------------------------------------------------

    def refresh_facts(self) -> None:
        """Read what is new and tell; nothing else reads the store."""
        started, worked = time.monotonic(), time.thread_time()
        if started < self._rest_until - FRAME / 2:
            return
        if self.recording.refresh() or self._frame == 0:
            self.board.follow()
            self._behind = True
            self.post_message(Refreshed())
        elif self._behind and self._frame % STAND_EVERY == 0:
            self.post_message(Refreshed())
        self._frame += 1
        self._rest(time.thread_time() - worked)

    def _rest(self, spent: float) -> None:
        """Leave the machine alone for a while after work that took so many seconds."""
        self._rest_until = max(self._rest_until, time.monotonic()) + SHARE * spent

    @on(Refreshed)
    def _show(self) -> None:
        """The one handler that changes the widgets while training goes on."""
        status, worked = self.recording.status, time.thread_time()
        self.query_one(StatusLine).show(status)
        if status.state != self._was or self._frame % STAND_EVERY == 1:
            self.board.stand()
            self.show_rows()
        else:
            self._show_view()
        log = self.query_one(LogPane)
        if log.display:
            log.follow(self.recording.events, ended=self.recording.ended)
        if self._was != status.state:
            self._was, self._dimmed = status.state, None
        self._dim()
        self._rest(time.thread_time() - worked)

    def _show_view(self) -> None:
        """Bring what is seen of the recording up to date."""
        if self._view == "curves":
            self.query_one(CurvesView).follow()
        else:
            row = self.table.selected
            run = row.key[1] if row is not None and row.key[0] == "run" else None
            self.views.follow(self._view, self.roll.line(row), run)

    def show_rows(self) -> None:
        """Bring table, view and verdict up to what the user chose to see."""
        table = self.query_one("#runs", RunTable)
        table.show(self.roll.columns(), self.roll.rows(), self.roll.sort, self.board.span)
        self.query_one(CurvesView).assign(table.selected)
        self._show_view()
        if self._frame % TELL_EVERY == 1 or not self.alive or not self._judged:
            self._behind = False
            self._judged = bool(self.board.standings)  # the first verdict is told at once
            self._show_verdict()

    def _show_verdict(self) -> None:
        verdict = findings(self.board, self.roll.line(self.table.selected))
        lines = 2 if self.has_class("-compact") else 3
        verdict = shortened(verdict, self.app.console, self.size.width - 2, lines)
        if verdict != self._told:
            self._told = verdict
            self.query_one("#verdict", Paragraph).update(verdict)

    # Keys: the table ----------------------------------------------------------------------------

    @property
    def table(self) -> RunTable:
        return self.query_one("#runs", RunTable)

    def action_select(self, by: int) -> None:
        self.table.move(by)

    def action_page(self, by: int) -> None:
        self.table.move(by * self.table.page)

    @on(RunTable.Selected)
    def _selected(self, event: RunTable.Selected) -> None:
        if event.again:
            self.action_line("fold")
        self.query_one(CurvesView).assign(event.row)
        self._dim()
        if self._missing(self._view):
            self.action_view("curves")
        self._show_view()
        self._show_verdict()

    @on(RunTable.Sorted)
    def _sorted(self, event: RunTable.Sorted) -> None:
        self.roll.sort_by(event.column)
        self.show_rows()

    def action_line(self, change: str) -> None:
        row = self.table.selected
        if row is not None:
            getattr(self.roll, change)(row.key)
            self.show_rows()

    def action_show_all(self) -> None:
        self.roll.show_all()
        self._clear_filter()
        self.show_rows()

    def action_sort(self, by: int) -> None:
        self.roll.sort_next(by)
        self.show_rows()

    def action_reverse(self) -> None:
        self.roll.reverse()
        self.show_rows()

    def action_group(self) -> None:
        """Other lines; the one that has the first run of the selected one is selected."""
        line = self.roll.line(self.table.selected)
        self.roll.group_next()
        self._clear_filter()
        if line is not None and self.table.chosen:
            [new] = [x for x in self.board.lines if line.runs[0] in x.runs]
            self.table.select(("line", new.number))
        self.show_rows()

    # Keys: filter and target --------------------------------------------------------------------

    def action_filter(self) -> None:
        self.query_one("#finding").display = True
        self.query_one("#find", Input).focus()

    @on(Input.Changed, "#find")
    def _typed(self, event: Input.Changed) -> None:
        problem = ""
        try:
            self.roll.filter = RunFilter(event.value, self.board.filter_keys)
        except InputError as error:
            problem = f"✗ {error}"
        self.query_one("#problem", Paragraph).update(Text(problem))
        if self._typing is not None:
            self._typing.stop()
        if len(self.board.lines) <= MANY_LINES:
            self.show_rows()
        else:
            self._typing = self.set_timer(PAUSE, self.show_rows)

    @on(Input.Submitted, "#find")
    def _found(self) -> None:
        self._leave_filter()

    def _clear_filter(self) -> None:
        find = self.query_one("#find", Input)
        find.value = ""
        self.query_one("#finding").display = find.has_focus

    def _leave_filter(self) -> None:
        find = self.query_one("#find", Input)
        self.set_focus(None)
        self.query_one("#finding").display = bool(find.value)

    def action_target(self) -> None:
        line = self.roll.line(self.table.selected)
        if line is None:
            return
        pane = self.board.lines.panes[line.pane]

        def answered(target: float | str | None) -> None:
            if target != "":
                self.board.comparison.aim(pane, target if isinstance(target, float) else None)
                self.board.stand()
                self.show_rows()

        now = self.board.standings[line.pane].target if self.board.standings else None
        self.app.push_screen(TargetDialog(pane.name, now), answered)

    # Keys: the screen ---------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "view" and self._frame and self._missing(str(parameters[0])):
            return None
        return super().check_action(action, parameters)

    def on_key(self, event: events.Key) -> None:
        """The key of a view that cannot be shown is dimmed, and so does nothing but say why."""
        for binding in bindings(*KEYS):
            _, action, parameters = parse(binding.action)
            if binding.key == event.key and action == "view":
                self.action_view(str(parameters[0]))

    def _dim(self) -> None:
        """Let the footer dim what cannot be done, where that has changed."""
        missing = [bool(self._missing(view)) for view in ("sweep", "map", "fit")]
        if missing != self._dimmed:
            self._dimmed = missing
            self.refresh_bindings()

    def _missing(self, view: str) -> str:
        line = self.roll.line(self.table.selected)
        return "" if view == "curves" else self.views.missing(view, line)

    def action_view(self, name: str) -> None:
        if problem := self._missing(name):
            self.notify(problem, severity="warning", markup=False)
            return
        self._view = name
        self.query_one("#views", ContentSwitcher).current = name
        self._show_view()

    def action_chart(self, how: str) -> None:
        """What the keys of a chart do, in the view that is seen."""
        if self._view == "curves":
            self.query_one(CurvesView).command(how)
        else:
            self.views.command(self._view, how)

    @on(LandscapeView.Wanted)
    def _wanted(self, event: LandscapeView.Wanted) -> None:
        self.views.ask(event)

    @on(SweepView.Selected)
    def _swept(self, event: SweepView.Selected) -> None:
        """Let the table follow where another line of the sweep was clicked."""
        runs = {group.runs: group.optimizer.lr for group in event.line.groups}
        there = [line for line in self.board.lines if line.runs in runs]
        selected = self.roll.line(self.table.selected)
        if there and selected not in there:
            at_cursor = [line for line in there if runs[line.runs] == event.lr]
            self.table.select(("line", (at_cursor or there)[0].number))

    @on(SweepView.Chosen)
    def _chosen(self, event: SweepView.Chosen) -> None:
        self._start_run(event.group)

    def action_run(self) -> None:
        """Start one run as the selected line is, or as the sweep's cursor says."""
        line = self.roll.line(self.table.selected)
        if self._view == "sweep":
            self.views.sweep.choose()
        elif line is not None:
            self._start_run(line.group)

    def _start_run(self, group: Group) -> None:
        self.app.post_message(Start(self, self.board.alone(group)))

    def action_directions(self) -> None:
        """Choose what the landscape lies along, and look at it."""
        line = self.roll.line(self.table.selected)
        if line is None or self.views.missing("map", line):
            self.action_view("map")  # says why not
            return
        survey = self.views.survey(line.group.preset)

        def answered(pair: tuple[str, ...] | None) -> None:
            if pair is not None:
                survey.choose((pair[0], pair[1]) if pair else None)
                self.action_view("map")

        if len(survey.names) > 2:
            self.app.push_screen(DirectionsDialog(survey.names, survey.pair), answered)
        else:
            self.notify(NO_CHOICE, severity="warning", markup=False)

    def action_gap(self) -> None:
        problem = self.query_one(CurvesView).toggle_gap()
        if problem:
            self.notify(problem, severity="warning", markup=False)
        self.show_rows()

    def action_unit(self) -> None:
        self.query_one(CurvesView).next_unit()
        self.show_rows()

    def action_source(self) -> None:
        line = self.roll.line(self.table.selected)
        if line is not None:
            rule = line.group.optimizer
            self.app.push_screen(SourceDialog(rule, rule.lr))

    def action_help(self) -> None:
        self.app.push_screen(HelpDialog(KEYS))

    def action_no_filter(self) -> None:
        find = self.query_one("#find", Input)
        if find.has_focus:
            self._leave_filter()
        elif find.value:
            self._clear_filter()
        else:
            self.action_back()
