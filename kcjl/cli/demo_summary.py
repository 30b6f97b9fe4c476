"""The demo's summary: what happened, told by both sides, and whether a law was broken.

Promises: figures of the world come from the sandbox's truth, figures of the service from its
read models and its log; neither is taken for the other. Called by `demo.py`.
"""

from collections import Counter
from collections.abc import Iterable

import msgspec

from kcjl.audit.completeness import Completeness, completeness
from kcjl.audit.replay import Replayed, replay
from kcjl.cli.demo_world import WorldView
from kcjl.database import Database
from kcjl.dispatch.parcel import ParcelState
from kcjl.dispatch.projection import DISPATCHES_SHOWN
from kcjl.dispatch.state import Dispatch
from kcjl.errors import CorruptLog
from kcjl.events import vocabulary
from kcjl.exceptions.projection import EXCEPTIONS_SHOWN, ExceptionLife
from kcjl.log.postgres import PostgresLogReader
from kcjl.log.verify import verify
from kcjl.money import Money
from kcjl.orders.projection import ORDERS_SHOWN
from kcjl.orders.state import Acceptance, OrderEntry, Posting
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.store import PostgresRows
from kcjl.settlement.projection import PAYOUTS_SHOWN
from kcjl.settlement.state import Cycle, CycleState

__all__ = ["Summary", "summarise", "summary_text"]


class TruthNow(msgspec.Struct, frozen=True):
    """What we need of GET /sandbox/truth."""

    counted: dict[str, int]
    orders_by_state: dict[str, int]
    sales_orders_per_order_max: int
    sales_orders_of_no_order: int
    parcels_shipped: int
    parcels_confirmed: int
    parcels_confirmed_twice: int
    orders_confirmed_late: int
    payouts_paid: int
    paid_out: Money
    finished: bool


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What `kcjl demo --headless --json` prints."""

    finished: bool
    """The trade was done, shipped, received and paid out when the demo ended."""
    world_hours: float
    seconds: float
    orders_placed: int
    orders_seen: int
    orders_accepted: int
    orders_held: int
    orders_posted: int
    orders_cancelled: int
    orders_waiting: int
    orders_dispatched: int
    orders_confirmed: int
    """Every parcel of theirs is confirmed."""
    parcels_shipped: int
    parcels_confirmed: int
    parcels_excepted: int
    parcels_left: int
    """Shipped, of orders that were then ended on both sides."""
    parcels_confirmed_twice: int
    orders_confirmed_late: int
    sales_orders_per_order_max: int
    sales_orders_of_no_order: int
    units_sold: int
    units_oversold: int
    units_lost_though_free: int
    publishes: int
    exceptions_open: dict[str, int]
    exceptions_cleared: dict[str, int]
    payouts_paid: int
    payouts_closed: int
    lines_total: Money
    """Σ of the lines of the closed payouts."""
    paid_out: Money
    """By the marketplace's own account."""
    payouts_held: int
    """Kept open with a residue or an untied line, which an exception names."""
    residue: Money
    """Of the closed payouts, without its sign: 0 or a law is broken."""
    journals: int
    events: int
    events_per_second: float
    chain_verified_to: int
    replayed_rows: int
    replay_difference: str
    laws_broken: tuple[str, ...]


class _Ours(msgspec.Struct, frozen=True, kw_only=True):
    """The service's side: its read models, its log."""

    complete: Completeness
    replayed: Replayed
    verified: int
    fault: str
    orders: list[OrderEntry]
    dispatches: list[Dispatch]
    payouts: list[Cycle]
    desk: list[ExceptionLife]
    publishes: int


async def _ours(dsn: str, merchant: str) -> _Ours:
    async with Database(dsn, role=None) as database:
        reader = PostgresLogReader(database, merchant, vocabulary())
        rows = PostgresRows(database, merchant)
        verified, fault = 0, ""
        try:
            verified = (await verify(reader)).position
        except CorruptLog as error:
            fault = error.message
        publishes = await database.fetchval(
            "select count(*) from event where merchant = $1 and type = 'StockImportSent'",
            merchant,
        )
        return _Ours(
            complete=await completeness(rows),
            replayed=await replay(reader, rows, PROJECTIONS),
            verified=verified,
            fault=fault,
            orders=[ORDERS_SHOWN.entry(row) for _, row in await rows.rows("orders")],
            dispatches=[DISPATCHES_SHOWN.entry(row) for _, row in await rows.rows("dispatch")],
            payouts=[PAYOUTS_SHOWN.entry(row) for _, row in await rows.rows("payouts")],
            desk=[EXCEPTIONS_SHOWN.entry(row) for _, row in await rows.rows("exceptions")],
            publishes=int(publishes),
        )


