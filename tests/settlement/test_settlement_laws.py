"""Settlement, the laws: every penny is somewhere, and no sign is ours."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from kcjl.fold import Table
from kcjl.money import Money
from kcjl.settlement.accounts import HOUSE_ACCOUNTS, decide_accounts
from kcjl.settlement.decide import decide_payout
from kcjl.settlement.events import (
    PAYMENT,
    ROLE_OF_KIND,
    JournalIntended,
    PayoutClosed,
    PayoutHeld,
    SettlementLineSeen,
)
from kcjl.settlement.intake import decide_line
from kcjl.settlement.journal import decide_journals
from kcjl.settlement.sold import ORDER_MONEY, SOLD
from kcjl.settlement.state import (
    ACCOUNTS,
    CYCLES,
    INVOICES,
    LINES,
    READS,
    TERMS,
    Accounts,
    Cycle,
    Line,
)
from kcjl.vocabulary import Event
from tests.any_event import any_events
from tests.patience import unhurried
from tests.settlement.payouts import closing, known
from tests.trade import at, cycle_seen, folded, gbp, made_of, money_line

KINDS = (*ROLE_OF_KIND, PAYMENT, "NEW_FEE")
AMOUNTS = st.integers(-100_000_00, 100_000_00)
LINES_ANY = st.lists(
    st.builds(
        lambda kind, amount, tied: Line(
            seen=money_line("L1", amount, kind), tied_to="SO-O1" if tied else ""
        ),
        st.sampled_from(KINDS),
        AMOUNTS,
        st.booleans(),
    ),
    max_size=20,
)
NAMES = st.dictionaries(
    st.sampled_from(sorted(HOUSE_ACCOUNTS)), st.sampled_from(("1000", "2000", "3000"))
)


def counted(lines: Sequence[Line]) -> Money:
    """Σ of the lines, as they came."""
    return sum((each.seen.amount for each in lines if each.seen.kind != PAYMENT), gbp(0))


def accounts_of(named: dict[str, str]) -> Accounts:
    return made_of(ACCOUNTS, "accounts", *decide_accounts(None, named, at(0)))


def paid(amount: Money) -> Cycle:
    return made_of(CYCLES, "CY1", cycle_seen(amount.amount_minor))


def payout(entry: Cycle, lines: Sequence[Line]) -> tuple[Event, ...]:
    return decide_payout(
        entry,
        lines,
        known(lines=lines),
        lines_read_at=at(130),
        close_on="paid",
        carried=None,
        now=at(200),
    )


def journals_of(entry: Cycle, lines: Sequence[Line], accounts: Accounts) -> tuple[Event, ...]:
    """The journals of a payout that closes."""
    for event in payout(entry, lines):
        entry = CYCLES.evolve(entry, event, "CY1") or entry
    return decide_journals(entry, lines, accounts, at(201), cycle_days=11)


@unhurried
@given(LINES_ANY, NAMES)
def test_journal_always_balances(lines: list[Line], named: dict[str, str]) -> None:
    """Debits equal credits, whatever lines come and however accounts are shared."""
    tied = [Line(seen=each.seen, tied_to="SO-O1") for each in lines]
    entry = paid(counted(tied))
    (journal,) = journals_of(entry, tied, accounts_of(named))

    assert isinstance(journal, JournalIntended)
    debits = sum((each.debit for each in journal.lines), gbp(0))
    credits_ = sum((each.credit for each in journal.lines), gbp(0))
    assert debits == credits_
    assert all(bool(each.debit) != bool(each.credit) for each in journal.lines)
    assert all(min(each.debit, each.credit) >= gbp(0) for each in journal.lines)
    keys = [(each.account, each.tax_code) for each in journal.lines]
    assert len(set(keys)) == len(keys)


@unhurried
@given(LINES_ANY)
def test_journal_takes_every_penny_with_its_sign(lines: list[Line]) -> None:
    """No amount is re-signed: credits less debits of the fees and sales is Σ of the lines."""
    tied = [Line(seen=each.seen, tied_to="SO-O1") for each in lines]
    entry = paid(counted(tied))
    (journal,) = journals_of(entry, tied, accounts_of({}))

    assert isinstance(journal, JournalIntended)
    ours = ("Bank Current", "John Lewis Payout Due")
    but_bank = [each for each in journal.lines if each.account not in ours]
    assert counted(tied) == sum((each.credit - each.debit for each in but_bank), gbp(0))


@unhurried
@given(LINES_ANY, st.one_of(st.none(), AMOUNTS))
def test_payout_never_closes_with_a_residue_or_an_untied_line(
    lines: list[Line], stated: int | None
) -> None:
    """Law 5: closed means residue 0 and every line tied; else held, and by how much."""
    entry = paid(counted(lines) if stated is None else gbp(stated))

    event = closing(payout(entry, lines))

    untied = [each for each in lines if each.seen.kind != PAYMENT and each.wants_tie]
    residue = entry.seen.amount_to_seller - counted(lines)
    assert isinstance(event, PayoutClosed | PayoutHeld)
    assert isinstance(event, PayoutClosed) == (not residue and not untied)
    assert (event.stated, event.lines_total, event.residue) == (
        entry.seen.amount_to_seller,
        counted(lines),
        residue,
    )


@unhurried
@given(st.permutations(range(6)), st.lists(st.integers(0, 5)))
def test_lines_in_any_order_end_at_the_newest(first: list[int], again: list[int]) -> None:
    """Pages may repeat and overtake each other: the newest update of a line stands."""
    table = Table(LINES)
    for moment in (*first, *again):  # the line's history is one amount a minute
        seen = money_line("L1", moment, minutes=moment)
        for event in decide_line(table.get("L1"), seen):
            table.apply(event)

    assert gbp(5) == table["L1"].seen.amount


@unhurried
@given(any_events(SettlementLineSeen, max_size=10))
def test_lines_read_again_are_nothing_new(events: list[Event]) -> None:
    """The overlap of two reads writes nothing twice."""
    table = Table(LINES)
    for event in events:
        assert isinstance(event, SettlementLineSeen)
        for said in decide_line(table.get(event.line_id), event):
            table.apply(said)

    for line_id, line in table.items():
        assert () == decide_line(table.get(line_id), line.seen)


@unhurried
@given(any_events())
def test_evolve_is_total(events: list[Event]) -> None:
    """Any event on any state makes a state: replay never stops half-way."""
    lines, cycles, sales_orders = Table(LINES), Table(CYCLES), Table(SOLD)
    accounts, reads = Table(ACCOUNTS), Table(READS)
    others = (Table(INVOICES), Table(TERMS), Table(ORDER_MONEY))
    for event in events:
        lines.apply(event)
        cycles.apply(event)
        sales_orders.apply(event)
        accounts.apply(event)
        reads.apply(event)
        for other in others:
            other.apply(event)

    assert len(accounts) <= 1
    assert len(reads) <= 1


@unhurried
@given(any_events(), st.integers(0, 25))
def test_replay_of_a_part_and_then_the_rest_is_the_whole(events: list[Event], cut: int) -> None:
    """A restart in the middle of the log changes nothing."""
    for key in ("CY1", "CY2"):
        part = folded(CYCLES, key, events[:cut])
        for event in events[cut:]:
            if key in CYCLES.keys(event):
                part = CYCLES.evolve(part, event, key)

        assert folded(CYCLES, key, events) == part
