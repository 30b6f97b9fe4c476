"""A witness of the outside: every call with its outcome, every movement of stock.

Promises: it stands between the rooms and the ports and passes everything on unchanged; what it
notes is taken from the calls themselves and from the models, never from the log. It costs a
list. Invariant: a call that a death cut off stays `died`: its outcome is not known.
Called by the simulation, which wraps the ports with it; read by the laws.
"""

import inspect
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, aclosing, contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import TypeVar, cast
from unittest.mock import patch

from kcjl.clock import Clock
from kcjl.errors import OutcomeUnknown, Refused, Unavailable
from kcjl.money import Money
from kcjl.orders.reversal_plan import CANCELATION, ORDER_CANCELATION, REFUND
from kcjl.sandbox.marketplace.cancelations import Cancelations
from kcjl.sandbox.marketplace.counter import Counter
from kcjl.sandbox.marketplace.records import Cancelation, Charge, Refund
from kcjl.sandbox.marketplace.refunds import Refunds
from kcjl.sandbox.warehouse import SalesOrder, Warehouse
from kcjl.sandbox.warehouse.documents import OrderDocument
from kcjl.sandbox.warehouse.orders import OrderBook
from kcjl.sandbox.warehouse.stock import StockBook, StockItem, key_of

__all__ = ["Call", "GivenBack", "Movement", "Outcome", "Witness"]

P = TypeVar("P")

LYING = frozenset({"stale", "moving"})
"""Mishaps by which an answer says what is not so any more."""
ABOUT = {"OR11": "orders", "ExportStockStatus": "levels", "GetStockList": "levels"}
"""What an operation's lie is about; of all others nothing is computed that a law holds."""
OLD_ANSWERS, ON_THE_WAY = timedelta(minutes=16), timedelta(minutes=2)
NOTICED_AFTER = timedelta(minutes=45)
"""So long after a restore a level may hold units of sales orders that the ERP has forgotten:
its statuses are read every 10 to 30 minutes; a read that fails is made again within five."""
SWEPT_AFTER = timedelta(hours=7)
"""So long after a restore other forgotten movements of stock may be unknown: every level is
read each six hours, and sooner only where a sales order is missed."""


class Outcome(StrEnum):
    """How a call ended, as the caller heard it."""

    DONE = "done"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"
    DIED = "died"
    """Never heard: the caller was gone."""
    OTHER = "other"


class Call:
    """One call of a port."""

    __slots__ = ("answer", "arguments", "began", "ended", "operation", "outcome", "side")

    def __init__(
        self, side: str, operation: str, arguments: tuple[object, ...], began: datetime
    ) -> None:
        self.side = side
        self.operation = operation
        self.arguments = arguments
        self.began = began
        self.ended: datetime | None = None
        self.outcome = Outcome.DIED
        self.answer: object = None


class Movement:
    """A stock item's level, from a moment on."""

    __slots__ = ("at", "by_our_orders", "level")

    def __init__(self, at: datetime, level: Decimal, *, by_our_orders: bool) -> None:
        self.at = at
        self.level = level
        self.by_our_orders = by_our_orders
        """The level changed because the ERP took one of the marketplace's orders."""


class GivenBack:
    """Money that the marketplace gave back because the shop called: OR28, OR29, OR30."""

    __slots__ = ("amount", "kind", "shipping_amount", "subject")

    def __init__(
        self, kind: str, subject: str, amount: Money | None, shipping_amount: Money | None
    ) -> None:
        self.kind = kind
        """As reversals have it: refund, cancelation, order_cancelation."""
        self.subject = subject
        """A line; of a whole order, the order."""
        self.amount = amount
        """None: whatever the order came to."""
        self.shipping_amount = shipping_amount


