"""The actions of the health screen. Called by the registry."""

from tui.actions.action import Action

__all__ = ["ACTIONS"]

ACTIONS: tuple[Action, ...] = ()
