"""Offers, the shell: listed at the start and each night, and what changed each hour.

Promises: the whole list (OF21: a call for each hundred offers) is read at the start, at night,
and when a change is of an offer that we do not know; else one file of changes (OF51). What was
read back is judged once orders were read after it. It holds no rule.
Called by `actor.py`. Source: design 6; contract johnlewis b.2, d.1.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from kcjl.johnlewis.parts import OfferChange
from kcjl.johnlewis.port import MarketplacePort, Offer
from kcjl.settings import StockSettings
from kcjl.stock.drift import (
    Candidate,
    OfferFound,
    candidates,
    decide_drift,
    decide_gone,
    decide_listing,
    read_back_due_at,
)
from kcjl.stock.events import OffersRead, stock_key
from kcjl.stock.room import StockRoom
from kcjl.stock.shown import Shown
from kcjl.vocabulary import Event

__all__ = ["OFFERS_EVERY", "OfferReader"]

OFFERS_EVERY = timedelta(hours=1)
OFFERS_TOGETHER = 1_000
"""What is new of so many is in the log before the next: a catalogue's events are never held."""
OVERLAP = timedelta(minutes=10)
"""A read of changes reaches back so far: their clock is not ours."""


class OfferReader:
    """What the stock room reads of its offers."""

    def __init__(
        self, room: StockRoom, marketplace: MarketplacePort, settings: StockSettings
    ) -> None:
        self._room = room
        self._marketplace = marketplace
        self._read_back_at = settings.read_back_at
        self._has_listed = False
        self._differing: tuple[Candidate, ...] = ()
        self._differing_at: datetime | None = None

    async def read(self) -> float:
        """The whole list or what changed; seconds until it is due again."""
        publishing, now = self._room.publishing, self._room.clock.now()
        listed_at = publishing.offers_listed_at
        whole = not self._has_listed or listed_at is None
        if not whole and listed_at is not None:
            whole = now >= read_back_due_at(listed_at, self._read_back_at)
        changes = None if whole else await self._changed(publishing.offers_read_at or now)
        await (self._list() if changes is None else self._take(changes, began=now))
        due = read_back_due_at(now, self._read_back_at)
        return min(OFFERS_EVERY.total_seconds(), (due - now).total_seconds())

    async def _list(self) -> None:
        began = self._room.clock.now()
        found = _found_in(await self._marketplace.offers())
        gone = decide_gone(self._room.products.values(), set(found), now=began)
        await self._take(list(found.values()), began=began, gone=gone, whole=True)
        self._has_listed = True

    async def _changed(self, since: datetime) -> Sequence[OfferFound] | None:
        """What changed since then; None when that is not enough to go by."""
        changes = await self._marketplace.offer_changes(since - OVERLAP)
        last: dict[int, OfferChange] = {each.offer_id: each for each in changes}
        by_id = {} if all(each.sku for each in changes) else self._skus_by_offer()
        found: list[OfferFound] = []
        for change in last.values():
            sku = change.sku or by_id.get(change.offer_id)
            if sku is None and change.deleted:
                continue  # it came and went without us
            if sku is None or (change.deleted and not self._is_gone(sku)):
                return None
            if not change.deleted:
                found.append(
                    OfferFound(
                        sku=sku,
                        offer_id=change.offer_id,
                        quantity=change.quantity,
                        active=change.active,
                    )
                )
        return found

    def _skus_by_offer(self) -> dict[int, str]:
        return {
            shown.offer_id: shown.sku
            for product in self._room.products.values()
            for shown in product.shown
        }

    def _is_gone(self, sku: str) -> bool:
        shown = self._shown(sku)
        return shown is not None and shown.gone

    async def _take(
        self,
        found: Sequence[OfferFound],
        *,
        began: datetime,
        gone: Sequence[Event] = (),
        whole: bool = False,
    ) -> None:
        now = self._room.clock.now()
        self._differing, mended = candidates(self._room.products, found, began=began, now=now)
        self._differing_at = now
        # An offer that is listed anew is in doubt anyway; the whole list says it last.
        await self._room.commit(gone)
        for start in range(0, len(found), OFFERS_TOGETHER):
            said: list[Event] = []
            for offer in found[start : start + OFFERS_TOGETHER]:
                said.extend(decide_listing(self._shown(offer.sku), offer, now=now))
            await self._room.commit(said)
        await self._room.commit(mended)
        await self._room.commit(
            (OffersRead(finished_at=now, offers=len(found), whole=whole, occurred_at=began),)
        )

    def _shown(self, sku: str) -> Shown | None:
        product = self._room.products.get(stock_key(sku))
        return next((e for e in product.shown if e.sku == sku), None) if product else None

    async def judge(self) -> None:
        """What has drifted, once orders were read that began after the offers had been."""
        reads = self._room.last_reads
        orders_at = reads.orders_began_at if reads else None
        if not self._differing or self._differing_at is None or orders_at is None:
            return
        if orders_at < self._differing_at:
            return
        now = self._room.clock.now()
        await self._room.commit(decide_drift(self._differing, self._room.products, now=now))
        self._differing = ()


def _found_in(offers: Sequence[Offer]) -> dict[str, OfferFound]:
    """By SKU, what we need of each."""
    return {
        offer.sku: OfferFound(
            sku=offer.sku,
            offer_id=offer.offer_id,
            quantity=offer.quantity,
            title=offer.product_title,
            category_code=offer.category_code,
            active=offer.active,
            reasons=offer.inactivity_reasons,
        )
        for offer in offers
    }
