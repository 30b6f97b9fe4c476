"""The cause of an oversell, as the log tells it, against what the simulated shop knows."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from kcjl.audit.explain_oversold import Cause, Oversold, oversold_line, said_of
from kcjl.audit.explain_trail import ProductsAt, received_of, trail_of
from kcjl.events import vocabulary
from kcjl.log.port import Recorded
from kcjl.log.queries import MemoryQueries
from kcjl.orders.events import OrderReceived
from kcjl.stock.events import ImportLineRefused, StockImportFinished, stock_key
from kcjl.stock.state import PRODUCTS, Product
from tests.audit.oversold_world import MERCHANT, NaiveWorld

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> list[NaiveWorld]:
    """Levels read each ten and each fifteen minutes, without a buffer, by slow imports."""
    folder: Path = tmp_path_factory.mktemp("trade")
    made = [
        NaiveWorld(folder, seed=2, days=3, poll_s=600),
        NaiveWorld(folder, seed=3, days=4, poll_s=900),
    ]
    for each in made:
        each.run()
    return made


def products_of(shop: NaiveWorld) -> ProductsAt:
    events = shop.store.shelf(MERCHANT).events

    async def at(position: int, sku: str) -> Sequence[Product]:
        table: dict[str, Product] = {}
        for recorded in events[:position]:
            for key in PRODUCTS.keys(recorded.event):
                entry = PRODUCTS.evolve(table.get(key), recorded.event, key)
                if entry is not None:
                    table[key] = entry
        found = table.get(stock_key(sku))
        return [] if found is None else [found]

    return at


async def explained(shop: NaiveWorld, order_id: str, sku: str) -> Oversold | None:
    log = MemoryQueries(shop.store, MERCHANT, vocabulary())
    order = await received_of(log, order_id)
    trail = await trail_of(log, order, sku, products_of(shop))
    return oversold_line(order, sku, trail.before, trail.events)


async def test_each_oversell_of_a_naive_policy_has_its_true_cause(
    shops: list[NaiveWorld],
) -> None:
    """At least a dozen oversells of at least three causes: each as the shop itself knows it."""
    causes: Counter[Cause] = Counter()
    for shop in shops:
        for line in shop.oversold:
            found = await explained(shop, line.order_id, line.sku)
            assert found is not None, line
            assert shop.truth(line) == found.cause, line
            assert found.short_at_least <= line.units_oversold
            causes[found.cause] += 1

    assert causes.total() >= 12
    assert len(causes) >= 3


async def test_an_order_that_was_there_is_never_surely_oversold(
    shops: list[NaiveWorld],
) -> None:
    """What is said to be certain is so: no order that was all there is told to be short."""
    shop = shops[0]
    oversold = {(line.order_id, line.sku) for line in shop.oversold}
    looked_at = 0
    for recorded in shop.store.shelf(MERCHANT).events:
        event = recorded.event
        if not isinstance(event, OrderReceived) or looked_at >= 60:
            continue
        for line in event.lines:
            if (event.order_id, line.sku) not in oversold:
                looked_at += 1
                found = await explained(shop, event.order_id, line.sku)
                assert found is None or not found.certain, found
    assert looked_at >= 50


async def test_hops_are_in_order_and_say_what_would_have_stopped_it(
    shops: list[NaiveWorld],
) -> None:
    """From the sale elsewhere to the order; a buffer of what was short; a limit of what was."""
    found: list[Oversold] = []
    for shop in shops:
        for line in shop.oversold:
            told = await explained(shop, line.order_id, line.sku)
            if told is not None:
                found.append(told)
    late = next(each for each in found if each.cause is Cause.UNDER_WAY)
    unread = next(each for each in found if each.cause is Cause.NOT_READ)

    names = [hop.name for hop in late.hops]
    assert names == [
        "sale elsewhere",
        "ERP read",
        "push decided",
        "pushed",
        "acknowledged",
        "marketplace order",
    ]
    assert late.hops[0].estimate
    decided, acknowledged = late.hops[2], late.hops[4]
    assert decided.before_order_s is not None
    assert decided.before_order_s >= 0
    assert acknowledged.before_order_s is not None
    assert acknowledged.before_order_s < 0, "it was shown after the order only"
    assert unread.hops[1].before_order_s is not None
    assert unread.hops[1].before_order_s < 0, "it was read after the order only"
    for each in found:
        by_name = {change.name: change for change in each.changes}
        assert f"a buffer of {each.short:,} more" in by_name["buffer"].said
        assert {"cadence", "buffer", "limit"} == set(by_name)
    assert said_of(late)[0].startswith(f"{late.short} of {late.units} {late.sku}")


async def test_a_figure_that_was_refused_is_named_as_that(shops: list[NaiveWorld]) -> None:
    """The right figure was sent in time, and its line refused: that is the cause."""
    shop = shops[0]
    for line in shop.oversold:
        found = await explained(shop, line.order_id, line.sku)
        if found is not None and found.cause is Cause.UNDER_WAY:
            break
    else:
        pytest.fail("none was under way")
    log = MemoryQueries(shop.store, MERCHANT, vocabulary())
    order = await received_of(log, line.order_id)
    trail = await trail_of(log, order, line.sku, products_of(shop))
    acknowledged = next(hop for hop in found.hops if hop.name == "acknowledged")
    refused = [
        _refused(each, line.sku, order.occurred_at)
        if each.position == acknowledged.position
        else each
        for each in trail.events
    ]

    told = oversold_line(order, line.sku, trail.before, refused)
    assert told is not None
    assert told.cause is Cause.REFUSED


def _refused(recorded: Recorded, sku: str, at: datetime) -> Recorded:
    """The same end of an import, told before the order, and with the line refused."""
    event = recorded.event
    assert isinstance(event, StockImportFinished)
    line = ImportLineRefused(sku=sku, message="not now")
    return msgspec.structs.replace(
        recorded,
        event=msgspec.structs.replace(event, refused=(line,), occurred_at=at),
        occurred_at=at,
    )
