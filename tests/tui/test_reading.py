"""Laws of the live data: what is read when, and what the glass says when it can't be."""

import asyncio

import msgspec
import pytest

from kcjl.errors import Unavailable
from tests.tui.made_up import (
    NOON,
    FakeSource,
    an_event,
    an_exception,
    an_overview,
    some_events,
    some_exceptions,
)
from tests.tui.pilots import NEVER_S, glass, lose, monitor, pressed, settled, table
from tui.app import MonitorApp
from tui.model.header import Mode
from tui.model.log import WINDOW_EVENTS_MAX
from tui.screens.listing import ListScreen
from tui.screens.log import PAGE_EVENTS
from tui.widgets.row_table import RowTable

pytestmark = pytest.mark.anyio

SIZE = (120, 40)
DOWN = Unavailable("the database can't be reached")


def _source() -> FakeSource:
    return FakeSource(exceptions=some_exceptions(60), total=12431, events=some_events(900))


async def _ticked(app: MonitorApp, pilot: object) -> None:
    app.tick()
    await settled(pilot)  # type: ignore[arg-type]


# ── slow ────────────────────────────────────────────────────────────────────────────────────


async def test_source_that_never_answers_is_painted_without_and_answers_keys() -> None:
    """The first paint waits for nothing, and a key is handled while the read hangs."""
    source = _source()
    source.gate = asyncio.Event()
    app = MonitorApp(source, refresh_s=NEVER_S, title="kcjl")
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert "… READING" in glass(app)
        assert source.answering == 1

        await pilot.press("6")
        await pilot.pause()
        assert app.current_mode == "exceptions"
        await pilot.press("question_mark")
        await pilot.pause()
        assert "Keys: Exceptions" in glass(app)
        await pilot.press("escape", "p")
        await pilot.pause()
        assert app.state.mode is Mode.PAUSED
        assert "PAUSED before anything was read" in glass(app)


async def test_source_that_is_slow_is_asked_one_thing_at_a_time() -> None:
    """Ticks that come while an answer is outstanding are skipped: reads never overlap."""
    source = _source()
    async with monitor(source) as (app, pilot):
        source.gate = asyncio.Event()
        asked = len(source.asked)
        for _ in range(5):
            app.tick()
            await pilot.pause()
        assert len(source.asked) == asked + 1

        source.gate.set()
        await settled(pilot)
        assert source.answering_most == 1
        assert app.state.mode is Mode.LIVE


async def test_age_grows_while_the_answer_is_outstanding() -> None:
    """A hanging source shows: the age goes on counting and changes its sign."""
    source = _source()
    async with monitor(source) as (app, pilot):
        source.gate = asyncio.Event()
        signs = []
        for seconds in (0, 10, 50):
            source.pass_time(seconds)
            app.tick()
            await pilot.pause()
            signs.append(glass(app).splitlines()[0].split("LIVE")[1].split()[:2])
        source.gate.set()

    assert signs == [["●", "0s"], ["▲", "10s"], ["✖", "1m"]]


async def test_screen_left_while_reading_is_read_no_further() -> None:
    """Going elsewhere drops the old question and asks the new one at once."""
    source = _source()
    async with monitor(source) as (app, pilot):
        source.gate = asyncio.Event()
        app.tick()
        await pilot.pause()
        await pilot.press("6")
        await pilot.pause()

        assert source.answering == 1
        assert source.asked[-1].startswith("exceptions")
        source.gate.set()


# ── failing ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("place", ["1", "6", "7"])
@pytest.mark.parametrize("error", [DOWN, RuntimeError("[bold]odd[/]"), OSError(111, "refused")])
async def test_source_that_raises_shows_the_banner_and_keeps_the_figures(
    place: str, error: Exception
) -> None:
    """Stale figures are dimmed, not hidden; the banner says since when and when next."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, place)
        await lose(app, source, pilot, error)
        text = glass(app)

        assert "✖ DISCONNECTED since 12:01:15 BST · next try in 60s" in text
        assert str(error) in text
        assert "● LIVE" not in text
        assert table(app).cursor_key is not None
        assert table(app).stale
        await pressed(pilot, "j")
        assert app.is_running


async def test_source_that_comes_back_takes_the_banner_away() -> None:
    """Lost is not for ever: the next answer makes all live again."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await lose(app, source, pilot, DOWN)
        source.error = None
        await _ticked(app, pilot)

        assert "DISCONNECTED" not in glass(app)
        assert "● LIVE  ● 0s" in glass(app)
        assert not table(app).stale


