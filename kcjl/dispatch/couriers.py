"""Couriers and carriers, the shell: both lists are read once a day, and people change the map.

Promises: the map is held against the marketplace's list whenever that was read; a courier is
mapped to what is listed only; the opening map is set once, in a log that has none.
Called by the dispatch room. Source: design 8; johnlewis b.1 (SH21, PC01); khaos b.8.
"""

from collections.abc import Mapping
from datetime import timedelta

from kcjl.dispatch.carrier_map import decide_map, decide_map_checked, decide_withdrawal
from kcjl.dispatch.carrier_names import nearest_carriers
from kcjl.dispatch.carriers_state import CARRIERS_KEY, Carriers
from kcjl.dispatch.events import CarriersRead
from kcjl.dispatch.policy_events import CouriersListed
from kcjl.dispatch.room import DispatchMarketplace, DispatchRoom
from kcjl.errors import NotFound, Refused
from kcjl.khaos.port import ErpPort

__all__ = ["READ_EVERY", "Couriers"]

READ_EVERY = timedelta(days=1)
TENANT_LATE = timedelta(hours=1)
"""Where the tenant is read by its own room, it is waited for so long before we read."""


class Couriers:
    """The carrier map of one merchant, and the lists behind it."""

    def __init__(
        self,
        room: DispatchRoom,
        *,
        marketplace: DispatchMarketplace,
        erp: ErpPort,
        opening: Mapping[str, str],
    ) -> None:
        self._room = room
        self._marketplace = marketplace
        self._erp = erp
        self._opening = dict(opening)

    @property
    def known(self) -> Carriers:
        return self._room.carriers.get(CARRIERS_KEY) or Carriers()

    def nearest(self, courier_name: str, courier_code: str | None) -> tuple[str, ...]:
        """Carrier codes that a courier's name or code is near to."""
        return nearest_carriers((courier_name, courier_code or ""), self.known.codes)

    # ── reading ─────────────────────────────────────────────────────────────────────────────

    async def read_carriers(self) -> float | None:
        """Once a day, also across restarts and when the tenant's room has read them: SH21 and
        PC01 are once-a-day calls.
        """
        known, now = self.known, self._room.clock.now()
        if known.read_at is not None:
            late = TENANT_LATE if known.read_with_tenant else timedelta()
            due = known.read_at + READ_EVERY + late
            if now < due:
                await self._hold_against_the_list()
                return (due - now).total_seconds()
        carriers = await self._marketplace.carriers()
        platform = await self._marketplace.platform()
        read = CarriersRead(
            carriers=tuple((each.code, each.label) for each in carriers),
            multi_shipment=platform.multi_shipment,
            occurred_at=now,
        )
        await self._room.commit((read,))
        await self._hold_against_the_list()
        return None

    async def read_couriers(self) -> None:
        """The ERP's own list: what `kcjl dispatch map` shows and suggests for."""
        found = await self._erp.couriers()
        listed = tuple(sorted((each.name, each.code or "") for each in found))
        if listed != self.known.listed:
            now = self._room.clock.now()
            await self._room.commit((CouriersListed(couriers=listed, occurred_at=now),))

    async def _hold_against_the_list(self) -> None:
        await self._open_map()
        now = self._room.clock.now()
        await self._room.commit(decide_map_checked(self.known, self.nearest, now))

    async def _open_map(self) -> None:
        """The opening map, in a log that has none; one wrong code keeps no other one out."""
        if self.known.version > 0:
            return
        wrong: Refused | None = None
        for courier, code in sorted(self._opening.items()):
            try:
                await self.map(courier, code, by="opening policy")
            except Refused as refusal:
                wrong = refusal
        if wrong is not None:
            raise wrong

    # ── what people say ─────────────────────────────────────────────────────────────────────

    async def map(self, courier: str, carrier_code: str, *, by: str, reason: str = "") -> str:
        """Map a courier, by its name or code, onto a carrier; returns what came of it.

        Raises Refused for a code that the marketplace lacks.
        """
        known = self.known
        listed = [code for code, _ in known.codes]
        if not listed:
            raise Refused("the marketplace's carriers are not known yet: try again in a minute")
        if not courier.strip():
            raise Refused("say which courier is mapped: its name or its code in the ERP")
        if carrier_code not in listed:
            near = nearest_carriers((carrier_code,), known.codes)
            meant = f"; near to it: {', '.join(near)}" if near else ""
            raise Refused(
                f"{carrier_code!r} is no carrier code of the marketplace: it has "
                + ", ".join(listed)
                + meant
            )
        events = decide_map(
            known,
            courier=courier,
            carrier_code=carrier_code,
            reason=reason,
            now=self._room.clock.now(),
        )
        if not events:
            return f"{courier} is {carrier_code} already"
        await self._room.commit(events, by=by)
        return f"{courier} is {carrier_code} from now on{self._unheard(courier)}"

    async def withdraw(self, courier: str, *, by: str, reason: str = "") -> str:
        """Take a courier out of the map; returns what came of it. Raises NotFound."""
        events = decide_withdrawal(
            self.known, courier=courier, reason=reason, now=self._room.clock.now()
        )
        if not events:
            raise NotFound(f"{courier} is not mapped: `kcjl dispatch map list` shows what is")
        await self._room.commit(events, by=by)
        return f"{courier} is mapped no more: its parcels wait, unless its name is a carrier's"

    def _unheard(self, courier: str) -> str:
        """A word of warning, where the ERP's list is known and has no such courier."""
        listed = self.known.listed
        heard = {each.casefold() for pair in listed for each in pair}
        heard.update(self.known.unmapped)
        if not listed or courier.casefold() in heard:
            return ""
        return "; the ERP's list of couriers has none of that name or code"
