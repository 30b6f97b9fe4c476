"""The exports of the John Lewis face: OF51 to OF54, OR13 to OR15, TL03 to TL05.

Promises: what may be asked is checked as the contract has it (b.2, b.3, b.6): dates in pairs,
a year at most, chunks within their bounds; files have addresses on the host that was asked,
and are gone after their time. Rows look as in OF51, OR11 and TL02. It keeps nothing.
Called by the face's routes.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec
from aiohttp import web
from yarl import URL

from kcjl.sandbox.johnlewis.accounting import PAYMENT_STATES, transaction_view
from kcjl.sandbox.johnlewis.answers import Json, answer, encoded, instant
from kcjl.sandbox.johnlewis.asking import LIST_MAX, Asked
from kcjl.sandbox.johnlewis.csv_file import csv_answer
from kcjl.sandbox.johnlewis.offer_view import EXPORT_COLUMNS, export_cells, export_row
from kcjl.sandbox.johnlewis.order_view import OrderView
from kcjl.sandbox.johnlewis.orders import STATES
from kcjl.sandbox.marketplace import ApiError, Offer, Order, TransactionLine
from kcjl.sandbox.marketplace.exports import Export, ExportAsked, ExportKind, OfferSearch
from kcjl.sandbox.marketplace.search import OrderSearch, TransactionSearch

__all__ = [
    "OfferExportCall",
    "OrderExportCall",
    "TransactionExportCall",
    "export_offers",
    "export_status_of_offers",
    "export_status_of_orders",
    "export_status_of_transactions",
    "file_of_offers",
    "file_of_orders",
    "file_of_transactions",
    "start_offer_export",
    "start_order_export",
    "start_transaction_export",
]

FILES_PATH = "/export-files"
WINDOW_MAX = timedelta(days=366)
CHUNK_ITEMS_MAX = 1_000_000
CHUNK_MEGABYTES_MAX = 1024
DELIMITERS = {"COMMA": ",", "SEMICOLON": ";"}


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the bodies; fields that are not known are ignored."""

    items_per_chunk: int | None = None
    megabytes_per_chunk: int | None = None


class OfferExportCall(Body, frozen=True, kw_only=True):
    """OF52's body."""

    export_type: Literal["text/csv", "application/json"] | None = None
    last_request_date: str | None = None
    include_inactive_offers: bool | None = None
    include_fields: list[str] | None = None
    models: list[str] | None = None


class OrderExportCall(Body, frozen=True, kw_only=True):
    """OR13's body."""

    start_date: str | None = None
    end_date: str | None = None
    start_update_date: str | None = None
    end_update_date: str | None = None
    order_state_codes: list[str] | None = None
    channel_codes: list[str] | None = None
    order_tax_mode: Literal["TAX_INCLUDED", "TAX_EXCLUDED"] | None = None


class TransactionExportCall(Body, frozen=True, kw_only=True):
    """TL03's body: TL02's filters and the voucher."""

    format: Literal["JSON", "NDJSON"] | None = None
    last_updated_from: str | None = None
    date_created_from: str | None = None
    date_created_to: str | None = None
    transaction_date_from: str | None = None
    transaction_date_to: str | None = None
    seller_billing_cycle_id: list[str] | None = None
    payment_state: list[str] | None = None
    payment_voucher_number: list[str] | str | None = None
    transaction_type: list[str] | None = None
    order_id: list[str] | None = None
    order_line_id: list[str] | None = None
    order_reference_for_customer: list[str] | None = None
    order_reference_for_seller: list[str] | None = None
    accounting_document_number: list[str] | None = None
    accounting_document_id: list[str] | None = None


# ── asking ──────────────────────────────────────────────────────────────────────────────────


def start_offer_export(asked: Asked) -> web.Response:
    """OF52."""
    body = asked.decoded(OfferExportCall)
    search = OfferSearch(
        changed_since=_moment("last_request_date", body.last_request_date),
        with_inactive=bool(body.include_inactive_offers),
    )
    form: Literal["csv", "json"] = "json" if body.export_type == "application/json" else "csv"
    fields = tuple(name.replace("-", "_") for name in body.include_fields or ())
    models = _within("models", body.models)
    known = not models or asked.settings.shop_model in models
    if not known:
        raise ApiError.of(400, f"models: the shop is a {asked.settings.shop_model} shop")
    wanted = ExportAsked(kind="offers", form=form, offers=search, fields=fields)
    return _start(asked, wanted, body)


