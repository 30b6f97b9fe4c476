"""The actions of the health screen. Called by the registry."""

from tui.actions.action import Action, Scope

__all__ = ["ACTIONS"]

ACTIONS: tuple[Action, ...] = (
    Action(
        id="health.why",
        key="w",
        label="Why",
        area="Health",
        verb="why it stands so",
        weight=12,
        scope=Scope.HEALTH,
        command="screen.why",
        help="What it rests on: its curves, its newest faults, and their events.",
    ),
)
