"""What people are answered: how many SKUs, from what to what, and why nothing goes out yet."""

from decimal import Decimal

import pytest

from kcjl.stock.answers import buffer_answer, release_answer, what_goes_out
from kcjl.stock.events import Figure
from kcjl.stock.guards import Hold
from kcjl.stock.policy_book import Approved, PolicyBook, buffer_policy
from kcjl.stock.publishing_state import Publishing
from tests.trade import at

HELD = Hold(hold_id="4f1c02aa99", to_zero=31, moved=0)
RELEASED = Hold(hold_id="4f1c02aa99", to_zero=31, moved=2, released=True)


def figure(sku: str, before: int | None, quantity: int) -> Figure:
    return Figure(
        sku=sku,
        quantity=quantity,
        level=Decimal(quantity),
        in_flight=0,
        buffer=0,
        level_read_at=at(),
        orders_read_at=at(),
        before=before,
    )


@pytest.mark.parametrize(
    ("publishing", "writes_allowed", "when"),
    [
        (Publishing(), True, "go out next, if no guard objects"),
        (Publishing(hold=RELEASED), True, "go out next, if no guard objects"),
        (Publishing(hold=HELD), True, "are held by a guard (kcjl stock release)"),
        (
            Publishing(is_on=False, hold=HELD),
            True,
            "wait until publishing is on (kcjl stock publishing on)",
        ),
        (Publishing(is_on=False), False, "wait until writes are allowed (kcjl writes)"),
    ],
)
def test_what_goes_out_is_told_with_what_it_waits_for(
    publishing: Publishing, when: str, *, writes_allowed: bool
) -> None:
    """Nobody is told that figures go out while something is in the way."""
    figures = [figure("A-1", 12, 0), figure("B-2", None, 1_000)]

    assert (
        f"the figures of 2 SKUs {when}: A-1 from 12 to 0; B-2 from nothing to 1,000"
        == what_goes_out(figures, publishing, writes_allowed=writes_allowed)
    )


def test_what_goes_out_names_three_and_counts_the_others() -> None:
    """A list of a whole catalogue would say nothing; a cut one says that it is cut."""
    figures = [figure(f"A-{number}", 1, 2) for number in range(1_003)]
    said = what_goes_out(figures, Publishing(), writes_allowed=True)

    assert said.startswith("the figures of 1,003 SKUs go out next")
    assert said.endswith("A-2 from 1 to 2; and 1,000 more")


def test_what_goes_out_is_not_known_before_both_sides_were_read() -> None:
    """Unknown is not nothing."""
    unknown = what_goes_out(None, Publishing(), writes_allowed=True)
    nothing = what_goes_out((), Publishing(), writes_allowed=True)

    assert "the figures go out when stock, and the orders after it, have been read" == unknown
    assert nothing.startswith("the marketplace shows every figure as it should")


def test_release_says_what_may_go_and_no_more() -> None:
    """By guard, as it was held."""
    said = release_answer(RELEASED, is_news=True, goes_out="…")
    over = release_answer(None, is_news=False, goes_out="…")

    assert (
        "hold 4f1c02aa is let through: 31 SKUs may go to 0 and 2 SKUs may move by more than a "
        "factor of two, no more. Now …"
    ) == said
    assert "nothing is held any more: …" == over


def test_buffer_says_which_version_takes_whose_place() -> None:
    """Policy is history: what was in force before is named."""
    first = Approved(version=4, document=buffer_policy(0), valid_from=at())
    book = PolicyBook(version=5, approved=(first,), proposed_version=5)
    said = buffer_answer(book, at(1), units=2, goes_out="…")
    again = buffer_answer(book, at(1), units=0, goes_out=None)

    assert (
        "stock policy version 6 is in force in place of version 4: a buffer of 2 on each "
        "product and nothing else. Now …"
    ) == said
    assert "a buffer of 0 is the whole policy already (version 4): nothing was changed" == again
