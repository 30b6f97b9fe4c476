"""The actions of the stock screen: why so many, and what people tell the stock room.

Called by the registry.
"""

from tui.actions.action import Action, Scope

__all__ = ["ACTIONS"]


def _said(name: str, key: str, label: str, verb: str, text: str, *, weight: int = 0) -> Action:
    return Action(
        id=f"stock.{name}",
        key=key,
        label=label,
        area="Stock",
        verb=verb,
        weight=weight,
        danger=True,
        scope=Scope.STOCK,
        command=f"screen.stock('{name}')",
        help=text,
    )


ACTIONS: tuple[Action, ...] = (
    Action(
        id="stock.why",
        key="w",
        label="Why",
        area="Stock",
        verb="why so many",
        names=("why",),
        weight=11,
        scope=Scope.STOCK,
        command="screen.why",
        help="The sum behind what can be sold, each term with its events; again: into it.",
    ),
    _said(
        "retry",
        "r",
        "Retry",
        "retry an offer",
        "Send the figures again that the marketplace refused, of the row or the marked rows.",
        weight=12,
    ),
    _said(
        "alias",
        "c",
        "Code",
        "name the stock code",
        "Say which stock code of the ERP the SKU stands for.",
        weight=14,
    ),
    _said(
        "unalias", "C", "Take back", "take an alias back", "The SKU stands for itself again."
    ),
    _said(
        "release",
        "R",
        "Release",
        "release what a guard holds",
        "Let figures through that look mistaken and are not; shows them first.",
    ),
    _said(
        "publishing",
        "P",
        "Publishing",
        "publishing on or off",
        "Stop the publishing of stock, or let it go on; orders and parcels go on.",
    ),
    _said(
        "buffer",
        "b",
        "Buffer",
        "set the buffer",
        "Hold so many units back from every product; it takes the whole policy's place.",
    ),
)
