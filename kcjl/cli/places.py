"""What several verbs need first: the configuration, the database, the merchant, the clock.

Promises: an embedded database is owned by one process at a time; verbs that only read use the
one that runs, or start it for as long as they need it. Called by the verbs.
"""

import fcntl
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated

import aiohttp
import anyio
import msgspec
import typer

from kcjl import embedded
from kcjl.clock import Clock, RealClock
from kcjl.connecting import connect
from kcjl.errors import Misuse, SettingsUnusable, Unavailable
from kcjl.log.migrate import migrate
from kcjl.settings import Settings, read_settings
from kcjl.unseen import json_spelt_out, spelt_out
from kcjl.worldclock import follow_world, world_clock

__all__ = [
    "DEFAULT_CONFIG",
    "Config",
    "Merchant",
    "Stopped",
    "clock_of",
    "database_of",
    "end_on_terminate",
    "end_with_parent",
    "holder_of",
    "json_line",
    "merchant_of",
    "only_one",
    "printable",
    "printable_block",
    "settings_at",
]

Config = Annotated[
    Path, typer.Option("--config", "-c", help="The configuration file.", show_default=True)
]
Merchant = Annotated[
    str, typer.Option("--merchant", "-m", help="Which merchant; needed when there are several.")
]
DEFAULT_CONFIG = Path("kcjl.toml")


printable = spelt_out
"""One line: what came from outside can't steer the terminal, or begin a line of its own."""


def printable_block(text: str) -> str:
    """The same for text of several lines."""
    return "\n".join(map(spelt_out, text.split("\n")))


def json_line(shown: object) -> str:
    """JSON of it, that steers no terminal either."""
    return json_spelt_out(msgspec.json.encode(shown).decode())


def settings_at(config: Path) -> Settings:
    return read_settings(config)


def merchant_of(settings: Settings, merchant: str) -> str:
    if merchant:
        if merchant not in settings.merchants:
            raise SettingsUnusable(
                f"no merchant {merchant!r} is configured; there are "
                + ", ".join(settings.merchants)
            )
        return merchant
    if len(settings.merchants) > 1:
        raise SettingsUnusable(
            "several merchants are configured: say which with --merchant: "
            + ", ".join(settings.merchants)
        )
    return next(iter(settings.merchants))


@asynccontextmanager
async def database_of(settings: Settings, *, owner: bool = False) -> AsyncIterator[str]:
    """The DSN of the database. With `owner` it is migrated, and an embedded one kept alive."""
    if settings.database != "embedded":
        await _prepare(settings.database, owner=owner)
        yield settings.database
        return
    data_dir = Path(settings.data_dir)
    if not owner and (dsn := await embedded.find(data_dir)) is not None:
        yield dsn
        return
    server = await embedded.own(data_dir)
    try:
        await _prepare(server.dsn, owner=owner)
        async with anyio.create_task_group() as group:
            group.start_soon(server.watch)
            yield server.dsn
            group.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await server.stop()


async def _prepare(dsn: str, *, owner: bool) -> None:
    """Only who owns the database changes its schema; who reads wants to find one."""
    if owner:
        await migrate(dsn)
        return
    connection = await connect(dsn)
    try:
        if await connection.fetchval("select to_regclass('event')") is None:
            raise Unavailable("the database has no log yet: `kcjl run` makes it")
    finally:
        await connection.close()


@asynccontextmanager
async def clock_of(settings: Settings) -> AsyncIterator[Clock]:
    """The machine's clock, or the sandbox world's where the configuration names one."""
    if not settings.clock.world:
        yield RealClock()
        return
    if settings.live:
        raise SettingsUnusable("a live system can't run on a sandbox's clock: drop [clock]")
    async with aiohttp.ClientSession() as session:
        clock = await world_clock(session, settings.clock.world)
        async with anyio.create_task_group() as group:
            group.start_soon(follow_world, session, settings.clock.world, clock)
            yield clock
            group.cancel_scope.cancel()


class Stopped(Exception):
    """Raised when we were asked to stop, and did so in order."""


async def end_on_terminate() -> None:
    """End as with Ctrl-C when asked to (SIGTERM, a closed terminal): ours is stopped first."""
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGHUP) as signals:
        async for _ in signals:
            raise Stopped


async def end_with_parent() -> None:
    """End this process when the pipe that its parent holds is closed."""
    await anyio.wait_readable(sys.stdin.fileno())
    raise Stopped


def holder_of(settings: Settings) -> str:
    """Who holds a lease: this machine and data directory, so that a restart goes on at once."""
    return f"{socket.gethostname()}:{Path(settings.data_dir).resolve()}"


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """One service a data directory; the lock goes with the process, also when it is killed."""
    try:
        embedded.make_data_dir(data_dir)
        if data_dir.stat().st_uid != os.geteuid():
            raise Misuse(f"{data_dir} belongs to somebody else: give another data_dir")
        file = (data_dir / "service.lock").open("a+")
    except OSError as error:
        raise Misuse(f"{data_dir} can't be used as data_dir: {error.strerror}") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise Misuse(
                f"a service already runs on {data_dir} (process {file.read().strip() or '?'}): "
                "stop it first, or give this one another data_dir"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
