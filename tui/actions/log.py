"""The actions of the log screen. Called by the registry."""

from tui.actions.action import Action

__all__ = ["ACTIONS"]

ACTIONS: tuple[Action, ...] = ()
