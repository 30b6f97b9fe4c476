"""The people in the sandbox's warehouse: their hours, their stages, their parcels."""

import itertools
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.clock import LONDON
from kcjl.errors import Misuse
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.warehouse import StageId, Warehouse
from kcjl.sandbox.warehouse.hours import WorkingHours
from kcjl.sandbox.warehouse.settings import Courier, Minutes, WarehouseSettings
from kcjl.sandbox.warehouse.staff import s10_check_digit
from tests.sandbox.warehouse_orders import DAY, document, imported, live, warehouse_of

# ── the people ──


def test_order_with_full_stock_goes_through_every_stage_to_issued() -> None:
    """10, 9, 12, 13, 14, shipped, 15, 16, 70; stock leaves the house at Issue only."""
    warehouse = warehouse_of()
    invoice = imported(warehouse, document()).invoices[0]
    seen = [int(invoice.stage)]
    while (when := warehouse.agenda.next_at) is not None:
        warehouse.agenda.advance(when)
        if invoice.stage != seen[-1]:
            seen.append(int(invoice.stage))
        if invoice.shipped_at is not None and invoice.issued_at is None:
            assert Decimal(20) == warehouse.stock.get("LAMP-OAK-01").physical[1]

    assert seen == [10, 9, 12, 13, 14, 15, 16, 70]
    assert invoice.order.complete
    assert Decimal(18) == warehouse.stock.get("LAMP-OAK-01").physical[1]
    assert Decimal(18) == warehouse.level("LAMP-OAK-01")
    assert all(box.shipped for box in invoice.boxes)


@given(minutes=st.integers(0, 100_000), work=st.integers(0, 5_000))
def test_working_hours_end_of_work_lies_in_opening_hours(minutes: int, work: int) -> None:
    """Nobody works at night, on Sunday or on a closed day, whatever the clocks do."""
    settings = WarehouseSettings(closed_on=(date(2026, 4, 3),))
    start = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    end = WorkingHours(settings).after(start, timedelta(minutes=work))
    wall = end.astimezone(LONDON)

    assert end >= start
    assert wall.weekday() != 6
    assert wall.date() != date(2026, 4, 3)
    assert timedelta(hours=8) <= timedelta(hours=wall.hour, minutes=wall.minute)
    assert (wall.hour, wall.minute) <= (18, 0)


def test_order_on_saturday_evening_is_released_on_monday_morning() -> None:
    """The warehouse is closed on Sunday; a quick one never closes."""
    saturday = datetime(2026, 3, 28, 19, 0, tzinfo=UTC)  # the clocks change that night
    closed = Warehouse(Agenda(saturday, 1), WarehouseSettings())
    quick = Warehouse(Agenda(saturday, 1), WarehouseSettings.quick())
    for warehouse in (closed, quick):
        warehouse.add_product("VASE", description="Vase", sell_price="10", physical=5)
        warehouse.import_orders(document(lines=[("VASE", 1, "10")]))
        warehouse.agenda.advance(datetime(2026, 3, 30, 7, 4, tzinfo=UTC))

    assert closed.orders_by_ref("JL100200300")[0].invoices[0].stage == StageId.ORDERS_STAGING
    assert quick.orders_by_ref("JL100200300")[0].invoices[0].stage == StageId.ISSUED_CURRENT


def test_big_order_goes_in_two_boxes_with_two_numbers() -> None:
    """Each box has its own consignment; together they hold what the invoice holds."""
    warehouse = warehouse_of(couriers=[{"name": "DPD", "consignment": "1550##########"}])
    invoice = imported(
        warehouse, document(lines=[("LAMP-OAK-01", 5, "1"), ("VASE", 2, "1")])
    ).invoices[0]
    live(warehouse)

    assert len(invoice.boxes) == 2
    assert len(set(invoice.consignments)) == 2
    assert all(len(number) == 14 for number in invoice.consignments)
    assert Decimal(7) == sum(row.quantity for box in invoice.boxes for row in box.items)


def test_short_stock_ships_what_is_there_and_the_rest_after_goods_in() -> None:
    """Part shipments: two invoices, and the second waits at Awaiting Stock."""
    warehouse = warehouse_of()
    order = imported(warehouse, document(lines=[("VASE", 8, "10")]))

    assert [invoice.stage for invoice in order.invoices] == [
        StageId.ORDERS_STAGING,
        StageId.ORDERS_FUTURE_STOCK,
    ]
    live(warehouse)
    assert not order.complete
    warehouse.goods_in("vase", 10)
    assert Decimal(7) == warehouse.level("VASE")
    live(warehouse)

    assert order.complete
    assert [Decimal(5), Decimal(3)] == [invoice.quantity for invoice in order.invoices]
    assert Decimal(7) == warehouse.stock.get("VASE").physical[1] == warehouse.level("VASE")


