"""The actions of the money screen: what people say of payouts. Called by the registry."""

from tui.actions.action import Action, Scope

__all__ = ["ACTIONS"]


def _said(verb: str, key: str, label: str, words: str, text: str, *, weight: int = 0) -> Action:
    return Action(
        id=f"money.{verb}",
        key=key,
        label=label,
        area="Money",
        verb=words,
        weight=weight,
        danger=True,
        scope=Scope.MONEY,
        command=f"screen.payout('{verb}')",
        help=text,
    )


ACTIONS: tuple[Action, ...] = (
    Action(
        id="money.why",
        key="w",
        label="Why",
        area="Money",
        verb="why a payout is this much",
        weight=12,
        scope=Scope.MONEY,
        command="screen.why",
        help="Its sum with the event of each part, and its pennies' ways; again: the account.",
    ),
    _said(
        "accept",
        "A",
        "Accept",
        "accept what holds a payout",
        "Let what holds it be as it is, with a reason: the payout closes.",
        weight=16,
    ),
    _said(
        "ack",
        "e",
        "Entered",
        "a journal is entered",
        "You have entered its journal in the ledger: under which number.",
        weight=14,
    ),
    _said(
        "received",
        "b",
        "Banked",
        "money is in the bank",
        "You have seen its money in the bank: how much, and on which day.",
        weight=18,
    ),
    _said(
        "withdraw",
        "B",
        "Not banked",
        "money is not in the bank",
        "Take back that its money came: it waits for it again.",
    ),
    _said(
        "reverse",
        "R",
        "Reverse",
        "reverse a payout's journals",
        "Undo its journals and make one anew, of its lines and accounts as they are now.",
    ),
)
