"""A run that is driven by hand, step by step: the real rooms, both worlds, a virtual clock.

Promises: between two steps everything stands still; what is to go wrong with which call is said
before it is made; a process can be killed after any number of steps of the loop, and is started
again as a supervisor would. `ended` brings all to rest and gives what the laws are judged by.
Invariant: the same steps give the same run. Nothing in it is drawn but what the seed draws.
Called by state machines (tests/orders/test_state_machine.py).
"""

import gc
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from typing import Any, TypeVar

import anyio

from kcjl.clock import SeededIds
from kcjl.command import Command, Outcome
from kcjl.errors import Misuse
from kcjl.sandbox.marketplace import ApiError
from kcjl.sandbox.warehouse import KhaosFault
from kcjl.sandbox.warehouse.backup import Backup, back_up
from tests.simulation.faults import Faults, Restore
from tests.simulation.laws import Evidence, gather
from tests.simulation.loop import VirtualLoop, guard
from tests.simulation.mishaps import CallKind, Mishaps
from tests.simulation.outside import SimulatedOutside
from tests.simulation.premises import MERCHANT, Premises, VirtualClock
from tests.simulation.resting import come_to_rest
from tests.simulation.run import watched
from tests.simulation.scenario import Scenario
from tests.simulation.site import Site
from tests.simulation.witness import Witness

__all__ = ["ByHand", "ScriptedMishaps"]

T = TypeVar("T")

ANSWER_S, ANSWER_LOOKS_MAX = 20.0, 90
BACKUP_AGE = timedelta(hours=1)
FITS: Mapping[str, frozenset[CallKind]] = {
    "lost_before": frozenset({"read", "rows", "write"}),
    "lost_after": frozenset({"read", "rows", "write"}),
    "truncated": frozenset({"read", "rows", "write"}),
    "rate_limited": frozenset({"read", "rows", "write"}),
    "arrives_late": frozenset({"write"}),
}


class ScriptedMishaps(Mishaps):
    """Nothing goes wrong but what was said: the next call of an operation suffers a kind."""

    def __init__(self, scenario: Scenario, clock: VirtualClock) -> None:
        super().__init__(Faults(), scenario.chance("mishaps"), clock)
        self._said: defaultdict[str, list[str]] = defaultdict(list)

    def say(self, operation: str, kind: str) -> None:
        self._said[operation].append(kind)

    def draw(self, operation: str, of: CallKind) -> str:
        kind = super().draw(operation, of)
        said = self._said[operation]
        if kind or self.is_stopped or not said or of not in FITS[said[0]]:
            return kind
        return said.pop(0)


