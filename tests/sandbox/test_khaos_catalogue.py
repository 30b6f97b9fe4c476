"""A big catalogue at the ERP's web service: all of it, in chunks, and without growing."""

import gc
import tracemalloc
from datetime import UTC, datetime

import pytest
from lxml import etree

from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.warehouse import Warehouse, WarehouseSettings
from tests.sandbox.khaos_server import Erp, served

pytestmark = pytest.mark.anyio

MANY = 10_000
CHUNK = 50
ALL = "<GetStockList><DateType>2</DateType></GetStockList>"


def stocked(count: int) -> Warehouse:
    """Wares whose level is their number's last two digits."""
    warehouse = Warehouse(Agenda(datetime(2026, 3, 2, 9, tzinfo=UTC), 1), WarehouseSettings())
    for number in range(count):
        warehouse.add_product(
            f"W{number:06d}", description=f"Ware {number}", sell_price="9.99",
            physical=number % 100,
        )  # fmt: skip
    return warehouse


async def codes(erp: Erp) -> list[str]:
    _, body = await erp.post(ALL)
    listed = [node.text or "" for node in body.iter("StockCode")]
    assert body.findtext("return/Count") == str(len(listed))
    return listed


async def test_big_catalogue_is_listed_once_and_told_in_chunks() -> None:
    """Each code once in the list, and its level in the chunk that asks for it."""
    levels: dict[str, str] = {}
    async with served(stocked(MANY)) as erp:
        listed = await codes(erp)
        for start in range(0, MANY, CHUNK):
            asked = ",".join(listed[start : start + CHUNK])
            _, body = await erp.post(f"<ExportStockStatus><a>{asked}</a></ExportStockStatus>")
            answer = etree.fromstring(body.findtext("return") or "")
            levels |= {i.get("CODE", ""): i.findtext("LEVEL") or "" for i in answer}

    assert listed == [f"W{number:06d}" for number in range(MANY)]
    assert levels == {f"W{number:06d}": str(number % 100) for number in range(MANY)}


async def test_asking_again_and_again_keeps_nothing() -> None:
    """After the first answers, twenty more leave behind the last one at most."""
    async with served(stocked(1_000)) as erp:
        for _ in range(3):
            await codes(erp)
        gc.collect()
        tracemalloc.start()
        try:
            for _ in range(20):
                size = len("".join(await codes(erp)))
            gc.collect()
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert size == 7_000
    assert kept < 1_000_000  # one answer is 380 000 bytes, twenty are 7.6 million
