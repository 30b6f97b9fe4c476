"""The sandbox's ERP is set back to a backup: its books and its people's plans, nothing else."""

from datetime import timedelta
from decimal import Decimal

from kcjl.money import Money
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.warehouse import Warehouse, WarehouseSettings
from kcjl.sandbox.warehouse.backup import back_up, restore
from kcjl.sandbox.warehouse.orders import StageId
from tests.sandbox.warehouse_orders import MONDAY_9, document


def warehouse_with_stock() -> Warehouse:
    warehouse = Warehouse(Agenda(MONDAY_9, seed=3), WarehouseSettings.quick())
    warehouse.add_product("LAMP", description="Lamp", sell_price=Money(6499), physical=5)
    return warehouse


def wait(warehouse: Warehouse, **span: float) -> None:
    warehouse.agenda.advance(warehouse.agenda.now + timedelta(**span))


def test_order_imported_after_the_backup_is_gone_and_its_stock_free_again() -> None:
    """A restored ERP knows nothing of what was done since; a second import is taken."""
    warehouse = warehouse_with_stock()
    backup = back_up(warehouse)
    warehouse.import_orders(document("REF-1", [("LAMP", 2, "64.99")]))

    restore(warehouse, backup)

    assert [] == warehouse.orders_by_ref("REF-1")
    assert Decimal(5) == warehouse.level("LAMP")
    assert (
        1 == warehouse.import_orders(document("REF-1", [("LAMP", 2, "64.99")])).imported_count
    )
    assert {"REF-1"} == {order.external_ref for order in warehouse.sales_orders.values()}


def test_order_shipped_after_the_backup_is_shipped_again_as_much_later() -> None:
    """The staff go on from where the books stand, with back orders waiting as before."""
    warehouse = warehouse_with_stock()
    for number in range(40):
        warehouse.import_orders(document(f"REF-{number}", [("LAMP", 1, "64.99")]))
    wait(warehouse, minutes=30)  # released: the rest is planned
    backup = back_up(warehouse)
    wait(warehouse, hours=8)
    (invoice,) = warehouse.orders_by_ref("REF-1")[0].invoices
    first = invoice.shipped_at
    assert first is not None

    restore(warehouse, backup)
    (invoice,) = warehouse.orders_by_ref("REF-1")[0].invoices
    assert invoice.shipped_at is None
    wait(warehouse, hours=8)

    assert first + timedelta(hours=8) == invoice.shipped_at
    assert StageId.ISSUED_CURRENT == invoice.stage
    warehouse.goods_in("LAMP", 50)
    wait(warehouse, hours=8)
    assert all(order.complete for order in warehouse.sales_orders.values())


def test_backup_restored_twice_gives_the_same_books_twice() -> None:
    """What happens after a restore does not reach into the backup."""
    warehouse = warehouse_with_stock()
    warehouse.import_orders(document("REF-1", [("LAMP", 2, "64.99")]))
    backup = back_up(warehouse)
    restore(warehouse, backup)
    warehouse.cancel_order("REF-1", "not wanted")
    assert Decimal(5) == warehouse.level("LAMP")

    restore(warehouse, backup)

    assert Decimal(3) == warehouse.level("LAMP")
    assert warehouse.orders_by_ref("REF-1")[0].cancelled is None
