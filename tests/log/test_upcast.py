"""Old schemas: lifted step by step; what nobody can read stops every reader, and says where."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import anyio
import msgspec
import pytest

from kcjl.actors import Room
from kcjl.clock import SeededIds
from kcjl.database import Database
from kcjl.errors import CorruptLog, Misuse
from kcjl.events import EVENT_CLASSES, UPCASTERS, vocabulary
from kcjl.fold import Fold
from kcjl.log.lease import acquire
from kcjl.log.port import Draft, Recorded
from kcjl.log.postgres import PostgresLog, PostgresLogReader
from kcjl.log.upcast import Upcaster
from kcjl.log.verify import verify
from kcjl.projections.projection import Projection
from kcjl.projections.runner import ProjectionRunner
from kcjl.projections.store import MemoryRows
from kcjl.vocabulary import Event, Vocabulary
from tests.log.keepers import MERCHANT, MORNING, SetClock
from tests.log.stored_samples import Sample, faults, stored

pytestmark = pytest.mark.anyio


# ── a vocabulary of two releases ────────────────────────────────────────────────────────────


class Weighed(Event, frozen=True, kw_only=True):
    """The first release: kilograms, as a number."""

    sku: str
    kilograms: int

    @property
    def stream(self) -> str:
        return f"scale-{self.sku}"


FIRST = Vocabulary([Weighed])


class WeighedV1(msgspec.Struct, frozen=True, kw_only=True):
    """What the first release wrote."""

    occurred_at: datetime
    sku: str
    kilograms: int


class WeighedV2(msgspec.Struct, frozen=True, kw_only=True):
    """A release in between: grams."""

    occurred_at: datetime
    sku: str
    grams: int


class WeightTaken(Event, frozen=True, kw_only=True):
    """Today: another name, and who stood at the scale."""

    SCHEMA: ClassVar[int] = 3

    sku: str
    grams: int
    weigher: str

    @property
    def stream(self) -> str:
        return f"scale-{self.sku}"


def _to_grams(old: WeighedV1) -> WeighedV2:
    return WeighedV2(occurred_at=old.occurred_at, sku=old.sku, grams=1_000 * old.kilograms)


def _to_weight_taken(old: WeighedV2) -> WeightTaken:
    return WeightTaken(
        occurred_at=old.occurred_at, sku=old.sku, grams=old.grams, weigher="unknown"
    )


STEPS = (
    Upcaster(name="Weighed", schema=1, old=WeighedV1, lift=_to_grams),
    Upcaster(
        name="Weighed", schema=2, old=WeighedV2, lift=_to_weight_taken, becomes="WeightTaken"
    ),
)
TODAY = Vocabulary([WeightTaken], STEPS)
SAMPLES = (
    Sample(
        type="Weighed",
        schema=1,
        data=msgspec.Raw(
            b'{"kilograms":2,"occurred_at":"2026-10-01T08:00:00.123456Z","sku":"A"}'
        ),
        today=msgspec.Raw(b'{"sku":"A","grams":2000,"weigher":"unknown"}'),
    ),
    Sample(
        type="Weighed",
        schema=2,
        data=msgspec.Raw(b'{"grams":7,"occurred_at":"2026-10-01T08:00:00Z","sku":"B"}'),
        today=msgspec.Raw(b'{"sku":"B","grams":7,"weigher":"unknown"}'),
    ),
    Sample(
        type="WeightTaken",
        schema=3,
        data=msgspec.Raw(
            b'{"grams":1,"occurred_at":"2026-10-01T08:00:00Z","sku":"C","weigher":"jo"}'
        ),
        today=msgspec.Raw(b'{"sku":"C","grams":1,"weigher":"jo"}'),
    ),
)


def weighed(sku: str, kilograms: int) -> Draft:
    event = Weighed(occurred_at=MORNING, sku=sku, kilograms=kilograms)
    return Draft(event=event, by="scale", correlation_id="weighing")


def weight_taken(sku: str, grams: int) -> Draft:
    event = WeightTaken(occurred_at=MORNING, sku=sku, grams=grams, weigher="jo")
    return Draft(event=event, by="scale", correlation_id="weighing")


async def write(database: Database, words: Vocabulary, drafts: Sequence[Draft]) -> None:
    """As a release with this vocabulary would."""
    lease = await acquire(database, MERCHANT, "tests", ttl_s=60)
    async with PostgresLog.open(database, MERCHANT, words, SetClock(), lease.epoch) as log:
        await log.append(drafts)


# ── the stored samples ──────────────────────────────────────────────────────────────────────


def test_every_event_and_every_upcaster_has_a_stored_sample_that_is_read() -> None:
    """What was once stored is read for ever: in any later release, with what it said."""
    found = faults(stored(), vocabulary(), EVENT_CLASSES, UPCASTERS)

    assert not found, "\n".join(found)


def test_samples_of_two_releases_are_sound() -> None:
    """The check that is made on the real samples passes on good ones."""
    assert [] == faults(SAMPLES, TODAY, [WeightTaken], STEPS)


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_an_upcaster_without_a_sample_is_found(missing: int) -> None:
    """A step that nobody has tried on a real old payload is not accepted."""
    kept = [sample for number, sample in enumerate(SAMPLES) if number != missing]
    named = f"{SAMPLES[missing].type} of schema {SAMPLES[missing].schema}"

    assert [f"{named} has no sample"] == faults(kept, TODAY, [WeightTaken], STEPS)


def test_a_step_that_reads_something_else_is_found() -> None:
    """Pounds for kilograms: the sample says what it ought to have been."""

    def to_pounds(old: WeighedV1) -> WeighedV2:
        return WeighedV2(occurred_at=old.occurred_at, sku=old.sku, grams=454 * old.kilograms)

    wrong = (msgspec.structs.replace(STEPS[0], lift=to_pounds), STEPS[1])

    assert ["Weighed of schema 1: grams is read as 908, not 2000"] == faults(
        SAMPLES, Vocabulary([WeightTaken], wrong), [WeightTaken], wrong
    )


def test_a_field_that_changed_without_a_new_schema_is_found() -> None:
    """A renamed field is a new schema; a field with a default is none."""

    class Renamed(Event, frozen=True, kw_only=True):
        SCHEMA: ClassVar[int] = 3
        sku: str
        weight: int
        weigher: str = ""
        scale: str = "old one"

    class Added(Event, frozen=True, kw_only=True):
        SCHEMA: ClassVar[int] = 3
        sku: str
        grams: int
        weigher: str
        scale: str = "old one"

    sample = SAMPLES[2]
    renamed, added = (msgspec.structs.replace(sample, type=n) for n in ("Renamed", "Added"))
    broken = _bare(Renamed)
    fine = _bare(Added)

    assert "weight" in faults([renamed], broken, [Renamed], [])[0]
    assert [] == faults([added], fine, [Added], [])


def _bare(cls: type[Event]) -> Vocabulary:
    """A vocabulary whose class has its two older schemas read somehow."""

    class Bare(msgspec.Struct, frozen=True, kw_only=True):
        occurred_at: datetime

    def up(old: msgspec.Struct) -> msgspec.Struct:
        return old

    name = cls.__name__
    return Vocabulary(
        [cls],
        [Upcaster(name=name, schema=schema, old=Bare, lift=up) for schema in (1, 2)],
    )


# ── a vocabulary that does not add up ───────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ((), "nothing reads its schema 1"),
        (STEPS[1:], "nothing reads its schema 1"),
        (STEPS[:1], "Weighed of schema 2, which nothing reads"),
        ((*STEPS, STEPS[0]), "Weighed of schema 1 has more than one reading"),
        (
            (
                *STEPS,
                Upcaster(name="WeightTaken", schema=3, old=WeighedV2, lift=_to_weight_taken),
            ),
            "WeightTaken of schema 3 has more than one reading",
        ),
        (
            (*STEPS, Upcaster(name="Sunk", schema=1, old=WeighedV1, lift=_to_grams)),
            "Sunk of schema 2, which nothing reads",
        ),
    ],
    ids=["none", "no-first", "no-second", "twice", "of-today", "to-nowhere"],
)
def test_vocabulary_with_a_broken_chain_is_refused(
    steps: tuple[Upcaster, ...], said: str
) -> None:
    """A missing step is found when the program starts, not at the event that needs it."""
    with pytest.raises(Misuse, match=said):
        Vocabulary([WeightTaken], steps)


def test_vocabulary_knows_only_events_of_today_for_writing() -> None:
    """A former schema is read, and never written again."""
    old = Weighed(occurred_at=MORNING, sku="A", kilograms=2)
    new = WeightTaken(occurred_at=MORNING, sku="A", grams=2, weigher="jo")

    assert [False, True] == [TODAY.knows(old), TODAY.knows(new)]
    assert ("WeightTaken", "Weighed") == tuple(reversed(TODAY.names()))


@pytest.mark.parametrize(
    ("name", "schema", "said"),
    [
        ("Sunk", 1, "event Sunk of schema 1 is not known to this version: run the version"),
        ("Weighed", 4, "of schema 4 is not known to this version, which knows its schema 1, 2"),
        ("WeightTaken", 4, "of schema 4 is not known .* knows its schema 3: run the version"),
    ],
)
def test_decode_what_is_not_known_names_it_and_the_next_step(
    name: str, schema: int, said: str
) -> None:
    """A log that a newer version wrote says so."""
    with pytest.raises(CorruptLog, match=said):
        TODAY.decode(name, schema, b"{}")


def test_decode_a_payload_that_is_not_of_its_schema_is_refused() -> None:
    """A stored payload that lacks a field is the log's trouble, not a default's."""
    with pytest.raises(CorruptLog, match=r"Weighed of schema 1 can't be read .*kilograms"):
        TODAY.decode("Weighed", 1, b'{"occurred_at":"2026-10-01T08:00:00Z","sku":"A"}')


def test_decode_with_a_step_that_stumbles_names_the_step() -> None:
    """Whatever goes wrong in a step, the reader stops there with its name."""

    def stumble(_old: WeighedV1) -> WeighedV2:
        raise LookupError("grams")

    steps = (msgspec.structs.replace(STEPS[0], lift=stumble), STEPS[1])
    with pytest.raises(CorruptLog, match="Weighed of schema 1 can't be lifted to schema 2"):
        Vocabulary([WeightTaken], steps).decode("Weighed", 1, bytes(SAMPLES[0].data))


def test_decode_with_a_step_to_something_else_is_our_mistake() -> None:
    """A step gives the next step's payload, and no other."""
    steps = (msgspec.structs.replace(STEPS[0], lift=_as_it_is), STEPS[1])
    with pytest.raises(Misuse, match="gives a WeighedV1, where a WeighedV2 is wanted"):
        Vocabulary([WeightTaken], steps).decode("Weighed", 1, bytes(SAMPLES[0].data))


