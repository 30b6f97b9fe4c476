"""The view models of header, banner and lanes. No terminal."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kcjl.readmodels import Overview
from tests.tui.made_up import HOSTILE, NOON, FakeSource, an_overview
from tui.explanations import PANES, explanation
from tui.model.connection import RETRY_S_MAX, Connection
from tui.model.freshness import AgeLimits
from tui.model.header import HeaderView, Mode, header_view
from tui.model.moments import Zone
from tui.model.overview import LANES, LaneView, lane_lines, lane_names, lane_view
from tui.model.shapes import TextLine, Tone
from tui.state import MonitorState

LIMITS = AgeLimits()


def _header(
    overview: Overview | None = None,
    *,
    connection: Connection | None = None,
    paused: bool = False,
    crumbs: tuple[str, ...] = ("Overview",),
) -> HeaderView:
    return header_view(
        title="kcjl",
        crumbs=crumbs,
        overview=overview,
        connection=connection or Connection(tick_s=1.0),
        paused=paused,
        now=NOON,
        zone=Zone.LONDON,
        limits=LIMITS,
    )


def _lane(name: str = "Stock", before: Overview | None = None) -> LaneView:
    view = lane_view(name, an_overview(), before=before, now=NOON, limits=LIMITS)
    assert view is not None
    return view


def _line(line: TextLine) -> str:
    return "".join(cell.text for cell in line)


# ── header and banner ───────────────────────────────────────────────────────────────────────


def test_mode_is_one_word_and_live_only_while_the_source_answers() -> None:
    """READING, LIVE, DISCONNECTED; PAUSED whatever else is true."""
    new = Connection(tick_s=1.0)
    lost = new.after_failure(at=NOON, cause="down")

    assert _header(connection=new).mode is Mode.READING
    assert _header(connection=new.after_answer()).mode is Mode.LIVE
    assert _header(connection=lost).mode is Mode.DISCONNECTED
    assert _header(connection=lost, paused=True).mode is Mode.PAUSED
    assert {mode: mode in _header(paused=mode == "PAUSED").mode_text for mode in Mode} == {
        Mode.READING: True,
        Mode.LIVE: False,
        Mode.PAUSED: True,
        Mode.AS_OF: False,
        Mode.DISCONNECTED: False,
    }


def test_header_before_anything_was_read_claims_nothing() -> None:
    """No merchant, no figures, writes unknown."""
    view = _header()

    assert view.crumbs == "kcjl › Overview"
    assert view.writes.text == "writes ?"
    assert [cell.text for cell in view.summary()] == ["", "", ""]


def test_header_says_open_exceptions_money_and_writes() -> None:
    """The three figures that matter wherever one is."""
    view = _header(an_overview(open_exceptions=1234, writes_allowed=False))

    assert [cell.text for cell in view.summary()] == [
        "#12,431",
        "1,234.56 GBP at risk",
        "▲ 1,234 open",
    ]
    assert view.writes.text == "✖ writes OFF"
    assert _header(an_overview(open_exceptions=0)).open_exceptions.text == "● 0 open"


def test_state_in_a_fast_world_widens_the_limits_of_panes() -> None:
    """Two ticks are enough to know the pace; real life goes by the stated seconds."""
    state = MonitorState(
        FakeSource(), title="kcjl", operator="", limits=AgeLimits(), tick_s=1.0
    )
    state.measure_pace(NOON, 100.0)
    assert state.limits == AgeLimits()
    state.measure_pace(NOON + timedelta(seconds=601), 101.0)
    assert (state.pace, state.limits.pane_ageing_s) == (600, 1800)
    state.measure_pace(NOON + timedelta(seconds=602), 102.0)
    assert (state.pace, state.limits) == (1, AgeLimits())


def test_header_in_a_fast_world_says_how_fast() -> None:
    """Nobody takes a demo's clock for the wall's."""
    view = header_view(
        title="kcjl",
        crumbs=(),
        overview=None,
        connection=Connection(tick_s=1.0),
        paused=False,
        now=NOON,
        zone=Zone.LONDON,
        limits=LIMITS,
        pace=600,
    )

    assert view.clock == "12:00:00 BST ×600"
    assert _header().clock == "12:00:00 BST"


def test_header_of_hostile_names_is_plain() -> None:
    """Merchant and subject are foreign text."""
    overview = msgspec.structs.replace(an_overview(), merchant=HOSTILE)

    assert _header(overview, crumbs=(HOSTILE,)).crumbs.isprintable()


def test_retries_wait_longer_each_time_up_to_a_bound() -> None:
    """No storm of calls at a source that is down."""
    connection = Connection(tick_s=1.0)
    waits = []
    for _ in range(8):
        connection = connection.after_failure(at=NOON, cause="down")
        waits.append(connection.ticks_to_retry)

    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]
    assert max(waits) == RETRY_S_MAX


@given(st.floats(0.2, 120), st.integers(1, 40), st.floats(0, 600))
def test_retry_always_comes_and_never_before_it_may(
    tick_s: float, failures: int, retry_after_s: float
) -> None:
    """After as many ticks as were said, it is due; the source's own wish is kept."""
    connection = Connection(tick_s=tick_s)
    for _ in range(failures):
        connection = connection.after_failure(
            at=NOON, cause="down", retry_after_s=retry_after_s
        )
    ticks = 0
    while not connection.due:
        connection = connection.after_tick()
        ticks += 1

    assert ticks * tick_s >= retry_after_s - 1e-6
    assert ticks * tick_s <= max(retry_after_s, RETRY_S_MAX) + tick_s


