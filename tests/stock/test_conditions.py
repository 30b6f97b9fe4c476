"""What figures are worked out under: how time counts, and what a long stop excuses."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.stock.available import Staleness
from kcjl.stock.conditions import conditions_at, stepped, worked_out
from kcjl.stock.decide import decide_figures
from kcjl.stock.events import (
    BufferSet,
    StockFeedStale,
    StockImportFinished,
    StockImportIntended,
    StockRead,
)
from kcjl.stock.guards import is_moved, is_to_zero
from kcjl.stock.policy import PolicyDocument, Rule
from kcjl.stock.policy_book import POLICY_BOOK
from kcjl.stock.policy_events import StockPolicyApproved
from kcjl.stock.publishing_state import PUBLISHING, Publishing
from kcjl.stock.reads import READS, Reads
from kcjl.stock.selling import Selling, after_change
from kcjl.stock.state import PRODUCTS, Product
from kcjl.vocabulary import Event
from tests.stock.under import under
from tests.trade import at, confirmed, level, listed, made_of

DAY_MINUTES = 24 * 60
FOUR_HOURS_S = 14_400.0
SPEEDY = Rule(name="all", speed=Decimal("0.999"), fast_mover_units_a_day=Decimal(1))
BOOK = made_of(POLICY_BOOK, "policy", BufferSet(units=1, version=1, occurred_at=at()))
READ = Reads(stock_finished_at=at(40 * DAY_MINUTES), orders_began_at=at(40 * DAY_MINUTES))


def seller(*events: Event, units: int = 60, falls: int = 12) -> Product:
    """Sold five a day, for so many days."""
    levels = [
        level(units + 5 * (falls - day), minutes=day * DAY_MINUTES) for day in range(falls + 1)
    ]
    return made_of(PRODUCTS, "a-1", listed(), confirmed(), *levels, *events)


# ── time ────────────────────────────────────────────────────────────────────────────────────


def test_conditions_are_the_same_within_a_london_day() -> None:
    """Nothing is worked out anew because an hour has passed; at London's midnight all is."""
    first, later, next_day = (
        conditions_at(BOOK, Publishing(), None, at(minutes), poll_s=300)
        for minutes in (0, 600, 1_000)
    )

    assert first is not None
    assert later is not None
    assert next_day is not None
    assert first.key == later.key
    assert first.key != next_day.key


def test_conditions_before_the_first_policy_are_none() -> None:
    """Without a policy nothing is worked out, and so nothing published."""
    empty = made_of(POLICY_BOOK, "policy", BufferSet(units=1, version=1, occurred_at=at(9)))

    assert conditions_at(empty, Publishing(), None, at(), poll_s=300) is None


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_steps_of_the_lag_never_cover_less_and_never_much_more(
    one: float, other: float
) -> None:
    """Up to the next quarter; a longer lag never counts as a shorter one."""
    assert one <= stepped(one) <= max(60.0, one * 1.25 + 1)
    assert (stepped(one) <= stepped(other)) or one > other


def test_lag_covers_the_poll_and_the_way_to_the_marketplace() -> None:
    """Measured by imports, once there are any."""
    told = made_of(
        PUBLISHING,
        "publishing",
        StockImportIntended(
            publish_id="P1",
            figures=(),
            policy_version=1,
            stock_read_at=at(0),
            occurred_at=at(1),
        ),
        StockImportFinished(
            publish_id="P1", import_id="1", skus=(), refused=(), occurred_at=at(10)
        ),
    )
    found = conditions_at(BOOK, told, None, at(30), poll_s=300)

    assert 600.0 == told.lag_p95_s
    assert found is not None
    assert stepped(300 + 600) == found.lag_s


def test_policy_of_a_later_day_changes_the_figures_by_itself() -> None:
    """Approved today, in force tomorrow."""
    later = StockPolicyApproved(
        version=2,
        document=PolicyDocument(rules=(Rule(name="all", buffer=4),)),
        valid_from=at(100),
        occurred_at=at(1),
    )
    book = made_of(
        POLICY_BOOK, "policy", BufferSet(units=1, version=1, occurred_at=at()), later
    )
    versions = []
    for minutes in (99, 100):
        found = conditions_at(book, Publishing(), None, at(minutes), poll_s=300)
        versions.append(found.version if found else 0)

    assert [1, 2] == versions


# ── staleness ───────────────────────────────────────────────────────────────────────────────


def test_stale_feed_widens_softly_and_takes_fast_movers_to_zero_hard() -> None:
    """The age of the feed is the lag; and no guard counts what our own caution does."""
    product = seller(units=12)
    quantities = []
    for staleness in Staleness:
        now = under(SPEEDY, lag_s=900, staleness=staleness, stale_lag_s=FOUR_HOURS_S)
        (figure,) = decide_figures([[product]], now, READ)
        quantities.append(figure.quantity)
        assert (staleness is not Staleness.FRESH) == figure.stale
        assert not (staleness is not Staleness.FRESH and is_moved(figure))
        assert not is_to_zero(figure)

    fresh, soft, hard = quantities
    assert fresh > soft > 0 == hard


