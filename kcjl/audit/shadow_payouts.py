"""Shadow, the settlement room: ties, what holds a payout, its gaps, its closing, its journals.

Promises: settlement's own tables and rules. When a payout closes is a setting (`close_on`), so
that it did is taken as recorded; what the closing says is judged. Called by `shadow.py`.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from kcjl.audit.money_then import MoneyThen
from kcjl.audit.shadow import Report
from kcjl.clock import Clock, Ids
from kcjl.log.port import LogReader, Recorded
from kcjl.settlement.closing import MONTHS, MONTHS_KEY
from kcjl.settlement.decide import carried_balance, decide_payout
from kcjl.settlement.events import (
    JournalIntended,
    PayoutClosed,
    PayoutEvent,
    PayoutHeld,
    SettlementLineTied,
)
from kcjl.settlement.expectation import Known
from kcjl.settlement.gap_events import GapFound, PayoutReconciled
from kcjl.settlement.journal import decide_journals
from kcjl.settlement.matching import decide_tie
from kcjl.settlement.state import CYCLES, Cycle
from kcjl.vocabulary import Event

__all__ = ["PayoutShadow"]

OLDER_ORDERS = "an exported file can't be asked for its older orders: ask the live log"
NOTHING_KNOWN = Known(sold={}, lines={}, terms=None, returns_are_told=False)


class PayoutShadow:
    """The settlement room's decisions."""

    types: tuple[type[Event], ...] = (
        SettlementLineTied,
        PayoutHeld,
        GapFound,
        PayoutReconciled,
        PayoutClosed,
        JournalIntended,
    )

    def __init__(
        self, history: LogReader, clock: Clock, ids: Ids, *, cycle_days: float
    ) -> None:
        """`clock` and `ids` are never asked."""
        self._then = MoneyThen(history, clock, ids)
        self._months = self._then.table(MONTHS)
        self._cycle_days = cycle_days
        self._gaps: defaultdict[str, list[Recorded]] = defaultdict(list)
        """Recorded gaps by payout, until it is closed."""
        self._closing: dict[str, Sequence[Event] | None] = {}
        """What this version decides of a payout that is being closed; None: not checkable."""

    async def hear(self, recorded: Recorded, report: Report) -> None:
        event = recorded.event
        match event:
            case SettlementLineTied():
                await self._tied(recorded, event, report)
            case GapFound():
                self._gaps[event.cycle_id].append(recorded)
            case PayoutReconciled():
                await self._reconciled(recorded, event, report)
            case PayoutClosed() | JournalIntended():
                self._closed(recorded, event, report)
            case PayoutHeld():
                held = self._payout(event, NOTHING_KNOWN)
                report.judge(recorded, held)
            case _:
                pass
        await self._then.hear(recorded)

    async def _tied(
        self, recorded: Recorded, event: SettlementLineTied, report: Report
    ) -> None:
        line = self._then.money.lines.get(event.line_id)
        sold = await self._then.sold_of(event.order_id)
        if line is None or sold is None:
            report.not_checked(recorded, OLDER_ORDERS)
        else:
            report.judge(recorded, decide_tie(line, sold, event.occurred_at))

    async def _reconciled(
        self, recorded: Recorded, event: PayoutReconciled, report: Report
    ) -> None:
        cycle_id = event.cycle_id
        lines = self._then.lines_of(cycle_id)
        known = await self._then.known_of(lines, self._then.terms_in_force)
        gaps = self._gaps.pop(cycle_id, [])
        if known is None:
            self._closing[cycle_id] = None
            for each in (*gaps, recorded):
                report.not_checked(each, OLDER_ORDERS)
            return
        again = self._payout(event, known)
        found = {_named(each): each for each in again if isinstance(each, GapFound)}
        # A closing that was cut off is said again: the last word on each gap counts.
        last = {_named(each.event): each for each in gaps if isinstance(each.event, GapFound)}
        for name, each in last.items():
            now = found.pop(name, None)
            at = each.event.occurred_at
            report.judge(each, () if now is None else (_at(now, at),))
        for missing in found.values():
            report.missing(recorded, missing, "no such gap was found")
        report.judge(recorded, again)
        self._closing[cycle_id] = again

    def _closed(
        self, recorded: Recorded, event: PayoutClosed | JournalIntended, report: Report
    ) -> None:
        """In one commit with what was said before it."""
        cycle_id = event.cycle_id
        if isinstance(event, JournalIntended) and event.kind in ("reversal", "replacement"):
            report.not_checked(recorded, "a person's word")
            return
        if cycle_id not in self._closing:
            report.not_checked(recorded, "its closing was not heard")
        elif (again := self._closing[cycle_id]) is None:
            report.not_checked(recorded, OLDER_ORDERS)
        elif isinstance(event, PayoutClosed):
            report.judge(recorded, again)
            self._closing[cycle_id] = self._journals(event)
        else:
            report.judge(recorded, again)

    def _payout(self, event: PayoutEvent, known: Known) -> Sequence[Event]:
        cycle: Cycle | None = self._then.money.cycles.get(event.cycle_id)
        reads = self._then.last_reads
        if cycle is None:
            return ()
        return decide_payout(
            cycle,
            self._then.money.lines.grouped(event.cycle_id),
            known,
            lines_read_at=reads.transactions_cursor if reads else None,
            close_on="cycle",
            carried=carried_balance(self._then.money.cycles.values(), cycle.seen.currency),
            now=event.occurred_at,
        )

    def _journals(self, event: PayoutClosed) -> Sequence[Event]:
        cycle = self._then.money.cycles.get(event.cycle_id)
        accounts = self._then.accounts.get("accounts")
        if cycle is None or accounts is None:
            return ()
        after = CYCLES.evolve(cycle, event, event.cycle_id) or cycle
        closed = self._months.get(MONTHS_KEY)
        return decide_journals(
            after,
            self._then.money.lines.grouped(event.cycle_id),
            accounts,
            event.occurred_at,
            cycle_days=self._cycle_days,
            open_from=date.min if closed is None else closed.open_from,
        )


def _named(gap: Event) -> tuple[object, ...]:
    if not isinstance(gap, GapFound):
        return ()
    return gap.kind, gap.subject, gap.component, gap.line_ids


def _at(gap: GapFound, at: datetime) -> Event:
    """Gaps are said in a commit before the closing."""
    return msgspec.structs.replace(gap, occurred_at=at)
