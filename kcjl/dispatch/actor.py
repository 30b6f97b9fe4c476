"""Dispatch, the shell: sees shipped parcels in the ERP, confirms them at the marketplace.

Promises: the room's tables and its jobs; each job is a part of its own beside it: the lists
and the map (`couriers.py`), the ERP's shipments (`reading.py`), the confirmations
(`confirming.py`), what people say of a parcel (`words.py`). It holds no rule.
Called by `rooms.py`. Source: design 8; contract khaos b.5, johnlewis b.3, b.4, d.5.
"""

from collections.abc import Mapping
from datetime import timedelta

from kcjl.actors import WARM, Job, Room
from kcjl.clock import Clock, Ids
from kcjl.dispatch.calendar_settings import deadline_rules, metric_rules
from kcjl.dispatch.carriers_state import CARRIERS
from kcjl.dispatch.confirming import Confirming
from kcjl.dispatch.couriers import READ_EVERY, Couriers
from kcjl.dispatch.deadlines import COUNTED
from kcjl.dispatch.events import (
    CarrierMapped,
    CarriersRead,
    ConfirmationRetried,
    ParcelShipped,
    TrackingChanged,
    TrackingLetThrough,
)
from kcjl.dispatch.measuring import SellerMetrics, day_of
from kcjl.dispatch.metrics import METRICS_JUDGED, METRICS_READ
from kcjl.dispatch.outage import ANSWERING, SILENCES
from kcjl.dispatch.policy_events import CarrierMapWithdrawn
from kcjl.dispatch.reading import ShipmentReading
from kcjl.dispatch.room import DispatchMarketplace
from kcjl.dispatch.state import DISPATCHES
from kcjl.dispatch.timekeeping import TIMINGS
from kcjl.dispatch.timing import is_waiting
from kcjl.dispatch.vanished import is_looked_for
from kcjl.dispatch.watching import DeadlineWatch
from kcjl.exceptions.events import WritesSwitched
from kcjl.khaos.port import ErpPort
from kcjl.log.port import Log
from kcjl.orders.events import OrderChanged
from kcjl.settings import DispatchSettings
from kcjl.tenant.events import TenantRead

__all__ = ["Dispatches"]

WAKES_CONFIRMING = (
    ParcelShipped,
    TrackingChanged,
    CarrierMapped,
    CarrierMapWithdrawn,
    CarriersRead,
    TenantRead,
    OrderChanged,
    WritesSwitched,
    ConfirmationRetried,
    TrackingLetThrough,
)


class Dispatches(Room):
    """The dispatch actor."""

    name = "dispatch"

    def __init__(
        self,
        log: Log,
        clock: Clock,
        ids: Ids,
        *,
        marketplace: DispatchMarketplace,
        erp: ErpPort,
        settings: DispatchSettings,
        opening_carriers: Mapping[str, str],
    ) -> None:
        super().__init__(log, clock, ids)
        self.dispatches = self.table(DISPATCHES, watch=is_looked_for, warm=WARM)
        self.carriers = self.table(CARRIERS)
        self.answering = self.table(ANSWERING)
        self.silences = self.table(SILENCES)
        self.timings = self.table(TIMINGS, watch=is_waiting, group=day_of, warm=WARM)
        self.counted = self.table(COUNTED)
        self.metrics_read = self.table(METRICS_READ)
        self.metrics_judged = self.table(METRICS_JUDGED)
        self.couriers = Couriers(
            self, marketplace=marketplace, erp=erp, opening=opening_carriers
        )
        reading = ShipmentReading(self, self.couriers, erp, settings)
        confirming = Confirming(self, self.couriers, marketplace, settings)
        watch = DeadlineWatch(self, deadline_rules(settings.deadlines))
        metrics = SellerMetrics(self, marketplace, metric_rules(settings.metrics))
        poll = timedelta(seconds=settings.poll_s)
        self.jobs = (
            Job(
                "carriers",
                self.couriers.read_carriers,
                every=READ_EVERY,
                wakes_on=(TenantRead,),
            ),
            Job("couriers", self.couriers.read_couriers, every=READ_EVERY),
            Job("shipments", reading.read, every=poll),
            Job("confirm", confirming.run, every=poll, wakes_on=WAKES_CONFIRMING),
            watch.job,
            *metrics.jobs,
        )
