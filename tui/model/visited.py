"""The screens that were looked at, in order, as a browser keeps its pages.

Called by the app.
"""

__all__ = ["Visited"]

VISITED_MAX = 100


class Visited:
    """Where one was, and where in that one stands."""

    def __init__(self, first: str) -> None:
        self._places = [first]
        self._at = 0

    def visit(self, place: str) -> None:
        """What lay ahead is forgotten; the place that one stands at is no new one."""
        if place != self._places[self._at]:
            self._places = [*self._places[: self._at + 1], place][-VISITED_MAX:]
            self._at = len(self._places) - 1

    def go(self, steps: int) -> str:
        """So many steps on, or back where it is less than nought; not beyond either end."""
        self._at = max(0, min(len(self._places) - 1, self._at + steps))
        return self._places[self._at]

    def flip(self) -> str:
        """The place before, as the newest."""
        if self._at:
            self.visit(self._places[self._at - 1])
        return self._places[self._at]