def _as_it_is(old: WeighedV1) -> WeighedV1:
    return old


# ── logs that several releases wrote ────────────────────────────────────────────────────────


async def test_log_of_two_releases_is_read_as_todays_events(database: Database) -> None:
    """The program is replaced, the log is not: old and new events are of one class."""
    await write(database, FIRST, [weighed("A", 2), weighed("B", 3)])
    await write(database, TODAY, [weight_taken("A", 2_500)])
    reader = PostgresLogReader(database, MERCHANT, TODAY)

    read = [recorded async for page in reader.read() for recorded in page]

    assert [
        (
            "Weighed",
            1,
            WeightTaken(occurred_at=MORNING, sku="A", grams=2_000, weigher="unknown"),
        ),
        (
            "Weighed",
            1,
            WeightTaken(occurred_at=MORNING, sku="B", grams=3_000, weigher="unknown"),
        ),
        (
            "WeightTaken",
            3,
            WeightTaken(occurred_at=MORNING, sku="A", grams=2_500, weigher="jo"),
        ),
    ] == [(recorded.type, recorded.schema, recorded.event) for recorded in read]
    assert FIRST.encode(Weighed(occurred_at=MORNING, sku="A", kilograms=2)) == read[0].data
    assert [1, 2] == [each.revision for each in await reader.read_stream("scale-A")]
    assert 3 == (await verify(reader)).events


