"""The actions of the dispatch screen: parcels and couriers. Called by the registry."""

from tui.actions.action import Action, Scope

__all__ = ["ACTIONS"]


def _said(word: str, key: str, label: str, verb: str, text: str, *, weight: int = 0) -> Action:
    return Action(
        id=f"dispatch.{word}",
        key=key,
        label=label,
        area="Dispatch",
        verb=verb,
        weight=weight,
        danger=True,
        scope=Scope.DISPATCH,
        command=f"screen.dispatch_say('{word}')",
        help=text,
    )


ACTIONS: tuple[Action, ...] = (
    Action(
        id="dispatch.why",
        key="w",
        label="Minutes",
        area="Dispatch",
        verb="whose minutes",
        weight=11,
        scope=Scope.DISPATCH,
        command="screen.why",
        help="Whose minutes they were: each attempt and its answer, in the detail.",
    ),
    _said(
        "retry",
        "r",
        "Retry",
        "retry a confirmation",
        "Send again what the marketplace has not taken; it is looked up before.",
        weight=12,
    ),
    _said(
        "map",
        "c",
        "Map courier",
        "map the courier",
        "Say which carrier of the marketplace the courier is; its parcels are then confirmed.",
        weight=14,
    ),
    _said(
        "unmap",
        "C",
        "Unmap",
        "unmap the courier",
        "Take the courier out of the carrier map; its parcels wait then.",
    ),
    _said(
        "as_is",
        "i",
        "As is",
        "send the number as it is",
        "The number is right, though its carrier has none such: send it as it is.",
    ),
)
