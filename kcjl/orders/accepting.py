"""Acceptance, the shell: holds, releases and answers orders, and says what people said.

Promises: an answer is an intention, then an outcome; an open one is looked up before anything
is sent again; the orders that are soonest too late are answered first. It holds no rule: those
stand in `acceptance.py` and `words.py`.
Called by the orders room. Source: design 7; contract johnlewis d (OR21).
"""

import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from kcjl.calls.correlation import correlated
from kcjl.clock import Clock
from kcjl.errors import Conflict, NotFound, OutcomeUnknown, Refused
from kcjl.fold import Table
from kcjl.johnlewis.port import MarketplacePort, Order, OrdersUnreadable
from kcjl.log.port import Recorded
from kcjl.orders.acceptance import (
    Circumstances,
    decide_standing,
    decide_time,
    judged,
    next_look_at,
    wants_decision,
)
from kcjl.orders.acceptance_events import AcceptanceDecided, AcceptancePolicySet
from kcjl.orders.acceptance_policy import AcceptancePolicy, read_policy
from kcjl.orders.acceptance_state import POLICY_KEY, PolicyInForce, Words
from kcjl.orders.decide import left_to_the_marketplace, may_be_held
from kcjl.orders.events import (
    AcceptanceConfirmed,
    AcceptanceIntended,
    AcceptanceRefused,
    AcceptanceUnknown,
)
from kcjl.orders.ranking import by_deadline
from kcjl.orders.shelf import Shelves
from kcjl.orders.state import Acceptance, Catalogued, OrderEntry
from kcjl.orders.words import (
    decide_let_through,
    decide_person_hold,
    decide_retry,
    decide_word,
)
from kcjl.tenant.events import TenantRead
from kcjl.tenant.state import KEY
from kcjl.vocabulary import Event

__all__ = ["Accepting", "AcceptingRoom"]

WAITING = "WAITING_ACCEPTANCE"


class AcceptingRoom(Protocol):
    """What it needs of its room."""

    clock: Clock
    applied: int
    orders: Table[OrderEntry]
    tenant: Table[TenantRead]
    words: Table[Words]
    policies: Table[PolicyInForce]
    shelves: Shelves

    @property
    def writes_allowed(self) -> bool: ...

    def known(self, entry: OrderEntry) -> dict[str, Catalogued | None]: ...

    async def take_in(self, orders: Sequence[Order]) -> None: ...

    async def catch_up(self) -> None: ...

    async def commit(
        self, events: Sequence[Event], *, by: str | None = None
    ) -> Sequence[Recorded]: ...

    async def commit_retrying(
        self, decide: Callable[[], Sequence[Event]]
    ) -> Sequence[Recorded]: ...

    async def record(self, *events: Event) -> Sequence[Recorded]: ...


