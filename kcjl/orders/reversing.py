"""Reversals, the shell: previews, a person's yes, one line a call, and a look before a repeat.

Promises: nothing is sent that no person said yes to as it stands; the intention is in the log
before the call, and an intention without an outcome is looked for on the order itself before
anything is sent again. It holds no rule: those stand in `reversals.py`, `reversal_plan.py` and
`kcjl/johnlewis/reversal_lookup.py`.
Called by the orders room. Source: design 7; contract johnlewis b.3, d.5.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from kcjl.calls.correlation import correlated
from kcjl.clock import Clock
from kcjl.errors import CredentialsRefused, OutcomeUnknown, Refused, Unavailable
from kcjl.fold import Table
from kcjl.johnlewis.order_port import Order
from kcjl.johnlewis.reversal_lookup import (
    Finding,
    Found,
    ReversalIntention,
    find_order_cancelation,
    find_reversal,
)
from kcjl.johnlewis.reversal_port import CancelationRequest, RefundRequest, ReversalMade
from kcjl.log.port import Recorded
from kcjl.orders.reversal_amounts import Asked
from kcjl.orders.reversal_events import (
    ReversalHeldBack,
    ReversalIntended,
    ReversalItem,
    ReversalMissing,
    ReversalRefused,
    ReversalTaken,
    ReversalUnclear,
    ReversalUnknown,
    ReversalWithdrawn,
)
from kcjl.orders.reversal_plan import (
    ORDER_CANCELATION,
    REFUND,
    ReversalPlan,
    ordered,
    plan_cancelation,
    plan_refund,
    request_of,
    there_on,
    why_not_now,
)
from kcjl.orders.reversals import (
    RETRY_BALANCE,
    ItemEntry,
    ItemStanding,
    Reversal,
    Step,
    due,
    given_up,
    is_low_balance,
    is_open,
    money_of,
    why_not_withdraw,
)
from kcjl.orders.state import OrderEntry
from kcjl.tenant.events import TenantRead
from kcjl.tenant.state import KEY
from kcjl.vocabulary import Event

__all__ = ["LOOK_EVERY", "Reversing", "ReversingMarketplace"]

LOOK_EVERY = timedelta(minutes=1)
"""How often what is open is looked at again."""


class ReversingMarketplace(Protocol):
    """What of the marketplace reversals are made with."""

    async def orders_by_id(self, order_ids: Sequence[str]) -> Sequence[Order]: ...

    async def refund(self, request: RefundRequest) -> ReversalMade: ...

    async def cancel_line(self, request: CancelationRequest) -> ReversalMade: ...

    async def cancel_order(self, order_id: str) -> None: ...


class ReversingRoom(Protocol):
    """What reversals need of their room."""

    clock: Clock
    orders: Table[OrderEntry]
    reversals: Table[Reversal]
    tenant: Table[TenantRead]

    @property
    def writes_allowed(self) -> bool: ...

    async def commit(
        self, events: Sequence[Event], *, by: str | None = None
    ) -> Sequence[Recorded]: ...

    async def record(self, *events: Event) -> Sequence[Recorded]: ...


class Reversing:
    """Refunds and cancelations by us."""

    def __init__(self, room: ReversingRoom, marketplace: ReversingMarketplace) -> None:
        self._room = room
        self._marketplace = marketplace

    # ── what people ask for ─────────────────────────────────────────────────────────────────

    async def preview(self, order_id: str, kind: str, asked: Asked) -> ReversalPlan:
        """What would be given back, on the order as the marketplace shows it now.

        Raises Refused where it can't be right, or where another reversal is not over.
        """
        if order_id not in self._room.orders:
            raise Refused(f"there is no order {order_id}: see `kcjl orders list`")
        former = self._room.reversals.grouped(order_id)
        for each in former:
            if is_open(each):
                raise Refused(
                    f"reversal {each.reversal_id} of order {order_id} is not over: wait for "
                    f"it, or end it: kcjl orders withdraw {each.reversal_id} --reason TEXT"
                )
        order = await self._read(order_id)
        plan = plan_refund if kind == REFUND else plan_cancelation
        return plan(order, asked, self._room.tenant.get(KEY), said=len(former))

    async def order(
        self, order_id: str, kind: str, asked: Asked, *, plan_id: str, reason: str, by: str
    ) -> str:
        """A person's yes to a preview. Said twice it is nothing new.

        Raises Refused when what it said yes to is not what would be done now.
        """
        if plan_id in self._room.reversals:
            return f"{plan_id} was ordered already: kcjl orders show {order_id}"
        plan = await self.preview(order_id, kind, asked)
        if plan.plan_id != plan_id:
            raise Refused(
                f"the plan is now {plan.plan_id}, and not {plan_id}: the order has changed "
                "since, or something else was asked for; look at the preview again"
            )
        await self._room.commit(
            (ordered(plan, reason=reason, now=self._room.clock.now()),), by=by
        )
        return (
            f"{plan_id}: {plan.total} of order {order_id} is being given back, line by line; "
            f"kcjl orders show {order_id} tells what came of it"
        )

    async def withdraw(self, reversal_id: str, *, reason: str, by: str) -> str:
        """A person ends what has not been taken. Raises Refused when that can't be."""
        reversal = self._room.reversals.get(reversal_id)
        if reversal is None:
            raise Refused(f"there is no reversal {reversal_id}")
        if any(each.standing == ItemStanding.WITHDRAWN for each in reversal.items):
            return f"{reversal_id} was withdrawn already"
        if refusal := why_not_withdraw(reversal):
            raise Refused(refusal)
        withdrawn = ReversalWithdrawn(
            order_id=reversal.order_id,
            reversal_id=reversal_id,
            reason=reason,
            occurred_at=self._room.clock.now(),
        )
        await self._room.commit((withdrawn,), by=by)
        return f"{reversal_id} is withdrawn: nothing more of it is sent"

    # ── the job ─────────────────────────────────────────────────────────────────────────────

    async def run(self) -> float | None:
        """Send what is due, look for what is open; seconds until there is more to do."""
        waits: list[float] = []
        for reversal_id, _ in self._room.reversals.watched():
            waits.extend(await self._go_on(reversal_id))
        return min(waits, default=None)

    async def _go_on(self, reversal_id: str) -> list[float]:
        while True:
            reversal, now = self._room.reversals[reversal_id], self._room.clock.now()
            found = due(reversal, now)
            if found is None:
                return []
            each, step = found
            if step == Step.WAIT:
                pause = (each.not_before or now) - now
                return [max(pause.total_seconds(), 1.0)]
            if step == Step.SEND and not self._room.writes_allowed:
                return []
            if step == Step.SEND:
                await self._send(reversal, each)
            elif not await self._look(reversal, each):
                return [LOOK_EVERY.total_seconds()]

    async def _send(self, reversal: Reversal, each: ItemEntry) -> None:
        read_at = self._room.clock.now()
        order = await self._read(reversal.order_id)
        if each.attempts:  # the look that did not find it may have been shown an older order
            finding = self._finding(reversal, each, order, read_at)
            if finding.found != Found.NOT_THERE:
                await self._room.commit((self._settled(reversal, each, finding),))
                return
        if because := why_not_now(order, each.item, reversal.kind):
            await self._room.commit((self._refused(reversal, each.item, because),))
            return
        (intended,) = await self._room.commit(
            (
                ReversalIntended(
                    order_id=reversal.order_id,
                    reversal_id=reversal.reversal_id,
                    line_id=each.item.line_id,
                    attempt=each.attempts + 1,
                    there_before=there_on(order),
                    occurred_at=self._room.clock.now(),
                ),
            )
        )
        try:
            with correlated(intended.correlation_id):
                made = await self._call(reversal, each.item)
        except OutcomeUnknown as lost:
            await self._room.record(
                ReversalUnknown(
                    order_id=reversal.order_id,
                    reversal_id=reversal.reversal_id,
                    line_id=each.item.line_id,
                    message=lost.message,
                    occurred_at=self._room.clock.now(),
                )
            )
        except (Unavailable, CredentialsRefused):  # not taken: the sending does not count
            await self._room.record(self._missing(reversal, each.item, each.attempts))
            raise
        except Refused as refusal:
            await self._said_no(reversal, each.item, refusal.message)
        else:
            await self._room.record(self._taken(reversal, each.item, made))

    async def _call(self, reversal: Reversal, item: ReversalItem) -> ReversalMade | None:
        if reversal.kind == ORDER_CANCELATION:
            await self._marketplace.cancel_order(reversal.order_id)
            return None
        request = _request(reversal, item)
        if isinstance(request, RefundRequest):
            return await self._marketplace.refund(request)
        return await self._marketplace.cancel_line(request)

    async def _said_no(self, reversal: Reversal, item: ReversalItem, message: str) -> None:
        """Nothing was done, as they say; the order is looked at all the same."""
        finding = await self._find(reversal, self._item(reversal, item))
        if finding.found == Found.THERE:
            await self._room.record(self._found(reversal, item, finding))
        elif is_low_balance(message):
            now = self._room.clock.now()
            await self._room.record(
                ReversalHeldBack(
                    order_id=reversal.order_id,
                    reversal_id=reversal.reversal_id,
                    line_id=item.line_id,
                    message=message,
                    money=money_of(item),
                    retry_at=now + RETRY_BALANCE,
                    occurred_at=now,
                )
            )
        else:
            await self._room.record(self._refused(reversal, item, message))

    async def _look(self, reversal: Reversal, each: ItemEntry) -> bool:
        """Settle an item whose outcome is open; False while it is too early to say."""
        finding = await self._find(reversal, each)
        if finding.found == Found.TOO_EARLY:
            return False
        await self._room.commit((self._settled(reversal, each, finding),))
        return True

    def _settled(self, reversal: Reversal, each: ItemEntry, finding: Finding) -> Event:
        """What a look has said of an item."""
        match finding.found:
            case Found.THERE:
                return self._found(reversal, each.item, finding)
            case Found.UNCLEAR:
                return ReversalUnclear(
                    order_id=reversal.order_id,
                    reversal_id=reversal.reversal_id,
                    line_id=each.item.line_id,
                    message=finding.message,
                    money=money_of(each.item),
                    occurred_at=self._room.clock.now(),
                )
            case Found.NOT_THERE if given_up(each):
                because = f"sent {each.attempts} times, and it never arrived"
                return self._refused(reversal, each.item, because)
            case _:
                return self._missing(reversal, each.item, each.attempts)

    async def _find(self, reversal: Reversal, each: ItemEntry) -> Finding:
        read_at = self._room.clock.now()
        return self._finding(reversal, each, await self._read(reversal.order_id), read_at)

    def _finding(
        self, reversal: Reversal, each: ItemEntry, order: Order, read_at: datetime
    ) -> Finding:
        intended_at = each.intended_at or read_at
        if reversal.kind == ORDER_CANCELATION:
            return find_order_cancelation(order, intended_at=intended_at, read_at=read_at)
        ours = {
            other.marketplace_id
            for others in self._room.reversals.grouped(reversal.order_id)
            for other in others.items
            if other.marketplace_id
        }
        return find_reversal(
            None,
            order,
            ReversalIntention(request=_request(reversal, each.item), intended_at=intended_at),
            read_at=read_at,
            known=ours | set(each.there_before),
        )

    async def _read(self, order_id: str) -> Order:
        found = await self._marketplace.orders_by_id([order_id])
        for order in found:
            if order.order_id == order_id:
                return order
        raise Refused(f"the marketplace shows no order {order_id}")

    # ── events ──────────────────────────────────────────────────────────────────────────────

    def _item(self, reversal: Reversal, item: ReversalItem) -> ItemEntry:
        items = self._room.reversals[reversal.reversal_id].items
        return next(each for each in items if each.item.line_id == item.line_id)

    def _refused(self, reversal: Reversal, item: ReversalItem, message: str) -> ReversalRefused:
        return ReversalRefused(
            order_id=reversal.order_id,
            reversal_id=reversal.reversal_id,
            line_id=item.line_id,
            message=message,
            money=money_of(item),
            occurred_at=self._room.clock.now(),
        )

    def _missing(self, reversal: Reversal, item: ReversalItem, attempt: int) -> ReversalMissing:
        return ReversalMissing(
            order_id=reversal.order_id,
            reversal_id=reversal.reversal_id,
            line_id=item.line_id,
            attempt=attempt,
            occurred_at=self._room.clock.now(),
        )

    def _taken(
        self, reversal: Reversal, item: ReversalItem, made: ReversalMade | None
    ) -> ReversalTaken:
        return ReversalTaken(
            order_id=reversal.order_id,
            reversal_id=reversal.reversal_id,
            line_id=item.line_id,
            marketplace_id=made.reversal_id if made else "",
            amount=made.amount if made else item.amount,
            shipping_amount=made.shipping_amount if made else item.shipping_amount,
            found_by_lookup=False,
            as_asked=made is None or made.as_asked,
            occurred_at=self._room.clock.now(),
        )

    def _found(self, reversal: Reversal, item: ReversalItem, finding: Finding) -> ReversalTaken:
        taken = self._taken(reversal, item, None)
        return msgspec.structs.replace(
            taken, marketplace_id=finding.reversal_id or "", found_by_lookup=True
        )


def _request(reversal: Reversal, item: ReversalItem) -> RefundRequest | CancelationRequest:
    return request_of(
        item,
        kind=reversal.kind,
        reason_code=reversal.reason_code,
        tax_mode=reversal.tax_mode,
        not_to_ship=reversal.not_to_ship,
    )
