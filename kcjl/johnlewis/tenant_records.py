"""Translates what Mirakl tells of the tenant: A01, PC01, SH21, SH12, RE01, OR75 and A21.

Promises: what PC01 does not say is off, acceptance by hand, prices with two places; codes stay
as they came. It judges nothing and asks nobody. Invariant: a list that is not there, in an
answer that talks of failure, raises `ProtocolSurprise`.
Called by `tenant.py` only. Source: contract johnlewis a.6, b.1, g.
"""

from decimal import Decimal

import msgspec

from kcjl.errors import ProtocolSurprise
from kcjl.johnlewis import tenant_wire as tenant
from kcjl.johnlewis.reading import (
    holds,
    key,
    listed,
    number,
    optional,
    rounded,
    sound,
    text,
    time,
    whole,
    words_of_refusal,
)
from kcjl.johnlewis.tenant_port import (
    Account,
    Balances,
    Carrier,
    FeeTax,
    Platform,
    Reason,
    ReturnsModules,
    ShippingType,
    ShopStatistics,
    Statistic,
    TaxCode,
)
from kcjl.johnlewis.wire import decoded
from kcjl.money import Money

__all__ = [
    "account",
    "carriers",
    "order_taxes",
    "platform",
    "reasons",
    "shipping_types",
    "statistics",
]

_DELIMITERS = {"COMMA": ",", "SEMICOLON": ";"}
_PRICE_PLACES_MAX = 10
_MODELS = (
    ("marketplace", "MARKETPLACE"),
    ("drop_ship", "DROPSHIP"),
    ("one_creditor", "ONE_CREDITOR"),
)
_METRICS = frozenset(
    {"approval_delay", "approval_rate", "auto_refused_rate", "average_cart"}
    | {"cancelation_rate", "consecutive_refused_orders_count", "incident_rate"}
    | {"late_shipment_rate", "offers_count", "order_messages_response_delay", "orders_count"}
    | {"refund_rate", "return_rate", "shipping_delay", "total_revenue", "valid_tracking_rate"}
)
"""The metrics that the contract names (A21)."""


# ── A01 ─────────────────────────────────────────────────────────────────────────────────────


def account(body: bytes, currency: str) -> Account:
    read = decoded(body, tenant.WireAccount, "A01")
    in_currency = read.currency_iso_code or currency
    lead_time = read.shipping.lead_time_to_ship if read.shipping else None
    return Account(
        shop_id=whole(number(read.shop_id, "A01: the shop id"), "A01: the shop id"),
        shop_name=text(read.shop_name),
        state=text(read.shop_state),
        model=text(read.model),
        currency=in_currency,
        suspension_type=optional(read.suspension_type),
        channels=tuple(code for each in read.channels or () if (code := text(each))),
        fee_taxes=tuple(
            FeeTax(
                code=text(tax.code),
                label=text(tax.label),
                fee_types=tuple(kind for kind in tax.fee_types or () if kind),
            )
            for tax in read.applicable_taxes or ()
        ),
        balances=_balances(read.payment_details or tenant.WireBalances(), in_currency),
        approval_rate=_figure(read.approval_rate, "A01: approval_rate"),
        lead_time_days=None if lead_time is None else whole(lead_time, "A01: lead time"),
        closed_from=time(read.closed_from, "A01: closed_from"),
        closed_until=time(read.closed_to, "A01: closed_to"),
        kyc_status=read.kyc.status if read.kyc else None,
    )


def _balances(told: tenant.WireBalances, currency: str) -> Balances:
    def money(amount: Decimal | None, which: str) -> Money | None:
        return None if amount is None else rounded(amount, currency, f"A01: {which}")

    return Balances(
        paid=money(told.paid_balance, "paid_balance"),
        payable=money(told.payable_balance, "payable_balance"),
        pending=money(told.pending_balance, "pending_balance"),
        reserve=money(told.reserve_balance, "reserve_balance"),
        reserve_target=money(told.reserve_target, "reserve_target"),
    )


# ── PC01 ────────────────────────────────────────────────────────────────────────────────────


def platform(body: bytes) -> Platform:
    read = decoded(body, tenant.WirePlatform, "PC01")
    features = read.features or tenant.WireFeatures()
    workflows = features.order_workflows or tenant.WireWorkflows()
    shipment = features.shipment or tenant.WireShipmentFeatures()
    returns = features.returns or tenant.WireReturnsFeatures()
    pricing = features.pricing or tenant.WirePricingFeatures()
    configured = read.platform_configuration or tenant.WirePlatformConfiguration()
    invoicing = configured.enhanced_seller_invoicing
    return Platform(
        acceptance_is_automatic=_is_automatic(workflows.order_acceptance),
        acceptance_raw=text(workflows.order_acceptance),
        addresses_before_acceptance=bool(
            workflows.shipping_and_billing_details_before_acceptance
        ),
        pay_on_shipment=bool(workflows.pay_on_shipment),
        pay_on_due_date=bool(workflows.pay_on_due_date),
        no_customer_payment_confirmation=bool(workflows.no_customer_payment_confirmation),
        pause_debit_workflow=bool(workflows.pause_debit_workflow),
        shipping_origin_editable=bool(workflows.sellers_edit_shipping_origin),
        multi_shipment=bool(shipment.multi_shipment),
        multi_part_item_shipment=bool(shipment.multi_part_item_shipment),
        listed_carriers_only=bool(features.disable_seller_alternative_carrier),
        tax_mode=features.order_tax_mode or "TAX_INCLUDED",
        timezone=read.timezone or "UTC",
        returns=ReturnsModules(
            marketplace=bool(returns.marketplace),
            drop_ship=bool(returns.drop_ship),
            one_creditor=bool(returns.one_creditor),
        ),
        lead_time_editable=text(features.lead_time_to_ship_by_sellers_enabled) or "NO",
        price_decimals=_places(text(features.offer_prices_decimals)),
        csv_delimiter=_DELIMITERS.get((features.operator_csv_delimiter or "").upper(), ";"),
        channel_pricing=text(pricing.channel_pricing) or "DISABLED",
        discount_dates_required=bool(pricing.discount_period_required),
        volume_pricing=bool(pricing.volume_pricing),
        payment_confirmation=bool(features.payment_confirmation),
        models=_models(configured),
        documents_asked_of_shop=bool(invoicing and invoicing.enabled),
        platform_name=text(read.platform_name),
        tenant_name=text(read.tenant_name),
    )


