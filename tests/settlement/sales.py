"""Words for the tests of expectation: contract e.4's order, and the lines that settle it.

Order O1 has two lines: O1-1 of 48.00 and 3.95 shipping, O1-2 of 15.50 and none; commission is
20 % of both, its VAT 20 % of that.
"""

from datetime import datetime
from decimal import Decimal

from kcjl.money import Money
from kcjl.settlement.events import SettlementLineSeen
from kcjl.settlement.sold import SoldLine, SoldOrder, SoldRefund
from kcjl.settlement.state import Line, TermsInForce
from kcjl.settlement.terms import CommissionRate, CommissionTerms
from tests.trade import at, gbp

__all__ = ["ORDER", "TERMS_20", "e4_lines", "settled", "sold_line", "terms_of"]


def sold_line(
    line_id: str, price: int, shipping: int, commission: int, vat: int, *, category: str = ""
) -> SoldLine:
    return SoldLine(
        line_id=line_id,
        sku="A-1",
        category_code=category,
        price=gbp(price),
        shipping=gbp(shipping),
        commission=gbp(commission),
        commission_tax=gbp(vat),
    )


ORDER = SoldOrder(
    order_id="O1",
    reference="REF-O1",
    erp_order_code="SO-O1",
    placed_at=at(0),
    tax_mode="TAX_INCLUDED",
    lines=(
        sold_line("O1-1", 4_800, 395, 1_039, 208, category="lamps"),
        sold_line("O1-2", 1_550, 0, 310, 62, category="toys"),
    ),
    refunds=(
        SoldRefund(refund_id="55012", line_id="O1-1", amount=gbp(2_400), shipping=gbp(0)),
    ),
)


def terms_of(*rates: CommissionRate, tolerance: int = 1) -> TermsInForce:
    terms = CommissionTerms(rates=rates, tolerance_pence=tolerance)
    return TermsInForce(version=3, terms=terms)


TERMS_20 = terms_of(CommissionRate(percent=Decimal(20)))


def settled(
    kind: str,
    amount: int,
    *,
    number: int = 1,
    line: str | None = "O1-1",
    refund: str | None = None,
    cycle: str | None = "CY1",
    shipment: str | None = None,
    created: datetime | None = None,
    currency: str = "GBP",
) -> Line:
    """A line that is tied, where it is of an order."""
    order_id = None if line is None else "O1"
    return Line(
        seen=SettlementLineSeen(
            line_id=f"T{number:02}",
            kind=kind,
            amount=Money(amount, currency),
            payment_state="PAID",
            cycle_id=cycle,
            voucher="000117",
            document_number="INV-JL-000981",
            order_id=order_id,
            order_line_id=line,
            refund_id=refund,
            customer_order_number=None if line is None else "REF-O1",
            created_at=created or at(number),
            shipment_id=shipment,
            occurred_at=at(60),
        ),
        tied_to="SO-O1" if order_id else "",
    )


def e4_lines() -> list[Line]:
    """The fifteen lines of contract e.4; they come to 21.02."""
    return [
        settled("ORDER_AMOUNT", 4_800, number=1),
        settled("ORDER_SHIPPING_AMOUNT", 395, number=2),
        settled("COMMISSION_FEE", -1_039, number=3),
        settled("COMMISSION_VAT", -208, number=4),
        settled("ORDER_AMOUNT", 1_550, number=5, line="O1-2"),
        settled("ORDER_SHIPPING_AMOUNT", 0, number=6, line="O1-2"),
        settled("COMMISSION_FEE", -310, number=7, line="O1-2"),
        settled("COMMISSION_VAT", -62, number=8, line="O1-2"),
        settled("REFUND_ORDER_AMOUNT", -2_400, number=9, refund="55012"),
        settled("REFUND_ORDER_SHIPPING_AMOUNT", 0, number=10, refund="55012"),
        settled("REFUND_COMMISSION_FEE", 480, number=11, refund="55012"),
        settled("REFUND_COMMISSION_VAT", 96, number=12, refund="55012"),
        settled("SUBSCRIPTION_FEE", -1_000, number=13, line=None),
        settled("SUBSCRIPTION_VAT", -200, number=14, line=None),
        settled("PAYMENT", -2_102, number=15, line=None),
    ]
