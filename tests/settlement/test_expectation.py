"""Settlement, the rules of expectation: each difference has its name and its pence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import msgspec
import pytest

from kcjl.settlement.expectation import Known, find_gaps, gap_totals
from kcjl.settlement.gap_events import GapTotal
from kcjl.settlement.sold import SoldOrder
from kcjl.settlement.state import Line, TermsInForce
from kcjl.settlement.terms import CommissionRate
from tests.settlement.sales import ORDER, TERMS_20, e4_lines, settled, terms_of
from tests.trade import at, gbp

replace = msgspec.structs.replace


@dataclass
class Held:
    """What lines are held against."""

    sold: SoldOrder | None = ORDER
    terms: TermsInForce | None = TERMS_20
    returns: bool = False
    elsewhere: Sequence[Line] = ()

    def gaps(self, lines: Sequence[Line]) -> list[tuple[str, str, int, int]]:
        """(name, of what, charged, expected), in pence."""
        known = Known(
            sold={} if self.sold is None else {"O1": self.sold},
            lines={"O1": [e for e in (*lines, *self.elsewhere) if e.seen.order_id]},
            terms=self.terms,
            returns_are_told=self.returns,
        )
        return [
            (gap.kind, gap.subject, gap.charged.amount_minor, gap.expected.amount_minor)
            for gap in find_gaps("CY1", lines, known, at(200))
        ]


def without(*numbers: int) -> list[Line]:
    """The lines of e.4 but for these."""
    return [
        each for each in e4_lines() if each.seen.line_id not in {f"T{n:02}" for n in numbers}
    ]


def changed(number: int, amount: int) -> list[Line]:
    """The lines of e.4, one of them of another amount."""
    return [
        replace(each, seen=replace(each.seen, amount=gbp(amount)))
        if each.seen.line_id == f"T{number:02}"
        else each
        for each in e4_lines()
    ]


@pytest.mark.parametrize("terms", [TERMS_20, None], ids=["by contract", "as the order states"])
def test_worked_example_is_as_expected(terms: TermsInForce | None) -> None:
    """Contract e.4: every penny is as the terms, or the order itself, say."""
    assert [] == Held(terms=terms).gaps(e4_lines())


@pytest.mark.parametrize(
    ("lines", "gap"),
    [
        (changed(3, -1_300), ("commission_rate", "O1-1", -1_300, -1_039)),
        (changed(3, -1_040), ("rounding", "O1-1", -1_040, -1_039)),
        (changed(4, -211), ("commission_vat", "O1-1", -211, -208)),
        (changed(4, -209), ("rounding", "O1-1", -209, -208)),
        (changed(1, 4_700), ("amount_differs", "O1-1", 4_700, 4_800)),
        (without(3, 4), ("missing_line", "O1-1", 0, -1_039)),
        (without(4), ("missing_line", "O1-1", 0, -208)),
        (without(2, 3, 4), ("missing_line", "O1-1", 0, 395)),
        (changed(9, -2_300), ("amount_differs", "55012", -2_300, -2_400)),
        (without(11, 12), ("refund_commission_kept", "55012", 0, 480)),
        (without(12), ("refund_commission_kept", "55012", 0, 96)),
        (changed(11, 300), ("commission_rate", "55012", 300, 480)),
    ],
    ids=lambda each: each[0] if isinstance(each, tuple) else "",
)
def test_difference_has_its_name_and_its_pence(
    lines: list[Line], gap: tuple[str, str, int, int]
) -> None:
    """What was charged against what was agreed, one by one."""
    assert gap in Held().gaps(lines)


def test_commission_on_another_base_is_named_so() -> None:
    """Taken on the price alone, where the contract says with shipping; and the other way."""
    lines = changed(3, -960)

    assert ("commission_base", "O1-1", -960, -1_039) in Held().gaps(lines)
    goods_only = terms_of(CommissionRate(percent=Decimal(20), on_shipping=False))
    found = Held(terms=goods_only).gaps(e4_lines())
    assert [("commission_base", "O1-1", -1_039, -960)] == found


def test_commission_is_of_the_category_and_of_the_day() -> None:
    """The rate of the line's own category, and the one that held when it was ordered."""
    terms = terms_of(
        CommissionRate(percent=Decimal(20)),
        CommissionRate(category="toys", percent=Decimal(30), valid_until=date(2026, 9, 30)),
        CommissionRate(category="lamps", percent=Decimal(10), valid_from=date(2026, 10, 1)),
    )

    kinds = {each[:2] for each in Held(terms=terms).gaps(e4_lines())}

    assert {("commission_rate", "O1-1"), ("commission_rate", "55012")} == kinds


def test_line_that_is_there_twice_counts_once() -> None:
    """The later of two that are alike is named; the rest is as expected."""
    again = settled("COMMISSION_FEE", -1_039, number=20)

    assert [("duplicate_line", "O1-1", -1_039, 0)] == Held().gaps([*e4_lines(), again])


def test_line_that_is_there_twice_in_two_payouts_is_named_in_the_later() -> None:
    """It was right in the first, and it is not in the second."""
    again = settled("ORDER_AMOUNT", 4_800, number=20, cycle="CY2")

    assert [] == Held(elsewhere=[again]).gaps(e4_lines())
    earlier = [replace(each, seen=replace(each.seen, cycle_id="CY0")) for each in e4_lines()]
    late = settled("ORDER_AMOUNT", 4_800, number=20)
    found = Held(elsewhere=earlier).gaps([late])
    assert [("duplicate_line", "O1-1", 4_800, 0)] == found


