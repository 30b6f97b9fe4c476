"""What a look at the ERP says about conditions: totals that differ, references that are taken.

Promises: pure; a difference is told with what both totals are made of, and cleared when they
agree; a reference that somebody else holds is cleared when the ERP does not have it any more.
Called by `decide.py`. Source: design 7, 10.
"""

from decimal import Decimal

from kcjl.dispatch.events import SalesOrderCancelled
from kcjl.exceptions.conditions import Condition, Raise, clear
from kcjl.orders.events import SalesOrderMissing
from kcjl.orders.posting_events import AmountsShown, ReferenceTaken, TotalsCompared
from kcjl.vocabulary import Event

__all__ = ["conditions"]

LINES_NAMED_MAX = 20
"""Of a longer order the rest is counted."""


def conditions(event: Event) -> tuple[Condition, ...]:
    match event:
        case TotalsCompared() if event.agree:
            return (clear(event.order_id, "total_differs", "the totals agree"),)
        case TotalsCompared():
            made_of = "".join(
                f". {whose}: {_shown(shown)}"
                for whose, shown in (("Ours", event.ours_shown), ("The ERP's", event.erp_shown))
                if shown is not None
            )
            return (
                Raise(
                    kind="total_differs",
                    subject=event.order_id,
                    message=f"ours {event.ours}, the ERP's {event.erp}{made_of}",
                    money=abs(event.ours - event.erp),
                ),
            )
        case SalesOrderCancelled() if not event.still_wanted:
            reason = "the sales order is cancelled, and so is the order"
            return (clear(event.order_id, "total_differs", reason),)
        case ReferenceTaken():
            return (
                Raise(
                    kind="reference_taken",
                    subject=event.order_id,
                    message=f"the ERP has {event.reference} on another order, "
                    f"{event.erp_order_code or 'without a number yet'}{_holder(event)}: "
                    f"{event.because}",
                    money=event.money,
                ),
            )
        case SalesOrderMissing():
            reason = "the ERP does not have the reference any more"
            return (clear(event.order_id, "reference_taken", reason),)
        case _:
            return ()


def _holder(event: ReferenceTaken) -> str:
    said = []
    if event.customer_code:
        said.append(f"customer {event.customer_code}")
    if event.sales_source:
        said.append(f"source {event.sales_source}")
    return f" ({', '.join(said)})" if said else ""


def _shown(shown: AmountsShown) -> str:
    named, rest = shown.lines[:LINES_NAMED_MAX], shown.lines[LINES_NAMED_MAX:]
    parts = [f"{_units(line.units)} x {line.stock_code} {line.gross or '?'}" for line in named]
    if rest:
        parts.append(f"and {len(rest)} more lines")
    parts.append(f"delivery {_told(shown.delivery)}")
    parts.append(f"tax in it {_told(shown.tax)}")
    return "; ".join(parts)


def _told(amount: object) -> str:
    return "not told" if amount is None else str(amount)


def _units(units: Decimal) -> str:
    return f"{units.normalize():f}"