def start_order_export(asked: Asked) -> web.Response:
    """OR13."""
    body = asked.decoded(OrderExportCall)
    created = _window("start_date", body.start_date, "end_date", body.end_date)
    updated = _window(
        "start_update_date", body.start_update_date, "end_update_date", body.end_update_date
    )
    if created is None and updated is None:
        raise ApiError.of(400, "At least one range of dates is needed")
    states = _within("order_state_codes", body.order_state_codes)
    for state in states:
        if state not in STATES:
            raise ApiError.of(400, f"order_state_codes: '{state}' is not an allowed value")
    channels = _within("channel_codes", body.channel_codes)
    if channels and asked.settings.channel_code not in channels:
        states = ("NONE_OF_THIS_CHANNEL",)
    search = OrderSearch(
        states=states,
        created_from=created[0] if created else None,
        created_to=created[1] if created else None,
        updated_from=updated[0] if updated else None,
        updated_to=updated[1] if updated else None,
    )
    wanted = ExportAsked(kind="orders", orders=search, tax_mode=body.order_tax_mode)
    return _start(asked, wanted, body)


def start_transaction_export(asked: Asked) -> web.Response:
    """TL03."""
    body = asked.decoded(TransactionExportCall)
    states = _within("payment_state", body.payment_state)
    for state in states:
        if state not in PAYMENT_STATES:
            raise ApiError.of(400, f"payment_state: '{state}' is not an allowed value")
    vouchers = body.payment_voucher_number
    search = TransactionSearch(
        updated_from=_moment("last_updated_from", body.last_updated_from),
        created_from=_moment("date_created_from", body.date_created_from),
        created_to=_moment("date_created_to", body.date_created_to),
        transaction_from=_moment("transaction_date_from", body.transaction_date_from),
        transaction_to=_moment("transaction_date_to", body.transaction_date_to),
        cycle_ids=_within("seller_billing_cycle_id", body.seller_billing_cycle_id),
        payment_states=states,
        kinds=_within("transaction_type", body.transaction_type),
        order_ids=_within("order_id", body.order_id),
        order_line_ids=_within("order_line_id", body.order_line_id),
        customer_references=_within(
            "order_reference_for_customer", body.order_reference_for_customer
        ),
        seller_references=_within(
            "order_reference_for_seller", body.order_reference_for_seller
        ),
        document_numbers=_within("accounting_document_number", body.accounting_document_number),
        document_ids=_within("accounting_document_id", body.accounting_document_id),
    )
    wanted = ExportAsked(
        kind="transactions",
        form="ndjson" if body.format == "NDJSON" else "json",
        transactions=search,
        vouchers=_within(
            "payment_voucher_number", [vouchers] if isinstance(vouchers, str) else vouchers
        ),
    )
    return _start(asked, wanted, body)


def _start(asked: Asked, wanted: ExportAsked, body: Body) -> web.Response:
    settings = asked.settings
    items = body.items_per_chunk
    least = settings.export_chunk_items_least
    if items is not None and not least <= items <= CHUNK_ITEMS_MAX:
        raise ApiError.of(400, f"items_per_chunk: from {least} to {CHUNK_ITEMS_MAX}")
    megabytes = body.megabytes_per_chunk
    least_mb = settings.export_chunk_megabytes_least
    if megabytes is not None and not least_mb <= megabytes <= CHUNK_MEGABYTES_MAX:
        raise ApiError.of(400, f"megabytes_per_chunk: from {least_mb} to {CHUNK_MEGABYTES_MAX}")
    wanted = msgspec.structs.replace(
        wanted,
        chunk_items=items or wanted.chunk_items,
        chunk_megabytes=megabytes or wanted.chunk_megabytes,
    )
    tracking_id = asked.change("start_export", asked=msgspec.to_builtins(wanted))
    return answer({"tracking_id": tracking_id})


def _within(name: str, values: Sequence[str] | None) -> tuple[str, ...]:
    if values is not None and len(values) > LIST_MAX:
        raise ApiError.of(400, f"{name}: at most {LIST_MAX} values are allowed")
    return tuple(values or ())


def _moment(name: str, written: str | None) -> datetime | None:
    if not written:
        return None
    try:
        moment = datetime.fromisoformat(written)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ApiError.of(400, f"{name}: '{written[:40]}' is not an ISO 8601 date") from None


def _window(
    start: str, since: str | None, end: str, until: str | None
) -> tuple[datetime, datetime] | None:
    """A range of dates; both or none, a year at most."""
    begins, ends = _moment(start, since), _moment(end, until)
    if begins is None and ends is None:
        return None
    if begins is None or ends is None:
        raise ApiError.of(400, f"{start} and {end} go together")
    if ends < begins:
        raise ApiError.of(400, f"{end} is before {start}")
    if ends - begins > WINDOW_MAX:
        raise ApiError.of(400, f"{start} to {end}: at most one year")
    return begins, ends


