"""What the Cloud ERP pushes, read: statuses of orders, levels, products.

Promises: both spellings of each of the vendor's contradictions are read; a field that is not
there leaves the rest readable; what can't be told apart is named in `wrong`, and the rest is
read all the same. It keeps nothing and asks no clock.
Invariant: any body gives a Heard record or BadBody; never another error.
Called by `cloud_server.py`. Source: contract khaos b.2, b.5, b.10, c.
"""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import TypeVar

from kcjl.clock import LONDON
from kcjl.errors import ProtocolSurprise
from kcjl.khaos.cloud_reading import BadBody, Part
from kcjl.khaos.cloud_settings import CloudSettings, bare_references
from kcjl.khaos.london import received_moment
from kcjl.khaos.order_port import Stage
from kcjl.khaos.record import Record
from kcjl.khaos.stock_port import Product

__all__ = [
    "ITEMS_PER_STATUS_PUSH_MAX",
    "LEFT_UNREAD",
    "STAGES",
    "HeardItem",
    "HeardLevel",
    "HeardPackage",
    "HeardShipment",
    "HeardStatus",
    "LevelsRead",
    "Read",
    "StatusesRead",
    "StockRead",
    "read_levels",
    "read_statuses",
    "read_stock",
]

ITEMS_PER_STATUS_PUSH_MAX = 10_000
"""The ERP sends at most 100 levels in a push; more of anything than this is no push of its."""
WRONG_TOLD_MAX = 10

T = TypeVar("T")

STAGES: dict[str, Stage] = {
    "released": Stage.ACCEPTED,
    "staging": Stage.ACCEPTED,
    "payment": Stage.BLOCKED_PAYMENT,
    "picking": Stage.IN_WAREHOUSE,
    "packing": Stage.IN_WAREHOUSE,
    "shipping": Stage.IN_WAREHOUSE,
    "invoicing": Stage.IN_WAREHOUSE,
    "processing": Stage.IN_WAREHOUSE,
    "issue": Stage.SHIPPED,
    "awaitingdate": Stage.ON_HOLD,
    "awaitingstock": Stage.ON_HOLD,
    "manualhold": Stage.ON_HOLD,
    "termshold": Stage.ON_HOLD,
    "archived": Stage.POSTED,
}
"""ShipmentStatus (contract khaos c)."""

LEFT_UNREAD = frozenset(
    {
        "apiversion",
        "availability",
        "averageweight",
        "buyprice",
        "channellistingprice",
        "code",
        "customoptions",
        "depth",
        "discountsdisabled",
        "dropshipitem",
        "eposdescription",
        "freetext",
        "gross",
        "height",
        "id",
        "images",
        "leadtime",
        "listingprices",
        "longdescription",
        "manufacturer",
        "metadescription",
        "metakeywords",
        "metatitle",
        "minlevel",
        "name",
        "net",
        "nonphysical",
        "reordermultiple",
        "safelevel",
        "stocktype1",
        "stocktype2",
        "stocktype3",
        "stocktype4",
        "supplierinfo",
        "taxrate",
        "type",
        "userdefinedfields",
        "vatreliefqualified",
        "websiteprice",
        "webteaser",
        "width",
    }
)
"""Fields that the contract knows and that we have no use for: no surprise."""


class HeardItem(Record, frozen=True, kw_only=True):
    line_ref: str
    stock_code: str
    units: Decimal


class HeardPackage(Record, frozen=True, kw_only=True):
    tracking_number: str
    courier_name: str
    courier_code: str | None
    shipped_on: date | None


class HeardShipment(Record, frozen=True, kw_only=True):
    shipment_id: str
    code: str
    status: str
    items: tuple[HeardItem, ...]
    packages: tuple[HeardPackage, ...]


class HeardStatus(Record, frozen=True, kw_only=True):
    """What one push says of one sales order."""

    references: tuple[str, ...]
    """What may be our reference, the surest first: one of them is."""
    order_code: str
    status: str
    shipments: tuple[HeardShipment, ...]


