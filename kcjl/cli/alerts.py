"""`kcjl alerts …`: what was told to whom, a trial of each channel, and the owners' lists.

Data to stdout, talk to stderr. A list that is cut says so. Called by `main.py`.
"""

from datetime import datetime
from typing import Annotated

import aiohttp
import anyio
import msgspec
import typer

from kcjl.alerts.actor import Preview
from kcjl.alerts.alert_settings import AlertSettings
from kcjl.alerts.message import trial_message
from kcjl.alerts.port import AlertChannel
from kcjl.beside import alert_channels, check_alerts
from kcjl.calls.sync_log import SyncLog
from kcjl.cli.asking import answered
from kcjl.cli.places import (
    DEFAULT_CONFIG,
    Config,
    Merchant,
    clock_of,
    database_of,
    json_line,
    merchant_of,
    printable,
    printable_block,
    settings_at,
)
from kcjl.cli.stock_shown import clock
from kcjl.cli.tables import table
from kcjl.clock import RandomIds
from kcjl.database import AUDITOR, Database
from kcjl.errors import KcjlError, Misuse, Unavailable
from kcjl.projections.alertreading import AlertList, AlertRow, AlertRows
from kcjl.settings import Settings

__all__ = ["app"]

DIGEST_S = 120.0
"""Real seconds: each owner's list is a message of its own."""
HEADINGS = ("at", "channel", "owner", "what", ">about", "outcome", "the first of it")

app = typer.Typer(help="Whom exceptions were told to, and the channels over which they are.")
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Owner = Annotated[str, typer.Option("--owner", help="Only this owner of the settings.")]
Channel = Annotated[str, typer.Option("--channel", help="Only this channel: email or webhook.")]


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel said to a trial message."""

    channel: str
    owner: str
    message_id: str
    ok: bool
    answer: str
    code: str = ""
    not_reached: int = 0


# ── what was told ───────────────────────────────────────────────────────────────────────────


@app.command("list")
def list_alerts(
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    owner: Owner = "",
    channel: Channel = "",
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=10_000)] = 40,
    as_json: AsJson = False,
) -> None:
    """What was told to whom and when, the newest first, and what came of it.

    Examples: `kcjl alerts list`, `kcjl alerts list --owner finance --json`.
    """
    settings = settings_at(config)

    async def read() -> AlertList:
        async with (
            database_of(settings) as dsn,
            Database(dsn, role=AUDITOR) as database,
        ):
            rows = AlertRows(database, merchant_of(settings, merchant))
            return await rows.newest(owner=owner, channel=channel, limit=lines)

    found = anyio.run(read)
    if as_json:
        for row in found.rows:
            typer.echo(json_line(row))
    else:
        for line in table(HEADINGS, [_cells(row) for row in found.rows]):
            typer.echo(printable(line))
    part = "" if len(found.rows) == found.total else f"; shown are {len(found.rows):,} of them"
    typer.echo(printable(f"{found.total:,} messages{part}"), err=True)


def _cells(row: AlertRow) -> tuple[str, ...]:
    alert = row.alert
    about = sum(each.exceptions for each in alert.named)
    about += sum(each.exceptions for each in alert.others)
    first = alert.named[0] if alert.named else None
    outcome = alert.state.replace("_", " ")
    if alert.message:
        outcome += f": {alert.message}"
    if alert.not_reached:
        outcome += f", {alert.not_reached} addresses refused"
    return (
        clock(alert.written_at),
        alert.channel,
        alert.owner,
        alert.purpose if alert.attempts == 1 else f"{alert.purpose}, sent twice",
        f"{about:,}",
        outcome,
        "" if first is None else f"{first.kind}:{first.subject or 'storm'}",
    )


# ── a trial ─────────────────────────────────────────────────────────────────────────────────


@app.command("test")
def try_channels(
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    owner: Owner = "",
    channel: Channel = "",
    as_json: AsJson = False,
) -> None:
    """Send a trial message to each owner over each channel, and say what came back.

    It is no alert and is not in the log. Exit code 3 when one does not get through.
    Example: `kcjl alerts test --channel email --owner operations`.
    """
    settings = settings_at(config)
    name = merchant_of(settings, merchant)
    tried = anyio.run(_tried, settings, name, owner, channel)
    for each in tried:
        if as_json:
            typer.echo(json_line(each))
            continue
        refused = f", {each.not_reached} addresses refused" if each.not_reached else ""
        said = "taken" if each.ok else "NOT taken"
        code = f" [{each.code}]" if each.code else ""
        to = f"{each.channel} to {each.owner}"
        typer.echo(
            printable(f"{to}: {said}: {each.answer}{refused}{code}; id {each.message_id}")
        )
    if not all(each.ok for each in tried):
        raise Unavailable("a trial message did not get through: see above")


async def _tried(settings: Settings, merchant: str, owner: str, channel: str) -> list[Tried]:
    mine = settings.merchants[merchant]
    ways = _ways(mine.alerts, owner, channel)
    check_alerts(settings, mine)
    async with clock_of(settings) as now, aiohttp.ClientSession() as session:
        noted = SyncLog(None, now)
        there = {
            each.name: each
            for each in alert_channels(mine, clock=now, session=session, sync_log=noted)
        }
        return [await _try(there[by], to, merchant, now.now()) for by, to in ways]


def _ways(alerts: AlertSettings, owner: str, channel: str) -> list[tuple[str, str]]:
    """Raises Misuse where nobody is reached like that."""
    found = [
        (by, to)
        for to, channels in alerts.plan().channels_of.items()
        for by in channels
        if owner in ("", to) and channel in ("", by)
    ]
    if not found:
        raise Misuse(
            "no owner is told anything like that: see owners under [merchants.NAME.alerts] of "
            "the configuration"
        )
    return found


async def _try(to: AlertChannel, owner: str, merchant: str, now: datetime) -> Tried:
    message = trial_message(merchant, RandomIds().new(), now)
    try:
        said = await to.send(message, owner)
    except KcjlError as error:
        return Tried(
            channel=to.name,
            owner=owner,
            message_id=message.message_id,
            ok=False,
            answer=error.message,
            code=error.code,
        )
    return Tried(
        channel=to.name,
        owner=owner,
        message_id=message.message_id,
        ok=True,
        answer=said.answer,
        not_reached=said.not_reached,
    )


# ── the owners' lists ───────────────────────────────────────────────────────────────────────


@app.command("digest")
def digest(
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    owner: Owner = "",
    preview: Annotated[
        bool, typer.Option("--preview", help="Show what each would say, and send nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Have the service send owners the list of what is open now, beside that of the day.

    Examples: `kcjl alerts digest --preview`, `kcjl alerts digest --owner finance`.
    """
    arguments = {"owner": owner, "preview": "yes" if preview else ""}
    said = answered(config, merchant, "alerts-digest", arguments, within_s=DIGEST_S)
    if not preview:
        typer.echo(json_line({"said": said}) if as_json else printable_block(said))
        return
    lists = msgspec.json.decode(said, type=list[Preview])
    for each in lists:
        if as_json:
            typer.echo(json_line(each))
            continue
        typer.echo(
            printable_block(f"── {each.channel} to {each.owner}: {each.title}\n\n{each.text}")
        )
    if not lists:
        typer.echo("nothing is open: no list would be sent", err=True)
