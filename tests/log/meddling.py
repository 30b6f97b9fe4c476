"""How a test gets in the way of the log's writer: holding its head, killing its backend."""

import anyio

from kcjl.clock import real_sleep
from tests.log.keepers import Admin

WRITER = "kcjl"
"""What the connections of the writer's pool are called in the server."""


async def kill(admin: Admin, application: str) -> int:
    killed = await admin.fetchval(
        """
        select count(pg_terminate_backend(pid, 5000))::int from pg_stat_activity
        where application_name = $1 and datname = current_database()
        """,
        application,
    )
    return int(killed)


async def hold_head(admin: Admin) -> None:
    """No commit can end before this transaction does."""
    await admin.execute("select 1 from log_head for update")


async def until_blocked(admin: Admin) -> None:
    """Until the writer waits for a lock that somebody holds."""
    blocked = """
        select count(*) from pg_stat_activity
        where application_name = $1 and datname = current_database()
            and wait_event_type = 'Lock'
    """
    with anyio.fail_after(10):
        while not await admin.fetchval(blocked, WRITER):
            await real_sleep(0.005)
