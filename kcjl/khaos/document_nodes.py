"""How the ERP writes nodes, flags and figures in the documents that it sends as strings.

Promises: texts without their margins, `-1`, `1` and `true` as yes, figures as plain Decimal.
Unknown tags are passed over; a foreign document and an unreadable figure are
`ProtocolSurprise`. It knows no document. Invariant: no figure is ever guessed. Called by the
modules that read one kind of document each. Source: contract khaos b.0.
"""

from decimal import Decimal, InvalidOperation
from functools import lru_cache

from kcjl.errors import ProtocolSurprise
from kcjl.khaos.answer_xml import Element, excerpt

__all__ = [
    "FIGURE_DIGITS_MAX",
    "figure",
    "figure_in",
    "informing_figure",
    "is_false",
    "is_true",
    "nodes",
    "own_text",
    "text_in",
]

FIGURE_DIGITS_MAX = 15
"""A figure with more digits before its point is no quantity and no price."""

_NO = frozenset({"0", "false", "n", "no"})
_YES = frozenset({"-1", "1", "true", "y", "yes"})


def nodes(document: Element | None, root: str, tag: str) -> list[Element]:
    """The nodes of a document; a foreign root counts only when it holds such nodes."""
    if document is None:
        return []
    found = list(document.iter(tag))
    if not found and document.tag != root:
        raise ProtocolSurprise(
            f"Khaos Control sent <{document.tag}> where <{root}> was due: "
            f"{excerpt(' '.join(str(text) for text in document.itertext()))}"
        )
    return found


def own_text(node: Element) -> str:
    return (node.text or "").strip()


def text_in(node: Element, tag: str) -> str:
    """The text of the first child of that tag; '' when there is none."""
    child = node.find(tag)
    return "" if child is None else own_text(child)


def is_true(text: str) -> bool:
    return text.strip().casefold() in _YES


def is_false(text: str) -> bool:
    return text.strip().casefold() in _NO


def figure_in(node: Element, tag: str, code: str) -> Decimal | None:
    return figure(text_in(node, tag), f"{tag} of {code}")


def figure(text: str, what: str) -> Decimal | None:
    """A plain decimal; None for a blank one. Raises ProtocolSurprise when it is no number."""
    if not text.strip():
        return None
    number = _number(text.strip())
    if not number.is_finite() or number.adjusted() > FIGURE_DIGITS_MAX:
        raise ProtocolSurprise(f"Khaos Control sent {text[:40]!r} as {what}")
    return number


def informing_figure(text: str) -> Decimal | None:
    """A figure on which nothing is decided; an unreadable one is not there."""
    try:
        return figure(text, "a figure")
    except ProtocolSurprise:
        return None


@lru_cache(maxsize=1_024)
def _number(text: str) -> Decimal:
    """Made once: the levels of a catalogue are few different figures."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")
