"""Settlement, the rules: news, ties, residue, and one balanced journal a payout."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from kcjl.errors import Misuse
from kcjl.settlement.decide import (
    HOUSE_ACCOUNTS,
    ROLE_OF_KIND,
    UNTIED_SHOWN_MAX,
    cycles_due_at,
    decide_accounts,
    decide_cycle,
    decide_journal,
    decide_line,
    decide_payout,
    decide_tie,
)
from kcjl.settlement.events import (
    AccountMapSet,
    AccountNamed,
    BillingCycleSeen,
    JournalIntended,
    JournalLine,
    PayoutClosed,
    PayoutHeld,
    SettlementLineSeen,
    SettlementLineTied,
)
from kcjl.settlement.state import (
    ACCOUNTS,
    CYCLES,
    LINES,
    SALES_ORDERS,
    Accounts,
    Cycle,
    Line,
    SalesOrder,
)
from kcjl.vocabulary import Event
from tests.trade import (
    at,
    cycle_seen,
    folded,
    gbp,
    made_of,
    money_line,
    posted,
    received,
)

SALES_ORDER = SalesOrder(order_id="O1", reference="REF-O1", erp_order_code="SO-O1")
TIED = SettlementLineTied(
    line_id="L1",
    order_id="O1",
    order_line_id="O1-1",
    reference="REF-O1",
    erp_order_code="SO-O1",
    occurred_at=at(200),
)
HOUSE = Accounts(
    accounts=tuple(
        AccountNamed(role=role, account=account, tax_code=tax_code)
        for role, (account, tax_code) in HOUSE_ACCOUNTS.items()
    ),
    version=1,
)


def line(*events: Event) -> Line:
    return made_of(LINES, "L1", *events)


def tied(amount: int, kind: str = "ORDER_AMOUNT", line_id: str = "L1") -> Line:
    return Line(seen=money_line(line_id, amount, kind), tied_to="SO-O1")


def cycle(*then: Event, seen: BillingCycleSeen | None = None) -> Cycle:
    return made_of(CYCLES, "CY1", seen or cycle_seen(), *then)


def payout(
    entry: Cycle, *lines: Line, read: float | None = 130, close_on: str = "paid"
) -> tuple[Event, ...]:
    return decide_payout(
        entry,
        lines,
        lines_read_at=None if read is None else at(read),
        close_on=close_on,
        now=at(200),
    )


def closed_cycle(amount: int = 2_000) -> Cycle:
    seen = cycle_seen(amount)
    closed = PayoutClosed(
        cycle_id="CY1",
        stated=gbp(amount),
        lines_total=gbp(amount),
        residue=gbp(0),
        lines=1,
        occurred_at=at(200),
    )
    return cycle(closed, seen=seen)


# ── lines ───────────────────────────────────────────────────────────────────────────────────


def test_line_is_news_once() -> None:
    """A line that comes again as it was is nothing new, whatever its update time."""
    assert (money_line(),) == decide_line(None, money_line())
    assert () == decide_line(line(money_line()), money_line(minutes=90))


@pytest.mark.parametrize(
    "difference",
    [
        {"payment_state": "PAID"},
        {"cycle_id": "CY2"},
        {"voucher": "V1"},
        {"document_number": "D1"},
        {"amount": gbp(1)},
        {"kind": "NEW_FEE"},
    ],
    ids=lambda difference: next(iter(difference)),
)
def test_line_that_came_back_changed_is_news(difference: dict[str, object]) -> None:
    """A line that moves on to a cycle, a voucher or another state is told."""
    again = msgspec.structs.replace(money_line(minutes=90), **difference)

    assert (again,) == decide_line(line(money_line()), again)


def test_line_from_an_older_page_is_nothing_new() -> None:
    """What was updated earlier undoes nothing."""
    old = msgspec.structs.replace(money_line(minutes=59), payment_state="PENDING")

    assert () == decide_line(line(money_line(minutes=60)), old)


def test_line_is_tied_to_its_sales_order() -> None:
    """By its order, and through the customer order number, to the ERP's sales order."""
    assert (TIED,) == decide_tie(line(money_line()), SALES_ORDER, at(200))


def test_line_is_tied_once_and_only_where_there_is_something_to_tie_to() -> None:
    """Tied is tied; a line of no order is tied to nothing; no sales order, no tie."""
    assert () == decide_tie(line(money_line(), TIED), SALES_ORDER, at(201))
    assert () == decide_tie(line(money_line(order_id=None)), SALES_ORDER, at(201))
    assert () == decide_tie(line(money_line()), None, at(201))


