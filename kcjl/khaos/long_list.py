"""Rows of a long list, each read and let go while its document is parsed.

Promises: a plain row (fields that hold texts, one of them named as asked) is given as soon as
it has ended, and takes no memory after that: of 100,000 rows the tree alone took 230 MB. What
is written in another way (a field that points elsewhere, or is spelled otherwise) stays in the
document, to be read there as always. Invariant: a row is given, or stays; never both. One that
can be pointed to stays as an empty element, so nothing points to what is not there.
Called by `answer_xml.py`, for lists that `kws_stock.py` asks for.
"""

from collections.abc import Callable
from functools import lru_cache

from lxml.etree import _Element as Element

__all__ = ["ListRows", "field_name", "points"]


class ListRows:
    """Takes the rows out of one document."""

    def __init__(self, *named: str, each: Callable[[dict[str, str]], None]) -> None:
        """`named`: a row has a field of one of these names. `each` is given one row, as field
        (lower case) → text; perhaps beside the event loop.
        """
        self.fields = tuple(f"{{*}}{name}" for name in named)
        self._each = each
        self._begun: Element | None = None

    def has_ended(self, field: Element) -> None:
        """A field of that name: the row before its own has ended, too."""
        row = field.getparent()
        if row is not self._begun:
            self.end()
            self._begun = row

    def end(self) -> None:
        """The document has ended, and with it the last row."""
        row, self._begun = self._begun, None
        if row is None or (holder := row.getparent()) is None:
            return
        fields: dict[str, str] = {}
        for field in row:
            if len(field) or points(field):
                return
            fields[field_name(str(field.tag))] = (field.text or "").strip()
        self._each(fields)
        if row.get("id") is None:
            holder.remove(row)
        else:
            del row[:]


def points(element: Element) -> bool:
    """Its content stands elsewhere in the answer (RPC/encoded)."""
    return element.get("href") is not None or element.get("ref") is not None


@lru_cache(maxsize=1024)
def field_name(tag: str) -> str:
    """The name of a field: without its namespace, in lower case."""
    return tag.rpartition("}")[2].casefold()
