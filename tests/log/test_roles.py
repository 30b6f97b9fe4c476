"""Each forbidden act, tried by each role against a real PostgreSQL, and refused.

Each role logs in as a clerk of its own: there is no superuser behind it to fall back on.
"""

from collections.abc import AsyncIterator, Iterator

import anyio
import asyncpg
import pytest

from kcjl.database import AUDITOR, OPERATOR, SERVICE, Database
from tests.log.keepers import Admin, PostgresKeeper, counted

pytestmark = pytest.mark.anyio

ROLES = [SERVICE, OPERATOR, AUDITOR]

FORBIDDEN = {
    "update": "update event set by = 'nobody'",
    "update one column": "update event set data = '{}' where position = 1",
    "update nothing": "update event set by = by where false",
    "upsert": """
        insert into event select * from event
        on conflict (merchant, position) do update set by = 'nobody'
    """,
    "merge": """
        merge into event using (select 1) as one (n) on position = one.n
        when matched then update set by = 'nobody'
    """,
    "delete": "delete from event",
    "delete through with": "with gone as (delete from event returning *) select * from gone",
    "truncate": "truncate event",
    "truncate cascade": "truncate event, log_head, lease cascade",
    "lock": "begin; lock table event in access exclusive mode",
    "alter: a column more": "alter table event add column note text",
    "alter: a column less": "alter table event drop column hash",
    "alter: another type": "alter table event alter column data type text",
    "alter: no key": "alter table event drop constraint event_pkey",
    "alter: another name": "alter table event rename to past_event",
    "alter: another owner": "alter table event owner to current_user",
    "disable the trigger": "alter table event disable trigger event_append_only",
    "disable every trigger": "alter table event disable trigger all",
    "trigger off in replica mode": "alter table event enable replica trigger event_append_only",
    "replica mode": "set session_replication_role = replica",
    "drop the trigger": "drop trigger event_append_only on event",
    "a trigger more": """
        create trigger quiet before insert on event
        for each row execute function event_is_append_only()
    """,
    "a rule": "create rule quiet as on insert to event do instead nothing",
    "another trigger function": """
        create or replace function event_is_append_only() returns trigger
        language plpgsql as $$ begin return null; end $$
    """,
    "another append function": "drop function append_events",
    "drop the table": "drop table event",
    "drop it all": "drop owned by postgres cascade",
    "be the owner": "set role postgres",
    "be the owner from the start": "set session authorization postgres",
    "another migration": "delete from kcjl_migration",
    "the head away": "delete from log_head",
    "the lease away": "delete from lease",
}
"""What nobody at work may do."""

NOT_FOR_PEOPLE = {
    "append": "insert into event select * from event",
    "append as the service does": """
        select append_events('acme', 1, 1, '', '', now(), '', '', true)
    """,
    "move the head": "update log_head set position = 0",
    "raise the epoch": "update log_head set epoch = epoch + 1",
    "take the lease": "update lease set holder = 'me'",
    "a lease of one's own": "insert into lease values ('b', 'me', 1, now())",
    "change a read model": "update projection_row set merchant = 'b'",
    "set a projection back": "update projection_checkpoint set position = 0",
    "erase sealed addresses": "delete from vault",
    "answer a command": "update command set done_at = now()",
}
"""What the service does, and operators and auditors don't."""

NOT_FOR_AUDITORS = {
    "a command": "insert into command (merchant, id, issued_at, by, body) "
    "values ('acme', 'c', now(), 'jo', '{}')",
    "an address": "select sealed from vault",
}

EVERY_ACT = FORBIDDEN | NOT_FOR_PEOPLE | NOT_FOR_AUDITORS


