"""John Lewis Marketplace behind its port, as the sandbox's model of it and nothing else.

Promises: implements `kcjl.rooms.Marketplace`; a call gives the record, or the error, that the
seller API's adapter would give over the sandbox's HTTP face for the same world (compared by a
test); call budgets are kept and call limits are the face's. It keeps nothing but budgets, so a
process has its own. Invariant: everything is changed through `World.change`.
Called by the rooms of the simulation.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from kcjl.clock import Clock
from kcjl.errors import Misuse, RateLimited, Refused
from kcjl.johnlewis import invoices as invoice_records
from kcjl.johnlewis import offer_records, parcels, returns, shop_account, tenant_records
from kcjl.johnlewis import port as shop
from kcjl.johnlewis.account_port import Invoice
from kcjl.johnlewis.asking import chunks, distinct_ids
from kcjl.johnlewis.budget import Budget, CallBudgets, TenantBudgets
from kcjl.johnlewis.export_port import Export, ExportMemory
from kcjl.johnlewis.parcel_port import ShipmentOutcome, ShipmentOutcomeKind
from kcjl.johnlewis.reading import words_of_refusal
from kcjl.johnlewis.reversal_port import CancelationRequest, RefundRequest, ReversalMade
from kcjl.johnlewis.splitting import CsvRows
from kcjl.johnlewis.tenant_port import (
    Reason,
    ShopStatistics,
    StatisticsPeriod,
    TaxCode,
    TenantProfile,
)
from kcjl.sandbox.johnlewis import lists, orders
from kcjl.sandbox.johnlewis import shop as tenant
from kcjl.sandbox.johnlewis.account_statistics import account_statistics
from kcjl.sandbox.johnlewis.accounting import invoice_file, list_cycles, list_invoices
from kcjl.sandbox.johnlewis.answers import encoded
from kcjl.sandbox.johnlewis.asking import Operation
from kcjl.sandbox.johnlewis.exports import export_offers
from kcjl.sandbox.johnlewis.limits import CallLimits
from kcjl.sandbox.johnlewis.returns import list_returns
from kcjl.sandbox.marketplace import ApiError
from kcjl.sandbox.marketplace.records import Cancelation, Refund
from kcjl.sandbox.marketplace.search import OrderSearch, find_orders
from kcjl.sandbox.world import World
from tests.simulation.faults import ClockShift
from tests.simulation.mishaps import Mishaps
from tests.simulation.outside_account import body_of, shown_line, shown_offer
from tests.simulation.outside_door import Door, Reading, stamp_of, widest
from tests.simulation.outside_orders import ShownOrders, shown_shipment
from tests.simulation.outside_writing import (
    cell,
    only,
    parcel_asked,
    refusals,
    reversal_asked,
    reversal_told,
    stock_file,
    tracking_asked,
)

__all__ = ["SimulatedMarketplace"]

T = TypeVar("T")

REFERENCE_CHARACTERS_MAX = 2000
INVOICES_PAGE = 100
EXPORT_BATCH = 5
"""Orders handed over at once: small, so that there are batches at all."""


class SimulatedMarketplace:
    """One process's way into the marketplace."""

    def __init__(
        self,
        world: World,
        mishaps: Mishaps,
        clock: Clock,
        *,
        shifts: Sequence[ClockShift] = (),
        limits: CallLimits | None = None,
        shown: ShownOrders | None = None,
        budgets: Mapping[str, tuple[Budget, ...]] | None = None,
    ) -> None:
        """`limits` and `shown` are the world's: hand the same to each process of a run."""
        self._world = world
        self._marketplace = world.marketplace
        self._mishaps = mishaps
        self._clock = clock
        self._door = Door("johnlewis", world, mishaps, clock)
        self._stamp = stamp_of(shifts, world.starts_at)
        self._widest = widest(shifts)
        self._shown = shown or ShownOrders(world.marketplace, self._stamp)
        self._limits = limits or CallLimits(world.marketplace)
        self._key = world.marketplace.settings.api_keys[0]
        self._budgets: CallBudgets = TenantBudgets(clock).of("https://simulated", budgets or {})
        self._currency = world.marketplace.settings.currency

    # ── the tenant ──────────────────────────────────────────────────────────────────────────

    async def ping(self) -> None:
        await self._read("V01", lambda: None)

    async def account(self) -> shop.Account:
        body = await self._face("A01", tenant.account)
        return tenant_records.account(body, self._currency)

    async def platform(self) -> shop.Platform:
        return tenant_records.platform(await self._face("PC01", tenant.platform))

    async def carriers(self) -> Sequence[shop.Carrier]:
        return tenant_records.carriers(await self._face("SH21", tenant.carriers))

    async def shipping_types(self) -> Sequence[shop.ShippingType]:
        return tenant_records.shipping_types(await self._face("SH12", tenant.shipping_types))

    async def reasons(self) -> Sequence[Reason]:
        return tenant_records.reasons(await self._face("RE01", orders.list_reasons))

    async def order_taxes(self) -> Sequence[TaxCode]:
        return tenant_records.order_taxes(await self._face("OR75", lists.order_taxes))

    async def tenant_profile(self) -> TenantProfile:
        began = self._clock.now()
        account = await self.account()
        platform = await self.platform()
        carriers = tuple(await self.carriers())
        shipping_types = tuple(await self.shipping_types())
        reasons = tuple(await self.reasons())
        return TenantProfile(
            account=account,
            platform=platform,
            carriers=carriers,
            shipping_types=shipping_types,
            reasons=reasons,
            taxes=tuple(await self.order_taxes()),
            read_at=began,
        )

    async def statistics(self, periods: Sequence[StatisticsPeriod] = ()) -> ShopStatistics:
        query = [("periods", ",".join(periods))] if periods else []
        body = await self._read(
            "A21", lambda: body_of(self._marketplace, account_statistics, query)
        )
        return tenant_records.statistics(body, rates_are_percent=False)

    # ── offers and stock ────────────────────────────────────────────────────────────────────

    async def offers(self) -> Sequence[shop.Offer]:
        def rows() -> list[shop.Offer]:
            settings, now = self._marketplace.settings, self._stamp(self._clock.now())
            listed = self._marketplace.catalogue.in_order("productTitle")
            return [shown_offer(offer, settings, now) for offer in listed]

        reading = Reading(rows, lambda offer: offer.offer_id, recall="all")
        return await self._rows("OF21", reading)

    async def offer_changes(self, since: datetime) -> Sequence[shop.OfferChange]:
        def look() -> list[shop.OfferChange]:
            query = [("last_request_date", since.isoformat())]
            rows = CsvRows(what="OF51")
            cells = rows.feed(body_of(self._marketplace, export_offers, query))
            return [
                offer_records.change_of_cells(each, self._currency, "OF51")
                for each in (*cells, *rows.finish())
            ]

        return await self._read("OF51", look)

    async def publish_stock(self, figures: Sequence[shop.StockFigure]) -> str:
        text = stock_file(figures)
        taken = await self._change("STO01", "import_stock", csv_text=text)
        return str(taken)

    async def stock_import(self, import_id: str) -> shop.StockImport:
        def look() -> shop.StockImport:
            with refusals("STO02"):
                found = self._marketplace.catalogue.stock_import(import_id)
            return shop.StockImport(
                import_id=found.import_id,
                status=shop.StockImportStatus(found.status),
                lines_in_success=found.lines_in_success,
                lines_in_error=len(found.errors),
                has_error_report=bool(found.errors),
            )

        return await self._read("STO02", look, recall=import_id)

    async def stock_import_errors(self, import_id: str) -> Sequence[shop.StockImportError]:
        def look() -> tuple[shop.StockImportError, ...]:
            with refusals("STO03"):
                found = self._marketplace.catalogue.stock_import(import_id)
                if not found.errors:
                    raise ApiError.of(404, f"Import {import_id} has no error report")
            return tuple(
                shop.StockImportError(
                    line_number=error.line_number,
                    sku=cell(found.columns, error.columns, "offer-sku"),
                    message=error.message,
                )
                for error in found.errors
            )

        return await self._read("STO03", look)

    # ── orders ──────────────────────────────────────────────────────────────────────────────

    async def orders_updated_since(self, since: datetime) -> Sequence[shop.Order]:
        asked = since.replace(microsecond=0)

        def rows() -> list[shop.Order]:
            settings = self._marketplace.settings
            first = asked - timedelta(seconds=settings.boundary_overlap_s)
            search = OrderSearch(updated_from=first - self._widest)
            found = map(self._shown.of, find_orders(self._marketplace.book, search))
            return [order for order in found if order.updated_at >= first]

        def older(now: list[shop.Order], at: datetime) -> list[shop.Order]:
            shown = self._stamp(at)
            before = (self._shown.as_of(order, shown) for order in now)
            first = asked - timedelta(seconds=self._marketplace.settings.boundary_overlap_s)
            return [order for order in before if order and order.updated_at >= first]

        reading = Reading(rows, lambda order: order.order_id, older=older)
        return await self._rows("OR11", reading)

    async def orders_caught_up(
        self, since: datetime, until: datetime, *, memory: ExportMemory | None = None
    ) -> AsyncGenerator[Sequence[shop.Order], None]:
        """As one list; an order that moves on while it is made is left out, as theirs is."""
        first = since.replace(microsecond=0)
        last = until + timedelta(microseconds=-until.microsecond % 1_000_000)

        def rows() -> list[shop.Order]:
            search = OrderSearch(
                updated_from=first - self._widest, updated_to=last + self._widest
            )
            found = map(self._shown.of, find_orders(self._marketplace.book, search))
            return [order for order in found if first <= order.updated_at <= last]

        def older(now: list[shop.Order], at: datetime) -> list[shop.Order]:
            before = (self._shown.as_of(order, self._stamp(at)) for order in now)
            return [order for order in before if order and order.updated_at >= first]

        reading = Reading(rows, lambda order: order.order_id, older=older)
        name = f"OR13 {since} {until}"
        if memory is not None and await memory.kept(name) is None:
            await memory.keep(name, Export(operation="OR13", tracking_id=name, asked_at=until))
        found = await self._rows("OR13", reading)
        for start in range(0, len(found), EXPORT_BATCH):
            yield found[start : start + EXPORT_BATCH]

    async def orders_by_id(self, order_ids: Sequence[str]) -> Sequence[shop.Order]:
        found: list[shop.Order] = []
        for chunk in chunks(distinct_ids(order_ids, "OR11")):
            wanted = tuple(chunk)

            def rows(wanted: tuple[str, ...] = wanted) -> list[shop.Order]:
                book = self._marketplace.book
                return [self._shown.of(order) for order in book.in_creation_order(wanted)]

            reading = Reading(rows, lambda order: order.order_id, recall=wanted)
            found += await self._rows("OR11", reading)
        return found

    async def accept(self, order_id: str, decisions: Mapping[str, bool]) -> None:
        if not decisions:
            raise Misuse(f"OR21 of order {order_id}: no line is decided")
        said = [{"id": line, "accepted": yes} for line, yes in decisions.items()]
        await self._change("OR21", "accept", order_id=order_id, decisions=said)

    async def write_seller_references(self, references: Mapping[str, str]) -> Mapping[str, str]:
        refused: dict[str, str] = {}
        sendable: list[dict[str, str | None]] = []
        for order_id, reference in references.items():
            if reference.strip() and len(reference) <= REFERENCE_CHARACTERS_MAX:
                item = {"order_id": order_id, "order_reference_for_seller": reference}
                sendable.append({**item})
            else:
                refused[order_id] = (
                    f"a reference has 1 to {REFERENCE_CHARACTERS_MAX} characters"
                )
        for chunk in chunks(sendable):
            outcomes = await self._change("OR04", "write_references", references=chunk)
            if not isinstance(outcomes, list):
                raise TypeError("OR04 answered with something else than outcomes")
            for order_id, error in outcomes:
                if error is not None:
                    refused[order_id] = words_of_refusal(encoded(error.body["errors"]))[0]
        return refused

    async def set_tracking(self, order_id: str, tracking: shop.Tracking) -> None:
        said = tracking_asked(tracking)
        await self._change("OR23", "set_tracking", order_id=order_id, tracking=said)

    async def ship(self, order_id: str) -> None:
        await self._change("OR24", "ship", order_id=order_id)

    # ── reversals ───────────────────────────────────────────────────────────────────────────

    async def refund(self, request: RefundRequest) -> ReversalMade:
        said = {
            **reversal_asked(request),
            "excluded_from_shipment": request.excluded_from_shipment,
        }
        made = await self._change(
            "OR28", "refund", refunds=[said], order_tax_mode=request.tax_mode
        )
        return reversal_told(request, only(made, Refund).refund_id)

    async def cancel_line(self, request: CancelationRequest) -> ReversalMade:
        said = reversal_asked(request)
        made = await self._change(
            "OR30", "cancel_lines", cancelations=[said], order_tax_mode=request.tax_mode
        )
        return reversal_told(request, only(made, Cancelation).cancelation_id)

    async def cancel_order(self, order_id: str) -> None:
        await self._change("OR29", "cancel", order_id=order_id)

    # ── parcels ─────────────────────────────────────────────────────────────────────────────

    async def create_shipment(self, request: shop.ShipmentRequest) -> shop.Shipment:
        if not request.lines or any(units < 1 for _, units in request.lines):
            raise Misuse(f"ST01 of order {request.order_id}: a parcel holds units of lines")
        written = parcel_asked(request)

        def change() -> shop.Shipment:
            with refusals("ST01"):
                self._marketplace.parcels.require_shipments()
                made = self._world.change(
                    "johnlewis", "create_shipments", {"shipments": [written]}
                )
            if not isinstance(made, list):
                raise TypeError("ST01 answered with something else than outcomes")
            (outcome,) = made
            if outcome.shipment is None:
                raise Refused(
                    f"ST01 of order {request.order_id} was refused: {outcome.message}",
                    status=201,
                )
            return parcels._as_asked(shown_shipment(outcome.shipment, self._stamp), request)

        return await self._write("ST01", change)

    async def set_shipment_tracking(
        self, trackings: Mapping[str, shop.Tracking]
    ) -> Sequence[ShipmentOutcome]:
        said = [
            {"id": shipment_id, "tracking": tracking_asked(tracking)}
            for shipment_id, tracking in trackings.items()
        ]
        told = await self._change("ST23", "track_shipments", shipments=said)
        if not isinstance(told, list):
            raise TypeError("ST23 answered with something else than outcomes")
        return tuple(
            ShipmentOutcome(
                shipment_id=each.key,
                kind=ShipmentOutcomeKind.REFUSED
                if each.shipment is None
                else ShipmentOutcomeKind.DONE,
                message=each.message or "",
            )
            for each in told
        )

    async def shipments(self, order_id: str) -> Sequence[shop.Shipment]:
        def rows() -> list[shop.Shipment]:
            with refusals("ST11"):
                self._marketplace.parcels.require_shipments()
            book = self._marketplace.book
            return [
                shown_shipment(each, self._stamp)
                for each in book.shipments_of.get(order_id, ())
                if not each.is_deleted
            ]

        reading = Reading(rows, lambda each: each.shipment_id, recall=order_id)
        return await self._rows("ST11", reading)

    async def returns(self, wanted: shop.ReturnFilter) -> Sequence[shop.Return]:
        since = (wanted.updated_from or self._world.starts_at).isoformat()

        def rows() -> list[shop.Return]:
            found: list[shop.Return] = []
            token: str | None = None
            while True:
                query = [("return_last_updated_from", since), ("limit", "100")]
                query += [("page_token", token)] if token else []
                page = returns.returns_page(body_of(self._marketplace, list_returns, query))
                found += [row for _, row in page.rows]
                token = page.next_token
                if token is None:
                    return found

        reading = Reading(rows, lambda each: each.return_id, recall=since)
        return await self._rows("RT11", reading)

    # ── the shop's account ──────────────────────────────────────────────────────────────────

    async def transaction_lines(
        self, updated_since: datetime
    ) -> Sequence[shop.TransactionLine]:
        asked = updated_since.replace(microsecond=0)

        def rows() -> list[shop.TransactionLine]:
            ledger, book = self._marketplace.ledger, self._marketplace.book
            settings = self._marketplace.settings
            index = ledger.by_update
            places = index.current(index.between(asked - self._widest, None))
            lines = (ledger.lines[index.key_at(place)] for place in places)
            shown = (
                shown_line(
                    line,
                    book.orders[line.order_id] if line.order_id else None,
                    settings,
                    self._stamp,
                )
                for line in lines
            )
            return [line for line in shown if line.updated_at >= asked]

        def older(now: list[shop.TransactionLine], at: datetime) -> list[shop.TransactionLine]:
            shown = self._stamp(at)
            return [line for line in now if line.updated_at < shown]

        reading = Reading(rows, lambda line: line.line_id, older=older, has_order=True)
        lines = await self._rows("TL02", reading)
        return sorted(lines, key=lambda line: line.updated_at)

    async def billing_cycles(self, created_since: datetime) -> Sequence[shop.BillingCycle]:
        told = created_since.replace(microsecond=0)
        states = [("pay_out_state", state) for state in ("TO_PAY", "FAILED", "PAID")]

        def rows() -> list[shop.BillingCycle]:
            if not self._marketplace.cycles:
                return []
            query = [("start_date", (told - self._widest).isoformat()), *states]
            body = body_of(self._marketplace, list_cycles, [*query, ("limit", "1000")])
            page = shop_account.billing_cycles(body, self._currency)
            return [cycle for _, cycle in page.rows]

        reading = Reading(rows, lambda cycle: cycle.cycle_id, recall=told)
        return await self._rows("SBC11", reading)

    async def invoices(
        self, since: datetime | None = None, *, cycle_ids: Sequence[str] = ()
    ) -> Sequence[Invoice]:
        def rows() -> tuple[Invoice, ...]:
            query = [
                ("type", "ALL"),
                *(("seller_billing_cycle_id", each) for each in cycle_ids),
            ]
            if since is not None:
                asked = since.replace(microsecond=0) - self._widest
                query.append(("start_date", asked.isoformat()))
            found: list[Invoice] = []
            while True:
                part = [*query, ("max", "100"), ("offset", str(len(found)))]
                body = body_of(self._marketplace, list_invoices, part)
                page = invoice_records.invoices(body, self._currency)
                found += [invoice for _, invoice in page.rows]
                if len(page.rows) < INVOICES_PAGE:
                    return tuple(found)

        return await self._read("IV01", rows)

    async def invoice_document(self, invoice_id: int) -> bytes:
        def look() -> bytes:
            return body_of(
                self._marketplace, invoice_file, path={"invoice_id": str(invoice_id)}
            )

        return await self._read("IV02", look)

    # ── calls ───────────────────────────────────────────────────────────────────────────────

    async def _read(
        self, operation: str, look: Callable[[], T], recall: str | None = None
    ) -> T:
        await self._turn(operation)

        def allowed() -> T:
            self._ask(operation)
            return look()

        return await self._door.read(operation, allowed, recall)

    async def _face(self, operation: str, carry_out: Operation) -> bytes:
        """What is read once a day, by the face's own operation."""
        return await self._read(operation, lambda: body_of(self._marketplace, carry_out))

    async def _rows(self, operation: str, reading: Reading[T]) -> list[T]:
        await self._turn(operation)
        look = reading.rows
        asked = False

        def allowed() -> list[T]:
            nonlocal asked
            if not asked:
                self._ask(operation)
                asked = True
            return look()

        reading.rows = allowed
        return await self._door.rows(operation, reading)

    async def _write(self, operation: str, change: Callable[[], T]) -> T:
        await self._turn(operation)

        def allowed() -> T:
            self._ask(operation)
            return change()

        return await self._door.write(operation, allowed)

    async def _change(self, operation: str, name: str, **arguments: object) -> object:
        def change() -> object:
            with refusals(operation):
                return self._world.change("johnlewis", name, arguments)

        return await self._write(operation, change)

    async def _turn(self, operation: str) -> None:
        turn = await self._budgets.turn(operation)
        self._budgets.answered(turn)

    def _ask(self, operation: str) -> None:
        """The face's call limit: a process that has just begun knows of no earlier calls."""
        now = self._marketplace.agenda.now
        wait_s = self._limits.ask(self._key, operation, now, is_page=False)
        if wait_s is not None:
            held_s = self._budgets.hold(operation, float(wait_s))
            raise RateLimited(f"{operation}: answered 429", retry_after_s=held_s)
