"""`kcjl tui`: the monitor on one merchant's read models.

Promises: it reads as an auditor; what an operator has done goes out under the operator's own
role and name, and where that role is not theirs the monitor can only be looked at.
Called by the CLI and by `kcjl demo`.
"""

import getpass
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
import typer

from kcjl.cli.asking import Asker
from kcjl.cli.places import (
    DEFAULT_CONFIG,
    Config,
    Merchant,
    clock_of,
    database_of,
    merchant_of,
    printable_block,
    settings_at,
)
from kcjl.clock import Clock, RealClock, WorldClock
from kcjl.command import Command, Outcome
from kcjl.database import AUDITOR, OPERATOR, Database
from kcjl.discretion import Secret
from kcjl.errors import KcjlError, Misuse, Unavailable
from kcjl.events import vocabulary
from kcjl.loopback import PORT_MAX
from kcjl.projections.asofdatabase import AsOfDatabase
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.reading import USUAL_DISPATCH, PostgresReadModels
from kcjl.readmodels import ReadModels
from kcjl.settings import DispatchSettings, Settings

if TYPE_CHECKING:
    from tui.model.header import Then

__all__ = ["monitor", "tui"]

ReadOnly = Annotated[
    bool, typer.Option("--read-only", help="Look only: nothing can be changed from here.")
]
Keys = Annotated[
    Path | None,
    typer.Option("--keys", help="A TOML file of your own keys: action id = key."),
]
PrintKeys = Annotated[
    bool, typer.Option("--print-keys", help="Print the keys in force, as such a file, and end.")
]
Web = Annotated[bool, typer.Option("--web", help="Serve it to a browser.")]
Host = Annotated[str, typer.Option("--host", help="With --web: where it is served.")]
Port = Annotated[int, typer.Option("--port", min=1, max=PORT_MAX, help="With --web.")]
PublicUrl = Annotated[
    str, typer.Option("--public-url", help="With --web: how browsers reach it, by a proxy.")
]


def tui(
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    read_only: ReadOnly = False,
    keys: Keys = None,
    print_keys: PrintKeys = False,
    web: Web = False,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    public_url: PublicUrl = "",
) -> None:
    """Open the monitor: what is going on, and what needs somebody. `?` shows the keys.

    With --web it is served to a browser on this machine; elsewhere only with a token in
    KCJL_WEB_TOKEN, and a proxy with TLS before it.

    Examples: `kcjl tui`, `kcjl tui --read-only`, `kcjl tui --web`,
    `kcjl tui --print-keys > keys.toml`.
    """
    from tui.keymap import keymap_at, keymap_text

    keymap = {} if keys is None else keymap_at(keys)
    if print_keys:
        typer.echo(printable_block(keymap_text(keymap)), nl=False)
        return
    settings = settings_at(config)
    wanted = merchant_of(settings, merchant)
    if web:
        from kcjl.cli.web import ASKED_FOR, serve_monitor

        arguments = ["--config", str(config), "--merchant", wanted]
        arguments += ["--read-only"] if read_only else []
        arguments += ["--keys", str(keys)] if keys else []
        token = Secret(os.environ.get(ASKED_FOR, ""))
        serve_monitor(arguments, host=host, port=port, public_url=public_url, token=token)
        return
    anyio.run(partial(_tui, settings, wanted, read_only=read_only, keymap=keymap))


async def _tui(
    settings: Settings, merchant: str, *, read_only: bool, keymap: dict[str, str]
) -> None:
    shown = partial(
        monitor,
        read_only=read_only,
        keymap=keymap,
        dispatch=settings.merchants[merchant].dispatch,
    )
    async with database_of(settings) as dsn:
        try:
            async with clock_of(settings) as clock:
                await shown(dsn, merchant, clock)
        except* Unavailable:
            typer.echo("the world does not answer: its time stands where it stopped", err=True)
            clock = await _stopped_clock(dsn, merchant)
            await shown(dsn, merchant, clock)


async def _stopped_clock(dsn: str, merchant: str) -> Clock:
    """A clock that stands still at the newest event: what was, seen at its own time."""
    async with Database(dsn, role=AUDITOR) as database:
        newest = await PostgresReadModels(database, merchant, RealClock()).events(limit=1)
    return WorldClock(newest[-1].recorded_at, 0) if newest else RealClock()


async def monitor(
    dsn: str,
    merchant: str,
    clock: Clock,
    *,
    read_only: bool = False,
    keymap: dict[str, str] | None = None,
    dispatch: DispatchSettings = USUAL_DISPATCH,
) -> None:
    """The monitor on a merchant's read models, until it is left."""
    from tui.app import run_monitor
    from tui.source import LiveSource

    async with (
        Database(dsn, role=AUDITOR) as database,
        AsOfDatabase(dsn, merchant, vocabulary(), PROJECTIONS) as past,
        _operator(dsn, merchant, clock, read_only=read_only) as doer,
    ):
        models = PostgresReadModels(database, merchant, clock, dispatch=dispatch)
        await run_monitor(
            LiveSource(models, clock, doer=doer, machine=_Machine(past, merchant, dispatch)),
            operator=getpass.getuser(),
            keymap=keymap or {},
        )


class _Machine:
    """The read models as of another time: one at a time, for all panes."""

    def __init__(self, past: AsOfDatabase, merchant: str, dispatch: DispatchSettings) -> None:
        self._past = past
        self._merchant = merchant
        self._dispatch = dispatch

    async def at(self, when: int | datetime) -> "tuple[Then, ReadModels]":
        from tui.model.header import Then

        there = await (self._past.move(when) if isinstance(when, int) else self._past.at(when))
        if there.recorded_at is None:
            raise Misuse("before its first event the log knows nothing: #1 is the first")
        clock = await self._past.clock()
        models = PostgresReadModels(self._past, self._merchant, clock, dispatch=self._dispatch)
        return Then(position=there.position, at=there.recorded_at), models


class _Doer:
    """The service's queue, as the monitor's way to have things done."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    async def do(self, command: Command) -> Outcome:
        return await self._asker.outcome(command)


@asynccontextmanager
async def _operator(
    dsn: str, merchant: str, clock: Clock, *, read_only: bool
) -> AsyncIterator[_Doer | None]:
    """None for whoever only looks, or has no right to ask the service for anything."""
    if read_only:
        yield None
        return
    database = Database(dsn, role=OPERATOR)
    try:
        await database.open()
        may = await database.fetchval("select has_any_column_privilege('command', 'insert')")
    except KcjlError:
        may = False
    try:
        yield _Doer(Asker(database, merchant, clock)) if may else None
    finally:
        await database.close()
