"""The OpenAPI description of the seller API is what is served, and nothing else.

That each answer conforms is checked where it comes: the plain client of these tests holds every
answer that any test provokes against the description.
"""

import msgspec
import pytest

from kcjl.sandbox.gate import DirectGate
from kcjl.sandbox.johnlewis.asking import Asked
from kcjl.sandbox.johnlewis.described.document import Route, openapi
from kcjl.sandbox.johnlewis.described.operations import DESCRIBED
from kcjl.sandbox.johnlewis.http import (
    ACCOUNTING,
    DOCUMENT_PATHS,
    FILES,
    ROUTES,
    UPLOADS,
    johnlewis_app,
)
from kcjl.sandbox.johnlewis.offers import one_offer
from tests.sandbox.described_answers import assert_described, document
from tests.sandbox.johnlewis_client import serving
from tests.sandbox.marketplace_shop import Shop

pytestmark = pytest.mark.anyio

Node = dict[str, object]


def operations() -> dict[str, Node]:
    """Code to its described operation."""
    paths = msgspec.convert(document()["paths"], dict[str, dict[str, Node]])
    return {
        str(operation["operationId"]): operation
        for path in paths.values()
        for operation in path.values()
    }


def test_every_served_operation_is_described_and_every_described_one_is_served() -> None:
    """The application's own routes, method and path, against the document's."""
    shop = Shop()
    served = {
        (route.method, route.resource.canonical)
        for route in johnlewis_app(shop.marketplace, _gate(shop)).router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    paths = msgspec.convert(document()["paths"], dict[str, dict[str, Node]])
    described = {
        (method.upper(), path) for path, methods in paths.items() for method in methods
    }

    assert served - {("GET", path) for path in DOCUMENT_PATHS} == described


def _gate(shop: Shop) -> DirectGate:
    return DirectGate(shop.agenda, {"johnlewis": shop.marketplace})


def test_every_operation_has_a_description_of_its_own() -> None:
    """A route without one is described by its path alone: write what it takes and answers into
    kcjl/sandbox/johnlewis/described/operations.py.
    """
    codes = {code for code, *_ in ROUTES}

    assert codes - DESCRIBED.keys() == set()
    assert DESCRIBED.keys() - codes == set()


def test_described_body_is_the_record_that_the_operation_reads() -> None:
    """A body is decoded into one record, and that one is in the document."""
    wrong = []
    for code, _, _, operation in ROUTES:
        names = _names(operation)
        body = DESCRIBED[code].body
        reads = "decoded" in names
        if reads != (body is not None) or (body is not None and body.__name__ not in names):
            wrong.append(f"{code}: reads a body: {reads}, described: {body}")

    assert not wrong, "\n".join(wrong)


def _names(operation: object) -> set[str]:
    """What a function names, and what the functions of its module name that it calls."""
    around = getattr(operation, "__globals__", {})
    names = set(getattr(operation, "__code__").co_names)  # noqa: B009 - the function behind
    called = [around[name] for name in names if name.startswith("_") and name in around]
    return names.union(
        *(each.__code__.co_names for each in called if hasattr(each, "__code__"))
    )


async def test_parameters_that_an_operation_reads_are_described(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each name that is looked up in the query is a described one, and the other way round."""
    read: set[str] = set()
    whole_text, whole_listed = Asked.text, Asked.listed

    def text(asked: Asked, name: str) -> str | None:
        read.add(name)
        return whole_text(asked, name)

    def listed(asked: Asked, name: str) -> tuple[str, ...]:
        read.add(name)
        return whole_listed(asked, name)

    monkeypatch.setattr(Asked, "text", text)
    monkeypatch.setattr(Asked, "listed", listed)
    wrong = []
    async with serving() as client:
        for code, method, path, _ in ROUTES:
            if method != "GET" or "{" in path:
                continue
            read.clear()
            status = (await client.get(path)).status
            described = {each.name for each in DESCRIBED[code].query} | {"shop_id"}
            if status in {400, 404}:  # something mandatory is missing, the rest was not read
                described &= read
            # what every call may have, whatever it lists: is this a further page?
            ignored = {"page_token", "offset", "shop_id"}
            if read - ignored != described - ignored:
                wrong.append(f"{code}: {sorted((read ^ described) - ignored)}")

    assert not wrong, "\n".join(wrong)


async def test_description_is_served_without_a_key_for_the_host_that_was_asked() -> None:
    """At two addresses, the same: as a client's generator would fetch it."""
    async with serving() as client:
        answers = [await client.ask("GET", path, key="") for path in DOCUMENT_PATHS]

        assert [200, 200] == [answer.status for answer in answers]
        assert answers[0].body == answers[1].body
        assert [{"url": client.base}] == answers[0].json()["servers"]
        assert document()["paths"] == answers[0].json()["paths"]
        assert "3.1.0" == answers[0].json()["openapi"]


def test_roles_keys_and_refusals_are_described() -> None:
    """Who may call: the accounting role is named, files need no key, 429 says how long."""
    of = operations()
    roles = {code for code, operation in of.items() if operation.get("x-role") == "accounting"}
    open_ones = {code for code, operation in of.items() if "security" in operation}
    refused = {
        code: set(msgspec.convert(operation["responses"], dict[str, object]))
        for code, operation in of.items()
    }

    assert roles == ACCOUNTING
    assert open_ones == FILES
    assert all({"400", "401", "429"} <= statuses for statuses in refused.values())
    assert {code for code, statuses in refused.items() if "403" in statuses} == ACCOUNTING


def test_route_that_nobody_described_is_in_the_document_all_the_same() -> None:
    """A new operation shows at once, by its path and a free body, until it is written down."""
    routes: list[Route] = [*ROUTES, ("NEW1", "PUT", "/api/new/{offer}", one_offer)]
    described = openapi(routes, accounting=ACCOUNTING, uploads=UPLOADS, files=FILES)
    paths = msgspec.convert(described["paths"], dict[str, dict[str, Node]])
    new = paths["/api/new/{offer}"]["put"]

    assert "NEW1 OF22" == new["summary"]
    assert {"200", "201", "204", "400", "404"} <= set(
        msgspec.convert(new["responses"], dict[str, object])
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": 7}, "is not of type"),
        ({"colour": "blue"}, "Additional properties"),
        ({"label": None}, "is not of type"),
    ],
)
async def test_answer_that_is_not_as_described_is_noticed(change: Node, message: str) -> None:
    """The check itself works: a wrong type, a field too many, a null, a field too few."""
    async with serving() as client:
        answer = await client.get("/api/reasons")
        rows = [{**row, **change} for row in answer.rows("reasons")]

        with pytest.raises(AssertionError, match=message):
            assert_described(
                "GET",
                "/api/reasons",
                200,
                answer.headers,
                msgspec.json.encode({"reasons": rows}),
            )
        with pytest.raises(AssertionError, match="required"):
            assert_described("GET", "/api/reasons", 200, answer.headers, b"{}")
        with pytest.raises(AssertionError, match="answered 500"):
            assert_described("GET", "/api/reasons", 500, answer.headers, b"{}")
