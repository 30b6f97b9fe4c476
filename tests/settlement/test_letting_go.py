"""Settlement, what a room lets go of: it is asked for nothing that it would have known."""

from collections import Counter
from random import Random

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kcjl.fold import Table
from kcjl.settlement.actor import Settlement
from kcjl.settlement.events import (
    JournalIntended,
    LateLineFound,
    PayoutClosed,
    PayoutHeld,
    SettlementLineSeen,
    SettlementLineTied,
)
from kcjl.settlement.gap_events import GapFound
from kcjl.settlement.open_money import JOURNALLED
from kcjl.settlement.state import LINES
from kcjl.vocabulary import Event
from tests.patience import unhurried
from tests.settlement.account_of_a_shop import ShopAccount
from tests.settlement.test_settlement_actor import (
    a_day_later,
    cycle,
    post_all,
    premises,
    transaction,
)

pytestmark = pytest.mark.anyio

CYCLES = 5
stories = settings(unhurried, max_examples=30)


class Hoarder(Settlement):
    """Keeps every line and every order for ever, as the room once did."""

    lets_go_on: tuple[type[Event], ...] = ()


def said(account: ShopAccount) -> list[Event]:
    """All but ties: a line that came back changed is tied again."""
    return [
        each.event
        for each in account.recorded
        if not isinstance(each.event, SettlementLineTied)
    ]


@stories
@given(seed=st.integers(0, 2**32))
@example(seed=469852)
async def test_room_that_lets_go_decides_as_one_that_keeps_all(seed: int) -> None:
    """Held, closed, every gap, every late line, every journal: the same, in the same order."""
    keeps, lets_go = (ShopAccount(Random(seed), each) for each in (Hoarder, Settlement))
    await keeps.live(CYCLES)
    await lets_go.live(CYCLES)

    assert said(keeps) == said(lets_go)
    assert keeps.books.journals == lets_go.books.journals


@stories
@given(seed=st.integers(0, 2**32))
@example(seed=469852)  # a tied line came again, on a payout that was journalled already
async def test_room_holds_only_orders_whose_money_is_open(seed: int) -> None:
    """Each line that is held is of an order of which a line is untied or not journalled yet; a
    replay holds the same ones, and the log has them all.
    """
    account = ShopAccount(Random(seed), Settlement)
    await account.live(CYCLES)
    async with account.room() as room:
        held = dict(room.lines.items())
        states = {cycle_id: cycle.state for cycle_id, cycle in room.cycles.items()}

    open_orders = {
        line.seen.order_id
        for line in held.values()
        if line.wants_tie or states.get(line.seen.cycle_id or "") not in JOURNALLED
    }
    everything = Table(LINES)
    for each in account.recorded:
        everything.apply(each.event)
    assert {line.seen.order_id for line in held.values()} <= open_orders
    for line_id, line in held.items():
        assert everything[line_id].seen == line.seen


async def test_refund_of_an_order_whose_lines_came_before_it_is_tied_after_it_was_let_go() -> (
    None
):
    """Law 5: its money was read before the order, then it was settled and let go of; the room
    went on taking it for an order of nobody, and held the payout with its refund for ever.
    """
    place = premises()
    async with place.open() as process:
        await process.do("transactions", "payouts")
        await post_all(process)
        await a_day_later(place, process)
        await process.do("payouts", "payouts")
        now = place.clock.now()
        refund = transaction("L5", -500, "REFUND_ORDER_AMOUNT")
        sale = transaction("L6", 800, "MANUAL_CREDIT", order_id=None)
        place.shop.lines += [
            msgspec.structs.replace(each, cycle_id="CY2", created_at=now, updated_at=now)
            for each in (refund, sale)
        ]
        second = cycle(300, made=now)
        place.shop.cycles.append(msgspec.structs.replace(second, cycle_id="CY2"))
        await a_day_later(place, process)
        await process.do("payouts")

    assert [] == await place.said(PayoutHeld)
    closed = [event.cycle_id for event in await place.said(PayoutClosed)]
    assert ["CY1", "CY2"] == closed


async def test_stories_are_worth_telling() -> None:
    """They have what letting go could go wrong with: gaps, late lines, corrections, returns."""
    told: Counter[str] = Counter()
    let_go = 0
    for seed in range(12):
        account = ShopAccount(Random(seed), Settlement)
        await account.live(CYCLES)
        events = [each.event for each in account.recorded]
        told.update(type(each).__name__ for each in events)
        told.update(
            each.kind for each in events if isinstance(each, JournalIntended | GapFound)
        )
        async with account.room() as room:
            seen = {each.line_id for each in events if isinstance(each, SettlementLineSeen)}
            let_go += len(seen) - len(room.lines)

    wanted = (PayoutClosed, LateLineFound, SettlementLineTied)
    assert all(told[each.__name__] > 10 for each in wanted), told
    assert all(told[kind] for kind in ("month_end", "reversal", "correction")), told
    assert told["refund_commission_kept"] > 3
    assert told["commission_rate"] > 3
    assert let_go > 200
