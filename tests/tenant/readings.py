"""A reading of a tenant, for the tests of the rooms that adapt to it."""

import msgspec

from kcjl.tenant.events import TenantRead
from tests.trade import at

__all__ = ["tenant_read"]

_READ = TenantRead(
    shop_id=1,
    shop_name="Acme",
    shop_state="OPEN",
    model="MARKETPLACE",
    models_on=("MARKETPLACE",),
    currency="GBP",
    acceptance_is_automatic=False,
    details_before_acceptance=False,
    workflows=(),
    multi_shipment=True,
    listed_carriers_only=True,
    tax_mode="TAX_INCLUDED",
    returns_on=False,
    documents_asked_of_shop=False,
    timezone="Europe/London",
    carriers=(("dpd", "DPD"), ("evri", "Evri")),
    shipping_types=(("STD", True),),
    reasons=(("17", "REFUND", "Returned"),),
    taxes=(),
    occurred_at=at(0),
)


def tenant_read(**changes: object) -> TenantRead:
    """A MARKETPLACE shop that accepts by hand, with whatever is otherwise."""
    return msgspec.structs.replace(_READ, **changes)
