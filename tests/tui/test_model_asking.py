"""What an operator types or confirms: times, commands, proposals, keys, and sorting."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.command import Command
from kcjl.errors import Misuse, SettingsUnusable
from tests.tui.made_up import NOON, an_exception, some_exceptions
from tui.actions import ACTIONS
from tui.keymap import keymap_at, keymap_text
from tui.model.asked_time import asked_time, asked_until
from tui.model.command_line import Go, Run, Travel, Unknown, completions, understood
from tui.model.exceptions import EXCEPTION_COLUMNS, exception_proposal, exception_row
from tui.model.moments import Zone
from tui.model.proposal import LINES_SHOWN, Field, Proposal, shown_lines
from tui.model.shapes import Cell, Row
from tui.model.sorting import Sorting
from tui.model.visited import Visited

# ── times ───────────────────────────────────────────────────────────────────────────────────

_TIMES = (
    ("11:59", Zone.LONDON, datetime(2026, 7, 7, 10, 59, tzinfo=UTC)),
    ("12:01", Zone.LONDON, datetime(2026, 7, 6, 11, 1, tzinfo=UTC)),  # not yet today
    ("11:00", Zone.UTC, datetime(2026, 7, 7, 11, 0, tzinfo=UTC)),
    ("9:05:07", Zone.LONDON, datetime(2026, 7, 7, 8, 5, 7, tzinfo=UTC)),
    ("yesterday 18:00", Zone.LONDON, datetime(2026, 7, 6, 17, 0, tzinfo=UTC)),
    ("2025-10-26 12:00", Zone.LONDON, datetime(2025, 10, 26, 12, 0, tzinfo=UTC)),
    ("2026-03-01T14:03Z", Zone.LONDON, datetime(2026, 3, 1, 14, 3, tzinfo=UTC)),
    ("2026-07-07", Zone.LONDON, NOON),
    ("-2h", Zone.LONDON, NOON - timedelta(hours=2)),
    ("-90s", Zone.LONDON, NOON - timedelta(seconds=90)),
)


@pytest.mark.parametrize(("text", "zone", "moment"), _TIMES, ids=str)
def test_asked_time_is_read_as_people_mean_it(text: str, zone: Zone, moment: datetime) -> None:
    """Noon in London is 11:00 UTC in July; a time that has not come today is yesterday's."""
    assert asked_time(text, now=NOON, zone=zone) == moment


def test_asked_time_of_a_day_alone_is_its_end() -> None:
    """The whole of that day has happened."""
    end = asked_time("2026-07-06", now=NOON, zone=Zone.LONDON)

    assert end == datetime(2026, 7, 6, 22, 59, 59, 999999, tzinfo=UTC)


def test_asked_time_takes_a_position() -> None:
    """The log's own clock."""
    assert asked_time("#120,345", now=NOON, zone=Zone.LONDON) == 120345


@pytest.mark.parametrize("text", ["", "soon", "#", "#x", "25:00", "2026-13-01", "1 2 3", "-2y"])
def test_asked_time_that_is_none_is_refused_with_examples(text: str) -> None:
    """The next step stands in the refusal."""
    with pytest.raises(Misuse, match="14:03"):
        asked_time(text, now=NOON, zone=Zone.LONDON)


def test_asked_time_to_come_is_refused() -> None:
    """Only what has happened can be seen."""
    with pytest.raises(Misuse, match="lies ahead"):
        asked_time("2026-07-08 09:00", now=NOON, zone=Zone.LONDON)


@given(st.text(max_size=30))
def test_asked_time_of_any_text_is_a_time_gone_by_or_a_clear_no(text: str) -> None:
    """Nothing else comes of it."""
    try:
        found = asked_time(text, now=NOON, zone=Zone.LONDON)
    except Misuse:
        return
    assert found >= 0 if isinstance(found, int) else found <= NOON


def test_asked_until_is_a_time_to_come() -> None:
    """A span from now on, or a day and a time."""
    assert asked_until("4h", now=NOON, zone=Zone.LONDON) == NOON + timedelta(hours=4)
    tomorrow = asked_until("2026-07-08 09:00", now=NOON, zone=Zone.LONDON)
    assert tomorrow == datetime(2026, 7, 8, 8, 0, tzinfo=UTC)
    for text in ("", "soon", "2026-07-06 09:00", "0m x"):
        with pytest.raises(Misuse, match="no time to come"):
            asked_until(text, now=NOON, zone=Zone.LONDON)


# ── the command line ────────────────────────────────────────────────────────────────────────

_WORDS = {"pause or resume": "view.pause", "now": "time.live"}
_LINES = (
    ("orders", Go(place="orders")),
    (":orders held", Go(place="orders", filter="held")),
    ("order 700123456-A", Go(place="orders", subject="700123456-A")),
    ("SKU 85123A", Go(place="stock", subject="85123A")),
    ("payout 2026-07-10", Go(place="money", subject="2026-07-10")),
    ("exc owner:me", Go(place="exceptions", filter="owner:me")),
    ("#120345", Go(place="log", subject="120345")),
    ("at 14:03", Travel(when="14:03")),
    ("live", Travel()),
    ("pause or resume", Run(action_id="view.pause")),
)


@pytest.mark.parametrize(("line", "intent"), _LINES, ids=lambda value: str(value)[:30])
def test_command_line_is_understood(line: str, intent: object) -> None:
    """Screens with filters, things by their names, times, actions."""
    assert understood(line, _WORDS) == intent


