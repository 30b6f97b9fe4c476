"""The orders room over real HTTP against the sandbox: its switches make what happens later."""

from datetime import timedelta

import pytest

from kcjl.money import Money
from kcjl.orders.events_intake import OrdersCaughtUp, OrdersNotExported
from tests.orders.over_http import opened

pytestmark = pytest.mark.anyio


async def test_changes_after_the_posting_are_tasks_and_no_gaps_over_http() -> None:
    """OR11 and the ERP's SOAP: refunds in part and whole, a cancelation, an incident."""
    async with opened() as (shop, _):
        await shop.later(1)
        await shop.later(6)
        part, whole, cancelled, complained = shop.posted()[:4]
        penny = Money(100, part.total_price.currency)
        line = part.lines[0].line_id
        shop.change("operator_refunds", order_line_id=line, amount=penny)
        for each in whole.lines:
            shop.change(
                "operator_refunds",
                order_line_id=each.line_id,
                amount=each.price,
                shipping_amount=each.shipping_price,
            )
        shop.change("operator_cancels", order_id=cancelled.order_id)
        shop.change("ship", order_id=complained.order_id)
        line = complained.lines[0].line_id
        shop.change("open_incident", order_line_id=line)
        await shop.later(1)

        assert ["refund_to_enter"] == shop.kinds(part.order_id)
        assert {"sales_order_to_reduce"} == set(shop.kinds(whole.order_id))
        assert ["cancelled_after_posting"] == shop.kinds(cancelled.order_id)
        assert ["incident_open"] == shop.kinds(complained.order_id)
        shop.change("close_incident", order_line_id=line)
        await shop.later(1)
        assert [] == shop.kinds(complained.order_id)
        shop.clock.at += timedelta(minutes=2)
        counted = await shop.room.counting.count(by="jo")
    assert (0, 0) == (counted.gaps, counted.missed)
    assert counted.needing == counted.with_sales_order
    assert counted.sales_orders_listed is not None
    assert counted.sales_orders_listed >= counted.with_sales_order.orders - 1


async def test_return_is_expected_and_then_booked_over_http() -> None:
    """RT11: opened by the customer, received by the shop."""
    async with opened() as (shop, _):
        await shop.later(1)
        await shop.later(6)
        entry = shop.posted()[0]
        shop.change("ship", order_id=entry.order_id)
        await shop.later(48)
        shop.change("open_return", order_line_id=entry.lines[0].line_id)
        await shop.later(1)
        assert "return_expected" in shop.kinds(entry.order_id)
        returns = shop.world.marketplace.returns.by_id.values()
        back = next(each for each in returns if each.order_id == entry.order_id)
        if back.state == "WAITING_ACCEPTANCE":
            decision = {"id": back.return_id, "accepted": True}
            shop.change("decide_returns", returns=[decision])
        shop.change("receive_returns", return_ids=[back.return_id])
        await shop.later(1)

        assert "return_to_book" in shop.kinds(entry.order_id)
        assert "return_expected" not in shop.kinds(entry.order_id)


async def test_outage_of_two_days_is_caught_up_over_http() -> None:
    """OR13 to OR15: what was placed meanwhile is there, and what the count reads too."""
    async with opened() as (shop, log):
        await shop.later(1)
        await shop.later(4)
        before = len(shop.room.orders)
        for _ in range(2 * 96 + 1):
            shop.clock.at += timedelta(minutes=15)
            shop.world.agenda.advance(shop.clock.at)
        await shop.do("intake")
        said = [
            recorded.event
            async for page in log.read()
            for recorded in page
            if isinstance(recorded.event, OrdersCaughtUp | OrdersNotExported)
        ]

        assert len(shop.world.marketplace.orders) == len(shop.room.orders) > before
    assert [OrdersCaughtUp] == [type(each) for each in said[-1:]]
