"""A source made of values, by a clock that stands still until a test moves it.

Its answers can be held back (a slow source) or refused (a broken one); it counts the questions
and notices when two are put at once.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec

from kcjl.command import Command, Outcome
from kcjl.errors import Misuse
from kcjl.money import Money
from kcjl.readmodels import (
    Cut,
    EventRow,
    ExceptionRow,
    ExceptionStory,
    Freshness,
    Lane,
    Overview,
    Said,
)
from kcjl.readmodels_health import HealthRow
from kcjl.readmodels_money import PayoutRow
from tests.tui.made_up_health import FakeHealth
from tests.tui.made_up_money import FakeMoney
from tests.tui.made_up_orders import NOON, FakeDispatch, FakeOrders
from tests.tui.made_up_policy import FakePolicy
from tests.tui.made_up_stock import FakeStock
from tui.model.header import Then

__all__ = [
    "HOSTILE",
    "NOON",
    "FakeSource",
    "an_event",
    "an_exception",
    "an_overview",
    "some_events",
    "some_exceptions",
]

HOSTILE = "A\x1b[31mB\x07\u202eC\u200bD\x9bE[b]F[/b]\r\nG\x00H\u2028I\ufeff"
"""Escape sequence, bell, override, zero width, C1, markup, line ends, nought, separators."""

_KINDS = (
    ("sku-unknown", "high", "SKU-{n:05}", "catalogue"),
    ("order-held", "critical", "7001234{n:02}-A", "operations"),
    ("carrier-unmapped", "medium", "parcel-88{n:04}", "warehouse"),
    ("payout-residue", "low", "payout 2026-07-0{d}", "finance"),
)
_MESSAGES = {
    "sku-unknown": "Offer {s} has no confirmed stock code; it is offered at 0.",
    "order-held": "Order {s} can't be accepted: line 2 names a SKU that is not in the ERP.",
    "carrier-unmapped": "{s} was shipped by «DPD Local», which no carrier code is mapped to.",
    "payout-residue": "{s} leaves a residue: one statement line is tied to no order.",
}
_STEPS = {
    "sku-unknown": "Approve one of the nearest codes (ABC-1, ABC-1/L) or add the stock code.",
    "order-held": "Confirm the stock code, or refuse the line before the deadline.",
    "carrier-unmapped": "Map the courier to a John Lewis carrier code.",
    "payout-residue": "Tie the line to its order, or accept the residue with a reason.",
}


class FakeSource:
    """Implements `tui.source.Source`."""

    def __init__(
        self,
        *,
        overview: Overview | None = None,
        exceptions: Sequence[ExceptionRow] = (),
        total: int | None = None,
        events: Sequence[EventRow] = (),
        payouts: Sequence[PayoutRow] = (),
        watched: Sequence[HealthRow] = (),
    ) -> None:
        self.clock = NOON
        self.money = FakeMoney(self._asked, self._fresh, payouts)
        self.health = FakeHealth(self._asked, self._fresh, watched)
        self.rows = tuple(exceptions)
        self.total = total
        self.log = list(events)
        self.error: Exception | None = None
        self.refused = ""
        """The start of the questions that the error is for: all of them by default."""
        self.gate: asyncio.Event | None = None
        """While set and not open, answers wait for it."""
        self.asked: list[str] = []
        self.answering = 0
        self.answering_most = 0
        self._overview = overview
        self.past: Then | None = None
        self.may_act = True
        self.done: list[Command] = []
        """The commands that were issued."""
        self.outcome = Outcome(ok=True, message="done")
        trade = 40 if exceptions else 0
        self.orders = FakeOrders(self._asked, self._fresh, rows=trade)
        self.dispatch = FakeDispatch(self._asked, self._fresh, rows=trade)
        self.stock = FakeStock(self._asked, self._fresh)
        self.policy = FakePolicy(self._asked, self._fresh)

    @property
    def as_of(self) -> Then | None:
        return self.past

    def now(self) -> datetime:
        return self.clock if self.past is None else self.past.at

    async def then(self, when: int | datetime) -> "FakeSource":
        """The same source, with the log up to there."""
        await self._asked(f"then {when}")
        known = [
            event
            for event in self.log
            if (event.position <= when if isinstance(when, int) else event.recorded_at <= when)
        ]
        if not known or (isinstance(when, int) and when > self.log[-1].position):
            raise Misuse(f"there is nothing at {when}")
        source = FakeSource(
            exceptions=self.rows,
            total=self.total,
            events=known,
            payouts=self.money.rows,
            watched=self.health.rows,
        )
        source.clock, source.may_act = self.clock, False
        source.stock.rows, source.policy.rows = self.stock.rows, self.policy.rows
        source.past = Then(position=known[-1].position, at=known[-1].recorded_at)
        return source

    async def next_event(self, types: Sequence[str], *, after: int) -> int | None:
        await self._asked(f"next_event {' '.join(types)} after={after}")
        found = (e.position for e in self.log if e.type in types and e.position > after)
        return next(found, None)

    async def do(self, command: Command) -> Outcome:
        await self._asked(f"do {command.verb}")
        self.done.append(command)
        return self.outcome

    def pass_time(self, seconds: float) -> None:
        self.clock += timedelta(seconds=seconds)

    async def overview(self) -> Overview:
        await self._asked("overview")
        made = self._overview or an_overview(open_exceptions=len(self.rows))
        fresh = self._fresh()
        return msgspec.structs.replace(made, fresh=fresh, events=fresh.position)

    async def exceptions(self, *, state: str = "open", kind: str = "", limit: int = 500) -> Cut:
        await self._asked(f"exceptions state={state} kind={kind} limit={limit}")
        rows = tuple(row for row in self.rows if kind in ("", row.kind))
        total = len(rows) if self.total is None or kind else self.total
        return Cut(exceptions=rows[:limit], total=total, fresh=self._fresh())

    async def exception(self, exception_id: str) -> ExceptionStory | None:
        await self._asked(f"exception {exception_id}")
        return ExceptionStory(
            exception_id=exception_id,
            clears="the code is confirmed",
            commands=("kcjl stock alias SKU CODE",),
            offers=("assign", "note", "park", "retry", "accept"),
            page="sku-unknown",
            owned="the kind's own",
            stays="",
            words=(Said(at=NOON, by="jo", text="asked the catalogue team"),),
            words_before=0,
        )

    async def events(
        self, *, after: int | None = None, before: int | None = None, limit: int = 200
    ) -> Sequence[EventRow]:
        await self._asked(f"events after={after} before={before} limit={limit}")
        if after is not None:
            return [event for event in self.log if event.position > after][:limit]
        upto = [event for event in self.log if before is None or event.position < before]
        return upto[-limit:]

    async def _asked(self, question: str) -> None:
        self.asked.append(question)
        self.answering += 1
        self.answering_most = max(self.answering_most, self.answering)
        try:
            if self.gate is not None:
                await self.gate.wait()
            if self.error is not None and question.startswith(self.refused):
                raise self.error
        finally:
            self.answering -= 1

    def _fresh(self) -> Freshness:
        last = self.log[-1] if self.log else None
        return Freshness(
            position=0 if last is None else last.position,
            recorded_at=None if last is None else last.recorded_at,
            now=self.now(),
        )


def an_overview(*, open_exceptions: int = 5, writes_allowed: bool = True) -> Overview:
    """All four lanes, at noon."""
    waves = tuple((7 * minute) % 13 if minute % 9 else 0 for minute in range(60))
    return Overview(
        merchant="Northern Lights",
        fresh=Freshness(position=12431, recorded_at=NOON, now=NOON),
        lanes=(
            Lane(
                name="Stock",
                done=18204,
                waiting=37,
                excepted=3,
                last_read_at=NOON - timedelta(seconds=42),
                oldest_deadline=None,
                facts=(
                    ("offers open", "18,244"),
                    ("to zero", "12"),
                    ("drift found", "0"),
                    ("buffer", "speed"),
                ),
                per_minute=waves,
            ),
            Lane(
                name="Orders",
                done=412,
                waiting=9,
                excepted=1,
                last_read_at=NOON - timedelta(minutes=11),
                oldest_deadline=NOON + timedelta(minutes=25),
                facts=(("to accept", "4"), ("to post", "5"), ("value today", "31,204.55 GBP")),
                per_minute=tuple(reversed(waves)),
            ),
            Lane(
                name="Dispatch",
                done=388,
                waiting=14,
                excepted=2,
                last_read_at=NOON - timedelta(minutes=2),
                oldest_deadline=NOON - timedelta(minutes=3, seconds=9),
                facts=(("unknown outcome", "1"), ("late risk", "2")),
                per_minute=tuple(value // 3 for value in waves),
            ),
            Lane(
                name="Money",
                done=51,
                waiting=1,
                excepted=0,
                last_read_at=NOON - timedelta(hours=2, minutes=4),
                oldest_deadline=NOON + timedelta(days=3, hours=4),
                facts=(("expected", "48,210.00 GBP"), ("residue", "-0.34 GBP")),
                per_minute=(),
            ),
        ),
        events=12431,
        exceptions_open=open_exceptions,
        money_at_risk=(Money(123456, "GBP"),),
        writes_allowed=writes_allowed,
    )


def an_exception(number: int = 1, **facts: object) -> ExceptionRow:
    kind, severity, subject, owner = _KINDS[number % len(_KINDS)]
    named = subject.format(n=number, d=number % 9 + 1)
    row = ExceptionRow(
        exception_id=f"exception-{number:04}",
        kind=kind,
        severity=severity,
        subject=named,
        message=_MESSAGES[kind].format(s=named),
        next_step=_STEPS[kind],
        owner=owner,
        money_at_risk=Money(1995 * number + 7, "GBP") if number % 3 else None,
        deadline=NOON + timedelta(minutes=17 * number - 20) if number % 5 else None,
        first_seen_at=NOON - timedelta(minutes=31 * number),
        last_seen_at=NOON - timedelta(seconds=50 * number),
        seen=number * 3 % 17 + 1,
        state="open",
    )
    return msgspec.structs.replace(row, **facts)


def some_exceptions(count: int) -> tuple[ExceptionRow, ...]:
    return tuple(an_exception(number) for number in range(1, count + 1))


_TYPES = (
    (
        "OrderImported",
        "order-7001234{n:02}-A",
        "orders",
        '"order_id":"7001234{n:02}-A","lines":2',
    ),
    ("StockRead", "stock-feed", "stock", '"skus":18244,"took_ms":812'),
    ("StockPublished", "sku-AB-{n:04}", "stock", '"sku":"AB-{n:04}","quantity":{n}'),
    ("DispatchConfirmed", "parcel-88{n:04}", "dispatch", '"carrier":"DPD","price":"67.450"'),
    ("PayoutLineTied", "payout-2026-07-03", "settlement", '"amount":-12.30,"line":{n}'),
)


def an_event(position: int = 1, **facts: object) -> EventRow:
    name, stream, by, data = _TYPES[position % len(_TYPES)]
    number = position % 100
    recorded = NOON - timedelta(seconds=max(1, 12431 - position) * 2.25)
    row = EventRow(
        position=position,
        type=name,
        stream=stream.format(n=number),
        revision=position % 7 + 1,
        occurred_at=recorded - timedelta(seconds=1.25),
        recorded_at=recorded,
        by=by,
        correlation_id=sha256(f"work {position // 5}".encode()).hexdigest()[:32],
        causation=position - 1 if position % 5 else None,
        data=f'{{"occurred_at":"2026-07-07T11:00:00Z",{data.format(n=number)}}}',
        hash=sha256(str(position).encode()).hexdigest(),
    )
    return msgspec.structs.replace(row, **facts)


def some_events(count: int, *, last: int = 12431) -> tuple[EventRow, ...]:
    return tuple(an_event(position) for position in range(last - count + 1, last + 1))
