"""One organisation's manual journals in Xero, and what people do to them there.

Promises: nothing is entered that does not balance, is dated in a locked period or names an
account that is not there, archived, or closed to manual journals; a key that comes again is no
second journal, and with another body an error. Posted journals are voided, drafts are deleted,
never the other way round. Invariant: only these methods change it; time is the agenda's.
Called by the face (through the gate), by the control routes, and by checkers, who read it.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

import msgspec

from kcjl.errors import Misuse
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.xero.settings import Account, BooksSettings

__all__ = ["BOOKS_HOOKS", "Books", "BooksRefusal", "ManualJournal", "ManualLine"]

BOOKS_HOOKS = frozenset(
    {
        "add_account", "archive_account", "copy_journal", "delete_journal", "lock_books",
        "post_journal", "redate_journal", "rewrite_line", "void_journal",
    }
)  # fmt: skip
"""What a person may do in Xero."""

_PENNY = Decimal("0.01")
_CLOSED_KINDS = ("BANK", "SYSTEM")


class BooksRefusal(Exception):
    """Raised when Xero refuses a journal: one sentence a fault. Nothing was changed."""

    def __init__(self, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


class ManualLine(msgspec.Struct, frozen=True, kw_only=True):
    account_code: str
    line_amount: Decimal
    description: str = ""
    tax_type: str = "NONE"
    tax_amount: Decimal = Decimal(0)


class ManualJournal(msgspec.Struct, frozen=True, kw_only=True):
    journal_id: str
    narration: str
    day: date
    status: Literal["DRAFT", "POSTED", "VOIDED", "DELETED"]
    line_amount_types: Literal["NoTax", "Exclusive"]
    lines: tuple[ManualLine, ...]
    updated_at: datetime


class NewJournal(msgspec.Struct, frozen=True, kw_only=True):
    """What a client wants entered."""

    narration: str = ""
    day: date | None = None
    status: Literal["DRAFT", "POSTED"] = "DRAFT"
    line_amount_types: Literal["NoTax", "Exclusive"] = "Exclusive"
    lines: tuple[ManualLine, ...] = ()


class Books:
    """The manual journals of one organisation."""

    def __init__(self, agenda: Agenda, settings: BooksSettings, seed: int) -> None:
        self.settings = settings
        self.journals: dict[str, ManualJournal] = {}
        """By id, oldest first."""
        self._agenda = agenda
        self._seed = seed
        self._keys: dict[str, tuple[str, str, datetime]] = {}
        """Idempotency-Key -> fingerprint of the body, journal, when it came."""

    # ── what a client does ──

    def enter_journal(
        self, journal: NewJournal, key: str = "", fingerprint: str = ""
    ) -> ManualJournal:
        """Enter a journal, or say again what its key had brought."""
        journal = msgspec.convert(journal, NewJournal, from_attributes=True)
        if known := self._keyed(key):
            if known[0] != fingerprint:
                raise BooksRefusal(
                    "The idempotency key has been used for a request with another body"
                )
            return self.journals[known[1]]
        made = self._checked(journal, self._next_id())
        self.journals[made.journal_id] = made
        if key:
            self._keys[key] = (fingerprint, made.journal_id, self._agenda.now)
        return made

    def change_journal(self, journal_id: str, journal: NewJournal) -> ManualJournal:
        """Write a draft anew."""
        self._of_status(journal_id, "DRAFT")
        journal = msgspec.convert(journal, NewJournal, from_attributes=True)
        made = self._checked(journal, journal_id)
        self.journals[journal_id] = made
        return made

    # ── what people do ──

    def post_journal(self, journal_id: str) -> ManualJournal:
        """A person posts a draft."""
        self._of_status(journal_id, "DRAFT")
        return self._put(journal_id, status="POSTED")

    def void_journal(self, journal_id: str) -> ManualJournal:
        """A person voids a posted journal."""
        self._of_status(journal_id, "POSTED")
        return self._put(journal_id, status="VOIDED")

    def delete_journal(self, journal_id: str) -> ManualJournal:
        """A person deletes a draft."""
        self._of_status(journal_id, "DRAFT")
        return self._put(journal_id, status="DELETED")

    def redate_journal(self, journal_id: str, day: str) -> ManualJournal:
        """A person gives a journal in force another date (YYYY-MM-DD)."""
        self._of_status(journal_id, "DRAFT", "POSTED")
        return self._put(journal_id, day=date.fromisoformat(day))

    def rewrite_line(self, journal_id: str, line: int, account_code: str) -> ManualJournal:
        """A person books a line (from 0) of a journal in force to another account."""
        found = self._of_status(journal_id, "DRAFT", "POSTED")
        self._usable(account_code)
        lines = list(found.lines)
        lines[line] = msgspec.structs.replace(lines[line], account_code=account_code)
        return self._put(journal_id, lines=tuple(lines))

    def copy_journal(self, journal_id: str) -> ManualJournal:
        """A person makes a draft of the same text and lines."""
        found = self._of_status(journal_id, "DRAFT", "POSTED", "VOIDED")
        copy = msgspec.structs.replace(
            found, journal_id=self._next_id(), status="DRAFT", updated_at=self._agenda.now
        )
        self.journals[copy.journal_id] = copy
        return copy

    def lock_books(self, until: str | None = None) -> BooksSettings:
        """A person locks the books up to a day, that included; without one they are open."""
        day = None if until is None else date.fromisoformat(until)
        return self._settle(locked_until=day)

    def add_account(self, code: str, name: str, kind: str = "CURRENT") -> BooksSettings:
        """A person adds an account to the chart."""
        account = msgspec.convert({"name": name, "kind": kind}, Account)
        return self._settle(accounts={**self.settings.accounts, code: account})

    def archive_account(self, code: str) -> BooksSettings:
        """A person archives an account."""
        if code not in self.settings.accounts:
            raise Misuse(f"there is no account {code!r}")
        account = msgspec.structs.replace(self.settings.accounts[code], archived=True)
        return self._settle(accounts={**self.settings.accounts, code: account})

    # ── inside ──

    def _settle(self, **changes: object) -> BooksSettings:
        self.settings = msgspec.structs.replace(self.settings, **changes)
        return self.settings

    def _put(self, journal_id: str, **changes: object) -> ManualJournal:
        changed = msgspec.structs.replace(
            self.journals[journal_id], updated_at=self._agenda.now, **changes
        )
        self.journals[journal_id] = changed
        return changed

    def _of_status(self, journal_id: str, *statuses: str) -> ManualJournal:
        found = self.journals.get(journal_id)
        if found is None:
            raise Misuse(f"there is no manual journal {journal_id!r}")
        if found.status not in statuses:
            raise BooksRefusal(
                f"Manual journal {journal_id} is {found.status} and can't be changed so"
            )
        return found

    def _next_id(self) -> str:
        """A UUID, 8-4-4-4-12, of the seed and the number: it asks no chance of the world's."""
        named = f"xero/{self._seed}/{len(self.journals)}"
        digits = hashlib.sha256(named.encode()).hexdigest()
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))

    def _keyed(self, key: str) -> tuple[str, str, datetime] | None:
        known = self._keys.get(key)
        keep = timedelta(minutes=self.settings.key_minutes)
        if known is None or self._agenda.now - known[2] > keep:
            return None
        return known

    def _checked(self, journal: NewJournal, journal_id: str) -> ManualJournal:
        lines = tuple(self._taxed(line, journal.line_amount_types) for line in journal.lines)
        faults = list(self._faults(journal, lines))
        if faults:
            raise BooksRefusal(*faults)
        return ManualJournal(
            journal_id=journal_id,
            narration=journal.narration,
            day=journal.day or self._agenda.now.date(),
            status=journal.status,
            line_amount_types=journal.line_amount_types,
            lines=lines,
            updated_at=self._agenda.now,
        )

    def _taxed(self, line: ManualLine, amounts: str) -> ManualLine:
        rate = self.settings.tax_rates.get(line.tax_type, Decimal(0))
        if amounts == "NoTax":
            return msgspec.structs.replace(line, tax_amount=Decimal(0))
        tax = (line.line_amount * rate / 100).quantize(_PENNY, rounding=ROUND_HALF_UP)
        return msgspec.structs.replace(line, tax_amount=tax)

    def _faults(self, journal: NewJournal, lines: Sequence[ManualLine]) -> Sequence[str]:
        faults: list[str] = []
        if not journal.narration.strip():
            faults.append("Narration is required")
        least = 2
        if len(lines) < least:
            faults.append("A manual journal needs at least two lines")
        locked = self.settings.locked_until
        day = journal.day or self._agenda.now.date()
        if locked is not None and day <= locked:
            faults.append(
                "The document date cannot be before the period lock date, currently "
                f"{locked:%d %B %Y}"
            )
        for line in lines:
            try:
                self._usable(line.account_code)
            except BooksRefusal as refusal:
                faults.extend(refusal.messages)
            if line.tax_type not in self.settings.tax_rates:
                faults.append(
                    f"The TaxType code '{line.tax_type}' does not exist or cannot be used for "
                    "this type of transaction."
                )
            if line.line_amount != line.line_amount.quantize(_PENNY):
                faults.append(f"The amount {line.line_amount} has more than two places")
        amounts = [line.line_amount + line.tax_amount for line in lines]
        debits = sum((each for each in amounts if each > 0), Decimal(0))
        credits_ = sum((each for each in amounts if each < 0), Decimal(0))
        if debits + credits_:
            faults.append(
                f"The total debits ({debits:.2f}) must equal total credits ({credits_:.2f})"
            )
        return list(dict.fromkeys(faults))

    def _usable(self, code: str) -> None:
        account = self.settings.accounts.get(code)
        if account is None:
            raise BooksRefusal(f"Account code '{code}' is not a valid code for this document.")
        if account.archived:
            raise BooksRefusal(f"Account code '{code}' has been archived.")
        if account.kind in _CLOSED_KINDS:
            raise BooksRefusal(
                f"Account code '{code}' ({account.name}) can't be used in a manual journal."
            )
