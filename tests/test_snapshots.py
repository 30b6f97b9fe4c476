"""Snapshots are a cache: with one, without one, with a bad one, a room is the same room."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import anyio
import asyncpg
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl import snapshots as shots
from kcjl.actors import Room
from kcjl.database import AUDITOR, OPERATOR, SERVICE, Database
from kcjl.dispatch import actor as dispatch_actor
from kcjl.events import vocabulary
from kcjl.fold import Contents, Table
from kcjl.following import catch_up_together
from kcjl.log.memory import MemoryLog, MemoryLogReader, MemoryStore
from kcjl.log.port import Draft
from kcjl.orders import actor as orders_actor
from kcjl.orders.state import ORDERS
from kcjl.packed import Packed
from kcjl.snapshots import (
    MemorySnapshots,
    PostgresSnapshots,
    Snapshot,
    SnapshotStore,
    keep_snapshots,
    load_snapshots,
    take_snapshots,
)
from kcjl.vocabulary import Event
from tests.any_event import any_events
from tests.clockwork import MORNING, Clockwork
from tests.outside.marketplace import marketplace_order
from tests.projections.long_trade import long_trade
from tests.rooms import Premises
from tests.trade import received

pytestmark = pytest.mark.anyio

TRADE = list(long_trade(80))
HALF = len(TRADE) // 2
ROOMS = {"stock", "orders", "dispatch", "settlement", "exceptions"}


def now() -> datetime:
    return MORNING


def contents(room: Room) -> dict[str, Any]:
    """All that a room is, with every entry decoded; order counts."""
    tables = []
    for table in room.tables:
        held = table.contents()
        tables.append((list(table.items()), table.watched(), list(held.groups.items())))
    return {
        "applied": room.applied,
        "hash": room.folded().log_hash,
        "marks": room.marks,
        "revisions": list(room._revisions.items()),
        "tables": tables,
    }


@asynccontextmanager
async def opened(place: Premises) -> AsyncIterator[tuple[MemoryLog, Sequence[Room]]]:
    """Rooms of a new process, which have folded nothing yet."""
    async with place.open() as process:
        fresh = type(process)(place, process.log, 99)
        yield process.log, fresh.rooms


def in_memory(table: Table[Any]) -> list[object]:
    """Its entries, as they are held."""
    return list(table.contents().entries.values())


async def append(place: Premises, events: Sequence[Event]) -> None:
    async with MemoryLog.open(
        place.store, "acme", vocabulary(), place.clock, place.store.take_over("acme")
    ) as log:
        for start in range(0, len(events), 500):
            await log.append(
                [
                    Draft(event=each, by="tests", correlation_id="one", causation=None)
                    for each in events[start : start + 500]
                ]
            )


async def folded_at_once(place: Premises) -> dict[str, dict[str, Any]]:
    async with opened(place) as (_, rooms):
        for room in rooms:
            await room.catch_up()
        return {room.name: contents(room) for room in rooms}


async def taken(place: Premises) -> MemorySnapshots:
    """Snapshots of rooms that have folded all that is there."""
    store = MemorySnapshots()
    async with opened(place) as (log, rooms):
        for room in rooms:
            await room.catch_up()
        await take_snapshots(rooms, log.merchant, store, now)
    return store


async def started(
    place: Premises, store: SnapshotStore
) -> tuple[dict[str, int], dict[str, dict[str, Any]]]:
    """(what was loaded, what each room then is when it has caught up)"""
    async with opened(place) as (log, rooms):
        loaded = await load_snapshots(rooms, log, store)
        for room in rooms:
            await room.catch_up()
        return loaded, {room.name: contents(room) for room in rooms}


@pytest.fixture
async def place(anyio_backend: str) -> Premises:
    """Half of a trade in the log."""
    place = Premises()
    await append(place, TRADE[:HALF])
    return place


async def test_room_started_from_a_snapshot_is_the_room_that_folded_it_all(
    place: Premises,
) -> None:
    """Entries, what is watched, groups, revisions: all is there, in the same order."""
    store = await taken(place)
    await append(place, TRADE[HALF:])
    loaded, rooms = await started(place, store)

    assert dict.fromkeys(ROOMS, HALF) == loaded
    assert await folded_at_once(place) == rooms
    assert all(any(entries for entries, *_ in room["tables"]) for room in rooms.values())


async def test_snapshot_of_packed_entries_is_put_back_as_the_room_was(
    place: Premises, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended orders are packed in memory, and JSON in the snapshot."""
    at_once = await folded_at_once(place)
    for module in (orders_actor, dispatch_actor):
        monkeypatch.setattr(module, "WARM", 2)
    async with opened(place) as (_, rooms):
        for room in rooms:
            await room.catch_up()
        held = [each for room in rooms for table in room.tables for each in in_memory(table)]
    loaded, again = await started(place, await taken(place))

    assert Packed in map(type, held)
    assert ROOMS == set(loaded)
    assert at_once == again


