"""What the marketplace's refusals quote of a buyer is taken out of them.

Promises: a message never repeats an e-mail address, a telephone number or a British postcode,
nor what the last orders that this adapter has read say of the buyer they are about: each word
of an order that the call or the message names, and each whole name and address line of the
others. It keeps that in memory only, of so many orders, and hands it to nobody.
Invariant: ids, SKUs and codes stay readable: somebody has to act on the message.
Called by `http.py` (what is read, what is asked) and `reading.py` (what is refused).
"""

import re
from collections.abc import Sequence
from contextvars import ContextVar

from kcjl.discretion import HIDDEN, whole_words, without_words
from kcjl.johnlewis.port import Address, Order

__all__ = ["Buyers", "without_buyers"]

ORDERS_REMEMBERED_MAX = 5_000
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
        self._fields: dict[str, tuple[str, ...]] = {}

    def remember(self, rows: Sequence[tuple[str, object]]) -> None:
        """Rows as they were read; those that are orders are looked at."""
        for _, row in rows:
            if not isinstance(row, Order):
                continue
            self._fields.pop(row.order_id, None)
            if fields := _personal(row):
                self._fields[row.order_id] = fields
        while len(self._fields) > ORDERS_REMEMBERED_MAX:
            del self._fields[next(iter(self._fields))]

    def listen(self, path: str, subject: str, asked: bytes | None) -> None:
        """What this task hears of refusals from now on is about this call."""
        _LISTENING.set((self, path, subject, asked or b""))

    def without(self, text: str, path: str, subject: str, asked: bytes) -> str:
        told = f"{text} {path} {subject}"
        bare = text.casefold()
        for order_id, fields in list(self._fields.items()):
            if order_id in told or order_id.encode() in asked:
                text = without_words(text, fields)
            elif several := [x for x in fields if " " in x and x.casefold() in bare]:
                text = whole_words(text, several)
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
