"""`kcjl dispatch`: what goes when and whose it is, parcels that are not through, carriers.

What a person says is put into the service's queue and carried out by it, and stands in the log
under the name of whoever said it. Called by `main.py`.
"""

from typing import Annotated

import msgspec
import typer

from kcjl.cli import dispatch_map, dispatch_measured, dispatch_shown
from kcjl.cli.asking import answered
from kcjl.cli.places import DEFAULT_CONFIG, Config, Merchant, json_line, printable_block

__all__ = ["app"]

app = typer.Typer(
    help="Dispatch: parcels and their confirmations, couriers and carriers.",
    no_args_is_help=True,
)
app.command("list")(dispatch_shown.list_dispatches)
app.command("show")(dispatch_shown.show)
app.command("report")(dispatch_measured.report)
app.command("metrics")(dispatch_measured.metrics)
app.add_typer(dispatch_map.app, name="map")


@app.callback()
def _group() -> None:
    """Each word of yours is an event with your name."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer, for a program."""

    order_id: str
    verb: str
    message: str


@app.command()
def retry(
    order: Annotated[str, typer.Argument(help="The marketplace's order id.")],
    parcel: Annotated[
        str, typer.Option("--parcel", help="Only this one: invoice and box, such as IN90001/1.")
    ] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the log.")] = "",
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    as_is: Annotated[
        bool,
        typer.Option("--as-is", help="The number is right, though its carrier has none such."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The answer as one JSON object.")
    ] = False,
) -> None:
    """Try again what the marketplace has not taken, at once: it is looked up before it is sent.

    With --as-is: send a tracking number as it is that has no form of its carrier's numbers. It
    is never altered; another number in the ERP is looked at anew.

    Examples: `kcjl dispatch retry 700123456-A`,
    `kcjl dispatch retry 700123456-A --parcel IN90001/1 --as-is`.
    """
    verb = "dispatch-as-is" if as_is else "dispatch-retry"
    arguments = {"order_id": order, "parcel_key": parcel, "reason": reason}
    message = answered(config, merchant, verb, arguments)
    if as_json:
        answer = Answer(order_id=order, verb=verb.removeprefix("dispatch-"), message=message)
        typer.echo(json_line(answer))
    else:
        typer.echo(printable_block(message), err=True)
