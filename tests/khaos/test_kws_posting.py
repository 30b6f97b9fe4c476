"""The orders room on the real SOAP adapter: each non-success is followed by a look-up.

The contract (b.3) wants it of whoever posts; the adapter only says what came of one call, and
the room looks. Each way in which `ImportOrders` can fail to say yes is tried.
"""

from contextlib import suppress
from datetime import timedelta
from itertools import pairwise

import pytest

from kcjl.errors import KcjlError
from kcjl.khaos.kws import KwsSoapAdapter
from kcjl.khaos.order_port import CreatedOrder, NewOrder, OrderStatus
from kcjl.orders.events import PostingIntended, SalesOrderPosted
from tests.clockwork import Clockwork
from tests.khaos.conftest import MakeAdapter
from tests.khaos.samples import status
from tests.khaos.server import (
    CUT,
    SILENT,
    ScriptedErp,
    fault,
    half_of,
    http,
    soap,
    string,
)
from tests.outside.erp import Warehouse
from tests.outside.marketplace import marketplace_order
from tests.rooms import Premises
from tests.trade import SHIPPING

pytestmark = pytest.mark.anyio

SKIPPED = (
    "<return><ImportedCount>0</ImportedCount><OrderImport/><OrderSkipped><item><OrderRef>REF-O1"
    "</OrderRef><SkipReason>{}</SkipReason></item></OrderSkipped></return>"
)
TAKEN = (
    "<return><ImportedCount>1</ImportedCount><OrderImport><item><SalesOrderCode>SO1"
    "</SalesOrderCode><AssociatedRef>REF-O1</AssociatedRef></item></OrderImport></return>"
)
NO_SUCCESS = {
    "skipped": soap("ImportOrders", SKIPPED.format("Ref already used")),
    "business fault": fault("Associated ref REF-O1 exists"),
    "database fault": fault("deadlock", "EIBInterBaseError"),
    "unknown method": fault("Interface not supported", "EIntfCastError"),
    "neither": soap("ImportOrders", "<return><ImportedCount>0</ImportedCount></return>"),
    "taken for another": soap("ImportOrders", TAKEN.replace("REF-O1", "REF-O2")),
    "taken without a number": soap("ImportOrders", TAKEN.replace("SO1", "")),
    "a page of errors": http(500, "<html>Server Error</html>", "text/html"),
    "not let in": http(401, "who are you"),
    "too many": http(429, "slow down"),
    "half an answer": half_of(soap("ImportOrders", TAKEN)),
    "garbage": http(200, "OK", "text/plain"),
    "cut": CUT,
    "silence": SILENT,
}


class OnWire(Warehouse):
    """The shelf in memory, and orders through the adapter."""

    def __init__(self, clock: Clockwork, adapter: KwsSoapAdapter) -> None:
        super().__init__(clock)
        self._adapter = adapter

    async def create_order(self, order: NewOrder) -> CreatedOrder:
        return await self._adapter.create_order(order)

    async def find_order(self, external_ref: str) -> OrderStatus | None:
        return await self._adapter.find_order(external_ref)


def premises(adapter: KwsSoapAdapter) -> Premises:
    """One order that is ready to be posted."""
    place = Premises()
    place.warehouse = OnWire(place.clock, adapter)
    place.warehouse.put("A-1", 10)
    place.shop.offers_there["A-1"] = 10
    place.shop.place(marketplace_order(state=SHIPPING))
    return place


async def posted_for_hours(place: Premises, rounds: int) -> None:
    async with place.open() as process:
        await process.do("offers", "levels", "intake", "new-skus")
        for _ in range(rounds):
            with suppress(KcjlError):  # the job is begun again, as the service does
                await process.do("posting")
            place.clock.tick(timedelta(hours=3).total_seconds())


@pytest.mark.parametrize("answer", NO_SUCCESS.values(), ids=NO_SUCCESS)
async def test_posting_without_a_yes_is_looked_up_and_found(
    erp: ScriptedErp, make: MakeAdapter, answer: bytes | None
) -> None:
    """It had been taken all the same: found by its reference, and never sent again."""
    erp.will_say("ImportOrders", answer)
    document = f"<STATUS_LIST>{status(ref='REF-O1', code='SO1')}</STATUS_LIST>"
    erp.will_say("ExportOrderStatusEx", *[string("", document)] * 9)
    erp.will_say("GetSOPData", *[string("", "<SOPDATA/>")] * 9)
    place = premises(make(connect_timeout_s=0.3, read_timeout_s=0.3))

    await posted_for_hours(place, 2)

    assert ["ImportOrders", "ExportOrderStatusEx"] == [call.method for call in erp.calls][:2]
    assert 1 == len(erp.called("ImportOrders"))
    (posted,) = await place.said(SalesOrderPosted)
    assert ("SO1", True) == (posted.erp_order_code, posted.found_by_lookup)


@pytest.mark.parametrize("answer", NO_SUCCESS.values(), ids=NO_SUCCESS)
async def test_posting_without_a_yes_is_never_sent_twice_without_a_look_between(
    erp: ScriptedErp, make: MakeAdapter, answer: bytes | None
) -> None:
    """Not there, and sent again in its time: between two sendings there is always a look."""
    erp.will_say("ImportOrders", answer, answer, soap("ImportOrders", TAKEN))
    erp.will_say("ExportOrderStatusEx", *[string("", "<STATUS_LIST/>")] * 20)
    place = premises(make(connect_timeout_s=0.3, read_timeout_s=0.3))

    await posted_for_hours(place, 6)

    said = [call.method for call in erp.calls if call.method != "GetSOPData"]
    sent = [number for number, method in enumerate(said) if method == "ImportOrders"]
    looked = [number for number, method in enumerate(said) if method == "ExportOrderStatusEx"]
    assert 2 <= len(sent)
    assert len(sent) == len(await place.said(PostingIntended))
    for before, after in pairwise(sent):
        assert [number for number in looked if before < number < after]
