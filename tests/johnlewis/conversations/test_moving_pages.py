"""Lists that move while the client pages through them: none missed, none twice.

The law: what was there from the first page to the last is read, once, and in no state older
than at the first page. What appears meanwhile may be read or not; the next reading has it.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from random import Random

import pytest

from kcjl.clock import chance
from kcjl.errors import Misuse
from kcjl.johnlewis.returns_port import ReturnFilter
from kcjl.money import Money
from kcjl.sandbox.marketplace import ApiError, Order
from kcjl.sandbox.marketplace.records import TransactionLine
from tests.johnlewis.test_seller_api_sandbox import World, serving
from tests.sandbox.marketplace_shop import BEGINNING, SHIRT, Shop, parcel_of, quick

pytestmark = pytest.mark.anyio

SEEDS = range(5)
PAGINGS = [
    {},
    {"duplicated_page_rows": True},
    {"boundary_overlap_s": 3600},
    {"duplicated_page_rows": True, "boundary_overlap_s": 3600},
]


def once_each(ids: Iterable[str]) -> set[str]:
    """Each as it came, none twice."""
    told = list(ids)
    assert len(told) == len(set(told)), "a row came twice"
    return set(told)


def placed(shop: Shop, count: int) -> list[Order]:
    return [shop.order(1, 0, beyond_the_window=True) for _ in range(count)]


def moving(world: World, operation: str, happens: Callable[[], None]) -> None:
    """Let it happen before every page but the first."""
    pages = iter(range(1_000))

    def before(asked: str) -> None:
        if asked == operation and next(pages):
            happens()

    world.before_each.append(before)


# ── orders ──────────────────────────────────────────────────────────────────────────────────


def _orders_move(world: World, draw: Random) -> Callable[[], None]:
    """Some are placed, some cancelled, some decided, some only noted on; a moment goes by."""
    shop = world.shop

    def happens() -> None:
        shop.wait(seconds=draw.randint(0, 90))
        for _ in range(draw.randint(0, 12)):
            order = draw.choice(list(shop.marketplace.orders.values()))
            with suppress(ApiError):
                match draw.randint(0, 3):
                    case 0:
                        placed(shop, draw.randint(1, 3))
                    case 1:
                        shop.marketplace.operator_cancels(order.order_id)
                    case 2:
                        shop.decide(order)
                    case _:
                        shop.marketplace.write_references(
                            [
                                {
                                    "order_id": order.order_id,
                                    "order_reference_for_seller": f"KC-{draw.random()}",
                                }
                            ]
                        )

    return happens


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("paging", PAGINGS, ids=repr)
async def test_orders_that_move_under_the_paging_are_read_once_each(
    seed: int, paging: dict[str, object]
) -> None:
    """OR11 since a time: old orders slip in front of the page as they change."""
    draw = chance(seed)
    async with serving(quick(**paging)) as world:
        shop = world.shop
        old = placed(shop, draw.randint(60, 150))
        shop.wait(hours=4)
        since = shop.agenda.now
        shop.wait(seconds=1)
        there = {
            each.order_id: each.updated_at for each in placed(shop, draw.randint(150, 320))
        }
        moving(world, "OR11", _orders_move(world, draw))

        first = await world.api().orders_updated_since(since)
        moved_meanwhile = {
            each.order_id
            for each in shop.marketplace.orders.values()
            if each.updated_at >= since
        }
        world.before_each.clear()
        later = await world.api().orders_updated_since(since)

    read = once_each(each.order_id for each in first)
    assert there.keys() <= read
    assert all(
        each.updated_at >= there[each.order_id] for each in first if each.order_id in there
    )
    assert moved_meanwhile <= once_each(each.order_id for each in later)
    assert any(each.order_id in moved_meanwhile for each in old)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("doubled", [False, True])
async def test_polls_one_after_another_miss_no_order(
    seed: int,
    *,
    doubled: bool,
) -> None:
    """What slipped past one reading is in the next, which begins where the last one began."""
    draw = chance(seed)
    async with serving(quick(duplicated_page_rows=doubled)) as world:
        shop, api = world.shop, world.api()
        placed(shop, 250)
        moving(world, "OR11", _orders_move(world, draw))
        cursor, latest = BEGINNING, {}
        for turn in range(4):
            if turn == 3:
                world.before_each.clear()
            began = shop.agenda.now
            for order in await api.orders_updated_since(cursor):
                latest[order.order_id] = order
            cursor = began
            shop.wait(seconds=60)
        truth = shop.marketplace.orders

        changed_late = {k for k, each in truth.items() if each.updated_at > began}
        assert truth.keys() == latest.keys()
        assert {key: each.state for key, each in truth.items() if key not in changed_late} == {
            key: each.state_raw for key, each in latest.items() if key not in changed_late
        }


# ── offers ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("doubled", [False, True])
async def test_offers_that_come_and_go_under_the_paging_are_read_once_each(
    seed: int,
    *,
    doubled: bool,
) -> None:
    """OF21: an offer that stays is read, whichever others are listed and deleted around it."""
    draw = chance(seed)
    async with serving(quick(duplicated_page_rows=doubled)) as world:
        market = world.shop.marketplace
        for number in range(draw.randint(150, 350)):
            title = f"{draw.randint(0, 99_999):05}"
            market.list_offer(f"KC-{number}", price=Money(100), title=title)
        first = set(market.offers)
        left = iter(range(6))

        def happens() -> None:
            if next(left, None) is None:
                return  # a shop that never rests can't be read, and says so
            for number in range(draw.randint(0, 5)):
                offer = draw.choice(list(market.offers.values()))
                if offer.sku != SHIRT:
                    market.catalogue.delete(offer)
                title = f"{draw.randint(0, 99_999):05}"
                sku = f"KC-NEW-{len(market.offers)}-{number}-{draw.randint(0, 10**9)}"
                with suppress(Misuse):
                    market.list_offer(sku, price=Money(100), title=title)

        moving(world, "OF21", happens)
        told = await world.api().offers()
        stayed = first & set(market.offers)

    assert stayed <= once_each(each.sku for each in told)


# ── the seek family ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", SEEDS)
async def test_transaction_lines_that_are_added_and_paid_are_read_once_each(seed: int) -> None:
    """TL02: a cycle in the middle moves every line to the end, and none is lost."""
    draw = chance(seed)
    async with serving(quick()) as world:
        shop = world.shop
        for _ in range(700):
            shop.marketplace.operator_credits(Money(draw.randint(1, 999)), "Sorry")
        orders = [shop.received_order(1, 0) for _ in range(3)]
        shop.wait(hours=1)
        there = {each.line_id for each in shop.marketplace.transactions.values()}

        def happens() -> None:
            shop.wait(seconds=draw.randint(0, 60))
            for _ in range(draw.randint(0, 9)):
                shop.marketplace.operator_credits(Money(draw.randint(1, 999)), "Sorry")
            if draw.random() < 0.5:
                shop.marketplace.run_cycle()

        moving(world, "TL02", happens)
        told = await world.api().transaction_lines(BEGINNING)
        world.before_each.clear()
        again = await world.api().transaction_lines(BEGINNING)
        truth: dict[str, TransactionLine] = dict(shop.marketplace.transactions)

    assert len(orders) == len({each.order_id for each in truth.values()} - {None})
    assert there <= once_each(each.line_id for each in told)
    assert truth.keys() == once_each(each.line_id for each in again)


@pytest.mark.parametrize("seed", SEEDS)
async def test_returns_that_are_opened_and_moved_are_read_once_each(seed: int) -> None:
    """RT11: returns come in, are accepted, cancelled and received under the reading."""
    draw = chance(seed)
    async with serving(quick()) as world:
        shop, market = world.shop, world.shop.marketplace
        shop.stock({SHIRT: 1000})
        kept = shop.order_to_ship(400, 0)
        market.ship(kept.order_id)
        shop.wait(hours=24)
        line_id = kept.lines[0].line_id
        for _ in range(draw.randint(150, 250)):
            market.open_return(line_id, 1, "RETURN_CHANGED_MIND")
        there = set(market.returns.by_id)

        def happens() -> None:
            shop.wait(seconds=draw.randint(0, 60))
            for _ in range(draw.randint(0, 8)):
                return_id = draw.choice(list(market.returns.by_id))
                market.open_return(line_id, 1, "RETURN_CHANGED_MIND")
                market.decide_returns([{"id": return_id, "accepted": True}])
                if draw.random() < 0.5:
                    market.cancel_returns([return_id])

        moving(world, "RT11", happens)
        told = await world.api().returns(ReturnFilter(created_from=BEGINNING))

    assert there <= once_each(each.return_id for each in told)


@pytest.mark.parametrize("seed", SEEDS)
async def test_parcels_that_leave_under_the_paging_are_read_once_each(seed: int) -> None:
    """ST11 since a time: parcels are made and shipped between the pages."""
    draw = chance(seed)
    async with serving(quick()) as world:
        shop, market = world.shop, world.shop.marketplace
        shop.stock({SHIRT: 1000})
        kept = shop.order_to_ship(500, 0)

        def pack() -> str:
            (made,) = market.create_shipments([parcel_of(kept, {0: 1}, shipped=False)])
            assert made.shipment is not None
            return made.shipment.shipment_id

        there = [pack() for _ in range(draw.randint(150, 250))]

        def happens() -> None:
            shop.wait(seconds=draw.randint(0, 60))
            for _ in range(draw.randint(0, 8)):
                pack()
                market.ship_shipments([draw.choice(there)])

        moving(world, "ST11", happens)
        told = await world.api().shipments_updated(BEGINNING)

    assert set(there) <= once_each(each.shipment_id for each in told)
