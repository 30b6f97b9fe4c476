"""The HTTP face of the sandbox's ERP: the WSDL and the SOAP endpoint, as IIS would serve them.

Promises: paths are compared case-insensitively; every refusal of the model is a SOAP fault;
the world is entered before each call. HTTP Basic is asked for when the settings name a user.
It injects no failure: the server's middleware does, and learns the operation by
`operation_of`. Invariant: nothing is carried out before the gate was entered. Source:
contract khaos b.0, d.
Called by the sandbox's server and by tests.
"""

import base64
import hmac
import re
from collections.abc import Awaitable, Callable

from aiohttp import web

from kcjl.sandbox.gate import Gate
from kcjl.sandbox.khaos.answers import (
    SOAP_12,
    Speech,
    answer_envelope,
    fault_envelope,
)
from kcjl.sandbox.khaos.dialect import Dialect
from kcjl.sandbox.khaos.operations import Operations
from kcjl.sandbox.khaos.soap import operation_of, parse_call
from kcjl.sandbox.khaos.wsdl import ENCODING_SCHEMA, wsdl
from kcjl.sandbox.warehouse import Warehouse
from kcjl.sandbox.warehouse.faults import KhaosFault
from kcjl.sandbox.warehouse.settings import WarehouseSettings

__all__ = ["BODY_BYTES_MAX", "khaos_app", "operation_of"]

BODY_BYTES_MAX = 16 * 1024 * 1024
"""A larger request is answered 413."""
_ENCODING_FILE = "SoapEncoding.xsd"
_SOAP_12_TYPE = "application/soap+xml"


def khaos_app(
    warehouse: Warehouse, gate: Gate, base_path: str = "", executable: str = "KhaosKSD.exe"
) -> web.Application:
    """The web service over that warehouse, under `base_path`/`executable`."""
    face = _Face(warehouse, gate)
    app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[face.authenticate])
    name = re.escape(executable)
    root = f"{base_path.rstrip('/')}/{{exe:(?i:{name})}}"
    app.router.add_get(root + "/{wsdl:(?i:wsdl)}/{interface:(?i:IKosWeb)}", face.describe)
    app.router.add_get(f"{root}/wsdl/{_ENCODING_FILE}", face.describe_encoding)
    endpoint = root + "/{soap:(?i:soap)}/{interface:(?i:IKosWeb)}"
    app.router.add_post(endpoint, face.call)
    app.router.add_get(endpoint, face.explain)
    return app


class _Face:
    def __init__(self, warehouse: Warehouse, gate: Gate) -> None:
        self._warehouse = warehouse
        self._gate = gate
        self._operations = Operations(warehouse, gate)

    @property
    def _settings(self) -> WarehouseSettings:
        return self._warehouse.settings

    @web.middleware
    async def authenticate(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        if self._settings.user and not self._is_allowed(request):
            return web.Response(
                status=401,
                headers={"WWW-Authenticate": 'Basic realm="KhaosWeb"'},
                text="<html><body><h1>401 - Unauthorized</h1></body></html>",
                content_type="text/html",
            )
        return await handler(request)

    def _is_allowed(self, request: web.Request) -> bool:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        wanted = base64.b64encode(f"{self._settings.user}:{self._settings.password}".encode())
        return scheme.casefold() == "basic" and hmac.compare_digest(given.encode(), wanted)

    async def describe(self, request: web.Request) -> web.Response:
        """The WSDL; the endpoint's address is beside the address that was asked."""
        base = request.path.rstrip("/").rsplit("/", 2)[0]
        service = f"{request.scheme}://{request.host}{base}"
        dialect = Dialect.of(self._settings)
        encoding = f"{service}/wsdl/{_ENCODING_FILE}"
        text = wsdl(f"{service}/soap/IKosWeb", encoding, dialect)
        return web.Response(text=text, content_type="text/xml", charset="utf-8")

    async def describe_encoding(self, _: web.Request) -> web.Response:
        return web.Response(text=ENCODING_SCHEMA, content_type="text/xml", charset="utf-8")

    async def explain(self, _: web.Request) -> web.Response:
        """What a browser sees at the endpoint."""
        page = "<html><body><h1>IKosWeb</h1><p>POST SOAP requests here.</p></body></html>"
        return web.Response(text=page, content_type="text/html")

    async def call(self, request: web.Request) -> web.Response:
        body = await request.read()
        operation = operation_of(body, request.headers.get("SOAPAction", ""))
        self._gate.enter("khaos", operation)
        settings = self._settings
        speech = Speech(settings=settings, soap_12=SOAP_12.encode() in body[:2048])
        try:
            call = parse_call(body, Dialect.of(settings))
            value = self._operations.carry_out(call)
            answer = answer_envelope(call.operation, value, speech)
        except KhaosFault as fault:
            return _xml(fault_envelope(fault, speech), speech, settings.fault_status)
        return _xml(answer, speech, 200)


def _xml(body: bytes, speech: Speech, status: int) -> web.Response:
    kind = _SOAP_12_TYPE if speech.soap_12 else "text/xml"
    return web.Response(
        body=body, status=status, content_type=kind, charset=speech.settings.charset
    )
