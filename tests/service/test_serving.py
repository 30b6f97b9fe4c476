"""Workers beside each other on one database: who serves whom, by the real tables and leases.

What a merchant's rooms do is left out: a stand-in holds the lease for as long as it is let.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import anyio
import pytest

from kcjl import roster, serving
from kcjl.clock import RealClock, real_sleep
from kcjl.database import OPERATOR, Database
from kcjl.errors import Unavailable
from kcjl.health.vitals import State, Vitals
from kcjl.roster import Roll, read_roll, wish
from kcjl.settings import Settings
from kcjl.worker import Worker

pytestmark = pytest.mark.anyio

MERCHANTS = ["acme", "bolt", "coil", "dash"]
SOON_S = 20.0
LEASE_S = 1.0
ENDS = "select epoch, expires_at as ends from lease order by merchant"


async def _hold(
    _settings: Settings, merchant: str, *, worker: Worker, holder: str, **_others: object
) -> None:
    """Hold the lease, as a merchant's service does."""
    lease = await worker.leases.acquire(merchant, holder, ttl_s=LEASE_S)
    try:
        while True:
            lease = await worker.leases.renew(lease, ttl_s=LEASE_S)
    finally:
        with anyio.CancelScope(shield=True):
            await worker.leases.release(lease)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "run_merchant", _hold)
    monkeypatch.setattr(serving, "LOOK_EVERY_S", 0.05)


class Machine:
    """A worker on a machine of its own."""

    def __init__(self, holder: str, dsn: str, able: list[str]) -> None:
        self.holder, self.dsn, self.vitals = holder, dsn, Vitals(able)
        self.told: list[str] = []
        self.scope = anyio.CancelScope()

    async def run(self) -> None:
        with self.scope:
            async with Worker.open(self.dsn, RealClock()) as worker:
                await serving.Serving(
                    Settings(merchants={}),
                    self.vitals,
                    worker,
                    holder=self.holder,
                    tell=self.told.append,
                ).run()


@asynccontextmanager
async def machines(
    dsn: str, *holders: str, able: list[str] = MERCHANTS
) -> AsyncIterator[list[Machine]]:
    there = [Machine(each, dsn, able) for each in holders]
    async with anyio.create_task_group() as group:
        for each in there:
            group.start_soon(each.run)
        yield there
        group.cancel_scope.cancel()


async def until(dsn: str, holds: Callable[[Roll], bool]) -> Roll:
    """What is in the tables, once it is so."""
    async with Database(dsn, role=OPERATOR) as database:
        with anyio.fail_after(SOON_S):
            while not holds(roll := await read_roll(database)):
                await real_sleep(0.02)
    return roll


def served(roll: Roll) -> dict[str, int]:
    return dict(Counter(each.held_by for each in roll.merchants if each.held_by))


async def test_second_worker_takes_its_half_and_gives_it_back_when_it_is_stopped(
    database_dsn: str,
) -> None:
    """Nobody is asked, and no merchant is served by two."""
    async with machines(database_dsn, "east", "west") as (east, west):
        await until(database_dsn, lambda roll: {"east": 2, "west": 2} == served(roll))
        await until(database_dsn, lambda _: any("standing by" in each for each in east.told))
        west.scope.cancel()
        roll = await until(database_dsn, lambda roll: {"east": 4} == served(roll))

    assert ["east"] == [each.holder for each in roll.workers]
    assert any("is served by west; standing by" in each for each in east.told)


async def test_worker_that_is_dead_is_taken_over_when_its_leases_are_over(
    database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It did not take itself off the table: it was killed."""
    monkeypatch.setattr(roster, "LIVES_S", 0.5)

    async def as_killed(_self: object) -> None:
        """A process that is killed says nothing at its end."""

    async with machines(database_dsn, "east", "west") as (_, west):
        await until(database_dsn, lambda roll: {"east": 2, "west": 2} == served(roll))
        monkeypatch.setattr(roster.Roster, "leave", as_killed)
        west.scope.cancel()
        roll = await until(database_dsn, lambda roll: {"east": 4} == served(roll))

    assert [True, False] == [each.lives for each in roll.workers]


async def test_people_pause_a_merchant_and_move_it(database_dsn: str) -> None:
    """What they want is done by whoever is there, and said with their name."""
    async with (
        machines(database_dsn, "east", "west") as (east, _),
        Database(database_dsn, role=OPERATOR) as database,
    ):
        await until(database_dsn, lambda roll: {"east": 2, "west": 2} == served(roll))
        for merchant in MERCHANTS[:3]:
            await wish(database, merchant, by="jo", wanted="east")
        await until(database_dsn, lambda roll: {"east": 3, "west": 1} == served(roll))
        await wish(database, "acme", by="jo", reason="they moved house", paused=True)
        await until(database_dsn, lambda roll: "" == roll.merchants[0].held_by)
        with anyio.fail_after(SOON_S):
            while "acme is paused by jo: they moved house" not in east.told:
                await real_sleep(0.02)
        assert State.STANDBY == east.vitals.merchants["acme"].state
        await wish(database, "acme", by="jo", paused=False)
        roll = await until(database_dsn, lambda roll: {"east": 3, "west": 1} == served(roll))

    assert "east" == roll.merchants[0].held_by == roll.merchants[0].wanted


async def test_worker_serves_on_while_it_can_t_look(
    database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table is a hint: what is held goes on, and that is said once."""
    async with machines(database_dsn, "east") as (east,):
        await until(database_dsn, lambda roll: {"east": 4} == served(roll))

        async def away(_self: object, _able: object) -> None:
            raise Unavailable("the table is away")

        monkeypatch.setattr(roster.Roster, "look", away)
        with anyio.fail_after(SOON_S):
            while "the table is away; what is served here goes on" not in east.told:
                await real_sleep(0.02)
        async with Database(database_dsn, role=OPERATOR) as database:
            first = await database.fetch(ENDS)
            with anyio.fail_after(SOON_S):
                while any(
                    now["ends"] < then["ends"] + timedelta(seconds=LEASE_S)
                    for now, then in zip(await database.fetch(ENDS), first, strict=True)
                ):
                    await real_sleep(0.02)
            now = await database.fetch(ENDS)

    assert [each["epoch"] for each in first] == [each["epoch"] for each in now]
    assert 1 == sum("the table is away" in each for each in east.told)
