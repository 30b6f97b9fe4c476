"""The monitor's money out of PostgreSQL: payouts, what builds up, one payout's account.

Promises: see `kcjl/readmodels_money.py`. Sums over many lines are the database's work, not the
reader's; what is listed is bounded, and its total is not. It changes nothing.
Called by `projections/reading.py`.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import date

import asyncpg

from kcjl.database import Database
from kcjl.events import vocabulary
from kcjl.log.queries import PostgresQueries
from kcjl.log.rows import COLUMNS, all_recorded
from kcjl.money import Money, total_by_currency
from kcjl.projections.orderreading import OrderRows
from kcjl.projections.payoutreading import LINES_OF_CYCLE, PayoutRows
from kcjl.projections.pennies import Pennies
from kcjl.readmodels import Freshness
from kcjl.readmodels_money import (
    BuildUp,
    DayTotal,
    Entry,
    Gap,
    Journal,
    MoneyReading,
    PayoutMoment,
    PayoutRow,
    PayoutStory,
    PennyWay,
    Receipt,
    Term,
    Waiting,
)
from kcjl.settlement.account import account_of
from kcjl.settlement.events import PAYMENT, JournalIntended
from kcjl.settlement.gap_events import GapFound
from kcjl.settlement.projection import LINES_SHOWN, PAYOUTS_SHOWN
from kcjl.settlement.state import Cycle
from kcjl.settlement.words import ended_by, payout_note, place_of, to_enter

__all__ = ["PostgresMoney"]

GAPS_MAX = 200
MOMENTS_MAX = 200
WAITING_MAX = 200
DAYS_MAX = 62
"""Two months: a cycle that does not end in two has an exception of its own."""

_SEEN = "(r.data->'row'->'seen')"
_WAITING = f"""
with line as materialized (
    select seen.order_id, seen.payment_state,
        (seen.amount->>'amount_minor')::bigint as minor,
        coalesce(seen.amount->>'currency', 'GBP') as currency,
        coalesce(seen.created_at, seen.occurred_at)::timestamptz as since
    from projection_row r
    cross join lateral json_to_record(r.data->'row'->'seen') as seen (
        kind text, order_id text, payment_state text, amount json, created_at text,
        occurred_at text
    )
    where {LINES_OF_CYCLE} and seen.kind <> $3
)
"""  # noqa: S608 - constants
_ORDERS = f"""
{_WAITING}
select coalesce(order_id, '') as order_id, currency,
    coalesce(nullif(string_agg(distinct nullif(payment_state, 'PAYABLE'), ', '), ''),
        'PAYABLE') as payment_state,
    sum(minor)::bigint as minor, count(*) as lines, min(since) as since,
    count(*) over () as waiting
from line group by 1, 2 order by min(since), 1 limit $4
"""  # noqa: S608 - constants
_TOTALS = f"""
{_WAITING}
select (since at time zone 'Europe/London')::date as day, currency,
    sum(minor)::bigint as minor, count(*) as lines, min(since) as oldest,
    coalesce(sum(minor) filter (where payment_state = 'PAYABLE'), 0)::bigint as payable
