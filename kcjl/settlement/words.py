"""Payouts and journals in words: how far they are, and what is to be known of them.

Promises: pure; the same words in the CLI and in the monitor. Called by the CLI and the read
models.
"""

from collections.abc import Iterator, Sequence

from kcjl.settlement.entering import undoes_nothing
from kcjl.settlement.gap_events import GapEnded, GapFound
from kcjl.settlement.standing import JournalStanding
from kcjl.settlement.state import Cycle

__all__ = ["ended_by", "payout_note", "place_of", "to_enter"]


def payout_note(cycle: Cycle) -> str:
    """Why it is held, what came late, which gaps it has."""
    return "; ".join(_notes(cycle))


def _notes(cycle: Cycle) -> Iterator[str]:
    if cycle.held is not None:
        yield cycle.held.reason
        if cycle.accepted is not None:
            yield f"accepted: {cycle.accepted.reason}"
    if cycle.late_lines:
        yield f"{cycle.late_lines} late lines, {cycle.late_total}"
    if cycle.reconciled is not None and cycle.reconciled.gaps:
        gaps = sum(each.gaps for each in cycle.reconciled.gaps)
        ended = f", {len(cycle.gaps_ended)} ended since" if cycle.gaps_ended else ""
        yield f"gaps: {gaps}{ended}"


def ended_by(gap: GapFound, ended: Sequence[GapEnded]) -> str:
    """What has ended the gap since its payout was closed, and when; empty: it stands."""
    found = (
        each
        for each in ended
        if (each.kind, each.subject, each.order_line_id, each.component)
        == (gap.kind, gap.subject, gap.order_line_id, gap.component)
    )
    each = next(found, None)
    return f"ended {each.occurred_at:%Y-%m-%d}: {each.reason}" if each is not None else ""


def to_enter(cycle: Cycle) -> Iterator[JournalStanding]:
    """The journals that a person or a live ledger has still to enter."""
    for each in cycle.journals:
        ready = each.prepared is not None and not each.ledger_number
        if ready and not each.reversed_by and not undoes_nothing(cycle, each):
            yield each


def place_of(cycle: Cycle, standing: JournalStanding) -> str:
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
