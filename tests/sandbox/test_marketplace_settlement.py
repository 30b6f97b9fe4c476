"""Settlement by the numbers that were checked on real lines (johnlewis e.2 to e.5)."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from kcjl.errors import Misuse
from kcjl.money import Money
from kcjl.sandbox.marketplace import TransactionLine
from tests.sandbox.marketplace_shop import Shop, parcel_of, quick, refund_of

CREDITS = (
    "ORDER_AMOUNT",
    "ORDER_SHIPPING_AMOUNT",
    "ORDER_AMOUNT_TAX",
    "ORDER_SHIPPING_AMOUNT_TAX",
    "REFUND_COMMISSION_FEE",
    "REFUND_COMMISSION_VAT",
    "MANUAL_CREDIT",
    "MANUAL_CREDIT_VAT",
    "INVOICEABLE_ONE_OFF_CREDIT",
    "INVOICEABLE_ONE_OFF_CREDIT_TAX",
)


def lines_of(shop: Shop) -> list[TransactionLine]:
    return list(shop.marketplace.transactions.values())


@pytest.mark.parametrize("mode", ["TAX_INCLUDED", "TAX_EXCLUDED"])
def test_every_type_has_its_sign(mode: str) -> None:
    """e.3: what the shop gets is positive, what it pays negative, lines of zero are kept."""
    shop = Shop(quick(subscription_fee=Money(1000), tax_mode=mode, cycle_days_of_month=(28,)))
    order = shop.received_order()
    shop.marketplace.refund([refund_of(order)])
    shop.wait(seconds=30)
    shop.marketplace.operator_credits(Money(5000), "Goodwill")
    shop.marketplace.operator_invoices(Money(250), "Photo shoot")
    shop.marketplace.operator_charges("INVOICEABLE_ONE_OFF_CREDIT", Money(100), "Bonus")
    shop.marketplace.operator_charges("INVOICEABLE_ONE_OFF_DEBIT", Money(70), "Labels")
    for kind in ("SELLER_PENALTY_FEE", "SELLER_FEE_ON_ORDER"):
        shop.marketplace.operator_charges(kind, Money(30), "LATE", order.order_id)
    cycle = shop.marketplace.run_cycle()
    lines = lines_of(shop)
    wrong = [
        (line.kind, line.amount)
        for line in lines
        if (line.amount.amount_minor > 0) != (line.kind in CREDITS) and line.amount
    ]

    assert not wrong
    assert any(not line.amount for line in lines)
    assert cycle is not None
    assert cycle.amount_to_seller == -lines[-1].amount
    assert Money(0) == lines[-1].balance
    assert 0 == sum(line.amount.amount_minor for line in lines)
    assert cycle.amount_to_operator == Money(
        -sum(
            line.amount.amount_minor
            for line in lines
            if "COMMISSION" in line.kind
            or "SUBSCRIPTION" in line.kind
            or line.kind.startswith("SELLER_")
        )
    )


def test_charge_of_the_operator_that_cannot_be_is_misuse() -> None:
    """A penalty is on an order, a one-off on none; other kinds are made by the trade."""
    shop = Shop()
    for kind, order_id in (
        ("SELLER_PENALTY_FEE", None),
        ("INVOICEABLE_ONE_OFF_DEBIT", shop.order().order_id),
        ("ORDER_AMOUNT", None),
    ):
        with pytest.raises(Misuse):
            shop.marketplace.operator_charges(kind, Money(1), "x", order_id)

    assert not lines_of(shop)


def test_commission_of_partial_refunds_can_miss_the_original_by_pennies() -> None:
    """e.5: each refund's commission is rounded for itself."""
    shop = Shop()
    order = shop.received_order(shirts=2, socks=0)
    line = order.lines[0]
    for amount in ("0.33", "0.33", "0.33"):
        taxes = [{"code": "VAT20", "amount": "0.06"}]
        shop.marketplace.refund([refund_of(order, amount=amount, taxes=taxes)])
    fees = [refund.charge.commission_fee for refund in line.refunds]
    whole, _ = shop.marketplace.book.tariff.commission(Money(99), Money(0), "GENERAL")

    assert [Money(7)] * 3 == fees
    assert Money(20) == whole


def test_voucher_is_one_number_a_run_over_all_shops() -> None:
    """e.2: a run without a payout to this shop has used its number all the same."""
    shop = Shop(quick(cycle_every_days=1))
    shop.wait(hours=48)
    shop.received_order()
    shop.wait(hours=24)
    (cycle,) = shop.marketplace.cycles.values()

    assert "000004" == cycle.voucher


