"""The OpenAPI 3.1 document of the seller API, out of the route table and the records.

Promises: every route of the table is in it with its parameters, body, answers, refusals, key
and role, and nothing else is; amounts are numbers in answers and numbers or strings in bodies
(contract b.0). The same table gives the same document. It serves nothing.
Called by the John Lewis face, which serves it, and by tests.
"""

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import TypeAlias

import msgspec

from kcjl.sandbox.johnlewis.asking import Operation
from kcjl.sandbox.johnlewis.described.operations import DESCRIBED, Described
from kcjl.sandbox.johnlewis.described.parameters import Parameter, whole
from kcjl.sandbox.johnlewis.described.shown import Refusal

__all__ = ["Route", "openapi"]

Route: TypeAlias = tuple[str, str, str, Operation]
"""Code, method, path, and what serves it."""
Schema: TypeAlias = dict[str, object]

TITLE = "Mirakl seller API, as the kcjl sandbox serves it"
AREAS = {
    "OF": "Offers", "STO": "Offers", "PRI": "Offers", "OR": "Orders", "ST": "Shipments",
    "RT": "Returns", "TL": "Account", "SBC": "Account", "IV": "Account", "DR": "Documents",
    "M": "Messages",
}  # fmt: skip
TEMPLATE = "#/components/schemas/{name}"
JSON = "application/json"
NUMBERED = frozenset({"offer"})
"""Path parameters that are whole numbers."""
_WRITTEN_AMOUNT: Schema = {
    "anyOf": [
        {"type": "number"},
        {"type": "string", "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$"},
    ]
}


def openapi(
    routes: Sequence[Route],
    *,
    accounting: frozenset[str],
    uploads: frozenset[str],
    files: frozenset[str],
    server: str = "/",
) -> Schema:
    """The document. `accounting`: codes that need the role; `files`: codes without a key."""
    components = _Components(DESCRIBED[code] for code, *_ in routes if code in DESCRIBED)
    paths: dict[str, Schema] = {}
    for code, method, path, operation in routes:
        described = DESCRIBED.get(code) or _undescribed(operation)
        entry: Schema = {
            "operationId": code,
            "summary": f"{code} {described.title}",
            "tags": [_area(code)],
            "parameters": _parameters(path, described),
            "responses": _Answers(components, described, code, method, path).all(
                upload=code in uploads, accounting=code in accounting
            ),
        }
        if code in accounting:
            entry["x-role"] = "accounting"
        if code in files:
            entry["security"] = [{"shopKey": []}, {}]
        body = _body(components, described, code, method, upload=code in uploads)
        if body is not None:
            entry["requestBody"] = body
        paths.setdefault(path, {})[method.lower()] = entry
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": "1", "description": __doc__.partition("\n")[0]},
        "servers": [{"url": server}],
        "security": [{"shopKey": []}],
        "paths": paths,
        "components": {
            "schemas": components.schemas,
            "securitySchemes": {
                "shopKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "The raw shop key, without `Bearer`.",
                }
            },
        },
    }


def _undescribed(operation: Operation) -> Described:
    """An operation that nobody has described yet: a title, a free body, a free answer."""
    said = (operation.__doc__ or operation.__name__).strip().partition("\n")[0]
    return Described(title=said.rstrip("."), answer=object)


def _area(code: str) -> str:
    letters = re.match(r"[A-Z]+", code)
    return AREAS.get(letters.group() if letters else "", "Shop")


def _parameters(path: str, described: Described) -> list[Schema]:
    named: list[Schema] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "integer" if name in NUMBERED else "string"},
        }
        for name in re.findall(r"\{(\w+)\}", path)
    ]
    shop = whole("shop_id", least=0, description="of a user who has several shops")
    return named + [_parameter(each) for each in (*described.query, shop)]


def _parameter(each: Parameter) -> Schema:
    entry: Schema = {"name": each.name, "in": "query", "schema": each.schema}
    if each.description:
        entry["description"] = each.description
    if each.schema.get("type") == "array":
        entry |= {"style": "form", "explode": each.explode}
    return entry


def _body(
    components: "_Components", described: Described, code: str, method: str, *, upload: bool
) -> Schema | None:
    if upload:
        parts: Schema = {"file": {"type": "string", "contentMediaType": "text/csv"}}
        for name, values in described.form:
            parts[name] = {"type": "string", **({"enum": list(values)} if values else {})}
        schema: Schema = {"type": "object", "properties": parts, "required": ["file"]}
        return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    if described.parts:
        files: Schema = {name: {"type": "string"} for name in described.parts}
        whole_body: Schema = {
            "type": "object",
            "properties": files,
            "required": list(described.parts),
        }
        return {"required": True, "content": {"multipart/form-data": {"schema": whole_body}}}
    if described.body is not None:
        reference = components.body(described.body)
        return {"required": True, "content": {JSON: {"schema": reference}}}
    if code not in DESCRIBED and method in {"POST", "PUT"}:
        return {"required": False, "content": {JSON: {"schema": {"type": "object"}}}}
    return None


