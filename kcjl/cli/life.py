"""Events as a tree of causes, in lines. Called by the verbs that tell a story."""

from collections.abc import Iterable, Iterator

from kcjl.cli.stock_shown import clock
from kcjl.readmodels_orders import LifeEvent

__all__ = ["tree_lines"]


def tree_lines(events: Iterable[LifeEvent]) -> Iterator[str]:
    """Two lines an event: what happened, and where and when, by both clocks."""
    for event in events:
        indent = "  " * event.depth + ("└ " if event.depth else "")
        said = f": {event.said}" if event.said else ""
        yield f"{indent}{event.type}{said}"
        yield (
            "  " * (event.depth + 1) + f"#{event.position}, true {clock(event.occurred_at)}, "
            f"learnt {clock(event.recorded_at)}, by {event.by}"
        )
