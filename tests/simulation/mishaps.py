"""What goes wrong with each call to the outside: drawn from the seed, and counted by kind.

Promises: one kind a call at most; the same calls in the same order have the same mishaps; once
`stop` was said, nothing goes wrong any more. It carries nothing out: the doors do
(`outside.py`). Invariant: a kind is counted where it was suffered, once.
Called by the doors, and by the run that reports the counts.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from random import Random
from typing import Literal, TypeVar

from kcjl.clock import Clock
from tests.simulation.faults import CALL_KINDS, Fault, Faults

__all__ = ["CallKind", "Mishaps"]

T = TypeVar("T")

CallKind = Literal["read", "rows", "write"]
"""A read of one thing, a read of rows, a write."""

_OF: dict[CallKind, frozenset[str]] = {
    "read": frozenset(
        {
            "silent",
            "lost_before",
            "lost_after",
            "rate_limited",
            "truncated",
            "stale",
            "slow",
            "answers_late",
        }
    ),
    "rows": frozenset(CALL_KINDS) - {"arrives_late", "books_lost"},
    "write": frozenset(CALL_KINDS)
    - {"duplicated", "reordered", "stale", "moving", "orders_away", "exports_off"},
}
LATENCY_S = (0.02, 0.4)
SLOW_S = (1.0, 55.0)
PATIENCE_S = (0.05, 60.0)
"""How long a caller waits for an answer that never comes; the longest is its time limit."""
LATE_S = (5.0, 180.0)
STORM_S = (20.0, 240.0)
STALE_S = (30.0, 900.0)
KEPT_MAX = 512
"""Answers that are remembered for stale ones; the oldest are forgotten."""


class Mishaps:
    """The bad luck of one run."""

    def __init__(self, faults: Faults, chance: Random, clock: Clock) -> None:
        self.chance = chance
        self.counted: Counter[str] = Counter()
        self.on_suffered: list[Callable[[str, str], None]] = []
        """Called with each kind as it is suffered, and the operation that suffered it."""
        self.calls: Counter[str] = Counter()
        """By operation."""
        self._clock = clock
        self._began = clock.now()
        self._stopped = False
        named = [(kind, getattr(faults, kind)) for kind in CALL_KINDS]
        self._faults: dict[CallKind, list[tuple[str, Fault]]] = {
            of: [(kind, fault) for kind, fault in named if fault.share > 0 and kind in kinds]
            for of, kinds in _OF.items()
        }
        self._storms: dict[str, datetime] = {}
        self._remembers = faults.stale.share > 0
        self._earlier: OrderedDict[Hashable, tuple[datetime, object]] = OrderedDict()

    # ── what happens ──

    def stop(self) -> None:
        """Nothing goes wrong from now on."""
        self._stopped = True
        self._storms.clear()

    @property
    def is_stopped(self) -> bool:
        return self._stopped

    def suffered(self, kind: str, operation: str = "") -> None:
        self.counted[kind] += 1
        for observer in self.on_suffered:
            observer(kind, operation)

    def draw(self, operation: str, of: CallKind) -> str:
        """The kind that hits this call, '' for none; who carries it out says `suffered`."""
        self.calls[operation] += 1
        if self._stopped:
            return ""
        if self._storms and self.storm_s(operation) > 0:
            return "rate_limited"
        faults = self._faults[of]
        if not faults:
            return ""
        lot = self.chance.random()
        hours = (self._clock.now() - self._began).total_seconds() / 3600
        for kind, fault in faults:
            if fault.operations and operation not in fault.operations:
                continue
            if fault.from_h <= hours < fault.until_h:
                lot -= fault.share
                if lot < 0:
                    return kind
        return ""

    # ── how long ──

    def latency_s(self) -> float:
        return self.chance.uniform(*LATENCY_S)

    def slow_s(self) -> float:
        return self.chance.uniform(*SLOW_S)

    def patience_s(self) -> float:
        """Most connections break soon; some calls are given up at their time limit."""
        return PATIENCE_S[1] if self.chance.random() < 0.3 else self.chance.uniform(0.05, 3.0)

    def late_s(self) -> float:
        return self.chance.uniform(*LATE_S)

    def stale_since(self) -> datetime:
        """How old a stale answer may be at most."""
        return self._clock.now() - timedelta(seconds=self.chance.uniform(*STALE_S))

    def storm_s(self, operation: str) -> float:
        """Seconds that a storm of 429 goes on for an operation; 0 where there is none."""
        until = self._storms.get(operation)
        return 0.0 if until is None else (until - self._clock.now()).total_seconds()

    def begin_storm(self, operation: str) -> float:
        """The storm that is on, or a new one; the seconds that it says to wait."""
        left_s = self.storm_s(operation)
        if left_s <= 0:
            left_s = self.chance.uniform(*STORM_S)
            self._storms[operation] = self._clock.now() + timedelta(seconds=left_s)
        return float(int(left_s * self.chance.uniform(0.2, 1.0)) + 1)

    # ── rows ──

    def doubled(self, rows: list[T]) -> list[T]:
        """Some rows a second time, anywhere behind their first."""
        again = list(rows)
        for _ in range(min(len(rows), self.chance.randint(1, 3))):
            place = self.chance.randrange(len(again))
            again.insert(self.chance.randint(place + 1, len(again)), again[place])
        return again

    def shuffled(self, rows: list[T]) -> list[T]:
        mixed = list(rows)
        self.chance.shuffle(mixed)
        return mixed

    # ── earlier answers ──

    def remember(self, key: Hashable, answer: object) -> None:
        if not self._remembers:
            return
        self._earlier[key] = self._clock.now(), answer
        self._earlier.move_to_end(key)
        if len(self._earlier) > KEPT_MAX:
            self._earlier.popitem(last=False)

    def earlier(self, key: Hashable, since: datetime) -> tuple[object] | None:
        """The answer that the same reading had, in a box; None where it is too old."""
        known = self._earlier.get(key)
        return None if known is None or known[0] < since else (known[1],)
