"""What staff, customers and the operator do unasked, put on a world's agenda.

Promises: each act happens at an hour drawn beforehand, to an order or an item that is there
then; where there is none it does nothing. Packs are products whose stock is their children's,
and customers buy them. It goes through `World.change`, as a person's hand does.
Called by the scenario.
"""

from collections.abc import Callable
from datetime import timedelta
from random import Random

import msgspec

from kcjl.errors import Misuse
from kcjl.money import Money
from kcjl.sandbox.buying import customer_of
from kcjl.sandbox.marketplace import ApiError
from kcjl.sandbox.marketplace.inputs import BasketLine
from kcjl.sandbox.shoppers import shopper
from kcjl.sandbox.warehouse.orders import Invoice, SalesOrder
from kcjl.sandbox.world import World
from kcjl.sandbox.world_truth import sales_orders_of
from tests.simulation.account_hands import add_to_a_payout, take_off_a_payout

__all__ = ["SLIP", "Acts", "plan_people"]

PACK_PRICE = Money(2995)
PACK_ORDERS_A_DAY = 4
HELD_FOR = timedelta(hours=2)
LOOKS_AGAIN = timedelta(minutes=30)
LABELS_AGAIN = timedelta(minutes=7)
DPD = "1550"
"""How DPD's numbers begin in the sandbox; ten digits follow."""
SLIP = "SLIP"
"""How a mistyped number begins: no carrier has such a one."""


class Acts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many of each in a run."""

    holds: int = 0
    """An order is put on hold in the ERP, and released after two hours."""
    erp_cancels: int = 0
    """Somebody cancels a sales order in the ERP."""
    un_ships: int = 0
    """A confirmed shipment is taken back and goes again."""
    extra_boxes: int = 0
    courier_renamed: int = 0
    """The courier's name is changed in the system data."""
    operator_cancels: int = 0
    """The customer or the operator cancels an order that is being worked on."""
    discontinues: int = 0
    """An item that sells is discontinued, and taken on again after two hours."""
    counts_to_zero: int = 0
    """A stock count finds nothing of an item."""
    unposted_cancels: int = 0
    """An order that is paid for and not in the ERP is cancelled: its payout can't be tied."""
    slips: int = 0
    """The number of a parcel that went is mistyped, and put right two hours later."""
    relabels: int = 0
    """A parcel that went has another number of the same carrier's."""
    late_lines: int = 0
    """The operator charges something on a payout that was paid already."""
    lines_taken_off: int = 0
    """The operator takes a line off a payout that was paid; the next one has it."""


def plan_people(world: World, acts: Acts, luck: Random, *, packs: int = 0) -> None:
    """Put the acts on the agenda of a world that has not begun."""
    span_h = (world.trade.ends_at - world.starts_at).total_seconds() / 3600
    hands = Hands(world, luck)
    for name in acts.__struct_fields__:
        least_h = 2.0 if name in ("slips", "relabels") else 1.0
        for _ in range(getattr(acts, name)):
            world.agenda.after(
                timedelta(hours=luck.uniform(least_h, span_h + 2)), getattr(hands, name)
            )
    for number in range(packs):
        hands.make_pack(f"PACK-{number + 1}")
        for _ in range(PACK_ORDERS_A_DAY):
            buy = _buyer(hands, f"PACK-{number + 1}", luck.randint(0, 10**9))
            world.agenda.after(timedelta(hours=luck.uniform(1.5, span_h)), buy)


def _buyer(hands: "Hands", sku: str, number: int) -> Callable[[], None]:
    return lambda: hands.buy(sku, number)


