"""Orders, the rules of corrections: what the ERP has that is not wanted, and what it lacks.

Promises: pure; a correction names the sales order, the line, the units and the money, and what
a person has to do; the same figures are asked for once. It is done when the ERP shows it, when
a person says so, or when nothing is to be corrected any more. It does no I/O.
Invariant: wanted of a posted line = ordered - refused - cancelled - refunded as not to ship;
nothing of a line that was refunded whole before its goods went. Of a sales order that the ERP
shows as cancelled, and of which no goods went, nothing is to be corrected.
Called by `after_intake.py` (the shell). Source: contract khaos b.4, b.9.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from kcjl.orders.changes_state import DEAD, AfterIntake, Task
from kcjl.orders.events import LineOrdered, PostedLine
from kcjl.orders.events_changes import (
    REDUCE,
    REFUND,
    RETURN,
    CorrectionDone,
    CorrectionDue,
    LineRefunded,
    ReturnOpened,
)
from kcjl.orders.state import OrderEntry, Posting
from kcjl.vocabulary import Event

__all__ = [
    "ErpShows",
    "decide_corrections",
    "decide_shown",
    "decide_word",
    "returns_to_hand_over",
    "why_no_task",
]

ENDED = frozenset({"REFUSED", "CANCELED"})


class ErpShows(msgspec.Struct, frozen=True, kw_only=True):
    """A sales order as the ERP shows it now."""

    cancelled: bool
    units: Mapping[str, Decimal] | None
    """By stock code in folded case; None: this ERP does not tell an order's lines."""
    units_sold: Decimal | None
    """Of the whole order, where the ERP tells it."""


def decide_corrections(
    entry: OrderEntry, after: AfterIntake, now: datetime
) -> tuple[Event, ...]:
    """What is newly due, and what is due no more."""
    known = {task.due.task: task for task in after.tasks}
    due = {each.task: each for each in _due(entry, after, now)}
    events: list[Event] = []
    for task, each in due.items():
        before = known.get(task)
        if before is None or _figures(before.due) != _figures(each):
            events.append(each)
    for task, before in known.items():
        if not before.done and task not in due:
            moot = _done(before, "nothing is to be corrected any more", now)
            events.append(msgspec.structs.replace(moot, moot=True))
    return tuple(events)


def decide_shown(
    entry: OrderEntry, after: AfterIntake, shows: ErpShows, now: datetime
) -> tuple[Event, ...]:
    """Which corrections the ERP shows as done: units only, since it shows no credit notes."""
    open_ones = [task for task in after.tasks if not task.done and task.due.kind == REDUCE]
    if shows.cancelled:
        seen = "the ERP shows the sales order as cancelled"
        return tuple(_done(task, seen, now) for task in open_ones)
    wanted = Counter[str]()
    for line in entry.intended:
        wanted[line.stock_code.casefold()] += wanted_units(entry, after, line)
    events = []
    for task in open_ones:
        code = task.due.stock_code.casefold()
        if shows.units is not None:
            there: Decimal | None = shows.units.get(code, Decimal(0))
            most = wanted[code]
        else:
            there, most = shows.units_sold, wanted.total()
        if there is not None and there <= most:
            events.append(_done(task, f"the ERP shows {there.normalize():f} units", now))
    return tuple(events)


def returns_to_hand_over(after: AfterIntake) -> tuple[tuple[Task, ReturnOpened], ...]:
    """Returns that are to be booked, and that the ERP has not been given yet."""
    of_task = {f"{each.return_id}/return": each for each in after.returns}
    return tuple(
        (task, of_task[task.due.task])
        for task in after.tasks
        if task.due.kind == RETURN and not (task.done or task.handed_over)
    )


def why_no_task(after: AfterIntake | None, order_id: str, task: str) -> str:
    """Why there is nothing to say of this task; empty when there is."""
    names = [each.due.task for each in after.tasks if not each.done] if after else []
    if task in names:
        return ""
    told = f"open there: {', '.join(names)}" if names else "nothing is open there"
    return f"order {order_id} has no open correction {task}; {told}"


def decide_word(after: AfterIntake, task: str, note: str, now: datetime) -> tuple[Event, ...]:
    """A person says that it is done."""
    return tuple(
        _done(each, note, now)
        for each in after.tasks
        if each.due.task == task and not each.done
    )


def wanted_units(entry: OrderEntry, after: AfterIntake, line: PostedLine) -> int:
    """How many units of a posted line the sales order should have."""
    standing = next((each for each in entry.lines_now if each.line_id == line.line_id), None)
    if standing is not None and standing.state in DEAD:
        return 0
    if _refunded_before_going(entry, after, line.line_id):
        return 0
    ordered = _ordered(entry, line.line_id)
    cancelled = sum(
        each.units or 0
        for each in after.cancelled
        if each.line_id == line.line_id and each.cancelation_id
    )
    stays = _staying(entry, after, line.line_id)
    return max((ordered.quantity if ordered else line.quantity) - cancelled - stays, 0)


# ── what is due ─────────────────────────────────────────────────────────────────────────────


