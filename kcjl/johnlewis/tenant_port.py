"""The tenant as kcjl sees it: the shop's account, the platform, the once-a-day lists.

Promises: one reading, `TenantProfile`, answers what would otherwise be guessed at onboarding;
what the tenant does not say is taken as off, and acceptance as by hand. It judges the shop
model alone: another than MARKETPLACE is not served. Invariant: codes are the operator's own
and stay as they came. Called by `service.py` and the actors; implemented by `tenant.py`.
Source: contract johnlewis a.6, b.1, e.8, g.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

import msgspec

from kcjl.errors import ShopModelNotServed
from kcjl.money import Money

__all__ = [
    "Account",
    "Balances",
    "Carrier",
    "FeeTax",
    "Platform",
    "ProfilePort",
    "Reason",
    "ReturnsModules",
    "ShippingType",
    "ShopStatistics",
    "Statistic",
    "StatisticsPeriod",
    "StatisticsReading",
    "TaxCode",
    "TenantPort",
    "TenantProfile",
    "TenantReading",
    "check_shop_model",
    "refuse_other_models",
]

SERVED_MODEL = "MARKETPLACE"


class TenantRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the records of this module."""


class FeeTax(TenantRecord, frozen=True, kw_only=True):
    """A tax that the operator puts on what it charges the shop."""

    code: str
    label: str
    fee_types: tuple[str, ...] = ()
    """COMMISSION, SUBSCRIPTION, ADDITIONAL_FEES."""


class Balances(TenantRecord, frozen=True, kw_only=True):
    """The shop's balances; each may be negative, None is not told."""

    paid: Money | None = None
    payable: Money | None = None
    pending: Money | None = None
    reserve: Money | None = None
    reserve_target: Money | None = None


class Account(TenantRecord, frozen=True, kw_only=True):
    """A01: who we are there."""

    shop_id: int
    shop_name: str
    state: str
    """OPEN, CLOSE, SUSPENDED, TERMINATED."""
    model: str
    """MARKETPLACE, DROPSHIP or ONE_CREDITOR. Only the first is served."""
    currency: str
    suspension_type: str | None = None
    channels: tuple[str, ...] = ()
    fee_taxes: tuple[FeeTax, ...] = ()
    balances: Balances = Balances()
    approval_rate: Decimal | None = None
    """0 to 1 (contract b.1)."""
    lead_time_days: int | None = None
    closed_from: datetime | None = None
    closed_until: datetime | None = None
    kyc_status: str | None = None


class ReturnsModules(TenantRecord, frozen=True, kw_only=True):
    """For which shop models the returns module is on."""

    marketplace: bool = False
    drop_ship: bool = False
    one_creditor: bool = False


class Platform(TenantRecord, frozen=True, kw_only=True):
    """PC01: how the operator has set the tenant up."""

    acceptance_is_automatic: bool
    multi_shipment: bool
    listed_carriers_only: bool
    tax_mode: str
    timezone: str
    acceptance_raw: str = ""
    addresses_before_acceptance: bool = False
    """Else they come with the acceptance, or not before SHIPPING."""
    pay_on_shipment: bool = False
    pay_on_due_date: bool = False
    no_customer_payment_confirmation: bool = False
    pause_debit_workflow: bool = False
    shipping_origin_editable: bool = False
    multi_part_item_shipment: bool = False
    returns: ReturnsModules = ReturnsModules()
    lead_time_editable: str = "NO"
    """YES, NO or YES_PER_STORE."""
    price_decimals: int = 2
    """Places of an offer's price."""
    csv_delimiter: str = ";"
    channel_pricing: str = "DISABLED"
    discount_dates_required: bool = False
    volume_pricing: bool = False
    payment_confirmation: bool = False
    """Whether the operator confirms that a payout was paid (contract e.1)."""
    models: tuple[str, ...] = ()
    """The shop models that are on, as A01 names them; empty where PC01 does not say."""
    documents_asked_of_shop: bool = False
    """Accounting documents are asked for (DR11), and not uploaded by OR74."""
    platform_name: str = ""
    tenant_name: str = ""


class Carrier(TenantRecord, frozen=True, kw_only=True):
    """SH21: a carrier code that confirmations may use."""

    code: str
    label: str
    standard_code: str | None = None
    tracking_url: str | None = None
    """With the placeholder {trackingId}."""


class ShippingType(TenantRecord, frozen=True, kw_only=True):
    """SH12: a delivery service."""

    code: str
    label: str
    tracking_mandatory: bool
    """OR24 and ST24 are refused without tracking."""
    description: str = ""
    click_and_collect: bool = False
    delivered_by_operator: bool = False
    standard_code: str | None = None


class Reason(TenantRecord, frozen=True, kw_only=True):
    """RE01: a reason code of the operator."""

    code: str
    label: str
    kind: str
    """REFUND, CANCELATION, INCIDENT_OPEN, INCIDENT_CLOSE, RETURN, …; as it came."""
    usable_by_shop: bool


