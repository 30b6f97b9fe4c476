"""What the Cloud ERP has told of a sales order, in the port's words.

Promises: pure; a shipment is one parcel, for the feed says what is in a shipment and not in
which of its packages, and every number of theirs is told; its order lines are named. Shipped
by its stage, or by a package's date at the last stages before.
Invariant: a parcel's key is the shipment's id, which never changes.
Called by `cloud.py`. Source: contract khaos b.5, b.10, c.
"""

import re
from decimal import Decimal

from kcjl.khaos.cloud_feed import KnownStatus
from kcjl.khaos.cloud_inbound import STAGES, HeardShipment
from kcjl.khaos.order_port import Invoice, OrderStatus, Parcel, Queued, Stage

__all__ = ["order_status", "waiting_status"]

_CANCELLED = frozenset({"cancelled", "canceled"})
_COMPLETE = "complete"
_SEPARATORS = re.compile(r"[,;\s]+")
_BY_DATE = frozenset({"shipping", "invoicing"})
"""At these stages a package with a shipment date has gone; before them the date is a plan."""


def order_status(known: KnownStatus) -> OrderStatus:
    status = known.status.strip().casefold()
    return OrderStatus(
        external_ref=known.reference,
        erp_order_code=known.order_code,
        cancelled=status in _CANCELLED,
        cancel_reason="",
        complete=status == _COMPLETE,
        currency="",
        gross_total=None,
        invoices=tuple(_invoice(each) for each in known.shipments),
        heard_at=known.first_heard_at,
        shows_total=False,
    )


def waiting_status(external_ref: str, queued: Queued) -> OrderStatus:
    """An order that the ERP has said nothing of yet."""
    return OrderStatus(
        external_ref=external_ref,
        erp_order_code="",
        cancelled=False,
        cancel_reason="",
        complete=False,
        currency="",
        gross_total=None,
        invoices=(),
        queued=queued,
        shows_total=False,
    )


def _invoice(shipment: HeardShipment) -> Invoice:
    said = shipment.status.strip().casefold().replace(" ", "")
    stage = STAGES.get(said, Stage.UNKNOWN)
    dates = [each.shipped_on for each in shipment.packages if each.shipped_on is not None]
    if said in _BY_DATE and dates:
        stage = Stage.SHIPPED
    elif said in _CANCELLED:
        stage = Stage.CANCELLED
    packages = sorted(shipment.packages, key=lambda each: not each.tracking_number)
    first = packages[0] if packages else None
    numbers = _numbers(shipment)
    items: dict[str, tuple[str, Decimal]] = {}
    for item in shipment.items:
        code, before = items.get(item.stock_code.casefold(), (item.stock_code, Decimal(0)))
        items[code.casefold()] = (code, before + item.units)
    return Invoice(
        invoice_code=shipment.code,
        stage=stage,
        stage_raw=shipment.status,
        parcels=(
            Parcel(
                parcel_key=shipment.shipment_id,
                shipped=stage in (Stage.SHIPPED, Stage.POSTED),
                courier_name=first.courier_name if first else "",
                courier_code=first.courier_code if first else None,
                tracking_number=next(iter(numbers), ""),
                more_tracking_numbers=numbers[1:],
                shipped_on=min(dates) if dates else None,
                items=tuple(each for each in items.values() if each[1] > 0),
                line_refs=tuple(
                    (item.line_ref, item.stock_code, item.units)
                    for item in shipment.items
                    if item.units > 0
                ),
            ),
        ),
    )


def _numbers(shipment: HeardShipment) -> tuple[str, ...]:
    """Distinct tracking numbers of all its packages; one field may list several (h.13)."""
    listed = (
        number
        for package in shipment.packages
        for number in _SEPARATORS.split(package.tracking_number)
    )
    return tuple(dict.fromkeys(number for number in listed if number))
