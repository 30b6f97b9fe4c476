"""Money made of values: payouts in each state, one account, what builds up."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec

from kcjl.errors import NotFound
from kcjl.money import Money
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
    PennyStep,
    PennyWay,
    Receipt,
    Term,
    Waiting,
)

__all__ = ["FakeMoney", "a_payout", "some_payouts"]

_NOON = datetime(2026, 7, 7, 11, 0, 0, tzinfo=UTC)


class FakeMoney:
    """Implements `kcjl.readmodels_money.MoneyModels`."""

    def __init__(
        self,
        asked: Callable[[str], Awaitable[None]],
        fresh: Callable[[], Freshness],
        rows: Sequence[PayoutRow],
    ) -> None:
        self.rows = tuple(rows)
        self.total: int | None = None
        """Where there are more than a screen holds."""
        self._asked = asked
        self._fresh = fresh

    async def payouts(self, *, find: str = "", limit: int = 2_000) -> MoneyReading:
        await self._asked(f"payouts find={find} limit={limit}")
        rows = tuple(row for row in self.rows if find in f"{row}".lower())
        total = len(rows) if self.total is None or find else self.total
        return MoneyReading(payouts=rows[:limit], total=total, fresh=self._fresh())

    async def build_up(self) -> BuildUp:
        await self._asked("build_up")
        return _build_up(self._fresh(), empty=not self.rows)

    async def story(self, payout: str) -> PayoutStory:
        await self._asked(f"payout {payout}")
        for row in self.rows:
            if row.payout == payout:
                return _story(row, self._fresh())
        raise NotFound(f"there is no payout {payout}")

    async def ways(self, payout: str, *, find: str = "", limit: int = 20) -> Sequence[PennyWay]:
        await self._asked(f"ways {payout} find={find} limit={limit}")
        return [_way(payout, number) for number in range(1, min(limit, 4) + 1)]


_STATES = ("waiting", "held", "done", "done", "closed", "journal_open")


def a_payout(number: int = 1, **facts: object) -> PayoutRow:
    """The first waits, the second is held, the third is to be entered, the fourth is done."""
    state = _STATES[(number - 1) % len(_STATES)]
    stated = Money(1_234_567 + 98_761 * number)
    booked = state == "done"
    entered = booked and number % 6 != 3
    began = _NOON - timedelta(days=10 * number - 8)
    row = PayoutRow(
        payout=f"2026-{189 - number:03}",
        began_at=began,
        state=state,
        paid="PAID" if booked or state == "held" else "PENDING",
        paid_at=began + timedelta(days=2) if booked else None,
        reference=f"BACS-8891{number:02}" if state != "waiting" else "",
        stated=stated,
        expected=stated + Money(34) if booked else None,
        banked=stated if entered else None,
        residue=Money(-500) if state == "held" else Money(0) if booked else None,
        journals=(f"JL-0123456789{number:02}",) if booked else (),
        to_enter=(f"JL-0123456789{number:02}",) if booked and not entered else (),
        gaps=2 if booked else 0,
        note="the stated amount and the lines differ by -5.00 GBP"
        if state == "held"
        else "gaps: 2, 1 ended since"
        if booked
        else "",
    )
    return msgspec.structs.replace(row, **facts)


def some_payouts(count: int) -> tuple[PayoutRow, ...]:
    rows = [a_payout(number) for number in range(1, count + 1)]
    return tuple(sorted(rows, key=lambda row: row.state != "held"))


def _build_up(fresh: Freshness, *, empty: bool) -> BuildUp:
    if empty:
        return BuildUp(
            amounts=(),
            payable=(),
            lines=0,
            oldest_at=None,
            days=(),
            waiting=(),
            waiting_total=0,
            fresh=fresh,
        )
    days = tuple(
        DayTotal(
            day=date(2026, 6, 30) + timedelta(days=place),
            amount=Money(pence),
            lines=pence // 4_000 + 3,
        )
        for place, pence in enumerate((210_455, 180_210, 244_900, 91_200, 160_075, 233_100))
    )
    waiting = tuple(
        Waiting(
            order_id=f"7001234{place:02}-A" if place else "",
            payment_state="PAYABLE" if place % 3 else "SUBMITTED",
            amount=Money(6_745 * place - 350),
            lines=place + 1,
            since=_NOON - timedelta(days=8, hours=-3 * place),
        )
        for place in range(12)
    )
    total = sum((each.amount for each in days), Money(0))
    return BuildUp(
        amounts=(total, Money(4_410, "EUR")),
        payable=(total - Money(35_000),),
        lines=412,
        oldest_at=waiting[0].since,
        days=days,
        waiting=waiting,
        waiting_total=388,
        fresh=fresh,
    )


def _story(row: PayoutRow, fresh: Freshness) -> PayoutStory:
    booked = row.state == "done"
    fee = Money(-231_400)
    return PayoutStory(
        payout=row,
        terms=(
            Term(name="COMMISSION_FEE", amount=fee, why="210 lines", position=12_210),
            Term(
                name="ORDER_AMOUNT",
                amount=row.stated - fee - (row.residue or Money(0)),
                why="214 lines",
                position=12_210,
            ),
            *(
                (
                    Term(
                        name="residue",
                        amount=row.residue,
                        why="stated, and no line says what of",
                        position=12_209,
                    ),
                )
                if row.residue
                else ()
            ),
        ),
        gaps=(
            Gap(
                kind="commission_rate",
                subject="700123401-A-1",
                charged=Money(-1_349),
                expected=Money(-1_315),
                amount=Money(-34),
                said="charged 20.5 %, agreed 20 %",
                ended="",
                position=12_207,
            ),
            Gap(
                kind="missing_line",
                subject="700123402-A-1",
                charged=Money(0),
                expected=Money(6_745),
                amount=Money(-6_745),
                said="no line of its price has come",
                ended="ended 2026-07-03: it came later",
                position=12_208,
            ),
        )
        if booked
        else (),
        gaps_total=2 if booked else 0,
        untied=("L-99",) if row.state == "held" else (),
        journals=(
            Journal(
                reference=row.journals[0],
                kind="payout",
                posting_date=date(2026, 6, 30),
                place="to enter" if row.to_enter else "4711 in the ledger",
                undone_by="",
                narrative="Marketplace payout of 30 June 2026",
                entries=(
                    Entry(
                        account="1200 Bank",
                        tax_code="",
                        debit=row.stated,
                        credit=Money(0),
                        memo="bank",
                    ),
                    Entry(
                        account="7100 Marketplace Commission",
                        tax_code="T1",
                        debit=-fee,
                        credit=Money(0),
                        memo="commission",
                    ),
                    Entry(
                        account="1100 Debtors",
                        tax_code="T0",
                        debit=Money(0),
                        credit=row.stated - fee,
                        memo="sales",
                    ),
                ),
                position=12_212,
            ),
        )
        if booked
        else (),
        receipts=(
            Receipt(
                number=1,
                amount=row.banked,
                received_on=date(2026, 7, 2),
                said="march.csv line 12, by its reference",
            ),
        )
        if row.banked is not None
        else (),
        moments=tuple(
            PayoutMoment(
                position=12_200 + place,
                type=type_,
                occurred_at=_NOON - timedelta(hours=30 - place),
                recorded_at=_NOON - timedelta(hours=30 - place, minutes=-2 * place),
                by="settlement",
            )
            for place, type_ in enumerate(("BillingCycleSeen", "PayoutHeld", "PayoutClosed"))
        ),
        moments_total=3,
        fresh=fresh,
    )


def _way(payout: str, number: int) -> PennyWay:
    order = f"7001234{number:02}-A"
    return PennyWay(
        line_id=f"L-{number:04}",
        amount=Money(6_745 * number),
        steps=(
            PennyStep(at="payout", name=payout, said="paid, BACS-889101"),
            PennyStep(at="line", name=f"L-{number:04}", said="ORDER_AMOUNT"),
            PennyStep(at="order line", name=f"{order}-1", said=f"{number} of AB-0001"),
            PennyStep(at="sales order", name=f"SO-{number:05}", said=f"as {order}"),
            PennyStep(at="journal line", name="JL-012345678901", said="1100 Debtors, credit"),
        ),
    )
