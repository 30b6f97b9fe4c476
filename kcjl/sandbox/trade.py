"""A retailer's real trade as things that happen in a world, out of a CSV file.

Promises: every row of the window becomes part of exactly one happening, or is counted as mere
bookkeeping (`TradeTally`); nothing is cleaned: spellings, codes that are no product, zero
prices and repeated SKUs reach the world as they are. It invents no stock, courier or payout.
Invariant: the share of marketplace invoices is chosen by a hash of seed and InvoiceNo, so that
a larger share, or another window, keeps every invoice that was chosen before.
Called by the world; `generator.py` makes the same happenings without a file.
"""

import csv
import gzip
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import TextIO, TypeAlias

import msgspec

from kcjl.clock import LONDON
from kcjl.errors import Misuse
from kcjl.money import Money, half_up
from kcjl.sandbox.shoppers import Shopper, shopper

__all__ = [
    "CatalogueEntry",
    "Happening",
    "MarketplaceBasket",
    "ReturnElsewhere",
    "SaleElsewhere",
    "StockAdjustment",
    "Trade",
    "TradeLine",
    "TradeTally",
    "catalogue_of",
    "is_product_code",
    "read_trade",
]

COLUMNS = (
    "InvoiceNo", "StockCode", "Description", "Quantity",
    "InvoiceDate", "UnitPrice", "CustomerID", "Country",
)  # fmt: skip
"""The columns that a trade file must have, in any order."""

_PRODUCT_CODE = re.compile(r"\d{5}")


class TradeLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line as the retailer wrote it; `sku` in the spelling of the row."""

    sku: str
    description: str
    quantity: int
    unit_price: Money


class MarketplaceBasket(msgspec.Struct, frozen=True, kw_only=True):
    """A sale that comes in through the marketplace."""

    at: datetime
    invoice: str
    lines: tuple[TradeLine, ...]
    customer: Shopper


class SaleElsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """A sale through another channel: the ERP sells it without the marketplace."""

    at: datetime
    invoice: str
    lines: tuple[TradeLine, ...]


class ReturnElsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """Units that come back (an invoice with a leading C); quantities are positive here."""

    at: datetime
    invoice: str
    lines: tuple[TradeLine, ...]


class StockAdjustment(msgspec.Struct, frozen=True, kw_only=True):
    """A count, a loss, a find: the stock moves and nobody bought."""

    at: datetime
    invoice: str
    sku: str
    delta: int
    reason: str


Happening: TypeAlias = MarketplaceBasket | SaleElsewhere | ReturnElsewhere | StockAdjustment


class TradeTally(msgspec.Struct, kw_only=True):
    """Where each row went. `rows_in` is the sum of the five fates."""

    rows_outside: int = 0
    """Rows of other days than the window's."""
    rows_in: int = 0
    marketplace_rows: int = 0
    elsewhere_rows: int = 0
    return_rows: int = 0
    adjustment_rows: int = 0
    bookkeeping_rows: int = 0
    """Rows that move no goods: `A…` invoices, negative prices, quantity 0."""
    marketplace_invoices: int = 0
    elsewhere_invoices: int = 0
    return_invoices: int = 0
    no_product_rows: int = 0
    """Rows, of any fate, with a code that is no product."""
    zero_price_rows: int = 0
    prices_rounded: int = 0
    """Unit prices with fractions of a penny, rounded half up."""

    def accounted_for(self) -> int:
        return (
            self.marketplace_rows
            + self.elsewhere_rows
            + self.return_rows
            + self.adjustment_rows
            + self.bookkeeping_rows
        )


class CatalogueEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One stock code of the window, in all its spellings."""

    code: str
    """The spelling that is used most."""
    spellings: tuple[str, ...]
    """All of them, `code` first."""
    description: str
    price: Money
    """The median of its prices above zero; 1.00 where it has none."""
    demand: int
    """Units sold in the window, over all channels."""
    marketplace_demand: int
    is_product: bool


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """The happenings of a window in order of time, and what was counted on the way."""

    happenings: tuple[Happening, ...]
    tally: TradeTally
    starts_at: datetime
    ends_at: datetime

    def catalogue(self) -> tuple[CatalogueEntry, ...]:
        return catalogue_of(self.happenings)


class _Row(msgspec.Struct, frozen=True):
    invoice: str
    sku: str
    description: str
    quantity: int
    at: datetime
    price: Money
    has_customer: bool


def is_product_code(code: str) -> bool:
    """Whether a code is a product of this retailer: five digits, then perhaps letters.

    >>> is_product_code("85123A"), is_product_code("POST")
    (True, False)
    """
    return _PRODUCT_CODE.match(code) is not None


def read_trade(
    path: Path,
    *,
    first_day: date,
    days: int,
    share: float,
    seed: int,
    household: int | None = None,
    products_only: bool = False,
) -> Trade:
    """The trade of some days. `share` is the percentage of sale invoices for the marketplace.

    `household`: of those only that have no line of more units. `products_only`: rows whose code
    is no product are mere bookkeeping.

    Raises: Misuse for a file, column, number or window that can't be used.
    """
    if not 0 <= share <= 100:  # noqa: PLR2004 - percent
        raise Misuse(f"the marketplace share is a percentage from 0 to 100, not {share}")
    if days < 1:
        raise Misuse(f"the trade needs at least one day, not {days}")
    tally = TradeTally()
    invoices: dict[str, list[_Row]] = defaultdict(list)
    for row in _rows(path, first_day, first_day + timedelta(days=days), tally):
        if products_only and not is_product_code(row.sku):
            tally.bookkeeping_rows += 1
        else:
            invoices[row.invoice].append(row)
    if not invoices:
        last_day = first_day + timedelta(days=days - 1)
        raise Misuse(f"{path} has no trade from {first_day} to {last_day}")
    happenings: list[Happening] = []
    for invoice, rows in invoices.items():
        drawn = _drawn(invoice, share=share, seed=seed) and (
            household is None or all(row.quantity <= household for row in rows)
        )
        happenings.extend(_happenings(invoice, rows, tally, seed=seed, drawn=drawn))
    happenings.sort(key=lambda happening: (happening.at, happening.invoice))
    if tally.accounted_for() != tally.rows_in:
        raise AssertionError(f"trade rows without a fate: {tally}")
    return Trade(
        happenings=tuple(happenings),
        tally=tally,
        starts_at=min(row.at for rows in invoices.values() for row in rows),
        ends_at=max(row.at for rows in invoices.values() for row in rows),
    )


def catalogue_of(happenings: Iterable[Happening]) -> tuple[CatalogueEntry, ...]:
    """What the happenings trade in; codes that differ only in case are one entry."""
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    names: dict[str, Counter[str]] = defaultdict(Counter)
    prices: dict[str, list[Money]] = defaultdict(list)
    demand: Counter[str] = Counter()
    on_marketplace: Counter[str] = Counter()
    for happening in happenings:
        if isinstance(happening, StockAdjustment):
            spellings[happening.sku.upper()][happening.sku] += 1
            continue
        for line in happening.lines:
            key = line.sku.upper()
            spellings[key][line.sku] += 1
            names[key][line.description] += 1
            if line.unit_price.amount_minor > 0:
                prices[key].append(line.unit_price)
            if not isinstance(happening, ReturnElsewhere):
                demand[key] += line.quantity
            if isinstance(happening, MarketplaceBasket):
                on_marketplace[key] += line.quantity
    return tuple(
        CatalogueEntry(
            code=(ranked := [spelling for spelling, _ in _ranked(spellings[key])])[0],
            spellings=tuple(ranked),
            description=next((name for name, _ in _ranked(names[key]) if name), key),
            price=_median(prices[key]),
            demand=demand[key],
            marketplace_demand=on_marketplace[key],
            is_product=is_product_code(key),
        )
        for key in sorted(spellings)
    )


def _ranked(counted: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))


def _median(prices: Sequence[Money]) -> Money:
    ordered = sorted(prices)
    return ordered[len(ordered) // 2] if ordered else Money(100)


def _rows(path: Path, first: date, after: date, tally: TradeTally) -> Iterator[_Row]:
    """The rows of the window, checked; the days are London's."""
    from_text, to_text = first.isoformat(), after.isoformat()
    try:
        with _opened(path) as text:
            reader = csv.DictReader(text)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise Misuse(f"{path} has no column {', '.join(missing)}: it is no trade file")
            for number, fields in enumerate(reader, start=2):
                if not from_text <= (fields["InvoiceDate"] or "") < to_text:
                    tally.rows_outside += 1
                    continue
                tally.rows_in += 1
                yield _row(path, number, fields, tally)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as trouble:
        raise Misuse(f"the trade file {path} can't be read: {trouble}") from trouble


