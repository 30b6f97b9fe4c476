"""Many exceptions of one kind at once: some are named, the others counted in one.

Promises: pure; a storm is not a list of 5,000: beyond `NAMED_MAX` open ones of a kind the next
are on the desk all the same, folded into one that says how many there are. That one is said
again when their number has doubled or halved; when all can be named again, they are.
Invariant: while something is folded, the one that counts it is open; nobody is left out.
Called by `decide.py`. Source: design 10; law 8.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import msgspec

from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised

__all__ = [
    "FOLDED_KINDS",
    "MANY",
    "NAMED_MAX",
    "Crowds",
    "OpenException",
    "crowd_of",
    "fold_many",
]

Desk = ExceptionRaised | ExceptionCleared

NAMED_MAX = 25
"""So many of one kind a person can go through one by one."""
MANY = "many parcels"
"""The subject of what counts the others."""
FOLDED_KINDS = frozenset(
    {
        "cancelled_in_erp",
        "confirmation_refused",
        "courier_unmapped",
        "parcel_unmatched",
        "tracking_malformed",
        "tracking_missing",
        "tracking_not_sent",
        "unwanted_units_sent",
    }
)
"""Of parcels: one cause (a courier's new labels, a word of the marketplace) hits thousands."""


class OpenException(msgspec.Struct, frozen=True, kw_only=True):
    raised: ExceptionRaised


class Crowds(Protocol):
    """The open ones of the kinds that are folded, grouped as `crowd_of` says."""

    def held(self, group: str) -> int: ...

    def grouped(self, group: str) -> Sequence[OpenException]: ...


def crowd_of(entry: OpenException) -> str | None:
    """The group of an open one: named or folded, by kind; what counts others is in none."""
    raised = entry.raised
    if raised.kind not in FOLDED_KINDS or raised.counts:
        return None
    return _folded(raised.kind) if raised.folded else raised.kind


def _folded(kind: str) -> str:
    return f"{kind}/folded"


def fold_many(
    said: Sequence[Desk], open_on: Callable[[str], Sequence[OpenException]], crowds: Crowds
) -> tuple[Desk, ...]:
    """What the desk says, with those folded that are too many, and how many there are."""
    events: list[Desk] = []
    size: Counter[str] = Counter()
    latest: dict[str, Desk] = {}
    for each in said:
        if each.kind not in FOLDED_KINDS:
            events.append(each)
            continue
        before = _before(each, open_on)
        if before is not None:
            size[crowd_of(before) or ""] -= 1
        event = each
        if isinstance(each, ExceptionRaised):
            is_named = before is not None and not before.raised.folded
            room = crowds.held(each.kind) + size[each.kind] < NAMED_MAX
            event = msgspec.structs.replace(each, folded=not (is_named or room))
            size[_folded(each.kind) if event.folded else each.kind] += 1
        events.append(event)
        latest[each.kind] = event
    for kind, event in latest.items():
        named = crowds.held(kind) + size[kind]
        rest = crowds.held(_folded(kind)) + size[_folded(kind)]
        counting = [each.raised for each in open_on(MANY) if each.raised.kind == kind]
        events.extend(_counted(event, named, rest, counting))
        if rest and named + rest <= NAMED_MAX:
            gone, at = {each.exception_id for each in events}, event.occurred_at
            events.extend(
                msgspec.structs.replace(each.raised, folded=False, occurred_at=at)
                for each in crowds.grouped(_folded(kind))
                if each.raised.exception_id not in gone
            )
    return tuple(events)


def _before(
    said: Desk, open_on: Callable[[str], Sequence[OpenException]]
) -> OpenException | None:
    """The exception as it was open until now."""
    still = (each for each in open_on(said.subject) if each.raised.kind == said.kind)
    return next(still, None)


def _counted(
    event: Desk, named: int, rest: int, counting: Sequence[ExceptionRaised]
) -> Iterator[Desk]:
    """What is said of those that are not named."""
    last, total = (counting[0].counts if counting else 0), named + rest
    if not rest or total <= NAMED_MAX:
        for each in counting:
            reason = "each of them is named again, or done"
            yield ExceptionCleared(
                kind=each.kind, subject=MANY, reason=reason, occurred_at=event.occurred_at
            )
    elif isinstance(event, ExceptionRaised) and (not last or total >= 2 * last):
        yield _count(event, event, total, rest)
    elif counting and 2 * total <= last:
        yield _count(counting[0], event, total, rest)


def _count(like: ExceptionRaised, event: Desk, total: int, rest: int) -> ExceptionRaised:
    about = like.message if like.counts else f"such as {like.subject}: {like.message}"
    _, _, example = about.partition("such as ")
    return msgspec.structs.replace(
        like,
        subject=MANY,
        message=f"{total:,} parcels have this trouble, {rest:,} of them not named one by one "
        f"(kcjl dispatch list --waiting), such as {example}",
        money_at_risk=None,
        folded=False,
        counts=total,
        occurred_at=event.occurred_at,
    )
