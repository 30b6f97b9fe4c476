"""Orders, the rules of amounts: what of an order is posted, and whether it came out right.

Promises: pure; the ERP's total is what the customer pays, to the penny: a line's total that
its units do not divide is kept by units that cost a penny more; an order whose lines do not
add up to its total is not posted. A total that differed is looked at again, and agrees as soon
as the ERP shows what was posted, or what the marketplace shows by now.
Invariant: goods + delivery = total, of what is posted. Called by `posting.py`, `acceptance.py`.
Source: design 7; contract johnlewis b.3; khaos b.3.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from kcjl.money import Money
from kcjl.orders.decide import live_lines
from kcjl.orders.events import PostedLine
from kcjl.orders.posting_events import AmountsShown, LineAmount, TotalsCompared
from kcjl.orders.state import Catalogued, OrderEntry, Posting
from kcjl.stock.events import stock_key
from kcjl.vocabulary import Event

__all__ = [
    "amounts_posted",
    "decide_totals",
    "posting_amounts",
    "posting_lines",
    "wants_totals_again",
    "why_not_to_the_penny",
]


def posting_lines(
    entry: OrderEntry, known: dict[str, Catalogued | None]
) -> tuple[PostedLine, ...]:
    """The lines to post, under the ERP's own spelling of each code."""
    lines = []
    for line in live_lines(entry):
        found = known[stock_key(line.sku)]
        unit, pennies = divmod(line.price.amount_minor, line.quantity)
        lines.append(
            PostedLine(
                line_id=line.line_id,
                sku=line.sku,
                stock_code=found.stock_code if found else line.sku,
                quantity=line.quantity,
                unit_gross=Money(unit, line.price.currency),
                units_a_penny_more=pennies,
            )
        )
    return tuple(lines)


def posting_amounts(entry: OrderEntry) -> tuple[Money, Money]:
    """(delivery, total) of the live lines, gross, as the customer pays them."""
    zero = Money(0, entry.total_price.currency)
    lines = live_lines(entry)
    delivery = sum((line.shipping_price for line in lines), zero)
    return delivery, sum((line.price for line in lines), delivery)


def why_not_to_the_penny(entry: OrderEntry) -> str:
    """Why what would be posted can't be what the customer pays; empty when it can."""
    lines = live_lines(entry)
    for line in lines:
        if min(line.price.amount_minor, line.shipping_price.amount_minor) < 0:
            return f"line {line.line_id} ({line.sku}) costs less than nothing: {line.price}"
    if entry.withdrawn:
        return ""  # what was taken off is not told apart in the order's total
    delivery, total = posting_amounts(entry)
    if total == entry.total_price:
        return ""
    return (
        f"the marketplace's order is {entry.total_price}, its lines {total - delivery} and "
        f"their delivery {delivery} are {total}: {abs(entry.total_price - total)} between them"
    )


# ── afterwards ──────────────────────────────────────────────────────────────────────────────


def wants_totals_again(entry: OrderEntry) -> bool:
    """Its total in the ERP differed: somebody may put it right."""
    differed = entry.totals is not None and not entry.totals.agree
    return differed and entry.posting == Posting.POSTED


def amounts_posted(entry: OrderEntry) -> AmountsShown:
    """What our total is made of."""
    taxes = [line.tax for line in live_lines(entry)]
    known = [tax for tax in taxes if tax is not None]
    whole = len(known) == len(taxes) and not entry.withdrawn
    posted: Iterable[PostedLine] = entry.intended
    return AmountsShown(
        lines=tuple(
            LineAmount(
                stock_code=line.stock_code,
                units=Decimal(line.quantity),
                gross=_gross(line),
            )
            for line in posted
        ),
        delivery=entry.delivery_gross,
        tax=sum(known, Money(0, entry.total_price.currency)) if whole else None,
    )


def _gross(line: PostedLine) -> Money:
    pennies = Money(line.units_a_penny_more, line.unit_gross.currency)
    return line.unit_gross.times(line.quantity) + pennies


def decide_totals(
    entry: OrderEntry, erp: Money, erp_shown: AmountsShown | None, now: datetime
) -> tuple[Event, ...]:
    """The comparison, where it is news. `erp_shown`: asked for where the totals differ."""
    before, ours = entry.totals, entry.gross_total or entry.total_price
    if before is not None and erp == entry.total_price:
        ours = entry.total_price  # part of it was cancelled, and taken off in the ERP
    agree = ours == erp
    compared = TotalsCompared(
        order_id=entry.order_id,
        ours=ours,
        erp=erp,
        ours_shown=None if agree else amounts_posted(entry),
        erp_shown=None if agree else erp_shown,
        occurred_at=now,
    )
    if before is not None and _figures(before) == _figures(compared):
        return ()
    return (compared,)


def _figures(compared: TotalsCompared) -> tuple[object, ...]:
    return compared.ours, compared.erp, compared.erp_shown
