"""The sandbox's warehouse as the port's records of stock, in one step.

Promises: what GetStockList, ExportStock and ExportStockStatus of the sandbox, read by the KWS
adapter, would give for the same warehouse (test_outside_twins.py compares them); `stamp` says
what the outside's own clock showed at a moment. Levels and changes take the short way; what a
product is, is read out of the sandbox's own document, and again only when it has changed.
It decides nothing. Called by the simulated ERP.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import date, datetime, timedelta
from decimal import Decimal
from operator import attrgetter

from kcjl.khaos import port as erp
from kcjl.khaos import stock_document
from kcjl.khaos.answer_xml import parse_document
from kcjl.khaos.kws_settings import KwsSettings
from kcjl.khaos.london import changed_since
from kcjl.sandbox.khaos.arguments import Arguments
from kcjl.sandbox.khaos.forms import Forms
from kcjl.sandbox.khaos.stock_operations import or_empty
from kcjl.sandbox.khaos.stock_xml import (
    StockView,
    build_potential,
    lead_time,
    plain,
    status_of,
    stock_items,
)
from kcjl.sandbox.warehouse import KhaosFault, Warehouse
from kcjl.sandbox.warehouse.reading import parse_wall
from kcjl.sandbox.warehouse.settings import WarehouseSettings
from kcjl.sandbox.warehouse.stock import StockItem
from tests.simulation.outside_orders import Stamp

__all__ = ["ShownStock"]

_NOT_WHAT_IT_IS = {
    "physical", "assigned", "waiting", "on_order", "moved_at", "revised_at", "children",
}  # fmt: skip
"""Of a stock item: where it lies and who waits for it, and not what it is."""
_what_it_is = attrgetter(
    *(each.name for each in fields(StockItem) if each.name not in _NOT_WHAT_IT_IS)
)


class ShownStock:
    """The stock as it is shown now."""

    def __init__(
        self, warehouse: Warehouse, settings: KwsSettings, stamp: Stamp, off_by_max: timedelta
    ) -> None:
        """`off_by_max`: how far the outside's clock is ever off."""
        self._warehouse = warehouse
        self._settings = settings
        self._stamp = stamp
        self._off_by_max = off_by_max
        self._products: dict[int, tuple[WarehouseSettings, object, erp.Product]] = {}
        self._rows: dict[int, tuple[WarehouseSettings, object, dict[str, str]]] = {}

    # ── what changed ──

    def moved(self, since: datetime, now: datetime) -> list[erp.ProductRef]:
        return self._changed(since, now, self._warehouse.stock.moved_since, _moved_at)

    def edited(self, since: datetime, now: datetime) -> list[erp.ProductRef]:
        return self._changed(since, now, self._warehouse.stock.revised_since, _revised_at)

    def _changed(
        self,
        since: datetime,
        now: datetime,
        find: Callable[..., list[StockItem]],
        when: Callable[[StockItem], datetime],
    ) -> list[erp.ProductRef]:
        """All that changed by the wall's time, parents and children too; read at `now`."""
        forms, wall = Forms(self._warehouse.settings), parse_wall(changed_since(since))
        if wall is None:
            raise TypeError(f"no product changes since {since}")
        earliest = forms.earliest(wall)
        found = find(earliest - self._off_by_max, inclusive=True)
        stamped = ((item, self._stamp(when(item))) for item in found)
        dated = [(item, at) for item, at in stamped if at >= earliest]
        inclusive = self._warehouse.settings.since_is_inclusive
        rows = [
            self._row(item, at, forms)
            for item, at in forms.since(wall, dated, inclusive=inclusive)
        ]
        return stock_document.product_refs(rows, now)

    def _row(self, item: StockItem, at: datetime, forms: Forms) -> dict[str, str]:
        """Made again only when something in it has changed."""
        said = (at, item.code, item.description, item.other_ref, item.parent_code)
        known = self._rows.get(item.item_id)
        if known is not None and known[0] is self._warehouse.settings and known[1] == said:
            return known[2]
        row = {
            "stockcode": item.code.strip(),
            "stockdesc": item.description.strip(),
            "otherref": item.other_ref.strip(),
            "parentcode": self._parent_of(item),
            "lastupdated": forms.typed(at),
        }
        self._rows[item.item_id] = self._warehouse.settings, said, row
        return row

    def deleted(self, since: datetime, now: datetime) -> list[erp.ProductRef]:
        """All that was deleted since then by the wall's time; read at `now`."""
        forms, wall = Forms(self._warehouse.settings), parse_wall(changed_since(since))
        if wall is None:
            raise TypeError(f"no product was deleted since {since}")
        earliest = forms.earliest(wall)
        gone = [(item, self._stamp(when)) for when, item in self._warehouse.stock.deleted]
        dated = [(item, at) for item, at in gone if at >= earliest]
        rows = [
            {
                "stockcode": item.code,
                "deleteddate": forms.wall(at).isoformat(timespec="seconds"),
            }
            for item, at in forms.since(wall, dated, inclusive=True)
        ]
        return stock_document.product_refs(rows, now)

    def _parent_of(self, item: StockItem) -> str:
        return self._warehouse.stock.get(item.parent_code).code if item.parent_code else ""

    # ── what they are ──

    def items(self, codes: Sequence[str]) -> list[StockItem]:
        """Those that a call with these codes is about, each once."""
        named = Arguments({"StockCode": ",".join(codes)}).names("StockCode")
        found = (self._warehouse.stock.find(code) for code in named)
        return list({item.item_id: item for item in found if item is not None}.values())

    def products(self, codes: Sequence[str]) -> list[erp.Product]:
        """Raises KhaosFault where none is there and the ERP says so by a fault."""
        items = self.items(codes)
        if not items or any(item.children or item.parent_code for item in items):
            return self._read(items)
        return [self._product(item) for item in items]

    def _product(self, item: StockItem) -> erp.Product:
        settings, looks = self._warehouse.settings, _what_it_is(item)
        known = self._products.get(item.item_id)
        if known is not None and known[0] is settings and known[1] == looks:
            return known[2]
        (product,) = self._read([item])
        self._products[item.item_id] = settings, looks, product
        return product

    def _read(self, items: Sequence[StockItem]) -> list[erp.Product]:
        """Out of the document, as the adapter does."""
        settings = self._warehouse.settings
        view = StockView(
            stock=self._warehouse.stock,
            forms=Forms(settings),
            settings=settings,
            site_names={site.site_id: site.name for site in settings.sites},
            today=self._today(),
        )
        text = or_empty(stock_items(items, view), settings)
        sent = text.encode(settings.charset, "replace").decode(settings.charset)
        return list(stock_document.products(parse_document(sent)).values())

    # ── how many ──

    def levels(
        self, codes: Sequence[str], site: str, read_at: datetime
    ) -> list[erp.StockLevel]:
        """Of one site. Raises KhaosFault for one that is not there."""
        settings = self._warehouse.settings
        site_id = int(site)
        if all(each.site_id != site_id for each in settings.sites):
            raise KhaosFault(f"Site {site_id} does not exist")
        items = self.items(codes)
        if not items:
            or_empty("<STOCK_STATUS/>", settings)
        today = self._today()
        return [self._level(item, site_id, today, read_at) for item in items]

    def _level(
        self, item: StockItem, site_id: int, today: date, read_at: datetime
    ) -> erp.StockLevel:
        level = item.level(site_id)
        stock, by_free_stock = self._warehouse.stock, self._settings.due_with_free_stock
        buildable = Decimal(build_potential(item, stock, site_id)) if item.pack_of else None
        available = Decimal(plain(level))
        if self._settings.add_buildable and buildable is not None:
            available += buildable
        tells_more = self._warehouse.settings.extra_tags
        return erp.StockLevel(
            stock_code=item.code.strip(),
            site_id=str(site_id),
            available=available,
            status=status_of(item, level, site_id, today),
            on_order=Decimal(plain(item.units_on_order())) if tells_more else None,
            build_potential=buildable,
            due=lead_time(item, next_with_free_stock=by_free_stock),
            read_at=read_at,
        )

    def _today(self) -> date:
        forms = Forms(self._warehouse.settings)
        return forms.wall(self._stamp(self._warehouse.agenda.now)).date()


def _moved_at(item: StockItem) -> datetime:
    return item.moved_at


def _revised_at(item: StockItem) -> datetime:
    return item.revised_at
