"""The books behind their port: journals by reference, each once, in memory.

Promises: as the journal pack: the same journal again changes nothing, another one under the
same reference is refused; the document's hash is that of the pack's own file. What was taken
stays whatever happens to the process. Called by the rooms of the simulation; read by the laws.
"""

import hashlib
from collections.abc import Sequence

from kcjl.clock import Clock
from kcjl.errors import Refused, Unavailable
from kcjl.ledger.pack import journal_csv
from kcjl.ledger.port import Journal, JournalDocument
from tests.simulation.mishaps import Mishaps

__all__ = ["SimulatedLedger"]


class SimulatedLedger:
    """Where journals go. It outlives every process of a run."""

    def __init__(self, mishaps: Mishaps, clock: Clock) -> None:
        self.journals: dict[str, Journal] = {}
        """By reference: the truth for checks."""
        self.documents: dict[str, bytes] = {}
        self._mishaps = mishaps
        self._clock = clock

    async def keep(self, name: str, content: bytes) -> JournalDocument:
        """A document of others: filed at once, since nothing of ours depends on it."""
        await self._clock.sleep(self._mishaps.latency_s())
        if self.documents.setdefault(name, content) != content:
            raise Refused(f"another document lies under {name}")
        return JournalDocument(name=name, sha256=hashlib.sha256(content).hexdigest())

    async def prepare(self, journal: Journal) -> Sequence[JournalDocument]:
        kind = self._mishaps.draw("prepare", "write")
        await self._clock.sleep(self._mishaps.latency_s())
        if kind == "lost_before":
            self._mishaps.suffered(kind)
            raise Unavailable(f"journal {journal.reference} can't be written now")
        known = self.journals.setdefault(journal.reference, journal)
        if known != journal:
            raise Refused(f"another journal lies under {journal.reference}")
        if kind in ("lost_after", "books_lost", "slow", "answers_late"):
            self._mishaps.suffered(kind)
            await self._clock.sleep(self._mishaps.patience_s())
            if kind in ("lost_after", "books_lost"):
                raise Unavailable(f"journal {journal.reference}: the disk did not answer")
        name = f"{journal.reference}.csv"
        digest = hashlib.sha256(journal_csv(journal)).hexdigest()
        return (JournalDocument(name=name, sha256=digest),)
