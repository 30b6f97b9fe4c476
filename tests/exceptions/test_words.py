"""What people say at the desk: which exceptions are meant, and what may be done to them."""

from datetime import timedelta

import pytest

from kcjl.errors import KcjlError, Misuse, NotFound, Refused
from kcjl.exceptions.decide import OPEN, OpenException, decide_desk
from kcjl.exceptions.desk_events import ExceptionAccepted, ExceptionAssigned, ExceptionParked
from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised
from kcjl.exceptions.words import (
    PARKED_DAYS_MAX,
    Wanted,
    chosen,
    decide_accept,
    decide_assign,
    decide_note,
    decide_park,
    decide_unpark,
    retriable,
)
from kcjl.fold import Table
from kcjl.money import Money
from kcjl.orders.posting_events import TotalsCompared
from kcjl.vocabulary import Event
from tests.audit.handmade import raised
from tests.trade import at, gbp

DIFFERS = TotalsCompared(order_id="O1", ours=gbp(2_000), erp=gbp(2_001), occurred_at=at(1))


def on_desk(*events: Event) -> list[OpenException]:
    table: Table[OpenException] = Table(OPEN)
    for event in events:
        table.apply(event)
    return list(table.values())


DESK = on_desk(
    raised("posting_refused", "O1", money=gbp(2_000), minutes=1),
    raised("tracking_missing", "O1/P1", minutes=2),
    raised("order_held", "O10", money=Money(9_000, "EUR"), minutes=3, deadline=at(99)),
    raised("total_differs", "O2", money=gbp(1), minutes=4),
    raised("incident_open", "O3/1", minutes=5),
    ExceptionAssigned(
        kind="total_differs", subject="O2", owner="jo", by="sam", occurred_at=at(6)
    ),
    ExceptionAccepted(
        kind="incident_open", subject="O3/1", reason="fine", by="sam", occurred_at=at(6)
    ),
)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(ids=("order_held:O10", "posting_refused:O1")), ["O10", "O1"]),
        (Wanted(kind="total_differs"), ["O2"]),
        (Wanted(lane="Orders"), ["O1", "O10", "O2"]),
        (Wanted(owner="jo"), ["O2"]),
        (Wanted(owner="operations"), ["O1", "O1/P1", "O10"]),
        (Wanted(subject="O1"), ["O1", "O1/P1"]),
        (Wanted(since=at(3)), ["O10", "O2"]),
        (Wanted(above=gbp(1)), ["O1", "O2"]),
        (Wanted(above=gbp(2)), ["O1"]),
        (Wanted(owner="operations", lane="Dispatch"), ["O1/P1"]),
    ],
)
def test_filters_leave_those_for_which_everything_is_so(
    wanted: Wanted, expected: list[str]
) -> None:
    """An order stands for its parcels; what was accepted is not meant any more."""
    assert expected == [each.raised.subject for each in chosen(DESK, wanted)]


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(ids=("order_held:O9",)),
        Wanted(ids=("incident_open:O3/1",)),
        Wanted(kind="no_such_kind"),
        Wanted(lane="Kitchen"),
        Wanted(owner="nobody"),
    ],
)
def test_word_about_nothing_is_refused(wanted: Wanted) -> None:
    """A slip in an id or a filter is told; nothing is done in silence."""
    with pytest.raises(NotFound):
        chosen(DESK, wanted)


def test_exception_that_is_theirs_already_is_not_assigned_again() -> None:
    """The same said twice is one event."""
    meant = chosen(DESK, Wanted(lane="Orders"))
    said = decide_assign(meant, "jo", by="sam", now=at(9))

    assert ["O1", "O10"] == [
        each.subject for each in said if isinstance(each, ExceptionAssigned)
    ]


@pytest.mark.parametrize(
    ("kind", "why"),
    [("posting_refused", "not in the ERP"), ("order_held", "release or refuse")],
)
def test_exception_that_goes_on_doing_harm_is_not_accepted(kind: str, why: str) -> None:
    """It says what to do instead; and of several, none is accepted."""
    meant = [*chosen(DESK, Wanted(kind="total_differs")), *chosen(DESK, Wanted(kind=kind))]

    with pytest.raises(Refused, match=why):
        decide_accept(meant, "never mind", by="jo", now=at(9))


