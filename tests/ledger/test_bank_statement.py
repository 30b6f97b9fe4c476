"""Bank statements are read whole, and the same line is the same one in every file."""

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcjl.errors import KcjlError, Misuse
from kcjl.ledger import bank_statement
from kcjl.ledger.bank_lines import BankLine, Place, amount_of, day_of
from kcjl.ledger.bank_statement import FILE_BYTES_MAX, read_statement
from kcjl.money import Money
from tests.ledger.statements import (
    JL,
    barclays,
    camt,
    lloyds,
    natwest,
    ofx1,
    ofx2,
)
from tests.ledger.statements import Money as Line
from tests.patience import unhurried
from tests.trade import gbp

Layout = Callable[..., str]
LAYOUTS: tuple[Layout, ...] = (barclays, natwest, lloyds, ofx1, ofx2, camt)
RENT: Line = (date(2026, 10, 6), -120_000, "RENT & RATES <7>")


def read(
    content: str | bytes,
    name: str = "march.csv",
    columns: dict[str, str] | None = None,
    currency: str = "GBP",
) -> tuple[BankLine, ...]:
    told = content.encode() if isinstance(content, str) else content
    return read_statement(name, told, columns=columns or {}, currency=currency)


def told(lines: tuple[BankLine, ...]) -> list[tuple[date, Money]]:
    return [(each.stated.booked_on, each.stated.amount) for each in lines]


def refusal(content: str | bytes) -> str:
    with pytest.raises(Misuse) as refused:
        read(content)
    return refused.value.message


# ── what is read ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("layout", LAYOUTS)
def test_statement_of_each_layout_is_the_same_money(layout: Layout) -> None:
    """Day, sign and pence; the bank's words with it."""
    lines = read(layout(JL, RENT))

    assert [(JL[0], gbp(2_102)), (RENT[0], gbp(-120_000))] == told(lines)
    assert JL[2] in lines[0].stated.text
    assert RENT[2] in lines[1].stated.text


money_lines = st.lists(
    st.tuples(
        st.dates(date(2020, 1, 1), date(2035, 12, 31)),
        st.integers(-99_999_999, 99_999_999).filter(bool),
        st.text("ABCxyz 0189&<>,;'\"£é-/", max_size=12).map(lambda text: f"x{text}x"),
    ),
    max_size=6,
)


@unhurried
@given(lines=money_lines, layout=st.sampled_from(LAYOUTS))
def test_any_money_is_read_as_it_was_written(lines: list[Line], layout: Layout) -> None:
    """To the penny, whatever the day, the side and the words."""
    content = layout(*lines).encode("cp1252" if layout is ofx1 else "utf-8")

    assert [(day, gbp(pence)) for day, pence, _ in lines] == told(read(content))


@unhurried
@given(lines=money_lines, layout=st.sampled_from(LAYOUTS), cut=st.integers(1, 400))
def test_statement_that_is_cut_brings_no_other_money(
    lines: list[Line], layout: Layout, cut: int
) -> None:
    """A cut file is refused, or is one that ends with a whole line: never a part of a line."""
    content = layout(*lines)
    try:
        found = told(read(content[:-cut]))
    except Misuse:
        return

    assert found == [(day, gbp(pence)) for day, pence, _ in lines][: len(found)]


@unhurried
@given(content=st.binary(max_size=300), layout=st.sampled_from(LAYOUTS), at=st.integers(0, 900))
def test_junk_is_refused_in_words(content: bytes, layout: Layout, at: int) -> None:
    """Whatever comes, the outcome is lines or an error of ours that names the file."""
    whole = layout(JL, RENT).encode()
    for each in (content, whole[:at] + content + whole[at:]):
        try:
            read(each)
        except KcjlError as error:
            assert error.message.startswith("march.csv")  # noqa: PT017 - either outcome is right


