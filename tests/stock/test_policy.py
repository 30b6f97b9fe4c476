"""Stock policies: how a document is read, which rule wins, and when it is in force."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.errors import Misuse, Refused
from kcjl.stock.events import BufferSet
from kcjl.stock.policy import PolicyDocument, Rule, is_open, london_day, read_document, written
from kcjl.stock.policy_book import POLICY_BOOK, PolicyBook, decide_approval, decide_proposal
from kcjl.stock.policy_events import StockPolicyApproved, StockPolicyProposed
from kcjl.stock.policy_rules import InForce, Rules, strictest
from kcjl.vocabulary import Event
from tests.patience import unhurried
from tests.trade import at, folded

EXAMPLE = """
note = "Autumn"
valid_from = 2026-11-01

[[rules]]
name = "everything"
buffer = 2
percent = 5
speed = 0.999
fast_mover_units_a_day = 20

[[rules]]
name = "gifts at Christmas"
categories = ["GIFTS"]
from = "11-20"
until = "01-05"
buffer = 4

[[rules]]
name = "gifts"
categories = ["GIFTS"]
buffer = 3
percent = 10

[[rules]]
name = "hearts"
skus = ["85123A"]
percent = 0
speed = false
cap = 24
"""
SUMMER, CHRISTMAS = date(2026, 7, 1), date(2026, 12, 25)


def in_force(sku: str, category: str, day: date, text: str = EXAMPLE) -> InForce:
    return Rules(read_document(text), 7).in_force(sku, category, day)


# ── reading ─────────────────────────────────────────────────────────────────────────────────


def test_document_without_a_zone_is_of_london() -> None:
    """A date in the file begins at London's midnight."""
    assert datetime(2026, 11, 1, tzinfo=UTC) == read_document(EXAMPLE).valid_from
    assert (
        datetime(2026, 6, 30, 23, tzinfo=UTC)
        == read_document("valid_from = 2026-07-01").valid_from
    )


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('name = "a"\nbufer = 1', "rule 'a': .*bufer"),
        ('name = "a"\nbuffer = -1', "rule 'a': buffer is -1"),
        ('name = "a"\nbuffer = "2"', r"rule 'a': Expected `int"),
        ('name = "a"\npercent = 101', "rule 'a': percent is 101"),
        ('name = "a"\nspeed = 0.4', "rule 'a': speed is 0.4"),
        ('name = "a"\nspeed = true', "rule 'a': speed is True"),
        ('name = "a"\ncap = 0', "rule 'a': cap is 0"),
        ('name = "a"\nmultiple = 0', "rule 'a': multiple is 0"),
        ('name = "a"\nfast_mover_units_a_day = 0', "rule 'a': fast_mover"),
        ('name = "a"', "rule 'a': it says nothing"),
        ('name = " "\nbuffer = 1', "a rule has no name"),
        ("buffer = 1", "rule number 1"),
        ('name = "a"\nbuffer = 1\nskus = ["X"]\ncategories = ["Y"]', "rule 'a': it names both"),
        ('name = "a"\nbuffer = 1\nskus = [""]', "rule 'a': an empty code"),
        ('name = "a"\nbuffer = 1\nfrom = "11-20"', "rule 'a': a window of each year"),
        ('name = "a"\nbuffer = 1\nfrom = "2026-11-20"\nuntil = "01-05"', "rule 'a': .*both"),
        ('name = "a"\nbuffer = 1\nfrom = "02-30"\nuntil = "03-01"', "rule 'a': .*are days"),
        ('name = "a"\nbuffer = 1\nfrom = "20261120"', "rule 'a': .*are days"),
        (
            'name = "a"\nbuffer = 1\nfrom = 2026-11-20\nuntil = 2026-11-19',
            "rule 'a': it ends before",
        ),
        ('name = "a"\nbuffer = 1\n[[rules]]\nname = "a"\nbuffer = 2', "two rules are called"),
    ],
)
def test_document_that_can_not_be_meant_is_refused_with_the_rule(rule: str, said: str) -> None:
    """A slip of the pen is told, with the name of the rule, before it costs anything."""
    with pytest.raises(Misuse, match=said):
        read_document(f"[[rules]]\n{rule}")


