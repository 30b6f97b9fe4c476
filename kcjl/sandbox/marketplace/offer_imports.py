"""Offer imports: OF24 by JSON and OF01 by file, from being taken to being done (OF02, OF03).

Promises: the same request still in hand gives the same id (contract b.2, d.5); lines are
applied one by one when the import's turn has come, one that can't be used is reported and the
others count; REPLACE deletes what is not in the file. A failed import did nothing.
Invariant: an import that is COMPLETE or FAILED never changes again.
Called by the marketplace's door; read by the face.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from kcjl.money import Money
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.marketplace.catalogue import SKU_LENGTH_MAX, Catalogue, is_sku
from kcjl.sandbox.marketplace.errors import ApiError
from kcjl.sandbox.marketplace.files import read_file
from kcjl.sandbox.marketplace.moments import seconds
from kcjl.sandbox.marketplace.offer_lines import (
    LineRefused,
    Prices,
    WrittenDiscount,
    WrittenOffer,
    from_cells,
    moment_of,
    to_cells,
    whole_of,
)
from kcjl.sandbox.marketplace.offer_records import ImportLineError, Offer
from kcjl.sandbox.marketplace.tenant import Tenant

__all__ = ["OfferImport", "OfferImports"]

T = TypeVar("T")
Line: TypeAlias = tuple[int, dict[str, str], WrittenOffer | None]
"""Its number, its cells, and the offer where it came by JSON."""
MODES = frozenset({"NORMAL", "REPLACE", "PARTIAL_UPDATE"})
FIRST_IMPORT_ID = 20_439
GTIN_LENGTHS = frozenset({8, 12, 13, 14})
IN_HAND = frozenset({"WAITING", "RUNNING"})


@dataclass(slots=True, kw_only=True)
class OfferImport:
    """OF02: an offer import, and what became of its lines."""

    import_id: int
    created_at: datetime
    mode: str
    content: bytes
    """What was sent, to know the same request again; emptied when the import is over."""
    status: str = "WAITING"
    reason: str | None = None
    lines_read: int = 0
    lines_in_success: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    columns: tuple[str, ...] = ()
    errors: list[ImportLineError] = field(default_factory=list)


class OfferImports:
    """All offer imports, oldest first."""

    def __init__(self, agenda: Agenda, tenant: Tenant, catalogue: Catalogue) -> None:
        self._agenda = agenda
        self._tenant = tenant
        self._catalogue = catalogue
        self.imports: dict[int, OfferImport] = {}

    @property
    def _prices(self) -> Prices:
        settings = self._tenant.settings
        return Prices(
            settings.currency,
            decimals=settings.offer_price_decimals,
            discount_period_required=settings.discount_period_required,
        )

    def take_offers(self, offers: list[WrittenOffer]) -> int:
        """OF24: returns the import's id."""
        if not offers:
            raise ApiError.of(400, "offers: at least one offer is needed")
        lines: list[Line] = [
            (number, to_cells(offer), offer) for number, offer in enumerate(offers, 1)
        ]
        return self._take("NORMAL", msgspec.json.encode(offers), lines)

    def take_file(self, csv_text: str, mode: str) -> int:
        """OF01: returns the import's id."""
        if mode not in MODES:
            raise ApiError.of(400, f"import_mode: '{mode}' is not an allowed value")
        return self._take(mode, csv_text.encode(), None)

    def find(self, import_id: int) -> OfferImport:
        found = self.imports.get(import_id)
        if found is None:
            raise ApiError.of(404, f"Import {import_id} not found")
        return found

    def _take(
        self,
        mode: str,
        content: bytes,
        lines: list[Line] | None,
    ) -> int:
        for before in reversed(self.imports.values()):
            if before.status in IN_HAND and (before.mode, before.content) == (mode, content):
                return before.import_id
        taken = OfferImport(
            import_id=FIRST_IMPORT_ID + len(self.imports) + 1,
            created_at=seconds(self._agenda.now),
            mode=mode,
            content=content,
        )
        self.imports[taken.import_id] = taken
        self._catalogue.in_turn(lambda: _run(taken), lambda: self._complete(taken, lines))
        return taken.import_id

    def _complete(
        self,
        taken: OfferImport,
        lines: list[Line] | None,
    ) -> None:
        content, taken.content = taken.content.decode(), b""
        share = self._tenant.settings.failing_import_share
        if share and self._agenda.chance.random() < share:
            taken.status, taken.reason = "FAILED", "The import could not be processed"
            return
        if lines is None:
            rows = read_file(content, {"sku"})
            if rows is None:
                taken.status, taken.reason = "FAILED", "The file cannot be read"
                return
            taken.columns = rows[0][1]
            lines = [
                (number, dict(zip(taken.columns, row, strict=False)), None)
                for number, row in rows[1:]
            ]
        else:
            sent = {column: None for _, cells, _ in lines for column in cells if cells[column]}
            taken.columns = tuple(sent)
        seen: set[str] = set()
        for number, cells, offer in lines:
            taken.lines_read += 1
            seen.add(cells["sku"])
            self._apply_line(taken, number, cells, offer)
        if taken.mode == "REPLACE":
            for left_out in [o for sku, o in self._catalogue.offers.items() if sku not in seen]:
                self._catalogue.delete(left_out)
                taken.deleted += 1
        taken.status = "COMPLETE"

    def _apply_line(
        self,
        taken: OfferImport,
        number: int,
        cells: dict[str, str],
        written: WrittenOffer | None,
    ) -> None:
        try:
            self._apply(taken, written or from_cells(cells))
        except LineRefused as refused:
            columns = tuple(cells.get(column, "") for column in taken.columns)
            taken.errors.append(
                ImportLineError(line_number=number, message=str(refused), columns=columns)
            )
        else:
            taken.lines_in_success += 1

    # ── one offer ──────────────────────────────────────────────────────────────────────────

    def _apply(self, taken: OfferImport, written: WrittenOffer) -> None:
        sku = written.shop_sku or ""
        if not is_sku(sku):
            raise LineRefused(
                f"The SKU '{sku[:60]}' is not 1 to {SKU_LENGTH_MAX} characters without a slash"
            )
        action = (written.update_delete or "").strip().lower()
        if action not in {"", "update", "delete"}:
            raise LineRefused(f"'{action[:40]}' is not a value of update-delete")
        offer = self._catalogue.offers.get(sku)
        if action == "delete":
            if offer is None:
                raise LineRefused(f"The offer with SKU '{sku}' does not exist")
            self._catalogue.delete(offer)
            taken.deleted += 1
            return
        values = self._values(written, offer)
        product_sku = self._product(written, offer)
        if offer is None:
            title = f"Product {product_sku}"
            price = self._prices.money("price", _given("price", written.price))
            offer = self._catalogue.make(sku, price=price, title=title, product_sku=product_sku)
            taken.inserted += 1
        else:
            taken.updated += 1
        if isinstance(written.product_id, str) and isinstance(written.product_id_type, str):
            offer.product_reference = (written.product_id_type, written.product_id)
        for name, value in values.items():
            setattr(offer, name, value)
        if "quantity" in values:
            offer.warehouses.clear()
        self._catalogue.touch(offer)

    def _product(self, written: WrittenOffer, offer: Offer | None) -> str:
        """The operator's SKU of the product; an offer keeps the one that it has."""
        named, kind = written.product_id, written.product_id_type
        if not isinstance(named, str) or not isinstance(kind, str):
            if offer is None:
                raise LineRefused("The product id and its type are required for a new offer")
            return offer.product_sku
        products = self._catalogue.products
        product_sku = products.get((kind, named))
        if kind == "SHOP_SKU" and named in self._catalogue.offers:
            product_sku = self._catalogue.offers[named].product_sku
        if product_sku is None and self._is_product(kind, named):
            bare = offer is not None and offer.product_reference is None
            known = offer.product_sku if offer is not None and bare else None
            product_sku = products[kind, named] = known or f"MP-{named}"
        if product_sku is None:
            raise LineRefused(f"The product with {kind[:20]} '{named[:60]}' does not exist")
        if offer is not None and offer.product_sku != product_sku:
            raise LineRefused(
                f"The product '{named[:60]}' differs from the one of the existing offer"
            )
        return product_sku

    def _is_product(self, kind: str, named: str) -> bool:
        known = self._tenant.settings.known_product_ids
        if known is not None:
            return named in known
        is_number = named.isascii() and named.isdigit()
        return kind not in {"SKU", "SHOP_SKU"} and is_number and len(named) in GTIN_LENGTHS

    def _values(self, written: WrittenOffer, offer: Offer | None) -> dict[str, object]:
        """The offer's attributes that the line sets; what it keeps is not among them."""
        state = written.state_code
        if state is None or (state is UNSET and offer is None):
            raise LineRefused("The state is required")
        price = offer.price if offer is not None else None
        if not isinstance(written.price, UnsetType) or price is None:
            price = self._prices.money("price", _given("price", written.price))
        values: dict[str, object] = {"price": price}
        texts = (
            "description", "internal_description", "price_additional_info", "logistic_class",
            "product_tax_code",
        )  # fmt: skip
        for name in texts:
            _set(values, name, getattr(written, name))
        _set(values, "state_code", state)
        wholes = (
            "min_quantity_alert", "leadtime_to_ship", "min_order_quantity",
            "max_order_quantity", "package_quantity",
        )  # fmt: skip
        for name in wholes:
            number = getattr(written, name)
            _set(values, name, whole_of(name, number) if _is_given(number) else number)
        if written.quantity is not UNSET:
            values["quantity"] = whole_of("quantity", written.quantity or 0)
        for name, moment in (
            ("available_from", written.available_started),
            ("available_until", written.available_ended),
        ):
            _set(values, name, moment_of(name, moment) if isinstance(moment, str) else moment)
        if written.allow_quote_requests is not UNSET:
            values["allow_quote_requests"] = str(written.allow_quote_requests).lower() == "true"
        if not isinstance(written.msrp, UnsetType):
            msrp = written.msrp
            values["msrp"] = None if msrp is None else self._prices.money("msrp", msrp)
        values.update(self._further(written, price, offer))
        return values

    def _further(
        self, written: WrittenOffer, price: Money, offer: Offer | None
    ) -> dict[str, object]:
        """Discount, ranges, prices of channels, custom fields."""
        values: dict[str, object] = {}
        if isinstance(written.discount, WrittenDiscount):
            values["discount"] = self._prices.discount(written.discount, price)
        elif written.discount is None:
            values["discount"] = None
        elif offer is not None and offer.discount is not None and offer.discount.price >= price:
            raise LineRefused("The price is not above the discount price that the offer has")
        if not isinstance(written.price_ranges, UnsetType):
            values["ranges"] = self._prices.ranges(written.price_ranges)
        if not isinstance(written.all_prices, UnsetType):
            prices = [self._prices.of_channel(each) for each in written.all_prices or ()]
            whole = next((each for each in prices if each.is_for_everybody), None)
            values["further_prices"] = tuple(p for p in prices if not p.is_for_everybody)
            values["ranges"] = whole.ranges if whole else ()
            if whole is not None and whole.price != price:
                raise LineRefused("The price without a channel differs from the offer's price")
            if whole is not None and whole.discount is not None:
                values["discount"] = whole.discount
        custom = written.offer_additional_fields
        if not isinstance(custom, UnsetType):
            sent = {each.code: each.value for each in custom or ()}
            kept = dict(offer.additional_fields) if offer is not None else {}
            kept.update({code: value for code, value in sent.items() if value is not None})
            values["additional_fields"] = {
                code: value for code, value in kept.items() if sent.get(code, value) is not None
            }
        return values


def _run(taken: OfferImport) -> None:
    taken.status = "RUNNING"


def _is_given(value: object) -> bool:
    return value is not None and value is not UNSET


def _given(name: str, value: T | UnsetType | None) -> T:
    if value is None or isinstance(value, UnsetType):
        raise LineRefused(f"The {name} is required")
    return value


def _set(values: dict[str, object], name: str, value: object) -> None:
    if value is not UNSET:
        values[name] = value
