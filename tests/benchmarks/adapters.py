"""Benchmark `adapters`: the clients of both sides, their CPU time and their memory.

Here the marketplace's; the ERP's is in `sweeping.py`. Beside the same pages fetched by plain
aiohttp and decoded by the standard library's json into dicts. The server is another process;
each sample is a process of its own, so that its memory is its own. Rates are by the client's
CPU time, not by the clock on the wall; pauses between calls are skipped.
"""

import asyncio
import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import aiohttp
import anyio.to_thread
import msgspec

from kcjl.johnlewis.seller_api import SellerApi, SellerApiSettings
from tests.benchmarks.hasty import HastyClock
from tests.benchmarks.market import OFFERS, ORDERS, serving
from tests.benchmarks.places import Place
from tests.benchmarks.rows import Row, row
from tests.benchmarks.sweeping import swept

__all__ = ["benchmark"]

PEER = "aiohttp and json"
MEMORY_MB_MAX = 256
ORDERS_PER_S_MIN = 1_000
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
Say = Callable[[str], None]
Samples = defaultdict[str, list[float]]


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    rows: int
    cpu_s: float
    resident_mb: float
    """The most that it had."""


async def benchmark(place: Place, *, rounds: int, say: Say) -> list[Row]:
    """It needs no database: the place is every benchmark's."""
    del place
    samples: Samples = defaultdict(list)
    with serving() as url:
        for number in range(1, rounds + 1):
            say(f"adapters: round {number} of {rounds}")
            for name, expected in (("offers", OFFERS), ("orders", ORDERS)):
                for side in ("ours", "peer"):
                    sample = await anyio.to_thread.run_sync(_alone, f"{side} {name}", url)
                    if sample.rows != expected:
                        raise AssertionError(f"{side}: {sample.rows} {name} of {expected}")
                    samples[f"{side} {name}/s"].append(sample.rows / sample.cpu_s)
                    samples[f"{side} {name} MB"].append(sample.resident_mb)
    return [*_rows(samples), *await swept(rounds=rounds, say=say)]


def _alone(what: str, url: str) -> Sample:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_measured, what, url).result()


def _measured(what: str, url: str) -> Sample:
    began = time.process_time()
    rows = asyncio.run(_READINGS[what](url))
    return Sample(
        rows=rows, cpu_s=time.process_time() - began, resident_mb=_resident_mb_max(os.getpid())
    )


def _resident_mb_max(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    kilobytes = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(kilobytes.split()[1]) / 1024


async def _our_offers(url: str) -> int:
    async with aiohttp.ClientSession() as session:
        return len(await _api(url, session).offers())


async def _our_orders(url: str) -> int:
    count = 0
    async with aiohttp.ClientSession() as session:
        until = SINCE + timedelta(days=90)
        async with aclosing(_api(url, session).orders_caught_up(SINCE, until)) as batches:
            async for batch in batches:
                count += len(batch)
    return count


def _api(url: str, session: aiohttp.ClientSession) -> SellerApi:
    settings = SellerApiSettings(base_url=url, api_key="benchmark")
    return SellerApi(settings, clock=HastyClock(), session=session)


async def _peer_offers(url: str) -> int:
    rows: list[object] = []
    async with aiohttp.ClientSession() as session:
        while len(rows) < OFFERS:
            where = f"{url}/api/offers?max=100&offset={len(rows)}"
            async with session.get(where) as answer:
                rows += json.loads(await answer.read())["offers"]
    return len(rows)


async def _peer_orders(url: str) -> int:
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{url}/api/orders/async-export", json={}) as answer:
            tracking_id = json.loads(await answer.read())["tracking_id"]
        async with session.get(f"{url}/api/orders/async-export/status/{tracking_id}") as answer:
            (file,) = json.loads(await answer.read())["urls"]
        async with session.get(url + file) as answer:
            return len(json.loads(await answer.read())["orders"])


_READINGS: dict[str, Callable[[str], Coroutine[None, None, int]]] = {
    "ours offers": _our_offers,
    "peer offers": _peer_offers,
    "ours orders": _our_orders,
    "peer orders": _peer_orders,
}


def _rows(samples: Samples) -> list[Row]:
    offers, orders = f"{OFFERS:,} offers read back", f"{ORDERS:,} orders caught up"
    return [
        row(
            f"{offers}, resident",
            "MB",
            samples["ours offers MB"],
            peer=samples["peer offers MB"],
            peer_name=PEER,
            goal=MEMORY_MB_MAX,
            goal_is="at most",
        ),
        row(
            f"{offers}, of CPU time",
            "offers/s",
            samples["ours offers/s"],
            peer=samples["peer offers/s"],
            peer_name=PEER,
        ),
        row(
            f"{orders}, of CPU time",
            "orders/s",
            samples["ours orders/s"],
            peer=samples["peer orders/s"],
            peer_name=PEER,
            goal=ORDERS_PER_S_MIN,
            goal_is="at least",
        ),
        row(
            f"{orders}, resident",
            "MB",
            samples["ours orders MB"],
            peer=samples["peer orders MB"],
            peer_name=PEER,
        ),
    ]
