"""The laws of the ERP's port: what holds for each adapter, in the trade's words.

Each law runs over real HTTP: the SOAP adapter against the sandbox's web service, the Cloud feed
on PostgreSQL against the sandbox's Cloud ERP, in JSON and in XML.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from kcjl.errors import Refused
from kcjl.khaos.port import (
    CreateOutcome,
    ReturnLine,
    ReturnOutcome,
    ReturnRequest,
    Stage,
    Unsupported,
    WholeErp,
)
from tests.khaos.laws.bench import (
    ENTERED_MINUTES,
    ISSUED_MINUTES,
    LAMP,
    REF,
    RUG,
    SHIPPED_MINUTES,
    START,
    Bench,
    numbers,
    order,
    parcels,
    shipped_units,
)
from tests.khaos.laws.needs import needs

pytestmark = pytest.mark.anyio


# ── creating ──


async def test_created_order_is_found_by_its_reference_once(erp: Bench) -> None:
    """It is found by its reference, with the ERP's own number, and is there once."""
    await erp.enter(order())

    found = await erp.status()
    (there,) = erp.sales_orders()
    assert (REF, there.code) == (found.external_ref, found.erp_order_code)
    assert not found.cancelled
    assert not found.complete


async def test_created_order_is_found_also_after_its_answer_was_lost(erp: Bench) -> None:
    """The ERP has it, the answer is lost: it is found, and creating it again adds none."""
    erp.lose_next_answer()
    await erp.enter(order())

    assert erp.sales_orders()[0].code == (await erp.status()).erp_order_code
    await erp.create_whatever(order())
    assert 1 == len(erp.sales_orders())


@needs("sync_order_result")
async def test_order_result_is_told_at_once(erp: Bench) -> None:
    """Created is said with the order's number, and a refusal says why."""
    created = await erp.port.create_order(order())

    assert (CreateOutcome.CREATED, erp.sales_orders()[0].code) == (
        created.outcome,
        created.erp_order_code,
    )
    with pytest.raises(Refused, match="NO-SUCH"):
        await erp.port.create_order(order("JL-2", ("NO-SUCH", 1, 100)))


async def test_refused_order_is_not_there(erp: Bench) -> None:
    """An order of a product that the ERP lacks is not in the ERP, nor told to be."""
    await erp.create_whatever(order(REF, ("NO-SUCH", 1, 100)))

    found = await erp.port.find_order(REF)
    assert [] == erp.sales_orders()
    assert found is None or (found.erp_order_code == "" and not found.invoices)
    assert [] == list(await erp.port.order_statuses([REF]))


async def test_order_that_was_never_created_is_absent(erp: Bench) -> None:
    """Nobody made it: there is nothing to find, and it hides no other."""
    await erp.enter(order())

    assert await erp.port.find_order("JL-NEVER") is None
    told = await erp.port.order_statuses(["JL-NEVER", REF])
    assert [REF] == [each.external_ref for each in told]


@pytest.mark.parametrize(
    ("lines", "delivery"),
    [
        ((("LAMP-OAK-01", 1, 1),), 0),
        ((("LAMP-OAK-01", 3, 333), ("RUG-02", 1, 1)), 495),
        ((("LAMP-OAK-01", 7, 1999), ("RUG-02", 2, 12345)), 1),
        ((("LAMP-OAK-01", 17, 2799),), 399),
    ],
)
async def test_total_is_the_customers_to_the_penny(
    erp: Bench, lines: tuple[tuple[str, int, int], ...], delivery: int
) -> None:
    """What the customer paid is what the order comes to in the ERP, and what is told of it."""
    wanted = order(REF, *lines, delivery=delivery)
    await erp.enter(wanted)

    found = await erp.status()
    (there,) = erp.sales_orders()
    assert wanted.gross_total == there.gross_total
    assert there.paid
    assert found.gross_total in {None, wanted.gross_total}
    assert found.shows_total == (found.gross_total is not None)