@pytest.fixture(scope="module")
def clerks(server: str, migrated_template: str) -> Iterator[dict[str, str]]:
    """A login for each role."""
    names = {role: f"clerk_of_{role}" for role in ROLES}

    async def run(*statements: str) -> None:
        connection = await asyncpg.connect(server)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    gone = [f"drop role if exists {name}" for name in names.values()]
    made = [f"create role {name} login in role {role}" for role, name in names.items()]
    anyio.run(run, *(gone + made))
    yield names
    anyio.run(run, *gone)


@pytest.fixture
async def written(database_dsn: str, database: Database) -> str:
    async with PostgresKeeper(database_dsn, database).writer() as log:
        await log.append([counted("A", 1)])
    return database_dsn


@pytest.fixture
async def before(admin: Admin, written: str) -> AsyncIterator[None]:
    """Whatever was tried, the log is what it was, and its guard stands."""
    looks = [
        "select * from event",
        "select * from log_head",
        "select tgname, tgenabled, tgfoid from pg_trigger where not tgisinternal",
        "select prosrc, proowner from pg_proc where proname like '%event%' order by oid",
        "select attname, atttypid from pg_attribute where attrelid = 'event'::regclass",
        "select relname, relowner, relacl::text from pg_class where relname = 'event'",
    ]
    first = [await admin.fetch(look) for look in looks]
    yield
    assert first == [await admin.fetch(look) for look in looks]


async def _refused(dsn: str, user: str, act: str) -> None:
    connection = await asyncpg.connect(dsn, user=user)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(act)
    finally:
        await connection.close()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("act", FORBIDDEN.values(), ids=FORBIDDEN)
async def test_forbidden_act_is_refused_to_each_role(
    written: str, before: None, clerks: dict[str, str], role: str, act: str
) -> None:
    """No role that is at work with the log can change, hide or unguard its past."""
    await _refused(written, clerks[role], act)


@pytest.mark.parametrize("role", [OPERATOR, AUDITOR])
@pytest.mark.parametrize("act", NOT_FOR_PEOPLE.values(), ids=NOT_FOR_PEOPLE)
async def test_act_of_the_service_is_refused_to_people(
    written: str, before: None, clerks: dict[str, str], role: str, act: str
) -> None:
    """People read, and ask the service by commands: they write nothing of its own."""
    await _refused(written, clerks[role], act)


@pytest.mark.parametrize("act", NOT_FOR_AUDITORS.values(), ids=NOT_FOR_AUDITORS)
async def test_act_of_an_operator_is_refused_to_auditors(
    written: str, before: None, clerks: dict[str, str], act: str
) -> None:
    """An auditor reads, and sees no personal data."""
    await _refused(written, clerks[AUDITOR], act)


@pytest.mark.parametrize(
    "act",
    EVERY_ACT.values(),
    ids=EVERY_ACT,
)
async def test_act_is_one_that_the_owner_of_the_server_could_try(
    admin: Admin, written: str, act: str
) -> None:
    """The control: each act is a sound one, and was refused above for who tried it."""
    undone = admin.transaction()
    await undone.start()
    error: Exception | None = None
    try:
        await admin.execute(act)
    except asyncpg.PostgresError as caught:
        error = caught
    await undone.rollback()

    assert not isinstance(error, asyncpg.SyntaxOrAccessError), error


@pytest.mark.parametrize("role", ROLES)
async def test_grant_by_a_role_gives_nothing(
    written: str, before: None, clerks: dict[str, str], role: str
) -> None:
    """PostgreSQL warns who may not give what they have; nobody has more afterwards."""
    connection = await asyncpg.connect(written, user=clerks[role])
    await connection.execute("grant select, insert, update, delete on event to public")
    await connection.close()


@pytest.mark.parametrize("role", ROLES)
async def test_role_reads_the_log(written: str, clerks: dict[str, str], role: str) -> None:
    """What was refused above was not refused to a login that can do nothing at all."""
    connection = await asyncpg.connect(written, user=clerks[role])

    assert 1 == await connection.fetchval("select count(*) from event, log_head")
    await connection.close()
