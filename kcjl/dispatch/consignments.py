"""Several consignments in one field: each a parcel of its own, where each can be a shipment.

Promises: pure; units are dealt out evenly and in order, for the ERP does not say what is in
which; a consignment without a unit of its own is not made up, its number stays named. What was
tried once is dealt out no other way later on.
Called by `reading.py`. Source: khaos b.5; johnlewis b.4: one tracking number a shipment.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec

from kcjl.dispatch.events import ParcelItem, ParcelShipped
from kcjl.dispatch.state import Dispatch

__all__ = ["dealt_into_parcels", "part_key"]


def part_key(parcel_key: str, number: int) -> str:
    """The key of a parcel's so-manieth consignment: 1 is the parcel itself.

    >>> part_key("INV1/1", 2)
    'INV1/1#2'
    """
    return parcel_key if number == 1 else f"{parcel_key}#{number}"


def dealt_into_parcels(
    entry: Dispatch, seen: ParcelShipped, *, by_shipment: bool
) -> tuple[ParcelShipped, ...]:
    """One parcel a consignment. `by_shipment`: the marketplace takes several an order."""
    numbers = (seen.tracking_number, *seen.more_tracking_numbers)
    units = [
        (item.stock_code, item.line_id) for item in seen.items for _ in range(item.quantity)
    ]
    count = min(len(numbers), len(units)) if by_shipment else 1
    known = [each for each in entry.parcels if _is_part(each.parcel_key, seen.parcel_key)]
    if any(each.attempts for each in known):
        count = min(len(known), max(len(units), 1))
    if count <= 1:
        return (seen,)
    told = (*numbers, *("" for _ in range(count - len(numbers))))
    share, rest = divmod(len(units), count)
    parts: list[ParcelShipped] = []
    for number in range(1, count + 1):
        size = share + (number <= rest)
        taken, units = units[:size], units[size:]
        parts.append(
            msgspec.structs.replace(
                seen,
                parcel_key=part_key(seen.parcel_key, number),
                tracking_number=told[number - 1],
                more_tracking_numbers=told[count:] if number == count else (),
                items=_items(taken),
            )
        )
    return tuple(parts)


def _is_part(known: str, parcel_key: str) -> bool:
    return known == parcel_key or known.startswith(f"{parcel_key}#")


def _items(units: Sequence[tuple[str, str]]) -> tuple[ParcelItem, ...]:
    return tuple(
        ParcelItem(stock_code=code, quantity=count, line_id=line_id)
        for (code, line_id), count in Counter(units).items()
    )