async def test_buyer_is_only_in_the_delivery_address(erp: Bench) -> None:
    """The shared customer keeps its invoice address; the parcel goes to the buyer."""
    await erp.enter(order())

    (there,) = erp.sales_orders()
    customer = there.document.customer
    assert "JLMKT" == there.customer_code
    assert ("Accounts", "London") == (customer.invoice_to.surname, customer.invoice_to.town)
    assert customer.deliver_to is not None
    assert ("Tester", "Leeds") == (customer.deliver_to.surname, customer.deliver_to.town)


# ── stock ──


async def test_stock_levels_are_net_of_allocation_per_site(erp: Bench) -> None:
    """What an order has taken is not free any more, on its site; other sites are untouched."""
    await erp.enter(order())

    levels = await erp.port.stock_levels([LAMP, RUG], ["1", "4"])
    assert {
        (LAMP, "1"): Decimal(15),
        (LAMP, "4"): Decimal(5),
        (RUG, "1"): Decimal(3),
        (RUG, "4"): Decimal(0),
    } == {(each.stock_code, each.site_id): each.available for each in levels}
    assert all(each.physical is None and each.allocated is None for each in levels)


async def test_stock_codes_that_the_erp_lacks_are_absent(erp: Bench) -> None:
    """An unknown code has no level and no product: that is not the same as none left."""
    levels = await erp.port.stock_levels(["GONE", LAMP.lower()], ["1"])
    products = await erp.port.products(["GONE", LAMP.lower()])

    assert [LAMP] == [each.stock_code for each in levels]
    assert [LAMP.lower()] == list(products)


async def test_negative_and_fractional_levels_are_told_as_they_are(erp: Bench) -> None:
    """What the ERP shows is what is told; rounding is ours, elsewhere."""
    erp.warehouse.adjust(RUG, "-4.5", "water damage")
    await erp.pass_minutes(5)

    (level,) = await erp.port.stock_levels([RUG], ["1"])
    assert Decimal("-1.5") == level.available


async def test_moved_products_are_seen_by_a_poll_with_overlap(erp: Bench) -> None:
    """What moved since the last look is seen, however often one looks back over it."""
    await erp.pass_minutes(300)
    looked_at = erp.warehouse.agenda.now
    erp.warehouse.adjust(RUG, -1, "broken")
    await erp.pass_minutes(5)

    overlap = timedelta(hours=2)
    first = await erp.port.moved_products(looked_at - overlap)
    second = await erp.port.moved_products(looked_at - overlap)
    assert [RUG] == [each.stock_code for each in first] == [each.stock_code for each in second]


async def test_edited_product_is_seen_with_its_new_state(erp: Bench) -> None:
    """Discontinued by a person: the product is among the edited, and told as discontinued."""
    await erp.pass_minutes(300)
    looked_at = erp.warehouse.agenda.now
    erp.warehouse.edit_product(RUG, discontinued=True, run_to_zero=True)
    await erp.pass_minutes(10)

    edited = await erp.port.edited_products(looked_at - timedelta(hours=2))
    products = await erp.port.products([RUG, LAMP])
    assert [RUG] == [each.stock_code for each in edited]
    assert (True, True) == (products[RUG].discontinued, products[RUG].run_to_zero)
    assert not products[LAMP].discontinued


@needs("pull_stock")
async def test_levels_are_of_the_moment_that_they_are_asked_for(erp: Bench) -> None:
    """A sale elsewhere shows in the very next answer."""
    erp.warehouse.sell_elsewhere([(LAMP, 4)])

    (level,) = await erp.port.stock_levels([LAMP], ["1"])
    assert Decimal(13) == level.available


