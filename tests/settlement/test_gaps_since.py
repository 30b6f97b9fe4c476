"""Gaps that end after closing: goods that come late, a fee that is given back late."""

import msgspec
import pytest

from kcjl.orders.events_changes import (
    LineWithdrawn,
    ReturnedLine,
    ReturnOpened,
    ReturnReceived,
)
from kcjl.settlement.events import SettlementLineSeen
from kcjl.settlement.expectation import find_gaps
from kcjl.settlement.gap_events import GapEnded, GapFound, GapTotal, PayoutReconciled
from kcjl.settlement.gaps_since import GAPS_SINCE, OrderSince, decide_gaps_ended
from kcjl.settlement.state import CYCLES, Cycle, Line
from kcjl.vocabulary import Event
from tests.rooms import Premises, Process
from tests.settlement.payouts import closed_cycle, known
from tests.settlement.sales import ORDER, TERMS_20, e4_lines, settled
from tests.settlement.test_settlement_actor import (
    DAY_S,
    a_day_later,
    post_all,
    premises,
    transaction,
)
from tests.settlement.test_settlement_people import put, settle
from tests.trade import at, gbp, made_of

pytestmark = pytest.mark.anyio

OPENED = ReturnOpened(
    order_id="O1",
    return_id="RET1",
    state="OPENED",
    rma="",
    lines=(ReturnedLine(line_id="O1-1", sku="A-1", quantity=1, reason_code="1"),),
    money=gbp(2_400),
    occurred_at=at(5),
)
CAME_BACK = ReturnReceived(order_id="O1", return_id="RET1", occurred_at=at(900))
GIVEN_UP = LineWithdrawn(
    order_id="O1",
    line_id="O1-1",
    sku="A-1",
    units=1,
    amount=gbp(2_400),
    shipping_amount=gbp(0),
    occurred_at=at(900),
)


def found_in(lines: list[Line], *, returns_are_told: bool = True) -> tuple[GapFound, ...]:
    """What the closing of CY1 finds in contract e.4's lines."""
    against = msgspec.structs.replace(
        known(ORDER, lines=lines, terms=TERMS_20), returns_are_told=returns_are_told
    )
    return find_gaps("CY1", lines, against, at(200))


def closed(gaps: tuple[GapFound, ...], *more: GapTotal) -> Cycle:
    by_kind = [GapTotal(kind=gap.kind, gaps=1, amount=gap.amount) for gap in gaps]
    reconciled = PayoutReconciled(
        cycle_id="CY1",
        lines_total=gbp(2_102),
        named=(),
        gaps=(*by_kind, *more),
        orders=1,
        terms_version=3,
        occurred_at=at(200),
    )
    entry = closed_cycle(2_102)
    return CYCLES.evolve(entry, reconciled, "CY1") or entry


def since(*events: Event) -> OrderSince:
    return made_of(GAPS_SINCE, "O1", *events)


def fee_back(kind: str, amount: int, number: int = 30) -> SettlementLineSeen:
    return settled(kind, amount, number=number, refund="55012", cycle="CY2").seen


NOT_BACK = found_in(e4_lines())
KEPT_FEE = found_in(
    [each for each in e4_lines() if not each.seen.kind.startswith("REFUND_COMMISSION")],
    returns_are_told=False,
)
KEPT_VAT = found_in(
    [each for each in e4_lines() if each.seen.kind != "REFUND_COMMISSION_VAT"],
    returns_are_told=False,
)


# ── goods ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("then", [(OPENED, CAME_BACK), (GIVEN_UP,)])
def test_goods_that_come_back_late_end_their_gap_and_the_others_stand(
    then: tuple[Event, ...],
) -> None:
    """Received, or given up before they left: refund_without_return is over, once."""
    rounding = GapTotal(kind="rounding", gaps=1, amount=gbp(1))
    entry = closed(NOT_BACK, rounding)
    order = since(*NOT_BACK, *then)
    (ended,) = decide_gaps_ended(order, [entry], at(1_000))

    assert isinstance(ended, GapEnded)
    assert ("refund_without_return", "55012", gbp(-2_400)) == (
        ended.kind,
        ended.subject,
        ended.amount,
    )
    assert (rounding,) == ended.still
    assert () == since(*NOT_BACK, *then, ended).over


