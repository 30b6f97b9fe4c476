"""What differs, kept from one look to the next, is what a look at every stock code finds."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import anyio
import anyio.lowlevel
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.fold import Table
from kcjl.stock.available import Staleness
from kcjl.stock.conditions import Conditions, group_key
from kcjl.stock.decide import decide_figures, differs, is_read
from kcjl.stock.differing import SLICE, Differing
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

pytestmark = pytest.mark.anyio

Unread = dict[str, tuple[str, ...]]

YEAR = 60 * 24 * 365
READS = Reads(stock_finished_at=at(YEAR), orders_began_at=at(YEAR))
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
UNREAD = st.sampled_from([{}, {"O9": ("A-1",)}, {"O9": ("B-2", "A-1")}])
LOOK = st.tuples(st.integers(1, 4), CONDITIONS)
"""After how many events there is a look, and the conditions then."""
READINGS = st.tuples(st.integers(0, 60), UNREAD)
"""How many minutes after the last look both sides were read; orders that could not be."""


def table() -> Table[Product]:
    return Table(PRODUCTS, tracked=True, group=group_key)


def groups(products: Table[Product]) -> list[Sequence[Product]]:
    keys = {group_key(each): None for each in products.values()}
    return [products.grouped(key) for key in keys]


def as_of(figures: Sequence[Figure], reads: Reads) -> list[Figure]:
    """As they are sent: they name the last read of orders."""
    assert reads.orders_began_at is not None
    return [
        msgspec.structs.replace(each, orders_read_at=reads.orders_began_at) for each in figures
    ]


def figures(shelves: Sequence[Sequence[Product]], conditions: Conditions) -> dict[str, Figure]:
    return {each.sku: each for each in decide_figures(shelves, conditions, READS)}


@unhurried
@given(any_events(*PRODUCT_EVENTS), st.lists(LOOK, max_size=8), CONDITIONS)
async def test_what_differs_is_what_a_look_at_every_stock_code_finds(
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
        kept = await differing.groups(conditions)

        every = [each for each in groups(products) if differs(each, conditions)]
        assert {group_key(each[0]) for each in every} == {group_key(each[0]) for each in kept}
        found = await differing.figures(conditions, READS)
        assert figures(groups(products), conditions) == figures(kept, conditions)
        assert decide_figures(kept, conditions, READS) == found.figures


@unhurried
@given(
    any_events(*PRODUCT_EVENTS),
    st.lists(st.tuples(LOOK, READINGS), max_size=8),
    st.sampled_from([0, YEAR]),
)
async def test_figures_kept_for_a_later_import_are_those_worked_out_anew(
    events: list[Event],
    looks: list[tuple[tuple[int, Conditions], tuple[int, Unread]]],
    minutes: int,
) -> None:
    """Figures that wait are kept, and whatever may change one has it worked out again: an
    event, a condition, a read of either side, an order that can't be read, a pause that ends.
    """
    products = table()
    differing = Differing(products)
    start = 0
    for (count, conditions), (later, unread) in looks:
        for event in events[start : start + count]:
            products.apply(event)
        start += count
        minutes += later
        reads = Reads(stock_finished_at=at(minutes), orders_began_at=at(minutes), unread=unread)
        found = await differing.figures(conditions, reads, now=at(minutes))

        kept = await differing.groups(conditions)
        anew = decide_figures(kept, conditions, reads, now=at(minutes))
        assert as_of(anew, reads) == as_of(found.figures, reads)
        assert found.all_read == all(is_read(group, reads) for group in kept)


async def test_figure_that_waits_for_a_later_import_is_not_worked_out_again() -> None:
    """A catalogue that moves as a whole costs each of its imports the import's own lines."""
    products = table()
    for event in (listed("A"), confirmed("A"), level("5", "A")):
        products.apply(event)
    differing = Differing(products)
    (one,) = (await differing.figures(under(), READS)).figures
    later = Reads(stock_finished_at=at(YEAR + 5), orders_began_at=at(YEAR + 5))

    (same,) = (await differing.figures(under(), later)).figures

    assert one is same


@pytest.mark.parametrize(
    ("falls", "looked_at"), [(False, []), (True, ["a"])], ids=["never sold", "sells"]
)
async def test_longer_lag_moves_only_what_sells(*, falls: bool, looked_at: list[str]) -> None:
    """A lag that was measured anew is no reason to work a whole catalogue out again."""
    products = table()
    sold = (level("3", "A", minutes=5),) if falls else ()
    for event in (listed("A"), confirmed("A"), level("5", "A"), *sold):
        products.apply(event)
    differing = Differing(products)
    await differing.groups(under(FAST, lag_s=60.0))

    assert looked_at == differing.moved_by(under(FAST, lag_s=3_600.0))


async def test_what_differs_after_a_start_from_a_snapshot_is_found() -> None:
    """What was folded before the process began counts as touched."""
    before = table()
    for event in (listed("A"), confirmed("A"), level("5", "A")):
        before.apply(event)
    products = table()
    products.put_back(before.contents())

    kept = await Differing(products).groups(under())

    assert [["a"]] == [[each.key for each in group] for group in kept]


async def test_stock_code_that_differs_longest_comes_first() -> None:
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
    await differing.groups(conditions)
    products.apply(level("5", "A"))

    kept = await differing.groups(conditions)

    assert ["b", "a"] == [each.key for group in kept for each in group]


async def test_large_catalogue_is_looked_at_in_slices_and_others_have_their_turns() -> None:
    """Between two slices whoever else waits goes on, so that no look at all stops the house."""
    products = table()
    skus = [f"S-{number}" for number in range(3 * SLICE)]
    for sku in skus:
        for event in (listed(sku), confirmed(sku), level("5", sku)):
            products.apply(event)
    turns = 0

    async def another() -> None:
        nonlocal turns
        while True:
            turns += 1
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        group.start_soon(another)
        found = await Differing(products).figures(under(), READS)
        group.cancel_scope.cancel()

    assert skus == [each.sku for each in found.figures]
    assert turns >= 2 * (len(skus) / SLICE - 1)


async def test_what_comes_between_two_slices_is_in_the_figures() -> None:
    """A level that falls while all are worked out anew is not published as it was: law 4."""
    products = table()
    skus = [f"S-{number}" for number in range(2 * SLICE)]
    for sku in skus:
        for event in (listed(sku), confirmed(sku), level("5", sku)):
            products.apply(event)
    falls = iter([*skus[: SLICE // 2], skus[-1]])

    async def warehouse() -> None:
        for sku in falls:
            products.apply(level("2", sku))
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        group.start_soon(warehouse)
        found = await Differing(products).figures(under(), READS)
        group.cancel_scope.cancel()

    there = {sku: int(products[sku.casefold()].level) for sku in skus}
    assert there == {each.sku: each.quantity for each in found.figures}
    assert 2 in there.values()


async def test_look_that_was_broken_off_is_made_good_by_the_next_one() -> None:
    """What was touched is due until it has been looked at."""
    products = table()
    for number in range(2 * SLICE):
        for event in (listed(f"S-{number}"), confirmed(f"S-{number}")):
            products.apply(event)
    differing = Differing(products)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await differing.groups(under())

    assert scope.cancelled_caught
    assert 2 * SLICE == len(await differing.groups(under()))
