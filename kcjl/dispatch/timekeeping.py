"""An order's time, the fold: what the events of orders, parcels and the ERP make of it.

Promises: pure; the same events give the same timing. What the two sides' clocks tell out of
order counts nothing: a stage never ends before it began.
Invariant: an order that is confirmed, ended or passed over stays so.
Called by the dispatch room and `projection.py`. Source: design 8.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from kcjl.dispatch.deadline_events import (
    AT_RISK,
    LATE,
    DeadlineEased,
    DispatchAtRisk,
    DispatchLate,
    SalesOrderStaged,
)
from kcjl.dispatch.events import (
    ConfirmationGivenUp,
    ConfirmationIntended,
    ConfirmationRetried,
    CourierUnmapped,
    DispatchClosed,
    ParcelConfirmed,
    ParcelEvent,
    ParcelShipped,
    ParcelsLeft,
    ParcelsUnshipped,
    ParcelUnmatched,
    SalesOrderCancelled,
    TrackingAwaited,
    TrackingLetThrough,
    TrackingMalformed,
    TrackingSent,
)
from kcjl.dispatch.timing import FINAL, Stage, TimedParcel, Timing
from kcjl.fold import Fold
from kcjl.orders.events import (
    AcceptanceConfirmed,
    OrderChanged,
    OrderHeld,
    OrderPassedOver,
    OrderReceived,
    OrderReleased,
    PostingApproved,
    PostingIntended,
    PostingRefused,
    SalesOrderForgone,
    SalesOrderFoundAgain,
    SalesOrderPosted,
    SalesOrderVanished,
)
from kcjl.orders.events_changes import LineCancelled
from kcjl.vocabulary import Event

__all__ = ["TIMINGS"]

LONDON = ZoneInfo("Europe/London")
UNDECIDED = frozenset({"STAGING", "WAITING_ACCEPTANCE"})
ENDED_UNSOLD = frozenset({"REFUSED", "CANCELED"})
TROUBLE = (Stage.GIVEN_UP, Stage.UNMAPPED, Stage.UNTRACKED)
"""Of parcels, that of an order first which takes a person."""
SHIPPED_THERE = frozenset({"SHIPPED", "TO_COLLECT", "RECEIVED"})

_ORDER_EVENTS = (
    OrderReceived,
    OrderChanged,
    OrderPassedOver,
    OrderHeld,
    OrderReleased,
    AcceptanceConfirmed,
    PostingApproved,
    PostingIntended,
    PostingRefused,
    SalesOrderPosted,
    SalesOrderVanished,
    SalesOrderFoundAgain,
    SalesOrderForgone,
    LineCancelled,
)
_PARCEL_EVENTS = (
    ParcelShipped,
    CourierUnmapped,
    TrackingAwaited,
    TrackingMalformed,
    TrackingLetThrough,
    TrackingSent,
    ConfirmationIntended,
    ConfirmationGivenUp,
    ConfirmationRetried,
    ParcelUnmatched,
    ParcelConfirmed,
    ParcelsUnshipped,
    ParcelsLeft,
    SalesOrderCancelled,
    DispatchClosed,
)
_SAID = (SalesOrderStaged, DispatchAtRisk, DispatchLate, DeadlineEased)
_HEARD = (*_ORDER_EVENTS, *_PARCEL_EVENTS, *_SAID)


def _keys(event: Event) -> tuple[str, ...]:
    return (event.order_id,) if isinstance(event, _HEARD) else ()


def _evolve(timing: Timing | None, event: Event, _key: str) -> Timing | None:
    if isinstance(event, OrderReceived):
        return _received(event)
    if timing is None:
        return None
    if (told := _SAID_OF.get(type(event))) is not None:
        return msgspec.structs.replace(timing, said=told)
    changed = msgspec.structs.replace(timing, **_CHANGES[type(event)](timing, event))
    if timing.stage in FINAL:
        return msgspec.structs.replace(changed, stage=timing.stage)
    stage = _stage(changed)
    if stage == timing.stage:
        return changed
    at = max(_moment(changed, event), timing.since)
    first_ready = stage == Stage.POSTING and timing.ready_at is None
    return msgspec.structs.replace(
        changed,
        stage=stage,
        spans=(*timing.spans, (timing.stage, at)),
        ready_at=at if first_ready else timing.ready_at,
        confirmed_at=at if stage == Stage.CONFIRMED else None,
        said="" if stage in FINAL else timing.said,
    )


def _received(event: OrderReceived) -> Timing:
    """Seen in a later state, it was the marketplace's until it came into that state."""
    timing = Timing(
        order_id=event.order_id,
        ordered_at=event.occurred_at,
        ship_by=event.ship_by,
        money=event.total_price,
        lines=len(event.lines),
        skus=tuple(dict.fromkeys(line.sku for line in event.lines)),
        state=event.state,
        stage=Stage.AT_MARKETPLACE,
        accepted=_is_accepted(event.state),
    )
    stage = _stage(timing)
    if stage == Stage.AT_MARKETPLACE:
        return timing
    at = event.occurred_at
    if stage != Stage.ACCEPTING:
        at = max(at, event.updated_at or at)
    return msgspec.structs.replace(
        timing,
        stage=stage,
        spans=((Stage.AT_MARKETPLACE, at),) if at > event.occurred_at else (),
        ready_at=at if stage == Stage.POSTING else None,
        confirmed_at=at if stage == Stage.CONFIRMED else None,
    )


