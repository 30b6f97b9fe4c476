"""A scripted endpoint as somebody else would write it from the vendor's paper, and its ERP."""

import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import anyio
import msgspec
from aiohttp import web
from lxml import etree

from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.faults import Fault
from kcjl.sandbox.gate import DirectGate
from kcjl.sandbox.khaos_cloud import Channel, ChannelSettings, CloudAccess, CloudDriver
from kcjl.sandbox.warehouse import Warehouse, WarehouseSettings

START = datetime(2026, 7, 6, 9, 0, tzinfo=UTC)
USER, PASSWORD = "khaos", "contról"
Given = dict[str, Any]


class Endpoint:
    """Serves a configuration and orders, and keeps what it is sent."""

    def __init__(self) -> None:
        self.form = "JSON"
        self.orders: list[Given] = []
        self.config: Given = {
            "MatchCompanyOn": ["CompanyCode"],
            "MatchAddressOn": ["Address1", "Postcode"],
            "MatchContactOn": ["Surname"],
        }
        self.returns: list[Given] | Given = []
        self.continuation: str | None = "after-1"
        self.answers: dict[str, list[int]] = {}
        """Statuses to answer with, by path, before 200 again."""
        self.asked: list[tuple[str, dict[str, str]]] = []
        """Each request: path, and the headers that matter."""
        self.posted: dict[str, list[bytes]] = {}
        """Bodies that were answered 200, by path."""
        self.refused: list[bytes] = []
        self.body: bytes | None = None
        """The orders' answer, byte for byte."""
        self.root = ""
        self.returns_name = "CReturnDownload"
        self._awaited: list[tuple[str, anyio.Event]] = []

    async def called(self, path: str) -> None:
        """Return when a call to that path, from now on, was answered 200."""
        event = anyio.Event()
        self._awaited.append((path, event))
        with anyio.fail_after(10):
            await event.wait()

    def statuses(self) -> list[Given]:
        """The last status of each order that was sent, in the order of sending."""
        bodies = self.posted.get("/orderstatus", [])
        return [status for body in bodies for status in json.loads(body)["Statuses"]]

    def levels(self) -> list[Given]:
        bodies = self.posted.get("/stockstatus", [])
        return [status for body in bodies for status in json.loads(body)["Statuses"]]

    def asked_of(self, path: str) -> list[dict[str, str]]:
        return [headers for asked, headers in self.asked if asked == path]

    async def handle(self, request: web.Request) -> web.Response:
        names = ("Sirion-Continuation", "SpecificIDs", "Content-Type")
        headers = {name: request.headers[name] for name in names if name in request.headers}
        self.asked.append((request.path, headers))
        basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {basic}":
            return web.Response(status=401)
        body = await request.read()
        scripted = self.answers.get(request.path, [])
        if scripted:
            self.refused.append(body)
            return web.Response(status=scripted.pop(0), text="not now")
        for path, event in self._awaited:
            if path == request.path:
                event.set()
        if request.method == "POST":
            self.posted.setdefault(request.path, []).append(body)
            return web.Response()
        return self._document(request)

    def _document(self, request: web.Request) -> web.Response:
        kind = f"application/{self.form.lower()}"
        if request.path == "/config.json":
            return web.json_response(self._config())
        if request.path == "/config.xml":
            node = _xml("EndpointConfig", self._config()["EndpointConfig"])
            return web.Response(body=etree.tostring(node), content_type="application/xml")
        headers = (
            {} if self.continuation is None else {"Sirion-Continuation": self.continuation}
        )
        if self.body is not None and request.path == "/orders":
            return web.Response(body=self.body, content_type=kind, headers=headers)
        if request.path == "/orders":
            orders = self.orders
            wanted = request.headers.get("SpecificIDs", "")
            if wanted:
                refs = wanted.strip('"').split(",")
                orders = [o for o in orders if o["Header"]["AssociatedRef"] in refs]
            said = {"Orders": orders, "ApiVersion": 1000, "Config": self.config}
            root = "SalesOrderImport"
        else:
            said = {"Returns": self.returns, "ApiVersion": 1000}
            root = "CustomerReturnImport"
        if self.form == "JSON":
            return web.json_response(said, headers=headers)
        written = etree.tostring(_xml(root, said))
        return web.Response(body=written, content_type=kind, headers=headers)

    def _config(self) -> Given:
        def endpoint(path: str) -> Given:
            return {"URL": self.root + path, "Format": self.form}

        return {
            "EndpointConfig": {
                "OrderDownload": {**endpoint("/orders"), "Frequency": 15},
                "OrderStatusUpload": endpoint("/orderstatus"),
                "StockStatusUpload": endpoint("/stockstatus"),
                "StockUpload": endpoint("/stock"),
                self.returns_name: {**endpoint("/returns"), "Frequency": 15},
            }
        }


class Linked:
    """An endpoint, and the Cloud ERP that is linked to it."""

    def __init__(
        self,
        endpoint: Endpoint,
        warehouse: Warehouse,
        channel: Channel,
        gate: DirectGate,
        connect: Callable[[], CloudDriver],
    ) -> None:
        self.endpoint = endpoint
        self.warehouse = warehouse
        self.channel = channel
        self.gate = gate
        self.driver = connect()
        self.faults: list[Fault] = []

    async def pass_minutes(self, minutes: int) -> None:
        """Let time pass minute by minute, and the ERP make its calls."""
        for _ in range(minutes):
            self.warehouse.agenda.advance(self.warehouse.agenda.now + timedelta(minutes=1))
            await self.driver.turn()

    def errors(self) -> dict[str, str]:
        return {subject: error.reason for subject, error in self.channel.errors.items()}


