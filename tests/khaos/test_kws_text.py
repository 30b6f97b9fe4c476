"""Laws of what is written: no word of a text lost, London wall time right all year."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.clock import LONDON
from kcjl.errors import ProtocolSurprise, Refused
from kcjl.khaos.characters import safe_text
from kcjl.khaos.london import changed_since, received_date, received_moment, wall_time
from kcjl.khaos.order_document import ADDRESS_LINE_CHARS_MAX, address_lines

WORDS = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=20)
YEARS_S = int(timedelta(days=15 * 365).total_seconds())
MOMENTS = st.builds(
    lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds),
    st.integers(0, YEARS_S)
    | st.integers(-7200, 7200).map(lambda s: s + 183_603_600)  # about 2025-10-26T01:00Z
    | st.integers(-7200, 7200).map(lambda s: s + 165_459_600),  # about 2025-03-30T01:00Z
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Zoë Müller-Ærø", "Zoë Müller-Ærø"),
        ("Zoe\u0308", "Zoë"),
        ("“Rose’s” — flat 3…", '"Rose\'s" - flat 3...'),
        ("Łódź, Škoda, Ştefan, Đặng, Œuvre", "Lódz, Skoda, Stefan, Dang, OEuvre"),
        ("Ｆｌａｔ ２", "Flat 2"),
        ("a\u00a0b\u2009c\u200bd\ne\tf", "a b cd e f"),
        ("O\x92Brien €5", "O'Brien EUR5"),
        ("home 🏠 sweet home", "home sweet home"),
        ("½ Straße №3", "½ Straße No3"),
        ("", ""),
        ("  ", ""),
    ],
)
def test_safe_text_is_latin_1_with_every_word(text: str, expected: str) -> None:
    """Customary spellings, accents by decomposition, blanks tidied, pictures dropped."""
    assert expected == safe_text("DSURNAME", text, "transliterate")


@pytest.mark.parametrize("text", ["王", "Flat 王", "Ωmega", "Иван", "🏠", "१२"])
def test_safe_text_without_latin_form_is_refused(text: str) -> None:
    """A letter or digit that can't be written is a word lost: refuse, and don't quote it."""
    with pytest.raises(Refused, match="DSURNAME") as caught:
        safe_text("DSURNAME", text, "transliterate")
    assert text not in caught.value.message


@given(st.lists(WORDS, max_size=6))
def test_safe_text_any_text_is_whole_or_refused(words: list[str]) -> None:
    """What comes out fits Latin-1, is stable, and has a word for each word with a letter."""
    text = " ".join(words)
    try:
        written = safe_text("NOTE", text, "transliterate")
    except Refused:
        return

    assert written == written.encode("latin-1").decode("latin-1")
    assert written == safe_text("NOTE", written, "transliterate")
    lettered = [word for word in words if any(sign.isalnum() for sign in word)]
    assert len(lettered) <= len(written.split())


@given(
    st.lists(
        st.lists(st.text("abcÅ-,1", min_size=1, max_size=12), max_size=8),
        min_size=1,
        max_size=3,
    )
)
def test_address_lines_hold_every_word_in_order_or_refuse(rows: list[list[str]]) -> None:
    """At most three lines of 35, broken between words; nothing lost, nothing added."""
    lines = tuple(" ".join(words) for words in rows)
    words = [word for row in rows for word in row]
    try:
        fitted = address_lines("DADDRESS1..3", lines)
    except Refused:
        assert not words or sum(len(word) + 1 for word in words) > 3 * (
            ADDRESS_LINE_CHARS_MAX - 12
        )
        return

    assert words == " ".join(fitted).split()
    assert 1 <= len(fitted) <= 3
    assert all(len(line) <= ADDRESS_LINE_CHARS_MAX for line in fitted)


def test_address_lines_that_fit_stay_as_they_are() -> None:
    """The buyer's own lines are kept where they fit; empty ones close up."""
    assert ("Flat 9", "4 Sample Street") == address_lines(
        "X", ("Flat 9", "", "4 Sample Street")
    )


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 1, 5, 12, 0, tzinfo=UTC), "2026-01-05T12:00:00"),
        (datetime(2026, 7, 5, 12, 0, 59, 999999, tzinfo=UTC), "2026-07-05T13:00:59"),
        (datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC), "2026-03-29T00:59:59"),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "2026-03-29T02:00:00"),
        (datetime(2026, 10, 25, 0, 59, 59, tzinfo=UTC), "2026-10-25T01:59:59"),
        (datetime(2026, 10, 25, 1, 0, tzinfo=UTC), "2026-10-25T01:00:00"),
    ],
)
def test_wall_time_is_londons_through_both_changes(moment: datetime, expected: str) -> None:
    """Out: no zone, a T, London."""
    assert expected == wall_time(moment)


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(hours=3)))
def test_changed_since_loses_no_later_change(since: datetime, later: timedelta) -> None:
    """Whatever changes after the cursor is stamped, on London's wall, no earlier than it."""
    assert changed_since(since) <= wall_time(since + later)


def test_changed_since_in_the_first_of_two_hours_asks_from_its_start() -> None:
    """01:50 before the clocks go back; 01:10 after it is later, and must come."""
    since = datetime(2026, 10, 25, 0, 50, tzinfo=UTC)

    assert "2026-10-25T01:00:00" == changed_since(since)


@given(MOMENTS)
def test_received_moment_turns_wall_time_back(moment: datetime) -> None:
    """In is the inverse of out; in the hour that comes twice, the first one is taken."""
    whole = moment.replace(microsecond=0)
    wall = whole.astimezone(LONDON)

    back = received_moment(f"{wall_time(whole)}.000Z")

    assert back is not None
    assert whole - timedelta(hours=wall.fold) == back


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-07-02T12:30:26.497Z", datetime(2026, 7, 2, 11, 30, 26, 497000, tzinfo=UTC)),
        ("2026-07-02 12:30", datetime(2026, 7, 2, 11, 30, tzinfo=UTC)),
        ("2026-07-02", datetime(2026, 7, 1, 23, 0, tzinfo=UTC)),
        ("02/07/2026", datetime(2026, 7, 1, 23, 0, tzinfo=UTC)),
        ("2026-07-02T12:30:00+01:00", datetime(2026, 7, 2, 11, 30, tzinfo=UTC)),
        ("2026-07-02T12:30:00+00:00", datetime(2026, 7, 2, 11, 30, tzinfo=UTC)),
        ("2026-07-02T12:30:00-05:30", datetime(2026, 7, 2, 18, 0, tzinfo=UTC)),
        ("1899-12-30T00:00:00", None),
        ("1899-12-31T00:00:00.000Z", None),
        ("0001-01-01T00:00:00", None),
        ("", None),
        (None, None),
        (" ", None),
    ],
)
def test_received_moment_is_utc_or_none(text: str | None, expected: datetime | None) -> None:
    """Every form that was seen, and the ERP's ways to say none."""
    assert expected == received_moment(text)


@pytest.mark.parametrize(
    "text", ["2026-02-30T00:00:00", "31/02/2026", "soon", "2026-07-02T25:00"]
)
def test_received_moment_that_is_none_is_a_surprise(text: str) -> None:
    """A date that can't be is told, not guessed."""
    with pytest.raises(ProtocolSurprise):
        received_moment(text)


def test_received_date_day_comes_before_month() -> None:
    """03/04 is the third of April."""
    assert date(2026, 4, 3) == received_date("03/04/2026")
