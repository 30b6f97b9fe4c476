"""What people say at the desk, the rules: which exceptions are meant, and what may be done.

Promises: pure; what is already so is nothing new; what can't be done to one of those that are
meant is done to none of them, and the refusal names it with what to do instead. What may be
accepted is the kind's: what goes on doing harm can't be.
Called by the desk. Source: design 10.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from kcjl.errors import Misuse, NotFound, Refused
from kcjl.exceptions import desk_events as desk
from kcjl.exceptions.catalogue import KINDS, kinds_of_lane, lane_of
from kcjl.exceptions.decide import OpenException
from kcjl.exceptions.kind import commands_of
from kcjl.money import Money
from kcjl.vocabulary import Event

__all__ = [
    "AT_ONCE_MAX",
    "PARKED_DAYS_MAX",
    "Wanted",
    "chosen",
    "decide_accept",
    "decide_assign",
    "decide_note",
    "decide_park",
    "decide_unpark",
    "retriable",
]

AT_ONCE_MAX = 20_000
"""Exceptions that one word of a person is about; more is a mistake, or told apart by kind."""
RETRIED_AT_ONCE_MAX = 1_000
"""Each is a decision of its own room."""
PARKED_DAYS_MAX = 90
NAMED_MAX = 5
"""Of those for which something can't be done."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which exceptions are meant: these, or all open ones for which everything is so."""

    ids: tuple[str, ...] = ()
    kind: str = ""
    lane: str = ""
    owner: str = ""
    subject: str = ""
    """The whole subject, or what stands before a slash in it: an order and its parcels."""
    since: datetime | None = None
    """First seen then or later, as far as it has been open without a break."""
    above: Money | None = None
    """The money at risk is that or more."""


def chosen(entries: Iterable[OpenException], wanted: Wanted) -> list[OpenException]:
    """Those that are meant and on the desk; raises NotFound where one or all are not there."""
    there = [each for each in entries if not each.accepted]
    if wanted.ids:
        by_id = {each.raised.exception_id: each for each in there}
        for exception_id in wanted.ids:
            if exception_id not in by_id:
                raise NotFound(
                    f"there is no open exception {exception_id!r}: see `kcjl exceptions list`"
                )
        return [by_id[exception_id] for exception_id in dict.fromkeys(wanted.ids)]
    if wanted.kind and wanted.kind not in KINDS:
        raise NotFound(f"there is no kind {wanted.kind!r}: docs/exceptions.md has them all")
    if wanted.lane and not kinds_of_lane(wanted.lane):
        raise NotFound(
            f"there is no lane {wanted.lane!r}: Stock, Orders, Dispatch, Money, Service"
        )
    found = [each for each in there if _is_meant(each, wanted)]
    if not found:
        raise NotFound("no open exception is like that: see `kcjl exceptions list`")
    if len(found) > AT_ONCE_MAX:
        raise Misuse(
            f"{len(found):,} exceptions are like that, and one word is about {AT_ONCE_MAX:,} "
            "at most: narrow it by --kind, --owner or --since"
        )
    return found


def _is_meant(entry: OpenException, wanted: Wanted) -> bool:
    raised = entry.raised
    money = raised.money_at_risk
    return (
        (not wanted.kind or raised.kind == wanted.kind)
        and (not wanted.lane or lane_of(raised.kind) == wanted.lane)
        and (not wanted.owner or (entry.owner or raised.owner) == wanted.owner)
        and (
            not wanted.subject
            or raised.subject == wanted.subject
            or raised.subject.startswith(f"{wanted.subject}/")
        )
        and (wanted.since is None or entry.opened_at >= wanted.since)
        and (wanted.above is None or _is_worth(money, wanted.above))
    )


def _is_worth(money: Money | None, least: Money) -> bool:
    return (
        money is not None
        and money.currency == least.currency
        and money.amount_minor >= least.amount_minor
    )


# ── what is said ────────────────────────────────────────────────────────────────────────────


