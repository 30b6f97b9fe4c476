"""The actions of the stock screen. Called by the registry."""

from tui.actions.action import Action

__all__ = ["ACTIONS"]

ACTIONS: tuple[Action, ...] = ()
