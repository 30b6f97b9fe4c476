"""A journal as settlement makes them, for the tests of where journals go."""

from datetime import date

import msgspec

from kcjl.ledger.port import Entry, Journal
from tests.trade import gbp

__all__ = ["JOURNAL", "another", "entry"]


def entry(account: str, debit: int = 0, credit: int = 0, *, tax_code: str = "") -> Entry:
    return Entry(
        account=account, tax_code=tax_code, debit=gbp(debit), credit=gbp(credit), memo="memo"
    )


JOURNAL = Journal(
    reference="JL-0123456789AB",
    posting_date=date(2026, 10, 1),
    narrative="John Lewis payout of 01/10/2026, BACS 1",
    entries=(
        entry("621", debit=164_000),
        entry("404", debit=30_001, tax_code="T1"),
        entry("820", debit=6_000, tax_code="T1"),
        entry("620", credit=200_001),
    ),
)


def another(journal: Journal = JOURNAL) -> Journal:
    """Under the same reference, and booked otherwise."""
    entries = (entry("621", debit=1), entry("620", credit=1))
    return msgspec.structs.replace(journal, entries=entries)
