"""`kcjl orders hold | release | retry | accept | refuse` and `policy`: what a person says.

Each is put into the service's queue and carried out by it; the answer is shown when it comes,
and stands in the log under your name. A no is exit code 3, with its reason and the next step.
Called by `kcjl/cli/orders.py`.
"""

from pathlib import Path
from typing import Annotated

import anyio
import msgspec
import typer

from kcjl.cli.asking import answered
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
from kcjl.cli.stock_shown import clock
from kcjl.database import AUDITOR, Database
from kcjl.errors import Misuse, NotFound
from kcjl.events import vocabulary
from kcjl.log.port import Recorded, Selection
from kcjl.log.queries import PostgresQueries
from kcjl.orders.acceptance_events import AcceptancePolicySet
from kcjl.orders.acceptance_policy import read_policy, written_policy
from kcjl.settings import Settings

__all__ = ["accept", "hold", "policy", "refuse", "release", "retry"]

LINE_SEPARATOR = "\n"

AsJson = Annotated[bool, typer.Option("--json", help="The answer as one JSON object.")]
OrderId = Annotated[str, typer.Argument(help="The marketplace's order id.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stands in the log.")]
Lines = Annotated[
    list[str] | None,
    typer.Option("--line", help="Only this line, by its id; several times. Else all."),
]

policy = typer.Typer(
    help="The acceptance policy: which orders are accepted by themselves.",
    no_args_is_help=True,
)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer, for a program."""

    order_id: str
    verb: str
    message: str


def hold(
    order: OrderId,
    reason: Reason,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Hold an order: it is neither accepted nor posted until you release it.

    Example: `kcjl orders hold 700123456-A --reason "ask the buyer about the colour"`.
    """
    _ask(config, merchant, "hold", order, {"reason": reason}, as_json=as_json)


def release(
    order: OrderId,
    reason: Reason = "",
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Release a held order. What a rule of the policy holds, or missing stock, is overruled.

    A code that the ERP does not know can't be: mend it, and the order goes on by itself.
    """
    _ask(config, merchant, "release", order, {"reason": reason}, as_json=as_json)


def retry(
    order: OrderId,
    reason: Reason = "",
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Start again what was refused: a posting given up after six times, or an acceptance.

    It is looked up once more before anything is sent.
    """
    _ask(config, merchant, "retry", order, {"reason": reason}, as_json=as_json)


def accept(
    order: OrderId,
    line: Lines = None,
    reason: Reason = "",
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Accept an order, whatever the policy says. With --line the other lines are refused.

    Example: `kcjl orders accept 700123456-A`.
    """
    arguments = {"lines": LINE_SEPARATOR.join(line or ()), "reason": reason}
    _ask(config, merchant, "accept", order, arguments, as_json=as_json)


def refuse(
    order: OrderId,
    reason: Reason,
    line: Lines = None,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Refuse an order. With --line only those lines; the others are accepted.

    The marketplace empties the offers of what is refused; ours are said again.

    Example: `kcjl orders refuse 700123456-A --line 700123456-A-2 --reason "broken"`.
    """
    arguments = {"lines": LINE_SEPARATOR.join(line or ()), "reason": reason}
    _ask(config, merchant, "refuse", order, arguments, as_json=as_json)


def _ask(
    config: Path,
    merchant: str,
    verb: str,
    order_id: str,
    arguments: dict[str, str],
    *,
    as_json: bool,
) -> None:
    arguments = {"order_id": order_id, **arguments}
    message = answered(config, merchant, f"order-{verb}", arguments)
    if as_json:
        answer = Answer(order_id=order_id, verb=verb, message=message)
        typer.echo(json_line(answer))
    else:
        typer.echo(printable_block(message), err=True)


# ── the policy ──────────────────────────────────────────────────────────────────────────────


@policy.command("set")
def set_policy(
    file: Annotated[Path, typer.Argument(help="The policy, a TOML file.")],
    reason: Reason,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
) -> None:
    """Set the acceptance policy, from now on. `show` writes the one in force, to be edited.

    Example: `kcjl orders policy set acceptance.toml --reason "agreed with finance"`.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse(f"{file} can't be read as an acceptance policy: {error}") from None
    read_policy(text)  # a slip is told at once, whether the service runs or not
    arguments = {"document": text, "reason": reason}
    typer.echo(
        printable_block(answered(config, merchant, "acceptance-policy-set", arguments)),
        err=True,
    )


@policy.command("show")
def show_policy(
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    history: Annotated[bool, typer.Option("--history", help="All, oldest first.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a version.")] = False,
) -> None:
    """The acceptance policy in force, as it is written; who set it, when and why.

    Example: `kcjl orders policy show > acceptance.toml`.
    """
    settings = settings_at(config)
    found = anyio.run(_policies, settings, merchant_of(settings, merchant))
    if not found:
        raise NotFound("there is no acceptance policy yet: `kcjl run` opens one when it begins")
    for each in found if history else found[-1:]:
        event = each.event
        if not isinstance(event, AcceptancePolicySet):
            continue
        if as_json:
            fields = {
                "version": event.version,
                "by": each.by,
                "occurred_at": event.occurred_at,
                "reason": event.reason,
                "policy": event.policy,
            }
            typer.echo(json_line(fields))
            continue
        why = f": {event.reason}" if event.reason else ""
        since = clock(event.occurred_at)
        typer.echo(
            printable(f"# version {event.version}, by {each.by}, since {since}{why}"), err=True
        )
        typer.echo(printable_block(written_policy(event.policy)))


async def _policies(settings: Settings, merchant: str) -> list[Recorded]:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        queries = PostgresQueries(database, merchant, vocabulary())
        asked = Selection(stream="acceptance-policy")
        return [each async for page in queries.select(asked) for each in page]
