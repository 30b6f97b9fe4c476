"""How faults strike: what a client sees of each kind, and whether the call was carried out.

Promises: each kind does what `Fault` says of it, to an answer of any operation; an answer that
has no rows to double or no body to cut stays as it is. It plans nothing and changes no model.
Invariant: answers are remembered for stale ones up to a bound, the oldest are forgotten.
Called by the sandbox's server, as the outer middleware of both faces.
"""

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from decimal import Decimal
from http import HTTPStatus
from typing import TypeAlias

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from kcjl.clock import real_sleep
from kcjl.sandbox.faults import Fault
from kcjl.sandbox.khaos.answers import Speech, fault_envelope
from kcjl.sandbox.warehouse import KhaosFault, WarehouseSettings

__all__ = ["faulty"]

OperationOf: TypeAlias = Callable[[web.Request], Awaitable[str]]
Key: TypeAlias = tuple[str, bytes]
Kept: TypeAlias = tuple[bytes, dict[str, str]]
"""Body and headers."""

_KEPT_MAX = 64
_KEPT_BYTES_MAX = 512 * 1024
"""Of one remembered answer: all of them together stay below 32 MiB."""
_BITS = 20
_RETURN = re.compile(rb"<return\b[^>]*(?:/>|>.*</return>)", re.DOTALL)
_OF_THE_WIRE = frozenset({"Content-Length", "Date", "Server", "Transfer-Encoding"})
_encoder = msgspec.json.Encoder(decimal_format="number")


def faulty(
    side: str,
    operation_of: OperationOf,
    take: Callable[[str, str], Fault | None],
) -> Middleware:
    """The middleware of one face; `take` asks the plan and keeps the books."""
    earlier = EarlierAnswers()

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        operation = await operation_of(request)
        fault = take(side, operation)
        key = await _key(side, operation, request)
        if fault is None:
            answer = await handler(request)
            earlier.remember(key, answer)
            return answer
        if fault.kind == "stale":
            return earlier.of(key) or await handler(request)
        if fault.kind in {"soap_fault", "empty_string", "empty"} and side == "khaos":
            return await _suffer_in_soap(fault, request, handler)
        return await _suffer(fault, request, handler)

    return middleware


class EarlierAnswers:
    """What requests were answered lately, for the stale ones."""

    def __init__(self) -> None:
        self._answers: OrderedDict[Key, Kept] = OrderedDict()

    def remember(self, key: Key | None, answer: web.StreamResponse) -> None:
        """Keep a good answer with its body; the oldest are forgotten."""
        body = answer.body if isinstance(answer, web.Response) else None
        is_good = answer.status == HTTPStatus.OK
        if key is None or not is_good or not isinstance(body, bytes):
            return
        if len(body) > _KEPT_BYTES_MAX:
            return
        self._answers[key] = body, dict(answer.headers)
        self._answers.move_to_end(key)
        if len(self._answers) > _KEPT_MAX:
            self._answers.popitem(last=False)

    def of(self, key: Key | None) -> web.Response | None:
        """The answer that the same request had; None where there was none."""
        kept = None if key is None else self._answers.get(key)
        if kept is None:
            return None
        body, headers = kept
        again = {name: value for name, value in headers.items() if name not in _OF_THE_WIRE}
        return web.Response(body=body, headers=again)


async def _key(side: str, operation: str, request: web.Request) -> Key | None:
    """What makes two requests the same; None for one that changes something.

    SOAP posts whatever it asks: there the body tells.
    """
    if request.method == "GET":
        return request.path_qs, b""
    if side == "khaos" and not operation.startswith("Import"):
        return request.path_qs, hashlib.sha256(await request.read()).digest()
    return None


