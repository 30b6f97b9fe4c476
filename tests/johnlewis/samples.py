"""The contract's samples (johnlewis b.3, b.6), shortened to one line."""

__all__ = [
    "INVOICE",
    "LINE",
    "OFFER",
    "ORDER",
    "PAID_CYCLE",
    "SHIPMENT",
    "TO_SHIP",
    "TRANSACTION",
]

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

OFFER: dict[str, object] = {
    "offer_id": 81234,
    "shop_sku": "KC-SHIRT-M-BLU",
    "product_sku": "MP0001",
    "product_references": [{"reference": "5012345678900", "reference_type": "EAN"}],
    "product_title": "Shirt blue M",
    "category_code": "SHIRTS",
    "quantity": 12,
    "warehouses": [{"code": "MAIN", "quantity": 8}, {"code": "NORTH", "quantity": 4}],
    "price": 36.0,
    "applicable_pricing": {
        "price": 36.0,
        "unit_origin_price": 42.5,
        "unit_discount_price": 36.0,
        "discount_start_date": "2026-03-01T00:00:00Z",
        "discount_end_date": "2026-03-15T00:00:00.000Z",
        "volume_prices": None,
    },
    "all_prices": [
        {"price": 36.0, "unit_origin_price": 42.5, "context": {"channel_codes": []}},
        {
            "unit_origin_price": 41.0,
            "context": {"channel_codes": ["JLUK"], "customer_group_ids": None},
            "volume_prices": [{"quantity_threshold": 5, "unit_origin_price": 40}],
        },
    ],
    "retail_prices": [],
    "currency_iso_code": "GBP",
    "state_code": 11,
    "active": True,
    "inactivity_reasons": ["ZERO_QUANTITY", "A_NEW_REASON"],
    "leadtime_to_ship": 2,
    "logistic_class": {"code": "STD", "label": "Standard"},
    "min_order_quantity": 1,
    "max_order_quantity": 10,
    "package_quantity": 1,
    "min_quantity_alert": 3,
    "channels": ["JLUK"],
    "available_start_date": "2026-03-01T00:00:00Z",
    "available_end_date": None,
    "offer_additional_fields": [
        {"code": "gift-wrap", "type": "BOOLEAN", "value": "true"},
        {"code": "colours", "type": "MULTIPLE", "value": ["a", "b"]},
    ],
}

SHIPMENT: dict[str, object] = {
    "id": "9d0c3f52",
    "order_id": "700123456-A",
    "status": "SHIPPED",
    "status_customer_debit": "NO_DEBIT",
    "created_date": "2026-02-04T10:00:01.120Z",
    "last_updated_date": "2026-02-04T10:00:01.120Z",
    "shipped_date": "2026-02-04T10:00:02Z",
    "invoice_reference": "INV-104455",
    "payment_details": None,
    "shipment_lines": [
        {
            "order_line_id": "700123456-A-1",
            "offer_sku": "A",
            "quantity": 1,
            "package_reference": "P1",
        }
    ],
    "tracking": {
        "carrier_code": "RM",
        "tracking_number": "AB123456789GB",
        "tracking_url": "https://carrier.example/t",
        "validity_status": "UNVERIFIED",
        "milestones": [],
    },
}

TO_SHIP: dict[str, object] = {
    "order_id": "700123456-A",
    "references": {"order_reference_for_customer": "JL-55001234"},
    "shipment_lines": [
        {
            "order_line_id": "700123456-A-1",
            "offer_sku": "KC-SHIRT-M-BLU",
            "product_title": "Shirt blue M",
            "quantity": 2,
            "package_reference": None,
        }
    ],
    "shipping_address": _ADDRESS,
    "shipping_date": "2026-02-04T00:00:00Z",
    "shipping_deadline": "2026-02-05T23:59:59.999Z",
    "shipping_type_code": "STD",
    "fulfillment": {"center": {"code": "DEFAULT"}},
}

INVOICE: dict[str, object] = {
    "invoice_id": 981,
    "id": "6b0c7d1e",
    "type": "MANUAL_CREDIT",
    "state": "COMPLETE",
    "date_created": "2026-02-11T01:00:03Z",
    "issue_date": "2026-02-11T00:00:00Z",
    "due_date": "2026-03-11T00:00:00Z",
    "currency_iso_code": "GBP",
    "payment": {
        "state": "PAID",
        "reference": "BACS-1",
        "transaction_date": "2026-02-13T00:00:00Z",
    },
    "payment_voucher_number": "000117",
    "seller_billing_cycle_id": "5f0a9f1e",
    "summary": {"amount_transferred": 21.02, "amount_transferred_to_operator": 22.43},
    "details": [
        {
            "description": "Goodwill",
            "quantity": 1,
            "amount_excl_taxes": 10.0,
            "taxes": [{"code": "TAXDEFAULT", "amount": 2}],
            "order_id": "700123456-A",
            "operation_date": "2026-02-10",
        }
    ],
    "total_amount_excl_taxes": 10.0,
    "total_amount_incl_taxes": 12.0,
    "total_taxes": [{"code": "TAXDEFAULT", "amount": 2.0}],
    "shop_id": 4021,
}
