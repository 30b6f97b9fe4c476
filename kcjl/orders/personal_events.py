"""What can happen to what is known of a buyer: it was shown to a person, and it was erased.

Promises: no personal data: who it is about is the order, what it was is the vault's.
Stream: order-<order id>. That it was sealed is `DeliveryAddressSealed`.
"""

from kcjl.orders.events import OrderEvent

__all__ = ["BuyerErased", "BuyerShown"]


class BuyerShown(OrderEvent, frozen=True, kw_only=True):
    """A person has asked who the buyer is, and is shown it. In the log before it is shown."""

    vault_ref: str
    reason: str


class BuyerErased(OrderEvent, frozen=True, kw_only=True):
    """What the vault had of the buyer is gone for good; the order's history stays whole."""

    vault_ref: str
    cause: str
    """asked: a person wanted it; retention: its time was over."""
    reason: str