class HeardLevel(Record, frozen=True, kw_only=True):
    stock_code: str
    stock_id: str
    site_id: str
    available: Decimal | None
    """None: it is not stock-controlled."""
    on_order: Decimal | None
    buildable: Decimal | None


class Read(Record, frozen=True, kw_only=True):
    """Common to all pushes: what could not be read, by its place."""

    wrong: tuple[str, ...] = ()


class StatusesRead(Read, frozen=True, kw_only=True):
    statuses: tuple[HeardStatus, ...]


class LevelsRead(Read, frozen=True, kw_only=True):
    levels: tuple[HeardLevel, ...]


class StockRead(Read, frozen=True, kw_only=True):
    products: tuple[Product, ...]
    deleted: tuple[str, ...]
    """Stock ids."""


def read_statuses(body: Part, settings: CloudSettings) -> StatusesRead:
    """`OrderStatusUpload`."""
    things = _things(body, "Statuses", having=("AssociatedRef", "OrderCode", "OrderID"))
    read, wrong = _each(things, lambda part: _status(part, settings))
    return StatusesRead(statuses=read, wrong=wrong)


def read_levels(body: Part, settings: CloudSettings) -> LevelsRead:
    """`StockStatusUpload`."""
    things = _things(body, "Statuses", having=("StockCode", "StockID", "SiteID"))
    read, wrong = _each(things, lambda part: _level(part, settings))
    return LevelsRead(levels=read, wrong=wrong)


def read_stock(body: Part) -> StockRead:
    """`StockUpload`: items, and the ids of deleted ones. Both lists may be missing."""
    if not body.has("Items", "Deleted"):
        raise BadBody("neither Items nor Deleted is there")
    read, wrong = _each(
        body.parts("Items", having=("StockCode", "StockID", "Options")), _product
    )
    deleted = [
        each
        for part in body.parts("Deleted", having=("StockID", "ID"))
        for each in part.texts("StockID", "ID") or [part.own_text()]
    ]
    return StockRead(
        products=read, deleted=tuple(each for each in deleted if each), wrong=wrong
    )


def _things(body: Part, name: str, *, having: Sequence[str]) -> list[Part]:
    if not body.has(name):
        raise BadBody(f"{name} is not there")
    return body.parts(name, having=having)


def _each(
    things: Sequence[Part], read: Callable[[Part], T]
) -> tuple[tuple[T, ...], tuple[str, ...]]:
    """All that can be read, and why the rest can't; one bad thing spoils no other."""
    if len(things) > ITEMS_PER_STATUS_PUSH_MAX:
        raise BadBody(f"{len(things):,} things at once: {ITEMS_PER_STATUS_PUSH_MAX:,} at most")
    good: list[T] = []
    wrong: list[str] = []
    for number, part in enumerate(things, start=1):
        try:
            good.append(read(part))
        except BadBody as error:
            wrong.append(f"number {number}: {error}")
    if (more := len(wrong) - WRONG_TOLD_MAX) > 0:
        wrong[WRONG_TOLD_MAX:] = [f"and {more:,} more"]
    return tuple(good), tuple(wrong)


# ── orders ──────────────────────────────────────────────────────────────────────────────────


def _status(part: Part, settings: CloudSettings) -> HeardStatus:
    own = part.key("CustomData")
    said = part.key("AssociatedRef")
    references = dict.fromkeys(
        (*((own.strip(),) if own else ()), *bare_references(said, settings))
    )
    if not references:
        raise BadBody("neither AssociatedRef nor CustomData is there")
    status = part.key("Status", "OrderStatus")
    if not status:
        raise BadBody("neither Status nor OrderStatus is there")
    code = part.key("OrderCode")
    order_id = part.key("OrderID")
    part.text("ChannelID")
    return HeardStatus(
        references=tuple(references),
        order_code=code or order_id or said or own,
        status=status,
        shipments=tuple(
            _shipment(each)
            for each in part.parts("Shipments", having=("ID", "Code", "Items", "Packages"))
        ),
    )


