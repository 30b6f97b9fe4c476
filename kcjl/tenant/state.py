"""The tenant, the fold: the newest reading, and when the next one is due.

Promises: pure; any room that folds `TENANT` knows the tenant as it was last read.
Invariant: a shop that is not served is due at once: what was mended is seen at the next start.
Called by `actor.py` and the rooms that adapt to the tenant.
"""

from datetime import datetime, timedelta

from kcjl.fold import Fold
from kcjl.tenant.events import TenantRead
from kcjl.vocabulary import Event

__all__ = ["KEY", "READ_EVERY", "SERVED_MODEL", "TENANT", "due_at"]

KEY = "tenant"
READ_EVERY = timedelta(days=1)
"""A01 and its like are once-a-day calls (contract johnlewis d.1)."""
SERVED_MODEL = "MARKETPLACE"


def _keys(event: Event) -> tuple[str, ...]:
    return (KEY,) if isinstance(event, TenantRead) else ()


def _evolve(entry: TenantRead | None, event: Event, _key: str) -> TenantRead | None:
    return event if isinstance(event, TenantRead) else entry


TENANT: Fold[TenantRead] = Fold(_keys, _evolve, TenantRead, hears=(TenantRead,))


def due_at(known: TenantRead | None) -> datetime | None:
    """When the tenant is to be read again; None: now."""
    if known is None or known.model != SERVED_MODEL:
        return None
    return known.occurred_at + READ_EVERY
