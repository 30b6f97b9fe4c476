"""The guards and the pace, the rules: what is held, what a release lets through, what waits."""

from datetime import timedelta

import pytest

from kcjl.errors import Misuse
from kcjl.stock.events import (
    Figure,
    GuardFinding,
    HeldBack,
    HeldFigure,
    PublishHeld,
    PublishHoldEnded,
    PublishReleased,
    StockImportFinished,
    StockImportIntended,
    StockImportUnknown,
)
from kcjl.stock.guards import GuardLimits, Hold, decide_guard, decide_release, findings
from kcjl.stock.publishing_state import PUBLISHING, Publishing
from kcjl.stock.sending import decide_publishing_switch, refused_lines, wait_s
from kcjl.vocabulary import Event
from tests.trade import at, level, made_of

LIMITS = GuardLimits(to_zero_share=0.2, moved_share=0.5, skus_min=10)


def figure(
    number: int = 0,
    before: int | None = 10,
    after: int = 0,
    *,
    first: bool = False,
    stale: bool = False,
    held: HeldBack | None = None,
) -> Figure:
    return Figure(
        sku=f"S-{number:02}",
        quantity=after,
        level=level(after).levels[0][1],
        in_flight=0,
        buffer=0,
        level_read_at=at(1),
        orders_read_at=at(2),
        before=before,
        first=first,
        stale=stale,
        held=held or HeldBack(),
    )


def figures(count: int, before: int = 10, after: int = 0) -> list[Figure]:
    return [figure(number, before, after) for number in range(count)]


def guards(changes: list[Figure], offered: int = 50, released: Hold | None = None) -> list[str]:
    found = findings(changes, offered=lambda: offered, limits=LIMITS, released=released)
    return [each.guard for each in found]


@pytest.mark.parametrize(
    ("changes", "offered", "held"),
    [
        (figures(10), 50, []),
        (figures(11), 50, ["to_zero"]),
        (figures(9), 9, []),
        (figures(10), 10, ["to_zero", "moved"]),
        (figures(26, 10, 21), 50, ["moved"]),
        (figures(25, 10, 21), 50, []),
        (figures(40, 10, 20), 50, []),
        (figures(40, 2, 6), 50, []),
        (figures(40, 0, 30), 50, []),
        (figures(40, 0, 30), 30, ["moved"]),
        (figures(40, 0, 30), 0, ["moved"]),
        (figures(40, 0, 0), 50, []),
        ([figure(n, stale=True, held=HeldBack(stale=10)) for n in range(40)], 50, []),
        ([figure(n, stale=True) for n in range(40)], 50, ["to_zero"]),
        ([figure(n, 2, 30, stale=True) for n in range(40)], 50, []),
        ([figure(n, after=99, first=True) for n in range(40)], 50, []),
        ([figure(n, first=True) for n in range(40)], 50, ["to_zero"]),
        ([figure(n, before=None) for n in range(40)], 50, []),
    ],
)
def test_guard_holds_beyond_its_share(
    changes: list[Figure], offered: int, held: list[str]
) -> None:
    """More than the share, of enough SKUs, and not for our own caution's sake."""
    assert held == guards(changes, offered)


def test_held_names_counts_and_ten_examples() -> None:
    """Who decides sees what it is about."""
    said, may_go = decide_guard(
        None,
        figures(12),
        offered=lambda: 50,
        limits=LIMITS,
        new_hold_id=lambda: "H1",
        now=at(3),
    )

    assert not may_go
    (held,) = said
    assert isinstance(held, PublishHeld)
    assert (
        GuardFinding(
            guard="to_zero",
            skus=12,
            offered=50,
            examples=tuple(HeldFigure(sku=f"S-{n:02}", before=10, after=0) for n in range(10)),
        )
        == held.findings[0]
    )


