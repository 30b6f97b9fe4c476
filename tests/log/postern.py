"""A gate between kcjl and PostgreSQL that can lose requests and answers, as a network does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

SOCKET = ".s.PGSQL.5432"
CHUNK_BYTES = 65_536


class Postern:
    """Passes bytes on, until it is told to lose some."""

    def __init__(self, server_socket: Path) -> None:
        self.lose_request_with: bytes | None = None
        """The next request that holds this never arrives, and its connection breaks."""
        self.lose_answer_to: bytes | None = None
        """The next request that holds this arrives; its answer never does, and it breaks."""
        self.shut = False
        """No new connection is let through."""
        self.lost = 0
        self._server_socket = server_socket
        self._streams: set[asyncio.StreamWriter] = set()

    async def enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.shut:
            writer.transport.abort()
            return
        server_reader, server_writer = await asyncio.open_unix_connection(self._server_socket)
        both = {writer, server_writer}
        self._streams |= both
        mute = asyncio.Event()
        requests = asyncio.ensure_future(self._requests(reader, server_writer, mute))
        answers = asyncio.ensure_future(self._answers(server_reader, writer, mute))
        try:
            await asyncio.wait({requests, answers}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (requests, answers):
                task.cancel()
            await asyncio.gather(requests, answers, return_exceptions=True)
            for stream in both:
                stream.transport.abort()
            self._streams -= both

    def break_all(self) -> None:
        """Every connection breaks, whatever it is doing."""
        for stream in self._streams:
            stream.transport.abort()

    async def _requests(
        self, reader: asyncio.StreamReader, server: asyncio.StreamWriter, mute: asyncio.Event
    ) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            if self.lose_request_with and self.lose_request_with in chunk:
                self.lose_request_with = None
                self.lost += 1
                return
            if self.lose_answer_to and self.lose_answer_to in chunk:
                self.lose_answer_to = None
                mute.set()
            server.write(chunk)
            await server.drain()

    async def _answers(
        self, server: asyncio.StreamReader, writer: asyncio.StreamWriter, mute: asyncio.Event
    ) -> None:
        while chunk := await server.read(CHUNK_BYTES):
            if mute.is_set():
                self.lost += 1
                return
            writer.write(chunk)
            await writer.drain()


@asynccontextmanager
async def postern(dsn: str, folder: Path) -> AsyncIterator[tuple[Postern, str]]:
    """A gate to the server of this DSN, and the DSN that goes through it."""
    parts = urlsplit(dsn)
    (host,) = parse_qs(parts.query)["host"]
    gate = Postern(Path(host) / SOCKET)
    server = await asyncio.start_unix_server(gate.enter, folder / SOCKET)
    try:
        yield gate, f"postgresql://postgres@/{parts.path.lstrip('/')}?host={folder}&port=5432"
    finally:
        server.close()
        gate.break_all()
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await server.wait_closed()
