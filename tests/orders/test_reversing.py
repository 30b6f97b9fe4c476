"""Refunds and cancelations on a person's word: previewed, sent once, looked for again."""

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from kcjl.errors import OutcomeUnknown, Refused, Unavailable
from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised
from kcjl.johnlewis import port as shop
from kcjl.johnlewis.order_port import Refund, TaxAmount
from kcjl.orders.reversal_amounts import Asked
from kcjl.orders.reversal_events import (
    ReversalEvent,
    ReversalHeldBack,
    ReversalIntended,
    ReversalOrdered,
    ReversalRefused,
    ReversalTaken,
    ReversalUnclear,
)
from kcjl.orders.reversal_plan import CANCELATION, REFUND
from kcjl.tenant.actor import told
from tests.outside.marketplace import marketplace_line, marketplace_order
from tests.outside.mishaps import LOST, Killed
from tests.rooms import Premises, Process
from tests.trade import SHIPPING, gbp

pytestmark = pytest.mark.anyio

ALL = Asked(reason_code="17")


def premises(*, state: str = SHIPPING, debited: bool = True) -> Premises:
    """One order of three lamps at 10.00 with 3.50 of shipping, and a shade at 20.00."""
    place = Premises()
    place.warehouse.put("A-1", 10)
    tax = (TaxAmount(code="VAT20", amount=gbp(500)),)
    lamps = msgspec.structs.replace(
        marketplace_line("O1-1", quantity=3, state=state),
        shipping_price=gbp(350),
        taxes=tax,
        shipping_taxes=(TaxAmount(code="VAT20", amount=gbp(58)),),
    )
    shade = marketplace_line("O1-2", "B-2", 2, state=state)
    order = marketplace_order("O1", lamps, shade, state=state)
    place.shop.place(
        msgspec.structs.replace(order, debited_at=order.created_at if debited else None)
    )
    return place


async def known(place: Premises, process: Process) -> None:
    """The order and the tenant's reasons are in the log."""
    profile = await place.shop.tenant_profile()
    await process.orders.record(told(profile, place.clock.now()))
    await process.do("intake")


async def said_yes(process: Process, kind: str, asked: Asked) -> str:
    """Previewed and ordered; the reversal's id."""
    plan = await process.orders.reversing.preview("O1", kind, asked)
    await process.orders.reversing.order(
        "O1", kind, asked, plan_id=plan.plan_id, reason="broken", by="jo"
    )
    return plan.plan_id


def refunds(place: Premises, line: int = 0) -> tuple[Refund, ...]:
    return place.shop.orders_there["O1"].lines[line].refunds


# ── the preview ─────────────────────────────────────────────────────────────────────────────


async def test_preview_tells_amounts_taxes_and_commission_and_sends_nothing() -> None:
    """One of three units: a third of the price and of its tax; the fee in proportion."""
    place = premises()
    async with place.open() as process:
        await known(place, process)
        asked = Asked(line_ids=("O1-1",), units=1, reason_code="17")
        plan = await process.orders.reversing.preview("O1", REFUND, asked)

    (line,) = plan.lines
    assert (gbp(1_000), gbp(0), 1) == (
        line.item.amount,
        line.item.shipping_amount,
        line.item.quantity,
    )
    assert [("VAT20", gbp(167))] == [(tax.code, tax.amount) for tax in line.item.taxes]
    assert gbp(2_350) == line.left_after
    assert gbp(90 + 18) == line.commission_back  # 300 × 10.00 / 33.50, and a fifth of it
    assert "Returned" == plan.reason_label
    assert 0 == place.shop.mishaps.times("refund")
    assert [] == await place.said(ReversalEvent)


async def test_preview_of_a_whole_order_is_all_that_is_left_of_it() -> None:
    """What went back before is not given back again, line by line."""
    place = premises()
    async with place.open() as process:
        await known(place, process)
        part = Asked(line_ids=("O1-1",), amount=Decimal("7.50"), reason_code="17")
        await said_yes(process, REFUND, part)
        await process.do("reversals")
        plan = await process.orders.reversing.preview("O1", REFUND, ALL)

    assert [gbp(2_250), gbp(2_000)] == [line.item.amount for line in plan.lines]
    assert [gbp(350), gbp(0)] == [line.item.shipping_amount for line in plan.lines]
    assert [gbp(0), gbp(0)] == [line.left_after for line in plan.lines]
    assert gbp(4_600) == plan.total


