"""A served warehouse and two clients of it: zeep, and one that writes SOAP by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import aiohttp
import anyio.to_thread
import requests
import zeep
from aiohttp import web
from lxml import etree
from zeep.helpers import serialize_object

from kcjl.sandbox.gate import DirectGate
from kcjl.sandbox.khaos.http import khaos_app
from kcjl.sandbox.warehouse import Warehouse

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
XSD = (
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
)
NO_DATE = datetime(1899, 12, 30)  # noqa: DTZ001 - as clients send it


class Erp:
    """A served warehouse, and three ways to call it."""

    def __init__(self, url: str, warehouse: Warehouse, gate: DirectGate) -> None:
        self.url = url
        self.warehouse = warehouse
        self.gate = gate

    async def zeep(self, operation: str, *arguments: object, **settings: str) -> object:
        """Call it as a client does that reads the WSDL."""

        def call() -> object:
            with requests.Session() as session:
                if settings:
                    session.auth = (settings["user"], settings["password"])
                transport = zeep.Transport(session=session)  # type: ignore[no-untyped-call]
                wsdl = f"{self.url}/wsdl/IKosWeb"
                client = zeep.Client(wsdl, transport=transport)  # type: ignore[no-untyped-call]
                return client.service[operation](*arguments)

        return await anyio.to_thread.run_sync(call)

    async def zeep_lenient(self, operation: str, *arguments: object) -> object:
        """The same client in the mode that passes over what the WSDL does not name."""

        def call() -> object:
            lenient = zeep.Settings(strict=False)
            client = zeep.Client(f"{self.url}/wsdl/IKosWeb", settings=lenient)  # type: ignore[no-untyped-call]
            return client.service[operation](*arguments)

        return await anyio.to_thread.run_sync(call)

    async def declared(self) -> dict[str, list[str]]:
        """Each method of the WSDL, with the names of its parameters, as zeep reads it."""

        def read() -> dict[str, list[str]]:
            client = zeep.Client(f"{self.url}/wsdl/IKosWeb")  # type: ignore[no-untyped-call]
            (service,) = client.wsdl.services.values()
            (port,) = service.ports.values()
            return {
                name: [part for part, _ in operation.input.body.type.elements]
                for name, operation in port.binding._operations.items()
            }

        return await anyio.to_thread.run_sync(read)

    async def document(self, operation: str, *arguments: object) -> etree._Element:
        answer = await self.zeep(operation, *arguments)
        assert isinstance(answer, str)
        return etree.fromstring(answer)

    async def post(
        self, inner: str, *, envelope: str = ENVELOPE, action: str = ""
    ) -> tuple[int, etree._Element]:
        """Call it as a client does that writes SOAP by hand: the status, and the SOAP body."""
        body = (
            f'<e:Envelope xmlns:e="{envelope}" {XSD}><e:Header/>'
            f"<e:Body>{inner}</e:Body></e:Envelope>"
        )
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"{self.url}/soap/IKosWeb",
                data=body.encode(),
                headers={"Content-Type": "text/xml; charset=utf-8", "SOAPAction": action},
            ) as answer,
        ):
            soap = etree.fromstring(await answer.read())
            assert etree.QName(soap).namespace == envelope
            return answer.status, soap[0][0]


@asynccontextmanager
async def served(warehouse: Warehouse, base_path: str = "") -> AsyncIterator[Erp]:
    gate = DirectGate(warehouse.agenda, {"khaos": warehouse})
    runner = web.AppRunner(khaos_app(warehouse, gate, base_path))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        yield Erp(f"http://127.0.0.1:{port}{base_path}/KhaosKSD.exe", warehouse, gate)
    finally:
        await runner.cleanup()


def plain(answer: object) -> Any:
    """What zeep made of a typed answer, as dicts and lists."""
    return serialize_object(answer, dict)  # type: ignore[no-untyped-call]
