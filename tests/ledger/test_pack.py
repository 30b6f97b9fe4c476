"""The journal pack: one whole file a journal, and no cell that a spreadsheet would run."""

import csv
import hashlib
import io
import os
from collections.abc import AsyncIterator, Sequence
from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.errors import Refused, Unavailable
from kcjl.ledger.cells import FORMULA_STARTS, harmless
from kcjl.ledger.pack import JournalPack
from kcjl.ledger.port import Behind, Entry, Journal
from tests.patience import unhurried
from tests.trade import gbp

pytestmark = pytest.mark.anyio

JOURNAL = Journal(
    reference="JL-0123456789AB",
    posting_date=date(2026, 10, 9),
    narrative="John Lewis payout of 09/10/2026, BACS 1",
    entries=(
        Entry(
            account="Bank Current", tax_code="", debit=gbp(164_000), credit=gbp(0), memo="bank"
        ),
        Entry(
            account="John Lewis Clearing",
            tax_code="T1",
            debit=gbp(0),
            credit=gbp(164_000),
            memo="clearing",
        ),
    ),
)

THREE = [f"JL-0123456789AB.{kind}" for kind in ("csv", "pdf", "xlsx")]


class Parts:
    """What stands behind the figures, said by hand."""

    def __init__(self, *parts: Behind) -> None:
        self._parts = parts

    async def behind(self, reference: str) -> AsyncIterator[Sequence[Behind]]:
        assert reference == JOURNAL.reference
        for each in self._parts:
            yield [each]


def names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def cells(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


async def test_journal_is_a_file_a_person_can_key(tmp_path: Path) -> None:
    """One row a line; British dates; a debit or a credit; the reference on each."""
    document, *_ = await JournalPack(tmp_path / "journals", Parts()).prepare(JOURNAL)

    path = tmp_path / "journals" / document.name
    reference, day, told = (
        "JL-0123456789AB",
        "09/10/2026",
        "John Lewis payout of 09/10/2026, BACS 1",
    )
    assert [
        ["Reference", "Date", "Account", "Tax code", "Debit", "Credit", "Memo", "Narrative"],
        [reference, day, "Bank Current", "", "1640.00", "", "bank", told],
        [reference, day, "John Lewis Clearing", "T1", "", "1640.00", "clearing", told],
    ] == cells(path)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == document.sha256


async def test_journal_prepared_again_is_the_same_file(tmp_path: Path) -> None:
    """A repeat changes nothing, not even the file's time."""
    ledger = JournalPack(tmp_path, Parts())
    first = await ledger.prepare(JOURNAL)
    before = (tmp_path / first[0].name).stat().st_mtime_ns

    assert first == await ledger.prepare(JOURNAL)
    assert before == (tmp_path / first[0].name).stat().st_mtime_ns
    assert THREE == names_in(tmp_path)


async def test_another_journal_under_the_same_reference_is_refused(tmp_path: Path) -> None:
    """Nothing posted is changed: the file that is there stays as it is."""
    ledger = JournalPack(tmp_path, Parts())
    document, *_ = await ledger.prepare(JOURNAL)
    before = (tmp_path / document.name).read_bytes()

    with pytest.raises(Refused, match="already there with another content"):
        await ledger.prepare(msgspec.structs.replace(JOURNAL, narrative="another"))

    assert before == (tmp_path / document.name).read_bytes()


async def test_journal_is_there_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fails half-way leaves no journal; the next try makes it whole."""

    def failing(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(Unavailable, match="No space left on device"):
        await JournalPack(tmp_path, Parts()).prepare(JOURNAL)
    assert "JL-0123456789AB.csv" not in names_in(tmp_path)

    monkeypatch.undo()
    document, *_ = await JournalPack(tmp_path, Parts()).prepare(JOURNAL)
    assert 3 == len(cells(tmp_path / document.name))
    assert THREE == names_in(tmp_path)


async def test_journal_folder_that_can_not_be_made_is_unavailable(tmp_path: Path) -> None:
    """A file where the folder should be is said in one line."""
    (tmp_path / "journals").write_text("not a folder")

    with pytest.raises(Unavailable, match=r"JL-0123456789AB\.csv can't be written"):
        await JournalPack(tmp_path / "journals", Parts()).prepare(JOURNAL)


@pytest.mark.parametrize("start", FORMULA_STARTS)
async def test_cell_that_a_spreadsheet_would_run_is_quoted(start: str, tmp_path: Path) -> None:
    """=HYPERLINK(…) in a memo is text, and nothing else."""
    evil = f"{start}HYPERLINK(1)"
    line = msgspec.structs.replace(JOURNAL.entries[0], account=evil, tax_code=evil, memo=evil)
    journal = msgspec.structs.replace(JOURNAL, narrative=evil, entries=(line,))

    document, *_ = await JournalPack(tmp_path, Parts()).prepare(journal)

    content = (tmp_path / document.name).read_bytes().decode("utf-8-sig")
    row = list(csv.reader(io.StringIO(content, newline="")))[1]
    assert [f"'{evil}"] * 4 == [row[2], row[3], row[6], row[7]]


@unhurried
@given(st.text(max_size=12))
def test_no_text_begins_like_a_formula(text: str) -> None:
    """Whatever a name says, it is text."""
    shown = harmless(text)

    assert shown.isprintable()
    assert not shown.startswith(FORMULA_STARTS)
