"""Each rule of a checker finds its own breach: beside test_laws.py, which has one a checker."""

import copy
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from kcjl.exceptions.events import JobInterrupted
from kcjl.money import Money
from kcjl.orders.acceptance_events import AcceptanceTimePassed
from kcjl.orders.events import (
    AcceptanceIntended,
    OrderChanged,
    OrderEvent,
    OrderReceived,
    PostingIntended,
    SalesOrderMissing,
    SalesOrderPosted,
)
from kcjl.sandbox.marketplace.records import Charge, Refund
from kcjl.sandbox.warehouse.orders import Cancellation
from kcjl.sandbox.warehouse.stock import key_of
from kcjl.sandbox.world_truth import OversoldLine
from kcjl.settlement.decide import UNTIED_SHOWN_MAX
from kcjl.settlement.events import PayoutClosed, PayoutHeld
from kcjl.settlement.gap_events import PayoutReconciled
from kcjl.stock.events import HeldBack, StockImportIntended
from kcjl.stock.policy_events import StockPolicyApproved
from kcjl.vocabulary import Event
from tests.simulation import test_laws_numbers
from tests.simulation.forging import (
    copied,
    left_out,
    raised_by_hand,
    said_at_last,
    said_otherwise,
    true_evidence,
)
from tests.simulation.laws import CHECKERS, Evidence
from tests.simulation.laws.exercised import SITUATIONS, SUBJECTS, exercised
from tests.simulation.test_laws import BREACHES, SCENARIO
from tests.simulation.witness import Movement, Outcome

PENNY = Money(1, "GBP")
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def true() -> Evidence:
    """A calm day that came to rest."""
    return true_evidence(SCENARIO)


def _sent(e: Evidence) -> str:
    """An order that is in the ERP, and was sent."""
    return next(
        order.order_id
        for order in e.world.order_truths()
        if order.sales_orders and order.confirmations
    )


# ── law 1 ──


def _broken_chain(e: Evidence) -> None:
    e.chain_fault = "position 3 has another hash"


def _written_in_an_old_epoch(e: Evidence) -> None:
    epoch, current, positions = e.appends[-1]
    e.appends = [*e.appends[:-1], (epoch, current + 1, positions)]


def _written_twice(e: Evidence) -> None:
    e.appends = [*e.appends, e.appends[-1]]


def _written_by_nobody(e: Evidence) -> None:
    e.appends = e.appends[:-1]


def _row_otherwise(e: Evidence) -> None:
    e.replayed = replace(e.replayed, difference="orders_shown 1: is not as it is live")


def _rows_behind(e: Evidence) -> None:
    e.rows_position -= 1


def _room_otherwise(e: Evidence) -> None:
    left_out(e, SalesOrderPosted)


# ── law 2 ──


def _sales_order_of_nobody(e: Evidence) -> None:
    book = e.world.warehouse.orders
    code, first = next(iter(book.by_code.items()))
    assert code
    stray = copy.copy(first)
    stray.code, stray.external_ref = "SO99999", "NOBODY"
    book.by_code["SO99999"] = stray


def _parcel_never_sent(e: Evidence) -> None:
    shipments = e.world.marketplace.book.shipments_of[_sent(e)]
    assert shipments[0].tracking is not None
    shipments[0].tracking = replace(shipments[0].tracking, number="NEVER-SENT")


def _journal_of_nobody(e: Evidence) -> None:
    journal = next(iter(e.journals.values()))
    e.journals = {**e.journals, "JL-NOBODY": replace(journal, reference="JL-NOBODY")}


def _written_again_without_intention(e: Evidence) -> None:
    call = next(e.witness.of("create_order"))
    e.witness.calls = [*e.witness.calls, call]


def _accepted_without_intention(e: Evidence) -> None:
    e.log = [each for each in e.log if each.type != "AcceptanceIntended"]


def _reference_without_intention(e: Evidence) -> None:
    e.log = [each for each in e.log if each.type != "ReferenceWriteIntended"]


def _journal_without_intention(e: Evidence) -> None:
    e.log = [each for each in e.log if each.type != "JournalIntended"]


def _confirmed_without_intention(e: Evidence) -> None:
    e.log = [each for each in e.log if each.type != "ConfirmationIntended"]


def _sent_again_on_an_old_look(e: Evidence) -> None:
    lost = copy.copy(next(e.witness.of("create_shipment")))
    lost.outcome = Outcome.UNKNOWN
    e.witness.calls = [lost, *e.witness.calls]


# ── law 3 ──


def _missing(e: Evidence) -> None:
    e.complete = replace(e.complete, missing=("order 1 is nowhere",))


def _left_lying(e: Evidence) -> None:
    left_out(e, SalesOrderPosted)
    left_out(e, PostingIntended)


