"""Amounts, the rules: what is posted comes to what the customer pays, to the penny."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.fold import Table
from kcjl.johnlewis.order_port import (
    Cancelation,
    Order,
    OrderLine,
    OrderState,
    Refund,
    TaxAmount,
)
from kcjl.khaos.port import NewOrderLine
from kcjl.money import Money
from kcjl.orders.acceptance import Circumstances, judged
from kcjl.orders.acceptance_policy import AcceptancePolicy
from kcjl.orders.acceptance_state import PolicyInForce, Words
from kcjl.orders.amounts import (
    amounts_posted,
    decide_totals,
    posting_amounts,
    posting_lines,
    wants_totals_again,
    why_not_to_the_penny,
)
from kcjl.orders.as_paid import as_paid, tax_of
from kcjl.orders.decide import AMOUNTS_DIFFER
from kcjl.orders.decide_posting import wants_work
from kcjl.orders.posting_events import AmountsShown, LineAmount, TotalsCompared
from kcjl.orders.shelf import SHELVES, STOCK_LOOK, Shelves
from kcjl.orders.state import ORDERS, OrderEntry
from kcjl.vocabulary import Event
from tests.orders.books import KNOWN, WRITTEN, order
from tests.outside.marketplace import marketplace_line, marketplace_order
from tests.trade import (
    SHIPPING,
    at,
    changed,
    gbp,
    intended,
    made_of,
    ordered,
    posted,
    received,
    sealed,
    stands,
)

replace = msgspec.structs.replace


def taxed(line: OrderLine, *, goods: int, shipping: int = 0, postage: int = 0) -> OrderLine:
    """A line with taxes of so many pence beside its amounts."""
    return replace(
        line,
        shipping_price=gbp(postage),
        taxes=(TaxAmount(code="VAT", amount=gbp(goods)),),
        shipping_taxes=(TaxAmount(code="VAT", amount=gbp(shipping)),),
    )


def untaxed(*lines: OrderLine, state: str = SHIPPING) -> Order:
    """An order of a tenant whose amounts are without tax."""
    made = marketplace_order("O1", *lines, state=state)
    shipping = sum((line.shipping_price for line in lines), gbp(0))
    return replace(
        made,
        tax_mode="TAX_EXCLUDED",
        shipping_price=shipping,
        total_price=made.price + shipping,
    )


# ── as paid ─────────────────────────────────────────────────────────────────────────────────


def test_order_with_tax_inside_is_as_it_came() -> None:
    """Nothing is put on amounts that have their tax in them."""
    told = replace(marketplace_order(), lines=(taxed(marketplace_line(), goods=333),))

    assert told is as_paid(told)


def test_order_without_tax_has_it_put_on_line_by_line() -> None:
    """Goods 20.00 + 4.00, delivery 3.95 + 0.79, and a refund of one of two: with its part."""
    back = Refund(
        refund_id="F1",
        amount=gbp(1_000),
        shipping_amount=gbp(0),
        state="REFUNDED",
        reason_code="17",
        taxes=(TaxAmount(code="VAT", amount=gbp(200)),),
    )
    off = Cancelation(
        cancelation_id="C1",
        amount=gbp(10),
        shipping_amount=gbp(100),
        reason_code="34",
        taxes=(TaxAmount(code="VAT", amount=gbp(2)),),
        shipping_taxes=(TaxAmount(code="VAT", amount=gbp(20)),),
    )
    line = taxed(marketplace_line(), goods=400, shipping=79, postage=395)

    paid = as_paid(untaxed(replace(line, refunds=(back,), cancelations=(off,))))

    (one,) = paid.lines
    assert (gbp(2_400), gbp(474), gbp(1_200)) == (one.price, one.shipping_price, one.unit_price)
    assert (gbp(2_400), gbp(474), gbp(2_874)) == (
        paid.price,
        paid.shipping_price,
        paid.total_price,
    )
    assert (gbp(1_200), gbp(0)) == (one.refunds[0].amount, one.refunds[0].shipping_amount)
    assert (gbp(12), gbp(120)) == (
        one.cancelations[0].amount,
        one.cancelations[0].shipping_amount,
    )
    assert gbp(479) == tax_of(one)
    assert "TAX_EXCLUDED" == paid.tax_mode


def test_refused_line_is_not_in_the_order_s_total() -> None:
    """It keeps its amounts on the line, and is left out of the totals: so is its tax."""
    live = taxed(marketplace_line("O1-1"), goods=400)
    dead = replace(taxed(marketplace_line("O1-2"), goods=999), state=OrderState.REFUSED)
    told = replace(untaxed(live, dead), price=gbp(2_000), total_price=gbp(2_000))

    assert gbp(2_400) == as_paid(told).total_price


def test_fees_of_the_customer_go_with_the_delivery() -> None:
    """The order's total has them, and the ERP knows one charge beside the goods."""
    line = replace(marketplace_line(), fees=gbp(250), shipping_price=gbp(395))
    told = replace(
        marketplace_order("O1", line), shipping_price=gbp(395), total_price=gbp(2_645)
    )

    paid = as_paid(told)

    assert gbp(645) == paid.lines[0].shipping_price
    assert (gbp(645), gbp(2_645)) == (paid.shipping_price, paid.total_price)


