"""Settlement, the rules: the account map, and one balanced journal a payout."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from kcjl.errors import Misuse
from kcjl.money import Money
from kcjl.settlement.accounts import HOUSE_ACCOUNTS, decide_accounts
from kcjl.settlement.events import (
    ROLE_OF_KIND,
    AccountMapSet,
    AccountNamed,
    JournalIntended,
    JournalLine,
    SettlementLineSeen,
)
from kcjl.settlement.journal import decide_journals
from kcjl.settlement.state import (
    ACCOUNTS,
    CYCLES,
    Accounts,
    Cycle,
    Line,
)
from tests.settlement.payouts import (
    HOUSE,
    closed_cycle,
    cycle,
    payout,
    tied,
)
from tests.trade import (
    at,
    cycle_seen,
    made_of,
    money_line,
)

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


def test_type_without_a_role_has_the_account_that_was_named_for_it() -> None:
    """Named once, it is kept, and its lines leave suspense; another type stays there."""
    named = made_of(ACCOUNTS, "accounts", *decide_accounts(None, {"NEW_FEE": "7905"}, at(0)))
    kept = made_of(ACCOUNTS, "accounts", *decide_accounts(named, {"bank": "1200"}, at(1)))

    made = journal(
        closed_cycle(2_000 - 60 - 7),
        tied(2_000),
        tied(-60, "NEW_FEE"),
        tied(-7, "OTHER_FEE"),
        accounts=kept,
    )

    booked = {line.account: line.debit for line in made.lines if line.debit}
    assert (Money(60), Money(7)) == (booked["7905"], booked["John Lewis Suspense"])
    assert () == decide_accounts(kept, {"NEW_FEE": "7905"}, at(2))


@pytest.mark.parametrize("role", ["COMMISSION_FEE", "New Fee", "X"])
def test_type_that_has_a_role_or_is_none_is_refused(role: str) -> None:
    """A type that is known is booked by its role."""
    with pytest.raises(Misuse, match="no such role"):
        decide_accounts(None, {role: "1200"}, at(0))


def test_accounts_of_an_unknown_role_are_refused() -> None:
    """A role that no journal has is a slip of the pen."""
    with pytest.raises(Misuse, match="no such role in the journal: bnak; there are bank"):
        decide_accounts(None, {"bnak": "1200"}, at(0))


def journal(entry: Cycle, *lines: Line, accounts: Accounts = HOUSE) -> JournalIntended:
    (event,) = decide_journals(entry, lines, accounts, at(201), cycle_days=11)
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


def test_journal_below_nothing_is_carried_over_and_touches_no_bank() -> None:
    """Below nothing nobody pays: what we owe waits for a later payout (contract e.4)."""
    event = journal(closed_cycle(-500), tied(-500, "REFUND_ORDER_AMOUNT"))

    assert [
        ("John Lewis Refunds", "", 500, 0, "refunds"),
        ("John Lewis Payout Due", "", 0, 500, "due"),
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
    assert () == decide_journals(entry, [tied(2_000)], HOUSE, at(201), cycle_days=11)


def test_journal_once() -> None:
    """One journal a payout."""
    entry = closed_cycle()
    after = CYCLES.evolve(entry, journal(entry, tied(2_000)), "CY1")

    assert after is not None
    assert () == decide_journals(after, [tied(2_000)], HOUSE, at(202), cycle_days=11)


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
