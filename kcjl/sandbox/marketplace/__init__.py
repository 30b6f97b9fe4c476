"""The sandbox of John Lewis Marketplace (Mirakl seller API): the model, without its HTTP face.

Promises: states, effects, amounts and switches are those of the contract (johnlewis c.3, e). It
has no knowledge of any client. Invariant: time, ids and chance come from the agenda alone.
Called by the sandbox's trade, its server and its checks; import from here, not from the rooms.
"""

from kcjl.sandbox.marketplace.errors import ApiError
from kcjl.sandbox.marketplace.inputs import (
    BasketLine,
    Customer,
    PlacedLine,
    PlacedOrder,
    PostalAddress,
)
from kcjl.sandbox.marketplace.model import Marketplace
from kcjl.sandbox.marketplace.offer_records import Offer
from kcjl.sandbox.marketplace.records import (
    BillingCycle,
    Invoice,
    Order,
    OrderLine,
    Refund,
    Shipment,
    TransactionLine,
)
from kcjl.sandbox.marketplace.return_records import Return
from kcjl.sandbox.marketplace.settings import (
    ApiKey,
    CarrierSetting,
    MarketplaceSettings,
    ReasonSetting,
    ShippingTypeSetting,
)

__all__ = [
    "ApiError",
    "ApiKey",
    "BasketLine",
    "BillingCycle",
    "CarrierSetting",
    "Customer",
    "Invoice",
    "Marketplace",
    "MarketplaceSettings",
    "Offer",
    "Order",
    "OrderLine",
    "PlacedLine",
    "PlacedOrder",
    "PostalAddress",
    "ReasonSetting",
    "Refund",
    "Return",
    "Shipment",
    "ShippingTypeSetting",
    "TransactionLine",
]
