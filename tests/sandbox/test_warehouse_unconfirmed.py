"""Orders that come in unconfirmed, where the system is set up so: a person takes them."""

from decimal import Decimal

import pytest
from lxml import etree

from kcjl.errors import Misuse
from kcjl.sandbox.warehouse import Warehouse
from tests.sandbox.khaos_server import served
from tests.sandbox.warehouse_orders import document, imported, live, warehouse_of

pytestmark = pytest.mark.anyio

REF = "JL100200300"
STATUS = (
    "<ExportOrderStatusEx><IDs>JL100200300</IDs><MappingType>4</MappingType>"
    "<ConfirmedOnly>{}</ConfirmedOnly></ExportOrderStatusEx>"
)


def unconfirmed(**settings: object) -> Warehouse:
    return warehouse_of(imports_unconfirmed=True, **settings)


@pytest.mark.parametrize(("reserves", "level"), [(True, 18), (False, 20)])
def test_unconfirmed_order_makes_no_invoice_until_it_is_confirmed(
    *, reserves: bool, level: int
) -> None:
    """Whether it reserves stock meanwhile is a setting; afterwards all goes its way."""
    warehouse = unconfirmed(unconfirmed_reserves=reserves)
    order = imported(warehouse, document())
    live(warehouse)
    before = (warehouse.level("LAMP-OAK-01"), len(order.invoices), order.complete)
    warehouse.confirm_order(REF)
    confirmed = warehouse.level("LAMP-OAK-01")
    live(warehouse)

    assert (Decimal(level), 0, False) == before
    assert Decimal(18) == confirmed
    assert order.complete
    with pytest.raises(Misuse, match=order.code):
        warehouse.confirm_order(REF)


def test_unconfirmed_order_is_cancelled_and_gives_its_stock_back() -> None:
    """It is over then, and can't be confirmed any more."""
    warehouse = unconfirmed()
    order = imported(warehouse, document())

    assert warehouse.cancel_order(REF, "not wanted") == "cancelled"
    assert Decimal(20) == warehouse.level("LAMP-OAK-01")
    assert order.complete
    with pytest.raises(Misuse):
        warehouse.confirm_order(REF)


async def test_unconfirmed_order_is_shown_unless_confirmed_ones_only_are_asked() -> None:
    """An order without invoices, not complete; ConfirmedOnly leaves it out."""
    warehouse = unconfirmed()
    imported(warehouse, document())
    async with served(warehouse) as erp:
        answers = [
            etree.fromstring((await erp.post(STATUS.format(flag)))[1].findtext("return") or "")
            for flag in ("0", "-1")
        ]

    assert [len(answer) for answer in answers] == [1, 0]
    assert answers[0].findtext("ORDER_STATUS/COMPLETE") == "0"
    assert len(answers[0].findall(".//INVOICE")) == 0
