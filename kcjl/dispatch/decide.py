"""Dispatch, the rules: which parcel is confirmed, how, and when not.

Promises: pure; a parcel is confirmed once, for the lines that it holds, under a carrier code
that the marketplace lists; what can't be matched or mapped is said, never guessed.
Called by `actor.py` and `projection.py`. Source: design 8; khaos c, johnlewis b.4, d.5.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from kcjl.dispatch.events import (
    CarrierMapped,
    ConfirmationIntended,
    ConfirmedLine,
    CourierAwaitedNoMore,
    CourierUnmapped,
    DispatchClosed,
    ParcelConfirmed,
    ParcelShipped,
    ParcelsLeft,
    ParcelUnmatched,
    SalesOrderCancelled,
    TrackingAwaited,
)
from kcjl.dispatch.state import DISPATCHES, Carriers, Dispatch, Parcel, ParcelState
from kcjl.vocabulary import Event

__all__ = [
    "ShipmentThere",
    "carrier_code_for",
    "decide_awaited_no_more",
    "decide_confirmation",
    "decide_map",
    "decide_parcels",
    "decide_shipped_there",
    "is_open",
    "may_confirm_at",
    "settle_open",
]

RETRY_FIRST = timedelta(minutes=5)
RETRY_MAX = timedelta(hours=2)
LAST_CALL = timedelta(hours=2)
"""So long before the time to ship by a parcel goes without its number, where it may."""
TROUBLED = frozenset(
    {
        ParcelState.UNMAPPED,
        ParcelState.NO_TRACKING,
        ParcelState.UNMATCHED,
        ParcelState.REFUSED,
    }
)
"""Somebody was told of such a parcel."""
ENDED = frozenset({"REFUSED", "CANCELED"})
SHIPPED_THERE = frozenset({"SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED"})

ShipmentThere = tuple[str, str, tuple[tuple[str, int], ...]]
"""A shipment at the marketplace: (shipment id, tracking number, ((line id, units), …))."""


def is_open(entry: Dispatch) -> bool:
    """The sales order is posted and not everything is confirmed yet."""
    return bool(entry.reference) and not entry.closed


def carrier_code_for(carriers: Carriers, parcel: Parcel) -> str:
    """The marketplace's code for the parcel's courier, by map, else by equal name; or empty."""
    listed = {code.casefold(): code for code, _ in carriers.codes}
    names = {label.casefold(): code for code, label in carriers.codes}
    said = [each.casefold() for each in (parcel.courier_code, parcel.courier_name) if each]
    mapped = dict(carriers.mapped)
    for courier in said:
        if (code := mapped.get(courier)) is not None:
            return listed.get(code.casefold(), "")
    for courier in said:
        if code := listed.get(courier) or names.get(courier):
            return code
    return ""


def decide_parcels(
    entry: Dispatch, seen: Sequence[ParcelShipped], *, cancelled: str | None, now: datetime
) -> tuple[Event, ...]:
    """What the ERP shows of an order's parcels, as far as it is news.

    `cancelled`: the ERP's reason when it shows the sales order as cancelled, else None.
    """
    events: list[Event] = []
    complete = entry.erp_complete
    for shipped in seen:
        known = entry.parcel(shipped.parcel_key)
        if known is None:
            news = True
        elif known.state in (ParcelState.CONFIRMED, ParcelState.OPEN, ParcelState.LEFT):
            news = False
        else:  # or nothing about it, but the order is whole now (or not any more): said once
            news = _differs(known, shipped) or shipped.erp_complete != complete
        if news:
            events.append(shipped)
            complete = shipped.erp_complete
    if cancelled is not None and not entry.cancelled_in_erp:
        events.append(
            SalesOrderCancelled(
                order_id=entry.order_id,
                reference=entry.reference,
                reason=cancelled,
                deadline=entry.deadline,
                still_wanted=entry.marketplace_state not in ENDED,
                occurred_at=now,
            )
        )
    return tuple(events)


def _differs(known: Parcel, shipped: ParcelShipped) -> bool:
    return (
        known.tracking_number != shipped.tracking_number
        or known.courier_name != shipped.courier_name
        or known.courier_code != shipped.courier_code
        or known.items != shipped.items
    )


def may_confirm_at(parcel: Parcel) -> datetime | None:
    """When the parcel may be tried again; None when it never was tried."""
    if parcel.tried_at is None:
        return None
    pause = min(RETRY_FIRST * (1 << min(max(parcel.attempts - 1, 0), 10)), RETRY_MAX)
    return parcel.tried_at + pause


def decide_confirmation(
    entry: Dispatch,
    parcel: Parcel,
    carriers: Carriers,
    *,
    tracking_wait: timedelta,
    now: datetime,
) -> tuple[Event, ...]:
    """The next step for a parcel that is shipped and not confirmed; () when it has to wait."""
    if parcel.state in (ParcelState.CONFIRMED, ParcelState.OPEN, ParcelState.LEFT):
        return ()
    if entry.marketplace_state in ENDED:
        return ()
    if parcel.state == ParcelState.REFUSED:
        when = may_confirm_at(parcel)
        if when is not None and when > now:
            return ()
    carrier = carrier_code_for(carriers, parcel)
    if not carrier:
        return () if parcel.state == ParcelState.UNMAPPED else (_unmapped(entry, parcel, now),)
    if not parcel.tracking_number and not _goes_without_number(entry, carriers, now):
        return _awaited(entry, parcel, tracking_wait, now)
    lines = _match(entry, parcel)
    if lines is None:
        return _unmatched(entry, parcel, now)
    if not carriers.multi_shipment and not entry.erp_complete:
        return ()  # the whole order is shipped in one call: wait for its last parcel
    return (
        ConfirmationIntended(
            order_id=entry.order_id,
            parcel_key=parcel.parcel_key,
            attempt=parcel.attempts + 1,
            lines=lines,
            courier_name=parcel.courier_name,
            carrier_code=carrier,
            tracking_number=parcel.tracking_number,
            by_shipment=carriers.multi_shipment,
            occurred_at=now,
        ),
    )


def _goes_without_number(entry: Dispatch, carriers: Carriers, now: datetime) -> bool:
    """Better confirmed without a number than late, where the shipping type allows it (SH12)."""
    optional = entry.shipping_type_code in carriers.tracking_optional
    return optional and entry.deadline is not None and now >= entry.deadline - LAST_CALL


def _unmapped(entry: Dispatch, parcel: Parcel, now: datetime) -> Event:
    return CourierUnmapped(
        order_id=entry.order_id,
        parcel_key=parcel.parcel_key,
        courier_name=parcel.courier_name,
        courier_code=parcel.courier_code,
        deadline=entry.deadline,
        occurred_at=now,
    )


def _awaited(
    entry: Dispatch, parcel: Parcel, wait: timedelta, now: datetime
) -> tuple[Event, ...]:
    until = parcel.first_seen_at + wait
    if parcel.state == ParcelState.NO_TRACKING or now < until:
        return ()
    return (
        TrackingAwaited(
            order_id=entry.order_id,
            parcel_key=parcel.parcel_key,
            until=until,
            deadline=entry.deadline,
            occurred_at=now,
        ),
    )


def _unmatched(entry: Dispatch, parcel: Parcel, now: datetime) -> tuple[Event, ...]:
    held = ", ".join(f"{item.quantity} × {item.stock_code}" for item in parcel.items)
    message = (
        f"parcel {parcel.parcel_key} holds {held}: the order's open lines don't ask for it"
    )
    if parcel.state == ParcelState.UNMATCHED and parcel.message == message:
        return ()
    return (
        ParcelUnmatched(
            order_id=entry.order_id,
            parcel_key=parcel.parcel_key,
            message=message,
            deadline=entry.deadline,
            occurred_at=now,
        ),
    )


def _match(entry: Dispatch, parcel: Parcel) -> tuple[ConfirmedLine, ...] | None:
    """Share the parcel's units out over the order's open lines; None when they don't fit."""
    left = {line.line_id: line.quantity for line in entry.lines}
    for other in entry.parcels:
        if other.state in (ParcelState.CONFIRMED, ParcelState.OPEN):
            for confirmed in other.lines:
                left[confirmed.line_id] = left.get(confirmed.line_id, 0) - confirmed.quantity
    units: dict[str, int] = defaultdict(int)
    taken: dict[str, int] = defaultdict(int)
    for item in parcel.items:
        named = min(item.quantity, max(left.get(item.line_id, 0) - taken[item.line_id], 0))
        taken[item.line_id] += named  # what the ERP names goes to its line first
        units[item.stock_code.casefold()] += item.quantity - named
    for line in entry.lines:
        key = line.stock_code.casefold()
        take = min(units.get(key, 0), left[line.line_id] - taken[line.line_id])
        if take > 0:
            units[key] -= take
            taken[line.line_id] += take
    matched = tuple(
        ConfirmedLine(line_id=line.line_id, quantity=taken[line.line_id])
        for line in entry.lines
        if taken[line.line_id] > 0
    )
    if not matched or any(units.values()):
        return None
    return matched


