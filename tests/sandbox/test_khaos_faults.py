"""What goes wrong at the ERP's web service by plan, as its client sees it over real HTTP."""

from collections.abc import AsyncIterator, Mapping

import aiohttp
import pytest
from lxml import etree

from kcjl.sandbox.warehouse import SalesOrder
from tests.sandbox.test_server import Client
from tests.sandbox.test_server import sandbox as serving
from tests.sandbox.warehouse_orders import document

pytestmark = pytest.mark.anyio

REF = "JL100200300"
CLIENT_S = 0.2
"""Seconds that an impatient client waits."""


class Erp:
    """A client of a whole sandbox that speaks SOAP."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.code = ""

    async def plan(self, **fault: object) -> None:
        await self.client.json("POST", "/sandbox/faults", {"side": "khaos", **fault})

    async def hand(self, operation: str, **arguments: object) -> object:
        answer = await self.client.json("POST", f"/sandbox/warehouse/{operation}", arguments)
        return answer["outcome"]

    async def call(
        self, method: str, patience_s: float | None = None, **arguments: str
    ) -> tuple[int, str, bytes]:
        """Status, type and body of an answer."""
        body = etree.Element("Envelope")
        call = etree.SubElement(etree.SubElement(body, "Body"), method)
        for name, value in arguments.items():
            etree.SubElement(call, name).text = value
        async with self.client.http.post(
            self.client.running.khaos_url + "/soap/IKosWeb",
            data=etree.tostring(body),
            headers={"Content-Type": "text/xml; charset=utf-8"},
            timeout=aiohttp.ClientTimeout(total=patience_s),
        ) as answer:
            return answer.status, answer.content_type, await answer.read()

    async def send(self, patience_s: float | None = None) -> tuple[int, str, bytes]:
        """Import an order of one of the world's own wares."""
        order = document(ref=REF, lines=[(self.code, 3, "10.00")])
        return await self.call("ImportOrders", patience_s, Orders=order)

    async def status(self) -> etree._Element:
        _, _, body = await self.call(
            "ExportOrderStatusEx", IDs=REF, MappingType="4", ShowItems="-1"
        )
        return etree.fromstring(_returned(body))

    async def invoice(self) -> str:
        return str((await self.status()).find(".//INVOICE").get("INVOICE_CODE"))  # type: ignore[union-attr]

    @property
    def orders(self) -> list[SalesOrder]:
        return self.client.running.world.warehouse.orders_by_ref(REF)


def _returned(body: bytes) -> str:
    return etree.fromstring(body).findtext(".//return") or ""


@pytest.fixture
async def erp() -> AsyncIterator[Erp]:
    async with serving() as client:
        running = Erp(client)
        await running.hand(
            "add_product", code="OAK", description="Oak", sell_price="10.00", physical=9
        )
        running.code = "OAK"
        yield running


@pytest.mark.parametrize(
    ("fault", "lost"),
    [
        ({"kind": "lost_after"}, aiohttp.ClientError),
        ({"kind": "slow", "after_effect": True, "seconds": 5}, TimeoutError),
        ({"kind": "truncated"}, aiohttp.ClientError),
    ],
)
async def test_order_is_taken_though_its_answer_is_lost(
    erp: Erp, fault: Mapping[str, object], lost: type[Exception]
) -> None:
    """Timeout after commit: found by its reference; sent again, it is skipped."""
    await erp.plan(operation="ImportOrders", **fault)
    with pytest.raises(lost):
        await erp.send(CLIENT_S)
    (found,) = await erp.status()
    _, _, again = await erp.send()
    result = etree.fromstring(again)

    assert found.get("ASSOCIATED_REF") == REF
    assert result.findtext(".//ImportedCount") == "0"
    assert result.findtext(".//SkipReason") == (
        f"An order with the associated ref '{REF}' already exists"
    )
    assert len(erp.orders) == 1


@pytest.mark.parametrize(("after_effect", "orders"), [(False, 0), (True, 1)])
async def test_html_page_may_hide_an_order_that_was_taken(
    erp: Erp, *, after_effect: bool, orders: int
) -> None:
    """HTTP 500 with the web server's own page: done or not, the client can't see."""
    await erp.plan(kind="status", operation="ImportOrders", after_effect=after_effect)
    status, kind, body = await erp.send()

    assert (status, kind) == (500, "text/html")
    assert b"Server Error" in body
    assert orders == len(erp.orders)


