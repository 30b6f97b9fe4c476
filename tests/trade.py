"""Words for tests: the events of a small trade, and what a fold makes of them.

One seller; orders O1, O2, …; lines O1-1, O1-2, …; SKUs A-1 and B-2; prices in pence. Times are
minutes after eight in the morning.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from kcjl.dispatch.events import (
    LineNotShown,
    ParcelItem,
    ParcelShipped,
    SalesOrderNotShown,
)
from kcjl.fold import Fold
from kcjl.money import Money
from kcjl.orders.events import (
    DeliveryAddressSealed,
    LineOrdered,
    LineStanding,
    OrderChanged,
    OrderReceived,
    OrdersRead,
    PostedLine,
    PostingIntended,
    PostingRefused,
    PostingUnknown,
    SalesOrderForgone,
    SalesOrderFoundAgain,
    SalesOrderMissing,
    SalesOrderPosted,
    SalesOrderVanished,
)
from kcjl.settlement.events import BillingCycleSeen, SettlementLineSeen, TransactionsRead
from kcjl.stock.events import LevelRead, OfferListed, SkuConfirmed, SkuUnmatched, StockRead
from kcjl.vocabulary import Event
from tests.clockwork import MORNING

S = TypeVar("S")

WAITING = "WAITING_ACCEPTANCE"
SHIPPING = "SHIPPING"


def at(minutes: float = 0) -> datetime:
    return MORNING + timedelta(minutes=minutes)


def gbp(pence: int) -> Money:
    return Money(pence, "GBP")


def folded(fold: Fold[S], key: str, events: Iterable[Event]) -> S | None:
    """What the events have made of one entry."""
    entry: S | None = None
    for event in events:
        if key in fold.keys(event):
            entry = fold.evolve(entry, event, key)
    return entry


def made_of(fold: Fold[S], key: str, *events: Event) -> S:
    """The same, where there must be an entry."""
    entry = folded(fold, key, events)
    assert entry is not None
    return entry


# ── orders ──────────────────────────────────────────────────────────────────────────────────


def ordered(
    line_id: str = "O1-1", sku: str = "A-1", quantity: int = 2, unit: int = 1_000
) -> LineOrdered:
    return LineOrdered(
        line_id=line_id,
        sku=sku,
        title="A lamp",
        category_code="lamps",
        quantity=quantity,
        unit_price=gbp(unit),
        price=gbp(unit * quantity),
        shipping_price=gbp(0),
        commission=gbp(300),
        commission_tax=gbp(60),
    )


def received(
    order_id: str = "O1",
    *lines: LineOrdered,
    state: str = WAITING,
    minutes: float = 0,
    updated: float | None = None,
    fulfilled_by_us: bool = True,
) -> OrderReceived:
    lines = lines or (ordered(f"{order_id}-1"),)
    price = sum((line.price for line in lines), gbp(0))
    return OrderReceived(
        order_id=order_id,
        commercial_id=f"C-{order_id}",
        customer_order_number=f"REF-{order_id}",
        state=state,
        accept_by=at(minutes + 24 * 60),
        ship_by=at(minutes + 48 * 60),
        currency="GBP",
        price=price,
        shipping_price=gbp(0),
        total_price=price,
        tax_mode="TAX_INCLUDED",
        shipping_type_code="STD",
        fulfilled_by_us=fulfilled_by_us,
        lines=lines,
        updated_at=None if updated is None else at(updated),
        occurred_at=at(minutes),
    )


def stands(line: LineOrdered, state: str = SHIPPING, refunded: int = 0) -> LineStanding:
    return LineStanding(
        line_id=line.line_id,
        sku=line.sku,
        state=state,
        price=line.price,
        refunded=gbp(refunded),
    )


def changed(
    order: OrderReceived, state: str = SHIPPING, *lines: LineStanding, minutes: float = 5
) -> OrderChanged:
    return OrderChanged(
        order_id=order.order_id,
        state=state,
        ship_by=order.ship_by,
        total_price=order.total_price,
        lines=lines or tuple(stands(line, state) for line in order.lines),
        occurred_at=at(minutes),
    )


def sealed(order_id: str = "O1", minutes: float = 6) -> DeliveryAddressSealed:
    return DeliveryAddressSealed(
        order_id=order_id, vault_ref=f"buyer-{order_id}", occurred_at=at(minutes)
    )


def posted_lines(order: OrderReceived) -> tuple[PostedLine, ...]:
    return tuple(
        PostedLine(
            line_id=line.line_id,
            sku=line.sku,
            stock_code=line.sku.upper(),
            quantity=line.quantity,
            unit_gross=line.unit_price,
        )
        for line in order.lines
    )


def intended(order: OrderReceived, attempt: int = 1, minutes: float = 7) -> PostingIntended:
    return PostingIntended(
        order_id=order.order_id,
        reference=order.customer_order_number,
        attempt=attempt,
        lines=posted_lines(order),
        delivery_gross=order.shipping_price,
        gross_total=order.total_price,
        occurred_at=at(minutes),
    )


def unknown(order: OrderReceived, attempt: int = 1, minutes: float = 8) -> PostingUnknown:
    return PostingUnknown(
        order_id=order.order_id, message="no answer", attempt=attempt, occurred_at=at(minutes)
    )


def missing(order: OrderReceived, attempt: int = 1, minutes: float = 8) -> SalesOrderMissing:
    return SalesOrderMissing(
        order_id=order.order_id,
        reference=order.customer_order_number,
        attempt=attempt,
        occurred_at=at(minutes),
    )


def refused(order: OrderReceived, attempt: int = 1, minutes: float = 8) -> PostingRefused:
    return PostingRefused(
        order_id=order.order_id,
        message="no such stock code",
        attempt=attempt,
        money=order.total_price,
        skus=tuple(line.sku for line in order.lines),
        occurred_at=at(minutes),
    )


def posted(order: OrderReceived, minutes: float = 8) -> SalesOrderPosted:
    return SalesOrderPosted(
        order_id=order.order_id,
        reference=order.customer_order_number,
        erp_order_code=f"SO-{order.order_id}",
        found_by_lookup=False,
        taken_by=at(minutes),
        lines=posted_lines(order),
        gross_total=order.total_price,
        occurred_at=at(minutes),
    )


def not_shown(order: OrderReceived, minutes: float = 20) -> SalesOrderNotShown:
    return SalesOrderNotShown(
        order_id=order.order_id,
        reference=order.customer_order_number,
        last_seen_at=at(minutes - 10),
        lines=tuple(
            LineNotShown(line_id=line.line_id, sku=line.sku, quantity=line.quantity)
            for line in order.lines
        ),
        occurred_at=at(minutes),
    )


def vanished(
    order: OrderReceived, minutes: float = 40, *, still_wanted: bool = True
) -> SalesOrderVanished:
    return SalesOrderVanished(
        order_id=order.order_id,
        reference=order.customer_order_number,
        erp_order_code=f"SO-{order.order_id}",
        last_seen_at=at(10),
        money=order.total_price,
        ship_by=order.ship_by,
        still_wanted=still_wanted,
        left_warehouse=False,
        occurred_at=at(minutes),
    )


def found_again(
    order: OrderReceived, minutes: float = 50, *, was_vanished: bool = True
) -> SalesOrderFoundAgain:
    return SalesOrderFoundAgain(
        order_id=order.order_id,
        reference=order.customer_order_number,
        erp_order_code=f"SO-{order.order_id}",
        taken_by=at(minutes),
        lines=posted_lines(order),
        was_vanished=was_vanished,
        occurred_at=at(minutes),
    )


def forgone(order: OrderReceived, minutes: float = 50) -> SalesOrderForgone:
    return SalesOrderForgone(
        order_id=order.order_id,
        reference=order.customer_order_number,
        reason="the order is refunded in whole",
        lines=posted_lines(order),
        occurred_at=at(minutes),
    )


def orders_read(minutes: float) -> OrdersRead:
    return OrdersRead(cursor=at(minutes), read=1, swept=False, occurred_at=at(minutes))


# ── stock ───────────────────────────────────────────────────────────────────────────────────


def listed(sku: str = "A-1", quantity: int = 5, minutes: float = 0) -> OfferListed:
    return OfferListed(
        sku=sku, offer_id=7, title="A lamp", quantity=quantity, occurred_at=at(minutes)
    )


def confirmed(
    sku: str = "A-1",
    *,
    discontinued: bool = False,
    stock_controlled: bool = True,
    multiple: int | None = None,
    cap: int | None = None,
    minutes: float = 0,
) -> SkuConfirmed:
    return SkuConfirmed(
        sku=sku,
        stock_code=sku.upper(),
        discontinued=discontinued,
        run_to_zero=False,
        stock_controlled=stock_controlled,
        sales_multiple=multiple,
        display_cap=cap,
        occurred_at=at(minutes),
    )


def unmatched(sku: str = "A-1", *nearest: str, minutes: float = 0) -> SkuUnmatched:
    return SkuUnmatched(sku=sku, nearest=nearest, occurred_at=at(minutes))


def level(
    units: str | int,
    sku: str = "A-1",
    *,
    status: int | None = 0,
    minutes: float = 1,
    finished: float | None = None,
) -> LevelRead:
    return LevelRead(
        sku=sku,
        levels=(("1", Decimal(units)),),
        status=status,
        finished_at=None if finished is None else at(finished),
        occurred_at=at(minutes),
    )


def stock_read(minutes: float, finished: float | None = None) -> StockRead:
    return StockRead(
        finished_at=at(minutes if finished is None else finished),
        cursor=at(minutes),
        products=1,
        occurred_at=at(minutes),
    )


# ── dispatch ────────────────────────────────────────────────────────────────────────────────


def shipped(
    order_id: str = "O1",
    parcel_key: str = "INV1/1",
    *items: tuple[str, int],
    courier: str = "DPD Next Day",
    code: str | None = "DPD",
    tracking: str = "15500000000001",
    complete: bool = True,
    minutes: float = 30,
) -> ParcelShipped:
    return ParcelShipped(
        order_id=order_id,
        parcel_key=parcel_key,
        reference=f"REF-{order_id}",
        erp_complete=complete,
        courier_name=courier,
        courier_code=code,
        tracking_number=tracking,
        shipped_on=date(2026, 10, 1),
        items=tuple(
            ParcelItem(stock_code=code, quantity=units)
            for code, units in items or (("A-1", 2),)
        ),
        deadline=at(48 * 60),
        occurred_at=at(minutes),
    )


# ── settlement ──────────────────────────────────────────────────────────────────────────────


def money_line(
    line_id: str = "L1",
    amount: int = 2_000,
    kind: str = "ORDER_AMOUNT",
    *,
    cycle: str | None = "CY1",
    order_id: str | None = "O1",
    minutes: float = 60,
) -> SettlementLineSeen:
    return SettlementLineSeen(
        line_id=line_id,
        kind=kind,
        amount=gbp(amount),
        payment_state="PAYABLE",
        cycle_id=cycle,
        voucher=None,
        document_number=None,
        order_id=order_id,
        order_line_id=None if order_id is None else f"{order_id}-1",
        refund_id=None,
        customer_order_number=None if order_id is None else f"REF-{order_id}",
        occurred_at=at(minutes),
    )


def cycle_seen(
    amount: int = 2_000, state: str = "PAID", *, cycle: str = "CY1", minutes: float = 120
) -> BillingCycleSeen:
    return BillingCycleSeen(
        cycle_id=cycle,
        currency="GBP",
        amount_to_seller=gbp(amount),
        amount_to_operator=gbp(0),
        payout_state=state,
        payout_reference="BACS 1",
        paid_at=at(180) if state == "PAID" else None,
        failure_reason=None,
        voucher=None,
        occurred_at=at(minutes),
    )


def transactions_read(minutes: float) -> TransactionsRead:
    return TransactionsRead(cursor=at(minutes), read=1, occurred_at=at(minutes))
