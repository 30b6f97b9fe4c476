"""The view models of the lists: columns, filter, exceptions, events. No terminal."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.money import Money
from kcjl.readmodels import Cut, Freshness
from tests.tui.made_up import (
    HOSTILE,
    NOON,
    an_event,
    an_exception,
    some_events,
    some_exceptions,
)
from tui.model.columns import EXTRA_RANK, column_gap, fit
from tui.model.exceptions import (
    EXCEPTION_COLUMNS,
    EXCEPTION_FIELDS,
    exception_detail,
    exception_row,
    exceptions_title,
    matching_exceptions,
)
from tui.model.filtering import Filter
from tui.model.log import (
    EVENT_FIELDS,
    WINDOW_EVENTS_MAX,
    EventWindow,
    event_columns,
    event_detail,
    event_row,
    log_title,
    matching_events,
    pretty_json,
)
from tui.model.manual import page_text
from tui.model.moments import Zone
from tui.model.shapes import Column, DetailView, Row, Tone


def _cut(count: int = 12, *, total: int | None = None) -> Cut:
    rows = some_exceptions(count)
    fresh = Freshness(position=9, recorded_at=NOON, now=NOON)
    return Cut(exceptions=rows, total=count if total is None else total, fresh=fresh)


def _found(raw: str, *, operator: str = "") -> set[str]:
    wanted = Filter(raw, EXCEPTION_FIELDS, operator=operator)
    return {row.exception_id[-2:] for row in matching_exceptions(_cut(), wanted, NOON)}


# ── columns ─────────────────────────────────────────────────────────────────────────────────

_columns = st.lists(
    st.builds(
        Column,
        title=st.text("ABC", min_size=1, max_size=8),
        width_min=st.integers(1, 30),
        width_max=st.integers(30, 60),
        rank=st.integers(0, 4),
    ),
    min_size=1,
    max_size=9,
)


@given(_columns, st.data(), st.integers(20, 220))
def test_columns_never_need_to_scroll_sideways(
    columns: list[Column], data: st.DataObject, width: int
) -> None:
    """What is shown fits the width, unless only columns that must be shown are left."""
    size = len(columns)
    wanted = data.draw(st.lists(st.integers(0, 90), min_size=size, max_size=size))
    fitted = fit(columns, wanted, width)

    used = sum(one.width for one in fitted) + column_gap(width) * (len(fitted) - 1)
    shown = {one.index for one in fitted}
    assert shown >= {index for index, column in enumerate(columns) if column.rank == 0}
    assert used == width or all(columns[index].rank == 0 for index in shown)
    assert sorted(shown) == [one.index for one in fitted]


@pytest.mark.parametrize("columns", [EXCEPTION_COLUMNS, event_columns(Zone.LONDON, NOON)])
def test_columns_of_the_main_facts_fit_eighty_cells(columns: tuple[Column, ...]) -> None:
    """75 cells are left between frame, gutter and scrollbar; the main facts fit them."""
    fitted = fit(columns, [column.width_max for column in columns], 75)

    assert sum(one.width for one in fitted) + len(fitted) - 1 == 75
    ranks = {columns[one.index].rank for one in fitted}
    assert ranks == {0, 1}


def test_columns_leave_in_the_order_of_their_rank() -> None:
    """The least wanted goes first."""
    ranks = [
        {EXCEPTION_COLUMNS[one.index].rank for one in fit(EXCEPTION_COLUMNS, [60] * 9, width)}
        for width in (200, 168, 160, 114, 75)
    ]

    assert ranks == [{0, 1, 2, 3, 4}, {0, 1, 2, 3}, {0, 1, 2}, {0, 1, 2}, {0, 1}]


def test_columns_that_are_extra_never_cut_the_main_facts() -> None:
    """An age column is not worth half an owner."""
    for width in range(75, 220):
        fitted = fit(EXCEPTION_COLUMNS, [60] * 9, width)
        extras = {one.index for one in fitted if EXCEPTION_COLUMNS[one.index].rank > EXTRA_RANK}
        full = all(
            one.width >= EXCEPTION_COLUMNS[one.index].width_max
            for one in fitted
            if EXCEPTION_COLUMNS[one.index].rank < EXTRA_RANK
        )
        assert full or not extras


# ── filter ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("", {f"{number:02}" for number in range(1, 13)}),
        ("SKU-00008", {"08"}),
        ("kind:sku", {"04", "08", "12"}),
        ("kind=sku", set()),
        ("KIND=Sku-Unknown", {"04", "08", "12"}),
        ("class:sku owner:catalogue subject:12", {"12"}),
        ("!kind:sku !kind:order !kind:payout", {"02", "06", "10"}),
        ("!sku !held payout", {"03", "07", "11"}),
        ('"carrier code is"', {"02", "06", "10"}),
        ('"carrier code', {"02", "06", "10"}),
        ("sev:critical left<0s", {"01"}),
        ("age>5h", {"10", "11", "12"}),
        ("age>=310m !kind:payout", {"10", "12"}),
        ("money>=199.57", {"10", "11"}),
        ("money<21", {"01"}),
        ("seen=1", {f"{n:02}" for n in range(1, 13) if n * 3 % 17 == 0}),
        ("kind:", {f"{number:02}" for number in range(1, 13)}),
        ("!", {f"{number:02}" for number in range(1, 13)}),
        ("nothing-like-it", set()),
    ],
)
def test_filter_finds(raw: str, found: set[str]) -> None:
    """Words, phrases, fields, measures, inverses; all terms are required."""
    assert _found(raw) == found


def test_filter_for_me_is_the_operators_own() -> None:
    """The word me is whoever the monitor was started for; nobody said: the word itself."""
    assert _found("owner:me", operator="Finance") == {"03", "07", "11"}
    assert _found("owner:me") == set()
    assert "who you are was not said" in Filter("owner:me", EXCEPTION_FIELDS).notes[0]


@pytest.mark.parametrize("raw", ["colour:red", "age>soon", "money>lots"])
def test_filter_that_is_not_understood_notes_it(raw: str) -> None:
    """A typing mistake is told, not taken for an empty result."""
    assert len(Filter(raw, EXCEPTION_FIELDS).notes) == 1


def test_filter_of_a_text_with_a_colon_searches_the_text() -> None:
    """A SKU may hold a colon."""
    row = an_exception(1, subject="AB:12")

    assert Filter("AB:12", EXCEPTION_FIELDS).matches(row, NOON)


@given(st.text(max_size=60))
def test_filter_of_any_text_is_read_without_failing(raw: str) -> None:
    """Whatever is typed, the monitor lives on; and the inverse of a word is its inverse."""
    wanted = Filter(raw, EXCEPTION_FIELDS, operator="me")

    assert wanted.matches(an_exception(1), NOON) in {True, False}


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("type:OrderImported", [12420, 12425, 12430]),
        ("!type:Stock !type:Order !by:dispatch", [12419, 12424, 12429]),
        ("pos>12429", [12430, 12431]),
        ("67.450 position<=12420", [12418]),
        ("cause=12430", [12431]),
        ("age<3s", [12430, 12431]),
    ],
)
def test_filter_of_the_log_finds(raw: str, found: list[int]) -> None:
    """Types, actors, positions, payloads."""
    window = EventWindow(events=some_events(14))
    rows = matching_events(window, Filter(raw, EVENT_FIELDS), NOON)

    assert [event.position for event in rows] == found


# ── exceptions ──────────────────────────────────────────────────────────────────────────────


def test_exception_row_says_severity_deadline_money_subject_and_owner() -> None:
    """The work list in one line."""
    row = exception_row(an_exception(1), NOON)

    assert [cell.text for cell in row.cells] == [
        "‼ CRIT",
        "✖ -3m 00s",
        "20.02 GBP",
        "order-held",
        "700123401-A",
        "operations",
        "4×",
        "31m 00s",
        "Order 700123401-A can't be accepted: line 2 names a SKU that is not in the ERP.",
    ]


def test_exception_severities_are_told_by_sign_and_word() -> None:
    """Not by colour alone; one that we do not know is shown as it is."""
    texts = [
        exception_row(an_exception(1, severity=severity), NOON).cells[0].text
        for severity in ("critical", "high", "medium", "low", "dire\x1b")
    ]

    assert texts == ["‼ CRIT", "▲ HIGH", "● MED", "· LOW", "? dire␛"]


def test_exception_without_owner_is_marked() -> None:
    """Nobody's work is a warning."""
    row = exception_row(an_exception(1, owner=""), NOON)
    detail = exception_detail(an_exception(1, owner=""), NOON, Zone.LONDON)

    assert (row.cells[5].text, row.cells[5].tone) == ("-", Tone.WARN)
    assert _facts(detail)["owner"] == "nobody yet"


