"""Orders and parcels made of values, for the monitor's tests."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from kcjl.money import Money
from kcjl.readmodels import Freshness
from kcjl.readmodels_dispatch import (
    DeadlineHour,
    DispatchList,
    DispatchStory,
    MetricTold,
    ParcelRow,
    ParcelTold,
    SpanTold,
    TimeTold,
)
from kcjl.readmodels_orders import LifeEvent, OrderLine, OrderList, OrderRow, OrderStory

__all__ = ["NOON", "FakeDispatch", "FakeOrders", "a_parcel_row", "an_order_row"]

NOON = datetime(2026, 7, 7, 11, 0, 0, tzinfo=UTC)
"""A Tuesday noon in London, on summer time."""

Asked = Callable[[str], Awaitable[None]]
"""Counts a question, and holds its answer back."""

_STANDINGS = (
    ("held", "WAITING_ACCEPTANCE"),
    ("received", "WAITING_ACCEPTANCE"),
    ("ready", "SHIPPING"),
    ("posting", "SHIPPING"),
    ("posted", "SHIPPING"),
    ("shipped", "SHIPPED"),
    ("closed", "CLOSED"),
    ("cancelled", "CANCELED"),
)
_PARCELS = (
    ("refused", "confirming", "us"),
    ("unmapped", "unmapped", "person"),
    ("open", "confirming", "us"),
    ("no_tracking", "untracked", "warehouse"),
    ("shipped", "confirming", "us"),
    ("confirmed", "confirmed", ""),
)
_COURIERS = ("DPD Next Day", "Royal Mail Tracked 24", "DPD Local", "Yodel")


def an_order_row(number: int, **facts: object) -> OrderRow:
    standing, state = _STANDINGS[number % len(_STANDINGS)]
    posted = standing in ("posted", "shipped", "closed")
    row = OrderRow(
        order_id=f"7001234{number:02}-A",
        standing=standing,
        marketplace_state=state,
        deadline=NOON + timedelta(minutes=37 * number - 60),
        late=number < 2,
        total=Money(1995 * number + 1250, "GBP"),
        skus=(f"8512{number % 7}A", *(("LAMP-7",) if number % 3 == 0 else ())),
        placed_at=NOON - timedelta(minutes=91 * number + 5),
        reference=f"JL{number:08}",
        erp_order_code=f"SO{70_000 + number}" if posted else "",
        held="above 250.00 GBP, and the policy wants a person to look" * (standing == "held"),
        rule="large" if standing == "held" else "",
        policy_version=3 if standing == "held" else 0,
    )
    return msgspec.structs.replace(row, **facts)


class FakeOrders:
    """Implements `OrdersReading`."""

    def __init__(self, asked: Asked, fresh: Callable[[], Freshness], *, rows: int) -> None:
        self._asked = asked
        self._fresh = fresh
        self._count = rows

    async def list(self, *, find: str = "", limit: int = 1_000) -> OrderList:
        await self._asked(f"orders find={find} limit={limit}")
        rows = tuple(an_order_row(n) for n in range(self._count))
        found = [row for row in rows if find in f"{row.order_id} {row.skus}".lower()]
        return OrderList(
            rows=tuple(found[:limit]),
            total=len(found) if find else (12_431 if rows else 0),
            open=sum(row.standing not in ("shipped", "closed", "cancelled") for row in rows),
            found_in=find,
            searched=0,
            fresh=self._fresh(),
        )

    async def story(self, order_id: str) -> OrderStory | None:
        await self._asked(f"order {order_id}")
        row = an_order_row(int(order_id[7:9]))
        return OrderStory(
            order_id=row.order_id,
            standing=row.standing,
            marketplace_state=row.marketplace_state,
            deadline=row.deadline,
            late=row.late,
            reference=row.reference,
            erp_order_code=row.erp_order_code,
            total=row.total,
            buyer="masked",
            country="GBR",
            held=row.held,
            rule=row.rule,
            policy_version=row.policy_version,
            acceptance="none",
            posting="none",
            posting_attempts=0,
            lines=tuple(
                OrderLine(
                    line_id=f"{row.order_id}-{place}",
                    sku=sku,
                    quantity=place,
                    price=Money(995, "GBP"),
                    state=row.marketplace_state,
                    refunded=Money(0 if place == 1 else 100, "GBP"),
                )
                for place, sku in enumerate(row.skus, start=1)
            ),
            events=_life(row.order_id, row.placed_at),
            cut=False,
        )


def _life(order_id: str, began: datetime) -> tuple[LifeEvent, ...]:
    told = (
        (0, "OrderReceived", "order", 0, 95, "WAITING_ACCEPTANCE, 12.50 GBP: 1 of 85120A"),
        (1, "OrderHeld", "order", 96, 96, "above 250.00 GBP, policy"),
        (2, "OrderReleased", "order", 700, 700, "looked at it, fine"),
        (1, "AcceptanceIntended", "order", 705, 705, "1 lines accepted, 0 refused"),
        (2, "AcceptanceConfirmed", "order", 702, 706, ""),
        (1, "PostingIntended", "order", 900, 900, "attempt 1, JL00000001, 12.50 GBP"),
        (2, "PostingRefused", "order", 901, 901, "STOCK_CODE not known: 85120A"),
        (3, "ExceptionRaised", "exception-posting_refused", 902, 902, "posting_refused"),
    )
    return tuple(
        LifeEvent(
            depth=depth,
            position=12_000 + place * 7,
            type=name,
            stream=f"{stream}-{order_id}",
            occurred_at=began + timedelta(seconds=true_s),
            recorded_at=began + timedelta(seconds=learnt_s),
            by="orders",
            correlation_id="c1",
            causation=None,
            said=said,
        )
        for place, (depth, name, stream, true_s, learnt_s, said) in enumerate(told)
    )


def a_parcel_row(number: int, **facts: object) -> ParcelRow:
    state, stage, whose = _PARCELS[number % len(_PARCELS)]
    order_id, parcel_key = f"7001234{number:02}-A", f"IN9{number:04}/1"
    tried = state in ("refused", "open", "confirmed")
    row = ParcelRow(
        key=f"{order_id}/{parcel_key}",
        order_id=order_id,
        parcel_key=parcel_key,
        state=state,
        stage=stage,
        whose=whose,
        standing="late" if number < 2 else "at_risk" if number < 5 else "in_time",
        deadline=NOON + timedelta(minutes=43 * number - 60),
        own_deadline=NOON + timedelta(hours=1),
        since=NOON - timedelta(minutes=12 * number + 3),
        courier=_COURIERS[number % len(_COURIERS)],
        carrier="DPD" if tried else "",
        number="" if state == "no_tracking" else f"1550{number:010}",
        attempts=number % 4 + 1 if tried else 0,
        message="400: tracking number is not valid for this carrier" * (state == "refused"),
        skus=(f"8512{number % 7}A",),
        total=Money(1995 * number + 1250, "GBP"),
    )
    return msgspec.structs.replace(row, **facts)


def _waiting_row(number: int) -> ParcelRow:
    """An order of which nothing is shipped."""
    row = a_parcel_row(number, parcel_key="", state="picking", stage="picking")
    return msgspec.structs.replace(
        row,
        key=row.order_id,
        whose="warehouse",
        courier="",
        carrier="",
        number="",
        attempts=0,
        message="",
    )


class FakeDispatch:
    """Implements `DispatchReading`."""

    def __init__(self, asked: Asked, fresh: Callable[[], Freshness], *, rows: int) -> None:
        self._asked = asked
        self._fresh = fresh
        self._count = rows

    async def list(self, *, find: str = "", limit: int = 1_000) -> DispatchList:
        await self._asked(f"dispatch find={find} limit={limit}")
        rows = tuple(
            _waiting_row(n) if n % 7 == 6 else a_parcel_row(n) for n in range(self._count)
        )
        found = [row for row in rows if find in f"{row.key} {row.number}".lower()]
        metrics = (
            ("late_shipment_rate", "0.021", "0.04"),
            ("valid_tracking_rate", "0.988", "0.95"),
        )
        return DispatchList(
            rows=tuple(found[:limit]),
            orders=len(found[:limit]),
            total=len(found) if find else len(rows),
            open=sum(row.stage != "confirmed" for row in rows),
            late=sum(row.standing == "late" for row in rows),
            found_in=find,
            searched=0,
            hours=tuple(
                DeadlineHour(at=NOON + timedelta(hours=h), orders=(h * 5) % 11 if rows else 0)
                for h in range(24)
            ),
            metrics=tuple(
                MetricTold(
                    metric=name,
                    period="LAST_MONTH",
                    theirs=Decimal(rate),
                    threshold=Decimal(most),
                )
                for name, rate, most in metrics
            )
            if rows
            else (),
            metrics_read_at=NOON - timedelta(hours=2) if rows else None,
            silent_since=None,
            fresh=self._fresh(),
        )

    async def story(self, order_id: str) -> DispatchStory | None:
        await self._asked(f"dispatch of {order_id}")
        row = a_parcel_row(int(order_id[7:9]))
        marks = [NOON - timedelta(hours=each) for each in (30, 28, 27, 22, 20, 1)]
        stages = (
            ("accepting", "us"),
            ("posting", "us"),
            ("to_pick", "warehouse"),
            ("picking", "warehouse"),
            ("confirming", "us"),
        )
        return DispatchStory(
            order_id=order_id,
            stage=row.stage,
            marketplace_state="SHIPPING",
            standing=row.standing,
            ordered_at=marks[0],
            ready_at=marks[1],
            confirmed_at=None,
            deadline=row.deadline,
            own_deadline=row.own_deadline,
            erp_order_code="SO70001",
            total=row.total,
            spans=tuple(
                SpanTold(
                    stage=stage,
                    whose=whose,
                    began=began,
                    ended=None if stage == "confirming" else ended,
                    elapsed_s=int((ended - began).total_seconds()),
                    business_s=int((ended - began).total_seconds()) // 3,
                )
                for (stage, whose), began, ended in zip(
                    stages, marks[:-1], marks[1:], strict=True
                )
            ),
            spent=(
                TimeTold(whose="us", business_s=8_000, elapsed_s=80_000),
                TimeTold(whose="warehouse", business_s=7_000, elapsed_s=25_200),
            ),
            parcels=(
                ParcelTold(
                    parcel_key=row.parcel_key,
                    state=row.state,
                    number_state="told",
                    courier=row.courier,
                    carrier=row.carrier,
                    number=row.number,
                    number_told=row.number,
                    attempts=row.attempts,
                    message=row.message,
                    shipment_id="",
                    items=(("85120A", 1),),
                ),
            ),
            events=_life(order_id, marks[0])[5:],
            cut=False,
        )

    async def carriers(self) -> tuple[tuple[str, str], ...]:
        await self._asked("carriers")
        return (("DPD", "DPD UK"), ("RMTRACKED", "Royal Mail Tracked"), ("YODEL", "Yodel"))
