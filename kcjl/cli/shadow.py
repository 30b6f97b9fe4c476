"""`kcjl shadow`: would this version have decided what another one has recorded?

It reads the log, or an exported file, and writes nothing. Called by `kcjl/cli/verbs.py`.
"""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, cast

import anyio
import typer

from kcjl import __version__
from kcjl.audit.shadow import Difference, Shadow, Shadowed
from kcjl.audit.shadow_desk import DeskShadow
from kcjl.audit.shadow_dispatch import DispatchShadow
from kcjl.audit.shadow_orders import OrdersShadow
from kcjl.audit.shadow_payouts import PayoutShadow
from kcjl.audit.shadow_stock import StockShadow
from kcjl.cli.history import FromExport, History, To, history_of
from kcjl.cli.places import DEFAULT_CONFIG, Config, Merchant, json_line, printable
from kcjl.cli.tables import table
from kcjl.dispatch.confirming import terms_of
from kcjl.log.port import Log
from kcjl.settings import (
    DispatchSettings,
    MerchantSettings,
    SettlementSettings,
    StockSettings,
)

__all__ = ["shadow", "shadow_of"]


def shadow(
    to: To = "",
    export: FromExport = None,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=1, help="So many differences at most.")
    ] = 20,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, on stdout.")] = False,
) -> None:
    """Would this version have decided the same? Every recorded decision is decided again.

    Before an upgrade, run the new version's shadow over the old one's log: figures published,
    orders held, accepted and posted, parcels confirmed, payouts closed, exceptions raised and
    cleared. One that differs is named: room, stream, position, field by field. What can't be
    decided again is counted, with the reason. Nothing is changed.

    Exit code 1: a decision differs. That may be what the upgrade is for; look at each.

    Examples: `kcjl shadow`, `kcjl shadow --from-export log.gz --json`.
    """
    found = anyio.run(partial(_shadowed, config, merchant, to, export))
    if json:
        typer.echo(json_line(found))
    else:
        for line in _lines(found, lines):
            typer.echo(printable(line))
    if found.differ:
        raise typer.Exit(1)


async def _shadowed(config: Path, merchant: str, to: str, export: Path | None) -> Shadowed:
    async with history_of(config, merchant, to, export) as history:
        return await shadow_of(history, history.settings)


async def shadow_of(history: History, settings: MerchantSettings | None) -> Shadowed:
    """`settings`: the merchant's; None: the defaults are taken where a rule needs one."""
    log, clock, ids = cast("Log", history.log), history.clock, history.ids
    dispatch = DispatchSettings() if settings is None else settings.dispatch
    settlement = SettlementSettings() if settings is None else settings.settlement
    stock = StockSettings() if settings is None else settings.stock
    shadow = Shadow(
        log.merchant,
        __version__,
        (
            StockShadow(log, clock, ids, lines_max=stock.lines_max),
            OrdersShadow(log, clock, ids),
            DispatchShadow(log, clock, ids, terms_of(dispatch)),
            PayoutShadow(log, clock, ids, cycle_days=settlement.cycle_days),
            DeskShadow(log, clock, ids),
        ),
    )
    async for page in history.pages():
        await shadow.hear(page)
    return shadow.shadowed()


def _lines(found: Shadowed, most: int) -> Iterator[str]:
    yield (
        f"{found.merchant}, {found.events:,} events up to #{found.to:,}, decided again by "
        f"kcjl {found.version}."
    )
    yield ""
    yield from table(
        ("decision", ">checked", ">differ", ">on a state just before"),
        [
            (each.type, f"{each.checked:,}", f"{each.differ:,}", f"{each.earlier:,}")
            for each in found.by_type
        ],
    )
    yield ""
    yield "Not decided again:"
    reasons: Counter[str] = Counter()
    for each in found.not_checkable:
        reasons[each.reason] += each.events
    yield from table(
        (">events", "because"),
        [(f"{events:,}", reason) for reason, events in reasons.most_common()],
    )
    yield ""
    if not found.differ:
        yield f"None of {found.checked:,} decisions differs."
        return
    shown = found.differences[:most]
    more = f"; the first {len(shown):,}" if found.differ > len(shown) else ""
    yield f"{found.differ:,} of {found.checked:,} decisions DIFFER{more}:"
    for difference in shown:
        yield from _difference(difference)


def _difference(each: Difference) -> Iterator[str]:
    yield f"#{each.position:,} {each.stream}, {each.room}: {each.type}: {each.why}"
    for field in each.fields:
        yield f"    {field.field}: recorded {field.recorded or 'nothing'}"
        yield f"    {' ' * len(field.field)}  now      {field.now or 'nothing'}"