async def test_deleted_snapshots_change_nothing_but_the_time_of_a_start(
    place: Premises,
) -> None:
    """A cache: it can go at any time."""
    store = await taken(place)
    with_them = await started(place, store)
    store.kept.clear()
    without = await started(place, store)

    assert {} == without[0]
    assert with_them[1] == without[1]


@given(any_events(max_size=30), st.integers(0, 30))
def test_snapshot_of_any_events_at_any_place_is_the_fold(
    events: list[Event], where: int
) -> None:
    """Whatever has happened, and wherever it is cut."""

    async def law() -> None:
        place = Premises()
        await append(place, events[:where])
        store = await taken(place)
        await append(place, events[where:])

        assert await folded_at_once(place) == (await started(place, store))[1]

    anyio.run(law)


async def test_snapshot_of_a_snapshot_that_nobody_looked_at_is_the_same(
    place: Premises,
) -> None:
    """Entries that were never asked for are kept as they were read."""
    first = await taken(place)
    second = MemorySnapshots()
    async with opened(place) as (log, rooms):
        await load_snapshots(rooms, log, first)
        await take_snapshots(rooms, log.merchant, second, now)

    assert ROOMS == second.kept.keys()
    assert first.kept == second.kept


async def test_room_that_trades_on_from_a_snapshot_does_what_it_would_have_done(
    anyio_backend: str,
) -> None:
    """Work that was open is found and done, once: with a snapshot or without."""
    stories = []
    for with_snapshot in (True, False):
        place = Premises()
        place.warehouse.put("A-1", 10)
        place.shop.offers_there["A-1"] = 3
        async with place.open() as process:
            await process.do("carriers", "offers", "levels", "intake", "new-skus", "publish")
            place.shop.place(marketplace_order("O1"), marketplace_order("O2"))
            await process.do("intake", "levels")
        store = await taken(place) if with_snapshot else MemorySnapshots()
        async with place.open() as process:
            fresh = type(process)(place, process.log, 7)
            loaded = await load_snapshots(fresh.rooms, process.log, store)
            await fresh.do("intake", "acceptance", "posting", "judge")
            await fresh.do("levels", "publish", "judge")
        stories.append(await place.story(Event))
        assert bool(loaded) == with_snapshot

    assert stories[0] == stories[1]
    assert "AcceptanceIntended" in stories[0]


# ── what can't be trusted ───────────────────────────────────────────────────────────────────


def _other_version(snapshot: Snapshot) -> Snapshot:
    return msgspec.structs.replace(snapshot, fingerprint=b"v" * 32)


def _beyond(snapshot: Snapshot) -> Snapshot:
    return msgspec.structs.replace(snapshot, position=HALF + 1)


def _other_log(snapshot: Snapshot) -> Snapshot:
    return msgspec.structs.replace(snapshot, log_hash=b"h" * 32)


def _one_bit(snapshot: Snapshot) -> Snapshot:
    middle = len(snapshot.state) // 2
    state = bytearray(snapshot.state)
    state[middle] ^= 1
    return msgspec.structs.replace(snapshot, state=bytes(state))


def _cut_off(snapshot: Snapshot) -> Snapshot:
    state = snapshot.state[:-3]
    return msgspec.structs.replace(snapshot, state=state, sha256=shots._sha256(state))


