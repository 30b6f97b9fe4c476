"""Each checker finds a breach that was made by hand, and is silent on a true run."""

import copy
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from kcjl.dispatch.events import ConfirmationIntended, ParcelConfirmed
from kcjl.exceptions.events import WritesSwitched
from kcjl.fold import Table
from kcjl.money import Money
from kcjl.orders.events import (
    AcceptanceIntended,
    OrderChanged,
    OrderReceived,
    PostingIntended,
    SalesOrderPosted,
)
from kcjl.sandbox.warehouse import SalesOrder
from kcjl.sandbox.world_truth import OversoldLine
from kcjl.settlement.actor import Settlement
from kcjl.settlement.events import (
    JournalIntended,
    JournalPrepared,
    PayoutClosed,
    SettlementLineSeen,
)
from kcjl.settlement.state import LINES
from kcjl.stock.events import StockImportFinished, StockImportIntended
from kcjl.stock.policy_events import StockPolicyApproved
from tests.simulation.asks import Asks, GivesBack
from tests.simulation.forging import (
    copied,
    left_out,
    raised_by_hand,
    recorded_back,
    said_otherwise,
    true_evidence,
)
from tests.simulation.laws import CHECKERS, Evidence, judge
from tests.simulation.scenario import Scenario
from tests.simulation.witness import Outcome

SCENARIO = Scenario(
    seed=7,
    orders_a_day=14.0,
    skus=20,
    mismatches=1,
    asks=Asks(
        gives_back=(
            GivesBack(at_h=3.0, kind="refund", part="unit", lot=0.4),
            GivesBack(at_h=6.0, kind="refund", lot=0.9, twice=True),
        )
    ),
)
"""A calm day, on which a unit and a whole order are refunded."""
PENNY = Money(1, "GBP")


@pytest.fixture(scope="module")
def true() -> Evidence:
    """A calm day that came to rest."""
    return true_evidence(SCENARIO)


def test_every_checker_is_silent_on_a_true_run(true: Evidence) -> None:
    """A law that is kept is not said to be broken; and there was something to judge."""
    assert [] == judge(true)
    assert true.at_rest
    assert true.journals
    assert 5 < len(true.world.marketplace.orders)


def test_every_checker_has_a_sentence_and_a_name_of_its_own() -> None:
    """Ten laws and liveness, each with its checkers."""
    names = Counter((checker.law, checker.name) for checker in CHECKERS)

    assert set(range(11)) == {checker.law for checker in CHECKERS}
    assert 1 == max(names.values())
    assert all(checker.sentence.endswith((".", ",", ":")) for checker in CHECKERS)


def _an_order(evidence: Evidence) -> str:
    """One that is in the ERP, and was sent."""
    return next(
        order.order_id
        for order in evidence.world.order_truths()
        if order.sales_orders and order.confirmations
    )


# ── breaches ──


def _cut_off(e: Evidence) -> None:
    e.log = e.log[:-1]


def _second_sales_order(e: Evidence) -> None:
    orders = e.world.marketplace.orders
    order = orders[_an_order(e)]
    (first,) = e.world.warehouse.orders_by_ref(order.customer_order_number)
    book = e.world.warehouse.orders
    book._by_ref[order.order_id] = [_another(first)]


def _another(sales_order: SalesOrder) -> SalesOrder:
    again = copy.copy(sales_order)
    again.code = "SO99999"
    return again


def _confirmed_twice(e: Evidence) -> None:
    order_id = _an_order(e)
    shipments = e.world.marketplace.book.shipments_of[order_id]
    again = copy.copy(shipments[0])
    again.shipment_id = "S-AGAIN"
    shipments.append(again)


def _second_journal(e: Evidence) -> None:
    reference, journal = next(iter(e.journals.items()))
    e.journals = {**e.journals, "JL-AGAIN": replace(journal, reference="JL-AGAIN")}
    intended = next(x for x in e.log if isinstance(x.event, JournalIntended))
    assert isinstance(intended.event, JournalIntended)
    assert reference
    e.log = [*e.log, replace(intended, event=replace(intended.event, reference="JL-AGAIN"))]


def _given_back_twice(e: Evidence) -> None:
    e.witness.given_back.append(e.witness.given_back[0])


def _never_intended(e: Evidence) -> None:
    left_out(e, PostingIntended)


def _not_looked_up(e: Evidence) -> None:
    call = copy.copy(next(e.witness.of("create_order")))
    call.outcome = Outcome.UNKNOWN
    e.witness.calls = [call, *e.witness.calls]


def _order_unseen(e: Evidence) -> None:
    order_id = _an_order(e)
    e.log = [x for x in e.log if getattr(x.event, "order_id", "") != order_id]


def _parcel_unconfirmed(e: Evidence) -> None:
    order = e.world.marketplace.orders[_an_order(e)]
    order.state = "SHIPPING"
    e.world.marketplace.book.shipments_of[order.order_id].clear()
    order.shipped_at = None
    left_out(e, ParcelConfirmed)
    e.log = [x for x in e.log if x.type != "DispatchClosed"]


