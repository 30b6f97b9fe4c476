"""Dispatch, the rules: which lines of an order a parcel is, and whether it is there already.

Promises: pure; units are shared out over the order's open lines, what the ERP names to its
line first; what does not fit is None, never guessed. Units that were cancelled after the ERP
had them, and went all the same, are left out: of those somebody is told by orders; of those
that were refunded as not to ship, by `unwanted_units`. A shipment is one parcel only.
Called by `decide.py`, `closing.py` and the shell. Source: design 8; johnlewis b.4, d.5.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime

from kcjl.dispatch.events import ConfirmedLine, ParcelConfirmed
from kcjl.dispatch.parcel import Parcel, ParcelState
from kcjl.dispatch.state import Dispatch, DispatchLine
from kcjl.dispatch.unwanted_events import UnwantedUnits, UnwantedUnitsSent
from kcjl.vocabulary import Event

__all__ = [
    "ENDED",
    "ShipmentThere",
    "confirmed",
    "is_open",
    "matched_lines",
    "settle_open",
    "unwanted_units",
]

ENDED = frozenset({"REFUSED", "CANCELED"})

ShipmentThere = tuple[str, str, tuple[tuple[str, int], ...]]
"""A shipment at the marketplace: (shipment id, tracking number, ((line id, units), …))."""


def is_open(entry: Dispatch) -> bool:
    """The sales order is posted and not everything is confirmed yet."""
    return bool(entry.reference) and not entry.closed


def matched_lines(entry: Dispatch, parcel: Parcel) -> tuple[ConfirmedLine, ...] | None:
    """Share the parcel's units out over the order's open lines; None when they don't fit."""
    left = {line.line_id: _asked_for(entry, line) for line in entry.lines}
    spare: dict[str, int] = defaultdict(int)
    for line in entry.lines:
        spare[line.stock_code.casefold()] += line.quantity - left[line.line_id]
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
    if not matched or any(more > spare[key] for key, more in units.items()):
        return None
    return matched


def unwanted_units(
    entry: Dispatch, parcel: Parcel, lines: Sequence[ConfirmedLine], now: datetime
) -> tuple[UnwantedUnitsSent, ...]:
    """That the parcel holds units which were refunded as not to ship; said once of a parcel.

    `lines`: what of it is confirmed. Source: johnlewis b.3 (OR28, excluded_from_shipment).
    """
    if parcel.unwanted or not entry.not_to_ship:
        return ()
    over: Counter[str] = Counter()
    for item in parcel.items:
        over[item.stock_code.casefold()] += item.quantity
    code_of = {line.line_id: line.stock_code for line in entry.lines}
    for line in lines:
        over[code_of[line.line_id].casefold()] -= line.quantity
    stay = Counter(entry.not_to_ship)
    for told in (each for other in entry.parcels for each in other.unwanted):
        stay[told.line_id] -= told.quantity
    found: list[UnwantedUnits] = []
    for line_id, code in code_of.items():
        units = min(over[code.casefold()], stay[line_id])
        if units > 0:
            over[code.casefold()] -= units
            found.append(UnwantedUnits(line_id=line_id, stock_code=code, quantity=units))
    if not found:
        return ()
    return (
        UnwantedUnitsSent(
            order_id=entry.order_id,
            parcel_key=parcel.parcel_key,
            units=tuple(found),
            reference=entry.reference,
            occurred_at=now,
        ),
    )


def _asked_for(entry: Dispatch, line: DispatchLine) -> int:
    """Units of a line that the marketplace wants, of those that the ERP has."""
    if line.line_id in (*entry.ended_lines, *entry.refunded_lines):
        return 0
    cancelled = max(entry.cancelled_units.get(line.line_id, 0), 0)
    return max(line.quantity - cancelled - entry.not_to_ship.get(line.line_id, 0), 0)


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
    numbers = {parcel.tracking_number.casefold()}
    if parcel.number_told is not None:  # it may have had its number only since it was sent
        numbers.add(parcel.number_told.casefold())
    for shipment_id, tracking_number, lines in shipments:
        # Two boxes may be alike, to the tracking number: a shipment is one parcel only.
        same_number = tracking_number.casefold() in numbers
        if shipment_id not in others and same_number and set(lines) == wanted:
            return confirmed(entry, parcel, shipment_id, already=True, now=now)
    return None


def confirmed(
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
