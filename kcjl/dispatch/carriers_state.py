"""The carrier map, the fold: what the marketplace accepts, our map onto it, and who waits.

Promises: pure; the same events give the same map. It decides nothing.
Invariant: couriers stand in folded case; the version grows by one with each change of the map.
Called by `carrier_map.py`, `decide.py` and the shell.
"""

from datetime import datetime

import msgspec

from kcjl.dispatch.events import (
    CarrierMapped,
    CarriersRead,
    CourierAwaitedNoMore,
    CourierUnmapped,
    UnmappedCouriersSeen,
)
from kcjl.dispatch.policy_events import (
    CarrierMapWithdrawn,
    CouriersListed,
    MappedCarrierBack,
    MappedCarrierGone,
)
from kcjl.fold import Fold
from kcjl.tenant.events import TenantRead
from kcjl.vocabulary import Event

__all__ = ["CARRIERS", "CARRIERS_KEY", "Carriers"]

CARRIERS_KEY = "carriers"
"""There is one map."""


class Carriers(msgspec.Struct, frozen=True, kw_only=True):
    """What the marketplace accepts, and our map onto it."""

    codes: tuple[tuple[str, str], ...] = ()
    """(code, label)"""
    multi_shipment: bool = True
    mapped: tuple[tuple[str, str], ...] = ()
    """(courier in folded case, carrier code)"""
    version: int = 0
    read_at: datetime | None = None
    read_with_tenant: bool = False
    """The tenant's own room reads them every day: dispatch need not."""
    unmapped: tuple[str, ...] = ()
    """Couriers, in folded case, of which it was said that no carrier is known."""
    tracking_optional: tuple[str, ...] = ()
    """Shipping types that may be confirmed without a tracking number; others may not."""
    gone: tuple[str, ...] = ()
    """Couriers, in folded case, whose carrier the marketplace lists no more."""
    listed: tuple[tuple[str, str], ...] = ()
    """The ERP's couriers: (name, code or "")"""


_CARRIER_EVENTS = (
    CarrierMapped,
    CarriersRead,
    TenantRead,
    CourierUnmapped,
    UnmappedCouriersSeen,
    CourierAwaitedNoMore,
    CarrierMapWithdrawn,
    CouriersListed,
    MappedCarrierBack,
    MappedCarrierGone,
)


def _carrier_keys(event: Event) -> tuple[str, ...]:
    return (CARRIERS_KEY,) if isinstance(event, _CARRIER_EVENTS) else ()


def _evolve_carriers(entry: Carriers | None, event: Event, _key: str) -> Carriers:
    carriers = entry or Carriers()
    match event:
        case CarriersRead():
            return msgspec.structs.replace(
                carriers,
                codes=event.carriers,
                multi_shipment=event.multi_shipment,
                read_at=event.occurred_at,
                read_with_tenant=False,
            )
        case TenantRead():
            return msgspec.structs.replace(
                carriers,
                codes=event.carriers,
                multi_shipment=event.multi_shipment,
                read_at=event.occurred_at,
                read_with_tenant=True,
                tracking_optional=tuple(
                    code for code, mandatory in event.shipping_types if not mandatory
                ),
            )
        case CouriersListed():
            return msgspec.structs.replace(carriers, listed=event.couriers)
        case CourierUnmapped() | UnmappedCouriersSeen() | CourierAwaitedNoMore():
            unmapped = _unmapped(set(carriers.unmapped), event)
            return msgspec.structs.replace(carriers, unmapped=tuple(sorted(unmapped)))
        case _:
            return _mapped(carriers, event)


def _unmapped(
    unmapped: set[str], event: CourierUnmapped | UnmappedCouriersSeen | CourierAwaitedNoMore
) -> set[str]:
    match event:
        case CourierUnmapped():
            return unmapped | ({event.courier_name.casefold()} - {""})
        case UnmappedCouriersSeen():
            return unmapped | {each.courier_name.casefold() for each in event.couriers}
        case CourierAwaitedNoMore():
            return unmapped - {event.courier}


def _mapped(carriers: Carriers, event: Event) -> Carriers:
    match event:
        case CarrierMapped() | CarrierMapWithdrawn():
            courier = event.courier.casefold()
            mapped = {each: code for each, code in carriers.mapped if each != courier}
            if isinstance(event, CarrierMapped):
                mapped[courier] = event.carrier_code
            return msgspec.structs.replace(
                carriers,
                mapped=tuple(sorted(mapped.items())),
                version=event.version,
                gone=tuple(each for each in carriers.gone if each != courier),
            )
        case MappedCarrierGone() | MappedCarrierBack():
            gone = set(carriers.gone) - {event.courier}
            if isinstance(event, MappedCarrierGone):
                gone.add(event.courier)
            return msgspec.structs.replace(carriers, gone=tuple(sorted(gone)))
        case _:
            return carriers


CARRIERS: Fold[Carriers] = Fold(
    _carrier_keys,
    _evolve_carriers,
    Carriers,
    hears=_CARRIER_EVENTS,
)
