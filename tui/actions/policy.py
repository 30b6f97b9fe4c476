"""The actions of the policy screen: what it said before, what it would change, and setting it.

Called by the registry.
"""

from tui.actions.action import Action, Scope

__all__ = ["ACTIONS"]


def _said(name: str, key: str, label: str, verb: str, text: str, *, weight: int = 0) -> Action:
    return Action(
        id=f"policy.{name}",
        key=key,
        label=label,
        area="Policy",
        verb=verb,
        weight=weight,
        danger=True,
        scope=Scope.POLICY,
        command=f"screen.policy('{name}')",
        help=text,
    )


ACTIONS: tuple[Action, ...] = (
    Action(
        id="policy.why",
        key="w",
        label="Versions",
        area="Policy",
        verb="versions",
        weight=11,
        scope=Scope.POLICY,
        command="screen.why",
        help="The whole text, who said it when, and the versions before; again: into it.",
    ),
    Action(
        id="policy.what_if",
        key="v",
        label="What if",
        area="Policy",
        verb="what a proposed policy would change",
        scope=Scope.POLICY,
        command="screen.what_if",
        help="Works out, for every product, what a proposed stock policy would change.",
    ),
    _said(
        "set",
        "e",
        "Set",
        "set a carrier or an account",
        "Another carrier for the courier, or another nominal account for the role.",
        weight=12,
    ),
    _said("unmap", "D", "Take out", "take a courier out", "The courier is mapped no more."),
    _said(
        "approve",
        "A",
        "Approve",
        "approve a proposed policy",
        "The stock policy that waits holds from now on, or from the day that it names.",
        weight=14,
    ),
    _said(
        "buffer",
        "b",
        "Buffer",
        "set a fixed buffer",
        "Hold so many units back from every product; it takes the stock policy's place.",
    ),
)
