"""Each way out of the program, given every hostile text: it is shown, and does nothing."""

import csv
import io
import shlex
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import openpyxl
import pytest
import structlog

from kcjl.alerts.email import EmailAccess, EmailAlerts
from kcjl.alerts.events import AlertIntended, Named
from kcjl.alerts.message import message_of
from kcjl.alerts.webhook import slack_text
from kcjl.audit.findings import Finding, Severity
from kcjl.audit.page import page_of
from kcjl.cli.main import _end, _log_to_stderr
from kcjl.cli.places import json_line, printable, printable_block
from kcjl.cli.tables import table
from kcjl.errors import NotFound
from kcjl.ledger.bank_file import ClearingRow, clearing_csv, clearing_tsv
from kcjl.ledger.cells import FORMULA_STARTS
from kcjl.ledger.pack import journal_csv
from kcjl.ledger.paper import Paper
from kcjl.ledger.port import Entry, Journal
from kcjl.ledger.workbook import Column, workbook
from kcjl.manual.book import page_named
from kcjl.unseen import is_unseen
from tests.clockwork import MORNING, Clockwork
from tests.hostile.strings import ACTIVE, FORMULAS, HOSTILE, UNSEEN
from tests.trade import gbp
from tui.model.plain import plain

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
hostile = pytest.mark.parametrize("text", HOSTILE, ids=ascii)


def unseen_in(text: str) -> set[str]:
    """What of it would not be seen, but for the ends of lines that are ours."""
    return {each for each in text if is_unseen(each)} - {"\n"}


# ── the terminal ────────────────────────────────────────────────────────────────────────────


@hostile
def test_line_of_the_command_line_shows_what_it_was_given(text: str) -> None:
    """Nothing unseen is left, no line is added, and what was harmless stays as it is."""
    shown = printable(f"order {text} waits")

    assert set() == unseen_in(shown)
    assert 1 == len(shown.splitlines())
    assert "A-1 £5 · Zoë →" == printable("A-1 £5 · Zoë →")


def test_texts_that_differ_look_different() -> None:
    """Two SKUs that differ by a character without a shape are not one on the screen."""
    assert len(HOSTILE) == len(set(map(printable, HOSTILE))) == len(set(map(plain, HOSTILE)))


@hostile
def test_block_keeps_its_own_line_ends_only(text: str) -> None:
    """A message of several lines has those that kcjl gave it."""
    assert set() == unseen_in(printable_block(f"first\n{text}\nlast"))


@hostile
def test_cell_of_a_table_stays_on_its_line_and_in_its_column(text: str) -> None:
    """A SKU with a line's end can't look like a row of its own."""
    lines = table(("sku", ">units"), [(text, "12"), ("B", "3")])

    assert 3 == len(lines) == len("\n".join(lines).splitlines())
    assert set() == unseen_in("".join(lines))
    assert lines[0].index("units") + len("units") == len(lines[1])


@hostile
def test_json_is_seen_whole_and_means_the_same(text: str) -> None:
    """A program reads what was written; a terminal that it is shown on is not steered."""
    line = json_line({"sku": text, text: 1})

    assert set() == unseen_in(line)
    assert {"sku": text, text: 1} == msgspec.json.decode(line)


