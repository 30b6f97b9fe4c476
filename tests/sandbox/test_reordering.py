"""Stock that runs down and is bought again, and customers who take what is shown."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from kcjl.errors import Misuse
from kcjl.money import Money
from kcjl.sandbox.generator import GeneratedTrade
from kcjl.sandbox.shoppers import shopper
from kcjl.sandbox.trade import MarketplaceBasket, TradeLine
from kcjl.sandbox.world import World
from kcjl.sandbox.world_settings import Reordering, WorldSettings
from tests.sandbox.test_world import order_document

TRADE = GeneratedTrade(orders_per_hour=6, skus=12, days=9, share=0, seed=3)


def world_of(trade: GeneratedTrade = TRADE, **reordering: float) -> World:
    settings = msgspec.structs.replace(
        WorldSettings.of("quick", seed=3, trade=trade),
        reordering=msgspec.convert(reordering, Reordering),
        lines_in_part=True,
        mismatches=0,
        discontinued=0,
        return_share=0.0,
    )
    return World(settings)


def levels(world: World) -> dict[str, int]:
    return {item.code: int(item.level()) for item in world.warehouse.stock}


def test_what_has_run_down_is_bought_and_arrives_after_the_lead_time() -> None:
    """A product at its reorder point is bought in the morning; its goods come days later."""
    world = world_of(lead_days=2, cover_days=5)
    code = next(iter(levels(world)))
    world.warehouse.adjust(code, -levels(world)[code], "count")
    second_day = world.starts_at + timedelta(days=1)
    world.agenda.advance(second_day)
    item = world.warehouse.stock.get(code)
    [(due, units)] = item.on_order
    assert (world.starts_at + timedelta(days=3)).date() == due
    assert units >= 6
    before = world.shelf.units_delivered
    world.agenda.advance(datetime.combine(due, datetime.max.time(), UTC))
    assert not [each for each in item.on_order if each[0] == due]
    assert world.shelf.units_delivered >= before + units


def test_nothing_is_bought_where_there_is_enough() -> None:
    """A product far above its reorder point is left alone."""
    world = world_of(lead_days=2)
    for code in levels(world):
        world.warehouse.adjust(code, 10_000, "count")
    world.agenda.advance(world.starts_at + timedelta(days=5))
    assert [] == [item.code for item in world.warehouse.stock if item.on_order]


def test_the_same_settings_make_the_same_stock() -> None:
    """Two worlds of one seed have the same levels at the end."""
    once, again = world_of(), world_of()
    for world in (once, again):
        world.agenda.advance(world.trade.ends_at)
    assert levels(once) == levels(again)
    assert once.shelf.units_delivered == again.shelf.units_delivered > 0


def test_an_order_that_waits_for_stock_is_given_up_and_the_rest_of_it_goes() -> None:
    """What was sold and never there is cancelled once a day, after what was there has left."""
    world = world_of(GeneratedTrade(orders_per_hour=6, skus=12, days=2, seed=3))
    code, other = sorted(levels(world))[:2]
    for each in (code, other):
        world.warehouse.adjust(each, 2 - levels(world)[each], "count")
    world.agenda.advance(world.starts_at + timedelta(minutes=5))
    for each in (code, other):
        world.marketplace.catalogue.take_down(each)
        world.marketplace.catalogue.put_back(each, 5)
    lines = tuple(
        TradeLine(sku=sku, description="", quantity=units, unit_price=Money(500))
        for sku, units in ((code, 9), (other, 1))
    )
    basket = MarketplaceBasket(
        at=world.agenda.now, invoice="1", lines=lines, customer=shopper(1, "1")
    )
    world.buying.buy(basket)
    [order] = world.marketplace.orders.values()
    assert [(code, 5), (other, 1)] == [(line.sku, line.quantity) for line in order.lines]
    assert (3, 4) == (world.counted.units_oversold, world.counted.units_lost)
    world.change("johnlewis", "accept", {
        "order_id": order.order_id,
        "decisions": [{"id": line.line_id, "accepted": True} for line in order.lines],
    })  # fmt: skip
    while order.state != "SHIPPING":
        world.agenda.advance(world.agenda.now + timedelta(minutes=5))
    world.warehouse.import_orders(order_document(order))
    world.agenda.advance(world.starts_at + timedelta(hours=34))
    assert 1 == world.counted.orders_given_up
    assert 3 == world.counted.units_given_up
    [sales_order] = world.warehouse.orders_by_ref(order.customer_order_number)
    sent = sum(int(i.quantity) for i in sales_order.invoices if i.shipped_at is not None)
    assert 3 == sent


@pytest.mark.parametrize("name", ["lead_days", "cover_days", "demand_days", "least_units"])
def test_settings_that_can_not_be_are_refused(name: str) -> None:
    """A day or a unit at least."""
    with pytest.raises(Misuse, match=name):
        msgspec.convert({name: 0}, Reordering)
