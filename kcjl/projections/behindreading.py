"""What stands behind a journal's figures, from the read models: for the ledger's papers.

Promises: a page of lines at a time, none missed and none twice; all that was known when the
journal was intended is there, because rows are written in the order of the log. It waits a
while for the rows to come so far. It changes nothing.
Called by the journal pack, which `service.py` gives it to.
"""

from collections.abc import AsyncIterator, Sequence

from kcjl.clock import real_sleep
from kcjl.errors import NotFound, Unavailable
from kcjl.ledger.port import Behind
from kcjl.projections.payoutreading import PayoutRows
from kcjl.settlement.behind import Tracing
from kcjl.settlement.state import Cycle

__all__ = ["BehindRows"]

LOOK_EVERY_S = 0.2
ROWS_COME_S = 30.0
"""The read models are milliseconds behind the log; a rebuild's swap is seconds."""


class BehindRows:
    """One merchant's journals, taken apart."""

    def __init__(self, rows: PayoutRows, *, wait_s: float = ROWS_COME_S) -> None:
        self._rows = rows
        self._wait_s = wait_s

    async def behind(self, reference: str) -> AsyncIterator[Sequence[Behind]]:
        """Raises Unavailable when the read models do not come to know the journal in time."""
        cycle = await self._payout(reference)
        journal = next(
            each.intended for each in cycle.journals if each.intended.reference == reference
        )
        tracing = Tracing(cycle, journal)
        async for page in self._rows.lines(cycle.cycle_id):
            found = [tracing.line(line) for line in page]
            yield [each for each in found if each is not None]
        yield tracing.beside()

    async def _payout(self, reference: str) -> Cycle:
        waited_s = 0.0
        while True:
            try:
                return await self._rows.payout(reference)
            except NotFound:
                if waited_s >= self._wait_s:
                    raise Unavailable(
                        f"journal {reference}: the read models do not know it yet, so its "
                        "lines can't be shown: it is tried again"
                    ) from None
            await real_sleep(LOOK_EVERY_S)
            waited_s += LOOK_EVERY_S