@hostile
def test_log_line_is_one_line(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What the service says of itself, with a text in the event's name, a field, an error."""
    _log_to_stderr()
    try:
        structlog.get_logger().warning(f"order {text}", sku=text, error=ValueError(text))
        structlog.get_logger().error("failed", exc_info=ValueError(text))
    finally:
        structlog.reset_defaults()
    written = capsys.readouterr().err

    assert 2 == len(written.splitlines())
    assert set() == unseen_in(written)


@hostile
def test_crash_is_told_without_being_obeyed(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error that nobody foresaw may quote anybody: its traceback is text."""
    with pytest.raises(SystemExit) as ended:
        _end(RuntimeError(text))

    assert 1 == ended.value.code
    assert set() == unseen_in(capsys.readouterr().err)


@hostile
def test_manual_that_has_no_such_page_says_so_in_plain_text(text: str) -> None:
    with pytest.raises(NotFound) as refused:
        page_named(text)

    assert set() == unseen_in(printable_block(refused.value.message))


# ── pages, papers, cells ────────────────────────────────────────────────────────────────────


@hostile
def test_page_of_findings_escapes_and_spells_out(text: str) -> None:
    """`check --html`: no markup of others', nothing that turns the reading direction."""
    found = Finding(
        area=text, severity=Severity.FAILURE, said=text, remedy=text, named=(text, text)
    )
    page = page_of([found], merchant=text, version="1", at=NOW)

    assert set() == unseen_in(page)
    assert "<img" not in page
    assert "<script" not in page


def rows_of(content: bytes, delimiter: str = ",") -> list[list[str]]:
    text = content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


@hostile
def test_cell_of_each_csv_is_text(text: str) -> None:
    """Journal and bank files: nothing is run, nothing is hidden, no row is added."""
    entry = Entry(account=text, tax_code=text, debit=gbp(1), credit=gbp(0), memo=text)
    journal = Journal(
        reference="JL-1", posting_date=date(2026, 10, 1), narrative=text, entries=(entry,)
    )
    row = ClearingRow(
        moved_at=NOW, amount=gbp(-5), what=text, memo=text, order=text, shape=("Order", text)
    )
    columns = ("Number", "Account", "Subcategory", "Memo")
    files = (
        rows_of(journal_csv(journal)),
        rows_of(clearing_csv([row], columns=columns, date_form="%d", account=text)),
        rows_of(clearing_tsv([row], date_form="%d"), "\t"),
    )

    for rows in files:
        assert 2 == len(rows)
        for cell in rows[1]:
            assert set() == unseen_in(cell)
            number = cell.removeprefix("-").replace(".", "").isdigit()
            assert number or not cell.lstrip().startswith(FORMULA_STARTS)


def test_cell_of_a_workbook_is_text(tmp_path: Path) -> None:
    """Every hostile text in a text cell, a link and a fact: none is a formula."""
    path = tmp_path / "book.xlsx"
    with workbook(path, title="=1+1", made_at=NOW, currency="GBP") as book:
        sheet = book.sheet("Lines", [Column("a"), Column("b")], *HOSTILE[-2:])
        for text in HOSTILE:
            sheet.write((text, sheet.link(text)))
    cells = [cell for row in openpyxl.load_workbook(path).active.iter_rows() for cell in row]

    assert [] == [cell.value for cell in cells if cell.data_type == "f"]
    assert set() == unseen_in("".join(str(cell.value) for cell in cells))
    assert 2 * len(HOSTILE) < len(cells)


def test_paper_takes_every_hostile_text() -> None:
    """Title, paragraph, table: the letters are those of the font, or stand as their number."""
    paper = Paper("".join(HOSTILE), made_at=NOW)
    for text in HOSTILE:
        paper.say(text)
    paper.table(("a", "b"), [(each, each) for each in HOSTILE], widths=(1, 1), right=())

    assert paper.content().startswith(b"%PDF")


# ── alerts ──────────────────────────────────────────────────────────────────────────────────


def alert_of(text: str) -> AlertIntended:
    named = Named(kind="sku_unmatched", subject=text, severity="high", owner=text, step=0)
    return AlertIntended(
        alert_id="a1",
        channel="email",
        owner=text,
        purpose="alert",
        named=(named,),
        told=(),
        written_at=MORNING,
        occurred_at=MORNING,
    )


@hostile
def test_alert_is_plain_text_and_its_command_is_one_command(text: str) -> None:
    """What is to be typed names the subject, whatever stands in it: it runs nothing else."""
    message = message_of(alert_of(text), "acme")
    shown = message.text + message.title
    typed = message.text.split("type: ")[-1].splitlines()[0]

    assert set() == unseen_in(shown)
    named = f"sku_unmatched:{printable(text)}"
    assert ["kcjl", "exceptions", "show", named] == shlex.split(typed)


@hostile
def test_mail_has_the_headers_that_we_gave_it(text: str) -> None:
    """A subject with a line's end makes no header of its own."""
    access = EmailAccess(host="mail", port=25, security="none", sender="kcjl@example.com")
    mail = EmailAlerts(access, {}, clock=Clockwork())._mail(
        message_of(alert_of(text), "acme"), ("jo@example.com",)
    )
    head = mail.decode().partition("\n\n")[0]
    names = [line.partition(":")[0] for line in head.splitlines() if not line[:1].isspace()]

    assert len(names) == len(set(names))
    assert {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"} <= set(names)


@hostile
def test_chat_is_called_by_nobody(text: str) -> None:
    """No mark of Slack's, and no word that calls a whole channel elsewhere."""
    said = slack_text(message_of(alert_of(text), "acme"))

    assert not {"<", ">"} & set(said)
    assert "@channel" not in said
    assert "@everyone" not in said
    assert set() == unseen_in(said)


def test_each_hostile_text_is_hostile() -> None:
    """The list does what it says: a test with a harmless one would prove nothing."""
    assert all(unseen_in(each.replace("\n", "\r")) for each in UNSEEN)
    assert all(each.lstrip().startswith(FORMULA_STARTS) for each in FORMULAS)
    assert all(set("<>[]*`'$&\"") & set(each) for each in ACTIVE)
