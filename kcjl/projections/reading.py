"""The read models out of PostgreSQL: what the monitor and the CLI look at.

Promises: see `kcjl/readmodels.py`. Every answer is one short read, bounded in rows.
Called by the CLI, which hands it to the monitor.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from kcjl.clock import Clock
from kcjl.database import Database
from kcjl.exceptions.projection import EXCEPTIONS_SHOWN, READS_SHOWN, ExceptionLife
from kcjl.money import Money
from kcjl.orders.decide import WAITING_STANDINGS
from kcjl.readmodels import Cut, EventRow, ExceptionRow, Freshness, Lane, Overview

__all__ = ["PostgresReadModels"]

LANE_OF_ROOM = {
    "stock": "Stock",
    "orders": "Orders",
    "dispatch": "Dispatch",
    "settlement": "Money",
}
LANE_OF_KIND = {
    "sku_unmatched": "Stock",
    "stock_import_failed": "Stock",
    "stock_line_refused": "Stock",
    "stock_import_stuck": "Stock",
    "stock_feed_stale": "Stock",
    "publish_held": "Stock",
    "publishing_off": "Stock",
    "offer_drifted": "Stock",
    "offer_inactive": "Stock",
    "shop_closed": "Stock",
    "order_held": "Orders",
    "acceptance_refused": "Orders",
    "acceptance_half_gone": "Orders",
    "acceptance_nearly_over": "Orders",
    "posting_refused": "Orders",
    "posting_overdue": "Orders",
    "total_differs": "Orders",
    "reference_taken": "Orders",
    "order_unreadable": "Orders",
    "reference_not_written": "Orders",
    "cancelled_after_posting": "Orders",
    "sales_order_vanished": "Orders",
    "order_without_sales_order": "Orders",
    "sales_order_without_order": "Orders",
    "order_unaccounted": "Orders",
    "sales_order_to_reduce": "Orders",
    "incident_open": "Orders",
    "return_expected": "Orders",
    "return_to_book": "Orders",
    "courier_unmapped": "Dispatch",
    "carrier_gone": "Dispatch",
    "confirmations_stopped": "Dispatch",
    "tracking_missing": "Dispatch",
    "tracking_malformed": "Dispatch",
    "tracking_not_sent": "Dispatch",
    "parcel_unmatched": "Dispatch",
    "confirmation_refused": "Dispatch",
    "unwanted_units_sent": "Dispatch",
    "cancelled_in_erp": "Dispatch",
    "dispatch_at_risk": "Dispatch",
    "dispatch_late": "Dispatch",
    "seller_metric_near": "Dispatch",
    "seller_metric_crossed": "Dispatch",
    "refund_to_enter": "Money",
    "reversal_refused": "Money",
    "reversal_waits": "Money",
    "reversal_unclear": "Money",
    "reversal_differs": "Money",
    "payout_open": "Money",
    "payout_gaps": "Money",
    "payout_not_received": "Money",
    "payout_received_differs": "Money",
    "late_line": "Money",
    "billing_cycle_overdue": "Money",
    "invoice_document_missing": "Money",
    "unknown_line_type": "Money",
}
RATE_MINUTES = 60
RATE_EVENTS_MAX = 5_000
EXCEPTIONS_MAX = 5_000
"""Open exceptions that are sorted by urgency; beyond it the list says that it is cut."""


class PostgresReadModels:
    """One merchant's read models."""

    def __init__(self, database: Database, merchant: str, clock: Clock) -> None:
        self._database = database
        self._merchant = merchant
        self._clock = clock

    async def _fresh(self) -> Freshness:
        row = await self._database.fetchrow(
            """
            select h.position, e.recorded_at from log_head h
            left join event e on e.merchant = h.merchant and e.position = h.position
            where h.merchant = $1
            """,
            self._merchant,
        )
        return Freshness(
            position=row["position"] if row else 0,
            recorded_at=row["recorded_at"] if row else None,
            now=self._clock.now(),
        )

    async def counts(self) -> dict[str, Counter[str]]:
        """Rows of each projection by state."""
        rows = await self._database.fetch(
            """
            select projection, data->>'state' as state, count(*) as number
            from projection_row join projection_checkpoint
                using (merchant, projection, version)
            where merchant = $1 and live
            group by projection, data->>'state'
            """,
            self._merchant,
        )
        counts: dict[str, Counter[str]] = {}
        for row in rows:
            counts.setdefault(row["projection"], Counter())[row["state"]] = row["number"]
        return counts

    async def overview(self) -> Overview:
        fresh = await self._fresh()
        counts = await self.counts()
        reads = await self._last_reads()
        rates = await self._rates(fresh)
        open_now = await self._exceptions("open")
        lanes = tuple(
            self._lane(name, counts, reads, rates, open_now)
            for name in ("Stock", "Orders", "Dispatch", "Money")
        )
        return Overview(
            merchant=self._merchant,
            fresh=fresh,
            lanes=lanes,
            events=fresh.position,
            exceptions_open=counts.get("exceptions", Counter())["open"],
            money_at_risk=_at_risk(open_now),
            writes_allowed=not counts.get("switches", Counter())["off"],
        )

    async def _last_reads(self) -> dict[str, datetime]:
        rows = await self._database.fetch(
            """
            select key, data::text as data from projection_row
            join projection_checkpoint using (merchant, projection, version)
            where merchant = $1 and projection = 'reads' and live
            """,
            self._merchant,
        )
        return {row["key"]: READS_SHOWN.entry(row["data"]).at for row in rows}

    async def _rates(self, fresh: Freshness) -> dict[str, tuple[int, ...]]:
        """Events a minute by lane over the last hour, as far as the newest events reach."""
        rows = await self._database.fetch(
            """
            select by, recorded_at from event
            where merchant = $1 and position > $2 order by position
            """,
            self._merchant,
            fresh.position - RATE_EVENTS_MAX,
        )
        rates: dict[str, list[int]] = {
            lane: [0] * RATE_MINUTES for lane in LANE_OF_ROOM.values()
        }
        for row in rows:
            lane = LANE_OF_ROOM.get(row["by"])
            # What was recorded while we asked is of this minute, not of none.
            ago = max(fresh.now - row["recorded_at"], timedelta(0)) // timedelta(minutes=1)
            if lane is not None and ago < RATE_MINUTES:
                rates[lane][RATE_MINUTES - 1 - ago] += 1
        return {lane: tuple(numbers) for lane, numbers in rates.items()}

    def _lane(
        self,
        name: str,
        counts: Mapping[str, Counter[str]],
        reads: Mapping[str, datetime],
        rates: Mapping[str, tuple[int, ...]],
        open_now: Sequence[ExceptionRow],
    ) -> Lane:
        mine = [each for each in open_now if LANE_OF_KIND.get(each.kind) == name]
        deadlines = [each.deadline for each in mine if each.deadline is not None]
        done, waiting, facts = _figures(name, counts)
        return Lane(
            name=name,
            done=done,
            waiting=waiting,
            excepted=len(mine),
            last_read_at=reads.get(name),
            oldest_deadline=min(deadlines, default=None),
            facts=facts,
            per_minute=rates[name],
        )

    async def exceptions(self, *, state: str = "open", limit: int = 500) -> Cut:
        fresh = await self._fresh()
        found = await self._exceptions(state)
        total = await self._database.fetchval(
            """
            select count(*) from projection_row
            join projection_checkpoint using (merchant, projection, version)
            where merchant = $1 and projection = 'exceptions' and live
            and data->>'state' = $2
            """,
            self._merchant,
            state,
        )
        return Cut(exceptions=tuple(found[:limit]), total=int(total), fresh=fresh)

    async def _exceptions(self, state: str) -> list[ExceptionRow]:
        rows = await self._database.fetch(
            """
            select key, data::text as data from projection_row
            join projection_checkpoint using (merchant, projection, version)
            where merchant = $1 and projection = 'exceptions' and live
            and data->>'state' = $2 limit $3
            """,
            self._merchant,
            state,
            EXCEPTIONS_MAX,
        )
        found = [_exception(row["key"], EXCEPTIONS_SHOWN.entry(row["data"])) for row in rows]
        return sorted(found, key=_urgency)

    async def events(
        self, *, after: int | None = None, before: int | None = None, limit: int = 200
    ) -> Sequence[EventRow]:
        if after is not None:
            where, order, at = "position > $2", "asc", after
        elif before is not None:
            where, order, at = "position < $2", "desc", before
        else:
            where, order, at = "position > $2", "desc", 0
        rows = await self._database.fetch(
            f"""
            select position, type, stream, revision, occurred_at, recorded_at, by,
                correlation_id, causation, data::text as data, encode(hash, 'hex') as hash
            from event where merchant = $1 and {where} order by position {order} limit $3
            """,  # noqa: S608 - the three forms above, nothing from outside
            self._merchant,
            at,
            limit,
        )
        events = [EventRow(**dict(row)) for row in rows]
        return sorted(events, key=lambda event: event.position)


