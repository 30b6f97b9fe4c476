"""Law 3, looked at each day: what is neither final, nor waiting, nor excepted.

Promises: what is found is looked at once more after a while: a desk that is about to speak is
no fault; only what is still left out is told. Built by `watching.py`, run by the watch.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from kcjl.audit.completeness import LEFT_OUT, left_out
from kcjl.clock import Clock
from kcjl.exceptions.service_events import ServiceConditionFound, ServiceKind
from kcjl.exceptions.service_state import Finding
from kcjl.projections.store import RowStore

__all__ = ["LeftOut"]

LOOKED_AT_AGAIN_S = 600.0


class LeftOut:
    """Orders and parcels that nobody waits for and nobody was told of."""

    name = "completeness"
    kinds: tuple[ServiceKind, ...] = (LEFT_OUT,)
    every = timedelta(days=1)

    def __init__(self, rows: RowStore, clock: Clock) -> None:
        self._rows = rows
        self._clock = clock

    async def look(
        self, _now: datetime, _known: Sequence[ServiceConditionFound]
    ) -> Sequence[Finding]:
        first = await left_out(self._rows)
        if not first:
            return ()
        await self._clock.sleep(LOOKED_AT_AGAIN_S)
        still = await left_out(self._rows)
        return tuple(
            Finding(kind=LEFT_OUT, subject=subject, message=fault)
            for subject, fault in still.items()
            if subject in first
        )
