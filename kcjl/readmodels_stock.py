"""What people look at of stock: the list of SKUs, and all about one of them.

Promises: a list that is cut says how long it really is; what can be sold is the figure that
would be published, worked out by the same sum. It changes nothing. See `readmodels.py`.
Called by the monitor. Implemented by `kcjl/projections/stockview.py`.
"""

from datetime import datetime
from decimal import Decimal
from typing import Protocol

import msgspec

from kcjl.readmodels import Freshness
from kcjl.stock.events import GuardFinding
from kcjl.stock.explained import Explained, Step

__all__ = ["HeldNow", "ProductRow", "ProductStory", "ProductsCut", "StockReading"]

PRODUCTS_MAX = 1_000
"""Rows of one answer: more than anybody pages through; a word finds what is beyond."""


class ProductRow(msgspec.Struct, frozen=True, kw_only=True):
    """One SKU, its offers together."""

    key: str
    sku: str
    stock_code: str
    alias: str
    """The stock code that a person has named for it; empty: it is its own."""
    nearest: tuple[str, ...]
    """Stock codes that are near, where it has none."""
    state: str
    """confirmed, unmatched, unasked or refused."""
    offers: int
    can_be_sold: int
    shown: int | None
    """All its offers together; None: not known."""
    level: Decimal | None
    """None: none is known."""
    in_flight: int
    held_back: int
    """By the buffers, and while the feed is stale."""
    sent: int | None
    """On its way to the marketplace; None: nothing is."""
    acknowledged: int | None
    acknowledged_at: datetime | None
    """Of its offers, the one that was acknowledged longest ago."""
    level_read_at: datetime | None
    drifted: bool
    """It was found to show another figure than the one that was acknowledged."""
    stale: bool
    """The last figure was low because the feed was stale."""
    refused: tuple[str, ...]
    """Its offers whose last figure the marketplace has refused."""
    reason: str
    """Why nothing of it can be sold; empty: something can, or there is none."""
    waits_for: str
    """Why no figure goes out, or may not hold; empty: all is well."""


class HeldNow(msgspec.Struct, frozen=True, kw_only=True):
    """What a guard holds, and nobody has let through."""

    hold_id: str
    since: datetime
    findings: tuple[GuardFinding, ...]


class ProductsCut(msgspec.Struct, frozen=True, kw_only=True):
    """SKUs, what needs a person first; then by SKU."""

    rows: tuple[ProductRow, ...]
    total: int
    fresh: Freshness
    stopped: str
    """Why no figure goes out now, and what to do; empty while they go."""
    publishing: bool
    """False while people have switched the publishing of stock off."""
    held: HeldNow | None
    policy_version: int


class ProductStory(msgspec.Struct, frozen=True, kw_only=True):
    """Why so many of one SKU, and how it came about."""

    sum: Explained
    steps: tuple[Step, ...]
    """The events behind it, oldest first."""
    fresh: Freshness


class StockReading(Protocol):
    """What can be asked of stock."""

    async def products(self, *, find: str = "", limit: int = PRODUCTS_MAX) -> ProductsCut:
        """Those that `find` names are among them, however many there are: by a part of the
        SKU, or the whole stock code.
        """
        ...

    async def story(self, sku: str) -> ProductStory | None:
        """By SKU, in any spelling; None: no offer and no order ever named it."""
        ...
