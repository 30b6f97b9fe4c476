"""The tenant whose settings can be switched while the world goes on.

Promises: `settings` are those that hold now; a switch names settings that there are, with
values that they can have, or nothing is changed. What was planned or written before (an order's
tax mode, a debit under way) stays as it was, but the billing cycle is planned anew.
Invariant: what the world's books rest on (currency, the numbers of orders) is never switched.
Called by every room of the marketplace, which asks it each time; switched by the door.
"""

from collections.abc import Callable, Mapping

import msgspec

from kcjl.errors import Misuse
from kcjl.sandbox.marketplace.settings import MarketplaceSettings

__all__ = ["Tenant"]

FIXED = frozenset({"currency", "first_order_number", "shop_id"})


class Tenant:
    """Whoever needs a setting asks for it here, at the moment it is needed."""

    def __init__(self, settings: MarketplaceSettings) -> None:
        self.settings = settings
        self.on_switch: list[Callable[[MarketplaceSettings], None]] = []
        """Called after a switch with the settings that held before it."""

    def switch(self, changes: Mapping[str, object]) -> None:
        names = {field.name for field in msgspec.structs.fields(MarketplaceSettings)} - FIXED
        unknown = sorted(changes.keys() - names)
        if unknown:
            raise Misuse(f"{', '.join(unknown)}: there are no such settings to switch")
        before = self.settings
        written = msgspec.to_builtins(self.settings)
        try:
            self.settings = msgspec.convert({**written, **changes}, MarketplaceSettings)
        except msgspec.ValidationError as invalid:
            raise Misuse(f"the settings can't be switched so: {invalid}") from None
        for observer in self.on_switch:
            observer(before)
