"""What every section of kcjl.toml is: typed, frozen, unknown keys refused.

Called by the sections of this package.
"""

from datetime import time

import msgspec

__all__ = ["Section", "above_zero", "time_of_day"]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the sections: a key that we do not know is refused."""


def above_zero(**settings: float) -> None:
    for name, value in settings.items():
        if not value > 0:
            raise ValueError(f"{name} has to be above 0, not {value:g}")


def time_of_day(name: str, told: str) -> None:
    try:
        time.fromisoformat(told)
    except ValueError:
        raise ValueError(f"{name}: {told!r} is no time of day") from None
