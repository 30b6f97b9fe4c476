"""A bank statement as OFX, of either kind (SGML of version 1, XML of version 2).

Promises: pure; every transaction of every bank account in it, or none. The library reads the
form; no DTD and no entity is let through to it. Called by `bank_statement.py`.
"""

import io
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from ofxtools.models.bank.stmt import STMTRS
from ofxtools.Parser import OFXTree

from kcjl.ledger.bank_lines import OF_ANOTHER_CURRENCY, Place, StatementLine, amount_of

__all__ = ["read_ofx"]

LONDON = ZoneInfo("Europe/London")
END = b"</OFX>"
ASK_AGAIN = "Download the statement again, or as CSV."


def read_ofx(content: bytes, place: Place, *, currency: str) -> Iterator[StatementLine]:
    """The transactions."""
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise place.wrong("it has a DTD, and that is refused", ASK_AGAIN)
    if not content.rstrip().endswith(END):
        raise place.wrong("its end (</OFX>) is missing: it is cut off", ASK_AGAIN)
    tree = OFXTree()
    try:
        tree.parse(io.BytesIO(content))
        statements = tree.convert().statements
    except Exception as error:  # noqa: BLE001 - the library raises whatever its models raise
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise place.wrong(f"it can't be read as OFX ({said})", ASK_AGAIN) from None
    for statement in statements:
        if not isinstance(statement, STMTRS):
            raise place.wrong("it is the statement of a card, not of a bank account", ASK_AGAIN)
        if statement.curdef != currency:
            raise place.wrong(
                f"account {statement.account.acctid} is in {statement.curdef}, and not in "
                f"{currency}",
                OF_ANOTHER_CURRENCY,
            )
        yield from _lines(statement, place, currency)


def _lines(statement: STMTRS, place: Place, currency: str) -> Iterator[StatementLine]:
    for number, each in enumerate(statement.transactions or (), 1):
        here = place.at(f"transaction {number}")
        said = (each.name, each.memo, each.refnum, each.checknum)
        yield StatementLine(
            account=str(statement.account.acctid),
            booked_on=each.dtposted.astimezone(LONDON).date(),
            amount=amount_of(f"{each.trnamt:f}", currency, here),
            text=" ".join(str(one) for one in said if one),
            bank_number=str(each.fitid),
            where=here.where,
        )
