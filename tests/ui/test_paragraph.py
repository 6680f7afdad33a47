"""A text that is updated at any moment has the height that it needs."""

from __future__ import annotations

from textual.app import App, ComposeResult

from tuitrain.ui.widgets.paragraph import Paragraph


class Page(App[None]):
    CSS = "Paragraph { height: auto; max-height: 3; }"

    def compose(self) -> ComposeResult:
        yield Paragraph("waiting", id="text")


async def test_a_layout_between_two_updates_does_not_keep_the_old_height() -> None:
    app = Page()
    async with app.run_test(size=(20, 10)) as pilot:
        await pilot.pause()
        text = app.query_one("#text", Paragraph)
        text.update("still waiting")
        app.screen._clear_arrangement_cache()  # as a change of any other widget does
        app.screen._refresh_layout()
        text.update("words that take more lines than one")
        await pilot.pause(0.1)
        assert text.size.height == 2
        text.update("short")
        await pilot.pause(0.1)
        assert text.size.height == 1
