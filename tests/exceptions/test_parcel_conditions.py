"""The desk and parcels: one entry for a courier, one for a marketplace that is silent."""

import msgspec

from kcjl.dispatch.events import ConfirmationRefused
from kcjl.exceptions.conditions import Raise
from kcjl.exceptions.decide import conditions
from kcjl.vocabulary import Event
from tests import trade
from tests.exceptions.parcel_conditions import (
    GONE,
    LASTING,
    MALFORMED,
    NAMED,
    NO_COURIER,
    PARCEL_GIVEN_UP,
    SEEN,
    STOPPED,
)
from tests.trade import at


def messages(*events: Event) -> list[str]:
    found = [each for event in events for each in conditions(event)]
    return [each.message for each in found if isinstance(each, Raise)]


def test_parcels_of_one_courier_say_the_same_of_it() -> None:
    """However many parcels wait for a courier, the desk hears of it once."""
    other = msgspec.structs.replace(NAMED, order_id="O2", occurred_at=at(9))

    assert messages(NAMED) == messages(other)
    assert "near to its name: BIKES" in messages(NAMED)[0]
    assert "'Bike' (B1)" in messages(SEEN)[0]


def test_parcel_whose_courier_is_named_later_is_off_the_desk_itself() -> None:
    """Then it waits under the courier's name."""
    (cleared, raised) = conditions(NAMED)

    (before,) = conditions(NO_COURIER)
    assert (before.subject, "bike") == (cleared.subject, raised.subject)


def test_silence_is_told_once_it_has_lasted_with_a_count() -> None:
    """A short one is nobody's concern."""
    short = msgspec.structs.replace(STOPPED, told=False)

    assert [] == messages(short)
    (message,) = messages(STOPPED)
    assert message == (
        "40 parcels wait: the marketplace has answered no confirmation since 01 Oct 08:00 UTC; "
        "the last answer: 503"
    )


def test_parcel_that_is_only_not_answered_is_nobodys_concern() -> None:
    """It is sent again; that the marketplace is silent is told for all parcels at once."""
    unanswered = ConfirmationRefused(
        order_id="O1",
        parcel_key="INV1/1",
        message="lost",
        attempt=1,
        deadline=None,
        answered=False,
        occurred_at=at(1),
    )

    assert () == conditions(unanswered)


def test_messages_of_parcels_say_what_was_last_heard() -> None:
    """The number, the attempts, the last answer."""
    assert "'TRK1' has no form that a number of DPD has" in messages(MALFORMED)[0]
    assert "given up after 9 attempts since 01 Oct 08:00 UTC" in messages(PARCEL_GIVEN_UP)[0]
    assert "no look at the marketplace settles it: 503" in messages(LASTING)
    assert "which the marketplace does not list any more; near" in messages(GONE)[0]


def test_parcel_that_is_shown_without_its_number_is_no_malformed_one() -> None:
    """The number that was in doubt has gone."""
    (cleared,) = conditions(trade.shipped(tracking=""))

    assert not isinstance(cleared, Raise)
    assert ("tracking_malformed",) == cleared.kinds
