"""`kcjl stock buffer`, `kcjl dispatch map`, `kcjl settlement account`, `kcjl writes`: commands.

They are put into the service's queue and carried out by it; the answer is shown when it comes.
"""

import getpass
from typing import Annotated

import anyio
import typer

from kcjl.cli.places import (
    DEFAULT_CONFIG,
    Config,
    Merchant,
    clock_of,
    database_of,
    merchant_of,
    settings_at,
)
from kcjl.clock import RandomIds
from kcjl.commands import Command, issue, wait_for_outcome
from kcjl.database import OPERATOR, Database
from kcjl.errors import Refused, Unavailable
from kcjl.settings import Settings

__all__ = ["answered", "dispatch", "settlement", "stock", "writes"]

ANSWER_S = 15.0

stock = typer.Typer(help="Stock policy.", no_args_is_help=True)
dispatch = typer.Typer(help="Dispatch policy.", no_args_is_help=True)
settlement = typer.Typer(help="Settlement policy.", no_args_is_help=True)


@stock.callback()
@dispatch.callback()
@settlement.callback()
def _group() -> None:
    """Policy is history: each change is an event with your name."""


@stock.command("buffer")
def buffer(
    units: Annotated[int, typer.Argument(min=0, help="Units held back from each product.")],
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
) -> None:
    """Set the fixed buffer."""
    _ask(config, merchant, "set-buffer", {"units": str(units)})


@dispatch.command("map")
def map_courier(
    courier: Annotated[str, typer.Argument(help="Name or code of the courier in the ERP.")],
    carrier: Annotated[str, typer.Argument(help="Carrier code of the marketplace.")],
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
) -> None:
    """Map a courier onto a carrier; parcels that wait for it are then confirmed."""
    arguments = {"courier": courier, "carrier_code": carrier}
    _ask(config, merchant, "map-courier", arguments)


@settlement.command("account")
def account(
    role: Annotated[str, typer.Argument(help="bank, clearing, commission, refunds, …")],
    nominal: Annotated[str, typer.Argument(help="The nominal account.")],
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
) -> None:
    """Name the nominal account of a role in the payout journal, from now on."""
    _ask(config, merchant, "set-accounts", {role: nominal})


def writes(
    switch: Annotated[str, typer.Argument(help="on or off")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the log.")],
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
) -> None:
    """The kill switch: stop all writes to both outside systems, or allow them again.

    Reading goes on; what would have been written waits. Nothing that is under way is cut off.
    """
    if switch not in ("on", "off"):
        raise typer.BadParameter("on or off", param_hint="switch")
    _ask(config, merchant, "switch-writes", {"switch": switch, "reason": reason})


def answered(config: object, merchant: str, verb: str, arguments: dict[str, str]) -> str:
    """Put a command in the service's queue and wait: what it says; raises Refused for a no."""
    from pathlib import Path

    settings = settings_at(Path(str(config)))
    command = Command(verb=verb, arguments=arguments)
    return anyio.run(_issue, settings, merchant_of(settings, merchant), command)


def _ask(config: object, merchant: str, verb: str, arguments: dict[str, str]) -> None:
    typer.echo(answered(config, merchant, verb, arguments), err=True)


async def _issue(settings: Settings, merchant: str, command: Command) -> str:
    async with (
        database_of(settings) as dsn,
        clock_of(settings) as clock,
        Database(dsn, role=OPERATOR) as database,
    ):
        command_id = await issue(
            database,
            merchant,
            command,
            by=getpass.getuser(),
            at=clock.now(),
            ids=RandomIds(),
        )
        outcome = await wait_for_outcome(database, merchant, command_id, seconds=ANSWER_S)
    if outcome is None:
        raise Unavailable(
            "the service has not answered yet: the command waits in its queue and is carried "
            "out when `kcjl run` runs"
        )
    if not outcome.ok:
        raise Refused(outcome.message)
    return outcome.message
