"""Exceptions as people read them: a table, and one of them whole.

Promises: times are UTC, time left is counted from the service's own now. Reads nothing.
Called by `kcjl exceptions`.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from kcjl.cli.stock_shown import clock
from kcjl.cli.tables import table
from kcjl.exceptions.catalogue import KINDS
from kcjl.exceptions.kind import commands_of
from kcjl.exceptions.projection import EXCEPTIONS_SHOWN, ExceptionLife
from kcjl.readmodels import ExceptionRow

__all__ = ["desk_table", "told_whole"]

HEADINGS = ("severity", "state", ">left", ">money", "owner", ">seen", "exception", "what")
WHAT_CHARACTERS = 90
HOUR_S, DAY_S = 3_600, 86_400


def desk_table(rows: Sequence[ExceptionRow], now: datetime) -> list[str]:
    """The lines of the list; a longer message is cut at an ellipsis, `show` has it whole."""
    return table(HEADINGS, [_cells(row, now) for row in rows])


def _cells(row: ExceptionRow, now: datetime) -> tuple[str, ...]:
    what = row.message
    return (
        row.severity,
        row.state,
        _left(row.deadline, now),
        "" if row.money_at_risk is None else str(row.money_at_risk),
        row.owner,
        f"{row.seen}" if row.folded == 1 else f"{row.folded:,}",
        row.exception_id,
        what if len(what) <= WHAT_CHARACTERS else what[: WHAT_CHARACTERS - 1] + "…",
    )


def told_whole(life: ExceptionLife, now: datetime) -> Iterator[str]:
    """One exception, line by line."""
    raised = life.raised
    kind = KINDS.get(raised.kind)
    yield f"{raised.exception_id}  {raised.severity}  {EXCEPTIONS_SHOWN.state_of(life)}"
    yield f"  {raised.message}"
    yield f"  do: {raised.next_step}"
    if kind is not None:
        for command in commands_of(kind, raised.subject):
            yield f"  type: {command}"
        yield f"  clears by itself when: {kind.clears}"
        yield f"  the desk offers: {', '.join(kind.actions)}"
        yield f"  read more: kcjl manual {kind.page}"
    by = "given by a person" if life.assigned else _routed(raised.rules_version)
    yield f"  owner: {life.owner} ({by})"
    if raised.money_at_risk is not None:
        yield f"  money at risk: {raised.money_at_risk}"
    if raised.deadline is not None:
        yield f"  deadline: {clock(raised.deadline)} ({_left(raised.deadline, now)})"
    yield (
        f"  first seen {clock(life.first_seen_at)}, last {clock(life.last_seen_at)}, "
        f"said {life.seen} times, opened {life.opened} times, tried again {life.attempts} times"
    )
    if life.parked_until is not None:
        yield f"  parked until {clock(life.parked_until)}"
    if life.words_before:
        yield f"  {life.words_before} older words: kcjl log tail --stream {raised.stream}"
    for word in life.words:
        yield f"  {clock(word.at)}  {word.by or '-'}  {word.said}"


def _routed(rules_version: int) -> str:
    return f"by rules version {rules_version}" if rules_version else "the kind's own"


def _left(deadline: datetime | None, now: datetime) -> str:
    if deadline is None:
        return ""
    left = deadline - now
    return f"{_span(left)} left" if left > timedelta(0) else f"{_span(-left)} late"


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    if seconds >= 2 * DAY_S:
        return f"{seconds // DAY_S} d"
    if seconds >= HOUR_S:
        return f"{seconds // HOUR_S} h {seconds % HOUR_S // 60} m"
    return f"{seconds // 60} m"
