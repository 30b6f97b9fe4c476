"""Orders, the rules for an ERP that fetches them itself: queued, fetched, late, posted."""

from datetime import datetime

import pytest

from kcjl.orders.decide import decide_hold, standing
from kcjl.orders.decide_posting import (
    decide_posted,
    decide_queued,
    wants_lookup,
    wants_posting,
    wants_totals,
    wants_work,
)
from kcjl.orders.events import PostingFetched, PostingOverdue, PostingQueued
from kcjl.orders.state import OrderEntry, Posting, Standing
from kcjl.vocabulary import Event
from tests.orders.books import KNOWN, UNKNOWN, WRITTEN, order
from tests.trade import at, changed, gbp, intended, received, sealed

FIRST = received()
QUEUED = PostingQueued(
    order_id="O1", reference="REF-O1", attempt=1, until=at(50), occurred_at=at(8)
)
FETCHED = PostingFetched(order_id="O1", reference="REF-O1", until=at(99), occurred_at=at(20))


def late(what: str, until: datetime, minutes: float) -> PostingOverdue:
    return PostingOverdue(
        order_id="O1",
        reference="REF-O1",
        message=f"REF-O1 waits for the ERP, which {what}",
        until=until,
        money=gbp(2_000),
        occurred_at=at(minutes),
    )


NOT_FETCHED = late("has not fetched it", at(50), 60)
NOT_HEARD = late("has not said that it has it", at(99), 100)


def sent(*then: Event) -> OrderEntry:
    return order(sealed(), intended(FIRST), *then)


@pytest.mark.parametrize(
    ("then", "until", "fetched", "minutes", "expected"),
    [
        ((), at(50), False, 8, (QUEUED,)),
        ((QUEUED,), at(50), False, 49, ()),
        ((QUEUED,), at(50), False, 60, (NOT_FETCHED,)),
        ((QUEUED, NOT_FETCHED), at(50), False, 70, ()),
        ((QUEUED,), at(99), True, 20, (FETCHED,)),
        ((QUEUED, NOT_FETCHED), at(99), True, 20, (FETCHED,)),
        ((QUEUED, FETCHED), at(99), True, 98, ()),
        ((QUEUED, NOT_FETCHED, FETCHED), at(99), True, 100, (NOT_HEARD,)),
        ((QUEUED, FETCHED, NOT_HEARD), at(99), True, 101, ()),
    ],
)
def test_queued_order_says_each_step_and_each_delay_once(
    then: tuple[Event, ...],
    until: datetime,
    *,
    fetched: bool,
    minutes: float,
    expected: tuple[Event, ...],
) -> None:
    """What is news about it: that it waits, that it was fetched, that it is late."""
    assert expected == decide_queued(sent(*then), until=until, fetched=fetched, now=at(minutes))


def test_order_found_fetched_after_a_restart_says_both_steps() -> None:
    """The process was away while it was queued and fetched."""
    events = decide_queued(sent(), until=at(99), fetched=True, now=at(20))

    assert [PostingQueued, PostingFetched] == [type(each) for each in events]


@pytest.mark.parametrize("then", [(QUEUED,), (QUEUED, FETCHED), (QUEUED, NOT_FETCHED)])
def test_queued_order_is_looked_up_and_never_posted_again(then: tuple[Event, ...]) -> None:
    """One sales order: while the ERP may have it, none is sent; it is not held either."""
    entry = sent(*then)

    assert (Posting.QUEUED, Standing.POSTING) == (entry.posting, standing(entry))
    assert wants_lookup(entry)
    assert wants_work(entry)
    assert not wants_posting(entry, KNOWN, at(9_999))
    assert () == decide_hold(entry, UNKNOWN, at(9))


def test_queued_order_that_ended_is_still_looked_up() -> None:
    """The ERP may have fetched it: that has to be known before anybody forgets it."""
    entry = sent(QUEUED, changed(FIRST, "CANCELED", minutes=30))

    assert wants_work(entry)
    assert wants_lookup(entry)


def test_order_is_taken_when_the_erp_said_so_and_its_total_is_not_waited_for() -> None:
    """Not when we looked; an ERP that tells no totals leaves none to compare."""
    (posted,) = decide_posted(
        sent(QUEUED), "SO1", found=True, now=at(90), heard_at=at(80), shows_total=False
    )
    entry = sent(QUEUED, posted, WRITTEN)

    assert (at(80), at(90)) == (posted.taken_by, posted.occurred_at)  # type: ignore[attr-defined]
    assert not wants_totals(entry)
    assert not wants_work(entry)


def test_total_is_waited_for_where_the_erp_tells_it() -> None:
    """The other way is as it was."""
    (posted,) = decide_posted(sent(), "SO1", found=False, now=at(90))

    assert wants_totals(sent(posted))
    assert not wants_totals(sent())
