"""Answers of the John Lewis face, held against its own description as they come.

Promises: each answer to a described operation has a status, a media type, headers and a body of
the description, and no field beside it. Called by the plain client of the tests and, as a
middleware, by the tests of kcjl's own client: every answer that a test provokes is looked at.
"""

import re
from collections.abc import Mapping
from functools import cache

import jsonschema_rs
import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from kcjl.sandbox.johnlewis.described.document import openapi
from kcjl.sandbox.johnlewis.http import ACCOUNTING, FILES, ROUTES, UPLOADS

__all__ = ["HeldToDescription", "assert_described", "document"]

Node = dict[str, object]


@cache
def document() -> Node:
    return openapi(ROUTES, accounting=ACCOUNTING, uploads=UPLOADS, files=FILES)


def assert_described(
    method: str, path: str, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    """Hold an answer against the description; a path or method of none is passed over."""
    code = _code(method, path.partition("?")[0])
    if code is None or status == 405:
        return
    responses = _node(_operation(code)["responses"])
    assert str(status) in responses, f"{code} answered {status}: {body[:300]!r}"
    described = _node(responses[str(status)])
    for name, header in _node(described.get("headers", {})).items():
        if _node(header).get("required"):
            assert name in headers, f"{code} {status} has no {name}"
    content = _node(described.get("content", {}))
    if not content:
        assert body == b"", f"{code} {status} has a body: {body[:300]!r}"
        return
    media = headers["Content-Type"].partition(";")[0]
    assert media in content, f"{code} {status} came as {media}"
    if media == "application/json":
        found = list(_validator(code, status).iter_errors(msgspec.json.decode(body)))
        told = [f"{'/'.join(map(str, each.instance_path))}: {each.message}" for each in found]
        assert not told, f"{code} {status}: " + "; ".join(told[:5])


class HeldToDescription:
    """A middleware that looks at each answer of the face, for tests with a client of their own.

    What it finds is told by `assert_fine`: an answer is never changed by being looked at.
    """

    def __init__(self) -> None:
        self.troubles: list[str] = []
        self.answers = 0

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        body = answer.body if isinstance(answer, web.Response) else None
        if body is None or isinstance(body, bytes):
            self.answers += 1
            headers = {"Content-Type": answer.headers.get("Content-Type", ""), **answer.headers}
            try:
                assert_described(
                    request.method, request.path, answer.status, headers, body or b""
                )
            except AssertionError as trouble:
                self.troubles.append(str(trouble))
        return answer

    def assert_fine(self) -> None:
        assert not self.troubles, "\n".join(self.troubles)


def _node(value: object) -> Node:
    assert isinstance(value, dict)
    return value


def _code(method: str, path: str) -> str | None:
    """The operation of the plainest path that fits: /offers/states before /offers/{offer}."""
    fitting = [
        (template.count("{"), code)
        for code, of_method, template, _ in ROUTES
        if of_method == method and _pattern(template).fullmatch(path)
    ]
    return min(fitting)[1] if fitting else None


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", "[^/]+", template))


@cache
def _operation(code: str) -> Node:
    return next(
        _node(operation)
        for path in _node(document()["paths"]).values()
        for operation in _node(path).values()
        if _node(operation)["operationId"] == code
    )


@cache
def _validator(code: str, status: int) -> jsonschema_rs.Draft202012Validator:
    described = _node(_node(_operation(code)["responses"])[str(status)])
    schema = _node(_node(_node(described["content"])["application/json"])["schema"])
    components = _node(_node(document()["components"])["schemas"])
    strict = {name: _closed(_node(each)) for name, each in components.items()}
    return jsonschema_rs.Draft202012Validator(
        {**schema, "components": {"schemas": strict}}, validate_formats=True
    )


def _closed(schema: Node) -> Node:
    """The record without room for fields that are not described."""
    if "properties" not in schema:
        return schema
    return {**schema, "additionalProperties": False}
