"""How the sandbox's John Lewis tenant is set up: every switch that the operator has.

Promises: defaults are those of the contract (johnlewis b.1, c.3, d.1, e); what it calls
uncertain is a switch here. Durations say their unit. It decides nothing itself.
Invariant: a settings object never changes; another tenant is another object.
Called by the marketplace model, its HTTP face and the server that builds them.
"""

from datetime import time
from decimal import Decimal
from typing import Literal

import msgspec

from kcjl.money import Money

__all__ = [
    "ApiKey",
    "CarrierSetting",
    "MarketplaceSettings",
    "ReasonSetting",
    "ShippingTypeSetting",
]

TRACKING_PLACEHOLDER = "{trackingId}"


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the settings."""


class ApiKey(Setting, frozen=True, kw_only=True):
    """A shop user's key, and what its user may do."""

    key: str
    accounting: bool = True
    """Without the accounting role TL02 to TL05, SBC11, IV01 and IV02 answer 403."""
    external_partner: bool = False
    """An External Partner may call OR11 every 15 minutes only (d.1)."""


class CarrierSetting(Setting, frozen=True, kw_only=True):
    """SH21: a registered carrier."""

    code: str
    label: str
    standard_code: str | None = None
    tracking_url: str | None = None
    """With {trackingId} where the tracking number goes; then the number is mandatory."""

    @property
    def number_is_mandatory(self) -> bool:
        return self.tracking_url is not None and TRACKING_PLACEHOLDER in self.tracking_url

    def url_for(self, number: str | None) -> str | None:
        if self.tracking_url is None or not number:
            return None
        return self.tracking_url.replace(TRACKING_PLACEHOLDER, number)


class ShippingTypeSetting(Setting, frozen=True, kw_only=True):
    """SH12: a delivery service."""

    code: str
    label: str
    description: str = ""
    standard_code: str | None = None
    click_and_collect: bool = False
    delivery_by_operator: bool = False


class ReasonSetting(Setting, frozen=True, kw_only=True):
    """RE01: why something was refunded, cancelled or returned."""

    code: str
    label: str
    type: str
    is_shop_right: bool = True


def _url(carrier: str) -> str:
    return f"https://{carrier}.carrier.example/track/{TRACKING_PLACEHOLDER}"


_CARRIERS = (
    CarrierSetting(
        code="RM", label="Royal Mail", standard_code="royal-mail", tracking_url=_url("rm")
    ),
    CarrierSetting(code="EVRI", label="Evri", standard_code="evri", tracking_url=_url("evri")),
    CarrierSetting(code="DPD", label="DPD", standard_code="dpd-uk", tracking_url=_url("dpd")),
    CarrierSetting(code="DHL", label="DHL", standard_code="dhl", tracking_url=_url("dhl")),
    CarrierSetting(code="UPS", label="UPS", standard_code="ups", tracking_url=_url("ups")),
    CarrierSetting(code="YODEL", label="Yodel", standard_code="yodel"),
)

_SHIPPING_TYPES = (
    ShippingTypeSetting(
        code="STD", label="Standard", description="3 to 5 days", standard_code="CU_ADD-STD"
    ),
    ShippingTypeSetting(
        code="NDD", label="Next day", description="Next day", standard_code="CU_ADD-EXP"
    ),
)

_REASONS = (
    ReasonSetting(
        code="14", label="No response from seller", type="REFUND", is_shop_right=False
    ),
    ReasonSetting(code="15", label="Out of stock", type="REFUND"),
    ReasonSetting(code="16", label="Item damaged", type="REFUND"),
    ReasonSetting(code="17", label="Item returned", type="REFUND"),
    ReasonSetting(code="18", label="Item not received", type="REFUND"),
    ReasonSetting(code="19", label="Goodwill", type="REFUND"),
    ReasonSetting(code="34", label="Cancelled before shipping", type="CANCELATION"),
    ReasonSetting(
        code="35", label="Cancelled by customer", type="CANCELATION", is_shop_right=False
    ),
    ReasonSetting(code="RETURN_CHANGED_MIND", label="Changed mind", type="RETURN"),
)