@pytest.mark.parametrize(
    ("asked", "because"),
    [
        (Asked(reason_code="14"), "is no reason that the shop may give for this: 17"),
        (Asked(reason_code="34"), "is no reason"),
        (Asked(line_ids=("O9",), reason_code="17"), "has no line O9: it has O1-1, O1-2"),
        (Asked(line_ids=("O1-1",), units=4, reason_code="17"), "has 3 units, not 4"),
        (
            Asked(line_ids=("O1-1",), amount=Decimal("30.01"), reason_code="17"),
            "more than what was paid less what went back already",
        ),
        (
            Asked(line_ids=("O1-1",), shipping=Decimal("3.51"), reason_code="17"),
            "more than what was paid less what went back already",
        ),
        (
            Asked(line_ids=("O1-1",), amount=Decimal(-1), reason_code="17"),
            "an amount below 0",
        ),
        (Asked(line_ids=("O1-1",), amount=Decimal(0), reason_code="17"), "nothing is left"),
        (Asked(line_ids=("O1-1", "O1-1"), reason_code="17"), "named twice"),
        (Asked(amount=Decimal(5), reason_code="17"), "of one line: name it"),
    ],
)
async def test_preview_of_what_cannot_be_right_is_refused_with_the_reason(
    asked: Asked, because: str
) -> None:
    """Never more than was paid less what went back; only the tenant's own reasons."""
    place = premises()
    async with place.open() as process:
        await known(place, process)

        with pytest.raises(Refused, match=because):
            await process.orders.reversing.preview("O1", REFUND, asked)


# ── a person's yes ──────────────────────────────────────────────────────────────────────────


async def test_refund_is_sent_line_by_line_each_with_its_intention_and_its_outcome() -> None:
    """Law 2: one line a call; what was taken has the marketplace's own id."""
    place = premises()
    async with place.open() as process:
        await known(place, process)
        await said_yes(process, REFUND, ALL)
        await process.do("reversals", "reversals")

    assert [
        "ReversalOrdered",
        "ReversalIntended",
        "ReversalTaken",
        "ReversalIntended",
        "ReversalTaken",
    ] == await place.story(ReversalEvent)
    taken = await place.said(ReversalTaken)
    assert ["F1", "F2"] == [each.marketplace_id for each in taken]
    assert (gbp(3_000), gbp(350)) == (
        refunds(place)[0].amount,
        refunds(place)[0].shipping_amount,
    )
    assert [("VAT20", gbp(500))] == [(t.code, t.amount) for t in refunds(place)[0].taxes]
    (ordered,) = [r for r in await place.recorded() if isinstance(r.event, ReversalOrdered)]
    assert "jo" == ordered.by


async def test_yes_to_an_old_preview_is_refused_and_sends_nothing() -> None:
    """The order has changed since: what a person said yes to is not what would be done."""
    place = premises()
    async with place.open() as process:
        await known(place, process)
        plan = await process.orders.reversing.preview("O1", REFUND, ALL)
        line = place.shop.orders_there["O1"].lines[1]
        gone = Refund(
            refund_id="B1",
            amount=gbp(500),
            shipping_amount=gbp(0),
            state="REFUNDED",
            reason_code="17",
        )
        place.shop._put(
            place.shop.orders_there["O1"], msgspec.structs.replace(line, refunds=(gone,))
        )

        with pytest.raises(Refused, match="look at the preview again"):
            await process.orders.reversing.order(
                "O1", REFUND, ALL, plan_id=plan.plan_id, reason="x", by="jo"
            )
    assert [] == await place.said(ReversalEvent)


async def test_yes_said_twice_is_one_refund() -> None:
    """A command carried out twice (a crash in between) is nothing new, also when it is done."""
    place = premises()
    async with place.open() as process:
        await known(place, process)
        plan = await process.orders.reversing.preview("O1", REFUND, ALL)
        for _ in range(3):
            await process.orders.reversing.order(
                "O1", REFUND, ALL, plan_id=plan.plan_id, reason="x", by="jo"
            )
            await process.do("reversals")

    assert 1 == len(await place.said(ReversalOrdered))
    assert (1, 1) == (len(refunds(place)), len(refunds(place, 1)))


async def test_second_refund_of_an_order_waits_until_the_first_is_over() -> None:
    """One at a time: what is left is not known before."""
    place = premises()
    async with place.open() as process:
        await known(place, process)
        await said_yes(process, REFUND, Asked(line_ids=("O1-2",), reason_code="17"))

        with pytest.raises(Refused, match="is not over"):
            await process.orders.reversing.preview("O1", REFUND, ALL)


async def test_same_refund_is_wanted_again_and_is_another_one() -> None:
    """Two cups broken on two days: the same amount twice is no repeat of a command."""
    place = premises()
    asked = Asked(line_ids=("O1-1",), units=1, reason_code="17")
    async with place.open() as process:
        await known(place, process)
        first = await said_yes(process, REFUND, asked)
        await process.do("reversals")
        second = await said_yes(process, REFUND, asked)
        await process.do("reversals")

    assert first != second
    assert [gbp(1_000), gbp(1_000)] == [each.amount for each in refunds(place)]