@unhurried
@given(lines=money_lines, layout=st.sampled_from(LAYOUTS))
def test_same_file_has_the_same_identities_and_no_two_alike(
    lines: list[Line], layout: Layout
) -> None:
    """Two lines that look alike are two; read again they are the same two."""
    content = layout(*lines, *lines).encode("cp1252" if layout is ofx1 else "utf-8")
    first, again = read(content), read(content, name="copy.csv")

    assert [each.identity for each in first] == [each.identity for each in again]
    assert 2 * len(lines) == len({each.identity for each in first})


def test_line_of_files_that_overlap_is_the_same_line() -> None:
    """The 5th is in both; what the bank says with other blanks is the same."""
    other: Line = (date(2026, 10, 9), 100, "OTHER")
    one = read(barclays(JL, RENT))
    two = read(barclays((JL[0], JL[1], "John Lewis PLC   BACS-889117"), other))

    assert one[0].identity == two[0].identity
    assert 3 == len({each.identity for each in (*one, *two)})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_csv_of_each_encoding_keeps_its_words(encoding: str) -> None:
    """With its mark or without; a pound sign is one."""
    (line,) = read(barclays((JL[0], 100, "£1 FOR CAFÉ")).encode(encoding))

    assert "£1 FOR CAFÉ" == line.stated.text


def test_csv_of_another_bank_is_read_by_the_columns_that_are_named() -> None:
    """Semicolons, words of its own, a preamble, and an account in its own currency."""
    content = "Kontoauszug\n\nTag;Betrag;Zweck;W\n2026-10-05;2102.00;BACS-889117;EUR\n"
    columns = {"date": "tag", "amount": "Betrag", "text": "Zweck", "currency": "W"}

    assert [(JL[0], Money(210_200, "EUR"))] == told(
        read(content, columns=columns, currency="EUR")
    )


def test_camt_batch_counts_by_its_parts_and_what_is_not_booked_does_not() -> None:
    """Two payments in one entry; a pending one comes again when it is booked."""
    part = '<TxDtls><Amt Ccy="GBP">{}</Amt><RmtInf><Ustrd>{}</Ustrd></RmtInf></TxDtls>'
    batch = part.format("15.00", "BACS-1") + part.format("6.02", "BACS-2")
    inner = camt(JL).replace("<NtryDtls><TxDtls>", f"<NtryDtls>{batch}<X>", 1)
    content = inner.replace("</TxDtls></NtryDtls>", "</X></NtryDtls>", 1)
    pending = camt(JL, closing=0).replace("<Cd>BOOK</Cd>", "<Cd>PDNG</Cd>")

    assert [gbp(1_500), gbp(602)] == [each.stated.amount for each in read(content)]
    assert () == read(pending)