def test_exception_detail_has_all_that_one_needs_to_act() -> None:
    """Message, next step, owner, deadline, money, times."""
    facts = _facts(exception_detail(an_exception(1), NOON, Zone.LONDON))

    assert facts["what happened"].startswith("Order 700123401-A can't be accepted")
    assert (
        facts["next step"] == "Confirm the stock code, or refuse the line before the deadline."
    )
    assert facts["severity"] == "‼ critical"
    assert facts["owner"] == "operations"
    assert facts["at risk"] == "20.02 GBP"
    assert facts["due in"] == "✖ -3m 00s"
    assert facts["deadline"] == "2026-07-07 11:57:00.000 BST"
    assert facts["first seen"] == "2026-07-07 11:29:00.000 BST"
    assert facts["last seen"] == "2026-07-07 11:59:10.000 BST"
    assert "cleared" not in facts


def test_exception_that_has_cleared_says_when() -> None:
    """The end of it is a fact too."""
    row = an_exception(1, state="cleared", cleared_at=NOON)

    assert _facts(exception_detail(row, NOON, Zone.UTC))["cleared"] == (
        "2026-07-07 11:00:00.000 UTC"
    )


def test_exceptions_title_says_cut_and_filter() -> None:
    """Whole, cut, filtered, both."""
    assert exceptions_title(None, None) == "Exceptions"
    assert exceptions_title(_cut(12), None) == "12 open exceptions"
    assert exceptions_title(_cut(12, total=12431), 3) == (
        "3 match in the first 12 of 12,431 open exceptions"
    )


