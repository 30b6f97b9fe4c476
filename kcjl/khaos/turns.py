"""One call in flight per web service, whoever calls it in this process.

Promises: callers of the same web service take turns, in the order in which they came; callers
of different ones don't wait for each other. It does not reach into other processes: the lease
keeps a merchant to one, and what several processes do to one web service is their operator's.
Invariant: a turn is held over a network call on purpose (contract khaos d: each call may open
the client's database), and every call in it has a deadline. Called by `soap.py`; one for the
process is made by the composition root. Source: contract khaos d.
"""

from urllib.parse import urlsplit

import anyio

__all__ = ["Turns"]

_PORTS = {"http": 80, "https": 443}


class Turns:
    """One lock a web service, shared by all merchants that have their orders behind it."""

    def __init__(self) -> None:
        self._locks: dict[tuple[str, int | None, str], anyio.Lock] = {}

    def of(self, url: str) -> anyio.Lock:
        """The lock of the web service that calls to this address reach."""
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
        key = (parts.hostname or "", port, parts.path.rstrip("/").casefold())
        return self._locks.setdefault(key, anyio.Lock())