class MarketplaceSettings(Setting, frozen=True, kw_only=True):
    """Everything that can be set on the tenant."""

    # ── who ────────────────────────────────────────────────────────────────────────────────
    shop_id: int = 4021
    shop_name: str = "Example Brand"
    shop_corporate_name: str = "Example Brand Ltd"
    shop_operator_internal_id: str = "V1009"
    shop_model: Literal["MARKETPLACE", "DROPSHIP", "ONE_CREDITOR"] = "MARKETPLACE"
    currency: str = "GBP"
    channel_code: str = "JLUK"
    channel_label: str = "Web UK"
    platform_name: str = "Example Stores"
    tenant_name: str = "example-preprod"
    api_keys: tuple[ApiKey, ...] = (ApiKey(key="johnlewis-sandbox-key"),)

    # ── lists ──────────────────────────────────────────────────────────────────────────────
    carriers: tuple[CarrierSetting, ...] = _CARRIERS
    shipping_types: tuple[ShippingTypeSetting, ...] = _SHIPPING_TYPES
    reasons: tuple[ReasonSetting, ...] = _REASONS

    # ── acceptance and debit ───────────────────────────────────────────────────────────────
    first_order_number: int = 700_000_001
    staging_s: float = 0
    """Seconds of fraud check before an order is offered for acceptance."""
    auto_accept: bool = False
    partial_acceptance: bool = True
    acceptance_timeout_hours: float | None = 48
    """After so long without a decision an order is REFUSED; None: never."""
    refusal_empties_offer: bool = True
    """Refusing an order line sets its offer's quantity to 0 (f.18)."""
    payment_workflow: Literal[
        "PAY_ON_ACCEPTANCE",
        "PAY_ON_DELIVERY",
        "PAY_ON_DUE_DATE",
        "PAY_ON_SHIPMENT",
        "NO_CUSTOMER_PAYMENT_CONFIRMATION",
    ] = "PAY_ON_ACCEPTANCE"
    debit_delay_s_min: float = 60
    debit_delay_s_max: float = 900
    failing_debit_share: float = 0
    """Share of debits that fail: such orders are CANCELED."""
    addresses_visible_from: Literal["CREATION", "ACCEPTANCE", "SHIPPING"] = "SHIPPING"

    # ── shipping ───────────────────────────────────────────────────────────────────────────
    multi_shipment: bool = True
    """Off: the shipment operations answer 404, and OR23 + OR24 are the way."""
    whole_order_shipping: bool = True
    """OR24 while multi-shipment is on and the order has no shipment yet (uncertain, g)."""
    mandatory_tracking: bool = False
    listed_carriers_only: bool = True
    shipping_deadline_days: int = 2
    late_shipment_cancel_hours: float | None = None
    """So long after the deadline what is not shipped is cancelled; None: never."""
    received_after_hours_min: float = 24
    received_after_hours_max: float = 72
    closed_after_hours: float = 14 * 24

    # ── amounts ────────────────────────────────────────────────────────────────────────────
    shipping_price: Money = Money(395)
    """Charged once an order, on its first line, unless the basket says otherwise."""
    free_shipping_from: Money | None = None
    """Goods of so much are sent free; None: never."""
    tax_mode: Literal["TAX_INCLUDED", "TAX_EXCLUDED"] = "TAX_INCLUDED"
    taxes_filled: bool = True
    """Off: taxes[] and shipping_taxes[] are empty, as on many European tenants (e.6)."""
    separate_tax_lines: bool = False
    """ORDER_AMOUNT net with ORDER_AMOUNT_TAX beside it, also when tax is included (e.6)."""
    tax_code: str = "VAT20"
    tax_rate: Decimal = Decimal(20)
    """Percent."""
    tax_rates_by_category: dict[str, Decimal] = {}
    commission_rate: Decimal = Decimal("0.20")
    """On price and shipping of a line, half up to the penny (e.5)."""
    commission_rates_by_category: dict[str, Decimal] = {}
    commission_on_shipping: bool = True
    commission_tax_code: str = "TAXDEFAULT"
    commission_vat_rate: Decimal = Decimal(20)
    """Percent of the rounded fee."""

    # ── refunds and payouts ────────────────────────────────────────────────────────────────
    refund_accepted_after_s: float = 60
    refund_paid_after_s: float = 3600
    refund_needs_payable_balance: bool = False
    cycle_time_london: str = "01:00"
    cycle_every_days: int | None = None
    """A billing cycle every so many days; None: on `cycle_days_of_month`."""
    cycle_days_of_month: tuple[int, ...] = (1, 11, 21)
    payout_paid_after_hours: float = 48
    subscription_fee: Money | None = None
    """Without its VAT; charged at every billing cycle."""

    # ── imports, pages, limits ─────────────────────────────────────────────────────────────
    import_s_min: float = 5
    import_s_max: float = 20
    boundary_overlap_s: float = 60
    """How far OR11 moves start_update_date into the past."""
    duplicated_page_rows: bool = False
    """Later offset pages begin with the row that ended the page before."""
    oversized_pages_refused: bool = False
    """More rows asked than allowed: 400. Off: the page is cut to what is allowed."""
    call_limits: bool = True
    daily_calls: int = 6
    """Calls a day allowed where the contract says once a day; pages are not counted."""
    call_window_slack: float = 0.1
    """Share by which a limit's window is shortened, for clients that poll on the dot."""

    # ── offer imports and exports ──────────────────────────────────────────────────────────
    csv_delimiter: Literal["COMMA", "SEMICOLON"] = "SEMICOLON"
    """PC01's operator_csv_delimiter: of OF51 and of CSV exports."""
    offer_price_decimals: int = 2
    """PC01's offer_prices_decimals: a price with more places is refused line by line."""
    discount_period_required: bool = True
    """PC01: a discount needs its first and its last day."""
    known_product_ids: tuple[str, ...] | None = None
    """Of the operator's catalogue, beside what is on offer; None: every GTIN is a product."""
    failing_import_share: float = 0
    """Share of offer and price imports that end FAILED, with nothing of them done."""
    export_s_min: float = 5
    export_s_max: float = 20
    failing_export_share: float = 0
    export_files_live_hours: float = 24
    """So long after an export its files can be fetched; then they are gone (404)."""
    export_files_need_key: bool = False
    """Off: who has the address of a file may read it, as with files kept outside."""
    export_chunk_items_least: int = 10_000
    """The smallest items_per_chunk; test tenants have it lower."""
    export_chunk_megabytes_least: int = 10
    offer_export_in_object: bool = False
    """OF54 in JSON: {"offers": […]} instead of a plain list (uncertain)."""

    def __post_init__(self) -> None:
        """Settings with which no world can run are refused at once."""
        if not self.api_keys:
            raise ValueError("api_keys: a shop without a key can't be called")
        if not self.shipping_types:
            raise ValueError("shipping_types: at least one is needed")
        if not 0 <= self.failing_debit_share <= 1:
            raise ValueError("failing_debit_share: a share is from 0 to 1")
        if self.cycle_every_days is not None and self.cycle_every_days < 1:
            raise ValueError("cycle_every_days: at least 1")
        if not self.cycle_days_of_month or not set(self.cycle_days_of_month) <= set(
            range(1, 29)
        ):
            raise ValueError("cycle_days_of_month: days that each month has, 1 to 28")
        time.fromisoformat(self.cycle_time_london)
        self._check_transfers()
        for name in ("debit_delay_s", "received_after_hours", "import_s", "export_s"):
            least, most = getattr(self, f"{name}_min"), getattr(self, f"{name}_max")
            if not 0 <= least <= most:
                raise ValueError(f"{name}: from {least} to {most} is no span")

    def _check_transfers(self) -> None:
        """What imports and exports can be set to."""
        if not 0 <= self.offer_price_decimals <= 2:  # noqa: PLR2004 - amounts are in pence
            raise ValueError("offer_price_decimals: 0 to 2")
        if not 1 <= self.export_chunk_items_least <= 1_000_000:  # noqa: PLR2004 - OR13
            raise ValueError("export_chunk_items_least: 1 to 1000000")
        if not 1 <= self.export_chunk_megabytes_least <= 1024:  # noqa: PLR2004 - OR13
            raise ValueError("export_chunk_megabytes_least: 1 to 1024")
        for name in ("failing_import_share", "failing_export_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: a share is from 0 to 1")
