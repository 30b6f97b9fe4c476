"""A penny's way: from the payout to the order, and to the journal.

Promises: payout → line → order line → parcel → sales order → invoice → journal line, as the
read models have them; what is not there is said to be missing, and by whom. It changes nothing.
Called by `kcjl payouts explain` and by the monitor.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from kcjl.dispatch.state import Dispatch
from kcjl.log.port import LogQueries
from kcjl.orders.state import OrderEntry
from kcjl.projections.orderreading import OrderRows
from kcjl.projections.payoutreading import PayoutRows
from kcjl.readmodels_money import PennyStep, PennyWay
from kcjl.settlement.account import AccountLine, booked_in
from kcjl.settlement.gap_events import GapFound
from kcjl.settlement.received import receipt_words
from kcjl.settlement.state import Cycle, Invoiced
from kcjl.settlement.words import ended_by

__all__ = ["Pennies"]


class Pennies:
    """One merchant's pennies."""

    def __init__(self, rows: PayoutRows, orders: OrderRows, log: LogQueries) -> None:
        self._rows = rows
        self._orders = orders
        self._log = log

    async def ways(self, cycle: Cycle, lines: Sequence[AccountLine]) -> Sequence[PennyWay]:
        gaps = await self._rows.gaps(self._log, cycle.cycle_id)
        invoice = await self._rows.invoice(None, cycle.cycle_id)
        return [await self._way(cycle, each, gaps, invoice) for each in lines]

    async def _way(
        self,
        cycle: Cycle,
        line: AccountLine,
        gaps: Sequence[GapFound],
        invoice: Invoiced | None,
    ) -> PennyWay:
        order_id = line.seen.order_id
        station = _Station(
            cycle=cycle,
            line=line,
            order=await self._orders.order(order_id) if order_id else None,
            dispatch=await self._rows.dispatch(order_id) if order_id else None,
            invoice=invoice,
            gaps=tuple(gap for gap in gaps if line.seen.line_id in gap.line_ids),
        )
        return PennyWay(
            line_id=line.seen.line_id,
            amount=line.seen.amount,
            steps=tuple(_steps(station)),
        )


class _Station(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known around one transaction line."""

    cycle: Cycle
    line: AccountLine
    order: OrderEntry | None
    dispatch: Dispatch | None
    invoice: Invoiced | None
    gaps: tuple[GapFound, ...]


def _steps(of: _Station) -> Iterator[PennyStep]:
    seen, cycle = of.line.seen, of.cycle
    paid = (
        f"paid {_clock(cycle.seen.paid_at)}" if cycle.seen.paid_at else cycle.seen.payout_state
    )
    bank = cycle.seen.payout_reference or "no bank reference yet"
    yield PennyStep(
        at="payout",
        name=cycle.cycle_id,
        said=f"{cycle.seen.amount_to_seller}, {paid}, {bank}",
    )
    if received := receipt_words(cycle):
        yield PennyStep(at="bank", name=bank, said=received)
    moved = _clock(seen.created_at or seen.occurred_at)
    yield PennyStep(at="line", name=seen.line_id, said=f"{seen.kind} {seen.amount} of {moved}")
    yield from _order_steps(of)
    if of.invoice is not None:
        filed = of.invoice.document.name if of.invoice.document else "its PDF is not there yet"
        charged = of.invoice.seen.total_including_tax
        yield PennyStep(
            at="operator's invoice",
            name=seen.document_number or str(of.invoice.seen.invoice_id),
            said=f"they charge {charged}; {filed}",
        )
    yield _journal_step(of)
    for gap in of.gaps:
        ended = ended_by(gap, cycle.gaps_ended)
        since = f"; {ended}" if ended else ""
        yield PennyStep(at="gap", name=gap.kind, said=f"{gap.amount}: {gap.message}{since}")


def _order_steps(of: _Station) -> Iterator[PennyStep]:
    seen, counterpart = of.line.seen, of.line.counterpart
    if seen.order_id is None:
        kind = counterpart.kind.replace("_", " ")
        yield PennyStep(at=kind, name=counterpart.name, said="it belongs to no order")
        return
    yield _order_line(of)
    if seen.refund_id is not None:
        yield PennyStep(at="refund", name=seen.refund_id, said="the customer got money back")
    for parcel in of.dispatch.parcels if of.dispatch is not None else ():
        if any(each.line_id == seen.order_line_id for each in parcel.lines):
            carrier = parcel.courier_name or "no courier"
            number = parcel.tracking_number or "no tracking number"
            said = f"{parcel.state.value}, {carrier} {number}"
            yield PennyStep(at="parcel", name=parcel.parcel_key, said=said)
    if not of.line.erp_order_code:
        none = "the ERP has none of it" if not of.line.tied else "it needs none of ours"
        yield PennyStep(at="sales order", name="none", said=none)
        return
    reference = of.order.reference if of.order is not None else ""
    yield PennyStep(
        at="sales order", name=of.line.erp_order_code, said=f"as {reference or 'its reference'}"
    )
    yield from _erp_invoices(of)


def _order_line(of: _Station) -> PennyStep:
    seen = of.line.seen
    lines = of.order.lines if of.order is not None else ()
    sold = next((each for each in lines if each.line_id == seen.order_line_id), None)
    if sold is None:
        return PennyStep(at="order", name=seen.order_id or "", said="no line of it is named")
    said = f"{sold.quantity} of {sold.sku} for {sold.price}, shipping {sold.shipping_price}"
    return PennyStep(at="order line", name=sold.line_id, said=said)


def _erp_invoices(of: _Station) -> Iterator[PennyStep]:
    """A parcel's key begins with the ERP's invoice that it was sent with."""
    parcels = of.dispatch.parcels if of.dispatch is not None else ()
    codes = dict.fromkeys(each.parcel_key.partition("/")[0] for each in parcels)
    for code in codes:
        yield PennyStep(at="sales invoice", name=code, said="of this sales order, in the ERP")


def _journal_step(of: _Station) -> PennyStep:
    found = booked_in(of.cycle, of.line.seen)
    if found is None:
        return PennyStep(at="journal line", name="none", said="the payout is not closed yet")
    journal, entry = found
    numbers = {each.intended.reference: each.ledger_number for each in of.cycle.journals}
    number = numbers.get(journal.reference)
    entered = f"{number} in the ledger" if number else "to be entered"
    if entry is None:
        said = f"{of.line.role}: the account comes to nothing there; {entered}"
    else:
        side, amount = ("debit", entry.debit) if entry.debit else ("credit", entry.credit)
        said = f"{entry.account}, in its {side} of {amount}; {entered}"
    return PennyStep(at="journal line", name=journal.reference, said=said)


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"
