"""The policies of stock: what is proposed, what is approved, and which one is in force.

Promises: pure; a fold of `BufferSet`, `StockPolicyProposed` and `StockPolicyApproved`. The
policy in force is the approved one that has begun last; of two that begin together, the later
version. A former policy that can never be in force again is forgotten: the log keeps it.
Invariant: versions rise by one with each proposal or buffer. Called by the stock actor.
"""

from datetime import datetime

import msgspec

from kcjl.errors import Refused
from kcjl.fold import Fold
from kcjl.stock.events import BufferSet
from kcjl.stock.policy import PolicyDocument, Rule, checked
from kcjl.stock.policy_events import StockPolicyApproved, StockPolicyProposed
from kcjl.vocabulary import Event

__all__ = [
    "POLICY_BOOK",
    "Approved",
    "PolicyBook",
    "buffer_policy",
    "decide_approval",
    "decide_opening",
    "decide_proposal",
]

POLICY_EVENTS = (BufferSet, StockPolicyProposed, StockPolicyApproved)


class Approved(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that is in force, or will be."""

    version: int
    document: PolicyDocument
    valid_from: datetime


class PolicyBook(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of policies; one entry, under the key "policy"."""

    version: int = 0
    """The last one that was given."""
    proposed_version: int = 0
    proposed: PolicyDocument | None = None
    """What waits for approval; a newer proposal takes its place."""
    approved: tuple[Approved, ...] = ()
    """By the time at which they begin."""

    def in_force(self, at: datetime) -> Approved | None:
        """The policy in force at a time; None before the first."""
        begun = [each for each in self.approved if each.valid_from <= at]
        return begun[-1] if begun else None

    def next_change(self, at: datetime) -> datetime | None:
        """When another policy takes effect by itself."""
        return next((e.valid_from for e in self.approved if e.valid_from > at), None)


def buffer_policy(units: int) -> PolicyDocument:
    """What a buffer that was set by itself is: a policy of one rule."""
    return PolicyDocument(rules=(Rule(name="buffer", buffer=units),))


def decide_opening(
    book: PolicyBook | None, document: PolicyDocument, *, now: datetime
) -> tuple[Event, ...]:
    """The first policy of a new log, as the settings have it; later ones are people's."""
    if book is not None and book.version:
        return ()
    return (
        StockPolicyApproved(
            version=1,
            document=checked(document),
            valid_from=now,
            note=document.note,
            occurred_at=now,
        ),
    )


def decide_proposal(
    book: PolicyBook | None, document: PolicyDocument, *, now: datetime
) -> tuple[Event, ...]:
    """Propose a policy; one that waits gives way. Raises Misuse for a faulty one."""
    known = book or PolicyBook()
    checked(document)
    if known.proposed == document:
        return ()
    return (StockPolicyProposed(version=known.version + 1, document=document, occurred_at=now),)


def decide_approval(
    book: PolicyBook | None, version: int, *, now: datetime, note: str = ""
) -> tuple[Event, ...]:
    """Approve the proposal. Raises Refused for any version but the one that waits."""
    known = book or PolicyBook()
    if any(each.version == version for each in known.approved):
        raise Refused(
            f"approving stock policy {version}: it is approved already; "
            "nothing is to be done (kcjl stock policy show)"
        )
    if known.proposed is None or known.proposed_version != version:
        waits = (
            f"version {known.proposed_version} waits: look at it (kcjl stock policy show) "
            "and approve that one"
            if known.proposed is not None
            else "none waits: propose one (kcjl stock policy propose FILE)"
        )
        kind = "superseded" if 0 < version <= known.version else "unknown"
        raise Refused(f"approving stock policy {version}: it is {kind}; {waits}")
    # A date that is past means from now on: no figure was worked out with it before.
    valid_from = max(now, known.proposed.valid_from or now)
    return (
        StockPolicyApproved(
            version=version,
            document=known.proposed,
            valid_from=valid_from,
            note=note,
            occurred_at=now,
        ),
    )


# ── the fold ────────────────────────────────────────────────────────────────────────────────


def _keys(event: Event) -> tuple[str, ...]:
    return ("policy",) if isinstance(event, POLICY_EVENTS) else ()


def _evolve(entry: PolicyBook | None, event: Event, _key: str) -> PolicyBook:
    book = entry or PolicyBook()
    match event:
        case BufferSet():
            return _with(
                book,
                Approved(
                    version=event.version,
                    document=buffer_policy(event.units),
                    valid_from=event.occurred_at,
                ),
                event.occurred_at,
            )
        case StockPolicyProposed():
            return msgspec.structs.replace(
                book,
                version=max(book.version, event.version),
                proposed_version=event.version,
                proposed=event.document,
            )
        case StockPolicyApproved():
            approved = Approved(
                version=event.version, document=event.document, valid_from=event.valid_from
            )
            if event.version == book.proposed_version:
                book = msgspec.structs.replace(book, proposed_version=0, proposed=None)
            return _with(book, approved, event.occurred_at)
        case _:
            return book


def _with(book: PolicyBook, new: Approved, now: datetime) -> PolicyBook:
    """One more approved policy; those that were over before it are forgotten."""
    each = sorted((*book.approved, new), key=lambda e: (e.valid_from, e.version))
    begun = sum(1 for one in each if one.valid_from <= now)
    return msgspec.structs.replace(
        book,
        version=max(book.version, new.version),
        approved=tuple(each[max(0, begun - 1) :]),
    )


POLICY_BOOK: Fold[PolicyBook] = Fold(_keys, _evolve, PolicyBook, hears=POLICY_EVENTS)