def test_line_that_changes_stays_tied() -> None:
    """A new state of a line does not untie it."""
    assert "SO-O1" == line(money_line(), TIED, money_line(minutes=300)).tied_to


def test_tie_of_an_unknown_line_makes_no_entry() -> None:
    """A line exists from its first sight on."""
    assert folded(LINES, "L1", [TIED]) is None


def test_sales_order_is_known_from_its_posting() -> None:
    """What lines are tied to is what was posted."""
    assert SALES_ORDER == folded(SALES_ORDERS, "O1", [posted(received())])


def test_cycle_is_news_when_it_differs() -> None:
    """A billing cycle is told when it comes, and when it changes."""
    assert (cycle_seen(),) == decide_cycle(None, cycle_seen())
    assert () == decide_cycle(cycle(), cycle_seen())
    assert (cycle_seen(state="FAILED"),) == decide_cycle(cycle(), cycle_seen(state="FAILED"))


# ── payouts ─────────────────────────────────────────────────────────────────────────────────


def test_payout_closes_when_its_lines_add_up_and_all_are_tied() -> None:
    """Sum of the lines = amount transferred, every line tied: closed with residue 0."""
    assert (
        PayoutClosed(
            cycle_id="CY1",
            stated=gbp(2_000),
            lines_total=gbp(2_000),
            residue=gbp(0),
            lines=2,
            occurred_at=at(200),
        ),
    ) == payout(cycle(), tied(2_300), tied(-300, "COMMISSION_FEE", "L2"))


def test_payout_does_not_count_its_own_payment_line() -> None:
    """The line that equals the payout is never added to it."""
    (event,) = payout(cycle(), tied(2_000), tied(-2_000, "PAYMENT", "L2"))

    assert isinstance(event, PayoutClosed)
    assert 1 == event.lines


def test_payout_counts_cycle_lines_that_no_order_has() -> None:
    """A subscription fee belongs to no order, and needs no tie."""
    fee = Line(seen=money_line("L2", -500, "SUBSCRIPTION_FEE", order_id=None))

    (event,) = payout(cycle(), tied(2_500), fee)

    assert isinstance(event, PayoutClosed)


@pytest.mark.parametrize("read", [None, 119, 124.9])
def test_payout_waits_for_lines_that_may_still_come(read: float | None) -> None:
    """Nothing is said before the lines have been read, some minutes after the cycle."""
    assert () == payout(cycle(), tied(2_000), read=read)


def test_payout_that_is_not_paid_yet_waits_by_policy() -> None:
    """It closes when it is shown as paid; or at the cycle, where payments are not confirmed."""
    unpaid = cycle(seen=cycle_seen(state="TO_PAY"))

    assert () == payout(unpaid, tied(2_000))
    (event,) = payout(unpaid, tied(2_000), close_on="cycle")
    assert isinstance(event, PayoutClosed)


def test_payout_with_a_residue_is_held_with_its_pence() -> None:
    """A penny too little keeps it open, and the penny is named."""
    (event,) = payout(cycle(), tied(1_999))

    assert isinstance(event, PayoutHeld)
    assert gbp(1) == event.residue
    assert "the stated amount and the lines differ by 0.01 GBP" == event.reason


def test_payout_with_untied_lines_is_held_and_names_them() -> None:
    """A line without its sales order keeps it open; the first of them are named."""
    many = [Line(seen=money_line(f"L{number:02}", 0)) for number in range(UNTIED_SHOWN_MAX + 5)]
    (event,) = payout(cycle(), tied(2_000, line_id="L99"), *many)

    assert isinstance(event, PayoutHeld)
    assert "25 lines belong to orders without a sales order" == event.reason
    assert tuple(each.seen.line_id for each in many[:UNTIED_SHOWN_MAX]) == event.untied


@pytest.mark.parametrize(
    ("why", "reason"),
    [
        ("IBAN closed", "the payout failed: IBAN closed"),
        (None, "the payout failed: no reason given"),
    ],
)
def test_payout_that_failed_is_held_with_the_reason(why: str | None, reason: str) -> None:
    """A transfer that failed is never a closed payout."""
    seen = msgspec.structs.replace(cycle_seen(state="FAILED"), failure_reason=why)
    (event,) = payout(cycle(seen=seen), tied(2_000))

    assert isinstance(event, PayoutHeld)
    assert reason == event.reason


