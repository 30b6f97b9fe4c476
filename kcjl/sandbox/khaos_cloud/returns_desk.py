"""The channel's returns desk: customer returns that were downloaded.

Promises: each return is taken once, by its reference; `ProcessReturn` puts the goods back at
once, otherwise a person does; both spellings of the vendor's paper are read, or one by the
settings. Nothing is told back. Invariant: units go back into stock once.
Called by the channel. Source: contract khaos b.9, b.10.
"""

from decimal import Decimal

import msgspec

from kcjl.errors import Misuse
from kcjl.sandbox.khaos_cloud.customers import CustomerMatching
from kcjl.sandbox.khaos_cloud.documents import (
    MappingType,
    ReturnDocument,
    ReturnedItem,
    SourceOrder,
)
from kcjl.sandbox.khaos_cloud.order_desk import OrderDesk, check_version
from kcjl.sandbox.khaos_cloud.reading import ChannelRefusal, Plain, read_document, record_of
from kcjl.sandbox.khaos_cloud.settings import ChannelSettings
from kcjl.sandbox.warehouse import SalesOrder, Warehouse

__all__ = ["ReturnsDesk", "TakenReturn"]

_SPELLINGS = (("ReturnedItems", "ReturnItems"), ("SourceReference", "SourceReturnReference"))
"""Table, example."""


class TakenReturn(msgspec.Struct, kw_only=True):
    ref: str
    lines: list[tuple[str, Decimal]]
    """(stock code, units)"""
    processed: bool = False


class ReturnsDesk:
    """Takes downloads of returns."""

    def __init__(
        self,
        warehouse: Warehouse,
        settings: ChannelSettings,
        customers: CustomerMatching,
        orders: OrderDesk,
    ) -> None:
        self._warehouse = warehouse
        self._settings = settings
        self._customers = customers
        self._orders = orders
        self.taken: dict[str, TakenReturn] = {}

    def take(self, body: bytes, form: str) -> int:
        """Take a download; returns how many are new."""
        said = read_document(body, form, "CustomerReturnImport")
        check_version(said, self._settings)
        before = len(self.taken)
        strict = form.upper() == "JSON"
        for number, row in enumerate(self._rows(said), start=1):
            ref = row.get("AssociatedRef")
            subject = ref if isinstance(ref, str) and ref else f"return {number}"
            if subject in self.taken:
                continue
            try:
                self._take_one(self._in_table_words(row), strict=strict)
            except ChannelRefusal as refusal:
                self._orders.remember(subject, str(refusal), "return")
            else:
                self._orders.errors.pop(subject, None)
        return len(self.taken) - before

    def process(self, ref: str) -> None:
        """Put the goods of a return back into stock."""
        found = self.taken.get(ref)
        if found is None or found.processed:
            raise Misuse(f"there is no return {ref!r} that is still to be processed")
        found.processed = True
        for code, units in found.lines:
            self._warehouse.take_back(code, units)

    def _take_one(self, said: Plain, *, strict: bool) -> None:
        document = record_of(said, ReturnDocument, strict=strict)
        if not self._customers.knows(document.urn):
            raise ChannelRefusal(f"there is no customer with the URN {document.urn!r}")
        lines = [self._line(item) for item in document.returned_items]
        if not lines:
            raise ChannelRefusal("the return has no items")
        ref = document.associated_ref.strip()
        self.taken[ref] = TakenReturn(ref=ref, lines=lines)
        if document.process_return:
            self.process(ref)

    def _line(self, row: ReturnedItem) -> tuple[str, Decimal]:
        if not row.return_reason:
            raise ChannelRefusal(f"ReturnReason of {row.sku} is required")
        if row.quantity <= 0:
            raise ChannelRefusal(f"Quantity of {row.sku} must be above 0")
        default: list[MappingType] = ["Automatic"]
        mappings = [other.mapping for other in row.mapping] or default
        item = self._orders.entry.find(row.sku, mappings)
        if item is None:
            raise ChannelRefusal(f"Stock item '{row.sku}' does not exist")
        if row.source_reference is not None:
            order = self._source(row.source_reference.source_order)
            if not any(line.item is item for line in order.lines):
                raise ChannelRefusal(f"{order.code} has no {item.code}")
        return item.code, row.quantity

    def _source(self, said: SourceOrder) -> SalesOrder:
        given = [said.associated_ref, said.order_id, said.order_code, said.order_item_id]
        if sum(map(bool, given)) != 1:
            raise ChannelRefusal("SourceOrder names the order in one way, not in several")
        orders = self._warehouse.sales_orders
        if said.associated_ref:
            taken = self._orders.taken.get(said.associated_ref)
            found = self._warehouse.orders_by_ref(
                taken.associated_ref if taken is not None else said.associated_ref
            )
            order = found[0] if found else None
        elif said.order_item_id:
            order = orders.get(said.order_item_id.partition("L")[0])
        else:
            order = orders.get(said.order_code or f"SO{said.order_id}")
        if order is None:
            raise ChannelRefusal(f"the order {''.join(given)!r} of the return is not there")
        return order

    # ── spellings ──

    def _rows(self, said: Plain) -> list[Plain]:
        rows = said.get("Returns")
        form = self._settings.returns_form
        if isinstance(rows, dict) and form in {"either", "example"}:
            rows = [rows]
        elif rows and form == "example":
            raise ChannelRefusal("Returns is an object")
        if not isinstance(rows, list):
            raise ChannelRefusal("Returns is required, an array")
        return [row for row in rows if isinstance(row, dict)]

    def _in_table_words(self, said: Plain) -> Plain:
        """The same, its fields spelt as in the vendor's table."""
        form = self._settings.returns_form
        known: Plain = {}
        for name, value in said.items():
            word = name
            for table, example in _SPELLINGS:
                if name in {table, example}:
                    if form not in {"either", "table" if name == table else "example"}:
                        raise ChannelRefusal(f"{name} is not known here")
                    word = table
            if isinstance(value, list):
                known[word] = [
                    self._in_table_words(row) if isinstance(row, dict) else row for row in value
                ]
            else:
                known[word] = value
        return known
