"""What customers and the operator do of their own accord: cancel, complain, give money back.

Promises: how often is a share of the tenant's settings, asked as each order comes to that
point; chance is the agenda's, and is not drawn where the share is 0. What is not possible any
more when its time has come does not happen. It serves no call.
Called by the marketplace, which hands it each order's placing and states.
"""

from collections.abc import Callable
from datetime import timedelta

from kcjl.money import Money
from kcjl.sandbox.marketplace.book import Book
from kcjl.sandbox.marketplace.counter import Counter
from kcjl.sandbox.marketplace.errors import ApiError
from kcjl.sandbox.marketplace.incidents import Incidents
from kcjl.sandbox.marketplace.inputs import PlacedOrder
from kcjl.sandbox.marketplace.refunds import Refunds

__all__ = ["CANCELLED_BY_CUSTOMER", "Customers"]

CANCELLED_BY_CUSTOMER = ("35", "Cancelled by customer")
COMPLAINT = "2"
GOODWILL = "19"
WITHIN_H = (0.1, 8.0)
"""Hours until it happens."""


class Customers:
    """Whoever acts without being asked."""

    def __init__(
        self, book: Book, counter: Counter, refunds: Refunds, incidents: Incidents
    ) -> None:
        self._book = book
        self._counter = counter
        self._refunds = refunds
        self._incidents = incidents

    def note_placed(self, placed: PlacedOrder) -> None:
        self._perhaps(
            self._book.settings.customer_cancel_share, lambda: self._cancel(placed.order_id)
        )

    def note_state(self, order_id: str, state: str) -> None:
        if state != "RECEIVED":
            return
        settings = self._book.settings
        self._perhaps(settings.incident_share, lambda: self._complain(order_id))
        self._perhaps(settings.operator_refund_share, lambda: self._give_back(order_id))

    def _perhaps(self, share: float, action: Callable[[], None]) -> None:
        if not share or self._book.agenda.chance.random() >= share:
            return
        delay = timedelta(hours=self._book.agenda.chance.uniform(*WITHIN_H))
        self._book.agenda.after(delay, lambda: _if_possible(action))

    def _cancel(self, order_id: str) -> None:
        self._counter.operator_cancels(order_id, *CANCELLED_BY_CUSTOMER)

    def _complain(self, order_id: str) -> None:
        line = self._book.agenda.chance.choice(self._book.orders[order_id].lines)
        self._incidents.open(line.line_id, COMPLAINT)

    def _give_back(self, order_id: str) -> None:
        chance = self._book.agenda.chance
        line = chance.choice(self._book.orders[order_id].lines)
        amount = Money(chance.randint(0, line.refundable.amount_minor), line.price.currency)
        self._refunds.operator_refunds(
            line.line_id,
            amount=amount,
            shipping_amount=Money(0, amount.currency),
            quantity=0,
            reason_code=GOODWILL,
        )


def _if_possible(action: Callable[[], None]) -> None:
    try:
        action()
    except ApiError:
        return  # the order has moved on meanwhile
