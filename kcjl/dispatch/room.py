"""What the parts of the dispatch room need of it, and of the marketplace.

Promises: nothing but protocols. Called by `couriers.py`, `reading.py` and `confirming.py`;
kept by `actor.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from kcjl.clock import Clock
from kcjl.dispatch.carriers_state import Carriers
from kcjl.dispatch.outage import Answering
from kcjl.dispatch.state import Dispatch
from kcjl.dispatch.timing import Timing
from kcjl.fold import Table
from kcjl.johnlewis.parcel_port import ShipmentOutcome
from kcjl.johnlewis.port import MarketplacePort, Tracking
from kcjl.johnlewis.tenant_port import StatisticsReading
from kcjl.log.port import Recorded
from kcjl.vocabulary import Event

__all__ = ["DispatchMarketplace", "DispatchRoom"]


class DispatchMarketplace(MarketplacePort, StatisticsReading, Protocol):
    """The marketplace, with numbers of parcels that are there, and the shop's metrics."""

    async def set_shipment_tracking(
        self, trackings: Mapping[str, Tracking]
    ) -> Sequence[ShipmentOutcome]: ...  # ST23


class DispatchRoom(Protocol):
    """The room."""

    clock: Clock
    dispatches: Table[Dispatch]
    carriers: Table[Carriers]
    answering: Table[Answering]
    timings: Table[Timing]

    @property
    def writes_allowed(self) -> bool: ...

    async def catch_up(self) -> None: ...

    async def commit(
        self,
        events: Sequence[Event],
        *,
        correlation_id: str | None = None,
        by: str | None = None,
    ) -> Sequence[Recorded]: ...

    async def record(
        self, *events: Event, correlation_id: str | None = None
    ) -> Sequence[Recorded]: ...
