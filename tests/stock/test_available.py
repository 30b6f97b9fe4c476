"""The stock figure as a sum: its terms, their order and rounding, and its bounds."""

import math
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.stock.available import (
    Available,
    Circumstances,
    Shelf,
    Staleness,
    Term,
    TermName,
    available_to_sell,
    dealt_out,
    shelf_of,
)
from kcjl.stock.policy_rules import InForce
from kcjl.stock.selling import Selling, with_fall
from kcjl.stock.state import PRODUCTS, Product
from kcjl.vocabulary import Event
from tests.patience import unhurried
from tests.trade import (
    SHIPPING,
    at,
    confirmed,
    level,
    listed,
    made_of,
    ordered,
    received,
    unmatched,
)

NO_POLICY = InForce()
BUSY: Selling | None = None
for _minute in range(0, 14 * 24 * 60, 30):
    BUSY = with_fall(BUSY, 1 + _minute // 30 % 4, at(_minute))
BUSY_AT = at(14 * 24 * 60)


def shelf(*levels: str, in_flight: int = 0, cap: int = 0, multiple: int = 1) -> Shelf:
    return Shelf(
        levels=tuple((str(site), Decimal(units)) for site, units in enumerate(levels, 1)),
        in_flight=in_flight,
        display_cap=cap,
        sales_multiple=multiple,
    )


def figure(of: Shelf, rules: InForce = NO_POLICY) -> Available:
    return available_to_sell(of, Circumstances(rules=rules, at=BUSY_AT))


def sum_of(available: Available) -> dict[str, int]:
    return {term.name.value: term.units for term in available.terms}


# ── the sum ─────────────────────────────────────────────────────────────────────────────────


def test_figure_is_the_sum_of_its_terms_in_order() -> None:
    """The example of docs/stock.md, to the unit."""
    rules = InForce(
        buffer=2, percent=Decimal(5), cap=20, said_by=(("buffer", "all"), ("cap", "window"))
    )
    available = figure(shelf("31.5", "4.75", in_flight=3, multiple=6), rules)

    assert [
        ("level", 31),
        ("level", 4),
        ("parts of units", 1),
        ("in flight", -3),
        ("buffer", -2),
        ("percent", -2),
        ("sales multiple", -5),
        ("display cap", -6),
    ] == [(term.name.value, term.units) for term in available.terms]
    assert 18 == available.quantity
    assert "all" == available.terms[4].rests_on


@pytest.mark.parametrize(
    ("units", "percent", "offered"),
    [("1", "1", 0), ("100", "1", 99), ("101", "1", 99), ("9", "100", 0), ("9", "0", 9)],
)
def test_percent_rounds_down_what_is_offered(units: str, percent: str, offered: int) -> None:
    """One per cent of one unit is a whole unit: nobody can hold back a part."""
    assert offered == figure(shelf(units), InForce(percent=Decimal(percent))).quantity


def test_buffers_together_are_never_above_what_is_free() -> None:
    """Three free, five held back: none is offered, and the sum still adds up."""
    available = figure(shelf("3"), InForce(buffer=5, percent=Decimal(50)))

    assert {"level": 3, "buffer": -3} == sum_of(available)


def test_more_promised_than_there_is_is_nothing() -> None:
    """Two there and five in flight: nothing, and a term says how many are missing."""
    assert {"level": 2, "in flight": -5, "below zero": 3} == sum_of(
        figure(shelf("2", in_flight=5))
    )


def test_gate_takes_what_is_left_and_says_why() -> None:
    """What is not for sale shows its sum all the same, down to nothing."""
    available = figure(
        Shelf(
            levels=(("1", Decimal(9)),),
            closed="discontinued in the ERP",
            closed_by="SkuConfirmed",
        ),
        InForce(buffer=2),
    )

    assert {"level": 9, "buffer": -2, "gate": -7} == sum_of(available)
    assert "discontinued in the ERP" == available.reason


def test_policy_that_offers_none_is_named() -> None:
    """A rule closes the gate, and its name stands in the sum."""
    rules = InForce(offer=False, said_by=(("offer", "not at John Lewis"),))

    assert "not at John Lewis" == figure(shelf("9"), rules).terms[-1].rests_on


def test_stale_feed_holds_back_more_and_a_fast_mover_is_closed_at_last() -> None:
    """Past the soft limit the lag is the age; past the hard one a fast mover shows nothing."""
    rules = InForce(speed=Decimal("0.99"), fast_mover_units_a_day=Decimal(10))
    fresh, soft, hard = (
        available_to_sell(
            shelf("32"),
            Circumstances(
                rules=rules,
                at=BUSY_AT,
                selling=BUSY,
                lag_s=600,
                staleness=staleness,
                stale_lag_s=7_200,
            ),
        )
        for staleness in Staleness
    )

    assert fresh.quantity > soft.quantity > hard.quantity == 0
    assert soft.of(TermName.STALE) < 0 == fresh.of(TermName.STALE)
    assert "stale" in hard.reason


@pytest.mark.parametrize(
    ("quantity", "terms"), [(3, ((TermName.LEVEL, 2),)), (2, ((TermName.GATE, 2),))]
)
def test_figure_that_is_not_its_sum_can_not_be_made(
    quantity: int, terms: tuple[tuple[TermName, int], ...]
) -> None:
    """The type's own check: neither a wrong sum, nor units that are not there."""
    made = tuple(Term(name=name, units=units, why="", rests_on="") for name, units in terms)

    with pytest.raises(ValueError, match="publish nothing"):
        Available(quantity=quantity, terms=made)


# ── offers that share a stock ───────────────────────────────────────────────────────────────


def product(key: str, *events: Event) -> Product:
    return made_of(PRODUCTS, key, *events)


def test_shelf_of_an_alias_has_one_level_and_all_that_is_in_flight() -> None:
    """Two SKUs of one stock code sell the same ten units, not ten each."""
    one = product("a-1", listed(), confirmed(), level(12, minutes=1))
    two = msgspec.structs.replace(
        product(
            "a-1",
            listed(),
            confirmed(),
            level(10, minutes=5),
            received("O1", ordered(quantity=3), state=SHIPPING),
        ),
        key="a-one",
    )
    shared = shelf_of([one, two])

    assert 7 == figure(shared).quantity
    assert shared == shelf_of([two, one])


def test_shelf_that_the_erp_does_not_know_is_closed() -> None:
    """The gate."""
    assert "the ERP does not know this SKU" == shelf_of([product("a-1", unmatched())]).closed


@given(st.integers(0, 500), st.integers(1, 6), st.integers(1, 12))
def test_dealt_out_is_all_that_fits_in_whole_multiples(
    quantity: int, offers: int, multiple: int
) -> None:
    """Offers of one stock together show the figure, each in whole multiples, evenly."""
    shares = dealt_out(quantity, offers, multiple=multiple)

    assert quantity - quantity % multiple == sum(shares)
    assert offers == len(shares)
    assert all(share % multiple == 0 for share in shares)
    assert max(shares) - min(shares) in (0, multiple)


# ── bounds ──────────────────────────────────────────────────────────────────────────────────

QUARTERS = st.integers(-40, 400).map(lambda quarters: Decimal(quarters) / 4)
SHELVES = st.builds(
    Shelf,
    levels=st.lists(st.tuples(st.just("1"), QUARTERS), max_size=3).map(tuple),
    in_flight=st.integers(0, 60),
    sales_multiple=st.one_of(st.none(), st.integers(0, 12)),
    display_cap=st.one_of(st.none(), st.integers(0, 60)),
    closed=st.sampled_from(("", "", "", "discontinued in the ERP")),
)
RULES = st.builds(
    InForce,
    buffer=st.integers(0, 20),
    percent=st.decimals(0, 100, places=2),
    speed=st.one_of(st.none(), st.decimals("0.5", "0.9999", places=4)),
    cap=st.one_of(st.none(), st.integers(1, 60)),
    multiple=st.integers(1, 8),
    offer=st.sampled_from((True, True, True, False)),
    fast_mover_units_a_day=st.one_of(st.none(), st.just(Decimal(10))),
)
CIRCUMSTANCES = st.builds(
    Circumstances,
    rules=RULES,
    at=st.just(BUSY_AT),
    selling=st.sampled_from((None, BUSY)),
    lag_s=st.floats(0, 5_000),
    staleness=st.sampled_from(Staleness),
    stale_lag_s=st.floats(0, 50_000),
)


@unhurried
@given(SHELVES, CIRCUMSTANCES)
def test_figure_is_within_what_is_there(of: Shelf, now: Circumstances) -> None:
    """Law 4: the terms add up, and no more is offered than is there, unheld and unpromised."""
    available = available_to_sell(of, now)
    whole = math.floor(sum((units for _, units in of.levels), Decimal(0)))
    there = max(0, whole - of.in_flight)
    multiple = max(1, of.sales_multiple or 1) * now.rules.multiple

    assert available.quantity == sum(term.units for term in available.terms)
    assert 0 <= available.quantity <= max(0, there - min(there, now.rules.buffer))
    assert available.quantity <= there - available.held
    assert available.quantity <= (now.rules.cap or math.inf)
    assert available.quantity <= (of.display_cap or math.inf)
    assert (
        available.quantity % math.lcm(multiple // now.rules.multiple, now.rules.multiple) == 0
    )
    assert not (of.closed or not now.rules.offer) or available.quantity == 0
    assert all(
        term.why and term.units
        for term in available.terms
        if term.name not in ("level", "gate")
    )


@unhurried
@given(SHELVES, CIRCUMSTANCES, st.integers(0, 30))
def test_more_in_flight_never_offers_more(of: Shelf, now: Circumstances, more: int) -> None:
    """A sale takes something out of the window, or leaves it; it never puts something in."""
    later = msgspec.structs.replace(of, in_flight=of.in_flight + more)

    assert available_to_sell(later, now).quantity <= available_to_sell(of, now).quantity


@unhurried
@given(
    SHELVES,
    CIRCUMSTANCES,
    st.integers(0, 9),
    st.decimals(0, 50, places=1),
    st.floats(0, 9_000),
)
def test_wider_buffer_never_offers_more(
    of: Shelf, now: Circumstances, units: int, percent: Decimal, lag_s: float
) -> None:
    """Whichever buffer is widened: units, percent, or the lag."""
    rules = now.rules
    wider = msgspec.structs.replace(
        now,
        rules=msgspec.structs.replace(
            rules,
            buffer=rules.buffer + units,
            percent=min(Decimal(100), rules.percent + percent),
        ),
        lag_s=now.lag_s + lag_s,
    )

    assert available_to_sell(of, wider).quantity <= available_to_sell(of, now).quantity


@unhurried
@given(SHELVES, CIRCUMSTANCES)
def test_older_feed_never_offers_more(of: Shelf, now: Circumstances) -> None:
    """Stale figures shrink, they do not linger."""
    fresh, soft, hard = (
        available_to_sell(of, msgspec.structs.replace(now, staleness=staleness)).quantity
        for staleness in Staleness
    )

    assert fresh >= soft >= hard
