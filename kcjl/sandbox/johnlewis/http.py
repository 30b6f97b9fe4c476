"""John Lewis Marketplace over HTTP: the seller API's routes, keys, roles and call limits.

Promises: each route bears its operation's code as its name (`operation_of`); a wrong key is
401, a missing accounting role 403, too many calls 429 with Retry-After in seconds of the world;
every refusal has a JSON body {message, status}. Changes go through the gate by name;
reads ask the model. It keeps nothing but the count of calls.
Invariant: the world moves on to now before anything is read. Called by the sandbox's server.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeAlias

from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.multipart import BodyPartReader

from kcjl.sandbox.gate import Gate
from kcjl.sandbox.johnlewis import (
    account_statistics,
    accounting,
    after_sales,
    documents,
    exports,
    lists,
    offer_imports,
    offers,
    orders,
    returns,
    shipment_changes,
    shipments,
    shop,
)
from kcjl.sandbox.johnlewis.answers import answer, refusal
from kcjl.sandbox.johnlewis.asking import Asked, Operation, Part
from kcjl.sandbox.johnlewis.described.document import openapi
from kcjl.sandbox.johnlewis.limits import CallLimits
from kcjl.sandbox.marketplace import ApiError, ApiKey, Marketplace

__all__ = ["LINE_BYTES_MAX", "johnlewis_app", "operation_of"]

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

DOCUMENT_PATHS = ("/api/openapi.json", "/help/api-doc/seller/mmp.json")
"""Where the OpenAPI description is; the second is beside where tenants keep their own."""
BODY_BYTES_MAX = 32 * 1024 * 1024
"""A stock file of some hundred thousand lines."""

LINE_BYTES_MAX = 64 * 1024
"""Of a request's first line: lists of ids may be long."""

ACCOUNTING = frozenset({"TL02", "TL03", "TL04", "SBC11", "IV01", "IV02"})
UPLOADS = frozenset({"STO01", "OF01", "PRI01"})
MULTIPART = frozenset({"OR74"})
"""Operations that take files of any kind."""
FILES = frozenset({"OF54", "OR15", "TL05"})
"""Files of exports: their address is the key, unless the tenant wants it otherwise."""

_TRANSFERS: tuple[tuple[str, str, str, Operation], ...] = (
    ("OF24", "POST", "/api/offers", offer_imports.take_offers),
    ("OF01", "POST", "/api/offers/imports", offer_imports.take_offer_file),
    ("OF04", "GET", "/api/offers/imports", offer_imports.list_offer_imports),
    ("OF02", "GET", "/api/offers/imports/{import_id}", offer_imports.offer_import_status),
    (
        "OF03",
        "GET",
        "/api/offers/imports/{import_id}/error_report",
        offer_imports.offer_import_errors,
    ),
    ("PRI01", "POST", "/api/offers/pricing/imports", offer_imports.take_price_file),
    ("PRI02", "GET", "/api/offers/pricing/imports", offer_imports.list_price_imports),
    (
        "PRI03",
        "GET",
        "/api/offers/pricing/imports/{import_id}/error_report",
        offer_imports.price_import_errors,
    ),
    ("OF51", "GET", "/api/offers/export", exports.export_offers),
    ("OF52", "POST", "/api/offers/export/async", exports.start_offer_export),
    (
        "OF53",
        "GET",
        "/api/offers/export/async/status/{tracking_id}",
        exports.export_status_of_offers,
    ),
    ("OF54", "GET", "/export-files/offers/{tracking_id}/{number}", exports.file_of_offers),
    ("OR13", "POST", "/api/orders/async-export", exports.start_order_export),
    (
        "OR14",
        "GET",
        "/api/orders/async-export/status/{tracking_id}",
        exports.export_status_of_orders,
    ),
    ("OR15", "GET", "/export-files/orders/{tracking_id}/{number}", exports.file_of_orders),
    (
        "TL03",
        "POST",
        "/api/sellerpayment/transactions_logs/async",
        exports.start_transaction_export,
    ),
    (
        "TL04",
        "GET",
        "/api/sellerpayment/transactions_logs/async/status/{tracking_id}",
        exports.export_status_of_transactions,
    ),
    (
        "TL05",
        "GET",
        "/export-files/transactions/{tracking_id}/{number}",
        exports.file_of_transactions,
    ),
    ("IV02", "GET", "/api/invoices/{invoice_id}", accounting.invoice_file),
)
"""Imports, exports and files. They stand first: /api/offers/{offer} would take some of them."""


