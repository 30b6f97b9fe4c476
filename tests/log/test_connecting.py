"""A DSN that names several servers: who is tried, in which order, and for how long."""

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from kcjl.connecting import Hosts, connect, hosts_of
from kcjl.database import Database
from kcjl.database_trouble import UNREADABLE
from kcjl.errors import SettingsUnusable, Unavailable

pytestmark = pytest.mark.anyio

PATIENCE_S = 8.0
NOBODY = "127.0.0.1:1"


@pytest.mark.parametrize(
    ("dsn", "each"),
    [
        ("postgresql://me@a:1/shop", ["postgresql://me@a:1/shop"]),
        (
            "postgresql://me:pa,ss@a:1,b/shop?target_session_attrs=primary",
            [
                "postgresql://me:pa,ss@a:1/shop?target_session_attrs=primary",
                "postgresql://me:pa,ss@b/shop?target_session_attrs=primary",
            ],
        ),
        (
            "postgresql://me@/shop?host=a,b&port=1,2",
            ["postgresql://me@/shop?host=a&port=1", "postgresql://me@/shop?host=b&port=2"],
        ),
        (
            "postgresql:///shop?host=/run/a,b&port=5433",
            [
                "postgresql:///shop?host=%2Frun%2Fa&port=5433",
                "postgresql:///shop?host=b&port=5433",
            ],
        ),
        (
            "postgresql:///shop?host=a,b",
            ["postgresql:///shop?host=a", "postgresql:///shop?host=b"],
        ),
        ("postgresql:///shop", ["postgresql:///shop"]),
    ],
)
def test_each_server_of_a_dsn_has_a_dsn_of_its_own(dsn: str, each: list[str]) -> None:
    """In the order in which they are written; login, name and options are of all."""
    assert each == hosts_of(dsn).in_order()


def test_ports_that_do_not_fit_the_hosts_are_refused() -> None:
    """Two ports for three hosts: nobody knows whose they are."""
    with pytest.raises(SettingsUnusable) as refused:
        hosts_of("postgresql:///shop?host=a,b,c&port=1,2")

    assert UNREADABLE == refused.value.message


def test_server_that_was_fit_is_tried_first_the_next_time() -> None:
    hosts = Hosts(["a", "b", "c"])

    hosts.was_fit("c")

    assert ["c", "a", "b"] == hosts.in_order()


def beside(dsn: str, *others: str) -> str:
    """The same database, with other servers named before it; by `host` and `port`."""
    _, _, options = dsn.partition("?")
    given = dict(each.split("=") for each in options.split("&"))
    names = [other.partition(":") for other in others]
    hosts = ",".join([*(host for host, _, _ in names), given["host"]])
    ports = ",".join([*(port for _, _, port in names), given.get("port", "5432")])
    return f"{dsn.partition('?')[0]}?host={hosts}&port={ports}"


async def test_server_that_is_away_is_passed_over(database_dsn: str) -> None:
    """Nobody listens at the first; the second is found, and asked first from then on."""
    async with Database(beside(database_dsn, NOBODY), role=None) as database:
        assert 1 == await database.fetchval("select 1")


async def test_server_that_is_frozen_leaves_the_other_its_time(database_dsn: str) -> None:
    """It takes the connection and says nothing: half the patience is for the other one."""

    async def says_nothing(stream: SocketStream) -> None:
        async with stream:
            await anyio.sleep_forever()

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(SocketAttribute.local_port)
        async with anyio.create_task_group() as group:
            group.start_soon(listener.serve, says_nothing)
            connection = await connect(
                beside(database_dsn, f"127.0.0.1:{port}"), connect_s=PATIENCE_S
            )
            assert 1 == await connection.fetchval("select 1")
            connection.terminate()
            group.cancel_scope.cancel()


async def test_standby_is_no_primary(database_dsn: str) -> None:
    """A server is passed over when it is not what the DSN asks for; each says why."""
    dsn = beside(database_dsn, NOBODY) + "&target_session_attrs=standby"

    with pytest.raises(Unavailable) as told:
        await connect(dsn)

    nobody, not_standby = told.value.message.split("; ")
    assert "Connect call failed" in nobody
    assert "target attribute" in not_standby


async def test_statement_without_an_answer_makes_the_pool_anew(database_dsn: str) -> None:
    """The other connections may lead to the same frozen server: they are not asked."""
    async with Database(database_dsn, role=None, statement_s=0.2) as database:
        before = await database.fetchval("select pg_backend_pid()")
        async with database.session() as held:
            with pytest.raises(Unavailable):
                await database.fetchval("select pg_sleep(30)")
            other = await held.fetchval("select pg_backend_pid()")
        after = await database.fetchval("select pg_backend_pid()")

    assert before == other
    assert before != after