@pytest.mark.parametrize(
    ("text", "said"),
    [("rules = 3", "written as"), ("buffer = 2", "unknown key"), ("a = ", "no TOML")],
)
def test_document_that_is_none_is_refused(text: str, said: str) -> None:
    """What is no policy at all is told so."""
    with pytest.raises(Misuse, match=said):
        read_document(text)


CODES = st.text(min_size=1, max_size=4).filter(lambda code: bool(code.strip()))
RULES = st.builds(
    Rule,
    name=CODES,
    skus=st.lists(CODES, max_size=2).map(tuple),
    begins=st.just("12-20"),
    ends=st.just("01-05"),
    buffer=st.integers(0, 9),
    percent=st.one_of(st.none(), st.decimals(0, 100, places=2)),
    speed=st.one_of(st.none(), st.just(False), st.decimals("0.5", "0.9999", places=4)),
    cap=st.one_of(st.none(), st.just(False), st.integers(1, 9)),
    offer=st.one_of(st.none(), st.booleans()),
)


@unhurried
@given(
    st.lists(RULES, max_size=4, unique_by=lambda rule: rule.name),
    st.text(),
    st.one_of(st.none(), st.integers(0, 10**6).map(at)),
)
def test_document_that_is_written_reads_back_as_itself(
    rules: list[Rule], note: str, valid_from: datetime | None
) -> None:
    """What is shown to a person is what is in force, whatever letters it has."""
    document = PolicyDocument(note=note, valid_from=valid_from, rules=tuple(rules))

    assert document == read_document(written(document))


# ── precedence ──────────────────────────────────────────────────────────────────────────────


def test_term_of_the_most_specific_rule_wins() -> None:
    """SKU before category before everything, for each term by itself."""
    hearts = in_force("85123a", "GIFTS", SUMMER)

    assert (3, Decimal(0), None, 24) == (
        hearts.buffer,
        hearts.percent,
        hearts.speed,
        hearts.cap,
    )
    assert ("gifts", "hearts") == (hearts.rule_of("buffer"), hearts.rule_of("percent"))
    assert 7 == hearts.version


@pytest.mark.parametrize(
    ("sku", "category", "day", "buffer"),
    [
        ("22423", "HOME", CHRISTMAS, 2),
        ("22423", "GIFTS", SUMMER, 3),
        ("22423", "GIFTS", CHRISTMAS, 4),
        ("85123A", "GIFTS", CHRISTMAS, 4),
    ],
)
def test_term_of_a_window_wins_over_one_without(
    sku: str, category: str, day: date, buffer: int
) -> None:
    """The season's rule wins over the year's of the same scope, wherever it stands."""
    assert buffer == in_force(sku, category, day).buffer


def test_term_that_is_told_twice_is_the_later_one() -> None:
    """Between equals, what stands later in the file."""
    text = '[[rules]]\nname="a"\nbuffer=1\n[[rules]]\nname="b"\nbuffer=5\n'

    assert 5 == in_force("X", "", SUMMER, text).buffer


def test_term_of_a_sku_without_window_wins_over_a_category_with_one() -> None:
    """How specific the scope is counts before the window."""
    text = (
        '[[rules]]\nname="a"\nskus=["X"]\nbuffer=1\n'
        '[[rules]]\nname="b"\ncategories=["C"]\nfrom="01-01"\nuntil="12-31"\nbuffer=5\n'
    )

    assert 1 == in_force("x", "C", SUMMER, text).buffer