async def test_projection_of_two_releases_folds_todays_events(database: Database) -> None:
    """A read model knows no former schema."""
    await write(database, FIRST, [weighed("A", 2)])
    await write(database, TODAY, [weight_taken("A", 2_500)])
    rows = MemoryRows()

    await ProjectionRunner(
        PostgresLogReader(database, MERCHANT, TODAY), rows, [_WEIGHTS]
    ).catch_up()

    ((_, row),) = await rows.rows("weights")
    assert Heaviest(grams=2_500) == _WEIGHTS.entry(row)


class Heaviest(msgspec.Struct, frozen=True, kw_only=True):
    grams: int


def _evolve(entry: Heaviest | None, event: Event, _key: str) -> Heaviest | None:
    assert isinstance(event, WeightTaken)
    return Heaviest(grams=max(event.grams, entry.grams if entry else 0))


_WEIGHTS: Projection[Heaviest] = Projection(
    "weights", Fold(lambda event: (event.stream,), _evolve, Heaviest), lambda _entry: "weighed"
)


# ── an event that this version does not know stops every reader ─────────────────────────────

STOPS = (
    r"acme, position 2: event WeightTaken of schema 3 is not known to this version: "
    r"run the version that wrote it"
)


@pytest.fixture
async def newer(database: Database) -> Database:
    """A log whose second event a newer release wrote; the first release comes back to it."""
    await write(database, FIRST, [weighed("A", 2)])
    await write(database, TODAY, [weight_taken("A", 2_500)])
    await write(database, FIRST, [weighed("A", 3)])
    return database