def _opened(path: Path) -> TextIO:
    if not path.is_file():
        raise Misuse(f"there is no trade file {path}")
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _row(path: Path, number: int, fields: Mapping[str, str | None], tally: TradeTally) -> _Row:
    values = {name: fields[name] or "" for name in COLUMNS}
    try:
        quantity = Decimal(values["Quantity"])
        pence = Decimal(values["UnitPrice"]) * 100
        at = _utc(values["InvoiceDate"])
        if quantity != int(quantity) or not values["InvoiceNo"] or not values["StockCode"]:
            raise ValueError(values["Quantity"])  # noqa: TRY301 - one message for all
    except (InvalidOperation, ValueError, OverflowError) as trouble:
        raise Misuse(f"{path} row {number} can't be understood: {values}") from trouble
    if pence != pence.to_integral_value():
        tally.prices_rounded += 1
    if not pence:
        tally.zero_price_rows += 1
    if not is_product_code(values["StockCode"]):
        tally.no_product_rows += 1
    return _Row(
        invoice=values["InvoiceNo"],
        sku=values["StockCode"],
        description=values["Description"],
        quantity=int(quantity),
        at=at,
        price=Money(half_up(pence)),
        has_customer=bool(values["CustomerID"]),
    )


@lru_cache(maxsize=4096)
def _utc(wall_time: str) -> datetime:
    return datetime.fromisoformat(wall_time).replace(tzinfo=LONDON).astimezone(UTC)


def _happenings(
    invoice: str, rows: Sequence[_Row], tally: TradeTally, *, seed: int, drawn: bool
) -> Iterator[Happening]:
    """The fate of one invoice's rows: each row goes to exactly one happening or tally.

    `drawn`: a sale is the marketplace's.
    """
    at = min(row.at for row in rows)
    if invoice.startswith("C"):
        back = tuple(_line(row, -row.quantity) for row in rows if row.quantity < 0)
        tally.return_rows += len(back)
        tally.bookkeeping_rows += len(rows) - len(back)
        if back:
            tally.return_invoices += 1
            yield ReturnElsewhere(at=at, invoice=invoice, lines=back)
        return
    moving = [row for row in rows if _moves_goods(row)]
    tally.bookkeeping_rows += len(rows) - len(moving)
    bought = [row for row in moving if row.quantity > 0]
    if not any(row.price.amount_minor > 0 or row.has_customer for row in bought):
        bought = []
    for row in moving:
        if row.quantity > 0 and bought:
            continue
        tally.adjustment_rows += 1
        yield StockAdjustment(
            at=row.at,
            invoice=invoice,
            sku=row.sku,
            delta=row.quantity,
            reason=row.description or "stock count",
        )
    if not bought:
        return
    lines = tuple(_line(row, row.quantity) for row in bought)
    if drawn:
        tally.marketplace_rows += len(lines)
        tally.marketplace_invoices += 1
        buyer = shopper(seed, invoice)
        yield MarketplaceBasket(at=at, invoice=invoice, lines=lines, customer=buyer)
    else:
        tally.elsewhere_rows += len(lines)
        tally.elsewhere_invoices += 1
        yield SaleElsewhere(at=at, invoice=invoice, lines=lines)


def _moves_goods(row: _Row) -> bool:
    return row.invoice[:1].isdigit() and row.quantity != 0 and row.price.amount_minor >= 0


def _line(row: _Row, quantity: int) -> TradeLine:
    return TradeLine(
        sku=row.sku, description=row.description, quantity=quantity, unit_price=row.price
    )


def _drawn(invoice: str, *, share: float, seed: int) -> bool:
    digest = hashlib.sha256(f"{seed}/{invoice}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share / 100 * 2**64
