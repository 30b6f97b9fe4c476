"""Overselling: ten months of a retailer's trade, published by us and by a hub that polls.

The whole trade file through the sandbox's warehouse and marketplace, under virtual time, once
for each way of publishing: this service as it is by default; a poller that reads LEVEL and
publishes it every ten minutes; the same with two units kept back. The same world, customers and
goods-in for all; what is counted is the outside worlds' own truth (`overselling/observer.py`).
A round is another seed: other invoices are the marketplace's. With `--plot FILE` a curve is
drawn of what other policies would give. Assumptions and figures: docs/oversell.md.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import anyio
import msgspec

from kcjl.embedded import Embedded
from tests.benchmarks.overselling.observer import Tally, added_up
from tests.benchmarks.overselling.plot import Point, draw
from tests.benchmarks.overselling.run import Asked, Ran
from tests.benchmarks.overselling.shop import TRADE_FILE, Shop
from tests.benchmarks.rows import Row, row

__all__ = ["benchmark"]

Key = TypeVar("Key")

ROOT = Path(__file__).parents[2]
BUSY_DAYS = 10
SERVICE, POLLER, BUFFERED, SEER = "service", "poller", "poller with 2 kept back", "seer"
WAYS: dict[str, Callable[[Shop], Asked]] = {
    SERVICE: lambda shop: Asked(kind="service", shop=shop),
    POLLER: lambda shop: Asked(kind="poller", shop=shop),
    BUFFERED: lambda shop: Asked(kind="poller", buffer=2, shop=shop),
    SEER: lambda shop: Asked(kind="seer", shop=shop),
}
"""The last one knows the truth, and publishes it once a minute: no goal, but a measure."""
CURVES: dict[str, Callable[[Shop], dict[str, Asked]]] = {
    "a poller, units kept back": lambda shop: {
        str(units): Asked(kind="poller", buffer=units, shop=shop) for units in (0, 1, 2, 4, 8)
    },
    "kcjl, by its service level": lambda shop: {
        "none": Asked(kind="service", speed=0.0, shop=shop),
        "0.99": Asked(kind="service", speed=0.99, shop=shop),
        "0.999": Asked(kind="service", shop=shop),
    },
    "the truth, once a minute": lambda shop: {
        "no buffer": Asked(kind="seer", shop=shop),
        "0.999": Asked(kind="seer", speed=0.999, shop=shop),
        "0.999, orders' way in it": Asked(kind="seer", speed=0.999, lag_s=1300, shop=shop),
    },
}
"""One line each, its points by what they are called."""
BESIDE = (
    ("orders_cancelled", "orders"),
    ("units_cancelled", "units"),
    ("unit_hours_withheld", "unit-h"),
    ("units_lost_at_zero", "units"),
    ("units_lost_though_there", "units"),
    ("marketplace_calls", "calls"),
    ("erp_calls", "calls"),
)
"""Beside the poller's, without a goal."""
AS_FEW = 1 / 20
A_FIFTH = 1 / 5


async def benchmark(
    _server: Embedded, *, rounds: int, say: Callable[[str], None], plot: Path | None = None
) -> list[Row]:
    """Each round another seed; the curve is the first one's."""
    if not TRADE_FILE.is_file():
        say(f"oversell: there is no trade file at {TRADE_FILE}, so nothing was measured")
        return []
    shops = [Shop(seed=seed) for seed in range(1, rounds + 1)]
    wanted = {(shop.seed, way): ask(shop) for shop in shops for way, ask in WAYS.items()}
    ran = await _run_all(wanted)
    of = {way: [ran[shop.seed, way] for shop in shops] for way in WAYS}
    rows = _rows("ten months", {way: [_whole(each) for each in of[way]] for way in WAYS})
    rows += _rows("ten busy days", {way: [_busy(each) for each in of[way]] for way in WAYS})
    rows += [row(f"processor, {way}", "s", [each.cpu_s for each in of[way]]) for way in WAYS]
    if plot is not None:
        await _draw_curve(plot, shops[0], [of[way][0] for way in WAYS])
    return rows


