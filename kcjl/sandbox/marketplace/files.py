"""Files that a seller sends: CSV with semicolons, a header row first.

Promises: lines keep the number that they have in the file; cells are trimmed. It knows no
columns. Called by the stock, offer and price imports.
"""

import csv
import io
from collections.abc import Sequence

__all__ = ["read_file"]


def read_file(
    content: str, required: set[str], allowed: Sequence[str] | None = None
) -> list[tuple[int, tuple[str, ...]]] | None:
    """(line number, cells) of each line, the header first; None where it can't be read."""
    reader = csv.reader(io.StringIO(content.removeprefix("\ufeff")), delimiter=";", strict=True)
    try:
        rows = [(reader.line_num, tuple(cell.strip() for cell in row)) for row in reader if row]
    except csv.Error:
        return None
    if not rows:
        return None
    header = rows[0][1]
    if len(set(header)) != len(header) or not required <= set(header):
        return None
    if allowed is not None and not set(header) <= set(allowed):
        return None
    return rows
