"""`kcjl what-if`: another policy over the same history, beside what happened.

It reads the log, or an exported file, and writes nothing but the picture that is asked for.
Called by `kcjl/cli/verbs.py`.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

import anyio
import msgspec
import typer

from kcjl.audit.money_then import MoneyThen
from kcjl.audit.what_if import WhatIf
from kcjl.audit.what_if_answer import Answer, Asked
from kcjl.audit.what_if_parcels import ParcelAnswer, WhatIfMapped
from kcjl.audit.what_if_payouts import PayoutAnswer, WhatIfTerms
from kcjl.audit.what_if_plot import drawn
from kcjl.cli.history import FromExport, To, history_of
from kcjl.cli.places import DEFAULT_CONFIG, Config, Merchant, json_line, printable
from kcjl.cli.tables import table
from kcjl.errors import Misuse
from kcjl.log.export import whole
from kcjl.settlement.terms import CommissionTerms, read_terms
from kcjl.stock.policy import read_document
from kcjl.toml import read_toml

__all__ = ["what_if"]

OVERSOLD_SHOWN = 10
UNSEEN_BETWEEN = (
    "oversold is judged by the next read of the level: a sale elsewhere before it counts "
    "against the order, goods that came in before it hide what was short, and an order that "
    "the ERP has taken at a level of 0 may have been short or not (at most)"
)
UNSEEN_DEMAND = (
    "who wanted more than was shown, or came at a shown zero, left no order: a policy that "
    "shows more would have sold, and oversold, more than is told here"
)
HELD_CONSTANT = (
    "levels, goods-in and other channels are as they were: what the other policy turns away "
    "is taken as bought by somebody else"
)
LEARNT_LATE = "withheld and overshown are counted at the times at which the log learnt of it"
ESTIMATES = (UNSEEN_BETWEEN, UNSEEN_DEMAND, HELD_CONSTANT, LEARNT_LATE)


class WhatIfTold(msgspec.Struct, frozen=True, kw_only=True):
    """The answer, for a program."""

    merchant: str
    stock: Answer
    parcels: ParcelAnswer | None
    payouts: PayoutAnswer | None
    estimates: tuple[str, ...]


def what_if(
    *,
    policy: Annotated[
        Path | None,
        typer.Option(help="A stock policy, as for `kcjl stock policy propose`."),
    ] = None,
    read_every: Annotated[
        float, typer.Option(min=0, help="Levels read no more often than each so many seconds.")
    ] = 0.0,
    push_every: Annotated[
        float, typer.Option(min=0, help="Figures sent no more often than each so many seconds.")
    ] = 0.0,
    carriers: Annotated[
        Path | None,
        typer.Option(help='A carrier map, TOML: `"DPD Next Day" = "DPD"`, a line a courier.'),
    ] = None,
    terms: Annotated[
        Path | None,
        typer.Option(help="Commission terms, as for `kcjl settlement terms set`."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw it day by day into this file (SVG).")
    ] = None,
    to: To = "",
    export: FromExport = None,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    json: Annotated[bool, typer.Option("--json", help="One JSON object, on stdout.")] = False,
) -> None:
    """What if another policy had been in force from the beginning? Beside what happened.

    Every figure is worked out again by the rules of this version, on what was known at the
    time: levels, orders, acknowledgements stand in the log. The same history and the same
    question give the same answer. Without any option nothing is otherwise: then each figure
    must come out as it was recorded, and how many do not is told (exit code 1).

    What can't be known is told as an estimate, with the reason. Nothing is changed.

    Examples: `kcjl what-if --policy christmas.toml --plot christmas.svg`,
    `kcjl what-if --read-every 1800`, `kcjl what-if --terms terms.toml --from-export log.gz`.
    """
    asked = Asked(
        policy=None if policy is None else read_document(_text(policy, "a stock policy")),
        read_every_s=read_every,
        push_every_s=push_every,
    )
    mapped = None if carriers is None else _mapped(carriers)
    agreed = None if terms is None else read_terms(_text(terms, "commission terms"))
    told = anyio.run(partial(_told, config, merchant, to, export, asked, mapped, agreed))
    if plot is not None:
        with whole(plot) as file:
            file.write(drawn(told.stock.days, other=_called(asked)).encode())
    if json:
        typer.echo(json_line(told))
    else:
        for line in _lines(told, asked):
            typer.echo(printable(line))
    if asked.is_as_it_was and told.stock.not_as_recorded:
        raise typer.Exit(1)


def _text(file: Path, what: str) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse(f"{file} can't be read as {what}: {error}") from None


def _mapped(file: Path) -> Mapping[str, str]:
    try:
        read = read_toml(_text(file, "a carrier map"))
        return msgspec.convert(read, dict[str, str])
    except (ValueError, msgspec.ValidationError) as error:
        raise Misuse(
            f'{file} can\'t be used as a carrier map: {error}; write "courier" = "CARRIER"'
        ) from None


async def _told(
    config: Path,
    merchant: str,
    to: str,
    export: Path | None,
    asked: Asked,
    mapped: Mapping[str, str] | None,
    agreed: CommissionTerms | None,
) -> WhatIfTold:
    async with history_of(config, merchant, to, export) as history:
        stock = WhatIf(asked)
        parcels = None if mapped is None else WhatIfMapped(mapped)
        payouts = None
        if agreed is not None:
            then = MoneyThen(history.log, history.clock, history.ids)
            payouts = WhatIfTerms(then, agreed)
        async for page in history.pages():
            await stock.hear(page)
            if parcels is not None:
                parcels.hear(page)
            if payouts is not None:
                for recorded in page:
                    await payouts.hear(recorded)
        return WhatIfTold(
            merchant=history.log.merchant,
            stock=stock.answer(),
            parcels=None if parcels is None else parcels.answer(),
            payouts=None if payouts is None else payouts.answer(),
            estimates=ESTIMATES,
        )


def _called(asked: Asked) -> str:
    """The other world, in a few words of ours."""
    parts = [
        "another policy" if asked.policy is not None else "",
        f"read each {asked.read_every_s:g} s" if asked.read_every_s else "",
        f"sent each {asked.push_every_s:g} s" if asked.push_every_s else "",
    ]
    return ", ".join(filter(None, parts)) or "as it was"


def _lines(told: WhatIfTold, asked: Asked) -> Iterator[str]:
    found = told.stock
    yield (
        f"{told.merchant}, {found.events:,} events up to #{found.to:,}, "
        f"{len(found.days):,} days; then: {_called(asked)}."
    )
    yield ""
    yield from table(("", ">happened", ">then", ">difference"), list(_rows(found)))
    yield ""
    if asked.is_as_it_was:
        yield _as_recorded(found)
        for each in found.first_differences:
            recorded, other = _units(each.recorded), _units(each.other)
            yield f"  #{each.position:,} {each.sku}: recorded {recorded}, now {other}"
        yield ""
    shown = [each for each in found.oversold if each.happened or each.other][:OVERSOLD_SHOWN]
    if shown:
        yield f"Oversold (the first {len(shown)} of {len(found.oversold):,}):"
        yield from table(
            ("placed, UTC", "sku", ">happened", ">then"),
            [
                (f"{e.placed_at:%Y-%m-%d %H:%M}", e.sku, f"{e.happened:,}", f"{e.other:,}")
                for e in shown
            ],
        )
        yield ""
    if told.parcels is not None:
        yield from _of_parcels(told.parcels)
    if told.payouts is not None:
        yield from _of_payouts(told.payouts)
    yield "Estimates:"
    yield from (f"- {each}" for each in told.estimates)
    if found.orders_undecided:
        yield f"- {found.orders_undecided:,} orders came too late for a read to judge them"


def _as_recorded(found: Answer) -> str:
    if not found.not_as_recorded:
        return (
            f"All {found.figures:,} figures of {found.imports:,} imports come out as they were "
            "recorded."
        )
    return (
        f"{found.not_as_recorded:,} of {found.figures:,} figures do NOT come out as they were "
        "recorded; the first:"
    )


def _units(units: int | None) -> str:
    return "none" if units is None else f"{units:,}"


def _rows(found: Answer) -> Iterator[tuple[str, str, str, str]]:
    one, two = found.happened, found.other
    for name, before, after in (
        ("units sold, of orders seen", one.units_sold, two.units_sold),
        ("units turned away", one.units_turned_away, two.units_turned_away),
        ("units oversold", one.units_oversold, two.units_oversold),
        ("  at least", one.units_oversold_at_least, two.units_oversold_at_least),
        ("  at most", one.units_oversold_at_most, two.units_oversold_at_most),
        ("order lines oversold", one.orders_oversold, two.orders_oversold),
        ("unit-hours withheld", one.unit_hours_withheld, two.unit_hours_withheld),
        ("unit-hours shown, not there", one.unit_hours_overshown, two.unit_hours_overshown),
        ("stock imports", found.imports, found.imports_other),
        ("figures sent", found.figures, found.figures_other),
    ):
        yield (name, f"{before:,.0f}", f"{after:,.0f}", f"{after - before:+,.0f}")


def _of_parcels(found: ParcelAnswer) -> Iterator[str]:
    yield "Carrier map:"
    yield from table(
        ("", ">happened", ">then"),
        [
            ("parcels", f"{found.parcels:,}", f"{found.parcels:,}"),
            (
                "parcels that waited for a carrier",
                f"{found.waited:,}",
                f"{found.waited_other:,}",
            ),
            ("orders dispatched late", f"{found.late:,}", f"{found.late_other:,}"),
            ("orders that might have been late", "", f"{found.late_perhaps:,}"),
        ],
    )
    for courier, carrier, other, parcels in found.other_carrier:
        yield f"  {parcels:,} parcels of {courier!r}: {carrier} happened, {other} then"
    yield ""


def _of_payouts(found: PayoutAnswer) -> Iterator[str]:
    rows = [
        (
            payout.cycle_id,
            each.kind,
            f"{each.gaps:,}",
            str(each.amount),
            f"{each.gaps_other:,}",
            str(each.amount_other),
        )
        for payout in found.payouts
        for each in payout.kinds
    ]
    differ = sum(payout.differs for payout in found.payouts)
    yield (
        f"Commission terms: {len(found.payouts):,} payouts were closed, {differ:,} of them "
        "with other gaps then."
    )
    yield from table(("payout", "gap", ">happened", ">amount", ">then", ">amount"), rows)
    if found.not_checkable:
        yield (
            f"Not told: {', '.join(found.not_checkable)}; the file can't be asked for their "
            "older orders, the live log can"
        )
    yield ""