def _is_accepted(state: str) -> bool:
    return state not in UNDECIDED and state not in ENDED_UNSOLD


def _stage(timing: Timing) -> Stage:
    if timing.stage in FINAL:
        return timing.stage
    if timing.state in ENDED_UNSOLD or (timing.state == "CLOSED" and not timing.posted):
        return Stage.ENDED
    if timing.state in SHIPPED_THERE:
        return Stage.CONFIRMED
    if not timing.posted:
        return _stage_before_posting(timing)
    if not timing.complete:
        if timing.in_erp == "on_hold":
            return Stage.HELD_IN_ERP
        return Stage.PICKING if timing.in_erp == "in_warehouse" else Stage.TO_PICK
    stages = {parcel.stage for parcel in timing.parcels}
    return next((each for each in TROUBLE if each in stages), Stage.CONFIRMING)


def _stage_before_posting(timing: Timing) -> Stage:
    if timing.held or timing.lost:
        return Stage.HELD
    if timing.state == "WAITING_ACCEPTANCE" and not timing.accepted:
        return Stage.ACCEPTING
    return Stage.POSTING if timing.state == "SHIPPING" else Stage.AT_MARKETPLACE


def _moment(timing: Timing, event: Event) -> datetime:
    """When the next stage began: of parcels what the ERP and the marketplace say of them."""
    if isinstance(event, SalesOrderPosted | SalesOrderFoundAgain):
        return event.taken_by
    if isinstance(event, ParcelShipped) and event.shipped_on is not None:
        return min(_end_of(event.shipped_on), event.occurred_at)
    if isinstance(event, DispatchClosed):
        return timing.parcel_confirmed_at or event.occurred_at
    return event.occurred_at


def _end_of(day: date) -> datetime:
    """The ERP tells the day on which it was shipped, and no time."""
    return datetime.combine(day + timedelta(days=1), time(0), LONDON).astimezone(UTC)


Change: TypeAlias = dict[str, object]
E = TypeVar("E", bound=Event)


def _when(
    kind: type[E], change: Callable[[Timing, E], Change]
) -> tuple[type[Event], Callable[[Timing, Any], Change]]:
    return kind, change


def _changed(timing: Timing, event: OrderChanged) -> Change:
    return {
        "state": event.state,
        "ship_by": event.ship_by or timing.ship_by,
        "money": event.total_price,
        "accepted": timing.accepted or _is_accepted(event.state),
        "refused": sum(line.state == "REFUSED" for line in event.lines),
    }


def _posted(_: Timing, event: SalesOrderPosted) -> Change:
    units = sum(line.quantity for line in event.lines)
    return {"posted": True, "lost": False, "held": False, "units": units}


def _line_cancelled(timing: Timing, event: LineCancelled) -> Change:
    if event.line_id in timing.cancelled:
        return {}
    return {"cancelled": (*timing.cancelled, event.line_id)}


def _shipped(timing: Timing, event: ParcelShipped) -> Change:
    parcel = TimedParcel(
        parcel_key=event.parcel_key,
        courier=event.courier_name,
        units=sum(item.quantity for item in event.items),
        tracked=bool(event.tracking_number),
    )
    others = (each for each in timing.parcels if each.parcel_key != event.parcel_key)
    parcels = (*others, parcel)
    all_gone = sum(each.units for each in parcels) >= timing.units
    return {"parcels": parcels, "complete": event.erp_complete or all_gone}


def _unshipped(timing: Timing, event: ParcelsUnshipped) -> Change:
    left = tuple(each for each in timing.parcels if each.parcel_key not in event.parcel_keys)
    return {"parcels": left, "complete": False}


def _left(timing: Timing, event: ParcelsLeft) -> Change:
    return _parcels(timing, event.parcel_keys, Stage.ENDED)


