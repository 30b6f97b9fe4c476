"""A few tables as a PDF to file: A4, a head, a foot with the page's number.

Promises: the same content gives the same bytes; nothing is cut: what is too wide goes on in the
next line. The letters are those of Western Europe (cp1252: £, €, dashes); any other stands as
its number, as [U+0141], and the foot says so.
Called by `journal_book.py` and `month_book.py`.
"""

from collections.abc import Sequence
from datetime import datetime

from fpdf import FPDF
from fpdf.enums import TextEmphasis
from fpdf.fonts import FontFace

from kcjl.unseen import spelt_out

__all__ = ["Paper"]

FONT = "Helvetica"
GREY, BLACK = (95, 95, 95), (0, 0, 0)


class _Pages(FPDF):
    """A4 pages with a foot."""

    def __init__(self) -> None:
        super().__init__(format="A4")
        self.core_fonts_encoding = "windows-1252"
        self.replaced = False
        self.foot = ""
        """On each page; written at its end."""

    def footer(self) -> None:
        self.set_y(-14)
        self.set_font(FONT, size=8)
        self.set_text_color(*GREY)
        note = "   Letters that this font lacks stand as [U+number]." if self.replaced else ""
        self.cell(0, 5, f"{self.foot}   page {self.page_no()} of {{nb}}{note}", align="C")


class Paper:
    """A document, written from its top to its end."""

    def __init__(self, title: str, *, made_at: datetime) -> None:
        self._pages = pages = _Pages()
        pages.foot = self._text(title)
        pages.set_creation_date(made_at)
        pages.set_title(spelt_out(title))
        pages.set_margins(15, 15)
        pages.set_auto_page_break(auto=True, margin=18)
        pages.add_page()
        pages.set_font(FONT, "B", 15)
        pages.multi_cell(0, 8, self._text(title), align="L", new_x="LMARGIN", new_y="NEXT")
        pages.ln(1)

    def heading(self, text: str) -> None:
        pages = self._pages
        pages.ln(4)
        pages.set_font(FONT, "B", 11)
        pages.multi_cell(0, 6, self._text(text), align="L", new_x="LMARGIN", new_y="NEXT")
        pages.ln(1)

    def say(self, text: str) -> None:
        """A paragraph."""
        pages = self._pages
        pages.set_font(FONT, size=9)
        pages.multi_cell(0, 5, self._text(text), align="L", new_x="LMARGIN", new_y="NEXT")

    def facts(self, facts: Sequence[tuple[str, str]]) -> None:
        """A name and its value, a line each."""
        self.table(("", ""), facts, widths=(30, 70), right=())

    def table(
        self,
        heads: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        widths: Sequence[int],
        right: Sequence[int],
        total: Sequence[str] = (),
    ) -> None:
        """`right`: the columns that are figures. The head is repeated on each page."""
        pages = self._pages
        pages.set_font(FONT, size=9)
        aligned = tuple("RIGHT" if n in right else "LEFT" for n in range(len(heads)))
        bold = FontFace(emphasis=TextEmphasis.B)
        named = any(heads)
        with pages.table(
            col_widths=tuple(widths),
            text_align=aligned,
            line_height=5,
            borders_layout="HORIZONTAL_LINES" if named else "NONE",
            first_row_as_headings=named,
            headings_style=FontFace(emphasis=TextEmphasis.B, fill_color=(232, 236, 240)),
            padding=(0.6, 1),
        ) as drawn:
            for cells in (*((heads,) if named else ()), *rows):
                drawn.row([self._text(each) for each in cells])
            if total:
                drawn.row([self._text(each) for each in total], style=bold)

    def content(self) -> bytes:
        """The file."""
        return bytes(self._pages.output())

    def _text(self, text: str) -> str:
        shown = spelt_out(text)
        try:
            shown.encode("cp1252")
        except UnicodeEncodeError:
            self._pages.replaced = True
            return "".join(_in_our_letters(each) for each in shown)
        return shown


def _in_our_letters(character: str) -> str:
    try:
        character.encode("cp1252")
    except UnicodeEncodeError:
        return f"[U+{ord(character):04X}]"
    return character
