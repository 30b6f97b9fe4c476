"""What can happen to stock: codes confirmed, levels read, figures published.

Stream: product-<stock key> for what concerns one product; publish-<publish id> for one stock
import; stock-reads and stock-policy for the rest. A stock key is the SKU in folded case: the
ERP compares codes without case (contract khaos b.1), so two spellings are one product.
"""

from datetime import datetime
from decimal import Decimal

import msgspec

from kcjl.vocabulary import Event

__all__ = [
    "BufferSet",
    "Figure",
    "ImportLineRefused",
    "LevelRead",
    "OfferListed",
    "SkuAliasApproved",
    "SkuAliasWithdrawn",
    "SkuConfirmed",
    "SkuUnmatched",
    "StockImportFailed",
    "StockImportFinished",
    "StockImportIntended",
    "StockImportSent",
    "StockImportUnknown",
    "StockRead",
    "stock_key",
]


def stock_key(sku: str) -> str:
    """The key under which all spellings of a code meet."""
    return sku.casefold()


class OfferListed(Event, frozen=True, kw_only=True):
    """The marketplace has an offer of ours under this SKU."""

    sku: str
    offer_id: int
    title: str
    quantity: int

    @property
    def stream(self) -> str:
        return f"product-{stock_key(self.sku)}"


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


class Figure(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One published quantity, and the terms of its sum."""

    sku: str
    quantity: int
    level: Decimal
    in_flight: int
    buffer: int
    level_read_at: datetime | None
    orders_read_at: datetime
    reason: str = ""
    """Why it is 0 where the sum is not the reason: unmatched, discontinued, no level."""


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


class StockImportFinished(PublishEvent, frozen=True, kw_only=True):
    """The import is through; the refused lines are named."""

    import_id: str
    skus: tuple[str, ...]
    refused: tuple[ImportLineRefused, ...]


class StockImportFailed(PublishEvent, frozen=True, kw_only=True):
    """The marketplace refused the import as a whole, or gave it up."""

    message: str
    skus: tuple[str, ...]
