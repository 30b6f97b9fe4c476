"""How often each operation of the seller API may be called, in the world's time.

Promises: a sliding window per key and operation, after the contract's d.1 ("at most"); further
pages of a reading that began lately are not counted where the contract says "+ pages". It keeps
no clock. Invariant: a call that was refused does not count.
Called by the John Lewis face before each operation.
"""

from collections import defaultdict, deque
from datetime import datetime, timedelta
from math import ceil

from kcjl.sandbox.marketplace import ApiKey, Marketplace

__all__ = ["CallLimits"]

DAY_S = 86_400
PAGES_WITHIN_S = 3600
"""A further page is free for so long after the page before it."""
DAILY = (
    "A01", "A21", "SH21", "SH12", "OR75", "AF01", "DO01", "OF61", "CH11", "CUR01", "L01",
    "SBC11", "IV01", "TL03",
)  # fmt: skip
PAGES_COUNT = ("TL02",)

_LIMITS: dict[str, tuple[tuple[int, float], ...]] = {
    "OR11": ((1, 60),),
    "OR04": ((1, 60),),
    "OR31": ((5, 1),),
    "ST12": ((1, 300),),
    "RT11": ((1, 300),),
    "STO01": ((1, 60),),
    "STO02": ((1, 15),),
    "STO03": ((1, 60),),
    "TL02": ((20, 60), (60, 3600)),
    "OF24": ((1, 60),),
    "OF01": ((1, 60),),
    "OF02": ((1, 60),),
    "OF03": ((1, 60),),
    "OF04": ((1, 60),),
    "PRI01": ((1, 60),),
    "PRI02": ((1, 60),),
    "PRI03": ((1, 60),),
    "OF51": ((1, 60),),
    "OF52": ((1, 60),),
    "OF53": ((1, 10),),
    "OR13": ((1, 300),),
    "OR14": ((1, 2),),
    "TL04": ((1, 10),),
}
"""Operation to (calls, seconds)."""
_EXTERNAL_PARTNER_OR11 = ((1, 900.0),)


class CallLimits:
    """Which calls were made lately, and whether one more may be."""

    def __init__(self, marketplace: Marketplace) -> None:
        self._marketplace = marketplace
        self._calls: defaultdict[tuple[str, str], deque[datetime]] = defaultdict(deque)
        self._read_at: dict[tuple[str, str], datetime] = {}

    def ask(self, key: ApiKey, operation: str, now: datetime, *, is_page: bool) -> int | None:
        """Count a call, or say in how many seconds of the world it may come again."""
        limits = self._limits(key, operation)
        if not self._marketplace.settings.call_limits or not limits:
            return None
        calls = self._calls[(key.key, operation)]
        if is_page and operation not in PAGES_COUNT and self._is_reading(key, operation, now):
            return None
        longest = max(window_s for _, window_s in limits)
        while calls and now - calls[0] >= timedelta(seconds=longest):
            calls.popleft()
        wait_s = 0.0
        for most, window_s in limits:
            if len(calls) >= most:
                free_at = calls[-most] + timedelta(seconds=window_s)
                wait_s = max(wait_s, (free_at - now).total_seconds())
        if wait_s > 0:
            return ceil(wait_s)
        calls.append(now)
        self._read_at[(key.key, operation)] = now
        return None

    def _is_reading(self, key: ApiKey, operation: str, now: datetime) -> bool:
        """Whether the page before was read a short while ago."""
        before = self._read_at.get((key.key, operation))
        if before is None or now - before > timedelta(seconds=PAGES_WITHIN_S):
            return False
        self._read_at[(key.key, operation)] = now
        return True

    def _limits(self, key: ApiKey, operation: str) -> list[tuple[int, float]]:
        slack = 1 - self._marketplace.settings.call_window_slack
        if operation in DAILY:
            return [(self._marketplace.settings.daily_calls, DAY_S * slack)]
        limits = _LIMITS.get(operation, ())
        partner = key.external_partner or self._marketplace.settings.external_partner
        if operation == "OR11" and partner:
            limits = _EXTERNAL_PARTNER_OR11
        return [(most, window_s * slack) for most, window_s in limits]
