"""What a sample for auditors is drawn from, and the evidence of each order of it.

Promises: all is read as of one position of the log; what came later is not in it.
Called by `kcjl sample`.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime

from kcjl.audit.explain_reading import Explainer
from kcjl.audit.sample import Candidate
from kcjl.audit.sample_page import Evidence
from kcjl.database import Database
from kcjl.dispatch.business_time import BusinessTime
from kcjl.errors import NotFound
from kcjl.events import vocabulary
from kcjl.log.queries import PostgresQueries
from kcjl.orders.state import OrderEntry
from kcjl.projections.asofdatabase import AsOfDatabase
from kcjl.projections.orderreading import OrderRows
from kcjl.projections.ordersview import OrdersView

__all__ = ["candidates", "evidence"]

GONE = ("REFUSED", "CANCELED")


async def candidates(past: Database, merchant: str) -> Sequence[Candidate]:
    """Every order that was known then."""
    rows = OrderRows(past, merchant)
    excepted = await rows.excepted()
    return [
        Candidate(
            order_id=each.order_id,
            created_at=each.created_at,
            total=each.total_price,
            money_back=_is_money_back(each),
            excepted=each.order_id in excepted,
        )
        async for page in rows.orders([])
        for each in page
    ]


async def evidence(
    past: AsOfDatabase,
    merchant: str,
    business: BusinessTime,
    order_ids: Sequence[str],
    now: Callable[[], datetime],
) -> AsyncIterator[Evidence]:
    """Of each of these, in this order."""
    explainer, view = Explainer(past, merchant, business), OrdersView(past, merchant, now)
    rows, log = OrderRows(past, merchant), PostgresQueries(past, merchant, vocabulary())
    for order_id in order_ids:
        story = await view.story(order_id)
        if story is None:
            raise NotFound(f"order {order_id} of {merchant} is not there any more")
        hashes = await log.hashes([each.position for each in story.events])
        yield Evidence(
            story=story,
            why=await explainer.order(order_id),
            exceptions=tuple(
                f"{kind}:{subject}" for kind, subject in await rows.exceptions(order_id)
            ),
            hashes={position: each.hex() for position, each in hashes.items()},
        )


def _is_money_back(entry: OrderEntry) -> bool:
    return entry.state in GONE or any(line.refunded.amount_minor for line in entry.lines_now)
