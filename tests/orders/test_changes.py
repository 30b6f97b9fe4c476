"""Changes after intake, the rules and the room: what is said, posted, and asked of a person."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from kcjl.errors import OutcomeUnknown, Refused
from kcjl.johnlewis import port as shop
from kcjl.johnlewis.order_port import Cancelation
from kcjl.johnlewis.returns_port import ReturnLine, ReturnState
from kcjl.orders.events import OrderReceived
from kcjl.orders.events_changes import (
    CorrectionDone,
    CorrectionDue,
    IncidentClosed,
    IncidentOpened,
    LineCancelled,
    LineRefunded,
    LineRefused,
    LineWithdrawn,
    RefundSettled,
    ReturnClosed,
    ReturnHandedOver,
    ReturnOpened,
    ReturnReceived,
)
from kcjl.orders.reversal_events import ReversalItem, ReversalOrdered, ReversalTaken
from kcjl.settings import OrderSettings
from kcjl.vocabulary import Event
from tests.outside.erp import parcel
from tests.outside.marketplace import marketplace_line, marketplace_order
from tests.outside.mishaps import LOST
from tests.rooms import Premises, Process
from tests.tenant.readings import tenant_read
from tests.trade import SHIPPING, gbp

pytestmark = pytest.mark.anyio


PART = shop.Refund(
    refund_id="F0",
    amount=gbp(100),
    shipping_amount=gbp(0),
    state="WAITING_REFUND",
    reason_code="17",
)


class Shop(Premises):
    """One order of three lamps, and what becomes of its line."""

    def __init__(self, *more: shop.OrderLine) -> None:
        super().__init__()
        self.warehouse.put("A-1", 10)
        self.warehouse.put("B-2", 10)
        self.shop.offers_there |= {"A-1": 10, "B-2": 10}
        first = marketplace_line("O1-1", "A-1", 3, SHIPPING)
        self.shop.place(marketplace_order("O1", first, *more, state=SHIPPING))

    def change(self, *, line_id: str = "O1-1", **fields: Any) -> None:
        """The marketplace shows the line otherwise, a minute later."""
        self.clock.tick(60)
        order = self.shop.orders_there["O1"]
        lines = tuple(
            msgspec.structs.replace(line, **fields) if line.line_id == line_id else line
            for line in order.lines
        )
        self.shop.place(
            msgspec.structs.replace(order, lines=lines, updated_at=self.clock.now())
        )

    def cancel(self, units: int) -> None:
        taken = Cancelation(
            cancelation_id=f"C{units}",
            amount=gbp(1_000 * units),
            shipping_amount=gbp(0),
            reason_code="34",
            quantity=units,
        )
        self.change(cancelations=(taken,), price=gbp(3_000 - 1_000 * units))

    def refund(self, amount: int, *, state: str = "WAITING_REFUND") -> None:
        back = shop.Refund(
            refund_id="F1",
            amount=gbp(amount),
            shipping_amount=gbp(0),
            state=state,
            reason_code="17",
        )
        self.change(refunds=(back,))


def kept_back(units: int, *, marketplace_id: str, at: datetime) -> tuple[Event, Event]:
    """We refund units that are to stay, and the marketplace has taken it."""
    item = ReversalItem(
        line_id="O1-1",
        sku="A-1",
        quantity=units,
        amount=gbp(1_000 * units),
        shipping_amount=gbp(0),
        taxes=(),
        shipping_taxes=(),
    )
    yes = ReversalOrdered(
        order_id="O1",
        reversal_id="V1",
        kind="refund",
        reason_code="17",
        reason="damaged on the shelf",
        tax_mode="TAX_INCLUDED",
        not_to_ship=True,
        items=(item,),
        money=item.amount,
        occurred_at=at,
    )
    taken = ReversalTaken(
        order_id="O1",
        reversal_id="V1",
        line_id="O1-1",
        marketplace_id=marketplace_id,
        amount=item.amount,
        shipping_amount=gbp(0),
        found_by_lookup=False,
        as_asked=True,
        occurred_at=at,
    )
    return yes, taken


async def posted(process: Process) -> None:
    await process.do("offers", "levels", "intake", "new-skus", "posting")


async def corrected(process: Process) -> None:
    await process.do("intake", "corrections", "judge")


# ── before the posting ──────────────────────────────────────────────────────────────────────


async def test_units_cancelled_before_the_posting_are_not_posted() -> None:
    """Two of three are left: two are posted, at the price of two, and nobody has to do more."""
    place = Shop()
    async with place.open() as process:
        await process.do("offers", "levels", "intake", "new-skus")
        place.cancel(1)
        await process.do("intake", "posting")
        await corrected(process)

        assert {} == dict(process.desk.open.items())
        (product,) = [e for e in process.stock.products.values() if e.key == "a-1"]
        assert 2 == product.units_in_flight
    (line,) = place.warehouse.taken["REF-O1"].lines
    assert (2, gbp(2_000)) == (line.quantity, place.warehouse.taken["REF-O1"].gross_total)
    (cancelled,) = await place.said(LineCancelled)
    assert (1, gbp(1_000), "34") == (cancelled.units, cancelled.amount, cancelled.reason_code)


async def test_units_cancelled_before_the_order_was_first_seen_are_not_posted() -> None:
    """The first page shows them as cancelled already."""
    place = Shop()
    place.cancel(1)
    async with place.open() as process:
        await posted(process)

    (line,) = place.warehouse.taken["REF-O1"].lines
    assert (2, gbp(2_000)) == (line.quantity, place.warehouse.taken["REF-O1"].gross_total)


async def test_order_refunded_whole_before_the_posting_is_never_posted() -> None:
    """The customer has the money back: no goods go, and no units stay in flight."""
    place = Shop()
    async with place.open() as process:
        await process.do("offers", "levels", "intake", "new-skus")
        place.refund(3_000, state="REFUNDED")
        await process.do("intake", "posting")
        await corrected(process)

        (product,) = [e for e in process.stock.products.values() if e.key == "a-1"]
        assert 0 == product.units_in_flight
        assert {} == dict(process.desk.open.items())
        assert [] == process.orders.orders.watched()
    assert {} == place.warehouse.taken
    assert 1 == len(await place.said(RefundSettled))


async def test_change_that_is_read_again_is_said_once() -> None:
    """A page that comes twice, and an older one after a newer one, add nothing."""
    place = Shop()
    async with place.open() as process:
        await process.do("intake")
        before = place.shop.orders_there["O1"]
        place.cancel(1)
        await process.do("intake", "intake")
        place.shop.place(before)
        await process.orders.take_in([before])

    assert 1 == len(await place.said(OrderReceived))
    assert 1 == len(await place.said(LineCancelled))
    assert 1 == len(await place.said(LineWithdrawn))


# ── after the posting ───────────────────────────────────────────────────────────────────────


async def test_units_cancelled_after_the_posting_are_a_task_until_the_erp_shows_it() -> None:
    """The steps name sales order, line, units and money; set there, it closes by itself."""
    place = Shop()
    async with place.open() as process:
        await posted(process)
        place.cancel(1)
        await corrected(process)
        (raised,) = [each.raised for each in process.desk.open.values()]
        place.clock.tick(700)
        await process.do("corrections", "judge")
        assert 1 == len(process.desk.open)
        place.warehouse.quantities["REF-O1", "A-1"] = Decimal(2)
        place.clock.tick(700)
        await process.do("corrections", "corrections", "judge")

        assert {} == dict(process.desk.open.items())
    assert ("sales_order_to_reduce", "O1/O1-1/units") == (raised.kind, raised.subject)
    assert gbp(1_000) == raised.money_at_risk
    for word in ("SO-REF-O1", "REF-O1", "A-1", "from 3 to 2 units", "10.00"):
        assert word in raised.message
    (done,) = await place.said(CorrectionDone)
    assert "the ERP shows 2 units" == done.seen
    assert [] == await place.said(LineWithdrawn)


async def test_units_cancelled_of_a_lost_sales_order_are_not_posted_again() -> None:
    """The ERP is set back, a lamp is cancelled: two are posted, and nothing is held."""
    place = Shop()
    async with place.open() as process:
        await posted(process)
        await process.do("posting", "write-back", "shipments")
        place.warehouse.forget("REF-O1")
        place.clock.tick(600)
        await process.do("shipments", "vanished")
        place.clock.tick(1_200)
        await process.do("vanished", "judge")
        place.cancel(1)
        cancelled = place.shop.orders_there["O1"]
        place.shop.place(msgspec.structs.replace(cancelled, total_price=gbp(2_000)))
        await process.do("intake")
        await process.orders.post_again("O1", reason="looked, and gone", by="ann")
        await process.do("posting", "new-skus")
        place.clock.tick(120)
        await process.do("posting")
        await corrected(process)

        assert {} == dict(process.desk.open.items())
        assert 2 == process.stock.products["a-1"].units_in_flight
    (withdrawn,) = await place.said(LineWithdrawn)
    assert (1, gbp(1_000)) == (withdrawn.units, withdrawn.amount)
    (line,) = place.warehouse.taken["REF-O1"].lines
    assert (2, gbp(2_000)) == (line.quantity, place.warehouse.taken["REF-O1"].gross_total)


async def test_line_refused_after_the_posting_is_taken_off_by_hand() -> None:
    """A refused line of a posted order: none of its units are wanted."""
    place = Shop(marketplace_line("O1-2", "B-2", 1, SHIPPING))
    async with place.open() as process:
        await posted(process)
        place.change(line_id="O1-2", state=shop.OrderState.REFUSED)
        await corrected(process)

        assert {"sales_order_to_reduce:O1/O1-2/units"} == set(process.desk.open)
    (refused,) = await place.said(LineRefused)
    assert (1, gbp(1_000)) == (refused.units, refused.money)


async def test_refund_in_part_is_a_credit_note_that_a_person_says() -> None:
    """Khaos Control tells no credit notes: a person names it, under his own name."""
    place = Shop()
    async with place.open() as process:
        await posted(process)
        place.refund(700)
        await corrected(process)
        (raised,) = [each.raised for each in process.desk.open.values()]
        work = process.orders.work_after_intake
        with pytest.raises(Refused, match="F1/refund"):
            await work.say_done("O1", "F9/refund", note="CN-1", by="jo")
        await work.say_done("O1", "F1/refund", note="CN-1", by="jo")
        await corrected(process)

        assert {} == dict(process.desk.open.items())
    assert ("refund_to_enter", gbp(700)) == (raised.kind, raised.money_at_risk)
    (refunded,) = await place.said(LineRefunded)
    assert not refunded.whole
    assert ["CN-1"] == [each.seen for each in await place.said(CorrectionDone)]
    assert 1 == len(await place.said(CorrectionDue))


async def test_line_refunded_whole_before_its_goods_went_is_taken_off() -> None:
    """The goods must not go: first of all the line comes off the sales order."""
    place = Shop()
    async with place.open() as process:
        await posted(process)
        place.refund(3_000, state="REFUNDED")
        await corrected(process)

        assert {"sales_order_to_reduce:O1/O1-1/units"} == set(process.desk.open)
        place.shop.set_state("O1", "SHIPPED")
        await corrected(process)

        assert {"refund_to_enter:O1/F1/refund"} == set(process.desk.open)


@pytest.mark.parametrize("taken_off", [True, False])
async def test_units_refunded_as_not_to_ship_are_taken_off_before_they_are_packed(
    *, taken_off: bool
) -> None:
    """The warehouse is told which units stay, and nobody is asked for a credit note of what was
    never invoiced; if they went all the same, it is owed.
    """
    place = Shop()
    async with place.open() as process:
        await posted(process)
        await process.orders.record(*kept_back(1, marketplace_id="F1", at=place.clock.now()))
        place.refund(1_000)
        await corrected(process)
        (raised,) = [each.raised for each in process.desk.open.values()]
        assert ("sales_order_to_reduce", "O1/O1-1/units") == (raised.kind, raised.subject)
        assert "set it from 3 to 2 units" in raised.message
        assert "before it is packed" in raised.message
        assert "take the pre-payment back" in raised.message
        if taken_off:
            work = process.orders.work_after_intake
            await work.say_done("O1", "O1-1/units", note="done", by="jo")
            await corrected(process)
            assert set() == set(process.desk.open)
        place.shop.set_state("O1", "SHIPPED")
        await corrected(process)

        owed = set() if taken_off else {"refund_to_enter:O1/F1/refund"}
        assert owed == set(process.desk.open)


async def test_credit_note_that_was_moot_for_a_while_is_asked_for_again() -> None:
    """Refunded in part, then whole, the line was to come off; it went, and both are owed."""
    place = Shop()
    async with place.open() as process:
        await posted(process)
        place.refund(700)
        await corrected(process)
        (part,) = place.shop.orders_there["O1"].lines[0].refunds
        rest = msgspec.structs.replace(part, refund_id="F2", amount=gbp(2_300))
        place.change(refunds=(part, rest))
        await corrected(process)
        assert {"sales_order_to_reduce:O1/O1-1/units"} == set(process.desk.open)
        place.shop.set_state("O1", "SHIPPED")
        await corrected(process)

        assert {"refund_to_enter:O1/F1/refund", "refund_to_enter:O1/F2/refund"} == set(
            process.desk.open
        )


async def test_sales_order_cancelled_in_the_erp_is_owed_no_credit_note() -> None:
    """Nothing was sold under it: a refund afterwards asks nothing more of anybody in the ERP,
    and what was asked for before is asked for no more.
    """
    place = Shop(marketplace_line("O1-2", "B-2", 1, SHIPPING))
    async with place.open() as process:
        await posted(process)
        place.cancel(1)
        place.change(line_id="O1-2", refunds=(PART,))
        await corrected(process)
        assert {"F0/refund", "O1-1/units"} == {
            task.due.task for task in process.orders.after_intake["O1"].tasks if not task.done
        }
        place.warehouse.cancelled["REF-O1"] = "no stock"
        await process.do("shipments")
        await corrected(process)
        place.refund(1_000)
        await corrected(process)

        assert {"cancelled_in_erp:O1"} == set(process.desk.open)
    assert ["F0", "F1"] == [each.refund_id for each in await place.said(LineRefunded)]
    assert {"F0/refund", "O1-1/units"} == {
        each.task for each in await place.said(CorrectionDone)
    }


async def test_goods_that_went_before_the_sales_order_was_cancelled_are_credited() -> None:
    """They were sold: the refund has its credit note, whatever the ERP shows."""
    place = Shop()
    async with place.open() as process:
        await posted(process)
        place.warehouse.ship("REF-O1", parcel(units=3))
        await process.do("shipments")
        place.warehouse.cancelled["REF-O1"] = "by mistake"
        place.clock.tick(600)
        await process.do("shipments")
        place.refund(1_000)
        await corrected(process)

        assert "refund_to_enter:O1/F1/refund" in process.desk.open


async def test_order_cancelled_whole_after_the_posting_is_one_exception() -> None:
    """The exception of the order says it; no line asks for the same again."""
    place = Shop()
    async with place.open() as process:
        await posted(process)
        place.clock.tick(60)
        place.shop.set_state("O1", "CANCELED")
        await corrected(process)

        assert {"cancelled_after_posting:O1"} == set(process.desk.open)
    (cancelled,) = await place.said(LineCancelled)
    assert (3, gbp(3_000)) == (cancelled.units, cancelled.amount)


async def test_incident_is_told_while_it_is_open() -> None:
    """Opened and closed, each once."""
    place = Shop()
    async with place.open() as process:
        await posted(process)
        place.change(state=shop.OrderState.INCIDENT_OPEN, state_reason_code="11")
        await corrected(process)
        assert {"incident_open:O1/O1-1"} == set(process.desk.open)
        place.change(state=shop.OrderState.SHIPPED)
        await corrected(process)

        assert {} == dict(process.desk.open.items())
    assert (1, 1) == (
        len(await place.said(IncidentOpened)),
        len(await place.said(IncidentClosed)),
    )


async def test_return_is_expected_booked_and_closed() -> None:
    """Opened, received, closed: the warehouse expects it, then books it in the ERP."""
    place = Shop()
    async with place.open() as process:
        await process.stock.catch_up()
        await posted(process)
        back = shop.Return(
            return_id="R1",
            state=ReturnState.IN_PROGRESS,
            state_raw="IN_PROGRESS",
            order_id="O1",
            commercial_id="C-O1",
            created_at=place.clock.now(),
            updated_at=place.clock.now(),
            lines=(ReturnLine(line_id="O1-1", quantity=2, reason_code="CHANGED_MIND"),),
            rma="RMA-7",
        )
        place.shop.returns_there.append(back)
        await process.do("returns")
        assert [] == await place.said(ReturnOpened)
        await process.orders.commit((tenant_read(returns_on=True),))
        await process.do("returns", "corrections", "judge")
        assert {"return_expected:O1/R1"} == set(process.desk.open)
        place.clock.tick(3_600)
        place.shop.returns_there[:] = [
            msgspec.structs.replace(
                back, state_raw="CLOSED", updated_at=place.clock.now() - timedelta(minutes=1)
            )
        ]
        await process.do("returns", "corrections", "judge")

        (raised,) = [each.raised for each in process.desk.open.values()]
    assert ("return_to_book", "O1/R1/return") == (raised.kind, raised.subject)
    assert "2 of A-1 (reason CHANGED_MIND); RMA RMA-7" in raised.message
    assert gbp(2_000) == raised.money_at_risk
    assert (1, 1) == (
        len(await place.said(ReturnReceived)),
        len(await place.said(ReturnClosed)),
    )


def came_back(place: Shop) -> shop.Return:
    return shop.Return(
        return_id="R1",
        state=ReturnState.RECEIVED,
        state_raw="RECEIVED",
        order_id="O1",
        commercial_id="C-O1",
        created_at=place.clock.now(),
        updated_at=place.clock.now(),
        lines=(ReturnLine(line_id="O1-1", quantity=2, reason_code="CHANGED_MIND"),),
        rma="RMA-7",
    )


@pytest.mark.parametrize(
    ("fetches", "reason", "given"),
    [(True, "Customer return", 1), (True, "", 0), (False, "X", 0)],
)
async def test_return_is_handed_to_an_erp_that_fetches_returns(
    *, fetches: bool, reason: str, given: int
) -> None:
    """Once, under the ERP's own reason; it is a task until a person says that it is booked."""
    place = Shop()
    place.order_settings = OrderSettings(return_reason=reason)
    place.warehouse.capabilities = msgspec.structs.replace(
        place.warehouse.capabilities, returns=fetches
    )
    async with place.open() as process:
        await process.stock.catch_up()
        await posted(process)
        await process.orders.commit((tenant_read(returns_on=True),))
        place.shop.returns_there.append(came_back(place))
        await process.do("returns", "corrections", "corrections", "judge")
        (raised,) = [each.raised for each in process.desk.open.values()]
        assert ("waits for Khaos Control's channel" in raised.message) == bool(given)
        await process.orders.work_after_intake.say_done("O1", "R1/return", note="CN-7", by="jo")
        await process.do("judge")
        assert {} == dict(process.desk.open.items())

    assert given == place.warehouse.mishaps.times("register_return")
    assert given == len(await place.said(ReturnHandedOver))
    for request in place.warehouse.returns.values():
        (line,) = request.lines
        assert ("R1", "REF-O1") == (request.return_ref, request.external_order_ref)
        assert ("A-1", Decimal(2), reason) == (line.stock_code, line.quantity, line.reason)


async def test_return_whose_handing_over_was_cut_off_is_given_again() -> None:
    """It may be there already: the ERP's channel knows it by its reference."""
    place = Shop()
    place.order_settings = OrderSettings(return_reason="Customer return")
    place.warehouse.capabilities = msgspec.structs.replace(
        place.warehouse.capabilities, returns=True
    )
    async with place.open() as process:
        await process.stock.catch_up()
        await posted(process)
        await process.orders.commit((tenant_read(returns_on=True),))
        place.shop.returns_there.append(came_back(place))
        place.warehouse.mishaps.after("register_return", LOST)
        with pytest.raises(OutcomeUnknown):
            await process.do("returns", "corrections")
    async with place.open() as process:
        await process.do("corrections")

    assert ["R1"] == list(place.warehouse.returns)
    assert 1 == len(await place.said(ReturnHandedOver))