def test_exception_money_lost_keeps_its_sign() -> None:
    """A negative amount is negative."""
    row = exception_row(an_exception(1, money_at_risk=Money(-5, "GBP")), NOON)

    assert row.cells[2].text == "-0.05 GBP"


# ── the log ─────────────────────────────────────────────────────────────────────────────────


def test_event_detail_has_both_clocks_cause_payload_and_hash() -> None:
    """What was true when, what we learnt when, why, and the chain."""
    event = an_event(12428)
    facts = _facts(event_detail(event, Zone.LONDON))

    assert facts["occurred"] == "2026-07-07 11:59:52.000 BST"
    assert facts["recorded"] == "2026-07-07 11:59:53.250 BST"
    assert facts["caused by"] == "#12,427"
    assert facts["correlation"] == event.correlation_id
    assert facts["hash"] == event.hash
    assert facts["payload"].splitlines() == [
        "{",
        '  "occurred_at": "2026-07-07T11:00:00Z",',
        '  "carrier": "DPD",',
        '  "price": "67.450"',
        "}",
    ]


def test_event_payload_is_indented_and_not_re_typed() -> None:
    """Figures stay as they were written: -12.30 is not -12.3, and big ones are not rounded."""
    assert pretty_json('{"a":-12.30,"b":12345678901234567890}') == (
        '{\n  "a": -12.30,\n  "b": 12345678901234567890\n}'
    )


@pytest.mark.parametrize("data", ["no {json", "", "\x1b[2J", "[" * 5000], ids=str.__len__)
def test_event_payload_that_is_no_json_is_shown_as_it_is(data: str) -> None:
    """The monitor shows what is there, and lives on."""
    shown = pretty_json(data)

    assert shown.startswith("(not JSON)\n")
    assert "\x1b" not in shown


def test_event_payload_that_is_huge_says_how_much_is_shown() -> None:
    """No silent cut."""
    assert pretty_json('"' + "x" * 100_000 + '"').endswith(
        "\n… first 65,536 of 100,002 characters"
    )


def test_window_joins_pages_and_replaces_what_does_not_join() -> None:
    """The window is one unbroken run of positions."""
    window = EventWindow().with_newer(some_events(10, last=100), keep_oldest=False)
    joined = window.with_newer(some_events(15, last=110), keep_oldest=False)
    torn = window.with_newer(some_events(5, last=200), keep_oldest=False)

    assert (joined.first, joined.last, len(joined.events)) == (91, 110, 20)
    assert (torn.first, torn.last) == (196, 200)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 700)), max_size=30))
