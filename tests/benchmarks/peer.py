"""The peer: the library `eventsourcing` and its PostgreSQL module (extra `bench`).

Its recorder alone is measured, with the payloads' JSON made by msgspec on both sides: faster
than its applications are. Imported when it is asked for, so that the other benchmarks, and
every check, run without it.
"""

import importlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from kcjl.clock import SeededIds, real_monotonic
from tests.benchmarks.trade import EVENTS_A_STREAM, VOCABULARY, order, set_aside

__all__ = ["NAME", "Recorder", "appends_per_s", "is_there", "recorder"]

NAME = "eventsourcing"
TOPIC = "tests.benchmarks.trade:OrderTaken"
PAGE = 5_000
EVENTS_READY = 120_000
"""Made before a sample, which ends when they are used up."""


class Recorder:
    """What is used of the library's recorder."""

    def __init__(self, recorder: Any, stored_event: Any) -> None:
        self._recorder = recorder
        self._stored_event = stored_event

    def insert(self, events: list[object]) -> None:
        self._recorder.insert_events(events)

    def event(self, stream: UUID, version: int, state: bytes) -> object:
        return self._stored_event(
            originator_id=stream, originator_version=version, topic=TOPIC, state=state
        )

    def pages(self, size: int) -> Iterator[list[bytes]]:
        """All payloads in order."""
        start = 1
        while page := self._recorder.select_notifications(start, size):
            yield [notification.state for notification in page]
            start = page[-1].id + 1

    def subscription(self) -> Iterator[tuple[int, bytes]]:
        """The library's own: woken by NOTIFY, for ever; (number, payload) of each event."""
        with self._recorder.subscribe(gt=0) as subscription:
            for notification in subscription:
                yield notification.id, notification.state


def is_there() -> bool:
    try:
        importlib.import_module("eventsourcing.postgres")
    except ImportError:
        return False
    return True


@contextmanager
def recorder(dsn: str, *, connections: int) -> Iterator[Recorder]:
    library = importlib.import_module("eventsourcing.postgres")
    stored_event = importlib.import_module("eventsourcing.persistence").StoredEvent
    parts = urlsplit(dsn)
    options = parse_qs(parts.query)
    datastore = library.PostgresDatastore(
        dbname=parts.path.lstrip("/"),
        host=options["host"][0],
        port=options.get("port", ["5432"])[0],
        user=parts.username or "postgres",
        password="",
        pool_size=connections,
        max_overflow=connections,
        max_waiting=connections,
    )
    try:
        made = library.PostgresApplicationRecorder(datastore, events_table_name="stored_events")
        made.create_table()
        yield Recorder(made, stored_event)
    finally:
        datastore.close()


def appends_per_s(
    recorder: Recorder, *, threads: int, batch: int, seconds: float, seed: int
) -> float:
    """Events a second that so many threads save, `batch` events in each save."""
    totals = [0] * threads
    ready = [
        _saves(recorder, thread, batch=batch, count=EVENTS_READY // threads // batch, seed=seed)
        for thread in range(threads)
    ]

    def run(thread: int) -> None:
        for events in ready[thread]:
            if real_monotonic() >= until:
                return
            recorder.insert(events)
            totals[thread] += batch

    with set_aside():
        started = real_monotonic()
        until = started + seconds
        _in_threads(run, threads)
        return sum(totals) / (real_monotonic() - started)


def _saves(
    recorder: Recorder, thread: int, *, batch: int, count: int, seed: int
) -> list[list[object]]:
    """What a thread saves: so many times `batch` stored events, their JSON made."""
    ids = SeededIds(seed * 1_000_000 + batch * 1_000 + thread)
    stream = UUID(ids.new())
    saves: list[list[object]] = []
    for first in range(0, count * batch, batch):
        events: list[object] = []
        for number in range(first, first + batch):
            if number % EVENTS_A_STREAM == 0:
                stream = UUID(ids.new())
            state = VOCABULARY.encode(order(thread, number))
            events.append(recorder.event(stream, 1 + number % EVENTS_A_STREAM, state))
        saves.append(events)
    return saves


def _in_threads(run: Callable[[int], None], threads: int) -> None:
    running = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
