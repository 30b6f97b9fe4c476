"""CSV files that the face gives out: error reports and exports.

Promises: every cell in quotes, lines end with a line feed, UTF-8. Called by the operations of
the John Lewis face.
"""

import csv
import io
from collections.abc import Iterable, Sequence

from aiohttp import web

__all__ = ["csv_answer", "csv_text"]


def csv_text(rows: Iterable[Sequence[object]], *, delimiter: str = ";") -> str:
    written = io.StringIO()
    writer = csv.writer(
        written, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n"
    )
    writer.writerows(rows)
    return written.getvalue()


def csv_answer(rows: Iterable[Sequence[object]], *, delimiter: str = ";") -> web.Response:
    text = csv_text(rows, delimiter=delimiter)
    return web.Response(text=text, content_type="text/csv", charset="UTF-8")