def test_two_parcels_of_one_price_are_no_duplicate() -> None:
    """Two units, each paid for when its parcel goes: together they are the line."""
    lines = [
        settled("ORDER_AMOUNT", 2_400, number=1, shipment="S1"),
        settled("ORDER_SHIPPING_AMOUNT", 395, number=2, shipment="S1"),
        settled("ORDER_AMOUNT", 2_400, number=3, shipment="S2"),
        settled("COMMISSION_FEE", -559, number=4, shipment="S1"),
        settled("COMMISSION_VAT", -112, number=5, shipment="S1"),
        settled("COMMISSION_FEE", -480, number=6, shipment="S2"),
        settled("COMMISSION_VAT", -96, number=7, shipment="S2"),
    ]

    assert [] == Held().gaps(lines)


def test_sale_that_is_paid_parcel_by_parcel_is_not_short_before_the_last() -> None:
    """The first parcel of two: the rest is still to come, and its commission with it."""
    first = [
        settled("ORDER_AMOUNT", 2_400, number=1, shipment="S1"),
        settled("ORDER_SHIPPING_AMOUNT", 395, number=2, shipment="S1"),
        settled("COMMISSION_FEE", -559, number=4, shipment="S1"),
        settled("COMMISSION_VAT", -112, number=5, shipment="S1"),
    ]

    assert [] == Held().gaps(first)


def test_commission_that_comes_in_a_later_payout_is_as_expected_there() -> None:
    """The sale was settled before; its fee alone is what was left."""
    earlier = [replace(e, seen=replace(e.seen, cycle_id="CY0")) for e in without(3, 4)]
    fee = [
        settled("COMMISSION_FEE", -1_039, number=3),
        settled("COMMISSION_VAT", -208, number=4),
    ]

    assert [] == Held(elsewhere=earlier).gaps(fee)


def test_cancelled_line_is_not_held_against_what_it_was_sold_for() -> None:
    """What is left of it is told nowhere; its commission is held against what is settled."""
    lines = tuple(replace(each, cancelled=True) for each in ORDER.lines)
    sold = replace(ORDER, lines=lines)

    assert [] == Held(sold=sold, terms=None).gaps(e4_lines())
    half = [
        settled("ORDER_AMOUNT", 2_400, number=1),
        settled("COMMISSION_FEE", -480, number=2),
        settled("COMMISSION_VAT", -96, number=3),
    ]
    assert [] == Held(sold=sold).gaps(half)


@pytest.mark.parametrize(
    ("sold", "returns", "named"),
    [
        (ORDER, True, True),
        (ORDER, False, False),
        (replace(ORDER, returned=("O1-1",)), True, False),
        (replace(ORDER, withdrawn=("O1-1",)), True, False),
    ],
    ids=["nothing came back", "nobody tells us", "it came back", "it never left"],
)
def test_refund_of_goods_that_did_not_come_back_is_named(
    sold: SoldOrder, *, returns: bool, named: bool
) -> None:
    """Where returns are told: money went back, and the goods did not."""
    expected = [("refund_without_return", "55012", -2_400, 0)] if named else []

    assert expected == Held(sold=sold, returns=returns).gaps(e4_lines())


def test_type_that_nobody_knows_is_a_gap_of_all_of_it() -> None:
    """It was not expected; it is booked to suspense, and named."""
    fee = settled("NEW_FEE", -150, number=30, line=None)

    assert [("unknown_type", "T30", -150, 0)] == Held().gaps([*e4_lines(), fee])


def test_order_that_the_erp_does_not_have_is_one_gap_of_all_its_lines() -> None:
    """Nothing of it is expected, and nothing else is said of it."""
    untied = [replace(each, tied_to="") for each in e4_lines()]

    assert [("order_not_in_erp", "O1", 3_302, 0)] == Held().gaps(untied)


def test_sales_order_of_another_total_is_a_gap() -> None:
    """The ERP waits for a penny more than the marketplace pays."""
    sold = replace(ORDER, erp_off=gbp(1))

    assert [("erp_total_differs", "O1", 0, 1)] == Held(sold=sold).gaps(e4_lines())


def test_taxes_beside_the_amount_count_where_the_order_contains_them() -> None:
    """TAX_INCLUDED: net and tax are the price together; TAX_EXCLUDED: the tax comes on top."""
    lines = [*changed(1, 4_000), settled("ORDER_AMOUNT_TAX", 800, number=40)]

    assert [] == Held().gaps(lines)
    on_top = [*e4_lines(), settled("ORDER_AMOUNT_TAX", 960, number=40)]
    assert [] == Held(sold=replace(ORDER, tax_mode="TAX_EXCLUDED")).gaps(on_top)


def test_order_that_was_never_seen_is_held_against_nothing() -> None:
    """A line may be tied by hand before the order was read."""
    assert [] == Held(sold=None).gaps(e4_lines())


def test_gaps_add_up_by_name() -> None:
    """Rounding pennies are summed and shown, never hidden."""
    lines = [
        replace(each, seen=replace(each.seen, amount=gbp(each.seen.amount.amount_minor - 1)))
        if each.seen.kind == "COMMISSION_FEE"
        else each
        for each in e4_lines()
    ]
    known = Known(
        sold={"O1": ORDER}, lines={"O1": lines}, terms=TERMS_20, returns_are_told=False
    )

    totals = gap_totals(find_gaps("CY1", lines, known, at(200)))

    assert (GapTotal(kind="rounding", gaps=2, amount=gbp(-2)),) == totals