# ── what is refused ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "place", "next_step"),
    [
        (b"", "march.csv:", "Export the statement again"),
        (b"\xef\xbb\xbf\r\n", "march.csv:", "Export the statement again"),
        ("one,two\n1,2\n", "line 1", "--column date=HEADING"),
        (barclays(JL)[:-35], "line 2", "cut off"),
        (
            barclays(JL).replace("2102", "x") + " ,31/12/2026,1,twelve,a,b\n",
            "line 3",
            "1,234.56",
        ),
        (barclays(JL) + " ,31/12/2026,1,1.234.56,a,b\n", "line 3", "1,234.56"),
        (barclays(JL) + ' ,31/12/2026,1,"1.234,56",a,b\n', "line 3", "1,234.56"),
        (barclays(JL) + ' ,31/12/2026,1,"12,34",a,b\n', "line 3", "1,234.56"),
        (barclays(JL) + " ,31/12/2026,1,1.005,a,b\n", "line 3", "1,234.56"),
        (barclays(JL) + " ,12/31/2026,1,1.00,a,b\n", "line 3", "the day first"),
        (barclays(JL) + " ,31/12/0026,1,1.00,a,b\n", "line 3", "the day first"),
        (barclays(JL) + " ,31/12/2026,1,€1.00,a,b\n", "line 3", "own currency"),
        (barclays(JL) + ' ,31/12/2026,1,1.00,a,"b\n', "line 3", "cut off"),
        (barclays(JL).encode() + b" ,31/12/2026,1,1.00,a,\x81\n", "line 3", "CSV UTF-8"),
        (barclays(JL).encode() + b"\x00", "line 3", "Export the statement again"),
        (barclays(JL).encode("utf-16")[:-1], "march.csv", "Export the statement again"),
        (lloyds(JL) + "05/10/2026,BGC,1,2,JL,,,1,\n", "line 3", "Export the statement again"),
        (lloyds(JL) + "05/10/2026,BGC,1,2,JL,,-5.00,1,\n", "line 3", "--column amount"),
        (ofx1(JL)[:-40], "march.csv:", "Download the statement again"),
        (ofx1(JL).replace("<FITID>F0", ""), "transaction 1", "Download the statement again"),
        (ofx1(JL, currency="EUR"), "march.csv:", "own currency"),
        (camt(JL)[:-40], "line 5", "Ask the bank"),
        (camt(JL, closing=2_103), "line 2", "Ask the bank"),
        (camt(JL, currency="EUR"), "line 5", "own currency"),
        (camt(JL).replace('<Amt Ccy="GBP">21.02', '<Amt Ccy="GBP">-21.02'), "line", "Ask the"),
        ("<html><body>Log in</body></html>", "march.csv:", "camt.053"),
    ],
)
def test_bad_statement_is_refused_by_file_place_and_next_step(
    content: str | bytes, place: str, next_step: str
) -> None:
    """Nothing of it is taken, and who has it knows where to look and what to do."""
    said = refusal(content)

    assert said.startswith("march.csv")
    assert place in said
    assert "nothing of the file was taken" in said
    assert next_step in said


@pytest.mark.parametrize("layout", [camt, ofx2])
def test_statement_with_entities_is_refused_before_any_is_read(layout: Layout) -> None:
    """A billion laughs, or a file of ours by its name: no DTD comes in."""
    laughs = '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;">]>'
    content = layout(JL).replace("?>\n<", f"?>\n{laughs}<", 1)

    assert "it has a DTD" in refusal(content)
    if layout is camt:
        wide = content.replace("UTF-8", "UTF-16", 1).encode("utf-16")
        assert "it has a DTD" in refusal(wide)


def test_statement_above_the_bounds_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred megabytes are not begun with; a line too many is not cut off in silence."""
    assert "more than 16,777,216 bytes" in refusal(b"x" * (FILE_BYTES_MAX + 1))

    monkeypatch.setattr(bank_statement, "LINES_MAX", 1)
    assert "more than 1 lines" in refusal(barclays(JL, RENT))


def test_columns_that_make_no_statement_are_refused() -> None:
    """A role that nobody knows; an amount and no day."""
    for columns in ({"date": "Date", "sum": "Amount"}, {"amount": "Amount"}):
        with pytest.raises(Misuse, match="named as date, amount"):
            read(barclays(JL), columns=columns)


# ── a cell ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("cell", "pence"),
    [
        ("1,234.56", 123_456),
        ("£1,234.5", 123_450),
        ("-£12", -1_200),
        ("(12.00)", -1_200),
        ("\u2212 0.01", -1),
        ("+1234567.89", 123_456_789),
    ],
)
def test_amount_is_read_as_banks_write_it(cell: str, pence: int) -> None:
    """Thousands, signs before and around, blanks."""
    assert gbp(pence) == amount_of(cell, "GBP", Place("f"))


@pytest.mark.parametrize(
    "cell", ["05/11/2026", "05/11/26", "2026-11-05", "05-11-2026", "5 Nov 2026", "05-Nov-2026"]
)
def test_day_is_read_the_day_first(cell: str) -> None:
    """British, or ISO."""
    assert date(2026, 11, 5) == day_of(cell, Place("f"))
