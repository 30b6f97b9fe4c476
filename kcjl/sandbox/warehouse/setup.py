"""How the warehouse is set up now: its settings can be switched while the world goes on.

Promises: `settings` are those that hold now; a switch names settings that there are, with
values that they can have, or nothing is changed. What was imported, planned or written before
stays as it was. It keeps no history. Invariant: what the books rest on (sites, couriers, known
customers, the currency) is never switched.
Called by every room of the warehouse and by its faces, which ask each time; switched by the
door.
"""

from collections.abc import Mapping

import msgspec

from kcjl.errors import Misuse, SettingsUnusable
from kcjl.sandbox.warehouse.settings import WarehouseSettings

__all__ = ["FIXED", "Setup"]

FIXED = frozenset({"couriers", "customers", "sites", "system_currency"})
"""Settings that hold from the beginning of a world to its end."""


class Setup:
    """Whoever needs a setting asks for it here, at the moment it is needed."""

    def __init__(self, settings: WarehouseSettings) -> None:
        self.settings = settings

    def switch(self, changes: Mapping[str, object]) -> None:
        names = {field.name for field in msgspec.structs.fields(WarehouseSettings)}
        fixed = sorted(changes.keys() & FIXED)
        if fixed:
            raise Misuse(f"{', '.join(fixed)}: fixed when the world began, never switched")
        unknown = sorted(changes.keys() - names)
        if unknown:
            raise Misuse(f"{', '.join(unknown)}: the warehouse has no such settings to switch")
        written = msgspec.to_builtins(self.settings, str_keys=True)
        try:
            self.settings = msgspec.convert(
                {**written, **changes}, WarehouseSettings, str_keys=True
            )
        except (msgspec.ValidationError, SettingsUnusable) as invalid:
            raise Misuse(f"the warehouse can't be switched so: {invalid}") from None
