"""The manual is complete, and what it tells people to type is there.

Called with the suite; a new kind of exception without a page fails here, and so does a page
whose command, setting or cross-reference is gone.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import pytest
from typer.main import get_command

from kcjl.cli.main import app
from kcjl.exceptions.catalogue import KINDS
from kcjl.exceptions.kind import Kind, commands_of
from kcjl.manual.book import Page, page_named, pages
from kcjl.settings import MerchantSettings, Settings
from tests.architecture.tree import ROOT

MANUAL = ROOT / "kcjl" / "manual"
LEADS = (
    "You see",
    "It means",
    "If nobody acts",
    "Do",
    "Done when",
    "Who decides",
    "Don't",
)
LINES_MIN, LINES_MAX = 15, 50
PAGES = pages()
OF_KINDS = [page for page in PAGES if page.chapter == "kinds"]
CODE = re.compile(r"`([^`]+)`", re.DOTALL)
FILES = ("kcjl.toml", "log.seal", "before.seal", "log.jsonl.gz", "check.html")
NOT_OUR_WORDS = {
    r"\btrackings?\b(?! (number|missing|malformed|not sent|wait|forms))": "tracking number",
    r"\bfulfil(l|ment)\w*": "dispatch",
    r"\bpurchase orders?\b": "order",
    r"\bvendors?\b": "merchant",
    r"\bremittances?\b": "payout",
    r"\bcancellations?\b": "cancelation",
    r"\bissues?\b": "exception",
    r"\btickets?\b": "exception",
    r"\berrors?\b": "exception",
    r"\bback[- ]?end\b": "service",
    r"\bAPI (call|endpoint)s?\b": "call",
    r"\bidempoten\w*": "once",
    r"\bevents? sourc\w*": "log",
    r"\b(OR|ST|SH|TL|OF|STO)\d\d\b": "an operation by what it does",
}
"""What people say elsewhere, and the glossary's word instead."""


def said(page: Page) -> Iterator[str]:
    """What stands in code signs, on one line each."""
    for found in CODE.findall(page.text):
        yield " ".join(found.split())


def commands(page: Page) -> list[str]:
    return [each for each in said(page) if each.startswith("kcjl ")]


def test_every_kind_has_a_page_and_no_page_is_without_a_kind() -> None:
    """Nobody is told of a trouble that the manual does not know."""
    assert sorted(kind.page for kind in KINDS.values()) == sorted(
        page.name for page in OF_KINDS
    )


def test_pages_are_known_by_one_name() -> None:
    """A name in two chapters would lead to one of them by chance."""
    names = [page.name for page in PAGES]

    assert sorted(set(names)) == sorted(names)
    assert all(page.title and page.text.startswith(f"# {page.title}\n") for page in PAGES)


@pytest.mark.parametrize("page", OF_KINDS, ids=lambda page: page.name)
def test_page_of_a_kind_says_all_that_a_person_asks(page: Page) -> None:
    """What it is, by when, what to do, when it is over, whose it is, and what not to do."""
    leads = re.findall(r"^\*\*(.+?)\*\*", page.text, re.MULTILINE)

    assert list(LEADS) == leads
    assert LINES_MIN <= len(page.text.splitlines()) <= LINES_MAX
    assert "\n1. " in page.text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_of_a_page_can_be_typed(page: Page) -> None:
    """Each verb is there, takes these options, and lacks nothing that it needs."""
    for line in commands(page):
        can_be_typed(line)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_commands_of_a_kind_can_be_typed(kind: Kind) -> None:
    """What the desk says to type is no other than what there is."""
    for line in commands_of(kind, "700123456-A/2"):
        can_be_typed(line)


def test_command_that_is_not_there_is_found() -> None:
    """The test above can fail: a verb, an option and an argument that are not there."""
    for line in ("kcjl orders vanish X", "kcjl orders show X --loud", "kcjl stock alias"):
        with pytest.raises(AssertionError, match="kcjl"):
            can_be_typed(line)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_names_of_a_page_are_there(page: Page) -> None:
    """Kinds and settings that a page names exist; what it refers to can be read."""
    settings = {*_names(Settings, ""), *_names(MerchantSettings, "")}
    last = {each.rpartition(".")[2] for each in settings}
    for each in said(page):
        if re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", each):
            assert each in KINDS or each in last or each == "kcjl_auditor", each
        elif re.fullmatch(r"[a-z]+(\.[a-z_0-9]+)+", each) and each not in FILES:
            assert each in settings, each
    for line in commands(page):
        words = shlex.split(line)
        if words[1] == "manual" and len(words) > 2 and words[2] != "PAGE":
            page_named(words[2])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_words_of_a_page_are_the_glossarys(page: Page) -> None:
    """One word, one sense: staff look up in the glossary what the manual says."""
    prose = CODE.sub("", page.text)
    odd = [
        f"{found[0]!r}: say {better}"
        for pattern, better in NOT_OUR_WORDS.items()
        if (found := re.search(pattern, prose, re.IGNORECASE))
    ]

    assert not odd, "\n".join(odd)


def test_prose_of_the_pages_fits_a_page() -> None:
    """Read as they are, too: in an editor, in the tree, on paper."""
    long = [
        f"{path.relative_to(MANUAL)}:{number}"
        for path in MANUAL.rglob("*.md")
        for number, line in enumerate(Path(path).read_text().splitlines(), 1)
        if len(line) > 100
    ]

    assert not long, "\n".join(long)


def can_be_typed(line: str) -> None:
    """Parse it as the command line would, to the end, and call nothing."""
    words = shlex.split(line)[1:]
    command: Any = get_command(app)
    while getattr(command, "commands", None) and words and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    bare_group = hasattr(command, "commands") and not getattr(
        command, "invoke_without_command", False
    )
    assert not bare_group, f"kcjl: {line!r} names no verb"
    try:
        command.make_context("kcjl", [_meant(each) for each in words])
    except Exception as error:  # noqa: BLE001 - whatever the library raises, it can't be typed
        message = f"kcjl: {line!r} can't be typed: {error}"
        raise AssertionError(message) from None


def _meant(word: str) -> str:
    """A word in capitals that stands for a number."""
    return "1" if word == "VERSION" else word


def _names(section: Any, before: str) -> Iterator[str]:
    for field in msgspec.structs.fields(section):
        name = f"{before}{field.name}"
        yield name
        of = get_type_hints(section)[field.name]
        if isinstance(of, type) and issubclass(of, msgspec.Struct):
            yield from _names(of, f"{name}.")
