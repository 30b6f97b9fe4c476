"""`kcjl payouts explain`: a penny's way, from the payout to the journal.

Promises: payout → line → order line → parcel → sales order → invoice → journal line, as the
read models have them; what is not there is said to be missing, and by whom. It changes nothing.
Called by `kcjl/cli/payouts.py`.
"""

from collections.abc import Iterator
from typing import Annotated

import anyio
import msgspec
import typer

from kcjl.cli.payouts_shown import ended_by
from kcjl.cli.places import (
    DEFAULT_CONFIG,
    Config,
    Merchant,
    database_of,
    merchant_of,
    printable,
    settings_at,
)
from kcjl.cli.stock_shown import clock
from kcjl.database import AUDITOR, Database
from kcjl.dispatch.state import Dispatch
from kcjl.errors import NotFound
from kcjl.events import vocabulary
from kcjl.log.queries import PostgresQueries
from kcjl.money import Money
from kcjl.orders.state import OrderEntry
from kcjl.projections.orderreading import OrderRows
from kcjl.projections.payoutreading import PayoutRows
from kcjl.settings import Settings
from kcjl.settlement.account import AccountLine, account_of, booked_in
from kcjl.settlement.gap_events import GapFound
from kcjl.settlement.received import receipt_words
from kcjl.settlement.state import Cycle, Invoiced

__all__ = ["explain"]

LINES_MAX = 100_000


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One station of a penny."""

    at: str
    """payout, line, order line, parcel, sales order, invoice, journal line, or gap."""
    name: str
    said: str


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """The way of one transaction line."""

    line_id: str
    amount: Money
    steps: tuple[Step, ...]


def explain(
    payout: Annotated[
        str,
        typer.Argument(help="Its cycle, voucher or bank reference, or one of its journals."),
    ],
    line: Annotated[
        list[str] | None,
        typer.Option("--line", help="Only this transaction line; several times."),
    ] = None,
    order: Annotated[str, typer.Option("--order", help="Only lines of this order.")] = "",
    account: Annotated[str, typer.Option("--account", help="Only lines booked to it.")] = "",
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=1, max=LINES_MAX, help="So many at most.")
    ] = 20,
    config: Config = DEFAULT_CONFIG,
    merchant: Merchant = "",
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Where each penny of a payout comes from, and where it is booked.

    Examples: `kcjl payouts explain BACS-889117 --order 700123456-A`,
    `kcjl payouts explain JL-0123456789AB --account "Marketplace Commission" --json`.
    """
    asked = Asked(payout=payout, lines=tuple(line or ()), order=order, account=account)
    settings = settings_at(config)
    chains, matching = anyio.run(
        _explained, settings, merchant_of(settings, merchant), asked, lines
    )
    for each in chains:
        if json:
            typer.echo(msgspec.json.encode(each).decode())
            continue
        for text in _text(each):
            typer.echo(printable(text))
    cut = f"; the first {lines:,} are shown, --lines shows more" if matching > lines else ""
    typer.echo(f"{matching:,} lines{cut}", err=True)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines of which payout."""

    payout: str
    lines: tuple[str, ...]
    order: str
    account: str


async def _explained(
    settings: Settings, merchant: str, asked: Asked, most: int
) -> tuple[list[Chain], int]:
    async with database_of(settings) as dsn, Database(dsn, role=AUDITOR) as database:
        rows, orders = PayoutRows(database, merchant), OrderRows(database, merchant)
        cycle = await rows.payout(asked.payout)
        log = PostgresQueries(database, merchant, vocabulary())
        gaps = await rows.gaps(log, cycle.cycle_id)
        lines = await rows.lines_of(cycle.cycle_id)
        found = [
            each
            for each in account_of(cycle, lines).lines
            if (not asked.lines or each.seen.line_id in asked.lines)
            and (not asked.order or each.seen.order_id == asked.order)
            and (not asked.account or each.account == asked.account)
        ]
        if not found:
            raise NotFound(
                f"payout {cycle.cycle_id} has no such line: `kcjl payouts show {asked.payout} "
                "--json` names them all"
            )
        invoice = await rows.invoice(None, cycle.cycle_id)
        chains = []
        for each in found[:most]:
            order_id = each.seen.order_id
            station = Station(
                cycle=cycle,
                line=each,
                order=await orders.order(order_id) if order_id else None,
                dispatch=await rows.dispatch(order_id) if order_id else None,
                invoice=invoice,
                gaps=tuple(gap for gap in gaps if each.seen.line_id in gap.line_ids),
            )
            chains.append(
                Chain(
                    line_id=each.seen.line_id,
                    amount=each.seen.amount,
                    steps=tuple(_steps(station)),
                )
            )
    return chains, len(found)


class Station(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known around one transaction line."""

    cycle: Cycle
    line: AccountLine
    order: OrderEntry | None
    dispatch: Dispatch | None
    invoice: Invoiced | None
    gaps: tuple[GapFound, ...]