def _due(entry: OrderEntry, after: AfterIntake, now: datetime) -> Iterator[CorrectionDue]:
    if entry.posting != Posting.POSTED or _nothing_is_left(entry):
        return
    if entry.state not in ENDED:  # an order that ended whole is an exception of its own
        for line in entry.intended:
            wanted = wanted_units(entry, after, line)
            if wanted < line.quantity:
                yield _reduce(entry, after, line, wanted, now)
    posted = {line.line_id: line for line in entry.intended}
    for refund in after.refunds:
        line_posted = posted.get(refund.line_id)
        stays = refund.refund_id in after.stays and _staying(entry, after, refund.line_id)
        if stays:
            continue  # its units come off the sales order instead
        if line_posted and not _refunded_before_going(entry, after, refund.line_id):
            yield _refund(entry, line_posted, refund, now)
    for each in after.returns:
        back = each.return_id in after.received
        if back and any(line.line_id in posted for line in each.lines):
            yield _return(entry, posted, each, now)


def _nothing_is_left(entry: OrderEntry) -> bool:
    """The ERP has cancelled it, so it neither sells nor owes anything under this order."""
    return entry.cancelled_in_erp and not entry.left_warehouse


def _refunded_before_going(entry: OrderEntry, after: AfterIntake, line_id: str) -> bool:
    whole = any(e.line_id == line_id and e.whole for e in after.refunds)
    return whole and not _is_gone(entry)


def _is_gone(entry: OrderEntry) -> bool:
    return entry.left_warehouse or entry.state != "SHIPPING"


def _staying(entry: OrderEntry, after: AfterIntake, line_id: str) -> int:
    """Units refunded as not to ship, while the goods are here, or if they were taken off."""
    taken_off = any(t.done and t.due.task == _units_task(line_id) for t in after.tasks)
    if _is_gone(entry) and not taken_off:
        return 0
    return sum(each.units for each in after.stays.values() if each.line_id == line_id)


def _units_task(line_id: str) -> str:
    return f"{line_id}/units"


def _reduce(
    entry: OrderEntry, after: AfterIntake, line: PostedLine, wanted: int, now: datetime
) -> CorrectionDue:
    less = line.quantity - wanted
    money = line.unit_gross.times(less)
    stays = _staying(entry, after, line.line_id)
    refunded = stays or _refunded_before_going(entry, after, line.line_id)
    steps = (
        f"in Khaos Control open sales order {entry.erp_order_code} ({entry.reference}), line "
        f"{line.stock_code}: set it from {line.quantity} to {wanted} units, {money} less"
    )
    if wanted == 0 or stays:
        steps += ", before it is packed"
    if refunded:
        steps += "; the marketplace has refunded the customer, so take the pre-payment back too"
    return CorrectionDue(
        order_id=entry.order_id,
        task=_units_task(line.line_id),
        kind=REDUCE,
        reference=entry.reference,
        erp_order_code=entry.erp_order_code,
        line_id=line.line_id,
        stock_code=line.stock_code,
        units_posted=line.quantity,
        units_wanted=wanted,
        money=money,
        steps=steps,
        occurred_at=now,
    )


def _refund(
    entry: OrderEntry, line: PostedLine, refund: LineRefunded, now: datetime
) -> CorrectionDue:
    money = refund.amount + refund.shipping_amount
    units = f" for {refund.units} units" if refund.units else ""
    return CorrectionDue(
        order_id=entry.order_id,
        task=f"{refund.refund_id}/refund",
        kind=REFUND,
        reference=entry.reference,
        erp_order_code=entry.erp_order_code,
        line_id=line.line_id,
        stock_code=line.stock_code,
        units_posted=line.quantity,
        units_wanted=line.quantity,
        money=money,
        steps=f"in Khaos Control make a credit note from sales order {entry.erp_order_code} "
        f"({entry.reference}), line {line.stock_code}{units}: goods {refund.amount}, delivery "
        f"{refund.shipping_amount}, {money} in all, against the clearing account; refund "
        f"{refund.refund_id}, reason {refund.reason_code or 'not given'}",
        occurred_at=now,
    )


def _return(
    entry: OrderEntry, posted: Mapping[str, PostedLine], back: ReturnOpened, now: datetime
) -> CorrectionDue:
    lines = [line for line in back.lines if line.line_id in posted]
    told = "; ".join(
        f"{line.quantity} of {posted[line.line_id].stock_code} (reason {line.reason_code})"
        for line in lines
    )
    return CorrectionDue(
        order_id=entry.order_id,
        task=f"{back.return_id}/return",
        kind=RETURN,
        reference=entry.reference,
        erp_order_code=entry.erp_order_code,
        line_id=lines[0].line_id,
        stock_code=posted[lines[0].line_id].stock_code,
        units_posted=sum(line.quantity for line in lines),
        units_wanted=0,
        money=back.money,
        steps=f"in Khaos Control make a return from sales order {entry.erp_order_code} "
        f"({entry.reference}): {told}; RMA {back.rma or 'none'}. The return reason decides "
        "what happens to the stock; money goes back by a refund, not by this",
        occurred_at=now,
    )


def _ordered(entry: OrderEntry, line_id: str) -> LineOrdered | None:
    return next((line for line in entry.lines if line.line_id == line_id), None)


def _figures(due: CorrectionDue) -> Sequence[object]:
    return (due.erp_order_code, due.units_posted, due.units_wanted, due.money)


def _done(task: Task, seen: str, now: datetime) -> CorrectionDone:
    return CorrectionDone(
        order_id=task.due.order_id,
        task=task.due.task,
        kind=task.due.kind,
        seen=seen,
        occurred_at=now,
    )
