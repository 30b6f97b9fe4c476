"""Pictures: each screen, in each state, at each size, under a clock that stands still.

A change that is meant is accepted with `pytest tests/tui --snapshot-update`, after a look.
"""

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from kcjl.errors import Unavailable
from tests.tui.made_up import FakeSource, an_overview, some_events, some_exceptions
from tests.tui.made_up_health import some_watched
from tests.tui.made_up_money import some_payouts
from tests.tui.made_up_policy import some_policies
from tests.tui.made_up_stock import some_products
from tests.tui.pilots import NEVER_S, lose, pressed, settled
from tui.app import MonitorApp
from tui.places import PLACES
from tui.theme import MONO_THEME, THEMES

SnapCompare = Callable[..., bool]

_SIZES = [(80, 24), (120, 40), (200, 60)]
_PLACES = [place.name for place in PLACES]
_KEYS = {place.name: place.key for place in PLACES}

size_law = pytest.mark.parametrize("size", _SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
place_law = pytest.mark.parametrize("place", _PLACES)


def _full() -> FakeSource:
    source = FakeSource(
        exceptions=some_exceptions(60),
        total=12431,
        events=some_events(900),
        payouts=some_payouts(30),
        watched=some_watched(),
    )
    source.stock.rows, source.stock.total = some_products(60), 100_000
    source.policy.rows = some_policies()
    return source


def _app(source: FakeSource) -> MonitorApp:
    return MonitorApp(source, refresh_s=NEVER_S, title="kcjl", operator="finance")


def _after(*keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    async def run(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pressed(pilot, keys)

    return run


@size_law
@place_law
class TestScreens:
    """The screens in their four states."""

    def test_live(self, place: str, size: tuple[int, int], snap_compare: SnapCompare) -> None:
        """Fresh figures."""
        assert snap_compare(_app(_full()), terminal_size=size, run_before=_after(_KEYS[place]))

    def test_as_of(self, place: str, size: tuple[int, int], snap_compare: SnapCompare) -> None:
        """Another time: said in words, with its position, under a tint of its own."""
        keys = (_KEYS[place], "colon", *"at #12400", "enter")
        assert snap_compare(_app(_full()), terminal_size=size, run_before=_after(*keys))

    def test_paused(self, place: str, size: tuple[int, int], snap_compare: SnapCompare) -> None:
        """Held still for a while: the header is tinted, the ages have grown."""
        source = _full()
        app = _app(source)

        async def run(pilot: Pilot[None]) -> None:
            await settled(pilot)
            await pressed(pilot, [_KEYS[place], "p"])
            source.pass_time(35)
            app.tick()
            await settled(pilot)

        assert snap_compare(app, terminal_size=size, run_before=run)

    def test_empty(self, place: str, size: tuple[int, int], snap_compare: SnapCompare) -> None:
        """A merchant's first minute: nothing has happened, nothing is wrong."""
        made = an_overview(open_exceptions=0)
        new = type(made)(
            merchant=made.merchant,
            fresh=made.fresh,
            lanes=(),
            events=0,
            exceptions_open=0,
            money_at_risk=(),
            writes_allowed=True,
        )
        app = _app(FakeSource(overview=new))
        assert snap_compare(app, terminal_size=size, run_before=_after(_KEYS[place]))

    def test_error(self, place: str, size: tuple[int, int], snap_compare: SnapCompare) -> None:
        """The source is lost: banner, stale figures dimmed and still there."""
        source = _full()
        app = _app(source)

        async def run(pilot: Pilot[None]) -> None:
            await settled(pilot)
            await pressed(pilot, _KEYS[place])
            down = Unavailable("the database can't be reached: connection refused")
            await lose(app, source, pilot, down)

        assert snap_compare(app, terminal_size=size, run_before=run)


@pytest.mark.parametrize("size", _SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    "keys",
    [
        ("6", "j", "j", "space", "enter"),
        ("7", "k", "k", "enter"),
        ("2", "slash", *"chair-0003", "enter", "w"),
        ("9", "v"),
        ("6", "slash", *"kind:sku", "enter"),
        ("6", "question_mark"),
        ("5", "enter"),
        ("5", "w"),
        ("5", "k", "enter"),
        ("5", "A"),
        ("8", "j", "enter"),
        ("6", "f1"),
    ],
    ids=[
        "exception",
        "event",
        "sku",
        "policy",
        "filter",
        "keys",
        "payout",
        "pennies",
        "next payout",
        "accept",
        "calls",
        "explained",
    ],
)
def test_details_filter_and_dialogs(
    keys: tuple[str, ...], size: tuple[int, int], snap_compare: SnapCompare
) -> None:
    """What opens from a list, on a small and on a usual terminal."""
    assert snap_compare(_app(_full()), terminal_size=size, run_before=_after(*keys))


@pytest.mark.parametrize("theme", [THEMES[1].name, MONO_THEME])
def test_other_themes(theme: str, snap_compare: SnapCompare) -> None:
    """Colour-blind-safe, and two colours only."""
    app = _app(_full())

    async def run(pilot: Pilot[None]) -> None:
        await settled(pilot)
        app.theme = theme
        await pressed(pilot, ["6", "j", "space"])

    assert snap_compare(app, terminal_size=(80, 24), run_before=run)