def _another_state(e: Evidence) -> None:
    e.world.marketplace.orders[_sent(e)].state = "REFUSED"


def _another_code(e: Evidence) -> None:
    def other(event: SalesOrderPosted) -> SalesOrderPosted:
        return replace(event, erp_order_code="SO-0")

    said_otherwise(e, SalesOrderPosted, other)  # type: ignore[arg-type]


def _reference_unwritten(e: Evidence) -> None:
    e.world.marketplace.orders[_sent(e)].seller_reference = None


def _journal_not_there(e: Evidence) -> None:
    e.journals = {}


def _line_of_another_amount(e: Evidence) -> None:
    line = next(iter(e.world.marketplace.transactions.values()))
    line.amount += PENNY


# ── law 4 ──


def _level_never_read(e: Evidence) -> None:
    e.witness.calls = [x for x in e.witness.calls if x.operation != "stock_levels"]


def _fell_before_it_was_sold(e: Evidence) -> OversoldLine:
    """A unit left otherwise three hours before it was sold, and orders were read meanwhile."""
    call = next(e.witness.of("orders_updated_since"))
    at = call.began + 4 * HOUR
    e.witness.calls = [x for x in e.witness.calls if x.operation != call.operation]
    for minutes in range(0, 245, 5):
        read = copy.copy(call)
        read.began = read.ended = call.began + timedelta(minutes=minutes)
        read.outcome = Outcome.DONE
        e.witness.calls.append(read)
    fell = [
        Movement(at - 4 * HOUR, Decimal(1), by_our_orders=False),
        Movement(at - 3 * HOUR, Decimal(0), by_our_orders=False),
    ]
    e.witness.movements = defaultdict(list, {key_of("no-such"): fell})
    line = OversoldLine(
        order_id="700000001-A", sku="no-such", at=at, quantity=1, free=0, units_oversold=1
    )
    e.world.buying.oversold.append(line)
    return line


def _orders_silent(e: Evidence, since: datetime, until: datetime) -> None:
    for call in e.witness.of("orders_updated_since"):
        if since <= call.began <= until:
            call.outcome = Outcome.UNAVAILABLE


def _silent_after_it_fell(e: Evidence) -> None:
    """The figures could follow for more than two hours after the fall."""
    line = _fell_before_it_was_sold(e)
    _orders_silent(e, line.at - timedelta(minutes=30), line.at)


def _silent_and_answered_long_ago(e: Evidence) -> None:
    line = _fell_before_it_was_sold(e)
    _orders_silent(e, line.at - 4 * HOUR, line.at - timedelta(minutes=130))


# ── law 5 ──


def _never_taken(e: Evidence) -> None:
    e.witness.taken = {}


def _taken_after_the_closing(e: Evidence) -> None:
    late = timedelta(days=9)
    e.witness.taken = {ref: [at + late for at in ats] for ref, ats in e.witness.taken.items()}


def _closed_with_a_residue(e: Evidence) -> None:
    said_otherwise(e, PayoutClosed, lambda x: replace(x, residue=PENNY))


def _closed_on_fewer_lines(e: Evidence) -> None:
    said_otherwise(e, PayoutClosed, lambda x: replace(x, lines=x.lines - 1))  # type: ignore[attr-defined]


def _closed_without_its_sum(e: Evidence) -> None:
    left_out(e, PayoutReconciled)


def _closed_of_nobody(e: Evidence) -> None:
    said_otherwise(e, PayoutClosed, lambda x: replace(x, cycle_id="nobody's"))


def _held_and_not_told(e: Evidence) -> None:
    _hold(e, cycle_id="nobody's")


def _hold(
    e: Evidence, *, cycle_id: str, residue: Money = PENNY, untied: tuple[str, ...] = ()
) -> None:
    held = PayoutHeld(
        cycle_id=cycle_id,
        stated=PENNY,
        lines_total=PENNY - residue,
        residue=residue,
        lines=1,
        untied=untied,
        reason="it differs",
        occurred_at=e.log[-1].recorded_at,
    )
    said_at_last(e, held)


def _unbalanced(e: Evidence) -> None:
    reference, journal = next(iter(e.journals.items()))
    short = replace(journal, entries=journal.entries[:-1])
    e.journals = {**e.journals, reference: short}


# ── law 6 ──


def _posted_with_another_total(e: Evidence) -> None:
    def more(event: SalesOrderPosted) -> SalesOrderPosted:
        return replace(event, gross_total=event.gross_total + PENNY)

    said_otherwise(e, SalesOrderPosted, more)  # type: ignore[arg-type]


