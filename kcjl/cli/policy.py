"""`kcjl settlement account`, `kcjl writes`: commands of people.

They are put into the service's queue and carried out by it; the answer is shown when it comes.
"""

from typing import Annotated

import typer

from kcjl.cli.asking import ask
from kcjl.cli.places import DEFAULT_CONFIG, Config, Merchant

__all__ = ["settlement", "writes"]

settlement = typer.Typer(help="Settlement policy.", no_args_is_help=True)


@settlement.callback()
def _group() -> None:
    """Policy is history: each change is an event with your name."""


@settlement.command("account")
def account(
    role: Annotated[
        str,
        typer.Argument(help="bank, clearing, commission, refunds, …, or a transaction type."),
    ],
    nominal: Annotated[str, typer.Argument(help="The nominal account.")],
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
) -> None:
    """Name the nominal account of a role in the payout journal, from now on."""
    ask(config, merchant, "set-accounts", {role: nominal})


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
