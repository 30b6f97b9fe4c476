"""Settings of the tenant that are switched while the world goes on (johnlewis c.3)."""

import msgspec
import pytest

from kcjl.errors import Misuse
from kcjl.money import Money
from kcjl.sandbox.marketplace import ApiError, MarketplaceSettings
from tests.sandbox.marketplace_shop import SHIRT, SOCKS, Shop, parcel_of, quick, refund_of


def test_switch_of_acceptance_decides_the_next_order() -> None:
    """Auto-accept on and off again; partial acceptance off."""
    shop = Shop()
    shop.marketplace.switch({"auto_accept": True})
    automatic = shop.order()
    shop.marketplace.switch({"auto_accept": False, "partial_acceptance": False})
    manual = shop.order()
    with pytest.raises(ApiError) as refused:
        shop.decide(manual, True, False)

    assert ("WAITING_DEBIT", None) == (automatic.state, automatic.decided_at)
    assert "ORDER_PARTIAL_ACCEPTANCE_DISABLED" == refused.value.code
    assert "WAITING_ACCEPTANCE" == manual.state


def test_switch_of_shipping_holds_for_the_next_parcel() -> None:
    """Multi-shipment off is 404; tracking becomes mandatory; unlisted carriers are allowed."""
    shop = Shop()
    order = shop.order_to_ship()
    shop.marketplace.switch({"multi_shipment": False, "mandatory_tracking": True})
    with pytest.raises(ApiError) as missing:
        shop.marketplace.create_shipments([parcel_of(order, {0: 1})])
    with pytest.raises(ApiError):
        shop.marketplace.ship(order.order_id)
    own = {"carrier_name": "Own van", "tracking_number": "V1"}
    with pytest.raises(ApiError):
        shop.marketplace.set_tracking(order.order_id, own)
    shop.marketplace.switch({"listed_carriers_only": False})
    shop.marketplace.set_tracking(order.order_id, own)
    shop.marketplace.ship(order.order_id)

    assert 404 == missing.value.status
    assert "SHIPPED" == order.state


def test_switch_of_tax_mode_leaves_orders_as_they_were_placed() -> None:
    """An order keeps its mode: its tax lines stand apart or inside as they were sold."""
    shop = Shop()
    before = shop.order()
    shop.marketplace.switch({"tax_mode": "TAX_EXCLUDED"})
    after = shop.order()
    shop.marketplace.switch({"taxes_filled": False})
    empty = shop.order()
    for order in (before, after):
        shop.decide(order)
    shop.wait(seconds=60)
    kinds = {
        order.order_id: {
            line.kind
            for line in shop.marketplace.transactions.values()
            if line.order_id == order.order_id and line.kind.endswith("_TAX")
        }
        for order in (before, after)
    }

    assert ["TAX_INCLUDED", "TAX_EXCLUDED"] == [before.tax_mode, after.tax_mode]
    assert [Money(800), Money(960)] == [o.lines[0].taxes[0].amount for o in (before, after)]
    assert [] == empty.lines[0].taxes
    assert [set(), {"ORDER_AMOUNT_TAX", "ORDER_SHIPPING_AMOUNT_TAX"}] == [*kinds.values()]


def test_switch_of_debits_and_refund_checks_hold_from_then_on() -> None:
    """A debit that fails, a longer delay, a refund that the balance must cover."""
    shop = Shop()
    fine = shop.order_to_ship()
    shop.marketplace.switch({"failing_debit_share": 1, "refund_needs_payable_balance": True})
    failing = shop.order()
    shop.decide(failing)
    with pytest.raises(ApiError):
        shop.marketplace.refund([refund_of(fine)])
    shop.marketplace.switch({"failing_debit_share": 0, "debit_delay_s_min": 600,
                             "debit_delay_s_max": 600})  # fmt: skip
    slow = shop.order()
    shop.decide(slow)
    shop.wait(seconds=599)
    waiting = slow.state
    shop.wait(seconds=1)

    assert ["WAITING_DEBIT_PAYMENT", "SHIPPING"] == [waiting, slow.state]
    assert "WAITING_DEBIT_PAYMENT" == failing.state


def test_switch_of_slow_imports_holds_for_the_next_file() -> None:
    """A file that is taken now is applied when the slow importer has come to it."""
    shop = Shop()
    shop.marketplace.switch({"import_s_min": 900, "import_s_max": 900})
    import_id = shop.stock({SHIRT: 3})
    early = shop.marketplace.catalogue.stock_import(import_id).status
    shop.wait(seconds=890)

    assert ("WAITING", 3) == (early, shop.marketplace.offered(SHIRT))


