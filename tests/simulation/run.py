"""One run: the whole system from one scenario, and what became of the laws.

Promises: trade with faults; then the faults stop, and everything has to come to rest within
REST_H hours of virtual time; then the laws. The same scenario gives the same `trace_hash`. A
run that gets stuck, or a process that ends as none may, is a broken law as well.
Invariant: everything of a run is made in it; nothing is left of it but its `Run`.
Called by the command, by tests and by the mutations.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

import anyio
import msgspec

from kcjl.log.memory import MemoryStore
from kcjl.rooms import Outside
from kcjl.sandbox.world import World
from tests.simulation.cashiers import Cashiers
from tests.simulation.faults import Faults
from tests.simulation.laws import Broken, Evidence, exercised, gather, judge
from tests.simulation.laws.evidence import LIVENESS
from tests.simulation.loop import Stuck, VirtualLoop
from tests.simulation.loop import run as run_loop
from tests.simulation.operators import Operators
from tests.simulation.outside import SimulatedOutside
from tests.simulation.outside_books import broken_books
from tests.simulation.premises import MERCHANT, Premises, VirtualClock
from tests.simulation.resting import come_to_rest
from tests.simulation.scenario import Scenario, draw
from tests.simulation.site import Site
from tests.simulation.witness import Witness

__all__ = ["Run", "broken_by", "recorded_by", "run_scenario", "simulate", "watched"]

STEPS_MAX = 400
"""From its hour a death comes within so many steps: at any await of what is going on."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a scenario."""

    scenario: Scenario
    broken: tuple[Broken, ...]
    trace_hash: str
    faults_by_kind: Mapping[str, int]
    """What was suffered, deaths and take-overs too."""
    events: int
    calls: int
    steps: int
    orders: int
    virtual_s: float
    exercised: Mapping[str, int]
    """How much each law had to judge, and how often each situation came up."""
    lines: tuple[str, ...] = ()
    """The history, where it was asked for."""


def broken_by(seed: int) -> list[Broken]:
    """Run a seed's scenario; the laws that it breaks."""
    return list(run_scenario(draw(seed)).broken)


def run_scenario(scenario: Scenario, *, keep_lines: bool = False) -> Run:
    """Run it in a loop of its own, under the guard. Raises Touched only."""
    attempt = _Attempt(scenario, keep_lines=keep_lines)
    stuck = ""
    try:
        run_loop(attempt.simulate, seed=scenario.seed)
    except Stuck as error:
        stuck = str(error)
    return attempt.outcome(stuck)


def recorded_by(scenario: Scenario) -> MemoryStore:
    """Run it; the log that is left."""
    attempt = _Attempt(scenario, keep_lines=False)
    run_loop(attempt.simulate, seed=scenario.seed)
    return attempt.store


async def simulate(scenario: Scenario) -> Run:
    """Within a virtual loop that runs already."""
    attempt = _Attempt(scenario, keep_lines=False)
    await attempt.simulate()
    return attempt.outcome("")


