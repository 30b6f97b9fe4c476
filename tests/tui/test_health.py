"""The health screen: what is wrong first, curves with their axes, and what has no past."""

import pytest

from kcjl.readmodels_health import Series
from tests.tui.made_up import NOON, FakeSource, some_events
from tests.tui.made_up_health import a_watched, some_watched
from tests.tui.pilots import glass, monitor, pressed
from tui.model.health import health_detail, health_row, health_title
from tui.model.moments import Zone
from tui.model.shapes import DetailView

pytestmark = pytest.mark.anyio


def chart(view: DetailView) -> list[str]:
    (block,) = [line for line in view.lines if line.block]
    return block.value.split("\n")


async def test_what_is_wrong_is_counted_in_the_title_and_stands_first() -> None:
    """At 80 columns too: the state, what it is, its last sign of life, and the words."""
    async with monitor(FakeSource(watched=some_watched()), size=(80, 24)) as (app, pilot):
        await pressed(pilot, "8")
        text = glass(app)

    assert "✖ 1 wrong, ▲ 1 to look at" in text
    assert text.index("✖ BAD") < text.index("▲ LOOK") < text.index("● OK")
    assert "7m 00s KCJL-3001 the marketplace gave no" in text
    assert "Health" == health_title(None, None)


def test_chart_has_its_top_its_nought_and_its_step() -> None:
    """Heights are in eighths: half of the most is half of the chart."""
    series = Series(name="calls", unit="calls", step="1 h", counts=(0, 600, 1_200))
    lines = chart(health_detail(a_watched(series=(series,)), NOON, Zone.LONDON, past=False))

    assert "1,200 ┤  █" == lines[0]
    assert "      ┤ ██" == lines[3]
    assert "    0 ┼───" == lines[-2]
    assert "3 × 1 h, newest at the right" in lines[-1]


def test_chart_of_nothing_says_so() -> None:
    """No curve of noughts is made up."""
    series = Series(name="lag", unit="s", step="one read", counts=())
    lines = chart(health_detail(a_watched(series=(series,)), NOON, Zone.LONDON, past=False))

    assert ["nothing yet"] == lines


def test_what_has_no_past_says_so_at_another_time() -> None:
    """A lease is known only as it is now: neither its state nor its age is then's."""
    lease = a_watched(key="lease", name="lease", said="held by us", has_past=False)
    row = health_row(lease, NOON, past=True)
    view = health_detail(lease, NOON, Zone.LONDON, past=True)

    assert ["? -", "as it is now, not as of then: held by us"] == [
        row.cells[0].text,
        row.cells[-1].text,
    ]
    assert "-" == row.cells[3].text
    assert "no past" in view.note
    assert "● OK" == health_row(lease, NOON, past=False).cells[0].text


async def test_health_as_of_a_time_marks_what_has_no_past() -> None:
    """On the glass, too."""
    source = FakeSource(watched=some_watched(), events=some_events(100))
    async with monitor(source, size=(120, 40)) as (app, pilot):
        await pressed(pilot, ["8", "colon", *"at #12400", "enter"])
        text = glass(app)

    assert "as it is now, not as of then" in text


async def test_faults_are_listed_with_their_positions_and_both_clocks() -> None:
    """Newest first, so that one can go to the event."""
    async with monitor(FakeSource(watched=some_watched()), size=(120, 40)) as (app, pilot):
        await pressed(pilot, ["8", "w"])
        text = glass(app)

    assert "#12399" in text
    assert "2026-07-07 11:53:00.000 BST, learnt" in text
    assert "2026-07-07 11:53:04.000 BST" in text