def _steps(of: Station) -> Iterator[Step]:
    seen, cycle = of.line.seen, of.cycle
    paid = (
        f"paid {clock(cycle.seen.paid_at)}" if cycle.seen.paid_at else cycle.seen.payout_state
    )
    bank = cycle.seen.payout_reference or "no bank reference yet"
    yield Step(
        at="payout",
        name=cycle.cycle_id,
        said=f"{cycle.seen.amount_to_seller}, {paid}, {bank}",
    )
    if received := receipt_words(cycle):
        yield Step(at="bank", name=bank, said=received)
    moved = clock(seen.created_at or seen.occurred_at)
    yield Step(at="line", name=seen.line_id, said=f"{seen.kind} {seen.amount} of {moved}")
    yield from _order_steps(of)
    if of.invoice is not None:
        filed = of.invoice.document.name if of.invoice.document else "its PDF is not there yet"
        charged = of.invoice.seen.total_including_tax
        yield Step(
            at="operator's invoice",
            name=seen.document_number or str(of.invoice.seen.invoice_id),
            said=f"they charge {charged}; {filed}",
        )
    yield _journal_step(of)
    for gap in of.gaps:
        ended = ended_by(gap, cycle.gaps_ended)
        since = f"; {ended}" if ended else ""
        yield Step(at="gap", name=gap.kind, said=f"{gap.amount}: {gap.message}{since}")


def _order_steps(of: Station) -> Iterator[Step]:
    seen, counterpart = of.line.seen, of.line.counterpart
    if seen.order_id is None:
        kind = counterpart.kind.replace("_", " ")
        yield Step(at=kind, name=counterpart.name, said="it belongs to no order")
        return
    yield _order_line(of)
    if seen.refund_id is not None:
        yield Step(at="refund", name=seen.refund_id, said="the customer got money back")
    for parcel in of.dispatch.parcels if of.dispatch is not None else ():
        if any(each.line_id == seen.order_line_id for each in parcel.lines):
            carrier = parcel.courier_name or "no courier"
            number = parcel.tracking_number or "no tracking number"
            said = f"{parcel.state.value}, {carrier} {number}"
            yield Step(at="parcel", name=parcel.parcel_key, said=said)
    if not of.line.erp_order_code:
        none = "the ERP has none of it" if not of.line.tied else "it needs none of ours"
        yield Step(at="sales order", name="none", said=none)
        return
    reference = of.order.reference if of.order is not None else ""
    yield Step(
        at="sales order", name=of.line.erp_order_code, said=f"as {reference or 'its reference'}"
    )
    yield from _erp_invoices(of)


def _order_line(of: Station) -> Step:
    seen = of.line.seen
    lines = of.order.lines if of.order is not None else ()
    sold = next((each for each in lines if each.line_id == seen.order_line_id), None)
    if sold is None:
        return Step(at="order", name=seen.order_id or "", said="no line of it is named")
    said = f"{sold.quantity} of {sold.sku} for {sold.price}, shipping {sold.shipping_price}"
    return Step(at="order line", name=sold.line_id, said=said)


def _erp_invoices(of: Station) -> Iterator[Step]:
    """A parcel's key begins with the ERP's invoice that it was sent with."""
    parcels = of.dispatch.parcels if of.dispatch is not None else ()
    codes = dict.fromkeys(each.parcel_key.partition("/")[0] for each in parcels)
    for code in codes:
        yield Step(at="sales invoice", name=code, said="of this sales order, in the ERP")


def _journal_step(of: Station) -> Step:
    found = booked_in(of.cycle, of.line.seen)
    if found is None:
        return Step(at="journal line", name="none", said="the payout is not closed yet")
    journal, entry = found
    numbers = {each.intended.reference: each.ledger_number for each in of.cycle.journals}
    number = numbers.get(journal.reference)
    entered = f"{number} in the ledger" if number else "to be entered"
    if entry is None:
        said = f"{of.line.role}: the account comes to nothing there; {entered}"
    else:
        side, amount = ("debit", entry.debit) if entry.debit else ("credit", entry.credit)
        said = f"{entry.account}, in its {side} of {amount}; {entered}"
    return Step(at="journal line", name=journal.reference, said=said)


def _text(chain: Chain) -> Iterator[str]:
    yield f"{chain.line_id}: {chain.amount}"
    for depth, step in enumerate(chain.steps):
        yield f"{'  ' * depth}└ {step.at} {step.name}: {step.said}"
    yield ""
