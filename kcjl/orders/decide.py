"""Orders, the rules: what is to be done next with an order.

Promises: pure; one sales order per marketplace order, because nothing is posted while an
outcome is open, and an open outcome is only ended by a look-up (law 2). It does no I/O.
Invariant: an order is final, waiting or held (law 3); `standing` names which.
Called by `actor.py` and `projection.py`. Source: design 7; contract johnlewis c, khaos b.3.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from kcjl.orders.events import (
    AcceptanceConfirmed,
    CancelledAfterPosting,
    LineOrdered,
    OrderChanged,
    OrderHeld,
    OrderPassedOver,
    OrderReceived,
    OrderReleased,
    SkuSuggestion,
)
from kcjl.orders.state import (
    Acceptance,
    Catalogued,
    OrderEntry,
    Posting,
    Standing,
    lines_to_post,
)
from kcjl.orders.vanished import decide_forgone
from kcjl.stock.events import stock_key
from kcjl.tenant.events import TenantRead
from kcjl.vocabulary import Event

__all__ = [
    "AMOUNTS_DIFFER",
    "BY_PERSON",
    "ENDED_UNSOLD",
    "NOT_AVAILABLE",
    "POLICY",
    "WAITING_STANDINGS",
    "all_sellable",
    "deadline_of",
    "decide_hold",
    "decide_seen",
    "has_ended",
    "hold_of",
    "left_to_the_marketplace",
    "live_lines",
    "may_be_held",
    "standing",
    "too_late",
    "why_held",
]

AUTOMATIC_WAIT = timedelta(hours=1)
"""How long an order may wait where the marketplace accepts by itself."""

WAITING_STANDINGS = ("received", "accepted", "ready", "posting", "posted")
"""Standings in which somebody or something is waited for."""

BY_PERSON = "by_person"
POLICY = "policy"
NOT_AVAILABLE = "not_available"
AMOUNTS_DIFFER = "amounts_differ"
"""Reasons why an order is held, beside what is wrong with its codes."""

ENDED_UNSOLD = frozenset({"REFUSED", "CANCELED"})
LIFE = (
    frozenset({"STAGING"}),
    frozenset({"WAITING_ACCEPTANCE"}),
    frozenset({"WAITING_DEBIT", "WAITING_DEBIT_PAYMENT"}),
    frozenset({"SHIPPING"}),
    frozenset({"SHIPPED", "TO_COLLECT"}),
    frozenset({"RECEIVED"}),
    frozenset({"CLOSED"}) | ENDED_UNSOLD,
)
"""How an order goes on (contract johnlewis a); states side by side may follow each other."""
SHIPPED_OR_LATER = frozenset({"SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED"})
DEAD_LINE = frozenset({"REFUSED", "CANCELED"})


# ── decide ──────────────────────────────────────────────────────────────────────────────────


def decide_seen(
    entry: OrderEntry | None,
    *,
    received: OrderReceived,
    changed: OrderChanged,
    start_at: datetime | None,
) -> tuple[Event, ...]:
    """An order came in a read: it is new, changed, or nothing new."""
    if entry is None:
        first: tuple[Event, ...] = (received,)
        if reason := _passed_over(received, start_at):
            first += (
                OrderPassedOver(
                    order_id=received.order_id,
                    reason=reason,
                    skus=tuple(line.sku for line in received.lines),
                    occurred_at=changed.occurred_at,
                ),
            )
        if any(line.state != received.state or line.refunded for line in changed.lines):
            first += (changed,)
        return first
    known = (entry.state, entry.total_price, entry.lines_now, entry.ship_by)
    ship_by = changed.ship_by or entry.ship_by  # a page without one takes none away
    if (changed.state, changed.total_price, changed.lines, ship_by) == known:
        return ()
    if _is_older(entry, changed):
        return ()  # an older page of the same order: what we know is newer
    events: tuple[Event, ...] = (changed,)
    if _settles_acceptance(entry, changed):
        events += (
            AcceptanceConfirmed(order_id=entry.order_id, occurred_at=changed.occurred_at),
        )
    ends = changed.state in ENDED_UNSOLD and entry.state not in ENDED_UNSOLD
    if ends and entry.posting == Posting.POSTED:
        events += (too_late(entry, entry.erp_order_code, changed.occurred_at),)
    events += decide_forgone(entry, changed)
    if entry.held and changed.state in ENDED_UNSOLD:
        events += (OrderReleased(order_id=entry.order_id, occurred_at=changed.occurred_at),)
    return events


def _is_older(entry: OrderEntry, changed: OrderChanged) -> bool:
    """By its stamp; but an order that has gone on is newer, whatever the marketplace's clock
    says: it may have been set back. At the same stamp nothing goes backwards.
    """
    before, after = _progress(entry.state), _progress(changed.state)
    if before is None or after is None or before == after:
        return changed.occurred_at < entry.updated_at
    if after > before:
        return False
    return changed.occurred_at <= entry.updated_at


def _progress(state: str) -> int | None:
    return next((at for at, states in enumerate(LIFE) if state in states), None)


def _settles_acceptance(entry: OrderEntry, changed: OrderChanged) -> bool:
    """The order has moved on: by our acceptance, or by a person's after ours was refused."""
    if changed.state == "WAITING_ACCEPTANCE":
        return False
    if entry.acceptance == Acceptance.REFUSED:
        return changed.state not in ENDED_UNSOLD
    return entry.acceptance == Acceptance.OPEN


