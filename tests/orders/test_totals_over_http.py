"""Totals over real HTTP against the sandbox: taxes beside amounts, a total that is mended."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec
import pytest

from kcjl.money import Money
from tests.orders.over_http import SCENARIO, Shop, opened
from tests.simulation.outside_erp import KWS

pytestmark = pytest.mark.anyio

EXCLUDED = msgspec.structs.replace(
    SCENARIO,
    tenant={**SCENARIO.tenant, "tax_mode": "TAX_EXCLUDED", "tax_rate": Decimal("17.5")},
)
"""A rate that few unit prices take without pennies left over."""


def customers_pay(shop: Shop) -> Mapping[str, Money]:
    """By order id, out of the marketplace's own books: amounts, and taxes beside them."""
    return {
        order_id: sum(
            (
                line.price
                + line.shipping_price
                + sum((tax.amount for tax in (*line.taxes, *line.shipping_taxes)), Money(0))
                for line in order.lines
                if line.state not in {"REFUSED", "CANCELED"}
            ),
            Money(0),
        )
        for order_id, order in shop.world.marketplace.orders.items()
    }


async def test_orders_of_a_tenant_without_tax_in_its_amounts_come_to_what_customers_pay() -> (
    None
):
    """TAX_EXCLUDED: the tax of each line is put on, whatever units it does not divide."""
    async with opened(EXCLUDED) as (shop, _):
        await shop.later(2)
        await shop.later(6)
        paid = customers_pay(shop)
        posted = [each for each in shop.room.orders.values() if each.erp_order_code]

        assert len(posted) > 5
        for each in posted:
            (there,) = shop.world.warehouse.orders_by_ref(each.reference)
            assert paid[each.order_id] == there.gross_total == each.total_price
            assert each.totals is not None
            assert each.totals.agree
        assert any(line.units_a_penny_more for each in posted for line in each.intended)
        taxed = [line.tax for each in posted for line in each.lines]
        assert all(tax is not None for tax in taxed)


async def test_total_that_differs_is_said_with_both_and_clears_when_it_is_mended() -> None:
    """A customer class that calculates net makes penny gaps; somebody puts one right."""
    async with opened(kws=msgspec.structs.replace(KWS, company_class="Trade")) as (shop, _):
        await shop.later(2)
        await shop.later(4)
        wrong = next(
            each for each in shop.room.orders.values() if each.totals and not each.totals.agree
        )
        raised = shop.raised(wrong.order_id, "total_differs")
        (there,) = shop.world.warehouse.orders_by_ref(wrong.reference)
        gap = wrong.total_price - there.gross_total

        assert raised.money_at_risk == abs(gap)
        ours, theirs = raised.message.partition("The ERP's: ")[::2]
        assert f"Ours: {wrong.intended[0].quantity} x {wrong.intended[0].stock_code}" in ours
        assert f"delivery {there.delivery_gross}; tax in it " in theirs
        assert "not told" not in ours + theirs

        there.delivery_gross += gap
        await shop.do("totals", "judge")
        assert [] == shop.kinds(wrong.order_id)
