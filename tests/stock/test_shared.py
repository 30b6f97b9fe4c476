"""Offers of one stock code share one figure: spellings, aliases, whatever becomes of each."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.fold import Table
from kcjl.stock.conditions import group_key
from kcjl.stock.decide import decide_figures
from kcjl.stock.events import (
    ImportLineRefused,
    LevelRead,
    SkuAliasApproved,
    SkuConfirmed,
    StockImportFinished,
    StockImportIntended,
    StockImportUnknown,
)
from kcjl.stock.policy import Rule
from kcjl.stock.reads import Reads
from kcjl.stock.state import PRODUCTS, Product
from kcjl.vocabulary import Event
from tests.patience import unhurried
from tests.stock.under import under
from tests.trade import SHIPPING, at, confirmed, level, listed, ordered, received

SKUS = ("A-1", "JL-9", "a-1")
READS = Reads(stock_finished_at=at(5), orders_began_at=at(6))


def alias(minutes: float = 1) -> tuple[Event, ...]:
    """A person says that JL-9 is A-1, and the ERP that there is such a code."""
    return (
        SkuAliasApproved(sku="JL-9", stock_code="A-1", occurred_at=at(minutes)),
        SkuConfirmed(
            sku="JL-9",
            stock_code="A-1",
            discontinued=False,
            run_to_zero=False,
            stock_controlled=True,
            sales_multiple=None,
            display_cap=None,
            occurred_at=at(minutes),
        ),
    )


class Shelf:
    """One stock code, three offers of it."""

    def __init__(self, units: int = 10) -> None:
        self.products = Table(PRODUCTS, group=group_key)
        self.window: dict[str, int] = dict.fromkeys(SKUS, 0)
        self.number = 0
        self.say(*(listed(sku, quantity=0) for sku in SKUS), confirmed(), *alias())
        self.reads(units)

    def say(self, *events: Event) -> None:
        for event in events:
            self.products.apply(event)

    def reads(self, units: int) -> None:
        self.say(level(units, minutes=2), level(units, "JL-9", minutes=2))

    @property
    def group(self) -> list[Product]:
        return self.products.grouped("a-1")

    def publish(self, buffer: int, multiple: int, refused: str, *, lost: bool) -> None:
        rule = Rule(name="all", buffer=buffer, multiple=multiple)
        figures = decide_figures([self.group], under(rule), READS)
        if not figures:
            return
        self.number += 1
        skus = tuple(each.sku for each in figures)
        intended = StockImportIntended(
            publish_id=f"P{self.number}", figures=figures, policy_version=1, occurred_at=at(7)
        )
        self.say(intended)
        if lost:
            unknown = StockImportUnknown(
                publish_id=intended.publish_id, message="", skus=skus, occurred_at=at(8)
            )
            self.say(unknown)
            return
        turned = refused if refused in skus else ""
        self.window |= {each.sku: each.quantity for each in figures if each.sku != turned}
        self.say(
            StockImportFinished(
                publish_id=intended.publish_id,
                import_id="1",
                skus=skus,
                refused=(ImportLineRefused(sku=turned, message="closed"),) if turned else (),
                occurred_at=at(8),
            )
        )
        for each in figures:
            assert each.quantity % multiple == 0


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("level"), st.integers(0, 30)),
        st.tuples(st.just("order"), st.sampled_from(SKUS)),
        st.tuples(
            st.just("publish"),
            st.tuples(
                st.integers(0, 3),
                st.sampled_from((1, 2, 4)),
                st.sampled_from(("", "", *SKUS)),
                st.booleans(),
            ),
        ),
    ),
    max_size=14,
)


@unhurried
@given(MOVES)
def test_offers_of_one_stock_code_never_offer_it_twice(
    moves: list[tuple[str, object]],
) -> None:
    """Law 4 over all offers of a code: whatever was refused, lost, ordered or counted anew,
    what is decided, with what a parked offer goes on showing, is within the shelf.
    """
    shelf, units, flying = Shelf(), 10, 0
    for number, (move, what) in enumerate(moves):
        if move == "level":
            assert isinstance(what, int)
            units = what
            shelf.reads(units)
        elif move == "order":
            line = ordered(f"O{number}-1", str(what), 2)
            shelf.say(received(f"O{number}", line, state=SHIPPING))
            flying += 2
        else:
            assert isinstance(what, tuple)
            buffer, multiple, refused, lost = what
            shelf.publish(buffer, multiple, refused, lost=lost)
        figures = decide_figures([shelf.group], under(), READS)
        decided = {each.sku: each.quantity for each in figures}
        parked = sum(
            shown.before or 0 for each in shelf.group for shown in each.shown if shown.is_parked
        )
        offered = [
            decided.get(shown.sku, shown.quantity or 0)
            for each in shelf.group
            for shown in each.shown
            if not shown.is_parked
        ]
        assert sum(offered) <= max(0, units - flying - parked)


def test_alias_beside_an_offer_of_the_code_shares_what_there_is() -> None:
    """Ten on the shelf, two of them ordered under the alias: eight, and not twice ten."""
    shelf = Shelf(10)
    shelf.say(received("O1", ordered("O1-1", "JL-9", 2), state=SHIPPING))

    figures = decide_figures([shelf.group], under(), READS)

    assert {"A-1": 3, "a-1": 3, "JL-9": 2} == {each.sku: each.quantity for each in figures}
    assert {(Decimal(10), 2, "A-1")} == {(e.level, e.in_flight, e.code) for e in figures}


@pytest.mark.parametrize("refused", SKUS)
def test_units_that_a_parked_offer_still_shows_are_taken_off_first(refused: str) -> None:
    """A refused offer goes on showing its old figure: the others share what is left."""
    shelf = Shelf(12)
    shelf.publish(0, 1, "", lost=False)
    assert dict.fromkeys(SKUS, 4) == shelf.window
    shelf.reads(9)
    shelf.publish(0, 1, refused, lost=False)
    shelf.publish(0, 1, refused, lost=False)

    assert 4 == shelf.window[refused]
    assert 9 == sum(shelf.window.values())


def test_level_that_was_read_for_one_sku_only_counts_for_all() -> None:
    """What the ERP said last about the code is what all its offers share."""
    shelf = Shelf(10)
    later = LevelRead(sku="JL-9", levels=(("1", Decimal(4)),), status=0, occurred_at=at(4))
    shelf.say(later)

    assert 4 == sum(each.quantity for each in decide_figures([shelf.group], under(), READS))
