"""A bank statement out of a file: CSV, OFX or CAMT.053, as its beginning says.

Promises: pure; all lines or none. A file above the bound is refused before it is read.
Called by `kcjl payouts bank`.
"""

from collections.abc import Mapping

from kcjl.errors import Misuse
from kcjl.ledger.bank_camt import read_camt
from kcjl.ledger.bank_csv import COLUMNS, read_csv
from kcjl.ledger.bank_lines import BankLine, Place, StatementLine, identified

__all__ = ["FILE_BYTES_MAX", "LINES_MAX", "read_statement"]

FILE_BYTES_MAX = 16 * 1024 * 1024
"""A busy account's year as XML; more is another kind of file."""
LINES_MAX = 100_000
BEGINNING = 4_096


def read_statement(
    name: str, content: bytes, *, columns: Mapping[str, str], currency: str
) -> tuple[BankLine, ...]:
    """Its lines, each with its identity. Raises Misuse with the place and the next step."""
    place = Place(name)
    if len(content) > FILE_BYTES_MAX:
        raise place.wrong(
            f"it has more than {FILE_BYTES_MAX:,} bytes",
            "Export fewer days at a time.",
        )
    if not content.strip(b"\xef\xbb\xbf \t\r\n"):
        raise place.wrong("there is nothing in it", "Export the statement again.")
    begins = content[:BEGINNING].lstrip(b"\xef\xbb\xbf \t\r\n").replace(b"\x00", b"").upper()
    if begins.startswith((b"OFXHEADER", b"<OFX")) or b"<?OFX" in begins:
        from kcjl.ledger.bank_ofx import read_ofx  # its library takes a while: only for OFX

        lines = read_ofx(content, place, currency=currency)
    elif begins.startswith((b"<", b"\xff\xfe<", b"\xfe\xff<")):
        lines = read_camt(content, place, currency=currency)
    else:
        _assert_columns(columns)
        lines = read_csv(content, place, columns=columns, currency=currency)
    found: list[StatementLine] = []
    for line in lines:
        if len(found) == LINES_MAX:
            raise place.wrong(
                f"it has more than {LINES_MAX:,} lines", "Export fewer days at a time."
            )
        found.append(line)
    return identified(found)


def _assert_columns(columns: Mapping[str, str]) -> None:
    unknown = sorted(set(columns) - set(COLUMNS))
    sided = {"paid_in", "paid_out"} <= set(columns)
    if unknown or (columns and ("date" not in columns or ("amount" in columns) == sided)):
        raise Misuse(
            f"the columns of a bank statement are named as {', '.join(COLUMNS)}: a date, and "
            "either an amount or what was paid in and out; "
            f"given were {', '.join(sorted(columns)) or 'none'}"
        )