@needs("push_stock")
async def test_levels_come_by_themselves_and_say_when_they_were_heard(erp: Bench) -> None:
    """The ERP tells a changed level; how old the figure is can be seen."""
    erp.warehouse.sell_elsewhere([(LAMP, 4)])
    sold_at = erp.warehouse.agenda.now
    (before,) = await erp.port.stock_levels([LAMP], ["1"])
    await erp.pass_minutes(3)
    (after,) = await erp.port.stock_levels([LAMP], ["1"])

    assert [Decimal(17), Decimal(13)] == [before.available, after.available]
    assert before.read_at is not None
    assert after.read_at is not None
    assert before.read_at <= sold_at <= after.read_at


# ── shipping ──


async def test_order_goes_from_accepted_to_posted(erp: Bench) -> None:
    """Accepted, in the warehouse, shipped with courier and number, issued: told in turn."""
    await erp.enter(order())
    await erp.pass_minutes(SHIPPED_MINUTES - ENTERED_MINUTES)
    shipped = await erp.status()
    await erp.pass_minutes(ISSUED_MINUTES)
    posted = await erp.status()

    (invoice,) = erp.sales_orders()[0].invoices
    assert [invoice.code] == [each.invoice_code for each in shipped.invoices]
    assert Decimal(2) == shipped_units(shipped)
    assert sorted(invoice.consignments) == numbers(shipped)
    assert not shipped.complete
    assert posted.complete
    assert [Stage.POSTED] == [each.stage for each in posted.invoices]
    assert Decimal(2) == shipped_units(posted)


async def test_courier_of_a_parcel_is_the_one_that_took_it(erp: Bench) -> None:
    """The courier by the name that the ERP shows, and by its code where that is told."""
    await erp.enter(order())
    await erp.pass_minutes(SHIPPED_MINUTES)

    (invoice,) = erp.sales_orders()[0].invoices
    courier = invoice.boxes[0].courier
    (parcel,) = parcels(await erp.status())
    assert courier.name == parcel.courier_name
    assert parcel.courier_code in {courier.settings.code, None}
    assert START.date() == parcel.shipped_on


async def test_part_shipment_shows_what_went_and_what_waits(erp: Bench) -> None:
    """Of twenty ordered seventeen go and three wait; when they come, nothing is told twice."""
    await erp.enter(order(REF, (LAMP, 20, 6499)))
    await erp.pass_minutes(SHIPPED_MINUTES)
    part = await erp.status()
    erp.warehouse.goods_in(LAMP, 3)
    await erp.pass_minutes(ISSUED_MINUTES)
    whole = await erp.status()

    assert Decimal(17) == shipped_units(part)
    assert Stage.ON_HOLD in {invoice.stage for invoice in part.invoices}
    assert not part.complete
    assert Decimal(20) == shipped_units(whole)
    assert whole.complete
    keys = [parcel.parcel_key for parcel in parcels(whole)]
    assert len(keys) == len(set(keys))
    assert {p.parcel_key for p in parcels(part) if p.shipped} <= set(keys)


async def test_two_parcels_have_each_their_number(erp: Bench) -> None:
    """An order in two boxes: both numbers are told, and no unit twice."""
    await erp.enter(order(REF, (LAMP, 8, 6499)))
    await erp.pass_minutes(SHIPPED_MINUTES)

    (invoice,) = erp.sales_orders()[0].invoices
    found = await erp.status()
    assert 2 == len(invoice.boxes)
    assert sorted(invoice.consignments) == numbers(found)
    assert Decimal(8) == shipped_units(found)


async def test_several_numbers_in_one_field_are_told_apart(erp: Bench) -> None:
    """Three numbers in one field, however they are parted: each is told."""
    await erp.enter(order())
    await erp.pass_minutes(SHIPPED_MINUTES)
    (invoice,) = erp.sales_orders()[0].invoices
    erp.warehouse.set_consignment(invoice.code, 1, "155001, 155002;155003")
    await erp.pass_minutes(5)

    assert ["155001", "155002", "155003"] == numbers(await erp.status())


