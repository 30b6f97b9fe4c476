"""What a law needs of an adapter, and why an adapter that lacks it skips the law."""

from collections.abc import Callable
from typing import TypeVar

from kcjl.khaos.port import Capabilities

WHY = {
    "exported_orders": "the feed tells statuses only; an order as it was entered is not told",
    "line_refs_in_shipments": "the web service's shipments name no order line: units are "
    "matched by stock code",
    "lookup_order": "the feed tells no reason and no order that it was not given",
    "orders_in_progress": "the feed pushes each change: there is no list to ask for",
    "pull_stock": "the feed pushes what has changed: nothing can be asked for",
    "push_stock": "the web service tells nothing by itself",
    "returns": "the web service has no operation for returns: a person enters them",
    "stock_potential": "the feed has no figure of what is owed to customers",
    "sync_order_result": "the feed's orders are fetched later, and a refusal of one is not "
    "told: it stays untold, which the room notices by its time",
}
"""By capability: what an adapter without it can't do."""
Law = TypeVar("Law", bound=Callable[..., object])


def needs(capability: str) -> Callable[[Law], Law]:
    """The law holds for adapters with that capability."""
    assert capability in WHY

    def mark(law: Law) -> Law:
        law.needs = capability  # type: ignore[attr-defined]
        return law

    return mark


def skipped_because(law: Callable[..., object], capabilities: Capabilities) -> str:
    """Why an adapter skips a law; empty where it keeps it."""
    capability = getattr(law, "needs", "")
    if not capability or getattr(capabilities, capability):
        return ""
    return f"{capability} is off: {WHY[capability]}"
