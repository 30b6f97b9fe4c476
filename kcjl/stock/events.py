"""What can happen to stock: codes confirmed, levels read, figures published.

Stream: product-<stock key> for what concerns one product; publish-<publish id> for one stock
import; stock-reads, offer-reads, stock-feed, stock-publishing, stock-guard and stock-policy for
the rest. A stock key is the SKU in folded case: the
ERP compares codes without case (contract khaos b.1), so two spellings are one product.
Over 400 lines, because a room's vocabulary is read together.
"""

from datetime import datetime
from decimal import Decimal

import msgspec

from kcjl.vocabulary import Event, held_once

__all__ = [
    "BufferSet",
    "Figure",
    "GuardFinding",
    "HeldBack",
    "HeldFigure",
    "ImportLineRefused",
    "LevelRead",
    "LevelsWatched",
    "OfferActive",
    "OfferDrifted",
    "OfferGone",
    "OfferInactive",
    "OfferListed",
    "OfferMended",
    "OfferRetried",
    "OffersRead",
    "PublishHeld",
    "PublishHoldEnded",
    "PublishReleased",
    "SkuAliasApproved",
    "SkuAliasWithdrawn",
    "SkuConfirmed",
    "SkuUnmatched",
    "StockFeedFresh",
    "StockFeedStale",
    "StockImportEndedLate",
    "StockImportFailed",
    "StockImportFinished",
    "StockImportGivenUp",
    "StockImportIntended",
    "StockImportSent",
    "StockImportUnknown",
    "StockPublishingSwitched",
    "StockRead",
    "StockWatchLapsed",
    "StockWatchResumed",
    "stock_key",
]


def stock_key(sku: str) -> str:
    """The key under which all spellings of a code meet."""
    return held_once(sku.casefold())


class OfferListed(Event, frozen=True, kw_only=True):
    """The marketplace has an offer of ours under this SKU."""

    sku: str
    offer_id: int
    title: str
    quantity: int
    """As it was found there."""
    category_code: str = ""
    """The marketplace's; a policy's rules may name it."""

    @property
    def stream(self) -> str:
        return f"product-{stock_key(self.sku)}"


class OfferEvent(Event, frozen=True, kw_only=True):
    """Base of what becomes of one offer."""

    sku: str

    @property
    def stream(self) -> str:
        return f"product-{stock_key(self.sku)}"


class OfferInactive(OfferEvent, frozen=True, kw_only=True):
    """Customers can't buy it, for other reasons than that its quantity is 0."""

    reasons: tuple[str, ...]


class OfferActive(OfferEvent, frozen=True, kw_only=True):
    """Customers can buy an offer again that was inactive."""


class OfferGone(OfferEvent, frozen=True, kw_only=True):
    """The marketplace has no offer under this SKU any more: no figure is sent for it."""


class OfferDrifted(OfferEvent, frozen=True, kw_only=True):
    """The offer was read back and shows another figure than it acknowledged: ours is said
    again. `cause` is one of `drift.CAUSES`.
    """

    acknowledged: int
    found: int
    cause: str


class OfferMended(OfferEvent, frozen=True, kw_only=True):
    """An offer that had drifted was read back again, and shows our figure."""

    quantity: int


class OfferRetried(OfferEvent, frozen=True, kw_only=True):
    """A person wants the figure of a refused offer to be sent again."""


class OffersRead(Event, frozen=True, kw_only=True):
    """A read of offers ended: of all, or of those that changed. Occurred when it began."""

    finished_at: datetime
    offers: int
    whole: bool
    """The whole list (OF21), as each night; else what had changed (OF51)."""

    @property
    def stream(self) -> str:
        return "offer-reads"


class SkuConfirmed(Event, frozen=True, kw_only=True):
    """The ERP knows this SKU as a stock code: it may be sold."""

    sku: str
    stock_code: str
    discontinued: bool
    run_to_zero: bool
    stock_controlled: bool
    sales_multiple: int | None
    display_cap: int | None

    @property
    def stream(self) -> str:
        return f"product-{stock_key(self.sku)}"


