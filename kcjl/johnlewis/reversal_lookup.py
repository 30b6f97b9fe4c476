"""Reversals, the rules: the taxes of a share, and whether one whose outcome is open is there.

Promises: pure. `refund_of` and `cancelation_of` name each tax of the line in proportion, to the
penny, and what is left with the last share; `find_reversal` says THERE, NOT_THERE, TOO_EARLY
or UNCLEAR, and never NOT_THERE while the request may still be under way.
It sends nothing, and knows no journal: ids that belong to other intentions are handed in.
Invariant: only NOT_THERE allows a repeat. Called by the actors that move money.
Source: contract johnlewis b.3, d.5 (match by line, amount, reason, time), e.5, f.10.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import msgspec

from kcjl.johnlewis.order_port import (
    Cancelation,
    Order,
    OrderLine,
    OrderState,
    Refund,
    TaxAmount,
)
from kcjl.johnlewis.reversal_port import CancelationRequest, RefundRequest, ReversalRequest
from kcjl.money import Money, half_up

__all__ = [
    "Finding",
    "Found",
    "ReversalIntention",
    "cancelation_of",
    "find_order_cancelation",
    "find_reversal",
    "refund_of",
]

CLOCKS_APART_MAX = timedelta(minutes=5)
"""Their clock and ours may differ by so much."""

UNDER_WAY_MAX = timedelta(minutes=3)
"""A request may still arrive so long after it was sent: above our deadlines, and theirs."""


class Found(StrEnum):
    """What a look at the order says of a reversal whose outcome is open."""

    THERE = "THERE"
    NOT_THERE = "NOT_THERE"
    """It may be sent again."""
    TOO_EARLY = "TOO_EARLY"
    """It is not there, but may still arrive: look again later."""
    UNCLEAR = "UNCLEAR"
    """Something is there that may be it: a person decides."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    found: Found
    reversal_id: str | None = None
    """There when it is THERE."""
    message: str = ""


class ReversalIntention(msgspec.Struct, frozen=True, kw_only=True):
    """What we meant to do, and when we sent it."""

    request: RefundRequest | CancelationRequest
    intended_at: datetime


# ── the taxes of a share ────────────────────────────────────────────────────────────────────


def refund_of(
    order: Order,
    line: OrderLine,
    *,
    amount: Money,
    shipping_amount: Money,
    reason_code: str,
    quantity: int = 0,
    excluded_from_shipment: bool = False,
) -> RefundRequest:
    """A refund of the line with its taxes in proportion (contract b.3, f.10)."""
    return RefundRequest(
        line_id=line.line_id,
        amount=amount,
        shipping_amount=shipping_amount,
        reason_code=reason_code,
        tax_mode=order.tax_mode,
        quantity=quantity,
        taxes=_share(line.taxes, amount, line.price, line.refunds, _of_goods),
        shipping_taxes=_share(
            line.shipping_taxes,
            shipping_amount,
            line.shipping_price,
            line.refunds,
            _of_shipping,
        ),
        excluded_from_shipment=excluded_from_shipment,
    )


def cancelation_of(
    order: Order,
    line: OrderLine,
    *,
    amount: Money,
    shipping_amount: Money,
    reason_code: str,
    quantity: int,
) -> CancelationRequest:
    """A cancelation with the taxes in proportion to what stands on the line now: former
    cancelations have lowered its price and its taxes already.
    """
    return CancelationRequest(
        line_id=line.line_id,
        amount=amount,
        shipping_amount=shipping_amount,
        reason_code=reason_code,
        tax_mode=order.tax_mode,
        quantity=quantity,
        taxes=_share(line.taxes, amount, line.price, (), _of_goods),
        shipping_taxes=_share(
            line.shipping_taxes, shipping_amount, line.shipping_price, (), _of_shipping
        ),
    )


_Side = Callable[[Refund], tuple[Money, tuple[TaxAmount, ...]]]


def _of_goods(refund: Refund) -> tuple[Money, tuple[TaxAmount, ...]]:
    return refund.amount, refund.taxes


def _of_shipping(refund: Refund) -> tuple[Money, tuple[TaxAmount, ...]]:
    return refund.shipping_amount, refund.shipping_taxes


