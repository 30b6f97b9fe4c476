"""The carrier map, the rules: a courier's carrier, the map's changes, and who waits for one.

Promises: pure; a courier that is mapped to what the marketplace does not list has no carrier,
and that is said; nothing is guessed: what is near is named, and a person decides.
Invariant: a change of the map counts its version up by one.
Called by `decide.py` and `couriers.py`. Source: design 8; law 9; johnlewis b.1 (SH21).
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from kcjl.dispatch.carriers_state import Carriers
from kcjl.dispatch.events import (
    CarrierMapped,
    CourierAwaitedNoMore,
    CourierSeen,
    UnmappedCouriersSeen,
)
from kcjl.dispatch.matching import is_open
from kcjl.dispatch.parcel import ParcelState
from kcjl.dispatch.policy_events import (
    CarrierMapWithdrawn,
    MappedCarrierBack,
    MappedCarrierGone,
)
from kcjl.dispatch.state import Dispatch
from kcjl.vocabulary import Event

__all__ = [
    "Nearest",
    "carrier_code_for",
    "decide_awaited_no_more",
    "decide_map",
    "decide_map_checked",
    "decide_seen",
    "decide_withdrawal",
]

Nearest = Callable[[str, str | None], tuple[str, ...]]
"""Carrier codes that are near a courier's name and code, nearest first."""


def carrier_code_for(carriers: Carriers, courier_name: str, courier_code: str | None) -> str:
    """The marketplace's code for a courier, by map, else by equal name; or empty."""
    listed = {code.casefold(): code for code, _ in carriers.codes}
    names = {label.casefold(): code for code, label in carriers.codes}
    said = [each.casefold() for each in (courier_code, courier_name) if each]
    mapped = dict(carriers.mapped)
    for courier in said:
        if (code := mapped.get(courier)) is not None:
            return listed.get(code.casefold(), "")
    for courier in said:
        if code := listed.get(courier) or names.get(courier):
            return code
    return ""


def decide_map(
    carriers: Carriers | None,
    *,
    courier: str,
    carrier_code: str,
    now: datetime,
    reason: str = "",
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
            reason=reason,
            occurred_at=now,
        ),
    )


def decide_withdrawal(
    carriers: Carriers, *, courier: str, reason: str, now: datetime
) -> tuple[Event, ...]:
    """Take a courier out of the map; nothing when it is not in it."""
    code = dict(carriers.mapped).get(courier.casefold())
    if code is None:
        return ()
    return (
        CarrierMapWithdrawn(
            courier=courier,
            carrier_code=code,
            version=carriers.version + 1,
            reason=reason,
            occurred_at=now,
        ),
    )


def decide_map_checked(
    carriers: Carriers | None, nearest: Nearest, now: datetime
) -> tuple[Event, ...]:
    """Hold the map against the carriers that were read: what is gone is said once."""
    if carriers is None or carriers.read_at is None:
        return ()
    listed = {code.casefold() for code, _ in carriers.codes}
    events: list[Event] = []
    for courier, code in carriers.mapped:
        is_gone = code.casefold() not in listed
        if is_gone and courier not in carriers.gone:
            gone = MappedCarrierGone(
                courier=courier,
                carrier_code=code,
                nearest=nearest(courier, None),
                occurred_at=now,
            )
            events.append(gone)
        elif not is_gone and courier in carriers.gone:
            back = MappedCarrierBack(courier=courier, carrier_code=code, occurred_at=now)
            events.append(back)
    return tuple(events)


def decide_seen(
    entry: Dispatch,
    boxes: Iterable[tuple[str, str | None]],
    carriers: Carriers,
    nearest: Nearest,
    now: datetime,
) -> tuple[Event, ...]:
    """Couriers that boxes name before they are shipped: without a carrier, said at once.

    `boxes`: courier name and code of each box that is not shipped.
    """
    if carriers.read_at is None:  # what the marketplace accepts is not known
        return ()
    unmapped = {
        (name, code): CourierSeen(
            courier_name=name, courier_code=code, nearest=nearest(name, code)
        )
        for name, code in dict.fromkeys(boxes)
        if name and not carrier_code_for(carriers, name, code)
    }
    before = {(each.courier_name, each.courier_code) for each in entry.couriers_seen}
    if unmapped.keys() == before or entry.closed:
        return ()
    return (
        UnmappedCouriersSeen(
            order_id=entry.order_id,
            couriers=tuple(unmapped.values()),
            deadline=entry.deadline,
            occurred_at=now,
        ),
    )


def decide_awaited_no_more(
    carriers: Carriers | None, entries: Iterable[Dispatch], now: datetime
) -> tuple[Event, ...]:
    """Couriers that were said to be unmapped, and that nothing waits for any more."""
    if carriers is None or not carriers.unmapped:
        return ()
    waiting = {
        name.casefold()
        for entry in entries
        if is_open(entry)
        for name in _couriers_waited_for(entry, carriers)
    }
    return tuple(
        CourierAwaitedNoMore(courier=courier, occurred_at=now)
        for courier in carriers.unmapped
        if courier not in waiting
    )


def _couriers_waited_for(entry: Dispatch, carriers: Carriers) -> list[str]:
    parcels = [
        each.courier_name for each in entry.parcels if each.state == ParcelState.UNMAPPED
    ]
    boxes = [
        each.courier_name
        for each in entry.couriers_seen
        if not carrier_code_for(carriers, each.courier_name, each.courier_code)
    ]
    return [*parcels, *boxes]
