"""A log made by hand in real PostgreSQL, and the read models that were folded from it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from kcjl.audit.completeness import Completeness, completeness
from kcjl.audit.replay import Replayed, replay
from kcjl.database import SERVICE, Database
from kcjl.events import vocabulary
from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised
from kcjl.log.lease import acquire
from kcjl.log.port import Draft
from kcjl.log.postgres import PostgresLog
from kcjl.money import Money
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.reading import PostgresReadModels
from kcjl.projections.runner import ProjectionRunner
from kcjl.projections.store import PostgresRows
from kcjl.vocabulary import Event
from tests.clockwork import Clockwork
from tests.trade import at

__all__ = ["MERCHANT", "Handmade", "cleared", "handmade", "raised"]

MERCHANT = "acme"


class Handmade:
    """A log that says what a test appends, and nothing else."""

    def __init__(self, database: Database, log: PostgresLog, clock: Clockwork) -> None:
        self.database = database
        self.log = log
        self.clock = clock
        self.store = PostgresRows(database, MERCHANT)
        self.models = PostgresReadModels(database, MERCHANT, clock)

    async def append(
        self, *events: Event, by: str = "orders", causation: int | None = None
    ) -> None:
        drafts = [
            Draft(event=event, by=by, correlation_id="c1", causation=causation)
            for event in events
        ]
        await self.log.append(drafts)

    async def fold(self) -> int:
        """Bring the read models up to the log's head."""
        return await ProjectionRunner(self.log, self.store, PROJECTIONS).catch_up()

    async def says(self, *events: Event, by: str = "orders") -> None:
        await self.append(*events, by=by)
        await self.fold()

    async def completeness(self) -> Completeness:
        return await completeness(self.store)

    async def replay(self) -> Replayed:
        return await replay(self.log, self.store, PROJECTIONS)


@asynccontextmanager
async def handmade(dsn: str) -> AsyncIterator[Handmade]:
    clock = Clockwork()
    async with Database(dsn, role=SERVICE) as database:
        lease = await acquire(database, MERCHANT, "the test", ttl_s=600)
        async with PostgresLog.open(
            database, MERCHANT, vocabulary(), clock, lease.epoch
        ) as log:
            yield Handmade(database, log, clock)


def raised(
    kind: str = "order_held",
    subject: str = "O1",
    *,
    severity: str = "high",
    money: Money | None = None,
    deadline: datetime | None = None,
    minutes: float = 9,
) -> ExceptionRaised:
    return ExceptionRaised(
        kind=kind,
        subject=subject,
        severity=severity,
        message=f"{subject} waits",
        next_step="do something about it",
        owner="operations",
        money_at_risk=money,
        deadline=deadline,
        occurred_at=at(minutes),
    )


def cleared(
    kind: str = "order_held", subject: str = "O1", *, minutes: float = 12
) -> ExceptionCleared:
    return ExceptionCleared(
        kind=kind, subject=subject, reason="it is fine now", occurred_at=at(minutes)
    )
