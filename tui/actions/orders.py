"""The actions of the orders screen: what people say of orders. Called by the registry."""

from tui.actions.action import Action, Scope

__all__ = ["ACTIONS"]


def _said(word: str, key: str, label: str, text: str, *, weight: int = 0) -> Action:
    verb = word.replace("_", " ")
    return Action(
        id=f"orders.{word}",
        key=key,
        label=label,
        area="Orders",
        verb=f"{verb}: an order",
        names=(f"{verb} order",),
        weight=weight,
        danger=True,
        scope=Scope.ORDERS,
        command=f"screen.order_say('{word}')",
        help=text,
    )


ACTIONS: tuple[Action, ...] = (
    Action(
        id="orders.why",
        key="w",
        label="Life",
        area="Orders",
        verb="life of the order",
        weight=11,
        scope=Scope.ORDERS,
        command="screen.why",
        help="Why it stands where it stands: its life as a tree of causes, in the detail.",
    ),
    _said("retry", "r", "Retry", "Send again what was refused; it is looked up.", weight=12),
    _said("hold", "h", "Hold", "Neither accepted nor posted until it is released.", weight=14),
    _said("release", "e", "Release", "Overrule what holds the order.", weight=16),
    _said("accept", "A", "Accept", "Accept it, or some lines, whatever the policy says."),
    _said("refuse", "D", "Refuse", "Refuse it, or some lines, at the marketplace."),
    _said("refund", "M", "Money back", "Give money back: first a plan, then your yes to it."),
    _said("cancel", "C", "Cancel", "Cancel before payment: first a plan, then your yes."),
    _said("withdraw", "Z", "Withdraw", "End a refund or cancelation that was not taken yet."),
    _said("post_again", "O", "Post again", "Post a sales order again that the ERP has lost."),
    _said("look", "L", "Look", "Have the ERP asked now for a sales order it had lost."),
    _said("corrected", "d", "Corrected", "Say that a correction was made in the ERP by hand."),
    _said("buyer", "B", "Buyer", "Show who bought, once; that you asked is in the log."),
    _said("erase", "E", "Erase", "Erase what is kept of the buyer, for good."),
    Action(
        id="orders.count",
        key="K",
        label="Count",
        area="Orders",
        verb="count both sides",
        danger=True,
        scope=Scope.ORDERS,
        command="screen.order_count",
        help="Count marketplace orders and sales orders against each other, now.",
    ),
)
