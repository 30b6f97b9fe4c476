"""Settlement, the laws: every penny is somewhere, and no sign is ours."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from kcjl.fold import Table
from kcjl.money import Money
from kcjl.settlement.accounts import HOUSE_ACCOUNTS, decide_accounts
from kcjl.settlement.decide import decide_acceptance, decide_payout
from kcjl.settlement.events import (
    PAYMENT,
    ROLE_OF_KIND,
    JournalIntended,
    JournalPrepared,
    PayoutClosed,
    PayoutHeld,
    SettlementLineSeen,
)
from kcjl.settlement.expectation import Known
from kcjl.settlement.gap_events import GapFound, PayoutReconciled
from kcjl.settlement.intake import decide_line
from kcjl.settlement.journal import booked, decide_correction, decide_journals
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
from tests.settlement.payouts import HOUSE, came_late, closing, known
from tests.settlement.sales import ORDER, TERMS_20, settled
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


# ── payouts of any lines that the contract allows ───────────────────────────────────────────

SALE_KINDS = (
    "ORDER_AMOUNT",
    "ORDER_SHIPPING_AMOUNT",
    "COMMISSION_FEE",
    "COMMISSION_VAT",
    "REFUND_ORDER_AMOUNT",
    "REFUND_COMMISSION_FEE",
    "REFUND_COMMISSION_VAT",
    "SELLER_PENALTY_FEE",
    "SUBSCRIPTION_FEE",
    "MANUAL_CREDIT",
    "RESERVE_FUNDING",
    "NEW_FEE",
    PAYMENT,
)
MOMENTS = st.integers(0, 80 * 24).map(
    lambda hours: datetime(2026, 2, 1, tzinfo=UTC) + timedelta(hours=hours)
)
"""From before the cycle began to after it was made, over two months' ends."""


@st.composite
def any_payout_lines(draw: st.DrawFn) -> list[Line]:
    """Lines of the worked example's order and of none, of any type, amount and moment."""
    lines = []
    for number in range(draw(st.integers(0, 14))):
        kind = draw(st.sampled_from(SALE_KINDS))
        of_order = not kind.startswith(("SUBSCRIPTION", "MANUAL", "RESERVE", PAYMENT))
        line = settled(
            kind,
            draw(st.sampled_from((4_800, 395, -1_039, -208, 480, 0, 1, -2_400, 77))),
            number=number,
            line=draw(st.sampled_from(("O1-1", "O1-2"))) if of_order else None,
            refund="55012" if kind.startswith("REFUND") else None,
            cycle=draw(st.sampled_from(("CY1", "CY1", "CY1", "CY0"))),
            shipment=draw(st.sampled_from((None, None, "S1"))),
            created=draw(MOMENTS),
        )
        untied = draw(st.integers(0, 9)) == 0
        lines.append(msgspec.structs.replace(line, tied_to="") if untied else line)
    return lines


def april(amount: Money) -> Cycle:
    """A cycle of 1 April with this amount, paid on the third."""
    seen = msgspec.structs.replace(
        cycle_seen(amount.amount_minor),
        occurred_at=datetime(2026, 4, 1, 1, tzinfo=UTC),
        paid_at=datetime(2026, 4, 3, tzinfo=UTC),
    )
    return made_of(CYCLES, "CY1", seen)


def against(lines: Sequence[Line]) -> Known:
    return Known(
        sold={"O1": ORDER},
        lines={"O1": [each for each in lines if each.seen.order_id]},
        terms=TERMS_20,
        returns_are_told=True,
    )


def settle(
    entry: Cycle, lines: Sequence[Line], here: Sequence[Line]
) -> tuple[Cycle, list[Event]]:
    """The payout as far as it goes, and all that was said."""
    events = list(
        decide_payout(
            entry,
            here,
            against(lines),
            lines_read_at=at(60 * 24 * 40),
            close_on="paid",
            carried=None,
            now=at(60 * 24 * 40),
        )
    )
    for event in events:
        entry = CYCLES.evolve(entry, event, "CY1") or entry
    journals = decide_journals(entry, here, HOUSE, at(60 * 24 * 40), cycle_days=11)
    for event in journals:
        entry = CYCLES.evolve(entry, event, "CY1") or entry
    return entry, [*events, *journals]