# ── polling ─────────────────────────────────────────────────────────────────────────────────


def export_status_of_offers(asked: Asked) -> web.Response:
    """OF53."""
    export = _asked_export(asked, "offers")
    body: Json = {"status": export.status, "last_updated": instant(export.updated_at)}
    if export.error is not None:
        body["error"] = {"code": export.error[0], "detail": export.error[1]}
    if export.status == "COMPLETED":
        body["urls"] = _urls(asked, export)
    return answer(body)


def export_status_of_orders(asked: Asked) -> web.Response:
    """OR14."""
    return _status(asked, _asked_export(asked, "orders"))


def export_status_of_transactions(asked: Asked) -> web.Response:
    """TL04."""
    return _status(asked, _asked_export(asked, "transactions"))


def _status(asked: Asked, export: Export) -> web.Response:
    body = {
        "last_updated": instant(export.updated_at),
        "status": export.status,
        "urls": _urls(asked, export),
    }
    return answer(body)


def _asked_export(asked: Asked, kind: ExportKind) -> Export:
    return asked.marketplace.exports.find(kind, asked.path["tracking_id"])


def _urls(asked: Asked, export: Export) -> list[str]:
    root = URL(asked.url).origin()
    path = f"{FILES_PATH}/{export.asked.kind}/{export.tracking_id}"
    return [str(root.with_path(f"{path}/{number + 1}")) for number in range(export.chunks)]


# ── files ───────────────────────────────────────────────────────────────────────────────────


def file_of_offers(asked: Asked) -> web.Response:
    """OF54."""
    export, rows = _asked_file(asked, "offers")
    offers = [row for row in rows if isinstance(row, Offer)]
    if export.asked.form == "csv":
        return _offer_csv(asked, offers, export.updated_at, export.asked.fields)
    fields = frozenset(export.asked.fields)
    shown = [
        {name: value for name, value in row.items() if not fields or name in fields}
        for row in (export_row(asked.settings, offer, export.updated_at) for offer in offers)
    ]
    return answer({"offers": shown} if asked.settings.offer_export_in_object else shown)


def file_of_orders(asked: Asked) -> web.Response:
    """OR15."""
    export, rows = _asked_file(asked, "orders")
    view = OrderView(asked.marketplace, export.asked.tax_mode)
    return answer({"orders": [view.order(row) for row in rows if isinstance(row, Order)]})


def file_of_transactions(asked: Asked) -> web.Response:
    """TL05."""
    export, rows = _asked_file(asked, "transactions")
    shown = [transaction_view(asked, row) for row in rows if isinstance(row, TransactionLine)]
    if export.asked.form == "ndjson":
        body = b"".join(encoded(row) + b"\n" for row in shown)
        return web.Response(body=body, content_type="application/x-ndjson", charset="UTF-8")
    return answer({"data": shown})


def _asked_file(
    asked: Asked, kind: ExportKind
) -> tuple[Export, Sequence[Offer | Order | TransactionLine]]:
    written = asked.path["number"]
    if not (written.isascii() and written.isdigit()) or len(written) > 6:  # noqa: PLR2004 - digits that no number of ours has
        raise ApiError.of(404, "There is no such file")
    return asked.marketplace.exports.rows(kind, asked.path["tracking_id"], int(written))


def export_offers(asked: Asked) -> web.Response:
    """OF51."""
    search = OfferSearch(
        changed_since=asked.moment("last_request_date"),
        with_inactive=bool(asked.flag("include_inactive_offers")),
    )
    offers = asked.marketplace.exports.offers(search)
    return _offer_csv(asked, offers, asked.marketplace.agenda.now, ())


def _offer_csv(
    asked: Asked, offers: Sequence[Offer], now: datetime, fields: Sequence[str]
) -> web.Response:
    custom = {code: None for offer in offers for code in offer.additional_fields}
    columns = [*EXPORT_COLUMNS, *(code for code in custom if code not in EXPORT_COLUMNS)]
    if fields:
        columns = [name for name in columns if name.replace("-", "_") in fields]
    rows = [export_cells(asked.settings, offer, now) for offer in offers]
    written = [[row.get(column, "") for column in columns] for row in rows]
    return csv_answer([columns, *written], delimiter=DELIMITERS[asked.settings.csv_delimiter])
