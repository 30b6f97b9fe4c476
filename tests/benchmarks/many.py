"""The sandbox's both systems with 100,000 SKUs, over HTTP, in a process of their own.

The models and faces are the sandbox's; only a small door beside them sets the time and lets
the warehouse sell. What is measured is whoever speaks with them.
"""

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from multiprocessing.connection import Connection

import msgspec
from aiohttp import web

from kcjl.money import Money
from kcjl.sandbox.gate import DirectGate
from kcjl.sandbox.generator import GeneratedTrade
from kcjl.sandbox.johnlewis.http import johnlewis_app
from kcjl.sandbox.khaos.http import khaos_app
from kcjl.sandbox.world import World
from kcjl.sandbox.world_settings import WorldSettings

__all__ = ["SKUS", "Doors", "serving", "sku_of"]

SKUS = 100_000
PRICE = Money(1995)
LEVELS = 90
"""The fullest shelf; the emptiest is 3."""
_Control = web.AppKey("world", World)


class Doors(msgspec.Struct, frozen=True, kw_only=True):
    """Where they are."""

    marketplace: str
    erp: str
    control: str
    api_key: str
    starts_at: datetime


def sku_of(number: int) -> str:
    return f"LAMP-OAK-{number:06}"


@contextmanager
def serving() -> Iterator[Doors]:
    """While it runs."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(theirs,), daemon=True)
    process.start()
    try:
        yield msgspec.json.decode(ours.recv_bytes(), type=Doors)
    finally:
        process.terminate()
        process.join()


def _run(told: Connection) -> None:
    asyncio.run(_serve(told))


async def _serve(told: Connection) -> None:
    world = _world()
    gate = DirectGate(world.agenda, {"johnlewis": world.marketplace, "khaos": world.warehouse})
    roots = [
        await _root(app)
        for app in (
            johnlewis_app(world.marketplace, gate),
            khaos_app(world.warehouse, gate, "/Live"),
            _control(world),
        )
    ]
    doors = Doors(
        marketplace=roots[0],
        erp=f"{roots[1]}/Live",
        control=roots[2],
        api_key=world.marketplace.settings.api_keys[0].key,
        starts_at=world.starts_at,
    )
    told.send_bytes(msgspec.json.encode(doors))
    await asyncio.Event().wait()


async def _root(app: web.Application) -> str:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


def _world() -> World:
    trade = GeneratedTrade(skus=20, orders_per_hour=1.0)
    settings = WorldSettings.of("quick", trade=trade)
    world = World(msgspec.structs.replace(settings, mismatches=0, discontinued=0))
    for number in range(SKUS):
        sku, title = sku_of(number), f"Oak table lamp, no {number:06}"
        world.warehouse.add_product(
            sku, description=title, sell_price=PRICE, physical=3 + number % (LEVELS - 2)
        )
        world.marketplace.list_offer(sku, price=PRICE, title=title)
    return world


def _control(world: World) -> web.Application:
    app = web.Application()
    app[_Control] = world
    app.router.add_post("/at/{at}", _set_time)
    app.router.add_post("/sell/{first}/{count}/{units}", _sell)
    return app


async def _set_time(request: web.Request) -> web.Response:
    request.app[_Control].agenda.advance(datetime.fromisoformat(request.match_info["at"]))
    return web.Response()


async def _sell(request: web.Request) -> web.Response:
    """So many units less of each of so many SKUs: another channel's sales."""
    first, count, units = (int(request.match_info[n]) for n in ("first", "count", "units"))
    for number in range(first, first + count):
        request.app[_Control].warehouse.adjust(sku_of(number), -units, "sold elsewhere")
    return web.Response()