def test_tax_of_the_whole_order_that_no_line_names_is_not_lost() -> None:
    """It is in the total, so that the lines are seen not to come to it."""
    told = replace(
        untaxed(marketplace_line()), order_taxes=(TaxAmount(code="VAT", amount=gbp(400)),)
    )

    assert gbp(2_400) == as_paid(told).total_price
    assert tax_of(told.lines[0]) is None


# ── what is posted ──────────────────────────────────────────────────────────────────────────


def priced(quantity: int, price: int, shipping: int = 0) -> OrderEntry:
    """An order of one line at a total that its units may not divide."""
    line = replace(
        ordered(quantity=quantity), price=gbp(price), shipping_price=gbp(shipping), tax=gbp(7)
    )
    first = replace(
        received("O1", line, state=SHIPPING),
        shipping_price=gbp(shipping),
        total_price=gbp(price + shipping),
    )
    return made_of(ORDERS, "O1", first, sealed())


@given(
    quantity=st.integers(1, 999),
    price=st.integers(0, 9_999_999),
    shipping=st.integers(0, 9_999),
)
def test_posting_comes_to_what_the_customer_pays(
    quantity: int, price: int, shipping: int
) -> None:
    """Whatever promotion or rounding made of a line: no penny more, none less, no unit lost."""
    entry = priced(quantity, price, shipping)

    (line,) = posting_lines(entry, KNOWN)
    delivery, total = posting_amounts(entry)

    item = NewOrderLine(
        external_line_ref=line.line_id,
        stock_code=line.stock_code,
        quantity=line.quantity,
        unit_gross=line.unit_gross,
        units_a_penny_more=line.units_a_penny_more,
    )
    assert quantity == sum(units for units, _ in item.items())
    assert gbp(price) == sum((unit.times(units) for units, unit in item.items()), gbp(0))
    assert (gbp(shipping), gbp(price + shipping)) == (delivery, total)
    assert 1 <= len(item.items()) <= 2
    assert "" == why_not_to_the_penny(entry)


def test_units_that_divide_the_price_are_one_item() -> None:
    """Only a price that does not come out even is split."""
    (even,) = posting_lines(priced(3, 3_000), KNOWN)
    (odd,) = posting_lines(priced(3, 2_000), KNOWN)

    assert (gbp(1_000), 0) == (even.unit_gross, even.units_a_penny_more)
    assert (gbp(666), 2) == (odd.unit_gross, odd.units_a_penny_more)


def test_lines_that_do_not_come_to_the_total_are_said_with_both() -> None:
    """The order says 24.00, its lines 20.00: nothing that could be posted would be right."""
    entry = order(replace(changed(received(), SHIPPING), total_price=gbp(2_400)), sealed())

    said = why_not_to_the_penny(entry)

    assert "order is 24.00 GBP" in said
    assert "are 20.00 GBP: 4.00 GBP between them" in said


def test_line_below_nothing_is_not_posted() -> None:
    """A price below nought is a mistake of somebody's, and no sales order."""
    assert "costs less than nothing" in why_not_to_the_penny(priced(2, -1))


@pytest.mark.parametrize("dead", ["REFUSED", "CANCELED"])
def test_line_that_is_not_supplied_is_in_neither_sum(dead: str) -> None:
    """The marketplace leaves it out of the total, and so do we."""
    first = received("O1", ordered("O1-1"), ordered("O1-2", "B-2"), state=SHIPPING)
    now = changed(
        first, SHIPPING, stands(ordered("O1-1")), stands(ordered("O1-2", "B-2"), dead)
    )
    entry = made_of(ORDERS, "O1", first, replace(now, total_price=gbp(2_000)), sealed())

    assert "" == why_not_to_the_penny(entry)


