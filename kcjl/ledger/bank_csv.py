"""A bank statement as CSV: the layouts of Barclays, NatWest and Lloyds, or columns by name.

Promises: pure; every line or none; a line that is shorter than its heading, a quote that is not
closed and bytes of no known encoding are refused, with the line. UTF-8 with or without its
mark, UTF-16 with its mark, else Windows-1252. A cut at a line's end, or within the last cell,
can't be told.
Called by `bank_statement.py`. Source: contract khaos f.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from kcjl.ledger.bank_lines import OF_ANOTHER_CURRENCY, Place, StatementLine, amount_of, day_of
from kcjl.money import Money

__all__ = ["COLUMNS", "read_csv"]

COLUMNS = ("date", "amount", "paid_in", "paid_out", "text", "account", "currency")
"""What a heading can be named as; `amount` is signed, `paid_in` and `paid_out` are not."""
LAYOUTS: Mapping[str, Mapping[str, str]] = {
    "Barclays": {"date": "Date", "amount": "Amount", "text": "Memo", "account": "Account"},
    "NatWest": {
        "date": "Date",
        "amount": "Value",
        "text": "Description",
        "account": "Account Number",
    },
    "Lloyds": {
        "date": "Transaction Date",
        "paid_in": "Credit Amount",
        "paid_out": "Debit Amount",
        "text": "Transaction Description",
        "account": "Account Number",
    },
}
DELIMITERS = (",", ";", "\t")
HEADING_WITHIN = 20
"""Lines that may stand before the heading."""
MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
EXPORT_AGAIN = "Export the statement again, and don't open it in a spreadsheet in between."

Row = tuple[int, list[str]]
"""The line of the file that it ends on, and its cells."""


def read_csv(
    content: bytes, place: Place, *, columns: Mapping[str, str], currency: str
) -> Iterator[StatementLine]:
    """The lines. `columns`: heading by role where the layout is none of the known ones."""
    text = _decoded(content, place)
    rows = _rows(text, place)
    headings, number = _heading(rows, columns, place)
    found = {role: headings[1].index(_plain(name)) for role, name in headings[0].items()}
    for line, cells in rows:
        if line <= number or not any(cell.strip() for cell in cells):
            continue
        here = place.at(f"line {line}")
        width = len(headings[1])
        if len(cells) < width or any(cell.strip() for cell in cells[width:]):
            raise here.wrong(
                f"it has {len(cells)} columns, and the heading {width}",
                f"It may be cut off or changed. {EXPORT_AGAIN}",
            )
        yield _line({role: cells[at].strip() for role, at in found.items()}, here, currency)


def _decoded(content: bytes, place: Place) -> str:
    mark = MARKS.get(content[:2])
    try:
        text = content.decode(mark or "utf-8-sig")
    except UnicodeDecodeError as error:
        if mark is not None:
            raise place.wrong(f"it is no whole UTF-16: {error.reason}", EXPORT_AGAIN) from None
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError as none:
            line = content.count(b"\n", 0, none.start) + 1
            raise place.at(f"line {line}").wrong(
                "its bytes are neither UTF-8 nor Windows-1252", "Save the file as CSV UTF-8."
            ) from None
    if "\x00" in text:
        raise place.at(f"line {text.count(chr(10), 0, text.index(chr(0))) + 1}").wrong(
            "there is a zero byte in it: it is no text", EXPORT_AGAIN
        )
    return text


def _rows(text: str, place: Place) -> list[Row]:
    """All rows, so that an error at the end is found before anything is taken."""
    delimiter = max(DELIMITERS, key=text[:4096].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    try:
        rows.extend((reader.line_num, cells) for cells in reader)
    except csv.Error as error:
        raise place.at(f"line {reader.line_num}").wrong(
            f"it can't be read as CSV ({error})", f"It may be cut off. {EXPORT_AGAIN}"
        ) from None
    return rows


def _heading(
    rows: Sequence[Row], columns: Mapping[str, str], place: Place
) -> tuple[tuple[Mapping[str, str], list[str]], int]:
    """(heading by role, all headings), and their line."""
    layouts = [columns] if columns else list(LAYOUTS.values())
    for line, cells in rows[:HEADING_WITHIN]:
        there = [_plain(cell) for cell in cells]
        while there and not there[-1]:
            there.pop()
        for layout in layouts:
            if all(_plain(name) in there for name in layout.values()):
                return (layout, there), line
    first = next((cells for _, cells in rows if any(cells)), [])
    known = ", ".join(LAYOUTS)
    wanted = ", ".join(columns.values()) if columns else f"of {known}"
    raise place.at("line 1").wrong(
        f"no line has the columns {wanted}; the first has {', '.join(first)[:200] or 'none'}",
        "Name them: --column date=HEADING --column amount=HEADING --column text=HEADING.",
    )


def _line(cells: Mapping[str, str], here: Place, currency: str) -> StatementLine:
    stated = cells.get("currency", "").upper()
    if stated and stated != currency:
        raise here.wrong(
            f"it is in {stated}, and not in {currency}",
            OF_ANOTHER_CURRENCY,
        )
    return StatementLine(
        account=cells.get("account", ""),
        booked_on=day_of(cells["date"], here),
        amount=_amount(cells, here, currency),
        text=cells.get("text", ""),
        where=here.where,
    )


def _amount(cells: Mapping[str, str], here: Place, currency: str) -> Money:
    if "amount" in cells:
        return amount_of(cells["amount"], currency, here)
    nothing = Money(0, currency)
    paid_in, paid_out = (
        amount_of(cells[role], currency, here) if cells.get(role) else nothing
        for role in ("paid_in", "paid_out")
    )
    if bool(paid_in) == bool(paid_out) and (
        paid_in or not (cells["paid_in"] + cells["paid_out"])
    ):
        raise here.wrong("it must have either an amount in or an amount out", EXPORT_AGAIN)
    if min(paid_in.amount_minor, paid_out.amount_minor) < 0:
        raise here.wrong(
            "an amount in a column of its own is below nothing",
            "Name the columns as they are: --column amount=HEADING for a signed one.",
        )
    return paid_in - paid_out


def _plain(heading: str) -> str:
    return " ".join(heading.split()).casefold()
