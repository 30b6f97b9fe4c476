"""How texts, times, ages, counts and money are written: laws without any terminal."""

import doctest
import unicodedata
from datetime import UTC, datetime, timedelta
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.money import Money
from tests.tui.made_up import HOSTILE, NOON
from tui.actions import action
from tui.model import amounts, freshness, moments, plain, sparkline, spoken
from tui.model.amounts import cut_text, money_text
from tui.model.freshness import AgeLimits, age_cell, pace_of
from tui.model.moments import Zone, clock_text, date_text, due_cell, full_text, span_text
from tui.model.plain import CELL_CHARACTERS_MAX, cells_of, plain_block
from tui.model.plain import plain as plain_text
from tui.model.shapes import Tone
from tui.model.sparkline import sparkline as bars
from tui.model.sparkline import sparkline_caption


@pytest.mark.parametrize(
    "module", [action, amounts, freshness, moments, plain, sparkline, spoken]
)
def test_examples_in_docstrings_are_true(module: ModuleType) -> None:
    """An example that is written down is run."""
    ran = doctest.testmod(module)

    assert ran.attempted > 0
    assert ran.failed == 0


# ── foreign text ────────────────────────────────────────────────────────────────────────────


@given(st.text())
def test_plain_of_any_text_holds_nothing_unseen(text: str) -> None:
    """No control, format, surrogate, private or separator character gets through."""
    shown = plain_text(text)

    unseen = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert not {c for c in shown if unicodedata.category(c) in unseen}
    assert not {c for c in shown if c.isspace()} - {" "}


@given(st.text(), st.text())
def test_plain_of_texts_that_differ_differs(one: str, other: str) -> None:
    """Two codes that look alike are told apart, unless one spells the other's marks out."""
    spelt = "‹" in one + other or {*one, *other} & {chr(0x2400 + code) for code in range(0x22)}
    same = plain_text(one, characters_max=10_000) == plain_text(other, characters_max=10_000)

    assert bool(spelt) or same is (one == other)


def test_plain_of_hostile_text_spells_out_what_it_would_do() -> None:
    """Escape sequences, overrides, blanks without width: shown, not obeyed."""
    shown = plain_text(HOSTILE)

    assert shown == ("A␛[31mB␇‹U+202E›C‹U+200B›D‹U+009B›E[b]F[/b]␍␊G␀H‹U+2028›I‹U+FEFF›")


def test_plain_of_blanks_that_are_no_space_shows_them() -> None:
    """A no-break space or a filler in a SKU is why it does not match: it must be seen."""
    assert plain_text("AB\u00a01\u3164\ufe0f ") == "AB‹U+00A0›1‹U+3164›‹U+FE0F› "


def test_cells_of_marks_and_wide_letters_are_counted_as_drawn() -> None:
    """A combining mark takes no room, an ideograph takes two cells."""
    assert [cells_of(text) for text in ("SKU", "e\u0301", "商", "…")] == [3, 1, 2, 1]


def test_plain_of_a_long_text_is_cut_visibly() -> None:
    """No silent cut."""
    shown = plain_text("x" * (CELL_CHARACTERS_MAX + 1))

    assert len(shown) == CELL_CHARACTERS_MAX
    assert shown.endswith("x…")


def test_plain_block_keeps_lines_and_nothing_else() -> None:
    """Line feeds are lines; a carriage return is not."""
    assert plain_block("a\n\tb\r\n") == "a\n␉b␍\n"


# ── times ───────────────────────────────────────────────────────────────────────────────────


def test_clock_in_summer_is_londons_and_named() -> None:
    """Eleven in UTC is noon in London in July."""
    assert clock_text(NOON, Zone.LONDON, NOON) == "12:00:00"
    assert clock_text(NOON, Zone.UTC, NOON) == "11:00:00"
    assert full_text(NOON + timedelta(milliseconds=7), Zone.LONDON) == (
        "2026-07-07 12:00:00.007 BST"
    )
    assert date_text(NOON, Zone.LONDON) == "Tue 7 Jul 2026"


def test_clock_of_another_day_names_the_day_and_of_another_year_the_year() -> None:
    """A bare time of day always means today."""
    assert clock_text(NOON - timedelta(days=1), Zone.LONDON, NOON) == "06 Jul 12:00"
    assert clock_text(NOON - timedelta(days=400), Zone.UTC, NOON) == "02 Jun 2025"


def test_clock_before_the_clocks_changed_names_its_own_zone() -> None:
    """In a column headed BST, a moment of winter says GMT."""
    winter = datetime(2026, 1, 6, 12, 0, tzinfo=UTC)

    assert clock_text(winter, Zone.LONDON, NOON) == "06 Jan 12:00 GMT"


