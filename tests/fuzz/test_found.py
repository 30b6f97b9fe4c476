"""What fuzzing has found: each body that made a parser fail otherwise than it promises."""

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from kcjl.cli.init_asking import FromFile
from kcjl.errors import Misuse
from kcjl.exceptions.routing import read_rules
from kcjl.ledger.bank_statement import read_statement
from kcjl.log.seal import read_seal
from kcjl.orders.acceptance_policy import read_policy
from kcjl.sealedanswer import seal_for
from kcjl.settings import read_settings
from kcjl.settlement.terms import read_terms
from kcjl.stock.policy import read_document
from tests.ledger.statements import JL, ofx1
from tui.keymap import keymap_at

DEEP = "a = " + "[" * 5_000
LONG = "a = " + "9" * 5_000
"""More digits than Python makes a number of."""
DOTTED = "a." * 100_000 + "b = 1"
"""It took the reader minutes: the time grows with the square of the parts."""


@pytest.mark.parametrize("read", [read_policy, read_rules, read_terms, read_document])
@pytest.mark.parametrize("text", [DEEP, LONG, DOTTED], ids=["deep", "long", "dotted"])
def test_policy_of_endless_depth_or_length_is_refused(
    read: Callable[[str], object], text: str
) -> None:
    """Policies come with commands, too: a RecursionError came out, and a ValueError."""
    with pytest.raises(Misuse, match="TOML"):
        read(text)


@pytest.mark.parametrize("read", [read_settings, keymap_at, FromFile.read])
@pytest.mark.parametrize("text", [DEEP, LONG, DOTTED], ids=["deep", "long", "dotted"])
def test_file_of_endless_depth_or_length_is_refused(
    read: Callable[[Path], object], text: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.toml"
    path.write_text(text)

    with pytest.raises(Misuse, match="TOML"):
        read(path)


def test_seal_of_no_text_or_endless_depth_is_refused(tmp_path: Path) -> None:
    """A seal comes from outside by its nature: from a mailbox, or a printed page."""
    path = tmp_path / "a.seal"
    for content in (b'{"format":"\xff\xfe"}', b'{"x":' * 20_000):
        path.write_bytes(content)
        with pytest.raises(Misuse, match="is not a seal"):
            read_seal(path)


def test_asker_whose_key_makes_every_secret_the_same_is_refused() -> None:
    """A point of low order: it was refused with an error that nobody expects."""
    with pytest.raises(Misuse, match="the asker's key is none"):
        seal_for(b64encode(bytes(32)).decode(), b"a buyer")


@pytest.mark.parametrize("day", ["00010101000000[+14]", "99991231235959[-12]"])
def test_statement_of_a_day_beyond_the_calendar_is_refused(day: str) -> None:
    """The year 1, in an offset before it: it was an OverflowError."""
    content = ofx1(JL).replace("20261005", day).encode()

    with pytest.raises(Misuse, match="is no day"):
        read_statement("f", content, columns={}, currency="GBP")


@pytest.mark.parametrize("charset", ["idna", "punycode", "undefined", "utf-7", "rot13"])
def test_statement_chooses_none_of_the_codecs_that_banks_do_not_write(charset: str) -> None:
    """The file named any of Python's: `undefined` raised what no reader expects."""
    content = ofx1(JL).replace("CHARSET:1252", f"CHARSET:{charset}")
    (line,) = read_statement("f", content.encode(), columns={}, currency="GBP")

    assert charset in content
    assert 2_102 == line.stated.amount.amount_minor
