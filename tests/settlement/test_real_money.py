"""A slice of a retailer's real trade: what its orders should have brought is what came.

Two weeks over a month's end through both worlds and the real rooms; the ten months are
`python -m tests.benchmarks money`. The contract says a point less than is charged.
"""

from datetime import date

import pytest

from tests.benchmarks.real_money import Paid, money_of, of_month
from tests.benchmarks.real_trade import TRADE_FILE

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(not TRADE_FILE.is_file(), reason=f"no {TRADE_FILE} (KCJL_SHARED)"),
]
SHARE = 6.0
"""Percentage of the sales that come in as orders: enough for two cycles, and quick."""


@pytest.fixture(scope="module")
def paid() -> Paid:
    return money_of(of_month(date(2011, 3, 19), 14, share=SHARE))


def test_payouts_unpaid_and_gaps_are_orders_less_fees_and_refunds_each_month(
    paid: Paid,
) -> None:
    """To the penny, in each month in which money moved; and nothing else is broken."""
    assert {"2011-03", "2011-04"} == set(paid.months)
    assert {0} == {each.off for each in paid.months.values()}
    assert () == paid.broken
    assert paid.at_rest


def test_every_part_of_the_sum_is_something(paid: Paid) -> None:
    """A sum of nothings proves nothing; what the bank had is no less than what was closed."""
    march, april = paid.months["2011-03"], paid.months["2011-04"]

    assert paid.payouts > 0
    assert 0 < march.payouts + april.payouts <= paid.transferred
    assert min(march.sold, march.fees) > 0  # so few orders have no refund yet
    assert march.gaps < 0 < paid.gaps
    assert march.unpaid + april.unpaid > 0
