"""Who and how the tenant is: V01, A01, PC01, SH21 and SH12 of the John Lewis face.

Promises: fields of the contract (b.1), switched by the tenant's settings alone; balances are
the ledger's. It changes nothing. Called by the face's routes.
"""

from aiohttp import web

from kcjl.sandbox.johnlewis.answers import amount, answer
from kcjl.sandbox.johnlewis.asking import Asked

__all__ = ["account", "carriers", "platform", "shipping_types", "version"]

DECIDED = frozenset({"STAGING", "WAITING_ACCEPTANCE"})


def version(asked: Asked) -> web.Response:
    """V01."""
    return answer({"version": "sandbox", "platform": asked.settings.platform_name})


def account(asked: Asked) -> web.Response:
    """A01."""
    settings = asked.settings
    ledger = asked.marketplace.ledger
    tax = {"code": settings.commission_tax_code, "label": "VAT on fees"}
    body = {
        "shop_id": settings.shop_id,
        "shop_name": settings.shop_name,
        "shop_state": settings.shop_state,
        "suspension_type": None,
        "model": settings.shop_model,
        "currency_iso_code": settings.currency,
        "channels": [settings.channel_code],
        "applicable_taxes": [
            {**tax, "fee_types": ["COMMISSION", "SUBSCRIPTION", "ADDITIONAL_FEES"]}
        ],
        "payment_details": {
            "paid_balance": amount(ledger.paid_out),
            "payable_balance": amount(ledger.total("PAYABLE")),
            "pending_balance": amount(ledger.total("PENDING")),
            "reserve_balance": 0,
            "reserve_target": 0,
            "sub_balances": [],
        },
        "approval_rate": _approval_rate(asked),
        "shipping": {"lead_time_to_ship": settings.shipping_deadline_days},
        "closed_from": None,
        "closed_to": None,
        "kyc": {"status": "APPROVED"},
    }
    return answer(body)


def _approval_rate(asked: Asked) -> float:
    """Accepted lines of all that were decided, 0 to 1."""
    refused = decided = 0
    for order in asked.marketplace.orders.values():
        if order.state not in DECIDED:
            decided += len(order.lines)
            refused += sum(line.state == "REFUSED" for line in order.lines)
    return round((decided - refused) / decided, 4) if decided else 1.0


def platform(asked: Asked) -> web.Response:
    """PC01."""
    settings = asked.settings
    model = settings.shop_model
    workflow = settings.payment_workflow
    visible = settings.addresses_visible_from
    features = {
        "order_tax_mode": settings.tax_mode,
        "order_workflows": {
            "order_acceptance": "AUTOMATIC" if settings.auto_accept else "NOT_AUTOMATIC",
            "pay_on_shipment": workflow == "PAY_ON_SHIPMENT",
            "pay_on_due_date": workflow == "PAY_ON_DUE_DATE",
            "no_customer_payment_confirmation": workflow == "NO_CUSTOMER_PAYMENT_CONFIRMATION",
            "pause_debit_workflow": False,
            "sellers_edit_shipping_origin": False,
            "shipping_and_billing_details_before_acceptance": visible == "CREATION",
        },
        "shipment": {
            "multi_shipment": settings.multi_shipment,
            "multi_part_item_shipment": False,
        },
        "disable_seller_alternative_carrier": settings.listed_carriers_only,
        "returns": {
            name: settings.returns_module and model == of
            for name, of in (
                ("marketplace", "MARKETPLACE"),
                ("drop_ship", "DROPSHIP"),
                ("one_creditor", "ONE_CREDITOR"),
            )
        },
        "lead_time_to_ship_by_sellers_enabled": "YES",
        "offer_prices_decimals": str(settings.offer_price_decimals),
        "operator_csv_delimiter": settings.csv_delimiter,
        "pricing": {
            "channel_pricing": "DISABLED",
            "discount_period_required": settings.discount_period_required,
            "volume_pricing": False,
        },
        "payment_confirmation": True,
    }
    body = {
        "features": features,
        "platform_configuration": {
            "platform_model": {
                "marketplace": model == "MARKETPLACE",
                "drop_ship": model == "DROPSHIP",
                "one_creditor": model == "ONE_CREDITOR",
            },
            "enhanced_seller_invoicing": {"enabled": False},
        },
        "platform_name": settings.platform_name,
        "tenant_name": settings.tenant_name,
        "timezone": settings.time_zone,
    }
    return answer(body)


def carriers(asked: Asked) -> web.Response:
    """SH21."""
    listed = sorted(asked.settings.carriers, key=lambda carrier: carrier.label)
    shown = [
        {
            "code": carrier.code,
            "label": carrier.label,
            "standard_code": carrier.standard_code,
            "tracking_url": carrier.tracking_url,
        }
        for carrier in listed
    ]
    return answer({"carriers": shown})


def shipping_types(asked: Asked) -> web.Response:
    """SH12."""
    shown = [
        {
            "code": kind.code,
            "label": kind.label,
            "description": kind.description,
            "click_and_collect": kind.click_and_collect,
            "delivery_by_operator": kind.delivery_by_operator,
            "mandatory_tracking": asked.settings.mandatory_tracking,
            "standard_code": kind.standard_code,
            "ignore_lead_time_to_ship": False,
        }
        for kind in asked.settings.shipping_types
    ]
    return answer({"shipping_types": shown})
