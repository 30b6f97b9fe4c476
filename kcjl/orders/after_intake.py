"""Orders, the shell after intake: reads returns, has corrections said, and looks for them.

Promises: a correction is said as soon as the order is posted and the change is in the log; the
ERP is asked about open ones only, in one reading; a person's word closes one by name; an ERP
that fetches returns is given those that are to be booked. It holds no rule: those stand in
`changes.py` and `corrections.py`.
Called by the orders room. Source: contract johnlewis b.5; khaos b.4.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from kcjl.clock import Clock
from kcjl.errors import Refused
from kcjl.fold import Table
from kcjl.johnlewis.port import MarketplacePort, Return, ReturnFilter
from kcjl.khaos.port import ErpPort, OrderStatus, ReturnLine, ReturnRequest
from kcjl.log.port import Recorded
from kcjl.orders.changes import decide_return
from kcjl.orders.changes_state import AfterIntake, ReturnSeen
from kcjl.orders.corrections import (
    ErpShows,
    decide_corrections,
    decide_shown,
    decide_word,
    returns_to_hand_over,
    why_no_task,
)
from kcjl.orders.events_changes import REDUCE, ReturnedLine, ReturnHandedOver, ReturnsRead
from kcjl.orders.state import OrderEntry, Posting
from kcjl.tenant.events import TenantRead
from kcjl.tenant.state import KEY
from kcjl.vocabulary import Event

__all__ = ["AfterIntakeWork"]

OVERLAP = timedelta(hours=1)
FIRST_BACK = timedelta(days=30)
LOOK_EVERY = timedelta(minutes=10)
ASKED_MAX = 500
"""Sales orders asked about in one look; the rest follows in the next."""


class AfterIntakeRoom(Protocol):
    """What this work needs of its room."""

    clock: Clock
    orders: Table[OrderEntry]
    after_intake: Table[AfterIntake]
    returns_read: Table[ReturnsRead]
    tenant: Table[TenantRead]

    @property
    def writes_allowed(self) -> bool: ...

    async def catch_up(self) -> None: ...

    async def commit(
        self, events: Sequence[Event], *, by: str | None = None
    ) -> Sequence[Recorded]: ...


class AfterIntakeWork:
    """What has to be done about orders that have changed."""

    def __init__(
        self,
        room: AfterIntakeRoom,
        marketplace: MarketplacePort,
        erp: ErpPort,
        *,
        return_reason: str,
    ) -> None:
        """`return_reason`: the ERP's own; empty: a person enters each return there."""
        self._room = room
        self._marketplace = marketplace
        self._erp = erp
        self._return_reason = return_reason
        self._pending: dict[str, None] = {}
        self._asked_last = ""
        self._looked_at: datetime | None = None

    # ── returns ─────────────────────────────────────────────────────────────────────────────

    async def read_returns(self) -> None:
        """RT11, where the tenant has the module on; a return of an unknown order waits."""
        tenant = self._room.tenant.get(KEY)
        if tenant is None or not tenant.returns_on:
            return
        began = self._room.clock.now()
        known = self._room.returns_read.get("returns")
        since = known.cursor - OVERLAP if known else began - FIRST_BACK
        found = await self._marketplace.returns(ReturnFilter(updated_from=since))
        events: list[Event] = []
        waits = False
        for each in sorted(found, key=_updated):
            entry = self._room.orders.get(each.order_id)
            if entry is None:
                waits = True  # its order has not been read yet
                continue
            after = self._room.after_intake.get(each.order_id)
            events.extend(decide_return(entry, after, _seen(each, entry)))
        cursor = since + OVERLAP if waits else began
        events.append(ReturnsRead(cursor=cursor, read=len(found), occurred_at=began))
        await self._room.commit(events)

    # ── corrections ─────────────────────────────────────────────────────────────────────────

    async def correct(self) -> None:
        """Say what is to be corrected, and look which of it the ERP shows as done."""
        room = self._room
        self._pending.update(dict.fromkeys(room.after_intake.changed()))
        self._pending.update(dict.fromkeys(key for key, _ in room.after_intake.watched()))
        for order_id in list(self._pending):
            entry, after = room.orders.get(order_id), room.after_intake.get(order_id)
            if entry is None or after is None:
                del self._pending[order_id]
                continue
            await room.commit(decide_corrections(entry, after, room.clock.now()))
            await self._hand_over_returns(order_id)
            if entry.posting == Posting.POSTED or entry.passed_over:
                self._pending.pop(order_id, None)
        now = room.clock.now()
        if self._looked_at is None or now - self._looked_at >= LOOK_EVERY:
            self._looked_at = now
            await self._look()

    async def _hand_over_returns(self, order_id: str) -> None:
        """Where the ERP fetches returns; given again, one is the same (contract b.9)."""
        room, after = self._room, self._room.after_intake.get(order_id)
        takes = self._erp.capabilities.returns and self._return_reason and room.writes_allowed
        if after is None or not takes:
            return
        entry = room.orders[order_id]
        code_of = {line.line_id: line.stock_code for line in entry.intended}
        for task, back in returns_to_hand_over(after):
            request = ReturnRequest(
                return_ref=back.return_id,
                external_order_ref=entry.reference,
                created_at=back.occurred_at,
                lines=tuple(
                    ReturnLine(
                        stock_code=code_of[line.line_id],
                        quantity=Decimal(line.quantity),
                        reason=self._return_reason,
                    )
                    for line in back.lines
                    if line.line_id in code_of
                ),
                note=f"John Lewis order {order_id}, RMA {back.rma or 'none'}",
            )
            await self._erp.register_return(request)
            handed_over = ReturnHandedOver(
                order_id=order_id,
                task=task.due.task,
                return_ref=back.return_id,
                erp_order_code=entry.erp_order_code,
                reason=self._return_reason,
                money=task.due.money,
                occurred_at=room.clock.now(),
            )
            await room.commit((handed_over,))

    async def say_done(self, order_id: str, task: str, *, note: str, by: str) -> str:
        """The operator's command: it is done in the ERP. Raises Refused where none is open."""
        await self._room.catch_up()
        after = self._room.after_intake.get(order_id)
        if after is None or (refusal := why_no_task(after, order_id, task)):
            raise Refused(refusal if after else why_no_task(None, order_id, task))
        await self._room.commit(decide_word(after, task, note, self._room.clock.now()), by=by)
        return f"correction {task} of order {order_id} is done"

    async def _look(self) -> None:
        open_ones = sorted(
            order_id
            for order_id, after in self._room.after_intake.watched()
            if any(not task.done and task.due.kind == REDUCE for task in after.tasks)
        )
        asked = [each for each in open_ones if each > self._asked_last][:ASKED_MAX]
        self._asked_last = asked[-1] if len(asked) == ASKED_MAX else ""
        if not asked:
            return
        order_of = {self._room.orders[each].reference: each for each in asked}
        statuses = await self._erp.order_statuses(list(order_of))
        units = await self._units([each.external_ref for each in statuses])
        for status in statuses:
            order_id = order_of.get(status.external_ref)
            after = self._room.after_intake.get(order_id) if order_id else None
            if order_id is None or after is None:
                continue
            shows = _shown(status, units)
            entry = self._room.orders[order_id]
            await self._room.commit(decide_shown(entry, after, shows, self._room.clock.now()))

    async def _units(self, refs: Sequence[str]) -> dict[str, dict[str, Decimal]] | None:
        """By reference and stock code, where this ERP tells an order's lines."""
        if not self._erp.capabilities.exported_orders:
            return None
        units: dict[str, dict[str, Decimal]] = {}
        for order in await self._erp.exported_orders(external_refs=refs):
            of_order = units.setdefault(order.external_ref, {})
            for line in order.lines:
                code = line.stock_code.casefold()
                of_order[code] = of_order.get(code, Decimal(0)) + line.quantity
        return units


def _shown(status: OrderStatus, units: dict[str, dict[str, Decimal]] | None) -> ErpShows:
    return ErpShows(
        cancelled=status.cancelled,
        units=None if units is None else units.get(status.external_ref),
        units_sold=status.qty_sold,
    )


def _seen(back: Return, entry: OrderEntry) -> ReturnSeen:
    sku_of = {line.line_id: line.sku for line in entry.lines}
    return ReturnSeen(
        return_id=back.return_id,
        order_id=back.order_id,
        state=back.state_raw,
        opened_at=back.created_at,
        updated_at=back.updated_at,
        rma=back.rma or "",
        lines=tuple(
            ReturnedLine(
                line_id=line.line_id,
                sku=sku_of.get(line.line_id, ""),
                quantity=line.quantity,
                reason_code=line.reason_code,
            )
            for line in back.lines
        ),
    )


def _updated(back: Return) -> datetime:
    return back.updated_at