class ByHand:
    """One run. Begin, take steps, and end."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.world = scenario.world()
        self.witness = Witness()
        self.refused: list[str] = []
        """What hands or commands could not do, in the order of trying."""
        self._loop = VirtualLoop(scenario.seed)
        self._ids = SeededIds(scenario.seed + 3)
        self._backups: list[Backup] = []
        self._step(self._begin())

    # ── steps ──

    def passes(self, minutes: float) -> None:
        """Time goes on, and everybody with it."""
        self._step(self._passes(minutes))

    def hand(self, side: str, operation: str, **arguments: object) -> object:
        """A person's hand in one of the worlds; one that comes too late does nothing."""
        return self._step(self._hand(side, operation, arguments))

    def changes(self, change: Callable[[], object]) -> None:
        """Something that no interface has: a person writes in the books of a world."""
        self._step(self._changes(change))

    def asks(self, verb: str, by: str = "operations", **arguments: str) -> Outcome | None:
        """A command, and the service's answer; None where none came in half an hour."""
        return self._step(self._asks(Command(verb=verb, arguments=arguments), by))

    def suffers(self, operation: str, kind: str) -> None:
        """The next call of it goes wrong so."""
        self.mishaps.say(operation, kind)

    def dies_in(self, steps: int) -> None:
        """The process dies after so many steps of the loop, wherever it stands then."""
        self._step(self._dies_in(steps))

    def set_back(self) -> None:
        """The ERP is set back to the newest backup that is an hour old."""
        self._step(self._set_back())

    def ended(self) -> Evidence:
        """Nothing goes wrong any more; everything comes to rest; what there is to judge by."""
        try:
            return self._step(self._ended())
        finally:
            self._loop.close()
            gc.collect(0)

    # ── within the loop ──

    def _step(self, step: Coroutine[Any, Any, T]) -> T:
        with guard(self._loop) as touched:
            outcome = self._loop.run_until_complete(step)
        assert [] == touched
        assert [] == self._loop.troubles
        if self._house.done():
            self._house.result()
        return outcome

    async def _begin(self) -> None:
        world, scenario = self.world, self.scenario
        clock = VirtualClock(world.starts_at)
        outside = self.outside = SimulatedOutside(
            world, Faults(), scenario.chance("mishaps"), clock
        )
        self.mishaps = outside.mishaps = ScriptedMishaps(scenario, clock)
        outside.on_restored.append(
            lambda each: self.witness.restored(
                world.warehouse, clock.now(), timedelta(hours=each.age_h)
            )
        )
        self.premises = Premises(
            scenario, clock, outside=lambda: watched(outside.ports(), self.witness, clock)
        )
        self.premises.on_death_in.append(self.witness.unheard)
        self._over, ready = anyio.Event(), anyio.Event()
        self._house = self._loop.create_task(self._live(ready))
        await ready.wait()

    async def _live(self, ready: anyio.Event) -> None:
        with self.witness.watching(self.world.warehouse):
            async with anyio.create_task_group() as group:
                self.site = Site(self.premises, group, self.scenario.chance("site"))
                self.site.start()
                ready.set()
                await self._over.wait()
                self.site.close()
                group.cancel_scope.cancel()

    async def _passes(self, minutes: float) -> None:
        self._backups.append(back_up(self.world.warehouse))
        await self.premises.clock.sleep(minutes * 60)
        self.outside.advance()

    async def _hand(self, side: str, operation: str, arguments: dict[str, object]) -> object:
        self.outside.advance()
        self.premises.trace.happened(f"a hand at {side}: {operation} {arguments}")
        try:
            return self.world.change(side, operation, arguments)
        except (ApiError, KhaosFault, Misuse) as refused:
            self.refused.append(f"{operation}: {refused}")
            return None

    async def _changes(self, change: Callable[[], object]) -> None:
        self.outside.advance()
        change()

    async def _asks(self, command: Command, by: str) -> Outcome | None:
        premises = self.premises
        premises.trace.happened(f"{by} asks: {command.verb} {command.arguments}")
        command_id = premises.commands.issue(command, by=by, ids=self._ids)
        for _ in range(ANSWER_LOOKS_MAX):
            outcome = premises.commands.outcomes.get(command_id)
            if outcome is not None:
                if not outcome.ok:
                    self.refused.append(f"{command.verb}: {outcome.message}")
                return outcome
            await premises.clock.sleep(ANSWER_S)
        return None

    async def _dies_in(self, steps: int) -> None:
        self.site.kill_in(steps)

    async def _set_back(self) -> None:
        self.outside.advance()
        latest = self.premises.clock.now() - BACKUP_AGE
        old = [each for each in self._backups if each.taken_at <= latest]
        if old:
            age = self.premises.clock.now() - old[-1].taken_at
            hours = age.total_seconds() / 3600
            self.outside.set_back(Restore(at_h=0.0, age_h=hours), old[-1])

    async def _ended(self) -> Evidence:
        self.mishaps.stop()
        world, premises = self.world, self.premises
        at_rest = await come_to_rest(world, self.witness, premises, self.outside)
        process = self.site.current
        rooms = process.rooms if process is not None else None
        evidence = await gather(
            world=world,
            witness=self.witness,
            store=premises.store,
            merchant=MERCHANT,
            rows=premises.rows,
            rooms=rooms.all() if rooms is not None else (),
            journals=self.outside.ledger.journals,
            appends=premises.appends,
            now=premises.clock.now(),
            at_rest=at_rest,
            skew=timedelta(0),
            stock=self.scenario.settings.stock,
        )
        self._over.set()
        await self._house
        assert [] == self.site.odd_ends
        return evidence
