"""Who may do what to the log's tables: by grant and, for events, by trigger for everybody."""

import asyncpg
import pytest
from structlog.testing import capture_logs

from kcjl.database import AUDITOR, OPERATOR, SERVICE, Database
from kcjl.errors import SettingsUnusable
from kcjl.log.migrate import migrate
from tests.conftest import dsn_of
from tests.log.keepers import PostgresKeeper, counted

pytestmark = pytest.mark.anyio

CHANGES = [
    "update event set by = 'nobody'",
    "update event set by = 'nobody' where false",
    "delete from event",
    "truncate event",
    "truncate event cascade",
    """
    insert into event select * from event
    on conflict (merchant, position) do update set by = 'nobody'
    """,
]
COMMAND = """
insert into command (merchant, id, issued_at, by, body)
values ('acme', 'c1', now(), 'jo', '{}')
"""
SEALED = "insert into vault values ('acme', 'r1', 'x', now(), now() + interval '1 day')"


@pytest.fixture
async def written(database_dsn: str, database: Database) -> str:
    """A database with an event in it: its superuser DSN."""
    async with PostgresKeeper(database_dsn, database).writer() as log:
        await log.append([counted("A", 1)])
    return database_dsn


async def _as(dsn: str, role: str | None, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        if role is not None:
            await connection.execute(f"set role {role}")
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize("change", CHANGES)
async def test_change_of_an_event_is_refused_to_the_superuser(
    written: str, change: str
) -> None:
    """The trigger knows no rank."""
    with pytest.raises(asyncpg.PostgresError, match="never changed") as caught:
        await _as(written, None, change)

    assert "KJ002" == caught.value.sqlstate


async def test_change_of_an_event_is_refused_in_replica_mode(written: str) -> None:
    """The switch that turns ordinary triggers off does not turn this one off."""
    with pytest.raises(asyncpg.PostgresError, match="never changed"):
        await _as(written, None, "set session_replication_role = replica", CHANGES[0])


@pytest.mark.parametrize("role", [SERVICE, OPERATOR, AUDITOR])
@pytest.mark.parametrize("change", CHANGES)
async def test_change_of_an_event_is_refused_by_grant(
    written: str, role: str, change: str
) -> None:
    """No role of ours may even try."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _as(written, role, change)


@pytest.mark.parametrize("role", [OPERATOR, AUDITOR])
@pytest.mark.parametrize(
    "write",
    [
        "insert into event select * from event",
        "update log_head set epoch = epoch + 1",
        "update lease set holder = 'me'",
        "delete from projection_row",
        "update projection_checkpoint set position = 0",
        "delete from keyframe",
        "delete from vault",
        "update command set done_at = now()",
        "delete from kcjl_migration",
    ],
)
async def test_write_by_people_is_refused(written: str, role: str, write: str) -> None:
    """Operators and auditors write nothing of the system's."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _as(written, role, write)


async def test_command_is_inserted_by_an_operator_and_done_by_the_service(written: str) -> None:
    """People ask, the service answers; neither does the other's part."""
    await _as(written, OPERATOR, COMMAND, "select * from command, event, projection_row")
    await _as(written, SERVICE, "update command set done_at = now(), outcome = '{}'")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _as(
            written, OPERATOR, "insert into command (merchant, done_at) values ('a', now())"
        )
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _as(written, SERVICE, "update command set body = '{}'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _as(written, AUDITOR, COMMAND)


async def test_vault_contents_are_not_for_auditors(written: str) -> None:
    """An auditor sees that something is kept and until when, not what."""
    await _as(written, SERVICE, SEALED, "delete from vault", SEALED)
    await _as(written, AUDITOR, "select merchant, ref, sealed_at, expires_at from vault")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _as(written, AUDITOR, "select sealed from vault")


ASKED = "select ask_for_buyer('acme', 'O1', '{}', 'a key', 'Ada')"


async def test_auditor_asks_for_a_buyer_by_an_act_that_is_recorded(written: str) -> None:
    """Law 7: who, which order and why stand in the queue, under the name the database knows."""
    await _as(written, AUDITOR, ASKED.format("a sample"))

    connection = await asyncpg.connect(written)
    row = await connection.fetchrow("select by, body::text as body, session_user from command")
    await connection.close()
    assert row is not None
    assert f"auditor Ada ({row['session_user']})" == row["by"]
    assert {"show-buyer", "O1", "a sample"} <= set(row["body"].split('"'))


async def test_auditor_who_says_no_reason_is_refused(written: str) -> None:
    """Nobody looks at a buyer for nothing."""
    with pytest.raises(asyncpg.PostgresError, match="and why") as caught:
        await _as(written, AUDITOR, ASKED.format(" "))

    assert "KJ003" == caught.value.sqlstate


async def test_auditor_can_put_no_table_in_the_place_of_the_queue(written: str) -> None:
    """A temporary table of that name is not what the function writes into."""
    await _as(
        written,
        AUDITOR,
        "create temporary table command (like public.command)",
        ASKED.format("a sample"),
    )

    connection = await asyncpg.connect(written)
    assert 1 == await connection.fetchval("select count(*) from command")
    await connection.close()


async def test_auditor_has_no_right_but_to_read_on_any_table(written: str) -> None:
    """Every table there is, and every verb; the one function leaves a trace."""
    connection = await asyncpg.connect(written)
    verbs = "insert, update, delete, truncate, references, trigger"
    found = await connection.fetch(
        "select relname from pg_class where relnamespace = current_schema()::regnamespace "
        "and relkind in ('r', 'p', 'v') and has_table_privilege($1, oid, $2)",
        AUDITOR,
        verbs,
    )
    functions = await connection.fetch(
        "select proname from pg_proc where pronamespace = current_schema()::regnamespace "
        "and prosecdef and has_function_privilege($1, oid, 'execute')",
        AUDITOR,
    )
    await connection.close()
    assert [] == [row["relname"] for row in found]
    assert ["ask_for_buyer"] == [row["proname"] for row in functions]


async def test_auditor_reads_the_whole_history(written: str) -> None:
    """Everything that is proved can be read by who proves it."""
    await _as(
        written,
        AUDITOR,
        "select * from event",
        "select * from log_head, lease, projection_row, projection_checkpoint, command",
        "select * from kcjl_migration",
    )


async def test_past_is_looked_at_where_not_everybody_may_have_temporary_tables(
    empty_dsn: str,
) -> None:
    """The right to what is temporary is our roles' own, not only everybody's."""
    await migrate(empty_dsn)
    name = empty_dsn.partition("?")[0].rpartition("/")[2]
    await _as(empty_dsn, None, f"revoke temporary on database {name} from public")

    for role in (SERVICE, OPERATOR, AUDITOR):
        await _as(empty_dsn, role, "create temporary view event as select 1 as position")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _as(empty_dsn, "pg_monitor", "create temporary table mine ()")


async def test_database_acts_as_its_role(database: Database) -> None:
    """The service's connections are the service's, whoever logged in."""
    assert SERVICE == await database.fetchval("select current_user")


async def test_projection_has_one_live_version(written: str) -> None:
    """Two versions of a read model are never live at once."""
    live = "insert into projection_checkpoint values ('acme', 'orders', {}, 0, true)"
    await _as(written, SERVICE, live.format(1))

    with pytest.raises(asyncpg.UniqueViolationError):
        await _as(written, SERVICE, live.format(2))


async def test_migrate_without_the_right_to_make_roles_warns_and_goes_on(
    server: str, empty_dsn: str
) -> None:
    """Where the roles are somebody else's to give, the schema is made, and it is said."""
    name = empty_dsn.partition("?")[0].rpartition("/")[2]
    await _as(
        server,
        None,
        "drop role if exists limited",
        "create role limited login nocreaterole",
        f"alter database {name} owner to limited",
    )
    dsn = dsn_of(server, name).replace("postgres@", "limited@")

    with capture_logs() as said:
        assert 15 == len(await migrate(dsn))
    assert any("limited may not act as kcjl_service" in str(each) for each in said)
    with pytest.raises(SettingsUnusable, match="grant kcjl_service to limited"):
        await Database(dsn, role=SERVICE).open()
    await _as(server, None, f"grant {SERVICE} to limited")
    async with Database(dsn, role=SERVICE) as database:
        assert SERVICE == await database.fetchval("select current_user")

    await _as(server, None, f"alter database {name} owner to postgres")
    await _as(empty_dsn, None, "reassign owned by limited to postgres")
    await _as(empty_dsn, None, "drop owned by limited")
    await _as(server, None, f"revoke {SERVICE} from limited", "drop role limited")
