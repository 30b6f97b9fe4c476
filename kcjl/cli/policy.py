"""`kcjl dispatch map`, `kcjl writes`: commands of people.

They are put into the service's queue and carried out by it; the answer is shown when it comes.
"""

from typing import Annotated

import typer

from kcjl.cli.asking import ask
from kcjl.cli.places import DEFAULT_CONFIG, Config, Merchant

__all__ = ["dispatch", "writes"]

dispatch = typer.Typer(help="Dispatch policy.", no_args_is_help=True)


@dispatch.callback()
def _group() -> None:
    """Policy is history: each change is an event with your name."""


@dispatch.command("map")
def map_courier(
    courier: Annotated[str, typer.Argument(help="Name or code of the courier in the ERP.")],
    carrier: Annotated[str, typer.Argument(help="Carrier code of the marketplace.")],
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
) -> None:
    """Map a courier onto a carrier; parcels that wait for it are then confirmed."""
    arguments = {"courier": courier, "carrier_code": carrier}
    ask(config, merchant, "map-courier", arguments)


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
    ask(config, merchant, "switch-writes", {"switch": switch, "reason": reason})