async def summarise(dsn: str, merchant: str, view: WorldView, *, seconds: float) -> Summary:
    """Look at both sides, verify the chain, replay, and hold it all against the laws."""
    truth = msgspec.convert(await view.truth(), TruthNow)
    now = await view.clock()
    ours = await _ours(dsn, merchant)
    hours = (now.now - now.starts_at).total_seconds() / 3600
    summary = _summary(truth, ours, hours=round(hours, 1), seconds=round(seconds, 1))
    broken = [f"law 1: {ours.fault}"] if ours.fault else []
    broken.extend(_broken_laws(summary, ours.complete.missing))
    return msgspec.structs.replace(summary, laws_broken=tuple(broken))


def _summary(truth: TruthNow, ours: _Ours, *, hours: float, seconds: float) -> Summary:
    nothing = Money(0, truth.paid_out.currency)
    closed = [payout.closed for payout in ours.payouts if payout.closed is not None]
    groups = ours.complete.orders
    shipped = ("SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED")
    return Summary(
        finished=truth.finished,
        world_hours=hours,
        seconds=seconds,
        orders_placed=truth.counted["orders_placed"],
        orders_seen=len(ours.orders),
        orders_accepted=sum(each.acceptance == Acceptance.CONFIRMED for each in ours.orders),
        orders_held=groups.get("held", 0),
        orders_posted=sum(each.posting == Posting.POSTED for each in ours.orders),
        orders_cancelled=groups.get("cancelled", 0),
        orders_waiting=groups.get("waiting", 0),
        orders_dispatched=sum(truth.orders_by_state.get(state, 0) for state in shipped),
        orders_confirmed=sum(_is_confirmed(each) for each in ours.dispatches),
        parcels_shipped=truth.parcels_shipped,
        parcels_confirmed=truth.parcels_confirmed,
        parcels_excepted=ours.complete.parcels_excepted,
        parcels_left=ours.complete.parcels_left,
        parcels_confirmed_twice=truth.parcels_confirmed_twice,
        orders_confirmed_late=truth.orders_confirmed_late,
        sales_orders_per_order_max=truth.sales_orders_per_order_max,
        sales_orders_of_no_order=truth.sales_orders_of_no_order,
        units_sold=truth.counted["units_placed"],
        units_oversold=truth.counted["units_oversold"],
        units_lost_though_free=truth.counted["units_lost_though_free"],
        publishes=ours.publishes,
        exceptions_open=_kinds(each for each in ours.desk if each.cleared_at is None),
        exceptions_cleared=_kinds(each for each in ours.desk if each.cleared_at is not None),
        payouts_paid=truth.payouts_paid,
        payouts_closed=len(closed),
        lines_total=sum((each.lines_total for each in closed), nothing),
        paid_out=truth.paid_out,
        payouts_held=sum(payout.state == CycleState.HELD for payout in ours.payouts),
        residue=sum((abs(each.residue) for each in closed), nothing),
        journals=sum(payout.prepared is not None for payout in ours.payouts),
        events=ours.replayed.position,
        events_per_second=round(ours.replayed.position / seconds, 1) if seconds else 0.0,
        chain_verified_to=ours.verified,
        replayed_rows=ours.replayed.rows,
        replay_difference=ours.replayed.difference,
        laws_broken=(),
    )


def _is_confirmed(entry: Dispatch) -> bool:
    states = {parcel.state for parcel in entry.parcels}
    return states == {ParcelState.CONFIRMED}


def _kinds(desk: Iterable[ExceptionLife]) -> dict[str, int]:
    return dict(sorted(Counter(each.raised.kind for each in desk).items()))