# ── answers ─────────────────────────────────────────────────────────────────────────────────


class _Answers:
    """The answers of one operation, by status."""

    def __init__(
        self,
        components: "_Components",
        described: Described,
        code: str,
        method: str,
        path: str,
    ) -> None:
        self._components = components
        self._described = described
        self._is_known = code in DESCRIBED
        self._has_body = method in {"POST", "PUT"}
        self._names_something = "{" in path

    def all(self, *, upload: bool, accounting: bool) -> Schema:
        refusals = [(400, "Refused; nothing was done"), (401, "The key is missing or wrong")]
        if accounting:
            refusals.append((403, "The key's user lacks the accounting role"))
        if (
            self._names_something
            or not self._is_known
            or self._described.may_be_absent
            or self._has_body
        ):
            refusals.append((404, "There is no such thing, or the feature is not on"))
        if self._has_body or upload:
            refusals.append((413, "The body is too long"))
            refusals.append((415, "The body is of another type"))
        answers: Schema = dict(self._well())
        for status, description in refusals:
            answers[str(status)] = self._refusal(description)
        wait: Schema = {"schema": {"type": "integer"}, "description": "seconds"}
        answers["429"] = {
            **self._refusal("Too many calls"), "headers": {"Retry-After": wait}
        }  # fmt: skip
        return answers

    def _well(self) -> Schema:
        described = self._described
        if not self._is_known:
            free: Schema = {"description": "Done", "content": {JSON: {"schema": {}}}}
            return {"200": free, "201": free, "204": {"description": "Done"}}
        if described.status == HTTPStatus.NO_CONTENT:
            return {"204": {"description": "Done"}}
        content: Schema = {}
        if described.answer is not None:
            content[JSON] = {"schema": self._components.answer(described.answer)}
        for media in described.files:
            content[media] = {"schema": {"type": "string"}}
        entry: Schema = {"description": "Done", "content": content}
        headers: Schema = {}
        if described.pages:
            headers["Link"] = {
                "schema": {"type": "string"},
                "description": 'rel="next" and rel="previous"',
            }
        if described.status == HTTPStatus.CREATED and not described.may_be_absent:
            headers["Location"] = {"required": True, "schema": {"type": "string"}}
        if headers:
            entry["headers"] = headers
        return {str(described.status): entry}

    def _refusal(self, description: str) -> Schema:
        schema = self._components.answer(Refusal)
        return {"description": description, "content": {JSON: {"schema": schema}}}


# ── components ──────────────────────────────────────────────────────────────────────────────


class _Components:
    """The schemas of all records, those of bodies and those of answers apart."""

    def __init__(self, described: Iterable[Described]) -> None:
        known = list(described)
        answers = list(dict.fromkeys(each.answer for each in known if each.answer is not None))
        bodies = list(dict.fromkeys(each.body for each in known if each.body is not None))
        self._answers, shown = _schemas([Refusal, *answers])
        self._bodies, taken = _schemas(bodies)
        clash = shown.keys() & taken.keys()
        if clash:
            raise ValueError(f"a body and an answer have the same name: {sorted(clash)}")
        self.schemas: Schema = {
            **{name: _amounts(schema, {"type": "number"}) for name, schema in shown.items()},
            **{name: _amounts(schema, _WRITTEN_AMOUNT) for name, schema in taken.items()},
        }

    def answer(self, kind: object) -> object:
        return self._answers[kind]

    def body(self, kind: object) -> object:
        return self._bodies[kind]


def _schemas(kinds: Sequence[object]) -> tuple[dict[object, object], dict[str, object]]:
    found, components = msgspec.json.schema_components(
        kinds, ref_template=TEMPLATE, schema_hook=_anything
    )
    return dict(zip(kinds, found, strict=True)), components


def _anything(kind: type) -> Schema:
    """A field of which nothing more is said."""
    if kind is object:
        return {"description": "anything"}
    raise NotImplementedError(kind)


def _amounts(schema: object, amount: Schema) -> object:
    """The schema with its decimals written as the API writes amounts; texts are tidied."""
    if isinstance(schema, dict):
        if schema.get("format") == "decimal":
            return amount
        return {name: _amounts(value, amount) for name, value in schema.items()}
    if isinstance(schema, list):
        return [_amounts(value, amount) for value in schema]
    return schema
