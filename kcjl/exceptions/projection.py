"""The desk, the read models: one row an exception, one a storm; and when what was last read.

Promises: a row has an exception's whole life: first and last seen, how often, whose, what
people have said (the newest words; how many there were before is counted), and a text by which
rows are in order of urgency. Called by the runner, and by whoever reads the desk.
"""

from datetime import UTC, datetime

import msgspec

from kcjl.dispatch.events import ShipmentsRead
from kcjl.exceptions import desk_events as desk
from kcjl.exceptions.events import (
    DeskEvent,
    ExceptionCleared,
    ExceptionRaised,
    WritesSwitched,
)
from kcjl.exceptions.kind import SEVERITIES
from kcjl.fold import Fold
from kcjl.orders.events import OrdersRead
from kcjl.projections.projection import Projection
from kcjl.settlement.events import TransactionsRead
from kcjl.stock.events import StockRead
from kcjl.vocabulary import Event

__all__ = [
    "EXCEPTIONS_SHOWN",
    "READS_SHOWN",
    "STORMS_SHOWN",
    "SWITCHES_SHOWN",
    "ExceptionLife",
    "LastRead",
    "Storm",
    "Word",
    "deadline_of",
]

WORDS_MAX = 50
"""Of what was said of one exception, the newest; the log has all."""


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to an exception, or that a person said of it."""

    at: datetime
    by: str
    """Empty: nobody, it happened by itself."""
    said: str


class ExceptionLife(msgspec.Struct, frozen=True, kw_only=True):
    """An exception from first sight on; raised again after it was cleared, it re-opens."""

    urgency: str
    """Rows that are sorted by it have the most urgent first. It stands first in the row, so
    that ten thousand rows are summed by it without reading the rest of any.
    """
    raised: ExceptionRaised
    first_seen_at: datetime
    last_seen_at: datetime
    seen: int
    opened: int = 1
    """How often it came onto the desk: above 1, it re-opened."""
    opened_at: datetime
    owner: str
    assigned: bool = False
    """By a person: a rule does not take it away."""
    attempts: int = 0
    """How often a person has had it tried again."""
    parked_until: datetime | None = None
    accepted_at: datetime | None = None
    cleared_at: datetime | None = None
    cleared_because: str = ""
    words: tuple[Word, ...] = ()
    """Oldest first."""
    words_before: int = 0
    """So many older ones are in the log only."""


class LastRead(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime


class Storm(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of which so many came in a short time that lists show them as one."""

    kind: str
    began_at: datetime
    began_with: int
    ended_at: datetime | None = None


# ── exceptions ──────────────────────────────────────────────────────────────────────────────

HEARD = (
    ExceptionRaised,
    ExceptionCleared,
    desk.ExceptionAccepted,
    desk.ExceptionAssigned,
    desk.ExceptionNoted,
    desk.ExceptionParked,
    desk.ExceptionRetried,
    desk.ExceptionUnparked,
)


def _exception_keys(event: Event) -> tuple[str, ...]:
    return (event.exception_id,) if isinstance(event, HEARD) else ()


def _evolve_exception(
    life: ExceptionLife | None, event: Event, _key: str
) -> ExceptionLife | None:
    if isinstance(event, ExceptionRaised):
        return _born(event) if life is None else _raised(life, event)
    if life is None or not isinstance(event, DeskEvent):
        return life
    at, replace = event.occurred_at, msgspec.structs.replace
    match event:
        case ExceptionCleared():
            said = f"closed: {event.reason}"
            life = replace(life, cleared_at=at, cleared_because=event.reason, parked_until=None)
            return _with(life, Word(at=at, by="", said=said))
        case desk.ExceptionAccepted():
            life = replace(life, accepted_at=at, parked_until=None)
            return _with(life, Word(at=at, by=event.by, said=f"accepted: {event.reason}"))
        case desk.ExceptionAssigned():
            life = replace(life, owner=event.owner, assigned=True)
            return _with(life, Word(at=at, by=event.by, said=f"given to {event.owner}"))
        case desk.ExceptionNoted():
            return _with(life, Word(at=at, by=event.by, said=event.note))
        case desk.ExceptionParked():
            said = f"parked until {event.until:%Y-%m-%d %H:%M} UTC: {event.reason}"
            life = replace(life, parked_until=event.until)
            return _with(life, Word(at=at, by=event.by, said=said))
        case desk.ExceptionRetried():
            said = f"tried again: {event.outcome}"
            life = replace(life, attempts=life.attempts + 1)
            return _with(life, Word(at=at, by=event.by, said=said))
        case _:
            return _with(
                replace(life, parked_until=None),
                Word(at=at, by="", said="on the desk again: the time is over"),
            )


