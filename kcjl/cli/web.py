"""`kcjl tui --web`: the monitor in a browser, one process of it for each window.

Promises: loopback only, unless a token is demanded; a page of another site can neither open it
nor speak to it (host and origin are looked at), and it fetches nothing from anywhere else. The
number of windows is bounded. What may be done in a window is what may be done in a terminal.
It speaks plain HTTP: beyond this machine a proxy with TLS stands before it (`--public-url`).
Called by `kcjl/cli/monitor.py`.
"""

import hmac
import re
import shlex
import sys
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

import anyio
import typer
from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.server import Server

from kcjl.cli.places import printable
from kcjl.discretion import Secret
from kcjl.errors import Misuse
from kcjl.loopback import is_loopback

__all__ = ["MonitorServer", "serve_monitor"]

WINDOWS_MAX = 16
"""Each is a process of its own, of some 100 MB."""

HEARTBEAT_S = 15
END_S = 5.0
CELLS_MAX = 1_000

ASKED_FOR = "KCJL_WEB_TOKEN"
"""The environment variable with what a browser has to show."""
TOKEN_CHARACTERS_MIN = 16
_COOKIE = "kcjl_monitor"
_POLICY = (
    "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; connect-src 'self' ws: wss:; frame-ancestors 'none'"
)
_LINK = re.compile(r"<link[^>]*>")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _Window(AppService):
    """A monitor's process, which ends with its window."""

    async def stop(self) -> None:
        process = self._process
        with anyio.move_on_after(END_S):
            await super().stop()
            if process is not None:
                await process.wait()
        if process is None:
            return
        if process.returncode is None:
            process.kill()
            await process.wait()


class MonitorServer(Server):
    """The server of the windows, behind a guard."""

    def __init__(
        self, command: Sequence[str], *, host: str, port: int, public_url: str, token: Secret
    ) -> None:
        """`token` empty: none is asked for. Raises Misuse where one has to be."""
        if not token and not is_loopback(host):
            raise Misuse(
                f"--host {host} can be reached from elsewhere: set {ASKED_FOR} to "
                f"{TOKEN_CHARACTERS_MIN} characters or more, or leave --host out"
            )
        if token and len(token) < TOKEN_CHARACTERS_MIN:
            raise Misuse(f"{ASKED_FOR} has to have {TOKEN_CHARACTERS_MIN} characters")
        super().__init__(
            shlex.join(command),
            host=host,
            port=port,
            title="kcjl",
            public_url=public_url or None,
        )
        self._token = token
        self.windows = 0
        """That are open."""

    def initialize_logging(self) -> None:
        """Nothing: what a window says is for its operator."""

    async def on_startup(self, app: web.Application) -> None:
        del app
        asked = f"; it asks for {ASKED_FOR}: open /?token=…" if self._token else ""
        typer.echo(
            printable(f"the monitor is at {self.public_url}{asked}; Ctrl-C ends it"), err=True
        )

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One window, from its opening to the end of its process."""
        if self.windows >= WINDOWS_MAX:
            raise web.HTTPServiceUnavailable(text=f"{WINDOWS_MAX} windows are open already")
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S)
        await socket.prepare(request)

        async def close() -> None:
            await socket.close()

        window = _Window(
            self.command,
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=close,
            download_manager=self.download_manager,
        )
        self.windows += 1
        try:
            await window.start(_cells(request, "width", 80), _cells(request, "height", 24))
            await self._process_messages(socket, window)
        finally:
            with anyio.CancelScope(shield=True):
                await window.stop()
            self.windows -= 1
        return socket

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._guard)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        here = urlsplit(self.public_url)
        origin = request.headers.get("Origin")
        if request.host.casefold() != here.netloc.casefold():
            raise web.HTTPForbidden(text=f"this is {here.netloc}, not {request.host}")
        if (
            origin is not None
            and origin.casefold() != f"{here.scheme}://{here.netloc}".casefold()
        ):
            raise web.HTTPForbidden(text="another site's page may not speak to the monitor")
        if request.path == "/ws" and origin is None:
            raise web.HTTPForbidden(text="windows are opened by the page itself")
        if self._token:
            entered = request.query.get("token", "")
            if request.path == "/" and _same(entered, self._token):
                return self._let_in()
            if not _same(request.cookies.get(_COOKIE, ""), self._pass()):
                raise web.HTTPUnauthorized(text=f"open /?token=… with {ASKED_FOR}")
        response = await handler(request)
        if isinstance(response, web.Response) and response.content_type == "text/html":
            response.text = _LINK.sub(self._own_link, response.text or "")
            response.headers["Content-Security-Policy"] = _POLICY
            response.headers["Referrer-Policy"] = "no-referrer"
        return response

    def _own_link(self, link: re.Match[str]) -> str:
        """A style sheet of ours, or nothing: no other host learns who looks at the monitor."""
        return link[0] if f'"{self.public_url}/' in link[0] else ""

    def _pass(self) -> str:
        """What the browser keeps: of the token, and not the token."""
        return hmac.new(self._token.encode(), _COOKIE.encode(), "sha256").hexdigest()

    def _let_in(self) -> web.Response:
        """To the page without the token in its address, which browsers keep."""
        response = web.Response(status=303, headers={"Location": "/"})
        secure = self.public_url.startswith("https:")
        response.set_cookie(
            _COOKIE, self._pass(), httponly=True, samesite="Strict", secure=secure
        )
        return response


def _cells(request: web.Request, name: str, otherwise: int) -> int:
    told = request.query.get(name, "")
    return min(int(told), CELLS_MAX) if told.isdigit() and int(told) else otherwise


def _same(told: str, known: str) -> bool:
    return hmac.compare_digest(told.encode(), known.encode())


def serve_monitor(
    arguments: Sequence[str], *, host: str, port: int, public_url: str, token: Secret
) -> None:
    """Serve until Ctrl-C. `arguments`: of `kcjl tui`, for each window."""
    MonitorServer(
        (sys.executable, "-m", "kcjl", "tui", *arguments),
        host=host,
        port=port,
        public_url=public_url,
        token=token,
    ).serve()
