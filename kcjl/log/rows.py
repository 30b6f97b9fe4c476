"""Rows of the log's table made into recorded events.

Promises: an event that this version can't read is CorruptLog with its position. What costs
most is left out: times are not made into datetimes one by one (of `recorded_at` there is one a
commit, so it is kept; `occurred_at` is the payload's own, which upcasters leave alone), and the
payload comes as the bytes that it is.
Invariant: the fields are those of `COLUMNS`, in that order.
Called by `postgres.py` and `queries.py`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec

from kcjl.errors import CorruptLog
from kcjl.log.port import Recorded
from kcjl.vocabulary import Vocabulary

__all__ = ["COLUMNS", "all_recorded"]

COLUMNS = """
    position, stream, revision, type, schema, timestamptz_send(recorded_at) as recorded_at,
    correlation_id, causation, by, json_send(data) as data, hash
"""

_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MOMENTS_KEPT_MAX = 1_000


def all_recorded(
    rows: Sequence[asyncpg.Record], merchant: str, vocabulary: Vocabulary
) -> list[Recorded]:
    """Raises CorruptLog for the first one that can't be read."""
    events: list[Recorded] = []
    add, readings, moments = events.append, vocabulary.readings, _MOMENTS
    if len(moments) > _MOMENTS_KEPT_MAX:
        moments.clear()
    position, name, schema = 0, "", 0
    try:
        # All names at once: a row by number or by name takes twice as long.
        for (
            position,
            stream,
            revision,
            name,
            schema,
            recorded_at,
            correlation_id,
            causation,
            by,
            data,
            hash_,
        ) in rows:
            event = readings[name, schema](data)
            occurred_at = event.occurred_at
            if occurred_at.tzinfo is not UTC:
                occurred_at = occurred_at.astimezone(UTC)
            add(
                Recorded(
                    merchant=merchant,
                    position=position,
                    stream=stream,
                    revision=revision,
                    type=name,
                    schema=schema,
                    occurred_at=occurred_at,
                    recorded_at=moments[recorded_at],
                    correlation_id=correlation_id,
                    causation=causation,
                    by=by,
                    data=data,
                    hash=hash_,
                    event=event,
                )
            )
    except (CorruptLog, msgspec.MsgspecError) as error:
        raise vocabulary.unreadable(merchant, position, (name, schema), error) from None
    return events


class _Moments(dict[bytes, datetime]):
    """Times by the eight bytes in which PostgreSQL sends them."""

    def __missing__(self, sent: bytes) -> datetime:
        since = timedelta(microseconds=int.from_bytes(sent, "big", signed=True))
        try:
            moment = _POSTGRES_EPOCH + since
        except OverflowError:
            raise CorruptLog("it was recorded at no time: verify the log") from None
        self[sent] = moment
        return moment


_MOMENTS = _Moments()
