"""Offers that were read back, the rules: what is new about them, and which have drifted, why.

Promises: pure; an offer that differs from what it has acknowledged is named with one cause;
orders that were read after the offers, and so explain a fall, are asked first. It judges no
offer that an import is on its way to, or that is in doubt anyway: ours is said again there.
Called by `listing.py` (the shell). Source: design 6; contract johnlewis b.2.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec

from kcjl.stock.events import (
    OfferActive,
    OfferDrifted,
    OfferGone,
    OfferInactive,
    OfferListed,
    OfferMended,
    stock_key,
)
from kcjl.stock.shown import Shown
from kcjl.stock.state import Product
from kcjl.vocabulary import Event

__all__ = [
    "CAUSES",
    "FOREIGN_WRITER",
    "LISTING_CHANGED",
    "Candidate",
    "OfferFound",
    "Shelf",
    "candidates",
    "decide_drift",
    "decide_gone",
    "decide_listing",
    "read_back_due_at",
]

ORDER_NOT_YET_SEEN = "order_not_yet_seen"
LOST_IMPORT = "lost_import"
HALF_APPLIED = "half_applied"
LISTING_CHANGED = "listing_changed"
FOREIGN_WRITER = "foreign_writer"
CAUSES = (ORDER_NOT_YET_SEEN, LOST_IMPORT, HALF_APPLIED, LISTING_CHANGED, FOREIGN_WRITER)

LONDON = ZoneInfo("Europe/London")
NO_STOCK = "ZERO_QUANTITY"
"""Why an offer that shows 0 is inactive: that is our own figure, and nothing to mend."""


class Shelf(Protocol):
    """The products, by stock key."""

    def get(self, key: str, /) -> Product | None: ...

    def values(self) -> Iterable[Product]: ...


class OfferFound(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An offer as it was read back. What was not told is None."""

    sku: str
    offer_id: int
    quantity: int | None
    title: str = ""
    category_code: str = ""
    active: bool = True
    reasons: tuple[str, ...] | None = None


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An offer that shows another figure than it acknowledged, before the orders are asked."""

    sku: str
    offer_id: int
    former_offer_id: int
    acknowledged: int
    acknowledged_at: datetime | None
    found: int
    units_in_flight: int
    """When the offers were read."""
    is_former: bool
    publish_id: str


def read_back_due_at(last: datetime, at: str) -> datetime:
    """The first time that London's clocks show `at` after `last`."""
    start = last.astimezone(LONDON)
    days = (start.date() + timedelta(days=number) for number in (0, 1, 2))
    moments = (datetime.combine(day, time.fromisoformat(at), LONDON) for day in days)
    return next(each for each in moments if each > start)


# ── the list ────────────────────────────────────────────────────────────────────────────────


def decide_listing(
    shown: Shown | None, found: OfferFound, *, now: datetime
) -> tuple[Event, ...]:
    """What is new about an offer that was found."""
    events: list[Event] = []
    inactive = shown.inactive if shown else ()
    moved = shown is not None and found.category_code not in ("", shown.category_code)
    if shown is None or shown.gone or moved or shown.offer_id != found.offer_id:
        events.append(
            OfferListed(
                sku=found.sku,
                offer_id=found.offer_id,
                title=found.title,
                quantity=found.quantity or 0,
                category_code=found.category_code,
                occurred_at=now,
            )
        )
    reasons = _reasons(found)
    if reasons is None or (reasons and inactive and found.reasons is None):
        return tuple(events)
    if reasons and reasons != inactive:
        events.append(OfferInactive(sku=found.sku, reasons=reasons, occurred_at=now))
    elif inactive and not reasons:
        events.append(OfferActive(sku=found.sku, occurred_at=now))
    return tuple(events)


def _reasons(found: OfferFound) -> tuple[str, ...] | None:
    """Why customers can't buy it, but for our own 0; None: it can't be told."""
    if found.active:
        return ()
    if found.reasons:
        return tuple(sorted(each for each in found.reasons if each != NO_STOCK))
    return ("not told",) if found.quantity else None


