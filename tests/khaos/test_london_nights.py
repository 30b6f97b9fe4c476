"""The two nights of the year on which London's clocks change, minute by minute.

The ERP is a list of changes stamped by its own wall clock, as it would stamp them; we poll it
as the stock room does, with a cursor that is the start of the run before. Each minute of each
night is tried, from three hours before the change to three hours after it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from kcjl.clock import LONDON
from kcjl.khaos.london import changed_since, received_moment, wall_time

MINUTE = timedelta(minutes=1)
NIGHTS = {
    "forward": datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
    "back": datetime(2026, 10, 25, 1, 0, tzinfo=UTC),
}
OVERLAP = timedelta(hours=2)
"""What the vendor demands as a buffer, and the stock room takes."""

nights = pytest.mark.parametrize("night", NIGHTS)


def minutes(night: str) -> list[datetime]:
    start = NIGHTS[night] - timedelta(hours=3)
    return [start + number * MINUTE for number in range(6 * 60 + 1)]


def polls(
    changes: list[datetime], every: timedelta, overlap: timedelta
) -> Iterator[tuple[datetime, dict[datetime, datetime]]]:
    """(when, what it was told) of each poll: the change itself → the stamp as we read it."""
    cursor, when = changes[0], changes[0]
    while when <= changes[-1] + every:
        asked = changed_since(cursor - overlap)
        told = {}
        for change in changes:
            if change <= when and wall_time(change) >= asked:
                stamp = received_moment(f"{wall_time(change)}.000Z", now=when)
                assert stamp is not None
                told[change] = stamp
        yield when, told
        cursor, when = when, when + every


@nights
@pytest.mark.parametrize("overlap", [timedelta(0), OVERLAP], ids=str)
@pytest.mark.parametrize("every", [1, 7, 10, 45, 61], ids=lambda every: f"every {every}")
def test_change_of_any_minute_is_told_in_the_next_poll(
    night: str, overlap: timedelta, every: int
) -> None:
    """No change is lost: each is in the first poll after it, with or without a buffer."""
    changes = minutes(night)
    awaited = set(changes)
    before = changes[0] - MINUTE
    for when, told in polls(changes, every * MINUTE, overlap):
        due = {change for change in awaited if before < change <= when}
        assert due <= told.keys()
        awaited -= due
        before = when

    assert not awaited


@nights
def test_change_of_any_minute_is_news_once(night: str) -> None:
    """By code and stamp, none comes twice, but for the hour that the wall shows twice.

    What changed the first time round that hour may count as news once more in the second: its
    stamp can't be told from a second change, and a change must not be lost.
    """
    changes = minutes(night)
    stamps: dict[datetime, set[datetime]] = {change: set() for change in changes}
    for _, told in polls(changes, 10 * MINUTE, OVERLAP):
        for change, stamp in told.items():
            stamps[change].add(stamp)

    hour_before = NIGHTS["back"] - timedelta(hours=1)
    for change, read in stamps.items():
        again = {change + timedelta(hours=1)}
        comes_twice = hour_before <= change < NIGHTS["back"]
        assert ({change} | again if comes_twice else {change}) >= read
        assert change in read or (comes_twice and read == again)


@nights
def test_change_in_the_second_hour_is_never_read_as_older_than_the_poll_before(
    night: str,
) -> None:
    """A stamp that we have just seen is of the last hour, so a late second change is news."""
    for moment in minutes(night):
        stamp = received_moment(wall_time(moment), now=moment)

        assert moment == stamp


@nights
def test_order_of_any_minute_is_dated_by_londons_wall(night: str) -> None:
    """No order is dated an hour off: what is sent is what London's clock shows."""
    for moment in minutes(night):
        sent = datetime.fromisoformat(wall_time(moment))
        wall = moment.astimezone(LONDON)
        assert wall.replace(tzinfo=None, fold=0) == sent

        back = sent.replace(tzinfo=LONDON, fold=wall.fold).astimezone(UTC)
        assert moment == back


@nights
def test_order_dates_never_go_backwards_but_with_the_clock(night: str) -> None:
    """From minute to minute the date sent goes on by one; by −59 or 61 once, at the change."""
    sent = [datetime.fromisoformat(wall_time(moment)) for moment in minutes(night)]
    steps = [(later - sooner) // MINUTE for sooner, later in pairwise(sent)]

    assert {1: len(steps) - 1, (61 if night == "forward" else -59): 1} == {
        step: steps.count(step) for step in set(steps)
    }
