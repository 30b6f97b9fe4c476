"""What stands behind a journal's figures: to the penny, in every kind of journal."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.ledger.port import Behind
from kcjl.settlement.behind import Tracing
from kcjl.settlement.events import ROLE_OF_KIND, JournalIntended
from kcjl.settlement.journal import decide_correction, decide_journals
from kcjl.settlement.state import CYCLES, Accounts, Cycle, CycleState, Line
from tests.patience import unhurried
from tests.settlement.payouts import HOUSE, came_late, closed_cycle, reconciled, tied
from tests.trade import at

KINDS = st.sampled_from([*ROLE_OF_KIND, "NEW_FEE"])


def moved(amount: int, kind: str, line_id: str, day: datetime | None) -> Line:
    line = tied(amount, kind, line_id)
    return msgspec.structs.replace(
        line, seen=msgspec.structs.replace(line.seen, created_at=day)
    )


def booked(cycle: Cycle, lines: Sequence[Line], accounts: Accounts = HOUSE) -> Cycle:
    """With its journals, and all of them prepared."""
    for event in decide_journals(cycle, lines, accounts, at(201), cycle_days=40):
        cycle = CYCLES.evolve(cycle, event, "CY1") or cycle
    return cycle


def behind(cycle: Cycle, lines: Sequence[Line], journal: JournalIntended) -> list[Behind]:
    """All of it: the lines first."""
    tracing = Tracing(cycle, journal)
    found = [tracing.line(line) for line in lines]
    return [*(each for each in found if each is not None), *tracing.beside()]


def figures(parts: Sequence[Behind]) -> dict[tuple[str, str], int]:
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    for each in parts:
        sums[each.account, each.tax_code] += each.amount.amount_minor
    return {key: amount for key, amount in sums.items() if amount}


def stated(journal: JournalIntended) -> dict[tuple[str, str], int]:
    return {
        (line.account, line.tax_code): line.credit.amount_minor - line.debit.amount_minor
        for line in journal.lines
    }


DAYS = st.sampled_from([None, *(datetime(2026, 9, day, tzinfo=UTC) for day in (1, 15, 30))])


@unhurried
@given(
    st.lists(
        st.tuples(st.integers(-9_999, 9_999), KINDS, st.one_of(DAYS, st.just(at(3)))),
        min_size=1,
        max_size=12,
    )
)
def test_what_is_behind_an_entry_adds_up_to_it(
    moves: Sequence[tuple[int, str, datetime | None]],
) -> None:
    """Payouts, what of them belongs to months before, above and below nothing."""
    lines = [
        moved(amount, kind, f"L{number}", day)
        for number, (amount, kind, day) in enumerate(moves)
    ]
    cycle = booked(closed_cycle(sum(amount for amount, _, _ in moves)), lines)

    assert cycle.journals
    for each in cycle.journals:
        assert stated(each.intended) == figures(behind(cycle, lines, each.intended))
    told = [
        one.line_id for each in cycle.journals for one in behind(cycle, lines, each.intended)
    ]
    assert sorted(line.seen.line_id for line in lines) == sorted(each for each in told if each)


@pytest.mark.parametrize("late", [0, 250])
def test_what_is_behind_a_reversal_and_a_correction_adds_up(late: int) -> None:
    """The reversal has what it undoes, turned; the correction all lines, and what came late."""
    lines = [
        moved(2_600, "ORDER_AMOUNT", "L1", at(1)),
        moved(-600, "COMMISSION_FEE", "L2", at(1)),
    ]
    cycle = booked(closed_cycle(2_000), lines)
    cycle = CYCLES.evolve(cycle, reconciled(lines), "CY1") or cycle
    cycle = msgspec.structs.replace(cycle, state=CycleState.DONE)
    other = msgspec.structs.replace(
        HOUSE,
        version=2,
        accounts=tuple(
            msgspec.structs.replace(each, account="Fees") if each.role == "commission" else each
            for each in HOUSE.accounts
        ),
    )
    reverse_lines = lines
    if late:
        lines = [*lines, moved(late, "ORDER_AMOUNT", "L3", at(9))]
        cycle = CYCLES.evolve(cycle, came_late(late), "CY1") or cycle
    for event in decide_correction(cycle, "CY1", other, reason="so", now=at(300)):
        cycle = CYCLES.evolve(cycle, event, "CY1") or cycle

    reversal, correction = (each.intended for each in cycle.journals[-2:])
    assert stated(reversal) == figures(behind(cycle, reverse_lines, reversal))
    assert stated(correction) == figures(behind(cycle, lines, correction))
