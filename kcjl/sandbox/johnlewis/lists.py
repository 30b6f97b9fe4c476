"""The tenant's small lists: OR75, AF01, DO01, OF61, CH11, CUR01, L01, SH11 and SH31.

Promises: shapes of the contract (b.1); what they hold is the tenant's settings alone.
They change nothing. Called by the face's routes.
"""

from aiohttp import web

from kcjl.sandbox.johnlewis.answers import answer
from kcjl.sandbox.johnlewis.asking import Asked

__all__ = ["ROUTES"]

CURRENCIES = {"GBP": "Pound sterling", "EUR": "Euro", "USD": "US dollar"}
FIELD_ENTITIES = frozenset({"OFFER", "ORDER", "ORDER_LINE", "SHOP"})


def order_taxes(asked: Asked) -> web.Response:
    """OR75."""
    settings = asked.settings
    tax = {
        "code": settings.tax_code,
        "label": f"VAT {settings.tax_rate} %",
        "tax_calculation_rule": "PROPORTIONAL_TO_AMOUNT",
    }
    return answer({"taxes": [tax] if settings.taxes_filled else []})


def additional_fields(asked: Asked) -> web.Response:
    """AF01."""
    entities = asked.among("entities", FIELD_ENTITIES)
    shown = [
        {
            "code": field.code,
            "label": field.label,
            "type": field.type,
            "entity": field.entity,
            "required": field.required,
            "editable": field.editable,
            "description": field.description,
        }
        for field in asked.settings.additional_fields
        if not entities or field.entity in entities
    ]
    return answer({"additional_fields": shown})


def document_types(asked: Asked) -> web.Response:
    """DO01."""
    entities = asked.listed("entities")
    shown = [
        {
            "code": kind.code,
            "label": kind.label,
            "entity": kind.entity,
            "description": kind.description,
        }
        for kind in asked.settings.document_types
        if not entities or kind.entity in entities
    ]
    return answer({"documents": shown})


def offer_states(asked: Asked) -> web.Response:
    """OF61."""
    shown = [
        {"code": state.code, "label": state.label} for state in asked.settings.offer_states
    ]
    return answer({"offer_states": shown, "total_count": len(shown)})


def channels(asked: Asked) -> web.Response:
    """CH11."""
    settings = asked.settings
    channel = {"code": settings.channel_code, "label": settings.channel_label}
    return answer({"channels": [channel]})


def currencies(asked: Asked) -> web.Response:
    """CUR01."""
    code = asked.settings.currency
    return answer({"currencies": [{"iso_code": code, "label": CURRENCIES.get(code, code)}]})


def locales(asked: Asked) -> web.Response:
    """L01; the first one is the platform's own."""
    shown = [
        {"code": each.code, "label": each.label, "platform_default": place == 0}
        for place, each in enumerate(asked.settings.locales)
    ]
    return answer({"locales": shown})


def shipping_zones(_: Asked) -> web.Response:
    """SH11."""
    return answer({"shipping_zones": [{"code": "UK", "label": "United Kingdom"}]})


def logistic_classes(_: Asked) -> web.Response:
    """SH31."""
    return answer({"logistic_classes": [{"code": "STD", "label": "Standard"}]})


ROUTES = (
    ("OR75", "GET", "/api/orders/taxes", order_taxes),
    ("AF01", "GET", "/api/additional_fields", additional_fields),
    ("DO01", "GET", "/api/documents", document_types),
    ("OF61", "GET", "/api/offers/states", offer_states),
    ("CH11", "GET", "/api/channels", channels),
    ("CUR01", "GET", "/api/currencies", currencies),
    ("L01", "GET", "/api/locales", locales),
    ("SH11", "GET", "/api/shipping/zones", shipping_zones),
    ("SH31", "GET", "/api/shipping/logistic_classes", logistic_classes),
)
