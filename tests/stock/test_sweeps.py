"""Which products a poll sweeps: all at once where it can't wait, else in parts, in time."""

from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest

from kcjl.stock.reads import Reads
from kcjl.stock.sweeps import SWEPT_TOGETHER, SweepPart, sweep_part
from tests.trade import at

EVERY = timedelta(hours=6)
POLL = timedelta(minutes=5)
LARGE = [f"s{number:06}" for number in range(40 * SWEPT_TOGETHER)]
SMALL = LARGE[:20]
HOURS = 60


def part(reads: Reads | None, minutes: float, products: list[str] = LARGE) -> SweepPart | None:
    return sweep_part(reads, products, every=EVERY, poll=POLL, now=at(minutes))


@pytest.mark.parametrize(
    ("reads", "minutes"),
    [
        pytest.param(None, 0, id="nothing was ever read"),
        pytest.param(Reads(), 0, id="no sweep has ended"),
        pytest.param(
            Reads(swept_at=at(0), vanished_at=at(5), swept_to=LARGE[7]),
            10,
            id="the ERP has lost a sales order",
        ),
        pytest.param(
            Reads(swept_at=at(0), swept_to=LARGE[7]), 12 * HOURS, id="a long stop is over"
        ),
    ],
)
def test_sweep_that_cannot_wait_takes_all_at_once(reads: Reads | None, minutes: float) -> None:
    """Whatever part of a sweep was done before."""
    assert SweepPart(keys=tuple(LARGE), is_last=True) == part(reads, minutes)


def test_small_catalogue_is_swept_by_one_poll_when_it_is_due() -> None:
    """Not before."""
    reads = Reads(swept_at=at(0))

    assert part(reads, 6 * HOURS - 5, SMALL) is None
    assert SweepPart(keys=tuple(SMALL), is_last=True) == part(reads, 6 * HOURS, SMALL)


def test_part_after_a_lost_sales_order_that_was_read_since_is_an_ordinary_one() -> None:
    """What vanished before the last sweep began is in it."""
    reads = Reads(swept_at=at(60), vanished_at=at(5), swept_to=LARGE[7])
    found = part(reads, 70)

    assert found is not None
    assert SWEPT_TOGETHER == len(found.keys)
    assert LARGE[8] == found.keys[0]


def polls(products: list[str], *, since: Reads) -> Iterator[tuple[float, SweepPart | None]]:
    """Poll by poll for as long as a sweep may take."""
    reads = since
    for poll in range(1, 1 + EVERY // POLL):
        minutes = poll * POLL / timedelta(minutes=1)
        found = part(reads, minutes, products)
        yield minutes, found
        if found is not None:
            ended = at(minutes) if found.is_last else reads.swept_at
            reads = msgspec.structs.replace(reads, swept_at=ended, swept_to=found.swept_to)


@pytest.mark.parametrize("count", [0, 1, 999, 1_000, 1_001, 30_000, 72_001, 100_000])
def test_parts_of_a_sweep_hold_each_product_once_and_end_in_time(count: int) -> None:
    """However large the catalogue: all is read within the time, evenly, none twice."""
    products = [f"s{number * 7_919 % max(count, 1):06}" for number in range(count)]
    swept: list[str] = []
    largest = max(SWEPT_TOGETHER, -(-count * POLL // EVERY) + 1)
    for _minutes, found in polls(products, since=Reads(swept_at=at(0))):
        if found is None:
            continue
        assert len(found.keys) <= largest
        swept.extend(found.keys)
        if found.is_last:
            break

    assert sorted(set(products)) == sorted(swept)
