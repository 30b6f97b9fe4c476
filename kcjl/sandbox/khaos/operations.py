"""What each operation of the ERP's web service does: read the model, or change it by the gate.

Promises: reads go to the model, imports go through the gate; trailing parameters may be
missing; the settings that hold now decide the forms. It keeps one thing of its own: which
stage of an invoice it last exported (MOVED). Invariant: no read changes the model. Source:
contract khaos b.
Called by the HTTP face of the sandbox's ERP.
"""

import hmac
from collections.abc import Callable
from datetime import datetime, timedelta

from kcjl.errors import Misuse
from kcjl.sandbox.gate import Gate
from kcjl.sandbox.khaos.answers import Value
from kcjl.sandbox.khaos.arguments import Arguments
from kcjl.sandbox.khaos.forms import Forms
from kcjl.sandbox.khaos.lists import SystemLists
from kcjl.sandbox.khaos.order_xml import (
    StatusView,
    order_statuses,
    sales_orders,
    status_list,
)
from kcjl.sandbox.khaos.soap import Call
from kcjl.sandbox.khaos.stock_operations import StockOperations, or_empty
from kcjl.sandbox.warehouse import Warehouse
from kcjl.sandbox.warehouse.faults import KhaosFault
from kcjl.sandbox.warehouse.order_import import ImportResult
from kcjl.sandbox.warehouse.orders import Invoice, SalesOrder
from kcjl.sandbox.warehouse.settings import WarehouseSettings

__all__ = ["Operations"]

_ISSUED_WITHIN = timedelta(hours=48)


class Operations:
    """Carries calls out."""

    def __init__(self, warehouse: Warehouse, gate: Gate) -> None:
        self._warehouse = warehouse
        self._gate = gate
        self._site_names = {site.site_id: site.name for site in warehouse.settings.sites}
        self._exported_stages: dict[str, int] = {}
        self._known: dict[str, Callable[[Arguments], Value]] = {
            **SystemLists(warehouse).known(),
            **StockOperations(warehouse, gate).known(),
            "ImportOrders": self._import_orders,
            "ExportOrders": self._export_orders,
            "ExportOrderStatus": self._export_order_status,
            "ExportOrderStatusEx": self._export_order_status_ex,
        }

    def carry_out(self, call: Call) -> Value:
        arguments = Arguments(call.arguments)
        self._check_body_parameter(arguments)
        return self._known[call.operation.name](arguments)

    def _check_body_parameter(self, arguments: Arguments) -> None:
        """The extra parameter that some builds want in every call (d)."""
        settings = self._settings
        if settings.body_parameter:
            given = arguments.text(settings.body_parameter).encode()
            if not hmac.compare_digest(given, settings.body_parameter_value.encode()):
                raise KhaosFault("Access denied", "EAccessDenied")

    @property
    def _settings(self) -> WarehouseSettings:
        return self._warehouse.settings

    @property
    def _forms(self) -> Forms:
        return Forms(self._settings)

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
        return or_empty(sales_orders(found, self._site_names, self._forms), self._settings)

    def _export_order_status(self, _: Arguments) -> Value:
        orders = self._warehouse.orders
        now = self._warehouse.agenda.now
        recent = orders.open_or_completed_within(_ISSUED_WITHIN, now)
        separator = self._settings.consignment_separator
        return or_empty(order_statuses(recent, self._forms, separator), self._settings)

    def _export_order_status_ex(self, arguments: Arguments) -> Value:
        cancelled = arguments.flag("IncludeCancelled")
        stages = {_stage(text) for text in arguments.names("InvoiceStageIDs")}
        confirmed_only = arguments.flag("ConfirmedOnly")
        chosen: list[tuple[SalesOrder, list[Invoice]]] = []
        for order in self._asked_orders(arguments):
            if order.cancelled is not None and not cancelled:
                continue
            if confirmed_only and not order.confirmed:
                continue
            invoices = [i for i in order.invoices if not stages or int(i.stage) in stages]
            if invoices or not stages:
                chosen.append((order, invoices))
        view = StatusView(
            forms=self._forms,
            show_items=arguments.flag("ShowItems"),
            separator=self._settings.consignment_separator,
            moved=self._has_moved,
        )
        return or_empty(status_list(chosen, view), self._settings)

    def _asked_orders(self, arguments: Arguments) -> list[SalesOrder]:
        ids = arguments.names("IDs")
        window = _Window(arguments, self._forms)
        book = self._warehouse.orders
        if ids:
            found = self._mapped_orders(ids, arguments.whole("MappingType", 1))
            return [order for order in found if window.holds(order)]
        if window.is_open:
            raise KhaosFault("IDs may be empty only when dates are given")
        rows = book.created_between(window.first, window.last)
        if window.includes_tracking:
            tracked = book.tracked_between(window.first, window.last)
            rows = list({order.code: order for order in (*rows, *tracked)}.values())
        return [order for order in rows if window.holds(order)]

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


class _Window:
    """DateFrom and DateTo, as they stand on the wall."""

    def __init__(self, arguments: Arguments, forms: Forms) -> None:
        self._forms = forms
        self._from, self._to = arguments.wall("DateFrom"), arguments.wall("DateTo")
        self.includes_tracking = arguments.flag("IncludeTracking")
        self.first = None if self._from is None else forms.earliest(self._from)
        self.last = None if self._to is None else forms.latest(self._to)

    @property
    def is_open(self) -> bool:
        return self._from is None and self._to is None

    def holds(self, order: SalesOrder) -> bool:
        """Whether it was created in the window, or its tracking changed if that is asked."""
        moments: list[datetime] = [order.created_at]
        if self.includes_tracking and order.tracking_changed_at is not None:
            moments.append(order.tracking_changed_at)
        walls = [self._forms.wall(moment) for moment in moments]
        return any(
            (self._from is None or self._from <= wall)
            and (self._to is None or wall <= self._to)
            for wall in walls
        )


def _stage(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise KhaosFault(f"'{text}' is not a valid integer value", "EConvertError") from None
