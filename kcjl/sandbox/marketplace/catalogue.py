"""The shop's offers and their quantities: what is shown, sold and imported.

Promises: a sale lowers what is offered at once; a stock import is taken at once and applied
whole when its turn comes, in the order of arrival (contract b.2 STO01..STO03), overwriting what
sales did meanwhile. A line of an import that can't be used is reported, the others count.
It does not know orders. Invariant: no quantity is below 0.
Called by the order book and the marketplace's door.
"""

import csv
import io
from dataclasses import dataclass
from datetime import datetime, timedelta

from kcjl.errors import Misuse
from kcjl.money import Money
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.marketplace.errors import ApiError
from kcjl.sandbox.marketplace.moments import seconds
from kcjl.sandbox.marketplace.records import ImportLineError, Offer, StockImport
from kcjl.sandbox.marketplace.tenant import Tenant

__all__ = ["Catalogue"]

COLUMNS = ("offer-sku", "quantity", "warehouse-code", "update-delete")
REQUIRED = {"offer-sku", "quantity"}
QUANTITY_MAX = 1_000_000_000
SKU_LENGTH_MAX = 40
FIRST_OFFER_ID = 81_000
SHARE_WAITING = 0.3
"""Of an import's time, before it runs."""


@dataclass(frozen=True, slots=True)
class StockLine:
    """A line of a stock import that can be used."""

    offer: Offer
    quantity: int
    warehouse: str
    deletes: bool


class Catalogue:
    """Offers by SKU and by id, and the stock imports."""

    def __init__(self, agenda: Agenda, tenant: Tenant) -> None:
        self._agenda = agenda
        self._tenant = tenant
        self.offers: dict[str, Offer] = {}
        self.by_id: dict[int, Offer] = {}
        self.imports: dict[str, StockImport] = {}
        self._importer_free_at: datetime = agenda.now
        self._in_order: dict[str, list[Offer]] = {}

    def list_offer(self, sku: str, *, price: Money, title: str, category: str) -> int:
        if sku in self.offers:
            raise Misuse(f"SKU {sku!r} is already on offer")
        if not sku or len(sku) > SKU_LENGTH_MAX or "/" in sku:
            raise Misuse(f"{sku!r} is no SKU: 1 to {SKU_LENGTH_MAX} characters, no slash")
        number = len(self.offers) + 1
        offer = Offer(
            offer_id=FIRST_OFFER_ID + number,
            sku=sku,
            product_sku=f"MP{number:06d}",
            title=title,
            category_code=category,
            price=price,
        )
        self.offers[sku] = offer
        self.by_id[offer.offer_id] = offer
        self._in_order.clear()
        return offer.offer_id

    def in_order(self, by: str) -> list[Offer]:
        """All offers by `totalPrice`, `price` or `productTitle`, rising (OF21)."""
        if by not in self._in_order:
            self._in_order[by] = sorted(
                self.offers.values(),
                key=lambda offer: (
                    offer.title if by == "productTitle" else offer.price.amount_minor,
                    offer.offer_id,
                ),
            )
        return self._in_order[by]

    # ── stock imports ──────────────────────────────────────────────────────────────────────

    def import_stock(self, csv_text: str) -> str:
        """STO01: take a file; returns the import's id."""
        now = self._agenda.now
        taken = StockImport(
            import_id=self._agenda.new_id(), created_at=seconds(now), content=csv_text
        )
        self.imports[taken.import_id] = taken
        settings = self._tenant.settings
        duration_s = self._agenda.chance.uniform(settings.import_s_min, settings.import_s_max)
        starts_at = max(now, self._importer_free_at)
        done_at = starts_at + timedelta(seconds=duration_s)
        runs_at = starts_at + timedelta(seconds=duration_s * SHARE_WAITING)
        self._importer_free_at = done_at
        self._agenda.at(runs_at, lambda: self._run(taken))
        self._agenda.at(done_at, lambda: self._complete(taken))
        return taken.import_id

    def stock_import(self, import_id: str) -> StockImport:
        found = self.imports.get(import_id)
        if found is None:
            raise ApiError.of(404, f"Import {import_id} not found")
        return found

    def _run(self, taken: StockImport) -> None:
        taken.status = "RUNNING"

    def _complete(self, taken: StockImport) -> None:
        rows = _rows(taken.content)
        taken.content = ""
        if rows is None:
            taken.status = "FAILED"
            return
        taken.columns = rows[0][1]
        seen: dict[str, None] = {}
        for line_number, cells in rows[1:]:
            line = self._read(dict(zip(taken.columns, cells, strict=False)), seen)
            if isinstance(line, str):
                refused = ImportLineError(line_number=line_number, message=line, columns=cells)
                taken.errors.append(refused)
            else:
                _apply(line)
                taken.lines_in_success += 1
        taken.status = "COMPLETE"

    def _read(self, cells: dict[str, str], seen: dict[str, None]) -> StockLine | str:
        """A line as it can be applied, or what is wrong with it."""
        sku = cells.get("offer-sku", "")
        offer = self.offers.get(sku)
        if offer is None:
            return f"The offer with SKU '{sku}' does not exist"
        if sku in seen and next(reversed(seen)) != sku:
            return f"The lines of offer '{sku}' do not follow each other"
        seen[sku] = None
        action = cells.get("update-delete", "").lower()
        if action not in {"", "update", "delete"}:
            return f"'{action}' is not a value of update-delete"
        quantity = cells.get("quantity", "")
        if action != "delete" or quantity:
            if not (quantity.isascii() and quantity.isdigit()):
                return f"The quantity '{quantity}' is not a whole number"
            if int(quantity) > QUANTITY_MAX:
                return f"The quantity '{quantity}' is above {QUANTITY_MAX}"
        return StockLine(
            offer=offer,
            quantity=int(quantity or 0),
            warehouse=cells.get("warehouse-code", ""),
            deletes=action == "delete",
        )


def _rows(content: str) -> list[tuple[int, tuple[str, ...]]] | None:
    """(line number, cells) of a file, its header first; None where it can't be read."""
    reader = csv.reader(io.StringIO(content.removeprefix("\ufeff")), delimiter=";", strict=True)
    try:
        rows = [
            (reader.line_num, tuple(cell.strip() for cell in cells))
            for cells in reader
            if cells
        ]
    except csv.Error:
        return None
    if not rows or not set(rows[0][1]) >= REQUIRED or not set(rows[0][1]) <= set(COLUMNS):
        return None
    return rows


def _apply(line: StockLine) -> None:
    offer = line.offer
    if not line.warehouse:
        offer.warehouses.clear()
        offer.quantity = 0 if line.deletes else line.quantity
        return
    if line.deletes:
        offer.warehouses.pop(line.warehouse, None)
    else:
        offer.warehouses[line.warehouse] = line.quantity
    offer.quantity = sum(offer.warehouses.values())
