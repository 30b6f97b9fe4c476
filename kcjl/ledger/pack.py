"""The journal pack: a balanced journal as files for a person to key (khaos f, route 2).

Promises: a file is there whole or not at all; the same journal again changes nothing; another
journal under the same reference is refused. A cell that a spreadsheet would run is quoted.
Documents of others are filed in the same way.
Called through `port.py`; built by `service.py`.
"""

import csv
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

import anyio
import anyio.to_thread

from kcjl.errors import Refused
from kcjl.ledger.cells import harmless
from kcjl.ledger.filing import half_of, written_whole
from kcjl.ledger.port import BehindSource, Journal, JournalDocument

__all__ = ["DocumentFolder", "JournalPack", "journal_csv"]

COLUMNS = ("Reference", "Date", "Account", "Tax code", "Debit", "Credit", "Memo", "Narrative")


class JournalPack:
    """Journals in one folder, three files each: CSV to key, workbook to trace, PDF to file."""

    def __init__(self, folder: Path, source: BehindSource) -> None:
        self.folder = folder
        self._source = source

    async def prepare(self, journal: Journal) -> Sequence[JournalDocument]:
        """The CSV is the journal. The workbook of a repeat is the one that is there already:
        lines may have come since, and it says what was behind the figures when it was made.
        """
        # Workbooks and PDFs take half a second to import: a service begins without them.
        from kcjl.ledger.journal_book import journal_pdf, write_journal_book

        name = journal.reference
        csv_file = await _filed(self.folder, f"{name}.csv", journal_csv(journal))
        path = self.folder / f"{name}.xlsx"
        if not await anyio.Path(path).exists():
            await write_journal_book(half_of(path), journal, self._source)
        book = await written_whole(path, lambda _: None)
        pdf = await anyio.to_thread.run_sync(journal_pdf, journal)
        path = self.folder / f"{name}.pdf"
        paper = await written_whole(path, lambda half: half.write_bytes(pdf))
        return csv_file, book, paper


class DocumentFolder:
    """Documents of others, as they came, in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def keep(self, name: str, content: bytes) -> JournalDocument:
        return await _filed(self._folder, name, content)


async def _filed(folder: Path, name: str, content: bytes) -> JournalDocument:
    document = await written_whole(folder / name, lambda half: half.write_bytes(content))
    if document.sha256 != hashlib.sha256(content).hexdigest():
        raise Refused(
            f"{name} is already there with another content: it is never overwritten; "
            "move it away if it is not a file of kcjl's"
        )
    return document


def journal_csv(journal: Journal) -> bytes:
    """The document of one journal, byte for byte."""
    out = io.StringIO(newline="")
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(COLUMNS)
    for entry in journal.entries:
        rows.writerow(
            (
                journal.reference,
                f"{journal.posting_date:%d/%m/%Y}",
                harmless(entry.account),
                harmless(entry.tax_code),
                entry.debit.decimal() if entry.debit else "",
                entry.credit.decimal() if entry.credit else "",
                harmless(entry.memo),
                harmless(journal.narrative),
            )
        )
    return out.getvalue().encode("utf-8-sig")