def test_banner_says_since_when_first_lost_and_counts_down() -> None:
    """The moment of the first failure stays, however often it fails."""
    connection = Connection(tick_s=2.0).after_failure(at=NOON, cause="first")
    later = NOON + timedelta(minutes=9)
    connection = connection.after_failure(at=later, cause="again\x1b[31m")

    def banner(*, paused: bool = False) -> str:
        return connection.banner(zone=Zone.LONDON, now=later, paused=paused)

    assert banner() == ("✖ DISCONNECTED since 12:00:00 BST · next try in 4s · again␛[31m")
    connection = connection.after_tick()
    assert "next try in 2s" in banner()
    connection = connection.after_tick()
    assert "trying again now" in banner()
    assert "no retry while paused" in banner(paused=True)
    connection = connection.after_answer()
    assert banner() == ""


# ── lanes ───────────────────────────────────────────────────────────────────────────────────


def test_lane_has_counts_deadline_facts_and_the_age_of_its_last_read() -> None:
    """One concern at a glance."""
    view = _lane("Orders")

    assert (view.done.text, view.waiting.text, view.excepted.text) == ("412", "9", "✖ 1")
    assert view.due.text == "▲ 25m 00s"
    assert (view.age.text, view.age.tone) == ("▲ 11m 00s", Tone.WARN)
    assert _lane("Money").age.tone is Tone.BAD
    assert _lane("Stock").age.tone is Tone.GOOD


def test_lane_counts_that_moved_say_which_way() -> None:
    """An arrow, not a colour."""
    overview = an_overview()
    old = msgspec.structs.replace(overview.lanes[0], done=18200, waiting=40)
    before = msgspec.structs.replace(overview, lanes=(old, *overview.lanes[1:]))
    view = _lane(before=before)

    assert (view.done.text, view.waiting.text, view.excepted.text) == (
        "18,204↑",
        "37↓",
        "✖ 3",
    )


def test_lane_that_is_not_reported_is_none_and_an_unknown_one_is_listed() -> None:
    """The four are always there; others are not hidden."""
    overview = an_overview()
    odd = msgspec.structs.replace(overview.lanes[0], name="Returns")
    partly = msgspec.structs.replace(overview, lanes=(odd,))

    assert lane_names(None) == LANES
    assert lane_names(partly) == (*LANES, "Returns")
    assert lane_view("Stock", partly, before=None, now=NOON, limits=LIMITS) is None