def test_conditions_of_a_stale_feed_have_its_age_in_the_lag() -> None:
    """Soft and hard are events of the feed; its age counts from the last read's beginning."""
    told = made_of(
        PUBLISHING,
        "publishing",
        StockFeedStale(grade="soft", read_at=at(0), occurred_at=at(60)),
    )
    reads = Reads(stock_began_at=at(0))
    found = conditions_at(BOOK, told, reads, at(60), poll_s=300)

    assert found is not None
    assert Staleness.SOFT is found.staleness
    assert found.stale_lag_s >= 3_600 + found.lag_s - 300 * 1.25
    assert found.stale_lag_s > found.lag_s


def test_erp_that_comes_back_empty_after_a_stale_feed_is_still_counted() -> None:
    """Low by our own caution, and now to 0 by the ERP's word: that is the ERP's mistake."""
    stale = under(SPEEDY, lag_s=900, staleness=Staleness.SOFT, stale_lag_s=FOUR_HOURS_S)
    figures = decide_figures([[seller(units=12)]], stale, READ)
    product = seller(
        StockImportIntended(
            publish_id="P1", figures=figures, policy_version=1, occurred_at=at(1)
        ),
        StockImportFinished(
            publish_id="P1", import_id="1", skus=("A-1",), refused=(), occurred_at=at(2)
        ),
        level(0, minutes=13 * DAY_MINUTES),
        units=12,
    )
    assert product.shown[0].withheld

    (figure,) = decide_figures([[product]], under(SPEEDY), READ)

    assert is_to_zero(figure)


# ── a long stop ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("stopped", "units", "moved", "to_zero"),
    [
        (1, 8, True, False),
        (30, 8, False, False),
        (30, 80, True, False),
        (30, 0, False, True),
    ],
    ids=["short, down", "long, down", "long, up", "long, to zero"],
)
def test_guards_after_a_stop(
    stopped: int,
    units: int,
    *,
    moved: bool,
    to_zero: bool,
) -> None:
    """What fell while nobody looked for more than a day is trade, and going on to show the old
    figure would oversell; what rose, and what goes to 0 in masses, still waits for a person.
    """
    first = level(30, minutes=1)
    shown = made_of(PRODUCTS, "a-1", listed(), confirmed(), first)
    reads = [StockRead(finished_at=at(2), cursor=at(1), products=1, occurred_at=at(1))]
    before = Reads(stock_finished_at=at(2), orders_began_at=at(3))
    figures = decide_figures([[shown]], under(), before)
    again = stopped * 60
    product = made_of(
        PRODUCTS,
        "a-1",
        listed(),
        confirmed(),
        first,
        StockImportIntended(
            publish_id="P1", figures=figures, policy_version=1, occurred_at=at(4)
        ),
        StockImportFinished(
            publish_id="P1", import_id="1", skus=("A-1",), refused=(), occurred_at=at(5)
        ),
        level(units, minutes=again),
    )
    reads.append(
        StockRead(finished_at=at(again), cursor=at(again), products=1, occurred_at=at(again))
    )
    known = made_of(READS, "reads", *reads)
    (figure,) = decide_figures([[product]], under(), _with_orders(known, again + 1))

    assert (moved, to_zero) == (is_moved(figure), is_to_zero(figure))


def _with_orders(reads: Reads, minutes: float) -> Reads:
    return msgspec.structs.replace(reads, orders_began_at=at(minutes))


# ── falls that were none ────────────────────────────────────────────────────────────────────


def falls(*changes: tuple[int, int]) -> Selling | None:
    """(hours, units) of each change of the level."""
    selling, moved = None, None
    for hours, units in changes:
        selling, moved = after_change(selling, moved, units, at(hours * 60))
    return selling


@pytest.mark.parametrize(
    ("changes", "units"),
    [
        ([(0, -3)], 3),
        ([(0, 5)], None),
        ([(0, -40), (2, 40)], None),
        ([(0, -40), (2, 39)], 1),
        ([(0, 360), (2, -360)], None),
        ([(0, 360), (2, -362)], 2),
        ([(0, -40), (30, 40)], 40),
        ([(0, -40), (2, 60)], 40),
        ([(0, -3), (2, 3)], 3),
    ],
)
def test_fall_that_is_taken_back_within_a_day_sold_nothing(
    changes: list[tuple[int, int]], units: float | None
) -> None:
    """A mistaken ERP makes no slow seller a fast one; goods that come in take back none."""
    found = falls(*changes)

    assert units == (None if found is None else round(found.units))


def test_mistaken_erp_leaves_the_speed_buffer_as_it_was() -> None:
    """All levels 0 for an hour: afterwards as much is offered as before."""
    before = seller(units=60)
    mistaken = 12 * DAY_MINUTES + 60
    after = seller(level(0, minutes=mistaken), level(60, minutes=mistaken + 60), units=60)

    assert worked_out([before], under(SPEEDY)) == worked_out([after], under(SPEEDY))