class Hands:
    """People's hands on a world."""

    def __init__(self, world: World, luck: Random) -> None:
        self._world = world
        self._luck = luck

    # ── in the ERP ──

    def holds(self) -> None:
        order = self._order(lambda order: not order.complete)
        if order is not None:
            self._do("khaos", "hold", external_ref=order.external_ref)
            self._world.agenda.after(HELD_FOR, lambda: self._release(order))

    def _release(self, order: SalesOrder) -> None:
        self._do("khaos", "release_hold", external_ref=order.external_ref)

    def erp_cancels(self) -> None:
        order = self._order(lambda order: not order.complete)
        if order is not None:
            reason = "customer changed their mind"
            self._do("khaos", "cancel_order", external_ref=order.external_ref, reason=reason)

    def un_ships(self) -> None:
        order = self._order(lambda order: any(i.shipped_at for i in order.invoices))
        if order is not None:
            self._do("khaos", "un_ship", external_ref=order.external_ref)

    def extra_boxes(self) -> None:
        order = self._order(lambda order: any(_has_room(i) for i in order.invoices))
        if order is not None:
            invoice = next(each for each in order.invoices if _has_room(each))
            code = invoice.items[0].line.item.code
            self._do(
                "khaos",
                "add_box",
                invoice_code=invoice.code,
                stock_code=code,
                quantity=1,
            )

    def courier_renamed(self) -> None:
        name = self._luck.choice(self._world.warehouse.couriers).name
        self._do("khaos", "rename_courier", old_name=name, new_name=f"{name} (new)")

    def slips(self) -> None:
        found = self._labelled("", self.slips)
        if found is not None:
            invoice, number, right = found
            self._label(invoice, number, f"{SLIP}{right}")
            code = invoice.code
            self._world.agenda.after(HELD_FOR, lambda: self._put_right(code, number, right))

    def _put_right(self, code: str, number: int, right: str) -> None:
        """As the ERP has the box by now: set back to a backup, it may never have had the slip,
        and what was written on it since is another parcel's number.
        """
        invoice = self._world.warehouse.orders.invoice(code)
        boxes = invoice.boxes[number - 1 : number] if invoice is not None else []
        if invoice is not None and any(box.consignment == f"{SLIP}{right}" for box in boxes):
            self._label(invoice, number, right)

    def relabels(self) -> None:
        found = self._labelled(DPD, self.relabels)
        if found is not None:
            invoice, number, _ = found
            self._label(invoice, number, f"{DPD}{self._luck.randrange(10**10):010}")

    def _labelled(
        self, begins: str, again: Callable[[], None]
    ) -> tuple[Invoice, int, str] | None:
        """A box that went, its number (1, 2, …), and the courier's number on it.

        Where there is none, somebody has it `again` a little later, while there is trade.
        """
        boxes = [
            (invoice, number, box.consignment)
            for order in self._world.warehouse.sales_orders.values()
            for invoice in order.invoices
            for number, box in enumerate(invoice.boxes, start=1)
            if box.shipped and not invoice.closed and box.courier.settings.consignment
            if box.consignment.startswith(begins)
            if box.consignment and not box.consignment.startswith(SLIP)
        ]
        if not boxes and not self._world.trade_over:
            self._world.agenda.after(LABELS_AGAIN, again)
        return self._luck.choice(boxes) if boxes else None

    def _label(self, invoice: Invoice, number: int, consignment: str) -> None:
        self._do(
            "khaos",
            "set_consignment",
            invoice_code=invoice.code,
            box_number=number,
            consignment=consignment,
        )

    def discontinues(self) -> None:
        code = self._item()
        self._do("khaos", "edit_product", code=code, discontinued=True)
        self._world.agenda.after(
            HELD_FOR,
            lambda: self._do("khaos", "edit_product", code=code, discontinued=False),
        )

    def counts_to_zero(self) -> None:
        code = self._item()
        free = int(self._world.warehouse.level(code))
        self._do("khaos", "adjust", code=code, delta=-free, reason="stock count")

    # ── at the marketplace ──

    def operator_cancels(self) -> None:
        orders = [
            order
            for order in self._world.marketplace.orders.values()
            if order.state in {"WAITING_ACCEPTANCE", "WAITING_DEBIT_PAYMENT", "SHIPPING"}
        ]
        if orders:
            order_id = self._luck.choice(orders).order_id
            self._do("johnlewis", "operator_cancels", order_id=order_id)

    def unposted_cancels(self, looks: int = 24) -> None:
        world = self._world
        orders = [
            order
            for order in world.marketplace.orders.values()
            if order.state == "SHIPPING" and not sales_orders_of(world.warehouse, order)
            if any(world.warehouse.stock.find(line.sku) is None for line in order.lines)
        ]
        if orders:
            order_id = self._luck.choice(orders).order_id
            self._do("johnlewis", "operator_cancels", order_id=order_id)
        elif looks > 1:
            world.agenda.after(LOOKS_AGAIN, lambda: self.unposted_cancels(looks - 1))

    def late_lines(self) -> None:
        self._on_a_payout(add_to_a_payout)

    def lines_taken_off(self) -> None:
        self._on_a_payout(take_off_a_payout)

    def _on_a_payout(self, act: Callable[[World, Random], bool], looks: int = 24) -> None:
        if not act(self._world, self._luck) and looks > 1:
            self._world.agenda.after(LOOKS_AGAIN, lambda: self._on_a_payout(act, looks - 1))

    # ── packs ──

    def make_pack(self, sku: str) -> None:
        """Two different wares, one and two units of them, sold together."""
        items = [item for item in self._world.warehouse.stock if not item.pack_of]
        wares = [item for item in items if not item.discontinued]
        one, two = self._luck.sample(wares, 2)
        self._do(
            "khaos",
            "add_product",
            code=sku,
            description=f"PACK OF {one.description}",
            sell_price=PACK_PRICE,
            pack_of=((one.code, 1), (two.code, 2)),
        )
        self._do("johnlewis", "list_offer", sku=sku, price=PACK_PRICE, title=f"Pack {sku}")

    def buy(self, sku: str, number: int) -> None:
        buyer = customer_of(shopper(self._world.settings.seed, str(number)))
        basket = [BasketLine(sku=sku, quantity=1, unit_price=PACK_PRICE)]
        self._do("johnlewis", "place_order", basket=basket, customer=buyer)

    # ── choosing and doing ──

    def _order(self, fits: Callable[[SalesOrder], bool]) -> SalesOrder | None:
        found = [order for order in self._world.warehouse.sales_orders.values() if fits(order)]
        return self._luck.choice(found) if found else None

    def _item(self) -> str:
        items = [item for item in self._world.warehouse.stock if item.holds_stock]
        return self._luck.choice(items).code

    def _do(self, side: str, operation: str, **arguments: object) -> None:
        """A hand that comes too late does nothing."""
        try:
            self._world.change(side, operation, arguments)
        except (ApiError, Misuse):
            return


def _has_room(invoice: Invoice) -> bool:
    return not invoice.closed and invoice.quantity > 1
