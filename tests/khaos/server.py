"""A tiny web service that says what a test tells it to, to the byte, and notes what it heard.

Promises: real HTTP on loopback; one scripted reply per call, by method and in order; what was
not scripted is answered with a fault. It shares no code with the adapter or the sandbox.
Invariant: each call is noted before it is answered. Called by the tests of the ERP adapter.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from lxml import etree

__all__ = [
    "CUT",
    "SILENT",
    "Call",
    "ScriptedErp",
    "endless",
    "fault",
    "half_of",
    "http",
    "in_blocks",
    "soap",
    "string",
]

Stream = Callable[["ScriptedErp"], AsyncIterator[bytes]]
"""An answer that is sent block by block, for as long as the caller takes it."""

CUT = b""
"""Close the connection without a word."""

SILENT = None
"""Keep the connection open and say nothing."""

NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"


@dataclass(frozen=True)
class Call:
    """One SOAP call as it came over the wire."""

    target: str
    headers: Mapping[str, str]
    body: bytes
    namespace: str
    method: str
    arguments: dict[str, str]
    """Text by part name, in the order of the call; 'nil' for one that is nil."""
    types: dict[str, str]

    @property
    def order(self) -> etree._Element:
        """The order document that it carries, parsed once more."""
        (text,) = self.arguments.values()
        return etree.fromstring(text)


def http(
    status: int,
    body: bytes | str,
    content_type: str = "text/xml; charset=utf-8",
    *,
    sized: bool = True,
    **headers: str,
) -> bytes:
    """An HTTP answer; without a size, the end of the connection is its end."""
    raw = body.encode() if isinstance(body, str) else body
    head = [f"HTTP/1.1 {status} Whatever", f"Content-Type: {content_type}", "Connection: close"]
    if sized:
        head.append(f"Content-Length: {len(raw)}")
    head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*head, "", ""]).encode() + raw


def half_of(answer: bytes) -> bytes:
    """The head and the first half of the body; what is missing was promised by the length."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n" + body[: len(body) // 2]


def soap(method: str, inner: str, *, after: str = "") -> bytes:
    """An RPC/encoded answer with this inside; `after` stands behind it in the body."""
    return http(
        200,
        f'<?xml version="1.0"?><S:Envelope xmlns:S="{ENVELOPE}" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema"><S:Body>'
        f'<N:{method}Response xmlns:N="urn:IKosWebIntf-IKosWeb">{inner}</N:{method}Response>'
        f"{after}</S:Body></S:Envelope>",
    )


def string(method: str, text: str) -> bytes:
    """An answer that is one string."""
    return soap(method, f'<return xsi:type="xsd:string">{escape(text)}</return>')


def fault(text: str, class_name: str = "Exception", *, status: int = 500) -> bytes:
    """A fault in the vendor's form."""
    return http(
        status,
        f'<S:Envelope xmlns:S="{ENVELOPE}"><S:Body><S:Fault><faultcode>S:Client</faultcode>'
        f"<faultstring>{escape(text)}</faultstring><faultactor>{class_name}</faultactor>"
        '<detail><N:EWebServiceError xmlns:N="urn:WebServiceP"><ExceptionClassName>'
        f"{class_name}</ExceptionClassName><ExceptionInheritance>{class_name}"
        "</ExceptionInheritance></N:EWebServiceError></detail></S:Fault></S:Body></S:Envelope>",
    )


def in_blocks(head: bytes, block: bytes, count: int) -> Stream:
    """A head, then so many times the same block; the caller may leave before its end."""

    async def blocks(_: "ScriptedErp") -> AsyncIterator[bytes]:
        yield head
        for _number in range(count):
            yield block

    return blocks


def endless(head: bytes, drop: bytes) -> Stream:
    """A head, then one drop, and a pause after each of them, for ever."""

    async def drops(erp: "ScriptedErp") -> AsyncIterator[bytes]:
        yield head
        while not await erp.pause():
            yield drop

    return drops


@dataclass
class ScriptedErp:
    """Say what to answer with `will_say`; the WSDL is a 404 until `wsdl` is set."""

    wsdl: bytes | None = field(default_factory=lambda: http(404, "no such thing"))
    calls: list[Call] = field(default_factory=list)
    wsdl_asked: list[str] = field(default_factory=list)
    together_max: int = 0
    """How many calls were open at once, at most."""
    _open: int = 0
    sent_bytes: int = 0
    """Of streams: how much was sent before the caller left."""
    _script: dict[str, list[bytes | Stream | None]] = field(default_factory=dict)
    _port: int = 0
    _secure: bool = False
    _closing: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"{'https' if self._secure else 'http'}://127.0.0.1:{self._port}/Live"

    def will_say(self, method: str, *answers: bytes | Stream | None) -> None:
        self._script.setdefault(method, []).extend(answers)

    def called(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    def arguments(self, method: str) -> Sequence[dict[str, str]]:
        return [call.arguments for call in self.called(method)]

    async def start(self, tls: ssl.SSLContext | None = None) -> asyncio.Server:
        self._secure = tls is not None
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self._port = server.sockets[0].getsockname()[1]
        return server

    def stop(self) -> None:
        """Let go of those who wait for an answer."""
        self._closing.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        self.together_max = max(self.together_max, self._open)
        try:
            answer = await self._hear(reader)
            if answer is None:
                await self._closing.wait()
            elif callable(answer):
                await self._stream(answer, writer)
            else:
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the caller has gone
        finally:
            self._open -= 1
            writer.close()

    async def pause(self) -> bool:
        """A twentieth of a second, or less when the test ends: then it is true."""
        try:
            await asyncio.wait_for(self._closing.wait(), 0.05)
        except TimeoutError:
            return False
        return True

    async def _stream(self, answer: Stream, writer: asyncio.StreamWriter) -> None:
        async with aclosing(answer(self)) as blocks:  # type: ignore[type-var]
            async for block in blocks:
                writer.write(block)
                await writer.drain()
                self.sent_bytes += len(block)

    async def _hear(self, reader: asyncio.StreamReader) -> bytes | Stream | None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *rows = head.rstrip().split("\r\n")
        verb, target, _ = first.split(" ")
        pairs = (row.partition(":") for row in rows)
        headers = {name.casefold(): value.strip() for name, _, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if verb == "GET":
            self.wsdl_asked.append(target)
            return self.wsdl
        call = _call(target, headers, body)
        self.calls.append(call)
        script = self._script.get(call.method)
        return script.pop(0) if script else fault(f"the test has no answer to {call.method}")


def _call(target: str, headers: Mapping[str, str], body: bytes) -> Call:
    root = etree.fromstring(body)
    (asked,) = root.iterfind(f"{{{ENVELOPE}}}Body/*")
    name = etree.QName(asked)
    return Call(
        target=target,
        headers=headers,
        body=body,
        namespace=name.namespace or "",
        method=name.localname,
        arguments={
            etree.QName(part).localname: "nil" if part.get(NIL) else part.text or ""
            for part in asked
        },
        types={etree.QName(part).localname: part.get(TYPE) or "" for part in asked},
    )
