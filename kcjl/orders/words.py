"""What people say of an order, the rules: hold, release, retry, accept, refuse.

Promises: pure; what is already so is nothing new, so a command that is carried out twice says
one thing; what can't be done raises Refused, with the present state and the next step.
It does not: send anything; the jobs of the room carry a decision out.
Called by `accepting.py`. Source: design 7; contract johnlewis d (OR21: every line, one call).
"""

from collections.abc import Sequence
from datetime import datetime

from kcjl.errors import Misuse, Refused
from kcjl.orders.acceptance_events import (
    AcceptanceDecided,
    AcceptanceRetried,
    OrderLetThrough,
    PostingRetried,
)
from kcjl.orders.acceptance_state import Words
from kcjl.orders.decide import (
    AMOUNTS_DIFFER,
    BY_PERSON,
    ENDED_UNSOLD,
    hold_of,
    live_lines,
    may_be_held,
    standing,
)
from kcjl.orders.events import OrderReleased
from kcjl.orders.state import Acceptance, OrderEntry, Posting
from kcjl.vocabulary import Event

__all__ = [
    "decide_let_through",
    "decide_person_hold",
    "decide_retry",
    "decide_word",
]

WAITING = "WAITING_ACCEPTANCE"
CODES = ("unknown_sku", "discontinued")


def decide_person_hold(entry: OrderEntry, *, reason: str, now: datetime) -> tuple[Event, ...]:
    """A person holds an order: it is neither accepted nor posted until a person releases it."""
    _wants_reason(reason)
    if entry.held is not None and (entry.held.reason, entry.held.message) == (
        BY_PERSON,
        reason,
    ):
        return ()
    if not may_be_held(entry):
        raise Refused(f"order {entry.order_id} can't be held: {_too_late(entry)}")
    if entry.acceptance == Acceptance.OPEN and entry.state == WAITING:
        raise Refused(
            f"order {entry.order_id} can't be held now: our answer to the marketplace is on "
            f"its way. Hold it in a minute; see kcjl orders show {entry.order_id}"
        )
    return (hold_of(entry, BY_PERSON, reason, now),)


def decide_let_through(entry: OrderEntry, *, reason: str, now: datetime) -> tuple[Event, ...]:
    """A person releases a held order: their own hold ends, a hold of the policy is overruled.

    What only the ERP can mend is refused, with what to do.
    """
    held = entry.held
    if held is None:
        if not may_be_held(entry):
            raise Refused(f"order {entry.order_id} is not held: {_too_late(entry)}")
        return ()
    if held.reason in CODES:
        raise Refused(
            f"order {entry.order_id} can't be released: {held.message}, and without a stock "
            "code nothing can be posted. Make the code known in Khaos Control or name another "
            "one (kcjl stock alias SKU CODE): it then goes on by itself; or refuse it "
            f"(kcjl orders refuse {entry.order_id})"
        )
    if held.reason == AMOUNTS_DIFFER:
        raise Refused(
            f"order {entry.order_id} can't be released: {held.message}, so no sales order "
            "could be right. Ask the operator to put the order right: it then goes on by "
            "itself; or ship it by hand, and enter it in Khaos Control by hand"
        )
    released = OrderReleased(order_id=entry.order_id, occurred_at=now)
    if held.reason == BY_PERSON:
        return (released,)
    through = OrderLetThrough(
        order_id=entry.order_id,
        reason=reason,
        rule=held.rule,
        policy_version=held.policy_version,
        occurred_at=now,
    )
    return (through, released)


def decide_retry(entry: OrderEntry, *, reason: str, now: datetime) -> tuple[Event, ...]:
    """A person starts again what was refused: a posting, or an acceptance."""
    order_id = entry.order_id
    if entry.state == WAITING and entry.acceptance == Acceptance.REFUSED:
        return (AcceptanceRetried(order_id=order_id, reason=reason, occurred_at=now),)
    ended = entry.state in ENDED_UNSOLD or bool(entry.passed_over)
    if entry.posting == Posting.REFUSED and not ended:
        return (
            PostingRetried(
                order_id=order_id, reference=entry.reference, reason=reason, occurred_at=now
            ),
        )
    if entry.posting == Posting.VANISHED:
        raise Refused(
            f"order {order_id} can't be retried: the ERP has lost its sales order. Look for "
            f"{entry.reference} there, then kcjl orders post-again {order_id}"
        )
    under_way = entry.posting in (Posting.OPEN, Posting.QUEUED)
    sent_again = entry.posting == Posting.NONE and entry.posting_tried_at is not None
    if under_way or (sent_again and not ended):
        return ()  # it was said already: it is looked up, and then sent
    raise Refused(
        f"nothing of order {order_id} was refused, so nothing is to be retried: it is "
        f"{standing(entry).value} (marketplace {entry.state}, posting {entry.posting.value}); "
        f"see kcjl orders show {order_id}"
    )