# ── lost answers ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("done", [True, False])
async def test_refund_whose_answer_is_lost_is_looked_for_and_made_once(*, done: bool) -> None:
    """There, it is taken; not there once nothing can be under way, it is sent again."""
    place = premises()
    asked = Asked(line_ids=("O1-2",), reason_code="17")
    if done:
        place.shop.mishaps.after("refund", LOST)
    else:
        place.shop.mishaps.before("refund", LOST)
    async with place.open() as process:
        await known(place, process)
        await said_yes(process, REFUND, asked)
        for _ in range(4):
            await process.do("reversals")
            place.clock.tick(timedelta(minutes=6).total_seconds())

    (taken,) = await place.said(ReversalTaken)
    assert done == taken.found_by_lookup
    assert 1 == len(refunds(place, 1))
    assert (1 if done else 2) == place.shop.mishaps.times("refund")


@pytest.mark.parametrize("done", [True, False])
async def test_refund_in_which_the_process_was_killed_is_looked_for_and_made_once(
    *, done: bool
) -> None:
    """The intention is in the log, its outcome is not: the next process looks first."""
    place = premises()
    asked = Asked(line_ids=("O1-2",), reason_code="17")
    if done:
        place.shop.mishaps.after("refund", Killed())
    else:
        place.shop.mishaps.before("refund", Killed())
    async with place.open() as process:
        await known(place, process)
        await said_yes(process, REFUND, asked)
        with pytest.raises(Killed):
            await process.do("reversals")
    for _ in range(4):
        async with place.open() as process:
            await process.do("reversals")
        place.clock.tick(timedelta(minutes=6).total_seconds())

    assert 1 == len(refunds(place, 1))
    assert 1 == len(await place.said(ReversalTaken))


async def test_refund_is_not_sent_again_while_the_first_may_be_under_way() -> None:
    """Not there at once says nothing: it may still arrive."""
    place = premises()
    place.shop.mishaps.before("refund", LOST)
    async with place.open() as process:
        await known(place, process)
        await said_yes(process, REFUND, Asked(line_ids=("O1-2",), reason_code="17"))
        for _ in range(3):
            await process.do("reversals")

    assert 1 == place.shop.mishaps.times("refund")
    assert 1 == len(await place.said(ReversalIntended))


async def test_refund_by_somebody_else_while_the_answer_is_lost_is_a_persons_to_judge() -> None:
    """The same money and another reason: it may be ours; nothing is sent again."""
    place = premises()
    place.shop.mishaps.before("refund", LOST)
    async with place.open() as process:
        await known(place, process)
        rid = await said_yes(process, REFUND, Asked(line_ids=("O1-2",), reason_code="17"))
        await process.do("reversals")
        order = place.shop.orders_there["O1"]
        theirs = Refund(
            refund_id="B9",
            amount=gbp(2_000),
            shipping_amount=gbp(0),
            state="REFUNDED",
            reason_code="99",
            created_at=place.clock.now(),
        )
        place.shop._put(order, msgspec.structs.replace(order.lines[1], refunds=(theirs,)))
        place.clock.tick(timedelta(minutes=6).total_seconds())
        await process.do("reversals", "reversals", "judge")
        await process.orders.reversing.withdraw(rid, reason="it was theirs", by="jo")
        await process.do("judge")

    assert 1 == len(await place.said(ReversalUnclear))
    assert 1 == place.shop.mishaps.times("refund")
    assert ["reversal_unclear"] == [each.kind for each in await place.said(ExceptionRaised)]
    assert ["reversal_unclear"] == [each.kind for each in await place.said(ExceptionCleared)]


async def test_refund_that_could_not_be_sent_at_all_is_sent_later() -> None:
    """The marketplace was away: certainly nothing was done, and it does not count."""
    place = premises()
    place.shop.mishaps.before("refund", *[Unavailable("away")] * 8)
    async with place.open() as process:
        await known(place, process)
        await said_yes(process, REFUND, Asked(line_ids=("O1-2",), reason_code="17"))
        for _ in range(8):
            with pytest.raises(Unavailable):
                await process.do("reversals")
            place.clock.tick(timedelta(minutes=6).total_seconds())
        await process.do("reversals")

    assert 1 == len(refunds(place, 1))


# ── they say no ─────────────────────────────────────────────────────────────────────────────


