"""Both nights on which London's clocks change, as a client of the web service sees them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from kcjl.clock import LONDON
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.khaos.forms import Forms
from kcjl.sandbox.warehouse import Warehouse, WarehouseSettings
from tests.sandbox.khaos_server import Erp, served
from tests.sandbox.warehouse_orders import document

pytestmark = pytest.mark.anyio

SPRING = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
"""01:00 becomes 02:00: no clock in London shows 01:30 that night."""
AUTUMN = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
"""02:00 becomes 01:00: every clock in London shows 01:30 twice that night."""
MINUTES = (-90, -75, -45, -30, -15, 0, 15, 30, 45, 75)
"""When something changes, beside the change of the clocks."""
OVERLAP = timedelta(hours=2)


@asynccontextmanager
async def night(change: datetime) -> AsyncIterator[Erp]:
    """A night with ten wares, each of which moved once around the change of the clocks."""
    warehouse = Warehouse(Agenda(change - timedelta(days=1), 1), WarehouseSettings())
    for minutes in MINUTES:
        warehouse.add_product(f"M{minutes}", description="Ware", sell_price="1", physical=9)
    for minutes in MINUTES:
        warehouse.agenda.advance(change + timedelta(minutes=minutes))
        warehouse.adjust(f"M{minutes}", -1, "count")
    warehouse.agenda.advance(change + timedelta(hours=4))
    async with served(warehouse) as erp:
        yield erp


async def moved(erp: Erp, wall: datetime) -> list[str]:
    text = wall.replace(tzinfo=None).isoformat(timespec="seconds")
    _, body = await erp.post(f"<GetStockList><a>2</a><b>{text}</b></GetStockList>")
    return [node.text or "" for node in body.iter("StockCode")]


@pytest.mark.parametrize("change", [SPRING, AUTUMN])
@pytest.mark.parametrize("asked", [-60, -20, 0, 20, 60])
async def test_client_with_an_overlap_hears_of_every_change(
    change: datetime, asked: int
) -> None:
    """Its last run began then: all that moved since is listed, on either night."""
    last_run = change + timedelta(minutes=asked)
    async with night(change) as erp:
        listed = await moved(erp, (last_run - OVERLAP).astimezone(LONDON))

    assert {f"M{minutes}" for minutes in MINUTES if minutes >= asked} <= set(listed)


async def test_client_without_an_overlap_misses_the_doubled_hour() -> None:
    """Since the first 01:45: the second 01:15 is earlier on the wall, and is not told."""
    async with night(AUTUMN) as erp:
        listed = await moved(erp, datetime(2026, 10, 25, 1, 45))  # noqa: DTZ001 - a wall's

    assert listed == ["M-15", "M45", "M75"]


async def test_time_that_no_clock_showed_is_understood() -> None:
    """Since 01:30 of the spring night: what moved from 02:00 on, the next minute there was."""
    async with night(SPRING) as erp:
        listed = await moved(erp, datetime(2026, 3, 29, 1, 30))  # noqa: DTZ001 - a wall's

    assert listed == ["M0", "M15", "M30", "M45", "M75"]


async def test_times_are_shown_as_the_wall_has_them() -> None:
    """The same wall time twice in autumn; an hour is left out in spring."""
    shown = {}
    for change in (SPRING, AUTUMN):
        async with night(change) as erp:
            _, body = await erp.post("<GetStockList><a>2</a></GetStockList>")
            shown[change] = [(node.text or "")[11:16] for node in body.iter("LastUpdated")]

    assert shown[SPRING] == [
        "23:30",
        "23:45",
        "00:15",
        "00:30",
        "00:45",
        "02:00",
        "02:15",
        "02:30",
        "02:45",
        "03:15",
    ]
    assert shown[AUTUMN] == [
        "00:30",
        "00:45",
        "01:15",
        "01:30",
        "01:45",
        "01:00",
        "01:15",
        "01:30",
        "01:45",
        "02:15",
    ]


async def test_order_of_the_doubled_hour_is_in_the_window_of_its_wall_time() -> None:
    """DateTo 01:30 holds both halves past one, and neither quarter to two."""
    warehouse = Warehouse(Agenda(AUTUMN - timedelta(hours=2), 1), WarehouseSettings())
    warehouse.add_product("VASE", description="V", sell_price="10", physical=99)
    for number, minutes in enumerate((-30, -15, 30, 45)):
        warehouse.agenda.advance(AUTUMN + timedelta(minutes=minutes))
        warehouse.import_orders(document(ref=f"R{number}", lines=[("VASE", 1, "10")]))
    async with served(warehouse) as erp:
        _, body = await erp.post(
            "<ExportOrderStatusEx><DateFrom>2026-10-25T01:20:00</DateFrom>"
            "<DateTo>2026-10-25T01:30:00</DateTo></ExportOrderStatusEx>"
        )
    found = etree.fromstring(body.findtext("return") or "")

    assert [order.get("ASSOCIATED_REF") for order in found] == ["R0", "R2"]


@given(
    change=st.sampled_from([SPRING, AUTUMN]),
    minutes=st.lists(st.integers(-240, 240), max_size=20),
    asked=st.integers(-240, 240),
    overlap=st.integers(60, 180),
)
def test_overlap_of_an_hour_is_enough_whatever_the_night(
    change: datetime, minutes: list[int], asked: int, overlap: int
) -> None:
    """What moved after the last run began is never missing, an hour's overlap given."""
    forms = Forms(WarehouseSettings())
    last_run = change + timedelta(minutes=asked)
    since = forms.wall(last_run - timedelta(minutes=overlap))
    happened = [(minute, change + timedelta(minutes=minute)) for minute in minutes]
    bound = forms.earliest(since)
    found = forms.since(since, [r for r in happened if r[1] >= bound], inclusive=True)

    assert {minute for minute in minutes if minute >= asked} <= {minute for minute, _ in found}