def _shipment(part: Part) -> HeardShipment:
    shipment_id, code = part.key("ID"), part.key("Code")
    if not shipment_id and not code:
        raise BadBody("a shipment has neither ID nor Code")
    return HeardShipment(
        shipment_id=shipment_id or code,
        code=code or shipment_id,
        status=part.key("Status", "ShipmentStatus"),
        items=tuple(
            _item(each)
            for each in part.parts("Items", having=("SKU", "OrderItemID", "Quantity"))
        ),
        packages=tuple(
            _package(each)
            for each in part.parts(
                "Packages", having=("ConsignmentRef", "Courier", "ShipmentDate")
            )
        ),
    )


def _item(part: Part) -> HeardItem:
    code = part.key("SKU", "StockCode")
    units = part.figure("Quantity")
    line_ref = part.key("ImportRef")
    for known in ("OrderItemID", "ShipmentItemID", "WebsiteItemRef", "WebItemRef"):
        part.text(known)
    if not code and not line_ref:
        raise BadBody("an item of a shipment has neither SKU nor ImportRef")
    if units is None:
        raise BadBody(f"the Quantity of {code or line_ref} in a shipment is not there")
    return HeardItem(line_ref=line_ref, stock_code=code, units=units)


def _package(part: Part) -> HeardPackage:
    courier = part.part("Courier")
    name = courier.text("Name") if courier else ""
    code = courier.text("Code") if courier else ""
    plain = part.text("Courier")
    return HeardPackage(
        tracking_number=part.key("ConsignmentRef"),
        courier_name=name or plain,
        courier_code=code or None,
        shipped_on=_day(part.text("ShipmentDate")),
    )


def _day(said: str) -> date | None:
    try:
        moment = received_moment(said)
    except (ProtocolSurprise, ValueError, OverflowError):
        raise BadBody("a ShipmentDate is no date") from None
    return None if moment is None else moment.astimezone(LONDON).date()


# ── stock ───────────────────────────────────────────────────────────────────────────────────


def _level(part: Part, settings: CloudSettings) -> HeardLevel:
    code = part.key("StockCode")
    if not code:
        raise BadBody("StockCode is not there")
    levels = part.part("Levels")
    potential = part.part("RelationshipPotential")
    available = levels.figure("Available") if levels else None
    if levels and available is None:
        raise BadBody(f"the levels of {code} have no Available")
    if potential:
        potential.figure("FromParents")
    return HeardLevel(
        stock_code=code,
        stock_id=part.key("StockID"),
        site_id=part.key("SiteID") or settings.site_id,
        available=available,
        on_order=levels.figure("OnOrder") if levels else None,
        buildable=potential.figure("FromChildren") if potential else None,
    )


def _product(part: Part) -> Product:
    code = part.key("StockCode")
    if not code:
        raise BadBody("StockCode is not there")
    options = part.part("Options") or Part(f"{part.path}/Options")
    sell = part.part("SellPrice")
    gross = sell.figure("Gross") if sell else None
    net = sell.figure("Net") if sell else None
    web = part.part("WebProperties")
    multiple = part.figure("SalesMultiple")
    cap = web.figure("MetaDisplayQty") if web else None
    return Product(
        stock_code=code,
        description=part.text("ShortDescription", "StockDescription"),
        discontinued=options.flag("Discontinued", default=False),
        run_to_zero=options.flag("RunToZero", default=False),
        stock_controlled=options.flag("StockControlled", default=True),
        sales_multiple=_whole(multiple),
        display_cap=_whole(cap),
        stock_id=part.key("StockID") or None,
        other_ref=part.text("OtherRef") or None,
        barcodes=tuple(
            dict.fromkeys(
                said
                for each in part.parts("Barcodes", having=("Barcode", "Type"))
                if (said := each.text("Barcode") or each.own_text())
            )
        ),
        on_web=options.flag("PublishOnWeb", default=True)
        if options.has("PublishOnWeb")
        else None,
        sell_price=gross if gross is not None else net,
        sell_price_is_net=None if gross is None and net is None else gross is None,
    )


def _whole(figure: Decimal | None) -> int | None:
    if figure is None or figure <= 0:
        return None
    return int(figure.to_integral_value(ROUND_CEILING))