def settle_open(
    entry: Dispatch,
    parcel: Parcel,
    shipments: Sequence[ShipmentThere],
    *,
    now: datetime,
) -> Event | None:
    """Whether a parcel whose outcome is open is among the marketplace's shipments.

    None: it is not there: it may be sent again.
    """
    wanted = {(line.line_id, line.quantity) for line in parcel.lines}
    others = {each.shipment_id for each in entry.parcels if each.shipment_id}
    for shipment_id, tracking_number, lines in shipments:
        # Two boxes may be alike, to the tracking number: a shipment is one parcel only.
        same_number = tracking_number.casefold() == parcel.tracking_number.casefold()
        if shipment_id not in others and same_number and set(lines) == wanted:
            return _confirmed(entry, parcel, shipment_id, already=True, now=now)
    return None


def _confirmed(
    entry: Dispatch, parcel: Parcel, shipment_id: str, *, already: bool, now: datetime
) -> ParcelConfirmed:
    return ParcelConfirmed(
        order_id=entry.order_id,
        parcel_key=parcel.parcel_key,
        lines=parcel.lines,
        shipment_id=shipment_id,
        already=already,
        occurred_at=now,
    )


def decide_shipped_there(entry: Dispatch, now: datetime) -> tuple[Event, ...]:
    """Close what needs no more confirmation; what others confirmed is done, with a note."""
    if not is_open(entry):
        return ()
    waiting = [each for each in entry.parcels if each.state != ParcelState.CONFIRMED]
    if entry.marketplace_state in ENDED or entry.forgone:
        if not (entry.cancelled_in_erp or entry.vanished):
            return _left(entry, now)  # looked at until somebody has cancelled it there too
        there = "gone from the ERP" if entry.vanished else "cancelled in the ERP"
        reason = f"{entry.marketplace_state} at the marketplace, and {there}"
        left = tuple(each.parcel_key for each in waiting)
        return (
            DispatchClosed(order_id=entry.order_id, reason=reason, left=left, occurred_at=now),
        )
    events: list[Event] = []
    if entry.marketplace_state in SHIPPED_THERE:
        for parcel in waiting:
            if parcel.state == ParcelState.OPEN:
                continue
            # What still fits: lines of an attempt that was refused may have gone elsewhere.
            lines = _match(entry, parcel) or ()
            mine = msgspec.structs.replace(parcel, lines=lines)
            confirmed = _confirmed(entry, mine, "", already=True, now=now)
            events.append(confirmed)
            entry = DISPATCHES.evolve(entry, confirmed, entry.order_id) or entry
        waiting = [each for each in waiting if each.state == ParcelState.OPEN]
    sent = sum(line.quantity for parcel in entry.parcels for line in parcel.lines)
    ordered = sum(line.quantity for line in entry.lines)
    done = sent >= ordered or entry.marketplace_state in SHIPPED_THERE
    if not waiting and done and (entry.parcels or entry.marketplace_state in SHIPPED_THERE):
        reason = "every parcel is confirmed"
        events.append(DispatchClosed(order_id=entry.order_id, reason=reason, occurred_at=now))
    return tuple(events)


