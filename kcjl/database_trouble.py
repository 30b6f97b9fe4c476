"""What can go wrong on the way to PostgreSQL, in kcjl's own errors.

Promises: one clear line without the password; a server that is too old, a refused login or a
missing database is SettingsUnusable, which no waiting mends; trouble on the way is Unavailable,
or OutcomeUnknown where a write may have happened. Errors of a statement itself (a broken
constraint) pass through as asyncpg's.
Called by `database.py`, and by the log, which has to know what an error leaves undone.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

from kcjl.errors import KcjlError, OutcomeUnknown, SettingsUnusable, Unavailable

__all__ = ["DRIVER", "UNREADABLE", "is_passing", "place_of", "refused", "told", "trouble"]

UNREADABLE = "the DSN can't be read; one looks like postgresql://user@host:5432/kcjl"

_PASSING = ("08", "25006", "40", "53", "55", "57", "58", "F0", "XX")
"""SQLSTATEs, or how they begin, which say: not now, or not on this server."""
_LOST = ("08", "57", "58", "XX")
"""Of these, the last words of a server that may have committed before it said them."""
DRIVER = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""All that asyncpg raises; a killed backend has been seen to give each of them."""


def is_passing(error: asyncpg.PostgresError) -> bool:
    """Is it the server's state (stopping, full, a standby), not the statement's fault?"""
    return (error.sqlstate or "XX").startswith(_PASSING)


def place_of(dsn: str) -> str:
    """Where a DSN points, for people: host, port and name; never the user or the password."""
    try:
        parts = urlsplit(dsn)
        options = parse_qs(parts.query)
    except ValueError:
        return UNREADABLE
    if not dsn.startswith(("postgresql://", "postgres://")):
        return UNREADABLE
    hosts = parts.netloc.rpartition("@")[2] or ",".join(options.get("host", ["localhost"]))
    name = unquote(parts.path.lstrip("/")) or options.get("dbname", ["(unnamed)"])[0]
    return f"{name} at {unquote(hosts)}"


@contextmanager
def told(place: str, *, writing: bool = False) -> Iterator[None]:
    """Turn the driver's trouble into kcjl's errors; a statement's own faults pass through."""
    try:
        yield
    except DRIVER as error:
        if isinstance(error, ValueError):
            raise  # an argument that can't be sent: the caller's fault
        if isinstance(error, asyncpg.PostgresError):
            if not is_passing(error):
                raise
            writing = writing and str(error.sqlstate).startswith(_LOST)
        raise trouble(place, error, unknown=writing) from error


def trouble(place: str, error: BaseException, *, unknown: bool = False) -> KcjlError:
    said = " ".join(str(error).split()) or type(error).__name__
    if unknown:
        return OutcomeUnknown(
            f"database {place} was lost during a write, which may or may not have happened "
            f"({said}): look before writing again"
        )
    return Unavailable(f"database {place} can't be reached ({said}): try again later")


def refused(place: str, error: BaseException) -> SettingsUnusable | None:
    """The troubles of connecting that no waiting mends."""
    match error:
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            wrong = "refused the login: check the user and the password"
        case asyncpg.InvalidCatalogNameError():
            wrong = "does not exist: create it, or mend the DSN"
        case asyncpg.InsufficientPrivilegeError():
            wrong = "does not let this user connect: grant connect on it"
        case ssl.SSLCertVerificationError():
            wrong = "shows a certificate that can't be trusted"
        case ValueError():
            # The driver's text may quote the DSN, and so the password.
            return SettingsUnusable(
                "the DSN can't be read; as an example: postgresql://host/kcjl"
            )
        case _:
            return None
    return SettingsUnusable(f"database {place} {wrong}")
