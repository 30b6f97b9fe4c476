"""The shop's offers and their quantities: what is shown, sold and imported.

Promises: a sale lowers what is offered at once; a stock import is taken at once and applied
whole when its turn comes, in the order of arrival (contract b.2 STO01..STO03), overwriting what
sales did meanwhile. A line of an import that can't be used is reported, the others count.
Imports of every kind wait in one line (`in_turn`); deleted offers are remembered.
It does not know orders. Invariant: no quantity is below 0.
Called by the order book and the marketplace's door.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from kcjl.errors import Misuse
from kcjl.money import Money
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.marketplace.errors import ApiError
from kcjl.sandbox.marketplace.files import read_file
from kcjl.sandbox.marketplace.moments import seconds
from kcjl.sandbox.marketplace.offer_records import ImportLineError, Offer, StockImport
from kcjl.sandbox.marketplace.tenant import Tenant

__all__ = ["SKU_LENGTH_MAX", "Catalogue", "is_sku"]

COLUMNS = ("offer-sku", "quantity", "warehouse-code", "update-delete")
REQUIRED = {"offer-sku", "quantity"}
QUANTITY_MAX = 1_000_000_000
SKU_LENGTH_MAX = 40
FIRST_OFFER_ID = 81_000
LONGEST_IMPORT_S = 7 * 86_400.0
SLOW_IMPORTS_MAX = 1000
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
    """Offers by SKU and by id, the stock imports, and the line in which imports wait."""

    def __init__(self, agenda: Agenda, tenant: Tenant) -> None:
        self._agenda = agenda
        self._tenant = tenant
        self.offers: dict[str, Offer] = {}
        self.by_id: dict[int, Offer] = {}
        self.imports: dict[str, StockImport] = {}
        self.deleted: dict[str, Offer] = {}
        """By SKU; an offer that is made again keeps its number."""
        self.products: dict[tuple[str, str], str] = {}
        """(type, id) of a product to the operator's own SKU of it."""
        self.on_quantity: list[Callable[[Offer], None]] = []
        """Called when a sale, a refusal or a stock import has changed what is offered."""
        self._importer_free_at: datetime = agenda.now
        self._longer_imports: list[float] = []
        self._offers_made = 0
        self._in_order: dict[str, list[Offer]] = {}

    def list_offer(self, sku: str, *, price: Money, title: str, category: str) -> int:
        if sku in self.offers:
            raise Misuse(f"SKU {sku!r} is already on offer")
        if not is_sku(sku):
            raise Misuse(f"{sku!r} is no SKU: 1 to {SKU_LENGTH_MAX} characters, no slash")
        product_sku = f"MP{self._offers_made + 1:06d}"
        self.products["SKU", product_sku] = product_sku
        offer = self.make(sku, price=price, title=title, product_sku=product_sku)
        offer.category_code = category
        return offer.offer_id

    def make(self, sku: str, *, price: Money, title: str, product_sku: str) -> Offer:
        """A new offer of a product; one that was deleted comes back under its number."""
        before = self.deleted.pop(sku, None)
        if before is None:
            self._offers_made += 1
        offer = Offer(
            offer_id=before.offer_id if before else FIRST_OFFER_ID + self._offers_made,
            sku=sku,
            product_sku=product_sku,
            title=title,
            category_code="GENERAL",
            price=price,
            created_at=seconds(self._agenda.now),
        )
        self.offers[sku] = offer
        self.by_id[offer.offer_id] = offer
        self.touch(offer)
        return offer

    def delete(self, offer: Offer) -> None:
        offer.is_deleted = True
        offer.empty()
        self.touch(offer)
        del self.offers[offer.sku], self.by_id[offer.offer_id]
        self.deleted[offer.sku] = offer

    def touch(self, offer: Offer) -> None:
        """The offer has changed now."""
        offer.updated_at = seconds(self._agenda.now)
        self._in_order.clear()

    def sell(self, offer: Offer, units: int) -> None:
        """Take sold units out of what is offered."""
        offer.reduce(units)
        self._changed(offer)

    def _changed(self, offer: Offer) -> None:
        offer.updated_at = seconds(self._agenda.now)
        for observer in self.on_quantity:
            observer(offer)

    def sell_by_sku(self, sku: str, units: int) -> None:
        """The same of an offer that may have been deleted since it was bought."""
        offer = self.offers.get(sku)
        if offer is not None:
            self.sell(offer, units)

    def put_back(self, sku: str, units: int) -> None:
        """Sold units are for sale again; where there is no offer any more, they are not."""
        offer = self.offers.get(sku)
        if offer is not None:
            offer.put_back(units)
            self._changed(offer)

    def take_down(self, sku: str) -> None:
        """Offer nothing of a SKU any more; one that is not on offer stays as it is."""
        offer = self.offers.get(sku)
        if offer is not None:
            self.sell(offer, offer.quantity)

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
        self.in_turn(lambda: self._run(taken), lambda: self._complete(taken))
        return taken.import_id

    def in_turn(self, run: Callable[[], None], complete: Callable[[], None]) -> None:
        """Plan an import after those before it: when it runs, and when it is done."""
        settings = self._tenant.settings
        duration_s = self._agenda.chance.uniform(settings.import_s_min, settings.import_s_max)
        if self._longer_imports:
            duration_s = self._longer_imports.pop(0)
        starts_at = max(self._agenda.now, self._importer_free_at)
        done_at = starts_at + timedelta(seconds=duration_s)
        runs_at = starts_at + timedelta(seconds=duration_s * SHARE_WAITING)
        self._importer_free_at = done_at
        self._agenda.at(runs_at, run)
        self._agenda.at(done_at, complete)

    def slow_imports(self, seconds_each: float, count: int) -> None:
        """The next imports, of whatever kind, take so long."""
        if not 0 <= seconds_each <= LONGEST_IMPORT_S or not 1 <= count <= SLOW_IMPORTS_MAX:
            raise Misuse(
                f"slow imports: {count} of {seconds_each} s; 1 to {SLOW_IMPORTS_MAX} imports, "
                f"0 to {LONGEST_IMPORT_S:.0f} s each"
            )
        self._longer_imports = [seconds_each] * count

    def stock_import(self, import_id: str) -> StockImport:
        found = self.imports.get(import_id)
        if found is None:
            raise ApiError.of(404, f"Import {import_id} not found")
        return found

    def _run(self, taken: StockImport) -> None:
        taken.status = "RUNNING"

    def _complete(self, taken: StockImport) -> None:
        rows = read_file(taken.content, REQUIRED, COLUMNS)
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
                self._changed(line.offer)
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


def is_sku(text: str) -> bool:
    """Whether a seller may give an offer this name."""
    return bool(text) and len(text) <= SKU_LENGTH_MAX and "/" not in text


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
