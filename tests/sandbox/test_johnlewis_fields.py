"""Fields that the contract calls always present are so, in every state (b.1 to b.6)."""

import re
from collections.abc import Mapping

import msgspec
import pytest

from kcjl.money import Money
from tests.sandbox.johnlewis_client import Client, serving
from tests.sandbox.marketplace_shop import parcel_of, quick, refund_of

pytestmark = pytest.mark.anyio

SECOND = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"

KINDS: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "second": (str,),
    "instant": (str,),
    "number": (int, float),
    "whole": (int,),
    "yes or no": (bool,),
    "list": (list,),
    "object": (dict,),
}

ORDER = {
    "text": "order_id commercial_id order_state currency_iso_code order_tax_mode paymentType "
    "shipping_type_code shipping_type_label shipping_zone_code shipping_zone_label",
    "second": "created_date last_updated_date",
    "number": "price shipping_price total_price total_commission",
    "whole": "leadtime_to_ship",
    "yes or no": "can_cancel can_shop_ship fully_refunded has_customer_message has_incident "
    "has_invoice customer_directly_pays_seller",
    "object": "fulfillment customer references",
    "list": "order_lines order_additional_fields",
}
LINE = {
    "text": "order_line_id order_line_state offer_sku offer_state_code product_sku "
    "product_title category_code category_label",
    "whole": "order_line_index offer_id quantity",
    "number": "price_unit price shipping_price total_price commission_fee commission_vat "
    "commission_rate_vat total_commission",
    "second": "created_date last_updated_date",
    "yes or no": "can_refund",
    "list": "product_medias order_line_additional_fields refunds cancelations taxes "
    "shipping_taxes commission_taxes",
}
REFUND = {
    "text": "id order_refund_id reason_code refund_state state",
    "number": "amount shipping_amount commission_amount commission_total_amount",
    "whole": "quantity",
    "list": "commission_taxes taxes shipping_taxes fees",
    "second": "created_date",
}
OFFER = {
    "whole": "offer_id quantity leadtime_to_ship min_order_quantity max_order_quantity "
    "package_quantity min_quantity_alert",
    "text": "shop_sku product_sku product_title category_code category_label "
    "currency_iso_code state_code min_shipping_type min_shipping_zone",
    "list": "product_references all_prices channels",
    "number": "min_shipping_price min_shipping_price_additional price total_price",
    "yes or no": "active",
    "instant": "shipping_deadline",
    "object": "logistic_class fulfillment applicable_pricing",
}
ACCOUNT = {
    "whole": "shop_id",
    "text": "shop_name shop_state model currency_iso_code",
    "list": "channels applicable_taxes",
    "object": "payment_details shipping kyc",
    "number": "approval_rate",
}
TRANSACTION = {
    "text": "id type currency_iso_code payment_state",
    "number": "amount amount_credited amount_debited balance",
    "instant": "date_created last_updated",
    "object": "shop entities",
}
CYCLE = {
    "text": "id payment_voucher_number currency_iso_code pay_out_psp_code",
    "second": "date_created",
    "number": "amount_transferred_to_seller amount_transferred_to_operator",
    "object": "pay_out shop summary",
}
INVOICE = {
    "whole": "invoice_id shop_id",
    "text": "id type state currency_iso_code shop_name shop_model shop_corporate_name "
    "shop_operator_internal_id shop_tax_number",
    "second": "date_created issue_date due_date start_time end_time",
    "object": "payment shop_address",
    "list": "details total_taxes",
    "number": "total_amount_excl_taxes total_amount_incl_taxes total_charged_amount",
}
SHIPMENT = {
    "text": "id order_id status status_customer_debit",
    "instant": "created_date last_updated_date",
    "list": "shipment_lines",
    "object": "tracking",
}
TO_SHIP = {
    "text": "order_id shipping_type_code",
    "object": "references shipping_address fulfillment",
    "list": "shipment_lines",
    "second": "shipping_date",
    "instant": "shipping_deadline",
}


def wrong_fields(row: Mapping[str, object], wanted: Mapping[str, str]) -> list[str]:
    """Names that are missing, null, or of another type than the contract says."""
    wrong = []
    for kind, names in wanted.items():
        for name in names.split():
            value = row.get(name)
            fits = isinstance(value, KINDS[kind]) and (
                kind == "yes or no" or not isinstance(value, bool)
            )
            if fits and kind in {"second", "instant"}:
                fits = bool(re.fullmatch(SECOND if kind == "second" else INSTANT, str(value)))
            if not fits:
                wrong.append(f"{name}: {value!r} is no {kind}")
    return wrong


async def lived_in(client: Client) -> None:
    """Orders in every state, parcels, refunds, a payout, documents of each kind."""
    shop = client.shop
    done = shop.received_order()
    taxes = [{"code": tax.code, "amount": "4.00"} for tax in done.lines[0].taxes]
    shop.marketplace.refund([refund_of(done, taxes=taxes)])
    shop.wait(hours=24 * 20)
    shop.marketplace.operator_credits(Money(100), "Goodwill", done.order_id)
    sent = shop.order_to_ship(1, 0)
    shop.marketplace.ship(sent.order_id)
    shop.wait(hours=24)
    shop.marketplace.open_incident(sent.lines[0].line_id)
    parcelled = shop.order_to_ship(1, 1)
    shop.marketplace.create_shipments([parcel_of(parcelled, {0: 1}, shipped=False)])
    shop.marketplace.operator_cancels(shop.order_to_ship(1, 0).order_id)
    shop.decide(shop.order(1, 1), False, True)
    shop.decide(shop.order(1, 0, beyond_the_window=True), False)
    shop.order(1, 0, beyond_the_window=True)


