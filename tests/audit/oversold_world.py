"""A shop that publishes by a naive policy, and what was true in it: the cause of each oversell.

The service itself publishes: levels read each half hour, no watch, no buffer; the marketplace
takes its time over an import. `truth` is made of the outside's own movements, calls and window,
never of the log. Called by test_explain_oversold.py.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

import anyio
import msgspec

from kcjl.audit.explain_oversold import Cause
from kcjl.clock import SeededIds, chance
from kcjl.events import vocabulary
from kcjl.following import Following
from kcjl.johnlewis.port import StockFigure
from kcjl.khaos.port import StockLevel
from kcjl.log.memory import MemoryLog, MemoryStore
from kcjl.rooms import Outside, Rooms
from kcjl.sandbox.marketplace.inputs import PlacedOrder
from kcjl.sandbox.marketplace.offer_records import Offer
from kcjl.sandbox.trade import COLUMNS
from kcjl.sandbox.warehouse.stock import StockItem, key_of
from kcjl.sandbox.world import World
from kcjl.sandbox.world_truth import OversoldLine
from kcjl.settings import MerchantSettings, OpeningPolicy, StockSettings
from kcjl.vault import MemoryVault
from tests.benchmarks.overselling.shop import Shop
from tests.cli.test_stock import SETTINGS
from tests.simulation.faults import Faults
from tests.simulation.loop import run as run_loop
from tests.simulation.outside import SimulatedOutside
from tests.simulation.premises import VirtualClock
from tests.simulation.witness import Outcome, Witness

__all__ = ["MERCHANT", "NaiveWorld"]

MERCHANT = "acme"
FIRST = date(2010, 12, 1)
CODES = tuple(str(code) for code in range(10001, 10013))
OPENS, CLOSES = 8, 18
AFTER = timedelta(hours=2)
LITTLE = 30


def trade_file(folder: Path, *, seed: int, days: int) -> Path:
    """Small sales all day long, of a few wares; a hash parts them between the channels."""
    draw = Random(seed)
    rows = [",".join(COLUMNS)]
    number = 536_000
    for day in range(days):
        for hour in range(OPENS, CLOSES):
            for _ in range(30):
                number += 1
                at = datetime.combine(FIRST, datetime.min.time()) + timedelta(
                    days=day, hours=hour, minutes=draw.randrange(60)
                )
                code, units = draw.choice(CODES), draw.randint(1, 4)
                rows.append(f"{number},{code},WARE {code},{units},{at},2.50,17850,UK")
    path = folder / f"trade-{seed}.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


class NaiveWorld:
    """One shop, from its first sale to its last."""

    def __init__(
        self,
        folder: Path,
        *,
        seed: int,
        days: int = 3,
        poll_s: float = 1_800.0,
        import_s: tuple[float, float] = (60.0, 900.0),
        faults: Faults | None = None,
    ) -> None:
        self.store = MemoryStore()
        self.witness = Witness()
        self._free: defaultdict[str, list[tuple[datetime, int, str, int]]] = defaultdict(list)
        """By key: from when on so many were free; the order that changed it, and its units."""
        self._window: defaultdict[str, list[datetime]] = defaultdict(list)
        """By key: when what is shown has changed."""
        self._faults = faults or Faults()
        self._seed = seed
        self._settings = _naive(poll_s)
        shop = Shop(
            path=str(trade_file(folder, seed=seed, days=days)),
            first_day=FIRST,
            last_day=FIRST + timedelta(days=days - 1),
            seed=seed,
            share=50.0,
        )
        settings = shop.settings
        marketplace = msgspec.structs.replace(
            settings.marketplace, import_s_min=import_s[0], import_s_max=import_s[1]
        )
        self.world = World(msgspec.structs.replace(settings, marketplace=marketplace))

    @property
    def oversold(self) -> Sequence[OversoldLine]:
        return self.world.buying.oversold

    def run(self) -> None:
        run_loop(self._trade, seed=None)

    async def _trade(self) -> None:
        world = self.world
        clock = VirtualClock(world.starts_at)
        outside = SimulatedOutside(world, self._faults, chance(f"naive/{self._seed}"), clock)
        ports = outside.ports()
        ports = Outside(
            self.witness.beside(ports.marketplace, "johnlewis", clock),
            self.witness.beside(ports.erp, "khaos", clock),
            ports.ledger,
            ports.documents,
        )
        self._watch()
        epoch = self.store.take_over(MERCHANT)
        vault = MemoryVault(MERCHANT, b"k" * 32, chance("naive/vault").randbytes)
        with self.witness.watching(world.warehouse):
            async with MemoryLog.open(self.store, MERCHANT, vocabulary(), clock, epoch) as log:
                rooms = Rooms(self._settings, log, vault, ports, clock, SeededIds(self._seed))
                await rooms.tenant.open()
                async with anyio.create_task_group() as group:
                    following = Following(log, 0)
                    group.start_soon(following.run)
                    for room in (rooms.tenant, rooms.stock, rooms.orders):
                        group.start_soon(room.run, following.listen)
                    wait = world.trade.ends_at + AFTER - clock.now()
                    await clock.sleep(wait.total_seconds())
                    group.cancel_scope.cancel()
        world.agenda.advance(clock.now())

    # ── the truth ──

    def _watch(self) -> None:
        world = self.world
        world.warehouse.stock.on_moved.append(self._moved)
        world.marketplace.catalogue.on_quantity.append(self._took_effect)
        world.marketplace.on_order_placed.append(self._placed)
        night = world.trade.starts_at.replace(hour=3, minute=0)
        world.agenda.at(max(night, world.agenda.now), self._run_down)

    def _run_down(self) -> None:
        """Little is there of each ware; at night it is filled up."""
        agenda, warehouse = self.world.agenda, self.world.warehouse
        for code in CODES:
            warehouse.adjust(code, LITTLE - int(warehouse.level(code)), "count")
        agenda.at(agenda.now + timedelta(days=1), self._run_down)

    def _moved(self, item: StockItem) -> None:
        self._note(key_of(item.code), "")

    def _placed(self, placed: PlacedOrder) -> None:
        for line in placed.lines:
            self._note(key_of(line.sku), placed.order_id, line.quantity)

    def _note(self, key: str, by: str, units: int = 0) -> None:
        self._free[key].append((self.world.agenda.now, self.world.buying.free(key), by, units))

    def _took_effect(self, offer: Offer) -> None:
        self._window[key_of(offer.sku)].append(self.world.agenda.now)

    def truth(self, line: OversoldLine) -> Cause:
        """Why it was sold, by what happened outside."""
        key = key_of(line.sku)
        began = self._rests_on(key, line)
        fell_at: datetime | None = None
        for at, free in reversed(self._left_for(key, line)):
            if free >= line.quantity:
                break
            fell_at = at
            if at <= began:
                return Cause.PUT_BACK
        if fell_at is None:
            raise AssertionError(f"nothing made {line} short")
        known_at = self._read_after(key, fell_at, line)
        if known_at is None:
            return Cause.NOT_READ
        sent = [
            call
            for call in self.witness.of("publish_stock")
            if known_at <= call.began <= line.at and _has(call.arguments[0], key)
        ]
        if not sent:
            return Cause.NOT_SENT
        return Cause.REFUSED if sent[-1].outcome is Outcome.REFUSED else Cause.UNDER_WAY

    def _left_for(self, key: str, line: OversoldLine) -> list[tuple[datetime, int]]:
        """From when on so much was left for the line, had only the stock not moved since."""
        before = [e for e in self._free[key] if e[0] <= line.at and e[2] != line.order_id]
        return [
            (at, free - sum(units for later, _, _, units in before[place + 1 :]))
            for place, (at, free, _, _) in enumerate(before)
        ]

    def _rests_on(self, key: str, line: OversoldLine) -> datetime:
        """When the level was read of the figure that stood there."""
        sales = {at for at, _, order_id, _ in self._free[key] if order_id}
        stood = [at for at in self._window[key] if at <= line.at and at not in sales]
        calls = [
            call
            for call in self.witness.of("publish_stock")
            if call.began <= (stood[-1] if stood else line.at) and _has(call.arguments[0], key)
        ]
        reads = [
            call
            for call in self.witness.of("stock_levels")
            if call.ended is not None
            and call.ended <= calls[-1].began
            and _tells(call.answer, key) is not None
        ]
        return reads[-1].began

    def _read_after(self, key: str, since: datetime, line: OversoldLine) -> datetime | None:
        """When the first read of its level that found it fallen came back, begun by then."""
        for call in self.witness.of("stock_levels"):
            if call.ended is None or call.ended < since or call.began > line.at:
                continue
            level = _tells(call.answer, key)
            if level is not None and self._level_since(key, since, level):
                return call.ended
        return None

    def _level_since(self, key: str, since: datetime, level: int) -> bool:
        """Such a level was there at that moment, or later."""
        moved = self.witness.movements[key]
        return any(each.at >= since and int(each.level) == level for each in moved)


def _has(figures: object, key: str) -> bool:
    return isinstance(figures, Sequence) and any(
        isinstance(each, StockFigure) and key_of(each.sku) == key for each in figures
    )


def _tells(answer: object, key: str) -> int | None:
    """The level of it that a read found."""
    for level in answer if isinstance(answer, Sequence) else ():
        if isinstance(level, StockLevel) and key_of(level.stock_code) == key:
            return int(level.available)
    return None


def _naive(poll_s: float) -> MerchantSettings:
    """No watch, no buffers, and levels read seldom."""
    return msgspec.structs.replace(
        SETTINGS,
        opening_policy=OpeningPolicy(buffer_units=0, speed=False, acceptance="known"),
        stock=StockSettings(poll_s=poll_s, watch_s=0),
    )
