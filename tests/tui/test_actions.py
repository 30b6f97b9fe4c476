"""Laws of the registry of actions, and of what is made from it."""

from itertools import combinations

import pytest

from tests.tui.made_up import FakeSource, some_events, some_exceptions
from tests.tui.pilots import glass, monitor, pressed
from tui.actions import ACTIONS, FORBIDDEN_KEYS, HINTS_MAX, Action, Scope, actions_of, key_text
from tui.bindings import live_actions
from tui.model.header import Mode

pytestmark = pytest.mark.anyio

_TOGETHER = (
    (Scope.APP, Scope.LISTS, Scope.TABLE),
    (Scope.APP, Scope.LISTS, Scope.DETAIL),
    (Scope.APP, Scope.LISTS, Scope.TABLE, Scope.ORDERS),
    (Scope.APP, Scope.LISTS, Scope.DETAIL, Scope.ORDERS),
    (Scope.APP, Scope.LISTS, Scope.TABLE, Scope.DISPATCH),
    (Scope.APP, Scope.LISTS, Scope.DETAIL, Scope.DISPATCH),
    (Scope.DIALOG,),
)
"""The scopes that are alive at the same time, for each kind of focus."""


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_action_any_has_help_a_name_and_a_mode(action: Action) -> None:
    """Every action has a name, is explained in a sentence, and is allowed somewhere."""
    assert action.help.endswith(".")
    assert len(action.help.split()) >= 3
    assert action.title == f"{action.area}: {action.verb}"
    assert action.area[0].isupper()
    assert action.label
    assert set(Mode) >= action.modes
    assert action.modes


def test_actions_all_have_their_own_id() -> None:
    """A keymap overrides by id, so no two actions share one."""
    assert len(ACTIONS) == len({action.id for action in ACTIONS})


@pytest.mark.parametrize(
    "scopes", _TOGETHER, ids=lambda scopes: "-".join(scope.name for scope in scopes)
)
def test_actions_of_one_focus_share_no_key(scopes: tuple[Scope, ...]) -> None:
    """A key means one thing wherever one stands."""
    actions = [action for scope in scopes for action in actions_of(scope)]
    clashes = {
        (one.id, other.id): set(one.keys) & set(other.keys)
        for one, other in combinations(actions, 2)
        if set(one.keys) & set(other.keys)
    }
    assert clashes == {}


def test_actions_take_no_key_of_shell_or_multiplexer() -> None:
    """What tmux, screen or the terminal swallows, or the shell means, is not ours to take."""
    taken = {key for action in ACTIONS for key in action.keys}
    assert taken & FORBIDDEN_KEYS == set()
    assert {"ctrl+b", "ctrl+c", "ctrl+z"} <= FORBIDDEN_KEYS


def test_actions_that_change_something_are_on_screens_of_their_own() -> None:
    """None is everywhere but the kill switch: one has to stand before what one changes."""
    everywhere = {each.id for each in ACTIONS if each.danger and each.scope is Scope.APP}
    assert everywhere == {"writes.switch"}
    assert "exceptions.accept" in {each.id for each in ACTIONS if each.danger}


async def test_actions_that_change_something_are_gone_for_whoever_only_looks() -> None:
    """Neither key nor palette has them; the database would refuse them as well."""
    source = FakeSource(exceptions=some_exceptions(3))
    source.may_act = False
    async with monitor(source) as (app, pilot):
        await pressed(pilot, ["6", "r"])
        live = {action.id for action, _ in live_actions(app.screen.active_bindings)}

    assert not {each.id for each in ACTIONS if each.danger} & live
    assert source.done == []


def test_key_names_are_written_as_people_write_them() -> None:
    """Textual's names for keys do not reach the glass."""
    written = {key_text(key) for action in ACTIONS for key in action.keys}
    assert not {name for name in written if "_" in name}
    assert {"/", "?", "esc", "F1"} <= written


@pytest.mark.parametrize("place", ["1", "6", "7"])
async def test_bindings_live_all_come_from_the_registry(place: str) -> None:
    """No screen binds a key behind the registry's back: help can't go stale."""
    source = FakeSource(exceptions=some_exceptions(3), events=some_events(3))
    async with monitor(source) as (app, pilot):
        await pressed(pilot, place)
        active = app.screen.active_bindings
        known = {key for _, keys in live_actions(active) for key in keys}

    assert set(active) == known


async def test_hints_are_at_most_eight_and_the_weightiest_come_first() -> None:
    """The footer stays readable; the rest is behind the question mark."""
    source = FakeSource(exceptions=some_exceptions(3))
    async with monitor(source) as (app, pilot):
        await pressed(pilot, "6")
        foot = glass(app).splitlines()[-1]

    labels = ["Open", "Retry", "Assign", "Filter", "Command", "Help", "Pause", "As of"]
    assert len(labels) == HINTS_MAX
    places = [foot.find(label) for label in labels]
    assert places == sorted(places)
    assert -1 not in places


async def test_hints_while_paused_say_resume() -> None:
    """The label of the pause key says what it will do now."""
    async with monitor(FakeSource()) as (app, pilot):
        await pressed(pilot, "p")
        foot = glass(app).splitlines()[-1]

    assert "p Resume" in foot
    assert "Pause" not in foot
