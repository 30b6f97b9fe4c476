"""`kcjl calls` as a person at work meets it: what was called, how it ended, what is odd."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from kcjl.calls.port import CallOutcome, Side
from kcjl.calls.postgres import PostgresCalls
from kcjl.database import SERVICE, Database
from tests.architecture.tree import ROOT
from tests.calls.laws import call, surprise
from tests.cli.test_log import SETTINGS
from tests.cli.typed import typed_now
from tests.clockwork import MORNING
from tests.log.keepers import MERCHANT


class Place:
    """A folder with a configuration, on a database with four calls."""

    def __init__(self, folder: Path, dsn: str) -> None:
        self.folder = folder
        self.dsn = dsn

    def kcjl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return typed_now("calls", *arguments, cwd=self.folder)

    def done(self, *arguments: str) -> list[str]:
        """Run it, see that all is well; its lines on stdout."""
        ended = self.kcjl(*arguments)
        assert 0 == ended.returncode, ended.stderr
        return ended.stdout.splitlines()


@pytest.fixture
def place(database_dsn: str, tmp_path: Path) -> Place:
    (tmp_path / "kcjl.toml").write_text(SETTINGS.format(dsn=database_dsn))

    async def keep() -> None:
        async with Database(database_dsn, role=SERVICE) as database:
            await PostgresCalls(database, MERCHANT).keep(
                [
                    call("OR11", 0, status=200, bytes_received=120_500),
                    call("OR11", 1, page=2, status=200),
                    call(
                        "ImportOrders",
                        2,
                        side=Side.KHAOS,
                        outcome=CallOutcome.UNKNOWN,
                        reason_code="KCJL-4001",
                        subject="order 700-A\x1b[31m",
                        lost_before=3,
                    ),
                    call("OR24", 3, outcome=CallOutcome.REFUSED, subject="order 700-A"),
                ],
                [surprise("orders[].moon_phase", 4)],
            )

    anyio.run(keep)
    return Place(tmp_path, database_dsn)


def test_calls_are_listed_oldest_first_one_a_line(place: Place) -> None:
    """When, whom, what, how it ended, how long, how much, about what; nothing steers the
    terminal, and what is missing is said.
    """
    ended = place.kcjl()
    lines = ended.stdout.splitlines()

    assert 4 == len(lines)
    assert lines[0].startswith("2026-10-01 08:00:00Z  johnlewis  OR11")
    assert "120.5 kB" in lines[0]
    assert lines[1].endswith("page 2")
    assert "unknown" in lines[2]
    assert lines[2].endswith("order 700-A\\x1b[31m KCJL-4001")
    assert "3 calls could not be kept here" in ended.stderr


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--side", "khaos"), ["ImportOrders"]),
        (("--operation", "OR24"), ["OR24"]),
        (("--outcome", "unknown"), ["ImportOrders"]),
        (("--subject", "700-A"), ["ImportOrders", "OR24"]),
        (("--since", (MORNING + timedelta(minutes=3)).isoformat()), ["OR24"]),
        (("-n", "1"), ["OR24"]),
    ],
)
def test_calls_are_chosen_by_options(
    place: Place, options: tuple[str, ...], found: list[str]
) -> None:
    """Each option asks for less; together they ask for what fits all."""
    listed = [json.loads(line) for line in place.done(*options, "--json")]

    assert found == [each["operation"] for each in listed]


def test_calls_as_json_hold_every_field(place: Place) -> None:
    """For scripts: one object a line, times in UTC."""
    told = json.loads(place.done("--json", "--operation", "ImportOrders")[0])

    assert ("khaos", "unknown", "KCJL-4001", 3) == (
        told["side"],
        told["outcome"],
        told["reason_code"],
        told["lost_before"],
    )
    assert "2026-10-01T08:02:00Z" == told["attempted_at"]


def test_summary_is_told_by_operation(place: Place) -> None:
    """A head, a line an operation; what is missing is said on stderr."""
    ended = place.kcjl("summary")
    head, *lines = ended.stdout.splitlines()

    assert head.split()[:4] == ["side", "operation", "calls", "errors"]
    assert [["johnlewis", "OR11", "2", "0"], ["johnlewis", "OR24", "1", "1"]] == [
        line.split()[:4] for line in lines[:2]
    ]
    assert "3 more calls could not be kept" in ended.stderr
    (khaos,) = [json.loads(x) for x in place.done("summary", "--side", "khaos", "--json")]
    assert ("ImportOrders", 1, 1) == (khaos["operation"], khaos["calls"], khaos["errors"])


def test_surprises_are_told_by_field(place: Place) -> None:
    """Operation, path and count; never a value."""
    (line,) = place.done("surprises")
    (told,) = place.done("surprises", "--json")

    assert ["OR11", "field", "orders[].moon_phase", "4"] == line.split()[:4]
    assert 4 == json.loads(told)["count"]


@pytest.mark.parametrize(
    "options", [("--side", "amazon"), ("--since", "yesterday"), ("--outcome", "fine")]
)
def test_option_that_makes_no_sense_is_a_usage_error(
    place: Place, options: tuple[str, ...]
) -> None:
    """The option is named; nothing is listed."""
    ended = place.kcjl(*options)

    assert (2, "") == (ended.returncode, ended.stdout)
    assert options[0] in ended.stderr


def test_follow_shows_a_call_as_soon_as_it_is_kept(place: Place) -> None:
    """It goes on from where the list ended, until it is stopped."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "kcjl", "calls", "--follow", "-n", "1"],
        cwd=place.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as following:
        assert following.stdout is not None
        first = following.stdout.readline()

        async def keep() -> None:
            async with Database(place.dsn, role=SERVICE) as database:
                await PostgresCalls(database, MERCHANT).keep([call("TL02", 9)], [])

        anyio.run(keep)
        second = following.stdout.readline()
        following.terminate()

    assert "OR24" in first
    assert "TL02" in second