from line group by 1, 2 order by 1
"""  # noqa: S608 - constants


class PostgresMoney:
    """One merchant's money."""

    def __init__(
        self, database: Database, merchant: str, fresh: Callable[[], Awaitable[Freshness]]
    ) -> None:
        self._database = database
        self._merchant = merchant
        self._fresh = fresh
        self._rows = PayoutRows(database, merchant)
        self._vocabulary = vocabulary()
        log = PostgresQueries(database, merchant, self._vocabulary)
        self._pennies = Pennies(self._rows, OrderRows(database, merchant), log)

    async def payouts(self, *, find: str = "", limit: int = 2_000) -> MoneyReading:
        rows = await self._database.fetch(
            """
            select data::text as data, count(*) over () as total from projection_row
            join projection_checkpoint using (merchant, projection, version)
            where merchant = $1 and projection = 'payouts' and live
            and ($2 = '' or position(lower($2) in lower(data::text)) > 0)
            order by data->>'state' = 'held' desc, data->'row'->>'created_at' desc, key
            limit $3
            """,
            self._merchant,
            find,
            limit,
        )
        return MoneyReading(
            payouts=tuple(_row(PAYOUTS_SHOWN.entry(row["data"])) for row in rows),
            total=rows[0]["total"] if rows else 0,
            fresh=await self._fresh(),
        )

    async def build_up(self) -> BuildUp:
        totals = await self._database.fetch(_TOTALS, self._merchant, "", PAYMENT)
        orders = await self._database.fetch(_ORDERS, self._merchant, "", PAYMENT, WAITING_MAX)
        amounts = total_by_currency(Money(row["minor"], row["currency"]) for row in totals)
        payable = total_by_currency(Money(row["payable"], row["currency"]) for row in totals)
        largest = amounts[0].currency if amounts else "GBP"
        days = [row for row in totals if row["currency"] == largest]
        return BuildUp(
            amounts=tuple(amounts),
            payable=tuple(payable),
            lines=sum(row["lines"] for row in totals),
            oldest_at=min((row["oldest"] for row in totals), default=None),
            days=_days(days),
            waiting=tuple(
                Waiting(
                    order_id=row["order_id"],
                    payment_state=row["payment_state"],
                    amount=Money(row["minor"], row["currency"]),
                    lines=row["lines"],
                    since=row["since"],
                )
                for row in orders
            ),
            waiting_total=orders[0]["waiting"] if orders else 0,
            fresh=await self._fresh(),
        )

    async def story(self, payout: str) -> PayoutStory:
        cycle = await self._rows.payout(payout)
        fresh = await self._fresh()
        moments, total = await self._moments(cycle.cycle_id)
        gaps = await self._gaps(cycle)
        found = cycle.reconciled.gaps if cycle.reconciled is not None else ()
        held = cycle.held.untied if cycle.held is not None else ()
        return PayoutStory(
            payout=_row(cycle),
            terms=tuple(await self._terms(cycle, moments)),
            gaps=gaps,
            gaps_total=max(len(gaps), sum(each.gaps for each in found)),
            untied=held,
            journals=tuple(await self._journals(cycle)),
            receipts=tuple(
                Receipt(
                    number=each.receipt,
                    amount=each.amount,
                    received_on=each.received_on,
                    said="said by hand"
                    if each.matched_by == "person"
                    else f"{each.source}, by its {each.matched_by}",
                )
                for each in cycle.receipts
            ),
            moments=moments,
            moments_total=total,
            fresh=fresh,
        )

    async def ways(self, payout: str, *, find: str = "", limit: int = 20) -> Sequence[PennyWay]:
        cycle = await self._rows.payout(payout)
        rows = await self._database.fetch(
            f"""
            select r.data::text as data from projection_row r
            where {LINES_OF_CYCLE} and {_SEEN}->>'kind' <> $3
            and ($4 = '' or position(lower($4) in lower({_SEEN}::text)) > 0)
            order by r.key limit $5
            """,  # noqa: S608 - constants
            self._merchant,
            cycle.cycle_id,
            PAYMENT,
            find,
            limit,
        )
        lines = [LINES_SHOWN.entry(row["data"]) for row in rows]
        return await self._pennies.ways(cycle, account_of(cycle, lines).lines)

    async def _terms(self, cycle: Cycle, moments: Sequence[PayoutMoment]) -> Sequence[Term]:
        """The lines by type, and the named parts of the residue, or what has no name yet."""
        places = {each.type: each.position for each in moments}
        reconciled = cycle.reconciled
        if reconciled is not None and reconciled.by_kind:
            said = places.get("PayoutReconciled")
            terms = [
                Term(name=each.kind, amount=each.amount, why=_lines(each.lines), position=said)
                for each in reconciled.by_kind
            ]
            named = [
                Term(
                    name=each.kind.replace("_", " "),
                    amount=each.amount,
                    why=each.said,
                    position=said,
                )
                for each in reconciled.named
            ]
            return [*terms, *named]
        rows = await self._database.fetch(
            f"""
            select {_SEEN}->>'kind' as kind, count(*) as lines,
                sum(({_SEEN}->'amount'->>'amount_minor')::bigint)::bigint as minor
            from projection_row r
            where {LINES_OF_CYCLE} and {_SEEN}->>'kind' <> $3
            and coalesce({_SEEN}->'amount'->>'currency', 'GBP') = $4
            group by 1 order by 1
            """,  # noqa: S608 - constants
            self._merchant,
            cycle.cycle_id,
            PAYMENT,
            cycle.seen.currency,
        )
        currency = cycle.seen.currency
        terms = [
            Term(
                name=row["kind"],
                amount=Money(row["minor"], currency),
                why=f"{_lines(row['lines'])} as they are now",
                position=None,
            )
            for row in rows
        ]
        nothing = Money(0, currency)
        left = cycle.seen.amount_to_seller - sum((each.amount for each in terms), nothing)
        if left:
            why = "stated, and no line says what of"
            held = places.get("PayoutHeld")
            terms.append(Term(name="residue", amount=left, why=why, position=held))
        return terms

    async def _moments(self, cycle_id: str) -> tuple[tuple[PayoutMoment, ...], int]:
        rows = await self._database.fetch(
            """
            select position, type, occurred_at, recorded_at, by, count(*) over () as total
            from event where merchant = $1 and stream = $2 and type <> 'GapFound'
            order by revision desc limit $3
            """,
            self._merchant,
            f"payout-{cycle_id}",
            MOMENTS_MAX,
        )
        found = [
            PayoutMoment(
                position=row["position"],
                type=row["type"],
                occurred_at=row["occurred_at"],
                recorded_at=row["recorded_at"],
                by=row["by"],
            )
            for row in reversed(rows)
        ]
        return tuple(found), rows[0]["total"] if rows else 0

    async def _gaps(self, cycle: Cycle) -> tuple[Gap, ...]:
        """The first of them, by kind; the last word on each."""
        found: dict[tuple[str, str, str, tuple[str, ...]], Gap] = {}
        rows = await self._database.fetch(
            f"""
            select {COLUMNS} from event
            where merchant = $1 and stream = $2 and type = $4
            order by revision limit $3
            """,  # noqa: S608 - constants
            self._merchant,
            f"payout-{cycle.cycle_id}",
            GAPS_MAX,
            GapFound.__name__,
        )
        for recorded in all_recorded(rows, self._merchant, self._vocabulary):
            gap = recorded.event
            if not isinstance(gap, GapFound):
                continue
            found[gap.kind, gap.subject, gap.component, gap.line_ids] = Gap(
                kind=gap.kind,
                subject=gap.subject,
                charged=gap.charged,
                expected=gap.expected,
                amount=gap.amount,
                said=gap.message,
                ended=ended_by(gap, cycle.gaps_ended),
                position=recorded.position,
            )
        return tuple(sorted(found.values(), key=lambda gap: (bool(gap.ended), gap.kind)))

    async def _journals(self, cycle: Cycle) -> Sequence[Journal]:
        rows = await self._database.fetch(
            """
            select position, data->>'reference' as reference from event
            where merchant = $1 and stream = $2 and type = $3
            order by revision
            """,
            self._merchant,
            f"payout-{cycle.cycle_id}",
            JournalIntended.__name__,
        )
        places = {row["reference"]: row["position"] for row in rows}
        return [
            Journal(
                reference=each.intended.reference,
                kind=each.intended.kind.replace("_", " "),
                posting_date=each.intended.posting_date,
                place=place_of(cycle, each),
                undone_by=each.reversed_by,
                narrative=each.intended.narrative,
                entries=tuple(
                    Entry(
                        account=line.account,
                        tax_code=line.tax_code,
                        debit=line.debit,
                        credit=line.credit,
                        memo=line.memo,
                    )
                    for line in each.intended.lines
                ),
                position=places.get(each.intended.reference),
            )
            for each in cycle.journals
        ]


