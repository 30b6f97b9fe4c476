"""Stock imports are applied whole, in turn, with a report of their wrong lines (b.2)."""

import pytest

from kcjl.errors import Misuse
from kcjl.money import Money
from tests.sandbox.marketplace_shop import SHIRT, SOCKS, Shop


def test_stock_import_reports_its_wrong_lines_and_applies_the_others() -> None:
    """One line's mistake is that line's alone; the report names lines by their place."""
    shop = Shop()
    import_id = shop.marketplace.import_stock(
        "offer-sku;quantity;warehouse-code;update-delete\n"
        f'"{SHIRT}";"4";"";""\n'
        '"NOBODY";"4";"";""\n'
        f'"{SOCKS}";"many";"";""\n'
        f'"{SHIRT}";"5";"";""\n'
    )
    taken = shop.marketplace.catalogue.stock_import(import_id)
    states = [taken.status]
    for _ in range(2):
        shop.wait(seconds=5)
        states.append(taken.status)

    assert states == ["WAITING", "RUNNING", "COMPLETE"]
    assert (
        taken.lines_in_success,
        [error.line_number for error in taken.errors],
    ) == (1, [3, 4, 5])
    assert (shop.marketplace.offered(SHIRT), shop.marketplace.offered(SOCKS)) == (4, 10)


def test_stock_import_adds_up_warehouses_that_follow_each_other() -> None:
    """An offer's quantity is the sum of its warehouses; deleting one takes its units away."""
    shop = Shop()
    shop.marketplace.import_stock(
        f"offer-sku;quantity;warehouse-code;update-delete\n{SHIRT};4;MAIN;\n{SHIRT};9;NORTH;"
    )
    shop.wait(seconds=10)
    both = shop.marketplace.offered(SHIRT)
    shop.marketplace.import_stock(
        f"offer-sku;quantity;warehouse-code;update-delete\n{SHIRT};;MAIN;delete"
    )
    shop.wait(seconds=10)

    assert (both, shop.marketplace.offered(SHIRT)) == (13, 9)


def test_stock_import_that_cannot_be_read_fails_as_a_whole() -> None:
    """A file without its columns changes nothing."""
    shop = Shop()
    import_id = shop.marketplace.import_stock("sku,quantity\nA,1")
    shop.wait(seconds=10)

    assert shop.marketplace.catalogue.stock_import(import_id).status == "FAILED"


def test_stock_import_overwrites_what_was_sold_while_it_waited() -> None:
    """An absolute figure wins over sales that came in meanwhile: the platform's own race."""
    shop = Shop()
    shop.marketplace.import_stock(f"offer-sku;quantity\n{SHIRT};10")
    shop.order(shirts=3)
    shop.wait(seconds=10)

    assert shop.marketplace.offered(SHIRT) == 10


def test_stock_imports_are_applied_in_the_order_they_came() -> None:
    """A second import waits for the first; the last one counts."""
    shop = Shop()
    shop.marketplace.import_stock(f"offer-sku;quantity\n{SHIRT};1")
    second = shop.marketplace.import_stock(f"offer-sku;quantity\n{SHIRT};2")
    shop.wait(seconds=10)
    states = [shop.marketplace.catalogue.stock_import(second).status]
    figures = [shop.marketplace.offered(SHIRT)]
    shop.wait(seconds=10)
    figures.append(shop.marketplace.offered(SHIRT))

    assert (states, figures) == (["WAITING"], [1, 2])


def test_sku_listed_twice_is_misuse() -> None:
    """An offer is one SKU's."""
    shop = Shop()
    with pytest.raises(Misuse):
        shop.marketplace.list_offer(SHIRT, price=Money(1), title="Again")
