"""Text from outside as it may stand in a file that others open.

Promises: what would not be seen is shown by its number and does nothing; a CSV cell that a
spreadsheet would run as a formula is quoted; what is too long says that it was cut.
Called by whatever writes CSV, workbooks and papers.
"""

from kcjl.unseen import spelt_out

__all__ = ["CELL_CHARACTERS_MAX", "FORMULA_STARTS", "harmless", "in_a_cell"]

FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
CELL_CHARACTERS_MAX = 32_767
"""A cell of a workbook holds no more, counted in UTF-16 units."""


def harmless(text: str) -> str:
    """For a cell of a CSV: text, whatever it begins with."""
    shown = spelt_out(text)
    return f"'{shown}" if shown.lstrip().startswith(FORMULA_STARTS) else shown


def in_a_cell(text: str) -> str:
    """For a cell of a workbook, which is written as text."""
    shown = spelt_out(text)
    if len(shown) <= CELL_CHARACTERS_MAX // 2:
        return shown
    coded = shown.encode("utf-16-le")
    if len(coded) <= 2 * CELL_CHARACTERS_MAX:
        return shown
    said = f" … (cut: {len(shown):,} characters)"
    kept = coded[: 2 * (CELL_CHARACTERS_MAX - len(said))].decode("utf-16-le", "ignore")
    return kept + said
