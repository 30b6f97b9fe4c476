"""The manual found, searched and read, as the command line and the monitor do it."""

import json
from pathlib import Path

import pytest

from kcjl.errors import NotFound
from kcjl.manual.book import page_named, pages, pages_with
from kcjl.manual.typeset import plain
from tests.cli.typed import typed_now


@pytest.mark.parametrize(
    "wanted",
    ["order-held", "order_held", "Order Held", "order_held:700123456-A"],
)
def test_page_is_found_by_whatever_name_stands_before_a_person(wanted: str) -> None:
    """The desk's name of a kind, and of an exception, lead to the page, too."""
    assert "order-held" == page_named(wanted).name


def test_page_of_a_kind_says_what_the_catalogue_says() -> None:
    """Whose it is and what closes it stand in one place, and are shown in both."""
    text = page_named("sku-unmatched").text

    assert "Owner: catalogue." in text
    assert "Closes by itself when the ERP has the code" in text


def test_page_that_is_misspelt_is_answered_with_the_nearest() -> None:
    """Who types from memory is helped on."""
    with pytest.raises(NotFound, match="courier-unmapped"):
        page_named("courier-unmaped")
    with pytest.raises(NotFound, match="`kcjl manual` lists them"):
        page_named("zzzz")


def test_search_finds_pages_that_have_all_the_words_and_titles_first() -> None:
    """In any order and in any case; no word finds nothing."""
    found = pages_with("Month END")

    assert "month-end" == found[0].page.name
    assert all("month" in each.page.text.casefold() for each in found)
    assert () == pages_with("")
    assert () == pages_with("unicorn stable")


@pytest.mark.parametrize("width", [40, 80])
def test_commands_are_never_broken_and_prose_keeps_to_the_width(width: int) -> None:
    """What is copied from the screen is what is meant."""
    for page in pages():
        shown = list(plain(page.text, width))
        for line in shown:
            assert 0 == line.count("`") % 2, line
            assert len(line) <= width or "`" in line, line


def test_manual_reads_in_a_terminal_without_any_configuration(tmp_path: Path) -> None:
    """It helps, too, where nothing else works: list, page, search, JSON, and mistakes."""
    listed = typed_now("manual", cwd=tmp_path)
    page = typed_now("manual", "start-of-day", cwd=tmp_path)
    found = typed_now("manual", "--search", "tracking number", cwd=tmp_path)
    raw = typed_now("manual", "--json", cwd=tmp_path)
    none = typed_now("manual", "--search", "unicorn", cwd=tmp_path)
    both = typed_now("manual", "a", "--search", "b", cwd=tmp_path)

    assert all(each.name in listed.stdout for each in pages())
    assert page.stdout.startswith("START OF THE DAY\n")
    assert "tracking-missing" in found.stdout
    assert len(pages()) == len([json.loads(line) for line in raw.stdout.splitlines()])
    assert (3, 2) == (none.returncode, both.returncode)
