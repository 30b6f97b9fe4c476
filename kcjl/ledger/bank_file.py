"""The clearing account's file for the ERP's bank import (khaos f, routes 3 and 4).

Promises: pure; the same rows give the same bytes; columns as documented, in the order of the
settings; a text that a spreadsheet would run is quoted, an amount is a plain number. It decides
nothing about what the rows are. Called by `kcjl payouts bankfile`.
Source: contract khaos f (bank import; the vendor's Amazon recipe).
"""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from kcjl.ledger.cells import harmless
from kcjl.money import Money

__all__ = ["AMAZON_COLUMNS", "ClearingRow", "clearing_csv", "clearing_tsv"]

AMAZON_COLUMNS = ("transaction-type", "order-id", "posted-date", "amount", "amount-type")


class ClearingRow(msgspec.Struct, frozen=True, kw_only=True):
    """What moves the clearing account: above nothing goes in."""

    moved_at: datetime
    amount: Money
    what: str
    """The role of the money: commission, refunds, payout, …"""
    memo: str
    order: str = ""
    """The order's number; empty: it is of none."""
    shape: tuple[str, str] = ("other-transaction", "other-transaction")
    """(transaction type, amount type) in Amazon's words."""


def clearing_csv(
    rows: Sequence[ClearingRow], *, columns: Sequence[str], date_form: str, account: str
) -> bytes:
    """One row an entry. `columns`: Number, Date, Account, Amount, Subcategory, Memo, as set."""
    out = io.StringIO(newline="")
    written = csv.writer(out, lineterminator="\r\n")
    written.writerow(columns)
    for number, row in enumerate(rows, 1):
        cells = {
            "Number": str(number),
            "Date": row.moved_at.strftime(date_form),
            "Account": harmless(account),
            "Amount": str(row.amount.decimal()),
            "Subcategory": harmless(row.what),
            "Memo": harmless(row.memo),
        }
        written.writerow([cells[column] for column in columns])
    return out.getvalue().encode()


def clearing_tsv(rows: Sequence[ClearingRow], *, date_form: str) -> bytes:
    """One row a transaction line, in the shape of Amazon's settlement report."""
    out = io.StringIO(newline="")
    written = csv.writer(out, delimiter="\t", lineterminator="\r\n")
    written.writerow(AMAZON_COLUMNS)
    for row in rows:
        kind, amount_kind = row.shape
        moved = row.moved_at.astimezone(UTC).strftime(date_form)
        amount = str(row.amount.decimal())
        written.writerow((kind, harmless(row.order), moved, amount, harmless(amount_kind)))
    return out.getvalue().encode()
