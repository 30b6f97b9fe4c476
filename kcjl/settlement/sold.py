"""Settlement's view of an order: what it sold for, what was taken back, who has it.

Promises: pure; the same events give the same entries; amounts are the marketplace's own. A line
of which anything was cancelled is marked, since what is then left of it is told nowhere whole.
It decides nothing. Called by `matching.py`, `expectation.py` and the settlement room.
"""

from datetime import datetime

import msgspec

from kcjl.fold import Fold
from kcjl.money import Money
from kcjl.orders.events import (
    OrderChanged,
    OrderEvent,
    OrderPassedOver,
    OrderReceived,
    SalesOrderPosted,
)
from kcjl.orders.events_changes import (
    LineCancelled,
    LineRefunded,
    LineWithdrawn,
    ReturnOpened,
    ReturnReceived,
)
from kcjl.orders.posting_events import TotalsCompared
from kcjl.settlement.events import SettlementLineSeen
from kcjl.vocabulary import Event

__all__ = ["ORDER_MONEY", "SOLD", "OrderMoney", "SoldLine", "SoldOrder", "SoldRefund"]


class SoldLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A line as it was sold."""

    line_id: str
    sku: str
    category_code: str
    price: Money
    shipping: Money
    commission: Money
    """The fee that the order itself states, for price and shipping as they are here."""
    commission_tax: Money
    cancelled: bool = False
    """Something of it was cancelled: the amounts here are not what it will bring."""


class SoldRefund(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Money that went back for a line."""

    refund_id: str
    line_id: str
    amount: Money
    shipping: Money


class SoldOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order, as far as money goes."""

    order_id: str
    reference: str = ""
    erp_order_code: str = ""
    passed_over: str = ""
    """Why it is not ours to post; empty: it is."""
    placed_at: datetime | None = None
    tax_mode: str = ""
    lines: tuple[SoldLine, ...] = ()
    refunds: tuple[SoldRefund, ...] = ()
    withdrawn: tuple[str, ...] = ()
    """Lines that were given up before the goods left: nothing of them has to come back."""
    returns: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(return id, its lines) of goods that are to come back."""
    returned: tuple[str, ...] = ()
    """Lines of which goods have come back."""
    erp_off: Money | None = None
    """The ERP's total less ours, where they differ."""

    def line(self, line_id: str | None) -> SoldLine | None:
        return next((each for each in self.lines if each.line_id == line_id), None)


HEARS = (
    OrderReceived,
    OrderChanged,
    OrderPassedOver,
    SalesOrderPosted,
    TotalsCompared,
    LineCancelled,
    LineRefunded,
    LineWithdrawn,
    ReturnOpened,
    ReturnReceived,
)


def _keys(event: Event) -> tuple[str, ...]:
    return (
        (event.order_id,) if isinstance(event, OrderEvent) and isinstance(event, HEARS) else ()
    )


def _evolve(entry: SoldOrder | None, event: Event, key: str) -> SoldOrder | None:
    known = entry or SoldOrder(order_id=key)
    replace = msgspec.structs.replace
    match event:
        case OrderReceived():
            return _received(known, event)
        case OrderPassedOver():
            return replace(known, passed_over=event.reason)
        case SalesOrderPosted():
            return replace(
                known, reference=event.reference, erp_order_code=event.erp_order_code
            )
        case TotalsCompared():
            return replace(known, erp_off=None if event.agree else event.erp - event.ours)
        case OrderChanged() if entry is not None:
            return _repriced(known, {each.line_id: each.price for each in event.lines})
        case _:
            return entry if entry is None else _changed(entry, event)


def _changed(known: SoldOrder, event: Event) -> SoldOrder:
    replace = msgspec.structs.replace
    match event:
        case LineCancelled():
            lines = tuple(
                replace(each, cancelled=True) if each.line_id == event.line_id else each
                for each in known.lines
            )
            return replace(known, lines=lines)
        case LineRefunded():
            refund = SoldRefund(
                refund_id=event.refund_id,
                line_id=event.line_id,
                amount=event.amount,
                shipping=event.shipping_amount,
            )
            others = tuple(
                each
                for each in known.refunds
                if (each.refund_id, each.line_id) != (refund.refund_id, refund.line_id)
            )
            return replace(known, refunds=(*others, refund))
        case LineWithdrawn():
            return replace(known, withdrawn=_with(known.withdrawn, event.line_id))
        case ReturnOpened():
            others_ = tuple(each for each in known.returns if each[0] != event.return_id)
            lines_ = tuple(each.line_id for each in event.lines)
            return replace(known, returns=(*others_, (event.return_id, lines_)))
        case ReturnReceived():
            back = known.returned
            for return_id, line_ids in known.returns:
                if return_id == event.return_id:
                    back = _with(back, *line_ids)
            return replace(known, returned=back)
        case _:
            return known


def _received(known: SoldOrder, event: OrderReceived) -> SoldOrder:
    return msgspec.structs.replace(
        known,
        reference=known.reference or event.customer_order_number,
        placed_at=event.occurred_at,
        tax_mode=event.tax_mode,
        lines=tuple(
            SoldLine(
                line_id=line.line_id,
                sku=line.sku,
                category_code=line.category_code,
                price=line.price,
                shipping=line.shipping_price,
                commission=line.commission,
                commission_tax=line.commission_tax,
            )
            for line in event.lines
        ),
    )


def _repriced(known: SoldOrder, prices: dict[str, Money]) -> SoldOrder:
    """A price that the marketplace has lowered is that of a line with a cancelation."""
    lines = tuple(
        msgspec.structs.replace(each, cancelled=True)
        if prices.get(each.line_id, each.price) != each.price
        else each
        for each in known.lines
    )
    return known if lines == known.lines else msgspec.structs.replace(known, lines=lines)


def _with(known: tuple[str, ...], *more: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *more)))


SOLD: Fold[SoldOrder] = Fold(_keys, _evolve, SoldOrder, hears=HEARS)


# ── its transaction lines ───────────────────────────────────────────────────────────────────


class OrderMoney(msgspec.Struct, frozen=True, kw_only=True):
    """Which transaction lines an order has, in whatever cycle."""

    line_ids: tuple[str, ...]


def _order_keys(event: Event) -> tuple[str, ...]:
    if isinstance(event, SettlementLineSeen) and event.order_id is not None:
        return (event.order_id,)
    return ()


def _evolve_order(entry: OrderMoney | None, event: Event, _key: str) -> OrderMoney | None:
    if not isinstance(event, SettlementLineSeen):
        return entry
    known = entry.line_ids if entry is not None else ()
    if event.line_id in known:
        return entry
    return OrderMoney(line_ids=(*known, event.line_id))


ORDER_MONEY: Fold[OrderMoney] = Fold(
    _order_keys, _evolve_order, OrderMoney, hears=(SettlementLineSeen,)
)
