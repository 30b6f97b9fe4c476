"""What the web service tells of the stock: which codes changed, what they are, their levels.

Promises: what was found is in the order asked for, each once; what is not there is absent.
Times are compared as the clock on the wall shows them. Invariant: no read changes the model;
levels are net, physical and assigned stay inside. Source: contract khaos b.1, b.2, b.7, e.
Called by the operations of the SOAP face of the sandbox's ERP.
"""

import bz2
import io
import zipfile
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeAlias

from kcjl.errors import Misuse
from kcjl.sandbox.gate import Gate
from kcjl.sandbox.khaos.answers import Value
from kcjl.sandbox.khaos.arguments import Arguments
from kcjl.sandbox.khaos.forms import Forms
from kcjl.sandbox.khaos.stock_xml import StockView, element, stock_items, stock_status
from kcjl.sandbox.warehouse import Warehouse
from kcjl.sandbox.warehouse.faults import KhaosFault
from kcjl.sandbox.warehouse.settings import WarehouseSettings
from kcjl.sandbox.warehouse.stock import StockItem

__all__ = ["StockOperations"]

Dated: TypeAlias = list[tuple[StockItem, datetime]]
_ALL_SITES = -1


class StockOperations:
    """Carries out the calls about stock."""

    def __init__(self, warehouse: Warehouse, gate: Gate) -> None:
        self._warehouse = warehouse
        self._gate = gate
        self._site_names = {site.site_id: site.name for site in warehouse.settings.sites}

    def known(self) -> dict[str, Callable[[Arguments], Value]]:
        """By operation."""
        return {
            "GetSiteList": self._get_site_list,
            "GetStockList": self._get_stock_list,
            "GetStockListCompressed": self._get_stock_list_compressed,
            "ExportStock": self._export_stock,
            "ExportStockCompressed": self._export_stock_compressed,
            "ExportStockStatus": self._export_stock_status,
            "GetStockPotential": self._get_stock_potential,
            "ImportStockStatus": self._import_stock_status,
            "GetDeletedEntries": self._get_deleted_entries,
        }

    @property
    def _settings(self) -> WarehouseSettings:
        return self._warehouse.settings

    @property
    def _forms(self) -> Forms:
        return Forms(self._settings)

    def _get_site_list(self, _: Arguments) -> Value:
        sites = self._settings.sites
        return {
            "List": [{"SiteID": site.site_id, "SiteName": site.name} for site in sites],
            "CurrentSiteID": sites[0].site_id,
        }

    # ── what changed ──

    def _revised(self, wall: datetime | None) -> Dated:
        rows = self._warehouse.stock.revised_since(self._earliest(wall), inclusive=True)
        return self._by_the_wall(wall, ((item, item.revised_at) for item in rows))

    def _moved(self, wall: datetime | None) -> Dated:
        rows = self._warehouse.stock.moved_since(self._earliest(wall), inclusive=True)
        return self._by_the_wall(wall, ((item, item.moved_at) for item in rows))

    def _launched(self, wall: datetime | None) -> Dated:
        rows = self._warehouse.stock.launched_since(self._earliest(wall), inclusive=True)
        return self._by_the_wall(wall, ((item, item.launched_at) for item in rows))

    def _earliest(self, wall: datetime | None) -> datetime | None:
        return None if wall is None else self._forms.earliest(wall)

    def _by_the_wall(
        self, wall: datetime | None, found: Iterable[tuple[StockItem, datetime]]
    ) -> Dated:
        if wall is None:
            return list(found)
        inclusive = self._settings.since_is_inclusive
        return self._forms.since(wall, found, inclusive=inclusive)

    def _changed_items(self, arguments: Arguments) -> Dated:
        """Items and the date by which they were chosen."""
        since = arguments.wall("DateValue")
        match arguments.whole("DateType", 0):
            case 0:
                dated = self._revised(since)
            case 1:
                dated = self._launched(since)
            case 2:
                dated = self._moved(since)
            case -1:  # undocumented, sent by the vendor's own connector
                either = {
                    item.item_id: item
                    for item, _ in (*self._revised(since), *self._moved(since))
                }
                dated = [(i, max(i.revised_at, i.moved_at)) for i in either.values()]
            case other:
                raise KhaosFault(f"Date type {other} is not supported")
        match arguments.whole("StockItemType", 0):
            case 1:
                return [(item, when) for item, when in dated if item.children]
            case 2:
                return [(item, when) for item, when in dated if item.parent_code]
            case _:
                return dated

    def _get_stock_list(self, arguments: Arguments) -> Value:
        return self._stock_list(self._changed_items(arguments))

    def _stock_list(self, dated: Dated) -> Value:
        rows = [self._stock_info(item, when) for item, when in dated]
        return {"Count": len(rows), "List": rows}

    def _stock_info(self, item: StockItem, when: datetime) -> dict[str, Value]:
        parent = self._warehouse.stock.get(item.parent_code) if item.parent_code else None
        return {
            "StockCode": item.code,
            "OtherRef": item.other_ref,
            "StockDesc": item.description,
            "ParentCode": parent.code if parent is not None else "",
            "ParentOtherRef": parent.other_ref if parent is not None else "",
            "LastUpdated": when,
        }

    def _get_stock_list_compressed(self, arguments: Arguments) -> Value:
        forms = self._forms
        rows = "".join(
            "<STOCK_ITEM>"
            + element("STOCK_CODE", item.code)
            + element("OTHER_REF", item.other_ref)
            + element("STOCK_DESC", item.description)
            + element("PARENT_CODE", item.parent_code)
            + element("LAST_UPDATED", forms.wall(when).isoformat(timespec="milliseconds"))
            + "</STOCK_ITEM>"
            for item, when in self._changed_items(arguments)
        )
        return _compressed(f"<STOCK_LIST>{rows}</STOCK_LIST>", "StockList.xml", arguments)

    def _get_deleted_entries(self, arguments: Arguments) -> Value:
        """Items that are not there any more; no public material shows its document."""
        forms, since = self._forms, arguments.wall("LastUpdated")
        gone: Dated = [(item, when) for when, item in self._warehouse.stock.deleted]
        if since is not None:
            earliest = forms.earliest(since)
            gone = [(item, when) for item, when in gone if when >= earliest]
            gone = forms.since(since, gone, inclusive=True)
        rows = "".join(
            "<DELETED_ENTRY>"
            + element("STOCK_CODE", item.code)
            + element("STOCK_ID", item.item_id)
            + element("DELETED_DATE", forms.wall(when).isoformat(timespec="seconds"))
            + "</DELETED_ENTRY>"
            for item, when in gone
        )
        document = f"<DELETED_ENTRIES>{rows}</DELETED_ENTRIES>"
        return or_empty(document if rows else "<DELETED_ENTRIES/>", self._settings)

    # ── what they are, and how many ──

    def _named_items(
        self, arguments: Arguments, *, default_mapping: int
    ) -> list[StockItem] | None:
        """The items of a list of codes; None when no code was given."""
        stock = self._warehouse.stock
        codes = arguments.names("StockCode")
        if not codes:
            return None
        mapping = arguments.whole("MappingType", default_mapping)
        finders = {
            1: stock.find, 2: stock.find_by_other_ref, 4: stock.find_by_description,
        }  # fmt: skip
        if default_mapping == 0:
            finders[0] = stock.find_by_id
        find = finders.get(mapping)
        if find is None:
            raise KhaosFault(f"Mapping type {mapping} is not supported")
        found = (find(code) for code in codes)
        return list({item.item_id: item for item in found if item is not None}.values())

    def _view(self, arguments: Arguments, *, says_sites: bool = False) -> StockView:
        forms = self._forms
        return StockView(
            stock=self._warehouse.stock,
            forms=forms,
            settings=self._settings,
            site_names=self._site_names,
            today=forms.wall(self._warehouse.agenda.now).date(),
            next_with_free_stock=arguments.flag("PotentialLeadTime"),
            says_sites=says_sites,
        )

    def _stock_document(self, arguments: Arguments) -> str:
        items = self._named_items(arguments, default_mapping=1)
        if items is None:
            items = [item for item, _ in self._revised(arguments.wall("LastUpdated"))]
        return stock_items(items, self._view(arguments))

    def _export_stock(self, arguments: Arguments) -> Value:
        return or_empty(self._stock_document(arguments), self._settings)

    def _export_stock_compressed(self, arguments: Arguments) -> Value:
        return _compressed(self._stock_document(arguments), "Stock.xml", arguments)

    def _export_stock_status(self, arguments: Arguments) -> Value:
        items = self._named_items(arguments, default_mapping=1)
        if items is None:
            by_movement = self._settings.status_since == "movement"
            changed = self._moved if by_movement else self._revised
            items = [item for item, _ in changed(arguments.wall("LastUpdated"))]
        site_id = arguments.whole("SiteID", self._settings.sites[0].site_id)
        if site_id != _ALL_SITES:
            return or_empty(self._status_of(items, [site_id], arguments), self._settings)
        if self._settings.all_sites_answer == "items":
            sites = list(self._site_names)
            return or_empty(self._status_of(items, sites, arguments), self._settings)
        return "".join(self._status_of(items, [site], arguments) for site in self._site_names)

    def _status_of(
        self, items: Iterable[StockItem], site_ids: list[int], arguments: Arguments
    ) -> str:
        unknown = [site_id for site_id in site_ids if site_id not in self._site_names]
        if unknown:
            raise KhaosFault(f"Site {unknown[0]} does not exist")
        return stock_status(
            [(item, site_id) for item in items for site_id in site_ids],
            self._view(arguments, says_sites=len(site_ids) > 1),
            self._site_names[site_ids[0]] if len(site_ids) == 1 else "All Sites",
        )

    def _get_stock_potential(self, arguments: Arguments) -> Value:
        items = self._named_items(arguments, default_mapping=0) or []
        rows: list[Value] = []
        for item in items:
            available, on_order = item.level(), item.units_on_order()
            waiting = item.units_on_back_order()
            rows.append(
                {
                    "StockCode": item.code,
                    "OtherRef": item.other_ref,
                    "StockDesc": "",
                    "Available": available,
                    "OnOrder": on_order,
                    "BackOrder": waiting,
                    "Potential": available + on_order - waiting,
                }
            )
        return rows

    def _import_stock_status(self, arguments: Arguments) -> Value:
        said = {
            "document": arguments.text("StockStatus"),
            "update_data": arguments.flag("UpdateStockData"),
            "update_levels": arguments.flag("UpdateStockLevels"),
        }
        changed = self._gate.change("khaos", "import_stock_status", said)
        if not isinstance(changed, list):
            raise Misuse(f"the gate gave {type(changed).__name__} for import_stock_status")
        return self._stock_list(
            [(item, max(item.revised_at, item.moved_at)) for item in changed]
        )


def or_empty(document: str, settings: WarehouseSettings) -> str:
    """A document; where nothing was found, what the settings say (h.5)."""
    if not document.endswith("/>") or settings.empty_answer == "root":
        return document
    if settings.empty_answer == "fault":
        raise KhaosFault("No records found")
    return ""


def _compressed(document: str, file_name: str, arguments: Arguments) -> Value:
    """TCompressedResult: 0 is a ZIP with one file, 1 is BZip2."""
    original = document.encode()
    match arguments.whole("CompressionMethod", 0):
        case 0:
            method, data = "ZIP", _zip(file_name, original)
        case 1:
            method, data = "BZIP2", bz2.compress(original)
        case other:
            raise KhaosFault(f"Compression method {other} is not supported")
    return {
        "Method": method,
        "FileName": file_name,
        "Data": data,
        "OriginalSize": len(original),
        "CompressedSize": len(data),
        "PasswordProtected": False,
    }


def _zip(file_name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(file_name), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()
