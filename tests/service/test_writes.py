"""The kill switch: nothing is written to the outside while it is off, and nothing is lost."""

import pytest

from kcjl.exceptions.events import ExceptionCleared, ExceptionRaised, WritesSwitched
from kcjl.orders.events import AcceptanceIntended, PostingIntended
from kcjl.stock.events import StockImportIntended
from tests.outside.marketplace import marketplace_order
from tests.rooms import Premises, Process
from tests.trade import SHIPPING

pytestmark = pytest.mark.anyio

EVERYTHING = (
    "offers",
    "levels",
    "intake",
    "new-skus",
    "acceptance",
    "posting",
    "write-back",
    "publish",
)


def premises() -> Premises:
    """An order to accept, an order to post, and stock to publish."""
    place = Premises()
    place.warehouse.put("A-1", 10)
    place.shop.offers_there["A-1"] = 0
    place.shop.place(marketplace_order("O1", state="WAITING_ACCEPTANCE"))
    place.shop.place(marketplace_order("O2", state=SHIPPING))
    return place


async def written(process: Process) -> set[str]:
    """The kinds of writes that were so much as intended."""
    intentions = (AcceptanceIntended, PostingIntended, StockImportIntended)
    return {
        type(recorded.event).__name__
        async for page in process.log.read()
        for recorded in page
        if isinstance(recorded.event, intentions)
    }


async def test_writes_switched_off_let_nothing_out_and_lose_nothing() -> None:
    """Reading goes on; orders, stock and numbers wait, and go out when it is on again."""
    place = premises()
    async with place.open() as process:
        await process.desk.catch_up()
        await process.desk.switch_writes(allowed=False, reason="wrong prices", by="ada")
        await process.do(*EVERYTHING, *EVERYTHING, "judge")
        stopped = await written(process)
        seen = len(process.orders.orders)
        await process.desk.switch_writes(allowed=True, reason="mended", by="ada")
        await process.do(*EVERYTHING, *EVERYTHING, "judge")

        assert set() == stopped
        assert 2 == seen
        assert {"AcceptanceIntended", "PostingIntended", "StockImportIntended"} == (
            await written(process)
        )


async def test_writes_switched_off_are_raised_until_they_are_on_again() -> None:
    """Somebody stopped everything: that is critical, has a name, and clears by itself."""
    async with premises().open() as process:
        await process.desk.catch_up()
        await process.desk.switch_writes(allowed=False, reason="wrong prices", by="ada")
        await process.desk.switch_writes(allowed=False, reason="again", by="bob")
        await process.do("judge")
        await process.desk.switch_writes(allowed=True, reason="mended", by="ada")
        await process.do("judge")
        said = [
            (type(recorded.event), recorded.by)
            async for page in process.log.read()
            for recorded in page
        ]

    assert [
        (WritesSwitched, "ada"),
        (ExceptionRaised, "exceptions"),
        (WritesSwitched, "ada"),
        (ExceptionCleared, "exceptions"),
    ] == said