def test_voucher_can_cover_several_documents() -> None:
    """e.2: lines of a manual credit keep its number, beside those of the cycle's invoice."""
    shop = Shop()
    shop.received_order()
    credit = shop.marketplace.operator_credits(Money(1000), "Goodwill")
    unpaid = credit.cycle_id
    cycle = shop.marketplace.run_cycle()
    assert cycle is not None
    automatic = list(shop.marketplace.invoices.values())[-1]
    numbers = {
        (line.kind.startswith("MANUAL"), line.document_number)
        for line in lines_of(shop)
        if line.kind != "PAYMENT"
    }

    assert {(True, credit.number), (False, automatic.number)} == numbers
    assert {cycle.voucher} == {line.voucher for line in lines_of(shop)}
    assert (None, cycle.cycle_id) == (unpaid, credit.cycle_id)


def test_cycles_run_on_the_1st_11th_and_21st_by_the_tenants_clock() -> None:
    """One o'clock where the tenant is, on either side of a change of the clocks."""
    for zone in ("Europe/London", "America/New_York"):
        shop = Shop(quick(subscription_fee=Money(1), time_zone=zone))
        shop.wait(hours=24 * 70)
        ran = [
            line.created_at.astimezone(ZoneInfo(zone))
            for line in lines_of(shop)
            if line.kind == "SUBSCRIPTION_FEE"
        ]

        assert [11, 21, 1, 11, 21, 1, 11] == [when.day for when in ran]
        assert {1} == {when.hour for when in ran}
        assert 2 == len({when.utcoffset() for when in ran})


def test_cycle_is_planned_anew_when_its_days_are_switched() -> None:
    """From the 11th to every day at noon: the old plan is dropped, the new one holds."""
    shop = Shop(quick(subscription_fee=Money(1)))
    shop.marketplace.switch({"cycle_every_days": 1, "cycle_time": "12:00"})
    shop.wait(hours=24 * 9)
    shop.marketplace.switch({"subscription_fee": {"amount_minor": 2}})
    shop.wait(hours=24)
    ran = [
        line.created_at.strftime("%d %H:%M")
        for line in lines_of(shop)
        if line.kind == "SUBSCRIPTION_FEE"
    ]

    assert [f"{day:02} 12:00" for day in range(3, 13)] == ran


def test_payout_that_fails_says_why_and_is_tried_again() -> None:
    """FAILED with its reason; PAID with a reference once the operator has what it needs."""
    shop = Shop(quick(payout_failure="INCOMPLETE_KYC", payout_paid_after_hours=1))
    shop.received_order()
    cycle = shop.marketplace.run_cycle()
    assert cycle is not None
    shop.wait(hours=1)
    failed = (cycle.payout_state, cycle.failure_reason, cycle.payout_reference)
    shop.marketplace.switch({"payout_failure": None})
    shop.wait(hours=1)

    assert ("FAILED", "INCOMPLETE_KYC", None) == failed
    assert ("PAID", None) == (cycle.payout_state, cycle.failure_reason)
    assert cycle.payout_reference is not None


def test_refund_before_delivery_is_pending_with_its_order() -> None:
    """Lines of an order on its way wait, refunds too; all become payable at RECEIVED."""
    shop = Shop()
    order = shop.order_to_ship()
    shop.marketplace.create_shipments([parcel_of(order, {0: 2, 1: 1})])
    shop.marketplace.refund([refund_of(order)])
    shop.wait(seconds=30)
    before = {line.payment_state for line in lines_of(shop)}
    shop.wait(hours=24)

    assert ({"PENDING"}, {"PAYABLE"}) == (
        before,
        {line.payment_state for line in lines_of(shop)},
    )


def test_order_that_is_collected_waits_to_be_collected() -> None:
    """Click and collect: SHIPPED, TO_COLLECT, RECEIVED; refunds are possible meanwhile."""
    kinds = [{"code": "CC", "label": "Click and collect", "click_and_collect": True}]
    shop = Shop()
    shop.marketplace.switch({"shipping_types": kinds})
    order = shop.order_to_ship()
    seen: list[tuple[str, datetime]] = []
    shop.marketplace.on_order_state.append(
        lambda _, state: seen.append((state, shop.agenda.now))
    )
    shop.marketplace.ship(order.order_id)
    shop.wait(hours=12)
    shop.marketplace.refund([refund_of(order)])
    shop.wait(hours=12)

    assert ["SHIPPED", "TO_COLLECT", "RECEIVED"] == [state for state, _ in seen]
    assert "RECEIVED" == order.lines[0].state
