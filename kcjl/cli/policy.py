"""`kcjl writes`: the kill switch, a command of people.

It is put into the service's queue and carried out by it; the answer is shown when it comes.
"""

from typing import Annotated

import typer

from kcjl.cli.asking import ask
from kcjl.cli.places import DEFAULT_CONFIG, Config, Merchant

__all__ = ["writes"]


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
