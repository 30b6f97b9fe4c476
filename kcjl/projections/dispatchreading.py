"""The carrier map as the log has it: what is mapped, what waits, and what is near. Silences.

Promises: reads the log only, the few events of the map and of the couriers; one row a courier,
by its name in folded case. Silences are read from their own stream. Called by `kcjl dispatch`.
"""

from collections.abc import Iterable

import msgspec

from kcjl.dispatch.carrier_map import carrier_code_for
from kcjl.dispatch.carrier_names import nearest_carriers
from kcjl.dispatch.carriers_state import CARRIERS, CARRIERS_KEY, Carriers
from kcjl.dispatch.outage import SILENCES, SILENCES_STREAM, Silence
from kcjl.fold import Table
from kcjl.log.port import LogQueries, Selection

__all__ = ["CourierRow", "carriers_of", "courier_rows", "silences_of"]


class CourierRow(msgspec.Struct, frozen=True, kw_only=True):
    """A courier of the ERP, and what the marketplace is told of it."""

    courier: str
    """Its name or code, as it is mapped; else its name in the ERP's list."""
    code: str
    """In the ERP's list, where it is there by name."""
    carrier_code: str
    """Empty: there is none."""
    carrier: str
    """The carrier's name at the marketplace."""
    state: str
    """mapped, gone (the carrier is not listed any more), same_name, waiting (parcels do), none.
    """
    nearest: tuple[str, ...] = ()
    """Carrier codes that are near to it, where it has none."""


async def carriers_of(log: LogQueries) -> Carriers:
    """The map and both lists, as they stand now."""
    table = Table(CARRIERS)
    types = tuple(each.__name__ for each in CARRIERS.hears)
    async for page in log.select(Selection(types=types)):
        for recorded in page:
            table.apply(recorded.event)
    return table.get(CARRIERS_KEY) or Carriers()


async def silences_of(log: LogQueries) -> tuple[Silence, ...]:
    """When the marketplace answered no confirmation, the earliest first."""
    table = Table(SILENCES)
    async for page in log.select(Selection(stream=SILENCES_STREAM)):
        for recorded in page:
            table.apply(recorded.event)
    return tuple(silence for _, silence in table.items())


def courier_rows(carriers: Carriers) -> list[CourierRow]:
    """Those that are mapped, those of the ERP's list, and those that parcels wait for."""
    labels = dict(carriers.codes)
    listed = {name.casefold(): (name, code) for name, code in carriers.listed}
    rows = {
        courier: CourierRow(
            courier=listed.get(courier, (courier, ""))[0],
            code=listed.get(courier, ("", ""))[1],
            carrier_code=code,
            carrier=labels.get(code, ""),
            state="mapped" if code in labels else "gone",
            nearest=() if code in labels else _nearest(carriers, (courier,)),
        )
        for courier, code in carriers.mapped
    }
    for key, (name, code) in listed.items():
        if key not in rows:
            rows[key] = _unmapped(carriers, name, code)
    for courier in carriers.unmapped:
        if courier not in rows:
            rows[courier] = _unmapped(carriers, courier, "")
    return [rows[key] for key in sorted(rows)]


def _unmapped(carriers: Carriers, name: str, code: str) -> CourierRow:
    carrier_code = carrier_code_for(carriers, name, code or None)
    by_code = code.casefold() in dict(carriers.mapped)
    state = "mapped" if by_code else "same_name"
    if not carrier_code:
        state = "waiting" if name.casefold() in carriers.unmapped else "none"
    return CourierRow(
        courier=name,
        code=code,
        carrier_code=carrier_code,
        carrier=dict(carriers.codes).get(carrier_code, ""),
        state=state,
        nearest=() if carrier_code else _nearest(carriers, (name, code)),
    )


def _nearest(carriers: Carriers, said: Iterable[str]) -> tuple[str, ...]:
    return nearest_carriers(said, carriers.codes)