async def test_shipment_without_a_number_is_shipped_all_the_same(erp: Bench) -> None:
    """A van gives none: shipped, with an empty number."""
    await erp.enter(order())
    await erp.pass_minutes(SHIPPED_MINUTES)
    (invoice,) = erp.sales_orders()[0].invoices
    erp.warehouse.set_consignment(invoice.code, 1, "")
    await erp.pass_minutes(5)

    found = await erp.status()
    assert Decimal(2) == shipped_units(found)
    assert [] == numbers(found)


async def test_un_shipped_parcel_is_not_shipped_any_more(erp: Bench) -> None:
    """Taken back before it was issued: not shipped, and later with a number of its own."""
    await erp.enter(order())
    await erp.pass_minutes(SHIPPED_MINUTES)
    before = numbers(await erp.status())
    erp.warehouse.un_ship(erp.ref())
    await erp.pass_minutes(5)
    back = await erp.status()
    await erp.pass_minutes(SHIPPED_MINUTES)
    again = await erp.status()

    assert (Decimal(0), []) == (shipped_units(back), numbers(back))
    assert Decimal(2) == shipped_units(again)
    assert before
    assert sorted(erp.sales_orders()[0].invoices[0].consignments) == numbers(again)


async def test_cancelled_order_is_told_as_cancelled(erp: Bench) -> None:
    """A cancelled order is still found, and its stock is free again."""
    await erp.enter(order())
    erp.warehouse.cancel_order(erp.ref(), "Buyer changed their mind")
    await erp.pass_minutes(5)

    found = await erp.status()
    (level,) = await erp.port.stock_levels([LAMP], ["1"])
    assert found.cancelled
    assert Decimal(0) == shipped_units(found)
    assert Decimal(17) == level.available


@needs("lookup_order")
async def test_cancelled_order_tells_its_reason(erp: Bench) -> None:
    """The person's words come through."""
    await erp.enter(order())
    erp.warehouse.cancel_order(erp.ref(), "Buyer changed their mind")
    await erp.pass_minutes(5)

    assert "Buyer changed their mind" == (await erp.status()).cancel_reason


@needs("line_refs_in_shipments")
async def test_shipment_names_the_order_lines(erp: Bench) -> None:
    """Two lines of the same product: each parcel says which of them it is for."""
    await erp.enter(order(REF, (LAMP, 2, 6499), (LAMP, 1, 5000)))
    await erp.pass_minutes(SHIPPED_MINUTES)

    told = [ref for parcel in parcels(await erp.status()) for ref in parcel.line_refs]
    assert {(f"{REF}-1", Decimal(2)), (f"{REF}-2", Decimal(1))} == {
        (ref, units) for ref, _, units in told
    }


# ── repeats and restarts ──


async def test_nothing_is_doubled_by_repeats(erp: Bench) -> None:
    """All is said and asked twice: one order, its units once, levels as they are."""
    erp.repeat_everything()
    await erp.create_whatever(order())
    await erp.create_whatever(order())
    await erp.pass_minutes(ISSUED_MINUTES)

    assert 1 == len(erp.sales_orders())
    assert Decimal(2) == shipped_units(await erp.status())
    assert shipped_units(await erp.status()) == shipped_units(await erp.status())
    levels = await erp.port.stock_levels([LAMP, LAMP.lower()], ["1"])
    assert {Decimal(15)} == {level.available for level in levels}
    assert 1 == len(levels)


async def test_restart_of_our_side_loses_nothing(erp: Bench) -> None:
    """Killed before the ERP has the order, and after it has shipped: all is known as before."""
    await erp.port.create_order(order())
    await erp.restart()
    await erp.pass_minutes(SHIPPED_MINUTES + ENTERED_MINUTES)
    before = await erp.status()
    levels = await erp.port.stock_levels([LAMP, RUG], ["1", "4"])
    await erp.restart()

    assert before == await erp.status()
    assert Decimal(2) == shipped_units(before)
    again = await erp.port.stock_levels([LAMP, RUG], ["1", "4"])
    assert {(each.stock_code, each.site_id, each.available) for each in levels} == {
        (each.stock_code, each.site_id, each.available) for each in again
    }


