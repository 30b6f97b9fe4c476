"""Translates what Mirakl answers into the records of the port.

Promises: unknown states and types are kept as they came; the shop's account (TL02, SBC11) is
exact to the last place or the read fails; amounts on orders and offers are rounded half up to
the penny where the tenant shows more places (contract b.0, e.5); no amount is ever re-signed.
It asks nobody anything. Invariant: an answer that lacks what a record cannot do without (its
id, its time, its amount) raises `ProtocolSurprise`; no row is left out silently.
Called by `seller_api.py` only. Source: contract johnlewis b, d.4.
"""

import csv
import io

from kcjl.errors import ProtocolSurprise
from kcjl.johnlewis import wire
from kcjl.johnlewis.port import (
    StockImport,
    StockImportError,
    StockImportStatus,
)
from kcjl.johnlewis.reading import (
    ZERO,
    given,
    holds,
    plain_text,
    text,
    whole,
    words_of_refusal,
)
from kcjl.johnlewis.unknown import unknown_word

__all__ = [
    "reference_refusals",
    "stock_import",
    "stock_import_errors",
]

_IMPORT_STATES = {
    "WAITING": StockImportStatus.WAITING,
    "QUEUED": StockImportStatus.WAITING,
    "RUNNING": StockImportStatus.RUNNING,
    "COMPLETE": StockImportStatus.COMPLETE,
    "COMPLETED": StockImportStatus.COMPLETE,
    "FAILED": StockImportStatus.FAILED,
}
"""A status that is not here is taken as not final: the caller asks on, and has a bound."""


# ── offers and stock ────────────────────────────────────────────────────────────────────────


def stock_import(body: bytes, import_id: str) -> StockImport:
    read = wire.decoded(body, wire.WireImport, "STO02")
    what = f"STO02: import {import_id}"
    in_error = whole(read.lines_in_error or ZERO, what)
    reported = read.has_error_report
    word = (read.status or "").upper()
    if word not in _IMPORT_STATES:
        unknown_word("STO02", "status")
    return StockImport(
        import_id=text(read.import_id) or import_id,
        status=_IMPORT_STATES.get(word, StockImportStatus.RUNNING),
        lines_in_success=whole(read.lines_in_success or ZERO, what),
        lines_in_error=in_error,
        has_error_report=in_error > 0 if reported is None else reported,
    )


def stock_import_errors(body: bytes) -> tuple[StockImportError, ...]:
    """STO03, read by position: line number, reason, then the columns that were sent."""
    report = body.decode("utf-8-sig", errors="replace").strip("\r\n")
    header = report.partition("\n")[0]
    delimiter = max(";,\t|", key=header.count)
    try:
        rows = [
            row
            for row in csv.reader(io.StringIO(report, newline=""), delimiter=delimiter)
            if row
        ]
    except csv.Error as error:
        raise ProtocolSurprise(f"STO03: the error report could not be read: {error}") from None
    if rows and not rows[0][0].strip().isdecimal():
        rows = rows[1:]
    return tuple(
        StockImportError(
            line_number=int(row[0]) if row[0].strip().isdecimal() else 0,
            message=plain_text(row[1]) if len(row) > 1 else "",
            sku=row[2] if len(row) > 2 else "",  # noqa: PLR2004 - the third column, as the contract has it
        )
        for row in rows
    )


# ── writing on orders ───────────────────────────────────────────────────────────────────────


def reference_refusals(body: bytes, asked: tuple[str, ...]) -> dict[str, str]:
    """OR04: which of the orders kept their old reference, and why."""
    told = wire.decoded(body, wire.WireReferenceAnswer, "OR04").updated_orders
    outcomes: dict[str, str | None] = {}
    for row in given(told, "OR04: the list of updated orders"):
        errors = holds(row.errors)
        outcomes[text(row.order_id)] = (
            None
            if errors is None
            else words_of_refusal(errors)[0] or "refused without a reason"
        )
    unnamed = "the answer did not name this order"
    return {order: why for order in asked if (why := outcomes.get(order, unnamed)) is not None}
