"""A person's hand in a running sandbox: the worked example, switches, returns, incidents."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from kcjl.sandbox.world_settings import WorldSettings
from tests.sandbox.test_server import SMALL, Client, sandbox

pytestmark = pytest.mark.anyio

DAY_S = 86_400
CUSTOMER = {
    "customer_id": "C-881",
    "first_name": "Ada",
    "last_name": "Example",
    "delivery": {"last_name": "Example", "street_1": "1 Test Street", "city": "Leeds"},
}


def pence(amount: int) -> dict[str, int]:
    return {"amount_minor": amount}


async def hook(client: Client, operation: str, **arguments: object) -> Any:
    answer = await client.json("POST", f"/sandbox/marketplace/{operation}", arguments)
    return answer["outcome"]


async def leap(client: Client, seconds: float) -> None:
    await client.json("POST", "/sandbox/clock", {"leap_s": seconds})


async def refused(client: Client, method: str, path: str, body: object) -> int:
    status, _, _ = await client.call(method, path, body)
    return status


async def quiet(client: Client, **more: object) -> None:
    """The tenant of the worked example: certain delays, cycles only by hand."""
    certain = {
        "received_after_hours_min": 24,
        "received_after_hours_max": 24,
        "debit_delay_s_min": 60,
        "debit_delay_s_max": 60,
        "cycle_every_days": None,
        "cycle_days_of_month": [28],
        "call_limits": False,
        "subscription_fee": pence(1000),
    }
    await client.json("POST", "/sandbox/settings", {**certain, **more})


async def placed_example(client: Client) -> dict[str, Any]:
    """Two shirts and socks, as in the contract's b.3, from placing to its debit."""
    for sku, price in (("KC-SHIRT-M-BLU", 2400), ("KC-SOCK-9", 1550)):
        await hook(client, "list_offer", sku=sku, price=pence(price), title=sku)
    basket = [
        {"sku": "KC-SHIRT-M-BLU", "quantity": 2, "unit_price": pence(2400),
         "shipping_price": pence(395)},
        {"sku": "KC-SOCK-9", "quantity": 1, "unit_price": pence(1550),
         "shipping_price": pence(0)},
    ]  # fmt: skip
    order: dict[str, Any] = await hook(
        client, "place_order", basket=basket, customer=CUSTOMER, beyond_the_window=True
    )
    assert 204 == await client.accept(order)
    await leap(client, 60)
    return order


async def delivered_example(client: Client) -> dict[str, Any]:
    order = await placed_example(client)
    lines = [
        {"order_line_id": line["order_line_id"], "quantity": line["quantity"]}
        for line in order["lines"]
    ]
    parcel = {
        "order_id": order["order_id"],
        "shipment_lines": lines,
        "tracking": {"carrier_code": "RM", "tracking_number": "AB123456789GB"},
        "shipped": True,
    }
    status, content, _ = await client.call("POST", "/api/shipments", {"shipments": [parcel]})
    assert 201 == status, content
    assert not msgspec.json.decode(content)["shipment_errors"]
    await leap(client, DAY_S)
    assert "RECEIVED" == await client.state(order)
    return order


