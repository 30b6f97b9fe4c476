"""The actions of the money screen. Called by the registry."""

from tui.actions.action import Action

__all__ = ["ACTIONS"]

ACTIONS: tuple[Action, ...] = ()
