"""A bank statement as OFX, of either kind (SGML of version 1, XML of version 2).

Promises: pure; every transaction of every bank account in it, or none. Of the form only what a
statement needs is read: elements and their text, whether closed or not; a DTD is refused.
Times are of the offset that the bank writes, else UTC; days are London's.
Our own, because the libraries that are kept up read it under a licence that kcjl can't ship.
Called by `bank_statement.py`.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta, timezone
from html import unescape
from zoneinfo import ZoneInfo

from kcjl.ledger.bank_lines import OF_ANOTHER_CURRENCY, Place, StatementLine, amount_of

__all__ = ["read_ofx"]

LONDON = ZoneInfo("Europe/London")
END = b"</OFX>"
ASK_AGAIN = "Download the statement again, or as CSV."
ELEMENT = re.compile(r"<(?P<end>/?)(?P<name>[A-Za-z0-9_.]+)(?:\s[^<>]*)?>(?P<text>[^<]*)")
TIME = re.compile(
    r"(?P<day>\d{8})(?P<time>\d{6})?(?:\.\d+)?(?:\[(?P<hours>[+-]?\d{1,2}(?:\.\d+)?)[^\]]*\])?"
)
CHARSET = re.compile(rb"(?:CHARSET:\s*|encoding=\")(?P<name>[A-Za-z0-9_-]+)")
CHARSETS = frozenset(
    {"ascii", "us-ascii", "utf-8", "iso-8859-1", "iso-8859-15", "latin-1", "cp850"}
    | {f"{kind}{page}" for kind in ("cp", "windows-") for page in range(1250, 1259)}
)
"""Those that banks write. Of Python's own, some take as long as they please (punycode), and
some decode what is no text."""
NEEDED = ("FITID", "DTPOSTED", "TRNAMT")
TOLD = ("NAME", "MEMO", "REFNUM", "CHECKNUM")


def read_ofx(content: bytes, place: Place, *, currency: str) -> Iterator[StatementLine]:
    """The transactions."""
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise place.wrong("it has a DTD, and that is refused", ASK_AGAIN)
    if not content.rstrip().endswith(END):
        raise place.wrong("its end (</OFX>) is missing: it is cut off", ASK_AGAIN)
    statements = list(_statements(_text(content, place), place))
    if not statements:
        raise place.wrong("there is no statement of a bank account in it", ASK_AGAIN)
    for head, transactions in statements:
        if transactions:
            _check(head, currency, place)
        for number, told in enumerate(transactions, 1):
            yield _line(told, head["ACCTID"], currency, place.at(f"transaction {number}"))


def _statements(
    text: str, place: Place
) -> Iterator[tuple[Mapping[str, str], list[dict[str, str]]]]:
    """Of each bank account (what is said before its transactions, the transactions)."""
    head: dict[str, str] | None = None
    transactions: list[dict[str, str]] = []
    into: dict[str, str] = {}
    for element in ELEMENT.finditer(text):
        name, value = element["name"].upper(), unescape(element["text"]).strip()
        if name == "CCSTMTRS":
            raise place.wrong("it is the statement of a card, not of a bank account", ASK_AGAIN)
        if name == "STMTRS" and not element["end"]:
            head, transactions = {}, []
            into = head
        elif name == "STMTRS" and head is not None:
            yield head, transactions
            head, into = None, {}
        elif name == "STMTTRN":
            into = {}
            if not element["end"]:
                transactions.append(into)
        elif value:
            into.setdefault(name, value)
    if head is not None:
        raise place.wrong("a statement has no end", ASK_AGAIN)


def _text(content: bytes, place: Place) -> str:
    """As its head says, else UTF-8, else what Windows writes."""
    told = CHARSET.search(content[:1_000])
    name = told["name"].decode() if told else "utf-8"
    told_charset = f"cp{name}" if name.isdigit() else name.lower()
    for charset in (*CHARSETS & {told_charset}, "utf-8-sig", "cp1252"):
        try:
            return content.decode(charset)
        except UnicodeDecodeError:
            continue
    raise place.wrong(f"its characters are not {name}", ASK_AGAIN)


def _check(head: Mapping[str, str], currency: str, place: Place) -> None:
    if "ACCTID" not in head:
        raise place.wrong("a transaction has no account", ASK_AGAIN)
    if head.get("CURDEF") != currency:
        raise place.wrong(
            f"account {head['ACCTID']} is in {head.get('CURDEF', 'no currency')}, and not in "
            f"{currency}",
            OF_ANOTHER_CURRENCY,
        )


def _line(told: Mapping[str, str], account: str, currency: str, here: Place) -> StatementLine:
    missing = [name for name in NEEDED if name not in told]
    if missing:
        raise here.wrong(f"it has no {', '.join(missing)}", ASK_AGAIN)
    amount = told["TRNAMT"]
    if "," in amount and "." not in amount:
        amount = amount.replace(",", ".")  # the form allows both
    return StatementLine(
        account=account,
        booked_on=_day(told["DTPOSTED"], here),
        amount=amount_of(amount, currency, here),
        text=" ".join(told[name] for name in TOLD if name in told),
        bank_number=told["FITID"],
        where=here.where,
    )


def _day(written: str, here: Place) -> date:
    unreadable = here.wrong(f"DTPOSTED {written[:40]!r} is no day", ASK_AGAIN)
    match = TIME.fullmatch(written)
    if match is None:
        raise unreadable
    time, hours = match["time"] or "120000", match["hours"] or "0"
    try:
        offset = timezone(timedelta(hours=float(hours)))
        told = datetime.strptime(match["day"] + time, "%Y%m%d%H%M%S").replace(tzinfo=offset)
        return told.astimezone(LONDON).date()
    except (ValueError, OverflowError):
        raise unreadable from None
