"""What each operation of the ERP's web service does: read the model, or change it by the gate.

Promises: reads go to the model, ImportOrders goes through the gate; trailing parameters may
be missing. What was found is in the order asked for, each once; what is not there is absent.
It keeps one thing of its own: which stage of an invoice it last exported (MOVED). Invariant:
no read changes the model. Source: contract khaos b.
Called by the HTTP face of the sandbox's ERP.
"""

import bz2
import io
import zipfile
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from kcjl.errors import Misuse
from kcjl.sandbox.gate import Gate
from kcjl.sandbox.khaos.arguments import Arguments
from kcjl.sandbox.khaos.order_xml import (
    StatusView,
    order_statuses,
    sales_orders,
    status_list,
)
from kcjl.sandbox.khaos.soap import Call, Value
from kcjl.sandbox.khaos.stock_xml import element, sop_data, stock_items, stock_status
from kcjl.sandbox.warehouse import Warehouse
from kcjl.sandbox.warehouse.faults import KhaosFault
from kcjl.sandbox.warehouse.hours import london_date, london_wall
from kcjl.sandbox.warehouse.order_import import ImportResult
from kcjl.sandbox.warehouse.orders import Invoice, SalesOrder
from kcjl.sandbox.warehouse.stock import StockItem

__all__ = ["Operations"]

_ALL_SITES = -1
_ISSUED_WITHIN = timedelta(hours=48)


