"""The service's watch: each trouble is provoked, said once, and over when it is over."""

import asyncio
import email.utils
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import msgspec
import pytest

from kcjl.calls.heard_clocks import HeardClocks
from kcjl.calls.port import Side
from kcjl.clock import SeededIds
from kcjl.errors import SettingsUnusable, Unavailable
from kcjl.events import vocabulary
from kcjl.exceptions.certificates import Certificates, ends_at
from kcjl.exceptions.desk_settings import ExceptionSettings
from kcjl.exceptions.left_out import LeftOut
from kcjl.exceptions.probes import Chain, Clocks, Disk, Lease, Lists
from kcjl.exceptions.service_events import ServiceConditionEnded, ServiceConditionFound
from kcjl.exceptions.watch import Probe, ServiceWatch
from kcjl.log.memory import MemoryLog, MemoryLogReader
from kcjl.orders.events import OrderHeld
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.runner import ProjectionRunner
from kcjl.projections.store import MemoryRows
from tests.audit.handmade import raised
from tests.certificates import own_certificate, serving
from tests.clockwork import MORNING
from tests.rooms import MERCHANT, Premises
from tests.trade import at, gbp, orders_read, received

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def watched(
    place: Premises, *probes: Probe, stale_after: dict[str, timedelta] | None = None
) -> AsyncIterator[ServiceWatch]:
    """A watch on the premises' log, in a process of its own."""
    epoch = place.store.take_over(MERCHANT)
    async with MemoryLog.open(place.store, MERCHANT, vocabulary(), place.clock, epoch) as log:
        watch = ServiceWatch(
            log, place.clock, SeededIds(epoch), probes=probes, stale_after=stale_after
        )
        await watch.catch_up()
        yield watch


async def look(watch: ServiceWatch, name: str, *, times: int = 1) -> None:
    job = next(job for job in watch.jobs if job.name == name)
    for _ in range(times):
        await job.run()


async def story(place: Premises) -> list[tuple[str, str]]:
    """What was said to be wrong, and what to be over."""
    return [
        ("found" if isinstance(each, ServiceConditionFound) else "over", each.subject)
        for each in await place.said(ServiceConditionFound, ServiceConditionEnded)
    ]


async def test_disk_that_runs_full_is_said_once_and_over_when_there_is_room(
    tmp_path: Path,
) -> None:
    """A bound that no disk meets, then one that every disk does; over a restart."""
    place = Premises()
    async with watched(place, Disk(tmp_path, 10**12)) as watch:
        await look(watch, "disk", times=2)
    async with watched(place, Disk(tmp_path, 0)) as watch:
        await look(watch, "disk", times=2)

    assert [("found", "data_dir"), ("over", "data_dir")] == await story(place)


@pytest.mark.parametrize(("minutes", "ours"), [(-60, "ahead"), (60, "behind")])
async def test_clock_that_is_wrong_is_seen_by_the_dates_of_the_answers(
    minutes: float, ours: str
) -> None:
    """An hour from the marketplace's: told, and which way; the next answer agrees: over."""
    place, heard = Premises(), HeardClocks()
    async with watched(place, Clocks(heard, 60)) as watch:
        heard.hear(Side.JOHNLEWIS, _date(MORNING + timedelta(minutes=minutes)), MORNING)
        heard.hear(Side.KHAOS, "half past eight", MORNING)
        await look(watch, "clocks", times=2)
        heard.hear(Side.JOHNLEWIS, _date(MORNING + timedelta(seconds=20)), MORNING)
        await look(watch, "clocks")

    assert [("found", "johnlewis"), ("over", "johnlewis")] == await story(place)
    (found,) = await place.said(ServiceConditionFound)
    assert f"ours is {ours}" in found.message


def _date(at: datetime) -> str:
    return email.utils.format_datetime(at, usegmt=True)


async def test_feed_that_is_not_read_is_stale_until_it_is_read_again() -> None:
    """Told after its time, not for the time that the service was down, and over by a read."""
    place = Premises()
    bounds = {"orders": timedelta(hours=1)}
    async with watched(place, stale_after=bounds) as watch:
        await watch.record(orders_read(0))
        place.clock.tick(59 * 60)
        await look(watch, "feeds")
        assert [] == await story(place)
    place.clock.tick(59 * 60)
    async with watched(place, stale_after=bounds) as watch:
        await look(watch, "feeds")
        assert [] == await story(place)
        place.clock.tick(61 * 60)
        await look(watch, "feeds", times=2)
    async with watched(place, stale_after=bounds) as watch:
        await look(watch, "feeds")
        assert [("found", "orders")] == await story(place)
        await watch.record(orders_read(180))
        await look(watch, "feeds")

    assert [("found", "orders"), ("over", "orders")] == await story(place)


async def test_lists_that_are_behind_the_log_are_said_to_be_until_they_caught_up() -> None:
    """An event that waits for longer than it may; one that came just now is none."""
    place, rows = Premises(), MemoryRows()
    names = [projection.name for projection in PROJECTIONS]
    async with watched(place) as quiet:
        await quiet.record(orders_read(0))
        watching = Lists(quiet.log, rows, names, timedelta(minutes=5))
        async with watched(place, watching) as watch:
            await look(watch, "lists")
            assert [] == await story(place)
            place.clock.tick(6 * 60)
            await look(watch, "lists", times=2)
            await ProjectionRunner(watch.log, rows, PROJECTIONS).catch_up()
            await look(watch, "lists")

    assert [("found", "lists"), ("over", "lists")] == await story(place)


