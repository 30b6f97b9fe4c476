"""A payout's account and its journals as lines of text. Called by the verbs of `payouts`."""

from collections.abc import Iterator, Sequence

from kcjl.cli.stock_shown import clock
from kcjl.cli.tables import table
from kcjl.settlement.account import PayoutAccount, Total
from kcjl.settlement.entering import undoes_nothing
from kcjl.settlement.events import JournalIntended
from kcjl.settlement.gap_events import GapFound
from kcjl.settlement.state import Cycle, JournalStanding

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
        yield from _gap_lines(account.gaps)
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
    yield from _standing(cycle)


def _standing(cycle: Cycle) -> Iterator[tuple[str, str]]:
    if cycle.held is not None:
        yield "held", cycle.held.reason
        if cycle.accepted is not None:
            yield "accepted", cycle.accepted.reason
    if cycle.late_lines:
        yield "late", f"{cycle.late_lines} lines, {cycle.late_total}; not in its journal"


def total_lines(totals: Sequence[Total]) -> list[str]:
    return table(
        ("type", ">lines", ">amount"),
        [(each.name, f"{each.lines:,}", str(each.amount)) for each in totals],
    )


def _gap_lines(gaps: Sequence[GapFound]) -> list[str]:
    return table(
        ("gap", "of", ">charged", ">expected", ">difference", "what"),
        [
            (
                gap.kind.replace("_", " "),
                gap.subject,
                str(gap.charged),
                str(gap.expected),
                str(gap.amount),
                gap.message,
            )
            for gap in gaps
        ],
    )


def _where(cycle: Cycle, standing: JournalStanding) -> str:
    """How far the journal is on its way into the ledger."""
    seen = standing.seen
    if standing.ledger_number:
        said = f"{standing.ledger_number} in the ledger"
        if seen is None:
            return said
        return f"{said}, {seen.state}" + (", changed there" if seen.differences else "")
    if standing.prepared is None:
        return "being prepared"
    if standing.refused is not None:
        return f"refused by the ledger: {standing.refused.message}"
    if undoes_nothing(cycle, standing):
        return "not to enter: the ledger does not have what it undoes"
    return "being entered" if standing.attempt else "to enter"


def journal_lines(cycle: Cycle, standing: JournalStanding) -> Iterator[str]:
    """One journal, as it is to be entered."""
    intended = standing.intended
    where = _where(cycle, standing)
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
