"""What an adapter of the ERP can do, so that whoever asks can tell before asking.

Promises: one frozen record per adapter that never changes while it lives, and `Unsupported`
for a command that the record says no to: nothing was sent then, and repeating it is no use.
It decides nothing. Invariant: a flag that is off and a command that raises `Unsupported` are
the same statement. Called by the adapters, the rooms and the checks. Source: contract khaos h.
"""

from kcjl.errors import Refused
from kcjl.khaos.record import Record

__all__ = ["Capabilities", "Unsupported"]


class Capabilities(Record, frozen=True, kw_only=True):
    """What the port can do behind this adapter."""

    pull_stock: bool
    """Levels can be asked for. Off: the ERP pushes them, and what came last is told."""
    push_stock: bool
    """The ERP sends levels by itself, when they change."""
    lookup_order: bool
    """Any order can be looked up. Off: only those that the ERP has told of are known."""
    sync_order_result: bool
    """`create_order` says at once what became of it. Off: QUEUED, and the ERP fetches it."""
    line_refs_in_shipments: bool
    """Parcels name our order lines. Off: they are matched by stock code and units."""
    returns: bool
    """`register_return` reaches the ERP. Off: a person enters it."""
    journals: bool
    """The ERP takes journals. Off: they are documents that a person keys in."""
    max_external_ref: int
    """Characters that the reference of a sales order can have."""
    changed_products: bool = True
    """`edited_products`, `moved_products` and `launched_products` can be asked for."""
    stock_potential: bool = False
    """`stock_potential` can be asked for: on order, back orders and what they leave."""
    exported_orders: bool = False
    """`exported_orders` can be asked for: sales orders as the ERP would import them."""
    orders_in_progress: bool = False
    """`orders_in_progress` can be asked for: the cheap sign that something has moved."""
    deleted_entries: bool = False
    """`deleted_products` can be asked for."""
    cancel_order: bool = False
    """Orders can be cancelled from outside. No known adapter can."""
    physical_stock: bool = False
    """`StockLevel.physical` and `.allocated` are filled. No known adapter can."""


class Unsupported(Refused):
    """Raised when the ERP's interface has no way to do what was asked; nothing was sent."""

    code = "KCJL-2006"

    def __init__(self, command: str, *, adapter: str, instead: str) -> None:
        super().__init__(
            f"{adapter} can't do {command}, and nothing was sent: {instead}",
            reason_code="UNSUPPORTED",
        )
        self.command = command
