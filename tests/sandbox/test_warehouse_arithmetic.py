"""The arithmetic of an order as the vendor's calculation sheet has it, worked by hand."""

from decimal import Decimal

import pytest

from kcjl.money import Money
from tests.sandbox.warehouse_orders import document, imported, warehouse_of


@pytest.mark.parametrize(
    ("unit", "units", "discount", "company_class", "expected"),
    [
        # 194.97 − 19.50 = 175.47; / 1.2 = 146.225, half up
        ("64.99", 3, "10", "Marketplace", (14623, 2924, 17547)),
        # 9.99 × 7 = 69.93; 12.5 % = 8.74125 → 8.74; 61.19 / 1.2 = 50.9916…
        ("9.99", 7, "12.5", "Marketplace", (5099, 1020, 6119)),
        # net class: 9.99 / 1.2 = 8.325 → 8.33; × 7 = 58.31; − 7.29 = 51.02; tax 10.204
        ("9.99", 7, "12.5", "Trade", (5102, 1020, 6122)),
        # the whole line is free
        ("9.99", 7, "100", "Marketplace", (0, 0, 0)),
    ],
)
def test_line_with_a_discount_is_rounded_once_a_line(
    unit: str, units: int, discount: str, company_class: str, expected: tuple[int, int, int]
) -> None:
    """The discount is a rounded part of the line, never of the unit."""
    order = imported(
        warehouse_of(),
        document(
            lines=[("LAMP-OAK-01", units, unit)], company_class=company_class,
            line=f"<KSD_DISCOUNT>{discount}</KSD_DISCOUNT>",
        ),
    )  # fmt: skip
    (line,) = order.lines

    assert expected == (line.net.amount_minor, line.tax.amount_minor, line.gross.amount_minor)


@pytest.mark.parametrize(("code", "net", "tax"), [(1, 833, 167), (2, 1000, 0), (4, 952, 48)])
def test_tax_code_of_a_line_wins_over_the_items(code: int, net: int, tax: int) -> None:
    """1 standard, 2 zero, 4 reduced: a code, not a percentage."""
    order = imported(
        warehouse_of(),
        document(lines=[("VASE", 1, "10.00")], line=f"<TAX_RATE>{code}</TAX_RATE>"),
    )

    assert (Money(net), Money(tax)) == (order.lines[0].net, order.lines[0].tax)


def test_price_net_wins_where_a_line_has_both() -> None:
    """PRICE_NET and PRICE_GRS together: the net one counts."""
    order = imported(
        warehouse_of(),
        document(lines=[("VASE", 1, "99.00")], line="<PRICE_NET>10.00</PRICE_NET>"),
    )

    assert Decimal("12.00") == order.lines[0].gross.decimal()
