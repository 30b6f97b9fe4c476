"""One sandbox world: a warehouse, a marketplace, and the trade that runs through both.

Promises: the trade happens on the agenda at its own times, as it is; goods come in for what
waits, delivered goods come back now and then. What is true in it can be asked at any time, and
`finished` says when nothing goes on without a person. It serves nothing.
Invariant: the same settings and the same changes at the same times give the same world.
Called by the doorkeeper (changes, time) and by checks (truth, orders).
"""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from kcjl.clock import LONDON, chance
from kcjl.errors import Misuse
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.buying import Buying
from kcjl.sandbox.generator import generate_trade
from kcjl.sandbox.khaos_cloud import Channel
from kcjl.sandbox.marketplace import (
    ApiError,
    Marketplace,
    Order,
    OrderLine,
    PlacedOrder,
    Return,
    TransactionLine,
)
from kcjl.sandbox.reordering import give_up_short_orders
from kcjl.sandbox.stocking import Shelf
from kcjl.sandbox.trade import (
    Happening,
    MarketplaceBasket,
    ReturnElsewhere,
    SaleElsewhere,
    StockAdjustment,
    Trade,
    read_trade,
)
from kcjl.sandbox.warehouse import SalesOrder, StageId, Warehouse
from kcjl.sandbox.world_settings import TradeFile, WorldSettings
from kcjl.sandbox.world_truth import (
    Counters,
    OrderTruth,
    Truth,
    order_truth,
    sales_orders_of,
    truth_of,
)
from kcjl.sandbox.xero import Books

__all__ = ["World"]

_PATIENCE = timedelta(hours=2)
"""An order that has stood still for so long waits for the seller."""
_LEFT_LYING = timedelta(hours=12)
"""So long after its last change an order that nobody posts waits for a person."""
_GOODS_IN_AT = time(7)
_GIVEN_UP_AT = time(16)
_RETURNED_AFTER_H = (0.5, 6.0)
_BACK_AFTER_H = (0.25, 3.0)
"""Hours from the acceptance of a return until its goods are at the warehouse."""
_ONE_DAY = timedelta(days=1)
_RETURN_REASON = "RETURN_CHANGED_MIND"
_REFUND_REASON = "17"
_OVER = frozenset({"REFUSED", "CANCELED"})
_REOPENING = frozenset(
    {
        "close_incident",
        "customer_returns",
        "open_incident",
        "operator_refunds",
        "refund",
        "resolve_incident",
    }
)
"""Changes after which an order that was over may have something to pay again."""
_DELIVERED = frozenset({"RECEIVED", "CLOSED"})
_HELD = frozenset(
    {
        StageId.ORDERS_AUTHORISEPAYMENT,
        StageId.ORDERS_FUTURE_HOLD,
        StageId.ORDERS_FUTURE_TERMS,
    }
)