def test_short_stock_without_part_shipments_waits_as_a_whole() -> None:
    """The setting off: one invoice, all of it waits."""
    warehouse = warehouse_of(ships_in_parts=False)
    order = imported(warehouse, document(lines=[("VASE", 8, "10")]))
    live(warehouse)

    assert [invoice.stage for invoice in order.invoices] == [StageId.ORDERS_FUTURE_STOCK]
    assert Decimal(0) == warehouse.level("VASE")
    assert Decimal(5) == order.quantity_assigned


def test_goods_in_serves_the_oldest_delivery_date_first() -> None:
    """A delivery raises the level by less than received while orders wait."""
    warehouse = warehouse_of()
    imported(warehouse, document(ref="FIRST", lines=[("VASE", 5, "1")]))
    late, soon = (
        imported(
            warehouse,
            document(
                ref=f"D{day}",
                lines=[("VASE", 2, "1")],
                header=f"<DELIVERY_DATE>2026-03-{day}</DELIVERY_DATE>",
            ),
        )
        for day in ("09", "05")
    )

    warehouse.goods_in("VASE", 3)

    assert (Decimal(2), Decimal(1)) == (soon.quantity_assigned, late.quantity_assigned)
    assert Decimal(0) == warehouse.level("VASE")


def test_unpaid_order_stops_at_payment_until_it_is_authorised() -> None:
    """Move next from Released: not fully paid goes to Authorise Payment."""
    warehouse = warehouse_of()
    order = imported(warehouse, document(payment="1.00"))
    live(warehouse)

    assert [invoice.stage for invoice in order.invoices] == [StageId.ORDERS_AUTHORISEPAYMENT]
    assert warehouse.authorise_payment("JL100200300") == 1
    live(warehouse)
    assert order.complete


def test_far_delivery_date_waits_for_its_day() -> None:
    """Awaiting Date, then straight to Released."""
    warehouse = warehouse_of()
    order = imported(
        warehouse, document(header="<DELIVERY_DATE>2026-04-20T00:00:00</DELIVERY_DATE>")
    )
    live(warehouse, 30 * DAY)
    assert [invoice.stage for invoice in order.invoices] == [StageId.ORDERS_FUTURE_DATE]
    live(warehouse, 20 * DAY)

    assert order.complete


# ── what persons do ──


def test_cancel_before_shipping_gives_the_stock_back() -> None:
    """The stock is free again, and the reference stays taken."""
    warehouse = warehouse_of()
    order = imported(warehouse, document())

    assert warehouse.cancel_order("JL100200300", "customer asked") == "cancelled"
    live(warehouse)

    assert Decimal(20) == warehouse.level("LAMP-OAK-01")
    assert [invoice.stage for invoice in order.invoices] == [StageId.CANCELLED]
    assert order.cancelled is not None
    assert warehouse.import_orders(document()).imported_count == 0


def test_cancel_of_the_rest_leaves_what_was_shipped() -> None:
    """A part had gone: only the rest is cancelled, and later goods-in is free."""
    warehouse = warehouse_of()
    order = imported(warehouse, document(lines=[("VASE", 8, "10")]))
    live(warehouse)

    assert warehouse.cancel_order("JL100200300", "too late") == "rest_cancelled"
    warehouse.goods_in("VASE", 3)

    assert order.cancelled is None
    assert order.complete
    assert Decimal(3) == warehouse.level("VASE")
    assert warehouse.cancel_order("JL100200300", "again") == "too_late"


def test_hold_stops_the_staff_until_it_is_released() -> None:
    """What was planned for a held invoice does not happen."""
    warehouse = warehouse_of()
    order = imported(warehouse, document())
    assert warehouse.hold("JL100200300") == 1
    live(warehouse)
    assert [invoice.stage for invoice in order.invoices] == [StageId.ORDERS_FUTURE_HOLD]
    assert warehouse.release_hold("JL100200300") == 1
    live(warehouse)

    assert order.complete


def test_un_shipped_parcel_goes_again_under_another_number() -> None:
    """A shipment can be taken back until it is issued."""
    warehouse = warehouse_of(couriers=[{"name": "DPD", "consignment": "1550##########"}])
    invoice = imported(warehouse, document()).invoices[0]
    warehouse.confirm_shipment(invoice.code)
    first = invoice.consignments

    assert warehouse.un_ship("JL100200300") == 1
    assert (invoice.shipped_at, invoice.consignments) == (None, [])
    live(warehouse)

    assert invoice.order.complete
    assert first != invoice.consignments
    assert warehouse.un_ship("JL100200300") == 0


def test_person_moves_a_stage_adds_a_box_and_writes_its_number() -> None:
    """By hand: the staff leave a moved invoice alone, and each box has its number."""
    warehouse = warehouse_of()
    invoice = imported(warehouse, document()).invoices[0]
    warehouse.move_stage(invoice.code, 20)
    live(warehouse)
    assert invoice.stage == StageId.ORDERS_PROCESSING
    warehouse.add_box(invoice.code, "lamp-oak-01", 1)
    warehouse.set_consignment(invoice.code, 2, "BY-HAND")
    with pytest.raises(Misuse):
        warehouse.add_box(invoice.code, "LAMP-OAK-01", 1)
    warehouse.confirm_shipment(invoice.code)
    warehouse.issue(invoice.code)

    assert [Decimal(1)] * 2 == [row.quantity for box in invoice.boxes for row in box.items]
    assert invoice.consignments[-1] == "BY-HAND"
    assert [Decimal(2)] == [item.quantity for item in invoice.items]
    assert Decimal(18) == warehouse.stock.get("LAMP-OAK-01").physical[1]