def decide_word(
    entry: OrderEntry,
    words: Words | None,
    *,
    lines: Sequence[str],
    refuse: bool,
    reason: str,
    now: datetime,
) -> tuple[Event, ...]:
    """A person accepts or refuses an order, or lines of it; the other lines go the other way.

    Without lines it is the whole order. The marketplace wants all lines decided in one answer.
    """
    order_id = entry.order_id
    live = [line.line_id for line in live_lines(entry)]
    named = tuple(dict.fromkeys(lines)) or tuple(live)
    unknown = [line for line in named if line not in {each.line_id for each in entry.lines}]
    if unknown:
        raise Misuse(
            f"order {order_id} has no line {unknown[0]}; it has "
            + (", ".join(live) or "none left")
        )
    if refuse:
        _wants_reason(reason)
    others = tuple(line for line in live if line not in named)
    accepted, refused = (others, named) if refuse else (named, others)
    before = words.decided if words else None
    retried = AcceptanceRetried(order_id=order_id, reason=reason, occurred_at=now)
    was_refused = entry.state == WAITING and entry.acceptance == Acceptance.REFUSED
    if before is not None and (before.accepted, before.refused) == (accepted, refused):
        return (retried,) if was_refused else ()
    if not _can_be_decided(entry):
        raise Refused(_why_not_decided(entry, refuse=refuse))
    decided = AcceptanceDecided(
        order_id=order_id,
        accepted=accepted,
        refused=refused,
        reason=reason,
        occurred_at=now,
    )
    again = (retried,) if was_refused else ()
    held = entry.held is not None and entry.held.reason not in CODES
    released = (OrderReleased(order_id=order_id, occurred_at=now),) if held else ()
    return (decided, *again, *released)


def _can_be_decided(entry: OrderEntry) -> bool:
    return (
        entry.state == WAITING
        and not entry.passed_over
        and entry.acceptance in (Acceptance.NONE, Acceptance.REFUSED)
    )


def _why_not_decided(entry: OrderEntry, *, refuse: bool) -> str:
    what = "refused" if refuse else "accepted"
    order_id = entry.order_id
    if entry.state == WAITING and entry.acceptance == Acceptance.OPEN:
        return (
            f"order {order_id} can't be {what} now: our answer to the marketplace is on its "
            f"way and is looked up first. Look in a minute: kcjl orders show {order_id}"
        )
    if entry.state == WAITING and entry.acceptance == Acceptance.CONFIRMED:
        return (
            f"order {order_id} can't be {what}: the marketplace has taken our answer, and "
            "takes one only. What was accepted and can't be supplied has to be refunded"
        )
    if entry.passed_over:
        return f"order {order_id} can't be {what}: it was passed over ({entry.passed_over})"
    next_step = (
        "; what was accepted and can't be supplied has to be refunded"
        if refuse and entry.state not in ENDED_UNSOLD
        else ""
    )
    return (
        f"order {order_id} can't be {what}: the marketplace shows it as {entry.state}, and "
        f"only a WAITING_ACCEPTANCE order is answered{next_step}"
    )


def _wants_reason(reason: str) -> None:
    if not reason.strip():
        raise Misuse("a reason is needed: it stands in the log, for whoever asks later")


def _too_late(entry: OrderEntry) -> str:
    where = standing(entry).value
    if entry.passed_over:
        return f"it was passed over ({entry.passed_over}), and is never posted"
    if entry.posting in (Posting.OPEN, Posting.QUEUED):
        return (
            f"its sales order {entry.reference} is on its way to the ERP. When it is there, "
            "stop it in Khaos Control"
        )
    if entry.posting in (Posting.POSTED, Posting.VANISHED, Posting.FORGONE):
        return f"it is {where}: the ERP has had {entry.erp_order_code}. Stop it there"
    return f"it is {where} (marketplace {entry.state}); nothing of it waits for us"