class World:
    """The two outside systems, their people, and what happens between them."""

    def __init__(self, settings: WorldSettings) -> None:
        self.settings = settings
        self.trade = _trade(settings)
        self.starts_at = self.trade.starts_at - timedelta(minutes=settings.lead_in_minutes)
        self.ends_at = self.trade.ends_at + timedelta(days=settings.horizon_days)
        self.agenda = Agenda(self.starts_at, settings.seed)
        self.warehouse = Warehouse(self.agenda, settings.warehouse)
        self.cloud = Channel(self.agenda, self.warehouse, settings.cloud)
        self.marketplace = Marketplace(self.agenda, settings.marketplace)
        self.books = Books(self.agenda, settings.xero, settings.seed)
        self.shelf = Shelf(self.agenda, self.warehouse, self.marketplace, settings, self.trade)
        self.counted = Counters()
        self.buying = Buying(
            self.agenda,
            self.warehouse,
            self.marketplace,
            self.shelf,
            self.counted,
            lines_in_part=settings.lines_in_part,
        )
        self._open: dict[str, None] = {}
        """Orders that are not known to be over."""
        self._returns_to_come = 0
        self._happened = 0
        self.marketplace.on_order_placed.append(self._note_placed)
        self.marketplace.on_order_state.append(self._note_state)
        self.marketplace.on_return_state.append(self._note_return)
        self.marketplace.refunds.on_refunded.append(self._note_refund)
        self._plan_next()
        self.agenda.at(self._next_morning(), self._goods_in)
        if settings.reordering is not None:
            self.agenda.at(self._next_at(_GIVEN_UP_AT), self._give_up_short_orders)

    # ── what a checker asks ──

    @property
    def trade_over(self) -> bool:
        return self._happened == len(self.trade.happenings)

    @property
    def finished(self) -> bool:
        """The trade is over, and nothing is left that goes on without the seller's decision."""
        if not self.trade_over or self._returns_to_come:
            return False
        orders = self.marketplace.orders
        for order_id in list(self._open):
            if self._is_over(orders[order_id]):
                del self._open[order_id]
            elif not self._waits_for_seller(orders[order_id]):
                return False
        return True

    def truth(self) -> Truth:
        mismatches = self.shelf.mismatches.values()
        return truth_of(
            now=self.agenda.now,
            warehouse=self.warehouse,
            marketplace=self.marketplace,
            orders=self.order_truths(),
            counted=self.counted,
            oversold=self.buying.oversold,
            tally=self.trade.tally,
            mismatches={mismatch.sku: mismatch.erp_code for mismatch in mismatches},
            mismatches_open=sum(1 for mismatch in mismatches if mismatch.mended_at is None),
            units_delivered=self.shelf.units_delivered,
            trade_over=self.trade_over,
            finished=self.finished,
            ended=self.agenda.now >= self.ends_at,
        )

    def order_truths(self) -> list[OrderTruth]:
        """Every marketplace order on both sides, in the order of placing."""
        return [self.order_truth(order) for order in self.marketplace.orders.values()]

    def order_truth(self, order: Order) -> OrderTruth:
        return order_truth(
            self.warehouse,
            order,
            self.marketplace.book.shipments_of.get(order.order_id, []),
            self.buying.invoice_of.get(order.order_id, ""),
        )

    # ── changes from outside ──

    def change(self, side: str, operation: str, arguments: dict[str, object]) -> object:
        """A change of one of the models: by a face's call, or by a person's hand."""
        models: dict[str, object] = {
            "johnlewis": self.marketplace,
            "khaos": self.warehouse,
            "khaos_cloud": self.cloud,
            "xero": self.books,
        }
        method = getattr(models.get(side), operation, None)
        if operation.startswith("_") or not callable(method):
            raise Misuse(f"the world has no operation {operation!r} of {side!r}")
        outcome = method(**arguments)
        if operation in _REOPENING:
            self._open.update(dict.fromkeys(self.marketplace.orders))
        return outcome

    # ── the trade ──

    def _plan_next(self) -> None:
        if not self.trade_over:
            self.agenda.at(self.trade.happenings[self._happened].at, self._next)

    def _next(self) -> None:
        happening = self.trade.happenings[self._happened]
        self._happened += 1
        self._happen(happening)
        self._plan_next()

    def _happen(self, happening: Happening) -> None:
        match happening:
            case MarketplaceBasket():
                self.buying.buy(happening)
            case SaleElsewhere():
                self._sell_elsewhere(happening)
            case ReturnElsewhere():
                self._take_back(happening)
            case StockAdjustment():
                self._adjust(happening)

    def _sell_elsewhere(self, sale: SaleElsewhere) -> None:
        known: list[tuple[str, int]] = []
        for line in sale.lines:
            code = self.shelf.erp_code(line.sku)
            if code is None:
                self.counted.elsewhere_units_no_product += line.quantity
            else:
                known.append((code, line.quantity))
        short = self.warehouse.sell_elsewhere(known)
        self.counted.elsewhere_units_short += short
        self.counted.elsewhere_units += sum(quantity for _, quantity in known) - short

    def _take_back(self, back: ReturnElsewhere) -> None:
        for line in back.lines:
            code = self.shelf.erp_code(line.sku)
            if code is None:
                self.counted.returned_elsewhere_units_no_product += line.quantity
            else:
                self.counted.returned_elsewhere_units += line.quantity
                self.warehouse.take_back(code, line.quantity)

    def _adjust(self, change: StockAdjustment) -> None:
        code = self.shelf.erp_code(change.sku)
        if code is None:
            self.counted.adjustments_no_product += 1
        else:
            self.counted.adjustments += 1
            self.warehouse.adjust(code, change.delta, change.reason)

    # ── what time brings ──

    def _next_morning(self) -> datetime:
        return self._next_at(_GOODS_IN_AT)

    def _next_at(self, hour: time) -> datetime:
        """That time of London's next day."""
        day = self.agenda.now.astimezone(LONDON).date() + timedelta(days=1)
        return datetime.combine(day, hour, LONDON).astimezone(UTC)

    def _goods_in(self) -> None:
        self.shelf.goods_in()
        self.agenda.at(self._next_morning(), self._goods_in)

    def _give_up_short_orders(self) -> None:
        give_up_short_orders(self.warehouse, self.agenda.now, self.counted)
        self.agenda.at(self._next_at(_GIVEN_UP_AT), self._give_up_short_orders)

    def _note_placed(self, placed: PlacedOrder) -> None:
        self._open[placed.order_id] = None

    def _note_state(self, order_id: str, state: str) -> None:
        if state == "RECEIVED":
            self._perhaps_return(self.marketplace.orders[order_id])

    def _perhaps_return(self, order: Order) -> None:
        luck = chance(f"return/{self.settings.seed}/{order.order_id}")
        lines = [line for line in order.live_lines if line.shipped and line.refundable]
        if not lines or luck.random() >= self.settings.return_share:
            return
        line = luck.choice(lines)
        units = luck.randint(1, line.shipped)
        self._returns_to_come += 1
        after = timedelta(hours=luck.uniform(*_RETURNED_AFTER_H))
        self.agenda.after(after, lambda: self._send_back(order, line, units))

    def _send_back(self, order: Order, line: OrderLine, units: int) -> None:
        """A customer returns units: by a return where there is the module, else at once."""
        self._returns_to_come -= 1
        if order.state != "RECEIVED" or not line.is_live or not line.refundable:
            return
        if not self.marketplace.settings.returns_module:
            self._come_back(order, line, units)
            return
        try:
            self.marketplace.open_return(line.line_id, units, _RETURN_REASON)
        except ApiError:
            return  # somebody else returned them
        self.counted.returns_opened += 1

    def _note_return(self, found: Return) -> None:
        """An accepted return is sent, whoever opened it."""
        if found.state == "IN_PROGRESS":
            luck = chance(f"goods back/{self.settings.seed}/{found.return_id}")
            self._returns_to_come += 1
            after = timedelta(hours=luck.uniform(*_BACK_AFTER_H))
            self.agenda.after(after, lambda: self._arrive(found))

    def _arrive(self, found: Return) -> None:
        self._returns_to_come -= 1
        if found.state == "CANCELED":
            return
        order = self.marketplace.orders[found.order_id]
        for part in found.lines:
            line = order.line(part.order_line_id)
            if line is not None:
                self._come_back(order, line, part.quantity)

    def _come_back(self, order: Order, line: OrderLine, units: int) -> None:
        """Units are at the warehouse again; the operator refunds them where he is to."""
        code = self.shelf.erp_code(line.sku)
        if code is not None:
            self.warehouse.take_back(code, units)
        if self.marketplace.settings.returns_refunded_by == "OPERATOR":
            self._give_back(order, line, units)

    def _give_back(self, order: Order, line: OrderLine, units: int) -> None:
        """The operator's refund; it waits for the money where the customer pays later."""
        if order.debited_at is None and order.state in _DELIVERED:
            self.agenda.after(_ONE_DAY, lambda: self._give_back(order, line, units))
            return
        try:
            self.marketplace.customer_returns(line.line_id, units, reason_code=_REFUND_REASON)
        except ApiError:
            return  # it has been refunded already, or the order is closed
        self.counted.returns_refunded += 1
        self._open[order.order_id] = None

    def _note_refund(self, order: Order, _: OrderLine) -> None:
        self._open[order.order_id] = None

    # ── is it over ──

    def _is_over(self, order: Order) -> bool:
        """Refused or cancelled with nothing to pay, or delivered and paid out to the seller."""
        if order.state not in _OVER and order.state not in _DELIVERED:
            return False
        if any(r.state != "REFUNDED" for line in order.lines for r in line.refunds):
            return False
        lines = self._transactions_of(order)
        unpaid = [line for line in lines if line.cycle_id is None]
        if unpaid and self.marketplace.ledger.total("PAYABLE").amount_minor > 0:
            return False
        cycles = self.marketplace.cycles
        return all(
            line.cycle_id is None or cycles[line.cycle_id].payout_state == "PAID"
            for line in lines
        )

    def _transactions_of(self, order: Order) -> list[TransactionLine]:
        ledger = self.marketplace.ledger
        return [ledger.lines[line_id] for line_id in ledger.by_order.get(order.order_id, ())]

    def _waits_for_seller(self, order: Order) -> bool:
        """It stands still until a person decides: unaccepted, not postable, held, cancelled."""
        if self.agenda.now - order.updated_at < _PATIENCE:
            return False
        if order.state == "WAITING_ACCEPTANCE":
            return True
        if order.state != "SHIPPING":
            return False
        sales_orders = sales_orders_of(self.warehouse, order)
        if not sales_orders:
            left_lying = self.agenda.now - order.updated_at >= _LEFT_LYING
            return left_lying or any(
                self._cannot_be_posted(line.sku) for line in order.live_lines
            )
        return all(_is_stopped(sales_order) for sales_order in sales_orders)

    def _cannot_be_posted(self, sku: str) -> bool:
        item = self.warehouse.stock.find(sku)
        if item is None:
            return not self.shelf.will_be_known(sku)
        return item.discontinued or (item.run_to_zero and item.level() <= 0)


def _trade(settings: WorldSettings) -> Trade:
    if isinstance(settings.trade, TradeFile):
        return read_trade(
            Path(settings.trade.path),
            first_day=settings.trade.first_day,
            days=settings.trade.days,
            share=settings.trade.share,
            seed=settings.seed,
            household=settings.trade.household,
            products_only=settings.trade.products_only,
        )
    return generate_trade(settings.trade)


def _is_stopped(sales_order: SalesOrder) -> bool:
    if sales_order.cancelled is not None or not sales_order.confirmed:
        return True
    return any(invoice.stage in _HELD for invoice in sales_order.invoices)