async def test_source_that_asks_for_time_is_given_it() -> None:
    """A retry_after is kept to, tick by tick, and the banner counts down."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await lose(app, source, pilot, Unavailable("too many", retry_after_s=3 * NEVER_S))
        asked = len(source.asked)
        waits = []
        for _ in range(2):
            await _ticked(app, pilot)
            waits.append("next try in 120s" in glass(app))
            assert len(source.asked) == asked
        await _ticked(app, pilot)

    assert waits == [True, False]
    assert len(source.asked) == asked + 1


async def test_source_that_never_answers_counts_as_lost_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No read waits for ever: after its deadline the banner is up."""
    monkeypatch.setattr("tui.reading.READ_S_MAX", 0.02)
    source = _source()
    source.gate = asyncio.Event()
    async with monitor(source) as (app, _pilot):
        text = glass(app)

    assert "✖ DISCONNECTED since 12:00:00 BST" in text
    assert "no answer within" in text
    assert source.answering == 0


async def test_source_that_fails_at_once_says_that_nothing_was_read() -> None:
    """No figures are invented: the panes say why they are empty."""
    source = _source()
    source.error = DOWN
    async with monitor(source) as (app, _pilot):
        text = glass(app)

    assert "Nothing was read before the connection was lost." in text
    assert "? never read" in text


async def test_source_lost_in_the_middle_of_a_screen_shows_what_came() -> None:
    """Of two questions the first is answered: the list is new, the header is old."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, "6")
        source.refused = "overview"
        await lose(app, source, pilot, DOWN)
        text = glass(app).splitlines()

    assert "✖ DISCONNECTED  ✖ 1m 15s" in text[0]
    assert "● 0s" in text[-4]


# ── paused, and behind a dialog ─────────────────────────────────────────────────────────────


async def test_pause_stops_reading_and_the_ages_go_on() -> None:
    """PAUSED holds the figures still and says how old they are."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["6", "p"])
        asked = len(source.asked)
        source.rows = source.rows[:3]
        source.pass_time(125)
        await _ticked(app, pilot)
        text = glass(app)
        assert len(source.asked) == asked
        assert "‖ PAUSED  ✖ 2m 05s" in text
        assert "first 60 of 12,431 open exceptions" in text

        await pressed(pilot, "p")
        assert "first 3 of 12,431 open exceptions" in glass(app)
        assert "● LIVE  ● 0s" in glass(app)


async def test_pause_while_an_answer_is_outstanding_lets_no_figure_change() -> None:
    """What comes after p is not shown."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, "6")
        source.gate = asyncio.Event()
        source.rows = ()
        app.tick()
        await pilot.pause()
        await pilot.press("p")
        source.gate.set()
        await settled(pilot)

        assert "first 60 of 12,431" in glass(app)


async def test_dialog_open_means_nothing_is_read() -> None:
    """Nobody looks at what is behind: the source is left alone."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, "question_mark")
        asked = len(source.asked)
        await _ticked(app, pilot)
        assert len(source.asked) == asked

        await pressed(pilot, "escape")
        assert len(source.asked) > asked


async def test_screen_that_is_hidden_is_not_read() -> None:
    """Only what is on the glass is asked for."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, "7")
        source.asked.clear()
        await _ticked(app, pilot)

    assert not [question for question in source.asked if question.startswith("exceptions")]


# ── rows by key ─────────────────────────────────────────────────────────────────────────────


async def test_cursor_and_scroll_survive_rows_that_come_and_go_above() -> None:
    """The row under the cursor stays on its line of the glass."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["6", *["pagedown"] * 1, "j", "j"])
        rows = table(app)
        key = rows.cursor_key
        line = rows._cursor - rows.scroll_offset.y
        source.rows = (
            an_exception(901),
            an_exception(902),
            *(row for row in source.rows if row.exception_id != "exception-0003"),
        )
        await _ticked(app, pilot)

        assert rows.cursor_key == key
        assert rows._cursor - rows.scroll_offset.y == line