def _not_ours(snapshot: Snapshot) -> Snapshot:
    state = b"\0\0\0\4spam"
    return msgspec.structs.replace(snapshot, state=state, sha256=shots._sha256(state))


@pytest.mark.parametrize(
    "odd", [_other_version, _beyond, _other_log, _one_bit, _cut_off, _not_ours]
)
async def test_snapshot_that_is_odd_is_left_aside(odd: Any, place: Premises) -> None:
    """Nothing of it comes in: the log is folded instead, from its beginning."""
    store = await taken(place)
    store.kept = {name: odd(snapshot) for name, snapshot in store.kept.items()}
    loaded, rooms = await started(place, store)

    assert {} == loaded
    assert await folded_at_once(place) == rooms


async def test_snapshot_with_a_table_too_many_is_left_aside(
    place: Premises, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is of a room that was built otherwise, even if its fingerprint says not."""
    monkeypatch.setattr(shots, "fingerprint", lambda _room: b"f" * 32)
    store = await taken(place)
    settlement = store.kept["settlement"]
    store.kept = {"exceptions": msgspec.structs.replace(settlement, room="exceptions")}

    assert {} == (await started(place, store))[0]


async def test_fingerprint_depends_on_the_room_and_on_the_program(
    place: Premises, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another fold, or any other source: another fingerprint."""
    async with opened(place) as (_, rooms):
        before = {shots.fingerprint(room) for room in rooms}
        monkeypatch.setattr(shots, "program", lambda: b"another program")
        after = {shots.fingerprint(room) for room in rooms}

    assert 5 == len(before) == len(after)
    assert set() == before & after


# ── when they are taken ─────────────────────────────────────────────────────────────────────


async def test_snapshot_is_taken_when_enough_has_happened(
    place: Premises, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not before; then of the room as it is; not again while little happens."""
    monkeypatch.setattr(shots, "EVENTS_BETWEEN_MIN", 10)
    looks = 0
    kept: list[set[int]] = []
    store = MemorySnapshots()
    async with place.open() as process:
        orders = process.orders

        async def wait(_seconds: float) -> None:
            nonlocal looks
            looks += 1
            kept.append({each.position for each in store.kept.values()})
            if looks == 4:
                raise TimeoutError
            wanted = [3, 30, 3][looks - 1]
            await process.log.append(
                [
                    Draft(event=received(f"N{looks}-{n}"), by="t", correlation_id="c")
                    for n in range(wanted)
                ]
            )
            await orders.catch_up()

        monkeypatch.setattr(shots, "real_sleep", wait)
        with pytest.raises(TimeoutError):
            await keep_snapshots([orders], "acme", store, now, kept={"orders": HALF})

    assert [set(), set(), {HALF + 33}, {HALF + 33}] == kept


async def test_snapshot_is_taken_soon_after_a_start_that_had_none(
    place: Premises, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an upgrade the whole log was folded: the next start is not to do it again."""
    monkeypatch.setattr(shots, "EVENTS_BETWEEN_MIN", HALF)
    looks = 0
    store = MemorySnapshots()
    async with opened(place) as (log, rooms):
        loaded = await load_snapshots(rooms, log, store)
        await catch_up_together(rooms, log)

        async def wait(_seconds: float) -> None:
            nonlocal looks
            looks += 1
            if looks == 2:
                raise TimeoutError

        monkeypatch.setattr(shots, "real_sleep", wait)
        with pytest.raises(TimeoutError):
            await keep_snapshots(rooms, "acme", store, now, kept=loaded)

    assert dict.fromkeys(ROOMS, HALF) == {
        name: each.position for name, each in store.kept.items()
    }


async def test_rooms_that_catch_up_together_are_as_if_each_had_alone(place: Premises) -> None:
    """Wherever their snapshots were: each event is folded once into each of them."""
    store = await taken(place)
    del store.kept["orders"]
    await append(place, TRADE[HALF:])
    async with opened(place) as (log, rooms):
        await load_snapshots(rooms, log, store)
        await catch_up_together(rooms, log)
        together = {room.name: contents(room) for room in rooms}

    assert await folded_at_once(place) == together


async def test_room_that_fails_in_catching_up_holds_no_other_one_back(
    place: Premises, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands where it failed, and meets the same at its own start."""

    async def fail(_page: object) -> None:
        raise ZeroDivisionError

    async with opened(place) as (log, rooms):
        monkeypatch.setattr(rooms[1], "fold", fail)
        await catch_up_together(rooms, log)

        assert [HALF, 0, HALF, HALF, HALF] == [room.applied for room in rooms]


async def test_snapshot_that_would_be_too_large_is_not_kept_and_said(
    place: Premises, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bound is never a silent cut."""
    monkeypatch.setattr(shots, "STATE_BYTES_MAX", 50)
    store = await taken(place)

    assert {} == store.kept
    assert "snapshot_too_large" in capsys.readouterr().out


async def test_empty_log_has_no_snapshot() -> None:
    """Nothing was folded: nothing is kept."""
    assert {} == (await taken(Premises())).kept


# ── tables ──────────────────────────────────────────────────────────────────────────────────


async def test_entry_that_was_put_back_is_decoded_when_it_is_asked_for() -> None:
    """Whichever way it is asked for; its neighbours stay bytes."""
    store = MemoryStore()
    reader = MemoryLogReader(store, "acme")
    async with MemoryLog.open(
        store, "acme", vocabulary(), Clockwork(), store.take_over("acme")
    ) as log:
        await log.append(
            [Draft(event=received(f"O{n}"), by="t", correlation_id="c") for n in range(3)]
        )
    table, other = Table(ORDERS, watch=lambda _: True), Table(ORDERS, watch=lambda _: True)
    async for page in reader.read():
        for recorded in page:
            table.apply(recorded.event)
    held = table.contents()
    cold = {key: msgspec.Raw(msgspec.json.encode(entry)) for key, entry in held.entries.items()}
    other.put_back(Contents(entries=dict(cold), watched=held.watched, groups={}))

    assert table["O1"] == other["O1"] == other.get("O1")
    assert None is other.get("O9")
    assert isinstance(other.contents().entries["O0"], msgspec.Raw)
    assert list(table.items()) == list(other.items())
    assert list(table.values()) == list(other.values())
    assert table.watched() == other.watched()
    assert not any(isinstance(each, msgspec.Raw) for each in other.contents().entries.values())


# ── where they are kept ─────────────────────────────────────────────────────────────────────


@pytest.fixture
async def postgres(anyio_backend: str, database_dsn: str) -> AsyncIterator[PostgresSnapshots]:
    async with Database(database_dsn, role=SERVICE) as database:
        yield PostgresSnapshots(database, "acme")


@pytest.fixture
def memory() -> MemorySnapshots:
    return MemorySnapshots()


@pytest.fixture(params=["memory", "postgres"])
def keeper(request: pytest.FixtureRequest) -> SnapshotStore:
    """Each keeper in turn."""
    store: SnapshotStore = request.getfixturevalue(request.param)
    return store


async def test_newest_snapshot_of_each_room_is_kept(
    keeper: SnapshotStore, place: Premises
) -> None:
    """Whole, and instead of the one before it."""
    older = (await taken(place)).kept
    await append(place, TRADE[HALF:])
    newer = (await taken(place)).kept
    for snapshot in (*older.values(), newer["orders"]):
        await keeper.save(snapshot)

    assert newer["orders"] == await keeper.load("orders")
    assert older["stock"] == await keeper.load("stock")
    assert None is await keeper.load("nobody")


async def test_merchants_have_their_own_snapshots(database_dsn: str, place: Premises) -> None:
    """Everything is keyed by merchant."""
    snapshot = (await taken(place)).kept["orders"]
    async with Database(database_dsn, role=SERVICE) as database:
        await PostgresSnapshots(database, "acme").save(snapshot)

        assert None is await PostgresSnapshots(database, "other").load("orders")


@pytest.mark.parametrize("role", [OPERATOR, AUDITOR])
@pytest.mark.parametrize(
    "act",
    ["select * from snapshot", "delete from snapshot", "update snapshot set position = 1"],
)
async def test_snapshots_are_the_services_alone(database_dsn: str, role: str, act: str) -> None:
    """Nobody else has a use for them, so nobody else may touch them."""
    async with Database(database_dsn, role=role) as database:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.execute(act)
