"""Key bindings of Textual, made from the registry of actions.

Promises: every binding carries the id of its action, so the help, the footer and a keymap find
it. Called by the app, the screens and the widgets when their classes are made.
"""

from collections.abc import Mapping

from textual.binding import ActiveBinding, Binding, BindingType

from tui.actions import Action, Scope, action_by_id, actions_of

__all__ = ["bindings", "live_actions"]


def bindings(*scopes: Scope) -> list[BindingType]:
    return [
        Binding(
            action.key,
            action.command,
            action.label,
            show=action.weight > 0,
            tooltip=action.help,
            id=action.id,
        )
        for scope in scopes
        for action in actions_of(scope)
        if action.key
    ]


def live_actions(
    active: Mapping[str, ActiveBinding],
) -> tuple[tuple[Action, tuple[str, ...]], ...]:
    """The actions whose keys work at this moment, in the registry's order of discovery."""
    keys: dict[str, list[str]] = {}
    for key, bound in active.items():
        if bound.enabled and bound.binding.id:
            keys.setdefault(bound.binding.id, []).append(key)
    found = ((action_by_id(action_id), tuple(names)) for action_id, names in keys.items())
    return tuple((action, names) for action, names in found if action is not None)