def _publish_open(e: Evidence) -> None:
    left_out(e, StockImportFinished)


def _line_unseen(e: Evidence) -> None:
    left_out(e, SettlementLineSeen)


def _payout_unseen(e: Evidence) -> None:
    e.log = [x for x in e.log if not x.stream.startswith("payout-")]


def _published_unintended(e: Evidence) -> None:
    left_out(e, StockImportIntended)


def _offered_too_much(e: Evidence) -> None:
    def more(event: StockImportIntended) -> StockImportIntended:
        figures = tuple(replace(each, quantity=each.level + 500) for each in event.figures)
        return replace(event, figures=tuple(_whole(each) for each in figures))

    said_otherwise(e, StockImportIntended, more)  # type: ignore[arg-type]


def _whole(figure: object) -> object:
    return replace(figure, quantity=int(figure.quantity))  # type: ignore[type-var,attr-defined]


def _window_wrong(e: Evidence) -> None:
    offers = e.world.marketplace.offers.values()
    offer = next(each for each in offers if each.quantity)
    offer.quantity += 1


def _oversold(e: Evidence) -> None:
    order = e.world.marketplace.orders[_an_order(e)]
    e.world.buying.oversold.append(
        OversoldLine(
            order_id=order.order_id,
            sku="no-such",
            at=order.created_at,
            quantity=2,
            free=1,
            units_oversold=1,
        )
    )


def _closed_a_penny_off(e: Evidence) -> None:
    said_otherwise(e, PayoutClosed, lambda x: replace(x, lines_total=x.lines_total + PENNY))  # type: ignore[attr-defined]


def _booked_a_penny_off(e: Evidence) -> None:
    reference, journal = next(iter(e.journals.items()))
    first, *rest = journal.entries
    wrong = replace(first, credit=first.credit + PENNY)
    e.journals = {**e.journals, reference: replace(journal, entries=(wrong, *rest))}


def _line_re_signed(e: Evidence) -> None:
    said_otherwise(e, SettlementLineSeen, lambda x: replace(x, amount=-x.amount + PENNY))  # type: ignore[attr-defined]


def _closed_twice(e: Evidence) -> None:
    closed = next(x for x in e.log if isinstance(x.event, PayoutClosed))
    e.log = [*e.log, closed]


def _undone_by_halves(e: Evidence) -> None:
    """Somebody says that a journal undoes another one, and it does not."""
    intended = next(x for x in e.log if isinstance(x.event, JournalIntended))
    assert isinstance(intended.event, JournalIntended)
    event = replace(intended.event, kind="reversal", reverses=intended.event.reference)
    e.log = [*e.log, replace(intended, event=event)]


def _let_go_of_too_much(e: Evidence) -> None:
    (room,) = (each for each in e.rooms if isinstance(each, Settlement))
    e.rooms = [_Forgetful(room.applied)]


class _Forgetful(Settlement):
    """It holds nothing at all."""

    def __init__(self, applied: int) -> None:
        self.applied, self.lines = applied, Table(LINES)


def _posted_otherwise(e: Evidence) -> None:
    def more(event: SalesOrderPosted) -> SalesOrderPosted:
        first, *rest = event.lines
        return replace(event, lines=(replace(first, quantity=first.quantity + 1), *rest))

    said_otherwise(e, SalesOrderPosted, more)  # type: ignore[arg-type]


def _handed_over_otherwise(e: Evidence) -> None:
    call = copy.copy(next(e.witness.of("prepare")))
    (journal,) = call.arguments
    call.arguments = (replace(journal, narrative="another"),)  # type: ignore[type-var]
    e.witness.calls = [*e.witness.calls, call]


def _street_in_the_log(e: Evidence) -> None:
    street = e.world.marketplace.orders[_an_order(e)].customer.delivery.street_1
    said_otherwise(e, OrderReceived, lambda x: replace(x, tax_mode=f"{street}"))


def _name_in_a_journal(e: Evidence) -> None:
    customer = e.world.marketplace.orders[_an_order(e)].customer
    reference, journal = next(iter(e.journals.items()))
    named = replace(journal, narrative=f"for {customer.first_name} {customer.last_name}")
    e.journals = {**e.journals, reference: named}


def _order_in_no_read(e: Evidence) -> None:
    e.witness.calls = [
        x
        for x in e.witness.calls
        if x.operation not in ("orders_updated_since", "orders_by_id", "orders_caught_up")
    ]


def _policy_of_tomorrow(e: Evidence) -> None:
    said_otherwise(e, StockImportIntended, lambda x: replace(x, policy_version=7))


def _policy_counted_wrong(e: Evidence) -> None:
    said_otherwise(e, StockPolicyApproved, lambda x: replace(x, version=3))


def _account_of_nobody(e: Evidence) -> None:
    said_otherwise(e, JournalIntended, lambda x: replace(x, policy_version=9))


def _carrier_of_nobody(e: Evidence) -> None:
    said_otherwise(e, ConfirmationIntended, lambda x: replace(x, carrier_code="XX"))


