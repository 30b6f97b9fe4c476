"""Tables as a workbook: one sheet a table, with totals, links and a head that stays.

Promises: text is written as text, never as a formula; the only formulas are sums of columns,
with their value. Rows go to disk as they come, so memory does not grow with them; a table that
is longer than a sheet goes on in another one. The same rows give the same bytes.
Invariant: money is written as a number of major units, exact to the penny.
Called by `journal_book.py` and `month_book.py`.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, TypeAlias

import msgspec
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from kcjl.clock import LONDON
from kcjl.ledger.cells import in_a_cell
from kcjl.money import Money

__all__ = ["HEAD_ROWS", "Cell", "Column", "Link", "Sheet", "Workbook", "workbook"]

SHEET_ROWS_MAX = 1_048_576
LINKS_MAX = 65_000
"""Of one sheet: Excel follows no more than 65,530."""
HEAD_ROWS = 5
"""Title, two lines of facts, an empty one, the columns' names: what stays in sight."""

Kind: TypeAlias = Literal["text", "money", "count", "date", "time", "position"]


class Column(msgspec.Struct, frozen=True):
    """A column by its name; money and counts have a total unless they say otherwise."""

    name: str
    kind: Kind = "text"
    width: int = 14
    total: bool = True


class Link(msgspec.Struct, frozen=True):
    """Text that leads to a row of another sheet; the first row of a table is 1."""

    text: str
    sheet: str
    row: int


Cell: TypeAlias = str | Money | int | date | datetime | Link | None


class Sheet:
    """One table, over as many sheets as it needs."""

    def __init__(
        self, book: "Workbook", name: str, columns: Sequence[Column], facts: Sequence[str]
    ) -> None:
        self.rows = 0
        self.totals = [0] * len(columns)
        """By column, in minor units or counted; those that have no total stay 0."""
        self._book = book
        self._name = name
        self._columns = columns
        self._facts = facts
        self._currency = ""
        self._links = 0
        self._ranges: list[tuple[str, int, int]] = []
        self._begin()

    def link(self, text: str) -> Link:
        """To the row that is written next."""
        self._begin_part_if_full()
        return Link(text, self._part, self._row - HEAD_ROWS + 1)

    def write(self, cells: Sequence[Cell]) -> None:
        """The next row."""
        self._begin_part_if_full()
        row = self._row
        formats = self._book.formats
        put_text, put_number = self._sheet.write_string, self._sheet.write_number
        for number, (column, cell) in enumerate(zip(self._columns, cells, strict=True)):
            if cell is None:
                continue
            if isinstance(cell, str):
                if cell:
                    put_text(row, number, in_a_cell(cell), formats["text"])
            elif isinstance(cell, Money):
                put_number(row, number, cell.decimal(), formats["money"])
                self.totals[number] += cell.amount_minor
                self._currency = cell.currency
            elif isinstance(cell, int):
                put_number(row, number, cell, formats[column.kind])
                self.totals[number] += cell
            else:
                self._write_other(row, number, column, cell)
        self._row += 1
        self.rows += 1

    def write_all(self, rows: Iterable[Sequence[Cell]]) -> None:
        """All of them."""
        for cells in rows:
            self.write(cells)

    def end(self) -> None:
        """The totals, below the last row, where a column has one."""
        self._end_part()
        if not any(self._has_total(each) for each in self._columns):
            return
        row, formats = self._row, self._book.formats
        first = next((n for n, each in enumerate(self._columns) if self._has_total(each)), 1)
        for number, column in enumerate(self._columns):
            if number == 0 and first > 0:
                self._sheet.write_string(row, 0, f"Total of {self.rows:,}", formats["total"])
            elif self._has_total(column):
                self._write_total(row, number, column)
            else:
                self._sheet.write_blank(row, number, None, formats["total"])

    # ── parts ───────────────────────────────────────────────────────────────────────────────

    def _begin_part_if_full(self) -> None:
        if self._row >= self._book.sheet_rows_max - 2:
            self._end_part()
            self._begin()

    def _begin(self) -> None:
        part = len(self._ranges) + 1
        self._part = self._name if part == 1 else f"{self._name} {part}"
        self._sheet = self._book.add(self._part)
        self._lay_out()
        self._row = HEAD_ROWS

    def _lay_out(self) -> None:
        sheet, formats = self._sheet, self._book.formats
        for number, column in enumerate(self._columns):
            sheet.set_column(number, number, column.width)
        sheet.write_string(
            0, 0, in_a_cell(f"{self._book.title}: {self._part}"), formats["title"]
        )
        for number, fact in enumerate(self._facts[: HEAD_ROWS - 3]):
            sheet.write_string(1 + number, 0, in_a_cell(fact), formats["fact"])
        for number, column in enumerate(self._columns):
            plain = column.kind in ("text", "date", "time")
            head = formats["head" if plain else "head right"]
            sheet.write_string(HEAD_ROWS - 1, number, column.name, head)
        sheet.freeze_panes(HEAD_ROWS, 1)
        sheet.repeat_rows(HEAD_ROWS - 1)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.set_footer("&L&8&F&C&8&A&R&8Page &P of &N")

    def _end_part(self) -> None:
        last = max(self._row - 1, HEAD_ROWS)
        self._sheet.autofilter(HEAD_ROWS - 1, 0, last, len(self._columns) - 1)
        self._ranges.append((self._part, HEAD_ROWS + 1, last + 1))

    @staticmethod
    def _has_total(column: Column) -> bool:
        return column.total and column.kind in ("money", "count")

    def _write_total(self, row: int, number: int, column: Column) -> None:
        letter = xl_col_to_name(number)
        ranges = ",".join(
            f"{letter}{first}:{letter}{last}"
            if part == self._part
            else f"'{part}'!{letter}{first}:{letter}{last}"
            for part, first, last in self._ranges
        )
        total = self.totals[number]
        currency = self._currency or self._book.currency
        value = Money(total, currency).decimal() if column.kind == "money" else total
        form = self._book.formats[f"total {column.kind}"]
        self._sheet.write_formula(row, number, f"=SUM({ranges})", form, value)

    def _write_other(self, row: int, number: int, column: Column, cell: Cell) -> None:
        formats = self._book.formats
        if isinstance(cell, datetime):
            here = cell.astimezone(LONDON).replace(tzinfo=None)
            if column.kind == "date":
                self._sheet.write_datetime(row, number, here.date(), formats["date"])
            else:
                self._sheet.write_datetime(row, number, here, formats["time"])
        elif isinstance(cell, date):
            self._sheet.write_datetime(row, number, cell, formats["date"])
        elif isinstance(cell, Link):
            text = in_a_cell(cell.text)
            if self._links >= self._book.links_max:
                self._sheet.write_string(row, number, text, formats["text"])
                return
            self._links += 1
            target = f"internal:'{cell.sheet}'!A{HEAD_ROWS + cell.row}"
            self._sheet.write_url(row, number, target, formats["link"], text)