@pytest.mark.parametrize(
    "tenant",
    [
        {},
        {"tax_mode": "TAX_EXCLUDED", "closed_after_hours": 1},
        {"taxes_filled": False},
        {"payment_workflow": "NO_CUSTOMER_PAYMENT_CONFIRMATION"},
    ],
    ids=["plain", "tax excluded", "taxes empty", "no confirmation"],
)
async def test_mandatory_fields_are_there_whatever_has_happened(
    tenant: dict[str, object],
) -> None:
    """Another maker's client reads them without asking first."""
    async with serving(quick(subscription_fee=Money(100), **tenant)) as client:
        await lived_in(client)
        orders = (await client.get("/api/orders?max=100")).rows("orders")
        lines = [
            line
            for order in orders
            for line in msgspec.convert(order["order_lines"], list[dict[str, object]])
        ]
        refunds = [
            refund
            for line in lines
            for refund in msgspec.convert(line["refunds"], list[dict[str, object]])
        ]
        account = (await client.get("/api/account")).json()
        tables = [
            ("orders", orders, ORDER),
            ("lines", lines, LINE),
            ("refunds", refunds, REFUND),
            ("offers", (await client.get("/api/offers")).rows("offers"), OFFER),
            ("account", [account], ACCOUNT),
            (
                "transactions",
                (await client.get("/api/sellerpayment/transactions_logs?limit=2000")).rows(
                    "data"
                ),
                TRANSACTION,
            ),
            ("cycles", (await client.get("/api/seller-billing-cycles")).rows("data"), CYCLE),
            (
                "invoices",
                (await client.get("/api/invoices?type=ALL")).rows("invoices"),
                INVOICE,
            ),
            ("shipments", (await client.get("/api/shipments")).rows("data"), SHIPMENT),
            (
                "items to ship",
                (await client.get("/api/shipments/items_to_ship")).rows("data"),
                TO_SHIP,
            ),
        ]
        empty = [name for name, rows, _ in tables if not rows]
        wrong = {
            f"{name}: {text}"
            for name, rows, wanted in tables
            for row in rows
            for text in wrong_fields(row, wanted)
        }

        assert not empty
        assert not wrong


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("shop_model=MARKETPLACE", 8),
        ("shop_model=DROPSHIP", 0),
        ("pay_out_psp_codes=NOT_SPECIFIED", 8),
        ("pay_out_psp_codes=MANGOPAY", 0),
        ("other_reference=x", 0),
    ],
)
async def test_lines_are_filtered_by_what_all_of_this_tenant_have(
    query: str, count: int
) -> None:
    """TL02's filters by model, payment provider and other references."""
    async with serving() as client:
        client.shop.order_to_ship()
        path = f"/api/sellerpayment/transactions_logs?limit=100&{query}"

        assert count == len((await client.get(path)).rows("data"))


async def test_manual_documents_are_shown_when_asked_and_never_claim_the_payout() -> None:
    """IV01 without a type misses them; their summary would count a payout twice."""
    async with serving() as client:
        client.shop.received_order()
        client.shop.marketplace.operator_credits(Money(1000), "Goodwill")
        client.shop.marketplace.run_cycle()
        automatic = (await client.get("/api/invoices")).rows("invoices")
        every = (await client.get("/api/invoices?type=ALL")).rows("invoices")
        shops = (await client.get("/api/invoices?type=ALL&issuing_user_types=SHOP")).rows(
            "invoices"
        )
        manual = next(row for row in every if row["type"] == "MANUAL_CREDIT")

        assert ["AUTO_INVOICE"] == [row["type"] for row in automatic]
        assert 2 == len(every)
        assert [] == shops
        assert manual["summary"] is None
        assert automatic[0]["seller_billing_cycle_id"] == manual["seller_billing_cycle_id"]


async def test_customer_who_is_never_confirmed_has_no_debit_date() -> None:
    """NO_CUSTOMER_PAYMENT_CONFIRMATION: the account begins, the debit is never told."""
    async with serving(quick(payment_workflow="NO_CUSTOMER_PAYMENT_CONFIRMATION")) as client:
        order = client.shop.received_order()
        shown = await client.one(order)
        debited = (await client.get("/api/orders?customer_debited=true")).json()

        assert (None, None) == (shown["customer_debited_date"], shown["transaction_number"])
        assert 0 == debited["total_count"]


async def test_order_of_a_list_is_rising_or_falling_and_nothing_else() -> None:
    """`order` of the offset-paged lists."""
    async with serving() as client:
        first, second = client.shop.order(), client.shop.order()
        falling = (await client.get("/api/orders?order=desc")).rows("orders")
        wrong = await client.get("/api/orders?order=sideways")

        assert [second.order_id, first.order_id] == [row["order_id"] for row in falling]
        assert 400 == wrong.status