class SkuUnmatched(Event, frozen=True, kw_only=True):
    """The ERP does not know this SKU: it is offered at 0 until somebody mends it."""

    sku: str
    nearest: tuple[str, ...]
    because: str = ""
    """Where it was known before: what became of its stock code."""

    @property
    def stream(self) -> str:
        return f"product-{stock_key(self.sku)}"


class SkuAliasApproved(Event, frozen=True, kw_only=True):
    """Policy: a person said that this SKU stands for that stock code of the ERP."""

    sku: str
    stock_code: str

    @property
    def stream(self) -> str:
        return f"product-{stock_key(self.sku)}"


class SkuAliasWithdrawn(Event, frozen=True, kw_only=True):
    """Policy: the SKU stands for no other stock code any more; its gate is shut at once."""

    sku: str
    stock_code: str

    @property
    def stream(self) -> str:
        return f"product-{stock_key(self.sku)}"


class LevelRead(Event, frozen=True, kw_only=True):
    """What the ERP has free to sell, by site. Occurred when the read began, or (where the ERP
    tells us of its own accord) when the oldest of the levels was heard.
    """

    sku: str
    levels: tuple[tuple[str, Decimal], ...]
    status: int | None
    finished_at: datetime | None = None
    """The ERP had answered by then: orders must have been read after it (law 4)."""

    @property
    def stream(self) -> str:
        return f"product-{stock_key(self.sku)}"


class StockRead(Event, frozen=True, kw_only=True):
    """A read of moved products ended. Occurred when it began."""

    finished_at: datetime
    cursor: datetime
    products: int
    swept: bool = False
    """With this read every code was asked for and every level read, not only what was edited
    or moved.
    """
    swept_to: str = ""
    """The stock key up to which the sweep under way has come; empty: none is."""

    @property
    def stream(self) -> str:
        return "stock-reads"


class LevelsWatched(Event, frozen=True, kw_only=True):
    """Levels of what had moved were read between two polls, and some had changed.

    Occurred when the read began.
    """

    codes: int
    """Stock codes that were asked for."""
    changed: int
    finished_at: datetime

    @property
    def stream(self) -> str:
        return "stock-reads"


class StockWatchLapsed(Event, frozen=True, kw_only=True):
    """More had moved than one look of the watch may ask for: the next poll reads it, and the
    speed buffers are those of the poll. Occurred when the look began.
    """

    codes: int
    """Stock codes that had moved."""
    codes_max: int

    @property
    def stream(self) -> str:
        return "stock-reads"


class StockWatchResumed(Event, frozen=True, kw_only=True):
    """The watch has come through again. Occurred when that look began."""

    @property
    def stream(self) -> str:
        return "stock-reads"


class BufferSet(Event, frozen=True, kw_only=True):
    """Policy: units held back from every product."""

    units: int
    version: int

    @property
    def stream(self) -> str:
        return "stock-policy"