def _broken_laws(summary: Summary, missing: tuple[str, ...]) -> list[str]:
    broken = [f"law 3: {each}" for each in missing]
    if summary.replay_difference:
        broken.append(f"law 1: replay differs: {summary.replay_difference}")
    if summary.sales_orders_per_order_max > 1:
        broken.append("law 2: a marketplace order has more than one sales order")
    if summary.sales_orders_of_no_order:
        broken.append("law 2: a sales order belongs to no marketplace order")
    if summary.parcels_confirmed_twice:
        broken.append("law 2: a parcel was confirmed twice")
    if summary.residue:
        broken.append(f"law 5: the residue is {summary.residue}")
    if summary.payouts_held > summary.exceptions_open.get("payout_open", 0):
        broken.append("law 5: a payout is held, and nobody was told")
    if summary.finished:
        broken.extend(_broken_at_the_end(summary))
    return broken


def _broken_at_the_end(summary: Summary) -> list[str]:
    """What must hold once the trade is done; before that it may still be on its way."""
    broken: list[str] = []
    if summary.orders_seen != summary.orders_placed:
        broken.append(
            f"law 3: {summary.orders_placed} orders were placed, {summary.orders_seen} seen"
        )
    if summary.orders_waiting:
        broken.append(f"law 3: {summary.orders_waiting} orders are neither posted nor held")
    accounted = summary.parcels_confirmed + summary.parcels_excepted + summary.parcels_left
    if accounted < summary.parcels_shipped:
        broken.append(
            f"law 3: {summary.parcels_shipped} parcels were shipped, {accounted} of them are "
            "confirmed, excepted or left"
        )
    settled = not summary.payouts_held
    if settled and summary.payouts_closed and summary.lines_total != summary.paid_out:
        broken.append(
            f"law 5: {summary.paid_out} was paid out, {summary.lines_total} is explained"
        )
    if summary.payouts_closed + summary.payouts_held < summary.payouts_paid:
        broken.append(
            f"law 5: {summary.payouts_paid} payouts were paid, {summary.payouts_closed} closed"
        )
    return broken


def summary_text(summary: Summary) -> str:
    """The summary for people."""

    def kinds(counted: dict[str, int]) -> str:
        return ", ".join(f"{kind} {number}" for kind, number in counted.items()) or "none"

    orders = (
        f"{summary.orders_placed} placed, {summary.orders_seen} seen, "
        f"{summary.orders_accepted} accepted, {summary.orders_posted} posted, "
        f"{summary.orders_held} held, {summary.orders_cancelled} cancelled, "
        f"{summary.orders_waiting} on their way"
    )
    parcels = (
        f"{summary.parcels_shipped} shipped, {summary.parcels_confirmed} confirmed, "
        f"{summary.parcels_excepted} excepted, {summary.parcels_left} left, "
        f"{summary.orders_confirmed_late} orders late"
    )
    stock = (
        f"{summary.units_sold} units sold, {summary.units_oversold} oversold, "
        f"{summary.publishes} publishes"
    )
    payouts = (
        f"{summary.payouts_paid} paid, {summary.payouts_closed} closed, "
        f"{summary.payouts_held} held, "
        f"Σ lines {summary.lines_total}, residue {summary.residue}, "
        f"{summary.journals} journals"
    )
    log = (
        f"{summary.events:,} events ({summary.events_per_second}/s), chain verified to "
        f"{summary.chain_verified_to:,}, {summary.replayed_rows:,} rows replayed"
    )
    lines = [
        ("trade", "done" if summary.finished else "cut short: the world was not finished"),
        ("time", f"{summary.world_hours} h of the world in {summary.seconds} s"),
        ("orders", orders),
        ("sales orders", f"at most {summary.sales_orders_per_order_max} per order"),
        ("parcels", parcels),
        ("stock", stock),
        ("exceptions", f"open: {kinds(summary.exceptions_open)}"),
        ("", f"cleared: {kinds(summary.exceptions_cleared)}"),
        ("payouts", payouts),
        ("log", log),
    ]
    if summary.replay_difference:
        lines.append(("", f"REPLAY DIFFERS: {summary.replay_difference}"))
    text = "\n".join(f"{name:<13} {said}" for name, said in lines)
    verdict = "every law holds"
    if summary.laws_broken:
        verdict = "BROKEN:\n" + "\n".join(f"  {each}" for each in summary.laws_broken)
    return f"{text}\n{'laws':<13} {verdict}"
