"""What if the carrier map had been another: parcels that waited for one, and late dispatches.

Promises: a courier's carrier is found by dispatch's own rule (`carrier_code_for`), over what
the marketplace listed then. Memory is bounded by the orders that are open. What it can't know:
how soon somebody would have mapped a courier that the other map lacks.
Called by `kcjl what-if --carriers`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from kcjl.dispatch.carrier_map import carrier_code_for
from kcjl.dispatch.carriers_state import CARRIERS, CARRIERS_KEY, Carriers
from kcjl.dispatch.deadline_events import DispatchLate
from kcjl.dispatch.events import (
    ConfirmationIntended,
    CourierUnmapped,
    DispatchClosed,
    ParcelShipped,
)
from kcjl.dispatch.timing import Stage
from kcjl.fold import Table
from kcjl.log.port import Recorded

__all__ = ["ParcelAnswer", "WhatIfMapped"]


class ParcelAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Both worlds, side by side."""

    parcels: int
    waited: int
    """Parcels for whose courier no carrier was known."""
    waited_other: int
    late: int
    """Orders that were late."""
    late_other: int
    """Those, but for orders that were late for want of a carrier which the other map has."""
    late_perhaps: int
    """Orders that would have waited for a carrier, and were in time: somebody may have mapped
    it soon enough."""
    other_carrier: tuple[tuple[str, str, str, int], ...]
    """(courier, the carrier under which it went, the other's, parcels)"""


class WhatIfMapped:
    """Hears the log from its first event on."""

    def __init__(self, mapped: Mapping[str, str]) -> None:
        """`mapped`: carrier code by courier name or code, from the first event on."""
        self._mapped = tuple(
            sorted((courier.casefold(), code) for courier, code in mapped.items())
        )
        self._carriers = Table(CARRIERS)
        self._courier: dict[str, dict[str, tuple[str, str | None]]] = {}
        """By order and parcel, while the order is open."""
        self._waits: dict[str, list[bool]] = {}
        """By order: whether a parcel of it waited; and would have."""
        self._late: set[str] = set()
        self._others: Counter[tuple[str, str, str]] = Counter()
        self._counted: Counter[str] = Counter()

    def hear(self, page: Sequence[Recorded]) -> None:
        for recorded in page:
            event = recorded.event
            self._carriers.apply(event)
            match event:
                case ParcelShipped():
                    self._shipped(event)
                case CourierUnmapped():
                    self._waiting(event.order_id)[0] = True
                    self._counted["waited"] += 1
                case ConfirmationIntended():
                    self._went(event)
                case DispatchLate():
                    self._is_late(event)
                case DispatchClosed():
                    self._close(event.order_id)
                case _:
                    pass

    def answer(self) -> ParcelAnswer:
        """What came of it; asked once, at the end."""
        for order_id in list(self._waits):
            self._close(order_id)
        counted = self._counted
        return ParcelAnswer(
            parcels=counted["parcels"],
            waited=counted["waited"],
            waited_other=counted["waited_other"],
            late=counted["late"],
            late_other=counted["late"] - counted["late_no_more"],
            late_perhaps=counted["late_perhaps"],
            other_carrier=tuple(
                (*named, parcels) for named, parcels in sorted(self._others.items())
            ),
        )

    def _shipped(self, event: ParcelShipped) -> None:
        parcels = self._courier.setdefault(event.order_id, {})
        courier = (event.courier_name, event.courier_code)
        if parcels.get(event.parcel_key) == courier:
            return
        self._counted["parcels"] += event.parcel_key not in parcels
        parcels[event.parcel_key] = courier
        if not self._carrier(courier):
            self._counted["waited_other"] += 1
            self._waiting(event.order_id)[1] = True

    def _went(self, event: ConfirmationIntended) -> None:
        courier = self._courier.get(event.order_id, {}).get(event.parcel_key)
        if event.attempt > 1 or courier is None:
            return
        other = self._carrier(courier)
        if other and other != event.carrier_code:
            self._others[courier[0] or courier[1] or "", event.carrier_code, other] += 1

    def _is_late(self, event: DispatchLate) -> None:
        if event.order_id in self._late:
            return
        self._late.add(event.order_id)
        self._counted["late"] += 1
        if event.stage == Stage.UNMAPPED and not self._waiting(event.order_id)[1]:
            self._counted["late_no_more"] += 1

    def _close(self, order_id: str) -> None:
        waited, other = self._waits.pop(order_id, (False, False))
        if other and not waited and order_id not in self._late:
            self._counted["late_perhaps"] += 1
        self._courier.pop(order_id, None)
        self._late.discard(order_id)

    def _waiting(self, order_id: str) -> list[bool]:
        return self._waits.setdefault(order_id, [False, False])

    def _carrier(self, courier: tuple[str, str | None]) -> str:
        known = self._carriers.get(CARRIERS_KEY) or Carriers()
        other = msgspec.structs.replace(known, mapped=self._mapped)
        return carrier_code_for(other, *courier)
