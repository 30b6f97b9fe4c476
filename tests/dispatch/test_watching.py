"""Deadlines and metrics in the room: said in time, raised once, and cleared by themselves."""

from decimal import Decimal

import pytest

from kcjl.dispatch.deadline_events import (
    DeadlinesCounted,
    DispatchAtRisk,
    DispatchLate,
    SalesOrderStaged,
    SellerMetricJudged,
    SellerMetricsRead,
)
from kcjl.errors import Refused
from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised
from kcjl.khaos.port import Stage as ErpStage
from tests.dispatch.test_dispatch_actor import post_all, premises
from tests.outside.erp import parcel
from tests.rooms import Premises, Process

pytestmark = pytest.mark.anyio

HOUR_S = 3_600
DAY_S = 24 * HOUR_S


async def raised(place: Premises) -> list[tuple[str, str]]:
    """(kind, subject) of the deadlines and metrics that are open."""
    kinds = ("dispatch_at_risk", "dispatch_late", "seller_metric_near", "seller_metric_crossed")
    found: list[tuple[str, str]] = []
    for event in await place.said(ExceptionRaised, ExceptionCleared):
        if event.kind in kinds:
            which = (event.kind, event.subject)
            found = [each for each in found if each != which]
            if isinstance(event, ExceptionRaised):
                found.append(which)
    return found


async def look(process: Process) -> None:
    await process.do("deadlines", "judge")


async def test_order_is_at_risk_then_late_and_clears_when_it_is_confirmed() -> None:
    """One exception at a time; placed on Thursday morning, due on Saturday morning."""
    place = premises()
    open_then: list[list[tuple[str, str]]] = []
    async with place.open() as process:
        await post_all(process)
        for hours in (0, 30, 20):
            place.clock.tick(hours * HOUR_S)
            await look(process)
            open_then.append(await raised(place))
        place.warehouse.ship("REF-O1", parcel())
        await process.do("shipments", "confirm", "judge")

    assert [[], [("dispatch_at_risk", "O1")], [("dispatch_late", "O1")]] == open_then
    assert [] == await raised(place)
    (late,) = await place.said(DispatchLate)
    assert "warehouse" == late.cause


async def test_late_exception_says_who_has_it_and_what_it_is_worth() -> None:
    """Whoever reads it need not ask."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        place.clock.tick(3 * DAY_S)
        await look(process)

    (said,) = await place.said(ExceptionRaised)
    assert "in the ERP, and not printed yet (the warehouse's)" in said.message
    assert said.money_at_risk is not None
    assert 2_000 == said.money_at_risk.amount_minor


async def test_five_hundred_late_orders_are_no_storm() -> None:
    """25 by name, all of them in one count; gone when they are confirmed."""
    place = premises(orders=500)
    async with place.open() as process:
        for _ in range(12):
            await post_all(process)
        place.clock.tick(3 * DAY_S)
        await look(process)
        await look(process)

    raised_once = await place.said(ExceptionRaised)
    (counted,) = await place.said(DeadlinesCounted)
    assert 25 == len(await place.said(DispatchLate))
    assert 26 == len([each for each in raised_once if each.kind == "dispatch_late"])
    assert (500, 475) == (counted.orders, counted.unnamed)


async def test_stage_in_the_erp_is_recorded_when_it_changes() -> None:
    """On hold, then in the warehouse: said once each."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        for stage in (ErpStage.ACCEPTED, ErpStage.ON_HOLD, ErpStage.ON_HOLD, ErpStage.UNKNOWN):
            place.warehouse.stages["REF-O1"] = stage
            await process.do("shipments")

    assert ["on_hold", "in_warehouse"] == [e.stage for e in await place.said(SalesOrderStaged)]


async def test_said_deadlines_survive_a_restart() -> None:
    """What was told is not told again."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        place.clock.tick(30 * HOUR_S)
        await look(process)
    async with place.open() as process:
        await look(process)

    assert 1 == len(await place.said(DispatchAtRisk))


async def test_next_look_is_at_the_next_deadline_or_in_a_quarter_of_an_hour() -> None:
    """Nobody looks in vain each minute."""
    place = premises()
    async with place.open() as process:
        await post_all(process)
        (job,) = (job for job in process.dispatch.jobs if job.name == "deadlines")
        far = await job.run()
        place.clock.tick(30 * HOUR_S - 8 * 60 - 1 + 60)
        await look(process)
        near = await job.run()

    assert 15 * 60 == far
    assert near is not None
    assert 60 <= near <= 15 * 60


# ── metrics ─────────────────────────────────────────────────────────────────────────────────


async def test_marketplaces_metrics_are_read_once_a_day_also_across_restarts() -> None:
    """A21 is a once-a-day call."""
    place = premises()
    place.shop.metrics_there = {"late_shipment_rate": Decimal("0.01"), "total_revenue": None}
    for _ in range(2):
        async with place.open() as process:
            await process.do("seller-metrics", "seller-metrics")
    place.clock.tick(DAY_S)
    async with place.open() as process:
        await process.do("seller-metrics")

    assert 2 == place.shop.mishaps.times("statistics")
    first, _ = await place.said(SellerMetricsRead)
    assert [
        ("late_shipment_rate", "LAST_MONTH"),
        ("late_shipment_rate", "LAST_THREE_MONTHS"),
    ] == [(each.metric, each.period) for each in first.metrics]


async def test_metric_near_its_threshold_is_raised_and_clears() -> None:
    """Near, crossed, fine: one exception a metric at a time."""
    place = premises()
    seen: list[set[str]] = []
    async with place.open() as process:
        for late in ("0.045", "0.06", "0.01"):
            place.shop.metrics_there = {"late_shipment_rate": Decimal(late)}
            await process.do("seller-metrics", "judge-metrics", "judge")
            seen.append({kind for kind, _ in await raised(place)})
            place.clock.tick(DAY_S)

    assert [{"seller_metric_near"}, {"seller_metric_crossed"}, set()] == seen


async def test_ours_are_judged_while_theirs_can_not_be_read() -> None:
    """A key without that right is no reason to be blind."""
    place = premises(orders=40)
    place.shop.mishaps.before("statistics", Refused("no right"))
    async with place.open() as process:
        await post_all(process)
        with pytest.raises(Refused):
            await process.do("seller-metrics")
        place.clock.tick(3 * DAY_S)
        await process.do("judge-metrics", "judge")

    judged = await place.said(SellerMetricJudged)
    assert {"late_shipment_rate"} == {each.metric for each in judged}
    assert {None} == {each.theirs for each in judged}
    assert {Decimal(1)} == {each.ours for each in judged}
