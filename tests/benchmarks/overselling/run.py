"""A child process: one shop, one way of publishing, from its first day to its last.

Called by `oversell.py`, by a test, and by people: `python -m tests.benchmarks.overselling.run
'{"kind":"poller","buffer":2}'` prints what came of it as JSON, and on stderr how far it is.
"""

import cProfile
import pstats
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Literal

import anyio
import msgspec

from kcjl.clock import SeededIds, chance
from kcjl.events import vocabulary
from kcjl.following import Following
from kcjl.log.memory import MemoryLog, MemoryStore
from kcjl.log.port import Recorded
from kcjl.rooms import Outside, Rooms
from kcjl.sandbox.world import World
from kcjl.sandbox.world_truth import OversoldLine
from kcjl.settings import (
    InvoiceAddress,
    JohnLewisSettings,
    KhaosSettings,
    MerchantSettings,
    OpeningPolicy,
)
from kcjl.vault import MemoryVault
from tests.benchmarks.overselling.observer import Observer, Tally, added_up
from tests.benchmarks.overselling.poller import SEER_LAG_S, SEER_S, Poller, Seer
from tests.benchmarks.overselling.shop import Shop, open_shop
from tests.simulation.faults import Faults
from tests.simulation.loop import run as run_loop
from tests.simulation.outside import SimulatedOutside
from tests.simulation.premises import VirtualClock

__all__ = ["Asked", "Ran", "recorded", "run"]

MERCHANT = "acme"
SAY_EVERY = timedelta(days=10)
AFTER = timedelta(hours=12)
"""After the last sale: what was sold then is posted, too."""
SHOWN = 50
WORST = 20


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who publishes, and in which shop."""

    kind: Literal["service", "poller", "seer"] = "service"
    buffer: int = 0
    """Units: of the poller's, or of the service's opening policy."""
    speed: float | None = None
    """Service level of the speed buffer, 0: none; None: the default's, and the seer's none."""
    lag_s: float = SEER_LAG_S
    """What the seer's speed buffer covers."""
    every_s: float = SEER_S
    """How often the seer publishes."""
    stock_poll_s: float = 0.0
    """How often the service reads levels; 0: as it does by default."""
    watched: bool = True
    """The service asks between two polls what has moved, as it does by default."""
    shop: Shop = Shop()
    profiled: bool = False


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    asked: Asked
    days: dict[date, Tally]
    calls: dict[str, int]
    """By operation."""
    worst: tuple[OversoldLine, ...]
    """The order lines of which most was oversold."""
    events: int
    """In the service's log."""
    cpu_s: float


def run(asked: Asked, say: Callable[[str], None]) -> Ran:
    """From the first day to the last, under a virtual loop of its own."""
    ran, _ = recorded(asked, say)
    return ran


def recorded(asked: Asked, say: Callable[[str], None]) -> tuple[Ran, Sequence[Recorded]]:
    """The same, and the service's log."""
    began = time.process_time()
    attempt = _Attempt(asked, say)
    run_loop(attempt.trade, seed=None)
    return attempt.ran(time.process_time() - began), attempt.log


