"""Transaction lines of one order line that belong together: its sale, or one of its refunds.

Promises: pure; a line that is there twice is set apart and named, and counts once; a component
that is missing or differs is named. A sale that is paid parcel by parcel is not held to be
short before its last parcel. Invariant: amounts are signed as they came.
It knows no commission (`commission.py`). Called by `expectation.py`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from kcjl.money import Money
from kcjl.settlement.events import SettlementLineSeen
from kcjl.settlement.gap_events import GapFound, GapKind
from kcjl.settlement.sold import SoldLine, SoldOrder

__all__ = ["Bundle", "Component", "bundles_of"]

Component = Literal["price", "shipping", "fee", "vat"]
COMPONENT_OF: Mapping[str, Component] = {
    "ORDER_AMOUNT": "price",
    "ORDER_AMOUNT_TAX": "price",
    "ORDER_SHIPPING_AMOUNT": "shipping",
    "ORDER_SHIPPING_AMOUNT_TAX": "shipping",
    "COMMISSION_FEE": "fee",
    "COMMISSION_VAT": "vat",
    "REFUND_ORDER_AMOUNT": "price",
    "REFUND_ORDER_AMOUNT_TAX": "price",
    "REFUND_ORDER_SHIPPING_AMOUNT": "shipping",
    "REFUND_ORDER_SHIPPING_AMOUNT_TAX": "shipping",
    "REFUND_COMMISSION_FEE": "fee",
    "REFUND_COMMISSION_VAT": "vat",
}
LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Bundle:
    """The lines of one sale, or of one refund, in this cycle and in others."""

    def __init__(
        self,
        cycle_id: str,
        order_line_id: str,
        refund_id: str,
        seen: Sequence[SettlementLineSeen],
        sold: SoldOrder,
    ) -> None:
        self.cycle_id = cycle_id
        self.order_line_id = order_line_id
        self.refund_id = refund_id
        """Empty: it is the sale."""
        self.sold = sold
        self._nothing = Money(0, seen[0].amount.currency)
        self._lines: dict[Component, list[SettlementLineSeen]] = defaultdict(list)
        self._twice: list[SettlementLineSeen] = []
        counted = [each for each in seen if self._counts(each)]
        for each in sorted(counted, key=lambda e: (e.created_at or LONG_AGO, e.line_id)):
            self._lines[COMPONENT_OF[each.kind]].append(each)
        for component in ("price", "shipping", "fee", "vat"):
            self._set_apart(component)

    @property
    def sold_line(self) -> SoldLine | None:
        return self.sold.line(self.order_line_id)

    def lines(self, component: Component) -> Sequence[SettlementLineSeen]:
        """In whatever cycle; those that are there twice only once."""
        return self._lines[component]

    def lines_here(self, component: Component) -> list[SettlementLineSeen]:
        return [each for each in self._lines[component] if each.cycle_id == self.cycle_id]

    def here(self, component: Component) -> Money:
        """What this cycle settles of it."""
        return _total(self.lines_here(component), self._nothing)

    def elsewhere(self, component: Component) -> Money:
        return _total(self._lines[component], self._nothing) - self.here(component)

    def gaps(self, now: datetime) -> Iterator[GapFound]:
        """What is there twice, missing, or other than the order or the refund says."""
        for each in self._twice:
            if each.cycle_id == self.cycle_id:
                yield self._gap(
                    "duplicate_line",
                    self._nothing,
                    each.amount,
                    (each.line_id,),
                    now,
                    f"{each.kind} of {each.amount} is settled twice",
                )
        yield from self._amount_gap("price", now)
        yield from self._amount_gap("shipping", now)

    def gap(
        self,
        kind: GapKind,
        expected: Money,
        charged: Money,
        component: Component,
        now: datetime,
        message: str,
    ) -> GapFound:
        """A gap of one component, with the lines of this cycle that it is about."""
        line_ids = tuple(each.line_id for each in self.lines_here(component))
        return self._gap(kind, expected, charged, line_ids, now, message, component)

    # ── amounts ─────────────────────────────────────────────────────────────────────────────

    def _counts(self, seen: SettlementLineSeen) -> bool:
        """Taxes beside the amount count only where the order's own amounts contain them."""
        if seen.kind not in COMPONENT_OF or seen.amount.currency != self._nothing.currency:
            return False
        return not (seen.kind.endswith("_TAX") and self.sold.tax_mode == "TAX_EXCLUDED")

    def _expected(self, component: Component) -> Money | None:
        """Of all cycles together; None where nobody can say."""
        if self.refund_id:
            refunds = [
                each
                for each in self.sold.refunds
                if (each.refund_id, each.line_id) == (self.refund_id, self.order_line_id)
            ]
            if not refunds:
                return None
            return -(refunds[0].amount if component == "price" else refunds[0].shipping)
        line = self.sold_line
        if line is None or line.cancelled:
            return None
        return line.price if component == "price" else line.shipping

    def _amount_gap(self, component: Component, now: datetime) -> Iterator[GapFound]:
        expected = self._expected(component)
        if expected is None or expected.currency != self._nothing.currency:
            return
        here = self.lines_here(component)
        remaining, charged = expected - self.elsewhere(component), self.here(component)
        if charged == remaining:
            return
        if here:
            in_parcels = any(each.shipment_id for each in here)
            if in_parcels and abs(charged) < abs(remaining):
                return
            message = f"the {component} is {charged}, expected {remaining}"
            yield self.gap("amount_differs", remaining, charged, component, now, message)
        elif self._is_settled_here(component):
            message = f"the {component} of {remaining} is missing"
            yield self.gap("missing_line", remaining, charged, component, now, message)

    def _is_settled_here(self, component: Component) -> bool:
        """Whether this cycle settles the rest of the bundle, and so should settle this too."""
        if component == "price":
            return not self._lines["price"] and bool(self.lines_here("fee"))
        return bool(self.lines_here("price"))

    def _set_apart(self, component: Component) -> None:
        """The later of two that are alike, where once would have been enough."""
        lines = self._lines[component]
        first: dict[tuple[object, ...], None] = {}
        twice: list[SettlementLineSeen] = []
        for each in lines:
            alike = (each.kind, each.amount, each.shipment_id, each.debit_id)
            if alike in first and each.amount and not each.kind.endswith("_TAX"):
                twice.append(each)
            first.setdefault(alike)
        if not twice or not self._is_too_much(component):
            return
        self._twice += twice
        gone = {each.line_id for each in twice}
        self._lines[component] = [each for each in lines if each.line_id not in gone]

    def _is_too_much(self, component: Component) -> bool:
        """Two parcels of the same price look like one line twice, but for the order's total."""
        if component in ("fee", "vat"):
            sales = len(self._lines["price"])
            return len(self._lines[component]) > max(1, sales)
        expected = self._expected(component)
        settled = _total(self._lines[component], self._nothing)
        return expected is None or abs(settled) > abs(expected)

    def _gap(
        self,
        kind: GapKind,
        expected: Money,
        charged: Money,
        line_ids: tuple[str, ...],
        now: datetime,
        message: str,
        component: str = "",
    ) -> GapFound:
        return GapFound(
            cycle_id=self.cycle_id,
            kind=kind,
            subject=self.refund_id or self.order_line_id,
            expected=expected,
            charged=charged,
            order_id=self.sold.order_id,
            order_line_id=self.order_line_id,
            line_ids=line_ids,
            message=message,
            component=component,
            occurred_at=now,
        )


def bundles_of(
    cycle_id: str, seen: Sequence[SettlementLineSeen], sold: SoldOrder
) -> Iterator[Bundle]:
    """The sales and refunds of an order of which this cycle settles something."""
    found: defaultdict[tuple[str, str], list[SettlementLineSeen]] = defaultdict(list)
    for each in seen:
        if each.order_line_id is not None and each.kind in COMPONENT_OF:
            found[each.order_line_id, each.refund_id or ""].append(each)
    for (order_line_id, refund_id), lines in sorted(found.items()):
        if any(each.cycle_id == cycle_id for each in lines):
            yield Bundle(cycle_id, order_line_id, refund_id, lines, sold)


def _total(lines: Sequence[SettlementLineSeen], nothing: Money) -> Money:
    return sum((each.amount for each in lines), nothing)