def test_strictest_of_several_skus_takes_each_term_by_itself() -> None:
    """Offers that share one stock hold back what the most careful of them would."""
    merged = strictest([in_force("85123A", "", SUMMER), in_force("1", "GIFTS", SUMMER)])

    assert (3, Decimal(10), Decimal("0.999"), 24) == (
        merged.buffer,
        merged.percent,
        merged.speed,
        merged.cap,
    )
    assert "gifts" == merged.rule_of("buffer")


# ── windows ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("day", "there"),
    [
        (date(2026, 12, 19), False),
        (date(2026, 12, 20), True),
        (date(2026, 12, 31), True),
        (date(2027, 1, 1), True),
        (date(2027, 1, 5), True),
        (date(2027, 1, 6), False),
    ],
)
def test_window_of_each_year_goes_over_new_year(*, day: date, there: bool) -> None:
    """From the 20th of December until the 5th of January, both days in it."""
    assert there == is_open(Rule(name="yule", begins="12-20", ends="01-05"), day)


def test_window_with_a_year_is_open_in_that_year_only() -> None:
    """Black Friday of 2026 is not that of 2027; an end that is not named never comes."""
    once = Rule(name="a", begins="2026-11-27", ends="2026-11-30")
    since = Rule(name="b", begins="2026-11-27")

    assert [True, False] == [is_open(once, date(year, 11, 28)) for year in (2026, 2027)]
    assert [False, True] == [is_open(since, date(year, 1, 1)) for year in (2026, 2027)]


@given(st.dates(date(2025, 1, 1), date(2030, 12, 31)), st.dates(), st.dates())
def test_window_and_the_rest_of_the_year_are_the_year(day: date, one: date, two: date) -> None:
    """Of a window and what lies between its end and its beginning, one is open each day."""
    begins, ends = f"{one:%m-%d}", f"{two:%m-%d}"
    inside = is_open(Rule(name="a", begins=begins, ends=ends), day)
    today = f"{day:%m-%d}"
    between = begins <= today <= ends if begins <= ends else not ends < today < begins

    assert between == inside


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-03-28T23:59:00+00:00", date(2026, 3, 28)),
        ("2026-03-29T00:00:00+00:00", date(2026, 3, 29)),
        ("2026-03-29T22:59:00+00:00", date(2026, 3, 29)),
        ("2026-03-29T23:00:00+00:00", date(2026, 3, 30)),
        ("2026-10-24T23:00:00+00:00", date(2026, 10, 25)),
        ("2026-10-25T23:59:00+00:00", date(2026, 10, 25)),
        ("2026-10-26T00:00:00+00:00", date(2026, 10, 26)),
    ],
)
def test_day_changes_at_londons_midnight_also_when_the_clocks_change(
    moment: str, day: date
) -> None:
    """The day of the spring change has 23 hours, that of the autumn change 25."""
    assert day == london_day(datetime.fromisoformat(moment))


def test_changes_between_days_are_seen_when_a_window_opens() -> None:
    """Nothing is worked out again on a day on which no window opens or closes."""
    rules = Rules(read_document(EXAMPLE), 1)

    assert rules.changes_between(date(2026, 11, 19), date(2026, 11, 20))
    assert not rules.changes_between(date(2026, 11, 20), date(2026, 11, 21))
    assert rules.changes_between(date(2027, 1, 5), date(2027, 1, 6))


# ── proposing and approving ─────────────────────────────────────────────────────────────────

TWO = PolicyDocument(rules=(Rule(name="two", buffer=2),))
THREE = PolicyDocument(rules=(Rule(name="three", buffer=3),))


def book(*events: Event) -> PolicyBook | None:
    return folded(POLICY_BOOK, "policy", events)


def version_at(minute: float, *events: Event) -> int | None:
    known = book(*events)
    assert known is not None
    found = known.in_force(at(minute))
    return found.version if found else None


def test_buffer_is_a_policy_of_one_rule() -> None:
    """What was set before there were documents is still in force."""
    known = book(BufferSet(units=4, version=3, occurred_at=at(0)))
    assert known is not None
    found = known.in_force(at(1))

    assert found is not None
    assert (3, 4) == (found.version, found.document.rules[0].buffer)


