"""How often each operation may be called, and waiting for the turn.

Promises: over any stretch of the clock's time no operation is called more often than its
budgets say, counted from when the marketplace had answered; after a 429 it rests for as long as
it was told. It does not schedule: once-a-day operations are the caller's to plan (contract
d.1), and are not held up here. Invariant: a waiter that is cancelled has used nothing.
Called by `http.py`.
"""

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

import msgspec

from kcjl.clock import Clock
from kcjl.errors import SettingsUnusable

__all__ = [
    "BUDGETS",
    "OPERATIONS",
    "PAGES_COUNT",
    "Budget",
    "CallBudgets",
    "Turn",
    "checked_budgets",
]

OPERATIONS = frozenset(
    {"V01", "A01", "PC01", "SH21", "SH12"}
    | {"OF21", "STO01", "STO02", "STO03"}
    | {"OR11", "OR21", "OR04", "OR23", "OR24", "ST01", "ST11"}
    | {"TL02", "SBC11"}
    | {"OF24", "OF02", "OF03", "OF51", "OF52", "OF53", "OF54"}
    | {"OR13", "OR14", "OR15"}
    | {"ST12", "ST23", "ST24"}
    | {"TL03", "TL04", "TL05", "IV01", "IV02"}
    | {"A21", "RE01", "OR75"}
    | {"OR28", "OR29", "OR30"}
    | {"OR72", "OR73", "OR74"}
    | {"RT11", "RT21", "RT25", "RT26", "RT27", "RT29"}
)
"""Every operation that kcjl calls, by Mirakl's name."""

HOLD_S_MAX = 3600.0
"""Nobody is kept waiting longer than this by one 429; the next one may say so again."""


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """At most so many calls in any stretch of so many seconds of the clock's time."""

    calls: int
    period_s: float


BUDGETS: Mapping[str, tuple[Budget, ...]] = MappingProxyType(
    {
        "OR11": (Budget(calls=1, period_s=60),),
        "OR04": (Budget(calls=1, period_s=60),),
        "STO01": (Budget(calls=1, period_s=60),),
        "STO02": (Budget(calls=1, period_s=15),),
        "STO03": (Budget(calls=1, period_s=60),),
        "RT11": (Budget(calls=1, period_s=300),),
        "TL02": (Budget(calls=20, period_s=60), Budget(calls=60, period_s=3600)),
        "OF24": (Budget(calls=1, period_s=60),),
        "OF02": (Budget(calls=1, period_s=60),),
        "OF03": (Budget(calls=1, period_s=60),),
        "OF51": (Budget(calls=1, period_s=60),),
        "OF52": (Budget(calls=1, period_s=60),),
        "OF53": (Budget(calls=1, period_s=10),),
        "OR13": (Budget(calls=1, period_s=300),),
        "OR14": (Budget(calls=1, period_s=2),),
        "ST12": (Budget(calls=1, period_s=300),),
        "TL04": (Budget(calls=1, period_s=10),),
    }
)
"""The column "at most" of contract d.1. "External Partner" users set OR11 to 900 s."""


PAGES_COUNT = frozenset({"TL02"})
"""Operations of which d.1 does not say "+ pages", and whose pages are big: each is a call."""


class Turn:
    """One call: when it was answered, or None while it is under way."""

    def __init__(self) -> None:
        self.at: datetime | None = None


class CallBudgets:
    """The turns of one shop."""

    def __init__(self, budgets: Mapping[str, tuple[Budget, ...]], clock: Clock) -> None:
        self._clock = clock
        self._windows = {
            operation: tuple((budget, deque[Turn](maxlen=budget.calls)) for budget in several)
            for operation, several in {**BUDGETS, **budgets}.items()
        }
        self._held_until: dict[str, datetime] = {}

    async def turn(self, operation: str) -> Turn:
        """Wait until the call is allowed, and take it."""
        while (wait_s := self._wait_s(operation)) > 0:
            await self._clock.sleep(wait_s)
        turn = Turn()
        for _, taken in self._windows.get(operation, ()):
            taken.append(turn)
        return turn

    def answered(self, turn: Turn) -> None:
        """They saw the call before now, so counting from now can't be too early."""
        turn.at = self._clock.now()

    def hold(self, operation: str, seconds: float) -> None:
        """They said 429: leave the operation alone for so long."""
        until = self._clock.now() + timedelta(seconds=min(seconds, HOLD_S_MAX))
        self._held_until[operation] = max(until, self._held_until.get(operation, until))

    def _wait_s(self, operation: str) -> float:
        now = self._clock.now()
        waits_s = [0.0]
        for budget, taken in self._windows.get(operation, ()):
            for turn in taken:
                if turn.at is not None and turn.at > now:
                    turn.at = now  # the clock was set back: wait one period at most
            if len(taken) == budget.calls:
                oldest = min(turn.at or now for turn in taken)
                waits_s.append(budget.period_s - (now - oldest).total_seconds())
        held_until = self._held_until.get(operation)
        if held_until is not None:
            held_until = min(held_until, now + timedelta(seconds=HOLD_S_MAX))
            self._held_until[operation] = held_until
            waits_s.append((held_until - now).total_seconds())
        return max(waits_s)


def checked_budgets(budgets: Mapping[str, tuple[Budget, ...]]) -> None:
    """Refuse a budget for what is never called, and one that would allow nothing."""
    for operation, several in budgets.items():
        if operation not in OPERATIONS:
            raise SettingsUnusable(
                f"a call budget is set for {operation!r}, which is not called"
            )
        if any(
            budget.calls < 1 or not 0 < budget.period_s < float("inf") for budget in several
        ):
            raise SettingsUnusable(
                f"the call budget of {operation} needs calls and seconds > 0"
            )
