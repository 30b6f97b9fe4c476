"""The manual's page of a kind of exception, laid out for a dialog. Called by the screens."""

from kcjl.errors import NotFound
from kcjl.manual.book import page_named
from kcjl.manual.typeset import plain

__all__ = ["page_text"]

WIDTH = 84
"""What a dialog has room for at its widest."""


def page_text(kind: str) -> str:
    """Empty where the manual has no such page."""
    try:
        page = page_named(kind)
    except NotFound:
        return ""
    return "\n".join(plain(page.text, WIDTH))
