"""`kcjl stock alias | buffer | release | publishing | retry`: what people tell the stock room.

Each is put into the service's queue and stands in the log with the name of whoever said it.
Called by `kcjl/cli/stock.py`, which names them.
"""

from typing import Annotated

import typer

from kcjl.cli.asking import ask
from kcjl.cli.places import DEFAULT_CONFIG, Config, Merchant
from kcjl.errors import Misuse

__all__ = ["alias", "buffer"]


def buffer(
    units: Annotated[int, typer.Argument(min=0, help="Units held back from each product.")],
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
) -> None:
    """Set the fixed buffer: a policy of one rule."""
    ask(config, merchant, "set-buffer", {"units": str(units)})


def alias(
    sku: Annotated[str, typer.Argument(help="The SKU, as the marketplace has it.")],
    code: Annotated[str, typer.Argument(help="The stock code, as the ERP has it.")] = "",
    withdraw: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--withdraw", help="Take the alias of this SKU back.")
    ] = False,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
) -> None:
    """Say which stock code a SKU stands for, or take that back.

    The ERP is asked for the code first. Then the SKU's gate opens by itself, its orders that
    were held go on under the stock code, and all SKUs of one code share its stock. Withdrawn,
    the SKU is offered at 0 at once, unless the ERP has it as a stock code itself.

    Examples: `kcjl stock alias JL-9 LAMP-01`, `kcjl stock alias JL-9 --withdraw`.
    """
    if withdraw == bool(code):
        raise Misuse(
            f"say what {sku} stands for (kcjl stock alias {sku} CODE), or take its alias back "
            f"(kcjl stock alias {sku} --withdraw)"
        )
    arguments = {"sku": sku} if withdraw else {"sku": sku, "code": code}
    ask(config, merchant, "stock-alias", arguments)
