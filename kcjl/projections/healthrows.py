"""The rows of the service's health, made of events, reads and calls.

Promises: pure; what stands wrong is said by a word and by its event. Called by `healthview.py`.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from statistics import median

import asyncpg

from kcjl.exceptions.events import JobInterrupted, JobResumed, WritesSwitched
from kcjl.exceptions.service_events import ServiceConditionEnded, ServiceConditionFound
from kcjl.log.port import Recorded
from kcjl.readmodels_health import Fault, HealthRow, Series, Standing

__all__ = [
    "CALL_HOURS",
    "RECENT_EVENTS",
    "call_row",
    "fault_of",
    "feed_row",
    "job_rows",
    "open_conditions",
    "room_row",
    "urgency",
    "watched_rows",
]

RECENT_EVENTS = 5_000
RATE_MINUTES = 60
CALL_HOURS = 24
LATE_TIMES = 3
"""A feed that is so many times later than usual is looked at."""
WATCHED: tuple[tuple[str, str, str], ...] = (
    ("clock", "clock_skew", "our clock and theirs agree"),
    ("chain", "chain_broken", "the chain is whole, as far as the watch has gone round"),
    ("disk", "disk_low", "there is room where the data are"),
    ("certificate", "certificate_expiring", "no certificate is about to expire"),
    ("left out", "left_out", "no order and no parcel was forgotten"),
)
"""(group, kind of the watch's condition, what is so when there is none)."""
GROUPS = (
    "faults", "switch", "lease", "lists", "job", "room", "feed", "calls", "clock", "chain",
    "disk", "certificate", "left out",
)  # fmt: skip
STANDINGS: tuple[Standing, ...] = ("bad", "warn", "ok", "unknown")


def job_rows(last: Sequence[Recorded]) -> Iterator[HealthRow]:
    """Those that do not run: a job that runs is its room's affair."""
    for each in last:
        event = each.event
        if isinstance(event, JobInterrupted):
            yield HealthRow(
                key=each.stream,
                group="job",
                name=f"{event.room}/{event.job}",
                standing="bad",
                said=f"{event.code} {event.message}",
                at=each.occurred_at,
                facts=(("side", event.side or "ours, or not known"),),
                faults=tuple(found for found in (fault_of(each),) if found is not None),
            )


def room_row(
    name: str, rows: Sequence[asyncpg.Record], down: int, faults: Sequence[Fault]
) -> HealthRow:
    mine = [row for row in rows if row["by"] == name]
    counts = [0] * RATE_MINUTES
    for row in mine:
        if 0 <= row["ago"] < RATE_MINUTES:
            counts[RATE_MINUTES - 1 - row["ago"]] += row["events"]
    newest = max((row["newest"] for row in mine), default=None)
    jobs = "1 job does" if down == 1 else f"{down} jobs do"
    quiet = f"nothing of it among the newest {RECENT_EVENTS:,} events"
    said = f"{sum(counts):,} events in the last hour" if mine else quiet
    return HealthRow(
        key=f"room {name}",
        group="room",
        name=name,
        standing="bad" if down else "ok" if mine else "unknown",
        said=f"{jobs} not run; {said}" if down else said,
        at=newest,
        series=(Series(name="events", unit="events", step="1 min", counts=tuple(counts)),),
        faults=tuple(each for each in faults if each.subject.startswith(f"{name}/")),
    )


def feed_row(
    name: str, reads: Sequence[asyncpg.Record], stale: str, now: datetime
) -> HealthRow:
    """By its own pace: what is read every minute is late after three, what daily is not."""
    moments = [row["occurred_at"] for row in reads]
    between = [round((after - before).total_seconds()) for before, after in pairwise(moments)]
    lags = [round((row["recorded_at"] - row["occurred_at"]).total_seconds()) for row in reads]
    newest = moments[-1] if moments else None
    usual = median(between) if between else None
    late = (
        usual is not None
        and newest is not None
        and (now - newest).total_seconds() > LATE_TIMES * max(usual, 1)
    )
    standing: Standing = "bad" if stale else "warn" if late else "ok"
    pace = "" if usual is None else f"read every {_span(round(usual))}"
    said = "later than usual: " + pace if late else pace
    return HealthRow(
        key=f"feed {name}",
        group="feed",
        name=name,
        standing=standing if reads else "unknown",
        said=stale or said or ("read once" if reads else "not read yet"),
        at=newest,
        series=(
            Series(name="lag", unit="s", step="one read", counts=tuple(lags)),
            Series(name="between reads", unit="s", step="one read", counts=tuple(between)),
        ),
        facts=(("newest read", f"#{reads[-1]['position']:,}"),) if reads else (),
    )


def _span(seconds: int) -> str:
    """Of a pace: in the unit that one would say."""
    for unit, of_it in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * of_it:
            return f"{seconds / of_it:.3g} {unit}"
    return f"{seconds} s"


def call_row(
    side: str, operation: str, rows: Sequence[asyncpg.Record], busiest: int
) -> HealthRow:
    calls, failed = [0] * CALL_HOURS, [0] * CALL_HOURS
    for row in rows:
        place = CALL_HOURS - 1 - min(max(row["ago"], 0), CALL_HOURS - 1)
        calls[place] += row["calls"]
        failed[place] += row["failed"]
    slowed = sum(row["slowed"] for row in rows if row["ago"] <= 0)
    lost = sum(row["lost"] for row in rows)
    recent = next((row for row in rows if row["ago"] <= 0), None)
    words = [f"{calls[-1]:,} in the last hour" if calls[-1] else "none in the last hour"]
    if failed[-1]:
        words.append(f"{failed[-1]:,} failed")
    if slowed:
        words.append(f"{slowed:,} told to slow down")
    if recent is not None:
        words.append(f"p95 {recent['took_ms']:,} ms")
    all_failed = bool(calls[-1]) and failed[-1] == calls[-1]
    standing: Standing = "bad" if all_failed else "warn" if failed[-1] or slowed else "ok"
    return HealthRow(
        key=f"calls {side} {operation}",
        group="calls",
        name=f"{side} {operation}",
        standing=standing,
        said=", ".join(words),
        at=max(row["newest"] for row in rows),
        series=(
            Series(name="calls", unit="calls", step="1 h", counts=tuple(calls)),
            Series(name="failed", unit="calls", step="1 h", counts=tuple(failed)),
        ),
        facts=(
            ("busiest", f"{busiest:,} calls in one minute of the last hour"),
            ("a day", f"{sum(calls):,} calls, {sum(failed):,} failed"),
            ("missing", f"{lost:,} calls could not be noted"),
        ),
    )


def watched_rows(last: Sequence[Recorded]) -> Iterator[HealthRow]:
    """What only the watch can see: a row each, and a row for each that it has found."""
    for group, kind, fine in WATCHED:
        found = [each for each in last if _is_of(each, kind)]
        still = [each for each in found if isinstance(each.event, ServiceConditionFound)]
        for each in still:
            told = fault_of(each)
            if told is not None:
                yield HealthRow(
                    key=each.stream,
                    group=group,
                    name=told.subject,
                    standing="bad",
                    said=told.said,
                    at=each.occurred_at,
                    faults=(told,),
                )
        if not still:
            over = max((each.occurred_at for each in found), default=None)
            before = "; it was otherwise before" if over else ""
            yield HealthRow(
                key=kind,
                group=group,
                name=group,
                standing="ok",
                said=f"{fine}: the watch has found nothing{before}",
                at=over,
            )


def open_conditions(last: Sequence[Recorded], kind: str) -> list[ServiceConditionFound]:
    return [
        each.event
        for each in last
        if isinstance(each.event, ServiceConditionFound) and each.event.kind == kind
    ]


def _is_of(each: Recorded, kind: str) -> bool:
    event = each.event
    return isinstance(event, ServiceConditionFound | ServiceConditionEnded) and (
        event.kind == kind
    )


def fault_of(each: Recorded) -> Fault | None:
    match each.event:
        case JobInterrupted() as event:
            subject, said = f"{event.room}/{event.job}", f"{event.code} {event.message}"
        case JobResumed() as event:
            subject, said = f"{event.room}/{event.job}", "works again"
        case ServiceConditionFound() as event:
            subject, said = f"{event.kind}/{event.subject}", event.message
        case ServiceConditionEnded() as event:
            subject, said = f"{event.kind}/{event.subject}", event.reason
        case WritesSwitched() as event:
            subject = "writes allowed" if event.allowed else "writes stopped"
            said = event.reason
        case _:
            return None
    return Fault(
        position=each.position,
        type=each.type,
        occurred_at=each.occurred_at,
        recorded_at=each.recorded_at,
        subject=subject,
        said=said,
    )


def urgency(row: HealthRow) -> tuple[int, int, str]:
    """What needs somebody first; then by group, as one would go through them."""
    wrong = STANDINGS.index(row.standing) if row.standing in ("bad", "warn") else 2
    return wrong, GROUPS.index(row.group), row.name