def test_late_consignment_comes_after_the_shipment() -> None:
    """Shipped without a number first; the number follows."""
    warehouse = warehouse_of(
        late_consignment_percent=100, couriers=[{"name": "DPD", "consignment": "1550####"}]
    )
    invoice = imported(warehouse, document()).invoices[0]
    warehouse.confirm_shipment(invoice.code)
    assert invoice.boxes[0].shipped
    assert not invoice.consignments
    live(warehouse)

    assert len(invoice.consignments) == 1


# ── the world ──


def test_same_seed_and_calls_give_the_same_warehouse() -> None:
    """A journal of calls can be played again."""

    def play() -> list[tuple[str, int, list[str], datetime | None]]:
        warehouse = warehouse_of()
        for number in range(6):
            warehouse.import_orders(document(ref=f"R{number}", lines=[("VASE", 2, "10")]))
            live(warehouse, timedelta(minutes=50))
        warehouse.goods_in("VASE", 20)
        live(warehouse)
        return [
            (invoice.code, int(invoice.stage), invoice.consignments, invoice.shipped_at)
            for order in warehouse.sales_orders.values()
            for invoice in order.invoices
        ]

    assert play() == play()


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["order", "in", "else", "cancel", "wait", "hold", "unhold"]),
                  st.integers(1, 9)),
        max_size=25,
    )
)  # fmt: skip
def test_assigned_stock_is_always_what_open_orders_hold(steps: list[tuple[str, int]]) -> None:
    """Whatever happens, Σ assigned = Σ assigned of lines not issued, and nothing is lost."""
    warehouse = warehouse_of()
    numbers = itertools.count()
    received = sold = 0
    for step, size in steps:
        refs = [order.external_ref for order in warehouse.sales_orders.values()]
        ref = refs[size % len(refs)] if refs else ""
        match step:
            case "order":
                warehouse.import_orders(
                    document(ref=f"R{next(numbers)}", lines=[("VASE", size, "10")])
                )
            case "in":
                warehouse.goods_in("VASE", size)
                received += size
            case "else":
                sold += size - warehouse.sell_elsewhere([("VASE", size)])
            case "wait":
                live(warehouse, timedelta(minutes=40 * size))
            case "cancel" if ref:
                warehouse.cancel_order(ref, "test")
            case "hold" if ref:
                warehouse.hold(ref)
            case "unhold" if ref:
                warehouse.release_hold(ref)
    item = warehouse.stock.get("VASE")
    invoices = [i for order in warehouse.sales_orders.values() for i in order.invoices]
    issued = sum((i.quantity for i in invoices if i.issued_at is not None), Decimal(0))
    held = sum(
        (line.assigned for order in warehouse.sales_orders.values() for line in order.lines),
        Decimal(0),
    )

    assert item.assigned.get(1, Decimal(0)) == held - issued
    assert item.physical[1] == 5 + received - sold - issued
    assert item.level() >= 0


def test_consignment_numbers_have_their_carriers_form() -> None:
    """Every carrier has its own; a postal item number carries its check digit."""
    names = ("DPD Next Day", "Royal Mail Tracked 24", "Evri", "Van")
    warehouse = warehouse_of(shipped_after=Minutes(at_least=1, at_most=2))
    warehouse.goods_in("VASE", 500)
    for number in range(60):
        warehouse.import_orders(document(ref=f"R{number}", lines=[("VASE", 1, "10")]))
    live(warehouse, 10 * DAY)
    found: dict[str, set[str]] = {name: set() for name in names}
    for order in warehouse.sales_orders.values():
        found[order.invoices[0].courier.name] |= set(order.invoices[0].consignments)

    assert {(14, True)} == {(len(n), n.startswith("1550")) for n in found[names[0]]}
    assert all(n[10] == s10_check_digit(n[2:10]) for n in found[names[1]])
    assert {16} == {len(number) for number in found[names[2]]}
    assert set() == found[names[3]]


def test_renamed_courier_shows_its_new_name_on_old_orders() -> None:
    """A courier is renamed in the system data, and every order shows it."""
    warehouse = warehouse_of(couriers=[msgspec.to_builtins(Courier(name="Van"))])
    invoice = imported(warehouse, document()).invoices[0]
    live(warehouse)
    warehouse.rename_courier("Van", "Own Van")

    assert invoice.courier.name == "Own Van"
    with pytest.raises(Misuse):
        warehouse.rename_courier("Van", "X")