def _passed_over(received: OrderReceived, start_at: datetime | None) -> str:
    if not received.fulfilled_by_us:
        return "another fulfilment centre ships it"
    if received.state in SHIPPED_OR_LATER:
        return "it had already been shipped when we first saw it"
    if start_at is not None and received.occurred_at < start_at:
        return "it is older than the start date"
    return ""


def live_lines(entry: OrderEntry) -> tuple[LineOrdered, ...]:
    """The lines that are still to be supplied."""
    dead = {line.line_id for line in entry.lines_now if line.state in DEAD_LINE}
    return tuple(line for line in lines_to_post(entry) if line.line_id not in dead)


def has_ended(entry: OrderEntry) -> bool:
    if entry.passed_over or entry.state in ENDED_UNSOLD:
        return True
    return bool(entry.withdrawn) and not live_lines(entry)  # all of it, before it was posted


def may_be_held(entry: OrderEntry) -> bool:
    """It is still to be accepted or posted, and no posting is under way."""
    return (
        not has_ended(entry)
        and entry.posting in (Posting.NONE, Posting.REFUSED)
        and entry.state in ("WAITING_ACCEPTANCE", "SHIPPING")
    )


def decide_hold(
    entry: OrderEntry,
    known: dict[str, Catalogued | None],
    now: datetime,
    *,
    otherwise: Callable[[], OrderHeld | None] = lambda: None,
) -> tuple[Event, ...]:
    """Hold an order whose SKUs are not all confirmed stock codes; release it when they are.

    `known`: by stock key of each line. A SKU that has not been asked about yet holds nothing:
    the order waits for the answer. `otherwise`: what else holds it, asked when all are known.
    What a person holds, no rule holds otherwise or releases.
    """
    if not may_be_held(entry) or (entry.held and entry.held.reason == BY_PERSON):
        return ()
    lines = live_lines(entry)
    unknown: dict[str, SkuSuggestion] = {}
    discontinued: list[str] = []
    for line in lines:
        found = known.get(stock_key(line.sku))
        if found is None:
            return ()
        if not found.stock_code:
            unknown[line.sku] = SkuSuggestion(sku=line.sku, nearest=found.nearest)
        elif found.discontinued:
            discontinued.append(line.sku)
    if unknown or discontinued:
        reason, message = _hold_reason(tuple(unknown.values()), discontinued)
        return _held(entry, hold_of(entry, reason, message, now, skus=tuple(unknown.values())))
    wanted = otherwise()
    if wanted is not None:
        return _held(entry, wanted)
    if entry.held is None:
        return ()
    return (OrderReleased(order_id=entry.order_id, occurred_at=now),)


def _held(entry: OrderEntry, wanted: OrderHeld) -> tuple[Event, ...]:
    """Held again for the same is nothing new, whatever the figures are by now."""
    was = entry.held
    if was is None:
        return (wanted,)
    if wanted.reason in (POLICY, NOT_AVAILABLE):
        same = (was.reason, was.rule, was.skus) == (wanted.reason, wanted.rule, wanted.skus)
        return () if same else (wanted,)
    return () if was.message == wanted.message else (wanted,)


