"""The keeper of a world's door: its pace, its journal, and who came in.

Promises: `enter` moves the world to its clock's now; `change` puts a change on file before it
is made, and makes it with the arguments as the file has them, so that live and replay are one;
a world with a journal begins where the journal ends. Nothing else moves or changes the world.
Invariant: world time never goes back; what a model raises passes through, after the journal.
Called by both faces (as their gate), by the control routes and by the server's ticker.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from kcjl.clock import real_monotonic, real_now
from kcjl.errors import Misuse
from kcjl.sandbox.faults import Fault, FaultPlan
from kcjl.sandbox.gate import Side
from kcjl.sandbox.journal import JournalEntry, WorldJournal, plain
from kcjl.sandbox.world import World

__all__ = ["ClockReading", "Doorkeeper", "Pace"]

SPEED_MAX = 100_000.0
"""World seconds a real second; beyond it one tick is an hour."""
MARK_EVERY_S = 1.0
"""Real seconds after which passed time is put on file, where no change was."""
_HEALTH_CHECKS = frozenset({"v01", "getversion", "wsdl", "unanswered"})
"""Calls that do not count as a client's coming."""


class Pace:
    """Where world time is: anchor + real time × speed, or standing still."""

    def __init__(
        self,
        anchor: datetime,
        speed: float,
        *,
        running: bool,
        monotonic: Callable[[], float] = real_monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._anchor = anchor
        self._since = monotonic()
        self.speed = _checked(speed)
        self.running = running

    def now(self) -> datetime:
        if not self.running:
            return self._anchor
        passed_s = (self._monotonic() - self._since) * self.speed
        return self._anchor + timedelta(seconds=passed_s)

    def set(
        self, *, speed: float | None = None, running: bool | None = None, leap_s: float = 0
    ) -> None:
        """Go on from here, otherwise."""
        if leap_s < 0:
            raise Misuse("world time does not go back")
        checked = self.speed if speed is None else _checked(speed)
        self._anchor = self.now() + timedelta(seconds=leap_s)
        self._since = self._monotonic()
        self.speed = checked
        self.running = self.running if running is None else running


def _checked(speed: float) -> float:
    if not 0 <= speed <= SPEED_MAX:
        raise Misuse(f"the speed of a world is from 0 to {SPEED_MAX:,.0f}, not {speed}")
    return speed


class ClockReading(msgspec.Struct, frozen=True, kw_only=True):
    """GET /sandbox/clock."""

    now: datetime
    speed: float
    """0 while time stands still."""
    speed_set: float
    running: bool
    finished: bool
    """The trade is over and no order that can go on is left."""
    ended: bool
    """The horizon is reached: time stands still for good."""
    waiting_for: tuple[str, ...]
    """Sides that have to be called before time begins."""
    starts_at: datetime
    trade_ends_at: datetime
    ends_at: datetime
    started_real: datetime | None
    """Real time at which world time began to run, in this process."""
    resumed: bool
    calls: dict[str, int]
    """Calls by side, health checks included."""


class Doorkeeper:
    """The gate of one running world."""

    def __init__(
        self,
        world: World,
        faults: FaultPlan,
        journal: WorldJournal | None = None,
        *,
        speed: float,
        wait_for_client: bool = False,
        erp: Side = "khaos",
        monotonic: Callable[[], float] = real_monotonic,
    ) -> None:
        self.world = world
        self.faults = faults
        self._journal = journal
        self._monotonic = monotonic
        self._waiting_for = {"johnlewis", erp} if wait_for_client else set()
        self._calls = {"johnlewis": 0, erp: 0, "control": 0}
        self.resumed = journal is not None and bool(journal.entries)
        if journal is not None:
            for entry in journal.entries:
                self._replay(entry)
        self.pace = Pace(
            world.agenda.now, speed, running=not wait_for_client, monotonic=monotonic
        )
        self._started_real = None if wait_for_client else real_now()
        self._marked_s = monotonic()

    # ── the gate of the faces ──

    def enter(self, side: str, operation: str) -> None:
        self._calls[side] = self._calls.get(side, 0) + 1
        if side in self._waiting_for and operation.casefold() not in _HEALTH_CHECKS:
            self._waiting_for.discard(side)
            if not self._waiting_for:
                self.pace.set(running=True)
                self._started_real = real_now()
        self._move_on()

    def change(self, side: str, operation: str, arguments: dict[str, object]) -> object:
        entry = JournalEntry(
            at=self.world.agenda.now,
            side=side,
            operation=operation,
            arguments=plain(arguments),
        )
        self._write(entry)
        return self._make(entry)

    # ── the ticker and the control routes ──

    def tick(self) -> None:
        """Move the world on, and put a mark on file when time has passed without a change."""
        before = self.world.agenda.now
        self._move_on()
        due = self._monotonic() - self._marked_s >= MARK_EVERY_S
        if due and self.world.agenda.now > before:
            self.mark()

    def set_pace(
        self, *, speed: float | None = None, running: bool | None = None, leap_s: float = 0
    ) -> None:
        """Another speed, a start without waiting, a leap ahead."""
        if running and self.ended:
            raise Misuse("the world has reached its horizon: its time stands still for good")
        self.pace.set(speed=speed, running=running, leap_s=leap_s)
        if running and self._waiting_for:
            self._waiting_for.clear()
            self._started_real = real_now()
        self._move_on()
        self.mark()

    def mark(self) -> None:
        """Put on file where world time is."""
        now = self.world.agenda.now
        self._write(JournalEntry(at=now, side="clock", operation="mark"))

    def take_fault(self, side: str, operation: str) -> Fault | None:
        """The fault that hits this call, if one does; on file before it strikes."""
        if not self.faults.planned:
            return None
        self._move_on()
        planned = self.faults.take(side, operation, self.world.agenda.now)
        if planned is None:
            return None
        self._write(
            JournalEntry(
                at=self.world.agenda.now,
                side="faults",
                operation="happened",
                arguments={"number": planned.number},
            )
        )
        return planned.fault

    def clock(self) -> ClockReading:
        pace, world = self.pace, self.world
        return ClockReading(
            now=world.agenda.now,
            speed=pace.speed if pace.running else 0.0,
            speed_set=pace.speed,
            running=pace.running,
            finished=world.finished,
            ended=self.ended,
            waiting_for=tuple(sorted(self._waiting_for)),
            starts_at=world.starts_at,
            trade_ends_at=world.trade.ends_at,
            ends_at=world.ends_at,
            started_real=self._started_real,
            resumed=self.resumed,
            calls=dict(self._calls),
        )

    @property
    def ended(self) -> bool:
        return self.world.agenda.now >= self.world.ends_at

    def close(self) -> None:
        if self._journal is not None:
            self.mark()
            self._journal.close()
            self._journal = None

    # ── inside ──

    def _move_on(self) -> None:
        self.world.agenda.advance(min(self.pace.now(), self.world.ends_at))
        if self.ended and self.pace.running:
            self.pace.set(running=False)

    def _write(self, entry: JournalEntry) -> None:
        self._marked_s = self._monotonic()
        if self._journal is not None:
            self._journal.write(entry)

    def _replay(self, entry: JournalEntry) -> None:
        self.world.agenda.advance(entry.at)
        with suppress(Exception):  # it was answered then, and the world stayed as it was
            self._make(entry)

    def _make(self, entry: JournalEntry) -> object:
        match entry.side, entry.operation:
            case "clock", _:
                return None
            case "faults", "happened":
                self.faults.happened_before(msgspec.convert(entry.arguments["number"], int))
                return None
            case "faults", "add":
                return self.faults.add(msgspec.convert(entry.arguments["faults"], list[Fault]))
            case "faults", "remove":
                return self.faults.remove(msgspec.convert(entry.arguments["number"], int))
            case "faults", "clear":
                return self.faults.clear()
            case side, operation:
                return self.world.change(side, operation, entry.arguments)
