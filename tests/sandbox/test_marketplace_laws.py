"""Whatever customers, the shop and the operator do, the marketplace's books and units agree."""

from collections import defaultdict
from contextlib import suppress
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcjl.money import Money
from kcjl.sandbox.marketplace import ApiError, MarketplaceSettings, Order, OrderLine
from kcjl.sandbox.marketplace.search import (
    OrderSearch,
    TransactionSearch,
    find_orders,
    find_transactions,
)
from tests.sandbox.marketplace_shop import SHIRT, SOCKS, Shop, parcel_of, quick

STEPS = 150


def brisk(**chosen: object) -> MarketplaceSettings:
    """Settings under which orders live fast."""
    return quick(received_after_hours_min=1, received_after_hours_max=6, **chosen)


def one_step(shop: Shop, chance: Random) -> None:
    """One thing that someone does, possible or not."""
    marketplace = shop.marketplace
    orders = list(marketplace.orders.values())
    what = chance.randrange(2, 20)
    if what == 2 or not orders:
        shop.order(chance.randrange(1, 4), chance.randrange(3), beyond_the_window=True)
        return
    order = chance.choice(orders)
    line = chance.choice(order.lines)
    if what == 3:
        shop.decide(order, *(chance.random() < 0.8 for _ in order.lines))
    elif what in {4, 12}:
        shop.decide(order)
    elif what in {5, 13}:
        units = {index: chance.randrange(1, 3) for index in range(len(order.lines))}
        shipped = chance.random() < 0.7
        marketplace.create_shipments([parcel_of(order, units, shipped=shipped)])
    elif what == 6:
        marketplace.ship_shipments([*marketplace.shipments][-2:] or ["none"])
    elif what == 7:
        marketplace.ship(order.order_id)
    elif what == 8:
        part = Money(chance.randrange(1, 5000))
        amount = (line.refundable if chance.random() < 0.5 else part).decimal()
        taxes = [{"code": tax.code, "amount": "0.10"} for tax in line.taxes]
        request: dict[str, object] = {
            "order_line_id": line.line_id,
            "amount": str(amount),
            "shipping_amount": "0",
            "reason_code": "17",
            "quantity": 1,
            "taxes": taxes,
            "excluded_from_shipment": chance.random() < 0.5,
        }
        marketplace.refund([request])
    elif what == 9:
        marketplace.customer_returns(
            line.line_id, chance.randrange(1, 3), with_shipping=chance.random() < 0.5
        )
    elif what == 10 and chance.random() < 0.3:
        marketplace.operator_cancels(order.order_id)
    elif what >= 14:
        after_sales_step(shop, chance, line, what)
    else:
        shop.stock({SHIRT: chance.randrange(20), SOCKS: chance.randrange(20)})


def after_sales_step(shop: Shop, chance: Random, line: OrderLine, what: int) -> None:
    """Complaints, returns, cancelations by line, parcels that are taken apart again."""
    marketplace = shop.marketplace
    returns = [*marketplace.returns.by_id][-3:] or ["none"]
    if what == 14:
        marketplace.open_incident(line.line_id)
    elif what == 15:
        if chance.random() < 0.5:
            marketplace.close_incident(line.line_id)
        marketplace.open_return(line.line_id, chance.randrange(1, 3))
    elif what == 16:
        word = {"id": chance.choice(returns), "accepted": chance.random() < 0.7}
        word["rejection_reason_code"] = "RETURN_REJECTION_NOT_NEEDED"
        marketplace.decide_returns([word])
        marketplace.receive_returns(returns[:1])
    elif what == 17:
        chance.choice([marketplace.close_returns, marketplace.cancel_returns])(returns[:1])
    elif what == 18:
        amount = Money(chance.randrange(1, 1 + max(1, line.refundable.amount_minor)))
        part: dict[str, object] = {
            "order_line_id": line.line_id,
            "amount": str(amount.decimal()),
            "shipping_amount": "0",
            "reason_code": "34",
            "quantity": chance.randrange(1, 3),
            "taxes": [{"code": tax.code, "amount": "0.10"} for tax in line.taxes],
        }
        marketplace.cancel_lines([part])
    elif chance.random() < 0.5:
        marketplace.delete_shipments([*marketplace.shipments][-1:] or ["none"])
    else:
        marketplace.operator_refunds(line.line_id, Money(chance.randrange(1, 500)))


def check_returns(shop: Shop, order: Order, line: OrderLine) -> None:
    """Units on their way back are those of the returns that go on, and were sent."""
    going = sum(
        part.quantity
        for each in shop.marketplace.returns.of_order.get(order.order_id, ())
        if each.state not in {"REFUSED", "CANCELED"}
        for part in each.lines
        if part.order_line_id == line.line_id
    )
    assert going == line.returned <= line.shipped
    assert line.has_incident == (line.state == "INCIDENT_OPEN")


def lived(seed: int, tenant: MarketplaceSettings) -> Shop:
    """A shop after some days of anything."""
    shop = Shop(tenant, seed)
    chance = Random(seed)
    for _ in range(STEPS):
        with suppress(ApiError):
            one_step(shop, chance)
        shop.wait(hours=chance.choice((0, 0, 0.01, 0.1, 3)))
    return shop


def check_units(shop: Shop, line: OrderLine) -> None:
    assert min(line.shipped, line.parcelled, line.not_to_ship) >= 0
    assert line.shipped + line.parcelled + line.not_to_ship <= line.quantity
    sent = sum(
        part.quantity
        for shipment in shop.marketplace.shipments.values()
        if shipment.status not in {"SHIPPING", "CANCELED"}
        for part in shipment.lines
        if part.order_line_id == line.line_id
    )
    assert sent == line.shipped


