"""From drafts to recorded events: what both keepers of the log do alike, without a database.

Promises: what `prepare` lets through can be stored, hashed and read again, so one caller's bad
event never reaches the group that it would have been committed with; `record` numbers and
chains events in the order given. No I/O, no clock.
Invariant: time of recording never goes back within a merchant, whatever the clock does.
Called by `writer.py` and `memory.py`.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from datetime import UTC, datetime

import msgspec

from kcjl.errors import Conflict, Misuse
from kcjl.log.chain import BareRow, counted, link_fields, microseconds
from kcjl.log.port import Draft, Head, Recorded
from kcjl.vocabulary import Event, Vocabulary

__all__ = ["Prepared", "check_merchant", "objection", "prepare", "record", "recording_time"]

NAME_BYTES_MAX = 500
"""Of a stream, an actor, a correlation: they are keys, and an index row holds 2,700 bytes."""
EVENT_BYTES_MAX = 1024 * 1024
"""Of one payload: what is larger belongs beside the log, with a reference in it."""
APPEND_EVENTS_MAX = 10_000
"""Of one append, which is one transaction."""
_SCHEMA_MAX = 2**31 - 1
_YEAR_MIN, _YEAR_MAX = 1900, 9998


class Prepared(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A draft that was found fit to be stored."""

    draft: Draft
    stream: str
    occurred_at: datetime
    data: bytes


def check_merchant(merchant: str) -> str:
    _check_name("merchant", merchant)
    return merchant


def prepare(
    drafts: Sequence[Draft], expected: Mapping[str, int], vocabulary: Vocabulary
) -> tuple[Prepared, ...]:
    """Check and encode. Raises Misuse, which names what can't be stored and why."""
    for stream in expected:
        if not (
            stream.isascii() and stream.isprintable() and 0 < len(stream) <= NAME_BYTES_MAX
        ):
            _check_name("stream in expected", stream)
    if len(drafts) > APPEND_EVENTS_MAX:
        raise Misuse(
            f"one append of {len(drafts)} events: at most {APPEND_EVENTS_MAX}; append in parts"
        )
    return tuple([_prepare_one(draft, vocabulary) for draft in drafts])


def objection(
    prepared: Sequence[Prepared],
    expected: Mapping[str, int],
    *,
    head: Head,
    revisions: Mapping[str, int],
) -> Misuse | None:
    """Why this append can't follow `head`: a Conflict, or a cause that lies in the future."""
    for stream, revision in expected.items():
        actual = revisions.get(stream, 0)
        if actual != revision:
            return Conflict(stream, revision, actual)
    for number, each in enumerate(prepared, start=1):
        causation = each.draft.causation
        if causation is not None and causation >= head.position + number:
            return Misuse(
                f"event {head.position + number} on {each.stream} can't be caused by the later "
                f"event {causation}"
            )
    return None


def recording_time(now: datetime, latest: datetime | None) -> datetime:
    """The clock's time, or the latest recorded one when the clock went back."""
    now = now.astimezone(UTC)
    return now if latest is None or now > latest else latest


def record(
    prepared: Sequence[Prepared],
    *,
    merchant: str,
    head: Head,
    recorded_at: datetime,
    revisions: MutableMapping[str, int],
    rows: list[BareRow] | None = None,
) -> tuple[list[Recorded], Head]:
    """Number and chain events after `head`; `revisions` is brought up to date.

    `rows`: gets their columns, as they are hashed, for the database.
    """
    position, hash_ = head.position, head.hash
    owner, learnt = counted(merchant), microseconds(recorded_at)
    events: list[Recorded] = []
    for each in prepared:
        draft, stream, data = each.draft, each.stream, each.data
        event, causation = draft.event, draft.causation
        name, schema, occurred_at = type(event).__name__, event.SCHEMA, each.occurred_at
        correlation_id, by = draft.correlation_id, draft.by
        position += 1
        revision = revisions.get(stream, 0) + 1
        revisions[stream] = revision
        fields = (
            position,
            stream,
            revision,
            name,
            schema,
            microseconds(occurred_at),
            learnt,
            correlation_id,
            causation,
            by,
        )
        hash_ = link_fields(hash_, owner, fields, data)
        if rows is not None:
            rows.append((*fields, data, hash_))
        events.append(
            Recorded(
                merchant=merchant,
                position=position,
                stream=stream,
                revision=revision,
                type=name,
                schema=schema,
                occurred_at=occurred_at,
                recorded_at=recorded_at,
                correlation_id=correlation_id,
                causation=causation,
                by=by,
                data=data,
                hash=hash_,
                event=event,
            )
        )
    return events, Head(position=position, hash=hash_, epoch=head.epoch)


def _prepare_one(draft: Draft, vocabulary: Vocabulary) -> Prepared:
    event = draft.event
    if not vocabulary.knows(event) or not 0 < event.SCHEMA <= _SCHEMA_MAX:
        raise _unlisted(event)
    stream, occurred_at = event.stream, event.occurred_at
    for what, name in (
        ("stream", stream),
        ("by", draft.by),
        ("correlation_id", draft.correlation_id),
    ):
        # isprintable: no control character. The long way knows which of the others are fit.
        if not (name.isascii() and name.isprintable() and 0 < len(name) <= NAME_BYTES_MAX):
            _check_name(what, name, of=type(event).__name__)
    if draft.causation is not None and draft.causation < 1:
        raise Misuse(
            f"event {type(event).__name__}: causation {draft.causation} is not a position"
        )
    if occurred_at.tzinfo is None:
        raise Misuse(
            f"event {type(event).__name__}: occurred_at {occurred_at} has no time zone"
        )
    if not _YEAR_MIN <= occurred_at.year <= _YEAR_MAX:
        raise Misuse(f"event {type(event).__name__}: occurred_at {occurred_at} is out of range")
    try:
        encoded = vocabulary.encode(event)
    except UnicodeEncodeError as error:
        raise Misuse(
            f"event {type(event).__name__} has text that is not Unicode: {error.reason}"
        ) from None
    if len(encoded) > EVENT_BYTES_MAX:
        raise Misuse(
            f"event {type(event).__name__} is {len(encoded)} bytes, the log takes "
            f"{EVENT_BYTES_MAX}: keep what is large elsewhere, and a reference to it in the "
            "event"
        )
    return Prepared(
        draft=draft,
        stream=stream,
        occurred_at=occurred_at if occurred_at.tzinfo is UTC else occurred_at.astimezone(UTC),
        data=encoded,
    )


def _unlisted(event: Event) -> Misuse:
    name = type(event).__name__
    if 0 < event.SCHEMA <= _SCHEMA_MAX:
        return Misuse(f"event {name} of schema {event.SCHEMA} is in no vocabulary: register it")
    return Misuse(f"event {name}: schema {event.SCHEMA} is not a positive number")


def _check_name(what: str, name: str, *, of: str = "the log") -> None:
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise Misuse(f"{what} of {of} is not Unicode text") from None
    if not 0 < size <= NAME_BYTES_MAX:
        raise Misuse(f"{what} of {of} has {size} bytes, it takes 1 to {NAME_BYTES_MAX}")
    if "\0" in name:
        raise Misuse(f"{what} of {of} holds a zero byte, which the database does not keep")
    if "\x1e" in name or "\x1f" in name:
        raise Misuse(f"{what} of {of} holds a separator (U+001E, U+001F) of the log's own")
