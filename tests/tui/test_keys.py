"""Every action of the registry, done by its key (or by the palette), and what comes of it."""

from collections.abc import Callable

import msgspec
import pytest
from textual.command import CommandPalette
from textual.widgets import Input

from tests.tui.made_up import FakeSource, an_event, an_exception, some_events, some_exceptions
from tests.tui.made_up_health import some_watched
from tests.tui.made_up_money import some_payouts
from tests.tui.made_up_policy import some_policies
from tests.tui.made_up_stock import a_hold, some_products
from tests.tui.pilots import glass, monitor, pressed, settled, table
from tui.actions import ACTIONS, action_by_id
from tui.app import MonitorApp
from tui.model.header import Mode
from tui.model.moments import Zone
from tui.places import PLACES
from tui.screens.catalogue import SCREENS
from tui.screens.confirm import ConfirmScreen
from tui.screens.dialogs import DialogScreen
from tui.screens.listing import ListScreen
from tui.theme import DEFAULT_THEME, MONO_THEME, THEMES
from tui.widgets.command_bar import CommandBar
from tui.widgets.detail import DetailPane
from tui.widgets.filter_bar import FilterBar

pytestmark = pytest.mark.anyio

Check = Callable[[MonitorApp], bool]


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """Keys that lead there, then the action, then what must be true."""

    action: str
    after: tuple[str, ...] = ()
    holds: Check
    key: str = ""
    """Another than the action's first key."""


def _mode(place: str) -> Check:
    return lambda app: app.current_mode == place


def _row(number: int) -> Check:
    return lambda app: table(app).cursor_key == f"exception-{number:04}"


def _scrolled(lines: int) -> Check:
    return lambda app: app.screen.query_one(DetailPane).scroll_y == lines


def _at_end(app: MonitorApp) -> bool:
    pane = app.screen.query_one(DetailPane)
    return pane.scroll_y == pane.max_scroll_y > 0


def _focus(kind: str) -> Check:
    return lambda app: type(app.focused).__name__ == kind


def _listing(app: MonitorApp) -> ListScreen[object]:
    assert isinstance(app.screen, ListScreen)
    return app.screen


def _dialog(title: str) -> Check:
    return lambda app: isinstance(app.screen, DialogScreen) and title in glass(app)


def _typed(app: MonitorApp) -> str:
    return app.screen.query_one("#command-field", Input).value


def _then(position: int) -> Check:
    return lambda app: app.state.as_of is not None and app.state.as_of.position == position


def _done(verb: str) -> Check:
    def issued(app: MonitorApp) -> bool:
        source = app.state.live
        return isinstance(source, FakeSource) and [each.verb for each in source.done] == [verb]

    return issued


def _told(app: MonitorApp) -> bool:
    """The row under the cursor is open, and the pane that tells its life is seen."""
    return _listing(app).opened is not None and app.screen.query_one(DetailPane).display


def _field(name: str) -> Check:
    return lambda app: app.focused is not None and app.focused.id == name


def _asked(app: MonitorApp) -> bool:
    return isinstance(app.screen, ConfirmScreen)


_THEN = ("colon", *"at #12400", "enter")
_DETAIL = ("6", "enter")
_DIALOG = ("question_mark",)

