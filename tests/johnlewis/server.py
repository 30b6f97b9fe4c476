"""A tiny HTTP server that says what a test tells it to, to the byte, and notes what it heard.

Promises: one scripted answer per request, in order; what is left unsaid is a failure of the
test. It knows nothing of the marketplace, and shares no code with the adapter or the sandbox.
Invariant: loopback, a port of the machine's choosing. Called by `test_seller_api.py`.
"""

import asyncio
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import parse_qsl, urlsplit

import msgspec

__all__ = ["CUT", "SILENT", "Asked", "ScriptedServer", "half_of", "said"]

CUT = b""
"""Close the connection without a word."""

SILENT = None
"""Keep the connection open and say nothing."""


@dataclass(frozen=True)
class Asked:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    def one(self, name: str) -> str | None:
        found = [value for key, value in self.query if key == name]
        return found[0] if found else None


def said(
    status: int = 200,
    body: object = b"",
    *,
    close: bool = False,
    headers: Mapping[str, str] = MappingProxyType({}),
    **more_headers: str,
) -> bytes:
    """An answer as bytes. A body that is not bytes is sent as JSON."""
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    head = [f"HTTP/1.1 {status} Whatever"]
    if status != 204:
        head.append(f"Content-Length: {len(raw)}")
    if close:
        head.append("Connection: close")
    told = {**headers, **more_headers}
    head += [f"{name.replace('_', '-')}: {value}" for name, value in told.items()]
    return "\r\n".join([*head, "", ""]).encode() + raw


def half_of(answer: bytes) -> bytes:
    """The head and the first half of the body; what is missing was promised by the length."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n" + body[: len(body) // 2]


@dataclass
class ScriptedServer:
    """Say what to answer with `will_say`, or with `by` for each request."""

    asked: list[Asked] = field(default_factory=list)
    by: Callable[[Asked], bytes | None] | None = None
    _script: list[bytes | None] = field(default_factory=list)
    _port: int = 0
    _closing: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def will_say(self, *answers: bytes | None) -> None:
        self._script += answers

    async def start(self, tls: ssl.SSLContext | None = None) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self._port = server.sockets[0].getsockname()[1]
        return server

    def stop(self) -> None:
        self._closing.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with _closing(writer):
            while (asked := await _request(reader)) is not None:
                self.asked.append(asked)
                answer = self.by(asked) if self.by else self._script.pop(0)
                if answer is SILENT:
                    await self._closing.wait()
                    return
                writer.write(answer)
                await writer.drain()
                if _is_short(answer) or b"Connection: close" in answer:
                    return


def _is_short(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    promised = [line for line in head.split(b"\r\n") if line.startswith(b"Content-Length: ")]
    length = int(promised[0].partition(b": ")[2]) if promised else 0
    return answer == head or len(body) < length


async def _request(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *rest = head.rstrip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (x.partition(": ") for x in rest)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    method, target, _ = first.split(" ")
    return Asked(method=method, target=target, headers=headers, body=body)


@contextmanager
def _closing(writer: asyncio.StreamWriter) -> Iterator[None]:
    try:
        yield
    except ConnectionError:
        pass
    finally:
        writer.close()
