"""The marketplace, small and in memory: it means what it says, and keeps what it took.

It knows only what the rooms' tests need; the sandbox is the full one. No time passes in it by
itself.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from kcjl.clock import Clock
from kcjl.errors import NotFound, Refused
from kcjl.johnlewis import port as shop
from kcjl.johnlewis.account_port import Invoice
from kcjl.johnlewis.export_port import Export, ExportMemory
from kcjl.johnlewis.order_port import Cancelation, OrderTracking, Refund
from kcjl.johnlewis.parcel_port import ShipmentOutcome, ShipmentOutcomeKind
from kcjl.johnlewis.reversal_port import (
    CancelationRequest,
    RefundRequest,
    ReversalMade,
    ReversalRequest,
)
from kcjl.johnlewis.tenant_port import (
    Reason,
    ShopStatistics,
    Statistic,
    StatisticsPeriod,
    TenantProfile,
)
from tests.outside.mishaps import Mishaps
from tests.trade import SHIPPING, WAITING, at, gbp

BUYER = shop.Address(
    first_name="Wilhelmina",
    last_name="Featherstonehaugh",
    street_1="17 Larkspur Crescent",
    postcode="ZZ9 9ZZ",
    city="Little Snoring",
    country_code="GBR",
    phone="07700900123",
)
EMAIL = "wilhelmina@example.org"


def marketplace_line(
    line_id: str = "O1-1", sku: str = "A-1", quantity: int = 2, state: str = WAITING
) -> shop.OrderLine:
    return shop.OrderLine(
        line_id=line_id,
        sku=sku,
        title="A lamp",
        category_code="lamps",
        quantity=quantity,
        unit_price=gbp(1_000),
        price=gbp(1_000 * quantity),
        shipping_price=gbp(0),
        commission=gbp(300),
        commission_tax=gbp(60),
        state=shop.OrderState(state),
    )


def marketplace_order(
    order_id: str = "O1", *lines: shop.OrderLine, state: str = WAITING, minutes: float = 0
) -> shop.Order:
    lines = lines or (marketplace_line(f"{order_id}-1", state=state),)
    total = sum((line.price for line in lines), gbp(0))
    return shop.Order(
        order_id=order_id,
        commercial_id=f"C-{order_id}",
        customer_order_number=f"REF-{order_id}",
        seller_reference=None,
        state=shop.OrderState(state),
        state_raw=state,
        created_at=at(minutes),
        updated_at=at(minutes),
        ship_by=at(minutes + 48 * 60),
        currency="GBP",
        price=total,
        shipping_price=gbp(0),
        total_price=total,
        tax_mode="TAX_INCLUDED",
        shipping_type_code="STD",
        fulfilled_by_us=True,
        lines=lines,
        delivery_address=BUYER if state == SHIPPING else None,
        notification_email=EMAIL,
    )


class Shop:
    """The marketplace."""

    def __init__(self, clock: Clock) -> None:
        self.mishaps = Mishaps()
        self._clock = clock
        self.orders_there: dict[str, shop.Order] = {}
        self.offers_there: dict[str, int] = {}
        self.inactive: dict[str, tuple[str, ...]] = {}
        """SKU to the reasons why nobody can buy it."""
        self.changes_there: list[shop.OfferChange] = []
        """What a read of changes tells, whenever it is asked."""
        self.imports: dict[str, shop.StockImport] = {}
        self.import_errors: dict[str, tuple[shop.StockImportError, ...]] = {}
        self.shipments_there: list[shop.Shipment] = []
        self.references: dict[str, str] = {}
        self.refused_references: dict[str, str] = {}
        self.lines: list[shop.TransactionLine] = []
        self.cycles: list[shop.BillingCycle] = []
        self.invoices_there: list[Invoice] = []
        self.documents: dict[int, bytes] = {}
        """The PDF of an invoice; without one it is refused."""
        self.multi_shipment = True
        self.carriers_shown = 2
        self.has_export = True
        self.exports_asked: list[str] = []
        self.returns_there: list[shop.Return] = []
        self.model = "MARKETPLACE"
        self.accepts_by_itself = False
        self.tracked: dict[str, shop.Tracking] = {}
        self.metrics_there: dict[str, Decimal | None] = {}
        """What the operator measures of the shop, the same in every period."""
        self.balance = 1_000_000
        """Pence: a refund above it is refused."""
        self._reversals = 0

    def place(self, *orders: shop.Order) -> None:
        self.orders_there.update({order.order_id: order for order in orders})

    def set_state(self, order_id: str, state: str) -> None:
        order = self.orders_there[order_id]
        self.orders_there[order_id] = msgspec.structs.replace(
            order,
            state=shop.OrderState(state),
            state_raw=state,
            updated_at=self._clock.now(),
            delivery_address=BUYER if state == SHIPPING else order.delivery_address,
            lines=tuple(
                msgspec.structs.replace(line, state=shop.OrderState(state))
                for line in order.lines
            ),
        )

    async def ping(self) -> None:
        return

    async def account(self) -> shop.Account:
        return shop.Account(
            shop_id=1, shop_name="Acme", state="OPEN", model="MARKETPLACE", currency="GBP"
        )

    async def platform(self) -> shop.Platform:
        with self.mishaps.at("platform"):
            return shop.Platform(
                acceptance_is_automatic=False,
                multi_shipment=self.multi_shipment,
                listed_carriers_only=True,
                tax_mode="TAX_INCLUDED",
                timezone="Europe/London",
            )

    async def carriers(self) -> Sequence[shop.Carrier]:
        with self.mishaps.at("carriers"):
            return (
                shop.Carrier(code="dpd", label="DPD"),
                shop.Carrier(code="evri", label="Evri"),
            )[: self.carriers_shown]

    async def shipping_types(self) -> Sequence[shop.ShippingType]:
        return ()

    async def tenant_profile(self) -> TenantProfile:
        with self.mishaps.at("tenant_profile"):
            account = msgspec.structs.replace(await self.account(), model=self.model)
            platform = msgspec.structs.replace(
                await self.platform(), acceptance_is_automatic=self.accepts_by_itself
            )
            return TenantProfile(
                account=account,
                platform=platform,
                carriers=tuple(await self.carriers()),
                shipping_types=(
                    shop.ShippingType(code="STD", label="Standard", tracking_mandatory=True),
                ),
                reasons=(
                    Reason(code="17", label="Returned", kind="REFUND", usable_by_shop=True),
                    Reason(code="14", label="No answer", kind="REFUND", usable_by_shop=False),
                    Reason(code="34", label="Gone", kind="CANCELATION", usable_by_shop=True),
                ),
                taxes=(),
                read_at=self._clock.now(),
            )

    async def statistics(self, periods: Sequence[StatisticsPeriod] = ()) -> ShopStatistics:
        with self.mishaps.at("statistics"):
            return ShopStatistics(
                shop_id="1",
                updated_at=self._clock.now(),
                channel=None,
                figures=tuple(
                    Statistic(metric=metric, period=period.value, value=value)
                    for metric, value in self.metrics_there.items()
                    for period in periods
                ),
            )

    async def offers(self) -> Sequence[shop.Offer]:
        with self.mishaps.at("offers"):
            return [
                shop.Offer(
                    offer_id=number,
                    sku=sku,
                    quantity=units,
                    price=gbp(1),
                    active=sku not in self.inactive,
                    inactivity_reasons=self.inactive.get(sku, ()),
                )
                for number, (sku, units) in enumerate(self.offers_there.items())
            ]

    async def offer_changes(self, since: datetime) -> Sequence[shop.OfferChange]:
        with self.mishaps.at("offer_changes"):
            assert since.tzinfo is not None
            return list(self.changes_there)

    async def publish_stock(self, figures: Sequence[shop.StockFigure]) -> str:
        with self.mishaps.at("publish_stock"):
            import_id = str(len(self.imports) + 1)
            self.imports[import_id] = shop.StockImport(
                import_id=import_id, status=shop.StockImportStatus.COMPLETE
            )
            self.offers_there.update({each.sku: each.quantity for each in figures})
            return import_id

    async def stock_import(self, import_id: str) -> shop.StockImport:
        with self.mishaps.at("stock_import"):
            if import_id not in self.imports:
                raise NotFound(f"no import {import_id}")
            return self.imports[import_id]

    async def stock_import_errors(self, import_id: str) -> Sequence[shop.StockImportError]:
        with self.mishaps.at("stock_import_errors"):
            return self.import_errors.get(import_id, ())

    async def orders_updated_since(self, since: datetime) -> Sequence[shop.Order]:
        with self.mishaps.at("orders_updated_since"):
            return [each for each in self.orders_there.values() if each.updated_at >= since]

    async def orders_caught_up(
        self, since: datetime, until: datetime, *, memory: ExportMemory | None = None
    ) -> AsyncGenerator[Sequence[shop.Order], None]:
        with self.mishaps.at("orders_caught_up"):
            if not self.has_export:
                raise NotFound("OR13: Not Found")
            name = f"OR13 {since} {until}"
            if memory is not None and await memory.kept(name) is None:
                self.exports_asked.append(name)
                export = Export(operation="OR13", tracking_id="t-1", asked_at=until)
                await memory.keep(name, export)
        for order in list(self.orders_there.values()):
            if since <= order.updated_at <= until:
                yield [order]

    async def orders_by_id(self, order_ids: Sequence[str]) -> Sequence[shop.Order]:
        with self.mishaps.at("orders_by_id"):
            return [self.orders_there[each] for each in order_ids if each in self.orders_there]

    async def accept(self, order_id: str, decisions: Mapping[str, bool]) -> None:
        with self.mishaps.at("accept"):
            if self.orders_there[order_id].state_raw != WAITING:
                raise Refused(f"order {order_id} does not wait for acceptance")
            self.set_state(order_id, SHIPPING if all(decisions.values()) else "REFUSED")

    async def write_seller_references(self, references: Mapping[str, str]) -> Mapping[str, str]:
        with self.mishaps.at("write_seller_references"):
            refused = {k: v for k, v in self.refused_references.items() if k in references}
            self.references.update({k: v for k, v in references.items() if k not in refused})
            return refused

    async def set_tracking(self, order_id: str, tracking: shop.Tracking) -> None:
        with self.mishaps.at("set_tracking"):
            order = self.orders_there[order_id]
            if order.state_raw not in (SHIPPING, "SHIPPED"):
                raise Refused(f"order {order_id} can't be tracked")
            self.tracked[order_id] = tracking
            shown = OrderTracking(
                carrier_code=tracking.carrier_code, tracking_number=tracking.tracking_number
            )
            self.orders_there[order_id] = msgspec.structs.replace(order, tracking=shown)

    async def ship(self, order_id: str) -> None:
        with self.mishaps.at("ship"):
            if self.orders_there[order_id].state_raw != SHIPPING:
                raise Refused(f"order {order_id} can't be shipped")
            self.set_state(order_id, "SHIPPED")

    async def create_shipment(self, request: shop.ShipmentRequest) -> shop.Shipment:
        """As the real one: nothing hinders a second parcel while units are left."""
        with self.mishaps.at("create_shipment"):
            order = self.orders_there[request.order_id]
            left = {line.line_id: line.quantity for line in order.lines}
            for shipment in self.shipments_there:
                for line_id, units in (
                    shipment.lines if shipment.order_id == order.order_id else ()
                ):
                    left[line_id] -= units
            for line_id, units in request.lines:
                left[line_id] = left.get(line_id, 0) - units
            if order.state_raw != SHIPPING or min(left.values()) < 0:
                raise Refused(f"nothing of order {order.order_id} is left to ship")
            shipment = shop.Shipment(
                shipment_id=f"S{len(self.shipments_there) + 1}",
                order_id=order.order_id,
                status="SHIPPED",
                lines=request.lines,
                packages=(request.package_reference,),
                tracking_number=request.tracking.tracking_number if request.tracking else None,
            )
            self.shipments_there.append(shipment)
            if not any(left.values()):
                self.set_state(order.order_id, "SHIPPED")
            return shipment

    async def set_shipment_tracking(
        self, trackings: Mapping[str, shop.Tracking]
    ) -> Sequence[ShipmentOutcome]:
        with self.mishaps.at("set_shipment_tracking"):
            self.shipments_there = [
                msgspec.structs.replace(each, tracking_number=tracking.tracking_number)
                if (tracking := trackings.get(each.shipment_id))
                else each
                for each in self.shipments_there
            ]
            known = {each.shipment_id for each in self.shipments_there}
            kinds = {True: ShipmentOutcomeKind.DONE, False: ShipmentOutcomeKind.REFUSED}
            return [
                ShipmentOutcome(shipment_id=each, kind=kinds[each in known])
                for each in trackings
            ]

    async def shipments(self, order_id: str) -> Sequence[shop.Shipment]:
        with self.mishaps.at("shipments"):
            if not self.multi_shipment:
                raise NotFound("shipments are not on")
            return [each for each in self.shipments_there if each.order_id == order_id]

    async def returns(self, wanted: shop.ReturnFilter) -> Sequence[shop.Return]:
        with self.mishaps.at("returns"):
            since = wanted.updated_from
            return [e for e in self.returns_there if since is None or e.updated_at >= since]

    async def refund(self, request: RefundRequest) -> ReversalMade:
        """As the real one: nothing hinders a second one while money is left."""
        with self.mishaps.at("refund"):
            order, line = self._line(request.line_id)
            back = sum((each.amount for each in line.refunds), gbp(0)) + request.amount
            if back > line.price:
                raise Refused(f"line {line.line_id}: more than is left")
            if request.amount.amount_minor > self.balance:
                raise Refused("the payable balance of the shop is too low for this refund")
            made = Refund(
                refund_id=self._number("F"),
                amount=request.amount,
                shipping_amount=request.shipping_amount,
                state="WAITING_REFUND",
                reason_code=request.reason_code,
                created_at=self._clock.now(),
                taxes=request.taxes,
                shipping_taxes=request.shipping_taxes,
            )
            self._put(order, msgspec.structs.replace(line, refunds=(*line.refunds, made)))
            return _made(request, made.refund_id)

    async def cancel_line(self, request: CancelationRequest) -> ReversalMade:
        with self.mishaps.at("cancel_line"):
            order, line = self._line(request.line_id)
            if order.debited_at is not None:
                raise Refused(f"line {line.line_id} has been paid for")
            made = Cancelation(
                cancelation_id=self._number("X"),
                amount=request.amount,
                shipping_amount=request.shipping_amount,
                reason_code=request.reason_code,
                quantity=request.quantity,
                created_at=self._clock.now(),
            )
            self._put(
                order,
                msgspec.structs.replace(
                    line,
                    price=line.price - request.amount,
                    cancelations=(*line.cancelations, made),
                ),
            )
            return _made(request, made.cancelation_id)

    async def cancel_order(self, order_id: str) -> None:
        with self.mishaps.at("cancel_order"):
            if self.orders_there[order_id].debited_at is not None:
                raise Refused(f"order {order_id} has been paid for")
            self.set_state(order_id, "CANCELED")

    def _line(self, line_id: str) -> tuple[shop.Order, shop.OrderLine]:
        return next(
            (order, line)
            for order in self.orders_there.values()
            for line in order.lines
            if line.line_id == line_id
        )

    def _put(self, order: shop.Order, line: shop.OrderLine) -> None:
        lines = tuple(line if each.line_id == line.line_id else each for each in order.lines)
        self.place(msgspec.structs.replace(order, lines=lines, updated_at=self._clock.now()))

    def _number(self, prefix: str) -> str:
        self._reversals += 1
        return f"{prefix}{self._reversals}"

    async def transaction_lines(
        self, updated_since: datetime
    ) -> Sequence[shop.TransactionLine]:
        with self.mishaps.at("transaction_lines"):
            return [each for each in self.lines if each.updated_at >= updated_since]

    async def billing_cycles(self, created_since: datetime) -> Sequence[shop.BillingCycle]:
        with self.mishaps.at("billing_cycles"):
            return [each for each in self.cycles if each.created_at >= created_since]

    async def invoices(
        self, since: datetime | None = None, *, cycle_ids: Sequence[str] = ()
    ) -> Sequence[Invoice]:
        with self.mishaps.at("invoices"):
            return [
                each
                for each in self.invoices_there
                if (since is None or each.created_at >= since)
                and (not cycle_ids or each.cycle_id in cycle_ids)
            ]

    async def invoice_document(self, invoice_id: int) -> bytes:
        with self.mishaps.at("invoice_document"):
            if invoice_id not in self.documents:
                raise NotFound(f"invoice {invoice_id} has no document")
            return self.documents[invoice_id]


def _made(request: ReversalRequest, reversal_id: str) -> ReversalMade:
    return ReversalMade(
        reversal_id=reversal_id,
        line_id=request.line_id,
        amount=request.amount,
        shipping_amount=request.shipping_amount,
        reason_code=request.reason_code,
        quantity=request.quantity,
        as_asked=True,
    )
