"""The offer and price imports of the John Lewis face: OF24, OF01 to OF04, PRI01 to PRI03.

Promises: 201 with the import's id and `Location` at once; how far it is, and what was refused,
when asked (contract b.2). OF24's ids are numbers, PRI01's are strings. It holds no rule.
Called by the face's routes.
"""

import msgspec
from aiohttp import web
from yarl import URL

from kcjl.sandbox.johnlewis.answers import Json, answer, second
from kcjl.sandbox.johnlewis.asking import Asked
from kcjl.sandbox.johnlewis.csv_file import csv_answer
from kcjl.sandbox.marketplace import ApiError
from kcjl.sandbox.marketplace.offer_imports import OfferImport
from kcjl.sandbox.marketplace.offer_lines import WrittenOffer
from kcjl.sandbox.marketplace.price_imports import PriceImport
from kcjl.sandbox.marketplace.recency import seek

__all__ = [
    "OfferCall",
    "list_offer_imports",
    "list_price_imports",
    "offer_import_errors",
    "offer_import_status",
    "price_import_errors",
    "take_offer_file",
    "take_offers",
    "take_price_file",
]

LIMIT_MAX = 100
STATUSES = frozenset(
    {"WAITING_SYNCHRONIZATION_PRODUCT", "WAITING", "RUNNING", "COMPLETE", "FAILED"}
)


class OfferCall(msgspec.Struct, frozen=True, kw_only=True):
    """OF24's body."""

    offers: list[WrittenOffer]


# ── offers ──────────────────────────────────────────────────────────────────────────────────


def take_offers(asked: Asked) -> web.Response:
    """OF24."""
    offers = msgspec.to_builtins(asked.decoded(OfferCall).offers)
    import_id = asked.change("import_offers", offers=offers)
    return _taken(asked, f"/api/offers/imports/{import_id}", {"import_id": import_id})


def take_offer_file(asked: Asked) -> web.Response:
    """OF01."""
    if asked.upload is None:
        raise ApiError.of(400, "The multipart part 'file' is missing")
    mode = asked.form.get("import_mode") or asked.text("import_mode")
    if mode is None:
        raise ApiError.of(400, "import_mode is missing")
    import_id = asked.change("import_offer_file", csv_text=asked.upload, mode=mode)
    body: Json = {"import_id": import_id, "product_import_id": None}
    return _taken(asked, f"/api/offers/imports/{import_id}", body)


def offer_import_status(asked: Asked) -> web.Response:
    """OF02."""
    return answer(_offer_import(_asked_import(asked)))


def offer_import_errors(asked: Asked) -> web.Response:
    """OF03."""
    taken = _asked_import(asked)
    if not taken.errors:
        raise ApiError.of(404, f"Import {taken.import_id} has no error report")
    header = [*taken.columns, "error-line", "error-message"]
    width = len(taken.columns)
    rows = [
        [*(*error.columns, *[""] * width)[:width], error.line_number, error.message]
        for error in taken.errors
    ]
    return csv_answer([header, *rows])


def list_offer_imports(asked: Asked) -> web.Response:
    """OF04."""
    statuses = asked.among("status", STATUSES)
    since = asked.moment("last_request_date")
    page = asked.seek_page(("dateCreated",), most=LIMIT_MAX, default="dateCreated,DESC")
    imports = list(asked.marketplace.offer_imports.imports.values())

    def fits(taken: OfferImport) -> bool:
        return (not statuses or taken.status in statuses) and (
            since is None or since <= taken.created_at
        )

    places = asked.places(page, len(imports))
    rows, last = seek(places, imports.__getitem__, fits, page.limit)
    return _page([_offer_import(taken) for taken in rows], page.token(last))


def _asked_import(asked: Asked) -> OfferImport:
    written = asked.path["import_id"]
    if not (written.isascii() and written.isdigit()) or len(written) > 18:  # noqa: PLR2004 - digits that no number of ours has
        raise ApiError.of(404, f"Import {written} not found")
    return asked.marketplace.offer_imports.find(int(written))


def _offer_import(taken: OfferImport) -> Json:
    return {
        "import_id": taken.import_id,
        "date_created": second(taken.created_at),
        "mode": taken.mode,
        "status": taken.status,
        "lines_read": taken.lines_read,
        "lines_in_success": taken.lines_in_success,
        "lines_in_error": len(taken.errors),
        "lines_in_pending": 0,
        "offer_inserted": taken.inserted,
        "offer_updated": taken.updated,
        "offer_deleted": taken.deleted,
        "has_error_report": bool(taken.errors),
        "reason_status": taken.reason,
        "type": "MIRAKL",
    }


# ── prices ──────────────────────────────────────────────────────────────────────────────────


def take_price_file(asked: Asked) -> web.Response:
    """PRI01."""
    if asked.upload is None:
        raise ApiError.of(400, "The multipart part 'file' is missing")
    import_id = asked.change("import_prices", csv_text=asked.upload)
    path = f"/api/offers/pricing/imports?import_id={import_id}"
    return _taken(asked, path, {"import_id": import_id})


def list_price_imports(asked: Asked) -> web.Response:
    """PRI02."""
    wanted = asked.text("import_id")
    statuses = asked.among("status", STATUSES)
    page = asked.seek_page(("dateCreated",), most=LIMIT_MAX, default="dateCreated,DESC")
    imports = list(asked.marketplace.price_imports.imports.values())

    def fits(taken: PriceImport) -> bool:
        return wanted in {None, taken.import_id} and (not statuses or taken.status in statuses)

    places = asked.places(page, len(imports))
    rows, last = seek(places, imports.__getitem__, fits, page.limit)
    shown: list[Json] = [
        {
            "import_id": taken.import_id,
            "shop_id": asked.settings.shop_id,
            "date_created": second(taken.created_at),
            "status": taken.status,
            "reason_status": taken.reason,
            "origin": "API",
            "lines_in_success": taken.lines_in_success,
            "lines_in_error": len(taken.errors),
            "offers_updated": taken.offers_updated,
            "offers_in_error": taken.offers_in_error,
            "has_error_report": bool(taken.errors),
        }
        for taken in rows
    ]
    return _page(shown, page.token(last))


def price_import_errors(asked: Asked) -> web.Response:
    """PRI03: the line's number and the reason first, as in a stock report."""
    taken = asked.marketplace.price_imports.find(asked.path["import_id"])
    if not taken.errors:
        raise ApiError.of(404, f"Import {taken.import_id} has no error report")
    rows = [[error.line_number, error.message, *error.columns] for error in taken.errors]
    return csv_answer([["line", "error-message", *taken.columns], *rows])


def _taken(asked: Asked, path: str, body: Json) -> web.Response:
    location = URL(asked.url).join(URL(path))
    return answer(body, status=201, headers={"Location": str(location)})


def _page(rows: list[Json], token: str | None) -> web.Response:
    return answer({"data": rows, "next_page_token": token, "previous_page_token": None})