class _Attempt:
    """A run while it goes on: what is known of it when it gets stuck, too."""

    def __init__(self, scenario: Scenario, *, keep_lines: bool) -> None:
        self._scenario = scenario
        self._keep_lines = keep_lines
        self._broken: list[Broken] = []
        self._premises: Premises | None = None
        self._outside: SimulatedOutside | None = None
        self._site: Site | None = None
        self._exercised: Counter[str] = Counter()
        self._steps = 0

    async def simulate(self) -> None:
        scenario, witness = self._scenario, Witness()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        world = scenario.world()
        clock = VirtualClock(world.starts_at)
        outside = self._outside = SimulatedOutside(
            world,
            scenario.faults,
            scenario.chance("mishaps"),
            clock,
            live_ledger=scenario.live_ledger,
        )
        outside.mishaps.on_suffered.append(
            lambda kind, operation: witness.suffered(kind, operation, clock.now())
        )
        outside.on_restored.append(
            lambda each: witness.restored(
                world.warehouse, clock.now(), timedelta(hours=each.age_h)
            )
        )
        premises = self._premises = Premises(
            scenario,
            clock,
            outside=lambda: watched(outside.ports(), witness, clock),
            keep_lines=self._keep_lines,
        )
        premises.on_death_in.append(witness.unheard)
        with witness.watching(world.warehouse):
            async with anyio.create_task_group() as group:
                site = self._site = Site(premises, group, scenario.chance("site"))
                site.start()
                group.start_soon(_misfortunes, scenario, site, clock)
                operators = Operators(
                    premises, scenario.asks, scenario.seed, code_of=world.shelf.erp_code
                )
                group.start_soon(operators.act)
                group.start_soon(operators.look)
                if given := scenario.asks.gives_back:
                    cashiers = Cashiers(premises, given, scenario.seed)
                    group.start_soon(cashiers.act, scenario.faults_until_h)
                await self._trade(world, clock)
                at_rest = await come_to_rest(world, witness, premises, outside)
                evidence = await self._evidence(world, witness, at_rest=at_rest)
                unanswered = await operators.unanswered()
                site.close()
                group.cancel_scope.cancel()
        self._steps = loop.steps
        self._broken.extend(judge(evidence))
        self._broken.extend(
            Broken(law=LIVENESS, checker="commands", message=f"nobody has answered {body}")
            for body in unanswered
        )
        self._exercised = exercised(evidence)
        if outside.books is not None:
            self._broken.extend(broken_books(outside.books, evidence))
            self._exercised["journals in a live ledger"] = len(outside.books.journals)

    async def _trade(self, world: World, clock: VirtualClock) -> None:
        """Until the trade is over, and nothing goes wrong any more."""
        assert self._outside is not None
        assert self._premises is not None
        scenario = self._scenario
        calm_at = clock.began + timedelta(hours=scenario.faults_until_h)
        await _until(clock, max(calm_at, world.trade.ends_at))
        self._outside.advance()
        self._outside.stop_faults()
        self._premises.luck.stop()
        self._premises.stop_deaths()
        self._premises.trace.happened("nothing goes wrong any more")

    async def _evidence(self, world: World, witness: Witness, *, at_rest: bool) -> Evidence:
        assert self._premises is not None
        assert self._outside is not None
        assert self._site is not None
        premises, process = self._premises, self._site.current
        rooms = process.rooms if process is not None else None
        return await gather(
            world=world,
            witness=witness,
            store=premises.store,
            merchant=MERCHANT,
            rows=premises.rows,
            rooms=rooms.all() if rooms is not None else (),
            journals=self._outside.ledger.journals,
            appends=premises.appends,
            now=premises.clock.now(),
            at_rest=at_rest,
            skew=_skew(self._scenario.faults),
            stock=self._scenario.settings.stock,
        )

    @property
    def store(self) -> MemoryStore:
        assert self._premises is not None
        return self._premises.store

    def outcome(self, stuck: str) -> Run:
        """What is known when it is over, however it ended."""
        premises, outside, site = self._premises, self._outside, self._site
        broken = list(self._broken)
        if stuck:
            broken.insert(0, Broken(law=LIVENESS, checker="stuck", message=stuck))
        suffered: Counter[str] = Counter()
        if site is not None:
            suffered.update(site.suffered)
            broken.extend(
                Broken(law=LIVENESS, checker="process", message=each) for each in site.odd_ends
            )
        if outside is not None:
            suffered.update(outside.faults_by_kind)
        if premises is not None:
            suffered.update(premises.luck.counted)
            if premises.deaths_in_calls:
                suffered["death in a call"] = premises.deaths_in_calls
        trace = premises.trace if premises is not None else None
        return Run(
            scenario=self._scenario,
            broken=tuple(broken),
            trace_hash=trace.hash if trace is not None else "",
            faults_by_kind=dict(sorted(suffered.items())),
            events=trace.events if trace is not None else 0,
            calls=trace.calls if trace is not None else 0,
            steps=self._steps,
            orders=len(outside.world.marketplace.orders) if outside is not None else 0,
            exercised=dict(sorted(self._exercised.items())),
            virtual_s=premises.clock.elapsed_s if premises is not None else 0.0,
            lines=tuple(trace.lines) if trace is not None else (),
        )


async def _misfortunes(scenario: Scenario, site: Site, clock: VirtualClock) -> None:
    """Deaths and take-overs, each at its hour."""
    chance = scenario.chance("deaths")
    moments = [(hour, "death") for hour in scenario.deaths_h]
    moments += [(hour, "take-over") for hour in scenario.takeovers_h]
    for hour, kind in sorted(moments):
        await _until(clock, clock.began + timedelta(hours=hour))
        if kind == "death":
            site.kill_in(chance.randint(1, STEPS_MAX))
        else:
            site.take_over()


async def _until(clock: VirtualClock, moment: datetime) -> None:
    await clock.sleep(max((moment - clock.now()).total_seconds(), 0.0))


def watched(ports: Outside, witness: Witness, clock: VirtualClock) -> Outside:
    return Outside(
        witness.beside(ports.marketplace, "johnlewis", clock),
        witness.beside(ports.erp, "khaos", clock),
        witness.beside(ports.ledger, "ledger", clock),
        witness.beside(ports.documents, "documents", clock),
        None if ports.books is None else witness.beside(ports.books, "books", clock),
    )


def _skew(faults: Faults) -> timedelta:
    """How far an outside clock is ever off."""
    shifts = (*faults.marketplace_clock, *faults.erp_clock)
    return timedelta(seconds=max((abs(each.fast_s) for each in shifts), default=0.0))