def _refused_by_the_ledger(e: Evidence) -> None:
    call = copy.copy(next(e.witness.of("prepare")))
    call.outcome = Outcome.REFUSED
    e.witness.calls = [*e.witness.calls, call]


# ── law 8 ──


def _given_up_in_silence(e: Evidence) -> None:
    order_id = _sent(e)
    posting = next(
        each for each in e.log if getattr(each.event, "order_id", "") == order_id
        and isinstance(each.event, PostingIntended)
    )  # fmt: skip
    assert isinstance(posting.event, PostingIntended)
    e.log = [
        each
        for each in e.log
        if getattr(each.event, "order_id", "") != order_id
        or isinstance(each.event, OrderReceived)
    ]
    said_at_last(e, replace(posting.event, attempt=99))
    said_at_last(
        e,
        SalesOrderMissing(
            order_id=order_id,
            reference=posting.event.reference,
            attempt=99,
            occurred_at=e.log[-1].recorded_at,
        ),
    )


def _cut_in_silence(e: Evidence) -> None:
    _hold(e, cycle_id="nobody's", untied=("a line",) * UNTIED_SHOWN_MAX)


# ── law 9 ──


def _set_by_nobody(e: Evidence) -> None:
    e.log = [
        replace(x, by="") if isinstance(x.event, StockPolicyApproved) else x for x in e.log
    ]


def _held_back_more(e: Evidence) -> None:
    def more(event: StockImportIntended) -> StockImportIntended:
        held = tuple(replace(each, held=HeldBack(fixed=9)) for each in event.figures)
        return replace(event, figures=held)

    said_otherwise(e, StockImportIntended, more)  # type: ignore[arg-type]


# ── liveness ──


def _job_interrupted(e: Evidence) -> None:
    job = JobInterrupted(
        room="orders",
        job="posting",
        message="it fails",
        code="unavailable",
        occurred_at=e.log[-1].recorded_at,
    )
    said_at_last(e, job)


def _exception_of_no_kind(e: Evidence) -> None:
    raised_by_hand(e, "no_such_kind", "x")


def _cancelled_there_and_nobody_told(e: Evidence) -> None:
    order = e.world.marketplace.orders[_sent(e)]
    (first,) = e.world.warehouse.orders_by_ref(order.customer_order_number)
    first.cancelled = Cancellation(at=e.now, reason="by hand", user_name="somebody")


def _stranded_and_nobody_told(e: Evidence) -> None:
    e.world.marketplace.orders[_sent(e)].state = "CANCELED"


def _refunded_and_nobody_told(e: Evidence) -> None:
    line = e.world.marketplace.orders[_sent(e)].lines[0]
    nothing = Money(0, "GBP")
    line.refunds.append(
        Refund(
            refund_id="by hand",
            order_refund_id="by hand",
            order_line_id=line.line_id,
            charge=Charge(
                amount=PENNY,
                shipping_amount=nothing,
                taxes=[],
                shipping_taxes=[],
                commission_fee=nothing,
                commission_vat=nothing,
            ),
            quantity=1,
            reason_code="by hand",
            excluded_from_shipment=False,
            state="REFUNDED",
            created_at=e.now,
        )
    )


def _late_and_nobody_told(e: Evidence) -> None:
    order = e.world.marketplace.orders[_sent(e)]
    order.state, order.shipping_deadline = "SHIPPING", e.now - timedelta(hours=2)


def _waits(e: Evidence) -> str:
    """An order that waited for our answer for hours, and was never given one."""
    left_out(e, AcceptanceIntended)
    said_otherwise(
        e,
        OrderReceived,
        lambda x: replace(x, state="WAITING_ACCEPTANCE", accept_by=x.occurred_at + HOUR / 60),
    )
    return next(each.event.order_id for each in e.log if isinstance(each.event, OrderReceived))


def _waited_and_nobody_told(e: Evidence) -> None:
    order_id = _waits(e)
    e.log = [each for each in e.log if not _is_of(each.event, OrderChanged, order_id)]


def _told_before_its_time(e: Evidence) -> None:
    passed = AcceptanceTimePassed(
        order_id=_waits(e),
        percent=50,
        accept_by=e.now + HOUR,
        message="it waits",
        money=PENNY,
        policy_version=1,
        occurred_at=e.log[0].recorded_at,
    )
    said_at_last(e, passed)


def _is_of(event: Event, kind: type[OrderEvent], order_id: str) -> bool:
    return isinstance(event, kind) and event.order_id == order_id


