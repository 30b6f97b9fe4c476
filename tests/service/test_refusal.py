"""A person refuses an order, over HTTP: the marketplace empties the offer, we say it again."""

from pathlib import Path

import pytest

from kcjl.orders.acceptance_events import AcceptancePolicySet
from kcjl.orders.events import OrderChanged, OrderHeld
from kcjl.stock.events import StockImportFinished
from kcjl.tenant.events import TenantRead
from tests.service.running import quiet_world, serving, shop, until

pytestmark = pytest.mark.anyio


async def test_refused_order_leaves_its_offer_at_zero_until_our_figure_is_said_again(
    database_dsn: str, tmp_path: Path
) -> None:
    """The refusal empties the offer there; the stock room notices, and publishes its figure."""
    async with shop(database_dsn, tmp_path, quiet_world()) as quiet, serving(quiet):
        await quiet.until(TenantRead)
        await quiet.until(StockImportFinished)
        await quiet.until(AcceptancePolicySet)
        await quiet.ask(
            "acceptance-policy-set", by="jo", document='accept = "manual"', reason="holidays"
        )
        await quiet.until(AcceptancePolicySet, lambda event: event.version == 2)
        sku = quiet.an_offer()
        offer = quiet.sandbox.world.marketplace.offers[sku]
        before = offer.quantity
        order_id = quiet.buy(sku)
        held = await quiet.until(OrderHeld, lambda event: event.order_id == order_id)
        while_ordered = offer.quantity
        await quiet.ask("order-refuse", by="jo", order_id=order_id, lines="", reason="broken")
        await quiet.until(
            OrderChanged,
            lambda event: event.order_id == order_id and event.state == "REFUSED",
        )
        # While it was ordered it showed less; refused, it is 0 until we say that all are there.
        await until(lambda: offer.quantity == before)

        truth = quiet.order(order_id)
    assert ("policy", "manual", 2) == (held.reason, held.rule, held.policy_version)
    assert ("REFUSED", ()) == (truth.state, tuple(truth.sales_orders))
    assert quiet.sandbox.settings.world.marketplace.refusal_empties_offer
    assert while_ordered < before
