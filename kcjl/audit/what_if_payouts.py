"""What if the commission terms had been others: the gaps of each payout, by name.

Promises: gaps are found by settlement's own rule (`find_gaps`), over the lines and orders that
were known when the payout was closed. Amounts stay as they came: terms book nothing.
Called by `kcjl what-if --terms`.
"""

import msgspec

from kcjl.audit.money_then import MoneyThen
from kcjl.log.port import Recorded
from kcjl.money import Money
from kcjl.settlement.expectation import find_gaps, gap_totals
from kcjl.settlement.gap_events import GapTotal, PayoutReconciled
from kcjl.settlement.state import TermsInForce
from kcjl.settlement.terms import CommissionTerms

__all__ = ["GapKindBoth", "PayoutAnswer", "PayoutBoth", "WhatIfTerms"]


class GapKindBoth(msgspec.Struct, frozen=True, kw_only=True):
    """Gaps of one name, in both worlds."""

    kind: str
    gaps: int
    amount: Money
    gaps_other: int
    amount_other: Money


class PayoutBoth(msgspec.Struct, frozen=True, kw_only=True):
    """One payout, when it was closed."""

    cycle_id: str
    kinds: tuple[GapKindBoth, ...]
    """By name; none: no gaps in either world."""

    @property
    def differs(self) -> bool:
        return any((e.gaps, e.amount) != (e.gaps_other, e.amount_other) for e in self.kinds)


class PayoutAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """All payouts that were closed."""

    payouts: tuple[PayoutBoth, ...]
    not_checkable: tuple[str, ...]
    """Payouts with orders that the history can't be asked for."""


class WhatIfTerms:
    """Hears the log from its first event on."""

    def __init__(self, then: MoneyThen, terms: CommissionTerms | None) -> None:
        """`terms`: in force from the first event on; None: those of the time."""
        self._then = then
        self._terms = None if terms is None else TermsInForce(version=0, terms=terms)
        self._payouts: list[PayoutBoth] = []
        self._not_checkable: list[str] = []

    async def hear(self, recorded: Recorded) -> None:
        event = recorded.event
        if isinstance(event, PayoutReconciled):
            await self._closing(event)
        await self._then.hear(recorded)

    def answer(self) -> PayoutAnswer:
        return PayoutAnswer(
            payouts=tuple(self._payouts), not_checkable=tuple(self._not_checkable)
        )

    async def _closing(self, event: PayoutReconciled) -> None:
        cycle_id, currency = event.cycle_id, event.lines_total.currency
        counted = self._then.lines_of(cycle_id)
        own = [each for each in counted if each.seen.amount.currency == currency]
        terms = self._terms or self._then.terms_in_force
        known = await self._then.known_of(own, terms)
        if known is None:
            self._not_checkable.append(cycle_id)
            return
        other = gap_totals(find_gaps(cycle_id, own, known, event.occurred_at))
        self._payouts.append(
            PayoutBoth(cycle_id=cycle_id, kinds=_both(event.gaps, other, currency))
        )


def _both(
    happened: tuple[GapTotal, ...], other: tuple[GapTotal, ...], currency: str
) -> tuple[GapKindBoth, ...]:
    nothing = Money(0, currency)
    then, instead = ({each.kind: each for each in totals} for totals in (happened, other))
    found = []
    for kind in sorted(then.keys() | instead.keys()):
        one, two = then.get(kind), instead.get(kind)
        found.append(
            GapKindBoth(
                kind=kind,
                gaps=one.gaps if one else 0,
                amount=one.amount if one else nothing,
                gaps_other=two.gaps if two else 0,
                amount_other=two.amount if two else nothing,
            )
        )
    return tuple(found)
