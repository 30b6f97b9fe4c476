"""The shop's account adds up to the penny (johnlewis e)."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcjl.money import Money, half_up
from kcjl.sandbox.marketplace import BasketLine
from tests.sandbox.marketplace_shop import ADA, SHIRT, SOCKS, Shop, quick, refund_of


def test_payout_of_the_worked_example_is_21_02() -> None:
    """Contract b.3 and e.4, line by line: two shirts, socks, one shirt back, a subscription."""
    shop = Shop(quick(subscription_fee=Money(1000)))
    order = shop.received_order()
    shop.marketplace.refund([refund_of(order)])
    shop.wait(seconds=30)
    cycle = shop.marketplace.run_cycle()
    assert cycle is not None
    lines = list(shop.marketplace.transactions.values())
    told = [(line.kind, line.amount.amount_minor) for line in lines]

    assert told == [
        ("ORDER_AMOUNT", 4800),
        ("ORDER_SHIPPING_AMOUNT", 395),
        ("COMMISSION_FEE", -1039),
        ("COMMISSION_VAT", -208),
        ("ORDER_AMOUNT", 1550),
        ("ORDER_SHIPPING_AMOUNT", 0),
        ("COMMISSION_FEE", -310),
        ("COMMISSION_VAT", -62),
        ("REFUND_ORDER_AMOUNT", -2400),
        ("REFUND_ORDER_SHIPPING_AMOUNT", 0),
        ("REFUND_COMMISSION_FEE", 480),
        ("REFUND_COMMISSION_VAT", 96),
        ("SUBSCRIPTION_FEE", -1000),
        ("SUBSCRIPTION_VAT", -200),
        ("PAYMENT", -2102),
    ]
    assert (Money(2102), Money(2243)) == (cycle.amount_to_seller, cycle.amount_to_operator)
    assert {(cycle.cycle_id, "PAID", "000001")} == {
        (line.cycle_id, line.payment_state, line.voucher) for line in lines
    }
    assert {
        "total_payable_orders_excl_tax": Money(5621),
        "total_payable_orders_incl_tax": Money(6745),
        "total_commissions_excl_tax": Money(-1349),
        "total_commissions_incl_tax": Money(-1619),
        "total_refund_payable_orders_excl_tax": Money(-2000),
        "total_refund_payable_orders_incl_tax": Money(-2400),
        "total_refund_commissions_excl_tax": Money(480),
        "total_refund_commissions_incl_tax": Money(576),
        "total_subscription_excl_tax": Money(-1000),
        "total_subscription_incl_tax": Money(-1200),
    }.items() <= cycle.summary.items()


def test_lines_are_pending_until_received_then_payable_then_paid_at_the_cycle() -> None:
    """PENDING while the order is on its way, PAYABLE at RECEIVED, PAID on the 11th at 01:00."""
    shop = Shop()
    order = shop.order_to_ship()
    lines = shop.marketplace.transactions
    seen = [{line.payment_state for line in lines.values()}]
    shop.marketplace.ship(order.order_id)
    shop.wait(hours=24)
    seen.append({line.payment_state for line in lines.values()})
    before = max(line.updated_at for line in lines.values())
    shop.wait(hours=8 * 24)
    seen.append({line.payment_state for line in lines.values()})
    (cycle,) = shop.marketplace.cycles.values()

    assert [{"PENDING"}, {"PAYABLE"}, {"PAID"}] == seen
    assert cycle.created_at.isoformat() == "2026-02-11T01:00:00+00:00"
    assert all(line.updated_at > before for line in lines.values())
    assert cycle.payout_state == "TO_PAY"
    shop.wait(hours=48)
    assert (cycle.payout_state, cycle.payout_reference) == ("PAID", "BACS-889001")


def test_cycle_runs_at_londons_hour_in_summer_too() -> None:
    """One o'clock in London is midnight UTC in summer."""
    shop = Shop(quick(cycle_every_days=7, subscription_fee=Money(1)))
    shop.wait(hours=24 * 60)
    times = [
        line.created_at.strftime("%d %H:%M")
        for line in shop.marketplace.transactions.values()
        if line.kind == "SUBSCRIPTION_FEE"
    ]

    assert times[:2] == ["04 01:00", "11 01:00"]
    assert times[-2:] == ["25 01:00", "01 00:00"]


def test_cycle_that_comes_to_less_than_nothing_carries_over() -> None:
    """A negative sum is not paid: its lines stay payable and are taken off the next payout."""
    shop = Shop(quick(subscription_fee=Money(1000), cycle_every_days=1))
    shop.wait(hours=48)
    carried = [line.payment_state for line in shop.marketplace.transactions.values()]
    shop.received_order()
    shop.wait(hours=24)
    (cycle,) = shop.marketplace.cycles.values()
    paid = [
        line
        for line in shop.marketplace.transactions.values()
        if line.cycle_id == cycle.cycle_id
    ]

    assert carried == ["PAYABLE"] * 4
    assert sum(line.amount.amount_minor for line in paid) == 0
    assert [cycle.amount_to_seller] == [-line.amount for line in paid if line.kind == "PAYMENT"]
    assert {carried_line.cycle_id for carried_line in paid[:4]} == {cycle.cycle_id}