def _born(event: ExceptionRaised) -> ExceptionLife:
    at = event.occurred_at
    return ExceptionLife(
        raised=event,
        first_seen_at=at,
        last_seen_at=at,
        seen=1,
        urgency=_urgency(event, at),
        opened_at=at,
        owner=event.owner,
    )


def _raised(life: ExceptionLife, event: ExceptionRaised) -> ExceptionLife:
    at = event.occurred_at
    life = msgspec.structs.replace(
        life,
        raised=event,
        last_seen_at=at,
        seen=life.seen + 1,
        urgency=_urgency(event, life.first_seen_at),
    )
    if life.cleared_at is None and life.accepted_at is None:
        return life if life.assigned else msgspec.structs.replace(life, owner=event.owner)
    life = msgspec.structs.replace(
        life,
        opened=life.opened + 1,
        opened_at=at,
        owner=event.owner,
        assigned=False,
        accepted_at=None,
        cleared_at=None,
        cleared_because="",
    )
    return _with(life, Word(at=at, by="", said="it is there again"))


def _with(life: ExceptionLife, word: Word) -> ExceptionLife:
    words = (*life.words, word)
    gone = max(len(words) - WORDS_MAX, 0)
    return msgspec.structs.replace(
        life, words=words[gone:], words_before=life.words_before + gone
    )


STAMP = "%Y%m%d%H%M%S%f"
NO_DEADLINE = datetime(9999, 1, 1, tzinfo=UTC)
MINOR_MAX = 10**15 - 1


def _urgency(raised: ExceptionRaised, first_seen_at: datetime) -> str:
    """Deadline first, then severity, then money, then age: as one text of six words and the id.

    Currency and amount in minor units are for those who sum; "-" is no money.
    """
    names: tuple[str, ...] = SEVERITIES
    severity = names.index(raised.severity) if raised.severity in names else len(names)
    money = raised.money_at_risk
    minor = money.amount_minor if money is not None else 0
    left = MINOR_MAX - min(max(minor, 0), MINOR_MAX)
    currency = money.currency if money is not None else "-"
    deadline = _stamp(raised.deadline or NO_DEADLINE)
    words = f"{deadline} {severity} {left:015d} {_stamp(first_seen_at)} {currency} {minor}"
    return f"{words} {raised.exception_id}"


def deadline_of(urgency: str) -> datetime | None:
    """The deadline that an urgency begins with, if there is one."""
    stamp = urgency.partition(" ")[0]
    at = datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)
    return None if at == NO_DEADLINE else at


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime(STAMP)


def _exception_state(life: ExceptionLife) -> str:
    if life.cleared_at is not None:
        return "cleared"
    if life.accepted_at is not None:
        return "accepted"
    return "open" if life.parked_until is None else "parked"


EXCEPTIONS_SHOWN = Projection(
    "exceptions",
    Fold(_exception_keys, _evolve_exception, ExceptionLife, hears=HEARD),
    _exception_state,
)


# ── storms, the switch, what was read ───────────────────────────────────────────────────────


def _storm_keys(event: Event) -> tuple[str, ...]:
    return (event.kind,) if isinstance(event, desk.StormBegan | desk.StormEnded) else ()


def _evolve_storm(storm: Storm | None, event: Event, _key: str) -> Storm | None:
    match event:
        case desk.StormBegan():
            return Storm(
                kind=event.kind, began_at=event.occurred_at, began_with=event.exceptions
            )
        case desk.StormEnded() if storm is not None:
            return msgspec.structs.replace(storm, ended_at=event.occurred_at)
        case _:
            return storm


STORMS_SHOWN = Projection(
    "storms",
    Fold(_storm_keys, _evolve_storm, Storm, hears=(desk.StormBegan, desk.StormEnded)),
    lambda storm: "on" if storm.ended_at is None else "over",
)


def _switch_keys(event: Event) -> tuple[str, ...]:
    return ("writes",) if isinstance(event, WritesSwitched) else ()


def _evolve_switch(
    entry: WritesSwitched | None, event: Event, _key: str
) -> WritesSwitched | None:
    return event if isinstance(event, WritesSwitched) else entry


SWITCHES_SHOWN = Projection(
    "switches",
    Fold(_switch_keys, _evolve_switch, WritesSwitched, hears=(WritesSwitched,)),
    lambda switched: "on" if switched.allowed else "off",
)

LANES: dict[type[Event], str] = {
    StockRead: "Stock",
    OrdersRead: "Orders",
    ShipmentsRead: "Dispatch",
    TransactionsRead: "Money",
}


def _read_keys(event: Event) -> tuple[str, ...]:
    lane = LANES.get(type(event))
    return () if lane is None else (lane,)


def _evolve_read(_entry: LastRead | None, event: Event, _key: str) -> LastRead | None:
    return LastRead(at=event.occurred_at)


READS_SHOWN = Projection(
    "reads", Fold(_read_keys, _evolve_read, LastRead, hears=tuple(LANES)), lambda _: "read"
)
