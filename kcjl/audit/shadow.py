"""Shadow: this version's deciders over a log that another version wrote, decision by decision.

Promises: each recorded decision is decided again by the room's own rule, on the state of its
moment; what differs is named, field by field; what can't be decided again is counted by reason.
A difference does not run on: the next one is judged on the log as it is. Nothing is written.
Memory is bounded by what the rooms hold of the same log, and by the differences that are named.
Called by `kcjl shadow`; the checks stand in `shadow_*.py`. Source: docs/decisions/0022.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

import msgspec

from kcjl.audit.shadow_reasons import FACTS, NOT_CHECKED, PEOPLE
from kcjl.log.port import Recorded
from kcjl.vocabulary import Event

__all__ = [
    "Check",
    "Difference",
    "FieldDiffers",
    "Formers",
    "Report",
    "Shadow",
    "Shadowed",
    "fields_that_differ",
]

S = TypeVar("S")

NAMED_MAX = 1_000
"""Differences that are named; all are counted."""
TEXT_MAX = 300
LOOK_BACK = timedelta(minutes=5)
"""What a decision may not have known yet: events recorded no longer before it."""
KEYS_MAX = 5_000
EACH_MAX = 4


class FieldDiffers(msgspec.Struct, frozen=True, kw_only=True):
    field: str
    recorded: str
    """As JSON, cut after 300 characters."""
    now: str
    """What this version decides; empty: nothing."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that this version takes otherwise."""

    room: str
    position: int
    """Of the recorded event; of one that is missing, of the event that would cause it."""
    stream: str
    type: str
    why: str
    fields: tuple[FieldDiffers, ...]


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """Of one type of events: how many were decided again, and how they came out."""

    type: str
    checked: int
    earlier: int
    """Of these, the same only on the state a few events before."""
    differ: int


class Unchecked(msgspec.Struct, frozen=True, kw_only=True):
    type: str
    reason: str
    events: int


class Shadowed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    merchant: str
    version: str
    """Of the program that decided again."""
    events: int
    to: int
    checked: int
    differ: int
    differences: tuple[Difference, ...]
    """The first ones, by position."""
    by_type: tuple[Counted, ...]
    not_checkable: tuple[Unchecked, ...]


class Report:
    """What the checks have found so far."""

    def __init__(self) -> None:
        self.differences: list[Difference] = []
        self.checked: Counter[str] = Counter()
        self.earlier: Counter[str] = Counter()
        self.differ: Counter[str] = Counter()
        self.unchecked: Counter[tuple[str, str]] = Counter()

    def same(self, recorded: Recorded, *, earlier: bool = False) -> None:
        self.checked[recorded.type] += 1
        self.earlier[recorded.type] += earlier

    def differs(
        self, recorded: Recorded, fields: Sequence[FieldDiffers], why: str = "decided otherwise"
    ) -> None:
        """The recorded decision, and what this version makes of it."""
        self.checked[recorded.type] += 1
        self._add(recorded, recorded.type, why, fields)

    def missing(self, cause: Recorded, now: Event, why: str) -> None:
        """Something that this version decides was not recorded."""
        fields = fields_that_differ(None, now)
        self.checked[type(now).__name__] += 1
        self._add(cause, type(now).__name__, why, fields)

    def not_checked(self, recorded: Recorded, reason: str) -> None:
        self.unchecked[recorded.type, reason] += 1

    def judge(
        self,
        recorded: Recorded,
        again: Sequence[Event],
        *,
        earlier: Iterable[Sequence[Event]] = (),
    ) -> None:
        """Whether the recorded event is among what is decided now, or was shortly before."""
        event = recorded.event
        if event in again:
            self.same(recorded)
            return
        for before in earlier:
            if event in before:
                self.same(recorded, earlier=True)
                return
        now = next((each for each in again if type(each) is type(event)), None)
        why = "decided otherwise"
        if now is None:
            others = ", ".join(sorted({type(each).__name__ for each in again})) or "nothing"
            why = f"this version decides {others}"
        self.differs(recorded, fields_that_differ(event, now), why)

    def _add(self, at: Recorded, kind: str, why: str, fields: Sequence[FieldDiffers]) -> None:
        self.differ[kind] += 1
        if len(self.differences) < NAMED_MAX:
            self.differences.append(
                Difference(
                    room=at.by,
                    position=at.position,
                    stream=at.stream,
                    type=kind,
                    why=why,
                    fields=tuple(fields),
                )
            )


