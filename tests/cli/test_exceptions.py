"""`kcjl exceptions` as a user meets it: real processes, a real database, rooms that serve."""

import getpass
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from kcjl.clock import SeededIds
from kcjl.commands import serve_commands
from kcjl.exceptions.desk_events import (
    ExceptionAccepted,
    ExceptionAssigned,
    ExceptionNoted,
    ExceptionParked,
    ExceptionRetried,
    RoutingRulesSet,
)
from kcjl.orders.acceptance_events import PostingRetried
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.runner import ProjectionRunner
from kcjl.rooms import Outside, Rooms
from kcjl.vault import MemoryVault
from tests.architecture.tree import ROOT
from tests.audit.handmade import MERCHANT, Handmade, handmade, raised
from tests.cli.test_stock import CONFIG, SETTINGS, said_of
from tests.commanding import commands_of
from tests.outside.erp import Books, Warehouse
from tests.outside.marketplace import Shop
from tests.trade import SHIPPING, at, gbp, intended, ordered, received, refused, sealed

pytestmark = pytest.mark.anyio

RULES = """\
[[rules]]
name = "totals"
kinds = ["total_differs"]
above = 10.00
owner = "jo"
"""
Told = subprocess.CompletedProcess[str]


@asynccontextmanager
async def serving(dsn: str, folder: Path) -> AsyncIterator[Handmade]:
    """A desk with four exceptions, and the rooms that carry out what is said of them."""
    (folder / "kcjl.toml").write_text(CONFIG.format(dsn=dsn))
    async with handmade(dsn) as made:
        order = received("O1", ordered("O1-1", "A-1"), state=SHIPPING)
        await made.append(order, sealed(), intended(order), *[refused(order)] * 6)
        await made.says(
            raised("posting_refused", "O1", money=gbp(2_000), deadline=at(600)),
            raised("total_differs", "O2", money=gbp(1), minutes=1),
            raised("total_differs", "O3", money=gbp(9_000), minutes=2),
            raised("courier_unmapped", "dpd next day", deadline=at(90)),
        )
        outside = Outside(Shop(made.clock), Warehouse(made.clock), Books(), Books())
        vault = MemoryVault(MERCHANT, b"k" * 32)
        rooms = Rooms(SETTINGS, made.log, vault, outside, made.clock, SeededIds(1))
        for room in rooms.all():
            await room.catch_up()
        queue = commands_of(made.database, MERCHANT)
        async with anyio.create_task_group() as group:
            group.start_soon(serve_commands, queue, rooms.handlers(), made.clock.now)
            group.start_soon(ProjectionRunner(made.log, made.store, PROJECTIONS).run)
            yield made
            group.cancel_scope.cancel()


async def kcjl(*arguments: str, cwd: Path) -> Told:
    def run() -> Told:
        return subprocess.run(
            [sys.executable, "-m", "kcjl", "exceptions", *arguments],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )

    return await anyio.to_thread.run_sync(run)


async def test_desk_is_listed_by_urgency_and_shown_with_what_to_type(
    database_dsn: str, tmp_path: Path
) -> None:
    """Soonest deadline first; the totals are whole; one is told with its exact command."""
    async with serving(database_dsn, tmp_path):
        listed = await kcjl("list", "--json", cwd=tmp_path)
        cut = await kcjl("list", "-n", "1", cwd=tmp_path)
        money = await kcjl("list", "--min-money", "20", "--lane", "orders", cwd=tmp_path)
        shown = await kcjl("show", "courier_unmapped:dpd next day", cwd=tmp_path)
        none = await kcjl("show", "order_held:O9", cwd=tmp_path)
        wrong = await kcjl("list", "--state", "lost", cwd=tmp_path)

    ids = [json.loads(line)["exception_id"] for line in listed.stdout.splitlines()]
    assert "courier_unmapped:dpd next day" == ids[0]
    assert ["posting_refused:O1", "total_differs:O3", "total_differs:O2"] == ids[1:]
    assert "4 open exceptions, 110.01 GBP at risk" in listed.stderr
    assert "shown are 1 of them" in cut.stderr
    assert "2 open exceptions, 110.00 GBP" in money.stderr
    assert "type: kcjl dispatch map set 'dpd next day' CARRIER" in shown.stdout
    assert "read more: kcjl manual courier-unmapped" in shown.stdout
    assert (3, 2) == (none.returncode, wrong.returncode)


