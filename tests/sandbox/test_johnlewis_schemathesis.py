"""Calls that nobody thought of, made from the description alone, over real HTTP on loopback.

Promises: the same calls each time (seeded, bounded); whatever is sent, in the schema or out of
it, the answer is none of 5xx and is as described: status, media type, headers, body.
"""

import re
from collections.abc import Iterator
from typing import Any

import anyio.from_thread
import msgspec
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from kcjl.money import Money
from tests.sandbox.described_answers import document
from tests.sandbox.johnlewis_client import KEY, Client, serving
from tests.sandbox.marketplace_shop import SHIRT, parcel_of, quick

EXAMPLES = 12
"""Calls of each operation and mode: some forty operations in about half a minute."""
CODES = sorted(
    str(operation["operationId"])
    for path in msgspec.convert(
        document()["paths"], dict[str, dict[str, dict[str, object]]]
    ).values()
    for operation in path.values()
)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
"""Not `negative_data_rejection`: the platform ignores what it does not know (contract b.0)."""


@pytest.fixture(scope="module")
def busy_shop() -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Where a shop with something of everything is served, and the ids that are in it."""
    with (
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serving(quick(export_chunk_items_least=1))) as client,
    ):
        yield client.base, portal.call(_fill, client)


async def _fill(client: Client) -> dict[str, list[str]]:
    """Orders in several states, parcels, payouts, imports with errors, exports with files."""
    shop, marketplace = client.shop, client.shop.marketplace
    orders = [shop.received_order(1, 1), shop.order_to_ship(1, 1), shop.order(1, 1)]
    marketplace.run_cycle()
    marketplace.operator_credits(Money(1000), "Goodwill")
    shipments = marketplace.create_shipments([parcel_of(orders[1], {0: 1})])
    offers = marketplace.import_offers([{"shop_sku": "NO"}, {"shop_sku": SHIRT}])
    prices = marketplace.import_prices("offer-sku;price\nNO;1\n")
    stock = marketplace.import_stock("offer-sku;quantity\nNO;1\n")
    kinds = ("offers", "orders", "transactions")
    exported = [marketplace.start_export({"kind": kind}) for kind in kinds]
    shop.wait(seconds=40)
    return {
        "order_id": [order.order_id for order in orders],
        "line": [line.line_id for line in orders[1].lines],
        "order_line_id": [line.line_id for order in orders for line in order.lines],
        "offer": [str(offer.offer_id) for offer in marketplace.offers.values()],
        "import_id": [str(offers), prices, stock],
        "tracking_id": exported,
        "number": ["1", "2"],
        "invoice_id": [str(number) for number in marketplace.invoices],
        "id": [str(outcome.key) for outcome in shipments],
    }


@pytest.mark.timeout(60)
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
def test_call_out_of_the_description_is_answered_as_described(
    code: str,
    mode: schemathesis.GenerationMode,
    busy_shop: tuple[str, dict[str, list[str]]],
) -> None:
    """Whatever a client sends, it can read the answer, and the sandbox stands."""
    base, known = busy_shop
    schema = schemathesis.openapi.from_dict(_with_known_ids(known))
    operation = schema.find_operation_by_id(code)
    session = requests.Session()

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def call(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(
            base_url=base, headers={"Authorization": KEY}, session=session, checks=CHECKS
        )

    with session:
        call()


def _with_known_ids(known: dict[str, list[str]]) -> dict[str, Any]:
    """The description with what there is as the values of its ids, and one more."""
    described: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document()))
    for path in described["paths"].values():
        for operation in path.values():
            for parameter in operation["parameters"]:
                if parameter["in"] == "path":
                    parameter["schema"] = {"enum": [*known.get(parameter["name"], ()), "77"]}
    records = described["components"]["schemas"]
    for name in _of_bodies(described):
        for field, values in known.items():
            if records[name].get("properties", {}).get(field, {}).get("type") == "string":
                records[name]["properties"][field] = {"enum": [*values, "no such"]}
    return described


def _of_bodies(described: dict[str, Any]) -> set[str]:
    """Names of the records that a body is made of."""
    waiting: list[object] = [
        operation.get("requestBody")
        for path in described["paths"].values()
        for operation in path.values()
    ]
    found: set[str] = set()
    while waiting:
        named = re.findall(r"#/components/schemas/([\w.]+)", str(waiting.pop()))
        new = set(named) - found
        found |= new
        waiting += [described["components"]["schemas"][name] for name in new]
    return found
