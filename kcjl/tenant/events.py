"""What can happen to our knowledge of the tenant: it is read, once a day.

Stream: tenant.
"""

from datetime import datetime

from kcjl.vocabulary import Event

__all__ = ["TenantRead"]


class TenantRead(Event, frozen=True, kw_only=True):
    """How the operator has set the tenant up, as far as we act on it; no balances."""

    shop_id: int
    shop_name: str
    shop_state: str
    """OPEN, CLOSE, SUSPENDED, TERMINATED."""
    model: str
    """The shop's: only MARKETPLACE is served."""
    models_on: tuple[str, ...]
    """The platform's, where it tells them."""
    currency: str
    acceptance_is_automatic: bool
    details_before_acceptance: bool
    """Where an order goes is shown before it is accepted."""
    workflows: tuple[str, ...]
    """What of pay_on_shipment, pay_on_due_date, … is on."""
    multi_shipment: bool
    listed_carriers_only: bool
    tax_mode: str
    returns_on: bool
    documents_asked_of_shop: bool
    timezone: str
    carriers: tuple[tuple[str, str], ...]
    """(code, label)"""
    shipping_types: tuple[tuple[str, bool], ...]
    """(code, whether tracking is mandatory)"""
    reasons: tuple[tuple[str, str, str], ...]
    """(code, kind, label) of those that a shop may use"""
    taxes: tuple[tuple[str, str], ...]
    """(code, rule)"""
    suspension: str = ""
    """Of a shop that is suspended: which kind, in the marketplace's words."""
    closed_from: datetime | None = None
    closed_until: datetime | None = None
    """The shop's holiday, where one is announced."""

    @property
    def stream(self) -> str:
        return "tenant"