def _accepted_by_no_policy(e: Evidence) -> None:
    said_otherwise(e, AcceptanceIntended, lambda x: replace(x, policy_version=9))


def _placed_another_day(e: Evidence) -> None:
    early = timedelta(days=1)
    said_otherwise(e, OrderReceived, lambda x: replace(x, occurred_at=x.occurred_at - early))


def _learnt_too_early(e: Evidence) -> None:
    last = e.log[-1]
    e.log = [*e.log[:-1], replace(last, occurred_at=last.recorded_at + timedelta(minutes=5))]


def _recorded_tomorrow(e: Evidence) -> None:
    e.now = e.log[-1].recorded_at - timedelta(seconds=1)


def _not_at_rest(e: Evidence) -> None:
    e.at_rest = False


def _journal_open(e: Evidence) -> None:
    left_out(e, JournalPrepared)


def _exception_without_cause(e: Evidence) -> None:
    raised_by_hand(e, "order_held", _an_order(e))


def _nobody_told(e: Evidence) -> None:
    unknown = next(iter(e.world.marketplace.offers))
    e.world.warehouse.stock._items.pop(unknown.casefold())


def _posted_a_penny_off(e: Evidence) -> None:
    order = e.world.marketplace.orders[_an_order(e)]
    (first,) = e.world.warehouse.orders_by_ref(order.customer_order_number)
    first.delivery_gross += PENNY


def _forgotten_by_the_erp(e: Evidence) -> None:
    order = e.world.marketplace.orders[_an_order(e)]
    del e.world.warehouse.orders._by_ref[order.customer_order_number]


def _old_news(e: Evidence) -> None:
    known = next(each for each in e.log if isinstance(each.event, OrderChanged))
    older = replace(known.event, occurred_at=known.event.occurred_at - timedelta(hours=1))
    e.log = [*e.log, replace(known, event=older)]


def _sent_though_stopped(e: Evidence) -> None:
    """Somebody had stopped all writes before the first event, and nobody heard of it."""
    stopped = WritesSwitched(allowed=False, reason="", occurred_at=e.log[0].recorded_at)
    e.log = [replace(e.log[0], type="WritesSwitched", event=stopped), *e.log]


BREACHES: dict[tuple[int, str], Callable[[Evidence], None]] = {
    (1, "chain"): _cut_off,
    (1, "let go"): _let_go_of_too_much,
    (2, "sales orders"): _second_sales_order,
    (2, "confirmations"): _confirmed_twice,
    (2, "journals"): _second_journal,
    (2, "money back"): _given_back_twice,
    (2, "intentions"): _never_intended,
    (2, "look-ups"): _not_looked_up,
    (2, "stopped"): _sent_though_stopped,
    (3, "orders seen"): _order_unseen,
    (3, "posted"): _forgotten_by_the_erp,
    (3, "parcels"): _parcel_unconfirmed,
    (3, "publishes"): _publish_open,
    (3, "statement lines"): _line_unseen,
    (3, "payouts"): _payout_unseen,
    (4, "window"): _published_unintended,
    (4, "figures"): _offered_too_much,
    (4, "oversales"): _oversold,
    (4, "window at rest"): _window_wrong,
    (5, "payouts"): _closed_a_penny_off,
    (5, "journals"): _booked_a_penny_off,
    (5, "lines"): _line_re_signed,
    (5, "sales orders"): _posted_a_penny_off,
    (6, "journals"): _booked_a_penny_off,
    (6, "journals again"): _handed_over_otherwise,
    (6, "closings"): _closed_twice,
    (6, "reversals"): _undone_by_halves,
    (6, "sales orders"): _posted_otherwise,
    (7, "log"): _street_in_the_log,
    (7, "journals"): _name_in_a_journal,
    (8, "reads"): _order_in_no_read,
    (8, "publishes"): _published_unintended,
    (9, "versions"): _policy_counted_wrong,
    (9, "buffers"): _policy_of_tomorrow,
    (9, "accounts"): _account_of_nobody,
    (9, "carriers"): _carrier_of_nobody,
    (9, "acceptances"): _accepted_by_no_policy,
    (10, "recording"): recorded_back,
    (10, "learning"): _learnt_too_early,
    (10, "future"): _recorded_tomorrow,
    (10, "news"): _old_news,
    (10, "placing"): _placed_another_day,
    (0, "rest"): _not_at_rest,
    (0, "intentions"): _journal_open,
    (0, "causes"): _exception_without_cause,
    (0, "desk"): _nobody_told,
}


@pytest.mark.parametrize("law", BREACHES, ids=lambda law: f"law {law[0]}, {law[1]}")
def test_checker_finds_the_breach_that_was_made_by_hand(
    true: Evidence, law: tuple[int, str]
) -> None:
    """A checker that finds nothing in a forged run would find nothing at all."""
    forged = copied(true)
    BREACHES[law](forged)
    (checker,) = (each for each in CHECKERS if (each.law, each.name) == law)

    assert checker.check(forged)
    assert [] == checker.check(true)
