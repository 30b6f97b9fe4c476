"""`kcjl manual`: the manual's pages in a terminal.

Promises: what is longer than the screen goes through the pager when somebody looks at it. It
reads no configuration: the manual helps, too, where nothing else works.
Called by the command line.
"""

import pydoc
import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from kcjl.cli.places import json_line, printable, printable_block
from kcjl.cli.tables import table
from kcjl.errors import Misuse, NotFound
from kcjl.manual.book import CHAPTERS, Chapter, Found, Page, page_named, pages, pages_with
from kcjl.manual.typeset import plain

__all__ = ["manual"]

WIDTH_MIN, WIDTH_MAX = 40, 100
HEADINGS: dict[Chapter, str] = {
    "tasks": "What is to be done",
    "": "Who decides",
    "kinds": "One page for each kind of exception",
}


def manual(
    page: Annotated[
        str, typer.Argument(help="Which page; a kind, or an exception, is one, too.")
    ] = "",
    *,
    search: Annotated[
        str, typer.Option("--search", help="Only pages that have all of these words.")
    ] = "",
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object a page, on stdout.")
    ] = False,
) -> None:
    """The manual: list its pages, search them, or read one.

    Examples: `kcjl manual`, `kcjl manual start-of-day`, `kcjl manual order_held:700123456-A`,
    `kcjl manual --search "tracking number"`.
    """
    if page and search:
        raise Misuse("a page, or --search: not both")
    if search:
        _tell_found(pages_with(search), search, json=json)
    elif page:
        _tell_page(page_named(page), json=json)
    elif json:
        for each in pages():
            typer.echo(json_line(each))
    else:
        _through_pager("\n".join(_contents(pages())))


def _contents(there: Sequence[Page]) -> Iterator[str]:
    for chapter in CHAPTERS:
        yield f"{HEADINGS[chapter].upper()}"
        yield from (
            f"  {line}"
            for line in table(
                ("page", "about"),
                [(page.name, page.title) for page in there if page.chapter == chapter],
            )[1:]
        )
        yield ""
    yield "Read one: kcjl manual PAGE. Search: kcjl manual --search WORDS."


def _tell_page(page: Page, *, json: bool) -> None:
    if json:
        typer.echo(json_line(page))
        return
    width = min(max(shutil.get_terminal_size().columns, WIDTH_MIN), WIDTH_MAX)
    _through_pager("\n".join(plain(page.text, width)))


def _tell_found(found: Sequence[Found], words: str, *, json: bool) -> None:
    if not found:
        raise NotFound(f"no page of the manual has all of {words!r}: try fewer words")
    if json:
        for each in found:
            typer.echo(json_line(each.page))
        return
    for line in table(("page", "about"), [(each.page.name, each.page.title) for each in found])[
        1:
    ]:
        typer.echo(printable(line))
    typer.echo(printable(f"{len(found)} pages have {words!r}: kcjl manual PAGE"), err=True)


def _through_pager(text: str) -> None:
    """A pager where somebody looks and the screen is too short; else straight out."""
    rows = shutil.get_terminal_size().lines
    if sys.stdout.isatty() and text.count("\n") >= rows - 1:
        pydoc.pager(text)
    else:
        typer.echo(printable_block(text))