def test_offer_is_lowered_at_acceptance_where_the_tenant_has_it_so() -> None:
    """Not at creation; a refused line never takes anything off."""
    shop = Shop(quick(offer_lowered_at="ACCEPTANCE", refusal_empties_offer=False))
    order = shop.order()
    created = (shop.marketplace.offered(SHIRT), shop.marketplace.offered(SOCKS))
    shop.decide(order, True, False)

    assert (10, 10) == created
    assert (8, 10) == (shop.marketplace.offered(SHIRT), shop.marketplace.offered(SOCKS))


def test_refused_units_are_put_back_where_the_tenant_has_it_so() -> None:
    """Instead of emptying the offer."""
    shop = Shop(quick(offer_put_back=True, refusal_empties_offer=False))
    shop.decide(shop.order(), False, True)

    assert (10, 9) == (shop.marketplace.offered(SHIRT), shop.marketplace.offered(SOCKS))


@pytest.mark.parametrize(
    ("workflow", "states"),
    [
        ("PAY_ON_ACCEPTANCE", ["PENDING", "PENDING", "PAYABLE", "PAYABLE"]),
        ("PAY_ON_SHIPMENT", ["", "PENDING", "PAYABLE", "PAYABLE"]),
        ("NO_CUSTOMER_PAYMENT_CONFIRMATION", ["", "PENDING", "PAYABLE", "PAYABLE"]),
        ("PAY_ON_DELIVERY", ["", "", "PAYABLE", "PAYABLE"]),
        ("PAY_ON_DUE_DATE", ["", "", "", "PAYABLE"]),
    ],
)
def test_payment_workflow_says_when_the_account_begins(
    workflow: str, states: list[str]
) -> None:
    """Ready to ship, shipped, received, five days later: the state of the account's lines."""
    shop = Shop(quick(payment_workflow=workflow, due_date_days=5, cycle_days_of_month=(28,)))
    order = shop.order_to_ship()
    seen = []
    for step in range(4):
        if step == 1:
            shop.marketplace.ship(order.order_id)
        if step == 2:
            shop.wait(hours=24)
        if step == 3:
            shop.wait(hours=5 * 24)
        lines = shop.marketplace.transactions.values()
        seen.append("".join({line.payment_state for line in lines}))

    assert states == seen
    assert (order.customer_debited_at is None) == (workflow.startswith("NO_"))


def test_customers_and_the_operator_act_unasked_as_often_as_the_tenant_says() -> None:
    """Shares of 1: every order is cancelled, or complained about and refunded."""
    shop = Shop(quick(customer_cancel_share=1))
    cancelled = shop.order()
    shop.wait(hours=9)
    shop.marketplace.switch(
        {"customer_cancel_share": 0, "incident_share": 1, "operator_refund_share": 1}
    )
    order = shop.received_order()
    shop.wait(hours=9)

    assert "CANCELED" == cancelled.state
    assert 1 == sum(line.incidents for line in order.lines)
    assert 1 == sum(len(line.refunds) for line in order.lines)


def test_world_without_unasked_acts_draws_no_chance_for_them() -> None:
    """Shares of 0 change no world: the same calls give the same picture."""
    pictures = set()
    for share in (0, 0.0):
        shop = Shop(quick(customer_cancel_share=share))
        shop.received_order()
        pictures.add(shop.marketplace.picture())

    assert 1 == len(pictures)


@pytest.mark.parametrize(
    "changes",
    [
        {"auto_acept": True},
        {"auto_accept": "perhaps"},
        {"failing_debit_share": 2},
        {"currency": "EUR"},
        {"shop_id": 1},
        {"time_zone": "Mars/Olympus"},
        {"cycle_days_of_month": [31]},
        {"auto_accept": True, "nonsense": 1},
    ],
)
def test_switch_that_cannot_be_is_misuse_and_changes_nothing(
    changes: dict[str, object],
) -> None:
    """Unknown names, wrong values, and what the books rest on."""
    shop = Shop()
    before = shop.marketplace.settings
    with pytest.raises(Misuse):
        shop.marketplace.switch(changes)

    assert before == shop.marketplace.settings


def test_every_setting_can_be_written_out_and_read_back() -> None:
    """A switch works on plain values: none of the settings is lost on the way."""
    settings = MarketplaceSettings(subscription_fee=Money(1000))
    written = msgspec.json.decode(msgspec.json.encode(settings))

    assert settings == msgspec.convert(written, MarketplaceSettings)
