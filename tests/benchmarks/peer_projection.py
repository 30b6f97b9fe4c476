# mypy: disallow-subclassing-any=False
"""The peer's projection, run from the first event: orders by key, as its manual shows it.

An application, whose events are the trade's orders, and a view that is a tracking recorder on
PostgreSQL: the row and the tracking are one transaction, one an event. Imported only where the
library is there.
"""

from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import msgspec
from eventsourcing.application import Application
from eventsourcing.domain import DomainEvent
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.sql import SQL, Identifier

from kcjl.clock import SeededIds, real_monotonic
from tests.benchmarks.trade import EVENTS_A_STREAM, VOCABULARY, order

__all__ = ["rebuild_per_s"]

WAIT_S = 600.0
SAVE_EVENTS = 100


class PeerOrderTaken(DomainEvent):
    """As `trade.OrderTaken`."""

    order_id: str
    total: int
    lines: list[dict[str, Any]]


class PeerOrders(Application[UUID]):
    """Where they are saved."""


class OrdersView(PostgresTrackingRecorder):
    """One row an order."""

    def __init__(self, datastore: Any, **kwargs: Any) -> None:
        super().__init__(datastore, **kwargs)
        table = (Identifier(self.datastore.schema), Identifier("orders_shown"))
        self.sql_create_statements.append(
            SQL(
                "create table if not exists {0}.{1} (key text primary key, data json not null)"
            ).format(*table)
        )
        self._upsert = SQL(
            "insert into {0}.{1} (key, data) values (%s, %s) "
            "on conflict (key) do update set data = excluded.data"
        ).format(*table)

    def show(self, key: str, row: bytes, tracking: Any) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(self._upsert, (key, row.decode()), prepare=True)


class OrdersShown(Projection[OrdersView]):
    """An event's order as the row has it from then on."""

    name = "ordersshown"

    def process_event(self, event: PeerOrderTaken, tracking: Any) -> None:
        row = msgspec.json.encode({"total": event.total, "lines": event.lines})
        self.view.show(event.order_id, row, tracking)


def rebuild_per_s(dsn: str, events: int) -> float:
    """Events a second, from the runner's start until its view is as far as its application."""
    parts = urlsplit(dsn)
    options = parse_qs(parts.query)
    environment = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": parts.path.lstrip("/"),
        "POSTGRES_HOST": options["host"][0],
        "POSTGRES_PORT": options.get("port", ["5432"])[0],
        "POSTGRES_USER": parts.username or "postgres",
        "POSTGRES_PASSWORD": "unused",
    }
    application = PeerOrders(environment)
    _save(application, events)
    application.close()
    began = real_monotonic()
    runner = ProjectionRunner(
        application_class=PeerOrders,
        projection_class=OrdersShown,
        view_class=OrdersView,
        env=environment,
    )
    with runner:
        runner.wait(events, timeout=WAIT_S)
        return events / (real_monotonic() - began)


def _save(application: Any, events: int) -> None:
    ids = SeededIds(1)
    topic = f"{PeerOrderTaken.__module__}:{PeerOrderTaken.__qualname__}"
    stream = UUID(ids.new())
    for first in range(0, events, SAVE_EVENTS):
        stored = []
        for number in range(first, min(events, first + SAVE_EVENTS)):
            if number % EVENTS_A_STREAM == 0:
                stream = UUID(ids.new())
            stored.append(
                StoredEvent(
                    originator_id=stream,
                    originator_version=1 + number % EVENTS_A_STREAM,
                    topic=topic,
                    state=VOCABULARY.encode(order(0, number)),
                )
            )
        application.recorder.insert_events(stored)