def _at_risk(open_now: Sequence[ExceptionRow]) -> tuple[Money, ...]:
    by_currency: dict[str, Money] = {}
    for row in open_now:
        if (money := row.money_at_risk) is not None:
            known = by_currency.get(money.currency, Money(0, money.currency))
            by_currency[money.currency] = known + money
    return tuple(sorted(by_currency.values(), key=lambda each: -each.amount_minor))


def _exception(key: str, life: ExceptionLife) -> ExceptionRow:
    raised = life.raised
    return ExceptionRow(
        exception_id=key,
        kind=raised.kind,
        severity=raised.severity,
        subject=raised.subject,
        message=raised.message,
        next_step=raised.next_step,
        owner=raised.owner,
        money_at_risk=raised.money_at_risk,
        deadline=raised.deadline,
        first_seen_at=life.first_seen_at,
        last_seen_at=life.last_seen_at,
        seen=life.seen,
        state="open" if life.cleared_at is None else "cleared",
        cleared_at=life.cleared_at,
    )


SEVERITIES = ("critical", "high", "medium", "low")


def _urgency(row: ExceptionRow) -> tuple[float, int, int, float, str]:
    """Deadline first, then severity, then money, then age."""
    deadline = row.deadline.timestamp() if row.deadline else float("inf")
    money = row.money_at_risk.amount_minor if row.money_at_risk else 0
    severity = SEVERITIES.index(row.severity) if row.severity in SEVERITIES else len(SEVERITIES)
    return (deadline, severity, -money, row.first_seen_at.timestamp(), row.exception_id)


