"""The seller API: what the tenant says about itself, and what a shop is measured by."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from kcjl.errors import CredentialsRefused, ProtocolSurprise, ShopModelNotServed
from kcjl.johnlewis.port import MarketplacePort
from kcjl.johnlewis.seller_api import SellerApi
from kcjl.johnlewis.tenant_port import (
    Balances,
    FeeTax,
    ProfilePort,
    ReturnsModules,
    StatisticsPeriod,
    TenantProfile,
    check_shop_model,
)
from kcjl.money import Money
from tests.johnlewis import samples
from tests.johnlewis.conftest import JumpingClock, MakeApi
from tests.johnlewis.server import Asked, ScriptedServer, said

pytestmark = pytest.mark.anyio

TENANT: dict[str, object] = {
    "/api/account": samples.ACCOUNT,
    "/api/platform/configuration": samples.PLATFORM,
    "/api/shipping/carriers": samples.CARRIERS,
    "/api/shipping/types": samples.SHIPPING_TYPES,
    "/api/reasons": samples.REASONS,
    "/api/orders/taxes": samples.ORDER_TAXES,
}


def tenant(market: ScriptedServer, **changes: bytes) -> None:
    """A tenant that answers each list by its path, or by what is said of its last word."""

    def answer(asked: Asked) -> bytes:
        last = asked.path.rpartition("/")[2]
        return changes.get(last) or said(200, TENANT[asked.path])

    market.by = answer


async def profile_of(market: ScriptedServer, api: SellerApi, **changes: bytes) -> TenantProfile:
    tenant(market, **changes)
    return await api.tenant_profile()


async def test_seller_api_as_a_tenant_has_every_call(api: SellerApi) -> None:
    """One adapter for the actors and for onboarding."""
    port: ProfilePort = api
    actors: MarketplacePort = api

    assert (port, actors) == (api, api)


async def test_account_as_in_the_contract_is_read_whole(
    market: ScriptedServer, api: SellerApi
) -> None:
    """A01: balances may be negative, what is null is not told (b.1)."""
    market.will_say(said(200, samples.ACCOUNT))

    account = await api.account()

    assert (4021, "Example Brand", "OPEN", "MARKETPLACE", "GBP") == (
        account.shop_id,
        account.shop_name,
        account.state,
        account.model,
        account.currency,
    )
    assert (
        FeeTax(code="TAXDEFAULT", label="VAT", fee_types=("COMMISSION", "SUBSCRIPTION")),
    ) == (account.fee_taxes)
    assert account.balances == Balances(
        paid=Money(12050), payable=Money(-321), pending=Money(4000), reserve=Money(0)
    )
    assert (("JLUK",), Decimal("0.9875"), 2, "APPROVED", None) == (
        account.channels,
        account.approval_rate,
        account.lead_time_days,
        account.kyc_status,
        account.suspension_type,
    )
    assert datetime(2026, 12, 24, tzinfo=UTC) == account.closed_from
    assert datetime(2026, 12, 27, tzinfo=UTC) == account.closed_until


async def test_platform_as_in_the_contract_is_read_whole(
    market: ScriptedServer, api: SellerApi
) -> None:
    """PC01: all that a.6 wants to know at onboarding."""
    market.will_say(said(200, samples.PLATFORM))

    platform = await api.platform()

    assert (True, "AUTOMATIC", True, True, False, False, True) == (
        platform.acceptance_is_automatic,
        platform.acceptance_raw,
        platform.addresses_before_acceptance,
        platform.pay_on_shipment,
        platform.pay_on_due_date,
        platform.no_customer_payment_confirmation,
        platform.shipping_origin_editable,
    )
    assert (True, True, True, "TAX_EXCLUDED", "Europe/London") == (
        platform.multi_shipment,
        platform.multi_part_item_shipment,
        platform.listed_carriers_only,
        platform.tax_mode,
        platform.timezone,
    )
    assert ReturnsModules(marketplace=True) == platform.returns
    assert ("YES_PER_STORE", 4, ",", "MULTI", True, True, True) == (
        platform.lead_time_editable,
        platform.price_decimals,
        platform.csv_delimiter,
        platform.channel_pricing,
        platform.discount_dates_required,
        platform.volume_pricing,
        platform.payment_confirmation,
    )
    assert (("MARKETPLACE", "DROPSHIP"), True, "Example Stores", "example-preprod") == (
        platform.models,
        platform.documents_asked_of_shop,
        platform.platform_name,
        platform.tenant_name,
    )


async def test_platform_that_says_nothing_is_taken_as_off(
    market: ScriptedServer, api: SellerApi
) -> None:
    """What is not said is off, and prices have two places."""
    market.will_say(said(200, {}))

    platform = await api.platform()

    assert (False, False, ReturnsModules(), 2, ";", ()) == (
        platform.acceptance_is_automatic,
        platform.addresses_before_acceptance,
        platform.returns,
        platform.price_decimals,
        platform.csv_delimiter,
        platform.models,
    )


async def test_profile_is_one_reading_of_the_whole_tenant(
    market: ScriptedServer, api: SellerApi, clock: JumpingClock
) -> None:
    """Six once-a-day calls, each made once (d.1)."""
    profile = await profile_of(market, api)

    assert sorted(TENANT) == sorted(asked.path for asked in market.asked)
    assert clock.at == profile.read_at
    assert (["RM", "EVRI"], ["VAT20"]) == (
        [each.code for each in profile.carriers],
        [each.code for each in profile.taxes],
    )
    assert ["15"] == [each.code for each in profile.reasons_for("REFUND")]
    assert ["34"] == [each.code for each in profile.reasons_for("CANCELATION")]
    assert profile.returns_on
    assert (True, False, True) == (
        profile.tracking_mandatory("STD"),
        profile.tracking_mandatory("POST"),
        profile.tracking_mandatory("NOT_LISTED"),
    )


async def test_profile_of_a_tenant_without_order_taxes_has_none(
    market: ScriptedServer, api: SellerApi
) -> None:
    """A 404 on OR75 is a feature that is off (d.3)."""
    profile = await profile_of(market, api, taxes=said(404, {"message": "no", "status": 404}))

    assert () == profile.taxes


async def test_profile_that_a_role_may_not_read_is_refused_whole(
    market: ScriptedServer, api: SellerApi
) -> None:
    """Half a profile would be a guess."""
    with pytest.raises(CredentialsRefused, match="RE01"):
        await profile_of(market, api, reasons=said(403, {"message": "role"}))


@pytest.mark.parametrize("model", ["DROPSHIP", "ONE_CREDITOR", None, "SOMETHING_NEW"])
async def test_shop_of_another_model_is_refused_with_what_to_do(
    market: ScriptedServer, api: SellerApi, model: str | None
) -> None:
    """Not half-served: its prices, VAT and payouts mean something else (e.8)."""
    account = said(200, {**samples.ACCOUNT, "model": model})
    profile = await profile_of(market, api, account=account)

    with pytest.raises(ShopModelNotServed) as refusal:
        check_shop_model(profile.account, profile.platform)
    message = refusal.value.message
    assert f"shop 4021 (Example Brand) is of model {model or '(none told)'}" in message
    assert "Models on at the platform: MARKETPLACE, DROPSHIP" in message
    assert "nothing was written" in message
    assert (model == "ONE_CREDITOR") <= (not profile.returns_on)


async def test_shop_of_the_served_model_passes(market: ScriptedServer, api: SellerApi) -> None:
    """MARKETPLACE: the brand sells to the customer, and pays a commission."""
    profile = await profile_of(market, api)

    check_shop_model(profile.account, profile.platform)

    assert "MARKETPLACE" == profile.account.model


async def test_reasons_and_taxes_with_nulls_are_the_operators_alone(
    market: ScriptedServer, api: SellerApi
) -> None:
    """A right that is not told is not ours; a rule that is not told is in proportion."""
    market.will_say(
        said(200, {"reasons": [{"code": 15, "type": None, "is_shop_right": None}]}),
        said(200, {"taxes": [{"code": "V"}]}),
        said(200, {"reasons": [{"label": "no code"}]}),
    )

    (reason,) = await api.reasons()
    (tax,) = await api.order_taxes()

    assert ("15", "", False) == (reason.code, reason.kind, reason.usable_by_shop)
    assert "PROPORTIONAL_TO_AMOUNT" == tax.rule
    with pytest.raises(ProtocolSurprise, match="RE01: a reason's code is missing"):
        await api.reasons()


async def test_statistics_are_told_by_metric_and_period(
    market: ScriptedServer, api: SellerApi
) -> None:
    """A21: null is not measured; delays are seconds (b.1)."""
    market.will_say(
        said(200, {**samples.STATISTICS, "quality": [1, 2], "new_rate": [{"grade": "A"}]})
    )

    told = await api.statistics(
        [StatisticsPeriod.LAST_MONTH, StatisticsPeriod.LAST_THREE_MONTHS]
    )

    assert [("periods", "LAST_MONTH,LAST_THREE_MONTHS")] == market.asked[0].query
    assert ("4021", "JLUK") == (told.shop_id, told.channel)
    assert datetime(2026, 2, 3, 1, tzinfo=UTC) == told.updated_at
    assert Decimal("0.08") == told.value("late_shipment_rate", StatisticsPeriod.LAST_MONTH)
    assert 86400 == told.value("shipping_delay", StatisticsPeriod.LAST_MONTH)
    assert told.value("late_shipment_rate", StatisticsPeriod.LAST_THREE_MONTHS) is None
    assert told.value("refund_rate", StatisticsPeriod.LAST_MONTH) is None
    assert 3 == len(told.figures)


async def test_statistics_in_percent_come_out_as_fractions(
    market: ScriptedServer, make_api: MakeApi
) -> None:
    """The scale is not documented, so it is a setting (g)."""
    api = make_api(rates_are_percent=True)
    market.will_say(
        said(
            200,
            {
                "refund_rate": [{"period": "LAST_MONTH", "value": 2.5}],
                "orders_count": [{"period": "LAST_MONTH", "value": 40}],
            },
        )
    )

    told = await api.statistics()

    assert [] == market.asked[0].query
    assert Decimal("0.025") == told.value("refund_rate", StatisticsPeriod.LAST_MONTH)
    assert 40 == told.value("orders_count", StatisticsPeriod.LAST_MONTH)
