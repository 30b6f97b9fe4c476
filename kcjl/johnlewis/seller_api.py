"""John Lewis Marketplace over Mirakl's seller API: every call of `MarketplacePort`.

Promises: reads return every page; each write is one request (OR04: one per 100 orders) and ends
as done, `Refused`, `Unavailable` (certainly not taken) or `OutcomeUnknown` (look first); calls
wait until their budget allows them. It keeps nothing between calls but those budgets, and tries
nothing twice. Invariant: Mirakl's words stop here and in the modules beside it: `wire.py` has
the fields; `records.py`, `order_records.py`, `parcels.py` and `shop_account.py` translate;
`tenant.py`, `reversals.py`, `returns.py` and `documents.py` have the calls of their areas;
`http.py` sends; `budget.py` waits.
Called by the actors through the port. Source: contract johnlewis b, c, d.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice

import aiohttp
import msgspec

from kcjl.calls.sync_log import SyncLog
from kcjl.clock import Clock
from kcjl.errors import Misuse, OutcomeUnknown, ProtocolSurprise
from kcjl.johnlewis import parcels, records, shop_account, wire
from kcjl.johnlewis.access import SellerApiSettings
from kcjl.johnlewis.account_calls import AccountCalls
from kcjl.johnlewis.asking import IDS_MAX, chunks, distinct_ids, moment, segment
from kcjl.johnlewis.budget import BUDGETS, Budget, TenantBudgets
from kcjl.johnlewis.documents import DocumentCalls
from kcjl.johnlewis.exports import Exports
from kcjl.johnlewis.http import SellerHttp
from kcjl.johnlewis.offers import OfferCalls
from kcjl.johnlewis.order_export import OrderExportCalls
from kcjl.johnlewis.order_port import OrdersUnreadable, UnreadableOrder
from kcjl.johnlewis.order_rows import order_rows
from kcjl.johnlewis.paging import PAGE_ROWS
from kcjl.johnlewis.parcel_calls import ParcelCalls
from kcjl.johnlewis.port import (
    BillingCycle,
    Order,
    Shipment,
    ShipmentRequest,
    StockFigure,
    StockImport,
    StockImportError,
    Tracking,
    TransactionLine,
)
from kcjl.johnlewis.reading import text
from kcjl.johnlewis.request import Answer, Call
from kcjl.johnlewis.returns import ReturnCalls
from kcjl.johnlewis.reversals import ReversalCalls
from kcjl.johnlewis.tenant import TenantCalls

__all__ = ["BUDGETS", "Budget", "SellerApi", "SellerApiSettings"]

REFERENCE_CHARACTERS_MAX = 2000
TRANSACTION_ROWS = 2000
CYCLE_ROWS = 1000


class SellerApi(
    TenantCalls,
    ReversalCalls,
    ReturnCalls,
    DocumentCalls,
    OfferCalls,
    OrderExportCalls,
    ParcelCalls,
    AccountCalls,
):
    """One shop of John Lewis Marketplace: the calls of every area."""

    def __init__(
        self,
        settings: SellerApiSettings,
        *,
        clock: Clock,
        session: aiohttp.ClientSession,
        sync_log: SyncLog | None = None,
        tenants: TenantBudgets | None = None,
    ) -> None:
        http = SellerHttp(
            settings, clock=clock, session=session, sync_log=sync_log, tenants=tenants
        )
        super().__init__(http, clock=clock, currency=settings.currency_default)
        self._settings = settings
        self._exports = Exports(settings, clock=clock, http=http)
        self.rates_are_percent = settings.rates_are_percent

    # ── offers and stock ────────────────────────────────────────────────────────────────────

    async def publish_stock(self, figures: Sequence[StockFigure]) -> str:
        """STO01. Raises `Misuse` for figures no stock file can hold."""
        call = Call(
            operation="STO01",
            method="POST",
            path="/api/offers/stock/imports",
            subject=f"of {len(figures)} lines",
            file=_stock_file(figures, self._settings.stock_lines_max),
        )
        answer = await self._http.send(call)
        try:
            told = wire.decoded(answer.body or b"{}", wire.WireImport, str(call)).import_id
        except ProtocolSurprise:
            told = None
        import_id = text(told) or (answer.location or "").rstrip("/").rpartition("/")[2]
        if not import_id:
            raise OutcomeUnknown(f"{call}: taken, but the answer does not say its import id")
        return import_id

    async def stock_import(self, import_id: str) -> StockImport:
        path = f"/api/offers/stock/imports/{segment(import_id)}/status"
        call = Call(operation="STO02", path=path, subject=f"of import {import_id}")
        return records.stock_import((await self._http.send(call)).body, import_id)

    async def stock_import_errors(self, import_id: str) -> Sequence[StockImportError]:
        call = Call(
            operation="STO03",
            path=f"/api/offers/stock/imports/{segment(import_id)}/error_report",
            subject=f"of import {import_id}",
            accept="text/csv, */*;q=0.5",
        )
        return records.stock_import_errors((await self._http.send(call)).body)

    # ── orders ──────────────────────────────────────────────────────────────────────────────

    async def orders_updated_since(self, since: datetime) -> Sequence[Order]:
        told = moment(since)
        rows = await self._orders(("start_update_date", told), f"updated since {told}")
        return _readable(rows, f"OR11 updated since {told}")

    async def orders_by_id(self, order_ids: Sequence[str]) -> Sequence[Order]:
        """OR11 by id; ids nobody knows are simply not in the answer."""
        found: list[Order | UnreadableOrder] = []
        wanted = distinct_ids(order_ids, "OR11")
        for chunk in chunks(wanted):
            subject = f"of {len(chunk)} orders from {chunk[0]} on"
            told = await self._orders(("order_ids", ",".join(chunk)), subject)
            found += [
                order
                for order in told
                if isinstance(order, UnreadableOrder) or order.order_id in chunk
            ]
        return _readable(found, f"OR11 of {len(wanted)} orders")

    async def _orders(
        self, which: tuple[str, str], subject: str
    ) -> Sequence[Order | UnreadableOrder]:
        call = Call(operation="OR11", path="/api/orders", query=(which,), subject=subject)
        return await self._http.offset_rows(call, lambda body: order_rows(body, self._currency))

    async def accept(self, order_id: str, decisions: Mapping[str, bool]) -> None:
        if not decisions:
            raise Misuse(f"OR21 of order {order_id}: no line is decided")
        asked = wire.WireAcceptance(
            order_lines=[
                wire.WireDecision(id=line, accepted=accepted)
                for line, accepted in decisions.items()
            ]
        )
        await self._put_order("OR21", order_id, "accept", msgspec.json.encode(asked))

    async def write_seller_references(self, references: Mapping[str, str]) -> Mapping[str, str]:
        """OR04. A reference that the marketplace would never take is not sent, but returned."""
        refused: dict[str, str] = {}
        sendable: dict[str, str] = {}
        for order_id, reference in references.items():
            if reference.strip() and len(reference) <= REFERENCE_CHARACTERS_MAX:
                sendable[order_id] = reference
            else:
                refused[order_id] = (
                    f"a reference has 1 to {REFERENCE_CHARACTERS_MAX} characters"
                )
        left = iter(sendable.items())
        while chunk := dict(islice(left, IDS_MAX)):
            refused |= await self._write_references(chunk)
        return refused

    async def _write_references(self, references: Mapping[str, str]) -> dict[str, str]:
        asked = [
            wire.WireOrderAsked(
                order_id=order_id,
                references=wire.WireReferenceAsked(order_reference_for_seller=reference),
            )
            for order_id, reference in references.items()
        ]
        call = Call(
            operation="OR04",
            method="PUT",
            path="/api/orders",
            subject=f"of {len(asked)} orders",
            json=msgspec.json.encode({"orders": asked}),
        )
        answer = await self._http.send(call)
        try:
            return records.reference_refusals(answer.body, tuple(references))
        except ProtocolSurprise as surprise:
            raise OutcomeUnknown(surprise.message) from None

    async def set_tracking(self, order_id: str, tracking: Tracking) -> None:
        asked = msgspec.json.encode(_tracking_asked(tracking))
        await self._put_order("OR23", order_id, "tracking", asked)

    async def ship(self, order_id: str) -> None:
        await self._put_order("OR24", order_id, "ship", None)

    async def _put_order(
        self, operation: str, order_id: str, action: str, asked: bytes | None
    ) -> None:
        """The all-or-nothing writes on one order: a 2xx is done, whatever it says (b.0)."""
        call = Call(
            operation=operation,
            method="PUT",
            path=f"/api/orders/{segment(order_id)}/{action}",
            subject=f"of order {order_id}",
            json=asked,
        )
        await self._http.send(call)

    # ── parcels ─────────────────────────────────────────────────────────────────────────────

    async def create_shipment(self, request: ShipmentRequest) -> Shipment:
        """ST01, one parcel a call: its errors name an order, so two can't be told apart."""
        if not request.lines or any(units < 1 for _, units in request.lines):
            raise Misuse(f"ST01 of order {request.order_id}: a parcel holds units of lines")
        asked = wire.WireShipmentAsked(
            order_id=request.order_id,
            shipment_lines=[
                wire.WireShipmentLineAsked(
                    order_line_id=line,
                    quantity=units,
                    package_reference=request.package_reference or None,
                )
                for line, units in request.lines
            ],
            tracking=_tracking_asked(request.tracking) if request.tracking else None,
            invoice_reference=request.invoice_reference or None,
            shipped=True,
        )
        call = Call(
            operation="ST01",
            method="POST",
            path="/api/shipments",
            subject=f"of order {request.order_id}",
            json=msgspec.json.encode({"shipments": [asked]}),
        )

        def made(answer: Answer) -> Shipment:
            return parcels.shipment_made(answer.body, request)

        try:
            return made(await self._http.send(call, judge=made))
        except ProtocolSurprise as surprise:
            raise OutcomeUnknown(surprise.message) from None

    async def shipments(self, order_id: str) -> Sequence[Shipment]:
        call = Call(
            operation="ST11",
            path="/api/shipments",
            subject=f"of order {order_id}",
            query=(("order_id", order_id), ("limit", str(PAGE_ROWS))),
        )
        told = await self._http.seek_rows(call, parcels.shipments)
        return [shipment for shipment in told if shipment.order_id in ("", order_id)]

    # ── the shop's account ──────────────────────────────────────────────────────────────────

    async def transaction_lines(self, updated_since: datetime) -> Sequence[TransactionLine]:
        call = Call(
            operation="TL02",
            path="/api/sellerpayment/transactions_logs",
            query=(
                ("last_updated_from", moment(updated_since)),
                ("sort", "lastUpdated,ASC"),
                ("limit", str(TRANSACTION_ROWS)),
            ),
        )
        lines = await self._http.seek_rows(
            call, lambda body: shop_account.transaction_lines(body, self._currency)
        )
        return sorted(lines, key=lambda line: line.updated_at)

    async def billing_cycles(self, created_since: datetime) -> Sequence[BillingCycle]:
        call = Call(
            operation="SBC11",
            path="/api/seller-billing-cycles",
            query=(
                ("start_date", moment(created_since)),
                *(("pay_out_state", state) for state in ("TO_PAY", "FAILED", "PAID")),
                ("limit", str(CYCLE_ROWS)),
            ),
        )
        return await self._http.seek_rows(
            call, lambda body: shop_account.billing_cycles(body, self._currency)
        )


