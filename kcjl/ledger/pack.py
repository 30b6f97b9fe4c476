"""The journal pack: a balanced journal as a file for a person to key (khaos f, route 2).

Promises: a file is there whole or not at all; the same journal again changes nothing; another
journal under the same reference is refused. A cell that a spreadsheet would run is quoted.
Documents of others are filed in the same way.
Called through `port.py`; built by `service.py`.
"""

import csv
import hashlib
import io
import os
from collections.abc import Sequence
from pathlib import Path

import anyio.to_thread

from kcjl.errors import Refused, Unavailable
from kcjl.ledger.cells import harmless
from kcjl.ledger.port import Journal, JournalDocument

__all__ = ["DocumentFolder", "JournalPack", "journal_csv"]

COLUMNS = ("Reference", "Date", "Account", "Tax code", "Debit", "Credit", "Memo", "Narrative")


class JournalPack:
    """Journals as CSV files in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def prepare(self, journal: Journal) -> Sequence[JournalDocument]:
        name = f"{journal.reference}.csv"
        return (await _filed(self._folder, name, journal_csv(journal)),)


class DocumentFolder:
    """Documents of others, as they came, in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def keep(self, name: str, content: bytes) -> JournalDocument:
        return await _filed(self._folder, name, content)


async def _filed(folder: Path, name: str, content: bytes) -> JournalDocument:
    def write() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / name
        if target.exists():
            if target.read_bytes() == content:
                return
            raise Refused(
                f"{name} is already there with another content: it is never overwritten; "
                "move it away if it is not a file of kcjl's"
            )
        half = target.with_suffix(f"{target.suffix}.part")
        with half.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        half.replace(target)

    try:
        await anyio.to_thread.run_sync(write)
    except OSError as error:
        raise Unavailable(f"{name} can't be written: {error.strerror}") from None
    return JournalDocument(name=name, sha256=hashlib.sha256(content).hexdigest())


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