def test_payout_held_is_said_again_only_when_something_is_new() -> None:
    """The same words are not said twice; another total is."""
    (held,) = payout(cycle(), tied(1_999))

    assert () == payout(cycle(held), tied(1_999))
    (again,) = payout(cycle(held), tied(1_998))
    assert isinstance(again, PayoutHeld)
    (closed,) = payout(cycle(held), tied(2_000))
    assert isinstance(closed, PayoutClosed)


def test_payout_that_is_closed_says_no_more() -> None:
    """Closed is closed: later reads change nothing of it."""
    assert () == payout(closed_cycle(), tied(1))


# ── accounts and journal ────────────────────────────────────────────────────────────────────


def test_accounts_open_with_the_houses_map() -> None:
    """Roles that nobody named have the house's accounts."""
    (event,) = decide_accounts(None, {"bank": "1200"}, at(0))

    assert isinstance(event, AccountMapSet)
    assert AccountNamed(role="bank", account="1200", tax_code="") in event.accounts
    assert (
        AccountNamed(role="clearing", account="John Lewis Clearing", tax_code="")
        in event.accounts
    )
    assert 1 == event.version


def test_accounts_left_out_keep_what_they_have() -> None:
    """A later change touches the roles that it names, and nothing else."""
    known = made_of(ACCOUNTS, "accounts", *decide_accounts(None, {"bank": "1200"}, at(0)))

    (event,) = decide_accounts(known, {"refunds": "4010"}, at(1))

    assert isinstance(event, AccountMapSet)
    assert 2 == event.version
    after = made_of(ACCOUNTS, "accounts", event)
    assert ["1200", "4010"] == [
        named.account for role in ("bank", "refunds") if (named := after.named(role))
    ]
    assert () == decide_accounts(after, {"refunds": "4010"}, at(2))


def test_accounts_of_an_unknown_role_are_refused() -> None:
    """A role that no journal has is a slip of the pen."""
    with pytest.raises(Misuse, match="no such role in the journal: bnak; there are bank"):
        decide_accounts(None, {"bnak": "1200"}, at(0))


def journal(entry: Cycle, *lines: Line, accounts: Accounts = HOUSE) -> JournalIntended:
    (event,) = decide_journal(entry, lines, accounts, at(201))
    assert isinstance(event, JournalIntended)
    return event


def booked(event: JournalIntended) -> list[tuple[str, str, int, int, str]]:
    return [
        (
            each.account,
            each.tax_code,
            each.debit.amount_minor,
            each.credit.amount_minor,
            each.memo,
        )
        for each in event.lines
    ]


def test_journal_clears_the_clearing_account_into_bank_and_fees() -> None:
    """The sales are in the ERP already: the journal clears them, one line an account."""
    event = journal(
        closed_cycle(1_640),
        tied(2_000),
        tied(-300, "COMMISSION_FEE"),
        tied(-60, "COMMISSION_VAT"),
        tied(-1_640, "PAYMENT"),
    )

    assert [
        ("Bank Current", "", 1_640, 0, "bank"),
        ("John Lewis Clearing", "", 0, 2_000, "clearing"),
        ("Marketplace Commission", "T1", 300, 0, "commission"),
        ("VAT Input", "T1", 60, 0, "commission vat"),
    ] == booked(event)


def test_journal_of_a_debt_credits_the_bank() -> None:
    """A payout below zero is paid by us: amounts keep the sign that they came with."""
    event = journal(closed_cycle(-500), tied(-500, "REFUND_ORDER_AMOUNT"))

    assert [
        ("Bank Current", "", 0, 500, "bank"),
        ("John Lewis Refunds", "", 500, 0, "refunds"),
    ] == booked(event)


def test_journal_books_an_unknown_type_to_suspense() -> None:
    """A type that nobody has seen is kept, counted, and visible in its own account."""
    event = journal(closed_cycle(1_990), tied(2_000), tied(-10, "NEW_FEE"))

    assert ("John Lewis Suspense", "", 10, 0, "other") in booked(event)


def test_journal_adds_up_roles_that_share_an_account() -> None:
    """One line per account and tax code, with what it is made of."""
    event = journal(
        closed_cycle(1_880),
        tied(2_000),
        tied(-60, "COMMISSION_VAT"),
        tied(-60, "SUBSCRIPTION_VAT"),
    )

    assert ("VAT Input", "T1", 120, 0, "commission vat, subscription vat") in booked(event)


