"""The service and the tenant: which shops it serves, and how often it asks who they are."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from kcjl.dispatch.events import CarriersRead
from kcjl.errors import ShopModelNotServed
from kcjl.health.vitals import State, Vitals
from kcjl.sandbox.world_settings import WorldSettings
from kcjl.serving import Serving
from kcjl.stock.events import StockRead
from kcjl.tenant.events import TenantRead
from kcjl.worker import Worker
from tests.service.running import MERCHANT, Shop, quiet_world, serving, shop

pytestmark = pytest.mark.anyio


@pytest.fixture
async def quiet(database_dsn: str, tmp_path: Path) -> AsyncIterator[Shop]:
    async with shop(database_dsn, tmp_path, quiet_world()) as running:
        yield running


def dropship_world() -> WorldSettings:
    world = quiet_world()
    dropship = msgspec.structs.replace(world.marketplace, shop_model="DROPSHIP")
    return msgspec.structs.replace(world, marketplace=dropship)


async def test_shop_that_is_not_served_stops_no_other_merchant(
    database_dsn: str, tmp_path: Path
) -> None:
    """Alone it ends `kcjl run` with its code; among others it is said, and they go on."""
    async with shop(database_dsn, tmp_path, dropship_world()) as running:
        told: list[str] = []
        several, alone = Vitals([MERCHANT, "other"]), Vitals([MERCHANT])
        async with Worker.open(running.dsn, running.clock) as worker:
            among = Serving(running.settings, several, worker, holder="test", tell=told.append)
            await among.serve(several.merchants[MERCHANT])
            only = Serving(running.settings, alone, worker, holder="test", tell=told.append)
            with pytest.raises(ShopModelNotServed):
                await only.serve(alone.merchants[MERCHANT])

    assert State.NOT_SERVED == several.merchants[MERCHANT].state
    (said,) = told
    assert said.startswith("acme is not served: shop ")
    assert said.endswith("[KCJL-1004]")


async def test_shop_that_is_not_served_ends_the_service_before_anything_is_done(
    database_dsn: str, tmp_path: Path
) -> None:
    """Not half-served: no other room has begun, and it says what to do (contract e.8)."""
    async with shop(database_dsn, tmp_path, dropship_world()) as running:
        async with serving(running) as service:
            ended = await service.why_it_ended()
        read = await running.events(TenantRead)
        others = await running.events(StockRead)

    assert not service.serves
    assert isinstance(ended, ShopModelNotServed)
    assert "is of model DROPSHIP" in ended.message
    assert (["DROPSHIP"], []) == ([each.model for each in read], others)


async def test_service_reads_the_tenant_once_and_its_rooms_know_it(quiet: Shop) -> None:
    """One reading a day for all rooms, also over a restart (contract d.1)."""
    for holder in ("first", "second"):
        async with serving(quiet, holder=holder) as service:
            assert service.serves
    async with serving(quiet, holder="third"):
        await quiet.until(StockRead)

    assert 1 == len(await quiet.events(TenantRead))
    assert [] == await quiet.events(CarriersRead)