@pytest.mark.parametrize(
    ("hold", "count", "said", "may"),
    [
        (None, 5, [], True),
        (Hold(hold_id="H1", to_zero=12, moved=0), 12, [], False),
        (Hold(hold_id="H1", to_zero=12, moved=0), 5, [PublishHoldEnded], True),
        (Hold(hold_id="H1", to_zero=12, moved=0, released=True), 12, [], True),
        (Hold(hold_id="H1", to_zero=12, moved=0, released=True), 22, [], True),
        (Hold(hold_id="H1", to_zero=12, moved=0, released=True), 23, [PublishHeld], False),
        (Hold(hold_id="H1", to_zero=12, moved=0, released=True), 0, [PublishHoldEnded], True),
    ],
)
def test_hold_waits_for_a_word_and_a_release_lets_no_more_through_than_was_held(
    hold: Hold | None,
    count: int,
    said: list[type],
    *,
    may: bool,
) -> None:
    """Another share beyond what was released is held anew."""
    events, may_go = decide_guard(
        hold,
        figures(count),
        offered=lambda: 50,
        limits=LIMITS,
        new_hold_id=lambda: "H2",
        now=at(3),
    )

    assert (said, may) == ([type(each) for each in events], may_go)


def test_release_is_for_the_open_hold_and_said_once() -> None:
    """A person's word names what it is for."""
    hold = Hold(hold_id="H1", to_zero=12, moved=0)

    assert (PublishReleased(hold_id="H1", occurred_at=at(3)),) == decide_release(
        hold, "H1", at(3)
    )
    assert () == decide_release(
        Hold(hold_id="H1", to_zero=12, moved=0, released=True), "H1", at(3)
    )
    with pytest.raises(Misuse, match="the open one is H1"):
        decide_release(hold, "H0", at(3))


def intended(publish_id: str = "P1", count: int = 4) -> StockImportIntended:
    return StockImportIntended(
        publish_id=publish_id,
        figures=tuple(figures(count)),
        policy_version=1,
        stock_read_at=at(1),
        occurred_at=at(4),
    )


@pytest.mark.parametrize(
    ("end", "left"),
    [
        (
            StockImportFinished(
                publish_id="P1", import_id="7", skus=(), refused=(), occurred_at=at(6)
            ),
            8,
        ),
        (StockImportUnknown(publish_id="P1", message="", skus=(), occurred_at=at(6)), 12),
    ],
)
def test_release_is_used_up_by_what_was_acknowledged(end: Event, left: int) -> None:
    """An import that was lost has let nothing through."""
    held = PublishHeld(
        hold_id="H1",
        findings=(GuardFinding(guard="to_zero", skus=12, offered=50, examples=()),),
        occurred_at=at(2),
    )
    released = PublishReleased(hold_id="H1", occurred_at=at(3))
    state = made_of(PUBLISHING, "publishing", held, released, intended(), end)

    assert state.hold is not None
    assert left == state.hold.to_zero


def test_pace_counts_from_the_last_intention() -> None:
    """Whatever became of it."""
    state = made_of(PUBLISHING, "publishing", intended())

    assert 45.0 == wait_s(state, at(4.25), every_s=60)
    assert 0.0 == wait_s(state, at(9), every_s=60)
    assert 0.0 == wait_s(None, at(9), every_s=60)


def test_lag_p95_is_of_the_last_hundred_imports() -> None:
    """Nineteen of twenty took no longer."""
    assert 95.0 == Publishing(lags_s=tuple(float(n) for n in range(1, 101))).lag_p95_s
    assert None is Publishing().lag_p95_s


def test_switch_of_publishing_is_said_when_it_changes() -> None:
    """Off what is off is nothing new."""
    off = Publishing(is_on=False)

    assert () == decide_publishing_switch(None, on=True, reason="", now=at(1))
    assert () == decide_publishing_switch(off, on=False, reason="", now=at(1))
    (said,) = decide_publishing_switch(off, on=True, reason="counted", now=at(1))
    assert PublishHoldEnded is not type(said)


@pytest.mark.parametrize(
    ("message", "before", "pause"),
    [
        ("The offer with SKU 'A' does not exist", 0, None),
        ("unknown offer", 3, None),
        ("internal error", 0, timedelta(minutes=15)),
        ("internal error", 1, timedelta(hours=1)),
        ("internal error", 9, timedelta(hours=24)),
    ],
)
def test_refused_line_waits_longer_each_time_or_is_parked(
    message: str, before: int, pause: timedelta | None
) -> None:
    """Saying the same again mends nothing that is wrong with the offer itself."""
    (line,) = refused_lines([("A-1", message)], {"A-1": before}, at(5))

    assert (None if pause is None else at(5) + pause) == line.retry_at
