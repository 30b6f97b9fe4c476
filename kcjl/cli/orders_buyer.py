"""`kcjl orders buyer | erase`: who bought, for whoever has a reason; and forgotten on request.

Promises: what is shown was asked for by name and with a reason, which are in the log before it
is shown; it travels sealed for this one question. Only this verb ever prints a buyer.
Called by `kcjl/cli/orders.py`, which names them.
"""

from typing import Annotated

import msgspec
import typer

from kcjl.cli.asking import answered
from kcjl.cli.places import (
    DEFAULT_CONFIG,
    Config,
    Merchant,
    json_line,
    printable,
    printable_block,
)
from kcjl.orders.translate import SealedBuyer
from kcjl.sealedanswer import Asker
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
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Show who bought, and where the parcel goes. That you asked, and why, is an event.

    Everywhere else a buyer is masked. What was erased is not shown any more.
    """
    asker = Asker()
    arguments = {"order_id": order, "reason": reason, "asker_key": asker.key}
    answer = answered(config, merchant, "show-buyer", arguments)
    content = bytes(asker.open(answer))
    if as_json:
        typer.echo(json_spelt_out(content.decode()))
        return
    for line in _shown(msgspec.json.decode(content, type=SealedBuyer)):
        typer.echo(printable(line))


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
