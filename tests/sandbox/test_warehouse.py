"""The sandbox's ERP as a model: what it takes, what it refuses, and how it counts stock."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.errors import Misuse
from kcjl.money import Money
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.warehouse import KhaosFault, StageId, Warehouse
from kcjl.sandbox.warehouse.pricing import UnitPrice, price_line
from kcjl.sandbox.warehouse.settings import Site, WarehouseSettings
from tests.sandbox.warehouse_orders import MONDAY_9, document, imported, live, warehouse_of

# ── import ──


def test_import_with_full_stock_lowers_the_level_at_once() -> None:
    """LEVEL is physical less assigned, and an import assigns; the ERP's spelling comes back."""
    warehouse = warehouse_of()

    order = imported(warehouse, document(lines=[("lamp-oak-01", 2, "64.99")]))

    assert Decimal(18) == warehouse.level("LAMP-oak-01")
    assert order.lines[0].item.code == "LAMP-OAK-01"
    assert [invoice.stage for invoice in order.invoices] == [StageId.ORDERS_STAGING]
    assert Money(12998) == order.gross_total


def test_import_of_a_known_reference_is_skipped() -> None:
    """The external reference is the duplicate key: one sales order per reference."""
    warehouse = warehouse_of()
    first = imported(warehouse, document())

    again = warehouse.import_orders(document())

    assert again.imported_count == 0
    assert "JL100200300" in again.skipped[0].reason
    assert [first] == warehouse.orders_by_ref("JL100200300")
    assert Decimal(18) == warehouse.level("LAMP-OAK-01")


@pytest.mark.parametrize(
    ("order", "named"),
    [
        (document(lines=[("NOPE", 1, "1")]), "NOPE"),
        (document(ref="J" * 16), "ASSOCIATED_REF"),
        (document(surname="S" * 51), "ISURNAME"),
        (document(header="<SITE>Leeds</SITE>"), "Leeds"),
        (document(header="<SALES_SOURCE>john lewis</SALES_SOURCE>"), "john lewis"),
        (document(company_class="marketplace"), "marketplace"),
        (document(header="<ORDER_DATE>31/06/2026</ORDER_DATE>"), "31/06/2026"),
        (document(line="<TAX_RATE>9</TAX_RATE>"), "9"),
        (document(lines=[("VASE", 0, "1")]), "ORDER_QTY"),
        (document(header="<ORDER_CURRENCY_CODE>EUR</ORDER_CURRENCY_CODE>"), "EUR"),
        ("<SALES_ORDERS><SALES_ORDER/></SALES_ORDERS>", "ORDER_HEADER"),
        ("not xml", "no XML"),
        ("<!DOCTYPE a []>" + document(), "document type"),
    ],
)
def test_import_of_what_the_erp_refuses_is_a_fault_that_names_it(
    order: str, named: str
) -> None:
    """A refused order leaves no trace."""
    warehouse = warehouse_of()

    with pytest.raises(KhaosFault, match=named):
        warehouse.import_orders(order)

    assert not warehouse.sales_orders
    assert Decimal(20) == warehouse.level("LAMP-OAK-01")


def test_import_of_a_discontinued_item_is_a_fault() -> None:
    """Discontinued items cannot be sold."""
    warehouse = warehouse_of()
    warehouse.edit_product("VASE", discontinued=True)

    with pytest.raises(KhaosFault, match="Item VASE is discontinued"):
        warehouse.import_orders(document(lines=[("VASE", 1, "10")]))


def test_import_of_a_run_to_zero_item_counts_all_its_lines() -> None:
    """A run-to-zero item must not fall below 0, also when it stands on two lines."""
    warehouse = warehouse_of()
    warehouse.edit_product("VASE", run_to_zero=True)

    with pytest.raises(KhaosFault, match="VASE"):
        warehouse.import_orders(document(lines=[("VASE", 3, "10"), ("VASE", 3, "10")]))
    imported(warehouse, document(lines=[("VASE", 3, "10"), ("VASE", 2, "10")]))

    assert Decimal(0) == warehouse.level("VASE")