async def test_refund_above_the_balance_waits_and_is_tried_again_by_itself() -> None:
    """The shop owes more than it has there: told once, made as soon as there is enough."""
    place = premises()
    place.shop.balance = 0
    async with place.open() as process:
        await known(place, process)
        await said_yes(process, REFUND, Asked(line_ids=("O1-2",), reason_code="17"))
        for _ in range(3):
            await process.do("reversals", "judge")
            place.clock.tick(timedelta(hours=7).total_seconds())
        place.shop.balance = 5_000
        await process.do("reversals", "judge")

    (raised,) = await place.said(ExceptionRaised)
    assert ("reversal_waits", gbp(2_000)) == (raised.kind, raised.money_at_risk)
    assert 3 == len(await place.said(ReversalHeldBack))
    assert 1 == len(refunds(place, 1))
    assert ["reversal_waits"] == [each.kind for each in await place.said(ExceptionCleared)]


async def test_refund_that_is_refused_is_raised_and_the_other_lines_go_on() -> None:
    """Nothing was done to the line: a person orders it anew, which clears it."""
    place = premises()
    place.shop.mishaps.before("refund", Refused("the order is closed"))
    async with place.open() as process:
        await known(place, process)
        await said_yes(process, REFUND, ALL)
        await process.do("reversals", "judge")
        (raised,) = await place.said(ExceptionRaised)
        await said_yes(process, REFUND, ALL)
        await process.do("reversals", "judge")

    assert "reversal_refused" == raised.kind
    assert "the order is closed" in raised.message
    assert 1 == len(await place.said(ReversalRefused))
    assert (1, 1) == (len(refunds(place)), len(refunds(place, 1)))
    assert ["reversal_refused"] == [each.kind for each in await place.said(ExceptionCleared)]


async def test_line_that_has_less_left_than_was_ordered_is_not_sent() -> None:
    """Somebody gave it back in the back office after the yes: never paid twice."""
    place = premises()
    async with place.open() as process:
        await known(place, process)
        await said_yes(process, REFUND, Asked(line_ids=("O1-2",), reason_code="17"))
        order = place.shop.orders_there["O1"]
        theirs = Refund(
            refund_id="B9",
            amount=gbp(1),
            shipping_amount=gbp(0),
            state="REFUNDED",
            reason_code="99",
        )
        place.shop._put(order, msgspec.structs.replace(order.lines[1], refunds=(theirs,)))
        await process.do("reversals")

    assert 0 == place.shop.mishaps.times("refund")
    assert 1 == len(await place.said(ReversalRefused))


async def test_refund_waits_while_writes_are_switched_off() -> None:
    """The kill switch stops money, too; what is open is still looked for."""
    place = premises()
    async with place.open() as process:
        await known(place, process)
        await said_yes(process, REFUND, ALL)
        await process.desk.switch_writes(allowed=False, reason="x", by="jo")
        await process.do("reversals")
        assert 0 == place.shop.mishaps.times("refund")
        await process.desk.switch_writes(allowed=True, reason="x", by="jo")
        await process.do("reversals")

    assert 2 == place.shop.mishaps.times("refund")


# ── cancelations ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("lost", [False, True])
async def test_order_that_is_not_paid_for_is_cancelled_whole_in_one_call(*, lost: bool) -> None:
    """OR29; its answer lost, the order's own state says that it is done."""
    place = premises(state="WAITING_DEBIT_PAYMENT", debited=False)
    if lost:
        place.shop.mishaps.after("cancel_order", OutcomeUnknown("no answer"))
    async with place.open() as process:
        await known(place, process)
        await said_yes(process, CANCELATION, Asked())
        await process.do("reversals", "reversals")

    assert "CANCELED" == place.shop.orders_there["O1"].state_raw
    assert 1 == place.shop.mishaps.times("cancel_order")
    (taken,) = await place.said(ReversalTaken)
    assert lost == taken.found_by_lookup


async def test_units_that_are_not_paid_for_are_cancelled_line_by_line() -> None:
    """OR30: two of three lamps, and their part of the price."""
    place = premises(state="WAITING_DEBIT_PAYMENT", debited=False)
    async with place.open() as process:
        await known(place, process)
        asked = Asked(line_ids=("O1-1",), units=2, reason_code="34")
        await said_yes(process, CANCELATION, asked)
        await process.do("reversals")

    line: shop.OrderLine = place.shop.orders_there["O1"].lines[0]
    assert gbp(1_000) == line.price
    assert 0 == place.shop.mishaps.times("cancel_order")


async def test_order_that_is_paid_for_is_not_cancelled_but_refunded() -> None:
    """The way is named: kcjl orders refund."""
    place = premises()
    async with place.open() as process:
        await known(place, process)

        with pytest.raises(Refused, match="kcjl orders refund O1"):
            await process.orders.reversing.preview("O1", CANCELATION, Asked())
