"""Trouble on the way to the database: told in one line, as what it is, without the password."""

import anyio
import asyncpg
import pytest

from kcjl.clock import real_monotonic
from kcjl.database import SERVICE, Database
from kcjl.database_trouble import UNREADABLE, place_of
from kcjl.errors import Misuse, OutcomeUnknown, SettingsUnusable, Unavailable
from tests.conftest import dsn_of
from tests.log.keepers import Admin

pytestmark = pytest.mark.anyio

PASSWORD = "s3cret-word"


async def test_open_a_missing_database_is_one_clear_line(server: str) -> None:
    """A name that is not there is a setting to mend."""
    dsn = dsn_of(server, "nowhere").replace("postgres@", f"postgres:{PASSWORD}@")

    with pytest.raises(SettingsUnusable, match=r"nowhere at .* does not exist") as caught:
        await Database(dsn, role=None).open()

    assert "\n" not in caught.value.message
    assert PASSWORD not in caught.value.message


async def test_open_with_an_unknown_user_is_one_clear_line(database_dsn: str) -> None:
    """A login that is refused is a setting to mend."""
    dsn = database_dsn.replace("postgres@", f"stranger:{PASSWORD}@")

    with pytest.raises(SettingsUnusable, match="refused the login") as caught:
        await Database(dsn, role=None).open()

    assert PASSWORD not in caught.value.message


@pytest.mark.parametrize(
    "dsn",
    [
        f"postgres:{PASSWORD}@somewhere/kcjl",
        f"postgresql://postgres:{PASSWORD}@somewhere:port/kcjl",
        f"postgresql://postgres:{PASSWORD}@[somewhere/kcjl",
        f"mysql://postgres:{PASSWORD}@somewhere/kcjl",
    ],
)
async def test_open_an_unreadable_dsn_does_not_repeat_it(dsn: str) -> None:
    """What can't be read may hold a password: it is not shown."""
    with pytest.raises(SettingsUnusable) as caught:
        await Database(dsn, role=None).open()

    assert PASSWORD not in caught.value.message
    assert PASSWORD not in str(caught.value.__cause__)


async def test_open_where_nobody_listens_is_unavailable() -> None:
    """A server that is not up may be up later."""
    dsn = f"postgresql://postgres:{PASSWORD}@127.0.0.1:1/kcjl"

    with pytest.raises(Unavailable, match=r"kcjl at 127\.0\.0\.1:1") as caught:
        await Database(dsn, role=None).open()

    assert PASSWORD not in caught.value.message


async def test_open_where_nobody_answers_ends_at_the_deadline() -> None:
    """A server that takes the call and says nothing does not hold us."""
    held: list[anyio.abc.SocketStream] = []

    async def say_nothing(stream: anyio.abc.SocketStream) -> None:
        held.append(stream)
        async with stream:
            await anyio.sleep_forever()

    async with anyio.create_task_group() as group:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        group.start_soon(listener.serve, say_nothing)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        start = real_monotonic()
        with pytest.raises(Unavailable):
            await Database(
                f"postgresql://postgres@127.0.0.1:{port}/kcjl", role=None, connect_s=0.2
            ).open()
        took_s = real_monotonic() - start
        group.cancel_scope.cancel()
    await listener.aclose()

    assert 5 > took_s


async def test_use_before_open_is_misuse(database_dsn: str) -> None:
    """A database that was not opened says so."""
    with pytest.raises(Misuse, match="not open"):
        await Database(database_dsn, role=None).fetch("select 1")


async def test_statement_that_takes_too_long_is_unavailable(database_dsn: str) -> None:
    """No statement holds its caller longer than its deadline; the connection stays usable."""
    async with Database(database_dsn, role=None, statement_s=0.1) as database:
        with pytest.raises(Unavailable):
            await database.fetch("select pg_sleep(30)")

        assert 1 == await database.fetchval("select 1")


async def test_write_whose_answer_is_lost_is_unknown(database_dsn: str) -> None:
    """A write that was sent, and whose connection died, may have happened."""
    async with Database(database_dsn, role=None) as database:
        with pytest.raises(OutcomeUnknown, match="look before writing again"):
            await database.execute("select pg_terminate_backend(pg_backend_pid())")

        assert 1 == await database.fetchval("select 1")


async def test_transaction_lost_before_its_commit_wrote_nothing(
    database: Database, admin: Admin
) -> None:
    """Until the commit is sent, a lost connection means that nothing was written."""

    async def write() -> None:
        async with database.transaction() as transaction:
            await transaction.execute(
                "insert into projection_row values ('acme', 'orders', 1, 'k', '{}')"
            )
            pid = await transaction.fetchval("select pg_backend_pid()")
            await admin.execute("select pg_terminate_backend($1, 5000)", pid)
            await transaction.execute("select 1")

    with pytest.raises(Unavailable):
        await write()

    assert 0 == await database.fetchval("select count(*) from projection_row")


async def test_transaction_that_fails_is_rolled_back_and_its_error_seen(
    database: Database,
) -> None:
    """All or nothing; the block's own error comes out as it is."""

    async def write() -> None:
        async with database.transaction() as transaction:
            await transaction.executemany(
                "insert into projection_row values ('acme', 'orders', 1, $1, '{}')",
                [("a",), ("b",)],
            )
            await transaction.copy_into(
                "projection_row",
                ("merchant", "projection", "version", "key", "data"),
                [("acme", "orders", 1, "c", "{}")],
            )
            assert 3 == await transaction.fetchval("select count(*) from projection_row")
            raise OSError("of the caller")

    with pytest.raises(OSError, match="of the caller"):
        await write()

    assert 0 == await database.fetchval("select count(*) from projection_row")


async def test_statement_that_is_wrong_passes_through(database: Database) -> None:
    """A fault of the statement is not dressed up as the network's."""
    with pytest.raises(asyncpg.UndefinedTableError):
        await database.fetch("select * from nowhere")
    with pytest.raises(asyncpg.exceptions.DataError):
        await database.fetch("select $1::int", "not a number")


async def test_all_connections_in_use_is_unavailable(database_dsn: str) -> None:
    """The pool has a bound; who waits for it too long is told."""
    async with (
        Database(database_dsn, role=SERVICE, connections_max=1, connect_s=0.2) as database,
        database.transaction(),
    ):
        with pytest.raises(Unavailable):
            await database.fetch("select 1")


@pytest.mark.parametrize(
    ("dsn", "place"),
    [
        ("postgresql://me:pw@db.example:5432/kcjl", "kcjl at db.example:5432"),
        ("postgresql://me:p%40w@h1:1,h2:2/kcjl?x=y", "kcjl at h1:1,h2:2"),
        ("postgres:///kcjl?host=/run/pg&password=pw", "kcjl at /run/pg"),
        ("host=db password=pw", UNREADABLE),
    ],
)
def test_place_is_said_without_the_password(dsn: str, place: str) -> None:
    """Where a DSN points can be shown to anybody."""
    assert place == place_of(dsn)