def test_import_with_option_019821_creates_the_unknown_item() -> None:
    """The option creates the item silently."""
    warehouse = warehouse_of(creates_unknown_stock=True)

    order = imported(warehouse, document(lines=[("NEW-1", 1, "5.00")]))

    assert "[TBC]" in warehouse.stock.get("new-1").description
    assert [invoice.stage for invoice in order.invoices] == [StageId.ORDERS_FUTURE_STOCK]


@pytest.mark.parametrize(("atomic", "kept"), [(False, 1), (True, 0)])
def test_import_of_several_orders_with_a_bad_one_keeps_what_the_setting_says(
    *, atomic: bool, kept: int
) -> None:
    """Several orders in a call are taken one by one, or all or none."""
    warehouse = warehouse_of(batch_is_atomic=atomic)
    good, bad = document(ref="A"), document(ref="B", lines=[("NOPE", 1, "1")])
    both = good.replace("</SALES_ORDERS>", "") + bad.replace("<SALES_ORDERS>", "")

    with pytest.raises(KhaosFault, match="NOPE"):
        warehouse.import_orders(both)

    assert kept == len(warehouse.sales_orders)


def test_import_of_a_pack_assigns_its_children() -> None:
    """The document names the pack header; the ERP adds the children itself."""
    warehouse = warehouse_of()

    order = imported(warehouse, document(lines=[("GIFT-SET", 2, "80.00")]))

    assert [line.item.code for line in order.lines] == ["GIFT-SET", "LAMP-OAK-01", "VASE"]
    assert (Decimal(18), Decimal(1)) == (
        warehouse.level("LAMP-OAK-01"),
        warehouse.level("VASE"),
    )
    assert Money(16000) == order.gross_total


@pytest.mark.parametrize(
    ("delivery", "charged"),
    [
        ("", Money(495)),
        ("<DELIVERY_GRS>-1</DELIVERY_GRS>", Money(0)),
        ("<DELIVERY_GRS>3.50</DELIVERY_GRS>", Money(350)),
        ("<DELIVERY_NET>1.00</DELIVERY_NET><DELIVERY_TAX>0.20</DELIVERY_TAX>", Money(120)),
    ],
)
def test_import_delivery_charge_blank_is_the_erps_own(delivery: str, charged: Money) -> None:
    """Blank means the ERP's own charge, -1 none, any other value is stored."""
    order = imported(warehouse_of(), document(delivery=delivery))

    assert charged == order.delivery_gross


def test_import_amount_that_differs_is_remarked_on() -> None:
    """ORDER_AMOUNT is a check only."""
    order = document(header="<ORDER_AMOUNT>130.00</ORDER_AMOUNT>")

    result = warehouse_of().import_orders(order)
    with pytest.raises(KhaosFault, match="differs"):
        warehouse_of(amount_mismatch_answer="fault").import_orders(order)

    assert "129.98" in result.imported[0].message


def test_import_keeps_what_the_character_set_can_hold() -> None:
    """Outside Windows-1252 a character becomes a question mark."""
    order = imported(warehouse_of(), document(surname="Žöłty"))

    assert order.document.customer.invoice_to.surname == "Žö?ty"


# ── arithmetic ──


@pytest.mark.parametrize(
    ("unit", "is_net", "class_is_net", "expected"),
    [
        ("64.99", False, False, (10832, 2166, 12998)),
        ("10.01", True, True, (2002, 400, 2402)),
        ("10.01", True, False, (2002, 400, 2402)),
        ("9.99", False, True, (1666, 333, 1999)),
    ],
)
def test_line_amounts_follow_the_calculation_of_the_class(
    unit: str, *, is_net: bool, class_is_net: bool, expected: tuple[int, int, int]
) -> None:
    """Gross classes take tax out, net classes put it on; turned prices lose their pennies."""
    amounts = price_line(
        UnitPrice(amount=Decimal(unit), is_net=is_net), Decimal(2), class_is_net=class_is_net,
        tax_percent=Decimal(20), discount_percent=Decimal(0), currency="GBP",
    )  # fmt: skip

    assert expected == (
        amounts.net.amount_minor, amounts.tax.amount_minor, amounts.gross.amount_minor,
    )  # fmt: skip


