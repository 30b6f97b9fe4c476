"""Why an embedded server can't be had: each refusal says what to mend.

Promises: one line a refusal, with the folder or the process that it is about. Nothing is left
running or half-made when one is raised by `own`.
It does not retry. Called by every module of this package; caught by whoever shows errors.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kcjl.errors import Misuse, Unavailable

__all__ = [
    "BinariesMissing",
    "DataDirectoryTaken",
    "DataDirectoryUnusable",
    "ServerDidNotStart",
    "ServerDidNotStop",
    "as_unusable",
]


class DataDirectoryTaken(Misuse):
    """Another process owns this data directory."""

    code = "KCJL-1101"


class DataDirectoryUnusable(Misuse):
    """The data directory can't hold our cluster: wrong owner, kind, mode or version."""

    code = "KCJL-1102"


class ServerDidNotStart(Unavailable):
    """The embedded PostgreSQL server could not be brought up."""

    code = "KCJL-1103"


class ServerDidNotStop(Unavailable):
    """The embedded PostgreSQL server outlived SIGINT and SIGQUIT."""

    code = "KCJL-1104"


class BinariesMissing(Misuse):
    """No PostgreSQL binaries were found that the server's account can run."""

    code = "KCJL-1105"


@contextmanager
def as_unusable(data_dir: Path) -> Iterator[None]:
    """Turn a refusal of the file system into one clear line."""
    try:
        yield
    except OSError as failure:
        raise DataDirectoryUnusable(
            f"Data directory {data_dir} can't be used: {failure.filename or data_dir}: "
            f"{failure.strerror}; mend that, or choose another data directory"
        ) from failure
