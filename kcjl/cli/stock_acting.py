"""`kcjl stock alias | buffer | release | publishing | retry`: what people tell the stock room.

Each is put into the service's queue and stands in the log with the name of whoever said it.
Called by `kcjl/cli/stock.py`, which names them.
"""

from typing import Annotated

import anyio
import typer

from kcjl.cli.asking import ask
from kcjl.cli.places import (
    DEFAULT_CONFIG,
    Config,
    Merchant,
    database_of,
    merchant_of,
    printable,
    printable_block,
    settings_at,
)
from kcjl.cli.tables import table
from kcjl.database import AUDITOR, Database
from kcjl.errors import Misuse, NotFound
from kcjl.events import vocabulary
from kcjl.log.queries import PostgresQueries
from kcjl.projections.stockreading import held
from kcjl.settings import Settings
from kcjl.stock.events import PublishHeld
from kcjl.stock.guards import TO_ZERO

__all__ = ["alias", "buffer", "publishing", "release", "retry"]

SHORT_ID = 8
"""As many characters of a hold's id tell it from any other."""


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
    *,
    withdraw: Annotated[
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


def release(
    hold: Annotated[
        str, typer.Argument(help="The hold to let through; left out: what is held now.")
    ] = "",
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
) -> None:
    """Let figures through that a guard has held, or see what is held.

    When too many offers would go to 0, or move too far at once, nothing is published until a
    person has looked. Without a HOLD this shows what is held, how many of how many offers, with
    examples. With it, exactly those figures may go out; ones that become worse are held again.

    Examples: `kcjl stock release`, `kcjl stock release 4f1c02aa`.
    """
    settings = settings_at(config)
    found = anyio.run(_held, settings, merchant_of(settings, merchant))
    if found is None:
        raise NotFound("nothing is held: stock is published as it comes")
    if not hold:
        _tell(found)
        return
    if len(hold) < SHORT_ID or not found.hold_id.startswith(hold):
        raise Misuse(
            f"there is no hold {hold}: what is held now is {found.hold_id[:SHORT_ID]}, and may "
            "be another state than the one that you have seen; `kcjl stock release` shows it"
        )
    ask(config, merchant, "release-publish", {"hold_id": found.hold_id})


async def _held(settings: Settings, merchant: str) -> PublishHeld | None:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        return await held(PostgresQueries(database, merchant, vocabulary()))


def _tell(found: PublishHeld) -> None:
    typer.echo(
        printable(f"held since {found.occurred_at:%Y-%m-%d %H:%M:%S}Z: nothing is published")
    )
    for finding in found.findings:
        does = "would go to 0" if finding.guard == TO_ZERO else "would move by more than twice"
        typer.echo(
            printable_block(f"\n{finding.skus:,} of {finding.offered:,} offers {does}, such as")
        )
        rows = [(each.sku, f"{each.before:,}", f"{each.after:,}") for each in finding.examples]
        for line in table(("sku", ">shown", ">would be"), rows):
            typer.echo(printable(line))
    typer.echo(
        printable_block(
            "\nif that is right, let it through with: "
            f"kcjl stock release {found.hold_id[:SHORT_ID]}\nif it is not, mend it in the ERP: "
            "the hold ends by itself when the figures are sane again"
        ),
        err=True,
    )


def publishing(
    switch: Annotated[str, typer.Argument(help="on or off")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the log.")],
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
) -> None:
    """Stop the publishing of stock, or allow it again; orders and parcels go on.

    Off, the marketplace keeps the figures that it shows, whatever is sold elsewhere. The kill
    switch for everything is `kcjl writes`.

    Example: `kcjl stock publishing off --reason "stock-taking until noon"`.
    """
    if switch not in ("on", "off"):
        raise typer.BadParameter("on or off", param_hint="switch")
    ask(config, merchant, "switch-publishing", {"switch": switch, "reason": reason})


def retry(
    sku: Annotated[str, typer.Argument(help="The SKU, spelt as the offer is.")],
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
) -> None:
    """Send the figure of an offer again that the marketplace has refused.

    Refused lines are sent again by themselves, with growing pauses, where that makes sense;
    those that only a change of the offer can mend are parked until somebody says this.

    Example: `kcjl stock retry 85123A`; `kcjl stock list --held` names those that wait.
    """
    ask(config, merchant, "retry-offer", {"sku": sku})
