"""Xero's JSON: journals as they are written, read and refused.

Promises: amounts are decimals from the first byte on; a debit is above nothing, a credit below;
what is not known is ignored. A journal that does not balance, or is of another currency than
the books, is never made into bytes. Invariant: the text of a journal begins with its reference.
Called by `xero.py` and `xero_http.py`. Source: Xero's OpenAPI description (accounting).
"""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal, TypeVar

import msgspec

from kcjl.errors import Misuse, ProtocolSurprise, Refused
from kcjl.ledger.port import (
    BookedJournal,
    BookedLine,
    Journal,
    JournalState,
    ListedJournal,
)
from kcjl.ledger.xero_access import XeroAccess
from kcjl.money import Money

__all__ = [
    "Token",
    "booked_journal",
    "decoded",
    "listed_journals",
    "refusal_words",
    "written",
]

T = TypeVar("T")

WORDS_MAX = 500
"""Characters of a refusal that are repeated."""
_MILLISECONDS = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
_STATES: dict[str, JournalState] = {
    "DRAFT": "draft",
    "POSTED": "posted",
    "ARCHIVED": "posted",
    "VOIDED": "voided",
    "DELETED": "deleted",
}
_encoder = msgspec.json.Encoder(decimal_format="number")


class Token(msgspec.Struct, frozen=True, kw_only=True):
    access_token: str
    expires_in: float = 1800.0
    refresh_token: str = ""

    def __repr__(self) -> str:
        return f"Token(***, expires_in={self.expires_in})"


class WireLine(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    line_amount: Decimal
    account_code: str = ""
    description: str | None = None
    tax_type: str | None = None
    tax_amount: Decimal | None = None


class WireFault(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    message: str = ""


class WireJournal(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    narration: str = ""
    date: str = ""
    status: str = ""
    manual_journal_id: str = msgspec.field(default="", name="ManualJournalID")
    journal_lines: tuple[WireLine, ...] = ()
    status_attribute_string: str = ""
    validation_errors: tuple[WireFault, ...] = ()


class WireJournals(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    manual_journals: tuple[WireJournal, ...] = ()


class WireRefusal(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """Of a 400 in Xero's own form, of a problem as RFC 7807 has it, or of the token's door."""

    message: str = ""
    elements: tuple[WireJournal, ...] = ()
    title: str = ""
    detail: str = ""
    error: str = msgspec.field(default="", name="error")
    error_description: str = msgspec.field(default="", name="error_description")


class NewLine(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    line_amount: Decimal
    account_code: str
    description: str
    tax_type: str


class NewJournal(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    narration: str
    date: str
    status: Literal["DRAFT", "POSTED"]
    line_amount_types: Literal["NoTax", "Exclusive"]
    journal_lines: tuple[NewLine, ...]


class NewJournals(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    manual_journals: tuple[NewJournal, ...]


def written(journal: Journal, access: XeroAccess) -> bytes:
    """The body that enters a journal; the same journal is the same bytes.

    Raises Misuse for one that does not balance, Refused for one of another currency.
    """
    amounts = [entry.debit - entry.credit for entry in journal.entries]
    currencies = {amount.currency for amount in amounts}
    if currencies != {access.currency}:
        raise Refused(
            f"entering journal {journal.reference} in Xero: it is in "
            f"{', '.join(sorted(currencies)) or 'no currency'}, and the books are in "
            f"{access.currency}; enter it by hand, then: kcjl payouts ack "
            f"{journal.reference} NUMBER"
        )
    if sum(amount.amount_minor for amount in amounts):
        raise Misuse(f"journal {journal.reference} does not balance: please report this")
    lines = tuple(
        NewLine(
            line_amount=amount.decimal(),
            account_code=entry.account,
            description=entry.memo,
            tax_type=access.tax_types.get(entry.tax_code, "NONE"),
        )
        for entry, amount in zip(journal.entries, amounts, strict=True)
    )
    new = NewJournal(
        narration=f"{journal.reference}: {journal.narrative}",
        date=journal.posting_date.isoformat(),
        status="POSTED" if access.post_as == "posted" else "DRAFT",
        line_amount_types=access.line_amounts,
        journal_lines=lines,
    )
    return _encoder.encode(NewJournals(manual_journals=(new,)))


def decoded(body: bytes, kind: type[T], what: str) -> T:
    """Raises ProtocolSurprise where it is something else."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolSurprise(f"{what}: the answer can't be read: {error}") from None


def booked_journal(body: bytes, currency: str, what: str) -> BookedJournal:
    """The one journal of an answer. Raises Refused where it says so in a 200."""
    journals = decoded(body, WireJournals, what).manual_journals
    if len(journals) != 1:
        raise ProtocolSurprise(f"{what}: {len(journals)} journals came instead of one")
    (journal,) = journals
    if journal.status_attribute_string == "ERROR" or not journal.manual_journal_id:
        raise Refused(f"{what}: {_words((journal,)) or 'no reason given'}")
    lines = journal.journal_lines
    added = sum((line.tax_amount or Decimal(0) for line in lines), Decimal(0))
    return BookedJournal(
        ledger_number=journal.manual_journal_id,
        reference=_reference(journal.narration),
        state=_state(journal, what),
        posting_date=_day(journal.date, what),
        lines=tuple(
            BookedLine(
                account=line.account_code, amount=_money(line.line_amount, currency, what)
            )
            for line in lines
        ),
        tax_added=_money(added, currency, what),
    )


def listed_journals(body: bytes, what: str) -> tuple[ListedJournal, ...]:
    return tuple(
        ListedJournal(
            ledger_number=each.manual_journal_id,
            reference=_reference(each.narration),
            state=_state(each, what),
        )
        for each in decoded(body, WireJournals, what).manual_journals
    )


def refusal_words(body: bytes) -> str:
    """What they said, in one line; nothing where it can't be read."""
    try:
        said = msgspec.json.decode(body, type=WireRefusal)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    words = (
        _words(said.elements)
        or said.detail
        or said.error_description
        or said.message
        or said.title
        or said.error
    )
    plain = "".join(each if each.isprintable() else " " for each in words)
    return plain if len(plain) <= WORDS_MAX else f"{plain[: WORDS_MAX - 1]}…"


def _words(journals: tuple[WireJournal, ...]) -> str:
    faults = [fault.message for each in journals for fault in each.validation_errors]
    return "; ".join(dict.fromkeys(faults))


def _reference(narration: str) -> str:
    return narration.partition(" ")[0].rstrip(":")


def _state(journal: WireJournal, what: str) -> JournalState:
    state = _STATES.get(journal.status)
    if state is None:
        raise ProtocolSurprise(f"{what}: a journal's status is {journal.status[:40]!r}")
    return state


def _money(amount: Decimal, currency: str, what: str) -> Money:
    try:
        return Money.parse(amount, currency)
    except Misuse as error:
        raise ProtocolSurprise(f"{what}: {error.message}") from None


def _day(told: str, what: str) -> date:
    """`/Date(1552521600000+0000)/`, or as ISO 8601 has it."""
    if found := _MILLISECONDS.fullmatch(told):
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(found[1]))
        return moment.date()
    try:
        return date.fromisoformat(told[:10])
    except ValueError:
        raise ProtocolSurprise(f"{what}: a journal's date is {told[:40]!r}") from None
