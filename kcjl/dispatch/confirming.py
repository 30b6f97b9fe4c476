"""Confirmations, the shell: parcels are confirmed in the order of their deadlines.

Promises: every confirmation is an intention, then an outcome; an open outcome is looked up
among the marketplace's shipments before anything is sent again. While the marketplace answers
nothing, a parcel at a time is tried, with pauses, and the others wait. It holds no rule.
Called by the dispatch room. Source: design 8; johnlewis b.3, b.4, d.5.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta

import msgspec

from kcjl.calls.correlation import correlated
from kcjl.dispatch.asking import Asking, NoAnswerError
from kcjl.dispatch.carrier_map import decide_awaited_no_more
from kcjl.dispatch.closing import SHIPPED_THERE, decide_shipped_there, is_looked_up_first
from kcjl.dispatch.couriers import Couriers
from kcjl.dispatch.decide import decide_confirmation
from kcjl.dispatch.events import (
    ConfirmationIntended,
    ConfirmationUnknown,
    CourierUnmapped,
    TrackingIntended,
    TrackingRefused,
)
from kcjl.dispatch.matching import is_open
from kcjl.dispatch.outage import ANSWERING_KEY, Answering, decide_resumed, decide_stopped
from kcjl.dispatch.parcel import NumberState, Parcel, ParcelState
from kcjl.dispatch.room import DispatchMarketplace, DispatchRoom
from kcjl.dispatch.sending_on import decide_number, waits_to_send_on
from kcjl.dispatch.state import Dispatch
from kcjl.dispatch.terms import Terms
from kcjl.settings import DispatchSettings
from kcjl.vocabulary import Event

__all__ = ["Confirming", "terms_of"]

SILENT_AFTER = 3
"""So many parcels in a row without an answer: the others wait."""
SENDS_A_RUN = 250
"""Then what has come meanwhile is ranked with the rest."""
PROBES_OF_ONE = 4
"""So often one parcel is tried while nothing is answered; then another one, too."""
PAUSE_FIRST_S = 5.0
PAUSE_MAX_S = 300.0
LOOK_HOLDS = timedelta(minutes=1)
"""So long after a look at the marketplace's shipments a parcel may be sent again."""
NEVER_LATE = datetime.max.replace(tzinfo=UTC)
UNANSWERED = frozenset({ParcelState.UNANSWERED})
TRIED_AGAIN = UNANSWERED | {ParcelState.REFUSED}

Intended = ConfirmationIntended | TrackingIntended


def terms_of(settings: DispatchSettings) -> Terms:
    """What the rules take of the settings."""
    return Terms(
        tracking_wait=timedelta(hours=settings.tracking_wait_hours),
        without_tracking=settings.without_tracking,
        tracking_forms=settings.tracking_forms,
        retry_first=timedelta(minutes=settings.retry_first_minutes),
        retry_max=timedelta(minutes=settings.retry_max_minutes),
        retry_for=timedelta(hours=settings.retry_hours),
    )


