"""A person splits an invoice: a part of it goes now, the rest on an invoice of its own.

Promises: the quantities of both add up to what the invoice held; a pack is never torn apart.
It ships nothing. Invariant: only an invoice whose boxes are not packed is split.
Called by the warehouse model, for the hook that ships a part.
"""

from collections.abc import Sequence
from decimal import Decimal

from kcjl.errors import Misuse
from kcjl.sandbox.warehouse.orders import Invoice, InvoiceItem
from kcjl.sandbox.warehouse.stock import key_of

__all__ = ["split_off"]


def split_off(invoice: Invoice, keep: Sequence[Sequence[str | int]]) -> list[InvoiceItem]:
    """Leave (code, units) on the invoice; what was on it besides is returned."""
    if invoice.shipped_at is not None or invoice.boxes:
        raise Misuse(f"{invoice.code} is packed or shipped: it can't be split any more")
    wanted: dict[str, Decimal] = {}
    for code, units in keep:
        key = key_of(str(code))
        wanted[key] = wanted.get(key, Decimal(0)) + Decimal(units)
    if any(units <= 0 for units in wanted.values()):
        raise Misuse(f"a part of {invoice.code} needs units above 0")
    staying: list[InvoiceItem] = []
    going: list[InvoiceItem] = []
    for row in invoice.items:
        key = key_of(row.line.item.code)
        here = min(row.quantity, wanted.get(key, Decimal(0)))
        if row.line.pack and here:
            raise Misuse(f"{row.line.item.code} of {invoice.code} belongs to a pack")
        if here:
            wanted[key] -= here
            staying.append(InvoiceItem(row.line, here))
        if here < row.quantity:
            going.append(InvoiceItem(row.line, row.quantity - here))
    missing = [code for code, units in wanted.items() if units]
    if missing or not staying or not going:
        raise Misuse(f"{invoice.code} has no such part to be left on it: {list(keep)}")
    invoice.items = staying
    return going