def _row(cycle: Cycle) -> PayoutRow:
    seen, reconciled = cycle.seen, cycle.reconciled
    residue = None
    if cycle.held is not None:
        residue = cycle.held.residue
    elif reconciled is not None:
        residue = reconciled.residue
    notes = [payout_note(cycle)]
    if cycle.receipt_overdue and not cycle.receipts:
        notes.append("not in the bank, and overdue")
    banked = cycle.received if cycle.receipts else None
    if banked is not None and banked != seen.amount_to_seller:
        notes.append(f"the bank has {banked - seen.amount_to_seller} of a difference")
    return PayoutRow(
        payout=cycle.cycle_id,
        began_at=cycle.created_at,
        state=cycle.state.value,
        paid=seen.failure_reason or seen.payout_state,
        paid_at=seen.paid_at,
        reference=seen.payout_reference or seen.voucher or "",
        stated=seen.amount_to_seller,
        expected=reconciled.expected if reconciled is not None else None,
        banked=banked,
        residue=residue,
        journals=tuple(each.intended.reference for each in cycle.in_force),
        to_enter=tuple(each.intended.reference for each in to_enter(cycle)),
        gaps=sum(each.gaps for each in reconciled.gaps) if reconciled is not None else 0,
        note="; ".join(filter(None, notes)),
    )


def _days(rows: Sequence[asyncpg.Record]) -> tuple[DayTotal, ...]:
    """The newest days; what is older than they is in the first of them."""
    by_day: defaultdict[date, list[tuple[Money, int]]] = defaultdict(list)
    newest = [row["day"] for row in rows][-DAYS_MAX:]
    for row in rows:
        day = max(row["day"], newest[0])
        by_day[day].append((Money(row["minor"], row["currency"]), row["lines"]))
    return tuple(
        DayTotal(
            day=day,
            amount=sum((money for money, _ in each[1:]), each[0][0]),
            lines=sum(lines for _, lines in each),
        )
        for day, each in sorted(by_day.items())
    )


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count:,} lines"