def _left(entry: Dispatch, now: datetime) -> tuple[Event, ...]:
    """What was raised of parcels that need no confirmation any more."""
    troubled = tuple(each.parcel_key for each in entry.parcels if each.state in TROUBLED)
    if not troubled:
        return ()
    return (
        ParcelsLeft(
            order_id=entry.order_id,
            parcel_keys=troubled,
            reason=f"the marketplace shows the order as {entry.marketplace_state}",
            occurred_at=now,
        ),
    )


def decide_awaited_no_more(
    carriers: Carriers | None, entries: Iterable[Dispatch], now: datetime
) -> tuple[Event, ...]:
    """Couriers that were said to be unmapped, and that no parcel waits for any more."""
    unmapped = carriers.unmapped if carriers is not None else ()
    if not unmapped:
        return ()
    waiting = {
        parcel.courier_name.casefold()
        for entry in entries
        if is_open(entry)
        for parcel in entry.parcels
        if parcel.state == ParcelState.UNMAPPED
    }
    return tuple(
        CourierAwaitedNoMore(courier=courier, occurred_at=now)
        for courier in unmapped
        if courier not in waiting
    )


def decide_map(
    carriers: Carriers | None, *, courier: str, carrier_code: str, now: datetime
) -> tuple[Event, ...]:
    """Map a courier onto a carrier of the marketplace; nothing when it is so already."""
    known = carriers or Carriers()
    if dict(known.mapped).get(courier.casefold()) == carrier_code:
        return ()
    return (
        CarrierMapped(
            courier=courier,
            carrier_code=carrier_code,
            version=known.version + 1,
            occurred_at=now,
        ),
    )
