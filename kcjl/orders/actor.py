"""Orders, the shell: reads them, accepts them, posts them, writes the ERP's number back.

Promises: every write is an intention, then an outcome; an open outcome is looked up before
anything is written again; the cursor passes only what is in the log. It holds no rule.
Invariant: one posting at a time (khaos d: one call in flight).
Called by `service.py`. Source: design 7; contract johnlewis b.3, d.5; khaos b.3, b.4.
Over 400 lines, because all steps of one order are one actor.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from kcjl.actors import WARM, Job, Room
from kcjl.clock import Clock, Ids
from kcjl.dispatch.events import SalesOrderNotShown
from kcjl.errors import Refused
from kcjl.exceptions.events import WritesSwitched
from kcjl.johnlewis.frequencies import advised_s
from kcjl.johnlewis.port import MarketplacePort, Order
from kcjl.khaos.port import ErpPort, OrderStatus
from kcjl.log.port import Log
from kcjl.orders import translate
from kcjl.orders.acceptance_events import (
    AcceptanceDecided,
    AcceptancePolicySet,
    AcceptanceRetried,
    OrderLetThrough,
    PostingRetried,
)
from kcjl.orders.acceptance_policy import AcceptancePolicy
from kcjl.orders.acceptance_state import POLICIES, WORDS
from kcjl.orders.accepting import Accepting
from kcjl.orders.after_intake import AfterIntakeWork
from kcjl.orders.as_paid import as_paid
from kcjl.orders.buyers import BUYERS, ERASE_EVERY, Buyers
from kcjl.orders.changes import decide_changes
from kcjl.orders.changes_state import (
    AFTER_INTAKE,
    CORRECTING,
    RETURNS_READ,
    has_open_tasks,
)
from kcjl.orders.count import COUNTS, GAPS, TOLD
from kcjl.orders.counting import OrderCount
from kcjl.orders.decide import decide_seen
from kcjl.orders.decide_posting import wants_work, wants_write_back
from kcjl.orders.events import (
    AcceptanceConfirmed,
    DeliveryAddressSealed,
    OrderChanged,
    OrderReceived,
    OrderReleased,
    PostingApproved,
    ReferenceWriteFailed,
    ReferenceWriteIntended,
    ReferenceWritten,
    SalesOrderFoundAgain,
    SalesOrderPosted,
)
from kcjl.orders.intake import EXPORTING, INTAKE, UNREAD
from kcjl.orders.posting import LOOK_EVERY as LOOK_AT_TOTALS_EVERY
from kcjl.orders.posting import OrderPosting
from kcjl.orders.reading import OrderReading
from kcjl.orders.reversal_events import ReversalOrdered
from kcjl.orders.reversals import REVERSALS, is_open
from kcjl.orders.reversing import Reversing, ReversingMarketplace
from kcjl.orders.shelf import SHELVES, STOCK_LOOK, Shelves
from kcjl.orders.state import (
    CATALOGUE,
    ORDERS,
    Catalogued,
    OrderEntry,
    Posting,
    WriteBack,
)
from kcjl.orders.vanished import (
    decide_found_again,
    decide_not_found,
    decide_post_again,
    is_doubted,
    look_again_at,
    why_not_post_again,
)
from kcjl.settings import OrderSettings
from kcjl.stock.events import LevelsWatched, SkuConfirmed, SkuUnmatched, StockRead, stock_key
from kcjl.tenant.events import TenantRead
from kcjl.tenant.state import TENANT
from kcjl.vault import Vault
from kcjl.vocabulary import Event

__all__ = ["Orders", "OrdersMarketplace"]

LOOK_EVERY = timedelta(minutes=10)
"""How often sales orders that have vanished are looked for."""
RETURNS_EVERY = timedelta(seconds=advised_s("RT11"))
LOOK_MAX = 500
"""References asked for in one look for them; the rest follows in the next."""
WRITE_BACK_MAX = 100
"""Order references in one OR04 call (contract d.2)."""
JUDGED_ON = (
    OrderReceived,
    OrderChanged,
    SkuConfirmed,
    SkuUnmatched,
    OrderReleased,
    WritesSwitched,
    TenantRead,
    AcceptancePolicySet,
    AcceptanceDecided,
    OrderLetThrough,
)
"""What may let an order go on, or hold it."""
POSTED_ON = (
    *JUDGED_ON,
    DeliveryAddressSealed,
    AcceptanceConfirmed,
    PostingApproved,
    PostingRetried,
)
"""What may let an order be posted."""
OPENING_ACCEPTANCE = AcceptancePolicy()
"""In force until people set one."""


class OrdersMarketplace(MarketplacePort, ReversingMarketplace, Protocol):
    """What of the marketplace orders are made of, and unmade."""


class Orders(Room):
    """The orders actor."""

    name = "orders"

    def __init__(
        self,
        log: Log,
        clock: Clock,
        ids: Ids,
        *,
        marketplace: OrdersMarketplace,
        erp: ErpPort,
        vault: Vault,
        settings: OrderSettings,
        opening_acceptance: AcceptancePolicy = OPENING_ACCEPTANCE,
    ) -> None:
        super().__init__(log, clock, ids)
        self._marketplace = marketplace
        self._erp = erp
        self._vault = vault
        self._settings = settings
        self.orders = self.table(ORDERS, watch=wants_work, group=_reference, warm=WARM)
        self.catalogue = self.table(CATALOGUE)
        self.intake = self.table(INTAKE)
        self.unread = self.table(UNREAD)
        self.exporting = self.table(EXPORTING)
        self.tenant = self.table(TENANT)
        self.words = self.table(WORDS)
        self.policies = self.table(POLICIES)
        levels = self.table(SHELVES, group=lambda shelf: shelf.code_key or None)
        self.shelves = Shelves(levels, self.table(STOCK_LOOK), self.orders)
        self.reversals = self.table(
            REVERSALS, watch=is_open, group=lambda reversal: reversal.order_id
        )
        self.reversing = Reversing(self, marketplace)
        self.buyers = self.table(BUYERS)
        self.people = Buyers(self, vault, erp)
        poll = timedelta(seconds=settings.poll_s)
        self.accepting = Accepting(self, marketplace, opening_acceptance, every=poll)
        self.posting = OrderPosting(self, marketplace, erp, vault)
        self.after_intake = self.table(AFTER_INTAKE, watch=has_open_tasks, tracked=True)
        self.returns_read = self.table(RETURNS_READ)
        self.gaps = self.table(GAPS)
        self.told = self.table(TOLD)
        self.counts = self.table(COUNTS)
        self.reading = OrderReading(self, marketplace, settings)
        self.counting = OrderCount(self, marketplace, erp, settings)
        self.work_after_intake = AfterIntakeWork(
            self, marketplace, erp, return_reason=settings.return_reason
        )
        self._looked_last = ""
        self._look = Job(
            "vanished",
            self._look_for_missing,
            every=LOOK_EVERY,
            wakes_on=(SalesOrderNotShown,),
        )
        self.jobs = (
            *self._jobs_of_acceptance(poll),
            *self._jobs_of_posting(poll),
            *self._jobs_after_intake(),
            Job(
                "reversals",
                self.reversing.run,
                every=poll,
                wakes_on=(ReversalOrdered, WritesSwitched),
            ),
            Job("vault-expiry", self.people.erase_expired, every=ERASE_EVERY),
        )

    def _jobs_of_acceptance(self, poll: timedelta) -> tuple[Job, ...]:
        accepted_on = (*JUDGED_ON, AcceptanceRetried, StockRead, LevelsWatched)
        read_on = (StockRead, LevelsWatched)
        return (
            Job("intake", self.reading.read, every=poll, wakes_on=read_on),
            Job("acceptance", self.accepting.run, every=poll, wakes_on=accepted_on),
        )

    def _jobs_of_posting(self, poll: timedelta) -> tuple[Job, ...]:
        posted = (SalesOrderPosted, SalesOrderFoundAgain, WritesSwitched)
        return (
            Job("posting", self.posting.post, every=poll, wakes_on=POSTED_ON),
            Job("totals", self.posting.look_at_totals, every=LOOK_AT_TOTALS_EVERY),
            self._look,
            Job("write-back", self._write_back, every=poll, wakes_on=posted),
        )

    def _jobs_after_intake(self) -> tuple[Job, ...]:
        return (
            Job("count", self.counting.daily, every=timedelta(days=1)),
            Job("returns", self.work_after_intake.read_returns, every=RETURNS_EVERY),
            Job(
                "corrections",
                self.work_after_intake.correct,
                every=LOOK_EVERY,
                wakes_on=CORRECTING,
            ),
        )

    # ── what people ask for ─────────────────────────────────────────────────────────────────

    async def post_again(self, order_id: str, *, reason: str, by: str) -> None:
        """The operator's command: post a sales order that the ERP has lost once more.

        Raises Refused where there is none to post, or goods would be sent twice.
        """
        entry = self._known_order(order_id)
        if entry.posting == Posting.OPEN:
            return  # it was said already, and is looked up
        if refusal := why_not_post_again(entry):
            raise Refused(refusal)
        await self.commit(decide_post_again(entry, reason=reason, now=self.clock.now()), by=by)

    def look_now(self, order_id: str) -> None:
        """The operator's command: it is there again, so look. Raises Refused for another."""
        entry = self._known_order(order_id)
        if entry.posting == Posting.VANISHED or is_doubted(entry):
            self._look.wake()
        elif entry.posting != Posting.POSTED:
            raise Refused(
                f"order {order_id} is not one that the ERP has lost "
                f"(its posting is {entry.posting.value})"
            )

    def _known_order(self, order_id: str) -> OrderEntry:
        entry = self.orders.get(order_id)
        if entry is None:
            raise Refused(f"there is no order {order_id}: see `kcjl tui`, or the desk")
        return entry

    # ── intake ──────────────────────────────────────────────────────────────────────────────

    async def take_in(self, orders: Sequence[Order]) -> None:
        """Record what the marketplace shows of them, as far as it is news."""
        acceptance = timedelta(hours=self._settings.acceptance_hours)
        paid = map(as_paid, sorted(orders, key=_updated))
        latest = {order.order_id: order for order in paid}

        def decide() -> list[Event]:
            events: list[Event] = []
            for order in latest.values():
                entry = self.orders.get(order.order_id)
                events.extend(
                    decide_seen(
                        entry,
                        received=translate.received(order, acceptance=acceptance),
                        changed=translate.changed(order),
                        start_at=self._settings.start_at,
                    )
                )
                after = self.after_intake.get(order.order_id)
                events.extend(decide_changes(entry, after, translate.seen(order)))
            return events

        await self.commit_retrying(decide)
        await self._seal_addresses(list(latest.values()))

    async def seal_again(self, orders: Sequence[Order]) -> int:
        """Seal the addresses anew; returns how many were told."""
        return await self._seal_addresses(orders, again=True)

    async def _seal_addresses(self, orders: Sequence[Order], *, again: bool = False) -> int:
        """Seal what is not sealed yet, or all of it again; returns how many were."""
        now = self.clock.now()
        sealed: list[Event] = []
        for order in orders:
            entry = self.orders.get(order.order_id)
            if entry is None or entry.passed_over:
                continue
            if order.delivery_address is None or order.state_raw != "SHIPPING":
                continue
            buyer = msgspec.json.encode(
                translate.SealedBuyer(
                    address=order.delivery_address, email=order.notification_email
                )
            )
            if entry.vault_ref and not again and not await self.people.differs(entry, buyer):
                continue
            ref = f"buyer-{order.order_id}"
            until = now + timedelta(days=self._settings.personal_data_days)
            await self._vault.seal(ref, buyer, at=now, until=until)
            sealed.append(
                DeliveryAddressSealed(
                    order_id=order.order_id,
                    vault_ref=ref,
                    country=translate.country(order),
                    occurred_at=now,
                )
            )
        await self.commit(sealed)
        return len(sealed)

    # ── what is due ─────────────────────────────────────────────────────────────────────────

    def known(self, entry: OrderEntry) -> dict[str, Catalogued | None]:
        keys = (stock_key(line.sku) for line in entry.lines)
        return {key: self.catalogue.get(key) for key in keys}

    # ── what the ERP shows no more ──────────────────────────────────────────────────────────

    async def _look_for_missing(self) -> float | None:
        """Settle each doubt by a look of its own; look for all that have vanished in one."""
        apart = timedelta(minutes=self._settings.missing_after_minutes)
        for order_id, entry in self.orders.watched():
            if is_doubted(entry):
                await self._settle_doubt(order_id, apart)
        await self._look_for_vanished()
        now = self.clock.now()
        entries = [entry for _, entry in self.orders.watched()]
        dues = [due for each in entries if (due := look_again_at(each, apart=apart))]
        if not dues:
            return None
        pause = max(min(dues) - now, timedelta(seconds=1))
        return min(pause, LOOK_EVERY).total_seconds()

    async def _settle_doubt(self, order_id: str, apart: timedelta) -> None:
        found = await self._erp.find_order(self.orders[order_id].reference)
        if found is None or not await self._found_again(order_id, found):
            entry, now = self.orders[order_id], self.clock.now()
            await self.commit(decide_not_found(entry, apart=apart, now=now))

    async def _look_for_vanished(self) -> None:
        """One reading for all; in parts, where they are many."""
        gone = {
            entry.reference: order_id
            for order_id, entry in self.orders.watched()
            if entry.posting == Posting.VANISHED
        }
        asked = sorted(each for each in gone if each > self._looked_last)[:LOOK_MAX]
        self._looked_last = asked[-1] if len(asked) == LOOK_MAX else ""
        if not asked:
            return
        for status in await self._erp.order_statuses(asked):
            if status.external_ref in gone:
                await self._found_again(gone[status.external_ref], status)

    async def _found_again(self, order_id: str, found: OrderStatus) -> bool:
        """False: what is there under its reference is somebody else's order; said once."""
        entry = self.orders[order_id]
        if taken := await self.posting.taken_by_another(entry, found):
            await self.commit(() if entry.reference_taken else (taken,))
            return False
        await self.commit(
            decide_found_again(
                self.orders[order_id],
                found.erp_order_code or self.orders[order_id].erp_order_code,
                now=self.clock.now(),
                heard_at=found.heard_at,
            )
        )
        return True

    # ── write-back ──────────────────────────────────────────────────────────────────────────

    async def _write_back(self) -> float | None:
        """Write the ERP's numbers on the marketplace orders; writing one again is harmless."""
        if not self.writes_allowed:
            return None
        wanting = [entry for _, entry in self.orders.watched() if wants_write_back(entry)]
        # Those that were refused come last: they keep no other one waiting.
        wanting.sort(key=lambda entry: entry.write_back == WriteBack.FAILED)
        fresh = sum(entry.write_back != WriteBack.FAILED for entry in wanting)
        batch = {entry.order_id: entry.erp_order_code for entry in wanting[:WRITE_BACK_MAX]}
        if not batch:
            return None
        now = self.clock.now()
        await self.commit(
            [
                ReferenceWriteIntended(order_id=each, erp_order_code=code, occurred_at=now)
                for each, code in batch.items()
            ]
        )
        refused = await self._marketplace.write_seller_references(batch)
        now = self.clock.now()
        outcomes: list[Event] = [
            ReferenceWriteFailed(order_id=each, message=refused[each], occurred_at=now)
            if each in refused
            else ReferenceWritten(order_id=each, erp_order_code=code, occurred_at=now)
            for each, code in batch.items()
        ]
        await self.record(*outcomes)
        return 0.0 if fresh > len(batch) else None


def _reference(entry: OrderEntry) -> str:
    return entry.reference.casefold()


def _updated(order: Order) -> datetime:
    return order.updated_at
