"""Price imports: PRI01 by file, delete and replace per offer; PRI02 and PRI03 tell of them.

Promises: the prices of an offer that is in the file become exactly those of the file; an offer
with one line that can't be used keeps the prices that it had, and all its lines are reported
(contract b.2). A file always makes a new import. It touches no quantity.
Invariant: an offer keeps a price that is for everybody.
Called by the marketplace's door; read by the face.
"""

from dataclasses import dataclass, field
from datetime import datetime

from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.marketplace.catalogue import Catalogue
from kcjl.sandbox.marketplace.errors import ApiError
from kcjl.sandbox.marketplace.files import read_file
from kcjl.sandbox.marketplace.moments import seconds
from kcjl.sandbox.marketplace.offer_lines import (
    LineRefused,
    Prices,
    WrittenDiscount,
    moment_of,
)
from kcjl.sandbox.marketplace.offer_records import ImportLineError, OfferPrice
from kcjl.sandbox.marketplace.tenant import Tenant

__all__ = ["PriceImport", "PriceImports"]

PRICES_MAX = 50
"""Of one offer."""
REQUIRED = {"offer-sku", "price"}
COLUMNS = (
    "offer-sku", "price", "discount-price", "discount-start-date", "discount-end-date",
    "price-ranges", "discount-ranges", "channels", "start-date", "end-date",
    "customer-organization-ids", "customer-group-ids", "price-type",
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class PriceImport:
    """PRI02: a price import, and what became of its lines and offers."""

    import_id: str
    created_at: datetime
    content: str
    status: str = "WAITING"
    reason: str | None = None
    lines_in_success: int = 0
    offers_updated: int = 0
    offers_in_error: int = 0
    columns: tuple[str, ...] = ()
    errors: list[ImportLineError] = field(default_factory=list)


class PriceImports:
    """All price imports, oldest first."""

    def __init__(self, agenda: Agenda, tenant: Tenant, catalogue: Catalogue) -> None:
        self._agenda = agenda
        self._tenant = tenant
        self._catalogue = catalogue
        self.imports: dict[str, PriceImport] = {}

    @property
    def _prices(self) -> Prices:
        settings = self._tenant.settings
        return Prices(
            settings.currency,
            decimals=settings.offer_price_decimals,
            discount_period_required=settings.discount_period_required,
        )

    def take(self, csv_text: str) -> str:
        """PRI01: returns the import's id."""
        taken = PriceImport(
            import_id=self._agenda.new_id(),
            created_at=seconds(self._agenda.now),
            content=csv_text,
        )
        self.imports[taken.import_id] = taken
        self._catalogue.in_turn(lambda: self._run(taken), lambda: self._complete(taken))
        return taken.import_id

    def find(self, import_id: str) -> PriceImport:
        found = self.imports.get(import_id)
        if found is None:
            raise ApiError.of(404, f"Import {import_id} not found")
        return found

    def _run(self, taken: PriceImport) -> None:
        taken.status = "RUNNING"

    def _complete(self, taken: PriceImport) -> None:
        content, taken.content = taken.content, ""
        share = self._tenant.settings.failing_import_share
        rows = read_file(content, REQUIRED, COLUMNS)
        if (share and self._agenda.chance.random() < share) or rows is None:
            taken.status, taken.reason = "FAILED", "The file could not be processed"
            return
        taken.columns = rows[0][1]
        blocks: list[tuple[str, list[tuple[int, tuple[str, ...]]]]] = []
        place = taken.columns.index("offer-sku")
        for number, cells in rows[1:]:
            sku = cells[place] if place < len(cells) else ""
            if not blocks or blocks[-1][0] != sku:
                blocks.append((sku, []))
            blocks[-1][1].append((number, cells))
        seen: set[str] = set()
        for sku, lines in blocks:
            self._replace(taken, sku, lines, comes_again=sku in seen)
            seen.add(sku)
        taken.status = "COMPLETE"

    def _replace(
        self,
        taken: PriceImport,
        sku: str,
        lines: list[tuple[int, tuple[str, ...]]],
        *,
        comes_again: bool,
    ) -> None:
        """Give an offer the prices of its lines, or report them all."""
        offer = self._catalogue.offers.get(sku)
        refused: dict[int, str] = {}
        whole = "A line of this offer is in error"
        prices: list[OfferPrice] = []
        if offer is None:
            whole = f"The offer with SKU '{sku[:60]}' does not exist"
        elif comes_again:
            whole = f"The lines of offer '{sku}' do not follow each other"
        elif len(lines) > PRICES_MAX:
            whole = f"An offer has at most {PRICES_MAX} prices"
        else:
            for number, cells in lines:
                try:
                    prices.append(self._price(dict(zip(taken.columns, cells, strict=False))))
                except LineRefused as trouble:
                    refused[number] = str(trouble)
            for_everybody = sum(price.is_for_everybody for price in prices)
            if not refused and for_everybody != 1:
                whole = "An offer needs one price that is for everybody"
            elif offer is not None and not refused:
                (price,) = (price for price in prices if price.is_for_everybody)
                offer.price, offer.discount = price.price, price.discount
                offer.ranges = price.ranges
                offer.further_prices = tuple(p for p in prices if not p.is_for_everybody)
                self._catalogue.touch(offer)
                taken.offers_updated += 1
                taken.lines_in_success += len(lines)
                return
        taken.offers_in_error += 1
        taken.errors += [
            ImportLineError(
                line_number=number, message=refused.get(number, whole), columns=cells
            )
            for number, cells in lines
        ]

    def _price(self, cells: dict[str, str]) -> OfferPrice:
        kind = cells.get("price-type") or "PRICE"
        if kind != "PRICE":
            raise LineRefused(f"The price type '{kind[:20]}' is not possible here")
        price = self._prices.money("price", cells.get("price", ""))
        lower = cells.get("discount-price")
        discount = self._prices.discount(
            WrittenDiscount(
                price=self._prices.money("discount price", lower).decimal() if lower else None,
                start_date=cells.get("discount-start-date") or None,
                end_date=cells.get("discount-end-date") or None,
                ranges=cells.get("discount-ranges") or None,
            ),
            price,
        )
        channel = cells.get("channels") or None
        if channel not in {None, self._tenant.settings.channel_code}:
            raise LineRefused(f"The channel '{channel}' does not exist")
        return OfferPrice(
            price=price,
            discount=discount,
            ranges=self._prices.ranges(cells.get("price-ranges")),
            channel_code=channel,
            starts_at=moment_of("start date", cells.get("start-date")),
            ends_at=moment_of("end date", cells.get("end-date")),
            organization_ids=_listed(cells.get("customer-organization-ids")),
            group_ids=_listed(cells.get("customer-group-ids")),
        )


def _listed(written: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (written or "").split(",") if part.strip())
