"""One lane of the overview in its frame: counts, deadline, facts, rate, and the age above.

Promises: it says so when the service does not report the lane, or nothing has come yet.
Called by the overview screen.
"""

from collections.abc import Sequence

from textual.geometry import Size

from tui.model.overview import LaneView, lane_lines
from tui.model.plain import plain
from tui.model.shapes import Cell, TextLine, Tone
from tui.widgets.drawing import ToneLines, titled

__all__ = ["LanePane"]


class LanePane(ToneLines, can_focus=True):
    """A lane; `vacancy` is shown while there is no view."""

    def __init__(self, lane: str) -> None:
        super().__init__()
        self.lane = lane
        self.pane = f"lane-{lane.lower()}"
        """Its name in the explanations."""
        self._view: LaneView | None = None
        self._vacancy = ""

    def on_mount(self) -> None:
        self.border_title = titled(Cell(plain(self.lane)))

    def show(self, view: LaneView | None, *, vacancy: str) -> None:
        self._view = view
        self._vacancy = vacancy
        self.border_subtitle = "" if view is None else titled(self._age(view))
        self.refresh()

    def _age(self, view: LaneView) -> Cell:
        """While we are cut off it may have been read since: its tone says nothing then."""
        return Cell(f"read {view.age.text}", Tone.MUTED if self.stale else view.age.tone)

    def text_lines(self, size: Size) -> Sequence[TextLine]:
        if self._view is None:
            return ((Cell(self._vacancy, Tone.MUTED),),)
        return lane_lines(self._view, size.width, size.height)