def fields_that_differ(
    recorded: msgspec.Struct | None, now: msgspec.Struct | None
) -> tuple[FieldDiffers, ...]:
    """Field by field; of what one side lacks, every field."""
    some = now if recorded is None else recorded
    found = []
    for name in () if some is None else some.__struct_fields__:
        then = "" if recorded is None else _told(getattr(recorded, name))
        again = "" if now is None else _told(getattr(now, name))
        if then != again:
            found.append(
                FieldDiffers(field=name, recorded=then[:TEXT_MAX], now=again[:TEXT_MAX])
            )
    return tuple(found)


def _told(value: object) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()


class Formers(Generic[S]):
    """What entries were shortly before: a decision may not have known the last events yet."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, deque[tuple[datetime, S | None]]] = OrderedDict()

    def keep(self, key: str, before: S | None, at: datetime) -> None:
        """The entry was this until an event that was recorded then."""
        kept = self._kept.setdefault(key, deque(maxlen=EACH_MAX))
        kept.append((at, before))
        self._kept.move_to_end(key)
        while len(self._kept) > KEYS_MAX:
            self._kept.popitem(last=False)

    def of(self, key: str, at: datetime) -> Sequence[S]:
        """What it was shortly before a decision recorded then, newest first."""
        kept = self._kept.get(key, ())
        return [
            before
            for until, before in reversed(kept)
            if before is not None and at - until <= LOOK_BACK
        ]


class Check(Protocol):
    """One room's decisions."""

    types: tuple[type[Event], ...]
    """The decisions that it judges, or says why it can't."""

    async def hear(self, recorded: Recorded, report: Report) -> None:
        """The next event: judge it on the state before it, then fold it."""
        ...


class Shadow:
    """Hears the log from its first event on."""

    def __init__(self, merchant: str, version: str, checks: Sequence[Check]) -> None:
        self._merchant = merchant
        self._version = version
        self._checks = checks
        self._judged = tuple(each for check in checks for each in check.types)
        self._report = Report()
        self._events = self._position = 0

    async def hear(self, page: Sequence[Recorded]) -> None:
        """The next events, in order of position."""
        for recorded in page:
            if not isinstance(recorded.event, self._judged):
                reason = reason_of(recorded.type)
                self._report.not_checked(recorded, reason)
            for check in self._checks:
                await check.hear(recorded, self._report)
            self._events += 1
            self._position = recorded.position

    def shadowed(self) -> Shadowed:
        """What came of it so far."""
        report = self._report
        return Shadowed(
            merchant=self._merchant,
            version=self._version,
            events=self._events,
            to=self._position,
            checked=report.checked.total(),
            differ=report.differ.total(),
            differences=tuple(sorted(report.differences, key=lambda each: each.position)),
            by_type=tuple(
                Counted(
                    type=name,
                    checked=checked,
                    earlier=report.earlier[name],
                    differ=report.differ[name],
                )
                for name, checked in sorted(report.checked.items())
            ),
            not_checkable=tuple(
                Unchecked(type=name, reason=reason, events=events)
                for (name, reason), events in sorted(report.unchecked.items())
            ),
        )


def reason_of(name: str) -> str:
    """Why events of this type are not decided again."""
    if name in FACTS:
        return "nothing decided: what the outside showed or answered"
    if name in PEOPLE:
        return "a person's word"
    return _REASONS[name]


_REASONS: Mapping[str, str] = {
    name: reason for reason, names in NOT_CHECKED.items() for name in names
}
