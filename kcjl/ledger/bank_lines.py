"""A line of a bank statement, whichever file it came in, and what makes it that one line.

Promises: pure; a file is read whole or refused, with its name, the place and the next step; the
same line of the same account has the same identity in every file of its layout, so that files
that overlap bring it once. Amounts are signed: above nothing came in.
It does not judge whose money it is. Called by the readers beside it.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

import msgspec

from kcjl.errors import Misuse
from kcjl.money import Money

__all__ = [
    "OF_ANOTHER_CURRENCY",
    "BankLine",
    "Place",
    "StatementLine",
    "amount_of",
    "day_of",
    "identified",
]

AMOUNT = re.compile(r"(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<part>\d{1,2}))?")
SIGNS = {"£": "GBP", "€": "EUR", "$": "USD"}
DAY_FORMS = ("%Y-%m-%d", "%d/%m/%Y", "%d/%m/%y", "%d-%m-%Y", "%d %b %Y", "%d-%b-%Y")
YEARS = range(2000, 2100)
SHOWN_CHARS_MAX = 60
OF_ANOTHER_CURRENCY = (
    "Payouts are compared in their own currency: give the statement of that account."
)


class Place:
    """Where in which file we are: what an error names first."""

    def __init__(self, file: str, where: str = "") -> None:
        self.file = file
        self.where = where

    def at(self, where: str) -> "Place":
        """Another place in the same file."""
        return Place(self.file, where)

    def wrong(self, what: str, next_step: str) -> Misuse:
        """The error to raise: nothing of the file is taken."""
        place = f"{self.file}, {self.where}" if self.where else self.file
        return Misuse(f"{place}: {what}; nothing of the file was taken. {next_step}")


class StatementLine(msgspec.Struct, frozen=True, kw_only=True):
    """As it stands in the file."""

    account: str
    booked_on: date
    amount: Money
    text: str
    """All that the bank says of it: it may name anybody, and is never kept."""
    bank_number: str = ""
    """The bank's own number of it; empty: it gives none."""
    where: str
    """Such as line 12."""


class BankLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line, and its identity."""

    identity: str
    stated: StatementLine


def identified(lines: Iterable[StatementLine]) -> tuple[BankLine, ...]:
    """Each line with its identity: the bank's number, or what it says and the how-manieth.

    Days come whole in a statement, so the second of two that are alike is the second in
    another file too.
    """
    alike: Counter[tuple[str, ...]] = Counter()
    found = []
    for line in lines:
        said: tuple[str, ...] = (line.account, line.bank_number)
        if not line.bank_number:
            text = " ".join(line.text.split()).casefold()
            said = (line.account, f"{line.booked_on}", f"{line.amount}", text)
        alike[said] += 1
        named = "\x00".join((*said, str(alike[said])))
        found.append(
            BankLine(identity=hashlib.sha256(named.encode()).hexdigest()[:24], stated=line)
        )
    return tuple(found)


def amount_of(text: str, currency: str, place: Place) -> Money:
    """An amount as banks write it: 1,234.56, -1234.56, (1,234.56), £12."""
    bare = re.sub(r"[\s\u00a0]", "", text).replace("\u2212", "-")
    negative = bare.startswith("(") and bare.endswith(")")
    bare = bare[1:-1] if negative else bare
    for sign, named in SIGNS.items():
        if sign in bare and named != currency:
            raise place.wrong(
                f"{_shown(text)} is in {named}, and not in {currency}",
                OF_ANOTHER_CURRENCY,
            )
        bare = bare.replace(sign, "", 1)
    sign = bare[:1] if bare[:1] in ("-", "+") else ""
    negative = negative or sign == "-"
    match = AMOUNT.fullmatch(bare[len(sign) :])
    try:
        amount = Decimal(bare[len(sign) :].replace(",", "")) if match else None
    except InvalidOperation:
        amount = None
    if amount is None:
        raise place.wrong(
            f"{_shown(text)} is no amount",
            "Write it as 1,234.56; export the file again if it was cut or changed.",
        )
    return Money.parse(-amount if negative else amount, currency)


def day_of(text: str, place: Place) -> date:
    """A day as British banks write it: the day first, or ISO; never the month first."""
    bare = text.strip().partition("T")[0]
    for form in DAY_FORMS:
        try:
            # The day of a wall calendar: no time of any zone is read out of it.
            day = datetime.strptime(bare, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
        if day.year in YEARS:
            return day
    raise place.wrong(
        f"{_shown(text)} is no day", "Write it as 31/12/2026 or 2026-12-31, the day first."
    )


def _shown(text: str) -> str:
    bare = text if len(text) <= SHOWN_CHARS_MAX else f"{text[:SHOWN_CHARS_MAX]}…"
    return repr(bare)