ROUTES: tuple[tuple[str, str, str, Operation], ...] = (
    *_TRANSFERS,
    ("V01", "GET", "/api/version", shop.version),
    ("A01", "GET", "/api/account", shop.account),
    ("PC01", "GET", "/api/platform/configuration", shop.platform),
    ("SH21", "GET", "/api/shipping/carriers", shop.carriers),
    ("SH12", "GET", "/api/shipping/types", shop.shipping_types),
    ("RE01", "GET", "/api/reasons", orders.list_reasons),
    ("OF21", "GET", "/api/offers", offers.list_offers),
    ("STO01", "POST", "/api/offers/stock/imports", offers.take_stock_import),
    (
        "STO02",
        "GET",
        "/api/offers/stock/imports/{import_id}/status",
        offers.stock_import_status,
    ),
    (
        "STO03",
        "GET",
        "/api/offers/stock/imports/{import_id}/error_report",
        offers.stock_import_errors,
    ),
    ("OF22", "GET", "/api/offers/{offer}", offers.one_offer),
    ("OF26", "GET", "/api/offers/{offer}/quantity", offers.offer_quantity),
    ("OR11", "GET", "/api/orders", orders.list_orders),
    ("OR04", "PUT", "/api/orders", orders.write_references),
    ("OR28", "PUT", "/api/orders/refund", orders.refund_lines),
    ("OR21", "PUT", "/api/orders/{order_id}/accept", orders.accept_order),
    ("OR23", "PUT", "/api/orders/{order_id}/tracking", orders.track_order),
    ("OR24", "PUT", "/api/orders/{order_id}/ship", orders.ship_order),
    ("OR29", "PUT", "/api/orders/{order_id}/cancel", orders.cancel_order),
    ("ST01", "POST", "/api/shipments", shipments.create_shipments),
    ("ST11", "GET", "/api/shipments", shipments.list_shipments),
    ("ST12", "GET", "/api/shipments/items_to_ship", shipments.items_to_ship),
    ("ST23", "POST", "/api/shipments/tracking", shipments.track_shipments),
    ("ST24", "PUT", "/api/shipments/ship", shipments.ship_shipments),
    ("TL02", "GET", "/api/sellerpayment/transactions_logs", accounting.list_transactions),
    ("SBC11", "GET", "/api/seller-billing-cycles", accounting.list_cycles),
    ("IV01", "GET", "/api/invoices", accounting.list_invoices),
    *lists.ROUTES,
    *account_statistics.ROUTES,
    *documents.ROUTES,
    *after_sales.ROUTES,
    *returns.ROUTES,
    *shipment_changes.ROUTES,
)


def johnlewis_app(marketplace: Marketplace, gate: Gate) -> web.Application:
    """The seller API of one shop."""
    app = web.Application(middlewares=[_spoken], client_max_size=BODY_BYTES_MAX)
    limits = CallLimits(marketplace)
    for code, method, path, operation in ROUTES:
        serve = _served(code, operation, marketplace, gate, limits)
        app.router.add_route(method, path, serve, name=code)
    for path in DOCUMENT_PATHS:
        app.router.add_get(path, _document)
    return app


async def _document(request: web.Request) -> web.StreamResponse:
    """The OpenAPI description, for the host that was asked; no key is needed."""
    described = openapi(
        ROUTES,
        accounting=ACCOUNTING,
        uploads=UPLOADS,
        files=FILES,
        server=str(request.url.origin()),
    )
    return answer(described)


def operation_of(request: web.Request) -> str:
    """The operation's code that a request is for; empty where the path is none of ours."""
    return request.match_info.route.name or ""