class HeldBack(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What buffers hold back of one stock code, term by term."""

    fixed: int = 0
    percent: int = 0
    speed: int = 0
    stale: int = 0
    """Because the stock feed is stale: what widens the speed buffer, or all of a fast mover."""


class Figure(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One published quantity, and the terms of its sum. Offers of one stock code share the sum:
    their quantities together are what it comes to.
    """

    sku: str
    quantity: int
    level: Decimal
    in_flight: int
    buffer: int
    level_read_at: datetime | None
    orders_read_at: datetime
    reason: str = ""
    """Why it is 0 where the sum is not the reason: unmatched, discontinued, no level."""
    before: int | None = None
    """What the marketplace had acknowledged, or what was found there before the first."""
    first: bool = False
    """Nothing of ours was acknowledged before."""
    stale: bool = False
    """It moves because the feed is stale, is fresh again, or was not read for long: `moved`
    does not count it."""
    code: str = ""
    """The stock code whose figure it is a share of."""
    held: HeldBack = HeldBack()
    """The parts of `buffer`."""


class PublishEvent(Event, frozen=True, kw_only=True):
    """Base of the events of one stock import."""

    publish_id: str

    @property
    def stream(self) -> str:
        return f"publish-{self.publish_id}"


class StockImportIntended(PublishEvent, frozen=True, kw_only=True):
    """We are about to send these figures as one stock import (STO01)."""

    figures: tuple[Figure, ...]
    policy_version: int
    stock_read_at: datetime | None = None
    """When the read of stock began on which the figures rest."""
    lag_s: int = 0
    """What the speed buffer covers."""
    staleness: str = ""
    """Of the stock feed: soft, hard, or empty."""


class StockImportSent(PublishEvent, frozen=True, kw_only=True):
    import_id: str
    skus: tuple[str, ...]


class StockImportUnknown(PublishEvent, frozen=True, kw_only=True):
    """The answer was lost. Figures are absolute, so fresh ones are computed and sent again."""

    message: str
    skus: tuple[str, ...]


class ImportLineRefused(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    sku: str
    message: str
    retry_at: datetime | None = None
    """When it is sent again; None: parked until it is listed again or a person retries it."""


class StockImportFinished(PublishEvent, frozen=True, kw_only=True):
    """The import is through; the refused lines are named."""

    import_id: str
    skus: tuple[str, ...]
    refused: tuple[ImportLineRefused, ...]


class StockImportFailed(PublishEvent, frozen=True, kw_only=True):
    """The marketplace refused the import as a whole, or gave it up."""

    message: str
    skus: tuple[str, ...]


class StockImportGivenUp(PublishEvent, frozen=True, kw_only=True):
    """The import does not come to its end: it is not waited for, fresh figures are sent."""

    import_id: str
    message: str
    skus: tuple[str, ...]


class StockImportEndedLate(PublishEvent, frozen=True, kw_only=True):
    """An import that was given up is over: what it has overwritten is said again."""

    import_id: str
    message: str
    skus: tuple[str, ...]
    """Those that it may have overwritten."""


class HeldFigure(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One of the figures that a guard has counted."""

    sku: str
    before: int
    after: int


class GuardFinding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one guard has found: so many of so many offered SKUs."""

    guard: str
    """to_zero or moved."""
    skus: int
    offered: int
    examples: tuple[HeldFigure, ...]


class HoldEvent(Event, frozen=True, kw_only=True):
    """Base of the events of one hold."""

    hold_id: str

    @property
    def stream(self) -> str:
        return "stock-guard"


class PublishHeld(HoldEvent, frozen=True, kw_only=True):
    """The figures look mistaken: nothing is published until a person says so."""

    findings: tuple[GuardFinding, ...]


class PublishReleased(HoldEvent, frozen=True, kw_only=True):
    """A person lets through what was held, and no more than that."""


class PublishHoldEnded(HoldEvent, frozen=True, kw_only=True):
    """The hold is over: the figures are sane again, or what was released has gone out."""

    reason: str


class StockPublishingSwitched(Event, frozen=True, kw_only=True):
    """Somebody has stopped, or allowed again, the publishing of stock and nothing else."""

    on: bool
    reason: str

    @property
    def stream(self) -> str:
        return "stock-publishing"


class FeedEvent(Event, frozen=True, kw_only=True):
    """Base of the events of the ERP's stock feed."""

    read_at: datetime
    """When the last read of stock that came to its end began."""

    @property
    def stream(self) -> str:
        return "stock-feed"


class StockFeedStale(FeedEvent, frozen=True, kw_only=True):
    """No stock was read for so long. soft: buffers widen; hard: fast movers go to 0."""

    grade: str


class StockFeedFresh(FeedEvent, frozen=True, kw_only=True):
    """Stock is read again."""