def _readable(rows: Sequence[Order | UnreadableOrder], what: str) -> Sequence[Order]:
    """The orders, where all of them are. Raises `OrdersUnreadable` else."""
    read = [row for row in rows if isinstance(row, Order)]
    if unreadable := [row for row in rows if isinstance(row, UnreadableOrder)]:
        raise OrdersUnreadable(what, read=read, unreadable=unreadable)
    return read


def _stock_file(figures: Sequence[StockFigure], lines_max: int) -> bytes:
    """The columns exactly as STO01 names them; global quantities, so no warehouse."""
    if not 0 < len(figures) <= lines_max:
        raise Misuse(f"STO01: {len(figures)} lines; a stock file has 1 to {lines_max}")
    if len({figure.sku for figure in figures}) < len(figures):
        raise Misuse("STO01: a SKU stands on two lines, and the last would win unseen")
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(("offer-sku", "quantity", "warehouse-code", "update-delete"))
    for figure in figures:
        if not figure.sku.strip() or not figure.sku.isprintable() or figure.quantity < 0:
            raise Misuse(f"STO01: {figure.sku!r} × {figure.quantity} can't be published")
        writer.writerow((figure.sku, figure.quantity, "", ""))
    return file.getvalue().encode()


def _tracking_asked(tracking: Tracking) -> wire.WireTrackingAsked:
    return wire.WireTrackingAsked(
        carrier_code=tracking.carrier_code or None,
        carrier_name=tracking.carrier_name or None,
        tracking_number=tracking.tracking_number or None,
    )
