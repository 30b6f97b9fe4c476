"""The offer operations of the John Lewis face: OF21, OF22, OF26, and STO01 to STO03.

Promises: fields and statuses of the contract (b.2); a stock import answers 201 with its id and
`Location` at once, and tells how far it is when asked. It keeps nothing.
Called by the face's routes.
"""

from aiohttp import web
from yarl import URL

from kcjl.sandbox.johnlewis.answers import answer, page_of, second
from kcjl.sandbox.johnlewis.asking import Asked
from kcjl.sandbox.johnlewis.csv_file import csv_answer
from kcjl.sandbox.johnlewis.offer_view import offer_view
from kcjl.sandbox.marketplace import ApiError, Offer

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
            and (not states or offer.state_code in states)
            and not asked.flag("favorite")
        ]
    if asked.is_descending:
        offers = offers[::-1]
    page, headers = page_of(asked, offers)
    now = asked.marketplace.agenda.now
    shown = [offer_view(asked.settings, offer, now) for offer in page]
    return answer({"offers": shown, "total_count": len(offers)}, headers=headers)


def one_offer(asked: Asked) -> web.Response:
    """OF22."""
    return answer(offer_view(asked.settings, _offer(asked), asked.marketplace.agenda.now))


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
    rows = [[error.line_number, error.message, *error.columns] for error in taken.errors]
    return csv_answer([["line", "error-message", *taken.columns], *rows])
