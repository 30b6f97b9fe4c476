"""Settlement, the shell of a live ledger: enters journals, and watches what people do to them.

Promises: an intention before each entry, an outcome after it; a journal whose entry has no
outcome is looked for first, by its reference, and entered again only where it is not there.
Nothing is entered while writes are stopped, nor what was made before the first run on a live
ledger, which people may have keyed; watching goes on. It holds no rule.
Invariant: an outcome is recorded whatever was said meanwhile: it is a fact.
Called by `actor.py`, as a job of the settlement room. Source: design 2 (law 2), 9.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from kcjl.actors import Room
from kcjl.errors import CredentialsRefused, NotFound, Refused
from kcjl.fold import Table
from kcjl.ledger.port import BookedJournal, Entry, Journal, ListedJournal, LiveLedger
from kcjl.settlement.entering import (
    SeenJournal,
    decide_entered,
    decide_entry,
    decide_refused,
    decide_seen,
    to_enter,
)
from kcjl.settlement.events import JournalIntended
from kcjl.settlement.ledger_events import LedgerRead
from kcjl.settlement.standing import JournalStanding
from kcjl.settlement.state import Cycle, Reads
from kcjl.vocabulary import Event

__all__ = ["Bookkeeping", "journal_of", "seen_journal"]

OVERLAP = timedelta(hours=1)
"""How far a look reaches back: their clock may be off, and their lists may lag."""
IN_FORCE = ("draft", "posted")


class Bookkeeping:
    """Keeps a live ledger in step with the payouts of one room."""

    def __init__(
        self,
        room: Room,
        ledger: LiveLedger,
        cycles: Table[Cycle],
        reads: Table[Reads],
        *,
        every: timedelta,
    ) -> None:
        self._room = room
        self._ledger = ledger
        self._cycles = cycles
        self._reads = reads
        self._every = every

    async def keep(self) -> None:
        """Enter what is to be entered; look, when it is time, what has changed there."""
        now = self._room.clock.now()
        if self._since is None:  # the first time ever
            await self._room.commit((LedgerRead(changed=0, cursor=now, occurred_at=now),))
        for cycle_id in [cycle_id for cycle_id, _ in self._cycles.items()]:
            await self._enter_all(cycle_id)
        await self._watch()

    @property
    def _since(self) -> datetime | None:
        reads = self._reads.get("reads")
        return reads.ledger_since if reads is not None else None

    async def _enter_all(self, cycle_id: str) -> None:
        """One after the other: what became of one decides whether the next is entered."""
        while True:
            now = self._room.clock.now()
            waiting = to_enter(self._cycles[cycle_id], self._since, now)
            if not waiting or not self._room.writes_allowed:
                return
            await self._enter(cycle_id, waiting[0])

    async def _enter(self, cycle_id: str, standing: JournalStanding) -> None:
        intention = decide_entry(standing, self._room.clock.now())
        await self._room.commit(intention, correlation_id=cycle_id)
        attempt = standing.attempt + len(intention)
        events: Sequence[Event]
        found = await self._found(standing.intended)
        if found is None:
            try:
                booked = await self._ledger.enter(journal_of(standing.intended), attempt)
            except (CredentialsRefused, NotFound):
                raise  # of the ledger, and not of this journal
            except Refused as error:
                now = self._room.clock.now()
                events = decide_refused(standing, attempt, error.message, now)
                await self._room.record(*events, correlation_id=cycle_id)
                return
            found = seen_journal(booked)
        events = decide_entered(standing, found, self._room.clock.now())
        await self._room.record(*events, correlation_id=cycle_id)

    async def _found(self, intended: JournalIntended) -> SeenJournal | None:
        """The journal of this reference, where the ledger has one; rather one in force."""
        listed = await self._ledger.changed(intended.occurred_at - OVERLAP)
        mine = [each for each in listed if each.reference == intended.reference]
        if not mine:
            return None
        mine.sort(key=lambda each: (each.state not in IN_FORCE, each.ledger_number))
        booked = await self._ledger.look(mine[0].ledger_number)
        return seen_journal(booked, copies=_in_force(mine[1:]))

    async def _watch(self) -> None:
        """What people have posted, voided or changed since the last look."""
        now = self._room.clock.now()
        known = {
            standing.intended.reference: (cycle_id, standing)
            for cycle_id, standing in self._entered()
        }
        if not known:
            return
        reads = self._reads.get("reads")
        cursor = reads.ledger_cursor if reads is not None else None
        if cursor is None or now < cursor + self._every:
            return
        listed = await self._ledger.changed(cursor - OVERLAP)
        for reference, others in _by_reference(listed, known).items():
            cycle_id, standing = known[reference]
            booked = await self._ledger.look(standing.ledger_number)
            seen = seen_journal(booked, copies=_in_force(others))
            events = decide_seen(standing, seen, self._room.clock.now())
            if events:
                await self._room.record(*events, correlation_id=cycle_id)
        read = LedgerRead(changed=len(listed), cursor=now, occurred_at=now)
        await self._room.commit((read,))

    def _entered(self) -> Iterator[tuple[str, JournalStanding]]:
        for cycle_id, cycle in self._cycles.items():
            for standing in cycle.journals:
                if standing.seen is not None:
                    yield cycle_id, standing


def _by_reference(
    listed: Sequence[ListedJournal],
    entered: Mapping[str, tuple[str, JournalStanding]],
) -> Mapping[str, list[ListedJournal]]:
    """Ours among them, by our reference: with what stands there beside the one we know."""
    known = {standing.ledger_number: reference for reference, (_, standing) in entered.items()}
    found: dict[str, list[ListedJournal]] = {}
    for each in listed:
        if each.ledger_number in known:
            found.setdefault(known[each.ledger_number], [])
        elif each.reference in entered:
            found.setdefault(each.reference, []).append(each)
    return found


def _in_force(listed: Sequence[ListedJournal]) -> tuple[str, ...]:
    return tuple(sorted(each.ledger_number for each in listed if each.state in IN_FORCE))


def seen_journal(booked: BookedJournal, *, copies: tuple[str, ...] = ()) -> SeenJournal:
    """A journal of the ledger's port as the rules take it."""
    return SeenJournal(
        ledger_number=booked.ledger_number,
        state=booked.state,
        posting_date=booked.posting_date,
        amounts=tuple((line.account, line.amount) for line in booked.lines),
        tax_added=booked.tax_added,
        copies=copies,
    )


def journal_of(intended: JournalIntended) -> Journal:
    """The journal as the ledgers' ports take it."""
    return Journal(
        reference=intended.reference,
        posting_date=intended.posting_date,
        narrative=intended.narrative,
        entries=tuple(
            Entry(
                account=line.account,
                tax_code=line.tax_code,
                debit=line.debit,
                credit=line.credit,
                memo=line.memo,
            )
            for line in intended.lines
        ),
    )
