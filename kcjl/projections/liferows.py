"""The life of an order as rows: its events and their causes, in the form that people see.

Promises: reads the log only, and no more events than is said; what was cut is told. The
buyer is in none of it. Called by the views of orders and of dispatch.
"""

from collections.abc import Sequence

from kcjl.log.port import LogQueries, Recorded, Selection
from kcjl.orders.life import tree_of
from kcjl.readmodels_orders import LifeEvent

__all__ = ["EVENTS_MAX", "life_of", "life_rows"]

EVENTS_MAX = 5_000
"""Events of one life; beyond it the tree says that it is cut."""
CAUSES_MAX = 200
"""Events outside the order's own streams that are fetched because they caused one in it."""


async def life_of(
    queries: LogQueries, streams: Sequence[str]
) -> tuple[tuple[LifeEvent, ...], bool]:
    """(the tree of these streams' events and what caused them, whether there are more)."""
    life: dict[int, Recorded] = {}
    for stream in streams:
        async for page in queries.select(Selection(stream=stream)):
            life.update((each.position, each) for each in page)
            if len(life) > EVENTS_MAX:
                return life_rows([life[each] for each in sorted(life)][:EVENTS_MAX]), True
    wanted = [each.causation for each in life.values() if each.causation]
    fetched = 0
    while wanted and fetched < CAUSES_MAX:
        position = wanted.pop()
        if position in life:
            continue
        fetched += 1
        async for page in queries.select(Selection(after=position - 1, to=position)):
            for each in page:
                life[each.position] = each
                if each.causation:
                    wanted.append(each.causation)
    return life_rows([life[each] for each in sorted(life)]), False


def life_rows(events: Sequence[Recorded]) -> tuple[LifeEvent, ...]:
    """The events as a tree of causes, drawn from the top."""
    return tuple(
        LifeEvent(
            depth=node.depth,
            position=node.recorded.position,
            type=node.recorded.type,
            stream=node.recorded.stream,
            occurred_at=node.recorded.occurred_at,
            recorded_at=node.recorded.recorded_at,
            by=node.recorded.by,
            correlation_id=node.recorded.correlation_id,
            causation=node.recorded.causation,
            said=node.said,
        )
        for node in tree_of(events)
    )