async def test_chain_that_was_tampered_with_is_found_a_part_at_a_time() -> None:
    """In the second part; it is over only when a whole round finds nothing."""
    place = Premises()
    reader = MemoryLogReader(place.store, MERCHANT)
    async with watched(place, Chain(reader, 4)) as watch:
        await watch.record(*(orders_read(number) for number in range(8)))
        await look(watch, "chain")
        assert [] == await story(place)
        events = place.store.shelf(MERCHANT).events
        whole, events[5] = events[5], msgspec.structs.replace(events[5], data=b"{}")
        await look(watch, "chain", times=3)
        events[5] = whole
        await look(watch, "chain")
        assert [("found", "log")] == await story(place)
        await look(watch, "chain", times=2)

    (found,) = await place.said(ServiceConditionFound)
    assert "position 6" in found.message
    assert [("found", "log"), ("over", "log")] == await story(place)


async def test_lease_that_was_lost_is_told_for_an_hour() -> None:
    """By the run that got it back; held for an hour it is the past."""
    place = Premises()
    async with watched(place, Lease("it could not be renewed")) as watch:
        await look(watch, "lease", times=2)
        place.clock.tick(59 * 60)
        await look(watch, "lease")
        assert [("found", "lease")] == await story(place)
        place.clock.tick(2 * 60)
        await look(watch, "lease", times=2)

    assert [("found", "lease"), ("over", "lease")] == await story(place)


async def test_order_that_nobody_waits_for_is_told_when_it_still_is_later() -> None:
    """Held, and nobody told: law 3. Told of by its own exception, it is over."""
    place, rows = Premises(), MemoryRows()
    held = OrderHeld(
        order_id="O1",
        reason="",
        message="",
        skus=(),
        money=gbp(1),
        accept_by=None,
        occurred_at=at(1),
    )
    async with watched(place, LeftOut(rows, place.clock)) as watch:

        async def look_twice() -> None:
            async with anyio.create_task_group() as group:
                group.start_soon(look, watch, "completeness")
                await place.clock.forward(11 * 60)

        runner = ProjectionRunner(watch.log, rows, PROJECTIONS)
        await watch.record(received("O1"), held)
        await runner.catch_up()
        await look_twice()
        assert [("found", "O1")] == await story(place)
        (found,) = await place.said(ServiceConditionFound)
        await watch.record(raised("left_out", "O1"))
        await runner.catch_up()
        await look_twice()
        assert [("found", "O1")] == await story(place)
        await watch.record(raised("order_held", "O1"))
        await runner.catch_up()
        await look_twice()

    assert "order O1 is held, and nobody told" == found.message
    assert [("found", "O1"), ("over", "O1")] == await story(place)


# ── certificates ────────────────────────────────────────────────────────────────────────────


def certificate(path: Path, end: datetime) -> Path:
    """One that is good until then."""
    return own_certificate(path, starts=end - timedelta(days=90), ends=end)


@asynccontextmanager
async def https(pem: Path) -> AsyncIterator[str]:
    """A web server that shows it."""
    server = await asyncio.start_server(
        lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=serving(pem)
    )
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"https://127.0.0.1:{port}/api"
    finally:
        server.close()
        await server.wait_closed()


async def test_certificate_that_ends_soon_is_told_of_before_it_does(tmp_path: Path) -> None:
    """A side's, as it is shown, and our own out of its file; renewed, it is over."""
    place, own = Premises(), tmp_path / "own.pem"
    certificate(own, MORNING + timedelta(days=10))
    pem = certificate(tmp_path / "erp.pem", MORNING + timedelta(days=20, hours=1))
    async with https(pem) as url:
        urls = {"khaos": url, "johnlewis": "http://127.0.0.1:9/plain"}
        probe = Certificates(urls, {"the cloud feed": own}, timedelta(days=21))
        async with watched(place, probe) as watch:
            await look(watch, "certificates", times=2)
            certificate(own, MORNING + timedelta(days=80))
            await look(watch, "certificates")

    assert [
        ("found", "khaos"),
        ("found", "the cloud feed"),
        ("over", "the cloud feed"),
    ] == await story(place)
    found = await place.said(ServiceConditionFound)
    assert "ends at 2026-10-21 09:00 UTC" in found[0].message


async def test_certificate_that_cant_be_seen_is_no_certificate_that_ends(
    tmp_path: Path,
) -> None:
    """A server that is away, or a file that is none: the look is interrupted, and says so."""
    pem = certificate(tmp_path / "erp.pem", datetime(2027, 1, 1, tzinfo=UTC))
    async with https(pem) as url:
        assert datetime(2027, 1, 1, tzinfo=UTC) == await ends_at(url)
    with pytest.raises(Unavailable):
        await ends_at(url)
    lost = Certificates({}, {"own": tmp_path / "none.pem"}, timedelta(days=21))
    with pytest.raises(SettingsUnusable):
        await lost.look(MORNING, ())


@pytest.mark.parametrize(
    "wrong",
    [
        {"storm_exceptions": 4},
        {"storm_minutes": 0},
        {"storm_minutes": 61},
        {"feed_stale_minutes": 0},
        {"clock_skew_s_max": -1},
        {"disk_free_mb_min": -1},
        {"chain_events_an_hour": -1},
    ],
)
def test_bound_that_cant_be_meant_is_refused(wrong: dict[str, object]) -> None:
    """A storm of one, or a window of no length, is a slip of the pen."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, ExceptionSettings)