def _rows(days: str, of: dict[str, list[Tally]]) -> list[Row]:
    ours, poller, buffered = of[SERVICE], of[POLLER], of[BUFFERED]
    rows = [
        _fewer(f"{days}: units oversold", ours, poller, POLLER, AS_FEW),
        _fewer(f"{days}: units oversold", ours, buffered, BUFFERED, A_FIFTH),
        row(
            f"{days}: unit hours withheld",
            "unit-h",
            _each(ours, "unit_hours_withheld"),
            peer=_each(buffered, "unit_hours_withheld"),
            peer_name=BUFFERED,
            goal=1.0,
            goal_is="ratio of at most",
        ),
        row(f"{days}: units oversold by the seer", "units", _each(of[SEER], "units_oversold")),
    ]
    rows += [
        _beside(f"{days}: {name.replace('_', ' ')}", unit, name, ours, poller, POLLER)
        for name, unit in BESIDE
    ]
    return [*rows, row(f"{days}: units sold", "units", _each(ours, "units_sold"))]


def _fewer(name: str, ours: list[Tally], theirs: list[Tally], peer: str, goal: float) -> Row:
    """A share of theirs at most; where they have none, none."""
    mine, peers = _each(ours, "units_oversold"), _each(theirs, "units_oversold")
    if not all(peers):
        return row(name, "units", mine, goal=0.0, goal_is="at most")
    return row(
        name, "units", mine, peer=peers, peer_name=peer, goal=goal, goal_is="ratio of at most"
    )


def _beside(
    name: str, unit: str, counted: str, ours: list[Tally], theirs: list[Tally], peer: str
) -> Row:
    peers = _each(theirs, counted)
    if not all(peers):
        return row(name, unit, _each(ours, counted))
    return row(name, unit, _each(ours, counted), peer=peers, peer_name=peer)


def _each(tallies: Sequence[Tally], name: str) -> list[float]:
    return [float(getattr(each, name)) for each in tallies]


def _whole(ran: Ran) -> Tally:
    return added_up(ran.days.values())


def _busy(ran: Ran) -> Tally:
    """The days with most sales over all channels: the same for every way."""
    ranked = sorted(ran.days.items(), key=lambda item: (-item[1].sales, item[0]))
    return added_up(tally for _, tally in ranked[:BUSY_DAYS])


# ── the curve ──


async def _draw_curve(path: Path, shop: Shop, known: Sequence[Ran]) -> None:
    """Of what has run already nothing is run again."""
    have = {ran.asked: ran for ran in known}
    curves = {name: ask(shop) for name, ask in CURVES.items()}
    asked = {each: each for points in curves.values() for each in points.values()}
    have |= await _run_all({each: each for each in asked if each not in have})
    lines = {
        name: _points((label, have[each]) for label, each in points.items())
        for name, points in curves.items()
    }
    await anyio.to_thread.run_sync(draw, path, lines)


def _points(runs: Iterable[tuple[str, Ran]]) -> list[Point]:
    return [
        Point(
            label=label,
            withheld=(tally := _whole(ran)).unit_hours_withheld,
            oversold=tally.units_oversold,
        )
        for label, ran in runs
    ]


# ── children ──


async def _run_all(wanted: Mapping[Key, Asked]) -> dict[Key, Ran]:
    """Each in a process of its own, as many at once as there are processors."""
    ran: dict[Key, Ran] = {}
    limiter = anyio.CapacityLimiter(os.cpu_count() or 1)

    async def one(key: Key, asked: Asked) -> None:
        async with limiter:
            ran[key] = await _run(asked)

    async with anyio.create_task_group() as group:
        for key, asked in wanted.items():
            group.start_soon(one, key, asked)
    return ran


async def _run(asked: Asked) -> Ran:
    """What it says of its progress goes where ours goes."""
    done = await anyio.run_process(
        [
            sys.executable,
            "-m",
            "tests.benchmarks.overselling.run",
            msgspec.json.encode(asked).decode(),
        ],
        stdout=subprocess.PIPE,
        stderr=None,
        cwd=ROOT,
    )
    return msgspec.json.decode(done.stdout, type=Ran)
