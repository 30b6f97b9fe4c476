"""The actions of the exceptions screen: what people say at the desk. Called by the registry."""

from tui.actions.action import Action, Scope

__all__ = ["ACTIONS"]


def _said(verb: str, key: str, label: str, text: str, *, weight: int = 0) -> Action:
    return Action(
        id=f"exceptions.{verb}",
        key=key,
        label=label,
        area="Exceptions",
        verb=f"{verb} an exception",
        weight=weight,
        danger=True,
        scope=Scope.EXCEPTIONS,
        command=f"screen.desk('{verb}')",
        help=text,
    )


ACTIONS: tuple[Action, ...] = (
    _said("retry", "r", "Retry", "Have the row, or the marked rows, tried again.", weight=12),
    _said("assign", "a", "Assign", "Say whose it is, whatever the rules say.", weight=14),
    _said("note", "n", "Note", "Write something down; nothing about the buyer."),
    _said("park", "P", "Park", "Put it aside until a time; it comes back by itself."),
    _said("accept", "A", "Accept", "Let it be as it is, with a reason; it leaves the desk."),
    Action(
        id="exceptions.storm",
        key="o",
        label="Open storm",
        area="Exceptions",
        verb="open out a storm",
        scope=Scope.EXCEPTIONS,
        command="screen.storm",
        help="A storm's exceptions one by one; again: the whole desk.",
    ),
)
