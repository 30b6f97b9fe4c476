"""A payout's account and its journals as lines of text. Called by the verbs of `payouts`."""

from collections.abc import Iterator, Sequence

from kcjl.cli.stock_shown import clock
from kcjl.cli.tables import table
from kcjl.money import Money
from kcjl.settlement.account import PayoutAccount, Total
from kcjl.settlement.events import JournalIntended
from kcjl.settlement.gap_events import GapEnded, GapFound
from kcjl.settlement.received import receipt_words
from kcjl.settlement.standing import JournalStanding
from kcjl.settlement.state import Cycle
from kcjl.settlement.words import ended_by, place_of

__all__ = ["account_lines", "entry_lines", "journal_lines", "total_lines"]

UNTIED_SHOWN_MAX = 20


def account_lines(account: PayoutAccount) -> Iterator[str]:
    """The sum first, then what is off, then where it is booked."""
    cycle = account.cycle
    yield f"payout {cycle.cycle_id}: {cycle.state.value}"
    facts = list(_facts(account))
    width = max(len(name) for name, _ in facts)
    yield from (f"{name:<{width}}  {value}" for name, value in facts)
    yield ""
    yield from total_lines(account.by_kind)
    if account.gaps:
        yield ""
        yield from _gap_lines(account.gaps, cycle.gaps_ended)
    if account.untied:
        yield ""
        shown = ", ".join(account.untied[:UNTIED_SHOWN_MAX])
        more = len(account.untied) - UNTIED_SHOWN_MAX
        yield f"untied: {shown}" + (f", and {more:,} more (--json has all)" if more > 0 else "")
    for each in account.journals:
        yield ""
        yield from journal_lines(account.cycle, each)


def _facts(account: PayoutAccount) -> Iterator[tuple[str, str]]:
    cycle = account.cycle
    seen = cycle.seen
    yield "cycle of", clock(cycle.created_at)
    yield "paid", clock(seen.paid_at) if seen.paid_at else seen.payout_state
    yield "bank reference", seen.payout_reference or "none yet"
    yield "voucher", seen.voucher or "none"
    yield "transferred", str(seen.amount_to_seller)
    yield "lines", f"{account.lines_total} in {len(account.lines):,} lines"
    yield "residue", str(account.residue)
    for each in account.named:
        yield "  named", f"{each.amount} {each.kind.replace('_', ' ')}: {each.said}"
    if account.expected is not None:
        yield "expected", str(account.expected)
        if cycle.gaps_ended:
            gone = sum((e.amount for e in cycle.gaps_ended), Money(0, cycle.seen.currency))
            ended = f"{len(cycle.gaps_ended)} gaps ended since the payout was closed"
            yield "  now", f"{account.expected + gone}: {ended}"
    yield from _standing(cycle)
    yield from _bank(cycle)


def _standing(cycle: Cycle) -> Iterator[tuple[str, str]]:
    if cycle.held is not None:
        yield "held", cycle.held.reason
        if cycle.accepted is not None:
            yield "accepted", cycle.accepted.reason
    if cycle.late_lines:
        yield "late", f"{cycle.late_lines} lines, {cycle.late_total}; not in its journal"


def _bank(cycle: Cycle) -> Iterator[tuple[str, str]]:
    words = receipt_words(cycle)
    if words:
        yield "received", words
    for each in cycle.receipts:
        by = "said by hand" if each.matched_by == "person" else f"{each.source}, by its"
        by = by if each.matched_by == "person" else f"{by} {each.matched_by}"
        reference = f", {each.reference}" if each.reference else ""
        yield f"  {each.receipt}", f"{each.amount} on {each.received_on}, {by}{reference}"
    for gone in cycle.withdrawn:
        told = f"{gone.amount} on {gone.received_on} was taken back: {gone.reason}"
        yield f"  {gone.receipt}", told


def total_lines(totals: Sequence[Total]) -> list[str]:
    return table(
        ("type", ">lines", ">amount"),
        [(each.name, f"{each.lines:,}", str(each.amount)) for each in totals],
    )


def _gap_lines(gaps: Sequence[GapFound], ended: Sequence[GapEnded]) -> list[str]:
    return table(
        ("gap", "of", ">charged", ">expected", ">difference", "what", "since"),
        [
            (
                gap.kind.replace("_", " "),
                gap.subject,
                str(gap.charged),
                str(gap.expected),
                str(gap.amount),
                gap.message,
                ended_by(gap, ended) or "stands",
            )
            for gap in gaps
        ],
    )


def journal_lines(cycle: Cycle, standing: JournalStanding) -> Iterator[str]:
    """One journal, as it is to be entered."""
    intended = standing.intended
    where = place_of(cycle, standing)
    undone = f", undone by {standing.reversed_by}" if standing.reversed_by else ""
    kind = intended.kind.replace("_", " ")
    yield f"journal {intended.reference} ({kind}), {intended.posting_date}: {where}{undone}"
    yield from entry_lines(intended)


def entry_lines(intended: JournalIntended) -> Iterator[str]:
    """A journal's text and lines."""
    yield f"  {intended.narrative}"
    for line in table(
        ("account", "tax", ">debit", ">credit", "memo"),
        [
            (
                line.account,
                line.tax_code,
                str(line.debit) if line.debit else "",
                str(line.credit) if line.credit else "",
                line.memo,
            )
            for line in intended.lines
        ],
    ):
        yield f"  {line}"