class Operations:
    """Carries calls out."""

    def __init__(self, warehouse: Warehouse, gate: Gate) -> None:
        self._warehouse = warehouse
        self._gate = gate
        self._settings = warehouse.settings
        self._site_names = {site.site_id: site.name for site in self._settings.sites}
        self._exported_stages: dict[str, int] = {}
        self._known: dict[str, Callable[[Arguments], Value]] = {
            "GetVersion": self._get_version,
            "GetSiteList": self._get_site_list,
            "GetStockList": self._get_stock_list,
            "GetStockListCompressed": self._get_stock_list_compressed,
            "ExportStock": self._export_stock,
            "ExportStockCompressed": self._export_stock_compressed,
            "ExportStockStatus": self._export_stock_status,
            "GetStockPotential": self._get_stock_potential,
            "ImportOrders": self._import_orders,
            "ExportOrders": self._export_orders,
            "ExportOrderStatus": self._export_order_status,
            "ExportOrderStatusEx": self._export_order_status_ex,
            "GetSOPData": self._get_sop_data,
        }

    def carry_out(self, call: Call) -> Value:
        return self._known[call.operation.name](Arguments(call.arguments))

    # ── system data ──

    def _get_version(self, _: Arguments) -> Value:
        return self._settings.version

    def _get_site_list(self, _: Arguments) -> Value:
        return {
            "List": [
                {"SiteID": site.site_id, "SiteName": site.name} for site in self._settings.sites
            ],
            "CurrentSiteID": self._settings.sites[0].site_id,
        }

    def _get_sop_data(self, arguments: Arguments) -> Value:
        return sop_data(self._warehouse.couriers if arguments.flag("Courier") else None)

    # ── stock ──

    def _changed_items(self, arguments: Arguments) -> list[tuple[StockItem, datetime]]:
        """Items and the date by which they were chosen."""
        stock = self._warehouse.stock
        since = arguments.moment("DateValue")
        inclusive = self._settings.since_is_inclusive
        match arguments.whole("DateType", 0):
            case 0:
                items = stock.revised_since(since, inclusive=inclusive)
                dated = [(item, item.revised_at) for item in items]
            case 1:
                items = stock.launched_since(since, inclusive=inclusive)
                dated = [(item, item.launched_at) for item in items]
            case 2:
                items = stock.moved_since(since, inclusive=inclusive)
                dated = [(item, item.moved_at) for item in items]
            case -1:  # undocumented, sent by the vendor's own connector
                either = {
                    item.item_id: item
                    for item in (
                        *stock.revised_since(since, inclusive=inclusive),
                        *stock.moved_since(since, inclusive=inclusive),
                    )
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
        rows = [self._stock_info(item, when) for item, when in self._changed_items(arguments)]
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
        rows = "".join(
            "<STOCK_ITEM>"
            + element("STOCK_CODE", item.code)
            + element("OTHER_REF", item.other_ref)
            + element("STOCK_DESC", item.description)
            + element("PARENT_CODE", item.parent_code)
            + element("LAST_UPDATED", london_wall(when).isoformat(timespec="milliseconds"))
            + "</STOCK_ITEM>"
            for item, when in self._changed_items(arguments)
        )
        return _compressed(f"<STOCK_LIST>{rows}</STOCK_LIST>", "StockList.xml", arguments)

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

    def _stock_document(self, arguments: Arguments) -> str:
        stock = self._warehouse.stock
        items = self._named_items(arguments, default_mapping=1)
        if items is None:
            items = stock.revised_since(
                arguments.moment("LastUpdated"), inclusive=self._settings.since_is_inclusive
            )
        return stock_items(items, stock=stock, settings=self._settings)

    def _export_stock(self, arguments: Arguments) -> Value:
        return self._or_empty(self._stock_document(arguments))

    def _export_stock_compressed(self, arguments: Arguments) -> Value:
        return _compressed(self._stock_document(arguments), "Stock.xml", arguments)

    def _export_stock_status(self, arguments: Arguments) -> Value:
        stock = self._warehouse.stock
        items = self._named_items(arguments, default_mapping=1)
        if items is None:
            changed = (
                stock.moved_since
                if self._settings.status_since == "movement"
                else stock.revised_since
            )
            items = changed(
                arguments.moment("LastUpdated"), inclusive=self._settings.since_is_inclusive
            )
        site_id = arguments.whole("SiteID", self._settings.sites[0].site_id)
        if site_id != _ALL_SITES:
            return self._or_empty(self._status_of(items, [site_id], arguments))
        if self._settings.all_sites_answer == "items":
            return self._or_empty(self._status_of(items, list(self._site_names), arguments))
        return "".join(self._status_of(items, [site], arguments) for site in self._site_names)

    def _status_of(
        self, items: Iterable[StockItem], site_ids: list[int], arguments: Arguments
    ) -> str:
        unknown = [site_id for site_id in site_ids if site_id not in self._site_names]
        if unknown:
            raise KhaosFault(f"Site {unknown[0]} does not exist")
        return stock_status(
            [(item, site_id) for item in items for site_id in site_ids],
            stock=self._warehouse.stock,
            site_names=self._site_names,
            title=self._site_names[site_ids[0]] if len(site_ids) == 1 else "All Sites",
            today=london_date(self._warehouse.agenda.now),
            next_with_free_stock=arguments.flag("PotentialLeadTime"),
            extra_tags=self._settings.extra_tags or len(site_ids) > 1,
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

    # ── orders ──

    def _import_orders(self, arguments: Arguments) -> Value:
        document = arguments.text("Orders")
        result = self._gate.change("khaos", "import_orders", {"document": document})
        if not isinstance(result, ImportResult):
            raise Misuse(f"the gate gave {type(result).__name__} for import_orders")
        return {
            "ImportedCount": result.imported_count,
            "OrderImport": [
                {
                    "SalesOrderCode": order.sales_order_code,
                    "AssociatedRef": order.associated_ref,
                    "Msg": order.message,
                    "URN": order.urn,
                    "OtherRef": order.other_ref,
                }
                for order in result.imported
            ],
            "OrderSkipped": [
                {"OrderRef": order.order_ref, "SkipReason": order.reason}
                for order in result.skipped
            ],
        }

    def _export_orders(self, arguments: Arguments) -> Value:
        mapping = arguments.whole("MappingType", 1)
        if mapping not in {1, 2}:
            raise KhaosFault(f"Mapping type {mapping} is not supported")
        finder = 3 if mapping == 1 else 4
        found = self._mapped_orders(arguments.names("OrderCode"), finder)
        return self._or_empty(sales_orders(found, self._site_names))

    def _export_order_status(self, _: Arguments) -> Value:
        orders = self._warehouse.orders
        now = self._warehouse.agenda.now
        return self._or_empty(
            order_statuses(orders.open_or_completed_within(_ISSUED_WITHIN, now))
        )

    def _export_order_status_ex(self, arguments: Arguments) -> Value:
        cancelled = arguments.flag("IncludeCancelled")
        stages = {_stage(text) for text in arguments.names("InvoiceStageIDs")}
        chosen: list[tuple[SalesOrder, list[Invoice]]] = []
        for order in self._asked_orders(arguments):
            if order.cancelled is not None and not cancelled:
                continue
            invoices = [i for i in order.invoices if not stages or int(i.stage) in stages]
            if invoices or not stages:
                chosen.append((order, invoices))
        view = StatusView(
            show_items=arguments.flag("ShowItems"),
            separator=self._settings.consignment_separator,
            moved=self._has_moved,
        )
        return self._or_empty(status_list(chosen, view))

    def _asked_orders(self, arguments: Arguments) -> list[SalesOrder]:
        ids = arguments.names("IDs")
        first, last = arguments.moment("DateFrom"), arguments.moment("DateTo")
        book = self._warehouse.orders
        if ids:
            found = self._mapped_orders(ids, arguments.whole("MappingType", 1))
            return [order for order in found if _within(order, first, last, arguments)]
        if first is None and last is None:
            raise KhaosFault("IDs may be empty only when dates are given")
        rows = book.created_between(first, last)
        if arguments.flag("IncludeTracking"):
            tracked = book.tracked_between(first, last)
            rows = list({order.code: order for order in (*rows, *tracked)}.values())
        return rows

    def _mapped_orders(self, ids: list[str], mapping: int) -> list[SalesOrder]:
        book = self._warehouse.orders
        found: dict[str, SalesOrder] = {}
        for text in ids:
            match mapping:
                case 1:
                    rows = book.by_customer(text)
                case 2:
                    codes = self._warehouse.customers.codes_with_other_ref(text)
                    rows = [order for code in codes for order in book.by_customer(code)]
                case 3:
                    order = book.by_code.get(text.upper())
                    rows = [order] if order is not None else []
                case 4:
                    rows = book.by_ref(text)
                case _:
                    raise KhaosFault(f"Mapping type {mapping} is not supported")
            found.update((order.code, order) for order in rows)
        return list(found.values())

    def _has_moved(self, invoice: Invoice) -> bool:
        before = self._exported_stages.get(invoice.code)
        self._exported_stages[invoice.code] = int(invoice.stage)
        return before != int(invoice.stage)

    def _or_empty(self, document: str) -> str:
        """A document; where nothing was found, what the settings say (h.5)."""
        if not document.endswith("/>") or self._settings.empty_answer == "root":
            return document
        if self._settings.empty_answer == "fault":
            raise KhaosFault("No records found")
        return ""


def _within(
    order: SalesOrder, first: datetime | None, last: datetime | None, arguments: Arguments
) -> bool:
    """Whether an order that was asked for by its id lies in the window, if one was given."""
    moments = [order.created_at]
    if arguments.flag("IncludeTracking") and order.tracking_changed_at is not None:
        moments.append(order.tracking_changed_at)
    return any(
        (first is None or first <= moment) and (last is None or moment <= last)
        for moment in moments
    )


def _stage(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise KhaosFault(f"'{text}' is not a valid integer value", "EConvertError") from None


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
