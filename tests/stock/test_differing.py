"""What differs, kept from one look to the next, is what a look at every product finds."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from kcjl.fold import Table
from kcjl.stock.decide import decide_figures, differs
from kcjl.stock.differing import Differing
from kcjl.stock.events import Figure, StockImportIntended
from kcjl.stock.state import PRODUCTS, Policy, Product, Reads
from kcjl.vocabulary import Event
from tests.any_event import any_events
from tests.patience import unhurried
from tests.stock.test_stock_laws import PRODUCT_EVENTS
from tests.trade import at, confirmed, level, listed

READS = Reads(stock_finished_at=at(), orders_began_at=at(60 * 24 * 365))
LOOKS = st.lists(st.tuples(st.integers(1, 4), st.sampled_from((0, 0, 0, 2))), max_size=8)
"""After how many events there is a look, and the buffer then."""


def found(products: Table[Product], policy: Policy) -> set[str]:
    return {each.key for each in products.values() if differs(each, policy)}


@unhurried
@given(any_events(*PRODUCT_EVENTS), LOOKS)
def test_what_differs_is_what_a_look_at_every_product_finds(
    events: list[Event], looks: list[tuple[int, int]]
) -> None:
    """Whatever happened between two looks, and whenever the buffer was changed."""
    products = Table(PRODUCTS, tracked=True)
    differing = Differing(products)
    start = 0
    for count, buffer in [*looks, (len(events), 1)]:
        for event in events[start : start + count]:
            products.apply(event)
        start += count
        policy = Policy(buffer_units=buffer, version=buffer)
        kept = differing.products(policy)

        assert found(products, policy) == {each.key for each in kept}
        every = decide_figures(products.values(), policy, READS)
        some = decide_figures(kept, policy, READS)
        assert {each.sku: each for each in every} == {each.sku: each for each in some}


def test_what_differs_after_a_start_from_a_snapshot_is_found() -> None:
    """What was folded before the process began counts as touched."""
    before = Table(PRODUCTS)
    for event in (listed("A"), confirmed("A"), level("5", "A")):
        before.apply(event)
    products = Table(PRODUCTS, tracked=True)
    products.put_back(before.contents())

    kept = Differing(products).products(Policy(buffer_units=0, version=1))

    assert ["a"] == [each.key for each in kept]


def test_product_that_differs_longest_comes_first() -> None:
    """Where an import takes some only, nobody waits behind those that changed later."""
    products = Table(PRODUCTS, tracked=True)
    differing, policy = Differing(products), Policy(buffer_units=0, version=1)
    for sku in ("A", "B"):
        for event in (listed(sku), confirmed(sku)):
            products.apply(event)
    shown = Figure(
        sku="A",
        quantity=0,
        level=Decimal(0),
        in_flight=0,
        buffer=0,
        level_read_at=None,
        orders_read_at=at(),
    )
    products.apply(
        StockImportIntended(
            publish_id="p", figures=(shown,), policy_version=1, occurred_at=at()
        )
    )
    differing.products(policy)
    products.apply(level("5", "A"))

    assert ["b", "a"] == [each.key for each in differing.products(policy)]