async def test_worked_example_is_settled_to_the_penny_line_by_line() -> None:
    """Contract e.4: driven over HTTP, 15 lines, 21.02 to the shop, 22.43 to the operator."""
    async with sandbox() as client:
        await quiet(client)
        order = await delivered_example(client)
        shirts, socks = (line["order_line_id"] for line in order["lines"])
        refund = {
            "order_line_id": shirts, "amount": 24.00, "shipping_amount": 0, "quantity": 1,
            "reason_code": "17", "taxes": [{"code": "VAT20", "amount": 4.00}],
            "shipping_taxes": [{"code": "VAT20", "amount": 0}],
        }  # fmt: skip
        made = await client.json(
            "PUT", "/api/orders/refund",
            {"order_tax_mode": "TAX_INCLUDED", "refunds": [refund]},
        )  # fmt: skip
        await leap(client, 2 * 3600)
        cycle = await hook(client, "run_cycle")
        path = "/api/sellerpayment/transactions_logs?limit=2000&sort=dateCreated,ASC"
        status, content, _ = await client.call(
            "GET", f"{path}&seller_billing_cycle_id={cycle['cycle_id']}"
        )
        rows = msgspec.json.decode(content)["data"]
        refund_id = made["refunds"][0]["refund_id"]
        told = [
            (
                row["type"],
                row["entities"].get("order_line", {}).get("id"),
                row["entities"].get("refund", {}).get("id"),
                f"{Decimal(str(row['amount'])):.2f}",
            )
            for row in rows
        ]
        (paid,) = (await client.json("GET", "/api/seller-billing-cycles"))["data"]
        (invoice,) = (await client.json("GET", "/api/invoices"))["invoices"]

        assert 200 == status
        assert [
            ("ORDER_AMOUNT", shirts, None, "48.00"),
            ("ORDER_SHIPPING_AMOUNT", shirts, None, "3.95"),
            ("COMMISSION_FEE", shirts, None, "-10.39"),
            ("COMMISSION_VAT", shirts, None, "-2.08"),
            ("ORDER_AMOUNT", socks, None, "15.50"),
            ("ORDER_SHIPPING_AMOUNT", socks, None, "0.00"),
            ("COMMISSION_FEE", socks, None, "-3.10"),
            ("COMMISSION_VAT", socks, None, "-0.62"),
            ("REFUND_ORDER_AMOUNT", shirts, refund_id, "-24.00"),
            ("REFUND_ORDER_SHIPPING_AMOUNT", shirts, refund_id, "0.00"),
            ("REFUND_COMMISSION_FEE", shirts, refund_id, "4.80"),
            ("REFUND_COMMISSION_VAT", shirts, refund_id, "0.96"),
            ("SUBSCRIPTION_FEE", None, None, "-10.00"),
            ("SUBSCRIPTION_VAT", None, None, "-2.00"),
            ("PAYMENT", None, None, "-21.02"),
        ] == told
        assert (21.02, 22.43) == (
            paid["amount_transferred_to_seller"],
            paid["amount_transferred_to_operator"],
        )
        assert (21.02, 22.43, 22.43) == (
            invoice["summary"]["amount_transferred"],
            invoice["summary"]["amount_transferred_to_operator"],
            invoice["total_amount_incl_taxes"],
        )
        assert 67.45 == paid["summary"]["total_payable_orders_incl_tax"]


async def test_switch_is_shown_and_a_wrong_one_is_refused() -> None:
    """GET and POST /sandbox/settings; PC01 follows; unknown names change nothing."""
    async with sandbox() as client:
        switched = await client.json(
            "POST", "/sandbox/settings", {"auto_accept": True, "multi_shipment": False}
        )
        shown = await client.json("GET", "/sandbox/settings")
        platform = await client.json("GET", "/api/platform/configuration")
        wrong = await refused(client, "POST", "/sandbox/settings", {"auto_acept": True})
        kind = await refused(client, "POST", "/sandbox/settings", {"auto_accept": "x"})

        assert switched == shown
        assert (True, False) == (shown["auto_accept"], shown["multi_shipment"])
        assert "AUTOMATIC" == platform["features"]["order_workflows"]["order_acceptance"]
        assert (400, 400) == (wrong, kind)


async def test_switch_is_kept_over_a_kill(tmp_path: Any) -> None:
    """A sandbox that comes back from its journal has the tenant as it was left."""
    async with sandbox(state_dir=tmp_path) as client:
        await quiet(client, returns_module=False)
        order = await placed_example(client)
    async with sandbox(state_dir=tmp_path) as client:
        shown = await client.json("GET", "/sandbox/settings")

        assert (False, 60) == (shown["returns_module"], shown["debit_delay_s_max"])
        assert "SHIPPING" == await client.state(order)


