"""Which unit of work the calls of this task belong to.

Promises: calls, and log lines, that are made in the block carry the correlation id of the
events about them. It is a name for people who search; nothing is decided on it.
Called by the rooms, round their calls to the outside; read by `sync_log.py`.
"""

from contextlib import AbstractContextManager

from structlog.contextvars import bound_contextvars, get_contextvars

__all__ = ["correlated", "correlation_now"]


def correlated(correlation_id: str) -> AbstractContextManager[None]:
    """What is called in this block belongs to this unit of work."""
    return bound_contextvars(correlation_id=correlation_id)


def correlation_now() -> str:
    return str(get_contextvars().get("correlation_id", ""))
