"""`kcjl orders …`: the verbs by name; here those for a sales order that the ERP has lost.

What acts is a command: it is put into the service's queue and carried out by it; the answer is
shown when it comes. A no is exit code 3, with its reason; `--json` says the same to a program.
Called by `main.py`.
"""

from typing import Annotated

import msgspec
import typer

from kcjl.cli import orders_acting, orders_count, orders_list, orders_show
from kcjl.cli.asking import answered
from kcjl.cli.orders_buyer import buyer, erase
from kcjl.cli.orders_money import cancel, refund, withdraw
from kcjl.cli.places import DEFAULT_CONFIG, Config, Merchant, json_line, printable_block

__all__ = ["app"]

app = typer.Typer(
    help="Orders: where they are, and what people say of them.", no_args_is_help=True
)

app.command("list")(orders_list.list_orders)
app.command("show")(orders_show.show)
for _verb in (
    orders_acting.hold,
    orders_acting.release,
    orders_acting.retry,
    orders_acting.accept,
    orders_acting.refuse,
):
    app.command(_verb.__name__)(_verb)
app.add_typer(orders_acting.policy, name="policy")

AsJson = Annotated[bool, typer.Option("--json", help="The answer as one JSON object.")]
OrderId = Annotated[
    str, typer.Argument(help="The marketplace's order id, as the exception names it.")
]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """The answer, for a program."""

    order_id: str
    verb: str
    message: str


@app.callback()
def _group() -> None:
    """What you say is an event with your name, and is carried out by the service."""


@app.command("post-again")
def post_again(
    order: OrderId,
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the log.")],
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Post a sales order again that the ERP has lost (exception sales_order_vanished).

    Look for the reference in Khaos Control first. It is looked up once more before it is sent,
    and found there it is not. Refused when parcels of it were sent: enter it by hand then.
    """
    arguments = {"order_id": order, "reason": reason}
    message = answered(config, merchant, "post-again", arguments)
    _say(order, "post-again", message, as_json=as_json)


@app.command("look")
def look(
    order: OrderId,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    as_json: AsJson = False,
) -> None:
    """It is there again, so look: have the ERP asked now for a sales order that it had lost.

    It is looked for every ten minutes in any case; what is found clears its exception.
    """
    message = answered(config, merchant, "look-for-order", {"order_id": order})
    _say(order, "look", message, as_json=as_json)


app.command("refund")(refund)
app.command("cancel")(cancel)
app.command("withdraw")(withdraw)
app.command("buyer")(buyer)
app.command("erase")(erase)
app.command("count")(orders_count.count)
app.command("done")(orders_count.done)


def _say(order_id: str, verb: str, message: str, *, as_json: bool) -> None:
    if as_json:
        said = Said(order_id=order_id, verb=verb, message=message)
        typer.echo(json_line(said))
    else:
        typer.echo(printable_block(message), err=True)
