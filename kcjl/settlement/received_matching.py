"""Settlement, the rules of matching: which payout a line of a bank statement is the money of.

Promises: pure; a line is matched by the payout's bank reference in it, else by its amount and
day where exactly one payout and exactly one line fit; what could be two is left to a person.
A line that is known, by its identity or by a person's word, is nothing new.
Called by `kcjl payouts bank`; the room judges what it sends again (`received.py`).
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Literal

import msgspec

from kcjl.ledger.bank_lines import BankLine
from kcjl.money import Money
from kcjl.settlement.intake import LONDON
from kcjl.settlement.received import Receipt, paid_on
from kcjl.settlement.state import Cycle

__all__ = ["Judged", "Verdict", "match_lines", "receipts_of"]

Verdict = Literal["matched", "known", "withdrawn", "unclear", "other"]
"""`other`: nothing says that it is a payout's. `unclear`: a person has to say."""

REFERENCE_CHARS_MIN = 5
"""A shorter one stands in too many lines by chance."""
SAID_BY_HAND_WITHIN = timedelta(days=5)
A_DAY_EARLY = timedelta(days=1)


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A line that came in, and what it was found to be."""

    line: BankLine
    verdict: Verdict
    payouts: tuple[str, ...] = ()
    receipt: Receipt | None = None
    off: Money | None = None
    """What all that came of the payout is more or less than what was transferred."""
    said: str = ""


def match_lines(
    lines: Sequence[BankLine], cycles: Sequence[Cycle], *, file: str, within_days: int
) -> tuple[Judged, ...]:
    """Every line of money that came in, in the order of the file."""
    return _Matching(cycles, file, timedelta(days=within_days)).judge(lines)


def receipts_of(judged: Iterable[Judged]) -> tuple[Receipt, ...]:
    """What is to be booked."""
    return tuple(each.receipt for each in judged if each.receipt is not None)


class _Matching:
    """One statement against all payouts."""

    def __init__(self, cycles: Sequence[Cycle], file: str, within: timedelta) -> None:
        self._cycles = [each for each in cycles if each.seen.amount_to_seller.amount_minor > 0]
        self._file = file
        self._within = within
        self._known = {
            each.bank_line: cycle.cycle_id
            for cycle in cycles
            for each in cycle.receipts
            if each.bank_line
        }
        self._withdrawn = {
            each.bank_line: cycle.cycle_id
            for cycle in cycles
            for each in cycle.withdrawn
            if each.bank_line
        }
        self._received = {each.cycle_id: each.received for each in self._cycles}
        self._forms = {each.cycle_id: _form(each) for each in self._cycles}

    def judge(self, lines: Sequence[BankLine]) -> tuple[Judged, ...]:
        came = [each for each in lines if each.stated.amount.amount_minor > 0]
        judged = [self._known_or_named(each) for each in came]
        alone = {
            line.identity: self._of_the_amount(line)
            for line, found in zip(came, judged, strict=True)
            if found is None
        }
        wanted = Counter(each for found in alone.values() for each in found)
        return tuple(
            found if found is not None else self._by_amount(line, alone[line.identity], wanted)
            for line, found in zip(came, judged, strict=True)
        )

    def _known_or_named(self, line: BankLine) -> Judged | None:
        """None: nothing but its amount can say what it is."""
        if line.identity in self._known:
            payouts = (self._known[line.identity],)
            return Judged(line=line, verdict="known", payouts=payouts, said="read before")
        if line.identity in self._withdrawn:
            payouts = (self._withdrawn[line.identity],)
            said = "a person took it back: kcjl payouts received says it anew"
            return Judged(line=line, verdict="withdrawn", payouts=payouts, said=said)
        text = line.stated.text.casefold()
        named = [
            each
            for each in self._cycles
            if (form := self._forms[each.cycle_id]) is not None and form.search(text)
        ]
        return self._named(line, named) if named else None

    def _named(self, line: BankLine, named: Sequence[Cycle]) -> Judged:
        amount = line.stated.amount
        if len(named) > 1:
            exact = [each for each in named if self._missing(each) == amount]
            named = exact if len(exact) == 1 else named
        payouts = tuple(each.cycle_id for each in named)
        if len(named) > 1:
            said = "several payouts have this bank reference"
            return Judged(line=line, verdict="unclear", payouts=payouts, said=said)
        (cycle,) = named
        if _said_by_hand(cycle, line):
            said = "a person has said it"
            return Judged(line=line, verdict="known", payouts=payouts, said=said)
        wrong = self._wrong(cycle, line)
        if wrong:
            return Judged(line=line, verdict="unclear", payouts=payouts, said=wrong)
        return self._matched(line, cycle, "reference")

    def _wrong(self, cycle: Cycle, line: BankLine) -> str:
        if line.stated.amount.currency != cycle.seen.currency:
            return f"the payout is in {cycle.seen.currency}"
        if line.stated.booked_on < cycle.created_at.astimezone(LONDON).date():
            return "it names the payout, and came before its cycle was made"
        if self._missing(cycle).amount_minor <= 0:
            return "it names the payout, and all of that is in the bank already"
        return ""

    def _of_the_amount(self, line: BankLine) -> tuple[str, ...]:
        """Payouts that it may be by amount and day: received as a whole, or said by hand."""
        stated = line.stated
        found = []
        for cycle in self._cycles:
            if stated.amount != cycle.seen.amount_to_seller:
                continue
            made = cycle.created_at.astimezone(LONDON).date()
            paid = paid_on(cycle) or made
            begins = max(made, paid - A_DAY_EARLY)
            in_time = begins <= stated.booked_on <= paid + self._within
            if _said_by_hand(cycle, line) or (in_time and not self._received[cycle.cycle_id]):
                found.append(cycle.cycle_id)
        return tuple(found)

    def _by_amount(
        self, line: BankLine, payouts: tuple[str, ...], wanted: Mapping[str, int]
    ) -> Judged:
        if not payouts:
            return Judged(line=line, verdict="other")
        cycles = [each for each in self._cycles if each.cycle_id in payouts]
        if len(cycles) == 1 and _said_by_hand(cycles[0], line):
            said = "a person has said it"
            return Judged(line=line, verdict="known", payouts=payouts, said=said)
        if len(cycles) > 1 or wanted[payouts[0]] > 1 or self._received[payouts[0]]:
            said = "several lines or payouts have this amount in these days"
            return Judged(line=line, verdict="unclear", payouts=payouts, said=said)
        return self._matched(line, cycles[0], "amount")

    def _missing(self, cycle: Cycle) -> Money:
        return cycle.seen.amount_to_seller - self._received[cycle.cycle_id]

    def _matched(
        self, line: BankLine, cycle: Cycle, by: Literal["reference", "amount"]
    ) -> Judged:
        self._received[cycle.cycle_id] += line.stated.amount
        reference = cycle.seen.payout_reference if by == "reference" else None
        return Judged(
            line=line,
            verdict="matched",
            payouts=(cycle.cycle_id,),
            receipt=Receipt(
                cycle_id=cycle.cycle_id,
                amount=line.stated.amount,
                received_on=line.stated.booked_on,
                matched_by=by,
                reference=reference or "",
                bank_line=line.identity,
                source=f"{self._file}, {line.stated.where}",
            ),
            off=-self._missing(cycle) or None,
            said=f"by its {by}",
        )


def _form(cycle: Cycle) -> re.Pattern[str] | None:
    """Its bank reference, however a bank sets blanks and dashes in it."""
    parts = re.findall(r"[0-9a-z]+", (cycle.seen.payout_reference or "").casefold())
    if len("".join(parts)) < REFERENCE_CHARS_MIN:
        return None
    return re.compile(rf"(?<![0-9a-z]){r'[^0-9a-z]*'.join(parts)}(?![0-9a-z])")


def _said_by_hand(cycle: Cycle, line: BankLine) -> bool:
    return any(
        not each.bank_line
        and each.amount == line.stated.amount
        and abs(each.received_on - line.stated.booked_on) <= SAID_BY_HAND_WITHIN
        for each in cycle.receipts
    )
