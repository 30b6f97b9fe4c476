"""`kcjl orders buyer | erase`: who bought, for whoever has a reason; and forgotten on request.

Promises: what is shown was asked for by name and with a reason, which are in the log before it
is shown; it travels sealed for this one question. Only this verb ever prints a buyer.
Called by `kcjl/cli/orders.py`, which names them.
"""

from collections.abc import Mapping
from typing import Annotated

import anyio
import asyncpg
import msgspec
import typer

from kcjl.cli.asking import ANSWER_S, answered
from kcjl.cli.places import (
    DEFAULT_CONFIG,
    Config,
    Merchant,
    database_of,
    json_line,
    merchant_of,
    printable,
    printable_block,
    settings_at,
)
from kcjl.commands import wait_for_outcome
from kcjl.database import AUDITOR, Database
from kcjl.errors import Misuse, Refused, Unavailable
from kcjl.orders.translate import SealedBuyer
from kcjl.sealedanswer import Asker
from kcjl.settings import Settings
from kcjl.unseen import json_spelt_out

__all__ = ["buyer", "erase"]

OrderId = Annotated[str, typer.Argument(help="The marketplace's order id.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stands in the log.")]


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str
    message: str


def buyer(
    order: OrderId,
    reason: Reason,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    auditor: Annotated[
        str,
        typer.Option("--auditor", help="An auditor's name: asks with an auditor's rights."),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Show who bought, and where the parcel goes. That you asked, and why, is an event.

    Everywhere else a buyer is masked. What was erased is not shown any more.
    """
    asker = Asker()
    arguments = {"order_id": order, "reason": reason, "asker_key": asker.key}
    if auditor:
        settings = settings_at(config)
        name = merchant_of(settings, merchant)
        answer = anyio.run(_asked_by_auditor, settings, name, auditor, arguments)
    else:
        answer = answered(config, merchant, "show-buyer", arguments)
    content = bytes(asker.open(answer))
    if as_json:
        typer.echo(json_spelt_out(content.decode()))
        return
    for line in _shown(msgspec.json.decode(content, type=SealedBuyer)):
        typer.echo(printable(line))


async def _asked_by_auditor(
    settings: Settings, merchant: str, name: str, arguments: Mapping[str, str]
) -> str:
    """An auditor has no right on the queue: the function puts in this one question."""
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        try:
            command_id = await database.fetchval(
                "select ask_for_buyer($1, $2, $3, $4, $5)",
                merchant,
                arguments["order_id"],
                arguments["reason"],
                arguments["asker_key"],
                name,
            )
        except asyncpg.PostgresError as error:
            raise Misuse(f"the database refused the question: {error}") from None
        outcome = await wait_for_outcome(database, merchant, command_id, seconds=ANSWER_S)
    if outcome is None:
        raise Unavailable("the service has not answered: is `kcjl run` running? Ask again")
    if not outcome.ok:
        raise Refused(outcome.message)
    return outcome.message


def erase(
    order: OrderId,
    reason: Reason,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="The answer as JSON.")] = False,
) -> None:
    """Erase what is kept of an order's buyer, for good. The order's history stays whole.

    Refused while the order still needs its address, with what to do first. What both outside
    systems keep of the buyer is theirs: ask there.
    """
    arguments = {"order_id": order, "reason": reason}
    message = answered(config, merchant, "erase-buyer", arguments)
    if as_json:
        typer.echo(json_line(Erased(order_id=order, message=message)))
    else:
        typer.echo(printable_block(message), err=True)


def _shown(buyer: SealedBuyer) -> list[str]:
    at = buyer.address
    lines = (
        f"{at.civility} {at.first_name} {at.last_name}".strip(),
        at.company,
        at.street_1,
        at.street_2,
        at.additional,
        at.city,
        at.county,
        at.postcode,
        at.country_code or at.country,
        at.phone,
        buyer.email or "",
    )
    return [line for line in lines if line.strip()]
