"""Settlement, the rules of matching: each line has its counterpart, and what ties it."""

import msgspec
import pytest

from kcjl.orders.events import OrderPassedOver, SalesOrderPosted
from kcjl.orders.events_changes import (
    LineCancelled,
    LineRefunded,
    LineWithdrawn,
    ReturnedLine,
    ReturnOpened,
    ReturnReceived,
)
from kcjl.orders.posting_events import TotalsCompared
from kcjl.settlement.events import PAYMENT, ROLE_OF_KIND, SettlementLineTied
from kcjl.settlement.matching import counterpart_of, decide_tie
from kcjl.settlement.sold import ORDER_MONEY, SOLD, OrderMoney, SoldOrder, SoldRefund
from kcjl.settlement.state import LINES, Line
from kcjl.vocabulary import Event
from tests.trade import (
    at,
    changed,
    folded,
    gbp,
    made_of,
    money_line,
    ordered,
    posted,
    received,
    stands,
)

replace = msgspec.structs.replace
ORDER = received()
PASSED_OVER = OrderPassedOver(
    order_id="O1", reason="older than the start", skus=(), occurred_at=at(1)
)


def sold(*events: Event) -> SoldOrder:
    return made_of(SOLD, "O1", *events)


# ── counterparts ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "counterpart"),
    [
        ("ORDER_AMOUNT", ("order_line", "O1-1")),
        ("COMMISSION_VAT", ("order_line", "O1-1")),
        ("REFUND_ORDER_AMOUNT", ("refund", "R1")),
        ("OPERATOR_PAID_REFUND_ORDER_SHIPPING_AMOUNT", ("refund", "R1")),
        ("OPERATOR_REMITTED_ORDER_AMOUNT_TAX", ("order_line", "O1-1")),
        ("SELLER_PENALTY_FEE", ("penalty", "O1")),
        ("SELLER_FEE_ON_ORDER_TAX", ("fee", "O1")),
        ("MANUAL_CREDIT", ("document", "INV-9")),
        ("INVOICEABLE_ONE_OFF_DEBIT", ("one_off", "INV-1")),
        ("SUBSCRIPTION_VAT", ("subscription", "CY1")),
        ("RESERVE_FUNDING", ("reserve", "CY1")),
        (PAYMENT, ("cycle", "CY1")),
        ("NEW_FEE", ("unknown_type", "O1-1")),
    ],
)
def test_line_is_the_money_of_one_thing(kind: str, counterpart: tuple[str, str]) -> None:
    """By its type, and by what the marketplace names on it."""
    seen = replace(
        money_line(kind=kind), refund_id="R1", document_number="INV-1", manual_document="INV-9"
    )

    found = counterpart_of(seen)

    assert counterpart == (found.kind, found.name)


def test_every_known_type_has_a_counterpart() -> None:
    """Only a type that nobody knows is unknown."""
    unknown = {
        kind
        for kind in ROLE_OF_KIND
        if counterpart_of(money_line(kind=kind)).kind == "unknown_type"
    }

    assert set() == unknown


# ── ties ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "events", "to"),
    [
        ("ORDER_AMOUNT", (ORDER, posted(ORDER)), "sales_order"),
        ("SELLER_PENALTY_FEE", (ORDER, posted(ORDER)), "sales_order"),
        ("SELLER_PENALTY_FEE", (ORDER,), "order"),
        ("ORDER_AMOUNT", (ORDER, PASSED_OVER), "passed_over"),
        ("ORDER_AMOUNT", (ORDER,), None),
    ],
)
def test_line_is_tied_to_what_there_is(
    kind: str, events: tuple[Event, ...], to: str | None
) -> None:
    """A sale to its sales order; a penalty to the order; what is not ours to nothing more."""
    line = Line(seen=money_line(kind=kind))

    found = decide_tie(line, sold(*events), at(200))

    assert [to] * bool(to) == [
        each.to for each in found if isinstance(each, SettlementLineTied)
    ]
    if to is not None:
        tied = made_of(LINES, "L1", line.seen, *found)
        assert not tied.wants_tie
        assert () == decide_tie(tied, sold(*events), at(201))


