"""Laws 2, 3 and 7 of orders: both sides do anything they may, in any order, and we crash.

The real rooms run on a virtual clock between the sandbox's two worlds (tests/simulation). Each
rule is one thing that somebody may do: a customer, the operator, a person in the ERP, one of
ours, an administrator with an old backup, another shop that takes our reference, a connection
that breaks, a process that is killed. Then all comes to rest, and the laws are judged by what
the outside worlds have.

More of it: KCJL_STATE_MACHINE_EXAMPLES=2000 python -m pytest tests/orders/test_state_machine.py
"""

import os
from collections.abc import Sequence
from functools import partial
from typing import TypeVar

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from kcjl.orders.events import SalesOrderFoundAgain, SalesOrderPosted
from kcjl.orders.reversal_amounts import Asked
from kcjl.orders.reversal_plan import ReversalPlan
from kcjl.sandbox.buying import customer_of
from kcjl.sandbox.marketplace import Order
from kcjl.sandbox.marketplace.inputs import BasketLine
from kcjl.sandbox.shoppers import shopper
from kcjl.sandbox.warehouse import SalesOrder
from tests.orders.elsewhere import take_elsewhere
from tests.simulation.by_hand import ByHand
from tests.simulation.laws import judge
from tests.simulation.scenario import Scenario

pytestmark = pytest.mark.timeout(600)

T = TypeVar("T")

EXAMPLES = int(os.environ.get("KCJL_STATE_MACHINE_EXAMPLES", "0"))
LAWS = (2, 3, 7)
LOTS = st.integers(0, 11)
"""Which of those that there are: by lot, so that fewer are tried first."""
UNTIL_PUBLISHED = 75
"""Minutes: both sides have been read, and stock is on offer."""
WRITES = ("ImportOrders", "OR21", "OR04", "OR23", "OR24", "ST01", "OR28", "OR29", "OR30")
READS = ("OR11", "ExportOrderStatusEx", "ExportOrders", "ExportStockStatus", "ST11")
WORKFLOWS = ("PAY_ON_ACCEPTANCE", "PAY_ON_ACCEPTANCE", "PAY_ON_SHIPMENT", "PAY_ON_DELIVERY")
DEEDS_THERE = (
    "customer_cancels",
    "operator_cancels",
    "operator_refunds",
    "open_incident",
    "close_incident",
    "open_return",
    "customer_returns",
)
DEEDS_IN_THE_ERP = ("cancel_order", "hold", "release_hold", "un_ship")
VERBS = (
    "order-accept",
    "order-refuse",
    "order-hold",
    "order-release",
    "order-retry",
    "post-again",
)
TROUBLES = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(WRITES),
            st.sampled_from(("lost_before", "lost_after", "arrives_late", "rate_limited")),
        ),
        st.tuples(st.sampled_from(READS), st.sampled_from(("lost_after", "truncated"))),
    ),
    min_size=1,
    max_size=6,
)
"""Which calls go wrong next, and how."""
CODES = {"refund": "17", "cancelation": "34"}


