"""What makes one organisation's books in Xero what they are.

Promises: frozen; a default is what Xero's public papers say, or a guess that is marked as one.
Called by the books and their face.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from kcjl.errors import Misuse

__all__ = ["Account", "BooksSettings"]


class Account(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account of the chart."""

    name: str
    kind: Literal["BANK", "CURRENT", "CURRLIAB", "EXPENSE", "REVENUE", "SYSTEM"] = "CURRENT"
    """BANK and SYSTEM are closed to manual journals."""
    archived: bool = False


_CHART: Mapping[str, Account] = {
    "090": Account(name="Business Bank Account", kind="BANK"),
    "404": Account(name="Marketplace Commission", kind="EXPENSE"),
    "405": Account(name="Marketplace Subscription", kind="EXPENSE"),
    "406": Account(name="Marketplace Invoices and Credits", kind="EXPENSE"),
    "407": Account(name="Marketplace Penalties", kind="EXPENSE"),
    "408": Account(name="Marketplace Fees on Orders", kind="EXPENSE"),
    "409": Account(name="Shipping Paid by John Lewis", kind="REVENUE"),
    "610": Account(name="Accounts Receivable", kind="SYSTEM"),
    "620": Account(name="John Lewis Clearing"),
    "621": Account(name="John Lewis Payouts in Transit"),
    "622": Account(name="John Lewis Refunds"),
    "623": Account(name="VAT Remitted by John Lewis"),
    "624": Account(name="John Lewis Reserve"),
    "625": Account(name="John Lewis Payout Due"),
    "820": Account(name="VAT", kind="CURRLIAB"),
    "850": Account(name="John Lewis Suspense", kind="CURRLIAB"),
}


_TAX_RATES: Mapping[str, Decimal] = {
    "NONE": Decimal(0),
    "INPUT2": Decimal(20),
    "OUTPUT2": Decimal(20),
    "ZERORATEDINPUT": Decimal(0),
}


class BooksSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One organisation, and the custom connection to it."""

    client_id: str = "SANDBOX0CLIENT0ID00000000000000A"
    client_secret: str = "sandbox-xero-secret"  # noqa: S105 - the sandbox's own
    tenant_id: str = "7c1f0e9a-5d3b-4f6a-9e2c-1b8d4a6f0c35"
    scopes: tuple[str, ...] = ("accounting.manualjournals", "accounting.transactions")
    tenant_header_required: bool = False
    """Whether a call without Xero-Tenant-Id is refused; not known for custom connections."""
    token_minutes: float = 30
    refresh_token: str = "sandbox-refresh-token"  # noqa: S105 - the sandbox's own
    """The first of the rotating ones, of a person who connected the app."""
    refresh_days: float = 60
    reuse_minutes: float = 30
    """So long a refresh token that was used is taken again."""
    key_minutes: float = 1_440
    """How long an Idempotency-Key is remembered; not known."""
    calls_per_minute: int = 60
    calls_per_day: int = 5_000
    calls_at_once: int = 5
    journals_per_page: int = 100
    lines_in_lists: bool = False
    """Whether lists have the journals' lines; the papers show both."""
    locked_until: date | None = None
    """Nothing may be dated on this day or before."""
    accounts: Mapping[str, Account] = msgspec.field(default_factory=lambda: dict(_CHART))
    tax_rates: Mapping[str, Decimal] = msgspec.field(default_factory=lambda: dict(_TAX_RATES))
    """Tax type -> percent."""

    def __post_init__(self) -> None:
        least = (self.token_minutes, self.calls_per_minute, self.calls_per_day)
        if min(*least, self.calls_at_once, self.journals_per_page) <= 0:
            raise Misuse("Xero's token_minutes, limits and pages are above 0")
