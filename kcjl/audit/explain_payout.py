"""Why a payout is what it is, and where a penny of it comes from.

Promises: pure; the amounts are those of the payout's account, added to nothing and cut from
nothing; a list that is cut says how long it is.
Called by `explain_reading.py`.
"""

import re
from collections.abc import Iterator, Sequence

from kcjl.audit.explain import clock
from kcjl.errors import Misuse, NotFound
from kcjl.money import Money
from kcjl.readmodels_money import PennyWay
from kcjl.settlement.account import AccountLine, PayoutAccount
from kcjl.settlement.gap_events import GapFound
from kcjl.settlement.received import receipt_words
from kcjl.settlement.words import ended_by, place_of

__all__ = ["amount_asked", "lines_of_amount", "payout_answer", "penny_answer"]

NAMED_MAX = 20
PENCE = re.compile(r"(-?\d+)\s*p", re.IGNORECASE)


def payout_answer(account: PayoutAccount) -> tuple[str, ...]:
    """What was paid, what it is made of, and what of it is not as it should be."""
    return tuple(_payout(account))


def _payout(account: PayoutAccount) -> Iterator[str]:
    cycle = account.cycle
    seen = cycle.seen
    paid = f"paid {clock(seen.paid_at)}" if seen.paid_at else f"not paid ({seen.payout_state})"
    yield (
        f"Payout {cycle.cycle_id} is {seen.amount_to_seller}, {paid}: "
        f"{cycle.state.value.replace('_', ' ')}."
    )
    yield (
        f"Its {len(account.lines):,} lines come to {account.lines_total}, so the residue is "
        f"{account.residue}."
    )
    for total in account.by_kind:
        name = total.name.replace("_", " ").lower()
        yield f"{total.amount} is {name}, in {total.lines:,} lines."
    for named in account.named:
        yield f"{named.amount} of the residue is {named.kind.replace('_', ' ')}: {named.said}."
    if cycle.held is not None:
        yield f"It is held: {cycle.held.reason}."
    if cycle.accepted is not None:
        yield f"A person has accepted that: {cycle.accepted.reason}."
    for gap in account.gaps[:NAMED_MAX]:
        yield _gap(account, gap)
    if len(account.gaps) > NAMED_MAX:
        yield f"These are the first {NAMED_MAX} of {len(account.gaps):,} gaps."
    if account.untied:
        yield f"{len(account.untied):,} lines are tied to no sales order."
    if cycle.late_lines:
        yield f"{cycle.late_lines:,} lines came late: {cycle.late_total}, not in its journal."
    for journal in account.journals:
        yield f"Journal {journal.intended.reference}: {place_of(cycle, journal)}."
    if words := receipt_words(cycle):
        yield f"In the bank: {words}."


def _gap(account: PayoutAccount, gap: GapFound) -> str:
    since = ended_by(gap, account.cycle.gaps_ended) or "it stands"
    return (
        f"{gap.amount} is a gap, {gap.kind.replace('_', ' ')}, of {gap.subject}: charged "
        f"{gap.charged}, expected {gap.expected}: {gap.message}; {since}."
    )


# ── a penny ─────────────────────────────────────────────────────────────────────────────────


def amount_asked(text: str, currency: str) -> Money | None:
    """`2p`, `0.02`, `-0.02`; None: no amount was asked for. Raises Misuse."""
    if not text:
        return None
    if pence := PENCE.fullmatch(text.strip()):
        return Money(int(pence[1]), currency)
    try:
        return Money.parse(text.removesuffix(currency).strip(), currency)
    except Misuse:
        raise Misuse(f"{text!r} is no amount: write it like 2p or 0.02") from None


def lines_of_amount(account: PayoutAccount, amount: Money | None) -> Sequence[AccountLine]:
    """The lines of that amount, either side of nothing, and those that a gap of it names."""
    if amount is None:
        named = {line for gap in account.gaps for line in gap.line_ids}
        return [each for each in account.lines if each.seen.line_id in named]
    gaps = {line for gap in account.gaps if _same(gap.amount, amount) for line in gap.line_ids}
    return [
        each
        for each in account.lines
        if _same(each.seen.amount, amount) or each.seen.line_id in gaps
    ]


def penny_answer(
    account: PayoutAccount, amount: Money | None, ways: Sequence[PennyWay], lines: int
) -> tuple[str, ...]:
    """Raises NotFound where nothing in the payout is of that amount."""
    told = list(_penny(account, amount, ways, lines))
    if not told:
        raise NotFound(
            f"nothing in payout {account.cycle.cycle_id} is {amount}: no line, no gap, and its "
            f"residue is {account.residue}; `kcjl payouts show {account.cycle.cycle_id}`"
        )
    return tuple(told)


def _penny(
    account: PayoutAccount, amount: Money | None, ways: Sequence[PennyWay], lines: int
) -> Iterator[str]:
    payout = account.cycle.cycle_id
    if amount is None or (_same(account.residue, amount) and account.residue):
        yield f"The residue of payout {payout} is {account.residue}: stated less its lines."
        for named in account.named:
            yield f"{named.amount} of it is {named.kind.replace('_', ' ')}: {named.said}."
    for gap in account.gaps:
        if amount is None or _same(gap.amount, amount):
            yield _gap(account, gap)
    for way in ways:
        yield f"{way.amount} is line {way.line_id}. Its way:"
        yield from (f"    {step.at} {step.name}: {step.said}" for step in way.steps)
    if lines > len(ways):
        yield f"These are the first {len(ways):,} of {lines:,} lines."


def _same(one: Money, other: Money) -> bool:
    return one in (other, -other)