@web.middleware
async def _spoken(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give every refusal its JSON body."""
    try:
        return await handler(request)
    except ApiError as refused:
        return refusal(refused)
    except web.HTTPException as refused:
        if refused.status < HTTPStatus.BAD_REQUEST:
            raise
        said = refusal(ApiError.of(refused.status, refused.reason))
        if "Allow" in refused.headers:
            said.headers["Allow"] = refused.headers["Allow"]
        return said


def _served(
    code: str,
    operation: Operation,
    marketplace: Marketplace,
    gate: Gate,
    limits: CallLimits,
) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        key = _key(request, marketplace, is_open=code in FILES)
        if code in ACCOUNTING and key is not None and not key.accounting:
            raise ApiError.of(403, "Access is denied: the accounting role is missing")
        upload, form = await _upload(request) if code in UPLOADS else (None, {})
        parts = await _parts(request) if code in MULTIPART else ()
        body = b"" if code in UPLOADS | MULTIPART else await _body(request)
        asked = Asked(
            marketplace,
            gate,
            url=str(request.url),
            path=request.match_info,
            query=list(request.query.items()),
            body=body,
            upload=upload,
            form=form,
            parts=parts,
        )
        gate.enter("johnlewis", code)
        now = marketplace.agenda.now
        wait_s = (
            None if key is None else limits.ask(key, code, now, is_page=asked.is_further_page)
        )
        if wait_s is not None:
            refused = refusal(ApiError.of(429, f"Too many calls of {code}"))
            refused.headers["Retry-After"] = str(wait_s)
            return refused
        asked.whole("shop_id", marketplace.settings.shop_id)
        return operation(asked)

    return serve


def _key(request: web.Request, marketplace: Marketplace, *, is_open: bool) -> ApiKey | None:
    """Whose key it is; None where none is needed and none was given."""
    said = request.headers.get("Authorization", "")
    for key in marketplace.settings.api_keys:
        if key.key == said:
            return key
    if is_open and not marketplace.settings.export_files_need_key:
        return None
    raise ApiError.of(401, "Unauthorized")


async def _body(request: web.Request) -> bytes:
    """The body; one of another type than JSON is refused with 415."""
    body = await request.read()
    if (
        body
        and "Content-Type" in request.headers
        and request.content_type != "application/json"
    ):
        raise web.HTTPUnsupportedMediaType
    return body


async def _upload(request: web.Request) -> tuple[str | None, dict[str, str]]:
    """The text of the multipart part `file` (None where there is none), and the other parts."""
    if not request.content_type.startswith("multipart/"):
        raise web.HTTPUnsupportedMediaType
    parts: dict[str, bytes] = {}
    size = 0
    try:
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name:
                parts[part.name] = bytes(await part.read())
                size += len(parts[part.name])
                if size > BODY_BYTES_MAX:
                    raise web.HTTPRequestEntityTooLarge(BODY_BYTES_MAX, size)
    except (ValueError, HttpProcessingError) as broken:
        raise ApiError.of(400, f"The multipart body cannot be read: {broken}") from None
    try:
        texts = {name: written.decode("utf-8-sig") for name, written in parts.items()}
    except UnicodeDecodeError:
        raise ApiError.of(400, "The file is not in UTF-8") from None
    return texts.pop("file", None), texts


async def _parts(request: web.Request) -> list[Part]:
    """All parts of a multipart body."""
    if not request.content_type.startswith("multipart/"):
        raise web.HTTPUnsupportedMediaType
    parts: list[Part] = []
    size = 0
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.name is None:
                continue
            content = bytes(await part.read())
            size += len(content)
            if size > BODY_BYTES_MAX:
                raise web.HTTPRequestEntityTooLarge(BODY_BYTES_MAX, size)
            name = part.filename or ""
            parts.append(Part(name=part.name, file_name=name, content=content))
    except (ValueError, HttpProcessingError) as broken:
        raise ApiError.of(400, f"The multipart body cannot be read: {broken}") from None
    return parts