@given(
    pence=st.integers(0, 10**6), units=st.integers(1, 500), net=st.booleans(),
    class_net=st.booleans(), tax=st.sampled_from([0, 5, 20]), discount=st.integers(0, 100),
)  # fmt: skip
def test_line_amounts_always_add_up(
    pence: int,
    units: int,
    tax: int,
    discount: int,
    *,
    net: bool,
    class_net: bool,
) -> None:
    """Net + tax = gross, whatever is sold to whom."""
    amounts = price_line(
        UnitPrice(amount=Decimal(pence) / 100, is_net=net), Decimal(units),
        class_is_net=class_net, tax_percent=Decimal(tax), discount_percent=Decimal(discount),
        currency="GBP",
    )  # fmt: skip

    assert amounts.gross == amounts.net + amounts.tax
    assert amounts.gross >= Money(0)


# ── stock ──


def test_sell_elsewhere_takes_only_what_is_free() -> None:
    """Other channels can't take what is assigned; unknown codes are counted."""
    warehouse = warehouse_of()
    imported(warehouse, document(lines=[("VASE", 3, "1")]))

    assert warehouse.sell_elsewhere([("vase", 4), ("LAMP-OAK-01", 1), ("NOPE", 9)]) == 2
    assert Decimal(0) == warehouse.level("VASE")
    assert Decimal(3) == warehouse.stock.get("VASE").physical[1]
    assert warehouse.unknown_elsewhere == 9


def test_sell_elsewhere_of_a_pack_takes_its_children() -> None:
    """A pack sold elsewhere empties its children's shelves."""
    warehouse = warehouse_of()

    assert warehouse.sell_elsewhere([("GIFT-SET", 3)]) == 1
    assert (Decimal(18), Decimal(1)) == (
        warehouse.level("LAMP-OAK-01"),
        warehouse.level("VASE"),
    )


def test_adjustment_may_make_the_level_negative_and_fractional() -> None:
    """LEVEL has no floor."""
    warehouse = warehouse_of()
    warehouse.adjust("VASE", "-7.5", "broken")

    assert Decimal("-2.5") == warehouse.level("VASE")
    warehouse.take_back("VASE", 3)
    assert Decimal("0.5") == warehouse.level("VASE")


def test_movements_move_the_movement_date_and_edits_the_revision_date() -> None:
    """DateType 2 follows every change of the level, DateType 0 the edits only."""
    warehouse = warehouse_of()
    live(warehouse, timedelta(hours=1))
    an_hour_later = warehouse.agenda.now
    warehouse.sell_elsewhere([("VASE", 1)])
    warehouse.edit_product("LAMP-OAK-01", description="Oak lamp")
    stock = warehouse.stock

    assert [i.code for i in stock.moved_since(an_hour_later, inclusive=True)] == ["VASE"]
    assert [item.code for item in stock.revised_since(an_hour_later, inclusive=True)] == [
        "LAMP-OAK-01"
    ]
    assert stock.moved_since(an_hour_later, inclusive=False) == []
    assert len(stock.moved_since(None, inclusive=True)) == 3


def test_levels_are_kept_per_site_and_an_order_takes_from_its_own() -> None:
    """The order's site decides where stock is taken from."""
    sites = (Site(site_id=1, name="Main Site"), Site(site_id=2, name="Leeds"))
    warehouse = Warehouse(Agenda(MONDAY_9, 1), WarehouseSettings(sites=sites))
    warehouse.add_product("VASE", description="V", sell_price="10", physical={"1": 5, "2": 3})
    imported(warehouse, document(lines=[("VASE", 2, "10")], header="<SITE>leeds</SITE>"))

    assert (Decimal(5), Decimal(1)) == (
        warehouse.level("VASE", 1),
        warehouse.level("VASE", "Leeds"),
    )
    assert Decimal(6) == warehouse.level("VASE")
    with pytest.raises(Misuse):
        warehouse.level("VASE", 3)
