"""Words for the tests of orders: what the ERP knows, and one order after what happened."""

from kcjl.orders.decide import (
    decide_hold,
)
from kcjl.orders.events import (
    AcceptanceConfirmed,
    AcceptanceIntended,
    AcceptanceRefused,
    OrderHeld,
    OrderPassedOver,
    ReferenceWriteFailed,
    ReferenceWriteIntended,
    ReferenceWritten,
)
from kcjl.orders.posting_events import TotalsCompared
from kcjl.orders.state import ORDERS, Catalogued, OrderEntry
from kcjl.vocabulary import Event
from tests.trade import (
    SHIPPING,
    at,
    gbp,
    made_of,
    received,
)

KNOWN: dict[str, Catalogued | None] = {
    "a-1": Catalogued(stock_code="A-1"),
    "b-2": Catalogued(stock_code="B-2"),
}
UNKNOWN: dict[str, Catalogued | None] = {"a-1": Catalogued(nearest=("A-11",))}
DISCONTINUED: dict[str, Catalogued | None] = {
    "a-1": Catalogued(stock_code="A-1", discontinued=True)
}
UNASKED: dict[str, Catalogued | None] = {"a-1": None}

ACCEPTING = AcceptanceIntended(order_id="O1", lines=("O1-1",), occurred_at=at(1))
ACCEPTED = AcceptanceConfirmed(order_id="O1", occurred_at=at(2))
PASSED = OrderPassedOver(order_id="O1", reason="too old", skus=("A-1",), occurred_at=at(0))
TOTALS = TotalsCompared(order_id="O1", ours=gbp(2_000), erp=gbp(2_000), occurred_at=at(10))
WRITING = ReferenceWriteIntended(order_id="O1", erp_order_code="SO-O1", occurred_at=at(9))
WRITTEN = ReferenceWritten(order_id="O1", erp_order_code="SO-O1", occurred_at=at(9))
UNWRITTEN = ReferenceWriteFailed(order_id="O1", message="busy", occurred_at=at(9))


def order(*then: Event, state: str = SHIPPING) -> OrderEntry:
    return made_of(ORDERS, "O1", received(state=state), *then)


def acceptance_refused(*, retry: bool) -> AcceptanceRefused:
    return AcceptanceRefused(order_id="O1", message="no", retry=retry, occurred_at=at(2))


def hold(known: dict[str, Catalogued | None], state: str = SHIPPING) -> OrderHeld:
    (event,) = decide_hold(order(state=state), known, at(3))
    assert isinstance(event, OrderHeld)
    return event