def of_cycle(lines: Sequence[Line]) -> list[Line]:
    return [each for each in lines if each.seen.cycle_id == "CY1"]


@unhurried
@given(any_payout_lines(), st.integers(-3, 3))
def test_payout_closes_only_with_a_residue_that_has_its_names(
    lines: list[Line], off: int
) -> None:
    """Held by a penny or an untied line; accepted, it closes, and the names add up to it."""
    here = of_cycle(lines)
    entry, events = settle(april(counted(here) + gbp(off)), lines, here)
    untied = any(each.wants_tie and each.seen.kind != PAYMENT for each in here)
    if off or untied:
        assert [PayoutHeld] == [type(each) for each in events]
        word = decide_acceptance(entry, "CY1", here, "agreed", at(60 * 24 * 41))
        for event in word:
            entry = CYCLES.evolve(entry, event, "CY1") or entry
        entry, events = settle(entry, lines, here)

    (closed,) = (each for each in events if isinstance(each, PayoutClosed))
    (whole,) = (each for each in events if isinstance(each, PayoutReconciled))
    gaps = [each for each in events if isinstance(each, GapFound)]
    assert entry.seen.amount_to_seller == closed.stated == whole.transferred
    assert gbp(off) == closed.residue == sum((each.amount for each in whole.named), gbp(0))
    assert counted(here) == whole.lines_total
    assert whole.expected + sum((each.amount for each in gaps), gbp(0)) == whole.lines_total
    assert len(gaps) == sum(each.gaps for each in whole.gaps)


@unhurried
@given(any_payout_lines(), st.randoms(use_true_random=False))
def test_lines_in_any_order_and_again_give_the_same_account_and_journals(
    lines: list[Line], chance: Random
) -> None:
    """Pages may come in any order, and twice: what is said of the payout is the same."""
    shuffled = list(lines)
    chance.shuffle(shuffled)
    entry = april(counted(of_cycle(lines)))

    _, first = settle(entry, lines, of_cycle(lines))
    _, again = settle(entry, shuffled, of_cycle(shuffled))

    assert first == again


@unhurried
@given(any_payout_lines())
def test_journals_balance_take_every_penny_and_are_undone_whole(lines: list[Line]) -> None:
    """Month by month and together; a reversal restores every account, and `due` is nothing."""
    here = [msgspec.structs.replace(each, tied_to="SO-O1") for each in of_cycle(lines)]
    entry, events = settle(april(counted(here)), here, here)
    journals = [each for each in events if isinstance(each, JournalIntended)]

    for journal in journals:
        assert 0 == sum(booked((journal,)).values())
        keys = [(each.account, each.tax_code) for each in journal.lines]
        assert len(set(keys)) == len(keys)
    together = booked(journals)
    bank, due = ("Bank Current", ""), ("John Lewis Payout Due", "")
    stated = entry.seen.amount_to_seller.amount_minor
    assert -max(stated, 0) == together.get(bank, 0)
    assert -min(stated, 0) == together.get(due, 0)

    for journal in journals:
        done = JournalPrepared(
            cycle_id="CY1",
            reference=journal.reference,
            total=gbp(stated),
            files=(),
            occurred_at=at(0),
        )
        entry = CYCLES.evolve(entry, done, "CY1") or entry
    entry = CYCLES.evolve(entry, came_late(123), "CY1") or entry
    _, *made = decide_correction(entry, "CY1", HOUSE, reason="late", now=at(60 * 24 * 50))
    new = [each for each in made if isinstance(each, JournalIntended)]
    assert {} == booked([*journals, *new[:-1]])
    assert 0 == sum(booked(new[-1:]).values())
