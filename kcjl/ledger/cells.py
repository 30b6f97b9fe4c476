"""Text from outside as it may stand in a file that others open.

Promises: a control character is shown by its number and does nothing; a CSV cell that a
spreadsheet would run as a formula is quoted; what is too long says that it was cut.
Called by whatever writes CSV, workbooks and papers.
"""

__all__ = ["CELL_CHARACTERS_MAX", "FORMULA_STARTS", "harmless", "in_a_cell", "visible"]

FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
CELL_CHARACTERS_MAX = 32_767
"""A cell of a workbook holds no more, counted in UTF-16 units."""


def visible(text: str) -> str:
    r"""Without a control character, a line's end included: `\x07` stands for the bell."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _number(each) for each in text)


def _number(character: str) -> str:
    code = f"{ord(character):02x}"
    return f"\\x{code}" if len(code) == len("07") else f"\\u{code:0>4}"


def harmless(text: str) -> str:
    """For a cell of a CSV: text, whatever it begins with."""
    shown = visible(text)
    return f"'{shown}" if shown.startswith(FORMULA_STARTS) else shown


def in_a_cell(text: str) -> str:
    """For a cell of a workbook, which is written as text."""
    shown = visible(text)
    if len(shown) <= CELL_CHARACTERS_MAX // 2:
        return shown
    coded = shown.encode("utf-16-le")
    if len(coded) <= 2 * CELL_CHARACTERS_MAX:
        return shown
    said = f" … (cut: {len(shown):,} characters)"
    kept = coded[: 2 * (CELL_CHARACTERS_MAX - len(said))].decode("utf-16-le", "ignore")
    return kept + said