def test_day_begins_at_londons_midnight() -> None:
    """Half past eleven in UTC is already tomorrow in London in July."""
    late = datetime(2026, 7, 6, 23, 30, tzinfo=UTC)

    assert clock_text(late, Zone.LONDON, NOON) == "00:30:00"
    assert clock_text(late, Zone.UTC, NOON) == "06 Jul 23:30"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (59.9, "59s"),
        (60, "1m 00s"),
        (3599, "59m 59s"),
        (3600, "1h 00m"),
        (86399, "23h 59m"),
        (86400, "1d 00h"),
        (-61, "1m 01s"),
    ],
)
def test_span_is_written_with_its_two_largest_units(seconds: float, text: str) -> None:
    """Short enough for a column, exact enough to act upon."""
    assert span_text(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("minutes", "text", "tone"),
    [
        (61, "1h 01m", Tone.PLAIN),
        (60, "1h 00m", Tone.PLAIN),
        (59, "▲ 59m 00s", Tone.WARN),
        (0, "✖ -0s", Tone.BAD),
        (-3, "✖ -3m 00s", Tone.BAD),
    ],
)
def test_deadline_changes_its_sign_in_the_last_hour_and_when_it_has_passed(
    minutes: int, text: str, tone: Tone
) -> None:
    """A sign stands with every colour."""
    cell = due_cell(NOON + timedelta(minutes=minutes), NOON)

    assert (cell.text, cell.tone) == (text, tone)


@pytest.mark.parametrize(
    ("age_s", "text", "tone"),
    [
        (0, "● 0s", Tone.GOOD),
        (9.9, "● 9s", Tone.GOOD),
        (10, "▲ 10s", Tone.WARN),
        (59, "▲ 59s", Tone.WARN),
        (60, "✖ 1m 00s", Tone.BAD),
        (-3, "● 0s", Tone.GOOD),
        (-6, "▲ 6s ahead", Tone.WARN),
    ],
)
def test_age_changes_its_sign_at_the_stated_seconds(
    age_s: float, text: str, tone: Tone
) -> None:
    """Fresh, ageing, stale; and a clock that is ahead of ours is called so."""
    cell = age_cell(NOON - timedelta(seconds=age_s), NOON, ageing_s=10, stale_s=60)

    assert (cell.text, cell.tone) == (text, tone)


@pytest.mark.parametrize(
    ("world_s", "real_s", "pace"),
    [
        (1.0, 1.0, 1),
        (0.0, 1.0, 1),
        (-50.0, 1.0, 1),
        (1.96, 1.0, 1),
        (9.9, 1.0, 9),
        (59.0, 1.0, 60),
        (661.0, 1.1, 600),
        (3600.0, 1.0, 4000),
    ],
)
def test_pace_is_measured_to_one_digit_and_never_below_life(
    world_s: float, real_s: float, pace: int
) -> None:
    """A jitter of the timer does not make the header flicker."""
    assert pace_of(timedelta(seconds=world_s), real_s) == pace


def test_age_limits_in_a_fast_world_are_counted_in_missed_refreshes() -> None:
    """A demo at six hundred times life is not stale between two refreshes."""
    limits = AgeLimits()
    fast = limits.at_pace(600, 1.0)

    assert limits.at_pace(1, 1.0) == limits
    assert (fast.pane_ageing_s, fast.pane_stale_s) == (1800, 6000)
    assert (fast.lane_ageing_s, fast.lane_stale_s) == (600, 1800)


def test_age_of_what_was_never_read_says_so() -> None:
    """Nothing is not nought seconds old."""
    assert age_cell(None, NOON, ageing_s=10, stale_s=60).text == "? never read"


# ── counts, money, bars ─────────────────────────────────────────────────────────────────────


def test_money_carries_sign_and_currency() -> None:
    """A negative amount can't be taken for a positive one, nor euros for pounds."""
    assert money_text(Money(-34, "GBP")) == "-0.34 GBP"
    assert money_text(Money(123456789, "EUR")) == "1,234,567.89 EUR"
    assert money_text(Money(500, "JPY")) == "500 JPY"
    assert money_text(None) == "-"


def test_money_of_a_hostile_currency_is_made_plain() -> None:
    """Even a currency code is foreign text."""
    assert money_text(Money(1, "G\x1b")) == "0.01 G␛"


def test_cut_list_is_told_from_a_whole_one() -> None:
    """Only a list that was cut says «first»."""
    assert cut_text(500, 12431, of="exception") == "first 500 of 12,431 exceptions"
    assert cut_text(500, 500, of="exception") == "500 exceptions"
    assert cut_text(1, 1, of="exception") == "1 exception"
    assert cut_text(5, 5, of="exception", matching=2) == "2 of 5 exceptions match"


@given(st.lists(st.integers(min_value=0, max_value=10**6), max_size=80), st.integers(0, 80))
def test_bars_are_one_a_count_the_newest_kept_and_nought_is_no_bar(
    counts: list[int], width: int
) -> None:
    """The picture can't exaggerate: a sign a count, and the tallest is the maximum."""
    newest = counts[-width:] if width else []
    drawn = bars(counts, width)

    assert len(drawn) == len(newest)
    assert [count == 0 for count in newest] == [bar == "·" for bar in drawn]
    assert not any(newest) or drawn[newest.index(max(newest))] == "█"


def test_bars_say_their_period_and_their_maximum() -> None:
    """A curve without a scale is decoration."""
    assert sparkline_caption((3, 9, 1200), 2) == "last 2 min, max 1,200/min"
    assert sparkline_caption((), 10) == "no rate yet"