CASES = (
    Case(action="go.overview", after=("6",), holds=_mode("overview")),
    Case(action="go.exceptions", holds=_mode("exceptions")),
    Case(action="go.log", holds=_mode("log")),
    *(
        Case(action=f"go.{place.name}", holds=_mode(place.name))
        for place in PLACES
        if place.name in set(SCREENS) - {"overview", "exceptions", "log"}
    ),
    Case(action="go.command", holds=lambda app: app.screen.query_one(CommandBar).editing),
    Case(action="go.last", after=("6", "7"), holds=_mode("exceptions")),
    Case(action="go.last", after=("6", "7", "minus"), holds=_mode("log")),
    Case(action="go.earlier", after=("6", "7"), holds=_mode("exceptions")),
    Case(
        action="go.later",
        after=("6", "7", "left_square_bracket", "left_square_bracket"),
        holds=_mode("exceptions"),
    ),
    Case(action="time.at", holds=lambda app: _typed(app) == "at "),
    Case(action="time.live", after=_THEN, holds=lambda app: app.state.mode is Mode.LIVE),
    Case(action="time.event_back", after=_THEN, holds=_then(12399)),
    Case(action="time.event_on", after=_THEN, holds=_then(12401)),
    Case(action="time.minute_back", after=_THEN, holds=_then(12373)),
    Case(action="time.minute_on", after=_THEN, holds=_then(12426)),
    Case(action="time.exception", after=_THEN, holds=_then(12410)),
    Case(action="time.publish", after=_THEN, holds=_then(12420)),
    Case(action="help.messages", holds=_dialog("Messages")),
    Case(action="list.sort", after=("6",), holds=lambda app: "by SEV" in glass(app)),
    Case(action="list.sort_back", after=("6", "s"), holds=lambda app: "by SEV ↓" in glass(app)),
    Case(
        action="list.expand",
        after=("6", "enter"),
        holds=lambda app: app.screen.has_class("-only-detail"),
    ),
    *(
        Case(
            action=f"exceptions.{verb}",
            after=("6",),
            holds=lambda app: isinstance(app.screen, ConfirmScreen),
        )
        for verb in ("retry", "assign", "note", "park", "accept")
    ),
    Case(action="writes.switch", after=("7",), holds=_asked),
    Case(action="stock.why", after=("2",), holds=lambda app: "Why so many" in glass(app)),
    *(
        Case(action=f"stock.{name}", after=after, holds=_asked)
        for name, after in {
            "retry": ("2",),
            "alias": ("2",),
            "unalias": ("2", "slash", *"table-0005", "enter"),
            "release": ("2",),
            "publishing": ("2",),
            "buffer": ("2",),
        }.items()
    ),
    Case(action="policy.why", after=("9",), holds=lambda app: "Versions: " in glass(app)),
    Case(
        action="policy.what_if",
        after=("9",),
        holds=lambda app: "214 of 18,244 products" in glass(app),
    ),
    *(
        Case(action=f"policy.{name}", after=after, holds=_asked)
        for name, after in {
            "set": ("9", "slash", *"name:bank", "enter"),
            "unmap": ("9", "slash", *"name:dpd", "enter"),
            "approve": ("9",),
            "buffer": ("9",),
        }.items()
    ),
    Case(
        action="exceptions.storm",
        after=("6", "G"),
        holds=lambda app: "Storm of posting_refused" in glass(app),
    ),
    *(
        Case(
            action=f"money.{verb}",
            after=("5", *keys),
            holds=lambda app: isinstance(app.screen, ConfirmScreen),
        )
        for verb, keys in (
            ("accept", ()),
            ("received", ()),
            ("ack", "jj"),
            ("reverse", "jj"),
            ("withdraw", "jjj"),
        )
    ),
    Case(action="money.why", after=("5",), holds=lambda app: "EACH PENNY" in glass(app)),
    Case(action="health.why", after=("8",), holds=lambda app: "LAST FAULTS" in glass(app)),
    Case(action="orders.why", after=("3",), holds=_told),
    Case(action="dispatch.why", after=("4",), holds=_told),
    *(
        Case(
            action=f"orders.{word}",
            after=("3",),
            holds=lambda app: isinstance(app.screen, ConfirmScreen),
        )
        for word in (
            *("retry", "hold", "release", "accept", "refuse", "refund", "cancel", "withdraw"),
            *("post_again", "look", "corrected", "buyer", "erase", "count"),
        )
    ),
    *(
        Case(
            action=f"dispatch.{word}",
            after=("4",),
            holds=lambda app: isinstance(app.screen, ConfirmScreen),
        )
        for word in ("retry", "as_is", "map", "unmap")
    ),
    Case(action="confirm.do", after=("6", "r"), holds=_done("exceptions-retry")),
    Case(action="confirm.leave", after=("6", "r"), holds=_mode("exceptions")),
    Case(action="confirm.next", after=("6", "P"), holds=_field("field-reason")),
    Case(action="confirm.previous", after=("6", "P", "tab"), holds=_field("field-until")),
    Case(
        action="command.complete",
        after=("colon", *"ord"),
        holds=lambda a: _typed(a) == "orders ",
    ),
    Case(action="command.leave", after=("colon",), holds=_focus("RowTable")),
    Case(
        action="command.earlier",
        after=("colon", *"log", "enter", "colon"),
        holds=lambda app: _typed(app) == "log",
    ),
    Case(
        action="command.later",
        after=("colon", *"log", "enter", "colon", "up"),
        holds=lambda app: _typed(app) == "",
    ),
    Case(action="go.back", after=("6",), holds=_mode("overview")),
    Case(action="go.back", holds=lambda app: app.return_code is None),
    Case(action="go.quit", after=("7",), holds=_mode("overview")),
    Case(action="go.quit", holds=lambda app: app.return_code == 0),
    Case(action="go.next_pane", after=("6", "enter", "escape"), holds=_focus("RowTable")),
    Case(action="go.next_pane", holds=_focus("LanePane")),
    Case(action="go.previous_pane", holds=_focus("LanePane")),
    Case(action="view.pause", holds=lambda app: app.state.mode is Mode.PAUSED),
    Case(action="view.pause", after=("p",), holds=lambda app: app.state.mode is Mode.LIVE),
    Case(action="view.zone", holds=lambda app: app.state.zone is Zone.UTC),
    Case(action="view.zone", holds=lambda app: "11:00:00 UTC" in glass(app)),
    Case(action="view.theme", holds=lambda app: app.theme == THEMES[1].name),
    Case(
        action="view.theme_default", after=("T",), holds=lambda app: app.theme == DEFAULT_THEME
    ),
    Case(action="view.theme_safe", holds=lambda app: app.theme == THEMES[1].name),
    Case(action="view.theme_mono", holds=lambda app: app.theme == MONO_THEME),
    Case(action="help.keys", holds=_dialog("Keys: Overview")),
    Case(action="help.pane", after=("6",), holds=_dialog("FROM THE MANUAL")),
    Case(action="help.pane", after=("7",), holds=_dialog("The event log itself")),
    Case(action="help.palette", holds=lambda app: isinstance(app.screen, CommandPalette)),
    Case(
        action="filter.open",
        after=("6",),
        holds=lambda app: app.screen.query_one(FilterBar).editing,
    ),
    Case(
        action="filter.clear",
        after=("6", "slash", "x", "enter"),
        holds=lambda app: not _listing(app).wanted and _row(1)(app),
    ),
    Case(action="rows.open", after=("6",), holds=lambda app: _listing(app).opened is not None),
    Case(
        action="rows.mark",
        after=("6",),
        holds=lambda app: table(app).marks == {"exception-0001"} and _row(2)(app),
    ),
    Case(
        action="rows.copy",
        after=("6", "j"),
        holds=lambda app: app.clipboard == "exception-0002",
    ),
    Case(
        action="rows.copy",
        after=("6", "space", "space"),
        holds=lambda app: app.clipboard == "exception-0001\nexception-0002",
    ),
    Case(action="rows.up", after=("6", "j", "j"), holds=_row(2)),
    Case(action="rows.up", after=("6", "j", "j"), key="up", holds=_row(2)),
    Case(action="rows.down", after=("6",), holds=_row(2)),
    Case(action="rows.down", after=("6",), key="down", holds=_row(2)),
    Case(action="rows.page_up", after=("6", "G"), holds=_row(60 - 16)),
    Case(action="rows.page_down", after=("6",), holds=_row(1 + 16)),
    Case(action="rows.first", after=("6", "G"), holds=_row(1)),
    Case(action="rows.last", after=("6",), holds=_row(60)),
    Case(action="detail.down", after=_DETAIL, holds=_scrolled(1)),
    Case(action="detail.up", after=(*_DETAIL, "j", "j"), holds=_scrolled(1)),
    Case(action="detail.page_down", after=_DETAIL, holds=lambda app: not _scrolled(0)(app)),
    Case(action="detail.page_up", after=(*_DETAIL, "pagedown"), holds=_scrolled(0)),
    Case(action="detail.last", after=_DETAIL, holds=_at_end),
    Case(action="detail.first", after=(*_DETAIL, "G"), holds=_scrolled(0)),
    Case(action="dialog.down", after=_DIALOG, holds=_scrolled(1)),
    Case(action="dialog.up", after=(*_DIALOG, "j", "j"), holds=_scrolled(1)),
    Case(action="dialog.page_down", after=_DIALOG, holds=lambda app: not _scrolled(0)(app)),
    Case(action="dialog.page_up", after=(*_DIALOG, "pagedown"), holds=_scrolled(0)),
    Case(action="dialog.last", after=_DIALOG, holds=_at_end),
    Case(action="dialog.first", after=(*_DIALOG, "G"), holds=_scrolled(0)),
    Case(
        action="dialog.close",
        after=_DIALOG,
        holds=lambda app: not isinstance(app.screen, DialogScreen),
    ),
)


