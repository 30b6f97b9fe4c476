"""Settlement, the rules of a payout: when it closes, and what keeps it open.

Promises: pure; amounts are added as they come, never re-signed by type; a payout closes only
when the bank amount is the sum of its lines and of amounts that have a name, and every line is
tied, or accepted by a person (law 5). What is off within its lines is named, and no bar.
Called by `actor.py`. Source: design 9; contract johnlewis e.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from kcjl.errors import Refused
from kcjl.money import Money
from kcjl.settlement.events import (
    PAYMENT,
    BillingCycleSeen,
    PayoutAccepted,
    PayoutClosed,
    PayoutHeld,
)
from kcjl.settlement.expectation import Known, find_gaps, gap_totals
from kcjl.settlement.gap_events import KindTotal, NamedAmount, PayoutReconciled
from kcjl.settlement.state import CLOSED_STATES, Cycle, CycleState, Line
from kcjl.vocabulary import Event

__all__ = ["Weighed", "carried_balance", "decide_acceptance", "decide_payout", "is_ripe"]

SETTLE_MARGIN = timedelta(minutes=5)
"""Lines count as read for a cycle when the read began so long after it."""
UNTIED_SHOWN_MAX = 20
"""So many untied lines are named in the event; `lines` and the residue speak for the rest."""


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """What a payout hangs on, but for its lines."""

    cycle: Cycle
    lines_read_at: datetime | None
    close_on: str
    carried: Money | None
    """What cycles below nothing have left to be taken off a later payout."""


def decide_payout(
    cycle: Cycle,
    lines: Sequence[Line],
    known: Known,
    *,
    lines_read_at: datetime | None,
    close_on: str,
    carried: Money | None,
    now: datetime,
) -> tuple[Event, ...]:
    """Close the payout, or say what keeps it open; () while its lines may still be coming.

    `carried`: what cycles below nothing have left to be taken off a later payout.
    """
    weighed = Weighed(
        cycle=cycle, lines_read_at=lines_read_at, close_on=close_on, carried=carried
    )
    counted = [line for line in lines if line.seen.kind != PAYMENT]
    standing = _standing(weighed, counted)
    if standing is None:
        return ()
    if not standing.reason:
        named = standing.named or ()
        own = [each for each in counted if each.seen.amount.currency == cycle.seen.currency]
        return _closing(cycle, own, standing.total, named, known, len(standing.untied), now)
    held = cycle.held
    if held is not None and (held.reason, held.lines_total) == (
        standing.reason,
        standing.total,
    ):
        return ()
    return (
        PayoutHeld(
            cycle_id=cycle.cycle_id,
            stated=cycle.seen.amount_to_seller,
            lines_total=standing.total,
            residue=cycle.seen.amount_to_seller - standing.total,
            lines=len(counted),
            untied=tuple(standing.untied[:UNTIED_SHOWN_MAX]),
            reason=standing.reason,
            occurred_at=now,
        ),
    )


def is_ripe(weighed: Weighed, lines: Sequence[Line]) -> bool:
    """Whether it closes, once it is known what its orders should have brought."""
    standing = _standing(weighed, [line for line in lines if line.seen.kind != PAYMENT])
    return standing is not None and not standing.reason


class _Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How far a payout is: of its lines that count."""

    total: Money
    named: tuple[NamedAmount, ...] | None
    untied: Sequence[str]
    reason: str
    """What keeps it open; empty: nothing."""


def _standing(weighed: Weighed, counted: Sequence[Line]) -> _Standing | None:
    """None: there is nothing to say yet, its lines or its payment may still come."""
    cycle, read_at = weighed.cycle, weighed.lines_read_at
    if cycle.state not in (CycleState.WAITING, CycleState.HELD):
        return None
    if read_at is None or read_at < cycle.created_at + SETTLE_MARGIN:
        return None
    stated, currency = cycle.seen.amount_to_seller, cycle.seen.currency
    own = [line.seen.amount for line in counted if line.seen.amount.currency == currency]
    total = sum(own, Money(0, currency))
    residue = stated - total
    untied = sorted(line.seen.line_id for line in counted if line.wants_tie)
    named = _named(cycle, residue, len(untied), weighed.carried)
    accepted = _is_accepted(cycle, residue, len(untied))
    reason = _keeps_open(
        cycle.seen,
        residue if named is None else Money(0, currency),
        0 if accepted else len(untied),
        foreign=len(counted) - len(own),
    )
    # Below nothing nothing is paid: such a cycle is closed when it comes (contract e.4).
    waits = weighed.close_on == "paid" and stated.amount_minor > 0
    if not reason and waits and cycle.seen.payout_state != "PAID":
        return None
    return _Standing(total=total, named=named, untied=untied, reason=reason)


