"""How often the contract advises, and allows, each operation: its table d.1, typed.

Promises: every operation that kcjl calls, or can call, stands here once. It holds nobody up:
`budget.py` does, by what is at most; the pollers take their pace from what is advised.
Invariant: what is advised is never more often than what is allowed.
Called by `budget.py`, `access.py` and the settings. Source: contract johnlewis d.1, g.
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

__all__ = ["FREQUENCIES", "Budget", "Frequency", "advised_s", "frequency"]

_MINUTE_S = 60.0
_HOUR_S = 3_600.0
_DAY_S = 86_400.0


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """At most so many calls in any stretch of so many seconds of the clock's time."""

    calls: int
    period_s: float


class Frequency(msgspec.Struct, frozen=True, kw_only=True):
    """One row of d.1."""

    advised_s: float | None = None
    """Between two polls; None: at each business event, or nothing is said."""
    full_s: float | None = None
    """Between two full exports, where a delta is polled."""
    at_most: tuple[Budget, ...] = ()
    """Held by the limiter."""
    partner_s: float | None = None
    """For "External Partner" users: advised and at most."""


def _every(advised_s: float, at_most_s: float, *, full_s: float | None = None) -> Frequency:
    budget = Budget(calls=1, period_s=at_most_s)
    return Frequency(advised_s=advised_s, at_most=(budget,), full_s=full_s)


_EVENT = Frequency()
_DAILY = Frequency(advised_s=_DAY_S)
"""Once a day, and pages. Not held by the limiter: whoever asks twice has a reason, as a person
at a screen or a service that was started again, and a day's wait would look like a standstill.
"""
_FILE = _every(5 * _MINUTE_S, _MINUTE_S)
_DELTA = _every(5 * _MINUTE_S, _MINUTE_S, full_s=_DAY_S)
_EXPORT_STATUS = _every(_MINUTE_S, 10)
_QUARTER = _every(15 * _MINUTE_S, 5 * _MINUTE_S)

FREQUENCIES: Mapping[str, Frequency] = MappingProxyType(
    {
        # health and settings
        "V01": _EVENT,
        "PC01": _DAILY,
        **dict.fromkeys(("A01", "A21", "SH21", "SH12", "RE01", "OR75", "AF01", "DO01"), _DAILY),
        **dict.fromkeys(("OF61", "CH11", "CUR01", "L01"), _DAILY),
        # offers and stock
        "OF21": _EVENT,
        "OF22": _EVENT,
        **dict.fromkeys(("OF24", "OF01", "STO01", "PRI01"), _FILE),
        **dict.fromkeys(("OF02", "OF03", "STO03", "PRI02", "PRI03"), _FILE),
        "STO02": _every(5 * _MINUTE_S, 15),
        **dict.fromkeys(("OF51", "OF52"), _DELTA),
        "OF53": _EXPORT_STATUS,
        "OF54": _EVENT,
        # orders
        "OR11": Frequency(
            advised_s=5 * _MINUTE_S,
            at_most=(Budget(calls=1, period_s=_MINUTE_S),),
            partner_s=15 * _MINUTE_S,
        ),
        "OR13": _every(15 * _MINUTE_S, 5 * _MINUTE_S, full_s=_DAY_S),
        "OR14": _every(10, 2),
        "OR15": _EVENT,
        "OR04": Frequency(at_most=(Budget(calls=1, period_s=_MINUTE_S),)),
        "OR07": Frequency(at_most=(Budget(calls=60, period_s=_HOUR_S),)),
        "OR31": Frequency(at_most=(Budget(calls=5, period_s=1),)),
        **dict.fromkeys(("OR21", "OR23", "OR24", "OR28", "OR29", "OR30"), _EVENT),
        **dict.fromkeys(("OR72", "OR73", "OR74"), _EVENT),
        # parcels, and what comes back
        **dict.fromkeys(("ST12", "RT11"), _QUARTER),
        **dict.fromkeys(("ST01", "ST06", "ST11", "ST23", "ST24", "ST31"), _EVENT),
        **dict.fromkeys(("RT01", "RT12", "RT21", "RT25", "RT26", "RT27"), _EVENT),
        **dict.fromkeys(("RT28", "RT29"), _EVENT),
        # the shop's account
        "TL02": Frequency(
            advised_s=_DAY_S / 20,
            at_most=(
                Budget(calls=20, period_s=_MINUTE_S),
                Budget(calls=60, period_s=_HOUR_S),
            ),
        ),
        "TL03": _DAILY,
        "TL04": _EXPORT_STATUS,
        "TL05": _EVENT,
        **dict.fromkeys(("SBC11", "IV01"), _DAILY),
        "IV02": _EVENT,
        **dict.fromkeys(("DR11", "DR12", "DR73", "DR74"), _EVENT),
    }
)


def frequency(operation: str, *, external_partner: bool = False) -> Frequency:
    """The row of an operation, for this kind of user."""
    row = FREQUENCIES[operation]
    if not external_partner or row.partner_s is None:
        return row
    budget = Budget(calls=1, period_s=row.partner_s)
    return msgspec.structs.replace(row, advised_s=row.partner_s, at_most=(budget,))


def advised_s(operation: str, *, external_partner: bool = False) -> float:
    """Seconds between two polls of an operation that is to be polled."""
    advised = frequency(operation, external_partner=external_partner).advised_s
    if advised is None:
        raise KeyError(f"{operation} is not polled: contract d.1 advises no period")
    return advised
