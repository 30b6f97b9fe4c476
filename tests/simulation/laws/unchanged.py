"""Law 6: nothing posted is changed.

Promises: what stands in the ERP and in the ledger is held against the intention that it was
posted with. Called by `laws/__init__.py`.
Wide, and why: of a pack its children are not compared, for the ERP takes it apart.
"""

from collections import Counter
from collections.abc import Iterator

from kcjl.ledger.port import Journal
from kcjl.orders.events import PostingIntended, SalesOrderPosted
from kcjl.settlement.events import JournalIntended, PayoutClosed
from tests.simulation.laws.evidence import Checker, Evidence
from tests.simulation.witness import Outcome

__all__ = ["CHECKERS"]


def journals_are_as_intended(evidence: Evidence) -> Iterator[str]:
    """A journal in the ledger is the one that was intended, entry by entry."""
    for _, intended in evidence.said(JournalIntended):
        journal = evidence.journals.get(intended.reference)
        if journal is None:
            continue
        posted = [
            (each.account, each.tax_code, each.debit, each.credit) for each in journal.entries
        ]
        wanted = [
            (each.account, each.tax_code, each.debit, each.credit) for each in intended.lines
        ]
        if posted != wanted or journal.posting_date != intended.posting_date:
            yield f"journal {intended.reference} is not as it was intended"


def journals_are_prepared_once(evidence: Evidence) -> Iterator[str]:
    """What was handed to the ledger under one reference was the same journal each time."""
    first: dict[str, Journal] = {}
    for call in evidence.witness.of("prepare"):
        journal = call.arguments[0]
        assert isinstance(journal, Journal)
        if first.setdefault(journal.reference, journal) != journal:
            yield f"journal {journal.reference} was handed over again, and not as before"
        if call.outcome == Outcome.REFUSED:
            yield f"the ledger refused journal {journal.reference}: another one lies there"


def closed_payouts_stay_closed(evidence: Evidence) -> Iterator[str]:
    """A payout is closed once, and its journal intended once; one more for a month's end."""
    counted: Counter[tuple[str, str]] = Counter()
    for _, event in evidence.said(PayoutClosed, JournalIntended):
        if not isinstance(event, JournalIntended) or event.kind != "month_end":
            counted[type(event).__name__, event.cycle_id] += 1
    for (name, cycle_id), times in counted.items():
        if times > 1:
            yield f"payout {cycle_id} has {times} of {name}"


def sales_orders_are_as_intended(evidence: Evidence) -> Iterator[str]:
    """A sales order in the ERP holds the lines that we say it was posted with."""
    intended: dict[str, list[PostingIntended]] = {}
    for _, event in evidence.said(PostingIntended):
        intended.setdefault(event.reference, []).append(event)
    for _, posted in evidence.said(SalesOrderPosted):
        found = evidence.world.warehouse.orders_by_ref(posted.reference)
        if not found or found[0].code != posted.erp_order_code:
            continue  # judged by law 3, posted
        there = Counter[str]()
        for line in found[0].lines:
            if not line.item.pack_of and line.pack == 0:
                there[line.item.code.casefold()] += int(line.quantity)
        ours = Counter[str]()
        for each in posted.lines:
            ours[each.stock_code.casefold()] += each.quantity
        if there and there != ours:
            yield (
                f"sales order {posted.erp_order_code} of order {posted.order_id} holds "
                f"{dict(there)}, posted with {dict(ours)}"
            )
        if found[0].gross_total != posted.gross_total:
            yield (
                f"sales order {posted.erp_order_code} of order {posted.order_id} is "
                f"{found[0].gross_total}, posted with {posted.gross_total}"
            )
        attempts = intended.get(posted.reference, [])
        if not any(each.lines == posted.lines for each in attempts):
            yield f"order {posted.order_id} was posted with lines that were never intended"


CHECKERS = (
    Checker(6, "journals", journals_are_as_intended),
    Checker(6, "journals again", journals_are_prepared_once),
    Checker(6, "closings", closed_payouts_stay_closed),
    Checker(6, "sales orders", sales_orders_are_as_intended),
)