async def test_new_urgent_row_on_top_is_in_sight() -> None:
    """While one looks at the top, a new worst case is not scrolled out of sight."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, "6")
        source.rows = (an_exception(904, subject="NEW-WORST"), *source.rows)
        await _ticked(app, pilot)

        assert "NEW-WORST" in glass(app)
        assert table(app).cursor_key == "exception-0001"


async def test_marks_survive_a_refresh_and_leave_with_their_rows() -> None:
    """A mark belongs to a row, not to a line."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["6", "space", "space"])
        source.rows = source.rows[1:]
        await _ticked(app, pilot)

        assert table(app).marks == {"exception-0002"}


async def test_row_that_leaves_while_open_keeps_its_detail_and_says_so() -> None:
    """The facts one is reading do not vanish; they are called the last known."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["6", "enter"])
        source.rows = source.rows[1:]
        await _ticked(app, pilot)

        assert "No longer in the list" in glass(app)
        assert "700123401-A" in glass(app)


async def test_cut_list_says_its_whole_length() -> None:
    """No silent limit."""
    async with monitor(_source(), size=(80, 24)) as (app, pilot):
        await pressed(pilot, "6")

        assert "first 60 of 12,431 open exceptions" in glass(app)


# ── the log ─────────────────────────────────────────────────────────────────────────────────


async def test_log_follows_its_tail_while_the_cursor_is_on_it() -> None:
    """New events push up from the bottom."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, "7")
        source.log.append(an_event(12432))
        await _ticked(app, pilot)

        assert table(app).cursor_key == "12432"
        assert "following" in glass(app)
        assert source.asked[-2] == f"events after=12431 before=None limit={PAGE_EVENTS}"


async def test_log_holds_still_while_one_reads_further_up() -> None:
    """New events are taken in below, and nothing moves."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["7", "k"])
        rows = table(app)
        top = rows.scroll_offset.y
        source.log += [an_event(position) for position in range(12432, 12442)]
        await _ticked(app, pilot)

        assert rows.cursor_key == "12430"
        assert rows.scroll_offset.y == top
        assert "held: G follows" in glass(app)
        await pressed(pilot, "G")
        assert rows.cursor_key == "12441"
        assert "following" in glass(app)


async def test_log_wheel_scrolled_up_is_not_pulled_down() -> None:
    """Looking up with the wheel also holds the list."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, "7")
        rows = table(app)
        rows.scroll_to(y=100, animate=False)
        await pilot.pause()
        source.log.append(an_event(12432))
        await _ticked(app, pilot)

        assert rows.scroll_offset.y == 100


async def test_log_follows_on_when_the_banner_takes_a_line() -> None:
    """A smaller pane keeps its last row in sight, and so goes on following."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, "7")
        await lose(app, source, pilot, DOWN)
        assert "12,431  11:59:57" in glass(app)
        source.error = None
        source.log.append(an_event(12432))
        await _ticked(app, pilot)

        assert table(app).cursor_key == "12432"


async def test_log_that_outruns_us_jumps_to_the_newest() -> None:
    """Following means the newest: a flood is not read page by page."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, "7")
        source.log += [an_event(position) for position in range(12432, 14432)]
        await _ticked(app, pilot)

        assert table(app).cursor_key == "14431"
        assert "last 500 of 14,431 events" in glass(app)