class TaxCode(TenantRecord, frozen=True, kw_only=True):
    """OR75: a tax that orders may carry."""

    code: str
    label: str
    rule: str
    """PROPORTIONAL_TO_AMOUNT or NONE."""


class StatisticsPeriod(StrEnum):
    """A21."""

    ALL_SINCE_BEGINNING = "ALL_SINCE_BEGINNING"
    LAST_MONTH = "LAST_MONTH"
    LAST_THREE_MONTHS = "LAST_THREE_MONTHS"
    LAST_SIX_MONTHS = "LAST_SIX_MONTHS"
    LAST_YEAR = "LAST_YEAR"


class Statistic(TenantRecord, frozen=True, kw_only=True):
    """One figure of one period. Rates are 0 to 1, delays are seconds; None is not measured."""

    metric: str
    period: str
    value: Decimal | None


class ShopStatistics(TenantRecord, frozen=True, kw_only=True):
    """A21: how the operator measures the shop."""

    shop_id: str | None
    updated_at: datetime | None
    channel: str | None
    figures: tuple[Statistic, ...]

    def value(self, metric: str, period: StatisticsPeriod) -> Decimal | None:
        """One figure; None when it was not told or not measured."""
        for figure in self.figures:
            if (figure.metric, figure.period) == (metric, period):
                return figure.value
        return None


class TenantProfile(TenantRecord, frozen=True, kw_only=True):
    """One reading of the tenant: A01, PC01, SH21, SH12, RE01 and OR75."""

    account: Account
    platform: Platform
    carriers: tuple[Carrier, ...]
    shipping_types: tuple[ShippingType, ...]
    reasons: tuple[Reason, ...]
    taxes: tuple[TaxCode, ...]
    read_at: datetime

    @property
    def returns_on(self) -> bool:
        """Whether RT calls make sense for a shop of this model."""
        modules = self.platform.returns
        return {
            "MARKETPLACE": modules.marketplace,
            "DROPSHIP": modules.drop_ship,
            "ONE_CREDITOR": modules.one_creditor,
        }.get(self.account.model, False)

    def tracking_mandatory(self, shipping_type_code: str) -> bool:
        """A shipping type that SH12 does not list is taken as asking for tracking."""
        for kind in self.shipping_types:
            if kind.code == shipping_type_code:
                return kind.tracking_mandatory
        return True

    def reasons_for(self, kind: str) -> tuple[Reason, ...]:
        """The reasons of a kind (REFUND, CANCELATION, …) that a shop may use."""
        return tuple(each for each in self.reasons if each.kind == kind and each.usable_by_shop)


def check_shop_model(account: Account, platform: Platform) -> None:
    """Raise `ShopModelNotServed` for a shop that kcjl would book wrongly (contract e.8)."""
    refuse_other_models(
        shop_id=account.shop_id,
        shop_name=account.shop_name,
        model=account.model,
        models_on=platform.models,
    )


def refuse_other_models(
    *, shop_id: int, shop_name: str, model: str, models_on: Sequence[str]
) -> None:
    """As `check_shop_model`, for what is known of the shop from elsewhere."""
    if model == SERVED_MODEL:
        return
    switched_on = ", ".join(models_on) or "not told"
    raise ShopModelNotServed(
        f"shop {shop_id} ({shop_name}) is of model {model or '(none told)'}; "
        f"kcjl serves {SERVED_MODEL} only: there the brand "
        "sells to the customer and pays a commission. In DROPSHIP and ONE_CREDITOR the brand "
        "sells to the operator, offer prices are purchase prices, and orders, VAT and payouts "
        f"would be booked wrongly. Models on at the platform: {switched_on}. Ask the operator "
        f"for a shop of model {SERVED_MODEL}, or take the merchant out of kcjl.toml; nothing "
        "was written"
    )


class TenantPort(Protocol):
    """What kcjl asks about the tenant. All but V01 are once-a-day calls (contract d.1)."""

    async def ping(self) -> None: ...  # V01

    async def account(self) -> Account: ...  # A01

    async def platform(self) -> Platform: ...  # PC01

    async def carriers(self) -> Sequence[Carrier]: ...  # SH21

    async def shipping_types(self) -> Sequence[ShippingType]: ...  # SH12


class TenantReading(Protocol):
    """The tenant in one reading: six once-a-day calls."""

    async def tenant_profile(self) -> TenantProfile: ...


class StatisticsReading(Protocol):
    """How the operator measures the shop: a once-a-day call."""

    async def statistics(
        self, periods: Sequence[StatisticsPeriod] = ()
    ) -> ShopStatistics: ...  # A21


class ProfilePort(TenantPort, TenantReading, StatisticsReading, Protocol):
    """All that can be asked about the tenant and the shop."""

    async def reasons(self) -> Sequence[Reason]: ...  # RE01

    async def order_taxes(self) -> Sequence[TaxCode]: ...  # OR75
