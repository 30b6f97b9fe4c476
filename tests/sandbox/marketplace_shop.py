"""A small shop for the tests of the marketplace: two offers, one customer, quick timers.

Promises: the contract's worked example (b.3, e.4) can be ordered in it. Called by the tests of
the marketplace's model and of its HTTP face.
"""

from datetime import UTC, datetime, timedelta

from kcjl.money import Money
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.marketplace import (
    BasketLine,
    Customer,
    Marketplace,
    MarketplaceSettings,
    Order,
    PostalAddress,
)

__all__ = ["ADA", "BEGINNING", "SHIRT", "SOCKS", "Shop", "parcel_of", "quick", "refund_of"]

BEGINNING = datetime(2026, 2, 3, 8, 1, 12, 345_678, tzinfo=UTC)
SHIRT = "KC-SHIRT-M-BLU"
SOCKS = "KC-SOCK-9"
ADA = Customer(
    customer_id="C-881",
    first_name="Ada",
    last_name="Example",
    delivery=PostalAddress(
        first_name="Ada",
        last_name="Example",
        street_1="1 Test Street",
        street_2="Flat 2",
        city="Leeds",
        postcode="LS1 1AA",
        phone="07000000000",
    ),
)


def quick(**settings: object) -> MarketplaceSettings:
    """Settings with short and certain delays, and what a test wants otherwise."""
    chosen: dict[str, object] = {
        "debit_delay_s_min": 60,
        "debit_delay_s_max": 60,
        "received_after_hours_min": 24,
        "received_after_hours_max": 24,
        "refund_accepted_after_s": 10,
        "refund_paid_after_s": 20,
        "import_s_min": 10,
        "import_s_max": 10,
        "call_limits": False,
    }
    return MarketplaceSettings(**{**chosen, **settings})  # type: ignore[arg-type]


class Shop:
    """A marketplace with two offers in stock."""

    def __init__(self, settings: MarketplaceSettings | None = None, seed: int = 7) -> None:
        self.agenda = Agenda(BEGINNING, seed)
        self.marketplace = Marketplace(self.agenda, settings or quick())
        self.marketplace.list_offer(SHIRT, price=Money(2400), title="Shirt blue M")
        self.marketplace.list_offer(SOCKS, price=Money(1550), title="Socks")
        self.stock({SHIRT: 10, SOCKS: 10})

    def stock(self, figures: dict[str, int]) -> str:
        """Import quantities and wait until they show."""
        written = '"offer-sku";"quantity";"warehouse-code";"update-delete"\n' + "".join(
            f'"{sku}";"{quantity}";"";""\n' for sku, quantity in figures.items()
        )
        import_id = self.marketplace.import_stock(written)
        self.wait(seconds=10)
        return import_id

    def wait(self, *, seconds: float = 0, hours: float = 0) -> None:
        self.agenda.advance(self.agenda.now + timedelta(seconds=seconds, hours=hours))

    def order(
        self, shirts: int = 2, socks: int = 1, *, beyond_the_window: bool = False
    ) -> Order:
        """An order of shirts at 24.00 and socks at 15.50 with 3.95 of shipping."""
        wanted = ((SHIRT, shirts, 2400, 395), (SOCKS, socks, 1550, 0))
        placed = self.marketplace.place_order(
            [
                BasketLine(
                    sku=sku,
                    quantity=quantity,
                    unit_price=Money(price),
                    shipping_price=Money(shipping),
                )
                for sku, quantity, price, shipping in wanted
                if quantity
            ],
            ADA,
            beyond_the_window=beyond_the_window,
        )
        assert placed is not None
        return self.marketplace.orders[placed.order_id]

    def decide(self, order: Order, *accepted: bool) -> None:
        """Accept or refuse the lines in their order; all are accepted where nothing is said."""
        said = accepted or tuple(True for _ in order.lines)
        self.marketplace.accept(
            order.order_id,
            [
                {"id": line.line_id, "accepted": yes}
                for line, yes in zip(order.lines, said, strict=True)
            ],
        )

    def order_to_ship(self, shirts: int = 2, socks: int = 1) -> Order:
        """An order that was accepted and paid for."""
        order = self.order(shirts, socks)
        if order.state == "WAITING_ACCEPTANCE":
            self.decide(order)
        self.wait(seconds=60)
        assert order.state == "SHIPPING"
        return order

    def received_order(self, shirts: int = 2, socks: int = 1) -> Order:
        order = self.order_to_ship(shirts, socks)
        self.marketplace.ship(order.order_id)
        self.wait(hours=24)
        assert order.state == "RECEIVED"
        return order


def refund_of(order: Order, index: int = 0, **fields: object) -> dict[str, object]:
    """One shirt's refund, as a client writes it."""
    written: dict[str, object] = {
        "order_line_id": order.lines[index].line_id,
        "amount": "24.00",
        "shipping_amount": "0",
        "quantity": 1,
        "reason_code": "17",
        "taxes": [{"code": "VAT20", "amount": "4.00"}],
        "shipping_taxes": [{"code": "VAT20", "amount": "0"}],
    }
    return {**written, **fields}


def parcel_of(order: Order, units: dict[int, int], **fields: object) -> dict[str, object]:
    """A shipped parcel with units of the lines named by their place."""
    written: dict[str, object] = {
        "order_id": order.order_id,
        "shipment_lines": [
            {"order_line_id": order.lines[index].line_id, "quantity": quantity}
            for index, quantity in units.items()
        ],
        "tracking": {"carrier_code": "RM", "tracking_number": "AB123456789GB"},
        "shipped": True,
    }
    return {**written, **fields}