def test_command_line_that_is_not_understood_names_the_nearest() -> None:
    """A slip of the finger costs one look."""
    slip = understood("ordrs", _WORDS)
    assert isinstance(slip, Unknown)
    assert "orders" in slip.message
    assert isinstance(understood("  ", _WORDS), Unknown)
    assert isinstance(understood("at", _WORDS), Unknown)


def test_completions_begin_with_what_was_typed_screens_first() -> None:
    """Tab takes the likeliest."""
    assert completions("o", {})[:2] == ("overview", "orders")
    assert completions("pau", _WORDS) == ("pause or resume",)
    assert completions("zzz", _WORDS) == ()


# ── proposals ───────────────────────────────────────────────────────────────────────────────


def _proposal(**facts: object) -> Proposal:
    command = Command(verb="order-retry", arguments={"order": "1"})
    return Proposal(
        title="Retry",
        effect="It is posted again.",
        commands=(command,),
        fields=(
            Field(name="reason", label="why"),
            Field(name="until", label="until", until=True),
        ),
        **facts,  # type: ignore[arg-type]
    )


def test_proposal_goes_out_with_what_was_said() -> None:
    """Answers become arguments; a time to come goes as a moment."""
    (command,) = _proposal().said(
        {"reason": "agreed", "until": "4h"}, now=NOON, zone=Zone.LONDON
    )

    assert command.arguments == {
        "order": "1",
        "reason": "agreed",
        "until": (NOON + timedelta(hours=4)).isoformat(),
    }


def test_proposal_lacks_what_is_needed_in_order() -> None:
    """One thing at a time, by its name; the word last."""
    proposal = _proposal(word="accept")

    assert proposal.lacking({}, "") == "why is needed"
    assert proposal.lacking({"reason": "x", "until": " "}, "") == "until is needed"
    assert proposal.lacking({"reason": "x", "until": "4h"}, "yes") == "type accept to do it"
    assert proposal.lacking({"reason": "x", "until": "4h"}, "accept ") == ""


def test_proposal_of_many_says_how_many_more() -> None:
    """Nothing is cut in silence."""
    lines = tuple(f"line {number}" for number in range(LINES_SHOWN + 30))

    assert shown_lines(_proposal(lines=lines))[-1] == "… and 30 more"


def test_exception_proposal_is_one_command_for_all_and_one_for_each_storm() -> None:
    """A storm's row stands for its kind."""
    storm = an_exception(60, kind="posting_refused", folded=412)
    proposal = exception_proposal("accept", (*some_exceptions(2), storm))

    wanted = [command.arguments["wanted"] for command in proposal.commands]
    assert wanted == [
        '{"kind":"posting_refused"}',
        '{"ids":["exception-0001","exception-0002"]}',
    ]
    assert proposal.title == "Accept 414 exceptions"
    assert proposal.word == "accept"
    assert exception_proposal("accept", some_exceptions(2)).word == ""


# ── sorting, history, keys ──────────────────────────────────────────────────────────────────


def _texts(items: tuple[str, ...], sorting: Sorting) -> list[str]:
    return list(sorting.sorted(items, lambda item: Row(key=item, cells=(Cell(item),))))


def test_sorting_compares_figures_as_figures_and_puts_nothing_last() -> None:
    """9 is before 1,000; what has no figure comes at the end, either way."""
    items = ("1,000.00 GBP", "-", "▲ 9.50 GBP", "-3.00 GBP", "b", "A")
    upwards = ["-3.00 GBP", "▲ 9.50 GBP", "1,000.00 GBP", "A", "b", "-"]

    assert _texts(items, Sorting(column=0)) == upwards
    downwards = _texts(items, Sorting(column=0, downwards=True))
    assert downwards == [*reversed(upwards[:-1]), "-"]
    assert _texts(items, Sorting()) == list(items)


def test_sorting_goes_through_the_columns_and_back_to_the_services_order() -> None:
    """After the last column there is none."""
    sorting = Sorting()
    for _ in EXCEPTION_COLUMNS:
        sorting = sorting.next(len(EXCEPTION_COLUMNS))
        assert sorting.caption(EXCEPTION_COLUMNS).startswith(" · by ")

    assert sorting.next(len(EXCEPTION_COLUMNS)).column is None
    row = exception_row(an_exception(1), NOON)
    assert len(row.cells) == len(EXCEPTION_COLUMNS)


def test_visited_goes_back_and_on_as_a_browser_does() -> None:
    """What lay ahead is forgotten when one turns off."""
    visited = Visited("overview")
    for place in ("orders", "log", "log"):
        visited.visit(place)

    assert visited.go(-1) == "orders"
    assert visited.go(-5) == "overview"
    assert visited.go(1) == "orders"
    visited.visit("stock")
    assert visited.go(1) == "stock"
    assert [visited.flip(), visited.flip()] == ["orders", "stock"]


def test_keymap_that_is_printed_can_be_read_again(tmp_path: Path) -> None:
    """Print, change a line, give it back."""
    path = tmp_path / "keys.toml"
    path.write_text(keymap_text({"go.command": "f2"}))

    told = keymap_at(path)
    assert told["go.command"] == "f2"
    assert set(told) == {action.id for action in ACTIONS if action.key}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"go.comand" = "f2"', "perhaps go.command"),
        ('"go.command" = "ctrl+z"', "the shell's"),
        ('"go.command" = 3', "needs keys"),
        ("go.command = f2", "not TOML"),
    ],
)
def test_keymap_that_can_not_be_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """One clear line that names the key."""
    path = tmp_path / "keys.toml"
    path.write_text(text)
    with pytest.raises(SettingsUnusable, match=said):
        keymap_at(path)
