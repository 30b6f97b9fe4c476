"""The service's own HTTP faces: `/healthz`, `/readyz`, `/metrics`.

Promises: loopback only unless a host is named; read only; no body is read, so nothing can be
sent to us. What is shown names merchants, rooms and counts, never an order or a buyer.
Invariant: a port that is taken stops nothing: it is said, and tried again.
Called by the CLI's `run`.
"""

from collections.abc import Callable

import anyio
import msgspec
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from kcjl.clock import real_sleep
from kcjl.health.metrics import Metrics
from kcjl.health.vitals import Vitals
from kcjl.settings import HealthSettings

__all__ = ["faces", "serve_faces"]

TRY_AGAIN_S = 30.0
HEADERS_BYTES_MAX = 8_190


async def serve_faces(
    at: HealthSettings, vitals: Vitals, metrics: Metrics, tell: Callable[[str], None]
) -> None:
    """Answer until cancelled."""
    said = False
    while True:
        runner = web.AppRunner(
            faces(vitals, metrics),
            access_log=None,
            max_field_size=HEADERS_BYTES_MAX,
            max_line_size=HEADERS_BYTES_MAX,
        )
        try:
            await runner.setup()
            await web.TCPSite(runner, at.host, at.port).start()
            if said:
                tell(f"health and metrics are served at {at.host}:{at.port} now")
            await anyio.sleep_forever()
        except OSError as error:
            if not said:
                tell(
                    f"health and metrics are not served at {at.host}:{at.port} "
                    f"({error.strerror}); the rest goes on; set another `port` under [health], "
                    "or 0 for none"
                )
                said = True
        finally:
            with anyio.CancelScope(shield=True):
                await runner.cleanup()
        await real_sleep(TRY_AGAIN_S)


def faces(vitals: Vitals, metrics: Metrics) -> web.Application:
    """The three, to be served by whoever."""

    async def healthz(_request: web.Request) -> web.Response:
        """The process answers: its loop is not stuck."""
        return web.Response(text="ok\n")

    async def readyz(_request: web.Request) -> web.Response:
        """Each merchant is served, or stood by for."""
        body = msgspec.json.encode({"ready": vitals.ready, "merchants": vitals.reports()})
        return web.Response(
            body=body, status=200 if vitals.ready else 503, content_type="application/json"
        )

    async def figures(_request: web.Request) -> web.Response:
        return web.Response(
            body=metrics.written(), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    application = web.Application(client_max_size=0)
    application.router.add_get("/healthz", healthz)
    application.router.add_get("/readyz", readyz)
    application.router.add_get("/metrics", figures)
    return application
