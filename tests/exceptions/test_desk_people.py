"""The desk, the shell: rules that route, storms, and what people say, over restarts too."""

import pytest

from kcjl.exceptions.desk_events import (
    ExceptionAccepted,
    ExceptionUnparked,
    RoutingRulesSet,
    StormBegan,
    StormEnded,
)
from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised
from kcjl.exceptions.words import Wanted, chosen, decide_accept, decide_park
from kcjl.orders.events import OrderHeld, OrderReleased
from kcjl.orders.posting_events import TotalsCompared
from tests.exceptions.troubles import interrupted, resumed
from tests.rooms import Premises, Process
from tests.trade import at, gbp, ordered, received

pytestmark = pytest.mark.anyio

RULES = """
[[rules]]
name = "sofas"
skus = ["SOFA-*"]
above = 10.00
owner = "jo"
"""


def held(order_id: str, message: str = "unknown code", pence: int = 2_000) -> OrderHeld:
    return OrderHeld(
        order_id=order_id,
        reason="unknown_sku",
        message=message,
        skus=(),
        money=gbp(pence),
        accept_by=None,
        occurred_at=at(1),
    )


async def hear(process: Process, *events: OrderHeld | OrderReleased) -> None:
    await process.orders.record(*events)
    await process.do("judge")


async def test_rules_route_by_the_skus_of_the_order_and_name_their_version() -> None:
    """An order of sofas is jo's; said again is no new version; who set them is known."""
    place = Premises()
    async with place.open() as process:
        first = await process.desk.set_rules(RULES, reason="sofas", by="sam")
        again = await process.desk.set_rules(RULES, reason="sofas", by="sam")
        sofas = received("O1", ordered("O1-1", "SOFA-3"))
        await process.orders.record(sofas, received("O2", ordered("O2-1", "B-1")))
        await hear(process, held("O1"), held("O2"))
        whose = {each.subject: each for each in await place.said(ExceptionRaised)}

    assert ("version 1" in first, "already" in again) == (True, True)
    assert ("jo", 1) == (whose["O1"].owner, whose["O1"].rules_version)
    assert ("operations", 0) == (whose["O2"].owner, whose["O2"].rules_version)
    recorded = [
        each for each in await place.recorded() if isinstance(each.event, RoutingRulesSet)
    ]
    assert ["sam"] == [each.by for each in recorded]


async def test_preview_of_rules_tells_whose_the_open_ones_would_be_and_changes_nothing() -> (
    None
):
    """One line a kind and rule, with how many."""
    place = Premises()
    async with place.open() as process:
        await process.orders.record(received("O1", ordered("O1-1", "SOFA-3")))
        await hear(process, held("O1"), held("O2"), held("O3"))
        found = process.desk.preview_rules(RULES)

        assert [
            ("order_held", "", "operations", "operations", 2),
            ("order_held", "sofas", "operations", "jo", 1),
        ] == [
            (each.kind, each.rule, each.before, each.after, each.exceptions) for each in found
        ]
    assert [] == await place.said(RoutingRulesSet)


async def test_storm_begins_and_ends_and_each_order_keeps_its_own_exception() -> None:
    """Law 3: sixty held orders are sixty exceptions, and one storm."""
    place = Premises()
    async with place.open() as process:
        await hear(process, *(held(f"O{number}") for number in range(60)))
        open_there = len(process.desk.open)
        await hear(
            process,
            *(OrderReleased(order_id=f"O{n}", occurred_at=at(2)) for n in range(40)),
        )
    (began,) = await place.said(StormBegan)
    (ended,) = await place.said(StormEnded)

    assert 60 == open_there == len(await place.said(ExceptionRaised))
    assert ("order_held", 50, 50) == (began.kind, began.exceptions, began.raised)
    assert 24 == ended.exceptions


async def test_storm_that_a_person_accepts_away_is_over() -> None:
    """In bulk, with one word; what is left stands by itself."""
    place = Premises()
    async with place.open() as process:
        differing = (
            TotalsCompared(order_id=f"O{n}", ours=gbp(2_000), erp=gbp(2_001), occurred_at=at(1))
            for n in range(60)
        )
        await process.orders.record(*differing)
        await process.do("judge")
        meant = chosen(process.desk.open.values(), Wanted(kind="total_differs"))
        words = decide_accept(meant, "a penny each", by="jo", now=at(2))
        await process.desk.say(words, by="jo")
    recorded = [each for each in await place.recorded() if isinstance(each.event, StormEnded)]

    assert [StormBegan] == [type(each) for each in await place.said(StormBegan)]
    assert [("jo", 0)] == [
        (each.by, each.event.exceptions)
        for each in recorded
        if isinstance(each.event, StormEnded)
    ]


async def test_what_was_parked_is_on_the_desk_again_when_its_time_is_over() -> None:
    """Over a restart, too; and cleared meanwhile it stays away."""
    place = Premises()
    async with place.open() as process:
        await hear(process, held("O1"), held("O2"))
        meant = chosen(process.desk.open.values(), Wanted(kind="order_held"))
        until = at(60)
        words = decide_park(meant, until, "the ERP is down", by="jo", now=at(2))
        await process.desk.say(words, by="jo")
        await hear(process, OrderReleased(order_id="O2", occurred_at=at(3)))
        await process.do("unpark")
        assert [] == await place.said(ExceptionUnparked)
    place.clock.tick(90 * 60)
    async with place.open() as process:
        await process.do("unpark", "unpark")

    assert ["O1"] == [each.subject for each in await place.said(ExceptionUnparked)]


async def test_side_that_refuses_our_key_is_one_exception_until_nobody_meets_it() -> None:
    """Two jobs meet it; one works again: it is still there; the second too: it is gone."""
    place = Premises()
    async with place.open() as process:
        jobs = [interrupted("KCJL-2005", job=job) for job in ("intake", "count")]
        await process.orders.record(*jobs)
        await process.do("judge")
        once = set(process.desk.open)
        await process.orders.record(resumed("KCJL-2005", job="count"))
        await process.do("judge")
        still = set(process.desk.open)
        await process.orders.record(resumed("KCJL-2005", job="intake"))
        await process.do("judge")

        assert {"credentials_refused:johnlewis"} == once == still
        assert set() == set(process.desk.open)
    assert 1 == len(await place.said(ExceptionRaised))


async def test_accepted_exception_is_told_of_until_it_is_really_gone() -> None:
    """A person's word takes it off the desk; the orders room goes on knowing of it."""
    place = Premises()
    async with place.open() as process:
        await process.orders.record(interrupted("KCJL-3002", job="intake"))
        await process.do("judge")
        meant = list(process.desk.open.values())
        await process.desk.say(decide_accept(meant, "known", by="jo", now=at(2)), by="jo")
        await process.orders.record(resumed("KCJL-3002", job="intake"))
        await process.do("judge")

        assert set() == set(process.desk.open)
    assert ["jo"] == [each.by for each in await place.said(ExceptionAccepted)]
    assert [True] == [each.accepted for each in await place.said(ExceptionCleared)]
