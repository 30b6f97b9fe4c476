"""Refunds and cancelations: OR28, OR29 and OR30.

Promises: one line a call (contract g), one request a call, never repeated by itself. A 2xx that
names the line is done; one that talks of errors is `Refused`; one that says neither is
`OutcomeUnknown`. It does not judge whether money may go back.
Invariant: the safe way to repeat is `reversal_lookup.find_reversal` on the order read before
and after; OR29 is done when the order stands at CANCELED.
Called by `seller_api.py`, of which it is a part. Source: contract johnlewis b.3, d.4, d.5.
"""

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import TypeVar

import msgspec

from kcjl.errors import OutcomeUnknown, ProtocolSurprise, Refused, Unavailable
from kcjl.johnlewis.asking import json_of, segment
from kcjl.johnlewis.calls import AreaCalls
from kcjl.johnlewis.order_port import TaxAmount
from kcjl.johnlewis.reading import (
    holds,
    optional,
    plain_text,
    rounded,
    text,
    whole,
    words_of_refusal,
)
from kcjl.johnlewis.request import Answer, Call
from kcjl.johnlewis.reversal_port import (
    CancelationRequest,
    ItemResult,
    RefundRequest,
    ReversalMade,
    ReversalOutcome,
    ReversalRequest,
)
from kcjl.johnlewis.wire import decoded
from kcjl.johnlewis.wire_values import WireAsked, WireId, WireNumber, WireRead, WireText
from kcjl.money import Money

__all__ = ["ReversalCalls", "reversal_made"]

_Request = TypeVar("_Request", bound=ReversalRequest)


class WireTaxAsked(WireAsked, frozen=True, kw_only=True):
    code: str
    amount: Decimal


class WireReversalAsked(WireAsked, frozen=True, kw_only=True):
    """OR28 and OR30: what we write of one line. What is mandatory is None by no default."""

    order_line_id: str
    amount: Decimal
    shipping_amount: Decimal
    quantity: int
    reason_code: str
    currency_iso_code: str | None = None
    excluded_from_shipment: bool | None = None
    taxes: list[WireTaxAsked]
    shipping_taxes: list[WireTaxAsked]


class WireReversalMade(WireRead, frozen=True, kw_only=True):
    refund_id: WireId = None
    cancelation_id: WireId = None
    id: WireId = None
    order_refund_id: WireId = None
    order_line_id: WireId = None
    amount: WireNumber = None
    shipping_amount: WireNumber = None
    quantity: WireNumber = None
    reason_code: WireText = None


class ReversalCalls(AreaCalls):
    """Taking money off order lines."""

    async def refund(self, request: RefundRequest) -> ReversalMade:
        """OR28 of one line. A second one pays twice: see `find_reversal` before a repeat."""
        asked = _asked(request, excluded=request.excluded_from_shipment)
        return await self._reverse("OR28", "refund", "refunds", request, asked)

    async def refund_lines(self, requests: Sequence[RefundRequest]) -> list[ReversalOutcome]:
        """OR28 for each line, one call each; it stops where an outcome is not known."""
        return await _one_by_one(requests, self.refund)

    async def cancel_line(self, request: CancelationRequest) -> ReversalMade:
        """OR30 of one line. See `find_reversal` before a repeat."""
        asked = _asked(request, excluded=None)
        return await self._reverse("OR30", "cancel", "cancelations", request, asked)

    async def cancel_lines(
        self, requests: Sequence[CancelationRequest]
    ) -> list[ReversalOutcome]:
        """OR30 for each line, one call each; it stops where an outcome is not known."""
        return await _one_by_one(requests, self.cancel_line)

    async def cancel_order(self, order_id: str) -> None:
        """OR29, the whole order. Repeating: read the order; CANCELED is done."""
        call = Call(
            operation="OR29",
            method="PUT",
            path=f"/api/orders/{segment(order_id)}/cancel",
            subject=f"of order {order_id}",
        )
        await self._http.send(call)

    async def _reverse(
        self,
        operation: str,
        action: str,
        name: str,
        request: ReversalRequest,
        asked: WireReversalAsked,
    ) -> ReversalMade:
        body = {"order_tax_mode": request.tax_mode, name: [asked]}
        call = Call(
            operation=operation,
            method="PUT",
            path=f"/api/orders/{action}",
            subject=f"of line {request.line_id}",
            json=json_of(body),
        )

        def made(answer: Answer) -> ReversalMade:
            return reversal_made(answer.body, str(call), name, request)

        try:
            return made(await self._http.send(call, judge=made))
        except ProtocolSurprise as surprise:
            raise OutcomeUnknown(surprise.message) from None