class Workbook:
    """Sheets in the order in which they were begun."""

    def __init__(
        self, path: Path, beside: str, *, title: str, made_at: datetime, currency: str
    ) -> None:
        """`beside`: a folder for the rows until the file is made of them."""
        self.title = title
        self.currency = currency
        self.sheet_rows_max = SHEET_ROWS_MAX
        self.links_max = LINKS_MAX
        self._book = xlsxwriter.Workbook(
            str(path),
            {
                "constant_memory": True,
                "tmpdir": beside,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        self._book.set_properties({"title": title, "created": made_at.replace(tzinfo=None)})
        self._book.set_calc_mode("auto")
        self.formats = self._formats()
        self._sheets: list[Sheet] = []
        self._is_closed = False

    def sheet(self, name: str, columns: Sequence[Column], *facts: str) -> Sheet:
        """A table: its head is written at once. At most two lines of facts."""
        sheet = Sheet(self, name, columns, facts)
        self._sheets.append(sheet)
        return sheet

    def add(self, name: str) -> Worksheet:
        """An empty sheet."""
        return self._book.add_worksheet(name)

    def close(self) -> None:
        """All totals, and the file; once."""
        if self._is_closed:
            return
        self._is_closed = True
        for sheet in self._sheets:
            sheet.end()
        self._book.close()

    def _formats(self) -> dict[str, Format]:
        money, count = "#,##0.00;[Red]-#,##0.00", "#,##0;[Red]-#,##0"
        head = {"bold": True, "bg_color": "#E8ECF0", "bottom": 1, "text_wrap": True}
        total = {"bold": True, "top": 1, "bottom": 6}
        add = self._book.add_format
        return {
            "title": add({"bold": True, "font_size": 14}),
            "fact": add({"font_color": "#555555"}),
            "head": add({**head, "indent": 1}),
            "head right": add({**head, "align": "right"}),
            "text": add({"indent": 1}),
            "money": add({"num_format": money}),
            "count": add({"num_format": count}),
            "position": add({"num_format": "0", "font_color": "#777777"}),
            "date": add({"num_format": "dd/mm/yyyy", "align": "left", "indent": 1}),
            "time": add({"num_format": "dd/mm/yyyy hh:mm", "align": "left", "indent": 1}),
            "link": add({"font_color": "#0B57D0", "underline": 1, "indent": 1}),
            "total": add(total),
            "total money": add({**total, "num_format": money}),
            "total count": add({**total, "num_format": count}),
        }


@contextmanager
def workbook(path: Path, *, title: str, made_at: datetime, currency: str) -> Iterator[Workbook]:
    """A workbook at `path`, whole at the end of the block; after an error there is none."""
    with TemporaryDirectory(prefix="kcjl-") as beside:
        book = Workbook(path, beside, title=title, made_at=made_at, currency=currency)
        yield book
        book.close()
