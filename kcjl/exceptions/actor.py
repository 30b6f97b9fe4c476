"""The exceptions desk, the shell: hears every event, raises, routes and clears; people's words.

Promises: events are judged in order of position, each once, also across restarts: what the desk
says carries the position that caused it, and it goes on after the last of those. What a person
says stands in the log under that name. No rules here.
Called by `service.py`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

from kcjl.actors import Job, Room
from kcjl.clock import Clock, Ids
from kcjl.commands import Handler
from kcjl.errors import Refused
from kcjl.exceptions.catalogue import KINDS
from kcjl.exceptions.conditions import Raise
from kcjl.exceptions.decide import (
    OPEN,
    SAYS_NOTHING,
    OpenException,
    Routed,
    by_kind,
    decide_desk,
    decide_switch,
)
from kcjl.exceptions.desk_events import ExceptionParked, ExceptionRetried, RoutingRulesSet
from kcjl.exceptions.desk_settings import ExceptionSettings
from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised
from kcjl.exceptions.routing import Moved, read_rules, route
from kcjl.exceptions.routing_book import RULES
from kcjl.exceptions.service_conditions import is_met
from kcjl.exceptions.skus import ORDER_SKUS
from kcjl.exceptions.storms import TALLIES, decide_storms
from kcjl.exceptions.words import decide_unpark
from kcjl.log.port import Log, Recorded
from kcjl.vocabulary import Event

__all__ = ["Desk"]

LISTEN_EVERY = timedelta(minutes=5)
TOLD_MAX = 3
"""Of the retries that were refused, those whose reason is told."""


class Desk(Room):
    """The exceptions actor."""

    name = "exceptions"

    def __init__(
        self, log: Log, clock: Clock, ids: Ids, *, settings: ExceptionSettings | None = None
    ) -> None:
        super().__init__(log, clock, ids)
        self._settings = settings or ExceptionSettings()
        self.open = self.table(
            OPEN,
            group=lambda each: each.raised.subject,
            watch=lambda each: each.parked_until is not None,
        )
        self._tallies = self.table(TALLIES)
        self._rules = self.table(RULES)
        self._skus = self.table(ORDER_SKUS)
        self._judged = 0
        self.jobs = (
            Job(
                "judge",
                self._judge,
                every=LISTEN_EVERY,
                wakes_on=(Event,),
                sleeps_through=SAYS_NOTHING,
            ),
            Job("unpark", self._unpark, every=LISTEN_EVERY, wakes_on=(ExceptionParked,)),
        )

    # ── what people say ─────────────────────────────────────────────────────────────────────

    async def switch_writes(self, *, allowed: bool, reason: str, by: str) -> None:
        """The operator's command: stop all writes to the outside, or allow them again."""
        now = self.clock.now()
        await self.commit(
            decide_switch(
                allowed_now=self.writes_allowed, allowed=allowed, reason=reason, now=now
            ),
            by=by,
        )

    async def say(self, events: Sequence[Event], *, by: str) -> None:
        """What a person has said of exceptions; a storm that ends with it is said too."""
        await self.commit((*events, *self._storms(events)), by=by)

    async def retry(
        self,
        meant: Sequence[OpenException],
        rooms: Mapping[str, Handler],
        reason: str,
        *,
        by: str,
    ) -> str:
        """Have each tried again by its room; what came of it. One that is refused stops none.

        Raises Refused when every one of them is.
        """
        done = 0
        refused: list[str] = []
        for each in meant:
            raised = each.raised
            kind = KINDS[raised.kind]
            try:
                said = await rooms[kind.retry](_arguments(raised, reason), by)
            except Refused as error:
                refused.append(error.message)
                continue
            done += 1
            await self.catch_up()
            event = ExceptionRetried(
                kind=raised.kind,
                subject=raised.subject,
                outcome=said or "done",
                by=by,
                occurred_at=self.clock.now(),
            )
            await self.commit((event,), by=by)
        if not done:
            more = f"; and {len(refused) - TOLD_MAX:,} more" if refused[TOLD_MAX:] else ""
            raise Refused("; ".join(refused[:TOLD_MAX]) + more)
        told = f"; {len(refused)} refused: {'; '.join(refused[:TOLD_MAX])}" if refused else ""
        return f"tried again: {done}{told}"

    async def set_rules(self, document: str, *, reason: str, by: str) -> str:
        """Routing rules from their TOML, from now on; the same again is nothing new."""
        rules, known = read_rules(document), self._rules.get("rules")
        if known is not None and known.rules == rules:
            return f"these are the rules already: version {known.version}"
        version = known.version + 1 if known is not None else 1
        event = RoutingRulesSet(
            version=version, rules=rules, reason=reason, occurred_at=self.clock.now()
        )
        await self.commit((event,), by=by)
        return f"version {version} routes what is raised from now on"

    def preview_rules(self, document: str) -> Sequence[Moved]:
        """Whose the open exceptions would be by these rules."""
        rules = read_rules(document)
        counted: Counter[tuple[str, str, str, str]] = Counter()
        for each in self.open.values():
            if each.accepted:
                continue
            raised = each.raised
            rule = route(
                rules,
                kind=raised.kind,
                skus=self._skus_of(raised.subject),
                money=raised.money_at_risk,
            )
            own = KINDS[raised.kind].owner if raised.kind in KINDS else raised.owner
            after = each.owner or (own if rule is None else rule.owner)
            name = "" if rule is None else rule.name
            counted[raised.kind, name, each.owner or raised.owner, after] += 1
        return [
            Moved(kind=kind, rule=rule, before=before, after=after, exceptions=exceptions)
            for (kind, rule, before, after), exceptions in sorted(counted.items())
        ]

    # ── what the log says ───────────────────────────────────────────────────────────────────

    def _apply(self, page: Sequence[Recorded]) -> None:
        super()._apply(page)
        for recorded in page:
            if isinstance(recorded.event, ExceptionRaised | ExceptionCleared):
                self.marks["judged"] = max(self.marks.get("judged", 0), recorded.causation or 0)

    async def _judge(self) -> None:
        self._judged = max(self._judged, self.marks.get("judged", 0))
        async for page in self.log.read(self._judged, to=self.applied):
            for recorded in page:
                if recorded.position <= self._judged:
                    continue
                said = self.said_to(recorded.event)
                await self.commit(
                    (*said, *self._storms(said)),
                    correlation_id=recorded.correlation_id,
                    causation=recorded.position,
                )
                self._judged = recorded.position
            # Most events give no cause to say anything: a snapshot keeps how far we are.
            self.marks["judged"] = self._judged

    def said_to(self, event: Event) -> tuple[Event, ...]:
        """What the desk says to an event, on all that it has folded."""
        return decide_desk(
            event, self.open.grouped, routed=self._routed, still_met=self._is_still_met
        )

    def _is_still_met(self, kind: str, subject: str) -> bool:
        return any(is_met(kind, subject, job.met) for job in self._interrupted.values())

    def _routed(self, condition: Raise) -> Routed:
        known = self._rules.get("rules")
        if known is None:
            return by_kind(condition)
        skus = (*condition.skus, *self._skus_of(condition.subject))
        rule = route(known.rules, kind=condition.kind, skus=skus, money=condition.money)
        if rule is None:
            return by_kind(condition)
        return Routed(owner=rule.owner, rules_version=known.version)

    def _skus_of(self, subject: str) -> tuple[str, ...]:
        """Of an order, or of one of its parcels; else the subject may be a SKU itself."""
        order = self._skus.get(subject.partition("/")[0])
        return (subject,) if order is None else order.skus

    def _storms(self, said: Sequence[Event]) -> tuple[Event, ...]:
        if not said:
            return ()
        return decide_storms(
            said,
            self._tallies.get,
            threshold=self._settings.storm_exceptions,
            window_minutes=self._settings.storm_minutes,
            at=said[-1].occurred_at,
        )

    async def _unpark(self) -> float | None:
        """Put back on the desk what was parked until now; seconds until the next is due."""
        await self.commit(
            decide_unpark((each for _, each in self.open.watched()), self.clock.now())
        )
        due = [each.parked_until for _, each in self.open.watched() if each.parked_until]
        return (min(due) - self.clock.now()).total_seconds() if due else None


def _arguments(raised: ExceptionRaised, reason: str) -> dict[str, str]:
    """What the room's own handler is told: it takes of it what it needs."""
    order_id, _, rest = raised.subject.partition("/")
    return {
        "order_id": order_id,
        "parcel_key": rest,
        "sku": raised.subject,
        "reason": reason,
    }
