"""The contract's samples (johnlewis b.3, b.6), shortened to one line."""

__all__ = [
    "ACCOUNT",
    "CARRIERS",
    "DOCUMENTS",
    "INVOICE",
    "LINE",
    "OFFER",
    "ORDER",
    "ORDER_TAXES",
    "PAID_CYCLE",
    "PLATFORM",
    "REASONS",
    "RETURN",
    "RICH_LINE",
    "RICH_ORDER",
    "SHIPMENT",
    "SHIPPING_TYPES",
    "STATISTICS",
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

RICH_LINE: dict[str, object] = {
    **LINE,
    "order_line_state_reason_code": "34",
    "product_sku": "MP0001",
    "origin_unit_price": 30.00,
    "can_refund": True,
    "debited_date": "2026-02-03T08:12:39Z",
    "shipped_date": None,
    "received_date": "2026-02-09T10:00:00.500Z",
    "last_updated_date": "2026-02-03T08:12:40Z",
    "taxes": [
        {
            "code": "VAT20",
            "amount": 8.00,
            "rate": 20.0,
            "tax_calculation_rule": "PROPORTIONAL_TO_AMOUNT",
        }
    ],
    "shipping_taxes": [{"code": "VAT20", "amount": 0.66, "rate": 20.0}],
    "promotions": [
        {"id": "P1", "deduced_amount": 4.00},
        {"id": "P2", "deduced_amount": 2.00},
    ],
    "refunds": [
        {
            "id": "55012",
            "order_refund_id": "0d1c",
            "amount": 24.00,
            "shipping_amount": 0,
            "quantity": 1,
            "reason_code": "17",
            "refund_state": "REFUNDED",
            "commission_amount": 4.80,
            "commission_taxes": [{"code": "TAXDEFAULT", "amount": 0.96, "rate": 20.0}],
            "commission_total_amount": 5.76,
            "taxes": [{"code": "VAT20", "amount": 4.00}],
            "shipping_taxes": [],
            "fees": [],
            "created_date": "2026-02-10T11:02:00Z",
            "transaction_number": "TX-R1",
            "transaction_date": "2026-02-10T11:03:00Z",
        }
    ],
    "cancelations": [
        {
            "id": 9001,
            "amount": 24.00,
            "shipping_amount": 1.00,
            "quantity": 1,
            "reason_code": "34",
            "commission_amount": 5.00,
            "commission_total_amount": 6.00,
            "taxes": [{"code": "VAT20", "amount": 4.00}],
            "shipping_taxes": [{"code": "VAT20", "amount": 0.17}],
            "created_date": "2026-02-03T08:30:00.250Z",
        }
    ],
    "order_line_additional_fields": [{"code": "serial", "type": "STRING", "value": "S1"}],
}

RICH_ORDER: dict[str, object] = {
    **ORDER,
    "order_state_reason_code": None,
    "acceptance_decision_date": "2026-02-03T08:10:02Z",
    "delivery_date": {"earliest": "2026-02-05T00:00:00Z", "latest": "2026-02-08T00:00:00Z"},
    "total_commission": 12.47,
    "order_taxes": [{"code": "ECO", "rate": 5.5, "total_amount": 1.10}],
    "payment_type": "CARD",
    "payment_workflow": "PAY_ON_ACCEPTANCE",
    "transaction_number": "TX-900871",
    "transaction_date": "2026-02-03T08:12:38Z",
    "promotions": {"applied_promotions": [], "total_deduced_amount": 6.00},
    "channel": {"code": "JLUK", "label": "Web UK"},
    "can_cancel": False,
    "can_shop_ship": True,
    "has_incident": True,
    "has_invoice": False,
    "fully_refunded": False,
    "has_customer_message": None,
    "shipping_zone_code": "UK",
    "shipping_carrier_code": "RM",
    "shipping_company": "Royal Mail",
    "shipping_tracking": "AB123456789GB",
    "shipping_tracking_url": "https://carrier.example/t/AB123456789GB",
    "shipping_pudo_id": 77,
    "customer": {
        "customer_id": "C-881",
        "civility": "Dr",
        "firstname": "Ada",
        "lastname": "Example",
        "locale": "en_GB",
        "billing_address": {**_ADDRESS, "street_1": "2 Billing Road"},
        "shipping_address": _ADDRESS,
    },
    "order_additional_fields": [
        {"code": "gift", "type": "BOOLEAN", "value": True},
        {"code": "notes", "type": "LIST", "value": ["a", "b"]},
        {"code": "none", "type": "STRING", "value": None},
    ],
    "order_lines": [RICH_LINE],
}
"""Every field that a later room needs, filled."""

ACCOUNT: dict[str, object] = {
    "shop_id": 4021,
    "shop_name": "Example Brand",
    "shop_state": "OPEN",
    "suspension_type": None,
    "model": "MARKETPLACE",
    "currency_iso_code": "GBP",
    "channels": ["JLUK"],
    "applicable_taxes": [
        {"code": "TAXDEFAULT", "label": "VAT", "fee_types": ["COMMISSION", "SUBSCRIPTION"]}
    ],
    "payment_details": {
        "paid_balance": 120.5,
        "payable_balance": -3.21,
        "pending_balance": 40,
        "reserve_balance": 0,
        "reserve_target": None,
        "sub_balances": [],
    },
    "approval_rate": 0.9875,
    "shipping": {"lead_time_to_ship": 2},
    "closed_from": "2026-12-24T00:00:00Z",
    "closed_to": "2026-12-27T00:00:00.000Z",
    "kyc": {"status": "APPROVED"},
}

PLATFORM: dict[str, object] = {
    "features": {
        "order_tax_mode": "TAX_EXCLUDED",
        "order_workflows": {
            "order_acceptance": "AUTOMATIC",
            "pay_on_shipment": True,
            "pay_on_due_date": False,
            "no_customer_payment_confirmation": False,
            "pause_debit_workflow": False,
            "sellers_edit_shipping_origin": True,
            "shipping_and_billing_details_before_acceptance": True,
        },
        "shipment": {"multi_shipment": True, "multi_part_item_shipment": True},
        "disable_seller_alternative_carrier": True,
        "returns": {"marketplace": True, "drop_ship": False, "one_creditor": False},
        "lead_time_to_ship_by_sellers_enabled": "YES_PER_STORE",
        "offer_prices_decimals": "4",
        "operator_csv_delimiter": "COMMA",
        "pricing": {
            "channel_pricing": "MULTI",
            "discount_period_required": True,
            "volume_pricing": True,
        },
        "payment_confirmation": True,
    },
    "platform_configuration": {
        "platform_model": {"marketplace": True, "drop_ship": True, "one_creditor": False},
        "enhanced_seller_invoicing": {"enabled": True},
    },
    "platform_name": "Example Stores",
    "tenant_name": "example-preprod",
    "timezone": "Europe/London",
}

CARRIERS: dict[str, object] = {
    "carriers": [
        {
            "code": "RM",
            "label": "Royal Mail",
            "standard_code": "royal-mail",
            "tracking_url": "https://carrier.example/t/{trackingId}",
        },
        {"code": "EVRI", "label": "Evri", "standard_code": None, "tracking_url": None},
    ]
}

SHIPPING_TYPES: dict[str, object] = {
    "shipping_types": [
        {
            "code": "STD",
            "label": "Standard",
            "description": "3 to 5 days",
            "click_and_collect": False,
            "delivery_by_operator": False,
            "mandatory_tracking": True,
            "standard_code": "CU_ADD-STD",
        },
        {"code": "POST", "label": "Letter", "mandatory_tracking": False},
    ]
}

REASONS: dict[str, object] = {
    "reasons": [
        {"code": "15", "label": "Out of stock", "type": "REFUND", "is_shop_right": True},
        {"code": "14", "label": "No response", "type": "REFUND", "is_shop_right": False},
        {"code": "34", "label": "Cancelled", "type": "CANCELATION", "is_shop_right": True},
    ]
}

ORDER_TAXES: dict[str, object] = {
    "taxes": [{"code": "VAT20", "label": "VAT", "tax_calculation_rule": "NONE"}]
}

STATISTICS: dict[str, object] = {
    "shop_id": 4021,
    "channel": {"code": "JLUK"},
    "last_updated_date": "2026-02-03T01:00:00Z",
    "late_shipment_rate": [
        {"period": "LAST_MONTH", "value": 0.08},
        {"period": "LAST_THREE_MONTHS", "value": None},
    ],
    "shipping_delay": [{"period": "LAST_MONTH", "value": 86400}],
}

RETURN: dict[str, object] = {
    "id": "3b0d7c1e-5d6f-4a5b-9a7e-0a1b2c3d4e5f",
    "state": "IN_PROGRESS",
    "order_id": "700123456-A",
    "order_commercial_id": "700123456",
    "date_created": "2026-02-10T11:02:00Z",
    "last_updated": "2026-02-10T11:05:00.120Z",
    "reason_code": "RETURN_CHANGED_MIND",
    "method_code": "RETURN_METHOD_BY_MAIL",
    "rma": "RMA-1007",
    "label_url": None,
    "description": None,
    "rejection_reason_code": None,
    "tracking": {"carrier_code": "RM", "tracking_number": "ZZ1"},
    "return_address": {
        "street1": "2 Dock Road",
        "city": "Hull",
        "zip_code": "HU1 1AA",
        "country_iso_code": "GBR",
    },
    "documents": [{"id": 771, "type": "SYSTEM_RETURN_LABEL"}],
    "return_lines": [
        {
            "order_line_id": "700123456-A-1",
            "quantity": 1,
            "reason_code": "RETURN_CHANGED_MIND",
            "compliance": [
                {
                    "compliant": False,
                    "non_compliance_reason_code": "RETURN_NON_COMPLIANT_DAMAGED_PRODUCT",
                    "non_compliance_additional_info": "torn",
                }
            ],
        }
    ],
}

DOCUMENTS: dict[str, object] = {
    "order_documents": [
        {
            "id": 501,
            "order_id": "700123456-A",
            "file_name": "inv.pdf",
            "type": "CUSTOMER_INVOICE",
            "date_uploaded": "2026-02-04T10:00:00Z",
            "file_size": 1204,
        }
    ]
}