def _is_automatic(acceptance: str | None) -> bool:
    """NOT_AUTOMATIC is the one word seen; what is not said is taken as by hand."""
    word = (acceptance or "").upper()
    return "AUTOMATIC" in word and not word.startswith("NOT")


def _places(told: str) -> int:
    if told.isdecimal() and told.isascii() and len(told) <= len(str(_PRICE_PLACES_MAX)):
        return min(int(told), _PRICE_PLACES_MAX)
    return 2


def _models(configured: tenant.WirePlatformConfiguration) -> tuple[str, ...]:
    told = configured.platform_model
    return tuple(model for name, model in _MODELS if told and getattr(told, name))


# ── the lists ───────────────────────────────────────────────────────────────────────────────


def carriers(body: bytes) -> tuple[Carrier, ...]:
    read = decoded(body, tenant.WireCarriers, "SH21").carriers
    return tuple(
        Carrier(
            code=key(row.code, "SH21: a carrier's code"),
            label=text(row.label),
            standard_code=row.standard_code or None,
            tracking_url=row.tracking_url or None,
        )
        for row in listed(read, body, "SH21")
    )


def shipping_types(body: bytes) -> tuple[ShippingType, ...]:
    read = decoded(body, tenant.WireShippingTypes, "SH12").shipping_types
    return tuple(
        ShippingType(
            code=key(row.code, "SH12: a shipping type's code"),
            label=text(row.label),
            tracking_mandatory=bool(row.mandatory_tracking),
            description=text(row.description),
            click_and_collect=bool(row.click_and_collect),
            delivered_by_operator=bool(row.delivery_by_operator),
            standard_code=optional(row.standard_code),
        )
        for row in listed(read, body, "SH12")
    )


def reasons(body: bytes) -> tuple[Reason, ...]:
    """A reason whose right is not told is not taken as the shop's."""
    read = decoded(body, tenant.WireReasons, "RE01").reasons
    return tuple(
        Reason(
            code=key(row.code, "RE01: a reason's code"),
            label=text(row.label),
            kind=text(row.type),
            usable_by_shop=bool(row.is_shop_right),
        )
        for row in listed(read, body, "RE01")
    )


def order_taxes(body: bytes) -> tuple[TaxCode, ...]:
    read = decoded(body, tenant.WireTaxCodes, "OR75").taxes
    return tuple(
        TaxCode(
            code=key(row.code, "OR75: a tax's code"),
            label=text(row.label),
            rule=row.tax_calculation_rule or "PROPORTIONAL_TO_AMOUNT",
        )
        for row in listed(read, body, "OR75")
    )


# ── A21 ─────────────────────────────────────────────────────────────────────────────────────


def statistics(body: bytes, *, rates_are_percent: bool) -> ShopStatistics:
    """Every list of {period, value}, whatever metric it is of; rates come out as 0 to 1."""
    answer = decoded(body, dict[str, msgspec.Raw], "A21")
    heading = decoded(body, _Heading, "A21")
    figures: list[Statistic] = []
    for metric, part in answer.items():
        scale = 100 if rates_are_percent and metric.endswith("_rate") else 1
        figures += [
            Statistic(
                metric=metric,
                period=row.period,
                value=_figure(row.value, f"A21: {metric}", scale),
            )
            for row in _measured(metric, part)
            if row.period
        ]
    if not figures and (message := words_of_refusal(body)[0]):
        raise ProtocolSurprise(f"A21: a success without figures, which says: {message}")
    return ShopStatistics(
        shop_id=optional(heading.shop_id),
        updated_at=time(heading.last_updated_date, "A21: last_updated_date"),
        channel=_channel(heading.channel),
        figures=tuple(figures),
    )


def _measured(metric: str, part: msgspec.Raw) -> list[tenant.WireMeasured]:
    """A field that is no metric, or of a metric that we do not know in a form of its own, is
    passed over.
    """
    told = holds(part)
    if told is None or not told.startswith(b"["):
        return []
    try:
        return decoded(told, list[tenant.WireMeasured], f"A21: {metric}")
    except ProtocolSurprise:
        if metric in _METRICS:
            raise
        return []


def _figure(value: Decimal | None, what: str, scale: int = 1) -> Decimal | None:
    return None if value is None else sound(value, what) / scale


class _Heading(msgspec.Struct, frozen=True, kw_only=True):
    shop_id: int | str | None = None
    last_updated_date: str | None = None
    channel: msgspec.Raw = msgspec.Raw(b"")


def _channel(told: msgspec.Raw) -> str | None:
    """A code, or an object with one: both have been seen for channels."""
    raw = holds(told)
    if raw is None:
        return None
    if raw.startswith(b"{"):
        return optional(decoded(raw, _Coded, "A21: channel").code)
    return optional(decoded(raw, str, "A21: channel"))


class _Coded(msgspec.Struct, frozen=True, kw_only=True):
    code: str | int | None = None
