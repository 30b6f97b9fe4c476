"""What a channel says of orders and stock, as the vendor's examples have it.

Promises: an order's whole state each time: status, shipments, items with their references,
packages; a package without a box names the courier only; a level per site, none for what is
not stock-controlled. It remembers nothing. Invariant: the same warehouse gives the same
document, byte for byte. Source: contract khaos b.2, b.5, b.7, b.10, c.
Called by the channel, when it looks for what has changed.
"""

from decimal import Decimal

from kcjl.sandbox.khaos_cloud.settings import ChannelSettings
from kcjl.sandbox.khaos_cloud.writing import Entry, Rows, Value, number
from kcjl.sandbox.warehouse import SalesOrder, StageId, StockItem, Warehouse
from kcjl.sandbox.warehouse.hours import london_wall
from kcjl.sandbox.warehouse.orders import Box, CourierEntry, Invoice

__all__ = ["StatusWriter"]

_SHIPMENT_STATUS: dict[int, str] = {
    StageId.ORDERS_RELEASED: "Released",
    StageId.ORDERS_STAGING: "Staging",
    StageId.ORDERS_AUTHORISEPAYMENT: "Payment",
    StageId.PRINTPICKING: "Picking",
    StageId.ORDERS_PACKBOXES: "Packing",
    StageId.ORDERS_SHIP: "Shipping",
    StageId.ORDERS_PRINTINVOICES: "Invoicing",
    StageId.ORDERS_ISSUEINVOICES: "Issue",
    StageId.ORDERS_FUTURE_DATE: "AwaitingDate",
    StageId.ORDERS_FUTURE_STOCK: "AwaitingStock",
    StageId.ORDERS_FUTURE_HOLD: "ManualHold",
    StageId.ORDERS_PROCESSING: "Processing",
    StageId.ORDERS_FUTURE_TERMS: "TermsHold",
    StageId.ISSUED_CURRENT: "Archived",
    StageId.ISSUED_ARCHIVEDQ1: "Archived",
}
_TAX_NAMES = {1: "Standard", 2: "Zero", 4: "Reduced"}
_FIRST_ORDER = 2