class Confirming:
    """The confirmations of one merchant."""

    def __init__(
        self,
        room: DispatchRoom,
        couriers: Couriers,
        marketplace: DispatchMarketplace,
        settings: DispatchSettings,
    ) -> None:
        self._room = room
        self._couriers = couriers
        self._asking = Asking(room, marketplace)
        self._terms = terms_of(settings)
        self._poll_s = settings.poll_s
        self._told_after = timedelta(minutes=settings.silent_minutes)
        self._quiet_until: datetime | None = None
        self._pauses = 0
        self._failures: Counter[str] = Counter()
        """Tries without an answer by order, since there was one."""

    @property
    def answering(self) -> Answering:
        return self._room.answering.get(ANSWERING_KEY) or Answering()

    async def run(self) -> float | None:
        """Decide all, then send what is due; 0 when more of it follows."""
        due = await self._decide_all()
        entries = [entry for _, entry in self._room.dispatches.watched()]
        now = self._room.clock.now()
        await self._room.commit(decide_awaited_no_more(self._couriers.known, entries, now))
        if self._quiet_until is not None and now < self._quiet_until:
            if not self._waiting(due):
                await self._resumed()
            return (self._quiet_until - now).total_seconds()
        silent, sent, answers = None, 0, self._asking.answers
        for order_id, parcel_key in sorted(due, key=self._urgency):
            answers_before = self._asking.answers
            try:
                await self._advance(order_id, parcel_key)
            except NoAnswerError as error:
                silent = await self._not_answered(order_id, parcel_key, error)
            sent += 1
            if self._asking.answers > answers_before:
                silent = None
                self._failures.clear()
                if self.answering.stopped_since is not None:
                    break  # the most urgent ones are next
            if self._is_silent(silent) or sent >= SENDS_A_RUN:
                break
        is_unheard = self._asking.unanswered and due and self._asking.answers == answers
        waiting = self._waiting(due)
        if waiting and (is_unheard or self._is_silent(silent)):
            return await self._stop(silent, waiting)
        return await self._go_on(waiting, has_more=sent < len(due), nothing_due=not due)

    # ── deciding ────────────────────────────────────────────────────────────────────────────

    async def _decide_all(self) -> list[tuple[str, str]]:
        """Say what is to be said of all parcels; those for which the marketplace is asked."""
        due: list[tuple[str, str]] = []
        if self._couriers.known.read_at is None:
            return due
        for order_id, watched in self._room.dispatches.watched():
            for seen in watched.parcels:
                parcel = self._room.dispatches[order_id].parcel(seen.parcel_key)
                if parcel is None or not self._is_at_work(order_id, parcel):
                    continue
                if parcel.state == ParcelState.OPEN or self._is_to_find(order_id, parcel):
                    due.append((order_id, parcel.parcel_key))
                    continue
                events = self._next_for(order_id, parcel.parcel_key)
                if _is_sent(events) or _gives_up(parcel, events):
                    due.append((order_id, parcel.parcel_key))
                else:
                    await self._room.commit(
                        events, correlation_id=f"{order_id}/{parcel.parcel_key}"
                    )
            await self._close(order_id)
        return due

    def _is_at_work(self, order_id: str, parcel: Parcel) -> bool:
        entry = self._room.dispatches[order_id]
        if parcel.state == ParcelState.CONFIRMED:
            return waits_to_send_on(entry, parcel)
        return is_open(entry) and parcel.state != ParcelState.LEFT

    def _is_to_find(self, order_id: str, parcel: Parcel) -> bool:
        """The order is shipped there, and this may be one of its shipments."""
        state = self._room.dispatches[order_id].marketplace_state
        return state in SHIPPED_THERE and is_looked_up_first(parcel)

    def _next_for(
        self, order_id: str, parcel_key: str, at: datetime | None = None
    ) -> tuple[Event, ...]:
        """What is next for it now, or what would be at that time if nothing came between."""
        entry, parcel = self._now(order_id, parcel_key)
        now, carriers, answering = (
            at or self._room.clock.now(),
            self._couriers.known,
            self.answering,
        )
        terms = msgspec.structs.replace(
            self._terms,
            stopped=answering.stopped_since is not None,
            resumed_at=answering.resumed_at,
        )
        if parcel.state == ParcelState.CONFIRMED:
            events = decide_number(entry, parcel, carriers, terms, now)
        else:
            events = decide_confirmation(entry, parcel, carriers, terms, now)
        if not self._room.writes_allowed:
            events = tuple(each for each in events if not isinstance(each, Intended))
        return tuple(self._with_nearest(each) for each in events)

    def _with_nearest(self, event: Event) -> Event:
        if not isinstance(event, CourierUnmapped):
            return event
        nearest = self._couriers.nearest(event.courier_name, event.courier_code)
        return msgspec.structs.replace(event, nearest=nearest)

    async def _close(self, order_id: str) -> None:
        entry = self._room.dispatches[order_id]
        await self._room.commit(decide_shipped_there(entry, self._room.clock.now()))

    def _now(self, order_id: str, parcel_key: str) -> tuple[Dispatch, Parcel]:
        return self._asking.now(order_id, parcel_key)

    # ── sending ─────────────────────────────────────────────────────────────────────────────

    def _urgency(self, due: tuple[str, str]) -> tuple[bool, int, datetime, str, str]:
        order_id, parcel_key = due
        entry, parcel = self._now(order_id, parcel_key)
        tried = self._failures[order_id] // PROBES_OF_ONE
        return parcel.lasting, tried, entry.deadline or NEVER_LATE, order_id, parcel_key

    async def _advance(self, order_id: str, parcel_key: str) -> None:
        """One parcel's next step, with what the marketplace answers."""
        _, parcel = self._now(order_id, parcel_key)
        if parcel.state == ParcelState.OPEN:
            await self._asking.settle(order_id, parcel_key)
            await self._close(order_id)
            _, parcel = self._now(order_id, parcel_key)
        if not self._is_at_work(order_id, parcel):
            return
        if self._is_to_find(order_id, parcel):
            await self._asking.find_there(order_id, parcel_key)
            await self._close(order_id)
            return
        events = self._next_for(order_id, parcel_key)
        intended = next((e for e in events if isinstance(e, ConfirmationIntended)), None)
        looked_at = self._room.clock.now()
        if intended is not None and parcel.attempts:
            # What was not there at the last look may have arrived since: look before it is
            # sent again.
            if await self._asking.is_there(order_id, parcel_key, intended.lines):
                await self._close(order_id)
                return
            events = self._next_for(order_id, parcel_key)
        if _gives_up(parcel, events):
            if await self._asking.number_is_there(order_id, parcel_key):
                return
            events = self._next_for(order_id, parcel_key)
        correlation_id = f"{order_id}/{parcel_key}"
        await self._room.commit(events, correlation_id=correlation_id)
        is_old = parcel.attempts and self._room.clock.now() - looked_at > LOOK_HOLDS
        with correlated(correlation_id):
            for event in events:
                if isinstance(event, TrackingIntended):
                    await self._asking.send_number(event)
                elif isinstance(event, ConfirmationIntended):
                    if is_old:  # the log was slow: what has arrived meanwhile is not known
                        await self._asking.settle(order_id, parcel_key)
                    else:
                        await self._asking.send(event)
        await self._close(order_id)

    # ── silence ─────────────────────────────────────────────────────────────────────────────

    def _is_silent(self, silent: NoAnswerError | None) -> bool:
        """Nobody else is asked: too many were not answered, or it wants to be left alone."""
        is_limit = silent is not None and silent.retry_after_s is not None
        return self._asking.unanswered >= SILENT_AFTER or is_limit

    async def _not_answered(
        self, order_id: str, parcel_key: str, error: NoAnswerError
    ) -> NoAnswerError:
        """One parcel alone that looks do not settle, while others go through, is said."""
        self._failures[order_id] += 1
        _, parcel = self._now(order_id, parcel_key)
        answered_at, now = self._asking.answered_at, self._room.clock.now()
        if (
            parcel.state == ParcelState.OPEN
            and not parcel.lasting
            and parcel.tried_at is not None
            and answered_at is not None
            and answered_at > parcel.tried_at
            and now - parcel.tried_at >= self._told_after
        ):
            entry = self._room.dispatches[order_id]
            lasting = ConfirmationUnknown(
                order_id=order_id,
                parcel_key=parcel_key,
                message=str(error),
                attempt=parcel.attempts,
                deadline=entry.deadline,
                lasting=True,
                occurred_at=now,
            )
            await self._room.record(lasting)
        return error

    async def _stop(self, silent: NoAnswerError | None, waiting: int) -> float:
        now = self._room.clock.now()
        events = decide_stopped(
            self.answering,
            message=self._asking.last_silence,
            waiting=waiting,
            told_after=self._told_after,
            now=now,
        )
        await self._room.commit(events)
        pause_s = min(PAUSE_FIRST_S * (1 << min(self._pauses, 10)), PAUSE_MAX_S)
        if silent is not None and silent.retry_after_s is not None:
            pause_s = max(pause_s, silent.retry_after_s)
        self._pauses += 1
        self._quiet_until = now + timedelta(seconds=pause_s)
        return pause_s

    async def _go_on(self, waiting: int, *, has_more: bool, nothing_due: bool) -> float | None:
        again_s = 0.0 if has_more else None
        if not has_more and self._pausing(TRIED_AGAIN):
            again_s = min(self._poll_s, self._terms.retry_first.total_seconds())
        if nothing_due and waiting:
            return again_s  # whether it answers is not known before they are tried again
        self._quiet_until = None
        await self._resumed(nothing_waits=not waiting)
        return again_s

    async def _resumed(self, *, nothing_waits: bool = True) -> None:
        """It answers; or nobody waits for it, so whether it does is nobody's concern."""
        self._pauses = 0
        if nothing_waits:
            self._asking.unanswered = 0
        await self._room.commit(decide_resumed(self.answering, self._room.clock.now()))

    def _waiting(self, due: list[tuple[str, str]]) -> int:
        """Parcels that wait for the marketplace's answer alone."""
        undone = [each for each in due if self._is_at_work(each[0], self._now(*each)[1])]
        return len({*undone, *self._pausing(UNANSWERED)})

    def _pausing(self, states: frozenset[ParcelState]) -> list[tuple[str, str]]:
        """What was tried and came to this, or its number: sent again when its pause is over."""
        later = self._room.clock.now() + self._terms.retry_max
        return [
            (order_id, parcel.parcel_key)
            for order_id, entry in self._room.dispatches.watched()
            for parcel in entry.parcels
            if (parcel.state in states or parcel.number_state == NumberState.REFUSED)
            and self._is_at_work(order_id, parcel)
            and _is_sent(self._next_for(order_id, parcel.parcel_key, later))
        ]


def _gives_up(parcel: Parcel, events: tuple[Event, ...]) -> bool:
    """A number that was sent: it is looked for there before it is given up."""
    return parcel.number_attempts > 0 and any(
        isinstance(each, TrackingRefused) for each in events
    )


def _is_sent(events: tuple[Event, ...]) -> bool:
    return any(isinstance(each, Intended) for each in events)
