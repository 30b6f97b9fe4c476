"""`kcjl merchants`: who serves whom, and what people want, typed and read."""

import getpass
import json
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from kcjl.database import SERVICE, Database
from kcjl.log.lease import acquire
from kcjl.roster import Roster
from tests.cli.test_log import SETTINGS
from tests.cli.typed import typed

pytestmark = pytest.mark.anyio

LEASE_S = 60.0
WORKER = "east:/data"


class Place:
    """A folder with a configuration; a worker is there that serves `acme`, and could `bolt`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def kcjl(self, *arguments: str) -> CompletedProcess[str]:
        return await typed("merchants", *arguments, cwd=self._folder)

    async def done(self, *arguments: str) -> str:
        """Run it, see that all is well; what it said on stderr."""
        ended = await self.kcjl(*arguments)
        assert 0 == ended.returncode, ended.stderr
        return ended.stderr

    async def listed(self) -> dict[str, dict[str, object]]:
        ended = await self.kcjl("list", "--json")
        lines = [json.loads(line) for line in ended.stdout.splitlines()]
        return {line["merchant"]: line for line in lines}


@pytest.fixture
async def place(database_dsn: str, tmp_path: Path) -> Place:
    (tmp_path / "kcjl.toml").write_text(SETTINGS.format(dsn=database_dsn))
    async with Database(database_dsn, role=SERVICE) as database:
        await Roster(database, WORKER, "0.1.0").look({"acme", "bolt"})
        await acquire(database, "acme", WORKER, ttl_s=LEASE_S)
    return Place(tmp_path)


async def test_list_says_who_serves_whom(place: Place) -> None:
    """One line a merchant, and one a worker."""
    listed = await place.kcjl("list")
    workers = await place.kcjl("workers")

    assert [["acme", "served", WORKER], ["bolt", "nobody", "0"]] == [
        line.split()[:3] for line in listed.stdout.splitlines()[1:]
    ]
    assert "2 merchants: 1 served, 1 nobody\n" == listed.stderr
    assert [WORKER, "lives", "2", "1", "0.1.0"] == workers.stdout.splitlines()[1].split()[:5]
    assert "1 of 1 workers live\n" == workers.stderr


async def test_what_a_person_wants_is_kept_with_name_and_reason(place: Place) -> None:
    """Each wish changes what it is about and nothing else."""
    assert "bolt is paused" in await place.done("pause", "bolt", "--reason", "moving \x1b[2J")
    await place.done("weigh", "bolt", "2.5")
    bolt = (await place.listed())["bolt"]
    assert ("paused", 2.5, getpass.getuser()) == (bolt["state"], bolt["weight"], bolt["by"])
    await place.done("move", "bolt", WORKER, "--reason", "the quiet machine")
    await place.done("resume", "bolt", "--reason", "they came back")
    bolt = (await place.listed())["bolt"]

    assert ("nobody", 2.5, WORKER) == (bolt["state"], bolt["weight"], bolt["wanted"])
    assert "they came back" == bolt["reason"]
    assert "may be served by any worker" in await place.done("move", "bolt", "--anywhere")
    assert "" == (await place.listed())["bolt"]["wanted"]
    assert "they came back" not in (await place.kcjl("list")).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("pause", "nix"), "there is no merchant 'nix' in this database"),
        (("move", "acme", "west:/data"), "no living worker 'west:/data' is able to serve acme"),
        (("move", "acme"), "name a worker, or say --anywhere"),
        (("weigh", "acme", "0"), "a weight is above 0 and at most 1,000, not 0"),
    ],
)
async def test_wish_that_can_t_be_met_is_refused(
    place: Place, arguments: tuple[str, ...], said: str
) -> None:
    """With what to look at, and nothing is kept of it."""
    refused = await place.kcjl(*arguments)

    assert 0 != refused.returncode
    assert said in refused.stderr
    assert all(each["wished_at"] is None for each in (await place.listed()).values())
