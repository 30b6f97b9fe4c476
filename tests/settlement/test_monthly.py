"""What a month was: the tally is the month's figures, and what is owed rolls forward."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from kcjl.money import Money
from kcjl.settlement.account import month_figures
from kcjl.settlement.events import PAYMENT, ROLE_OF_KIND
from kcjl.settlement.monthly import MonthTally
from kcjl.settlement.state import Cycle, Line
from tests.patience import unhurried
from tests.settlement.payouts import cycle, tied
from tests.trade import cycle_seen, gbp

replace = msgspec.structs.replace
MONTHS = [date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)]
TIMES = st.datetimes(
    datetime(2026, 8, 31),  # noqa: DTZ001 - hypothesis wants them naive, and adds the zone
    datetime(2026, 11, 30, 23),  # noqa: DTZ001
    timezones=st.just(UTC),
)
LINES = st.lists(
    st.tuples(
        st.integers(-9_999, 9_999),
        st.sampled_from([*ROLE_OF_KIND, PAYMENT, "NEW_FEE"]),
        st.none() | TIMES,
        st.sampled_from(["CY1", "CY2", "CY3", None]),
        st.sampled_from(["GBP", "GBP", "EUR"]),
    ),
    max_size=15,
)


def payouts(*paid: datetime | None, amount: int) -> dict[str, Cycle]:
    found = {}
    for number, each in enumerate(paid, 1):
        seen = replace(cycle_seen(amount, "PENDING" if each is None else "PAID"), paid_at=each)
        found[f"CY{number}"] = replace(cycle(seen=seen), cycle_id=f"CY{number}")
    return found


@unhurried
@given(LINES, st.none() | TIMES, st.none() | TIMES, st.integers(-5, 5))
def test_tally_is_the_months_figures_and_rolls_forward(
    said: Sequence[tuple[int, str, datetime | None, str | None, str]],
    first: datetime | None,
    second: datetime | None,
    amount: int,
) -> None:
    """To the penny: what is carried out of one month is what is brought into the next."""
    lines = []
    for number, (pence, kind, day, cycle_id, currency) in enumerate(said):
        line = tied(pence, kind, f"L{number}")
        seen = replace(
            line.seen, created_at=day, cycle_id=cycle_id, amount=Money(pence, currency)
        )
        lines.append(Line(seen=seen))
    known_payouts = payouts(first, second, amount=amount)
    carried: Money | None = None
    for month in MONTHS:
        tally = MonthTally(month, "GBP", known_payouts)
        for position, line in enumerate(lines, 1):
            tally.add(line.seen, position)
        known = tally.known(position=99, journals=())
        figures = month_figures(lines, month, "GBP")

        assert (figures.lines, figures.total) == (known.lines, known.total)
        assert [(e.name, e.lines, e.amount) for e in figures.by_kind] == [
            (e.name, e.lines, e.amount) for e in known.by_kind
        ]
        assert known.carried_forward == known.brought_forward + known.total - known.paid
        assert carried in (None, known.brought_forward)
        assert known.paid.amount_minor == sum(tally.of_cycle.values())
        carried = known.carried_forward


def test_month_looks_back_to_what_was_not_paid() -> None:
    """The next month begins before the oldest line that is carried forward."""
    tally = MonthTally(MONTHS[1], "GBP", {})
    for position, day in ((7, 3), (5, 2), (9, 4)):
        seen = replace(
            tied(100).seen, created_at=datetime(2026, 10, day, tzinfo=UTC), cycle_id=None
        )
        tally.add(seen, position)

    assert 4 == tally.known(position=50, journals=()).looked_from
    assert 50 == MonthTally(MONTHS[1], "GBP", {}).known(position=50, journals=()).looked_from


def test_line_in_another_currency_is_counted_and_in_no_figure() -> None:
    """Euros are never added to pounds."""
    tally = MonthTally(MONTHS[1], "EUR", {})
    tally.add(replace(tied(100).seen, created_at=None), 1)
    known = tally.known(position=2, journals=())

    assert 1 == known.other_currencies
    assert (0, Money(0, "EUR")) == (known.lines, known.carried_forward)
    assert gbp(0) != known.total