def test_proposal_holds_nothing_until_it_is_approved() -> None:
    """A proposal gets the next version, and waits."""
    old = BufferSet(units=4, version=3, occurred_at=at(0))
    (proposed,) = decide_proposal(book(old), TWO, now=at(5))

    assert StockPolicyProposed(version=4, document=TWO, occurred_at=at(5)) == proposed
    assert 3 == version_at(9, old, proposed)
    (approved,) = decide_approval(book(old, proposed), 4, now=at(6))
    assert 4 == version_at(6, old, proposed, approved)


def test_proposal_that_waits_already_is_no_news() -> None:
    """The same proposal again says nothing new."""
    (proposed,) = decide_proposal(None, TWO, now=at(5))

    assert () == decide_proposal(book(proposed), TWO, now=at(6))


@pytest.mark.parametrize(
    ("version", "said"),
    [(1, "superseded; version 2 waits"), (9, "unknown; version 2 waits")],
)
def test_approval_of_what_does_not_wait_is_refused(version: int, said: str) -> None:
    """Nobody approves by mistake what somebody else has changed since."""
    (first,) = decide_proposal(None, TWO, now=at(1))
    (second,) = decide_proposal(book(first), THREE, now=at(2))

    with pytest.raises(Refused, match=said):
        decide_approval(book(first, second), version, now=at(3))


def test_approval_without_a_proposal_or_twice_is_refused() -> None:
    """The next step is in the message."""
    (proposed,) = decide_proposal(None, TWO, now=at(1))
    (approved,) = decide_approval(book(proposed), 1, now=at(2))

    with pytest.raises(Refused, match="propose one"):
        decide_approval(None, 1, now=at(3))
    with pytest.raises(Refused, match="approved already"):
        decide_approval(book(proposed, approved), 1, now=at(3))


def test_policy_of_a_later_day_takes_effect_by_itself() -> None:
    """Approved today for tomorrow; until then the former one holds."""
    old = BufferSet(units=4, version=1, occurred_at=at(0))
    later = PolicyDocument(valid_from=at(60), rules=TWO.rules)
    (proposed,) = decide_proposal(book(old), later, now=at(5))
    (approved,) = decide_approval(book(old, proposed), 2, now=at(6))
    known = book(old, proposed, approved)

    assert [1, 1, 2, 2] == [
        version_at(minute, old, proposed, approved) for minute in (6, 59.9, 60, 90)
    ]
    assert known is not None
    assert at(60) == known.next_change(at(6))
    assert known.next_change(at(60)) is None


def test_policy_of_a_day_that_is_past_begins_at_its_approval() -> None:
    """Nothing was worked out with it before somebody approved it."""
    past = PolicyDocument(valid_from=at(0), rules=TWO.rules)
    (proposed,) = decide_proposal(None, past, now=at(5))
    (approved,) = decide_approval(book(proposed), 1, now=at(6))

    assert isinstance(approved, StockPolicyApproved)
    assert at(6) == approved.valid_from


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=8))
def test_policies_that_are_forgotten_could_never_be_in_force_again(
    times: list[tuple[int, int]],
) -> None:
    """What the book keeps answers as all of history would."""
    events: list[StockPolicyApproved] = []
    for version, (now, ahead) in enumerate(sorted(times), 1):
        valid_from = at(now) + timedelta(minutes=ahead)
        events.append(
            StockPolicyApproved(
                version=version, document=TWO, valid_from=valid_from, occurred_at=at(now)
            )
        )
    last = max((event.occurred_at for event in events), default=at(0))
    known = book(*events) or PolicyBook()
    for minute in range(120):
        moment = last + timedelta(minutes=minute)
        begun = [(e.valid_from, e.version) for e in events if e.valid_from <= moment]
        found = known.in_force(moment)

        assert (max(begun)[1] if begun else None) == (found.version if found else None)