def test_journal_leaves_out_what_comes_to_nothing() -> None:
    """A line of zero says nothing."""
    event = journal(
        closed_cycle(2_000),
        tied(2_000),
        tied(-300, "COMMISSION_FEE"),
        tied(300, "REFUND_COMMISSION_FEE"),
    )

    assert ["Bank Current", "John Lewis Clearing"] == [each.account for each in event.lines]


def test_journal_is_dated_on_the_day_of_payment_in_london() -> None:
    """Paid at half past midnight in London's summer: that day, not the day before in UTC."""
    seen = msgspec.structs.replace(
        cycle_seen(), paid_at=datetime(2026, 7, 9, 23, 30, tzinfo=UTC)
    )
    entry = msgspec.structs.replace(closed_cycle(), seen=seen)

    event = journal(entry, tied(2_000))

    assert date(2026, 7, 10) == event.posting_date
    assert "John Lewis payout of 10/07/2026, BACS 1" == event.narrative


def test_journal_before_payment_is_dated_on_the_cycle() -> None:
    """Where payments are not confirmed, the cycle's day is the journal's."""
    seen = msgspec.structs.replace(cycle_seen(), paid_at=None, payout_reference=None)
    entry = msgspec.structs.replace(closed_cycle(), seen=seen)

    event = journal(entry, tied(2_000))

    assert date(2026, 10, 1) == event.posting_date
    assert "John Lewis payout of 01/10/2026, no bank reference yet" == event.narrative


def test_journal_reference_is_derived_from_payout_and_policy() -> None:
    """The same payout under the same policy is the same journal; another is another."""
    first = journal(closed_cycle(), tied(2_000))
    again = journal(closed_cycle(), tied(2_000))
    later = journal(
        closed_cycle(), tied(2_000), accounts=msgspec.structs.replace(HOUSE, version=2)
    )

    assert first.reference == again.reference
    assert first.reference != later.reference
    assert first.reference.startswith("JL-")


@pytest.mark.parametrize("entry", [cycle(), cycle(*payout(cycle(), tied(1)))])
def test_journal_only_of_a_closed_payout(entry: Cycle) -> None:
    """What is not explained is not booked."""
    assert () == decide_journal(entry, [tied(2_000)], HOUSE, at(201))


def test_journal_once() -> None:
    """One journal a payout."""
    entry = closed_cycle()
    after = CYCLES.evolve(entry, journal(entry, tied(2_000)), "CY1")

    assert after is not None
    assert () == decide_journal(after, [tied(2_000)], HOUSE, at(202))


def test_journal_that_does_not_balance_is_refused() -> None:
    """An account map without a role that has money is found before anything is booked."""
    holed = Accounts(
        accounts=tuple(each for each in HOUSE.accounts if each.role != "commission"), version=1
    )

    with pytest.raises(Misuse, match="does not balance"):
        journal(closed_cycle(1_700), tied(2_000), tied(-300, "COMMISSION_FEE"), accounts=holed)


def test_every_role_of_a_line_type_has_an_account() -> None:
    """What a type is booked to is in the house's map."""
    assert set(ROLE_OF_KIND.values()) <= set(HOUSE_ACCOUNTS)
    assert isinstance(journal(closed_cycle(), tied(2_000)).lines[0], JournalLine)
    assert isinstance(money_line(), SettlementLineSeen)


# ── when cycles are read ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (datetime(2026, 7, 1, 5, 29, tzinfo=UTC), datetime(2026, 7, 1, 5, 30, tzinfo=UTC)),
        (datetime(2026, 7, 1, 5, 30, tzinfo=UTC), datetime(2026, 7, 1, 17, 0, tzinfo=UTC)),
        (datetime(2026, 7, 1, 18, 0, tzinfo=UTC), datetime(2026, 7, 2, 5, 30, tzinfo=UTC)),
        (datetime(2026, 12, 1, 18, 30, tzinfo=UTC), datetime(2026, 12, 2, 6, 30, tzinfo=UTC)),
        (datetime(2026, 10, 24, 18, 0, tzinfo=UTC), datetime(2026, 10, 25, 6, 30, tzinfo=UTC)),
    ],
    ids=["before", "at", "after the last", "winter", "the night the clocks go back"],
)
def test_cycles_are_read_at_londons_hours(last: datetime, expected: datetime) -> None:
    """The hours are London's, summer and winter."""
    assert expected == cycles_due_at(last, ("06:30", "18:00"))