def test_gap_stands_while_nothing_has_come() -> None:
    """A return that is only under way; goods of another line."""
    entry = closed(NOT_BACK)
    elsewhere = LineWithdrawn(
        order_id="O1",
        line_id="O1-2",
        sku="B-2",
        units=1,
        amount=gbp(1),
        shipping_amount=gbp(0),
        occurred_at=at(900),
    )

    assert () == decide_gaps_ended(since(*NOT_BACK), [entry], at(1_000))
    assert () == decide_gaps_ended(since(*NOT_BACK, OPENED), [entry], at(1_000))
    assert () == decide_gaps_ended(since(*NOT_BACK, elsewhere), [entry], at(1_000))


# ── fees ────────────────────────────────────────────────────────────────────────────────────


def test_commission_that_is_given_back_late_ends_its_gap() -> None:
    """4.80 in parts, in a later payout; less is not enough."""
    (gap,) = KEPT_FEE
    entry = closed(KEPT_FEE)
    part = since(gap, fee_back("REFUND_COMMISSION_FEE", 470))
    whole = since(
        gap, fee_back("REFUND_COMMISSION_FEE", 470), fee_back("REFUND_COMMISSION_FEE", 10, 31)
    )

    assert ("refund_commission_kept", "fee", gbp(480)) == (
        gap.kind,
        gap.component,
        gap.expected,
    )
    assert () == decide_gaps_ended(part, [entry], at(1_000))
    (ended,) = decide_gaps_ended(whole, [entry], at(1_000))
    assert isinstance(ended, GapEnded)
    assert ("4.80 GBP was given back", ()) == (ended.reason, ended.still)


def test_fee_does_not_end_the_gap_of_its_vat() -> None:
    """The fee came with the refund, and is more than its VAT: that is still kept."""
    (gap,) = KEPT_VAT
    entry = closed(KEPT_VAT)
    of_fee = since(gap, fee_back("REFUND_COMMISSION_FEE", 480))
    of_vat = since(gap, fee_back("REFUND_COMMISSION_VAT", 96))

    assert "vat" == gap.component
    assert () == decide_gaps_ended(of_fee, [entry], at(1_000))
    assert 1 == len(decide_gaps_ended(of_vat, [entry], at(1_000)))


def test_gap_of_a_payout_that_is_not_closed_is_not_ended() -> None:
    """Found, and cut off before the closing was written: it is found again."""
    order = since(*NOT_BACK, OPENED, CAME_BACK)
    waiting = made_of(CYCLES, "CY1", closed(NOT_BACK).seen)

    assert () == decide_gaps_ended(order, [waiting], at(1_000))
    assert () == decide_gaps_ended(order, [], at(1_000))
    assert 1 == len(since(*NOT_BACK, *NOT_BACK).gaps)


# ── the room ────────────────────────────────────────────────────────────────────────────────


def refunded(place: Premises) -> None:
    """2.00 of the sale went back, and its commission with it did not."""
    refund = [
        transaction("L5", -200, "REFUND_ORDER_AMOUNT"),
    ]
    place.shop.lines += [msgspec.structs.replace(each, refund_id="R1") for each in refund]


async def give_back(place: Premises, process: Process) -> None:
    """A day later the fee comes, in a cycle to be."""
    fee = transaction("L6", 30, "REFUND_COMMISSION_FEE")
    put(place, msgspec.structs.replace(fee, refund_id="R1", cycle_id=None))
    place.clock.tick(DAY_S)
    await process.do("transactions", "payouts")
    await process.do("judge")


async def test_late_fee_is_heard_and_the_exception_is_over() -> None:
    """Found at closing, and raised; given back a day later: the payout stays as it was."""
    place = premises(stated=1_440)
    refunded(place)
    async with place.open() as process:
        await settle(place, process)
        assert "payout_gaps:CY1" in process.desk.open
        await give_back(place, process)
        await process.do("payouts")

        assert "payout_gaps:CY1" not in process.desk.open
    (ended,) = await place.said(GapEnded)
    (found,) = await place.said(GapFound)
    assert (1, found.amount) == (len(await place.said(PayoutReconciled)), ended.amount)


async def test_gap_that_ended_is_ended_after_a_restart_too() -> None:
    """Another process folds the same, and says nothing a second time."""
    place = premises(stated=1_440)
    refunded(place)
    async with place.open() as process:
        await post_all(process)
        await a_day_later(place, process)
        await process.do("payouts", "payouts")
        await give_back(place, process)
    async with place.open() as process:
        await process.do("payouts", "judge")

    assert 1 == len(await place.said(GapEnded))
