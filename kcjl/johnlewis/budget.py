"""How often each operation may be called, and waiting for the turn.

Promises: over any stretch of the clock's time no operation is called more often than its
budgets say, counted from when the marketplace had answered, by whichever of the tenant's shops;
after a 429 it rests for as long as it was told, and longer when it is told again. It does not
schedule: once-a-day operations are the caller's to plan (contract d.1), and are not held up.
Invariant: a waiter that is cancelled has used nothing. Called by `http.py`; one `TenantBudgets`
a process is made by the composition root.
"""

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from kcjl.clock import Clock
from kcjl.errors import SettingsUnusable
from kcjl.johnlewis.frequencies import FREQUENCIES, Budget, frequency

__all__ = [
    "BUDGETS",
    "OPERATIONS",
    "PAGES_COUNT",
    "Budget",
    "CallBudgets",
    "TenantBudgets",
    "Turn",
    "checked_budgets",
]

OPERATIONS = frozenset(FREQUENCIES)
"""Every operation that kcjl can call, by Mirakl's name."""

BUDGETS: Mapping[str, tuple[Budget, ...]] = MappingProxyType(
    {operation: row.at_most for operation, row in FREQUENCIES.items() if row.at_most}
)
"""The column "at most" of contract d.1, for users who are no "External Partner"."""

PAGES_COUNT = frozenset({"TL02"})
"""Operations of which d.1 does not say "+ pages", and whose pages are big: each is a call."""

RETRY_AFTER_S_DEFAULT = 60.0
"""Back-off after a 429 that does not say for how long (contract g)."""

HOLD_S_MAX = 3600.0
"""Nobody is kept waiting longer than this by one 429; the next one may say so again."""

DOUBLINGS_MAX = 6
"""A minute's back-off has then grown beyond HOLD_S_MAX."""


class Turn:
    """One call: when it was answered, or None while it is under way."""

    def __init__(self) -> None:
        self.at: datetime | None = None


class _Hold:
    """An operation that was answered 429, and not yet well since."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        self.times = 1
        """Waves of 429, each after a rest."""


class CallBudgets:
    """The turns of one tenant, whichever shop calls."""

    def __init__(self, budgets: Mapping[str, tuple[Budget, ...]], clock: Clock) -> None:
        self._clock = clock
        self._windows: dict[str, list[tuple[Budget, deque[Turn]]]] = {}
        self._holds: dict[str, _Hold] = {}
        self.tighten(budgets)

    def tighten(self, budgets: Mapping[str, tuple[Budget, ...]]) -> None:
        """Keep these budgets too: another shop of the tenant has its own settings."""
        for operation, several in budgets.items():
            windows = self._windows.setdefault(operation, [])
            known = {budget for budget, _ in windows}
            windows += [
                (budget, deque[Turn](maxlen=budget.calls))
                for budget in several
                if budget not in known
            ]

    async def turn(self, operation: str) -> Turn:
        """Wait until the call is allowed, and take it."""
        while (wait_s := self._wait_s(operation)) > 0:
            await self._clock.sleep(wait_s)
        turn = Turn()
        for _, taken in self._windows.get(operation, ()):
            taken.append(turn)
        return turn

    async def rest(self, operation: str) -> None:
        """Wait only as long as a 429 asks for: a further page is no call of its own."""
        while (wait_s := self._held_s(operation)) > 0:
            await self._clock.sleep(wait_s)

    def answered(self, turn: Turn) -> None:
        """They saw the call before now, so counting from now can't be too early."""
        turn.at = self._clock.now()

    def hold(
        self,
        operation: str,
        told_s: float | None,
        *,
        default_s: float = RETRY_AFTER_S_DEFAULT,
    ) -> float:
        """They said 429: leave the operation alone. For how many seconds, as told or longer.

        Each time they say it again after a rest, the rest doubles; what comes during a rest
        belongs to calls that were under way, and counts once.
        """
        now = self._clock.now()
        asked_s = default_s if told_s is None else told_s
        hold = self._holds.get(operation)
        if hold is None:
            hold = self._holds[operation] = _Hold(now)
        elif hold.until <= now:
            hold.times += 1
        wait_s = asked_s
        if hold.times > 1:
            doubled = max(asked_s, 1.0) * 2 ** min(hold.times - 1, DOUBLINGS_MAX)
            wait_s = max(asked_s, min(doubled, HOLD_S_MAX))
        hold.until = max(hold.until, now + timedelta(seconds=min(wait_s, HOLD_S_MAX)))
        return wait_s

    def went_well(self, operation: str) -> None:
        """It was answered with no 429 after its rest: the next one begins anew."""
        hold = self._holds.get(operation)
        if hold is not None and hold.until <= self._clock.now():
            del self._holds[operation]

    def _wait_s(self, operation: str) -> float:
        now = self._clock.now()
        waits_s = [self._held_s(operation)]
        for budget, taken in self._windows.get(operation, ()):
            for turn in taken:
                if turn.at is not None and turn.at > now:
                    turn.at = now  # the clock was set back: wait one period at most
            if len(taken) == budget.calls:
                oldest = min(turn.at or now for turn in taken)
                waits_s.append(budget.period_s - (now - oldest).total_seconds())
        return max(waits_s)

    def _held_s(self, operation: str) -> float:
        hold = self._holds.get(operation)
        if hold is None:
            return 0.0
        now = self._clock.now()
        hold.until = min(hold.until, now + timedelta(seconds=HOLD_S_MAX))
        return (hold.until - now).total_seconds()


class TenantBudgets:
    """One limiter a tenant, shared by all its shops in this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_tenant: dict[str, CallBudgets] = {}

    def of(
        self,
        root: str,
        budgets: Mapping[str, tuple[Budget, ...]],
        *,
        external_partner: bool = False,
    ) -> CallBudgets:
        """The limiter of the tenant at this address, as tight as the tightest of its shops."""
        chosen = {**_by_contract(external_partner=external_partner), **budgets}
        tenant = self._by_tenant.get(root.casefold())
        if tenant is None:
            tenant = self._by_tenant[root.casefold()] = CallBudgets(chosen, self._clock)
        else:
            tenant.tighten(chosen)
        return tenant


def _by_contract(*, external_partner: bool) -> dict[str, tuple[Budget, ...]]:
    rows = {
        operation: frequency(operation, external_partner=external_partner)
        for operation in OPERATIONS
    }
    return {operation: row.at_most for operation, row in rows.items() if row.at_most}


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