def _source() -> FakeSource:
    """The first exception has so much to say that its detail scrolls."""
    long = an_exception(1, message="word " * 400)
    storm = an_exception(60, kind="posting_refused", folded=412)
    raised = an_event(12410, type="ExceptionRaised")
    sent = an_event(12420, type="StockImportIntended")
    kept = {12410: raised, 12420: sent}
    events = [kept.get(event.position, event) for event in some_events(100)]
    source = FakeSource(
        exceptions=(long, *some_exceptions(60)[1:-1], storm),
        events=events,
        payouts=some_payouts(4),
        watched=some_watched(),
    )
    source.stock.rows, source.stock.held = some_products(60), a_hold()
    source.policy.rows = some_policies()
    return source


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.action)
async def test_action_by_its_key_does_what_its_help_says(case: Case) -> None:
    """Each action, on a terminal of 80 by 24; one without a key goes through the palette."""
    action = action_by_id(case.action)
    assert action is not None
    async with monitor(_source(), size=(80, 24)) as (app, pilot):
        await pressed(pilot, case.after)
        if action.key:
            await pressed(pilot, [case.key or action.keys[0]])
        else:
            await pressed(pilot, ["ctrl+p", *action.verb.replace(" ", ""), "enter"])

        assert case.holds(app)


def test_actions_all_have_a_case() -> None:
    """No action without a test of what it does."""
    unbuilt = {f"go.{place.name}" for place in PLACES if place.name not in SCREENS}
    assert {action.id for action in ACTIONS} - unbuilt == {case.action for case in CASES}


