"""Boxes of packs: told in what was ordered, no unit made up, and left alone when in doubt."""

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.khaos.packs import Items, Pack, folded
from kcjl.money import Money
from tests.khaos.conftest import MakeAdapter
from tests.khaos.samples import REF, SENT, box, found, invoice, order, says, status
from tests.khaos.server import ScriptedErp, string
from tests.khaos.test_kws_sandbox import START, Open, sandbox

__all__ = ["sandbox"]

pytestmark = pytest.mark.anyio


def items(**units: int) -> Items:
    return tuple((code, Decimal(each)) for code, each in units.items())


SET: Pack = ("SET", items(LAMP=1, BULB=2))


@pytest.mark.parametrize(
    ("boxes", "ordered", "expected"),
    [
        ([items(LAMP=1, BULB=2)], {"set": 1}, [items(SET=1)]),
        ([items(LAMP=3, BULB=5)], {"set": 3}, [items(LAMP=1, BULB=1, SET=2)]),
        ([items(LAMP=2, BULB=4)], {"set": 1, "lamp": 1}, [items(LAMP=1, BULB=2, SET=1)]),
        ([items(SET=1, LAMP=1, BULB=2)], {"set": 1}, [items(SET=1)]),
        ([items(SET=1, LAMP=2, BULB=2)], {"set": 1, "lamp": 1}, [items(SET=1, LAMP=1)]),
        (
            [items(SET=1, LAMP=1), items(BULB=2, RUG=1)],
            {"set": 1},
            [items(SET=1), items(RUG=1)],
        ),
        ([items(LAMP=1), items(BULB=2)], {"set": 1}, [items(LAMP=1), items(BULB=2)]),
        (
            [items(LAMP=1, BULB=2), items(LAMP=1, BULB=2)],
            {"set": 1},
            [items(SET=1), items(LAMP=1, BULB=2)],
        ),
        ([items(RUG=1)], {"set": 1, "rug": 1}, [items(RUG=1)]),
    ],
)
def test_folded_boxes_hold_packs(
    boxes: list[Items], ordered: dict[str, int], expected: list[Items]
) -> None:
    """Children of a listed pack go; children alone are whole packs, no more than ordered."""
    units = {code: Decimal(each) for code, each in ordered.items()}

    told = folded(boxes, [SET], units)

    assert [dict(each) for each in expected] == [dict(each) for each in told]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(0, 3)), max_size=4),
    st.integers(0, 6),
)
def test_folded_boxes_lose_and_invent_no_unit(
    rows: list[tuple[int, int, int]], packs: int
) -> None:
    """Unpacked again, the boxes hold what they held, and no more packs than were ordered."""
    boxes = [items(LAMP=lamp, BULB=bulb, RUG=rug) for lamp, bulb, rug in rows]

    told = folded(boxes, [SET], {"set": Decimal(packs)})

    assert sum(dict(each).get("SET", Decimal(0)) for each in told) <= packs
    for before, after in zip(boxes, told, strict=True):
        held = dict(after)
        made = held.get("SET", Decimal(0))
        again = {
            "LAMP": held.get("LAMP", Decimal(0)) + made,
            "BULB": held.get("BULB", Decimal(0)) + 2 * made,
            "RUG": held.get("RUG", Decimal(0)),
        }
        assert dict(before) == again


@pytest.mark.parametrize("made_of", [(), items(SET=1), items(LAMP=0)])
def test_pack_of_nothing_or_of_itself_folds_nothing(made_of: Items) -> None:
    """What the ERP's data can't mean changes no parcel."""
    boxes = [items(SET=1, LAMP=1)]

    assert boxes == folded(boxes, [("SET", made_of)], {"set": Decimal(1)})


EXPORTED = (
    f"<SALES_ORDERS><SALES_ORDER><ORDER_HEADER><ASSOCIATED_REF>{REF}</ASSOCIATED_REF>"
    "</ORDER_HEADER><ORDER_ITEMS><ORDER_ITEM><STOCK_CODE>SET</STOCK_CODE><ORDER_QTY>1"
    "</ORDER_QTY><IMPORT_REF>1</IMPORT_REF></ORDER_ITEM><ORDER_ITEM><STOCK_CODE>LAMP"
    "</STOCK_CODE><ORDER_QTY>1</ORDER_QTY></ORDER_ITEM></ORDER_ITEMS></SALES_ORDER>"
    "</SALES_ORDERS>"
)
PRODUCT = (
    "<STOCK_ITEMS><STOCK_ITEM><STOCK_CODE>SET</STOCK_CODE><LINKED_ITEMS><LINK_ITEM>"
    "<STOCK_CODE>LAMP</STOCK_CODE><LINK_TYPE>3</LINK_TYPE><LINK_VALUE>1</LINK_VALUE>"
    "</LINK_ITEM></LINKED_ITEMS></STOCK_ITEM></STOCK_ITEMS>"
)
BOXED = status(invoice(box(SENT.format("BOX_ITEM", "LAMP", "1"), SHIPPED="-1")))


async def test_box_of_children_is_told_as_the_ordered_pack_for_two_calls(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """The order is exported once and the pack asked for once; then both are known."""
    says(erp, BOXED, BOXED)
    erp.will_say("ExportOrders", string("", EXPORTED))
    erp.will_say("ExportStock", string("", PRODUCT))
    adapter = make()

    for _ in range(2):
        shown = await adapter.find_order(REF)
        assert shown is not None
        assert (("SET", Decimal(1)),) == shown.invoices[0].parcels[0].items
    assert (1, 1) == (len(erp.called("ExportOrders")), len(erp.called("ExportStock")))


async def test_box_stays_as_told_where_the_erp_will_not_tell(
    erp: ScriptedErp, make: MakeAdapter
) -> None:
    """A fault about packs never hides a parcel."""
    says(erp, BOXED)

    shown = await found(make)

    assert (("LAMP", Decimal(1)),) == shown.invoices[0].parcels[0].items


async def test_box_stays_as_told_by_setting(erp: ScriptedErp, make: MakeAdapter) -> None:
    """A site without packs saves the calls."""
    says(erp, BOXED)

    await make(fold_packs=False).find_order(REF)

    assert [] == erp.called("ExportOrders")


async def test_sandbox_order_of_packs_ships_as_packs(sandbox: Open) -> None:
    """The ERP adds the children; every box tells packs, and they add up to what was ordered."""
    warehouse, adapter = await sandbox()
    warehouse.add_product(
        "SET",
        description="Lamp and rug",
        sell_price=Money(15000),
        pack_of=[("LAMP-OAK-01", 2), ("RUG-02", 1)],
    )
    line = msgspec.structs.replace(
        order().lines[0], stock_code="SET", quantity=2, unit_gross=Money(15000)
    )
    await adapter.create_order(order(lines=(line,), gross_total=Money(30000)))
    warehouse.agenda.advance(START + timedelta(days=2))

    shown = await adapter.find_order(order().external_ref)

    assert shown is not None
    parcels = [parcel for invoice in shown.invoices for parcel in invoice.parcels]
    assert {"SET"} == {code for parcel in parcels for code, _ in parcel.items}
    assert Decimal(2) == sum(units for parcel in parcels for _, units in parcel.items)