class Accepting:
    """Which orders are taken."""

    def __init__(
        self,
        room: AcceptingRoom,
        marketplace: MarketplacePort,
        opening: AcceptancePolicy,
        *,
        every: timedelta,
    ) -> None:
        self._room = room
        self._marketplace = marketplace
        self._opening = opening
        self._every = every

    # ── the job ─────────────────────────────────────────────────────────────────────────────

    async def run(self) -> float:
        """Hold, release or answer whatever waits; seconds until time has more to say."""
        await self._open_policy()
        await self._room.commit_retrying(self._standings)
        stuck: OrdersUnreadable | None = None
        for order_id in by_deadline(self._room, self._is_due):
            try:
                await self._answer(order_id)
            except OrdersUnreadable as why:  # this order can't go on; the others can
                stuck = why
        if stuck is not None:
            raise stuck
        said = await self._room.commit_retrying(self._times)
        if any(isinstance(each.event, AcceptanceDecided) for each in said):
            return 0.0  # the policy has said at the end what to answer
        return self._next_look_s()

    async def _open_policy(self) -> None:
        if POLICY_KEY not in self._room.policies:
            await self._set_policy(self._opening, reason="", by="opening policy")

    def _standings(self) -> list[Event]:
        return [
            event
            for order_id, entry in self._room.orders.watched()
            if may_be_held(entry)
            for event in decide_standing(entry, self.circumstances(order_id))
        ]

    def _times(self) -> list[Event]:
        return [
            event
            for order_id, entry in self._room.orders.watched()
            if entry.state == WAITING
            for event in decide_time(entry, self.circumstances(order_id))
        ]

    def _next_look_s(self) -> float:
        room, policy = self._room, self._room.policies[POLICY_KEY].policy
        dues = [
            due
            for order_id, entry in room.orders.watched()
            if (due := next_look_at(entry, room.words.get(order_id), policy))
        ]
        next_due_s = (min(dues) - room.clock.now()).total_seconds() if dues else math.inf
        return min(max(next_due_s, 1.0), self._every.total_seconds())

    def _is_due(self, order_id: str) -> bool:
        entry = self._room.orders[order_id]
        if entry.state != WAITING:
            return False
        if entry.acceptance == Acceptance.OPEN:
            return True
        return self._room.writes_allowed and self._due(order_id) is not None

    def circumstances(self, order_id: str) -> Circumstances:
        """What the order is judged by, now."""
        room = self._room
        tenant = room.tenant.get(KEY)
        return Circumstances(
            known=room.known(room.orders[order_id]),
            words=room.words.get(order_id),
            in_force=room.policies.get(POLICY_KEY)
            or PolicyInForce(version=0, policy=self._opening),
            shelves=room.shelves,
            automatic=tenant is not None and tenant.acceptance_is_automatic,
            now=room.clock.now(),
        )

    def passes(self, order_id: str) -> int | None:
        """The version of the policy that lets the order be posted; None: it has to wait."""
        now = self.circumstances(order_id)
        verdict = judged(self._room.orders[order_id], now)
        return now.in_force.version if verdict.verdict == "passes" else None

    # ── the marketplace ─────────────────────────────────────────────────────────────────────

    def _due(self, order_id: str) -> AcceptanceDecided | None:
        """What is to be sent now."""
        room = self._room
        entry, now = room.orders[order_id], room.clock.now()
        if entry.state != WAITING or entry.acceptance != Acceptance.NONE:
            return None
        decided = wants_decision(entry, self.circumstances(order_id))
        if decided is None:
            return None
        words = room.words.get(order_id)
        by_policy = words is None or words.decided is None
        if by_policy and left_to_the_marketplace(entry, room.tenant.get(KEY), now):
            return None
        return decided

    async def _answer(self, order_id: str) -> None:
        entry = self._room.orders[order_id]
        if entry.acceptance == Acceptance.OPEN and entry.state == WAITING:
            await self._look_up(order_id)
        if self._room.writes_allowed and (decided := self._due(order_id)) is not None:
            await self._send(decided)

    async def _send(self, decided: AcceptanceDecided) -> None:
        order_id, now = decided.order_id, self._room.clock.now
        (intended,) = await self._room.commit(
            (
                AcceptanceIntended(
                    order_id=order_id,
                    lines=decided.accepted,
                    refused=decided.refused,
                    policy_version=decided.policy_version,
                    occurred_at=now(),
                ),
            )
        )
        decisions = dict.fromkeys(decided.accepted, True) | dict.fromkeys(
            decided.refused, False
        )
        try:
            with correlated(intended.correlation_id):
                await self._marketplace.accept(order_id, decisions)
        except OutcomeUnknown as lost:
            unknown = AcceptanceUnknown(
                order_id=order_id, message=lost.message, occurred_at=now()
            )
            await self._room.record(unknown)
            await self._look_up(order_id)
        except Refused as refusal:
            await self._look_up(order_id, refusal.message)
        else:
            await self._room.record(AcceptanceConfirmed(order_id=order_id, occurred_at=now()))
            if decided.refused:
                # What was refused leaves at once, and its offers are said again.
                await self._read_again(order_id)

    async def _read_again(self, order_id: str) -> None:
        await self._room.take_in(await self._marketplace.orders_by_id([order_id]))

    async def _look_up(self, order_id: str, refused: str = "") -> None:
        """The order's own state settles an answer whose outcome is open."""
        await self._read_again(order_id)
        entry = self._room.orders[order_id]
        if entry.acceptance != Acceptance.OPEN or entry.state != WAITING:
            return
        message = refused or "the marketplace did not take the acceptance"
        await self._room.commit(
            (
                AcceptanceRefused(
                    order_id=order_id,
                    message=message,
                    retry=not refused,
                    occurred_at=self._room.clock.now(),
                ),
            )
        )

    # ── what people say ─────────────────────────────────────────────────────────────────────

    async def set_policy(self, text: str, *, reason: str, by: str) -> str:
        """A person sets the acceptance policy, as TOML. Raises Misuse that names the rule."""
        policy = read_policy(text)
        await self._set_policy(policy, reason=reason, by=by)
        version = self._room.policies[POLICY_KEY].version
        return f"acceptance policy version {version} is in force"

    async def _set_policy(self, policy: AcceptancePolicy, *, reason: str, by: str) -> None:
        known = self._room.policies.get(POLICY_KEY)
        if known is not None and known.policy == policy:
            return
        version = known.version + 1 if known else 1
        await self._room.commit(
            (
                AcceptancePolicySet(
                    version=version,
                    policy=policy,
                    reason=reason,
                    occurred_at=self._room.clock.now(),
                ),
            ),
            by=by,
        )

    async def hold(self, order_id: str, *, reason: str, by: str) -> str:
        """A person holds an order. Raises Refused when it is too late."""
        said = await self._say(
            order_id,
            lambda entry, now: decide_person_hold(entry, reason=reason, now=now),
            by=by,
        )
        news = "is held until a person releases it" if said else "is held for that already"
        return f"order {order_id} {news}: kcjl orders release {order_id}"

    async def release(self, order_id: str, *, reason: str, by: str) -> str:
        """A person releases a held order. Raises Refused where only the ERP can mend it."""
        said = await self._say(
            order_id,
            lambda entry, now: decide_let_through(entry, reason=reason, now=now),
            by=by,
        )
        return f"order {order_id} " + ("is released, and goes on" if said else "is not held")

    async def retry(self, order_id: str, *, reason: str, by: str) -> str:
        """A person starts again what was refused. Raises Refused where nothing was."""
        said = await self._say(
            order_id, lambda entry, now: decide_retry(entry, reason=reason, now=now), by=by
        )
        news = "is looked up, and then sent again" if said else "is under way already"
        return f"order {order_id} {news}"

    async def answer(
        self, order_id: str, lines: Sequence[str], *, refuse: bool, reason: str, by: str
    ) -> str:
        """A person accepts or refuses an order, or lines of it. Raises Refused, Misuse."""
        said = await self._say(
            order_id,
            lambda entry, now: decide_word(
                entry,
                self._room.words.get(order_id),
                lines=lines,
                refuse=refuse,
                reason=reason,
                now=now,
            ),
            by=by,
        )
        if not said:
            return f"order {order_id} was decided so already"
        decided = self._room.words[order_id].decided
        if decided is None:
            raise Refused(f"order {order_id} has ended meanwhile")
        return (
            f"order {order_id}: to be accepted {len(decided.accepted)}, to be refused "
            f"{len(decided.refused)} of its lines; the marketplace is told now"
        )

    async def _say(
        self,
        order_id: str,
        decide: Callable[[OrderEntry, datetime], tuple[Event, ...]],
        *,
        by: str,
    ) -> tuple[Event, ...]:
        """Decide on what is there, and say it under their name."""
        while True:
            await self._room.catch_up()
            entry = self._room.orders.get(order_id)
            if entry is None:
                raise NotFound(
                    f"there is no order {order_id}: kcjl orders list names those there are"
                )
            events = decide(entry, self._room.clock.now())
            try:
                await self._room.commit(events, by=by)
            except Conflict:
                continue  # a job has written meanwhile: decide again
            return events