# ── what not every adapter can ──


@needs("returns")
async def test_registered_return_reaches_the_erp_once(erp: Bench) -> None:
    """Goods that came back are in stock again, once, however often it is registered."""
    await erp.enter(order())
    await erp.pass_minutes(ISSUED_MINUTES)
    back = ReturnRequest(
        return_ref="RET-1",
        external_order_ref=REF,
        created_at=erp.warehouse.agenda.now,
        lines=(ReturnLine(stock_code=LAMP, quantity=Decimal(1), reason="Changed mind"),),
        process_now=True,
    )
    first = await erp.port.register_return(back)
    await erp.pass_minutes(ENTERED_MINUTES)
    second = await erp.port.register_return(back)
    await erp.pass_minutes(ENTERED_MINUTES)

    assert [ReturnOutcome.QUEUED, ReturnOutcome.ALREADY_QUEUED] == [
        first.outcome,
        second.outcome,
    ]
    assert 16 == erp.warehouse.level(LAMP, 1)


@needs("stock_potential")
async def test_potential_counts_what_is_owed_to_customers(erp: Bench) -> None:
    """Free and on order, less what customers wait for."""
    await erp.enter(order(REF, (RUG, 5, 9900)))
    erp.warehouse.purchase(RUG, 10, "2026-08-01")

    (told,) = await erp.port.stock_potential([RUG])
    assert (Decimal(0), Decimal(10), Decimal(2), Decimal(8)) == (
        told.available,
        told.on_order,
        told.back_order,
        told.potential,
    )


@needs("exported_orders")
async def test_exported_order_is_as_it_was_entered(erp: Bench) -> None:
    """Its lines with our references and prices."""
    await erp.enter(order())

    (told,) = await erp.port.exported_orders(external_refs=[REF])
    assert [(LAMP, Decimal(2), f"{REF}-1")] == [
        (line.stock_code, line.quantity, line.external_line_ref) for line in told.lines
    ]


@needs("orders_in_progress")
async def test_order_in_progress_is_on_the_list(erp: Bench) -> None:
    """The cheap sign names the order by our reference."""
    await erp.enter(order())

    assert [REF] == [each.external_ref for each in await erp.port.orders_in_progress()]


_ASKED: dict[str, Callable[[WholeErp], Awaitable[object]]] = {
    "deleted_entries": lambda port: port.deleted_products(START),
    "exported_orders": lambda port: port.exported_orders(external_refs=[REF]),
    "orders_in_progress": lambda port: port.orders_in_progress(),
    "returns": lambda port: port.register_return(
        ReturnRequest(
            return_ref="RET-1", external_order_ref=REF, created_at=START,
            lines=(ReturnLine(stock_code=LAMP, quantity=Decimal(1), reason="6"),),
        )
    ),
    "stock_potential": lambda port: port.stock_potential([LAMP]),
}  # fmt: skip


@pytest.mark.parametrize("capability", sorted(_ASKED))
async def test_what_an_adapter_cannot_do_is_said_before_it_is_asked(
    erp: Bench, capability: str
) -> None:
    """A capability that is off and a command that is refused are one statement."""
    ask = _ASKED[capability](erp.port)
    if getattr(erp.port.capabilities, capability):
        await ask
    else:
        with pytest.raises(Unsupported):
            await ask


async def test_reference_that_is_too_long_is_refused_and_not_cut(erp: Bench) -> None:
    """A cut reference would be another order's."""
    long = "J" * (erp.port.capabilities.max_external_ref + 1)

    with pytest.raises(Refused):
        await erp.port.create_order(order(long))
    await erp.pass_minutes(ENTERED_MINUTES)
    assert {} == dict(erp.warehouse.sales_orders)
