"""What the marketplace's refusals quote of a buyer is taken out of them.

Promises: a message never repeats an e-mail address, a telephone number or a British postcode,
nor what the last orders that this adapter has read say of the buyer they are about: each word
of an order that the call or the message names, and each whole name and address line of the
newest others. It keeps that in memory only, of so many orders, and hands it to nobody.
Invariant: ids, SKUs and codes stay readable: somebody has to act on the message.
Called by `http.py` (what is read, what is asked) and `reading.py` (what is refused).
"""

import re
from collections.abc import Sequence
from contextvars import ContextVar
from itertools import islice

from kcjl.discretion import HIDDEN, whole_words, without_words
from kcjl.johnlewis.port import Address, Order, OrderState

__all__ = ["Buyers", "without_buyers"]

ORDERS_REMEMBERED_MAX = 5_000
ORDERS_COMPARED_MAX = 500
"""Orders whose address lines are looked for although nothing names them: some milliseconds."""
TRADE_WORDS = frozenset(
    {state.casefold() for state in OrderState}
    | {"accepted", "carrier", "line", "lines", "offer", "order", "orders", "parcel", "quantity"}
    | {"refund", "required", "shipment", "state", "status", "stock", "tracking", "with"}
)
"""What a refusal is about, also where a buyer writes "leave the order with reception"."""
_E_MAIL = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_POSTCODE = re.compile(
    r"(?<!\w)[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}(?!\w)", re.IGNORECASE | re.ASCII
)
_TELEPHONE = re.compile(
    r"(?<!\w)(?:\+44|0044|0)[ -]?(?:\(0\)[ -]?)?[1-37][0-9](?:[ -]?[0-9]){7,8}(?!\w)", re.ASCII
)


class Buyers:
    """What one adapter knows of buyers, for as long as it runs."""

    def __init__(self) -> None:
        self._orders: dict[str, Order] = {}

    def remember(self, rows: Sequence[tuple[str, object]]) -> None:
        """Rows as they were read; those that are orders are looked at."""
        for order_id, row in rows:
            if isinstance(row, Order) and (row.delivery_address or row.notification_email):
                self._orders.pop(order_id, None)
                self._orders[order_id] = row
        while len(self._orders) > ORDERS_REMEMBERED_MAX:
            del self._orders[next(iter(self._orders))]

    def listen(self, path: str, subject: str, asked: bytes | None) -> None:
        """What this task hears of refusals from now on is about this call."""
        _LISTENING.set((self, path, subject, asked or b""))

    def without(self, text: str, path: str, subject: str, asked: bytes) -> str:
        told = f"{text} {path} {subject} {asked.decode(errors='replace')}"
        for order_id, order in self._orders.items():
            if order_id in told:
                text = without_words(text, _personal(order), keep=TRADE_WORDS)
        bare = text.casefold()
        for order in islice(reversed(self._orders.values()), ORDERS_COMPARED_MAX):
            lines = [x for x in _personal(order) if " " in x and x.casefold() in bare]
            text = whole_words(text, lines) if lines else text
        return text


_LISTENING: ContextVar[tuple[Buyers, str, str, bytes] | None] = ContextVar(
    "kcjl_johnlewis_buyers", default=None
)


def without_buyers(text: str) -> str:
    """A text of the marketplace's without what it says of a buyer.

    >>> without_buyers("ada@example.org, SW1A 1AA, 020 7946 0000: no such address")
    '[…], […], […]: no such address'
    """
    listening = _LISTENING.get()
    if listening is not None:
        buyers, path, subject, asked = listening
        text = buyers.without(text, path, subject, asked)
    for pattern in (_E_MAIL, _POSTCODE, _TELEPHONE):
        text = pattern.sub(HIDDEN, text)
    return text


def _personal(order: Order) -> tuple[str, ...]:
    """Texts that name the buyer or where they live; a country names nobody."""
    address = order.delivery_address
    fields = [] if address is None else [*_texts(address)]
    if order.notification_email:
        fields.append(order.notification_email)
    return tuple(dict.fromkeys(fields))


def _texts(address: Address) -> list[str]:
    names = [name for name in Address.__struct_fields__ if not name.startswith("country")]
    found = [" ".join(str(getattr(address, name) or "").split()) for name in names]
    found.append(f"{address.first_name} {address.last_name}".strip())
    return [each for each in found if each]