async def _suffer(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    match fault.kind:
        case "lost_before":
            return _cut(request)
        case "lost_after":
            await _answered(request, handler)
            return _cut(request)
        case "empty":
            await _answered(request, handler)
            return web.Response(content_type="application/json")
        case "truncated":
            return await _truncated(request, await _answered(request, handler))
        case "slow":
            if not fault.after_effect:
                await real_sleep(fault.seconds)
                return await handler(request)
            answer = await _answered(request, handler)
            await real_sleep(fault.seconds)
            return answer
        case "status" | "rate_limit":
            if fault.after_effect:
                await _answered(request, handler)
            return _error(fault)
        case "slow_body":
            return await _bit_by_bit(fault, request, await _answered(request, handler))
        case "half_json" | "wrong_type" | "duplicated_rows":
            return _changed(fault.kind, await _answered(request, handler))
        case _:  # stale, which never comes here
            return await handler(request)


async def _suffer_in_soap(
    fault: Fault, request: web.Request, handler: Handler
) -> web.StreamResponse:
    """The faults that only SOAP has, and the empty answer as SOAP would call it."""
    if fault.kind == "soap_fault":
        if fault.after_effect:
            await _answered(request, handler)
        speech = Speech(settings=WarehouseSettings(), soap_12=False)
        body = fault_envelope(KhaosFault(fault.message, fault.class_name), speech)
        return web.Response(
            status=fault.status, body=body, content_type="text/xml", charset="utf-8"
        )
    answer = await _answered(request, handler)
    if fault.kind == "empty":
        return web.Response(content_type="text/xml")
    whole = answer.body if isinstance(answer, web.Response) else None
    if not isinstance(whole, bytes):
        return answer
    headers = {k: value for k, value in answer.headers.items() if k not in _OF_THE_WIRE}
    emptied = _RETURN.sub(b'<return xsi:type="xsd:string"></return>', whole)
    return web.Response(status=answer.status, body=emptied, headers=headers)


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        return refusal


def _cut(request: web.Request) -> web.Response:
    """Break the connection; the answer that is returned never leaves."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _truncated(request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    body = answer.body if isinstance(answer, web.Response) else None
    if not isinstance(body, bytes) or len(body) < 2:  # noqa: PLR2004 - nothing to halve
        return _cut(request)
    half = web.StreamResponse(status=answer.status, headers=answer.headers)
    half.content_length = len(body)
    await half.prepare(request)
    await half.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()  # after what was written, unlike abort
    return half


async def _bit_by_bit(
    fault: Fault, request: web.Request, answer: web.StreamResponse
) -> web.StreamResponse:
    body = answer.body if isinstance(answer, web.Response) else None
    if not isinstance(body, bytes) or not body:
        return answer
    slowly = web.StreamResponse(status=answer.status, headers=answer.headers)
    slowly.content_length = len(body)
    await slowly.prepare(request)
    size = max(1, -(-len(body) // _BITS))
    for start in range(0, len(body), size):
        await real_sleep(fault.seconds / _BITS)
        await slowly.write(body[start : start + size])
    return slowly


def _changed(kind: str, answer: web.StreamResponse) -> web.StreamResponse:
    """The answer with another body or type; one without a body stays as it is."""
    body = answer.body if isinstance(answer, web.Response) else None
    if not isinstance(body, bytes) or not body:
        return answer
    headers = {k: value for k, value in answer.headers.items() if k not in _OF_THE_WIRE}
    if kind == "half_json":
        body = body[: len(body) // 2]
    elif kind == "wrong_type":
        headers["Content-Type"] = "text/html; charset=UTF-8"
    elif answer.content_type == "application/json":
        body = _encoder.encode(_doubled(json.loads(body, parse_float=Decimal)))
    return web.Response(status=answer.status, body=body, headers=headers)


def _doubled(said: object) -> object:
    """A JSON value whose own lists have their last row twice."""
    if isinstance(said, list):
        return said + said[-1:]
    if isinstance(said, dict):
        return {
            name: value + value[-1:] if isinstance(value, list) else value
            for name, value in said.items()
        }
    return said


def _error(fault: Fault) -> web.Response:
    status = 429 if fault.kind == "rate_limit" else fault.status
    headers = {}
    if fault.kind == "rate_limit" and fault.retry_after_s is not None:
        headers["Retry-After"] = str(fault.retry_after_s)
    body = "json" if fault.kind == "rate_limit" else fault.body
    match body:
        case "empty":
            return web.Response(status=status, headers=headers)
        case "plain":
            return web.Response(status=status, headers=headers, text="Service Unavailable")
        case "json":
            said = {"message": "The service can't answer now", "status": status}
            return web.json_response(said, status=status, headers=headers)
        case _:
            return web.Response(
                status=status,
                headers=headers,
                text=_IIS_PAGE.format(status=status),
                content_type="text/html",
            )


_IIS_PAGE = """<!DOCTYPE html>
<html><head><title>{status} - Internal server error.</title>
<style>body{{font-family:Verdana,Arial;background:#EEEEEE}}h1{{color:#CC0000}}</style></head>
<body><div id="header"><h1>Server Error</h1></div>
<div id="content"><h2>{status} - Internal server error.</h2>
<h3>There is a problem with the resource, and it can't be shown.</h3></div></body></html>
"""
