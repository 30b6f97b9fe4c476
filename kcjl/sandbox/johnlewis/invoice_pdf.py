"""An invoice as a PDF file (IV02): one page after another of plain text, nothing else.

Promises: a whole PDF 1.4 file that any reader opens, with the invoice's number, parties, lines
and totals as text; the same invoice gives the same bytes. It lays out nothing fine: a library
for that would weigh more than the sandbox. It knows no HTTP.
Called by the face's IV02.
"""

from collections.abc import Sequence

from kcjl.money import Money
from kcjl.sandbox.marketplace import Invoice, MarketplaceSettings

__all__ = ["invoice_pdf"]

LINES_A_PAGE = 54
_WIDTH = 88
"""Characters of a line, in Courier at 9 points."""
_TITLES = {
    "AUTO_INVOICE": "Invoice",
    "MANUAL_INVOICE": "Manual invoice",
    "MANUAL_CREDIT": "Credit note",
}


def invoice_pdf(settings: MarketplaceSettings, invoice: Invoice) -> bytes:
    """The file."""
    lines = _lines(settings, invoice)
    pages = [lines[at : at + LINES_A_PAGE] for at in range(0, len(lines), LINES_A_PAGE)]
    return _document(pages, title=invoice.number)


def _lines(settings: MarketplaceSettings, invoice: Invoice) -> list[str]:
    def money(minor: int) -> str:
        return str(Money(minor, settings.currency))

    written = [
        f"{_TITLES.get(invoice.kind, invoice.kind)} {invoice.number}",
        "",
        f"From      {settings.platform_name}",
        f"To        {settings.shop_corporate_name} (shop {settings.shop_id})",
        f"Date      {invoice.created_at:%d %B %Y}",
        f"Period    {invoice.start_at:%d %B %Y} to {invoice.end_at:%d %B %Y}",
        "",
        f"{'Description':<46}{'Net':>14}{'VAT':>14}{'Gross':>14}",
        "-" * _WIDTH,
    ]
    for detail in invoice.details:
        about = f" (order {detail.order_id})" if detail.order_id else ""
        net, tax = detail.amount.amount_minor, detail.tax.amount_minor
        written.append(
            f"{detail.description[:40] + about:<46.46}"
            f"{money(net):>14}{money(tax):>14}{money(net + tax):>14}"
        )
    net, tax = invoice.amount, invoice.tax
    written += [
        "-" * _WIDTH,
        f"{'Total':<46}{money(net):>14}{money(tax):>14}{money(net + tax):>14}",
    ]
    return written


# ── the file ────────────────────────────────────────────────────────────────────────────────


def _document(pages: Sequence[Sequence[str]], *, title: str) -> bytes:
    """Catalogue, pages, font, title, then each page and its text; and where each begins."""
    first = 5
    kids = " ".join(f"{first + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>",
        b"<< /Title " + _string(title) + b" /Producer (kcjl sandbox) >>",
    ]
    for number, page in enumerate(pages):
        content = b"BT /F1 9 Tf 13 TL 56 786 Td\n"
        content += b"".join(_string(line) + b" Tj T*\n" for line in page) + b"ET"
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] "
            b"/Resources << /Font << /F1 3 0 R >> >> "
            + f"/Contents {first + 2 * number + 1} 0 R >>".encode(),
            f"<< /Length {len(content)} >>\nstream\n".encode() + content + b"\nendstream",
        ]
    written = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    starts = []
    for number, body in enumerate(objects, start=1):
        starts.append(len(written))
        written += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = b"".join(f"{start:010d} 00000 n \n".encode() for start in starts)
    size = len(objects) + 1
    return (
        written
        + f"xref\n0 {size}\n0000000000 65535 f \n".encode()
        + table
        + f"trailer\n<< /Size {size} /Root 1 0 R /Info 4 0 R >>\n".encode()
        + f"startxref\n{len(written)}\n%%EOF\n".encode()
    )


def _string(text: str) -> bytes:
    """A PDF string; letters that the font lacks become question marks."""
    escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return b"(" + escaped.encode("cp1252", errors="replace") + b")"
