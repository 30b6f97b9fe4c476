"""A journal's workbook and PDF: every figure leads to its lines, and no cell is ever run."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet

from kcjl.ledger.cells import CELL_CHARACTERS_MAX, FORMULA_STARTS, in_a_cell
from kcjl.ledger.journal_book import journal_pdf, write_journal_book
from kcjl.ledger.port import Behind
from kcjl.ledger.workbook import HEAD_ROWS, Column, Link, workbook
from kcjl.money import Money
from tests.ledger.test_pack import JOURNAL, Parts
from tests.patience import unhurried
from tests.trade import gbp

pytestmark = pytest.mark.anyio

MADE_AT = datetime(2026, 10, 9, tzinfo=UTC)


def behind(account: str, tax_code: str, amount: int, line_id: str, what: str = "x") -> Behind:
    return Behind(
        account=account,
        tax_code=tax_code,
        what=what,
        line_id=line_id,
        order_id="O1",
        erp_order_code="SO-O1",
        document="",
        moved_at=MADE_AT,
        amount=gbp(amount),
    )


def table_of(sheet: Worksheet) -> list[list[object]]:
    """The rows of a sheet, its head and its totals left out."""
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    return rows[HEAD_ROWS:-1]


async def test_each_figure_leads_to_the_lines_that_it_is_made_of(tmp_path: Path) -> None:
    """An entry says how many lines there are, what they come to, and where they begin."""
    path = tmp_path / "journal.xlsx"
    parts = [
        behind("John Lewis Clearing", "T1", 100_000, "L1"),
        behind("Bank Current", "", -164_000, "", "transferred"),
        behind("John Lewis Clearing", "T1", 64_000, "L2"),
    ]
    await write_journal_book(path, JOURNAL, Parts(*parts))

    book = openpyxl.load_workbook(path)
    entries = table_of(book["Journal"])
    lines = table_of(book["Lines"])
    assert [[1, -1640, 0], [2, 1640, 0]] == [row[5:8] for row in entries]
    assert ["x", "transferred", "x"] == [row[2] for row in lines]
    assert f"'Lines'!A{HEAD_ROWS + 1}" in str(book["Journal"].cell(HEAD_ROWS + 2, 9).hyperlink)


async def test_lines_that_came_after_the_journal_show_as_a_difference(tmp_path: Path) -> None:
    """The figure stays as it was posted; what its lines are now is said beside it."""
    path = tmp_path / "journal.xlsx"
    part = behind("John Lewis Clearing", "T1", 163_999, "L1")
    await write_journal_book(path, JOURNAL, Parts(part))

    (_, clearing) = table_of(openpyxl.load_workbook(path)["Journal"])
    assert 0.01 == clearing[7]


@pytest.mark.parametrize("start", [*FORMULA_STARTS, "\t", "\r", "\x07"])
async def test_nothing_from_outside_is_run_as_a_formula(start: str, tmp_path: Path) -> None:
    """=HYPERLINK(…) in a name is text in the workbook, too; control characters are shown."""
    path = tmp_path / "journal.xlsx"
    evil = f"{start}HYPERLINK(1)"
    entry = msgspec.structs.replace(JOURNAL.entries[0], account=evil, memo=evil)
    journal = msgspec.structs.replace(
        JOURNAL, narrative=evil, entries=(entry, JOURNAL.entries[1])
    )
    part = behind(evil, "", -164_000, evil, evil)
    await write_journal_book(path, journal, Parts(part))

    book = openpyxl.load_workbook(path)
    formulas = [
        cell.value
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]
    assert all(str(each).startswith("=SUM(") for each in formulas)
    assert 5 + 1 == len(formulas)
    shown = table_of(book["Journal"])[0][0]
    assert isinstance(shown, str)
    assert shown.isprintable()
    assert shown.endswith("HYPERLINK(1)")


async def test_the_same_journal_makes_the_same_files(tmp_path: Path) -> None:
    """No time of day, and nothing of the machine, is in them."""
    paths = [tmp_path / "a.xlsx", tmp_path / "b.xlsx"]
    for path in paths:
        part = behind("Bank Current", "", -164_000, "L1")
        await write_journal_book(path, JOURNAL, Parts(part))

    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert journal_pdf(JOURNAL) == journal_pdf(JOURNAL)


def test_paper_takes_letters_that_its_font_lacks() -> None:
    """A name in any script is printed, or its numbers are, and the paper is made."""
    journal = msgspec.structs.replace(JOURNAL, narrative="£ € – Łódź Ελλάς 東京 \x07")

    assert journal_pdf(journal).startswith(b"%PDF-")


@unhurried
@given(st.text(max_size=40))
def test_any_text_fits_a_cell(text: str) -> None:
    """What is short stands whole, with its control characters shown."""
    shown = in_a_cell(text)

    assert shown.isprintable()
    assert text != shown or text.isprintable()


@pytest.mark.parametrize("letter", ["a", "😀"])
def test_text_longer_than_a_cell_says_that_it_was_cut(letter: str) -> None:
    """Excel counts in UTF-16 units; nothing is cut in silence."""
    shown = in_a_cell(letter * 40_000)

    assert len(shown.encode("utf-16-le")) <= 2 * CELL_CHARACTERS_MAX
    assert shown.endswith("… (cut: 40,000 characters)")


# ── any table ───────────────────────────────────────────────────────────────────────────────

COLUMNS = (Column("Name"), Column("Amount", "money"), Column("Lines", "count"), Column("Of"))


@unhurried
@given(pence=st.lists(st.integers(-(10**11), 10**11), max_size=30), rows_max=st.integers(9, 40))
def test_totals_are_the_sum_of_the_rows_over_all_parts(
    pence: Sequence[int], rows_max: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A table longer than a sheet goes on in another one, and its total counts both."""
    path = tmp_path_factory.mktemp("book") / "any.xlsx"
    with workbook(path, title="Any", made_at=MADE_AT, currency="GBP") as book:
        book.sheet_rows_max = rows_max
        sheet = book.sheet("Rows", COLUMNS)
        sheet.write_all((f"={n}", gbp(each), n, None) for n, each in enumerate(pence))

    read = openpyxl.load_workbook(path, data_only=True)
    written = [
        row[1].value
        for part in read.worksheets
        for row in part.iter_rows(min_row=HEAD_ROWS + 1)
        if str(row[0].value).startswith("=")
    ]
    last = read.worksheets[-1]
    assert [Money(each).decimal() for each in pence] == [round_pence(each) for each in written]
    assert Money(sum(pence)).decimal() == round_pence(last.cell(last.max_row, 2).value)
    assert sum(range(len(pence))) == last.cell(last.max_row, 3).value


def round_pence(value: object) -> object:
    """As the workbook shows it: two places."""
    assert isinstance(value, int | float)
    return Money(round(value * 100)).decimal()


def test_links_end_where_excel_follows_no_more(tmp_path: Path) -> None:
    """Beyond the bound the text stands without its link; nothing of it is lost."""
    path = tmp_path / "links.xlsx"
    with workbook(path, title="Any", made_at=MADE_AT, currency="GBP") as book:
        book.links_max = 2
        sheet = book.sheet("Rows", (Column("To"),))
        sheet.write_all((Link(f"P{n}", "Rows", n),) for n in range(1, 5))

    rows = openpyxl.load_workbook(path)["Rows"]
    cells = [rows.cell(HEAD_ROWS + n, 1) for n in range(1, 5)]
    assert ["P1", "P2", "P3", "P4"] == [each.value for each in cells]
    assert [True, True, False, False] == [each.hyperlink is not None for each in cells]
