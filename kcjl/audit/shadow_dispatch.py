"""Shadow, the dispatch room: confirmations, and what holds a parcel back.

Promises: dispatch's own tables and rules. What rests on a setting is taken as recorded: that
the pause before another attempt was over, how long a number was waited for, that a parcel may
go without one.
Called by `shadow.py`.
"""

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from kcjl.actors import Room
from kcjl.audit.shadow import Formers, Report
from kcjl.clock import Clock, Ids
from kcjl.dispatch.carrier_names import nearest_carriers
from kcjl.dispatch.carriers_state import CARRIERS, CARRIERS_KEY, Carriers
from kcjl.dispatch.closing import decide_shipped_there
from kcjl.dispatch.decide import decide_confirmation
from kcjl.dispatch.events import (
    ConfirmationGivenUp,
    ConfirmationIntended,
    CourierUnmapped,
    DispatchClosed,
    DispatchEvent,
    ParcelConfirmed,
    ParcelEvent,
    ParcelUnmatched,
    TrackingAwaited,
    TrackingIntended,
    TrackingMalformed,
)
from kcjl.dispatch.outage import ANSWERING, ANSWERING_KEY
from kcjl.dispatch.parcel import Parcel, ParcelState
from kcjl.dispatch.sending_on import decide_number
from kcjl.dispatch.state import DISPATCHES, Dispatch
from kcjl.dispatch.terms import Terms
from kcjl.log.port import Log, Recorded
from kcjl.vocabulary import Event

__all__ = ["DispatchShadow"]


FOR_EVER = timedelta(days=36_500)


class _DispatchThen(Room):
    """The dispatch room's tables, without its ports and jobs."""

    name = "dispatch"

    def __init__(self, log: Log, clock: Clock, ids: Ids) -> None:
        super().__init__(log, clock, ids)
        self.dispatches = self.table(DISPATCHES)
        self.carriers = self.table(CARRIERS)
        self.answering = self.table(ANSWERING)


class DispatchShadow:
    """The dispatch room's decisions."""

    types: tuple[type[Event], ...] = (
        ConfirmationGivenUp,
        ConfirmationIntended,
        CourierUnmapped,
        DispatchClosed,
        ParcelConfirmed,
        ParcelUnmatched,
        TrackingAwaited,
        TrackingIntended,
        TrackingMalformed,
    )

    def __init__(self, log: Log, clock: Clock, ids: Ids, terms: Terms) -> None:
        """`log` is read only; `clock` and `ids` are never asked."""
        self._room = _DispatchThen(log, clock, ids)
        self._terms = terms
        self._formers: Formers[Dispatch] = Formers()

    async def hear(self, recorded: Recorded, report: Report) -> None:
        event = recorded.event
        match event:
            case ParcelConfirmed() if not event.with_parcel:
                report.not_checked(
                    recorded, "nothing decided: what the outside showed or answered"
                )
            case DispatchClosed() | ParcelEvent() if isinstance(event, self.types):
                report.judge(
                    recorded,
                    self._again(event, self._room.dispatches.get(event.order_id)),
                    earlier=(
                        self._again(event, each)
                        for each in self._formers.of(event.order_id, recorded.recorded_at)
                    ),
                )
            case _:
                pass
        for key in DISPATCHES.keys(event):
            self._formers.keep(key, self._room.dispatches.get(key), recorded.recorded_at)
        await self._room.fold((recorded,))

    def _again(self, event: DispatchEvent, entry: Dispatch | None) -> Sequence[Event]:
        if entry is None:
            return ()
        at = event.occurred_at
        if not isinstance(event, ParcelEvent):
            return decide_shipped_there(entry, at)
        parcel = entry.parcel(event.parcel_key)
        if parcel is None:
            return ()
        carriers = self._room.carriers.get(CARRIERS_KEY) or Carriers()
        answering = self._room.answering.get(ANSWERING_KEY)
        terms = self._terms
        if answering is not None:
            terms = msgspec.structs.replace(
                terms,
                stopped=answering.stopped_since is not None,
                resumed_at=answering.resumed_at,
            )
        terms = _as_recorded(event, terms, parcel)
        if parcel.state == ParcelState.CONFIRMED:
            return decide_number(entry, parcel, carriers, terms, at)
        return [
            _with_nearest(each, carriers)
            for each in decide_confirmation(entry, parcel, carriers, terms, at)
        ]


def _as_recorded(event: Event, terms: Terms, parcel: Parcel) -> Terms:
    """What of the terms the decision shows: that it was time, that it may go without number."""
    replace, nothing = msgspec.structs.replace, timedelta()
    match event:
        case TrackingAwaited():
            return replace(terms, tracking_wait=event.until - parcel.first_seen_at)
        case ConfirmationGivenUp():
            return replace(terms, retry_for=nothing)
        case ConfirmationIntended():
            terms = replace(terms, retry_first=nothing, retry_max=nothing, retry_for=FOR_EVER)
            if event.tracking_number:
                return terms
            return replace(terms, without_tracking="confirm", tracking_wait=nothing)
        case _:
            return terms


def _with_nearest(event: Event, carriers: Carriers) -> Event:
    """As the shell says it."""
    if not isinstance(event, CourierUnmapped):
        return event
    said = (event.courier_name, event.courier_code or "")
    return msgspec.structs.replace(event, nearest=nearest_carriers(said, carriers.codes))
