"""The offer operations of the John Lewis face: OF21, OF22, OF26, and STO01 to STO03.

Promises: fields and statuses of the contract (b.2); a stock import answers 201 with its id and
`Location` at once, and tells how far it is when asked. It keeps nothing.
Called by the face's routes.
"""

import csv
import io

from aiohttp import web
from yarl import URL

from kcjl.sandbox.johnlewis.answers import Json, amount, answer, instant, page_of, second
from kcjl.sandbox.johnlewis.asking import Asked
from kcjl.sandbox.johnlewis.order_view import NEW
from kcjl.sandbox.marketplace import ApiError, Offer
from kcjl.sandbox.marketplace.moments import end_of_day

__all__ = [
    "list_offers",
    "offer_quantity",
    "one_offer",
    "stock_import_errors",
    "stock_import_status",
    "take_stock_import",
]

SORTS = ("totalPrice", "price", "productTitle")
IMPORTS_PATH = "/api/offers/stock/imports"


def list_offers(asked: Asked) -> web.Response:
    """OF21."""
    sort = asked.text("sort") or "totalPrice"
    if sort not in SORTS:
        raise ApiError.of(400, f"sort: '{sort}' is not possible here")
    skus = asked.listed("sku")
    products = asked.listed("product_id")
    states = asked.listed("offer_state_codes")
    offers = asked.marketplace.catalogue.in_order(sort)
    if skus or products or states or asked.flag("favorite"):
        offers = [
            offer
            for offer in offers
            if (not skus or offer.sku in skus)
            and (not products or offer.product_sku in products)
            and (not states or NEW in states)
            and not asked.flag("favorite")
        ]
    if asked.is_descending:
        offers = offers[::-1]
    page, headers = page_of(asked, offers)
    shown = [offer_view(asked, offer) for offer in page]
    return answer({"offers": shown, "total_count": len(offers)}, headers=headers)


def one_offer(asked: Asked) -> web.Response:
    """OF22."""
    return answer(offer_view(asked, _offer(asked)))


def offer_quantity(asked: Asked) -> web.Response:
    """OF26."""
    offer = _offer(asked)
    return answer({"offer_id": offer.offer_id, "quantity": offer.quantity})


def _offer(asked: Asked) -> Offer:
    written = asked.path["offer"]
    offer = None
    if written.isascii() and written.isdigit():
        offer = asked.marketplace.catalogue.by_id.get(int(written))
    if offer is None:
        raise ApiError.of(404, f"Offer {written} not found")
    return offer


def offer_view(asked: Asked, offer: Offer) -> Json:
    settings = asked.settings
    price = amount(offer.price)
    pricing = _pricing(offer)
    deadline = end_of_day(asked.marketplace.agenda.now, settings)
    return {
        "offer_id": offer.offer_id,
        "shop_sku": offer.sku,
        "product_sku": offer.product_sku,
        "product_references": [{"reference": offer.product_sku, "reference_type": "SKU"}],
        "product_title": offer.title,
        "product_brand": None,
        "product_description": None,
        "category_code": offer.category_code,
        "category_label": offer.category_code.capitalize(),
        "quantity": offer.quantity,
        "warehouses": [
            {"code": code, "quantity": quantity} for code, quantity in offer.warehouses.items()
        ],
        "price": price,
        "total_price": amount(offer.price + settings.shipping_price),
        "applicable_pricing": pricing,
        "all_prices": [{**pricing, "channel_code": None, "context": None}],
        "currency_iso_code": settings.currency,
        "state_code": NEW,
        "active": offer.quantity > 0,
        "inactivity_reasons": [] if offer.quantity > 0 else ["ZERO_QUANTITY"],
        "leadtime_to_ship": max(1, settings.shipping_deadline_days),
        "shipping_deadline": instant(deadline),
        "logistic_class": {"code": "STD", "label": "Standard"},
        "min_order_quantity": 1,
        "max_order_quantity": 0,
        "package_quantity": 1,
        "min_quantity_alert": 0,
        "min_shipping_price": amount(settings.shipping_price),
        "min_shipping_price_additional": 0,
        "min_shipping_type": settings.shipping_types[0].code,
        "min_shipping_zone": "UK",
        "channels": [settings.channel_code],
        "fulfillment": {"center": {"code": "DEFAULT"}},
        "offer_additional_fields": [],
        "available_start_date": None,
        "available_end_date": None,
        "product_tax_code": None,
        "description": None,
        "internal_description": None,
        "price_additional_info": None,
        "favorite_rank": None,
    }


def _pricing(offer: Offer) -> Json:
    """The one price of the offer; nothing is discounted."""
    price = amount(offer.price)
    units: Json = {"price": price, "unit_origin_price": price, "unit_discount_price": None}
    return {
        **units,
        "discount_start_date": None,
        "discount_end_date": None,
        "volume_prices": [{"quantity_threshold": 1, **units}],
    }


# ── stock imports ───────────────────────────────────────────────────────────────────────────


def take_stock_import(asked: Asked) -> web.Response:
    """STO01."""
    if asked.upload is None:
        raise ApiError.of(400, "The multipart part 'file' is missing")
    import_id = asked.change("import_stock", csv_text=asked.upload)
    location = URL(asked.url).with_path(f"{IMPORTS_PATH}/{import_id}/status").with_query(None)
    return answer({"import_id": import_id}, status=201, headers={"Location": str(location)})


def stock_import_status(asked: Asked) -> web.Response:
    """STO02."""
    taken = asked.marketplace.catalogue.stock_import(asked.path["import_id"])
    body = {
        "import_id": taken.import_id,
        "shop_id": asked.settings.shop_id,
        "date_created": second(taken.created_at),
        "status": taken.status,
        "lines_in_success": taken.lines_in_success,
        "lines_in_error": len(taken.errors),
        "has_error_report": bool(taken.errors),
    }
    return answer(body)


def stock_import_errors(asked: Asked) -> web.Response:
    """STO03."""
    taken = asked.marketplace.catalogue.stock_import(asked.path["import_id"])
    if not taken.errors:
        raise ApiError.of(404, f"Import {taken.import_id} has no error report")
    written = io.StringIO()
    writer = csv.writer(written, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["line", "error-message", *taken.columns])
    for error in taken.errors:
        writer.writerow([error.line_number, error.message, *error.columns])
    return web.Response(text=written.getvalue(), content_type="text/csv", charset="UTF-8")