def _figures(
    name: str, counts: Mapping[str, Counter[str]]
) -> tuple[int, int, tuple[tuple[str, str], ...]]:
    """(done, waiting, further lines) of a lane."""
    if name == "Stock":
        stock = counts.get("stock", Counter())
        facts = (
            ("confirmed", f"{stock['confirmed']:,}"),
            ("unmatched", f"{stock['unmatched']:,}"),
        )
        return stock["confirmed"], stock["unasked"], facts
    if name == "Orders":
        orders = counts.get("orders", Counter())
        waiting = sum(orders[each] for each in WAITING_STANDINGS)
        shown = tuple((state, f"{number:,}") for state, number in sorted(orders.items()))
        return sum(orders.values()) - waiting - orders["held"], waiting, shown
    if name == "Dispatch":
        parcels = counts.get("dispatch", Counter())
        waiting = parcels["in_warehouse"] + parcels["to_confirm"] + parcels["unknown_outcome"]
        shown = tuple((state, f"{number:,}") for state, number in sorted(parcels.items()))
        return parcels["closed"], waiting, shown
    payouts = counts.get("payouts", Counter())
    lines = counts.get("settlement_lines", Counter())
    closed = payouts["closed"] + payouts["journal_open"] + payouts["done"]
    money = (
        ("lines tied", f"{lines['tied']:,}"),
        ("lines untied", f"{lines['untied']:,}"),
        ("payouts closed", f"{closed:,}"),
    )
    return payouts["done"], sum(payouts.values()) - payouts["done"], money
