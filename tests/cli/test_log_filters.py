"""`kcjl log tail` with options: by type, stream and time, both ways, from a real log."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from kcjl.database import SERVICE, Database
from kcjl.events import vocabulary
from kcjl.log.lease import acquire
from kcjl.log.port import Draft
from kcjl.log.postgres import PostgresLog
from kcjl.stock.events import BufferSet, SkuConfirmed
from kcjl.vocabulary import Event, Vocabulary
from tests.cli.typed import typed_now
from tests.log.keepers import SetClock
from tests.log.stored_samples import made_up

EIGHT = datetime(2026, 10, 1, 8, tzinfo=UTC)


class Later(Event, frozen=True, kw_only=True):
    """An event of a later version."""

    @property
    def stream(self) -> str:
        return "later"


async def _write(dsn: str) -> None:
    """An hour of policy, and one confirmed product in the middle."""
    clock = SetClock(EIGHT)
    async with Database(dsn, role=SERVICE) as database:
        lease = await acquire(database, "shop", "tests", ttl_s=60)
        async with PostgresLog.open(database, "shop", vocabulary(), clock, lease.epoch) as log:
            for number in range(6):
                events: list[Event] = [
                    BufferSet(occurred_at=clock.at, units=number, version=number + 1)
                ]
                if number == 3:
                    confirmed = made_up(SkuConfirmed)
                    assert isinstance(confirmed, SkuConfirmed)
                    events.append(confirmed)
                await log.append(
                    [Draft(event=event, by="jo", correlation_id="c") for event in events]
                )
                clock.forward(600)


async def _write_later(dsn: str) -> None:
    async with Database(dsn, role=SERVICE) as database:
        lease = await acquire(database, "shop", "tests", ttl_s=60)
        clock = SetClock(EIGHT + timedelta(hours=2))
        async with PostgresLog.open(
            database, "shop", Vocabulary([Later]), clock, lease.epoch
        ) as log:
            event = Later(occurred_at=clock.at)
            await log.append([Draft(event=event, by="jo", correlation_id="c")])


@pytest.fixture
def config(database_dsn: str, tmp_path: Path) -> Path:
    """A configuration of a merchant whose log has seven events."""
    anyio.run(_write, database_dsn)
    path = tmp_path / "kcjl.toml"
    path.write_text(
        f'database = "{database_dsn}"\n'
        "[merchants.shop.johnlewis]\n"
        'base_url = "https://tenant.example"\n'
        "[merchants.shop.khaos]\n"
        'base_url = "https://erp.example/KhaosKSD.exe"\n'
        "[merchants.shop.khaos.invoice_address]\n"
        'line1 = "1 Example Road"\n'
        'town = "London"\n'
        'postcode = "ZZ1 1ZZ"\n',
        encoding="utf-8",
    )
    return path


def _tail(config: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return typed_now("log", "tail", "-c", str(config), *options, cwd=config.parent)


def _positions(config: Path, *options: str) -> list[int]:
    ended = _tail(config, "--json", *options)
    assert 0 == ended.returncode, ended.stderr
    return [json.loads(line)["position"] for line in ended.stdout.splitlines()]


def test_tail_shows_what_is_asked_for(config: Path) -> None:
    """Type, stream, time, both ways; without options the newest, oldest first."""
    assert [1, 2, 3, 4, 5, 6, 7] == _positions(config)
    assert [5, 6, 7] == _positions(config, "-n", "3")
    assert [7, 6, 5] == _positions(config, "-n", "3", "--backward")
    assert [5] == _positions(config, "--type", "SkuConfirmed")
    assert [1, 2, 3, 4, 5, 6, 7] == _positions(config, "-t", "SkuConfirmed", "-t", "BufferSet")
    assert [1, 2, 3, 4, 6, 7] == _positions(config, "--stream", "stock-policy")
    assert [3, 4, 5] == _positions(
        config, "--since", "2026-10-01T08:20", "--until", "2026-10-01T09:40+01:00"
    )
    assert [] == _positions(config, "--since", "2026-10-02")


def test_tail_that_is_cut_says_so(config: Path) -> None:
    """Two of six is not all that there is."""
    ended = _tail(config, "--stream", "stock-policy", "-n", "2")

    assert 2 == len(ended.stdout.splitlines())
    assert "the newest 2 of more that match" in ended.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--since", "yesterday"), "--since 'yesterday' is no time"),
        (("--until", "2026-13-01"), "--until '2026-13-01' is no time"),
        (("--since", "2026-10-02", "--until", "2026-10-01"), "nothing is recorded since"),
        (("--backward", "--follow"), "--backward and --follow go two ways"),
    ],
)
def test_tail_of_nonsense_is_one_clear_line(
    config: Path, options: tuple[str, ...], said: str
) -> None:
    """A mistake in an option is named."""
    ended = _tail(config, *options)

    assert 2 == ended.returncode
    assert said in ended.stderr
    assert 1 == len(ended.stderr.splitlines())


def test_tail_shows_an_event_of_a_later_version(config: Path, database_dsn: str) -> None:
    """As it is stored: to look at it, nobody has to understand it."""
    anyio.run(_write_later, database_dsn)

    assert [7, 8] == _positions(config, "-n", "2")
    assert [8] == _positions(config, "--type", "Later")


def test_tail_follow_stops_at_an_event_of_a_later_version(
    config: Path, database_dsn: str
) -> None:
    """Who follows is told where this version's knowledge ends, and what to do."""
    command = [sys.executable, "-m", "kcjl", "log", "tail", "-c", str(config), "--follow"]
    with subprocess.Popen(
        command,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as following:
        assert following.stdout is not None
        for _ in range(7):
            following.stdout.readline()
        anyio.run(_write_later, database_dsn)
        rest, told = following.communicate()

    assert (1, "") == (following.returncode, rest)
    assert "position 8: event Later of schema 1 is not known to this version" in told
    assert "run the version that wrote it, or a newer one" in told


def test_tail_follow_ends_at_until(config: Path) -> None:
    """What comes from then on is not asked for, so there is nothing to wait for."""
    command = [sys.executable, "-m", "kcjl", "log", "tail", "-c", str(config), "--json"]
    options = ["--follow", "--type", "Later", "--type", "BufferSet"]
    database = next(
        line.split('"')[1] for line in config.read_text().splitlines() if "database" in line
    )
    with subprocess.Popen(
        [*command, *options, "-n", "1", "--until", "2026-10-01T09:30"],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    ) as following:
        assert following.stdout is not None
        first = json.loads(following.stdout.readline())
        anyio.run(_write_one, database, EIGHT + timedelta(minutes=80))
        second = json.loads(following.stdout.readline())
        anyio.run(_write_one, database, EIGHT + timedelta(minutes=95))
        rest = following.stdout.read()

    assert (7, 8, "") == (first["position"], second["position"], rest)


async def _write_one(dsn: str, at: datetime) -> None:
    async with Database(dsn, role=SERVICE) as database:
        lease = await acquire(database, "shop", "tests", ttl_s=60)
        async with PostgresLog.open(
            database, "shop", vocabulary(), SetClock(at), lease.epoch
        ) as log:
            event = BufferSet(occurred_at=at, units=9, version=9)
            await log.append([Draft(event=event, by="jo", correlation_id="c")])