def decide_gone(
    products: Iterable[Product], there: set[str], *, now: datetime
) -> tuple[Event, ...]:
    """Offers that a read of the whole list did not bring."""
    return tuple(
        OfferGone(sku=shown.sku, occurred_at=now)
        for product in products
        for shown in product.shown
        if not shown.gone and shown.sku not in there
    )


# ── what drifted ────────────────────────────────────────────────────────────────────────────


def candidates(
    products: Shelf,
    found: Iterable[OfferFound],
    *,
    began: datetime,
    now: datetime,
) -> tuple[tuple[Candidate, ...], tuple[Event, ...]]:
    """Offers that differ, and those that had drifted and are in order again.

    `products` by stock key; an acknowledgement after `began` may be younger than the offer.
    """
    differing: list[Candidate] = []
    mended: list[Event] = []
    for offer in found:
        product = products.get(stock_key(offer.sku))
        shown = _of(product, offer.sku)
        if product is None or shown is None or offer.quantity is None:
            continue
        if not _is_settled(shown, began):
            continue
        if offer.quantity == shown.acknowledged:
            if shown.drifted:
                mended.append(
                    OfferMended(sku=offer.sku, quantity=offer.quantity, occurred_at=now)
                )
        else:
            differing.append(_candidate(product, shown, offer))
    return tuple(differing), tuple(mended)


def _of(product: Product | None, sku: str) -> Shown | None:
    shown = product.shown if product else ()
    return next((each for each in shown if each.sku == sku), None)


def _is_settled(shown: Shown, began: datetime) -> bool:
    """Acknowledged before the reading began, and nothing has touched it since."""
    return (
        shown.acknowledged_at is not None
        and shown.acknowledged_at < began
        and shown.sent is None
        and not shown.in_doubt
        and not shown.gone
    )


def _candidate(product: Product, shown: Shown, offer: OfferFound) -> Candidate:
    return Candidate(
        sku=offer.sku,
        offer_id=offer.offer_id,
        former_offer_id=shown.offer_id,
        acknowledged=shown.acknowledged or 0,
        acknowledged_at=shown.acknowledged_at,
        found=offer.quantity or 0,
        units_in_flight=product.units_in_flight,
        is_former=offer.quantity in shown.former,
        publish_id=shown.publish_id,
    )


def decide_drift(
    differing: Sequence[Candidate], products: Shelf, *, now: datetime
) -> tuple[Event, ...]:
    """Each with its cause, once orders were read that began after the offers had been read."""
    lost = Counter(each.publish_id for each in differing if each.is_former)
    kept = _kept({each.publish_id for each in differing}, differing, products)
    events: list[Event] = []
    for each in differing:
        product = products.get(stock_key(each.sku))
        shown = _of(product, each.sku)
        if product is None or shown is None or shown.acknowledged_at != each.acknowledged_at:
            continue  # a figure of ours was acknowledged meanwhile
        if each.offer_id != each.former_offer_id:
            cause = LISTING_CHANGED
        elif (
            0
            < product.units_in_flight - each.units_in_flight
            == (each.acknowledged - each.found)
        ):
            cause = ORDER_NOT_YET_SEEN
        elif each.is_former:
            whole = lost[each.publish_id] and not kept.get(each.publish_id)
            cause = LOST_IMPORT if whole else HALF_APPLIED
        else:
            cause = FOREIGN_WRITER
        events.append(
            OfferDrifted(
                sku=each.sku,
                acknowledged=each.acknowledged,
                found=each.found,
                cause=cause,
                occurred_at=now,
            )
        )
    return tuple(events)


def _kept(
    imports: set[str], differing: Sequence[Candidate], products: Shelf
) -> Mapping[str, int]:
    """Of these imports, how many offers do show what they acknowledged."""
    differ = {each.sku for each in differing}
    return Counter(
        shown.publish_id
        for product in products.values()
        for shown in product.shown
        if shown.publish_id in imports and shown.sku not in differ
    )
