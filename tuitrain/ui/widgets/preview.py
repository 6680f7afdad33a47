"""The dataset of a preset at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from rich.table import Table
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from tuitrain.errors import InputError
from tuitrain.spec.evaluation import gridded
from tuitrain.spec.preset import Preset
from tuitrain.spec.size import image, rows, test_rows
from tuitrain.ui.settings import in_form
from tuitrain.ui.widgets.paragraph import Paragraph

if TYPE_CHECKING:
    from tuitrain.data import Dataset
    from tuitrain.ui.widgets.boundary import BoundaryView
    from tuitrain.ui.widgets.picture import PictureView
    from tuitrain.ui.widgets.samples import SamplesView

FEW_ROWS = 6

MOST_DRAWN = 20_000
"""Rows that are drawn at random for a picture, at every key that is typed."""


class Preview(Vertical):
    """The rows on a plane, a few images, a picture for each of the first inputs, or a table.

    Pictures are mounted, and imported, when a preset needs them, but not before `prepare` has been
    called: the first frame waits for none, nor for NumPy.
    """

    def __init__(self, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.views: list[PictureView] = []
        self.table = Paragraph(id="rows", classes="panel", markup=False)
        self.plane: BoundaryView | None = None
        self.samples: SamplesView | None = None
        self._waiting: Preset | None = None
        self._ready = False

    def compose(self) -> ComposeResult:
        yield self.table

    @work(thread=True)
    def prepare(self) -> None:
        """Import what pictures need, in a thread: keys that are typed meanwhile are not to wait."""
        import tuitrain.data
        import tuitrain.ui.pictures  # noqa: F401

        self.call_later(self._complete)

    def _complete(self) -> None:
        self._ready = True
        if self._waiting is not None:
            self.show(self._waiting)

    def show(self, preset: Preset) -> None:
        """Show another preset's data, or what is wrong with its file."""
        if not self.is_attached:
            return  # the application is being left: nothing can be mounted any more
        if not self._ready:
            self._waiting = preset
            return
        from tuitrain.data import dataset
        from tuitrain.ui.pictures import at_a_glance

        try:
            data, told = dataset(_drawable(preset)), counted(preset)
        except InputError as error:
            self._show_text("Data", Text(f"{error.where}: {in_form(error)}"))
            return
        if data is not None and (shape := image(preset)) is not None:
            self._show_images(data, shape, told)
        elif data is not None and _on_plane(preset, data):
            self._show_plane(data, told)
        elif pictures := at_a_glance(preset, data):
            self._only(*self._enough(len(pictures)))
            for number, (view, picture) in enumerate(zip(self.views, pictures, strict=False)):
                view.entitle(picture.title + f", {told}" * bool(told and not number))
                view.show(picture)
        elif data is not None:
            self._show_text(f"Data, {told}", _table(data))

    def _show_plane(self, data: Dataset, told: str) -> None:
        from tuitrain.ui.scatter import scatter, telling
        from tuitrain.ui.widgets.boundary import BoundaryView

        if self.plane is None:
            self.plane = BoundaryView(classes="panel")
            self.mount(self.plane)
        self._only(self.plane)
        self.plane.entitle(told)
        self.plane.show(scatter(data if len(data.inputs) == 2 else telling(data)), None)

    def _show_images(self, data: Dataset, shape: tuple[int, int, int], told: str) -> None:
        from tuitrain.ui.widgets.samples import SamplesView

        if self.samples is None:
            self.samples = SamplesView(classes="panel")
            self.mount(self.samples)
        self._only(self.samples)
        self.samples.entitle(told)
        self.samples.show_rows(data, shape)

    def _show_text(self, title: str, text: Table | Text) -> None:
        self._only(self.table)
        self.table.border_title = Content(title)
        self.table.update(text)

    def _enough(self, count: int) -> list[PictureView]:
        """So many views of pictures."""
        from tuitrain.ui.widgets.picture import PictureView

        while len(self.views) < count:
            self.views.append(PictureView(classes="panel -further" if self.views else "panel"))
            self.mount(self.views[-1], before=self.table)
        return self.views[:count]

    def _only(self, *shown: Widget) -> None:
        """Show these and nothing else."""
        for view in (*self.views, self.table, self.plane, self.samples):
            if view is not None:
                view.set_class(view not in shown, "-without")


def counted(preset: Preset) -> str:
    """How many rows there are to train on and to test on; empty without data.

    Raises:
        InputError: of a file of data that cannot be read.
    """
    count, tested = rows(preset), test_rows(preset)
    if not count:
        return ""
    return f"{count:,} row{'s' * (count != 1)}" + f" + {tested:,} test" * bool(tested)


def _on_plane(preset: Preset, data: Dataset) -> bool:
    """Whether a plane of two inputs shows the data best, and not y over each of them."""
    return (len(data.classes) > 0 and len(data.inputs) > 1) or gridded(preset)


def _drawable(preset: Preset) -> Preset:
    """The preset with not more rows than can be drawn at once."""
    drawn = getattr(preset.data, "rows", 0)
    if preset.data is None or drawn <= MOST_DRAWN:
        return preset
    return replace(preset, data=replace(preset.data, rows=MOST_DRAWN))


def _table(data: Dataset) -> Table:
    """The first rows of a dataset."""
    table = Table.grid(padding=(0, 2))
    heads = [*data.inputs]
    heads += [f"y{i + 1}" if data.y.shape[1] > 1 else "y" for i in range(data.y.shape[1])]
    table.add_row(*(Text(head, "dim", justify="right") for head in heads))
    for x, y in zip(data.x[:FEW_ROWS], data.y, strict=False):
        table.add_row(*(Text(f"{value:.4g}", justify="right") for value in (*x, *y)))
    return table
