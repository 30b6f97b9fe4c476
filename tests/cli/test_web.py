"""The monitor in a browser: who gets in, who does not, and a real browser that reads it."""

import base64
import json
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL

import aiohttp
import anyio
import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port

from kcjl.cli.web import MonitorServer
from kcjl.clock import real_sleep
from kcjl.discretion import Secret
from kcjl.errors import Misuse

pytestmark = pytest.mark.anyio

_WINDOW = """
import asyncio, sys
from tests.tui.made_up import FakeSource, some_events, some_exceptions
from tui.app import run_monitor
source = FakeSource(exceptions=some_exceptions(9), events=some_events(9))
sys.exit(asyncio.run(run_monitor(source)))
"""
_TOKEN = "a token of sufficient length"
_BROWSER = next(
    (
        found
        for name in ("chromium", "google-chrome", "chrome")
        if (found := shutil.which(name))
    ),
    None,
)


@asynccontextmanager
async def _served(token: str = "", public_url: str = "") -> AsyncIterator[str]:
    """The server on a port of its own; its address."""
    port = unused_port()
    server = MonitorServer(
        (sys.executable, "-c", _WINDOW),
        host="127.0.0.1",
        port=port,
        public_url=public_url,
        token=Secret(token),
    )
    runner = web.AppRunner(await server._make_app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
        with anyio.fail_after(15):
            while server.windows:  # a closed page ends its window
                await real_sleep(0.02)
    finally:
        await runner.cleanup()


async def _read(socket: aiohttp.ClientWebSocketResponse, wanted: bytes) -> bytes:
    """What the window sends, until the words are there."""
    sent = b""
    with anyio.fail_after(15):
        while wanted not in sent:
            message = await socket.receive()
            assert message.type in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}, message
            sent += message.data if isinstance(message.data, bytes) else message.data.encode()
    return sent


async def test_window_on_this_machine_shows_the_monitor_and_takes_keys() -> None:
    """A page, a socket, the figures; 6 is the exceptions there as well."""
    async with _served() as url, aiohttp.ClientSession() as session:
        async with session.get(url) as page:
            text = await page.text()
            assert page.status == 200
            assert "connect-src 'self'" in page.headers["Content-Security-Policy"]
        assert "googleapis" not in text
        socket_url = f"{url}/ws?width=100&height=30"
        async with session.ws_connect(socket_url, origin=url) as socket:
            await _read(socket, b"Northern Lights")
            await socket.send_str(json.dumps(["stdin", "6"]))
            await _read(socket, b"sku-unknown")


async def test_page_of_another_site_reaches_nothing() -> None:
    """Neither by a foreign origin, nor by a name of its own for this machine."""
    async with _served() as url, aiohttp.ClientSession() as session:
        for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
            async with session.get(f"{url}/ws", headers=headers) as answer:
                assert answer.status == 403
        async with session.get(f"{url}/ws") as answer:
            assert answer.status == 403


async def test_token_is_asked_of_everybody_and_leaves_the_address() -> None:
    """Once entered, a cookie that scripts can't read stands for it; it is not the token."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with _served(token=_TOKEN) as url, aiohttp.ClientSession(cookie_jar=jar) as session:
        for path in ("/", "/ws", "/static/js/textual.js", "/?token=another"):
            async with session.get(f"{url}{path}", headers={"Origin": url}) as answer:
                assert answer.status == 401
        async with session.get(url, params={"token": _TOKEN}, allow_redirects=False) as answer:
            assert answer.status == 303
            assert answer.headers["Location"] == "/"
            assert "HttpOnly" in answer.headers["Set-Cookie"]
            assert _TOKEN not in answer.headers["Set-Cookie"]
        async with session.get(url) as answer:
            assert answer.status == 200


@pytest.mark.parametrize(
    ("host", "token", "said"),
    [("0.0.0.0", "", "KCJL_WEB_TOKEN"), ("127.0.0.1", "short", "16 characters")],
)
async def test_server_that_would_be_open_is_refused(host: str, token: str, said: str) -> None:
    """Beyond this machine not without a token, and not with one that can be guessed."""
    with pytest.raises(Misuse, match=said):
        MonitorServer(("true",), host=host, port=1, public_url="", token=Secret(token))


@pytest.mark.skipif(_BROWSER is None, reason="no Chromium on PATH: the page is not driven")
async def test_browser_shows_the_monitor_and_goes_where_a_key_says(tmp_path: Path) -> None:
    """Headless Chromium opens the page, draws it, and types a 6."""
    assert _BROWSER is not None
    async with _served() as url, _browser(_BROWSER, url, tmp_path) as page:
        await page.sees("Northern Lights")
        await page.type("6")
        await page.sees("sku-unknown")
        picture = await page.picture()

    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 10_000, "an empty page"


class _Page:
    """A page of a browser, by its debugging protocol."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._asked = 0
        self._sent = b""

    async def ask(self, method: str, **parameters: object) -> dict[str, object]:
        self._asked += 1
        await self._socket.send_json(
            {"id": self._asked, "method": method, "params": parameters}
        )
        while True:
            told = await self._next()
            if told.get("id") == self._asked:
                result = told["result"]
                assert isinstance(result, dict)
                return result

    async def sees(self, words: str) -> None:
        """Wait until the window has sent the words to the page."""
        with anyio.fail_after(15):
            while words.encode() not in self._sent:
                await self._next()

    async def type(self, key: str) -> None:
        """Into the window, which a click has brought to the front."""
        for kind in ("mousePressed", "mouseReleased"):
            await self.ask(
                "Input.dispatchMouseEvent", type=kind, x=600, y=300, button="left", clickCount=1
            )
        await self.ask(
            "Input.dispatchKeyEvent",
            type="keyDown",
            key=key,
            text=key,
            code=f"Digit{key}",
            windowsVirtualKeyCode=ord(key),
        )

    async def picture(self) -> bytes:
        told = await self.ask("Page.captureScreenshot", format="png")
        return base64.b64decode(str(told["data"]))

    async def _next(self) -> dict[str, object]:
        told: dict[str, object] = json.loads((await self._socket.receive()).data)
        if told.get("method") == "Network.webSocketFrameReceived":
            frame = told["params"]["response"]  # type: ignore[index]
            data = frame["payloadData"]
            self._sent += base64.b64decode(data) if frame["opcode"] == 2 else data.encode()
        return told


@asynccontextmanager
async def _browser(program: str, url: str, room: Path) -> AsyncIterator[_Page]:
    command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1200,800"]
    command += ["--remote-debugging-port=0", f"--user-data-dir={room}", "about:blank"]
    running = await anyio.open_process(command, stdout=DEVNULL, stderr=DEVNULL)
    try:
        told = room / "DevToolsActivePort"
        with anyio.fail_after(15):
            while not (told.exists() and len(told.read_text().split()) == 2):
                await real_sleep(0.05)
        door = f"http://127.0.0.1:{told.read_text().split()[0]}"
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{door}/json") as answer:
                pages = [each for each in await answer.json() if each["type"] == "page"]
            async with session.ws_connect(
                pages[0]["webSocketDebuggerUrl"], max_msg_size=0
            ) as socket:
                page = _Page(socket)
                await page.ask("Network.enable")
                await page.ask("Page.navigate", url=url)
                yield page
    finally:
        running.kill()
        await running.aclose()