def _parcel(stage: Stage) -> Callable[[Timing, ParcelEvent], Change]:
    return lambda timing, event: _parcels(timing, (event.parcel_key,), stage)


def _malformed(timing: Timing, event: TrackingMalformed) -> Change:
    """No number that counts. Of one that is confirmed the marketplace keeps what it has."""
    change: Change = {"stage": Stage.UNTRACKED, "tracked": False}
    return _of_parcel(timing, event, lambda each: {} if _is_confirmed(each) else change)


def _let_through(timing: Timing, event: TrackingLetThrough) -> Change:
    """A person knows better. Of one that is confirmed the number is still to be sent on."""
    change: Change = {"stage": Stage.CONFIRMING, "tracked": True}
    return _of_parcel(timing, event, lambda each: {} if _is_confirmed(each) else change)


def _is_confirmed(parcel: TimedParcel) -> bool:
    return parcel.stage == Stage.CONFIRMED


def _confirmed(timing: Timing, event: ParcelConfirmed) -> Change:
    return {
        **_parcels(timing, (event.parcel_key,), Stage.CONFIRMED),
        "parcel_confirmed_at": event.occurred_at,
    }


def _parcels(timing: Timing, keys: tuple[str, ...], stage: Stage) -> Change:
    return {
        "parcels": tuple(
            msgspec.structs.replace(each, stage=stage) if each.parcel_key in keys else each
            for each in timing.parcels
        )
    }


def _tracked(timing: Timing, event: TrackingSent) -> Change:
    """A number that came after the confirmation."""
    return _of_parcel(timing, event, lambda _: {"tracked": True})


def _of_parcel(
    timing: Timing, event: ParcelEvent, change: Callable[[TimedParcel], Change]
) -> Change:
    return {
        "parcels": tuple(
            msgspec.structs.replace(each, **change(each))
            if each.parcel_key == event.parcel_key
            else each
            for each in timing.parcels
        )
    }


def _closed(timing: Timing, event: DispatchClosed) -> Change:
    """What is left over was ended on both sides."""
    ended = bool(event.left) or timing.state in ENDED_UNSOLD or timing.lost
    return {"stage": Stage.ENDED if ended else Stage.CONFIRMED}


_CHANGES: Mapping[type[Event], Callable[[Timing, Any], Change]] = dict(
    (
        _when(OrderChanged, _changed),
        _when(OrderPassedOver, lambda *_: {"stage": Stage.PASSED_OVER}),
        _when(OrderHeld, lambda *_: {"held": True}),
        _when(OrderReleased, lambda *_: {"held": False}),
        _when(AcceptanceConfirmed, lambda *_: {"accepted": True}),
        _when(PostingApproved, lambda *_: {"lost": False}),
        _when(PostingIntended, lambda *_: {"held": False}),
        _when(PostingRefused, lambda timing, event: {"held": timing.held or event.unsendable}),
        _when(SalesOrderPosted, _posted),
        _when(SalesOrderVanished, lambda *_: {"posted": False, "lost": True, "in_erp": ""}),
        _when(SalesOrderFoundAgain, lambda *_: {"posted": True, "lost": False}),
        _when(SalesOrderForgone, lambda *_: {"stage": Stage.ENDED}),
        _when(LineCancelled, _line_cancelled),
        _when(SalesOrderStaged, lambda _, event: {"in_erp": event.stage}),
        _when(ParcelShipped, _shipped),
        _when(CourierUnmapped, _parcel(Stage.UNMAPPED)),
        _when(TrackingAwaited, _parcel(Stage.UNTRACKED)),
        _when(TrackingMalformed, _malformed),
        _when(TrackingLetThrough, _let_through),
        _when(TrackingSent, _tracked),
        _when(ConfirmationGivenUp, _parcel(Stage.GIVEN_UP)),
        _when(ConfirmationRetried, _parcel(Stage.CONFIRMING)),
        _when(ConfirmationIntended, _parcel(Stage.CONFIRMING)),
        _when(ParcelUnmatched, _parcel(Stage.UNTRACKED)),
        _when(ParcelConfirmed, _confirmed),
        _when(ParcelsUnshipped, _unshipped),
        _when(ParcelsLeft, _left),
        _when(SalesOrderCancelled, lambda *_: {"in_erp": "on_hold"}),
        _when(DispatchClosed, _closed),
    )
)
_SAID_OF: Mapping[type[Event], str] = {
    DispatchAtRisk: AT_RISK,
    DispatchLate: LATE,
    DeadlineEased: "",
}

TIMINGS: Fold[Timing] = Fold(_keys, _evolve, Timing, hears=_HEARD)