async def test_log_reads_older_events_when_one_goes_up_from_the_top() -> None:
    """History is there for whoever asks, page by page, and the cursor keeps its row."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["7", "g"])
        rows = table(app)
        assert rows.cursor_key == "11932"
        await pressed(pilot, ["k"])
        assert rows.cursor_key == "11932"
        assert f"events after=None before=11932 limit={PAGE_EVENTS}" in source.asked
        await pressed(pilot, ["g"])
        assert rows.cursor_key == "11532"
        assert "last 900 of 12,431 events" in glass(app)


async def test_log_window_is_bounded_and_says_what_it_left_out() -> None:
    """Five thousand rows are kept; the newest go first while one reads the oldest."""
    source = FakeSource(events=some_events(WINDOW_EVENTS_MAX + 2 * PAGE_EVENTS))
    async with monitor(source) as (app, pilot):
        await pressed(pilot, "7")
        for _ in range(WINDOW_EVENTS_MAX // PAGE_EVENTS + 1):
            await pressed(pilot, ["g", "k"])
        screen = app.screen
        assert isinstance(screen, ListScreen)

        assert len(screen.items()) == WINDOW_EVENTS_MAX
        assert "newer not loaded: G follows" in glass(app)
        await pressed(pilot, "G")
        await _ticked(app, pilot)
        await pressed(pilot, "G")
        await _ticked(app, pilot)
        assert table(app).cursor_key == "12431"


async def test_log_while_paused_does_not_read_older_events() -> None:
    """Paused means that the source is left alone, also for history."""
    source = _source()
    async with monitor(source) as (_app, pilot):
        await pressed(pilot, ["7", "p", "g"])
        asked = len(source.asked)
        await pressed(pilot, "k")

    assert len(source.asked) == asked


# ── the overview ────────────────────────────────────────────────────────────────────────────


async def test_overview_says_whether_writes_are_on() -> None:
    """The kill switch is in the header of every screen."""
    source = FakeSource(overview=an_overview(writes_allowed=False))
    async with monitor(source) as (app, pilot):
        assert "✖ writes OFF" in glass(app)
        await pressed(pilot, "7")
        assert "✖ writes OFF" in glass(app)


async def test_overview_lane_unknown_to_us_is_shown_and_a_missing_one_is_named() -> None:
    """What the service reports is shown, whatever it is called."""
    made = an_overview()
    odd = msgspec.structs.replace(made.lanes[0], name="Re[b]turns")
    source = FakeSource(overview=msgspec.structs.replace(made, lanes=(*made.lanes[1:], odd)))
    async with monitor(source, size=(200, 60)) as (app, pilot):
        await _ticked(app, pilot)
        text = glass(app)

    assert "Re[b]turns" in text
    assert "not reported by the service" in text


async def test_overview_counts_that_moved_carry_an_arrow() -> None:
    """Up or down since the answer before."""
    made = an_overview()
    source = FakeSource(overview=made)
    async with monitor(source) as (app, pilot):
        lane = msgspec.structs.replace(made.lanes[0], done=18210, waiting=30)
        source._overview = msgspec.structs.replace(made, lanes=(lane, *made.lanes[1:]))
        await _ticked(app, pilot)
        text = glass(app)

    assert "18,210↑" in text
    assert "30↓" in text


async def test_overview_times_are_londons_and_utc_on_request() -> None:
    """The zone is written wherever a time is."""
    source = _source()
    assert source.now() == NOON
    async with monitor(source) as (app, pilot):
        assert "12:00:00 BST" in glass(app)
        assert "TIME BST" in glass(app)
        await pressed(pilot, "u")
        assert "11:00:00 UTC" in glass(app)
        assert "TIME UTC" in glass(app)


async def test_table_is_found_on_every_screen() -> None:
    """Each screen starts with its list in focus, so that the first key moves in it."""
    async with monitor(_source()) as (app, pilot):
        for key in "167":
            await pressed(pilot, key)
            assert isinstance(app.focused, RowTable)


@pytest.mark.parametrize("size", [(1, 1), (20, 6), (40, 12), (79, 23), (400, 100)])
async def test_terminal_of_any_size_is_drawn(size: tuple[int, int]) -> None:
    """Small panes of a multiplexer and walls of glass: nothing breaks, also when it changes."""
    async with monitor(_source(), size=size) as (app, pilot):
        for key in ("6", "enter", "escape", "7", "question_mark", "escape", "1"):
            await pressed(pilot, key)
        await pilot.resize_terminal(80, 24)
        await settled(pilot)

        assert "● LIVE" in glass(app)