async def test_back_leaves_one_thing_at_a_time() -> None:
    """Filter line, detail, filter, marks, screen: each esc undoes one of them."""
    async with monitor(_source()) as (app, pilot):
        await pressed(pilot, ["6", "space", "slash", *"held", "enter", "enter", "slash", "x"])
        screen = _listing(app)

        await pressed(pilot, ["escape"])
        assert not screen.filter_bar.editing
        assert screen.wanted.raw == "held"
        assert screen.opened is not None
        await pressed(pilot, ["escape"])
        assert screen.opened is None
        assert screen.wanted
        await pressed(pilot, ["escape"])
        assert not screen.wanted
        assert app.current_mode == "exceptions"
        await pressed(pilot, ["escape"])
        assert app.current_mode == "overview"


async def test_marks_of_rows_that_the_filter_hides_are_let_go() -> None:
    """What can't be seen can't be acted upon: a mark does not outlive its row in the list."""
    async with monitor(_source()) as (app, pilot):
        await pressed(pilot, ["6", "space", "slash", *"sku", "enter"])

        assert table(app).marks == frozenset()


async def test_back_clears_marks_before_it_leaves_the_screen() -> None:
    """Marks are one of the things that esc undoes."""
    async with monitor(_source()) as (app, pilot):
        await pressed(pilot, ["6", "space", "space"])
        assert "* 2 marked" in glass(app)
        await pressed(pilot, ["escape"])

        assert table(app).marks == frozenset()
        assert "marked" not in glass(app)
        assert app.current_mode == "exceptions"