def hold_of(
    entry: OrderEntry,
    reason: str,
    message: str,
    now: datetime,
    *,
    skus: tuple[SkuSuggestion, ...] = (),
    rule: str = "",
    policy_version: int = 0,
) -> OrderHeld:
    """What is said when an order is held."""
    return OrderHeld(
        order_id=entry.order_id,
        reason=reason,
        message=message,
        skus=skus,
        money=entry.total_price,
        accept_by=entry.accept_by if entry.state == "WAITING_ACCEPTANCE" else None,
        rule=rule,
        policy_version=policy_version,
        ship_by=entry.ship_by,
        occurred_at=now,
    )


def _hold_reason(
    unknown: tuple[SkuSuggestion, ...], discontinued: list[str]
) -> tuple[str, str]:
    if unknown:
        said = "; ".join(
            f"{each.sku!r} (nearest: {', '.join(each.nearest) or 'none'})" for each in unknown
        )
        return "unknown_sku", f"the ERP does not know {said}"
    return "discontinued", "discontinued in the ERP: " + ", ".join(sorted(set(discontinued)))


def left_to_the_marketplace(
    entry: OrderEntry, tenant: TenantRead | None, now: datetime
) -> bool:
    """The tenant accepts by itself: an OR21 of ours would only be refused. An order that it
    leaves waiting all the same is accepted by us after a while.
    """
    automatic = tenant is not None and tenant.acceptance_is_automatic
    return automatic and now < entry.created_at + AUTOMATIC_WAIT


def all_sellable(entry: OrderEntry, known: dict[str, Catalogued | None]) -> bool:
    entries = [known.get(stock_key(line.sku)) for line in live_lines(entry)]
    return bool(entries) and all(
        found and found.stock_code and not found.discontinued for found in entries
    )


def deadline_of(entry: OrderEntry) -> datetime:
    """By when the next step is due: the acceptance, then the shipping; the far end for none."""
    waits = entry.state == "WAITING_ACCEPTANCE"
    due = entry.accept_by if waits and entry.accept_by else entry.ship_by
    return due or datetime.max.replace(tzinfo=UTC)


def too_late(entry: OrderEntry, erp_order_code: str, at: datetime) -> CancelledAfterPosting:
    return CancelledAfterPosting(
        order_id=entry.order_id,
        reference=entry.reference,
        erp_order_code=erp_order_code,
        money=entry.total_price,
        occurred_at=at,
    )


_POSTED_STANDINGS = {
    "RECEIVED": Standing.CLOSED,
    "CLOSED": Standing.CLOSED,
    "SHIPPED": Standing.SHIPPED,
    "TO_COLLECT": Standing.SHIPPED,
}


def standing(entry: OrderEntry) -> Standing:
    """Where the order is, in one word (law 3)."""
    if entry.passed_over:
        return Standing.PASSED_OVER
    if entry.state in ENDED_UNSOLD or (entry.posting == Posting.NONE and has_ended(entry)):
        return Standing.CANCELLED
    if entry.posting == Posting.FORGONE:
        return Standing.CLOSED
    if entry.posting == Posting.POSTED:
        return _POSTED_STANDINGS.get(entry.state, Standing.POSTED)
    if entry.posting == Posting.VANISHED:
        return Standing.HELD
    if entry.held is not None or entry.posting == Posting.REFUSED:
        return Standing.HELD
    if entry.acceptance == Acceptance.REFUSED and entry.state == "WAITING_ACCEPTANCE":
        return Standing.HELD
    if entry.posting in (Posting.OPEN, Posting.QUEUED):
        return Standing.POSTING
    if entry.state == "SHIPPING":
        return Standing.READY
    if entry.acceptance == Acceptance.CONFIRMED or entry.state.startswith("WAITING_DEBIT"):
        return Standing.ACCEPTED
    return Standing.RECEIVED


def why_held(entry: OrderEntry) -> str:
    """What keeps an order that is held; empty: it is not."""
    if standing(entry) != Standing.HELD:
        return ""
    if entry.posting == Posting.VANISHED:
        return f"Khaos Control had {entry.erp_order_code} and shows it no more"
    return entry.held.message if entry.held is not None else entry.refused_because
