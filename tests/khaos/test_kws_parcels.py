"""Parcels of an order: boxes, their items, tracking numbers, couriers."""

from decimal import Decimal

import pytest

from kcjl.khaos.port import Parcel
from tests.khaos.conftest import MakeAdapter
from tests.khaos.samples import SENT, box, found, invoice, says, status
from tests.khaos.server import ScriptedErp

pytestmark = pytest.mark.anyio


async def parcels(make: MakeAdapter) -> tuple[Parcel, ...]:
    order = await found(make)
    return tuple(parcel for invoice in order.invoices for parcel in invoice.parcels)


async def test_order_with_two_invoices_and_boxes_has_each_parcel(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """Part shipments: each box of each invoice, with its own tracking, items and state."""
    first = box(
        SENT.format("BOX_ITEM", "LAMP", "1") + SENT.format("BOX_ITEM", "lamp", "2"),
        SHIPPED="-1",
        CONSIGNMENT_REF="A1",
    )
    second = box(SENT.format("BOX_ITEM", "SOFA", "1.5"), SHIPPED="0", COURIER="Van")
    says(
        erp,
        status(
            invoice(first + second, CONSIGNMENT_REF="A1")
            + invoice(
                SENT.format("INVOICE_ITEM", "RUG", "1.00")
                + SENT.format("INVOICE_ITEM", "PILE", "0.00"),
                INVOICE_CODE="INV2",
                INVOICE_STAGE_ID="18",
            )
        ),
    )

    shown = [
        (p.parcel_key, p.shipped, p.courier_name, p.courier_code, p.tracking_number, p.items)
        for p in await parcels(make)
    ]

    assert [
        ("INV88012/1", True, "DPD Next Day", "DPD24", "A1", (("LAMP", Decimal(3)),)),
        ("INV88012/2", False, "Van", None, "", (("SOFA", Decimal("1.5")),)),
        ("INV2", False, "DPD Next Day", "DPD24", "", (("RUG", Decimal("1.00")),)),
    ] == shown


@pytest.mark.parametrize(
    ("boxes", "on_invoice", "expected"),
    [
        ("", "A1;B2", ["A1"]),
        ("", " A1 , B2\tC3", ["A1"]),
        (box(), "A1, B2", ["A1"]),
        (box(CONSIGNMENT_REF="X9 X8"), "A1", ["X9"]),
        (box() + box(), "A1", ["A1", "A1"]),
        (box() + box(), "A1, B2", ["A1", "B2"]),
        (box() + box(), "A1 A1 B2 C3", ["A1", "A1"]),
        (box(CONSIGNMENT_REF="X9") + box(), "X9", ["X9", ""]),
        (box() + box(), ";,", ["", ""]),
    ],
)
async def test_parcel_tracking_lists_are_split_never_made_into_parcels(
    erp: ScriptedErp, make: MakeAdapter, boxes: str, on_invoice: str, expected: list[str]
) -> None:
    """One number a parcel: the box's, else the invoice's; n numbers for n boxes in order."""
    says(erp, status(invoice(boxes, CONSIGNMENT_REF=on_invoice)))

    assert expected == [parcel.tracking_number for parcel in await parcels(make)]


async def test_parcel_single_box_without_items_holds_the_invoices(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """One box is the whole invoice; of two, nobody knows."""
    rows = f"<INVOICE_ITEMS>{SENT.format('INVOICE_ITEM', 'RUG', '2')}</INVOICE_ITEMS>"
    says(erp, status(invoice(box() + rows) + invoice(box() + box() + rows, INVOICE_CODE="I2")))

    held = {parcel.parcel_key: parcel.items for parcel in await parcels(make)}

    assert {"INV88012/1": (("RUG", Decimal(2)),), "I2/1": (), "I2/2": ()} == held
