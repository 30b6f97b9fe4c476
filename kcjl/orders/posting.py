"""Orders, the shell of posting: the sales order in the ERP, and what the ERP then shows of it.

Promises: an intention before each posting and an outcome after it; an open outcome is looked
up before anything is sent again; what is found is taken as ours only when nothing says that it
is somebody else's; the ERP's total is compared with ours, again while they differ. It holds no
rule. Invariant: one posting at a time (khaos d: one call in flight).
Called by the orders room. Source: design 7; contract khaos b.3, b.4, b.5.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Protocol

import msgspec

from kcjl.calls.correlation import correlated
from kcjl.clock import Clock
from kcjl.errors import CredentialsRefused, NotFound, OutcomeUnknown, Refused
from kcjl.fold import Table
from kcjl.johnlewis.port import MarketplacePort, Order, OrdersUnreadable
from kcjl.khaos.port import CreateOutcome, ErpPort, ExportedOrder, OrderStatus, Queued
from kcjl.log.port import Recorded
from kcjl.money import Money, half_up
from kcjl.orders import translate
from kcjl.orders.accepting import Accepting
from kcjl.orders.amounts import (
    decide_totals,
    posting_amounts,
    posting_lines,
    wants_totals_again,
)
from kcjl.orders.as_paid import as_paid
from kcjl.orders.changes import decide_changes
from kcjl.orders.changes_state import AfterIntake
from kcjl.orders.decide_posting import (
    decide_missing,
    decide_posted,
    decide_queued,
    decide_unsendable,
    is_last_look_due,
    wants_lookup,
    wants_posting,
    wants_totals,
)
from kcjl.orders.events import PostingIntended, PostingUnknown
from kcjl.orders.posting_events import AmountsShown, LineAmount, ReferenceTaken
from kcjl.orders.ranking import by_deadline
from kcjl.orders.state import Catalogued, OrderEntry, Posting
from kcjl.orders.whose import Holder, holder_among_ours, reference_taken, why_not_ours
from kcjl.vault import Vault
from kcjl.vocabulary import Event

__all__ = ["LOOK_EVERY", "OrderPosting"]

LOOK_EVERY = timedelta(minutes=10)
"""How often totals that differ are looked at again."""
LOOK_MAX = 500
"""References asked for in one look; the rest follows in the next."""


class PostingRoom(Protocol):
    """What posting needs of its room."""

    clock: Clock
    orders: Table[OrderEntry]
    after_intake: Table[AfterIntake]
    accepting: Accepting
    applied: int

    @property
    def writes_allowed(self) -> bool: ...

    def known(self, entry: OrderEntry) -> dict[str, Catalogued | None]: ...

    async def seal_again(self, orders: Sequence[Order]) -> int: ...

    async def commit(
        self, events: Sequence[Event], *, by: str | None = None
    ) -> Sequence[Recorded]: ...

    async def record(self, *events: Event) -> Sequence[Recorded]: ...


class OrderPosting:
    """Brings orders into the ERP."""

    def __init__(
        self, room: PostingRoom, marketplace: MarketplacePort, erp: ErpPort, vault: Vault
    ) -> None:
        self._room = room
        self._marketplace = marketplace
        self._erp = erp
        self._vault = vault
        self._looked_last = ""
        self._unsendable: dict[str, OrderEntry] = {}
        """Orders that could not be written, as they were then: until one changes it is not
        looked at again. A new process knows none: its settings may be others."""

    async def post(self) -> None:
        """Post what is ready, one at a time; look up what is open first."""
        stuck: Refused | OrdersUnreadable | None = None
        self._unsendable = {
            order_id: entry
            for order_id, entry in self._unsendable.items()
            if self._room.orders[order_id] is entry
        }
        for order_id in by_deadline(self._room, self._is_due):
            try:
                await self._post_one(order_id)
            except CredentialsRefused:
                raise
            except (Refused, OrdersUnreadable) as why:  # it can't go on; the others can
                stuck = why
        if stuck is not None:
            raise stuck

    async def look_at_totals(self) -> None:
        """Compare again what differed: somebody may have put it right."""
        differing = {
            entry.reference: order_id
            for order_id, entry in self._room.orders.watched()
            if wants_totals_again(entry)
        }
        asked = sorted(each for each in differing if each > self._looked_last)[:LOOK_MAX]
        self._looked_last = asked[-1] if len(asked) == LOOK_MAX else ""
        for status in await self._erp.order_statuses(asked) if asked else ():
            await self._compare(differing[status.external_ref], status)

    async def taken_by_another(
        self, entry: OrderEntry, found: OrderStatus
    ) -> ReferenceTaken | None:
        """That what was found under its reference is somebody else's; None: it is ours."""
        holder = _holder(found, await self._exported(entry.reference))
        because = why_not_ours(entry, holder, self._namesakes(entry))
        if not because:
            return None
        return reference_taken(entry, holder, because, self._room.clock.now())

    # ── one order ───────────────────────────────────────────────────────────────────────────

    def _is_due(self, order_id: str) -> bool:
        entry = self._room.orders[order_id]
        now = self._room.clock.now()
        if wants_lookup(entry) or wants_totals(entry) or is_last_look_due(entry, now):
            return True
        if not self._room.writes_allowed or entry.state != "SHIPPING" or entry.held is not None:
            return False  # nearly all: the codes of a line need not be looked for
        if order_id in self._unsendable or not wants_posting(
            entry, self._room.known(entry), now
        ):
            return False
        return self._room.accepting.passes(order_id) is not None

    async def _post_one(self, order_id: str) -> None:
        room = self._room
        entry = room.orders[order_id]
        if wants_lookup(entry) or is_last_look_due(entry, room.clock.now()):
            await self._look_up(order_id)
        entry = room.orders[order_id]
        due = wants_posting(entry, room.known(entry), room.clock.now())
        if due and room.writes_allowed:
            passed = room.accepting.passes(order_id)
            if passed is not None:
                await self._send(entry, passed)
        entry = room.orders[order_id]
        if wants_totals(entry):
            found = await self._erp.find_order(entry.reference)
            if found is not None:
                await self._compare(order_id, found)

    async def _send(self, entry: OrderEntry, policy_version: int) -> None:
        room = self._room
        if other := holder_among_ours(entry, self._namesakes(entry)):
            holder = Holder(erp_order_code=other.erp_order_code)
            because = f"our order {other.order_id} has the same number, and was sent before it"
            await room.commit((reference_taken(entry, holder, because, room.clock.now()),))
            return
        try:
            sealed = await self._vault.open(entry.vault_ref)
        except NotFound:
            # Erased or expired while it is still to be posted: sealed anew, posted next time.
            again = await self._marketplace.orders_by_id([entry.order_id])
            if not await room.seal_again(again):
                raise
            return
        delivery, total = posting_amounts(entry)
        intended = PostingIntended(
            order_id=entry.order_id,
            reference=entry.reference,
            attempt=entry.posting_attempts + 1,
            lines=posting_lines(entry, room.known(entry)),
            delivery_gross=delivery,
            gross_total=total,
            policy_version=policy_version,
            occurred_at=room.clock.now(),
        )
        buyer = msgspec.json.decode(sealed, type=translate.SealedBuyer)
        new_order = translate.sales_order(entry, intended, buyer)
        try:
            self._erp.check_order(new_order)
        except Refused as refusal:
            skus = tuple(line.sku for line in intended.lines)
            now = room.clock.now()
            await room.commit(decide_unsendable(entry, refusal.message, skus=skus, now=now))
            self._unsendable[entry.order_id] = room.orders[entry.order_id]
            return
        (recorded,) = await room.commit((intended,))
        try:
            with correlated(recorded.correlation_id):
                created = await self._erp.create_order(new_order)
        except OutcomeUnknown as lost:
            unknown = PostingUnknown(
                order_id=entry.order_id,
                message=lost.message,
                attempt=intended.attempt,
                occurred_at=room.clock.now(),
            )
            await room.record(unknown)
            await self._look_up(entry.order_id)
        except Refused as refusal:
            await self._look_up(entry.order_id, refusal.message)
        else:
            if created.queued is not None:
                await self._queued(entry.order_id, created.queued)
            elif created.outcome is CreateOutcome.ALREADY_EXISTS:
                await self._look_up(entry.order_id, created.message)
            else:
                await self._posted(entry.order_id, created.erp_order_code)

    async def _look_up(self, order_id: str, refused: str = "") -> None:
        """The ERP is asked for the reference: there it is posted, or somebody else's; else it
        may be sent again.
        """
        entry = self._room.orders[order_id]
        found = await self._erp.find_order(entry.reference)
        if found is not None and found.queued is not None:
            await self._queued(order_id, found.queued)
            return
        if found is not None:
            if taken := await self.taken_by_another(entry, found):
                await self._room.commit((taken,))
            else:
                await self._posted(order_id, found.erp_order_code, found)
            return
        given_up = await self._given_up(order_id)
        now = self._room.clock.now()
        await self._room.commit((*decide_missing(entry, refused=refused, now=now), *given_up))

    async def _given_up(self, order_id: str) -> tuple[Event, ...]:
        """What was cancelled or refunded while the ERP was thought to have the order.

        It is not there: this is not to be posted, and said together with that.
        """
        after = self._room.after_intake.get(order_id)
        if after is None or not (after.cancelled or after.refunds):
            return ()
        events: list[Event] = []
        for order in await self._marketplace.orders_by_id([order_id]):
            entry = self._room.orders[order_id]
            unposted = msgspec.structs.replace(entry, posting=Posting.NONE)
            after = self._room.after_intake.get(order_id)
            events.extend(decide_changes(unposted, after, translate.seen(as_paid(order))))
        return tuple(events)

    async def _exported(self, reference: str) -> ExportedOrder | None:
        """The order with its lines, where this ERP writes orders out."""
        if not self._erp.capabilities.exported_orders:
            return None
        written_out = await self._erp.exported_orders(external_refs=[reference])
        return written_out[0] if written_out else None

    def _namesakes(self, entry: OrderEntry) -> Sequence[OrderEntry]:
        return self._room.orders.grouped(entry.reference.casefold())

    async def _queued(self, order_id: str, queued: Queued) -> None:
        """It waits for an ERP that fetches its orders itself: said when it is news, or late."""
        events = decide_queued(
            self._room.orders[order_id],
            until=queued.until,
            fetched=queued.fetched_at is not None,
            now=self._room.clock.now(),
        )
        if events:
            await self._room.record(*events)

    async def _posted(
        self, order_id: str, erp_order_code: str, found: OrderStatus | None = None
    ) -> None:
        """The ERP has it; `found`: what it showed, where it was looked up."""
        events = decide_posted(
            self._room.orders[order_id],
            erp_order_code,
            found=found is not None,
            now=self._room.clock.now(),
            heard_at=found.heard_at if found else None,
            shows_total=found.shows_total if found else True,
        )
        await self._room.record(*events)

    # ── totals ──────────────────────────────────────────────────────────────────────────────

    async def _compare(self, order_id: str, found: OrderStatus) -> None:
        entry, erp = self._room.orders[order_id], found.gross_total
        if erp is None:
            return  # not shown yet: asked again in the next round
        shown: AmountsShown | None = None
        if erp != (entry.gross_total or entry.total_price):
            shown = _amounts(found, await self._exported(entry.reference))
        events = decide_totals(entry, erp, shown, self._room.clock.now())
        await self._room.commit(events)


def _holder(found: OrderStatus, written_out: ExportedOrder | None) -> Holder:
    return Holder(
        erp_order_code=found.erp_order_code,
        customer_code=found.customer_code,
        of_our_customer=found.of_our_customer,
        sales_source=written_out.sales_source if written_out else "",
        of_our_source=written_out.of_our_source if written_out else None,
        line_refs=tuple(
            line.external_line_ref
            for line in (written_out.lines if written_out else ())
            if line.external_line_ref
        ),
    )


def _amounts(found: OrderStatus, written_out: ExportedOrder | None) -> AmountsShown:
    """What the ERP's total is made of, as far as it says."""
    currency = found.currency or "GBP"
    return AmountsShown(
        lines=tuple(
            LineAmount(
                stock_code=line.stock_code,
                units=line.quantity,
                gross=_gross(line.unit_gross, line.quantity, currency),
            )
            for line in (written_out.lines if written_out else ())
        ),
        delivery=found.delivery_gross,
        tax=found.tax_total,
    )


def _gross(unit: Decimal | None, units: Decimal, currency: str) -> Money | None:
    """As the ERP calculates: the unit price times the units, half up to the penny."""
    if unit is None:
        return None
    return Money(half_up(unit * units / Money(1, currency).decimal()), currency)
