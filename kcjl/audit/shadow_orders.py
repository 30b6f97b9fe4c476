"""Shadow, the orders room: what is held and released, what is accepted, what is posted.

Promises: the orders room's own tables and rules, on the policy in force. Called by `shadow.py`.
"""

from collections.abc import Sequence

from kcjl.actors import Room
from kcjl.audit.shadow import Formers, Report
from kcjl.clock import Clock, Ids
from kcjl.log.port import Log, Recorded
from kcjl.orders.acceptance import (
    Circumstances,
    decide_standing,
    decide_time,
    wants_decision,
)
from kcjl.orders.acceptance_events import AcceptanceDecided, AcceptanceTimePassed
from kcjl.orders.acceptance_policy import AcceptancePolicy
from kcjl.orders.acceptance_state import POLICIES, POLICY_KEY, WORDS, PolicyInForce
from kcjl.orders.amounts import posting_amounts, posting_lines
from kcjl.orders.decide import BY_PERSON, ENDED_UNSOLD
from kcjl.orders.events import (
    AcceptanceIntended,
    OrderHeld,
    OrderReleased,
    PostingIntended,
)
from kcjl.orders.shelf import SHELVES, STOCK_LOOK, Shelves
from kcjl.orders.state import CATALOGUE, ORDERS, OrderEntry
from kcjl.stock.events import stock_key
from kcjl.tenant.state import KEY, TENANT
from kcjl.vocabulary import Event

__all__ = ["OrdersShadow"]

Decision = (
    OrderHeld
    | OrderReleased
    | AcceptanceDecided
    | AcceptanceTimePassed
    | AcceptanceIntended
    | PostingIntended
)


class _OrdersThen(Room):
    """The orders room's tables, without its ports and jobs."""

    name = "orders"

    def __init__(self, log: Log, clock: Clock, ids: Ids) -> None:
        super().__init__(log, clock, ids)
        self.orders = self.table(ORDERS)
        self.catalogue = self.table(CATALOGUE)
        self.tenant = self.table(TENANT)
        self.words = self.table(WORDS)
        self.policies = self.table(POLICIES)
        levels = self.table(SHELVES, group=lambda shelf: shelf.code_key or None)
        self.shelves = Shelves(levels, self.table(STOCK_LOOK), self.orders)


class OrdersShadow:
    """The orders room's decisions."""

    types: tuple[type[Event], ...] = (
        OrderHeld,
        OrderReleased,
        AcceptanceDecided,
        AcceptanceTimePassed,
        AcceptanceIntended,
        PostingIntended,
    )

    def __init__(self, log: Log, clock: Clock, ids: Ids) -> None:
        """`log` is read only; `clock` and `ids` are never asked."""
        self._room = _OrdersThen(log, clock, ids)
        self._formers: Formers[OrderEntry] = Formers()

    async def hear(self, recorded: Recorded, report: Report) -> None:
        event = recorded.event
        if isinstance(event, Decision):
            self._judge(recorded, event, report)
        for key in ORDERS.keys(event):
            self._formers.keep(key, self._room.orders.get(key), recorded.recorded_at)
        await self._room.fold((recorded,))

    def _judge(self, recorded: Recorded, event: Decision, report: Report) -> None:
        by_person = recorded.by != self._room.name
        if by_person or (isinstance(event, OrderHeld) and event.reason == BY_PERSON):
            report.not_checked(recorded, "a person's word")
            return
        entry = self._room.orders.get(event.order_id)
        ended = entry is not None and entry.state in ENDED_UNSOLD
        if isinstance(event, OrderReleased) and ended:
            report.not_checked(recorded, "nothing decided: what the outside showed or answered")
            return
        report.judge(
            recorded,
            () if entry is None else self._again(event, entry),
            earlier=(
                self._again(event, each)
                for each in self._formers.of(event.order_id, recorded.recorded_at)
            ),
        )

    def _again(self, event: Decision, entry: OrderEntry) -> Sequence[Event]:
        now = self._circumstances(event, entry)
        match event:
            case OrderHeld() | OrderReleased():
                return decide_standing(entry, now)
            case AcceptanceDecided() | AcceptanceTimePassed():
                return decide_time(entry, now)
            case AcceptanceIntended():
                decided = wants_decision(entry, now)
                if decided is None:
                    return ()
                return (
                    AcceptanceIntended(
                        order_id=entry.order_id,
                        lines=decided.accepted,
                        refused=decided.refused,
                        policy_version=decided.policy_version,
                        occurred_at=event.occurred_at,
                    ),
                )
            case PostingIntended():
                delivery, total = posting_amounts(entry)
                return (
                    PostingIntended(
                        order_id=entry.order_id,
                        reference=entry.reference,
                        attempt=entry.posting_attempts + 1,
                        lines=posting_lines(entry, now.known),
                        delivery_gross=delivery,
                        gross_total=total,
                        policy_version=now.in_force.version,
                        occurred_at=event.occurred_at,
                    ),
                )

    def _circumstances(self, event: Event, entry: OrderEntry) -> Circumstances:
        room = self._room
        tenant = room.tenant.get(KEY)
        return Circumstances(
            known={
                key: room.catalogue.get(key)
                for key in (stock_key(line.sku) for line in entry.lines)
            },
            words=room.words.get(entry.order_id),
            in_force=room.policies.get(POLICY_KEY)
            or PolicyInForce(version=0, policy=AcceptancePolicy()),
            shelves=room.shelves,
            automatic=tenant is not None and tenant.acceptance_is_automatic,
            now=event.occurred_at,
        )