# ── what was sold ───────────────────────────────────────────────────────────────────────────


def test_sold_order_is_what_was_received_and_posted() -> None:
    """Price, shipping, category and commission by line; the ERP's code when it has one."""
    entry = sold(ORDER, posted(ORDER))

    assert ("REF-O1", "SO-O1", "TAX_INCLUDED") == (
        entry.reference,
        entry.erp_order_code,
        entry.tax_mode,
    )
    (line,) = entry.lines
    assert (gbp(2_000), gbp(300), "lamps") == (line.price, line.commission, line.category_code)
    assert line == entry.line("O1-1")
    assert entry.line("O1-9") is None


def test_sold_line_that_was_cancelled_in_part_is_marked() -> None:
    """By a cancelation that is told, or by a price that was lowered."""
    cancelled = LineCancelled(
        order_id="O1",
        line_id="O1-1",
        sku="A-1",
        cancelation_id="C1",
        units=1,
        amount=gbp(1_000),
        shipping_amount=gbp(0),
        reason_code="14",
        occurred_at=at(3),
    )
    lowered = replace(stands(ordered()), price=gbp(1_000))

    assert sold(ORDER, cancelled).lines[0].cancelled
    assert sold(ORDER, changed(ORDER, "SHIPPING", lowered)).lines[0].cancelled
    assert not sold(ORDER, changed(ORDER)).lines[0].cancelled


def test_sold_order_knows_what_went_and_what_came_back() -> None:
    """Refunds by their id, the last word of each; returns only when they are received."""
    refund = LineRefunded(
        order_id="O1",
        line_id="O1-1",
        sku="A-1",
        refund_id="R1",
        units=1,
        amount=gbp(900),
        shipping_amount=gbp(0),
        state="REFUNDED",
        reason_code="1",
        whole=False,
        occurred_at=at(4),
    )
    opened = ReturnOpened(
        order_id="O1",
        return_id="RET1",
        state="OPENED",
        rma="",
        lines=(ReturnedLine(line_id="O1-1", sku="A-1", quantity=1, reason_code="1"),),
        money=gbp(1_000),
        occurred_at=at(5),
    )
    back = ReturnReceived(order_id="O1", return_id="RET1", occurred_at=at(6))
    withdrawn = LineWithdrawn(
        order_id="O1",
        line_id="O1-1",
        sku="A-1",
        units=1,
        amount=gbp(1_000),
        shipping_amount=gbp(0),
        occurred_at=at(7),
    )

    entry = sold(ORDER, refund, replace(refund, amount=gbp(1_000)), opened)

    assert (
        SoldRefund(refund_id="R1", line_id="O1-1", amount=gbp(1_000), shipping=gbp(0)),
    ) == entry.refunds
    assert () == entry.returned
    assert ("O1-1",) == sold(ORDER, opened, back, back).returned
    assert ("O1-1",) == sold(ORDER, withdrawn).withdrawn


def test_sold_order_knows_by_how_much_the_erp_is_off() -> None:
    """Compared again and agreed, it is off no more."""
    off = TotalsCompared(order_id="O1", ours=gbp(2_000), erp=gbp(2_001), occurred_at=at(9))

    assert gbp(1) == sold(ORDER, off).erp_off
    assert sold(ORDER, off, replace(off, erp=gbp(2_000))).erp_off is None


def test_order_without_news_for_money_has_no_entry() -> None:
    """A return of an order that was never seen makes none."""
    assert folded(SOLD, "O1", [changed(ORDER)]) is None
    assert isinstance(posted(ORDER), SalesOrderPosted)


def test_lines_of_an_order_are_known_once_each() -> None:
    """In whatever cycle, in the order of their coming."""
    events = [money_line("L2"), money_line("L1"), money_line("L2", minutes=90)]

    assert OrderMoney(line_ids=("L2", "L1")) == folded(ORDER_MONEY, "O1", events)
