"""The one registry of actions: keys, footer, palette, command line and help are made from it.

Promises: an action that is not listed here has no key, and each that is listed has help text in
trade words; no two actions of one focus share a key. Each screen's own stand in its file.
Called by `bindings` (keys), the hint bar, the palette, the command line and the help.
"""

from tui.actions import (
    dispatch,
    exceptions,
    general,
    health,
    log,
    money,
    orders,
    panes,
    policy,
    stock,
    time,
)
from tui.actions.action import FORBIDDEN_KEYS, HINTS_MAX, Action, Scope, key_text

__all__ = [
    "ACTIONS",
    "FORBIDDEN_KEYS",
    "HINTS_MAX",
    "Action",
    "Scope",
    "action_by_id",
    "actions_of",
    "key_text",
]

ACTIONS: tuple[Action, ...] = (
    *general.ACTIONS,
    *panes.ACTIONS,
    *time.ACTIONS,
    *stock.ACTIONS,
    *orders.ACTIONS,
    *dispatch.ACTIONS,
    *money.ACTIONS,
    *exceptions.ACTIONS,
    *log.ACTIONS,
    *health.ACTIONS,
    *policy.ACTIONS,
)

_BY_ID = {action.id: action for action in ACTIONS}


def action_by_id(action_id: str) -> Action | None:
    return _BY_ID.get(action_id)


def actions_of(scope: Scope) -> tuple[Action, ...]:
    return tuple(action for action in ACTIONS if action.scope is scope)
