"""A bank statement as CAMT.053 (ISO 20022 XML), of whatever version.

Promises: pure; entries that are booked, each once, a batch by its parts where they add up; no
DTD, no entity, no network. Opening and closing balance have to agree with the entries, so that
a statement that is not whole is refused. Called by `bank_statement.py`.
"""

from collections.abc import Iterator

from lxml import etree
from lxml.etree import _Element as Element

from kcjl.ledger.bank_lines import OF_ANOTHER_CURRENCY, Place, StatementLine, amount_of, day_of
from kcjl.money import Money

__all__ = ["read_camt"]

ASK_AGAIN = "Ask the bank for the statement again."
SAID_ELSEWHERE = ("Amt", "AmtDtls", "CdtDbtInd", "Sts", "BookgDt", "ValDt", "BkTxCd")
BALANCES = ("OPBD", "CLBD")


def read_camt(content: bytes, place: Place, *, currency: str) -> Iterator[StatementLine]:
    """The booked entries of all its statements."""
    root = _parsed(content, place)
    statements = [each for each in root.iter() if _name(each) == "Stmt"]
    if not statements:
        raise place.wrong("there is no statement (Stmt) in it", "It must be a camt.053 file.")
    for statement in statements:
        found = list(_entries(statement, place, currency))
        _assert_whole(statement, found, place, currency)
        yield from found


def _parsed(content: bytes, place: Place) -> Element:
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    if b"<!DOCTYPE" in content:
        raise place.wrong("it has a DTD, and that is refused", ASK_AGAIN)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise place.at(f"line {error.lineno}").wrong(
            f"it is no XML that is whole ({error.msg})", f"It may be cut off. {ASK_AGAIN}"
        ) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise place.wrong("it has a DTD, and that is refused", ASK_AGAIN)
    return root


def _entries(statement: Element, place: Place, currency: str) -> Iterator[StatementLine]:
    account = _text(statement, "Acct", "Id", "IBAN") or _text(
        statement, "Acct", "Id", "Othr", "Id"
    )
    for entry in _children(statement, "Ntry"):
        if (_text(entry, "Sts", "Cd") or _text(entry, "Sts") or "BOOK") != "BOOK":
            continue  # not booked yet: it comes again when it is
        here = place.at(f"line {entry.sourceline}")
        day = _text(entry, "BookgDt", "Dt") or _text(entry, "BookgDt", "DtTm")
        total = _amount(entry, here, currency)
        for number, (amount, part) in enumerate(_parts(entry, total, here, currency), 1):
            own = _text(entry, "AcctSvcrRef") or _text(entry, "NtryRef")
            yield StatementLine(
                account=account,
                booked_on=day_of(day, here),
                amount=amount,
                text=_words(part),
                bank_number=f"{own}/{number}/{day}/{amount}" if own else "",
                where=here.where,
            )


def _parts(
    entry: Element, total: Money, here: Place, currency: str
) -> list[tuple[Money, Element]]:
    """A batch by its transactions, where they have amounts that add up; else the entry."""
    parts = [
        each
        for details in _children(entry, "NtryDtls")
        for each in _children(details, "TxDtls")
    ]
    if len(parts) > 1 and all(_amount_node(each) is not None for each in parts):
        sign = -1 if total.amount_minor < 0 else 1
        amounts = [_amount(each, here, currency, sign=sign) for each in parts]
        if sum(amounts, Money(0, currency)) == total:
            return list(zip(amounts, parts, strict=True))
    return [(total, entry)]


def _amount(node: Element, here: Place, currency: str, *, sign: int = 1) -> Money:
    found = _amount_node(node)
    if found is None:
        raise here.wrong("it has no amount", ASK_AGAIN)
    stated = found.get("Ccy", "")
    if stated != currency:
        raise here.wrong(
            f"it is in {stated or 'no currency'}, and not in {currency}",
            OF_ANOTHER_CURRENCY,
        )
    amount = amount_of(found.text or "", currency, here)
    if amount.amount_minor < 0:
        raise here.wrong("an amount is below nothing: its side says which way", ASK_AGAIN)
    side = _text(node, "CdtDbtInd")
    if side not in ("CRDT", "DBIT", ""):
        raise here.wrong(f"{side!r} is neither credit nor debit", ASK_AGAIN)
    return -amount if side == "DBIT" or (not side and sign < 0) else amount


def _amount_node(node: Element) -> Element | None:
    for path in (("Amt",), ("AmtDtls", "TxAmt", "Amt")):
        found: Element | None = node
        for name in path:
            found = next(_children(found, name), None) if found is not None else None
        if found is not None:
            return found
    return None


def _assert_whole(
    statement: Element, lines: list[StatementLine], place: Place, currency: str
) -> None:
    """Opening balance and entries come to the closing balance, where both are told."""
    balances = {}
    for each in _children(statement, "Bal"):
        code = _text(each, "Tp", "CdOrPrtry", "Cd")
        if code in BALANCES and code not in balances:
            balances[code] = _amount(each, place.at(f"line {each.sourceline}"), currency)
    if len(balances) < len(BALANCES):
        return
    moved = sum((each.amount for each in lines), Money(0, currency))
    if balances["OPBD"] + moved != balances["CLBD"]:
        raise place.at(f"line {statement.sourceline}").wrong(
            f"its lines come to {moved}, its balances to "
            f"{balances['CLBD'] - balances['OPBD']}: it is not whole",
            ASK_AGAIN,
        )


def _words(part: Element) -> str:
    """All that is said of it but its amounts, days and codes."""
    said = (each.itertext() for each in part if _name(each) not in SAID_ELSEWHERE)
    return " ".join(str(text).strip() for texts in said for text in texts if text.strip())


def _children(node: Element, name: str) -> Iterator[Element]:
    return (each for each in node if _name(each) == name)


def _text(node: Element, *path: str) -> str:
    found: Element | None = node
    for name in path:
        found = next(_children(found, name), None) if found is not None else None
    return (found.text or "").strip() if found is not None else ""


def _name(node: Element) -> str:
    return str(node.tag).rpartition("}")[2]