class Orders(RuleBasedStateMachine):
    """One merchant, from the first read to the last exception."""

    run: ByHand

    @initialize(
        seed=st.integers(1, 5),
        auto_accept=st.booleans(),
        multi_shipment=st.booleans(),
        workflow=st.sampled_from(WORKFLOWS),
        baskets=st.lists(st.lists(LOTS, min_size=1, max_size=2), min_size=2, max_size=5),
        first=st.sampled_from(("lost_after", "arrives_late", "lost_before", "rate_limited")),
        troubles=TROUBLES,
    )
    def opens(
        self,
        seed: int,
        workflow: str,
        baskets: list[list[int]],
        first: str,
        troubles: list[tuple[str, str]],
        *,
        auto_accept: bool,
        multi_shipment: bool,
    ) -> None:
        """Both sides are read, stock is published, the first customers are there, and
        the first posting goes wrong.
        """
        self.run = ByHand(
            Scenario(
                seed=seed,
                open_h=1,
                orders_a_day=24.0,
                skus=12,
                mismatches=1,
                return_share=0.0,
                tenant={
                    "auto_accept": auto_accept,
                    "multi_shipment": multi_shipment,
                    "payment_workflow": workflow,
                    "cycle_every_hours": 2.0,
                    "daily_calls": 100,
                    "received_after_hours_min": 0.5,
                    "received_after_hours_max": 2.0,
                },
            )
        )
        self.run.passes(UNTIL_PUBLISHED)
        self.bought = 0
        self.foreign: set[str] = set()
        self.plan: tuple[dict[str, str], str] | None = None
        for basket in baskets:
            self.somebody_buys(basket, 1)
        self.next_calls_go_wrong([("ImportOrders", first), *troubles])

    # ── customers ──

    @rule(lots=st.lists(LOTS, min_size=1, max_size=3), units=st.integers(1, 3))
    def somebody_buys(self, lots: list[int], units: int) -> None:
        """One to three lines, now and then two of one SKU, and now and then an unknown one."""
        offers = list(self.run.world.marketplace.offers.values())
        chosen = [_of(offers, lot) for lot in lots]
        basket = [
            BasketLine(sku=each.sku, quantity=units, unit_price=each.price) for each in chosen
        ]
        self.bought += 1
        buyer = customer_of(shopper(self.run.scenario.seed, f"by hand {self.bought}"))
        self.at_the_marketplace("place_order", basket=basket, customer=buyer)

    @rule(lot=LOTS, deed=st.sampled_from(DEEDS_THERE))
    def something_happens_at_the_marketplace(self, lot: int, deed: str) -> None:
        """A customer or the operator; a deed that can't be done now does nothing."""
        if order := self.order(lot):
            first, last = order.lines[0], order.lines[-1]
            deeds: dict[str, dict[str, object]] = {
                "customer_cancels": {"order_id": order.order_id},
                "operator_cancels": {"order_id": order.order_id},
                "open_incident": {"order_line_id": first.line_id},
                "close_incident": {"order_line_id": first.line_id},
                "open_return": {"order_line_id": first.line_id, "quantity": 1},
                "customer_returns": {"order_line_id": first.line_id, "quantity": 1},
                "operator_refunds": {"order_line_id": last.line_id, "amount": last.unit_price},
            }
            self.at_the_marketplace(deed, **deeds[deed])

    # ── people in the ERP ──

    @rule(lot=LOTS, deed=st.sampled_from(DEEDS_IN_THE_ERP))
    def somebody_works_in_the_erp(self, lot: int, deed: str) -> None:
        if sales_order := self.sales_order(lot):
            reference = sales_order.external_ref
            reason = {"reason": "by hand"} if deed == "cancel_order" else {}
            self.in_the_erp(deed, external_ref=reference, **reason)

    @rule(lot=LOTS)
    def delivery_charge_is_amended(self, lot: int) -> None:
        """A person writes another charge: what was posted and what is there differ."""
        if sales_order := self.sales_order(lot):
            self.run.changes(lambda: _amend(sales_order))

    @rule(lot=LOTS)
    def sales_order_is_deleted(self, lot: int) -> None:
        """Cancelled first, so that its goods are free, and then out of the books."""
        if sales_order := self.sales_order(lot):
            self.in_the_erp(
                "cancel_order", external_ref=sales_order.external_ref, reason="by hand"
            )
            if sales_order.cancelled:
                self.run.changes(lambda: self.delete(sales_order))

    @rule()
    def erp_is_set_back_to_an_hour_ago(self) -> None:
        self.run.set_back()

    @rule(lot=LOTS)
    def another_shop_takes_our_reference(self, lot: int) -> None:
        """The web site's order has the number of one of ours; where ours is there already, the
        ERP does not take it.
        """
        if order := self.order(lot):
            reference = order.customer_order_number
            self.run.changes(lambda: self.take_elsewhere(reference))

    # ── our people ──

    @rule(lot=LOTS, verb=st.sampled_from(VERBS))
    def somebody_has_a_word(self, lot: int, verb: str) -> None:
        if order := self.order(lot):
            said = {"order_id": order.order_id, "reason": "by hand"}
            lines = {"lines": ""} if verb in ("order-accept", "order-refuse") else {}
            self.run.asks(verb, **said, **lines)

    @rule(
        lot=LOTS,
        kind=st.sampled_from(("refund", "refund", "cancelation")),
        units=st.sampled_from((None, 1)),
        not_to_ship=st.booleans(),
    )
    def somebody_looks_at_a_refund(
        self, lot: int, kind: str, units: int | None, *, not_to_ship: bool
    ) -> None:
        """The next step may be the yes, or anything else."""
        if order := self.order(lot):
            asked = Asked(
                line_ids=() if units is None else (order.lines[0].line_id,),
                units=units,
                reason_code=CODES[kind],
                not_to_ship=not_to_ship and units is None and kind == "refund",
            )
            said = {
                "order_id": order.order_id,
                "kind": kind,
                "asked": msgspec.json.encode(asked).decode(),
            }
            shown = self.run.asks("preview-reversal", by="customer service", **said)
            if shown is not None and shown.ok:
                plan = msgspec.json.decode(shown.message, type=ReversalPlan)
                self.plan = said, plan.plan_id

    @precondition(lambda self: self.plan is not None)
    @rule()
    def somebody_says_yes_to_it(self) -> None:
        """Perhaps a second time, and perhaps after the order has changed."""
        assert self.plan is not None
        said, plan_id = self.plan
        yes = {**said, "plan_id": plan_id, "reason": "by hand"}
        self.run.asks("order-reversal", by="customer service", **yes)

    # ── what goes wrong ──

    @rule(troubles=TROUBLES)
    def next_calls_go_wrong(self, troubles: list[tuple[str, str]]) -> None:
        for operation, kind in troubles:
            self.run.suffers(operation, kind)

    @rule(steps=st.integers(1, 400), minutes=st.sampled_from((1, 10, 30)))
    def process_dies(self, steps: int, minutes: int) -> None:
        """At whichever await it stands then; somebody starts it again within minutes."""
        self.run.dies_in(steps)
        self.run.passes(minutes)

    @rule(minutes=st.sampled_from((5, 20, 20, 60, 180)))
    def time_passes(self, minutes: int) -> None:
        self.run.passes(minutes)

    # ── the end ──

    def teardown(self) -> None:
        if not hasattr(self, "run"):
            return
        for each in self.of_another_shop():
            self.run.changes(partial(self.delete, each))  # it has another reference from now on
        evidence = self.run.ended()
        posted = {event.erp_order_code for _, event in evidence.said(SalesOrderPosted)}
        found = {event.erp_order_code for _, event in evidence.said(SalesOrderFoundAgain)}
        written = {order.seller_reference for order in self.orders()}

        assert set() == self.foreign & (posted | found | written)
        assert evidence.at_rest
        assert [] == [str(each) for each in judge(evidence) if each.law in LAWS]

    # ── words ──

    def at_the_marketplace(self, operation: str, **arguments: object) -> object:
        return self.run.hand("johnlewis", operation, **arguments)

    def in_the_erp(self, operation: str, **arguments: object) -> object:
        return self.run.hand("khaos", operation, **arguments)

    def order(self, lot: int) -> Order | None:
        """One of the marketplace's; None: there is none yet."""
        orders = self.orders()
        return _of(orders, lot) if orders else None

    def orders(self) -> list[Order]:
        return list(self.run.world.marketplace.orders.values())

    def sales_order(self, lot: int) -> SalesOrder | None:
        found = list(self.run.world.warehouse.sales_orders.values())
        return _of(found, lot) if found else None

    def of_another_shop(self) -> list[SalesOrder]:
        return [
            each
            for each in self.run.world.warehouse.sales_orders.values()
            if each.code in self.foreign
        ]

    def take_elsewhere(self, reference: str) -> None:
        """Under a number that no order of ours has had, or will have."""
        book = self.run.world.warehouse.orders
        before = set(book.by_code)
        take_elsewhere(self.run.world, reference)
        for code in set(book.by_code) - before:
            taken = book.by_code.pop(code)
            taken.code = f"WEB{len(self.foreign)}"
            book.by_code[taken.code] = taken
            self.foreign.add(taken.code)

    def delete(self, sales_order: SalesOrder) -> None:
        book = self.run.world.warehouse.orders
        del book.by_code[sales_order.code]
        book._by_ref[sales_order.external_ref].remove(sales_order)


def _of(those: Sequence[T], lot: int) -> T:
    return those[lot % len(those)]


def _amend(sales_order: SalesOrder) -> None:
    sales_order.delivery_gross = sales_order.delivery_gross.times(2)


TestOrders = Orders.TestCase
TestOrders.settings = settings(
    max_examples=EXAMPLES or 16,
    stateful_step_count=30 if EXAMPLES else 14,
    deadline=None,
    derandomize=not EXAMPLES,
    database=None,
    suppress_health_check=list(HealthCheck),
)