def _asked(request: ReversalRequest, *, excluded: bool | None) -> WireReversalAsked:
    """A refund names its currency, as it always may; OR30 knows no such field."""
    return WireReversalAsked(
        order_line_id=request.line_id,
        amount=request.amount.decimal(),
        shipping_amount=request.shipping_amount.decimal(),
        quantity=request.quantity,
        reason_code=request.reason_code,
        currency_iso_code=None if excluded is None else request.amount.currency,
        excluded_from_shipment=excluded,
        taxes=_taxes(request.taxes),
        shipping_taxes=_taxes(request.shipping_taxes),
    )


def _taxes(taxes: Sequence[TaxAmount]) -> list[WireTaxAsked]:
    return [WireTaxAsked(code=tax.code, amount=tax.amount.decimal()) for tax in taxes]


def reversal_made(body: bytes, what: str, name: str, request: ReversalRequest) -> ReversalMade:
    """The reversal of the line that was asked for, out of a 2xx answer.

    Raises Refused where the answer holds errors and no reversal of the line, ProtocolSurprise
    where it holds neither.
    """
    answer = decoded(body, dict[str, msgspec.Raw], what)
    if told := holds(answer.get(name, msgspec.Raw(b""))):
        for row in decoded(told, list[WireReversalMade], f"{what}: {name}"):
            if text(row.order_line_id) in ("", request.line_id):
                return _made(row, what, request)
    for field, part in answer.items():
        if field.endswith("errors") and (told := holds(part)):
            message, reason_code = words_of_refusal(told)
            raise Refused(
                plain_text(f"{what}: refused: {message or 'no reason given'}"),
                reason_code=reason_code,
                status=200,
            )
    raise ProtocolSurprise(f"{what}: the answer does not name the line")


def _made(row: WireReversalMade, what: str, request: ReversalRequest) -> ReversalMade:
    """What an answer leaves out is as it was asked."""
    reversal_id = text(row.refund_id) or text(row.cancelation_id) or text(row.id)
    if not reversal_id:
        raise ProtocolSurprise(f"{what}: the answer does not name the id of what was made")

    def money(told: Decimal | None, asked: Money) -> Money:
        return asked if told is None else rounded(told, asked.currency, what)

    amount = money(row.amount, request.amount)
    shipping_amount = money(row.shipping_amount, request.shipping_amount)
    reason_code = text(row.reason_code) or request.reason_code
    return ReversalMade(
        reversal_id=reversal_id,
        order_refund_id=optional(row.order_refund_id),
        line_id=request.line_id,
        amount=amount,
        shipping_amount=shipping_amount,
        reason_code=reason_code,
        quantity=request.quantity if row.quantity is None else whole(row.quantity, what),
        as_asked=(amount, shipping_amount, reason_code)
        == (request.amount, request.shipping_amount, request.reason_code),
    )


async def _one_by_one(
    requests: Sequence[_Request], send: Callable[[_Request], Awaitable[ReversalMade]]
) -> list[ReversalOutcome]:
    """An outcome for each; after one that is not known or not taken the rest stay unsent."""
    outcomes: list[ReversalOutcome] = []
    stopped = ""
    for request in requests:
        line_id = request.line_id
        if stopped:
            unsent = ReversalOutcome(line_id=line_id, result=ItemResult.UNSENT, message=stopped)
            outcomes.append(unsent)
            continue
        try:
            made = await send(request)
        except Refused as refusal:
            outcome = ReversalOutcome(
                line_id=line_id,
                result=ItemResult.REFUSED,
                message=refusal.message,
                reason_code=refusal.reason_code,
            )
        except (OutcomeUnknown, Unavailable) as open_:
            unknown = isinstance(open_, OutcomeUnknown)
            result = ItemResult.UNKNOWN if unknown else ItemResult.UNSENT
            outcome = ReversalOutcome(line_id=line_id, result=result, message=open_.message)
            stopped = f"not sent: line {line_id} came before, and ended {result.value}"
        else:
            outcome = ReversalOutcome(line_id=line_id, result=ItemResult.DONE, made=made)
        outcomes.append(outcome)
    return outcomes
