"""Where customers order, and where the shop says yes or no to it.

Promises: a sale lowers the offer at once and for good (contract g); a line is taken or refused
whole; refusing empties the offer; an order without a decision in time is refused. What the shop
may cancel depends on the payment workflow (contract b.3). It moves no money itself.
Invariant: a decision changes everything or nothing. Called by the marketplace's door.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from kcjl.money import Money
from kcjl.sandbox.marketplace.book import AUTO_REFUSED, Book
from kcjl.sandbox.marketplace.errors import ApiError
from kcjl.sandbox.marketplace.inputs import (
    BasketLine,
    Customer,
    PlacedLine,
    PlacedOrder,
    Reason,
)
from kcjl.sandbox.marketplace.moments import end_of_day, seconds
from kcjl.sandbox.marketplace.records import Order, OrderLine

__all__ = ["Counter"]

FIRST_CUSTOMER_ORDER = 550_000_001
REFERENCES_MAX = 100
REFERENCE_LENGTH_MAX = 2000


class Counter:
    """Placing, accepting, refusing, cancelling, and the shop's own reference."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self.on_order_placed: list[Callable[[PlacedOrder], None]] = []

    # ── the customer ───────────────────────────────────────────────────────────────────────

    def place(
        self,
        basket: Sequence[BasketLine],
        customer: Customer,
        *,
        beyond_the_window: bool,
        shipping_type: str | None,
    ) -> PlacedOrder | None:
        sold, unsold = self._take(basket, beyond_the_window=beyond_the_window)
        if not sold:
            return None
        order = self._write_down(sold, customer, shipping_type)
        placed = PlacedOrder(
            order_id=order.order_id,
            commercial_id=order.commercial_id,
            customer_order_number=order.customer_order_number,
            lines=tuple(
                PlacedLine(order_line_id=line.line_id, sku=line.sku, quantity=line.quantity)
                for line in order.lines
            ),
            unsold=tuple(unsold),
        )
        for observer in self.on_order_placed:
            observer(placed)
        if order.state == "STAGING":
            delay = timedelta(seconds=self._book.settings.staging_s)
            self._book.agenda.after(delay, lambda: self._staged(order))
        else:
            self._ask_for_acceptance(order)
        return placed

    def _take(
        self, basket: Sequence[BasketLine], *, beyond_the_window: bool
    ) -> tuple[list[BasketLine], list[BasketLine]]:
        """What is sold of a basket, and what is not; the sold units leave their offers."""
        offers = self._book.catalogue.offers
        sold: list[BasketLine] = []
        unsold: list[BasketLine] = []
        for wanted in basket:
            offer = offers.get(wanted.sku)
            if offer is None or wanted.quantity <= 0:
                unsold.append(wanted)
            elif offer.quantity >= wanted.quantity or beyond_the_window:
                if self._book.settings.offer_lowered_at == "CREATION":
                    self._book.catalogue.sell(offer, wanted.quantity)
                sold.append(wanted)
            else:
                unsold.append(wanted)
        return sold, unsold

    def _write_down(
        self, sold: list[BasketLine], customer: Customer, shipping_type: str | None
    ) -> Order:
        book = self._book
        settings = book.settings
        now = seconds(book.agenda.now)
        number = len(book.orders)
        commercial_id = str(settings.first_order_number + number)
        order_id = f"{commercial_id}-A"
        state = "STAGING" if settings.staging_s else "WAITING_ACCEPTANCE"
        order = Order(
            order_id=order_id,
            commercial_id=commercial_id,
            customer_order_number=f"JL{FIRST_CUSTOMER_ORDER + number}",
            state=state,
            created_at=now,
            updated_at=now,
            shipping_deadline=end_of_day(now, settings),
            payment_workflow=settings.payment_workflow,
            tax_mode=settings.tax_mode,
            shipping_type=shipping_type or settings.shipping_types[0].code,
            customer=customer,
            notification_email=f"{book.agenda.new_id()[:8]}@notification.mirakl.net",
            lines=[],
        )
        for index, (line, shipping) in enumerate(
            zip(sold, self._shipping_prices(sold), strict=True), start=1
        ):
            order.lines.append(self._line(order, index, line, shipping))
        book.add(order)
        return order

    def _line(self, order: Order, index: int, sold: BasketLine, shipping: Money) -> OrderLine:
        offer = self._book.catalogue.offers[sold.sku]
        tariff = self._book.tariff
        price = sold.unit_price.times(sold.quantity)
        fee, vat = tariff.commission(price, shipping, offer.category_code)
        return OrderLine(
            line_id=f"{order.order_id}-{index}",
            index=index,
            offer_id=offer.offer_id,
            sku=offer.sku,
            product_sku=offer.product_sku,
            title=offer.title,
            category_code=offer.category_code,
            quantity=sold.quantity,
            unit_price=sold.unit_price,
            price=price,
            shipping_price=shipping,
            commission_fee=fee,
            commission_vat=vat,
            taxes=tariff.taxes(price, offer.category_code),
            shipping_taxes=tariff.taxes(shipping, offer.category_code),
            state=order.state,
            created_at=order.created_at,
            updated_at=order.created_at,
        )

    def _shipping_prices(self, sold: list[BasketLine]) -> list[Money]:
        settings = self._book.settings
        nothing = Money(0, settings.currency)
        if any(line.shipping_price is not None for line in sold):
            return [line.shipping_price or nothing for line in sold]
        goods = sum(line.unit_price.times(line.quantity).amount_minor for line in sold)
        free_from = settings.free_shipping_from
        free = free_from is not None and goods >= free_from.amount_minor
        first = nothing if free else settings.shipping_price
        return [first, *[nothing] * (len(sold) - 1)]

    # ── acceptance ─────────────────────────────────────────────────────────────────────────

    def _staged(self, order: Order) -> None:
        if order.state == "STAGING":
            self._book.move(order, "WAITING_ACCEPTANCE")
            self._ask_for_acceptance(order)

    def _ask_for_acceptance(self, order: Order) -> None:
        settings = self._book.settings
        if settings.auto_accept:
            self._book.start_debit(order)
        elif settings.acceptance_timeout_hours is not None:
            self._book.agenda.after(
                timedelta(hours=settings.acceptance_timeout_hours),
                lambda: self._too_late(order),
            )

    def _too_late(self, order: Order) -> None:
        if order.state == "WAITING_ACCEPTANCE":
            self._refuse(order, order.lines, AUTO_REFUSED)

    def accept(self, order_id: str, decisions: Sequence[Mapping[str, object] | None]) -> None:
        """OR21: each line of the order is decided, in the one call."""
        order = self._book.order(order_id)
        if order.state != "WAITING_ACCEPTANCE":
            raise ApiError.of(
                400,
                f"Order {order_id} is in state {order.state}, not in WAITING_ACCEPTANCE",
                code="ORDER_INVALID_STATE",
            )
        accepted = _decisions(order, decisions)
        refused = [line for line in order.lines if not accepted[line.line_id]]
        if refused and len(refused) < len(order.lines):
            if not self._book.settings.partial_acceptance:
                raise ApiError.of(
                    400,
                    f"Order {order_id} has to be accepted or refused as a whole",
                    code="ORDER_PARTIAL_ACCEPTANCE_DISABLED",
                )
            self._change_offers(refused)
            for line in refused:
                line.state = "REFUSED"
            self._book.touch(order, refused)
        order.decided_at = seconds(self._book.agenda.now)
        if len(refused) == len(order.lines):
            self._refuse(order, refused, None)
        else:
            self._book.start_debit(order)

    def _refuse(self, order: Order, lines: list[OrderLine], reason: Reason | None) -> None:
        self._change_offers(lines)
        for line in lines:
            line.state = "REFUSED"
            line.reason = reason
        self._book.set_state(order, "REFUSED", reason)
        self._book.touch(order, lines)

    def _change_offers(self, refused: list[OrderLine]) -> None:
        """What refusing does to the offers: as a rule nothing can be sold of them any more."""
        settings = self._book.settings
        catalogue = self._book.catalogue
        for line in refused:
            if settings.refusal_empties_offer:
                catalogue.take_down(line.sku)
            elif settings.offer_put_back and settings.offer_lowered_at == "CREATION":
                catalogue.put_back(line.sku, line.quantity)

    # ── cancelling ─────────────────────────────────────────────────────────────────────────

    def can_cancel(self, order: Order) -> bool:
        """Whether the shop may (OR29): before the debit, or before shipping."""
        return self.is_before_debit(order) and not any(line.shipped for line in order.lines)

    def is_before_debit(self, order: Order) -> bool:
        """Whether what has not left can be cancelled by the shop, line by line (OR30)."""
        return (
            order.payment_workflow != "PAY_ON_ACCEPTANCE"
            and order.state in {"WAITING_DEBIT", "WAITING_DEBIT_PAYMENT", "SHIPPING"}
            and order.debited_at is None
        )

    def cancel(self, order_id: str) -> None:
        """OR29: the shop cancels the whole order."""
        order = self._book.order(order_id)
        if not self.can_cancel(order):
            raise ApiError.of(
                400, f"Order {order_id} cannot be canceled in state {order.state}"
            )
        reasons = self._book.settings.reasons
        reason = next(
            (
                reason
                for reason in reasons
                if reason.type == "CANCELATION" and reason.is_shop_right
            ),
            None,
        )
        code, label = (
            (reason.code, reason.label) if reason else ("SHOP", "Cancelled by the shop")
        )
        self._book.cancel_lines(order, Reason(code=code, label=label))

    def operator_cancels(self, order_id: str, reason_code: str, reason_label: str) -> None:
        """The customer or the operator cancels what has not been shipped."""
        order = self._book.order(order_id)
        if order.state not in {
            "STAGING",
            "WAITING_ACCEPTANCE",
            "WAITING_DEBIT",
            "WAITING_DEBIT_PAYMENT",
            "SHIPPING",
        }:
            raise ApiError.of(
                400, f"Order {order_id} cannot be canceled in state {order.state}"
            )
        self._book.cancel_lines(order, Reason(code=reason_code, label=reason_label))

    # ── the shop's reference ───────────────────────────────────────────────────────────────

    def write_references(
        self, references: Sequence[Mapping[str, str | None]]
    ) -> list[tuple[str, ApiError | None]]:
        """OR04: (order id, what was wrong with it) for each item."""
        if len(references) > REFERENCES_MAX:
            raise ApiError.of(
                400, f"At most {REFERENCES_MAX} orders can be updated in one call"
            )
        return [
            (
                item.get("order_id") or "",
                self._write_reference(
                    item.get("order_id") or "", item.get("order_reference_for_seller")
                ),
            )
            for item in references
        ]

    def _write_reference(self, order_id: str, reference: str | None) -> ApiError | None:
        book = self._book
        order = book.orders.get(order_id)
        if order is None:
            return ApiError.of(
                404, f"Order {order_id} not found", code="NOT_FOUND", field="order_id"
            )
        field = "references.order_reference_for_seller"
        if reference is None or not reference.strip():
            return ApiError.of(400, "must not be blank", code="NOT_BLANK", field=field)
        if len(reference) > REFERENCE_LENGTH_MAX:
            message = f"must have at most {REFERENCE_LENGTH_MAX} characters"
            return ApiError.of(400, message, code="SIZE", field=field)
        if order.seller_reference is not None:
            book.by_seller_reference[order.seller_reference].pop(order_id, None)
        order.seller_reference = reference
        book.by_seller_reference[reference][order_id] = None
        book.touch(order, order.lines)
        return None


def _decisions(
    order: Order, decisions: Sequence[Mapping[str, object] | None]
) -> dict[str, bool]:
    """Line id to decision; every line once, or the call is refused."""
    accepted: dict[str, bool] = {}
    for decision in decisions:
        if decision is None:
            raise ApiError.of(
                400,
                "An order line is null",
                code="ORDER_LINE_NULL_ELEMENT",
                field="order_lines",
            )
        line_id = str(decision.get("id"))
        if line_id in accepted:
            raise ApiError.of(
                400, f"Order line {line_id} is there twice", code="ORDER_LINE_DUPLICATE_ID"
            )
        if order.line(line_id) is None:
            raise ApiError.of(
                400, f"Order line {line_id} is not of this order", code="ORDER_LINE_NOT_FOUND"
            )
        if decision.get("accepted") is None:
            raise _undecided(line_id)
        accepted[line_id] = bool(decision["accepted"])
    for line in order.lines:
        if line.line_id not in accepted:
            raise _undecided(line.line_id)
    return accepted


def _undecided(line_id: str) -> ApiError:
    return ApiError.of(
        400,
        f"Order line {line_id} has no acceptance decision",
        code="ORDER_LINE_ACCEPTANCE_DECISION_MISSING",
    )