class Witness:
    """Keeps what it saw, in order."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.movements: defaultdict[str, list[Movement]] = defaultdict(list)
        """By stock key. The first is what lay there at the beginning."""
        self.sent: dict[tuple[str, str, int], int] = {}
        """(reference, tracking number, units) of each box that ever left the warehouse."""
        self.taken: dict[str, list[datetime]] = {}
        """When the ERP took a sales order of a reference, also those that it has forgotten."""
        self.given_back: list[GivenBack] = []
        self.was_restored = False
        """The ERP was set back to a backup: it has forgotten what was done since."""
        self._lies: list[_Lie] = []
        self._importing = False

    # ── calls ──

    def beside(self, port: P, side: str, clock: Clock) -> P:
        """The same port, with a note of every call of it."""
        return cast("P", _Noted(self, port, side, clock))

    def unheard(self, operation: str) -> None:
        """The last call of it was answered, and its caller had died by then."""
        ended = (each for each in reversed(self.calls) if each.ended is not None)
        call = next(each for each in ended if each.operation == operation)
        call.outcome, call.ended = Outcome.DIED, None

    def of(self, *operations: str) -> Iterator[Call]:
        return (call for call in self.calls if call.operation in operations)

    # ── movements of stock ──

    @contextmanager
    def watching(self, warehouse: Warehouse) -> Iterator[None]:
        """Note every movement of stock, also of a warehouse restored from a backup."""
        for item in warehouse.stock:
            self._moved(item, warehouse.agenda.now)
        noting, adding, boxing = StockBook._note_movement, StockBook.add, Warehouse.add_box
        importing, tracking = Warehouse.import_read_orders, OrderBook.note_tracking
        witness = self

        def note_movement(book: StockBook, item: StockItem) -> None:
            noting(book, item)
            witness._moved(item, book._agenda.now)

        def add(book: StockBook, item: StockItem) -> None:
            adding(book, item)
            witness._moved(item, book._agenda.now)

        def note_tracking(book: OrderBook, order: SalesOrder, now: datetime) -> None:
            tracking(book, order, now)
            witness._left(order)

        def add_box(
            house: Warehouse, invoice_code: str, stock_code: str, quantity: int
        ) -> None:
            boxing(house, invoice_code, stock_code, quantity)
            invoice = house.orders.invoice(invoice_code)
            if invoice is not None:
                witness._left(invoice.order)

        def import_orders(taking: Warehouse, orders: Sequence[OrderDocument]) -> object:
            witness._importing = True
            try:
                return importing(taking, orders)
            finally:
                witness._importing = False
                witness._took(taking)

        with ExitStack() as stack:
            for target, name, noted in (
                (StockBook, "_note_movement", note_movement),
                (StockBook, "add", add),
                (OrderBook, "note_tracking", note_tracking),
                (Warehouse, "import_read_orders", import_orders),
                (Warehouse, "add_box", add_box),
                (Refunds, "refund", self._noting_refunds()),
                (Cancelations, "cancel", self._noting_cancelations()),
                (Counter, "cancel", self._noting_order_cancelations()),
            ):
                stack.enter_context(patch.object(target, name, noted))
            yield

    # ── money given back ──

    def _noting_refunds(self) -> Callable[..., list[Refund]]:
        refunding, witness = Refunds.refund, self

        def refund(
            refunds: Refunds, asked: Sequence[Mapping[str, object]], tax_mode: str | None
        ) -> list[Refund]:
            made = refunding(refunds, asked, tax_mode)
            for each in made:
                witness._gave(REFUND, each.order_line_id, each.charge)
            return made

        return refund

    def _noting_cancelations(self) -> Callable[..., list[Cancelation]]:
        cancelling, witness = Cancelations.cancel, self

        def cancel(
            cancelations: Cancelations,
            asked: Sequence[Mapping[str, object]],
            tax_mode: str | None,
        ) -> list[Cancelation]:
            made = cancelling(cancelations, asked, tax_mode)
            for said, each in zip(asked, made, strict=True):
                witness._gave(CANCELATION, str(said["order_line_id"]), each.charge)
            return made

        return cancel

    def _noting_order_cancelations(self) -> Callable[[Counter, str], None]:
        cancelling, witness = Counter.cancel, self

        def cancel(counter: Counter, order_id: str) -> None:
            cancelling(counter, order_id)
            witness.given_back.append(GivenBack(ORDER_CANCELATION, order_id, None, None))

        return cancel

    def _gave(self, kind: str, line_id: str, charge: Charge) -> None:
        self.given_back.append(GivenBack(kind, line_id, charge.amount, charge.shipping_amount))

    def restored(self, warehouse: Warehouse, at: datetime, age: timedelta) -> None:
        """The ERP is as it was in the backup: every level, and what it says for a while."""
        for item in warehouse.stock:
            self._moved(item, at)
        self.was_restored = True
        self.lied("restores", at - age, at + NOTICED_AFTER)
        self.lied("forgotten", at - age, at + SWEPT_AFTER)

    def suffered(self, kind: str, operation: str, at: datetime) -> None:
        """A mishap of this kind was suffered; some are lies."""
        if kind in LYING and operation in ABOUT:
            self.lied(ABOUT[operation], at - OLD_ANSWERS, at + ON_THE_WAY)

    def _took(self, warehouse: Warehouse) -> None:
        for sales_order in reversed(tuple(warehouse.sales_orders.values())):
            known = self.taken.setdefault(sales_order.external_ref, [])
            if sales_order.created_at in known:
                return  # and so is all that came before it
            known.append(sales_order.created_at)

    def _left(self, order: SalesOrder) -> None:
        shown: dict[tuple[str, str, int], int] = {}
        for invoice in order.invoices:
            for box in invoice.boxes:
                if box.shipped:
                    units = sum(int(item.quantity) for item in box.items)
                    key = (order.external_ref, box.consignment, units)
                    shown[key] = shown.get(key, 0) + 1
        for key, boxes in shown.items():
            self.sent[key] = max(boxes, self.sent.get(key, 0))

    def _moved(self, item: StockItem, at: datetime) -> None:
        self.movements[key_of(item.code)].append(
            Movement(at, item.level(), by_our_orders=self._importing)
        )

    def fell_elsewhere(self, key: str, since: datetime, until: datetime) -> Decimal:
        """By how much a level fell in a span by anything but our own orders."""
        movements = self.movements.get(key, [])
        falls = (
            before.level - after.level
            for before, after in pairwise(movements)
            if since <= after.at <= until and not after.by_our_orders
        )
        return sum((each for each in falls if each > 0), Decimal(0))

    # ── lies ──

    def lied(self, about: str, since: datetime, until: datetime) -> None:
        """The outside answered as of another time: a stale read, moved rows, a backup."""
        self._lies.append(_Lie(about, since, until))

    def lied_between(self, since: datetime, until: datetime, *about: str) -> bool:
        """Whether it did so in a span, about orders, levels, or by a restored backup."""
        return any(
            lie.since <= until and lie.until >= since
            for lie in self._lies
            if lie.about in about
        )

    def levels_between(
        self, key: str, since: datetime, until: datetime
    ) -> list[tuple[datetime, Decimal]]:
        """What the level was, from which moment of a span on; none where it was unknown."""
        levels: dict[datetime, Decimal] = {}
        for movement in self.movements.get(key, ()):
            if movement.at <= since:
                levels = {since: movement.level}
            elif movement.at <= until:
                levels[movement.at] = movement.level
        return list(levels.items())


class _Lie:
    """A span in which the outside said what was not so."""

    __slots__ = ("about", "since", "until")

    def __init__(self, about: str, since: datetime, until: datetime) -> None:
        self.about = about
        self.since = since
        self.until = until


class _Noted:
    """A port, and the witness beside it."""

    def __init__(self, witness: Witness, port: object, side: str, clock: Clock) -> None:
        self._witness = witness
        self._port = port
        self._side = side
        self._clock = clock

    def __getattr__(self, operation: str) -> object:
        method = getattr(self._port, operation)
        if inspect.isasyncgenfunction(method):
            return self._noted_in_parts(operation, method)
        if not inspect.iscoroutinefunction(method):
            return method  # what the port says of itself is no call
        witness, side, clock = self._witness, self._side, self._clock

        async def noted(*arguments: object, **named: object) -> object:
            call = Call(side, operation, (*arguments, *named.values()), clock.now())
            witness.calls.append(call)
            try:
                call.answer = await method(*arguments, **named)
                call.outcome = Outcome.DONE
            except BaseException as error:
                call.outcome = _outcome(error)
                raise
            finally:
                if call.outcome is not Outcome.DIED:
                    call.ended = clock.now()
            return call.answer

        return noted

    def _noted_in_parts(
        self, operation: str, method: Callable[..., AsyncGenerator[object, None]]
    ) -> Callable[..., AsyncGenerator[object, None]]:
        """A call whose answer comes in parts: noted as one, answered by all of them."""

        async def noted(*arguments: object, **named: object) -> AsyncGenerator[object, None]:
            call = Call(self._side, operation, arguments, self._clock.now())
            self._witness.calls.append(call)
            parts: list[object] = []
            try:
                async with aclosing(method(*arguments, **named)) as told:
                    async for part in told:
                        parts.extend(part if isinstance(part, list | tuple) else [part])
                        yield part
                call.answer = parts
                call.outcome = Outcome.DONE
            except BaseException as error:
                call.outcome = _outcome(error)
                raise
            finally:
                if call.outcome is not Outcome.DIED:
                    call.ended = self._clock.now()

        return noted


def _outcome(error: BaseException) -> Outcome:
    kinds: Sequence[tuple[type[BaseException], Outcome]] = (
        (OutcomeUnknown, Outcome.UNKNOWN),
        (Unavailable, Outcome.UNAVAILABLE),
        (Refused, Outcome.REFUSED),
        (Exception, Outcome.OTHER),
    )
    return next((outcome for kind, outcome in kinds if isinstance(error, kind)), Outcome.DIED)
