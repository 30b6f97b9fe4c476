"""A person's hand in the ERP: stages, boxes, parts, goods in, system data."""

from decimal import Decimal

import pytest

from kcjl.errors import Misuse
from kcjl.sandbox.warehouse import StageId
from tests.sandbox.warehouse_orders import document, imported, live, warehouse_of

BOTH = (("LAMP-OAK-01", 4, "64.99"), ("VASE", 3, "10"))


def test_part_is_shipped_by_hand_and_the_rest_follows() -> None:
    """Two invoices that add up to the order; the stock leaves with each."""
    warehouse = warehouse_of()
    order = imported(warehouse, document(lines=BOTH))
    (first,) = order.invoices
    rest = warehouse.ship_part(first.code, [("lamp-oak-01", 4), ("VASE", 1)])
    quantities = [invoice.quantity for invoice in order.invoices]
    shipped = [invoice.shipped_at is not None for invoice in order.invoices]
    live(warehouse)

    assert (quantities, shipped) == ([Decimal(5), Decimal(2)], [True, False])
    assert [invoice.code for invoice in order.invoices] == [first.code, rest]
    assert order.complete
    assert Decimal(2) == warehouse.stock.get("VASE").physical[1] == warehouse.level("VASE")


@pytest.mark.parametrize(
    "items", [[("VASE", 9)], [("NOPE", 1)], [("VASE", 0)], BOTH, [], [("VASE", -1)]]
)
def test_part_that_the_invoice_does_not_hold_is_refused(items: list[tuple[str, int]]) -> None:
    """More than is on it, nothing, or all of it: no part."""
    warehouse = warehouse_of()
    (invoice,) = imported(warehouse, document(lines=BOTH)).invoices

    with pytest.raises(Misuse, match=invoice.code):
        warehouse.ship_part(invoice.code, [row[:2] for row in items])
    assert Decimal(7) == invoice.quantity


def test_part_of_a_pack_is_refused() -> None:
    """A pack goes whole."""
    warehouse = warehouse_of()
    (invoice,) = imported(warehouse, document(lines=[("GIFT-SET", 1, "80")])).invoices

    with pytest.raises(Misuse, match="pack"):
        warehouse.ship_part(invoice.code, [("VASE", 2)])


def test_box_by_hand_has_its_own_number_and_courier() -> None:
    """Two boxes, shipped by the courier that was said, each with the number that was said."""
    warehouse = warehouse_of()
    (invoice,) = imported(warehouse, document(lines=BOTH)).invoices
    warehouse.add_box(invoice.code, "VASE", 1)
    numbers = [f"N{number}" for number in range(len(invoice.boxes))]
    warehouse.confirm_shipment(invoice.code, courier="Evri", consignments=numbers)
    warehouse.set_consignment(invoice.code, 1, "A1,A2;A3")

    assert Decimal(7) == sum(row.quantity for box in invoice.boxes for row in box.items)
    assert {box.courier.name for box in invoice.boxes} == {"Evri"}
    assert ["A1,A2;A3", *numbers[1:]] == invoice.consignments
    with pytest.raises(Misuse):
        warehouse.confirm_shipment(invoice.code)


def test_shipment_by_an_unknown_courier_is_refused() -> None:
    """The system data has no such courier; nothing is shipped."""
    warehouse = warehouse_of()
    (invoice,) = imported(warehouse, document()).invoices

    with pytest.raises(Misuse, match="Pigeon"):
        warehouse.confirm_shipment(invoice.code, courier="Pigeon")
    assert invoice.shipped_at is None


def test_issued_invoice_goes_to_the_archive() -> None:
    """70, then 71, 72 or 73; an open one can't, and a stage by hand can't issue."""
    warehouse = warehouse_of()
    (invoice,) = imported(warehouse, document()).invoices
    for wrong in (1, 70, 71, 72, 73):
        with pytest.raises(Misuse):
            warehouse.move_stage(invoice.code, wrong)
    with pytest.raises(Misuse):
        warehouse.archive(invoice.code)
    warehouse.confirm_shipment(invoice.code)
    warehouse.issue(invoice.code)
    warehouse.archive(invoice.code, 73)

    assert invoice.stage == StageId.ISSUED_ARCHIVEDQ3
    assert invoice.order.complete


def test_sub_stage_of_a_clients_own_stays_where_a_hand_put_it() -> None:
    """Stage positions are editable: any number, and the staff leave it."""
    warehouse = warehouse_of()
    (invoice,) = imported(warehouse, document()).invoices
    warehouse.move_stage(invoice.code, 104)
    live(warehouse)

    assert invoice.stage == 104


def test_deleted_item_is_gone_and_its_name_is_free() -> None:
    """Stock, purchases or an order keep an item."""
    warehouse = warehouse_of()
    imported(warehouse, document(lines=[("VASE", 1, "10")]))
    warehouse.add_product("NEW", description="New", sell_price="1", other_ref="REF-1")
    for kept in ("LAMP-OAK-01", "VASE"):
        with pytest.raises(Misuse, match=kept):
            warehouse.delete_product(kept)
    warehouse.delete_product("new")
    warehouse.add_product("NEW", description="Newer", sell_price="1")
    ids = {item.item_id for item in warehouse.stock}

    assert warehouse.stock.find_by_other_ref("REF-1") is None
    assert warehouse.stock.get("NEW").description == "Newer"
    assert len(ids) == len(warehouse.stock) == 4


def test_item_of_more_than_four_styles_is_refused() -> None:
    """Size, colour, style, length: four levels."""
    warehouse = warehouse_of()
    with pytest.raises(Misuse, match="4 at most"):
        warehouse.add_product(
            "X", description="X", sell_price="1", parent="VASE", styles=[("A", "A")] * 5
        )


def test_invoice_at_a_future_stage_can_only_be_released() -> None:
    """From Manual Hold and Awaiting Stock an invoice goes to Released, nowhere else."""
    warehouse = warehouse_of()
    (invoice,) = imported(warehouse, document()).invoices
    warehouse.hold("JL100200300")
    with pytest.raises(Misuse, match="released"):
        warehouse.move_stage(invoice.code, 14)
    warehouse.move_stage(invoice.code, 9)

    assert invoice.stage == StageId.ORDERS_RELEASED
