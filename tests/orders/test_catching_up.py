"""Intake after a long outage: one export, then pages; and pages alone where none comes."""

from datetime import timedelta

import msgspec
import pytest

from kcjl.errors import Unavailable
from kcjl.orders.events import OrderPassedOver, OrderReceived, OrdersRead
from kcjl.orders.events_intake import OrdersCaughtUp, OrdersExportAsked, OrdersNotExported
from kcjl.orders.intake import Intake, plan_read
from kcjl.settings import OrderSettings
from tests.outside.marketplace import marketplace_order
from tests.outside.mishaps import Killed
from tests.rooms import Premises
from tests.trade import SHIPPING, at

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def plan(intake: Intake | None, minutes: float) -> tuple[float, bool, bool]:
    """(minutes to reach back to, whether it sweeps, whether it is in bulk)."""
    made = plan_read(
        intake, now=at(minutes), start_at=at(-600), overlap=HOUR, catch_up_after=DAY
    )
    return (made.since - at()).total_seconds() / 60, made.swept, made.in_bulk


@pytest.mark.parametrize(
    ("intake", "minutes", "expected"),
    [
        (None, 0, (-600, True, False)),
        (None, 2 * 1_440, (-600, True, True)),
        (Intake(cursor=at(0), swept_at=at(0)), 5, (-60, False, False)),
        (Intake(cursor=at(1_435), swept_at=at(0)), 1_440, (1_440 - 5 * 1_440, True, False)),
        (Intake(cursor=at(0), swept_at=at(0)), 1_441, (1_441 - 5 * 1_440, True, True)),
        (Intake(cursor=at(0), swept_at=None), 5, (-60, True, False)),
    ],
)
def test_read_reaches_back_as_far_as_it_must(
    intake: Intake | None, minutes: float, expected: tuple[float, bool, bool]
) -> None:
    """The overlap always, five days once a day, an export after a day without a read."""
    assert expected == plan(intake, minutes)


def premises() -> Premises:
    """A first read that needs no export."""
    place = Premises()
    place.order_settings = OrderSettings(start_at=place.clock.now() - HOUR)
    return place


async def test_outage_of_two_days_is_caught_up_by_export_and_then_by_pages() -> None:
    """What the export brings is recorded in the same way, and the cursor moves once."""
    place = premises()
    async with place.open() as process:
        await process.do("intake")
        place.clock.tick(2 * 86_400)
        late = place.clock.now() - timedelta(hours=30)
        order = msgspec.structs.replace(
            marketplace_order("O1", state=SHIPPING), updated_at=late
        )
        place.shop.place(order)
        await process.do("intake")

    (caught_up,) = await place.said(OrdersCaughtUp)
    assert 1 == caught_up.read
    assert ["O1"] == [each.order_id for each in await place.said(OrderReceived)]
    assert 1 == place.shop.mishaps.times("orders_caught_up")
    assert 2 == len(await place.said(OrdersRead))


@pytest.mark.parametrize(("stopped_s", "asked"), [(600, 1), (2 * 86_400, 2)])
async def test_export_that_was_asked_for_is_gone_on_with_after_a_restart(
    stopped_s: float, asked: int
) -> None:
    """Killed while it is made: it is not asked for anew, unless it is too old to be of use."""
    place = premises()
    async with place.open() as process:
        await process.do("intake")
        place.clock.tick(2 * 86_400)
        late = place.clock.now() - timedelta(hours=30)
        order = msgspec.structs.replace(
            marketplace_order("O1", state=SHIPPING), updated_at=late
        )
        place.shop.place(order)
        place.shop.mishaps.after("orders_caught_up", Killed())
        with pytest.raises(Killed):
            await process.do("intake")
    place.clock.tick(stopped_s)
    async with place.open() as process:
        await process.do("intake")
        assert {} == dict(process.orders.exporting.items())

    assert asked == len(place.shop.exports_asked)
    exports = await place.said(OrdersExportAsked)
    (caught_up,) = await place.said(OrdersCaughtUp)
    assert exports[-1].until == caught_up.until
    assert ["O1"] == [each.order_id for each in await place.said(OrderReceived)]


async def test_order_that_changed_while_the_export_was_made_comes_with_the_pages() -> None:
    """An export leaves out what was updated after it was asked for: the next read has it."""
    place = premises()
    async with place.open() as process:
        await process.do("intake")
        place.clock.tick(2 * 86_400)
        changed = place.clock.now() + timedelta(seconds=5)
        order = marketplace_order("O1", state=SHIPPING)
        place.shop.place(msgspec.structs.replace(order, updated_at=changed))
        await process.do("intake")

    (caught_up,) = await place.said(OrdersCaughtUp)
    assert 0 == caught_up.read
    assert ["O1"] == [each.order_id for each in await place.said(OrderReceived)]


@pytest.mark.parametrize("there", [False, True])
async def test_tenant_without_a_usable_export_is_read_by_pages(*, there: bool) -> None:
    """No export, or one that does not end: nothing is missed, and it is said why."""
    place = premises()
    async with place.open() as process:
        await process.do("intake")
        place.clock.tick(2 * 86_400)
        place.shop.has_export = there
        if there:
            place.shop.mishaps.before("orders_caught_up", Unavailable("not done in time"))
        late = place.clock.now() - timedelta(hours=30)
        order = msgspec.structs.replace(
            marketplace_order("O1", state=SHIPPING), updated_at=late
        )
        place.shop.place(order)
        await process.do("intake")

    (why,) = await place.said(OrdersNotExported)
    assert why.message
    assert ["O1"] == [each.order_id for each in await place.said(OrderReceived)]


async def test_first_run_by_export_records_shipped_and_old_orders_and_posts_none() -> None:
    """Whichever way they come, old ones and shipped ones are passed over."""
    place = Premises()
    place.order_settings = OrderSettings(start_at=place.clock.now() - 3 * DAY)
    old = marketplace_order("O1", state=SHIPPING)
    long_ago = place.clock.now() - 5 * DAY
    place.shop.place(
        msgspec.structs.replace(old, created_at=long_ago, updated_at=place.clock.now() - DAY),
        marketplace_order("O2", state="SHIPPED"),
    )
    async with place.open() as process:
        await process.do("intake", "posting")

    assert 1 == place.shop.mishaps.times("orders_caught_up")
    assert {"O1", "O2"} == {each.order_id for each in await place.said(OrderPassedOver)}
    assert {} == place.warehouse.taken
