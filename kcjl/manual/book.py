"""The manual's pages: found by name, listed, searched.

Promises: a page that is misspelt is answered with the nearest names; a page of a kind begins
with what the catalogue says of it. It reads the package's own files, and nothing else.
Invariant: a page is known by one name, whichever chapter it stands in.
Called by `kcjl manual`; made for the monitor's F1 as well.
"""

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal

import msgspec
from rapidfuzz import process

from kcjl.errors import NotFound
from kcjl.exceptions.catalogue import KINDS
from kcjl.exceptions.kind import Kind

__all__ = ["CHAPTERS", "Chapter", "Found", "Page", "page_named", "pages", "pages_with"]

Chapter = Literal["tasks", "kinds", ""]
CHAPTERS: tuple[Chapter, ...] = ("tasks", "", "kinds")
"""As they are listed: what is to be done, who decides, one page a kind."""
NEAR_MAX = 3
NEAR_SCORE_MIN = 45


class Page(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    chapter: Chapter
    title: str
    text: str
    """Markdown, whole, with its title."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A page that has all the words, and the first line that has one of them."""

    page: Page
    line: str


def pages() -> tuple[Page, ...]:
    """All pages, chapter by chapter, by name."""
    return tuple(page for chapter in CHAPTERS for page in _chapter(chapter))


def page_named(wanted: str) -> Page:
    """One page, by its name, by a kind's name, or by an exception's (`kind:subject`).

    Raises NotFound with the nearest names.
    """
    name = wanted.partition(":")[0].strip().casefold().replace("_", "-").replace(" ", "-")
    by_name = {page.name: page for page in pages()}
    if name in by_name:
        return by_name[name]
    near = process.extract(name, by_name, processor=_name_of, limit=NEAR_MAX)
    names = [key for _, score, key in near if score >= NEAR_SCORE_MIN]
    hint = f"near to it: {', '.join(names)}" if names else "`kcjl manual` lists them"
    raise NotFound(f"the manual has no page {wanted!r}; {hint}")


def pages_with(words: str) -> tuple[Found, ...]:
    """The pages that have all of these words; those that have them in the title come first."""
    asked = words.casefold().split()
    found = [
        Found(page=page, line=_line_with(page, asked))
        for page in pages()
        if asked and all(each in page.text.casefold() for each in asked)
    ]
    return tuple(sorted(found, key=lambda one: not _is_titled(one.page, asked)))


def _chapter(chapter: Chapter) -> Iterator[Page]:
    for file in sorted(_folder(chapter).iterdir(), key=lambda each: each.name):
        if not file.name.endswith(".md"):
            continue
        name, text = file.name.removesuffix(".md"), file.read_text(encoding="utf-8")
        head, _, rest = text.partition("\n")
        facts = _facts(name) if chapter == "kinds" else ""
        yield Page(
            name=name,
            chapter=chapter,
            title=head.removeprefix("# ").strip(),
            text=f"{head}\n{facts}{rest}",
        )


def _folder(chapter: Chapter) -> Traversable:
    manual = files("kcjl.manual")
    return manual / chapter if chapter else manual


def _facts(page: str) -> str:
    """What the catalogue says: it stands there once, and can't be another on the page."""
    kind: Kind | None = KINDS.get(page.replace("-", "_"))
    if kind is None:
        return ""
    return (
        f"\n`{kind.name}`. Severity: {kind.severity}. Lane: {kind.lane}. Owner: {kind.owner}. "
        f"Closes by itself when {kind.clears}.\n"
    )


def _line_with(page: Page, asked: list[str]) -> str:
    lines = page.text.splitlines()[1:]
    return next((line for line in lines if asked[0] in line.casefold()), page.title).strip()


def _is_titled(page: Page, asked: list[str]) -> bool:
    head = f"{page.name} {page.title}".casefold()
    return all(each in head for each in asked)


def _name_of(either: str | Page) -> str:
    return either if isinstance(either, str) else f"{either.name} {either.title.casefold()}"