def _share(
    taxes: Sequence[TaxAmount],
    amount: Money,
    whole: Money,
    refunds: Sequence[Refund],
    side: _Side,
) -> tuple[TaxAmount, ...]:
    """Each tax in proportion, half up, and never more than is left of it; with the last of the
    money goes the last of the tax.
    """
    gone = sum((side(refund)[0] for refund in refunds), Money(0, whole.currency))
    told = all(side(refund)[1] or not side(refund)[0] for refund in refunds)
    is_last = told and bool(amount) and gone + amount == whole
    part = Decimal(amount.amount_minor) / (whole.amount_minor or 1)
    shares: list[TaxAmount] = []
    for tax in taxes:
        given_back = sum(
            each.amount.amount_minor
            for refund in refunds
            for each in side(refund)[1]
            if each.code == tax.code
        )
        left = max(tax.amount.amount_minor - given_back, 0)
        in_proportion = half_up(tax.amount.amount_minor * part) if whole else 0
        minor = left if is_last else min(in_proportion, left)
        shares.append(TaxAmount(code=tax.code, amount=Money(minor, whole.currency)))
    return tuple(shares)


# ── is it there? ────────────────────────────────────────────────────────────────────────────


def find_reversal(
    before: Order | None,
    after: Order,
    intention: ReversalIntention,
    *,
    read_at: datetime,
    known: Collection[str] = (),
) -> Finding:
    """Whether the reversal that we intended is on the order.

    `before`: the order as it was read before the sending, if it was; what stood there is not
    ours. `after`: as it was read from `read_at` on. `known`: ids of reversals that belong to
    other intentions of ours.
    """
    request = intention.request
    line = next((each for each in after.lines if each.line_id == request.line_id), None)
    if line is None:
        return _unclear(f"order {after.order_id} shows no line {request.line_id}")
    former = _ids(before, request) | set(known)
    # Their stamps have whole seconds: the part of one must not make ours somebody else's.
    earliest = (intention.intended_at - CLOCKS_APART_MAX).replace(microsecond=0)
    fresh = [
        each
        for each in _reversals(line, request)
        if _id(each) not in former and (each.created_at is None or each.created_at >= earliest)
    ]
    if same := [each for each in fresh if _is_as_asked(each, request)]:
        return Finding(found=Found.THERE, reversal_id=_id(min(same, key=_age)))
    modes_differ = after.tax_mode != request.tax_mode
    if near := [each for each in fresh if modes_differ or _may_be(each, request)]:
        seen = ", ".join(_told(each) for each in near)
        return _unclear(
            f"line {line.line_id} has {seen}, and we asked for {request.amount} and "
            f"{request.shipping_amount} shipping with reason {request.reason_code}"
        )
    if read_at < intention.intended_at + UNDER_WAY_MAX:
        return Finding(
            found=Found.TOO_EARLY,
            message=f"line {line.line_id} was read while the request may still be under way",
        )
    return Finding(found=Found.NOT_THERE)


def find_order_cancelation(
    after: Order, *, intended_at: datetime, read_at: datetime
) -> Finding:
    """Whether OR29 was done: the order, or every line that is not refused, is CANCELED."""
    live = [line for line in after.lines if line.state != OrderState.REFUSED]
    if after.state == OrderState.CANCELED or (
        live and all(line.state == OrderState.CANCELED for line in live)
    ):
        return Finding(found=Found.THERE)
    if any(line.state == OrderState.CANCELED for line in live):
        return _unclear(f"only a part of order {after.order_id} is cancelled")
    if read_at < intended_at + UNDER_WAY_MAX:
        return Finding(found=Found.TOO_EARLY)
    return Finding(found=Found.NOT_THERE)


def _reversals(
    line: OrderLine, request: ReversalRequest
) -> tuple[Refund, ...] | tuple[Cancelation, ...]:
    return line.refunds if isinstance(request, RefundRequest) else line.cancelations


def _ids(order: Order | None, request: ReversalRequest) -> set[str]:
    lines = order.lines if order else ()
    return {_id(each) for line in lines for each in _reversals(line, request)}


def _id(reversal: Refund | Cancelation) -> str:
    return reversal.refund_id if isinstance(reversal, Refund) else reversal.cancelation_id


def _is_as_asked(reversal: Refund | Cancelation, request: ReversalRequest) -> bool:
    return (reversal.amount, reversal.shipping_amount, reversal.reason_code) == (
        request.amount,
        request.shipping_amount,
        request.reason_code,
    )


def _may_be(reversal: Refund | Cancelation, request: ReversalRequest) -> bool:
    """The same money in all, or the same reason; anything else is somebody else's."""
    in_all = reversal.amount + reversal.shipping_amount
    return (
        in_all == request.amount + request.shipping_amount
        or reversal.reason_code == request.reason_code
    )


def _age(reversal: Refund | Cancelation) -> tuple[float, str]:
    created = reversal.created_at
    return (created.timestamp() if created else float("inf"), _id(reversal))


def _told(reversal: Refund | Cancelation) -> str:
    return (
        f"{_id(reversal)}: {reversal.amount} and {reversal.shipping_amount} shipping "
        f"with reason {reversal.reason_code}"
    )


def _unclear(message: str) -> Finding:
    return Finding(found=Found.UNCLEAR, message=message)
