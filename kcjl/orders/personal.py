"""Buyers, the fold and the rules: what is still sealed of whom, and whether it may go.

Promises: pure. Nothing is erased that the order still needs for its parcel; what is erased is
said once. Invariant: an entry without `erased` has its content in the vault, but for the moment
between the event and the erasing.
Called by `buyers.py`. Source: design 2 (law 7), 7.
"""

import msgspec

from kcjl.fold import Fold
from kcjl.orders.decide import standing
from kcjl.orders.events import DeliveryAddressSealed
from kcjl.orders.personal_events import BuyerErased
from kcjl.orders.state import OrderEntry, Posting, Standing
from kcjl.vocabulary import Event

__all__ = ["BUYERS", "Sealed", "why_not_erase", "why_not_shown"]

NO_ADDRESS_NEEDED = frozenset({"REFUSED", "CANCELED", "RECEIVED", "CLOSED"})
"""The marketplace is done with the parcel, or there is none."""
OVER = (Standing.PASSED_OVER, Standing.CANCELLED)
"""Also where all lines were withdrawn before the posting."""


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of one order's buyer."""

    order_id: str
    vault_ref: str
    erased: str = ""
    """Why it is gone; empty while it is there."""


def _keys(event: Event) -> tuple[str, ...]:
    if isinstance(event, DeliveryAddressSealed | BuyerErased):
        return (event.order_id,)
    return ()


def _evolve(entry: Sealed | None, event: Event, _key: str) -> Sealed | None:
    match event:
        case DeliveryAddressSealed():
            return Sealed(order_id=event.order_id, vault_ref=event.vault_ref)
        case BuyerErased():
            return Sealed(
                order_id=event.order_id, vault_ref=event.vault_ref, erased=event.cause
            )
        case _:
            return entry


BUYERS: Fold[Sealed] = Fold(_keys, _evolve, Sealed, hears=(DeliveryAddressSealed, BuyerErased))
"""What is sealed of buyers, by order."""


def why_not_shown(order_id: str, sealed: Sealed | None) -> str:
    """Why nobody can be shown the buyer; empty when they can."""
    if sealed is None:
        return (
            f"nothing is known of the buyer of order {order_id}: the marketplace tells the "
            "address when the order is to be shipped"
        )
    if sealed.erased:
        because = "at a person's word" if sealed.erased == "asked" else "its time was over"
        return f"the buyer of order {order_id} was erased ({because}): look at the marketplace"
    return ""


def why_not_erase(entry: OrderEntry) -> str:
    """What the order still needs the address for, and what is to be done first; or empty."""
    if entry.state in NO_ADDRESS_NEEDED or standing(entry) in OVER:
        return ""
    named = f"order {entry.order_id} still needs its address"
    match entry.posting:
        case Posting.POSTED | Posting.FORGONE:
            return ""
        case Posting.OPEN | Posting.QUEUED:
            return f"{named}: it is on its way into the ERP; ask again when it is posted"
        case Posting.VANISHED:
            return (
                f"{named}: the ERP has lost its sales order; settle that first "
                f"(kcjl orders post-again {entry.order_id}, or enter it there by hand)"
            )
        case _:
            return (
                f"{named}: it is not in the ERP yet; refuse or cancel it first "
                f"({_ends_it(entry)}), or ask again when it is posted"
            )


def _ends_it(entry: OrderEntry) -> str:
    if entry.state == "WAITING_ACCEPTANCE":
        return f"kcjl orders refuse {entry.order_id} --reason WHY"
    return f"kcjl orders cancel {entry.order_id}"