def decide_assign(
    meant: Sequence[OpenException], owner: str, *, by: str, now: datetime
) -> tuple[Event, ...]:
    if not owner.strip():
        raise Misuse("whose is it to be? Give a person or a role")
    return tuple(
        desk.ExceptionAssigned(
            kind=each.raised.kind,
            subject=each.raised.subject,
            owner=owner.strip(),
            by=by,
            occurred_at=now,
        )
        for each in meant
        if each.owner != owner.strip()
    )


def decide_note(
    meant: Sequence[OpenException], note: str, *, by: str, now: datetime
) -> tuple[Event, ...]:
    if not note.strip():
        raise Misuse("a note says something")
    return tuple(
        desk.ExceptionNoted(
            kind=each.raised.kind,
            subject=each.raised.subject,
            note=note.strip(),
            by=by,
            occurred_at=now,
        )
        for each in meant
    )


def decide_park(
    meant: Sequence[OpenException], until: datetime, reason: str, *, by: str, now: datetime
) -> tuple[Event, ...]:
    """Raises Misuse for a time that has passed or is too far away, or without a reason."""
    if not reason.strip():
        raise Misuse("why can it wait? Give a reason")
    if not now < until <= now + timedelta(days=PARKED_DAYS_MAX):
        raise Misuse(
            f"until {until:%Y-%m-%d %H:%M} UTC nothing can be parked: give a time to come, and "
            f"{PARKED_DAYS_MAX} days at most"
        )
    for each in meant:
        deadline = each.raised.deadline
        if deadline is not None and now < deadline < until:
            raise Refused(
                f"{each.raised.exception_id} has to be mended by {deadline:%Y-%m-%d %H:%M} "
                "UTC: park it no longer than that"
            )
    return tuple(
        desk.ExceptionParked(
            kind=each.raised.kind,
            subject=each.raised.subject,
            until=until,
            reason=reason.strip(),
            by=by,
            occurred_at=now,
        )
        for each in meant
        if each.parked_until != until
    )


def decide_unpark(parked: Iterable[OpenException], now: datetime) -> tuple[Event, ...]:
    """Those whose time is over are on the desk again."""
    return tuple(
        desk.ExceptionUnparked(
            kind=each.raised.kind, subject=each.raised.subject, occurred_at=now
        )
        for each in parked
        if each.parked_until is not None and each.parked_until <= now
    )


def decide_accept(
    meant: Sequence[OpenException], reason: str, *, by: str, now: datetime
) -> tuple[Event, ...]:
    """Raises Refused when one of them is of a kind that can't be accepted."""
    if not reason.strip():
        raise Misuse("why may it stay as it is? Give a reason")
    for each in meant:
        kind = KINDS.get(each.raised.kind)
        if kind is not None and kind.stays:
            raise Refused(f"{each.raised.exception_id} can't be accepted: {kind.stays}")
    return tuple(
        desk.ExceptionAccepted(
            kind=each.raised.kind,
            subject=each.raised.subject,
            reason=reason.strip(),
            by=by,
            occurred_at=now,
        )
        for each in meant
    )


def retriable(meant: Sequence[OpenException]) -> Sequence[OpenException]:
    """The same; raises Refused when one of them is of a kind that can't be tried again."""
    for each in meant:
        kind = KINDS.get(each.raised.kind)
        if kind is None or not kind.retry:
            commands = () if kind is None else commands_of(kind, each.raised.subject)
            instead = ", or ".join(commands) or each.raised.next_step
            raise Refused(
                f"there is nothing to try again about {each.raised.exception_id}; what mends "
                f"it: {instead}"
            )
    if len(meant) > RETRIED_AT_ONCE_MAX:
        raise Misuse(
            f"{len(meant):,} at once are too many to try again: {RETRIED_AT_ONCE_MAX:,} at "
            "most. Narrow it by --subject, --owner or --since"
        )
    return meant
