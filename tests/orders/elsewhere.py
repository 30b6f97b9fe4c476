"""Another shop in the same ERP: the merchant's own web site, which numbers orders as it likes.

Called by the tests of whose a reference is, and by the state machine of orders.
"""

import msgspec

from kcjl.khaos.kws_settings import KwsSettings
from kcjl.khaos.order_document import order_document
from kcjl.khaos.port import DeliveryAddress, NewOrder, NewOrderLine
from kcjl.money import Money
from kcjl.sandbox.world import World
from tests.simulation.outside_erp import KWS

__all__ = ["take_elsewhere"]

ELSEWHERE: KwsSettings = msgspec.structs.replace(
    KWS, company_code="SHOPFRONT", sales_source="WEB"
)


def take_elsewhere(world: World, reference: str) -> None:
    """The shop's own web site has an order with that reference."""
    nobody = DeliveryAddress(
        line1="1 Example Road",
        town="Leeds",
        postcode="ZZ9 9ZZ",
        country_code="GBR",
        surname="Tester",
    )
    item = next(each for each in world.warehouse.stock if not each.discontinued)
    there = NewOrder(
        external_ref=reference,
        ordered_at=world.agenda.now,
        currency="GBP",
        deliver_to=nobody,
        lines=(
            NewOrderLine(
                external_line_ref="", stock_code=item.code, quantity=1, unit_gross=Money(500)
            ),
        ),
        delivery_gross=Money(0),
        gross_total=Money(500),
    )
    world.change("khaos", "import_orders", {"document": order_document(there, ELSEWHERE)})
