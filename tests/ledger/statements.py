"""Bank statements for tests: the same money in each layout that is read."""

from collections.abc import Sequence
from datetime import date

__all__ = ["JL", "Money", "barclays", "camt", "lloyds", "natwest", "ofx1", "ofx2"]

Money = tuple[date, int, str]
"""(day, pence, the bank's words)."""
JL: Money = (date(2026, 10, 5), 2_102, "JOHN LEWIS PLC BACS-889117")


def pounds(pence: int) -> str:
    return f"{'-' if pence < 0 else ''}{abs(pence) // 100:,}.{abs(pence) % 100:02}"


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def barclays(*lines: Money) -> str:
    rows = [
        f" ,{day:%d/%m/%Y},20-00-00 12345678,{_cell(pounds(pence))},BGC,{_cell(text)}"
        for day, pence, text in lines
    ]
    return _csv("Number,Date,Account,Amount,Subcategory,Memo", rows)


def natwest(*lines: Money) -> str:
    rows = [
        f"{day:%d %b %Y},BAC,{_cell(text)},{_cell(pounds(pence))},1.00,ACME,600001-12345678"
        for day, pence, text in lines
    ]
    heading = "Date,Type,Description,Value,Balance,Account Name,Account Number"
    return _csv(heading, rows, before="\r\n")


def lloyds(*lines: Money) -> str:
    rows = []
    for day, pence, text in lines:
        side = _cell(pounds(abs(pence)))
        sides = f",{side}" if pence > 0 else f"{side},"
        rows.append(f"{day:%d/%m/%Y},BGC,'30-00-00,12345678,{_cell(text)},{sides},1.00,")
    heading = (
        "Transaction Date,Transaction Type,Sort Code,Account Number,"
        "Transaction Description,Debit Amount,Credit Amount,Balance,"
    )
    return _csv(heading, rows)


def _csv(heading: str, rows: Sequence[str], *, before: str = "") -> str:
    return before + "".join(f"{row}\r\n" for row in (heading, *rows))


def _marked(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def ofx1(*lines: Money, currency: str = "GBP") -> str:
    found = "".join(
        f"<STMTTRN><TRNTYPE>OTHER<DTPOSTED>{day:%Y%m%d}<TRNAMT>{pence / 100:.2f}"
        f"<FITID>F{number}<MEMO>{_marked(text)}</STMTTRN>\n"
        for number, (day, pence, text) in enumerate(lines)
    )
    return (
        "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nSECURITY:NONE\nENCODING:USASCII\n"
        "CHARSET:1252\nCOMPRESSION:NONE\nOLDFILEUID:NONE\nNEWFILEUID:NONE\n\n"
        "<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS>"
        "<DTSERVER>20261005120000<LANGUAGE>ENG</SONRS></SIGNONMSGSRSV1>\n"
        "<BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS>"
        f"<STMTRS><CURDEF>{currency}<BANKACCTFROM><BANKID>200000<ACCTID>12345678"
        "<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST><DTSTART>20261001<DTEND>20261031\n"
        f"{found}</BANKTRANLIST><LEDGERBAL><BALAMT>1<DTASOF>20261005</LEDGERBAL></STMTRS>"
        "</STMTTRNRS></BANKMSGSRSV1></OFX>\n"
    )


def ofx2(*lines: Money) -> str:
    found = "".join(
        f"<STMTTRN><TRNTYPE>OTHER</TRNTYPE><DTPOSTED>{day:%Y%m%d}120000[0:GMT]</DTPOSTED>"
        f"<TRNAMT>{pence / 100:.2f}</TRNAMT><FITID>F{number}</FITID>"
        f"<MEMO>{_marked(text)}</MEMO></STMTTRN>"
        for number, (day, pence, text) in enumerate(lines)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<?OFX OFXHEADER="200" VERSION="211" '
        'SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?>\n'
        "<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS>"
        "<DTSERVER>20261005120000</DTSERVER><LANGUAGE>ENG</LANGUAGE></SONRS></SIGNONMSGSRSV1>"
        "<BANKMSGSRSV1><STMTTRNRS><TRNUID>1</TRNUID><STATUS><CODE>0</CODE><SEVERITY>INFO"
        "</SEVERITY></STATUS><STMTRS><CURDEF>GBP</CURDEF><BANKACCTFROM><BANKID>200000</BANKID>"
        "<ACCTID>12345678</ACCTID><ACCTTYPE>CHECKING</ACCTTYPE></BANKACCTFROM><BANKTRANLIST>"
        f"<DTSTART>20261001</DTSTART><DTEND>20261031</DTEND>{found}</BANKTRANLIST><LEDGERBAL>"
        "<BALAMT>1</BALAMT><DTASOF>20261005</DTASOF></LEDGERBAL></STMTRS></STMTTRNRS>"
        "</BANKMSGSRSV1></OFX>"
    )


def camt(*lines: Money, currency: str = "GBP", closing: int | None = None) -> str:
    total = sum(pence for _, pence, _ in lines) if closing is None else closing
    found = "".join(
        f'<Ntry><Amt Ccy="{currency}">{abs(pence) / 100:.2f}</Amt>'
        f"<CdtDbtInd>{'DBIT' if pence < 0 else 'CRDT'}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>{day}</Dt></BookgDt><AcctSvcrRef>A{number}</AcctSvcrRef>"
        f"<NtryDtls><TxDtls><RmtInf><Ustrd>{_marked(text)}</Ustrd></RmtInf></TxDtls>"
        "</NtryDtls></Ntry>\n"
        for number, (day, pence, text) in enumerate(lines)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
        "<Stmt><Id>1</Id><Acct><Id><IBAN>GB29NWBK60161331926819</IBAN></Id></Acct>\n"
        f"{_balance('OPBD', 0, currency)}{_balance('CLBD', total, currency)}{found}"
        "</Stmt></BkToCstmrStmt></Document>"
    )


def _balance(code: str, pence: int, currency: str) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{currency}">{abs(pence) / 100:.2f}</Amt>'
        f"<CdtDbtInd>{'DBIT' if pence < 0 else 'CRDT'}</CdtDbtInd></Bal>\n"
    )
