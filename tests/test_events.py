"""The vocabulary: every event can be read again, byte for byte, and names nobody.

`tests/samples/events.json` holds one stored event of each kind, as the log holds it, and some
that earlier versions wrote. A sample is never edited: a log holds events like it.
"""

import types
import typing
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import given

from kcjl.errors import CorruptLog
from kcjl.events import EVENT_CLASSES, vocabulary
from kcjl.vocabulary import Event, Vocabulary
from tests.any_event import any_events
from tests.clockwork import MORNING
from tests.patience import unhurried


class Sample(msgspec.Struct, frozen=True):
    type: str
    schema: int
    data: str


class Samples(msgspec.Struct, frozen=True):
    written_now: tuple[Sample, ...]
    written_before: tuple[Sample, ...]
    """By earlier versions: without the fields that came later."""


SAMPLES = msgspec.json.decode(
    (Path(__file__).parent / "samples" / "events.json").read_bytes(), type=Samples
)
PERSONAL = (
    "address",
    "birth",
    "buyer",
    "city",
    "county",
    "customer_name",
    "email",
    "first_name",
    "firstname",
    "forename",
    "last_name",
    "lastname",
    "mobile",
    "phone",
    "postcode",
    "recipient",
    "street",
    "surname",
    "town",
    "zip",
)
VOCABULARY = vocabulary()


def named(samples: tuple[Sample, ...]) -> list[object]:
    return [pytest.param(sample, id=sample.type) for sample in samples]


@pytest.mark.parametrize("sample", named(SAMPLES.written_now))
def test_stored_event_is_read_and_written_again_to_the_byte(sample: Sample) -> None:
    """What the log holds is what this version means: no field is lost, none is turned."""
    event = VOCABULARY.decode(sample.type, sample.schema, sample.data)

    assert sample.type == type(event).__name__
    assert sample.data.encode() == VOCABULARY.encode(event)
    assert event == VOCABULARY.decode(sample.type, sample.schema, VOCABULARY.encode(event))


@pytest.mark.parametrize("sample", named(SAMPLES.written_before))
def test_event_of_an_earlier_version_is_read(sample: Sample) -> None:
    """Change is additive: a field that came later has a meaning where it is missing."""
    event = VOCABULARY.decode(sample.type, sample.schema, sample.data)

    written = msgspec.json.decode(VOCABULARY.encode(event))
    before = msgspec.json.decode(sample.data)
    assert before == what_is_left(written, before)


def what_is_left(written: object, before: object) -> object:
    """Of what is written now, the fields that there were before, at every depth."""
    if isinstance(before, dict) and isinstance(written, dict):
        return {key: what_is_left(written[key], value) for key, value in before.items()}
    if isinstance(before, list) and isinstance(written, list):
        assert len(before) == len(written)
        return [what_is_left(*each) for each in zip(written, before, strict=True)]
    return written


def test_every_event_has_a_sample() -> None:
    """A new event comes with a stored sample, or this fails."""
    with_sample = {(sample.type, sample.schema) for sample in SAMPLES.written_now}

    assert {(cls.__name__, cls.SCHEMA) for cls in EVENT_CLASSES} == with_sample


def test_samples_have_a_value_in_every_field() -> None:
    """A sample that leaves a field empty would prove nothing of it."""
    for sample in SAMPLES.written_now:
        empty = [
            name
            for name, value in msgspec.json.decode(sample.data).items()
            if value is None or value in ("", [])
        ]
        assert [] == empty, sample.type


def test_every_event_has_a_name_of_its_own() -> None:
    """Events are found by name: no two share one."""
    names = [cls.__name__ for cls in EVENT_CLASSES]

    assert sorted(names) == sorted(set(names)) == list(VOCABULARY.names())


def leaves(cls: type[Event]) -> set[type[Event]]:
    """The event classes that nothing is derived from."""
    below = cls.__subclasses__()
    return set().union(*(leaves(each) for each in below)) if below else {cls}


def test_every_event_of_the_rooms_is_in_the_vocabulary() -> None:
    """An event that a room has and does not list could be written by nobody."""
    rooms = {cls for cls in leaves(Event) if cls.__module__.startswith("kcjl.")}

    assert set(EVENT_CLASSES) == rooms


def field_names(kind: object) -> set[str]:
    """The names of all fields of a struct, and of what it is made of."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        hints = typing.get_type_hints(kind)
        own = set(kind.__struct_fields__)
        return own.union(*(field_names(hints[name]) for name in own))
    return set().union(*(field_names(each) for each in get_args(kind)))


@pytest.mark.parametrize("cls", EVENT_CLASSES, ids=lambda cls: cls.__name__)
def test_no_field_is_made_for_personal_data(cls: type[Event]) -> None:
    """Law 7: an event can't hold a name, an address, a phone or an e-mail."""
    found = {name for name in field_names(cls) for word in PERSONAL if word in name}

    assert set() == found


@pytest.mark.parametrize("cls", EVENT_CLASSES, ids=lambda cls: cls.__name__)
def test_events_are_frozen_and_hold_no_mapping(cls: type[Event]) -> None:
    """What has happened does not change; and every field has its name in the vocabulary."""
    assert cls.__struct_config__.frozen

    def kinds(kind: object) -> set[object]:
        return {kind}.union(*(kinds(each) for each in get_args(kind)))

    for hint in typing.get_type_hints(cls).values():
        assert not {dict, list, float, typing.Any} & {
            typing.get_origin(each) or each
            for each in kinds(hint)
            if not isinstance(each, types.EllipsisType)
        }


@unhurried
@given(any_events(max_size=5))
def test_any_event_is_read_as_it_was_written(events: list[Event]) -> None:
    """Written and read again, an event is the same, and its bytes are."""
    for event in events:
        data = VOCABULARY.encode(event)
        again = VOCABULARY.decode(type(event).__name__, event.SCHEMA, data)

        assert event == again
        assert data == VOCABULARY.encode(again)
        assert VOCABULARY.knows(event)
        assert event.stream == again.stream


def test_unknown_event_stops_the_reading() -> None:
    """An event of a newer version is never skipped: the log is not read past it."""
    with pytest.raises(CorruptLog, match="event OrderTeleported of schema 1 is not known"):
        VOCABULARY.decode("OrderTeleported", 1, b"{}")
    with pytest.raises(CorruptLog, match="schema 99 is not known to this version"):
        VOCABULARY.decode("OrderReleased", 99, b"{}")


def test_event_that_is_not_what_it_should_be_stops_the_reading() -> None:
    """A payload that contradicts its kind is a corrupt log."""
    with pytest.raises(CorruptLog, match="can't be read"):
        VOCABULARY.decode("OrderReleased", 1, b'{"order_id": 7}')


def test_event_that_nobody_listed_is_not_known() -> None:
    """A class outside the vocabulary can't be read back, and so is not written."""

    class Whispered(Event, frozen=True, kw_only=True):
        """Said to nobody."""

    whispered = Whispered(occurred_at=MORNING)

    assert not Vocabulary(EVENT_CLASSES).knows(whispered)
    with pytest.raises(NotImplementedError):
        _ = whispered.stream
