"""The tenant's small lists and the shop's statistics over real HTTP (johnlewis b.1)."""

import msgspec
import pytest

from kcjl.sandbox.marketplace import ApiKey
from tests.sandbox.johnlewis_client import KEY, Client, serving
from tests.sandbox.marketplace_shop import quick

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("path", "name", "fields"),
    [
        ("/api/orders/taxes", "taxes", {"code", "label", "tax_calculation_rule"}),
        (
            "/api/additional_fields",
            "additional_fields",
            {"code", "label", "type", "entity", "required", "editable", "description"},
        ),
        ("/api/documents", "documents", {"code", "label", "entity", "description"}),
        ("/api/offers/states", "offer_states", {"code", "label"}),
        ("/api/channels", "channels", {"code", "label"}),
        ("/api/currencies", "currencies", {"iso_code", "label"}),
        ("/api/locales", "locales", {"code", "label", "platform_default"}),
        ("/api/shipping/zones", "shipping_zones", {"code", "label"}),
        ("/api/shipping/logistic_classes", "logistic_classes", {"code", "label"}),
    ],
)
async def test_list_has_its_shape(path: str, name: str, fields: set[str]) -> None:
    """Each list under its name, with the contract's fields."""
    async with serving() as client:
        rows = (await client.get(path)).rows(name)

        assert rows
        assert [fields] * len(rows) == [set(row) for row in rows]


async def test_reasons_are_of_all_types_and_say_what_a_shop_may_use() -> None:
    """RE01 has the types of the contract; system reasons are nobody's of the shop's."""
    async with serving() as client:
        rows = (await client.get("/api/reasons")).rows("reasons")
        rights = {row["code"]: row["is_shop_right"] for row in rows}

        assert {
            "INCIDENT_OPEN", "INCIDENT_CLOSE", "REFUND", "CANCELATION", "ORDER_MESSAGING",
            "RETURN", "RETURN_REJECTION", "RETURN_NON_COMPLIANT",
        } == {row["type"] for row in rows}  # fmt: skip
        assert (True, True, False, False) == (
            rights["15"],
            rights["34"],
            rights["14"],
            rights["SYSTEM_LATE_SHIPMENT_CANCELATION"],
        )


async def test_taxes_left_empty_are_on_no_list() -> None:
    """OR75 names what orders can have."""
    async with serving(quick(taxes_filled=False)) as client:
        assert [] == (await client.get("/api/orders/taxes")).rows("taxes")


async def statistics(client: Client, period: str) -> dict[str, object]:
    body = (await client.get(f"/api/account/statistics?periods={period}")).json()
    return {
        name: rows[0]["value"]
        for name, rows in body.items()
        if isinstance(rows, list) and rows[0]["period"] == period
    }


async def test_statistics_are_counted_from_what_happened() -> None:
    """A21: two orders sent (one late), one refused, one refused by the clock, lines by fate."""
    async with serving(quick(acceptance_timeout_hours=100)) as client:
        shop = client.shop
        first = shop.order()
        shop.wait(seconds=120)
        shop.decide(first, True, False)
        shop.wait(seconds=60)
        shop.wait(seconds=540)
        shop.marketplace.ship(first.order_id)
        shop.wait(hours=24)
        shop.marketplace.open_incident(first.lines[0].line_id)
        shop.marketplace.open_return(first.lines[0].line_id)
        shop.stock({line.sku: 10 for line in first.lines})
        late = shop.order_to_ship()
        shop.wait(hours=100)
        shop.marketplace.ship(late.order_id)
        shop.stock({line.sku: 10 for line in first.lines})
        shop.decide(shop.order(), False, False)
        shop.stock({line.sku: 10 for line in first.lines})
        shop.order()
        shop.wait(hours=101)
        told = await statistics(client, "ALL_SINCE_BEGINNING")

        assert {
            "approval_delay": 40,
            "approval_rate": 0.375,
            "auto_refused_rate": 0.25,
            "average_cart": 55.75,
            "average_cart_with_shipping": 59.7,
            "cancelation_rate": 0,
            "consecutive_refused_orders_count": 2,
            "evaluations_count": 0,
            "grade": None,
            "incident_rate": 0.3333,
            "late_shipment_rate": 0.5,
            "offers_count": 2,
            "order_messages_response_delay": None,
            "orders_count": 4,
            "refund_rate": 0,
            "return_rate": 0.3333,
            "shipping_delay": (540 + 100 * 3600) // 2,
            "total_revenue": 119.4,
            "valid_tracking_rate": None,
        } == told


async def test_statistics_look_at_the_periods_that_are_asked() -> None:
    """An order of long ago is in no short period; unknown periods are 400; rates need cases."""
    async with serving() as client:
        client.shop.received_order()
        client.shop.wait(hours=24 * 60)
        path = "/api/account/statistics"
        body = (await client.get(f"{path}?periods=LAST_MONTH,LAST_THREE_MONTHS")).json()
        whole = (await client.get(path)).json()
        wrong = await client.get(f"{path}?periods=TODAY")

        assert [
            {"period": "LAST_MONTH", "value": 0},
            {"period": "LAST_THREE_MONTHS", "value": 1},
        ] == body["orders_count"]
        rates = msgspec.convert(body["approval_rate"], list[dict[str, object]])
        assert [None, 1] == [row["value"] for row in rates]
        assert 5 == len(msgspec.convert(whole["orders_count"], list[dict[str, object]]))
        assert 4021 == whole["shop_id"]
        assert 400 == wrong.status


async def test_external_partner_can_be_switched_on_while_the_world_goes_on() -> None:
    """OR11 every quarter of an hour at most, from then on; keys are looked up each time."""
    settings = quick(call_limits=True, call_window_slack=0)
    async with serving(settings) as client:
        before = [(await client.get("/api/orders")).status]
        client.shop.wait(seconds=60)
        before.append((await client.get("/api/orders")).status)
        client.shop.marketplace.switch({"external_partner": True})
        client.shop.wait(seconds=60)
        after = await client.get("/api/orders")
        client.shop.marketplace.switch({"api_keys": [ApiKey(key="other")]})
        stranger = await client.ask("GET", "/api/version", key=KEY)

        assert [200, 200] == before
        assert (429, "840") == (after.status, after.headers["Retry-After"])
        assert 401 == stranger.status