class _Attempt:
    def __init__(self, asked: Asked, say: Callable[[str], None]) -> None:
        self._asked = asked
        self._say = say
        self._days: dict[date, Tally] = {}
        self._calls: Counter[str] = Counter()
        self._worst: tuple[OversoldLine, ...] = ()
        self._store = MemoryStore()

    async def trade(self) -> None:
        world = open_shop(self._asked.shop)
        clock = VirtualClock(world.starts_at)
        seed = self._asked.shop.seed
        outside = SimulatedOutside(world, Faults(), chance(f"oversell/{seed}"), clock)
        self._calls = outside.mishaps.calls
        observer = Observer(world, lambda: self._calls)
        publisher = self._publisher(outside.ports(), world, clock)
        async with anyio.create_task_group() as group:
            group.start_soon(publisher)
            ends_at = world.trade.ends_at + AFTER
            while clock.now() < ends_at:
                wait = min(SAY_EVERY, ends_at - clock.now())
                await clock.sleep(wait.total_seconds())
                self._say(_so_far(self._asked, clock.now(), observer))
            group.cancel_scope.cancel()
        world.agenda.advance(clock.now())
        observer.close()
        self._days = observer.days
        oversold = sorted(world.buying.oversold, key=lambda line: -line.units_oversold)
        self._worst = tuple(oversold[:WORST])

    def _publisher(
        self, outside: Outside, world: World, clock: VirtualClock
    ) -> Callable[[], Coroutine[object, object, None]]:
        asked = self._asked
        match asked.kind:
            case "poller":
                return Poller(outside, clock, buffer=asked.buffer).run
            case "seer":
                return Seer(
                    outside,
                    clock,
                    world,
                    speed=asked.speed or 0.0,
                    lag_s=asked.lag_s,
                    every_s=asked.every_s,
                ).run
            case "service":
                return partial(self._serve, outside, clock)

    async def _serve(self, outside: Outside, clock: VirtualClock) -> None:
        """The rooms that stock needs: the tenant, stock and orders; no desk, no read models."""
        settings = MerchantSettings(
            johnlewis=JohnLewisSettings(base_url="https://simulated.example"),
            khaos=KhaosSettings(
                base_url="https://erp.simulated.example",
                invoice_address=InvoiceAddress(
                    line1="1 Example Road", town="London", postcode="ZZ1 1ZZ"
                ),
            ),
            opening_policy=self._opening(),
        )
        if self._asked.stock_poll_s:
            stock = msgspec.structs.replace(settings.stock, poll_s=self._asked.stock_poll_s)
            settings = msgspec.structs.replace(settings, stock=stock)
        if not self._asked.watched:
            stock = msgspec.structs.replace(settings.stock, watch_s=0)
            settings = msgspec.structs.replace(settings, stock=stock)
        epoch = self._store.take_over(MERCHANT)
        vault = MemoryVault(MERCHANT, b"k" * 32, chance("oversell/vault").randbytes)
        async with MemoryLog.open(self._store, MERCHANT, vocabulary(), clock, epoch) as log:
            rooms = Rooms(
                settings, log, vault, outside, clock, SeededIds(self._asked.shop.seed)
            )
            await rooms.tenant.open()
            async with anyio.create_task_group() as group:
                following = Following(log, 0)
                group.start_soon(following.run)
                for room in (rooms.tenant, rooms.stock, rooms.orders):
                    group.start_soon(room.run, following.listen)

    def _opening(self) -> OpeningPolicy:
        """The default, but for what was asked otherwise."""
        opening = OpeningPolicy(buffer_units=self._asked.buffer)
        speed = self._asked.speed
        if speed is None:
            return opening
        return msgspec.structs.replace(opening, speed=speed or False)

    @property
    def log(self) -> Sequence[Recorded]:
        return self._store.shelf(MERCHANT).events

    def ran(self, cpu_s: float) -> Ran:
        return Ran(
            asked=self._asked,
            days=self._days,
            calls=dict(self._calls),
            worst=self._worst,
            events=self._store.shelf(MERCHANT).head.position,
            cpu_s=cpu_s,
        )


def _so_far(asked: Asked, now: datetime, observer: Observer) -> str:
    """A line of how far it is, for who waits."""
    so_far = added_up(observer.days.values())
    return (
        f"{asked.kind} {asked.buffer}: {now:%Y-%m-%d}, {so_far.units_oversold} oversold, "
        f"{so_far.unit_hours_withheld:.0f} unit-hours withheld, "
        f"{so_far.units_lost_though_there} lost though there"
    )


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main() -> None:
    asked = msgspec.json.decode(sys.argv[1], type=Asked)
    profile = cProfile.Profile()
    if asked.profiled:
        profile.enable()
    ran = run(asked, _tell)
    profile.disable()
    sys.stdout.write(msgspec.json.encode(ran).decode() + "\n")
    if asked.profiled:
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(SHOWN)


if __name__ == "__main__":
    main()
