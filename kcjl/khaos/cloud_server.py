"""The Cloud feed's listener: the HTTP endpoints that the ERP calls.

Promises: nobody is read before the door has let him in; bodies and work at a time are bounded;
200 only when what was pushed is kept, 400 for what can't be read (the rest of it is kept), 500
for trouble of ours: then the ERP sends again, and nothing is harmed by it. Each call is noted
in the sync log. It holds no rule of the trade.
Invariant: nothing is answered 200 before its commit. Called by the composition root.
Source: contract khaos b.10.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

import anyio
import anyio.to_thread
import structlog
from aiohttp import web

from kcjl.calls.port import Side
from kcjl.calls.sync_log import Attempt, SyncLog
from kcjl.clock import Clock
from kcjl.errors import CredentialsRefused, KcjlError, Refused, Unavailable
from kcjl.khaos.cloud import CloudFeedAdapter
from kcjl.khaos.cloud_door import Door, certificate
from kcjl.khaos.cloud_feed import CloudFeed, DocumentKind, Endpoint
from kcjl.khaos.cloud_inbound import (
    LEFT_UNREAD,
    Read,
    read_levels,
    read_statuses,
    read_stock,
)
from kcjl.khaos.cloud_order import Tree, as_bytes, as_xml, orders_answer, returns_answer
from kcjl.khaos.cloud_reading import BadBody, Part, parse_body
from kcjl.khaos.cloud_settings import CloudSettings, bare_references

__all__ = ["CloudListener"]

CONTINUATION = "Sirion-Continuation"
SPECIFIC_IDS = "SpecificIDs"
SPECIFIC_IDS_MAX = 1_000
AT_ONCE_MAX = 4
"""Requests that are worked on at a time; the others wait."""
BODY_S = 60.0
THREAD_BYTES = 64 * 1024
"""A longer body is read beside the loop."""
EXPIRE_EVERY_S = 86_400.0
EXPIRE_ROWS_MAX = 10_000
SURPRISES_PER_BODY_MAX = 50

_OURS = re.compile(r"kcjl-(\d{1,18})\Z")
_PATHS = {
    Endpoint.ORDERS: "/orders",
    Endpoint.RETURNS: "/returns",
    Endpoint.STATUSES: "/order-status",
    Endpoint.LEVELS: "/stock-status",
    Endpoint.STOCK: "/stock",
    Endpoint.PROVIDED_STOCK: "/provided-stock",
    Endpoint.PRICE_LISTS: "/price-lists",
}
_OFFERED = (
    Endpoint.ORDERS,
    Endpoint.STATUSES,
    Endpoint.LEVELS,
    Endpoint.STOCK,
    Endpoint.RETURNS,
)
"""What the endpoint config names; the others are answered all the same."""
_PULLED = frozenset({Endpoint.ORDERS, Endpoint.RETURNS})

_say = structlog.get_logger("kcjl.khaos.cloud")

R = TypeVar("R", bound=Read)
Answerer = Callable[[web.Request, Attempt], Awaitable[web.Response]]


class _PartlyTaken(BadBody):
    """Raised when a part of a body could not be read, and the rest is kept."""


class CloudListener:
    """One merchant's endpoints."""

    def __init__(
        self,
        settings: CloudSettings,
        *,
        clock: Clock,
        feed: CloudFeed,
        adapter: CloudFeedAdapter,
        sync_log: SyncLog,
        may_hand_out: Callable[[], bool] = lambda: True,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._feed = feed
        self._adapter = adapter
        self._sync_log = sync_log
        self._may_hand_out = may_hand_out
        self._door = Door(settings)
        self._at_once = anyio.Semaphore(AT_ONCE_MAX)
        self._base = settings.public_url.rstrip("/")

    @property
    def config_url(self) -> str:
        """What is typed into the ERP's channel screen."""
        return f"{self._base}/config.{self._settings.format}"

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Listen for as long as the block lasts. Raises Unavailable when the port is taken."""
        place = f"{self._settings.host}:{self._settings.port}"
        runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=2.0)
        await runner.setup()
        try:
            context = certificate(self._settings)
            site = web.TCPSite(
                runner, self._settings.host, self._settings.port, ssl_context=context
            )
            try:
                await site.start()
            except OSError as error:
                raise Unavailable(
                    f"khaos cloud: {place} can't be listened on: {error.strerror}"
                ) from None
            if not self._settings.public_url:
                scheme = "https" if context else "http"
                host = self._settings.host
                shown = f"[{host}]" if ":" in host else host
                self._base = f"{scheme}://{shown}:{runner.addresses[0][1]}"
            _say.info("cloud_feed_listens", at=place, config=self.config_url)
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await runner.cleanup()

    async def run(self, ready: Callable[[str], None]) -> None:
        """Listen until cancelled, and forget what has expired; tells the config's address."""
        async with self.listening():
            ready(self.config_url)
            while True:
                await self._clock.sleep(EXPIRE_EVERY_S)
                await self.expire()

    async def expire(self) -> int:
        """Forget what was confirmed long ago, a bounded number; how many that was."""
        before = self._clock.now() - timedelta(days=self._settings.keep_days)
        try:
            return await self._feed.expire(before, rows_max=EXPIRE_ROWS_MAX)
        except KcjlError as error:
            _say.info("cloud_feed_not_expired", error=error.message)
            return 0

    # ── requests ────────────────────────────────────────────────────────────────────────────

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=self._settings.body_bytes_max)
        for form in ("json", "xml"):
            app.router.add_get(f"/config.{form}", self._route(Endpoint.CONFIG, self._config))
        gets = {
            Endpoint.ORDERS: self._orders,
            Endpoint.RETURNS: self._returns,
            Endpoint.PROVIDED_STOCK: self._provided_stock,
        }
        posts = {
            Endpoint.STATUSES: self._take_statuses,
            Endpoint.LEVELS: self._take_levels,
            Endpoint.STOCK: self._take_stock,
            Endpoint.PRICE_LISTS: self._take_price_lists,
        }
        for endpoint, answer in gets.items():
            app.router.add_get(_PATHS[endpoint], self._route(endpoint, answer))
        for endpoint, answer in posts.items():
            app.router.add_post(_PATHS[endpoint], self._route(endpoint, answer))
        return app

    def _route(
        self, endpoint: Endpoint, answer: Answerer
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """The handler of an endpoint: let in, noted, bounded, and every error told as HTTP."""

        async def handle(request: web.Request) -> web.Response:
            try:
                with self._sync_log.attempt(
                    Side.KHAOS, endpoint, subject="called by the ERP", writes=False
                ) as attempt:
                    return await self._let_in(endpoint, request, answer, attempt)
            except CredentialsRefused as refusal:
                return web.Response(
                    status=401,
                    text=refusal.message,
                    headers={"WWW-Authenticate": 'Basic realm="kcjl"'},
                )
            except Refused as refusal:
                return web.Response(status=refusal.status or 400, text=refusal.message)
            except KcjlError as error:
                _say.info("cloud_call_failed", endpoint=endpoint, error=error.message)
                return web.Response(status=500, text="it could not be kept: send it again")

        return handle

    async def _let_in(
        self, endpoint: Endpoint, request: web.Request, answer: Answerer, attempt: Attempt
    ) -> web.Response:
        attempt.status = 500
        try:
            self._door.enter(request.headers.get("Authorization", ""))
        except Refused as refusal:
            attempt.status = refusal.status
            raise
        async with self._at_once:
            try:
                response = await answer(request, attempt)
            except BadBody as bad:
                attempt.status = 400
                if isinstance(bad, _PartlyTaken):
                    await self._feed.note_contact(endpoint, at=self._clock.now())
                _say.info("cloud_body_refused", endpoint=endpoint, reason=str(bad))
                raise Refused(str(bad), reason_code="BAD_BODY", status=400) from None
            await self._feed.note_contact(endpoint, at=self._clock.now())
        attempt.status = response.status
        attempt.bytes_sent = len(response.body) if isinstance(response.body, bytes) else 0
        return response

    # ── pulled ──────────────────────────────────────────────────────────────────────────────

    async def _config(self, request: web.Request, _: Attempt) -> web.Response:
        form = "JSON" if self._settings.format == "json" else "XML"
        endpoints: Tree = {}
        for endpoint in _OFFERED:
            entry: Tree = {"URL": f"{self._base}{_PATHS[endpoint]}", "Format": form}
            if endpoint in _PULLED:
                entry["Frequency"] = self._settings.frequency_minutes
            endpoints[endpoint] = entry
        if request.path.endswith(".xml"):
            return _xml(as_xml("EndpointConfig", endpoints))
        return _json(as_bytes({"EndpointConfig": endpoints}))

    async def _orders(self, request: web.Request, _: Attempt) -> web.Response:
        orders, moved_to = await self._handed_out(DocumentKind.ORDER, request)
        tree = orders_answer(orders, self._settings)
        return self._document("SalesOrderImport", tree, moved_to)

    async def _returns(self, request: web.Request, _: Attempt) -> web.Response:
        returns, moved_to = await self._handed_out(DocumentKind.RETURN, request)
        return self._document("CustomerReturnImport", returns_answer(returns), moved_to)

    async def _provided_stock(self, _: web.Request, __: Attempt) -> web.Response:
        """We have no stock master of our own: no changes."""
        return self._document("StockChanges", {}, "")

    async def _handed_out(
        self, kind: DocumentKind, request: web.Request
    ) -> tuple[list[Tree], str]:
        """(the documents that are due, the continuation). Nothing while writes are off."""
        said = request.headers.get(CONTINUATION, "").strip()
        ours = _OURS.match(said)
        after = int(ours[1]) if ours else 0
        specific = self._specific(request)
        if not self._may_hand_out():
            return [], said
        if specific is not None:
            rows = await self._feed.asked_for(kind, specific)
        else:
            rows = await self._feed.waiting(
                kind, after=after, rows_max=self._settings.orders_per_answer
            )
        documents: list[Tree] = []
        sent: list[str] = []
        for row in rows:
            document = await self._adapter.document(kind, row.reference)
            if document is None:
                _say.warning("cloud_document_expired", kind=kind, reference=row.reference)
                continue
            documents.append(document)
            sent.append(row.reference)
        if sent:
            await self._feed.handed_out(kind, sent, at=self._clock.now())
        if specific is not None:
            return documents, said  # a retry moves nothing
        return documents, f"kcjl-{max([after, *(row.sequence for row in rows)])}"

    def _specific(self, request: web.Request) -> list[str] | None:
        """The references that are asked for again; None when all that waits is asked for."""
        told = request.headers.getall(SPECIFIC_IDS, [])
        if not told:
            return None
        named = [
            each
            for part in ",".join(told).replace('"', "").split(",")
            if (each := part.strip())
        ]
        if len(named) > SPECIFIC_IDS_MAX:
            raise BadBody(
                f"{len(named):,} references in {SPECIFIC_IDS}: {SPECIFIC_IDS_MAX:,} at most"
            )
        return [
            candidate for each in named for candidate in bare_references(each, self._settings)
        ]

    def _document(self, name: str, tree: Tree, continuation: str) -> web.Response:
        if self._settings.format == "xml":
            response = _xml(as_xml(name, tree))
        else:
            response = _json(as_bytes(tree))
        if continuation:
            response.headers[CONTINUATION] = continuation
        return response

    # ── pushed ──────────────────────────────────────────────────────────────────────────────

    async def _take_statuses(self, request: web.Request, attempt: Attempt) -> web.Response:
        read = await self._read(
            request,
            attempt,
            Endpoint.STATUSES,
            lambda body: read_statuses(body, self._settings),
        )
        if read.statuses:
            await self._feed.hear_statuses(read.statuses, at=self._clock.now())
        return _taken(read)

    async def _take_levels(self, request: web.Request, attempt: Attempt) -> web.Response:
        arrived = self._clock.now()
        read = await self._read(
            request, attempt, Endpoint.LEVELS, lambda body: read_levels(body, self._settings)
        )
        if read.levels:
            await self._feed.hear_levels(read.levels, at=arrived)
        return _taken(read)

    async def _take_stock(self, request: web.Request, attempt: Attempt) -> web.Response:
        arrived = self._clock.now()
        read = await self._read(request, attempt, Endpoint.STOCK, read_stock)
        if read.products or read.deleted:
            await self._feed.hear_products(read.products, read.deleted, at=arrived)
        return _taken(read)

    async def _take_price_lists(self, request: web.Request, attempt: Attempt) -> web.Response:
        """We set no prices: read as far as to know that it is a body, and left."""
        parse_body(await self._body(request, attempt), request.charset)
        return web.Response(text="taken")

    async def _read(
        self,
        request: web.Request,
        attempt: Attempt,
        endpoint: Endpoint,
        read: Callable[[Part], R],
    ) -> R:
        """The pushed body, read; unknown fields are counted and passed over."""
        body = await self._body(request, attempt)
        charset = request.charset

        def work() -> tuple[R, list[str]]:
            part = parse_body(body, charset)
            return read(part), list(dict.fromkeys(part.unasked(LEFT_UNREAD)))

        beside = len(body) > THREAD_BYTES
        result, unknown = await anyio.to_thread.run_sync(work) if beside else work()
        for path in unknown[:SURPRISES_PER_BODY_MAX]:
            self._sync_log.surprises.field(endpoint, path)
        return result

    async def _body(self, request: web.Request, attempt: Attempt) -> bytes:
        try:
            with anyio.fail_after(BODY_S):
                body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            raise BadBody(
                f"the body has more than {self._settings.body_bytes_max:,} bytes"
            ) from None
        except TimeoutError:
            raise BadBody(f"the body did not come within {BODY_S:g} s") from None
        except (web.RequestPayloadError, ConnectionError, ValueError) as error:
            raise BadBody(f"the body can't be received: {type(error).__name__}") from None
        attempt.bytes_received = len(body)
        return body


def _taken(read: Read) -> web.Response:
    """200, or 400 with what could not be read: the rest is kept already."""
    if read.wrong:
        raise _PartlyTaken("; ".join(read.wrong))
    return web.Response(text="taken")


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json", charset="utf-8")


def _xml(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/xml", charset="utf-8")