RULES: dict[tuple[int, str, str], Callable[[Evidence], object]] = {
    (1, "chain", "hash"): _broken_chain,
    (1, "writers", "epoch"): _written_in_an_old_epoch,
    (1, "writers", "twice"): _written_twice,
    (1, "writers", "head"): _written_by_nobody,
    (1, "rows", "differ"): _row_otherwise,
    (1, "rows", "behind"): _rows_behind,
    (1, "rooms", "differ"): _room_otherwise,
    (2, "sales orders", "of nobody"): _sales_order_of_nobody,
    (2, "confirmations", "never sent"): _parcel_never_sent,
    (2, "journals", "of nobody"): _journal_of_nobody,
    (2, "intentions", "again"): _written_again_without_intention,
    (2, "intentions", "acceptance"): _accepted_without_intention,
    (2, "intentions", "reference"): _reference_without_intention,
    (2, "intentions", "journal"): _journal_without_intention,
    (2, "intentions", "confirmation"): _confirmed_without_intention,
    (2, "looks again", "parcel"): _sent_again_on_an_old_look,
    (3, "none of the three", "missing"): _missing,
    (3, "orders left lying", "unposted"): _left_lying,
    (3, "orders seen", "state"): _another_state,
    (3, "posted", "code"): _another_code,
    (3, "references", "unwritten"): _reference_unwritten,
    (3, "payouts", "no journal"): _journal_not_there,
    (3, "statement lines", "amount"): _line_of_another_amount,
    (4, "figures", "no level"): _level_never_read,
    (4, "oversales", "long ago"): _fell_before_it_was_sold,
    (4, "oversales", "silence too late"): _silent_after_it_fell,
    (4, "oversales", "silence over"): _silent_and_answered_long_ago,
    (5, "ties", "never"): _never_taken,
    (5, "ties", "later"): _taken_after_the_closing,
    (5, "payouts", "residue"): _closed_with_a_residue,
    (5, "payouts", "lines"): _closed_on_fewer_lines,
    (5, "payouts", "sum"): _closed_without_its_sum,
    (5, "payouts", "of nobody"): _closed_of_nobody,
    (5, "journals", "unbalanced"): _unbalanced,
    (5, "residues", "not told"): _held_and_not_told,
    (6, "sales orders", "total"): _posted_with_another_total,
    (6, "journals again", "refused"): _refused_by_the_ledger,
    (8, "attempts", "silence"): _given_up_in_silence,
    (8, "cut lists", "silence"): _cut_in_silence,
    (9, "buffers", "held"): _held_back_more,
    (9, "versions", "nobody"): _set_by_nobody,
    (0, "jobs", "interrupted"): _job_interrupted,
    (0, "corrections", "refund"): _refunded_and_nobody_told,
    (0, "causes", "no kind"): _exception_of_no_kind,
    (0, "desk", "cancelled there"): _cancelled_there_and_nobody_told,
    (0, "desk", "stranded"): _stranded_and_nobody_told,
    (0, "late ones", "not told"): _late_and_nobody_told,
    (0, "time for accepting", "not told"): _waited_and_nobody_told,
    (0, "time for accepting", "too soon"): _told_before_its_time,
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"law {rule[0]}, {rule[1]}: {rule[2]}")
def test_rule_of_a_checker_finds_its_own_breach(
    true: Evidence, rule: tuple[int, str, str]
) -> None:
    """A checker of several rules could find the one and be blind to the other."""
    forged = copied(true)
    RULES[rule](forged)
    (checker,) = (each for each in CHECKERS if (each.law, each.name) == rule[:2])

    assert checker.check(forged)
    assert [] == checker.check(true)


def test_oversale_while_no_read_of_orders_was_answered_is_explained_by_the_fall_before(
    true: Evidence,
) -> None:
    """No figure may rest on orders that were read before its level: the window can't follow."""
    forged = copied(true)
    line = _fell_before_it_was_sold(forged)
    _orders_silent(forged, line.at - 4 * HOUR, line.at)
    (checker,) = (x for x in CHECKERS if (x.law, x.name) == (4, "oversales"))

    assert [] == checker.check(forged)


def test_every_checker_is_seen_to_find_a_breach() -> None:
    """None of them is believed unseen."""
    seen = {*BREACHES, *test_laws_numbers.BREACHES, *(rule[:2] for rule in RULES)}

    assert {(checker.law, checker.name) for checker in CHECKERS} == seen


def test_every_checker_says_how_much_it_had_to_judge(true: Evidence) -> None:
    """On a calm day there is something for most of them; whoever has nothing says 0."""
    counted = exercised(true)
    laws = {f"law {law}, {name}" for law, name in SUBJECTS}

    assert {(checker.law, checker.name) for checker in CHECKERS} == {*SUBJECTS}
    assert laws | {*SITUATIONS} <= {*counted}
    assert len(true.world.warehouse.sales_orders) == counted["law 2, sales orders"]
    assert 0 == counted["writers after the first"]
    assert 0 == counted["writes cut off by a death"]
