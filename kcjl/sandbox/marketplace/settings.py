"""How the sandbox's John Lewis tenant is set up: every switch that the operator has.

Promises: defaults are those of the contract (johnlewis b.1, c.3, d.1, e); what it calls
uncertain is a switch here. Durations say their unit. It decides nothing itself.
Invariant: a settings object never changes; a tenant that is switched has another object.
Called by the marketplace model, its HTTP face and the server that builds them.
"""

from datetime import time
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from kcjl.money import Money
from kcjl.sandbox.marketplace.inputs import PostalAddress
from kcjl.sandbox.marketplace.listings import (
    ADDITIONAL_FIELDS,
    CARRIERS,
    DOCUMENT_TYPES,
    LOCALES,
    OFFER_STATES,
    REASONS,
    SHIPPING_TYPES,
    AdditionalFieldSetting,
    CarrierSetting,
    DocumentTypeSetting,
    Named,
    ReasonSetting,
    Setting,
    ShippingTypeSetting,
)

__all__ = [
    "ApiKey",
    "CarrierSetting",
    "MarketplaceSettings",
    "ReasonSetting",
    "ShippingTypeSetting",
]


SHARES = (
    "failing_debit_share",
    "customer_cancel_share",
    "operator_refund_share",
    "incident_share",
)


class ApiKey(Setting, frozen=True, kw_only=True):
    """A shop user's key, and what its user may do."""

    key: str
    accounting: bool = True
    """Without the accounting role TL02 to TL05, SBC11, IV01 and IV02 answer 403."""
    external_partner: bool = False
    """An External Partner may call OR11 every 15 minutes only (d.1)."""


class MarketplaceSettings(Setting, frozen=True, kw_only=True):
    """Everything that can be set on the tenant."""

    # ── who ────────────────────────────────────────────────────────────────────────────────
    shop_id: int = 4021
    shop_name: str = "Example Brand"
    shop_corporate_name: str = "Example Brand Ltd"
    shop_operator_internal_id: str = "V1009"
    shop_model: Literal["MARKETPLACE", "DROPSHIP", "ONE_CREDITOR"] = "MARKETPLACE"
    shop_state: Literal["OPEN", "CLOSE", "SUSPENDED"] = "OPEN"
    """What A01 says; nothing else follows from it here."""
    currency: str = "GBP"
    channel_code: str = "JLUK"
    channel_label: str = "Web UK"
    platform_name: str = "Example Stores"
    tenant_name: str = "example-preprod"
    api_keys: tuple[ApiKey, ...] = (ApiKey(key="johnlewis-sandbox-key"),)
    external_partner: bool = False
    """Every key is an External Partner's, whatever it says of itself (d.1)."""
    time_zone: str = "Europe/London"
    """Days end and cycles run by its clock, summer time included (PC01)."""
    shop_tax_number: str | None = "GB000000000"
    shop_address: PostalAddress = PostalAddress(
        company="Example Brand Ltd", street_1="2 Dock Road", city="Hull", postcode="HU1 1AA"
    )
    """On invoices; also where returns go."""

    # ── lists ──────────────────────────────────────────────────────────────────────────────
    carriers: tuple[CarrierSetting, ...] = CARRIERS
    shipping_types: tuple[ShippingTypeSetting, ...] = SHIPPING_TYPES
    reasons: tuple[ReasonSetting, ...] = REASONS
    additional_fields: tuple[AdditionalFieldSetting, ...] = ADDITIONAL_FIELDS
    document_types: tuple[DocumentTypeSetting, ...] = DOCUMENT_TYPES
    offer_states: tuple[Named, ...] = OFFER_STATES
    locales: tuple[Named, ...] = LOCALES
    documents_max: int = 50
    """An order's documents (d.2)."""

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
    offer_lowered_at: Literal["CREATION", "ACCEPTANCE"] = "CREATION"
    """When a sale takes its units off the offer (uncertain, g)."""
    offer_put_back: bool = False
    """Whether refused and cancelled units go back on the offer (uncertain, g)."""
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
    """Share of debits that fail: such orders stay in WAITING_DEBIT_PAYMENT, and then end."""
    failed_debit_cancel_days: float = 30
    """After so long a debit that failed ends its order as CANCELED (f.12)."""
    due_date_days: float = 30
    """Under PAY_ON_DUE_DATE the customer pays so long after the order was RECEIVED."""
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
    """An order with an open incident is not closed before that has ended."""
    line_cancelation: bool = True
    """Off: OR30 answers 404 (it needs a feature of the tenant's, b.3)."""

    # ── incidents and returns ──────────────────────────────────────────────────────────────
    incident_holds_billing: bool = True
    """While a line has an open incident, its transaction lines stay PENDING."""
    returns_module: bool = True
    """Off: the return operations answer 404."""
    returns_accepted_automatically: bool = False
    returns_refunded_by: Literal["OPERATOR", "SHOP"] = "OPERATOR"
    """Who gives the money back when the goods have come (uncertain, g)."""
    return_window_days: int = 30
    """Units can come back so long after they were delivered."""
    return_reception_days: float | None = 30
    """A return on its way that nobody received by then is NO_RECEPTION; None: never."""

    # ── what customers and the operator do unasked ─────────────────────────────────────────
    customer_cancel_share: float = 0
    """Share of the orders that their customers cancel before they are shipped."""
    operator_refund_share: float = 0
    """Share of the received orders on which the operator refunds something unasked."""
    incident_share: float = 0
    """Share of the received orders about which the customer opens an incident."""

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
    tax_rates_by_category: dict[str, Decimal] = msgspec.field(default_factory=dict)
    commission_rate: Decimal = Decimal("0.20")
    """On price and shipping of a line, half up to the penny (e.5)."""
    commission_rates_by_category: dict[str, Decimal] = msgspec.field(default_factory=dict)
    commission_on_shipping: bool = True
    commission_tax_code: str = "TAXDEFAULT"
    commission_vat_rate: Decimal = Decimal(20)
    """Percent of the rounded fee."""

    # ── refunds and payouts ────────────────────────────────────────────────────────────────
    refund_accepted_after_s: float = 60
    refund_paid_after_s: float = 3600
    refund_needs_payable_balance: bool = False
    cycle_time: str = "01:00"
    """By the tenant's clock."""
    cycle_every_days: int | None = None
    """A billing cycle every so many days; None: on `cycle_days_of_month`."""
    cycle_days_of_month: tuple[int, ...] = (1, 11, 21)
    cycle_every_hours: float | None = None
    """A billing cycle every so many hours, whatever the days: for worlds that are short."""
    payout_paid_after_hours: float = 48
    payout_failure: Literal["INCOMPLETE_KYC", "AWAITING_INVOICE_CHECK"] | None = None
    """Payouts fail for this reason; None: they are PAID."""
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
        for name in SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: a share is from 0 to 1")
        if self.cycle_every_days is not None and self.cycle_every_days < 1:
            raise ValueError("cycle_every_days: at least 1")
        if self.cycle_every_hours is not None and self.cycle_every_hours <= 0:
            raise ValueError("cycle_every_hours: above 0")
        if not self.cycle_days_of_month or not set(self.cycle_days_of_month) <= set(
            range(1, 29)
        ):
            raise ValueError("cycle_days_of_month: days that each month has, 1 to 28")
        time.fromisoformat(self.cycle_time)
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"time_zone: there is no {self.time_zone!r}") from None
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
