"""The ERP's part of benchmark `adapters`: a sweep of all levels, and one list of all codes.

Beside the same answers fetched by plain aiohttp and read by the standard library's ElementTree
into dicts. The server is another process; each sample is a process of its own, so that its
memory is its own. Growth is what the process has more at the end of the sweep than after its
first hundred calls. Rates are by the client's CPU time, not by the clock on the wall.
"""

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from xml.etree import ElementTree as ET

import aiohttp
import anyio.to_thread
import msgspec

from kcjl.khaos.kws import KwsSettings, KwsSoapAdapter
from kcjl.khaos.port import DeliveryAddress
from tests.benchmarks.erp import CODES, asked_for, code, serving
from tests.benchmarks.hasty import HastyClock
from tests.benchmarks.rows import Row, row

__all__ = ["swept"]

PEER = "aiohttp and ElementTree"
GROWTH_MB_MAX = 50
WARM_CALLS = 100
CHUNK = 50
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
Say = Callable[[str], None]
Samples = defaultdict[str, list[float]]


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    rows: int
    cpu_s: float
    growth_mb: float
    resident_mb: float
    """The most that it had."""


async def swept(*, rounds: int, say: Say) -> list[Row]:
    samples: Samples = defaultdict(list)
    with serving() as url:
        for number in range(1, rounds + 1):
            say(f"the ERP's adapter: round {number} of {rounds}")
            for name in ("sweep", "list"):
                for side in ("ours", "peer"):
                    sample = await anyio.to_thread.run_sync(_alone, f"{side} {name}", url)
                    if sample.rows != CODES:
                        raise AssertionError(f"{side}: {sample.rows} of {CODES} in the {name}")
                    samples[f"{side} {name}/s"].append(sample.rows / sample.cpu_s)
                    samples[f"{side} {name} MB"].append(sample.resident_mb)
                    samples[f"{side} {name} growth"].append(sample.growth_mb)
    return _rows(samples)


def _alone(what: str, url: str) -> Sample:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_measured, what, url).result()


def _measured(what: str, url: str) -> Sample:
    began = time.process_time()
    rows, warm_mb = asyncio.run(_READINGS[what](url))
    return Sample(
        rows=rows,
        cpu_s=time.process_time() - began,
        growth_mb=_memory_mb("VmHWM:") - warm_mb,
        resident_mb=_memory_mb("VmHWM:"),
    )


def _memory_mb(what: str) -> float:
    status = Path(f"/proc/{os.getpid()}/status").read_text(encoding="ascii")
    return int(next(x for x in status.splitlines() if x.startswith(what)).split()[1]) / 1024


def _adapter(url: str, session: aiohttp.ClientSession) -> KwsSoapAdapter:
    settings = KwsSettings(
        url=url,
        company_code="JLMKT",
        company_class="Marketplace",
        company_name="John Lewis Marketplace",
        invoice_address=DeliveryAddress(
            line1="1 Example Road",
            town="London",
            postcode="ZZ1 1ZZ",
            country_code="GBR",
            surname="Accounts",
        ),
        clearing_account="John Lewis Clearing",
        stock_codes_per_call=CHUNK,
    )
    return KwsSoapAdapter(settings, clock=HastyClock(), session=session)


async def _our_sweep(url: str) -> tuple[int, float]:
    count, calls, warm_mb = 0, 0, 0.0
    async with aiohttp.ClientSession() as session:
        codes = (code(number) for number in range(CODES))
        async for levels in _adapter(url, session).swept_levels(codes, ["1"]):
            count, calls = count + len(levels), calls + 1
            if calls == WARM_CALLS:
                warm_mb = _memory_mb("VmRSS:")
    return count, warm_mb


async def _our_list(url: str) -> tuple[int, float]:
    warm_mb = _memory_mb("VmRSS:")
    async with aiohttp.ClientSession() as session:
        return len(await _adapter(url, session).moved_products(LONG_AGO)), warm_mb


async def _peer_sweep(url: str) -> tuple[int, float]:
    count, warm_mb = 0, 0.0
    async with aiohttp.ClientSession() as session:
        for calls, codes in enumerate(_chunks(), start=1):
            root = await _fetched(session, url, "ExportStockStatus", asked_for(codes))
            document = ET.fromstring(root.findtext(".//return") or "")
            rows = [
                {**item.attrib, **{node.tag: node.text for node in item}} for item in document
            ]
            count += len(rows)
            if calls == WARM_CALLS:
                warm_mb = _memory_mb("VmRSS:")
    return count, warm_mb


def _chunks() -> Iterator[list[str]]:
    for first in range(0, CODES, CHUNK):
        yield [code(number) for number in range(first, first + CHUNK)]


async def _peer_list(url: str) -> tuple[int, float]:
    warm_mb = _memory_mb("VmRSS:")
    async with aiohttp.ClientSession() as session:
        root = await _fetched(session, url, "GetStockList", b"")
        rows = [{node.tag: node.text for node in item} for item in root.iter("item")]
    return len(rows), warm_mb


async def _fetched(
    session: aiohttp.ClientSession, url: str, method: str, body: bytes
) -> ET.Element:
    action = {"SOAPAction": f'"urn:IKosWebIntf-IKosWeb#{method}"'}
    where = f"{url}/KhaosKSD.exe/soap/IKosWeb"
    async with session.post(where, data=body, headers=action) as answer:
        return ET.fromstring(await answer.read())


_READINGS: dict[str, Callable[[str], Coroutine[None, None, tuple[int, float]]]] = {
    "ours sweep": _our_sweep,
    "peer sweep": _peer_sweep,
    "ours list": _our_list,
    "peer list": _peer_list,
}


def _rows(samples: Samples) -> list[Row]:
    sweep = f"{CODES:,} stock codes swept in chunks of {CHUNK}"
    listed = f"{CODES:,} moved stock codes listed"
    return [
        row(
            f"{sweep}, growth of memory",
            "MB",
            samples["ours sweep growth"],
            peer=samples["peer sweep growth"],
            peer_name=PEER,
            goal=GROWTH_MB_MAX,
            goal_is="at most",
        ),
        row(
            f"{sweep}, of CPU time",
            "codes/s",
            samples["ours sweep/s"],
            peer=samples["peer sweep/s"],
            peer_name=PEER,
        ),
        row(
            f"{listed}, resident",
            "MB",
            samples["ours list MB"],
            peer=samples["peer list MB"],
            peer_name=PEER,
        ),
        row(
            f"{listed}, of CPU time",
            "codes/s",
            samples["ours list/s"],
            peer=samples["peer list/s"],
            peer_name=PEER,
        ),
    ]
