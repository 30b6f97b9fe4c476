"""`kcjl explain`: why something is as it is, or was at a time, in plain sentences.

It reads what was known then and nothing else. Called by `main.py`.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, get_args

import anyio
import typer

from kcjl.audit.explain import Explanation, Hop, Kind, minutes
from kcjl.audit.explain_reading import Explainer, Found
from kcjl.cli.life import tree_lines
from kcjl.cli.places import (
    DEFAULT_CONFIG,
    Config,
    Merchant,
    database_of,
    json_line,
    merchant_of,
    printable,
    settings_at,
)
from kcjl.cli.rebuild import position_asked, position_of
from kcjl.cli.stock_shown import clock
from kcjl.cli.tables import table
from kcjl.database import AUDITOR, Database
from kcjl.dispatch.calendar_settings import business_time
from kcjl.errors import Misuse, NotFound
from kcjl.events import vocabulary
from kcjl.log.postgres import PostgresLogReader
from kcjl.projections.asofdatabase import AsOfDatabase
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.settings import Settings

__all__ = ["explain"]

KINDS: tuple[Kind, ...] = get_args(Kind)
STORIES = {"yes": "would have stopped it", "perhaps": "may have stopped it", "no": "no help"}


def explain(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[sku|order|payout|penny|exception|oversold] NAME [AMOUNT]",
            help="What, and its name; a name alone finds out what it is.",
            show_default=False,
        ),
    ],
    at: Annotated[
        str,
        typer.Option(
            "--at",
            help='As of when: "14:03" (today), "2026-10-31 23:59" (London time), an ISO time '
            "with its zone, or #POSITION of the log; now when left out.",
        ),
    ] = "",
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    tree: Annotated[
        bool, typer.Option("--tree", help="The events as a tree of causes, with both clocks.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, on stdout.")] = False,
) -> None:
    """Why: the answer in sentences, the policy in force, and the events behind it.

    \b
    sku        why so many of it are offered
    order      why it is late, or is not: who was waited for, and how long
    payout     what it is made of, and what of it is not as it should be
    penny      where an amount of a payout comes from: `penny BACS-889117 2p`
    exception  why it is whose it is, what holds, and what clears it
    oversold   why a unit was sold that was not there, of an order or a SKU

    Exit code 3: there is nothing of that name; what has it in its name is listed.

    Examples: `kcjl explain 85123A --at 14:03`, `kcjl explain order 700123456-A --tree`,
    `kcjl explain penny BACS-889117 2p --json`.
    """  # noqa: D301 - click reads the backspace as "keep these lines"
    position = position_of(at)
    kind, name, amount = _asked(words)
    settings = settings_at(config)
    chosen = merchant_of(settings, merchant)

    async def told() -> Explanation:
        async with database_of(settings) as dsn:
            there = position
            async with Database(dsn, role=AUDITOR) as database:
                log = PostgresLogReader(database, chosen, vocabulary())
                if there is None:
                    there = await position_asked(log, at, world=bool(settings.clock.world))
            async with AsOfDatabase(dsn, chosen, vocabulary(), PROJECTIONS) as past:
                await past.move(there)
                return await _explained(settings, past, chosen, kind, name, amount)

    found = anyio.run(told)
    if json:
        typer.echo(json_line(found))
        return
    for line in _lines(found, tree=tree):
        typer.echo(printable(line))


def _asked(words: Sequence[str]) -> tuple[Kind | None, str, str]:
    """(what, its name, an amount). Raises Misuse."""
    kind = next((each for each in KINDS if each == words[0]), None)
    if kind is None or len(words) == 1:
        if len(words) > 1:
            raise Misuse(f"{words[0]!r} is nothing to be explained: say " + ", ".join(KINDS))
        return None, words[0], ""
    most = 4 if kind == "penny" else 2
    if len(words) > most:
        raise Misuse(f"{' '.join(words[most:])!r} is too much: a name with blanks is quoted")
    return kind, words[1], " ".join(words[2:])


async def _explained(
    settings: Settings,
    past: AsOfDatabase,
    merchant: str,
    kind: Kind | None,
    name: str,
    amount: str,
) -> Explanation:
    business = business_time(settings.merchants[merchant].dispatch.deadlines)
    explainer = Explainer(past, merchant, business)
    match kind or await _kind_of(explainer, name):
        case "sku":
            return await explainer.sku(name)
        case "order":
            return await explainer.order(name)
        case "payout":
            return await explainer.payout(name)
        case "penny":
            return await explainer.penny(name, amount)
        case "exception":
            return await explainer.exception(name)
        case "oversold":
            return await explainer.oversold(name)


async def _kind_of(explainer: Explainer, name: str) -> Kind:
    """Raises NotFound, with what it could be; Misuse where it is several things."""
    found = await explainer.named(name)
    if len(found) == 1:
        return found[0].kind
    if found:
        raise Misuse(f"{name!r} is several things: say {_verbs(found)}")
    could_be = await explainer.could_be(name)
    hint = f"; there are {_verbs(could_be)}" if could_be else ""
    raise NotFound(f"nothing is called {name!r}{hint}")


def _verbs(found: Sequence[Found]) -> str:
    return ", ".join(f"`kcjl explain {each.kind} {each.subject}`" for each in found)


# ── text ────────────────────────────────────────────────────────────────────────────────────


def _lines(found: Explanation, *, tree: bool) -> Iterator[str]:
    known = f", known at {clock(found.recorded_at)}" if found.recorded_at else ""
    yield f"{found.kind} {found.subject}, as of #{found.position:,} of the log{known}"
    yield ""
    yield from found.answer
    for estimate in found.estimates:
        yield f"This is an estimate: {estimate}."
    for policy in found.policies:
        yield (
            f"In force: {policy.name} version {policy.version}, said {clock(policy.said_at)} "
            f"by {policy.by} (#{policy.position})."
        )
    if found.hops:
        yield ""
        yield from table(
            ("hop", "at", ">before the order", ">#"), [_hop(each) for each in found.hops]
        )
    if found.changes:
        yield ""
        yield from table(
            ("change", "would it have helped", "why"),
            [(each.name, STORIES[each.stops], each.said) for each in found.changes],
        )
    if found.chain:
        yield ""
        yield from tree_lines(found.chain) if tree else _chain(found)
    if found.cut:
        yield "There is more of it than is shown: the log has the rest (`kcjl log tail`)."


def _hop(hop: Hop) -> tuple[str, ...]:
    when = "not yet" if hop.at is None else clock(hop.at)
    if hop.since is not None and hop.at is not None:
        when = f"{clock(hop.since)} to {when}"
    return (
        f"{hop.name}{' (estimate)' if hop.estimate else ''}",
        when,
        "" if hop.before_order_s is None else minutes(hop.before_order_s),
        "" if hop.position is None else str(hop.position),
    )


def _chain(found: Explanation) -> list[str]:
    return table(
        ("#", "learnt", "true", "by", "what happened"),
        [
            (
                str(event.position),
                clock(event.recorded_at),
                clock(event.occurred_at),
                event.by,
                f"{event.type}{': ' if event.said else ''}{event.said}",
            )
            for event in sorted(found.chain, key=lambda each: each.position)
        ],
    )
