"""Foreign text on the glass: what a seller, a buyer or a courier types is shown, not obeyed."""

import msgspec
import pytest

from tests.tui.made_up import HOSTILE, FakeSource, an_event, an_exception, an_overview
from tests.tui.pilots import glass, lose, monitor, pressed
from tui.app import MonitorApp

pytestmark = pytest.mark.anyio

_NAMES = ("kind", "severity", "subject", "message", "next_step", "owner", "state")
_EVENT_NAMES = ("type", "stream", "by", "correlation_id", "data", "hash")


def _source() -> FakeSource:
    made = an_overview()
    lanes = tuple(
        msgspec.structs.replace(lane, facts=((HOSTILE, HOSTILE),)) for lane in made.lanes
    )
    odd = msgspec.structs.replace(made.lanes[0], name=f"Odd{HOSTILE}")
    return FakeSource(
        overview=msgspec.structs.replace(made, merchant=HOSTILE, lanes=(*lanes, odd)),
        exceptions=[an_exception(1, **dict.fromkeys(_NAMES, HOSTILE))],
        events=[an_event(12431, **dict.fromkeys(_EVENT_NAMES, HOSTILE))],
    )


def _drawn(app: MonitorApp) -> str:
    """Everything that would be sent to the terminal, without colours."""
    lines = app.screen._compositor.render_strips(app.size)
    return "\n".join(strip.text for strip in lines)


@pytest.mark.parametrize("place", ["1", "6", "7"])
@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_hostile_data_reach_the_glass_as_plain_text(
    place: str, size: tuple[int, int]
) -> None:
    """No control character, no markup, on list and detail, at each size."""
    async with monitor(_source(), size=size) as (app, pilot):
        await pressed(pilot, place)
        listed = _drawn(app)
        await pressed(pilot, "enter")
        opened = _drawn(app)

    for text in (listed, opened):
        assert text.replace("\n", "").isprintable()
        assert "\u202e" not in text
        assert "␛[31mB␇‹U+202E›" in text
    assert "E[b]F[/b]" in opened


async def test_hostile_error_is_plain_in_the_banner() -> None:
    """An error message is foreign text too."""
    source = _source()
    async with monitor(source, size=(200, 60)) as (app, pilot):
        await lose(app, source, pilot, RuntimeError(HOSTILE))
        text = _drawn(app)

    assert "RuntimeError: A␛[31mB␇" in text
    assert text.replace("\n", "").isprintable()


async def test_hostile_id_is_copied_as_it_is_and_shown_as_text() -> None:
    """The clipboard gets the true id: it is what one searches for elsewhere."""
    source = FakeSource(exceptions=[an_exception(1, exception_id="a[b]c")])
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["6", "y"])

        assert app.clipboard == "a[b]c"
        assert "1 id copied" in glass(app)
