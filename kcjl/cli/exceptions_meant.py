"""Which exceptions a verb is about: the options, and what they ask for.

Promises: what can't be meant is one clear line; a word is about those that are named, or, with
--all, about every open one that the filters leave, and never about everything by an oversight.
Called by the verbs of `kcjl exceptions`.
"""

from collections.abc import Sequence
from typing import Annotated

import typer

from kcjl.cli.filters import moment
from kcjl.errors import Misuse, NotFound
from kcjl.exceptions.catalogue import KINDS
from kcjl.exceptions.kind import LANES
from kcjl.exceptions.words import Wanted
from kcjl.money import Money

__all__ = ["Above", "Kind", "Lane", "Owner", "Since", "Subject", "meant_by", "wanted_of"]

Kind = Annotated[str, typer.Option("--kind", "-k", help="Only of this kind.")]
Lane = Annotated[
    str, typer.Option("--lane", help="Only of Stock, Orders, Dispatch, Money or Service.")
]
Owner = Annotated[str, typer.Option("--owner", "-o", help="Only those of this person or role.")]
Subject = Annotated[
    str, typer.Option("--subject", "-s", help="Only about this; an order with its parcels.")
]
Since = Annotated[
    str,
    typer.Option(
        "--since", help="Open since then or later: 2026-10-01T14:03; UTC if not said."
    ),
]
Above = Annotated[
    str, typer.Option("--min-money", help="Only with so much at risk, or more: 100, or 100EUR.")
]
CURRENCY = "GBP"


def wanted_of(kind: str, lane: str, owner: str, subject: str, since: str, above: str) -> Wanted:
    """What the filters ask for. Raises Misuse and NotFound, which name the option."""
    if kind and kind not in KINDS:
        raise NotFound(f"--kind {kind!r}: there is no such kind; docs/exceptions.md has them")
    lanes = {each.casefold(): each for each in LANES}
    if lane and lane.casefold() not in lanes:
        raise NotFound(f"--lane {lane!r} is none of {', '.join(LANES)}")
    return Wanted(
        kind=kind,
        lane=lanes[lane.casefold()] if lane else "",
        owner=owner,
        subject=subject,
        since=moment("--since", since),
        above=_money(above) if above else None,
    )


def meant_by(ids: Sequence[str] | None, filters: Wanted, *, everything: bool) -> Wanted:
    """Those that are named, or all that the filters leave."""
    if ids:
        if filters != Wanted() or everything:
            raise Misuse("name exceptions, or filter with --all: not both")
        return Wanted(ids=tuple(ids))
    if filters == Wanted():
        raise Misuse("which exceptions? Name them, or filter: --kind order_held --all")
    if not everything:
        raise Misuse("say --all for all that the filters leave; --preview shows them first")
    return filters


def _money(told: str) -> Money:
    digits = told.strip().upper()
    currency = digits[-3:] if digits[-3:].isalpha() else CURRENCY
    try:
        return Money.parse(digits.removesuffix(currency).strip(), currency)
    except Misuse as error:
        raise Misuse(f"--min-money {told!r}: {error.message}") from None
