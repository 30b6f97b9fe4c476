"""Exports and imports of theirs: asked for, looked at, fetched; and gone on with."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from kcjl.errors import Misuse, NotFound, OutcomeUnknown, ProtocolSurprise, Refused, Unavailable
from kcjl.johnlewis.export_port import Export
from kcjl.johnlewis.order_export import BATCH_ORDERS
from kcjl.johnlewis.port import Order
from kcjl.johnlewis.seller_api import SellerApi
from tests.johnlewis.conftest import KEY, JumpingClock, MakeApi
from tests.johnlewis.samples import ORDER
from tests.johnlewis.server import CUT, SILENT, Asked, ScriptedServer, half_of, said

pytestmark = pytest.mark.anyio

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
UNTIL = datetime(2026, 2, 1, tzinfo=UTC)
CUT_CHUNK = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    b'b\r\n{"orders":[\r\n5\r\n{"or'
)
FILE = "/api/orders/async-export/file/1?sig=a%2Fb%3D"


@dataclass
class Kept:
    """A memory that outlives one adapter."""

    exports: dict[str, Export] = field(default_factory=dict)

    async def kept(self, name: str) -> Export | None:
        return self.exports.get(name)

    async def keep(self, name: str, export: Export) -> None:
        self.exports[name] = export

    async def forget(self, name: str) -> None:
        self.exports.pop(name, None)


def order(number: int, updated: str = "2026-01-05T08:12:40Z") -> dict[str, object]:
    return {**ORDER, "order_id": f"O{number}", "last_updated_date": updated}


def asked_for(market: ScriptedServer, path: str) -> list[Asked]:
    return [asked for asked in market.asked if asked.path == path]


def exporting(
    *files: bytes, statuses: Sequence[object] = (), urls: Sequence[str] | None = None
) -> Callable[[Asked], bytes]:
    """OR13 to OR15: the statuses in turn, then done, then each file by its number."""
    left = list(statuses)
    named = urls or [f"/api/orders/async-export/file/{n}" for n in range(len(files))]

    def answer(asked: Asked) -> bytes:
        if asked.method == "POST":
            return said(200, {"tracking_id": "t-1"})
        if "/status/" in asked.path:
            done = {"status": "COMPLETED", "urls": named, "last_updated": "x"}
            return said(200, left.pop(0) if left else done)
        return files[int(asked.path.rpartition("/")[2])]

    return answer


async def caught_up(api: SellerApi, **options: object) -> list[Order]:
    memory = options.get("memory")
    assert memory is None or isinstance(memory, Kept)
    orders: list[Order] = []
    async with aclosing(api.orders_caught_up(SINCE, UNTIL, memory=memory)) as batches:
        async for batch in batches:
            assert 0 < len(batch) <= BATCH_ORDERS
            orders += batch
    return orders


async def ids(api: SellerApi, **options: object) -> list[str]:
    return [each.order_id for each in await caught_up(api, **options)]


# ── orders ──────────────────────────────────────────────────────────────────────────────────


async def test_orders_of_every_file_are_caught_up(
    market: ScriptedServer, api: SellerApi, clock: JumpingClock
) -> None:
    """Dates go in pairs; looks come every ten seconds; each url is fetched with the key."""
    pending = {"status": "PENDING", "urls": []}
    market.by = exporting(
        said(200, {"orders": [order(n) for n in range(700)]}),
        said(200, b"\xef\xbb\xbf" + msgspec.json.encode({"orders": [order(700)]})),
        statuses=[pending, {"status": "SOMETHING_NEW"}, {"status": None}],
    )

    read = await ids(api)

    assert [f"O{n}" for n in range(701)] == read
    assert msgspec.json.decode(market.asked[0].body) == {
        "start_update_date": "2026-01-01T00:00:00Z",
        "end_update_date": "2026-02-01T00:00:00Z",
        "items_per_chunk": 10_000,
    }
    assert [10.0, 10.0, 10.0, 10.0] == clock.slept_s
    assert {KEY} == {asked.headers.get("authorization") for asked in market.asked}


async def test_order_that_comes_twice_is_given_once_and_newer_again(
    market: ScriptedServer, api: SellerApi
) -> None:
    """A row of the file repeats; an order changes while the files are written."""
    later = order(1, "2026-01-06T00:00:00Z")
    rows = [order(1), order(1), later, order(1), order(2)]
    market.by = exporting(said(200, {"orders": rows}), said(200, {"orders": [later]}))

    read = await caught_up(api)

    assert [("O1", 5), ("O1", 6), ("O2", 5)] == [(o.order_id, o.updated_at.day) for o in read]


async def test_span_of_more_than_a_year_is_asked_for_in_windows(
    market: ScriptedServer, api: SellerApi
) -> None:
    """More than a year is a 400; windows touch, so that nothing falls between."""
    market.by = exporting(said(200, {"orders": [order(1)]}))
    last = SINCE + timedelta(days=800, microseconds=5)

    async with aclosing(api.orders_caught_up(SINCE, last)) as batches:
        read = [each.order_id async for batch in batches for each in batch]

    windows = [
        msgspec.json.decode(asked.body, type=dict[str, object])
        for asked in market.asked
        if asked.method == "POST"
    ]
    assert ["O1"] == read
    assert [
        ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"),
        ("2028-01-01T00:00:00Z", "2028-03-11T00:00:01Z"),
    ] == [(window["start_update_date"], window["end_update_date"]) for window in windows]


@pytest.mark.parametrize(
    ("since", "until"),
    [(UNTIL, SINCE), (SINCE, SINCE), (SINCE.replace(tzinfo=None), UNTIL)],
)
async def test_span_that_is_none_is_misuse(
    api: SellerApi, since: datetime, until: datetime
) -> None:
    """It is refused before anything is asked."""
    with pytest.raises(Misuse):
        await anext(api.orders_caught_up(since, until))


async def test_export_that_failed_is_refused_with_their_code(
    market: ScriptedServer, api: SellerApi
) -> None:
    """FAILED is a word of theirs, not a pause: somebody has to decide."""
    failed = {"status": "FAILED", "error": {"code": "7", "detail": "too many rows"}}
    market.by = exporting(statuses=[failed])
    memory = Kept()

    with pytest.raises(Refused, match="FAILED: too many rows") as refusal:
        await ids(api, memory=memory)
    assert ("7", {}) == (refusal.value.reason_code, memory.exports)


async def test_export_that_is_never_done_is_given_up_at_the_age_limit(
    market: ScriptedServer, make_api: MakeApi, clock: JumpingClock
) -> None:
    """The limit is a setting; what was kept is forgotten, so that the next call asks anew."""
    market.by = exporting(statuses=[{"status": "PENDING"}] * 100)
    memory = Kept()

    with pytest.raises(Unavailable, match="not done 60 s"):
        await ids(make_api(export_age_s_max=60.0), memory=memory)
    assert ({}, 70.0) == (memory.exports, sum(clock.slept_s))


async def test_export_is_gone_on_with_after_a_restart(
    market: ScriptedServer, make_api: MakeApi
) -> None:
    """A kept tracking id is asked for its status; nothing is asked for again."""
    memory = Kept()
    market.by = exporting(statuses=[{"status": "PENDING"}] * 9)
    first = make_api()
    rest = exporting(said(200, {"orders": [order(1)]}))
    with pytest.raises(RuntimeError):
        await _interrupted(first, memory, market)
    market.by = rest

    read = await ids(make_api(), memory=memory)

    assert (["O1"], {}) == (read, memory.exports)
    assert 1 == len(asked_for(market, "/api/orders/async-export"))


async def _interrupted(api: SellerApi, memory: Kept, market: ScriptedServer) -> None:
    """The process ends while it waits: the tracking id was kept before the first look."""

    class Ended(Kept):
        async def keep(self, name: str, export: Export) -> None:
            await memory.keep(name, export)
            raise RuntimeError

    await ids(api, memory=Ended())


async def test_export_they_have_thrown_away_is_asked_for_anew(
    market: ScriptedServer, make_api: MakeApi, clock: JumpingClock
) -> None:
    """A kept id that nobody knows any more, or that is too old, holds nothing up."""
    span = "of orders updated 2026-01-01T00:00:00Z to 2026-02-01T00:00:00Z"
    kept = Export(operation="OR13", tracking_id="gone", asked_at=clock.now())
    memory = Kept({f"OR13 {span}": kept})
    done = exporting(said(200, {"orders": [order(1)]}))
    market.by = lambda asked: said(404) if asked.path.endswith("/gone") else done(asked)

    assert ["O1"] == await ids(make_api(), memory=memory)

    memory.exports[f"OR13 {span}"] = msgspec.structs.replace(
        kept, asked_at=clock.now() - timedelta(days=1)
    )
    market.asked.clear()

    assert ["O1"] == await ids(make_api(), memory=memory)
    assert [] == [asked for asked in market.asked if asked.path.endswith("/gone")]


async def test_looks_that_fail_now_and_then_are_borne(
    market: ScriptedServer, api: SellerApi, clock: JumpingClock
) -> None:
    """A 503, a 429 and a cut line are no end; five running are."""
    answers = [said(503), CUT, said(429, headers={"Retry-After": "30"}), said(200, b"<html>")]
    done = exporting(said(200, {"orders": [order(1)]}))

    def answer(asked: Asked) -> bytes:
        return answers.pop(0) if "/status/" in asked.path and answers else done(asked)

    market.by = answer

    assert ["O1"] == await ids(api)

    answers += [said(503)] * 5
    with pytest.raises(Unavailable, match="OR14"):
        await ids(api)


async def test_export_without_a_tracking_id_is_a_surprise(
    market: ScriptedServer, api: SellerApi
) -> None:
    """Asking changed nothing: it is no `OutcomeUnknown`."""
    market.will_say(said(200, {"tracking_id": None}))

    with pytest.raises(ProtocolSurprise, match="tracking id"):
        await ids(api)


@pytest.mark.parametrize("answer", [CUT, said(500)])
async def test_asking_that_is_not_answered_is_no_unknown_write(
    market: ScriptedServer, api: SellerApi, answer: bytes
) -> None:
    """An export that was asked for twice is only an export too many."""
    market.will_say(answer)

    with pytest.raises(Unavailable):
        await ids(api)


# ── files ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "file",
    [
        half_of(said(200, {"orders": [order(n) for n in range(50)]})),
        said(200, b'{"orders":[{"order_id":"A"'),
        CUT_CHUNK,
        said(200, b"<html>come back later</html>"),
        said(200, {"message": "expired"}),
        said(200, {"orders": [{"order_id": "A"}]}),
        said(302, b"", headers={"Location": "https://elsewhere.example/"}),
        said(503),
    ],
)
async def test_file_that_is_not_whole_is_never_the_end(
    market: ScriptedServer, api: SellerApi, file: bytes
) -> None:
    """The iterator ends only when every byte was read; the tracking id is kept."""
    market.by = exporting(file)
    memory = Kept()

    with pytest.raises(Unavailable, match="OR15"):
        await ids(api, memory=memory)
    assert 1 == len(memory.exports)


async def test_file_that_is_gone_lets_the_next_call_ask_anew(
    market: ScriptedServer, api: SellerApi
) -> None:
    """A kept export whose files have expired is forgotten."""
    market.by = exporting(said(404, {"message": "expired"}))
    memory = Kept()

    with pytest.raises(NotFound, match="expired"):
        await ids(api, memory=memory)
    assert {} == memory.exports


async def test_file_above_the_bound_is_told(market: ScriptedServer, make_api: MakeApi) -> None:
    """However long the file is, so much of it is read."""
    market.by = exporting(said(200, {"orders": [order(n) for n in range(9)]}))

    with pytest.raises(ProtocolSurprise, match="longer than 1000 bytes"):
        await ids(make_api(file_bytes_max=1_000))


async def test_file_that_stops_arriving_is_unavailable(
    market: ScriptedServer, make_api: MakeApi
) -> None:
    """Each piece has a deadline, and the whole file has one."""
    done = exporting(urls=[FILE])
    market.by = lambda asked: SILENT if "/file/" in asked.path else done(asked)

    with pytest.raises(Unavailable, match=r"OR15.*TimeoutError"):
        await ids(make_api(connect_timeout_s=0.1, read_timeout_s=0.1))


async def test_changes_of_offers_are_asked_for_below_the_tenants_path(
    market: ScriptedServer, make_api: MakeApi
) -> None:
    """A base URL with a path keeps it, for a file as for any call."""
    market.will_say(said(200, b"offer-id\n7\n"))
    api = make_api(base_url=f"{market.base_url}/tenant/api/")

    async with aclosing(api.offers_changed(SINCE)) as batches:
        assert [7] == [change.offer_id async for batch in batches for change in batch]
    assert "/tenant/api/offers/export" == market.asked[0].path


async def test_file_of_their_own_is_asked_for_to_the_letter(
    market: ScriptedServer, api: SellerApi
) -> None:
    """A signature in an address is not quoted again; an absolute address is as good."""
    market.by = _any_file(market.base_url + FILE)

    assert ["O1"] == await ids(api)
    assert FILE == market.asked[-1].target


def _any_file(url: str) -> Callable[[Asked], bytes]:
    done = exporting(urls=[url])
    row = said(200, {"orders": [order(1)]})
    return lambda asked: row if "/file/" in asked.path else done(asked)


@pytest.fixture
async def elsewhere() -> AsyncIterator[ScriptedServer]:
    other = ScriptedServer()
    listening = await other.start()
    yield other
    other.stop()
    listening.close()
    await listening.wait_closed()


async def test_file_at_another_host_is_not_fetched_unless_allowed(
    market: ScriptedServer, api: SellerApi, elsewhere: ScriptedServer
) -> None:
    """Another port is another host; nothing is sent there."""
    market.by = _any_file(elsewhere.base_url + FILE)

    with pytest.raises(Refused, match="export_hosts"):
        await ids(api)
    assert [] == elsewhere.asked


@pytest.mark.parametrize("allowed", ["127.0.0.1", "*", ".0.0.1"])
async def test_file_at_an_allowed_host_is_fetched_without_the_key(
    market: ScriptedServer, make_api: MakeApi, elsewhere: ScriptedServer, allowed: str
) -> None:
    """The key is for the tenant only."""
    market.by = _any_file(elsewhere.base_url + FILE)
    elsewhere.will_say(said(200, {"orders": [order(1)]}))

    assert ["O1"] == await ids(make_api(export_hosts=[allowed], shop_id=7))
    assert FILE == elsewhere.asked[0].target
    assert "authorization" not in elsewhere.asked[0].headers
    assert KEY not in str(elsewhere.asked[0])


async def test_file_that_another_host_refuses_is_no_trouble_with_our_key(
    market: ScriptedServer, make_api: MakeApi, elsewhere: ScriptedServer
) -> None:
    """A signed address that has run out says 403: the export is asked for again."""
    market.by = _any_file(elsewhere.base_url + FILE)
    elsewhere.will_say(said(403, b"<Error>expired</Error>"))

    with pytest.raises(NotFound, match="expired"):
        await ids(make_api(export_hosts=["127.0.0.1"]))


@pytest.mark.parametrize(
    "url",
    [
        "http://files.example/1",
        "https://files.example/1",
        "https://user:word@127.0.0.1/1",
        "ftp://127.0.0.1/1",
        "file:///etc/passwd",
        "http://[::1",
        "//files.example/1",
        "https://127.0.0.1.files.example/1",
    ],
)
async def test_file_at_an_address_of_no_good_is_refused(
    market: ScriptedServer, make_api: MakeApi, url: str
) -> None:
    """Not in the clear, not by name and password, not from the disk."""
    market.by = exporting(urls=[url])

    with pytest.raises(Refused, match="OR15"):
        await ids(make_api(export_hosts=["127.0.0.1"]))


async def test_leaving_early_closes_the_file(market: ScriptedServer, api: SellerApi) -> None:
    """One batch was enough; the export is still kept, for it was not read to its end."""
    market.by = exporting(said(200, {"orders": [order(n) for n in range(900)]}))
    memory = Kept()

    async with aclosing(api.orders_caught_up(SINCE, UNTIL, memory=memory)) as batches:
        first = await anext(batches)

    assert (BATCH_ORDERS, 1) == (len(first), len(memory.exports))


# ── imports ─────────────────────────────────────────────────────────────────────────────────


async def test_offer_import_is_followed_to_its_end(
    market: ScriptedServer, api: SellerApi, clock: JumpingClock
) -> None:
    """OF02 every five minutes; complete with errors is complete."""
    complete = {"import_id": 9, "status": "COMPLETE", "lines_read": 3, "lines_in_error": 1}
    market.will_say(
        said(200, {"status": "WAITING_SYNCHRONIZATION_PRODUCT"}),
        said(200, {"status": "QUEUED", "lines_in_error": None}),
        said(200, {"status": "A_NEW_ONE"}),
        said(200, complete),
    )

    done = await api.offer_import_done(9, clock.now())

    assert (3, 1, True) == (done.lines_read, done.lines_in_error, done.has_error_report)
    assert [300.0] * 4 == clock.slept_s


async def test_offer_import_of_long_ago_is_looked_at_at_once(
    market: ScriptedServer, api: SellerApi, clock: JumpingClock
) -> None:
    """After a restart there is nothing to wait for."""
    market.will_say(said(200, {"status": "COMPLETE"}))

    await api.offer_import_done(9, clock.now() - timedelta(hours=2))

    assert [] == clock.slept_s


async def test_offer_import_that_failed_is_refused(
    market: ScriptedServer, api: SellerApi, clock: JumpingClock
) -> None:
    """With the reason that they give."""
    market.will_say(said(200, {"status": "FAILED", "reason_status": "unreadable"}))

    with pytest.raises(Refused, match="unreadable") as refusal:
        await api.offer_import_done(9, clock.now())
    assert "unreadable" == refusal.value.reason_code


async def test_unknown_write_is_still_unknown(market: ScriptedServer, api: SellerApi) -> None:
    """Only asking for an export is harmless; other writes stay what they were."""
    market.will_say(CUT)

    with pytest.raises(OutcomeUnknown):
        await api.ship_shipments(["s"])