def test_window_whatever_comes_stays_unbroken_and_bounded(
    steps: list[tuple[bool, int]],
) -> None:
    """Older and newer pages in any order: no gap, no repeat, never over the bound."""
    window = EventWindow(events=_POOL[6000:6100])
    for older, size in steps:
        first, last = window.first or 0, window.last or 0
        if older:
            window = window.with_older(_POOL[max(0, first - 1 - size) : first - 1])
        else:
            window = window.with_newer(_POOL[last : last + size], keep_oldest=size % 2 == 0)
        positions = [event.position for event in window.events]
        assert positions == list(range(positions[0], positions[0] + len(positions)))
        assert len(positions) <= WINDOW_EVENTS_MAX


_POOL = some_events(12000, last=12000)


def test_log_title_says_which_part_of_the_log_is_held() -> None:
    """The newest, a piece of the middle, or all of it; and what the filter leaves."""
    middle = EventWindow(events=some_events(100, last=5000))
    newest = EventWindow(events=some_events(100, last=12431))
    whole = EventWindow(events=some_events(100, last=100))

    assert log_title(EventWindow(), head=5, matching=None) == "Log"
    assert log_title(newest, head=12431, matching=None) == "last 100 of 12,431 events"
    assert log_title(middle, head=12431, matching=None) == "#4,901-5,000 of 12,431 events"
    assert log_title(whole, head=100, matching=None) == "100 events"
    assert (
        log_title(newest, head=12431, matching=7) == "7 match in the last 100 of 12,431 events"
    )


def test_event_row_leaves_out_of_the_payload_what_every_payload_has() -> None:
    """The line is for what differs: braces and the time are in the detail."""
    payloads = [
        event_row(an_event(1, data=data), NOON, Zone.UTC).cells[-1].text
        for data in ('{"occurred_at":"2026-07-07T11:00:00Z","sku":"A"}', '{"sku":"A"}', "odd")
    ]

    assert payloads == ['"sku":"A"', '"sku":"A"', "odd"]


def test_event_row_of_the_past_names_its_day() -> None:
    """Yesterday is not today."""
    old = msgspec.structs.replace(an_event(12431), recorded_at=NOON - timedelta(days=1))

    assert event_row(old, NOON, Zone.LONDON).cells[1].text == "06 Jul 12:00"


# ── foreign text ────────────────────────────────────────────────────────────────────────────


def test_rows_and_details_of_hostile_data_hold_only_what_can_be_seen() -> None:
    """Every text that comes from outside is made plain, wherever it is shown."""
    names = ("exception_id", "kind", "severity", "subject", "message", "owner", "state")
    exception = an_exception(1, next_step=HOSTILE, **dict.fromkeys(names, HOSTILE))
    event = an_event(
        1,
        type=HOSTILE,
        stream=HOSTILE,
        by=HOSTILE,
        correlation_id=HOSTILE,
        data=HOSTILE,
        hash=HOSTILE,
    )
    shown = [
        *_texts(exception_row(exception, NOON), exception_detail(exception, NOON, Zone.LONDON)),
        *_texts(event_row(event, NOON, Zone.LONDON), event_detail(event, Zone.LONDON)),
    ]

    assert len([text for text in shown if "␛[31m" in text]) >= 20
    assert not [text for text in shown if not text.replace("\n", "").isprintable()]


def _texts(row: Row, detail: DetailView) -> list[str]:
    return [
        *(cell.text for cell in row.cells),
        detail.title,
        *(text for line in detail.lines for text in (line.label, line.value)),
    ]


def _facts(detail: DetailView) -> dict[str, str]:
    return {line.label: line.value for line in detail.lines}


def test_manual_page_of_a_kind_is_laid_out_and_of_none_is_nothing() -> None:
    """F1 on an exception opens its page; a kind that the manual does not know has none."""
    text = page_text("confirmations_stopped")
    assert "THE MARKETPLACE ANSWERS NO CONFIRMATION" in text
    assert max(map(len, text.splitlines())) <= 84
    assert page_text("no-such-kind") == ""
