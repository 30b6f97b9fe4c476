"""The tenant's room: read once a day, refused when it can't be served, known to the others."""

from datetime import timedelta

import pytest

from kcjl.clock import Ids, SeededIds
from kcjl.dispatch.events import CarriersRead
from kcjl.errors import RateLimited, ShopModelNotServed, Unavailable
from kcjl.exceptions.events import JobInterrupted
from kcjl.orders.events import AcceptanceConfirmed
from kcjl.tenant.actor import Tenancy
from kcjl.tenant.events import TenantRead
from kcjl.tenant.state import KEY
from tests.outside.marketplace import marketplace_order
from tests.rooms import Premises, Process
from tests.tenant.readings import tenant_read

pytestmark = pytest.mark.anyio

IDS: Ids = SeededIds(4021)
AWAY = Unavailable("the marketplace is away")


def tenancy(place: Premises, process: Process) -> Tenancy:
    return Tenancy(process.log, place.clock, IDS, marketplace=place.shop)


async def opened(place: Premises) -> TenantRead | None:
    """What a new process knows of the tenant when its other rooms begin."""
    async with place.open() as process:
        room = tenancy(place, process)
        await room.open()
        return room.tenant.get(KEY)


async def test_tenant_is_in_the_log_before_the_other_rooms_begin() -> None:
    """What we act on is on record; reasons that a shop may not use are not ours."""
    place = Premises()
    read = await opened(place)

    assert [read] == await place.said(TenantRead)
    assert read is not None
    assert ("MARKETPLACE", True, "Europe/London") == (
        read.model,
        read.multi_shipment,
        read.timezone,
    )
    assert ((("dpd", "DPD"), ("evri", "Evri")), (("STD", True),)) == (
        read.carriers,
        read.shipping_types,
    )
    assert (("17", "REFUND", "Returned"), ("34", "CANCELATION", "Gone")) == read.reasons


async def test_tenant_is_read_once_a_day_also_over_restarts() -> None:
    """A01 and its like are once-a-day calls (d.1)."""
    place = Premises()
    await opened(place)
    place.clock.tick(86_399)
    await opened(place)
    assert 1 == place.shop.mishaps.times("tenant_profile")
    place.clock.tick(1)
    await opened(place)

    assert 2 == place.shop.mishaps.times("tenant_profile")


async def test_tenant_is_read_again_after_a_day_by_its_job() -> None:
    """The job sleeps until the reading is a day old."""
    place = Premises()
    async with place.open() as process:
        room = tenancy(place, process)
        await room.open()
        place.clock.tick(3_600)
        (job,) = room.jobs
        left_s = await job.run()
        place.clock.tick(left_s or 0)
        place.shop.multi_shipment = False
        await job.run()

    assert timedelta(hours=23).total_seconds() == left_s
    assert [True, False] == [each.multi_shipment for each in await place.said(TenantRead)]


@pytest.mark.parametrize("model", ["DROPSHIP", "ONE_CREDITOR", ""])
async def test_shop_of_another_model_does_not_start(model: str) -> None:
    """Its prices, VAT and payouts mean something else (e.8): told, and on record."""
    place = Premises()
    place.shop.model = model

    with pytest.raises(ShopModelNotServed, match="kcjl serves MARKETPLACE only"):
        await opened(place)
    assert [model] == [each.model for each in await place.said(TenantRead)]


async def test_shop_whose_model_was_mended_starts_at_once() -> None:
    """Nobody waits a day for the operator's correction to be seen."""
    place = Premises()
    place.shop.model = "DROPSHIP"
    with pytest.raises(ShopModelNotServed):
        await opened(place)
    place.shop.model = "MARKETPLACE"
    read = await opened(place)

    assert read is not None
    assert "MARKETPLACE" == read.model


async def test_shop_that_was_not_served_is_not_while_it_can_not_be_read() -> None:
    """A once-a-day call that is turned away is no way in."""
    place = Premises()
    place.shop.model = "DROPSHIP"
    with pytest.raises(ShopModelNotServed):
        await opened(place)
    place.shop.mishaps.before("tenant_profile", RateLimited("slow down", retry_after_s=60))

    with pytest.raises(ShopModelNotServed, match="is of model DROPSHIP"):
        await opened(place)


async def test_shop_whose_model_changes_while_it_is_served_ends_the_service() -> None:
    """No job goes on with prices that mean something else; it is no mere interruption."""
    place = Premises()
    async with place.open() as process:
        room = tenancy(place, process)
        await room.open()
        place.clock.tick(86_400)
        place.shop.model = "ONE_CREDITOR"

        with pytest.raises(BaseExceptionGroup) as ended:
            await room.run()
    assert ended.group_contains(ShopModelNotServed)
    assert [] == await place.said(JobInterrupted)


async def test_tenant_that_is_away_keeps_nobody_from_starting() -> None:
    """The rooms go on cautiously; the job tries again."""
    place = Premises()
    place.shop.mishaps.before("tenant_profile", AWAY)

    assert await opened(place) is None
    assert await opened(place) is not None


# ── the other rooms ─────────────────────────────────────────────────────────────────────────


async def test_carriers_that_the_tenant_told_are_not_read_twice() -> None:
    """One reading serves both: SH21 and PC01 are once-a-day calls too."""
    place = Premises()
    place.opening_carriers = {"DPD24": "evri"}
    async with place.open() as process:
        await tenancy(place, process).open()
        await process.do("carriers")
        known = process.dispatch.carriers["carriers"]

    assert ((("dpd", "DPD"), ("evri", "Evri")), (("dpd24", "evri"),)) == (
        known.codes,
        known.mapped,
    )
    assert 1 == place.shop.mishaps.times("carriers")
    assert [] == await place.said(CarriersRead)


async def test_carriers_are_read_when_the_tenant_is_not_for_a_day_and_an_hour() -> None:
    """Dispatch does not wait for ever."""
    place = Premises()
    async with place.open() as process:
        await tenancy(place, process).open()
        place.clock.tick(86_400 + 3_599)
        await process.do("carriers")
        assert [] == await place.said(CarriersRead)
        place.clock.tick(1)
        await process.do("carriers")

    assert 1 == len(await place.said(CarriersRead))


async def test_order_of_a_tenant_that_accepts_by_itself_is_not_accepted_by_us() -> None:
    """An OR21 would only be refused; after an hour of waiting it is sent after all."""
    place = Premises()
    place.shop.accepts_by_itself = True
    place.warehouse.put("A-1", 10)
    place.shop.offers_there["A-1"] = 10
    place.shop.place(marketplace_order(state="WAITING_ACCEPTANCE"))
    async with place.open() as process:
        await tenancy(place, process).open()
        await process.do("offers", "levels", "intake", "new-skus", "acceptance")
        assert 0 == place.shop.mishaps.times("accept")
        place.clock.tick(3_600)
        await process.do("acceptance")

    assert 1 == len(await place.said(AcceptanceConfirmed))


def test_reading_of_a_tenant_has_its_stream() -> None:
    """One tenant a merchant."""
    assert "tenant" == tenant_read().stream
