"""One order's boxes between a warehouse and a marketplace, for a machine that breaks them.

The rooms are the real ones, on a log in memory; each step is a process of its own where the
machine has killed the one before. What was sent and what is there is counted outside.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec

from kcjl.dispatch.asked import dispatch_words
from kcjl.dispatch.parcel import ParcelState
from kcjl.errors import Misuse, OutcomeUnknown, RateLimited, Refused, Unavailable
from kcjl.khaos.port import Parcel
from kcjl.settings import DispatchSettings
from tests.outside.erp import parcel
from tests.outside.marketplace import marketplace_line, marketplace_order
from tests.outside.mishaps import Killed
from tests.rooms import Premises
from tests.tenant.readings import tenant_read
from tests.trade import SHIPPING

__all__ = ["CALLS", "UNITS", "Bay", "number_of"]

UNITS = {"O1-1": 2, "O1-2": 2, "O1-3": 1}
"""The same stock code on two lines, and another."""
CALLS = ("create_shipment", "set_shipment_tracking", "set_tracking", "ship", "shipments")
MISHAPS: dict[str, Callable[[], BaseException]] = {
    "lost": lambda: OutcomeUnknown("no answer came"),
    "killed": Killed,
    "down": lambda: Unavailable("503"),
    "limited": lambda: RateLimited("429", retry_after_s=30),
    "refused": lambda: Refused("not now"),
}
READS = frozenset({"shipments"})


def number_of(box: int, label: int = 0) -> str:
    """A DPD number of its own."""
    return f"1550{box:05}{label:05}"


class Bay:
    """What outlives every process."""

    def __init__(self, *, multi_shipment: bool) -> None:
        self.place = Premises()
        self.place.warehouse.put("A-1", 100)
        self.place.warehouse.put("B-2", 100)
        self.place.shop.offers_there.update({"A-1": 10, "B-2": 10})
        self.place.shop.multi_shipment = multi_shipment
        self.place.shop.place(
            marketplace_order(
                "O1",
                marketplace_line("O1-1", "A-1", 2, SHIPPING),
                marketplace_line("O1-2", "A-1", 2, SHIPPING),
                marketplace_line("O1-3", "B-2", 1, SHIPPING),
                state=SHIPPING,
            )
        )
        self.place.dispatch_settings = DispatchSettings(without_tracking="confirm")
        self.multi_shipment = multi_shipment
        self.boxes: list[Parcel] = []
        self.left = {"A-1": 4, "B-2": 1}

    async def open(self) -> None:
        """The order is posted."""
        async with self.place.open() as process:
            types = (("STD", False),)
            read = tenant_read(multi_shipment=self.multi_shipment, shipping_types=types)
            await process.dispatch.record(read)
            await process.do("offers", "levels", "intake", "new-skus", "posting")

    # ── the warehouse ───────────────────────────────────────────────────────────────────────

    def pack(self, code: str, units: int, numbers: Sequence[str], courier: str) -> None:
        """A box goes out with so many units, as far as they are ordered."""
        units = min(units, self.left[code])
        if not units:
            return
        self.left[code] -= units
        box = parcel(f"INV1/{len(self.boxes) + 1}", courier=courier, tracking=numbers[0])
        self.boxes.append(
            msgspec.structs.replace(
                box, items=((code, Decimal(units)),), more_tracking_numbers=tuple(numbers[1:])
            )
        )
        self._show()

    def relabel(self, box: int, number: str) -> None:
        """Another label, where there is such a box."""
        if box < len(self.boxes):
            self.boxes[box] = msgspec.structs.replace(
                self.boxes[box], tracking_number=number, courier_name="DPD"
            )
            self._show()

    def _show(self) -> None:
        warehouse = self.place.warehouse
        warehouse.ship("REF-O1", *self.boxes)
        warehouse.complete["REF-O1"] = not any(self.left.values())

    # ── what goes wrong, and what people do ─────────────────────────────────────────────────

    def plan(self, call: str, mishap: str, *, after: bool) -> None:
        """What happens at the next call; a call that is refused has done nothing.

        A read is not refused, and nothing of it is in doubt: there it is that nobody answers.
        """
        if call in READS and mishap in ("lost", "refused"):
            mishap = "down"
        plans = self.place.shop.mishaps
        certain = mishap in ("refused", "down", "limited")
        plan = plans.after if after and not certain else plans.before
        plan(call, MISHAPS[mishap]())

    def mend(self) -> None:
        for call in CALLS:
            self.place.shop.mishaps.mended(call)

    def ship_there(self) -> None:
        """Somebody ships the order in the back office, where it is whole here."""
        if not any(self.left.values()):
            self.place.shop.set_state("O1", "SHIPPED")

    async def work(self, *jobs: str) -> None:
        """A process does this; killed, it is gone."""
        try:
            async with self.place.open() as process:
                await process.do(*jobs)
        except Killed:
            return

    async def say(self, verb: str, **arguments: str) -> None:
        """What a person says; a no is a no."""
        async with self.place.open() as process:
            try:
                await dispatch_words(process.dispatch)[verb](arguments, "jo")
            except (Refused, Misuse):
                return

    async def settle(self) -> None:
        """Everything is mended; a few days go by."""
        self.mend()
        for _ in range(8):
            self.place.clock.tick(6 * 3_600)
            await self.work("intake", "shipments", "confirm", "confirm", "intake", "judge")

    # ── what is there ───────────────────────────────────────────────────────────────────────

    def told(self) -> Counter[str]:
        """Units by line that the marketplace has as shipments."""
        counted: Counter[str] = Counter()
        for shipment in self.place.shop.shipments_there:
            for line_id, units in shipment.lines:
                counted[line_id] += units
        return counted

    async def unaccounted(self) -> list[str]:
        """Boxes that are neither confirmed nor an open exception."""
        async with self.place.open() as process:
            entry, open_ones = process.dispatch.dispatches["O1"], set(process.desk.open)
            if entry.closed and self.place.shop.orders_there["O1"].state_raw == "SHIPPED":
                return []  # all of it is shipped there: done
            known = {each.parcel_key for each in entry.parcels}
            found = [each.parcel_key for each in self.boxes if each.parcel_key not in known]
            waits_for_the_rest = not self.multi_shipment and any(self.left.values())
            for seen in entry.parcels:
                subjects = (f"O1/{seen.parcel_key}", f":{seen.courier_name.casefold()}")
                is_raised = any(each.endswith(subjects) for each in open_ones)
                is_done = seen.state == ParcelState.CONFIRMED or waits_for_the_rest
                if not (is_done or is_raised):
                    found.append(f"{seen.parcel_key} is {seen.state}, on the desk: {open_ones}")
            return found