def circumstances(words: Words | None = None) -> Circumstances:
    return Circumstances(
        known=KNOWN,
        words=words,
        in_force=PolicyInForce(version=1, policy=AcceptancePolicy()),
        shelves=Shelves(Table(SHELVES), Table(STOCK_LOOK), Table(ORDERS)),
        automatic=False,
        now=at(9),
    )


@pytest.mark.parametrize("words", [None, Words(let_through=True)])
def test_order_that_does_not_add_up_is_held_before_it_is_sent(words: Words | None) -> None:
    """No word of a person makes it right; it goes on when the marketplace's figures agree."""
    wrong = order(replace(changed(received(), SHIPPING), total_price=gbp(1)), sealed())

    verdict = judged(wrong, circumstances(words))

    assert verdict.held is not None
    assert AMOUNTS_DIFFER == verdict.held.reason
    right = order(sealed())
    assert "passes" == judged(right, circumstances(words)).verdict


# ── afterwards ──────────────────────────────────────────────────────────────────────────────

THEIRS = AmountsShown(
    lines=(LineAmount(stock_code="A-1", units=Decimal(2), gross=gbp(1_999)),),
    delivery=gbp(0),
    tax=gbp(333),
)


def on_its_way(*then: Event) -> OrderEntry:
    first = received(state=SHIPPING)
    return made_of(ORDERS, "O1", first, sealed(), intended(first), posted(first), *then)


def compared(entry: OrderEntry, erp: int, shown: AmountsShown | None = None) -> TotalsCompared:
    (event,) = decide_totals(entry, gbp(erp), shown, at(30))
    assert isinstance(event, TotalsCompared)
    return event


def test_total_that_agrees_is_said_without_its_parts() -> None:
    """An ordinary order says two figures, and is not looked at again."""
    said = compared(on_its_way(), 2_000)

    assert said.agree
    assert (None, None) == (said.ours_shown, said.erp_shown)
    assert not wants_totals_again(on_its_way(said))


def test_total_that_differs_is_said_with_both_breakdowns() -> None:
    """Per line, delivery and tax: ours beside theirs."""
    said = compared(on_its_way(), 1_999, THEIRS)

    assert not said.agree
    assert THEIRS == said.erp_shown
    assert said.ours_shown is not None
    assert (
        LineAmount(stock_code="A-1", units=Decimal(2), gross=gbp(2_000)),
    ) == said.ours_shown.lines
    assert (gbp(0), None) == (said.ours_shown.delivery, said.ours_shown.tax)


def test_total_that_differed_is_looked_at_until_it_agrees() -> None:
    """The same figures again are nothing new; put right in the ERP, it is said."""
    wrong = compared(on_its_way(), 1_999, THEIRS)
    entry = on_its_way(wrong, WRITTEN)

    assert wants_totals_again(entry)
    assert wants_work(entry)
    assert () == decide_totals(entry, gbp(1_999), THEIRS, at(40))
    right = compared(entry, 2_000)
    assert right.agree
    assert not wants_work(on_its_way(wrong, WRITTEN, right))


def test_total_put_right_after_a_cancelation_is_what_the_marketplace_shows_now() -> None:
    """It differed, a unit was cancelled, and both were mended in one go."""
    first = received(state=SHIPPING)
    less = replace(changed(first, SHIPPING, minutes=20), total_price=gbp(1_000))
    wrong = compared(on_its_way(), 1_999, THEIRS)
    entry = made_of(ORDERS, "O1", first, sealed(), intended(first), posted(first), wrong, less)

    said = compared(entry, 1_000)

    assert said.agree
    assert gbp(1_000) == said.ours


def test_tax_is_told_where_every_line_has_it() -> None:
    """One line without: the sum would be no sum."""
    entry = priced(2, 2_000)

    assert gbp(7) == amounts_posted(entry).tax
    assert amounts_posted(on_its_way()).tax is None


def test_penny_units_are_in_the_breakdown() -> None:
    """Three for 20.00 are 20.00, not 19.98."""
    first = received("O1", replace(ordered(quantity=3), price=gbp(2_000)), state=SHIPPING)
    entry = made_of(ORDERS, "O1", first, sealed())
    sent = replace(intended(first), lines=posting_lines(entry, KNOWN))
    entry = made_of(ORDERS, "O1", first, sealed(), sent)

    assert [Money(2_000)] == [line.gross for line in amounts_posted(entry).lines]
