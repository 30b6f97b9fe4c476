"""A connection to PostgreSQL, by a DSN of one server or of several.

Promises: several are tried one by one, the last that was fit first, each with its own share of
the time to connect: one that is frozen or away does not use up what the others need (the driver
gives all of them one deadline, and gives up at the first that is only starting). What is fit is
the driver's to say (`target_session_attrs`); its version and encoding are looked at here.
Called by `database.py`, and by what needs a connection and no pool. See docs/decisions/0030.
"""

from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

import asyncpg

from kcjl.database_trouble import DRIVER, UNREADABLE, place_of, refused, trouble
from kcjl.errors import KcjlError, SettingsUnusable, Unavailable

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

__all__ = ["CONNECT_S", "STATEMENT_S", "Hosts", "connect", "hosts_of"]

CONNECT_S = 10.0
STATEMENT_S = 30.0
SERVER_MAJOR_MIN = 15


class Hosts:
    """The servers of one DSN, and which of them was fit the last time."""

    def __init__(self, dsns: list[str]) -> None:
        """One DSN for each."""
        self._order = dsns

    def __len__(self) -> int:
        return len(self._order)

    def in_order(self) -> list[str]:
        """One DSN each, in the order in which to try them."""
        return list(self._order)

    def was_fit(self, dsn: str) -> None:
        self._order.remove(dsn)
        self._order.insert(0, dsn)


def hosts_of(dsn: str) -> Hosts:
    """The servers of `postgresql://a:1,b:2/name` or `postgresql:///name?host=a,b&port=1,2`.

    Raises SettingsUnusable when it can't be read.
    """
    try:
        return Hosts(_split(dsn))
    except ValueError:
        raise SettingsUnusable(UNREADABLE) from None


def _split(dsn: str) -> list[str]:
    parts = urlsplit(dsn)
    login, at, hosts = parts.netloc.rpartition("@")
    if hosts:
        return [
            parts._replace(netloc=f"{login}{at}{host}").geturl() for host in hosts.split(",")
        ]
    asked = dict(parse_qsl(parts.query))
    names = asked.pop("host", "").split(",")
    if len(names) == 1:
        return [dsn]
    ports = asked.pop("port", "").split(",")
    if 1 < len(ports) != len(names):
        raise ValueError("as many ports as hosts, or one for all")
    return [
        f"{dsn.partition('?')[0]}?{urlencode({**asked, 'host': name, **_port(port)})}"
        for name, port in zip_longest(names, ports, fillvalue=ports[0])
    ]


def _port(port: str) -> dict[str, str]:
    return {"port": port} if port else {}


class _PlainConnection(asyncpg.Connection):
    """A connection that keeps no session state, so that giving it back costs nothing."""

    def get_reset_query(self) -> str:
        return ""


async def connect(
    dsn: str | Hosts,
    *,
    application: str = "kcjl",
    connect_s: float = CONNECT_S,
    statement_s: float = STATEMENT_S,
) -> "Connection":
    """One connection, checked: the version and the encoding are such that kcjl can work.

    `connect_s` is shared out evenly among the servers that the DSN names. Raises
    SettingsUnusable or Unavailable, one line each, without the password.
    """
    hosts = dsn if isinstance(dsn, Hosts) else hosts_of(dsn)
    trial = partial(
        _connect_to,
        application=application,
        connect_s=connect_s / len(hosts),
        statement_s=statement_s,
    )
    troubles: list[KcjlError] = []
    for host in hosts.in_order():
        try:
            connection = await trial(host)
        except Unavailable as error:
            troubles.append(error)
        else:
            hosts.was_fit(host)
            return connection
    if len(troubles) == 1:
        raise troubles[0]
    raise Unavailable("; ".join(error.message for error in troubles))


async def _connect_to(
    dsn: str, *, application: str, connect_s: float, statement_s: float
) -> "Connection":
    """To one server."""
    place = place_of(dsn)
    if place == UNREADABLE:
        raise SettingsUnusable(UNREADABLE)
    try:
        connection = await asyncpg.connect(
            dsn,
            timeout=connect_s,
            command_timeout=statement_s,
            server_settings={"application_name": application, "timezone": "UTC"},
            connection_class=_PlainConnection,
        )
    except (*DRIVER, ValueError) as error:
        raise refused(place, error) or trouble(place, error) from None
    unfit = _unfit(connection)
    if unfit:
        connection.terminate()
        raise SettingsUnusable(f"database {place} {unfit}")
    return connection


def _unfit(connection: "Connection") -> str | None:
    major = connection.get_server_version().major
    encoding = connection.get_settings().server_encoding
    if major < SERVER_MAJOR_MIN:
        return f"is PostgreSQL {major}; kcjl needs {SERVER_MAJOR_MIN} or newer"
    if encoding != "UTF8":
        return f"is encoded in {encoding}; create one with encoding 'UTF8'"
    return None