def test_manual_documents_of_the_operator_are_paid_with_the_next_cycle() -> None:
    """A manual credit and a manual invoice bear their document's number and their VAT."""
    shop = Shop()
    shop.marketplace.operator_credits(Money(1000), "Goodwill", "700000001-A")
    shop.marketplace.operator_invoices(Money(250), "Photo shoot")
    cycle = shop.marketplace.run_cycle()

    assert cycle is not None
    assert cycle.amount_to_seller == Money(1200 - 300)
    assert [invoice.kind for invoice in shop.marketplace.invoices.values()] == [
        "MANUAL_CREDIT",
        "MANUAL_INVOICE",
        "AUTO_INVOICE",
    ]


def test_tax_excluded_tenant_pays_the_taxes_as_lines_of_their_own() -> None:
    """TAX_EXCLUDED: prices are net, and the tax lines stand beside the amounts."""
    shop = Shop(quick(tax_mode="TAX_EXCLUDED"))
    order = shop.order_to_ship()
    line = order.lines[0]
    lines = [
        (each.kind, each.amount.amount_minor)
        for each in shop.marketplace.transactions.values()
        if each.order_line_id == line.line_id
    ]

    assert [Money(960)] == [tax.amount for tax in line.taxes]
    assert lines == [
        ("ORDER_AMOUNT", 4800),
        ("ORDER_AMOUNT_TAX", 960),
        ("ORDER_SHIPPING_AMOUNT", 395),
        ("ORDER_SHIPPING_AMOUNT_TAX", 79),
        ("COMMISSION_FEE", -1039),
        ("COMMISSION_VAT", -208),
    ]


def test_taxes_left_empty_are_not_asked_for_in_refunds() -> None:
    """Where the tenant sends no taxes, a refund needs none."""
    shop = Shop(quick(taxes_filled=False))
    order = shop.received_order()
    (refund,) = shop.marketplace.refund([refund_of(order, taxes=[], shipping_taxes=[])])

    assert (order.lines[0].taxes, refund.charge.taxes) == ([], [])


@pytest.mark.parametrize(
    ("price", "shipping", "fee", "vat"),
    [(1124, 1100, 445, 89), (9200, 0, 1840, 368), (281, 0, 56, 11), (2020, 0, 404, 81)],
)
def test_commission_is_rounded_half_up_per_line(
    price: int, shipping: int, fee: int, vat: int
) -> None:
    """Contract e.5: on price and shipping of a line; its VAT on the rounded fee."""
    tariff = Shop().marketplace.book.tariff

    assert (Money(fee), Money(vat)) == tariff.commission(Money(price), Money(shipping), "ANY")


@settings(max_examples=40, deadline=None)
@given(
    shirts=st.integers(1, 4),
    socks=st.integers(0, 3),
    price=st.integers(1, 99_999),
    rate=st.decimals(Decimal("0.01"), Decimal("0.5"), places=3),
    back=st.integers(0, 4),
    cancelled=st.booleans(),
)
def test_payout_is_the_sum_of_its_lines_whatever_was_bought(
    *, shirts: int, socks: int, price: int, rate: Decimal, back: int, cancelled: bool
) -> None:
    """Payout = sum of all lines of the cycle but PAYMENT, and the balances stay true."""
    shop = Shop(quick(commission_rate=rate))
    basket = [
        BasketLine(sku=sku, quantity=quantity, unit_price=Money(price))
        for sku, quantity in ((SHIRT, shirts), (SOCKS, socks))
        if quantity
    ]
    for _ in range(2):
        assert shop.marketplace.place_order(basket, ADA) is not None
    first, second = shop.marketplace.orders.values()
    shop.decide(first)
    shop.decide(second)
    shop.wait(seconds=60)
    if cancelled:
        shop.marketplace.operator_cancels(second.order_id)
    shop.marketplace.ship(first.order_id)
    shop.wait(hours=24)
    if 0 < back <= shirts:
        shop.marketplace.customer_returns(first.lines[0].line_id, back, with_shipping=True)
        shop.wait(seconds=30)
    cycle = shop.marketplace.run_cycle()
    lines = list(shop.marketplace.transactions.values())
    payable = [line for line in lines if line.cycle_id is not None and line.kind != "PAYMENT"]
    total = sum(line.amount.amount_minor for line in payable)

    assert (cycle.amount_to_seller.amount_minor if cycle else 0) == total
    assert lines[-1].balance.amount_minor == sum(line.amount.amount_minor for line in lines)
    for state in ("PENDING", "PAYABLE", "PAID"):
        held = sum(line.amount.amount_minor for line in lines if line.payment_state == state)
        assert shop.marketplace.ledger.total(state).amount_minor == held
    fee = half_up((first.lines[0].price + first.lines[0].shipping_price).amount_minor * rate)
    assert first.lines[0].commission_fee == Money(fee)
