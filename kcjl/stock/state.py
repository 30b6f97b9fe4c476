"""Stock, the fold: per product what the ERP has, what is in flight, what is shown.

Promises: pure; the same events give the same entries. It decides nothing.
Invariant: what is in flight is `in_flight.py`'s count; whatever may have moved an offer outside
puts what it shows in doubt.
When both sides were read stands in `reads.py`. SKUs and codes are interned: held once.
Called by `decide.py`, `room.py`, `projection.py`.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from kcjl import in_flight
from kcjl.fold import Fold
from kcjl.in_flight import IN_FLIGHT_EVENTS, LINE_ENDED, InFlight
from kcjl.orders.events import OrderChanged, OrderReceived
from kcjl.stock.events import (
    LevelRead,
    OfferListed,
    SkuAliasApproved,
    SkuAliasWithdrawn,
    SkuConfirmed,
    SkuUnmatched,
    StockImportEndedLate,
    StockImportFailed,
    StockImportFinished,
    StockImportGivenUp,
    StockImportIntended,
    StockImportUnknown,
    stock_key,
)
from kcjl.stock.selling import Moved, Selling, after_change
from kcjl.stock.shown import (
    OFFER_EVENTS,
    SHOWN_EVENTS,
    Shown,
    evolve_shown,
    listed_again,
    moved_outside,
)
from kcjl.vocabulary import Event, held_once

__all__ = [
    "PRODUCTS",
    "STATUS_DISCONTINUED",
    "Match",
    "Product",
    "Shown",
]

STATUS_DISCONTINUED = 4
"""Of a level (contract khaos b.2)."""
OFFER_MOVED = LINE_ENDED | {"WAITING_DEBIT", "WAITING_DEBIT_PAYMENT", "SHIPPING"}
"""States at whose beginning a marketplace may move the offer's quantity by itself: a refusal
empties it, a cancelation puts units back, an acceptance takes them off (tenant's switches)."""


class Match(StrEnum):
    """Whether the ERP knows the SKU."""

    UNASKED = "unasked"
    CONFIRMED = "confirmed"
    UNMATCHED = "unmatched"


class Product(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One product, and all spellings of its SKU."""

    key: str
    match: Match = Match.UNASKED
    stock_code: str = ""
    alias: str = ""
    """The stock code that a person has named for this SKU; empty: the SKU is its own."""
    nearest: tuple[str, ...] = ()
    unmatched_because: str = ""
    discontinued: bool = False
    run_to_zero: bool = False
    stock_controlled: bool = True
    sales_multiple: int | None = None
    display_cap: int | None = None
    levels: tuple[tuple[str, Decimal], ...] | None = None
    status: int | None = None
    confirmed_at: datetime | None = None
    """First said then: once a read has ended since, a level that is missing is none."""
    level_read_at: datetime | None = None
    level_read_by: datetime | None = None
    """When the read of the level began, and when it had ended."""
    selling: Selling | None = None
    """The falls of its level; another stock code's begin anew."""
    moved: Moved | None = None
    in_flight: tuple[InFlight, ...] = ()
    shown: tuple[Shown, ...] = ()
    """One for each offer."""
    asked_for: tuple[str, ...] = ()
    """Spellings seen in orders only."""

    @property
    def level(self) -> Decimal:
        return sum((level for _, level in self.levels or ()), Decimal(0))

    @property
    def units_in_flight(self) -> int:
        return sum(each.units for each in self.in_flight)

    @property
    def is_contradicted(self) -> bool:
        """The level that we read said discontinued, the product says it is not: an edit moves
        no stock, so nothing else would have the level read again.
        """
        return self.status == STATUS_DISCONTINUED and not self.discontinued

    @property
    def spelling(self) -> str:
        """A spelling by which the ERP can be asked."""
        return self.alias or self.stock_code or self.sku

    @property
    def sku(self) -> str:
        """A spelling of the SKU itself, as the marketplace has it."""
        if self.shown:
            return self.shown[0].sku
        return self.asked_for[0] if self.asked_for else self.key

    @property
    def said_of(self) -> str:
        """The SKU under which events say what the ERP says of this product."""
        return self.sku if self.alias else self.spelling

    @property
    def code_key(self) -> str:
        """The key under which products of one stock code meet; empty: it has none."""
        return stock_key(self.stock_code) if self.match == Match.CONFIRMED else ""


# ── products ────────────────────────────────────────────────────────────────────────────────


def _product_keys(event: Event) -> tuple[str, ...]:
    match event:
        case OfferListed() | SkuConfirmed() | SkuUnmatched() | LevelRead():
            return (stock_key(event.sku),)
        case SkuAliasApproved() | SkuAliasWithdrawn():
            return (stock_key(event.sku),)
        case (
            StockImportUnknown()
            | StockImportFailed()
            | StockImportFinished()
            | StockImportGivenUp()
            | StockImportEndedLate()
        ):
            skus = event.skus
        case StockImportIntended():
            skus = tuple(figure.sku for figure in event.figures)
        case _ if isinstance(event, OFFER_EVENTS):
            return (stock_key(event.sku),)
        case _:
            skus = in_flight.skus_of(event)
    return tuple(dict.fromkeys(stock_key(sku) for sku in skus))


def _evolve_product(entry: Product | None, event: Event, key: str) -> Product:
    product = entry or Product(key=key)
    match event:
        case OfferListed() | SkuConfirmed() | SkuUnmatched():
            return _evolve_known(product, event)
        case SkuAliasApproved():
            return msgspec.structs.replace(
                product, alias=event.stock_code, selling=None, moved=None
            )
        case SkuAliasWithdrawn():
            # Shut until the ERP has been asked for the SKU itself.
            return msgspec.structs.replace(
                product,
                alias="",
                match=Match.UNMATCHED,
                stock_code="",
                levels=None,
                selling=None,
                moved=None,
            )
        case _ if isinstance(event, IN_FLIGHT_EVENTS):
            flying = in_flight.after(product.in_flight, event, key)
            product = msgspec.structs.replace(product, in_flight=flying)
            return _evolve_level(product, event)
        case _:
            shown = tuple(evolve_shown(each, event) for each in product.shown)
            return msgspec.structs.replace(product, shown=shown)


def _evolve_known(product: Product, event: Event) -> Product:
    replace = msgspec.structs.replace
    match event:
        case OfferListed():
            known = any(each.sku == event.sku for each in product.shown)
            shown = (
                product.shown if known else (*product.shown, Shown(sku=held_once(event.sku)))
            )
            again = (
                listed_again(each, event) if each.sku == event.sku else each for each in shown
            )
            return replace(product, shown=tuple(again))
        case SkuConfirmed():
            known = product.match == Match.CONFIRMED
            same = known and stock_key(product.stock_code) == stock_key(event.stock_code)
            return replace(
                product,
                match=Match.CONFIRMED,
                confirmed_at=product.confirmed_at if same else event.occurred_at,
                stock_code=held_once(event.stock_code),
                nearest=(),
                unmatched_because="",
                discontinued=event.discontinued,
                run_to_zero=event.run_to_zero,
                stock_controlled=event.stock_controlled,
                sales_multiple=event.sales_multiple,
                display_cap=event.display_cap,
            )
        case SkuUnmatched():
            return replace(
                product,
                match=Match.UNMATCHED,
                stock_code="",
                nearest=event.nearest,
                unmatched_because=event.because,
                levels=None,
            )
        case _:
            return product


def _sold(product: Product, read: LevelRead) -> tuple[Selling | None, Moved | None]:
    """What the level's own fall, at the sites that were read before too, says of its sales."""
    before, now = dict(product.levels or ()), dict(read.levels)
    both = before.keys() & now.keys()
    change = sum((now[site] - before[site] for site in both), Decimal(0))
    return after_change(product.selling, product.moved, int(change), read.occurred_at)


def _evolve_level(product: Product, event: Event) -> Product:
    """What a level read, an order, or what became of it, says besides what is in flight."""
    replace = msgspec.structs.replace
    match event:
        case LevelRead():
            selling, moved = _sold(product, event)
            return replace(
                product,
                selling=selling,
                moved=moved,
                levels=event.levels,
                status=event.status,
                level_read_at=event.occurred_at,
                level_read_by=max(event.finished_at or event.occurred_at, event.occurred_at),
            )
        case OrderReceived():
            mine = (line.sku for line in event.lines if stock_key(line.sku) == product.key)
            asked_for = tuple(dict.fromkeys((*product.asked_for, *mine)))
            product = replace(product, asked_for=asked_for)
            # The marketplace lowers its own figure when an order is placed.
            is_moved = in_flight.is_sold(event)
        case OrderChanged():
            # The marketplace has set its own figure otherwise: say ours again.
            is_moved = any(
                line.state in OFFER_MOVED and stock_key(line.sku) == product.key
                for line in event.lines
            )
        case _:
            is_moved = False
    if not is_moved:
        return product
    return replace(product, shown=tuple(map(moved_outside, product.shown)))


PRODUCTS: Fold[Product] = Fold(
    _product_keys,
    _evolve_product,
    Product,
    hears=(
        OfferListed,
        SkuConfirmed,
        SkuUnmatched,
        SkuAliasApproved,
        SkuAliasWithdrawn,
        *IN_FLIGHT_EVENTS,
        *SHOWN_EVENTS,
    ),
)