@asynccontextmanager
async def linked(
    *, form: str = "JSON", warehouse: Given | None = None, **switches: object
) -> AsyncIterator[Linked]:
    """A warehouse with a lamp and a rug, linked and driven by hand."""
    async with served_endpoint() as endpoint:
        endpoint.form = form
        settings = msgspec.convert(switches, ChannelSettings)
        agenda = Agenda(START, seed=7)
        house = Warehouse(
            agenda, msgspec.structs.replace(WarehouseSettings.quick(), **(warehouse or {}))
        )
        for code, price, units in (("LAMP-OAK-01", "64.99", 17), ("RUG-02", "99.00", 3)):
            house.add_product(
                code, description=code.title(), sell_price=price, physical=units,
                other_ref=f"OR-{code}",
            )  # fmt: skip
        channel = Channel(agenda, house, settings)
        gate = DirectGate(agenda, {"khaos": house, "khaos_cloud": channel})
        suffix = "json" if form == "JSON" else "xml"
        access = CloudAccess(
            config_url=f"{endpoint.root}/config.{suffix}", user=USER, password=PASSWORD
        )
        async with aiohttp.ClientSession() as session:
            pair: Linked

            def connect() -> CloudDriver:
                return CloudDriver(
                    channel, gate, access, session=session,
                    take_fault=lambda _, kind: _next_fault(pair, kind),
                )  # fmt: skip

            pair = Linked(endpoint, house, channel, gate, connect)
            yield pair


@asynccontextmanager
async def served_endpoint() -> AsyncIterator[Endpoint]:
    """The endpoint alone."""
    endpoint = Endpoint()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", endpoint.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        endpoint.root = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield endpoint
    finally:
        await runner.cleanup()


def _next_fault(pair: Linked, kind: str) -> Fault | None:
    for fault in pair.faults:
        if fault.operation == kind:
            pair.faults.remove(fault)
            return fault
    return None


def order(ref: str = "JL100200300", **changes: Any) -> Given:
    """An order as in the contract's sample; `changes` replace or (None) remove parts."""
    said: Given = {
        "Customer": {
            "CreateNew": "Never", "CompanyClass": {"Name": "Marketplace"},
            "Currency": {"Code": "GBP"}, "URN": "JLMKT",
        },
        "InvoiceAddress": {
            "Line1": "1 Example Road", "Town": "London", "Postcode": "ZZ1 1ZZ",
            "Country": {"Code": "GB"},
        },
        "InvoiceContact": {"Surname": "Accounts"},
        "DeliveryAddress": {
            "Line1": "Flat 9, 4 Sample Street", "Town": "Leeds", "Postcode": "ZZ9 9ZZ",
            "Country": {"Code": "GB"},
        },
        "DeliveryContact": {"Forename": "Ada", "Surname": "Tester"},
        "Header": {
            "AssociatedRef": ref, "OrderDate": "2026-07-06T09:14:00", "Site": {"ID": "1"},
            "SalesSource": {"Name": "John Lewis"}, "DiscountCodes": [],
            "DeliveryCharge": {"Gross": 0.0}, "CalcMethod": 2, "GrossTotal": 129.98,
            "CustomData": "ord_01HX",
        },
        "Items": [
            {
                "SKU": "LAMP-OAK-01", "Mapping": "StockCode", "Quantity": 2.0,
                "UnitPrice": {"Gross": 64.99}, "ExtendedDescription": [],
                "ImportRef": f"{ref}-1", "WebItemRef": "W7",
            }
        ],
        "Payments": [
            {
                "Amount": 129.98,
                "Card": {"CardType": "JOHNLEWIS", "IsPreauth": False, "AuthCode": "JOHNLEWIS"},
                "BankAccount": {"Name": "John Lewis Clearing"},
            }
        ],
    }  # fmt: skip
    for path, value in changes.items():
        *parents, name = path.split("__")
        place: Any = said
        for parent in parents:
            place = place[int(parent) if parent.isdigit() else parent]
        if value is None:
            del place[name]
        else:
            place[name] = value
    return said


_ROWS = {
    "Orders": "SalesOrder", "Items": "OrderItem", "Payments": "OrderPayment",
    "DiscountCodes": "DataItem", "ExtendedDescription": "String", "Returns": "CustomerReturn",
    "ReturnedItems": "CustomerReturnItem", "AlternateMapping": "ItemMapping",
    "Mapping": "ItemMapping",
}  # fmt: skip
_DATA_ITEM = {"ID", "Code", "Name"}


def _xml(name: str, said: Any) -> etree._Element:
    """A document as the vendor's XML samples write it."""
    node = etree.Element(name)
    if isinstance(said, dict) and said and set(said) <= _DATA_ITEM:
        for attribute, text in said.items():
            node.set(attribute, text)
    elif isinstance(said, dict):
        for each, value in said.items():
            if isinstance(value, list) and each.startswith("Match"):
                node.extend([_xml(each, row) for row in value])
            else:
                node.append(_xml(each, value))
    elif isinstance(said, list):
        node.extend([_xml(_ROWS[name], row) for row in said])
    else:
        node.text = str(said)
    return node