async def test_filter_line_takes_every_letter_and_filters_as_one_types() -> None:
    """Letters that are keys elsewhere are text in the filter line; the filter stays on show."""
    async with monitor(_source()) as (app, pilot):
        await pressed(pilot, ["6", "slash", *"kind:sku q"])
        screen = _listing(app)
        assert screen.wanted.raw == "kind:sku q"
        await pressed(pilot, ["backspace", "backspace", "enter"])
        text = glass(app)

    assert "filter / kind:sku" in text
    assert "14 of 60 open exceptions match" in text
    assert "order-held" not in text


async def test_filter_that_is_not_understood_says_so() -> None:
    """A field that does not exist is named, with those that do."""
    async with monitor(_source(), size=(200, 60)) as (app, pilot):
        await pressed(pilot, ["6", "slash", *"colour:red", "enter"])
        text = glass(app)

    assert "colour: is no field here (fields: kind severity" in text
    assert "Nothing matches the filter" in text


async def test_filter_owner_me_means_the_operator() -> None:
    """owner:me shows my own work."""
    async with monitor(_source(), operator="finance") as (app, pilot):
        await pressed(pilot, ["6", "slash", *"owner:me", "enter"])
        rows = _listing(app).matching()

    assert {"finance"} == {row.owner for row in rows}  # type: ignore[attr-defined]


async def test_enter_twice_moves_into_the_detail_beside_the_list() -> None:
    """On a wide terminal the list keeps the cursor; a second enter goes into the detail."""
    async with monitor(_source(), size=(120, 40)) as (app, pilot):
        await pressed(pilot, ["6", "enter"])
        assert _focus("RowTable")(app)
        await pressed(pilot, ["j"])
        assert "parcel-880002" in app.screen.query_one(DetailPane).view.title  # type: ignore[union-attr]
        await pressed(pilot, ["enter"])
        assert _focus("DetailPane")(app)


async def test_first_key_before_anything_was_read_is_harmless() -> None:
    """Enter on an empty list, at once: nothing to open, nothing breaks."""
    async with monitor(FakeSource()) as (app, pilot):
        await pressed(pilot, ["enter", "space", "y", "G", "g", "6", "enter", "7", "enter", "k"])

        assert app.is_running
        assert _listing(app).opened is None


async def test_interrupt_leaves_with_the_shells_exit_code() -> None:
    """ctrl+c is no key of ours: it ends the monitor, as it ends any command."""
    app = MonitorApp(FakeSource(), refresh_s=60, title="kcjl")
    async with app.run_test() as pilot:
        await pilot.press("ctrl+c")
        await pilot.pause()

    assert app.return_code == 130


async def test_click_on_a_screens_name_goes_there_and_on_a_row_moves_the_cursor() -> None:
    """The mouse works where one expects it."""
    async with monitor(_source(), size=(80, 24)) as (app, pilot):
        await pilot.click("ScreenLine", offset=(26, 0))
        await settled(pilot)
        assert app.current_mode == "exceptions"
        await pilot.click("RowTable", offset=(10, 5))
        await settled(pilot)
        assert _row(4)(app)
        await pilot.click("RowTable", offset=(10, 5), times=2)
        await settled(pilot)
        assert "SKU-00004" in str(app.screen.query_one(DetailPane).border_title)
