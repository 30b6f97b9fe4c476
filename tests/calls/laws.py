"""What every keeper of the sync log does, tried on PostgreSQL and on its memory twin."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from kcjl.calls.memory import MemoryCalls
from kcjl.calls.port import Asked, CallOutcome, CallRecord, Kept, Side, Surprise
from kcjl.calls.postgres import PostgresCalls
from tests.clockwork import MORNING

AnyCalls = MemoryCalls | PostgresCalls
ALL = Asked()


def call(operation: str = "OR11", minutes: float = 0, **fields: object) -> CallRecord:
    """A note of a call, so many minutes after the morning began."""
    note = CallRecord(
        side=Side.JOHNLEWIS,
        operation=operation,
        attempted_at=MORNING + timedelta(minutes=minutes),
        took_ms=20,
        outcome=CallOutcome.DONE,
    )
    return replace(note, **fields)


def surprise(field: str, count: int, minutes: float = 0) -> Surprise:
    at = MORNING + timedelta(minutes=minutes)
    return Surprise(
        operation="OR11",
        field=field,
        kind="field",
        count=count,
        first_seen_at=at,
        last_seen_at=at,
    )


def operations(found: Sequence[Kept]) -> list[str]:
    return [each.call.operation for each in found]


class CallLaws:
    """Ask for `calls` in a subclass."""

    async def test_note_is_read_as_it_was_kept(self, calls: AnyCalls) -> None:
        """Each field of a note survives, and it gets a number of its own."""
        whole = call(
            side=Side.KHAOS,
            subject="order 700123456",
            page=3,
            took_ms=1234,
            bytes_sent=17,
            bytes_received=3_000_000_000,
            status=500,
            outcome=CallOutcome.UNKNOWN,
            reason_code="KCJL-4001",
            correlation_id="c1",
            lost_before=2,
        )
        await calls.keep([whole, call("OR24", status=None)], [])

        first, second = await calls.newest(ALL, 10)
        assert (whole, call("OR24")) == (first.call, second.call)
        assert first.number < second.number

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            (Asked(), ["OR11", "OR24", "ImportOrders"]),
            (Asked(side=Side.KHAOS), ["ImportOrders"]),
            (Asked(operation="OR24"), ["OR24"]),
            (Asked(operation="or24"), []),
            (Asked(outcome=CallOutcome.UNKNOWN), ["ImportOrders"]),
            (Asked(since=MORNING + timedelta(minutes=1)), ["OR24", "ImportOrders"]),
            (Asked(subject="700"), ["OR24", "ImportOrders"]),
            (Asked(subject="%"), []),
            (Asked(side=Side.JOHNLEWIS, subject="700", outcome=CallOutcome.DONE), ["OR24"]),
        ],
    )
    async def test_calls_are_chosen_by_what_is_asked(
        self, calls: AnyCalls, asked: Asked, found: list[str]
    ) -> None:
        """By side, operation, outcome, time and a part of the subject, together."""
        await calls.keep(
            [
                call("OR11"),
                call("OR24", 1, subject="order 700"),
                call(
                    "ImportOrders",
                    2,
                    side=Side.KHAOS,
                    outcome=CallOutcome.UNKNOWN,
                    subject="order 7001",
                ),
            ],
            [],
        )

        assert found == operations(await calls.newest(asked, 10))

    async def test_newest_come_last_and_no_more_than_asked(self, calls: AnyCalls) -> None:
        """A list is cut at its old end."""
        await calls.keep([call(f"OP{number}", number) for number in range(5)], [])

        assert ["OP3", "OP4"] == operations(await calls.newest(ALL, 2))

    async def test_following_gives_each_later_call_once(self, calls: AnyCalls) -> None:
        """Whoever remembers the last number misses nothing and sees nothing twice."""
        await calls.keep([call("OP0"), call("OP1")], [])
        (last,) = await calls.newest(ALL, 1)
        await calls.keep([call(f"OP{number}") for number in range(2, 6)], [])

        page = await calls.after(last.number, ALL, 3)
        rest = await calls.after(page[-1].number, ALL, 3)
        assert (["OP2", "OP3", "OP4"], ["OP5"]) == (operations(page), operations(rest))
        assert [] == list(await calls.after(rest[-1].number, ALL, 3))

    async def test_summary_counts_by_side_and_operation(self, calls: AnyCalls) -> None:
        """Calls, errors, the middle and the slow end, bytes, what is missing, the last one."""
        await calls.keep(
            [
                *(
                    call("OR11", number, took_ms=number, bytes_received=10, bytes_sent=1)
                    for number in range(1, 101)
                ),
                call("OR24", outcome=CallOutcome.REFUSED, lost_before=7),
                call("OR24", outcome=CallOutcome.RATE_LIMITED),
                call("OR24"),
                call("GetVersion", side=Side.KHAOS),
            ],
            [],
        )

        read, ship, ping = await calls.summary(ALL)
        assert ("OR11", 100, 0, 50, 95) == (
            read.operation,
            read.calls,
            read.errors,
            read.took_ms_p50,
            read.took_ms_p95,
        )
        assert (100, 1000, MORNING + timedelta(minutes=100)) == (
            read.bytes_sent,
            read.bytes_received,
            read.last_at,
        )
        assert ("OR24", 3, 2, 7) == (ship.operation, ship.calls, ship.errors, ship.lost)
        assert (Side.KHAOS, 1) == (ping.side, ping.calls)

    async def test_expired_are_deleted_oldest_first_and_some_at_a_time(
        self, calls: AnyCalls
    ) -> None:
        """One deletion is bounded; what is not due yet stays."""
        await calls.keep([call(f"OP{number}", number) for number in (3, 1, 0, 2)], [])
        due = MORNING + timedelta(minutes=3)

        assert 2 == await calls.expire(due, rows_max=2)
        assert ["OP3", "OP2"] == operations(await calls.newest(ALL, 10))
        assert 1 == await calls.expire(due, rows_max=2)
        assert 0 == await calls.expire(due, rows_max=2)
        assert ["OP3"] == operations(await calls.newest(ALL, 10))

    async def test_surprises_are_added_up_and_expire(self, calls: AnyCalls) -> None:
        """The same surprise again is one surprise, seen longer; one not seen for long goes."""
        await calls.keep([], [surprise("colour", 2, 5), surprise("mood", 1, 5)])
        await calls.keep([call()], [surprise("colour", 3, 9)])
        await calls.expire(_at(6), rows_max=10)

        (known,) = await calls.surprises()
        assert ("colour", 5) == (known.field, known.count)
        assert (_at(5), _at(9)) == (known.first_seen_at, known.last_seen_at)


def _at(minutes: float) -> datetime:
    return MORNING + timedelta(minutes=minutes)
