"""The contract's samples (johnlewis b.3, b.6), shortened to one line."""

__all__ = ["LINE", "ORDER", "PAID_CYCLE", "TRANSACTION"]

_ADDRESS: dict[str, object] = {
    "firstname": "Ada",
    "lastname": "Example",
    "street_1": "1 Test Street",
    "street_2": "Flat 2",
    "city": "Leeds",
    "zip_code": "LS1 1AA",
    "country": "United Kingdom",
    "country_iso_code": "GBR",
    "phone": "07000000000",
    "additional_info": None,
}

LINE: dict[str, object] = {
    "order_line_id": "700123456-A-1",
    "order_line_index": 1,
    "order_line_state": "SHIPPING",
    "offer_id": 81234,
    "offer_sku": "KC-SHIRT-M-BLU",
    "product_title": "Shirt blue M",
    "category_code": "SHIRTS",
    "quantity": 2,
    "price_unit": 24.00,
    "price": 48.00,
    "shipping_price": 3.95,
    "total_price": 51.95,
    "commission_fee": 10.39,
    "commission_taxes": [{"code": "TAXDEFAULT", "amount": 2.08, "rate": 20.0}],
    "commission_vat": 2.08,
    "total_commission": 12.47,
    "taxes": [{"code": "VAT20", "amount": 8.00, "rate": 20.0}],
    "refunds": [
        {
            "id": 55012,
            "amount": 24.00,
            "shipping_amount": None,
            "quantity": 1,
            "refund_state": "REFUNDED",
            "reason_code": 17,
            "created_date": "2026-02-10T11:02:00Z",
        }
    ],
    "compliance": None,
    "order_line_additional_fields": [],
}

ORDER: dict[str, object] = {
    "order_id": "700123456-A",
    "commercial_id": "700123456",
    "references": {
        "order_reference_for_customer": "JL-55001234",
        "order_reference_for_seller": None,
    },
    "order_state": "SHIPPING",
    "created_date": "2026-02-03T08:01:12Z",
    "last_updated_date": "2026-02-03T08:12:40Z",
    "customer_debited_date": "2026-02-03T08:12:39.118Z",
    "shipping_deadline": "2026-02-05T23:59:59.999Z",
    "currency_iso_code": "GBP",
    "order_tax_mode": "TAX_INCLUDED",
    "price": 48.00,
    "shipping_price": 3.95,
    "total_price": 51.95,
    "shipping_type_code": "STD",
    "fulfillment": {"center": {"code": "DEFAULT"}},
    "customer_notification_email": "abc123@notification.example",
    "customer": {
        "customer_id": "C-881",
        "firstname": "Ada",
        "lastname": "Example",
        "billing_address": None,
        "shipping_address": _ADDRESS,
    },
    "order_lines": [LINE],
}

TRANSACTION: dict[str, object] = {
    "id": "0a5b1f4e-9f0c-4b7f-8f2e-2f1f3e9b7a01",
    "type": "COMMISSION_FEE",
    "amount": -10.39,
    "amount_credited": 0,
    "amount_debited": 10.39,
    "balance": 41.56,
    "currency_iso_code": "GBP",
    "date_created": "2026-02-03T08:12:41.002Z",
    "last_updated": "2026-02-11T01:00:03.410Z",
    "payment_state": "PAID",
    "payment_voucher_number": "000117",
    "seller_billing_cycle_id": "5f0a9f1e-3a77-4b1e-9c55-5b1df1a2c3d4",
    "accounting_document_number": "INV-JL-000981",
    "shop": {"id": 4021, "model": "MARKETPLACE"},
    "entities": {
        "domain": "PRODUCT",
        "order": {
            "id": "700123456-A",
            "commercial_id": "700123456",
            "references": {
                "order_reference_for_customer": "JL-55001234",
                "order_reference_for_seller": "KC-SO-104455",
            },
        },
        "order_line": {"id": "700123456-A-1"},
        "refund": None,
    },
}

PAID_CYCLE: dict[str, object] = {
    "id": "5f0a9f1e-3a77-4b1e-9c55-5b1df1a2c3d4",
    "date_created": "2026-02-11T01:00:00Z",
    "payment_voucher_number": "000117",
    "currency_iso_code": "GBP",
    "amount_transferred_to_seller": 21.02,
    "amount_transferred_to_operator": 22.43,
    "pay_out": {
        "state": "PAID",
        "reference": "BACS-889120",
        "transaction_date": "2026-02-13T00:00:00Z",
        "failure_reason": None,
    },
    "summary": {"total_payable_orders_excl_tax": 56.21},
}