def test_accepted_exception_stays_away_until_something_new_is_said() -> None:
    """The same difference again is nothing; another one re-opens it; mended, it is closed."""
    table: Table[OpenException] = Table(OPEN, group=lambda each: each.raised.subject)

    def hear(event: Event) -> tuple[Event, ...]:
        said = decide_desk(event, table.grouped)
        for each in said:
            table.apply(each)
        return said

    hear(DIFFERS)
    for each in decide_accept(list(table.values()), "a penny", by="jo", now=at(2)):
        table.apply(each)
    same = hear(
        TotalsCompared(order_id="O1", ours=gbp(2_000), erp=gbp(2_001), occurred_at=at(3))
    )
    (new,) = hear(
        TotalsCompared(order_id="O1", ours=gbp(2_000), erp=gbp(2_500), occurred_at=at(4))
    )
    for each in decide_accept(list(table.values()), "agreed", by="jo", now=at(5)):
        table.apply(each)
    (mended,) = hear(
        TotalsCompared(order_id="O1", ours=gbp(2_000), erp=gbp(2_000), occurred_at=at(6))
    )

    assert () == same
    assert isinstance(new, ExceptionRaised)
    assert not new.again
    assert isinstance(mended, ExceptionCleared)
    assert mended.accepted
    assert 0 == len(table)


@pytest.mark.parametrize(
    ("minutes", "why"),
    [
        (9, "time to come"),
        (5, "time to come"),
        (60 * 24 * (PARKED_DAYS_MAX + 1), "time to come"),
    ],
)
def test_exception_is_parked_until_a_time_to_come(minutes: float, why: str) -> None:
    """Not until yesterday, and not for ever."""
    meant = chosen(DESK, Wanted(kind="posting_refused"))

    with pytest.raises(Misuse, match=why):
        decide_park(meant, at(minutes), "later", by="jo", now=at(9))


def test_exception_is_not_parked_beyond_its_deadline() -> None:
    """What has to be mended by then is not out of sight then."""
    meant = chosen(DESK, Wanted(kind="order_held"))

    with pytest.raises(Refused, match="order_held:O10 has to be mended"):
        decide_park(meant, at(100), "later", by="jo", now=at(9))


def test_parked_exception_comes_back_when_its_time_is_over() -> None:
    """Not before, and once."""
    meant = chosen(DESK, Wanted(kind="posting_refused"))
    (parked,) = decide_park(meant, at(30), "the ERP is down", by="jo", now=at(9))
    assert isinstance(parked, ExceptionParked)
    desk = on_desk(meant[0].raised, parked)

    assert () == decide_unpark(desk, at(30) - timedelta(seconds=1))
    (back,) = decide_unpark(desk, at(30))
    assert () == decide_unpark(on_desk(meant[0].raised, parked, back), at(31))


def test_only_what_a_room_can_try_again_is_retried() -> None:
    """Otherwise it says what mends it, command and all."""
    (held,) = chosen(DESK, Wanted(kind="order_held"))
    posting = chosen(DESK, Wanted(kind="posting_refused"))

    assert posting == retriable(posting)
    with pytest.raises(Refused, match="kcjl orders release O10 --reason WHY"):
        retriable([held])


@pytest.mark.parametrize(
    "said",
    [
        lambda meant: decide_assign(meant, " ", by="jo", now=at(9)),
        lambda meant: decide_note(meant, "", by="jo", now=at(9)),
        lambda meant: decide_park(meant, at(30), " ", by="jo", now=at(9)),
        lambda meant: decide_accept(meant, "", by="jo", now=at(9)),
    ],
)
def test_word_that_says_nothing_is_refused(said: object) -> None:
    """Why and whom stand in the log for ever."""
    assert callable(said)

    with pytest.raises(KcjlError):
        said(chosen(DESK, Wanted(kind="total_differs")))
