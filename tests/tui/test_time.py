"""Another time: all panes move together, nothing of the present is left on them, and back."""

import asyncio

import pytest

from kcjl.command import Outcome
from kcjl.errors import Unavailable
from tests.tui.made_up import FakeSource, some_events, some_exceptions
from tests.tui.pilots import glass, monitor, pressed, settled
from tui.model.header import Mode

pytestmark = pytest.mark.anyio

_AT = ("colon", *"at #12400", "enter")


def _source() -> FakeSource:
    return FakeSource(exceptions=some_exceptions(9), events=some_events(200))


async def test_another_time_is_said_in_words_and_every_pane_is_of_it() -> None:
    """The header names the mode and the position; no later event is on any screen."""
    async with monitor(_source()) as (app, pilot):
        await pressed(pilot, _AT)
        assert app.state.mode is Mode.AS_OF
        for place in ("1", "7"):
            await pressed(pilot, place)
            text = glass(app)
            assert "◀ AS-OF #12,400" in text
            assert "12,400" in text
            assert "12,401" not in text


async def test_screen_that_was_seen_live_shows_nothing_of_the_present_in_the_past() -> None:
    """What a hidden screen holds is of another time: it is let go, not shown."""
    async with monitor(_source()) as (app, pilot):
        await pressed(pilot, "7")
        assert "12,431" in glass(app)
        await pressed(pilot, ["1", *_AT])
        source = app.state.past
        assert isinstance(source, FakeSource)
        source.gate = asyncio.Event()
        await pilot.press("7")
        await pilot.pause()
        assert "12,431" not in glass(app)
        source.gate.set()
        await settled(pilot)
        assert "12,400" in glass(app)


async def test_esc_leaves_the_detail_first_then_the_past() -> None:
    """One thing at a time, and then LIVE again."""
    async with monitor(_source()) as (app, pilot):
        await pressed(pilot, ["6", *_AT, "enter"])
        await pressed(pilot, "escape")
        assert app.state.past is not None
        await pressed(pilot, "escape")

        assert app.state.past is None
        assert "● LIVE" in glass(app)
        assert app.current_mode == "exceptions"


async def test_past_is_read_once_and_not_at_every_tick() -> None:
    """It does not change."""
    async with monitor(_source()) as (app, pilot):
        await pressed(pilot, _AT)
        past = app.state.past
        assert isinstance(past, FakeSource)
        asked = len(past.asked)
        for _ in range(3):
            app.tick()
            await settled(pilot)

        assert len(past.asked) == asked


async def test_past_can_not_be_changed() -> None:
    """Keys that act are gone, and nothing is issued."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["6", *_AT, "r", "A"])

        assert app.current_mode == "exceptions"
        assert source.done == []


async def test_time_that_is_none_is_said_and_nothing_moves() -> None:
    """A position that the log has not reached, and words that are no time."""
    async with monitor(_source()) as (app, pilot):
        for line in ("at #99999", "at soon"):
            await pressed(pilot, ["colon", *line, "enter"])
            assert app.state.mode is Mode.LIVE
            assert app.state.said[0].failed

    assert app.state.said[-1].text == "there is nothing at 99999"


async def test_source_that_is_lost_while_in_the_past_says_so() -> None:
    """The tint of the past does not hide that nothing can be read."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, _AT)
        past = app.state.past
        assert isinstance(past, FakeSource)
        past.error = Unavailable("gone")
        await pressed(pilot, "7")

        assert app.state.mode is Mode.DISCONNECTED
        assert "DISCONNECTED since" in glass(app)


async def test_command_that_is_refused_says_why_and_how_many_were_done() -> None:
    """The first no ends a batch; the answer stands in the messages."""
    source = _source()
    source.outcome = Outcome(ok=False, message="it is on its way already")
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["6", "r", "enter"])
        await pressed(pilot, "m")

        assert len(source.done) == 1
        assert "Retry 1 exception: it is on its way already" in glass(app)


async def test_confirmation_that_is_left_sends_nothing_and_one_that_lacks_says_what() -> None:
    """Esc does nothing at all; what is needed is named."""
    source = _source()
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["6", "A", "enter"])
        assert "why is needed" in glass(app)
        await pressed(pilot, ["escape"])
        assert source.done == []
        await pressed(pilot, ["A", *"agreed", "enter"])

    assert [each.arguments["reason"] for each in source.done] == ["agreed"]