def _closing(
    cycle: Cycle,
    lines: Sequence[Line],
    total: Money,
    named: tuple[NamedAmount, ...],
    known: Known,
    excepted: int,
    now: datetime,
) -> tuple[Event, ...]:
    """The gaps first, and the closing last: what is cut off in between is said again."""
    gaps = find_gaps(cycle.cycle_id, lines, known, now)
    reconciled = PayoutReconciled(
        cycle_id=cycle.cycle_id,
        lines_total=total,
        named=named,
        gaps=gap_totals(gaps),
        orders=len({line.seen.order_id for line in lines if line.seen.order_id is not None}),
        terms_version=known.terms.version if known.terms is not None else 0,
        by_kind=_kind_totals(lines),
        occurred_at=now,
    )
    closed = PayoutClosed(
        cycle_id=cycle.cycle_id,
        stated=reconciled.transferred,
        lines_total=total,
        residue=reconciled.residue,
        lines=len(lines),
        excepted=excepted,
        occurred_at=now,
    )
    return (*gaps, reconciled, closed)


def _kind_totals(lines: Sequence[Line]) -> tuple[KindTotal, ...]:
    by_kind: defaultdict[str, list[Money]] = defaultdict(list)
    for line in lines:
        by_kind[line.seen.kind].append(line.seen.amount)
    return tuple(
        KindTotal(kind=kind, lines=len(each), amount=sum(each[1:], each[0]))
        for kind, each in sorted(by_kind.items())
    )


def _named(
    cycle: Cycle, residue: Money, untied: int, carried: Money | None
) -> tuple[NamedAmount, ...] | None:
    """The names of the residue; None where it has none."""
    if not residue:
        return ()
    if carried is not None and residue == carried:
        said = "taken off for cycles below nothing"
        return (NamedAmount(kind="balance_carried", amount=residue, said=said),)
    if cycle.accepted is not None and _is_accepted(cycle, residue, untied):
        said = cycle.accepted.reason
        return (NamedAmount(kind="accepted_by_person", amount=residue, said=said),)
    return None


def _is_accepted(cycle: Cycle, residue: Money, untied: int) -> bool:
    """A person's word is for what they saw: with other figures it has to be said again."""
    word = cycle.accepted
    return word is not None and (word.residue, word.untied) == (residue, untied)


def _keeps_open(seen: BillingCycleSeen, residue: Money, untied: int, *, foreign: int) -> str:
    if seen.payout_state == "FAILED":
        return f"the payout failed: {seen.failure_reason or 'no reason given'}"
    if foreign:
        return f"{foreign} lines are not in {seen.currency}, the currency of the payout"
    if residue:
        return f"the stated amount and the lines differ by {residue}"
    if untied:
        return f"{untied} lines belong to orders without a sales order"
    return ""


def carried_balance(cycles: Iterable[Cycle], currency: str) -> Money | None:
    """What closed cycles below nothing left behind, less what was taken off since."""
    left = Money(0, currency)
    for cycle in cycles:
        if cycle.state not in CLOSED_STATES or cycle.seen.currency != currency:
            continue
        if cycle.seen.amount_to_seller.amount_minor < 0:
            left += cycle.seen.amount_to_seller
        for each in cycle.reconciled.named if cycle.reconciled is not None else ():
            if each.kind == "balance_carried":
                left -= each.amount
    return left or None


def decide_acceptance(
    cycle: Cycle | None, cycle_id: str, lines: Sequence[Line], reason: str, now: datetime
) -> tuple[Event, ...]:
    """A person accepts what holds a payout. Raises Refused where nothing does that they can."""
    if cycle is None or cycle.held is None or cycle.state != CycleState.HELD:
        stands = "unknown" if cycle is None else cycle.state.value
        raise Refused(
            f"accepting payout {cycle_id}: it is {stands}, and not held; "
            "`kcjl payouts list` names those that are"
        )
    counted = [line for line in lines if line.seen.kind != PAYMENT]
    foreign = any(line.seen.amount.currency != cycle.seen.currency for line in counted)
    if cycle.seen.payout_state == "FAILED" or foreign:
        raise Refused(
            f"accepting payout {cycle_id}: {cycle.held.reason}; that has to be mended with the "
            "marketplace"
        )
    accepted = PayoutAccepted(
        cycle_id=cycle_id,
        residue=cycle.held.residue,
        untied=sum(line.wants_tie for line in counted),
        reason=reason,
        occurred_at=now,
    )
    before = cycle.accepted
    if before is not None and (before.residue, before.untied) == (
        accepted.residue,
        accepted.untied,
    ):
        return ()
    return (accepted,)
