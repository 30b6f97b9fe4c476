"""What differs, kept from one look to the next, is what a look at every stock code finds."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from kcjl.fold import Table
from kcjl.stock.available import Staleness
from kcjl.stock.conditions import Conditions, group_key
from kcjl.stock.decide import decide_figures, differs
from kcjl.stock.differing import Differing
from kcjl.stock.events import Figure, StockImportIntended
from kcjl.stock.policy import Rule
from kcjl.stock.reads import Reads
from kcjl.stock.state import PRODUCTS, Product
from kcjl.vocabulary import Event
from tests.any_event import any_events
from tests.patience import unhurried
from tests.stock.test_stock_laws import PRODUCT_EVENTS
from tests.stock.under import DAY, under
from tests.trade import at, confirmed, level, listed

READS = Reads(stock_finished_at=at(60 * 24 * 365), orders_began_at=at(60 * 24 * 365))
YULE = Rule(name="yule", begins="10-02", ends="10-03", buffer=3)
FAST = Rule(
    name="all", speed=Decimal("0.999"), percent=Decimal(10), fast_mover_units_a_day=Decimal(1)
)
POLICIES = st.sampled_from([(1, ()), (2, (FAST,)), (3, (FAST, YULE))])
CONDITIONS = st.builds(
    lambda policy, days, lag_s, staleness, stale_lag_s: under(
        *policy[1],
        version=policy[0],
        day=DAY + timedelta(days=days),
        lag_s=lag_s,
        staleness=staleness,
        stale_lag_s=stale_lag_s,
    ),
    POLICIES,
    st.integers(0, 3),
    st.sampled_from([60.0, 3_600.0]),
    st.sampled_from(list(Staleness)),
    st.sampled_from([7_200.0, 86_400.0]),
)
LOOKS = st.lists(st.tuples(st.integers(1, 4), CONDITIONS), max_size=8)
"""After how many events there is a look, and the conditions then."""


def table() -> Table[Product]:
    return Table(PRODUCTS, tracked=True, group=group_key)


def groups(products: Table[Product]) -> list[Sequence[Product]]:
    keys = {group_key(each): None for each in products.values()}
    return [products.grouped(key) for key in keys]


def figures(shelves: Sequence[Sequence[Product]], conditions: Conditions) -> dict[str, Figure]:
    return {each.sku: each for each in decide_figures(shelves, conditions, READS)}


@unhurried
@given(any_events(*PRODUCT_EVENTS), LOOKS, CONDITIONS)
def test_what_differs_is_what_a_look_at_every_stock_code_finds(
    events: list[Event], looks: list[tuple[int, Conditions]], last: Conditions
) -> None:
    """Whatever happened between two looks, and whichever condition has changed: policy, day,
    lag, grade of staleness; also where SKUs join a stock code, and leave it.
    """
    products = table()
    differing = Differing(products)
    start = 0
    for count, conditions in [*looks, (len(events), last)]:
        for event in events[start : start + count]:
            products.apply(event)
        start += count
        kept = differing.groups(conditions)

        every = [each for each in groups(products) if differs(each, conditions)]
        assert {group_key(each[0]) for each in every} == {group_key(each[0]) for each in kept}
        assert figures(groups(products), conditions) == figures(kept, conditions)


def test_what_differs_after_a_start_from_a_snapshot_is_found() -> None:
    """What was folded before the process began counts as touched."""
    before = table()
    for event in (listed("A"), confirmed("A"), level("5", "A")):
        before.apply(event)
    products = table()
    products.put_back(before.contents())

    kept = Differing(products).groups(under())

    assert [["a"]] == [[each.key for each in group] for group in kept]


def test_stock_code_that_differs_longest_comes_first() -> None:
    """Where an import takes some only, nobody waits behind those that changed later."""
    products = table()
    differing, conditions = Differing(products), under()
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
    differing.groups(conditions)
    products.apply(level("5", "A"))

    kept = differing.groups(conditions)

    assert ["b", "a"] == [each.key for group in kept for each in group]