@pytest.mark.parametrize(("width", "height"), [(38, 4), (28, 9), (48, 9)])
@pytest.mark.parametrize("name", LANES)
def test_lane_fits_its_place_at_each_size_of_terminal(
    name: str, width: int, height: int
) -> None:
    """At 80, 120 and 200 columns no line is too long, and the rate is on the last lines."""
    lines = lane_lines(_lane(name), width, height)

    assert len(lines) == height
    assert max(len(_line(line)) for line in lines) <= width
    assert "min" in _line(lines[-1]) or "no rate yet" in _line(lines[-1])


@pytest.mark.parametrize(("width", "height"), [(38, 4), (28, 9), (48, 9), (48, 7)])
def test_lane_facts_that_do_not_fit_are_counted(width: int, height: int) -> None:
    """Every fact is either shown or in the «+n more»."""
    view = _lane("Stock")
    text = "\n".join(_line(line) for line in lane_lines(view, width, height))
    shown = sum(label in text for label, _ in view.facts)
    more = int(text.split("+")[1].split()[0]) if "+" in text else 0

    assert shown + more == len(view.facts)


def test_lane_with_huge_counts_writes_them_one_a_line() -> None:
    """Figures are never cut to fit."""
    overview = an_overview()
    lane = msgspec.structs.replace(
        overview.lanes[0], done=123_456_789, waiting=12_345_678, excepted=1_234_567
    )
    huge = msgspec.structs.replace(overview, lanes=(lane,))
    view = lane_view("Stock", huge, before=None, now=NOON, limits=LIMITS)
    assert view is not None

    lines = [_line(line).split() for line in lane_lines(view, 38, 4)]
    assert lines[:3] == [
        ["done", "123,456,789"],
        ["waiting", "12,345,678"],
        ["excepted", "✖", "1,234,567"],
    ]


def test_lane_with_wide_letters_still_fits() -> None:
    """Two cells a letter are counted as two."""
    overview = an_overview()
    lane = msgspec.structs.replace(overview.lanes[0], facts=(("商品数", "在庫なし"),) * 9)
    wide = msgspec.structs.replace(overview, lanes=(lane,))
    view = lane_view("Stock", wide, before=None, now=NOON, limits=LIMITS)
    assert view is not None

    for width, height in ((38, 4), (28, 9), (48, 9)):
        assert max(cell_len(_line(line)) for line in lane_lines(view, width, height)) <= width


def test_lane_of_hostile_facts_is_plain() -> None:
    """Facts are foreign text."""
    overview = an_overview()
    lane = msgspec.structs.replace(overview.lanes[0], facts=((HOSTILE, HOSTILE),))
    hostile = msgspec.structs.replace(overview, lanes=(lane,))
    view = lane_view("Stock", hostile, before=None, now=NOON, limits=LIMITS)
    assert view is not None

    lines = [_line(line) for line in lane_lines(view, 60, 9)]
    assert all(line.isprintable() for line in lines)
    assert any("␛[31m" in line for line in lines)


# ── explanations ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("pane", [*PANES, *(f"lane-{lane.lower()}" for lane in LANES)])
def test_explanation_of_every_pane_writes_out_when_ages_change(pane: str) -> None:
    """F1 says at which seconds a sign changes."""
    title, text = explanation(pane, AgeLimits(pane_ageing_s=17, lane_stale_s=4711))

    assert title
    assert "▲ from 17s" in text
    assert "✖ from 4711s" in text


def test_explanation_of_an_unknown_lane_is_that_of_a_lane() -> None:
    """Nothing is left unexplained."""
    assert explanation("lane-returns", LIMITS)[0] == "Lane"
