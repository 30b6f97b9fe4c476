"""The Cloud feed's memory: an outbox that the ERP pulls, an inbox of what it has pushed.

Promises: all calls can be repeated without harm; a reference is queued once, whatever its case;
what was heard last holds, and shipments that a later push leaves out stay known. It holds no
document of an order (the vault does), names no buyer, and decides nothing: rooms make events of
it when they read it. Invariant: an order is confirmed only by a status that was heard.
Called by `cloud.py` and `cloud_server.py`; kept by PostgreSQL or a memory twin.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from kcjl.khaos.cloud_inbound import HeardLevel, HeardShipment, HeardStatus
from kcjl.khaos.record import Record
from kcjl.khaos.stock_port import Product

__all__ = [
    "CloudFeed",
    "DocumentKind",
    "Endpoint",
    "KnownLevel",
    "KnownProduct",
    "KnownStatus",
    "QueuedDocument",
    "feed_key",
    "merged",
]

SHIPMENTS_MAX = 1_000
"""Of one sales order; then the oldest are no longer kept."""


class DocumentKind(StrEnum):
    """What is queued for the ERP."""

    ORDER = "order"
    RETURN = "return"


class Endpoint(StrEnum):
    """Where the ERP calls us."""

    CONFIG = "EndpointConfig"
    ORDERS = "OrderDownload"
    RETURNS = "CReturnDownload"
    STATUSES = "OrderStatusUpload"
    LEVELS = "StockStatusUpload"
    STOCK = "StockUpload"
    PROVIDED_STOCK = "ProvidedStock"
    PRICE_LISTS = "PriceListUpload"


class QueuedDocument(Record, frozen=True, kw_only=True):
    """One line of the outbox."""

    reference: str
    sequence: int
    """Greater than that of all that was queued before."""
    queued_at: datetime
    fetched_at: datetime | None = None
    """When it was first handed out."""
    heard_at: datetime | None = None
    """When a status of it was first heard."""


class KnownStatus(Record, frozen=True, kw_only=True):
    """What was last heard of a sales order."""

    reference: str
    order_code: str
    status: str
    shipments: tuple[HeardShipment, ...]
    first_heard_at: datetime
    heard_at: datetime


class KnownLevel(Record, frozen=True, kw_only=True):
    level: HeardLevel
    heard_at: datetime


class KnownProduct(Record, frozen=True, kw_only=True):
    product: Product
    deleted: bool
    first_heard_at: datetime
    heard_at: datetime


def feed_key(said: str) -> str:
    """The key under which all spellings meet: the ERP compares without case."""
    return said.casefold()


def merged(
    known: KnownStatus | None, heard: HeardStatus, reference: str, at: datetime
) -> KnownStatus:
    """A later push on top of what is known: its shipments replace their namesakes."""
    shipments = {each.shipment_id: each for each in known.shipments} if known else {}
    shipments |= {each.shipment_id: each for each in heard.shipments}
    return KnownStatus(
        reference=known.reference if known else reference,
        order_code=heard.order_code,
        status=heard.status,
        shipments=tuple(shipments.values())[-SHIPMENTS_MAX:],
        first_heard_at=known.first_heard_at if known else at,
        heard_at=max(at, known.heard_at) if known else at,
    )


class CloudFeed(Protocol):
    """One merchant's outbox and inbox."""

    # ── outbox ──

    async def queue(self, kind: DocumentKind, reference: str, *, at: datetime) -> bool:
        """Put it at the end; False when the reference is there already: then it stays."""
        ...

    async def queued(self, kind: DocumentKind, reference: str) -> QueuedDocument | None: ...

    async def waiting(
        self, kind: DocumentKind, *, after: int, rows_max: int
    ) -> Sequence[QueuedDocument]:
        """What no status has been heard of: behind that sequence, or never handed out."""
        ...

    async def asked_for(
        self, kind: DocumentKind, references: Sequence[str]
    ) -> Sequence[QueuedDocument]:
        """These, whatever has become of them; what is not there is absent."""
        ...

    async def handed_out(
        self, kind: DocumentKind, references: Sequence[str], *, at: datetime
    ) -> None:
        """They are on their way; the first time counts."""
        ...

    # ── inbox ──

    async def hear_statuses(self, statuses: Sequence[HeardStatus], *, at: datetime) -> None:
        """All of them or none. The reference is the first that is in the outbox, or known."""
        ...

    async def statuses(self, references: Sequence[str]) -> Sequence[KnownStatus]: ...

    async def hear_levels(self, levels: Sequence[HeardLevel], *, at: datetime) -> None:
        """All of them or none; the last of one code and site holds."""
        ...

    async def levels(self, codes: Sequence[str]) -> Sequence[KnownLevel]:
        """Of these codes, on every site."""
        ...

    async def levels_since(self, since: datetime) -> Sequence[KnownLevel]: ...

    async def hear_products(
        self, products: Sequence[Product], deleted: Sequence[str], *, at: datetime
    ) -> None:
        """All of them or none. A code that a stock id had before is deleted; `deleted`: ids."""
        ...

    async def products(self, codes: Sequence[str]) -> Sequence[KnownProduct]: ...

    async def products_since(self, since: datetime) -> Sequence[KnownProduct]:
        """Edited, new, or deleted since."""
        ...

    # ── contact ──

    async def note_contact(self, endpoint: Endpoint, *, at: datetime) -> None: ...

    async def contacts(self) -> dict[Endpoint, datetime]:
        """When each endpoint was last called with success."""
        ...

    async def site_ids(self) -> Sequence[str]:
        """Of all levels that were heard."""
        ...

    async def expire(self, before: datetime, *, rows_max: int) -> int:
        """Forget confirmed orders, returns that were fetched, and statuses, last heard before
        then; at most so many of each. How many that was. What waits is never forgotten.
        """
        ...


def pick_reference(candidates: Sequence[str], known: set[str]) -> str:
    """Our reference among what the ERP said: one that we know, else the surest."""
    return next((each for each in candidates if feed_key(each) in known), candidates[0])


def last_of_each(levels: Sequence[HeardLevel]) -> dict[tuple[str, str], HeardLevel]:
    return {(feed_key(each.stock_code), each.site_id): each for each in levels}


decode_status = msgspec.json.Decoder(KnownStatus).decode
decode_level = msgspec.json.Decoder(HeardLevel).decode
decode_product = msgspec.json.Decoder(Product).decode
