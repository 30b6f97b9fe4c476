"""The accounting operations of the seller API over real HTTP (johnlewis b.6, e)."""

from decimal import Decimal

import msgspec
import pytest

from kcjl.money import Money
from tests.sandbox.johnlewis_client import all_lines, serving
from tests.sandbox.marketplace_shop import quick, refund_of

pytestmark = pytest.mark.anyio


async def test_payout_of_the_worked_example_is_told_by_all_three_calls() -> None:
    """TL02, SBC11 and IV01 agree: 21.02 to the shop, 22.43 to the operator."""
    async with serving(quick(subscription_fee=Money(1000))) as client:
        order = client.shop.received_order()
        client.shop.marketplace.refund([refund_of(order)])
        client.shop.wait(seconds=30)
        client.shop.marketplace.run_cycle()
        (cycle,) = (await client.get("/api/seller-billing-cycles")).rows("data")
        lines = await all_lines(
            client, f"limit=4&sort=lastUpdated,ASC&seller_billing_cycle_id={cycle['id']}"
        )
        (invoice,) = (await client.get("/api/invoices")).rows("invoices")
        summary = msgspec.convert(invoice["summary"], dict[str, object])
        total = sum(Decimal(str(line["amount"])) for line in lines if line["type"] != "PAYMENT")
        refund_line = next(line for line in lines if line["type"] == "REFUND_ORDER_AMOUNT")
        entities = msgspec.convert(refund_line["entities"], dict[str, object])

        assert len(lines) == 15
        assert len({line["id"] for line in lines}) == 15
        assert total == Decimal("21.02")
        assert (
            cycle["amount_transferred_to_seller"],
            cycle["amount_transferred_to_operator"],
        ) == (21.02, 22.43)
        assert (
            summary["amount_transferred"],
            invoice["total_amount_incl_taxes"],
        ) == (21.02, 22.43)
        assert (
            invoice["total_amount_excl_taxes"],
            invoice["total_taxes"],
        ) == (18.69, [{"code": "TAXDEFAULT", "amount": 3.74}])
        assert entities["refund"] == {"id": order.lines[0].refunds[0].refund_id}
        assert entities["order_line"] == {"id": order.lines[0].line_id}
        assert (refund_line["amount_credited"], refund_line["amount_debited"]) == (0, 24.0)


async def test_cycle_waits_for_its_payment_and_then_names_it() -> None:
    """pay_out: TO_PAY, then PAID with reference and date."""
    async with serving() as client:
        client.shop.received_order()
        client.shop.marketplace.run_cycle()
        waiting = (await client.get("/api/seller-billing-cycles?pay_out_state=TO_PAY")).rows(
            "data"
        )
        client.shop.wait(hours=48)
        paid = (await client.get("/api/seller-billing-cycles?pay_out_state=PAID")).rows("data")

        assert waiting[0]["pay_out"] == {
            "state": "TO_PAY",
            "reference": None,
            "transaction_date": None,
            "failure_reason": None,
        }
        assert paid[0]["pay_out"] == {
            "state": "PAID",
            "reference": "BACS-889001",
            "transaction_date": "2026-02-06T08:02:22Z",
            "failure_reason": None,
        }


async def test_lines_by_last_update_show_again_when_their_state_moves() -> None:
    """A cursor on last_updated meets a line when it is made, payable, and paid."""
    async with serving() as client:
        order = client.shop.order_to_ship()
        seen = []
        cursor = "2026-02-03T00:00:00Z"
        for step in ("", "ship", "cycle"):
            if step == "ship":
                client.shop.marketplace.ship(order.order_id)
                client.shop.wait(hours=24)
            if step == "cycle":
                client.shop.wait(hours=1)
                client.shop.marketplace.run_cycle()
            rows = await all_lines(
                client, f"limit=3&sort=lastUpdated,ASC&last_updated_from={cursor}"
            )
            fresh = [row for row in rows if row["last_updated"] != cursor]
            seen.append((len(fresh), {row["payment_state"] for row in fresh}))
            cursor = str(rows[-1]["last_updated"])

        assert seen == [(8, {"PENDING"}), (8, {"PAYABLE"}), (9, {"PAID"})]


async def test_lines_that_move_while_a_client_pages_are_not_passed_over() -> None:
    """What changes between two pages comes again at the end, and nothing is missed."""
    async with serving() as client:
        order = client.shop.order_to_ship()
        query = "/api/sellerpayment/transactions_logs?limit=3&sort=lastUpdated,ASC"
        first = await client.get(query)
        client.shop.marketplace.ship(order.order_id)
        client.shop.wait(hours=24)
        rest = await all_lines(
            client, "limit=3&sort=lastUpdated,ASC", first.json()["next_page_token"]
        )
        made = set(client.shop.marketplace.transactions)

        assert made == {str(row["id"]) for row in rest}
        assert {"PAYABLE"} == {row["payment_state"] for row in rest}


async def test_lines_are_filtered_by_what_they_are_tied_to() -> None:
    """TL02's filters: order, line, references, type, state, creation; newest first."""
    async with serving() as client:
        first, second = client.shop.order_to_ship(), client.shop.order_to_ship()
        counts = {
            f"order_id={first.order_id}": 8,
            f"order_id={first.order_id}&order_id={second.order_id}": 16,
            f"order_line_id={first.lines[0].line_id}": 4,
            f"order_reference_for_customer={second.customer_order_number}": 8,
            "order_reference_for_seller=KC-1": 0,
            "transaction_type=COMMISSION_FEE": 4,
            "payment_state=PAYABLE": 0,
            "date_created_from=2026-02-03T08:03:00Z": 8,
            "date_created_to=2026-02-03T08:03:00Z": 8,
            "limit=2000": 16,
        }
        found = {query: len(await all_lines(client, query)) for query in counts}
        newest = (await all_lines(client, "limit=5"))[0]

        assert found == counts
        entities = msgspec.convert(newest["entities"], dict[str, object])
        assert msgspec.convert(entities["order"], dict[str, object])["id"] == second.order_id
