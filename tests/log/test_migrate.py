"""Migrations: in order, once, by whoever comes first; never quietly on the wrong database."""

import shutil
from pathlib import Path

import anyio
import asyncpg
import pytest

from kcjl.errors import Misuse
from kcjl.log.migrate import migrate, sql_folder

pytestmark = pytest.mark.anyio

STEPS = [
    "0001_log.sql",
    "0002_projections.sql",
    "0003_vault.sql",
    "0004_commands.sql",
    "0005_snapshots.sql",
    "0006_sync_log.sql",
    "0007_cloud_feed.sql",
    "0008_timings_by_day.sql",
    "0009_desk.sql",
    "0010_keyframes.sql",
    "0011_monitor_lists.sql",
    "0012_money.sql",
    "0013_orders_dispatch.sql",
    "0014_auditor.sql",
    "0015_workers.sql",
]
ROLES = "roles.sql"
MORE = f"{len(STEPS) + 1:04}_more.sql"
"""The step that a later version would have next."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of sql/ that a test may change."""
    return Path(shutil.copytree(sql_folder(), tmp_path / "sql"))


async def test_migrate_an_empty_database_applies_every_step_in_order(empty_dsn: str) -> None:
    """An empty database gets the whole schema."""
    assert await migrate(empty_dsn) == STEPS


async def test_migrate_again_applies_nothing(empty_dsn: str) -> None:
    """A database that is up to date is left alone."""
    await migrate(empty_dsn)

    assert await migrate(empty_dsn) == []


async def test_migrate_by_many_at_once_applies_each_step_once(empty_dsn: str) -> None:
    """Several processes that start together do not step on each other."""
    applied: list[str] = []

    async def start() -> None:
        applied.extend(await migrate(empty_dsn))

    async with anyio.create_task_group() as group:
        for _ in range(6):
            group.start_soon(start)

    assert sorted(applied) == STEPS


async def test_migrate_a_changed_step_is_refused_before_anything_is_done(
    empty_dsn: str, folder: Path
) -> None:
    """What was applied is what is on disk, or nothing is touched."""
    await migrate(empty_dsn, folder=folder)
    (folder / STEPS[1]).write_text("select 1;")
    (folder / MORE).write_text("create table more (a int);")

    with pytest.raises(Misuse, match=r"0002_projections\.sql was changed after"):
        await migrate(empty_dsn, folder=folder)

    assert await _tables(empty_dsn, "more") == 0


async def test_migrate_a_newer_database_is_refused(empty_dsn: str, folder: Path) -> None:
    """An old program does not run on the schema of a newer one."""
    (folder / MORE).write_text("create table more (a int);")
    await migrate(empty_dsn, folder=folder)

    with pytest.raises(Misuse, match=rf"{MORE}.*newer version"):
        await migrate(empty_dsn)


async def test_migrate_a_step_that_fails_leaves_nothing_of_itself(
    empty_dsn: str, folder: Path
) -> None:
    """A step is applied whole, or not at all; those before it stay."""
    (folder / MORE).write_text("create table more (a int); select 1 / 0;")

    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty_dsn, folder=folder)

    assert await _tables(empty_dsn, "more") == 0
    assert await migrate(empty_dsn) == []


async def test_migrate_a_gap_in_the_numbers_is_refused(empty_dsn: str, folder: Path) -> None:
    """A step that is missing on disk is a broken installation."""
    (folder / STEPS[2]).unlink()

    with pytest.raises(Misuse, match="should be 0003_name"):
        await migrate(empty_dsn, folder=folder)


async def test_migrate_another_line_ending_is_the_same_step(
    empty_dsn: str, folder: Path
) -> None:
    """A checkout on another system changes line endings, not the schema."""
    await migrate(empty_dsn, folder=folder)
    for name in (*STEPS, "roles.sql"):
        file = folder / name
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))

    assert await migrate(empty_dsn, folder=folder) == []


async def _tables(dsn: str, name: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetchval(
            "select count(*)::int from pg_tables where tablename = $1", name
        )
    finally:
        await connection.close()
    assert isinstance(found, int)
    return found


def former(folder: Path, step: str) -> dict[str, str]:
    """Leave only the steps before this one in the folder; the texts of the others.

    The grants are of today's tables, so they come with the later steps.
    """
    later = {each: (folder / each).read_text() for each in [*STEPS[STEPS.index(step) :], ROLES]}
    for name in later:
        (folder / name).unlink()
    (folder / ROLES).write_text("select 'no grants yet'")
    return later


async def test_desk_of_a_former_version_is_folded_anew(empty_dsn: str, folder: Path) -> None:
    """Its rows have another form: they and their checkpoint go, other projections stay."""
    later = former(folder, "0009_desk.sql")
    await migrate(empty_dsn, folder=folder)
    connection = await asyncpg.connect(empty_dsn)
    try:
        for projection in ("exceptions", "orders"):
            await connection.execute(
                "insert into projection_checkpoint values ('acme', $1, 1, 7, true)", projection
            )
            await connection.execute(
                "insert into projection_row values ('acme', $1, 1, 'K', '{}')", projection
            )
        for name, text in later.items():
            (folder / name).write_text(text)
        await migrate(empty_dsn, folder=folder)
        rows = await connection.fetch("select projection from projection_row")
        checkpoints = await connection.fetch("select projection from projection_checkpoint")
    finally:
        await connection.close()

    assert ["orders"] == [row["projection"] for row in rows]
    assert ["orders"] == [row["projection"] for row in checkpoints]
