"""XML that comes from the ERP, read without trusting it.

Promises: no entity is expanded, no DTD is accepted, nothing is fetched, depth and size are
bounded; namespaces are taken off the documents in strings; rows of a long list are given one
by one, and not kept. It knows nothing of SOAP or trade.
Invariant: whatever arrives, the outcome is an element, None (nothing there) or an error.
A single text longer than 10,000,000 bytes is refused by libxml2's own bound (huge_tree=False).
Called by `soap.py`, `wsdl.py` and the documents.
"""

import codecs
import re
from typing import Literal, TypeAlias

from lxml import etree
from lxml.etree import _Element as Element

from kcjl.errors import ProtocolSurprise
from kcjl.khaos.long_list import ListRows

__all__ = [
    "Element",
    "Unreadable",
    "excerpt",
    "local_name",
    "parse_answer",
    "parse_document",
    "parse_packed",
]

OtherText: TypeAlias = Literal["windows-1252", "refuse"]
"""What to do with bytes that are no UTF-8 and are not declared as anything else."""

Body: TypeAlias = bytes | bytearray

BLOCK_BYTES = 64 * 1024

EXCERPT_CHARS_MAX = 300
"""How much of an answer that was not understood is quoted in an error."""

_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")
_DECLARED_ENCODING = re.compile(rb"\A\s*<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9._-]+)")
_CLOSED_ENVELOPE = re.compile(rb"</[^<>]*Envelope\s*>\Z")
_DOCTYPE = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s+|<\?(?:(?!\?>).)*+\?>|<!--(?:(?!-->).)*+-->)*+<!DOCTYPE",
    re.DOTALL,
)
"""Seen before the parser sees it, so that no entity is even declared."""
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class Unreadable(Exception):
    """Raised when a body is not the XML that it should be."""

    def __init__(self, reason: str, *, truncated: bool = False) -> None:
        super().__init__(reason)
        self.truncated = truncated
        """It starts like a SOAP answer, and ends before its end."""


def parse_answer(
    body: Body,
    charset: str | None,
    *,
    other_text: OtherText = "windows-1252",
    rows: ListRows | None = None,
) -> Element:
    """The root of an HTTP body. `charset` is the one that the HTTP header names.

    `rows` are given their rows, and these are not in the tree. Bytes that are no UTF-8 although
    they should be are read as Windows-1252, the character set of the ERP's database (contract
    khaos b.0), or refused.
    """
    try:
        return _parse(body, _encoding(body, charset, other_text), rows)
    except etree.XMLSyntaxError as error:
        raise Unreadable(str(error), truncated=_is_truncated(body)) from None
    except (LookupError, ValueError) as error:
        raise Unreadable(str(error)) from None


def parse_document(text: str) -> Element | None:
    """The root of an XML document that came as a string; None when there is nothing in it.

    Raises ProtocolSurprise when it is no XML. Its declaration is passed over: the text has been
    decoded already.
    """
    bare = _DECLARATION.sub("", text.lstrip("\ufeff"), count=1).strip()
    if not bare:
        return None
    try:
        root = _parse(bare.encode("utf-8", "surrogatepass"), "utf-8")
    except (etree.XMLSyntaxError, Unreadable) as error:
        raise ProtocolSurprise(
            f"Khaos Control sent a document that can't be read ({error}): {excerpt(bare)}"
        ) from None
    return without_namespaces(root)


def parse_packed(content: bytes, method: str, rows: ListRows | None = None) -> Element | None:
    """The root of a document that came packed, as bytes; None when there is nothing in it."""
    if not content.strip():
        return None
    try:
        return without_namespaces(parse_answer(content, None, rows=rows))
    except Unreadable as error:
        raise ProtocolSurprise(
            f"Khaos Control's packed answer to {method} can't be read: {error}"
        ) from None


def without_namespaces(root: Element) -> Element:
    """The same tree with bare tags; the ERP's documents are known by their local names."""
    for element in root.iter():
        if isinstance(element.tag, str) and "}" in element.tag:
            element.tag = local_name(element)
    return root


def local_name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def excerpt(text: str | bytes | bytearray) -> str:
    """The beginning of an answer, on one line."""
    begun = text[: 4 * EXCERPT_CHARS_MAX]
    known = begun if isinstance(begun, str) else begun.decode("utf-8", "replace")
    line = " ".join(known.split())
    return line if len(line) <= EXCERPT_CHARS_MAX else line[:EXCERPT_CHARS_MAX] + "…"


def _encoding(body: Body, charset: str | None, other_text: OtherText) -> str | None:
    """What to read the bytes as; None leaves it to the document's own marks."""
    if body.startswith(_UTF_16_MARKS):
        return None
    declared = _DECLARED_ENCODING.match(body)
    said = (charset, declared.group(1).decode("ascii") if declared else None)
    named = [_python_name(name) for name in said if name]
    others = [name for name in named if name not in ("", "utf-8", "ascii")]
    if others and len(others) == len(named):
        return others[-1]
    try:
        _read_utf_8(body)
    except UnicodeDecodeError:
        if not others and other_text == "refuse":
            raise Unreadable("its bytes are no UTF-8, and nothing says what they are") from None
        return others[0] if others else "windows-1252"
    return "utf-8"


def _read_utf_8(body: Body) -> None:
    """Raises UnicodeDecodeError when it is none; never holds the whole text."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(body), BLOCK_BYTES):
        decoder.decode(body[start : start + BLOCK_BYTES])
    decoder.decode(b"", final=True)


def _python_name(charset: str) -> str:
    """The codec of that name; '' for one that is not known or that can't begin with a `<`."""
    try:
        name = codecs.lookup(charset).name
    except LookupError:
        return ""
    return "" if name.startswith(("utf-16", "utf-32")) else name


def _is_truncated(body: Body) -> bool:
    """It begins like a SOAP answer, and its end is missing; or nothing came at all."""
    bare = body.strip()
    if not bare:
        return True
    if b"Envelope" in bare[:4096]:
        return _CLOSED_ENVELOPE.search(bare[-512:]) is None
    return bare.startswith(b"<") and not bare.endswith(b">")


def _parse(body: Body, encoding: str | None, rows: ListRows | None = None) -> Element:
    if _DOCTYPE.match(body):
        raise Unreadable("the document has a DTD, and that is refused")
    parser = etree.XMLPullParser(
        ("end",) if rows else (),
        tag=rows.fields if rows else None,
        encoding=encoding,
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    for start in range(0, len(body), BLOCK_BYTES):
        parser.feed(bytes(body[start : start + BLOCK_BYTES]))
        if rows:
            for _, field in parser.read_events():
                if isinstance(field, Element):
                    rows.has_ended(field)
    root = parser.close()
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable("the document has a DTD, and that is refused")
    if rows:
        rows.end()
    return root
