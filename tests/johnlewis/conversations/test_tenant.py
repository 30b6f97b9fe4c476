"""V01, A01, A21, PC01, SH21, SH12, RE01 and OR75, client against sandbox, happy and failing."""

from collections.abc import Awaitable, Callable

import pytest

from kcjl.errors import CredentialsRefused, ProtocolSurprise, RateLimited, Refused, Unavailable
from kcjl.johnlewis.seller_api import SellerApi
from kcjl.johnlewis.tenant_port import StatisticsPeriod
from kcjl.sandbox.faults import Fault
from tests.johnlewis.test_seller_api_sandbox import serving
from tests.sandbox.marketplace_shop import quick

pytestmark = pytest.mark.anyio

CALLS: dict[str, Callable[[SellerApi], Awaitable[object]]] = {
    "V01": SellerApi.ping,
    "A01": SellerApi.account,
    "A21": SellerApi.statistics,
    "PC01": SellerApi.platform,
    "SH21": SellerApi.carriers,
    "SH12": SellerApi.shipping_types,
    "RE01": SellerApi.reasons,
    "OR75": SellerApi.order_taxes,
}


async def test_tenant_that_was_set_up_is_read_as_it_was() -> None:
    """A01, PC01, SH21, SH12, RE01 and OR75 say what the operator has set; V01 that it is up."""
    chosen = quick(
        shop_name="Loom & Co",
        auto_accept=True,
        multi_shipment=False,
        mandatory_tracking=True,
        listed_carriers_only=False,
        tax_code="VAT-UK",
        csv_delimiter="COMMA",
        payment_workflow="PAY_ON_SHIPMENT",
    )
    async with serving(chosen) as world:
        api = world.api()
        await api.ping()
        account, platform = await api.account(), await api.platform()
        carriers, kinds = await api.carriers(), await api.shipping_types()
        reasons, taxes = await api.reasons(), await api.order_taxes()

    assert (4021, "Loom & Co", "MARKETPLACE", "GBP") == (
        account.shop_id,
        account.shop_name,
        account.model,
        account.currency,
    )
    assert platform.acceptance_is_automatic
    assert not platform.multi_shipment
    assert {each.code: each.label for each in chosen.carriers} == {
        each.code: each.label for each in carriers
    }
    assert {each.code for each in chosen.shipping_types} == {each.code for each in kinds}
    assert all(each.tracking_mandatory for each in kinds)
    assert {(each.code, each.type, each.is_shop_right) for each in chosen.reasons} == {
        (each.code, each.kind, each.usable_by_shop) for each in reasons
    }
    assert ["VAT-UK"] == [each.code for each in taxes]


async def test_statistics_count_what_there_is() -> None:
    """A21: orders and refusals of the shop's own truth, of the period that was asked."""
    async with serving() as world:
        kept, refused = world.shop.order_to_ship(), world.shop.order()
        world.shop.decide(refused, False, False)
        told = await world.api().statistics([StatisticsPeriod.LAST_MONTH])

    month = StatisticsPeriod.LAST_MONTH
    assert len({kept.order_id, refused.order_id}) == told.value("orders_count", month)
    assert 0 < (told.value("approval_rate", month) or 0) < 1
    assert {month} == {figure.period for figure in told.figures}


async def test_statistics_of_no_period_are_refused() -> None:
    """A21: a period that the platform does not have is a 400."""
    async with serving() as world:
        with pytest.raises(Refused) as refusal:
            await world.api().statistics(["YESTERDAY"])  # type: ignore[list-item] # no period

    assert (Refused, 400) == (type(refusal.value), refusal.value.status)


@pytest.mark.parametrize("operation", CALLS)
async def test_strangers_are_told_nothing(operation: str) -> None:
    """A key that nobody has is a 401 at each of them, and names the operation."""
    async with serving() as world:
        with pytest.raises(CredentialsRefused) as refusal:
            await CALLS[operation](world.api("somebody"))

    assert 401 == refusal.value.status
    assert refusal.value.message.startswith(operation)


@pytest.mark.parametrize("operation", CALLS)
async def test_reading_that_breaks_can_be_repeated(operation: str) -> None:
    """Too busy, down, cut short, no JSON: each its own error; the next reading is whole."""
    struck = [
        (Fault(kind="rate_limit", operation=operation, retry_after_s=7), RateLimited),
        (Fault(kind="status", status=503, operation=operation), Unavailable),
        (Fault(kind="truncated", operation=operation), Unavailable),
    ]
    if operation != "V01":  # what a ping says is not read
        struck.append((Fault(kind="half_json", operation=operation), ProtocolSurprise))
    async with serving() as world:
        api = world.api()
        for fault, error in struck:
            world.faults.add([fault])
            with pytest.raises(error):
                await CALLS[operation](api)

        world.shop.wait(hours=24)
        await CALLS[operation](api)