async def test_reader_stops_at_an_unknown_event_and_names_it(newer: Database) -> None:
    """Position, type, schema and what to do; the events beyond it are not reached."""
    reader = PostgresLogReader(newer, MERCHANT, FIRST)
    seen: list[int] = []

    async def see(pages: AsyncIterator[Sequence[Recorded]]) -> None:
        async for page in pages:
            seen.extend(recorded.position for recorded in page)

    with pytest.raises(CorruptLog, match=STOPS):
        await see(reader.read())
    with pytest.raises(CorruptLog, match=STOPS):
        await reader.read_stream("scale-A")
    with anyio.fail_after(20), pytest.raises(CorruptLog, match=STOPS):
        await see(reader.follow(1))

    assert 2 not in seen
    assert 3 not in seen


async def test_reader_that_starts_behind_an_unknown_event_goes_on(newer: Database) -> None:
    """It is the event that stops, not the log."""
    reader = PostgresLogReader(newer, MERCHANT, FIRST)

    assert [3] == [r.position async for page in reader.read(2) for r in page]


async def test_room_stops_at_an_unknown_event(newer: Database) -> None:
    """A room never decides on a state that leaves an event out, and its run ends."""
    lease = await acquire(newer, MERCHANT, "tests", ttl_s=60)
    async with PostgresLog.open(newer, MERCHANT, FIRST, SetClock(), lease.epoch) as log:
        room = Room(log, SetClock(), SeededIds(1))
        with pytest.raises(CorruptLog, match=STOPS):
            await room.catch_up()
        with anyio.fail_after(20), pytest.raises(CorruptLog, match=STOPS):
            await room.run()

    assert room.applied < 2


async def test_projections_stop_at_an_unknown_event(newer: Database) -> None:
    """A read model that left an event out would be a lie; its checkpoint stays before it."""
    rows = MemoryRows()
    silent: Projection[Any] = Projection(
        "weights", Fold(lambda _event: (), _evolve, Heaviest), lambda _entry: "weighed"
    )
    runner = ProjectionRunner(PostgresLogReader(newer, MERCHANT, FIRST), rows, [silent])

    with pytest.raises(CorruptLog, match=STOPS):
        await runner.catch_up()
    with anyio.fail_after(20), pytest.raises(CorruptLog, match=STOPS):
        await runner.run()

    assert await rows.position(["weights"]) < 2


async def test_verify_needs_no_vocabulary(newer: Database) -> None:
    """The proof is about bytes: it holds for events of any version."""
    assert 3 == (await verify(PostgresLogReader(newer, MERCHANT, FIRST))).events


def test_lifting_keeps_when_it_was_true() -> None:
    """The first clock passes through every step."""
    event = TODAY.decode("Weighed", 1, bytes(SAMPLES[0].data))

    assert timedelta(0) == event.occurred_at - MORNING


def test_lifting_to_another_time_is_our_mistake() -> None:
    """Readers take the time from today's event: no step may make another of it."""

    def later(old: WeighedV2) -> WeightTaken:
        lifted = _to_weight_taken(old)
        return msgspec.structs.replace(lifted, occurred_at=MORNING + timedelta(days=1))

    steps = (STEPS[0], msgspec.structs.replace(STEPS[1], lift=later))
    with pytest.raises(Misuse, match="of Weighed of schema 1 makes 2026-10-02"):
        Vocabulary([WeightTaken], steps).decode("Weighed", 1, bytes(SAMPLES[0].data))


def test_vocabulary_with_an_old_payload_without_its_time_is_refused() -> None:
    """An old event is not read without when it was true."""

    class Timeless(msgspec.Struct, frozen=True, kw_only=True):
        sku: str

    steps = (msgspec.structs.replace(STEPS[0], old=Timeless), STEPS[1])
    with pytest.raises(Misuse, match="Weighed of schema 1 is read without its time"):
        Vocabulary([WeightTaken], steps)
