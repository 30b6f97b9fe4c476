"""SKUs and stock codes that are on one side only, from a read of both sides.

Promises: an offer is matched by its alias where it has one, else by its SKU, compared as the
ERP compares (without case); what can't be sold anyway (discontinued, not stock-controlled) is
no stock code without an offer. It reads both sides and writes nothing.
Invariant: "the ERP has no such code" is only said after it was asked for that code.
Called by `kcjl stock codes` and `kcjl check`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from kcjl.johnlewis.port import Offer
from kcjl.khaos.port import Product, StockPort
from kcjl.stock.codes import LONG_AGO
from kcjl.stock.events import stock_key
from kcjl.stock.nearest import CodeIndex, Near

__all__ = [
    "Catalogues",
    "OfferAlone",
    "Offers",
    "Sides",
    "StockCodeAlone",
    "compare_sides",
    "read_catalogues",
]

CODES_AT_ONCE = 1_000
"""Codes between two words about how far it is."""


class Offers(Protocol):
    """What is asked of the marketplace."""

    async def offers(self) -> Sequence[Offer]: ...


Said = Callable[[str, int, int], None]
"""(step, done, of): how far the reading is."""


class OfferAlone(msgspec.Struct, frozen=True, kw_only=True):
    """An offer whose SKU, or alias, is no stock code."""

    sku: str
    title: str
    offered: int
    alias: str
    nearest: tuple[Near, ...]


class StockCodeAlone(msgspec.Struct, frozen=True, kw_only=True):
    """A stock code that could be sold, and has no offer."""

    stock_code: str
    description: str


class Sides(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides, compared."""

    offers: int
    stock_codes: int
    offers_alone: tuple[OfferAlone, ...]
    codes_alone: tuple[StockCodeAlone, ...]


class Catalogues(msgspec.Struct, frozen=True, kw_only=True):
    """What both sides list."""

    offers: Sequence[Offer]
    products: Mapping[str, Product]
    """By stock key, those that offers mean and those that the ERP lists."""
    meant: Mapping[str, str]
    """The stock code that an offer's SKU means, by SKU."""

    @property
    def pairs(self) -> list[tuple[Offer, Product]]:
        """The offers that have a product, with it."""
        keys = [(offer, stock_key(self.meant[offer.sku])) for offer in self.offers]
        return [(offer, self.products[key]) for offer, key in keys if key in self.products]


async def read_catalogues(
    marketplace: Offers, erp: StockPort, aliases: Mapping[str, str], say: Said
) -> Catalogues:
    """Read both sides. `aliases`: stock code by stock key of the SKU."""
    say("reading the offers", 0, 1)
    offers = await marketplace.offers()
    say("reading the offers", 1, 1)
    say("reading the list of stock codes", 0, 1)
    listed = {stock_key(each.stock_code): each for each in await erp.edited_products(LONG_AGO)}
    say("reading the list of stock codes", 1, 1)
    meant = {offer.sku: aliases.get(stock_key(offer.sku), offer.sku) for offer in offers}
    wanted = {stock_key(code): code for code in meant.values()}
    wanted |= {key: ref.stock_code for key, ref in listed.items()}
    found = await _found(erp, list(wanted.values()), say)
    return Catalogues(offers=offers, products=found, meant=meant)


def compare_sides(both: Catalogues, aliases: Mapping[str, str]) -> Sides:
    """What is on one side only."""
    offers, found, meant = both.offers, both.products, both.meant
    covered = {stock_key(code) for code in meant.values()}
    index = CodeIndex(product.stock_code for product in found.values())
    return Sides(
        offers=len(offers),
        stock_codes=len(found),
        offers_alone=tuple(
            OfferAlone(
                sku=offer.sku,
                title=offer.product_title,
                offered=offer.quantity,
                alias=aliases.get(stock_key(offer.sku), ""),
                nearest=index.nearest(offer.sku),
            )
            for offer in sorted(offers, key=lambda each: each.sku)
            if stock_key(meant[offer.sku]) not in found
        ),
        codes_alone=tuple(
            StockCodeAlone(stock_code=product.stock_code, description=product.description)
            for key, product in sorted(found.items())
            if key not in covered and not product.discontinued and product.stock_controlled
        ),
    )


async def _found(erp: StockPort, codes: Sequence[str], say: Said) -> dict[str, Product]:
    """By stock key, what the ERP has under these codes."""
    found: dict[str, Product] = {}
    for start in range(0, len(codes), CODES_AT_ONCE):
        say("asking the ERP about codes", start, len(codes))
        told = await erp.products(codes[start : start + CODES_AT_ONCE])
        found.update((stock_key(product.stock_code), product) for product in told.values())
    say("asking the ERP about codes", len(codes), len(codes))
    return found