async def test_bulk_is_previewed_and_then_done_under_the_callers_name(
    database_dsn: str, tmp_path: Path
) -> None:
    """A preview does nothing; what is gone from the desk is not meant again."""
    async with serving(database_dsn, tmp_path) as made:
        bulk = ("accept", "--kind", "total_differs", "--all", "--reason", "agreed")
        preview = await kcjl(*bulk, "--preview", cwd=tmp_path)
        before = await said_of(made, ExceptionAccepted)
        done = await kcjl(*bulk, cwd=tmp_path)
        again = await kcjl(*bulk, cwd=tmp_path)
        accepted = await said_of(made, ExceptionAccepted)

    assert ([], 0, 0, 3) == (before, preview.returncode, done.returncode, again.returncode)
    assert ["total_differs:O2", "total_differs:O3"] == sorted(preview.stdout.split())
    assert "2 exceptions, 90.01 GBP at risk" in preview.stderr
    assert [("agreed", getpass.getuser())] * 2 == [(event.reason, by) for event, by in accepted]
    assert "no open exception is like that" in again.stderr


async def test_word_that_would_do_harm_or_is_vague_is_refused(
    database_dsn: str, tmp_path: Path
) -> None:
    """What waits for somebody can't be accepted; a filter without --all does nothing."""
    async with serving(database_dsn, tmp_path):
        harm = await kcjl("accept", "posting_refused:O1", "--reason", "no", cwd=tmp_path)
        vague = await kcjl("assign", "--kind", "total_differs", "--to", "jo", cwd=tmp_path)

    assert (3, True) == (harm.returncode, "not in the ERP" in harm.stderr)
    assert (2, True) == (vague.returncode, "--all" in vague.stderr)


async def test_one_is_given_to_somebody_noted_and_parked(
    database_dsn: str, tmp_path: Path
) -> None:
    """Each word stands in the log, with the name of who said it."""
    one = "posting_refused:O1"
    async with serving(database_dsn, tmp_path) as made:
        given = await kcjl("assign", one, "--to", "jo", cwd=tmp_path)
        noted = await kcjl("note", one, "--text", "asked", cwd=tmp_path)
        until = ("--until", "2026-10-01T09:00", "--reason", "the ERP rests")
        parked = await kcjl("park", one, *until, cwd=tmp_path)
        said = [
            *await said_of(made, ExceptionAssigned),
            *await said_of(made, ExceptionNoted),
            *await said_of(made, ExceptionParked),
        ]

    assert [0, 0, 0] == [each.returncode for each in (given, noted, parked)]
    assert "parked until 2026-10-01 09:00 UTC" in parked.stderr
    assert [getpass.getuser()] * 3 == [by for _, by in said]
    assert {one} == {event.exception_id for event, _ in said}


async def test_retry_is_carried_out_by_the_room_that_it_is_of(
    database_dsn: str, tmp_path: Path
) -> None:
    """The posting goes out again; a courier can't be tried again, and is told how to mend."""
    async with serving(database_dsn, tmp_path) as made:
        words = ("posting_refused:O1", "--reason", "the ERP is back")
        done = await kcjl("retry", *words, "--json", cwd=tmp_path)
        none = await kcjl("retry", "courier_unmapped:dpd next day", cwd=tmp_path)
        posted = await said_of(made, PostingRetried)
        ((tried, by),) = await said_of(made, ExceptionRetried)

    assert (0, 1) == (done.returncode, len(posted))
    assert "tried again: 1" in json.loads(done.stdout)["done"]
    assert ("O1", getpass.getuser()) == (tried.subject, by)
    assert (3, True) == (none.returncode, "kcjl dispatch map set" in none.stderr)


async def test_rules_are_previewed_set_and_shown_as_they_are_written(
    database_dsn: str, tmp_path: Path
) -> None:
    """What `show` writes is what `set` takes; a slip is told at once."""
    (tmp_path / "rules.toml").write_text(RULES)
    (tmp_path / "wrong.toml").write_text("[[rules]]\nname = 'a'\n")
    async with serving(database_dsn, tmp_path) as made:
        none = await kcjl("rules", "show", cwd=tmp_path)
        preview = await kcjl("rules", "preview", "rules.toml", cwd=tmp_path)
        wrong = await kcjl("rules", "set", "wrong.toml", "--reason", "x", cwd=tmp_path)
        done = await kcjl("rules", "set", "rules.toml", "--reason", "totals", cwd=tmp_path)
        shown = await kcjl("rules", "show", cwd=tmp_path)
        ((rules, by),) = await said_of(made, RoutingRulesSet)

    assert (3, 0, 2, 0, 0) == tuple(
        each.returncode for each in (none, preview, wrong, done, shown)
    )
    assert "3 of 4 open exceptions would be another's" in preview.stderr
    assert "names no owner" in wrong.stderr
    assert (1, "totals", getpass.getuser()) == (rules.version, rules.reason, by)
    assert RULES.splitlines()[:3] == shown.stdout.splitlines()[:3]