class StatusWriter:
    """Says how orders and stock stand."""

    def __init__(self, warehouse: Warehouse, settings: ChannelSettings) -> None:
        self._warehouse = warehouse
        self._settings = settings

    # ── orders ──

    def order(self, order: SalesOrder, ref: str, custom_data: str) -> dict[str, Value]:
        """SalesOrderStatus; an invoice that was cancelled is no shipment any more."""
        live = [each for each in order.invoices if each.stage != StageId.CANCELLED]
        said: dict[str, Value] = {
            "OrderCode": order.code,
            "OrderID": order.code[_FIRST_ORDER:],
            self._settings.status_field: _order_status(order, live),
            "AssociatedRef": ref,
            "ChannelID": self._settings.channel_id,
            "Shipments": Rows(called="Shipment", rows=tuple(map(self._shipment, live))),
        }
        return said | ({"CustomData": custom_data} if custom_data else {})

    def _shipment(self, invoice: Invoice) -> Value:
        items = tuple(self._items(invoice))
        packages = tuple(self._packages(invoice))
        return {
            "ID": f"S{invoice.code}",
            "Code": invoice.code,
            "Status": _SHIPMENT_STATUS.get(invoice.stage, "Processing"),
            "Items": Rows(called="ShipmentItem", rows=items),
            "Packages": Rows(called="ShipmentPackage", rows=packages),
        }

    def _items(self, invoice: Invoice) -> list[Value]:
        rows: list[Value] = []
        for turn, item in enumerate(invoice.items, start=1):
            line = item.line
            said: dict[str, Value] = {
                "OrderItemID": f"{invoice.order.code}L{invoice.order.lines.index(line) + 1}",
                "ShipmentItemID": f"S{invoice.code}L{turn}",
                "SKU": line.item.code,
                "Quantity": number(item.quantity),
            }
            if line.import_ref:
                said["ImportRef"] = line.import_ref
            if line.web_item_ref:
                said["WebsiteItemRef"] = line.web_item_ref
            rows.append(said)
        return rows

    def _packages(self, invoice: Invoice) -> list[Value]:
        boxes = invoice.boxes
        shows = invoice.shipped_at is not None and (
            self._settings.shows_shipment_from == "shipment" or invoice.issued_at is not None
        )
        if not boxes or not shows:
            return [{"Courier": self._courier(invoice.courier)}]
        if self._settings.consignments_joined:
            joined = self._settings.consignments_joined.join(invoice.consignments)
            return [self._package(invoice, boxes[0], joined)]
        return [self._package(invoice, box, box.consignment) for box in boxes]

    def _package(self, invoice: Invoice, box: Box, consignment: str) -> Value:
        said: dict[str, Value] = {"ConsignmentRef": consignment} if consignment else {}
        said["Courier"] = self._courier(box.courier)
        if invoice.shipped_at is not None:
            wall = london_wall(invoice.shipped_at).replace(microsecond=0)
            said["ShipmentDate"] = wall.isoformat()
        return said

    def _courier(self, entry: CourierEntry) -> Entry:
        by = self._settings.courier_by
        courier_id = str(self._warehouse.couriers.index(entry) + 1)
        code = entry.settings.code
        if by == "id":
            return Entry(id=courier_id)
        if by == "name" or (by == "code" and not code):
            return Entry(name=entry.name)
        if by == "code":
            return Entry(code=code)
        return Entry(id=courier_id, code=code, name=entry.name)

    # ── stock ──

    def level(self, item: StockItem, site_id: int) -> dict[str, Value]:
        """StockStatus of one site."""
        said: dict[str, Value] = {
            "StockCode": item.code,
            "StockID": str(item.item_id),
            "SiteID": site_id,
        }
        if item.holds_stock:
            first = site_id == self._warehouse.settings.sites[0].site_id
            on_order = item.units_on_order() if first else Decimal(0)
            said["Levels"] = {
                "Available": number(item.level(site_id)),
                "OnOrder": number(on_order),
            }
        if item.pack_of:
            buildable = min(
                int(max(Decimal(0), self._warehouse.stock.get(code).level(site_id)) // each)
                for code, each in item.pack_of
            )
            said["RelationshipPotential"] = {"FromChildren": buildable, "FromParents": 0}
        return said

    def item(self, item: StockItem) -> dict[str, Value]:
        """StockItem."""
        price = "Net" if item.sell_price_is_net else "Gross"
        said: dict[str, Value] = {
            "StockID": str(item.item_id),
            "StockCode": item.code,
            self._settings.description_field: item.description,
            "BuyPrice": {"Net": number(item.buy_price.decimal())},
            "SellPrice": {price: number(item.sell_price.decimal())},
            "TaxRate": Entry(
                id=str(item.tax_code),
                code=str(item.tax_code),
                name=_TAX_NAMES.get(item.tax_code, f"Tax {item.tax_code}"),
            ),
            "StockType1": Entry(id="1", name="General"),
            "StockType2": Entry(id="1", name="[General] Goods"),
            "Options": self._options(item),
        }
        if item.other_ref:
            said["OtherRef"] = item.other_ref
        for name, units in (
            ("MinLevel", item.min_level),
            ("SafeLevel", item.safe_level),
            ("SalesMultiple", item.sales_multiple),
        ):
            if units:
                said[name] = number(Decimal(units))
        if item.max_display:
            said["WebProperties"] = {"MetaDisplayQty": item.max_display}
        barcodes: tuple[Value, ...] = tuple({"Barcode": code} for code in item.barcodes)
        return said | {
            "SupplierInfo": Rows(called="StockSupplier", rows=()),
            "Images": Rows(called="StockImage", rows=()),
            "Barcodes": Rows(called="StockBarcode", rows=barcodes),
        }

    @staticmethod
    def _options(item: StockItem) -> dict[str, Value]:
        return {
            "PublishOnWeb": item.on_web,
            "Discontinued": item.discontinued,
            "DropShipItem": False,
            "DiscountsDisabled": False,
            "RunToZero": item.run_to_zero,
            "VatReliefQualified": False,
            "StockControlled": item.stock_controlled,
            "FreeText": False,
        }


def _order_status(order: SalesOrder, live: list[Invoice]) -> str:
    if order.cancelled is not None:
        return "Cancelled"
    if order.complete:
        return "Complete"
    shipped = [invoice for invoice in live if invoice.shipped_at is not None]
    if shipped and len(shipped) < len(live):
        return "PartialShip"
    if shipped or any(invoice.stage == StageId.ORDERS_SHIP for invoice in live):
        return "Shipping"
    return "Received"
