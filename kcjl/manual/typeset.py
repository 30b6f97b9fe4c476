"""A page of the manual as it is shown where there is no Markdown.

Promises: pure; prose is filled to a width, and a command is never broken in two, so that it can
be copied. Called by `kcjl manual`; the monitor may use it.
"""

import re
import textwrap
from collections.abc import Iterator, Sequence

__all__ = ["plain"]

COMMAND = re.compile(r"`[^`]+`", re.DOTALL)
LEAD = re.compile(r"^\*\*(.+?)\*\*")
"""The words that a paragraph begins with: who looks for one finds it in capitals."""
ITEM = re.compile(r"^( *)(\d+\.|-) ")
UNBROKEN = "\x00"
"""Stands for a blank within a command while lines are filled."""


def plain(text: str, width: int) -> Iterator[str]:
    """Markdown as lines of a terminal; headings as they are, prose filled, commands whole."""
    for block in re.split(r"\n{2,}", text.strip()):
        for paragraph in _paragraphs(block.splitlines()):
            yield from _filled(paragraph, width)
        yield ""


def _paragraphs(lines: Sequence[str]) -> Iterator[str]:
    """Of one block: each item of a list is a paragraph of its own."""
    gathered: list[str] = []
    for line in lines:
        if ITEM.match(line) and gathered:
            yield "\n".join(gathered)
            gathered = []
        gathered.append(line if not gathered else line.strip())
    yield "\n".join(gathered)


def _filled(paragraph: str, width: int) -> list[str]:
    if paragraph.startswith("#"):
        return textwrap.wrap(paragraph.lstrip("# ").upper(), width)
    item = ITEM.match(paragraph)
    hang = " " * (item.end() if item else 0)
    led = LEAD.sub(lambda found: found[1].upper(), paragraph)
    whole = COMMAND.sub(lambda found: re.sub(r"\s+", UNBROKEN, found[0]), led)
    lines = textwrap.wrap(
        whole.replace("**", ""),
        width,
        subsequent_indent=hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(UNBROKEN, " ") for line in lines]