def check_money(shop: Shop, order: Order, line: OrderLine, told: int) -> None:
    """What the lines of the account say of an order line is what the order line says."""
    beside = order.tax_mode == "TAX_EXCLUDED"
    taxes = sum(tax.amount.amount_minor for tax in [*line.taxes, *line.shipping_taxes])
    given_back = sum(
        beside * tax.amount.amount_minor
        for refund in line.refunds
        if refund.state == "REFUNDED"
        for tax in [*refund.charge.taxes, *refund.charge.shipping_taxes]
    ) + sum(
        refund.charge.amount.amount_minor
        + refund.charge.shipping_amount.amount_minor
        - refund.charge.commission_fee.amount_minor
        - refund.charge.commission_vat.amount_minor
        for refund in line.refunds
        if refund.state == "REFUNDED"
    )
    kept = line.price + line.shipping_price - line.commission_fee - line.commission_vat
    owed = kept.amount_minor + beside * taxes - given_back if line.debited_at is not None else 0
    assert told == owed
    assert line.refundable.amount_minor >= 0
    assert line.refundable_shipping.amount_minor >= 0
    if order.state in {"RECEIVED", "CLOSED", "CANCELED"}:
        lines = [
            shop.marketplace.transactions[key]
            for key in shop.marketplace.ledger.by_order.get(order.order_id, ())
        ]
        states = {each.payment_state for each in lines if each.order_line_id == line.line_id}
        held = {"PENDING", "PAID"} if line.has_incident else {"PAYABLE", "PAID"}
        assert states <= held


@pytest.mark.parametrize(
    "tenant",
    [
        brisk(cycle_every_days=1, subscription_fee=Money(500)),
        brisk(late_shipment_cancel_hours=1, failing_debit_share=0.3, cycle_every_days=1),
        brisk(payment_workflow="PAY_ON_SHIPMENT", cycle_every_days=1, closed_after_hours=2),
        brisk(auto_accept=True, acceptance_timeout_hours=1, cycle_every_days=2),
        brisk(payment_workflow="PAY_ON_DUE_DATE", due_date_days=1, cycle_every_days=1),
        brisk(
            customer_cancel_share=0.2,
            operator_refund_share=0.3,
            incident_share=0.3,
            returns_accepted_automatically=True,
            tax_mode="TAX_EXCLUDED",
            offer_put_back=True,
            cycle_every_days=1,
        ),
    ],
    ids=[
        "plain",
        "late and failing",
        "paid on shipment",
        "accepted by itself",
        "paid when due",
        "restless customers",
    ],
)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1_000_000))
def test_books_and_units_agree_whatever_happens(tenant: MarketplaceSettings, seed: int) -> None:
    """Units leave once; each penny of an order line is in the account; indexes are true."""
    shop = lived(seed, tenant)
    marketplace = shop.marketplace
    told: defaultdict[str | None, int] = defaultdict(int)
    for transaction in marketplace.transactions.values():
        told[transaction.order_line_id] += transaction.amount.amount_minor

    for order in marketplace.orders.values():
        assert order.order_id in marketplace.book.by_state[order.state]
        assert bool(order.live_lines) or order.state in {
            "REFUSED",
            "CANCELED",
            "CLOSED",
            "SHIPPED",
            "RECEIVED",
        }
        for line in order.lines:
            check_units(shop, line)
            check_money(shop, order, line, told[line.line_id])
            check_returns(shop, order, line)
    assert len(marketplace.orders) == sum(
        len(state) for state in marketplace.book.by_state.values()
    )
    for cycle in marketplace.cycles.values():
        paid = [
            line
            for line in marketplace.transactions.values()
            if line.cycle_id == cycle.cycle_id
        ]
        assert sum(line.amount.amount_minor for line in paid) == 0
        assert cycle.amount_to_seller.amount_minor == sum(
            line.amount.amount_minor for line in paid if line.kind != "PAYMENT"
        )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1_000_000), cut=st.floats(0, 1))
def test_search_finds_what_looking_at_everything_finds(seed: int, cut: float) -> None:
    """An index gives the same orders and lines as reading all of them would."""
    shop = lived(seed, brisk(cycle_every_days=1))
    marketplace = shop.marketplace
    orders = list(marketplace.orders.values())
    moments = sorted(order.updated_at for order in orders)
    since = moments[int(cut * (len(moments) - 1))]
    by_update = find_orders(marketplace.book, OrderSearch(updated_from=since))
    by_state = find_orders(
        marketplace.book, OrderSearch(updated_from=since, states=("SHIPPING", "CANCELED"))
    )
    pages: list[str] = []
    after: int | None = None
    while True:
        rows, after = find_transactions(
            marketplace.ledger,
            marketplace.book,
            TransactionSearch(updated_from=since),
            by_update=True,
            descending=bool(seed % 2),
            after=after,
            limit=7,
        )
        pages += [row.line_id for row in rows]
        if after is None:
            break

    assert [order for order in orders if order.updated_at >= since] == by_update
    assert [
        order
        for order in orders
        if order.updated_at >= since and order.state in {"SHIPPING", "CANCELED"}
    ] == by_state
    assert sorted(pages) == sorted(
        line.line_id for line in marketplace.transactions.values() if line.updated_at >= since
    )