async def test_customer_cancels_and_the_operator_refunds_by_hand() -> None:
    """Before shipping a customer can cancel; after it the operator can give money back."""
    async with sandbox() as client:
        await quiet(client)
        order = await delivered_example(client)
        line_id = order["lines"][0]["order_line_id"]
        late = await refused(
            client, "POST", "/sandbox/marketplace/customer_cancels",
            {"order_id": order["order_id"]},
        )  # fmt: skip
        await hook(client, "operator_refunds", order_line_id=line_id, amount=pence(500))
        too_much = await refused(
            client, "POST", "/sandbox/marketplace/operator_refunds",
            {"order_line_id": line_id, "amount": pence(100_000)},
        )  # fmt: skip
        other = await client.place_order()
        await hook(client, "customer_cancels", order_id=other["order_id"])
        shown = await client.json("GET", f"/api/orders?order_ids={order['order_id']}")
        (refund,) = shown["orders"][0]["order_lines"][0]["refunds"]

        assert (5.0, "WAITING_REFUND") == (refund["amount"], refund["refund_state"])
        assert (409, 409) == (late, too_much)
        assert "CANCELED" == await client.state(other)


async def test_customer_complains_and_the_shop_settles_it() -> None:
    """open_incident under /sandbox, OR64 on the face."""
    async with sandbox() as client:
        await quiet(client)
        order = await delivered_example(client)
        line_id = order["lines"][0]["order_line_id"]
        await hook(client, "open_incident", order_line_id=line_id)
        found = await client.json("GET", "/api/orders?has_incident=true")
        path = f"/api/orders/{order['order_id']}/lines/{line_id}/resolve_incident"
        status = await refused(client, "PUT", path, {"reason_code": "22"})
        after = await client.json("GET", "/api/orders?has_incident=true")

        assert [order["order_id"]] == [row["order_id"] for row in found["orders"]]
        assert (204, 0) == (status, after["total_count"])


@pytest.mark.parametrize(("refunded_by", "refunds"), [("OPERATOR", 1), ("SHOP", 0)])
async def test_customer_returns_and_the_goods_come_back_after_acceptance(
    refunded_by: str, refunds: int
) -> None:
    """Nothing comes before RT21; then the units are on the shelf, and who refunds refunds."""
    async with sandbox() as client:
        await quiet(
            client, returns_accepted_automatically=False, returns_refunded_by=refunded_by
        )
        order = await delivered_example(client)
        product = next(
            sku for sku, level in (await client.json("GET", "/sandbox/stock")).items() if level
        )
        line_id = order["lines"][0]["order_line_id"]
        made = await hook(client, "open_return", order_line_id=line_id, quantity=1)
        await leap(client, 12 * 3600)
        waiting = await client.json("GET", "/sandbox/returns")
        body = {"returns": [{"id": made["return_id"], "accepted": True}]}
        await client.json("PUT", "/api/returns/accept", body)
        await leap(client, 12 * 3600)
        received = await client.json(
            "PUT", "/api/returns/receive", {"returns": [{"id": made["return_id"]}]}
        )
        truth = await client.json("GET", "/sandbox/truth")
        (shown,) = (await client.json("GET", f"/api/orders?order_ids={order['order_id']}"))[
            "orders"
        ]

        assert product
        assert "WAITING_ACCEPTANCE" == waiting[0]["state"]
        assert [{"id": made["return_id"]}] == received["return_success"]
        assert refunds == len(shown["order_lines"][0]["refunds"])
        assert refunds == truth["counted"]["returns_refunded"]


@pytest.mark.parametrize("module", [True, False])
async def test_customers_of_the_world_return_goods_with_and_without_the_module(
    *,
    module: bool,
) -> None:
    """The agenda sends some of what was delivered back; the operator refunds it, once."""
    world = msgspec.structs.replace(
        WorldSettings.of("quick", seed=5, trade=SMALL), return_share=1.0
    )
    async with sandbox(world=world) as client:
        await quiet(client, returns_module=module)
        order = await delivered_example(client)
        await leap(client, 12 * 3600)
        truth = await client.json("GET", "/sandbox/truth")
        returns = await client.json("GET", "/sandbox/returns")
        (shown,) = (await client.json("GET", f"/api/orders?order_ids={order['order_id']}"))[
            "orders"
        ]
        refunds = [refund for line in shown["order_lines"] for refund in line["refunds"]]

        assert (int(module), 1) == (
            truth["counted"]["returns_opened"],
            truth["counted"]["returns_refunded"],
        )
        assert ["IN_PROGRESS"] * module == [each["state"] for each in returns]
        assert ["REFUNDED"] == [refund["refund_state"] for refund in refunds]
