"""Law 6: nothing posted is changed.

Promises: what stands in the ERP and in the ledger is held against the intention that it was
posted with. Called by `laws/__init__.py`.
Wide, and why: of a pack its children are not compared, for the ERP takes it apart.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from kcjl.ledger.port import Journal
from kcjl.orders.events import PostingIntended, SalesOrderPosted
from kcjl.settlement.events import JournalIntended, PayoutClosed
from kcjl.settlement.intake import LONDON
from tests.simulation.laws.evidence import Checker, Evidence
from tests.simulation.witness import Outcome

__all__ = ["CHECKERS"]

A_DAY = timedelta(days=1)
"""By so much the service's clock may be off from that of the log."""


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
    """A payout is closed once, and its own journal intended once."""
    counted: Counter[tuple[str, str]] = Counter()
    for _, event in evidence.said(PayoutClosed, JournalIntended):
        if not isinstance(event, JournalIntended) or event.kind == "payout":
            counted[type(event).__name__, event.cycle_id] += 1
    for (name, cycle_id), times in counted.items():
        if times > 1:
            yield f"payout {cycle_id} has {times} of {name}"


def reversals_undo_one_journal_each(evidence: Evidence) -> Iterator[str]:
    """What is undone in the ledger is undone whole and once; and is dated when it is undone."""
    undone: Counter[str] = Counter()
    for recorded, intended in evidence.said(JournalIntended):
        journal = evidence.journals.get(intended.reference)
        if intended.kind not in ("reversal", "correction") or journal is None:
            continue
        today = recorded.recorded_at.astimezone(LONDON).date()
        if abs(journal.posting_date - today) > A_DAY:
            yield f"journal {journal.reference} is dated {journal.posting_date}, made {today}"
        if intended.kind == "correction":
            continue
        undone[intended.reverses] += 1
        first = evidence.journals.get(intended.reverses)
        if first is None or _net(first) != [(x, y, -pence) for x, y, pence in _net(journal)]:
            yield f"journal {journal.reference} does not undo {intended.reverses}"
    for reference, times in undone.items():
        if times > 1:
            yield f"journal {reference} is undone {times} times"


def _net(journal: Journal) -> list[tuple[str, str, int]]:
    return [
        (each.account, each.tax_code, each.credit.amount_minor - each.debit.amount_minor)
        for each in journal.entries
    ]


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
    Checker(6, "reversals", reversals_undo_one_journal_each),
    Checker(6, "sales orders", sales_orders_are_as_intended),
)
