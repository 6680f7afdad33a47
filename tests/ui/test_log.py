"""The pane of the worker's log."""

from __future__ import annotations

from pathlib import Path

from textual.app import App, ComposeResult

from tuitrain.ui.widgets.logpane import TAIL, LogPane


class Logged(App[None]):
    """Shows one log."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.log_pane = LogPane(path)

    def compose(self) -> ComposeResult:
        yield self.log_pane

    def lines(self) -> list[str]:
        return [strip.text.rstrip() for strip in self.log_pane.lines]


async def test_a_line_is_shown_once_it_has_been_written_to_its_end(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    log.write_bytes(b"first\nhalf a w")
    app = Logged(log)
    async with app.run_test() as pilot:
        app.log_pane.follow([])
        await pilot.pause()
        assert app.lines() == ["first"]
        with log.open("ab") as file:
            file.write("ö".encode()[:1])
        app.log_pane.follow([])
        with log.open("ab") as file:
            file.write("ö".encode()[1:] + b"rd\n")
        app.log_pane.follow([])
        await pilot.pause()
        assert app.lines() == ["first", "half a wörd"]
        with log.open("ab") as file:
            file.write(b"killed in the mid")
        app.log_pane.follow([], ended=True)
        await pilot.pause()
        assert app.lines()[-1] == "killed in the mid"


async def test_of_a_long_log_whole_lines_are_shown(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    log.write_text("".join(f"line number {number}\n" for number in range(10_000)))
    app = Logged(log)
    async with app.run_test() as pilot:
        app.log_pane.follow([])
        await pilot.pause()
        shown = app.lines()
        assert shown[-1] == "line number 9999"
        assert all(line.startswith("line number ") for line in shown)
        assert 1000 < len(shown) < TAIL // 16


async def test_a_line_without_end_is_shown_in_pieces(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    log.write_text("x" * (2 * TAIL))
    app = Logged(log)
    async with app.run_test() as pilot:
        app.log_pane.follow([])
        await pilot.pause()
        assert set("".join(app.lines())) == {"x"}