@pytest.mark.parametrize(("after_effect", "orders"), [(False, 0), (True, 1)])
async def test_database_fault_may_hide_an_order_that_was_taken(
    erp: Erp, *, after_effect: bool, orders: int
) -> None:
    """A SOAP fault whose class says that it passes."""
    await erp.plan(
        kind="soap_fault", operation="ImportOrders", after_effect=after_effect,
        message="deadlock <&>", class_name="EIBInterBaseError",
    )  # fmt: skip
    status, kind, body = await erp.send()
    fault = etree.fromstring(body)[0][0]

    assert (status, kind) == (500, "text/xml")
    assert fault.findtext("faultstring") == "deadlock <&>"
    assert fault.findtext("faultactor") == "EIBInterBaseError"
    assert orders == len(erp.orders)


async def test_empty_string_stands_for_any_answer(erp: Erp) -> None:
    """A document and a typed result: both are an empty text, and what was asked is done."""
    await erp.plan(kind="empty_string", times=2)
    _, _, imported = await erp.send()
    _, kind, exported = await erp.call("ExportStock", StockCode="OAK")
    await erp.plan(kind="empty")
    nothing = await erp.call("ExportStock", StockCode="OAK")

    assert (_returned(imported), _returned(exported)) == ("", "")
    assert etree.fromstring(imported).find(".//ImportedCount") is None
    assert kind == "text/xml"
    assert nothing == (200, "text/xml", b"")
    assert len(erp.orders) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"side": "khaos", "kind": "lost_after", "operation": "ImportOrder"},
        {"side": "johnlewis", "kind": "soap_fault"},
        {"side": "*", "kind": "empty_string"},
    ],
)
async def test_fault_that_could_never_strike_is_refused(
    erp: Erp, fault: dict[str, str]
) -> None:
    """A method that is not there, or SOAP on the other side."""
    status, _, _ = await erp.client.call("POST", "/sandbox/faults", fault)

    assert status == 400


async def test_hands_move_an_order_through_the_house_over_http(erp: Erp) -> None:
    """Stage, boxes, numbers, a part, another name for the courier, issue, un-ship, archive."""
    await erp.send()
    first = await erp.invoice()
    await erp.hand("move_stage", invoice_code=first, stage_id=13)
    staged = (await erp.status()).find(".//INVOICE")
    rest = await erp.hand("ship_part", invoice_code=first, items=[["OAK", 2]])
    await erp.hand("set_consignment", invoice_code=first, box_number=1, consignment="N1;N2")
    name = erp.orders[0].invoices[0].courier.name
    await erp.hand("rename_courier", old_name=name, new_name="New & Sons")
    shipped = await erp.status()
    await erp.hand("un_ship", external_ref=REF)
    taken_back = await erp.status()
    await erp.hand("confirm_shipment", invoice_code=first, courier="New & Sons")
    await erp.hand("issue", invoice_code=first)
    await erp.hand("archive", invoice_code=first, stage_id=72)
    issued, following = (await erp.status()).iter("INVOICE")

    assert staged is not None
    assert (staged.get("INVOICE_STAGE_ID"), staged.get("SHIP_DATE")) == ("13", "")
    box = shipped.find(".//BOX")
    assert box is not None
    assert (box.get("SHIPPED"), box.get("CONSIGNMENT_REF")) == ("-1", "N1;N2")
    assert box.get("COURIER") == "New & Sons"
    assert {node.get("SHIPPED") for node in taken_back.iter("BOX")} == {"0"}
    assert (issued.get("INVOICE_STAGE_ID"), issued.get("QTY_SENT")) == ("72", "2.00")
    assert (following.get("INVOICE_CODE"), following.get("QTY_SOLD")) == (rest, "1.00")


async def test_hands_change_levels_below_zero_and_by_fractions(erp: Erp) -> None:
    """What the next answer shows: negative, fractional; then goods in."""
    levels = []
    for operation, arguments in (
        ("adjust", {"code": "OAK", "delta": "-11.25", "reason": "broken"}),
        ("goods_in", {"code": "OAK", "quantity": "3.5"}),
    ):
        await erp.hand(operation, **arguments)
        _, _, body = await erp.call("ExportStockStatus", StockCode="OAK")
        levels.append(etree.fromstring(_returned(body)).findtext("STOCK_ITEM/LEVEL"))

    assert levels == ["-2.25", "1.25"]


async def test_stale_answer_is_never_given_to_an_import(erp: Erp) -> None:
    """A cache between may serve an old reading, but what changes something is done."""
    _, _, first = await erp.send()
    await erp.plan(kind="stale", operation="ImportOrders")
    _, _, second = await erp.send()

    assert etree.fromstring(first).findtext(".//ImportedCount") == "1"
    assert etree.fromstring(second).findtext(".//ImportedCount") == "0"
