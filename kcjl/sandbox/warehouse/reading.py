"""How the ERP reads what a client sent: documents of XML, and times off a clock on the wall.

Promises: a document with a DTD, or with another root than was asked for, is refused; a zone
behind a time is decoration, the year 1899 means no date. It knows no tag but the root.
Invariant: nothing outside the document is ever fetched. Source: contract khaos b.0.
Called by the import desk, ImportStockStatus and the SOAP face of the sandbox.
"""

import re
from datetime import UTC, datetime, tzinfo

from lxml import etree

from kcjl.clock import LONDON
from kcjl.sandbox.warehouse.faults import KhaosFault

__all__ = ["parse_document", "parse_wall", "parse_wall_time"]

_DECLARATION = re.compile(r"^\ufeff?\s*<\?xml[^>]*\?>")
_DOCTYPE = re.compile(r"<!DOCTYPE", re.IGNORECASE)
_WALL_TIME = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})"
    r"(?:(?:T| +T?)(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?"
    r"\s*(?:Z|[+-]\d{2}:?\d{2})?$"
)
_NO_DATE_YEARS = frozenset({1899, 1})


def parse_wall_time(text: str, zone: tzinfo = LONDON) -> datetime | None:
    """A wall time as a moment; a zone in it is decoration, 1899 means no date.

    >>> parse_wall_time("2026-07-01T09:00:00.000Z")
    datetime.datetime(2026, 7, 1, 8, 0, tzinfo=datetime.timezone.utc)
    """
    wall = parse_wall(text)
    return None if wall is None else wall.replace(tzinfo=zone).astimezone(UTC)


def parse_wall(text: str) -> datetime | None:
    """A time as it stands on a clock, without a zone; None for no date.

    >>> parse_wall("2026-07-01 T9:00:00")
    datetime.datetime(2026, 7, 1, 9, 0)
    """
    text = text.strip()
    if not text:
        return None
    match = _WALL_TIME.match(text)
    try:
        if match is None:
            raise ValueError(text)  # noqa: TRY301 - the same answer as for the 31st of June
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
        if year in _NO_DATE_YEARS:
            return None
        micros = int((match.group(7) or "").ljust(6, "0")[:6])
        return datetime(year, month, day, hour, minute, second, micros)  # noqa: DTZ001 - a wall's
    except ValueError:
        raise KhaosFault(f"'{text}' is not a valid date and time", "EConvertError") from None


def parse_document(document: str, root_tag: str) -> etree._Element:
    """The root of a document that a client sent; a fault where it can't be read."""
    text = _DECLARATION.sub("", document.strip())
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, UnicodeEncodeError) as unreadable:
        raise KhaosFault(f"The document is no XML: {unreadable}", "EXMLError") from None
    if _DOCTYPE.search(text):
        raise KhaosFault("A document type is not allowed in a document", "EXMLError")
    if root.tag != root_tag:
        raise KhaosFault(f"The root of the document is {root_tag}, not {root.tag}")
    return root
