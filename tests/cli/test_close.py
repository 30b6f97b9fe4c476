"""`kcjl close`, as typed: the month's files, the month closed, and what is said no to."""

import hashlib
from pathlib import Path

import msgspec
import openpyxl
import pytest
from openpyxl.workbook import Workbook

from kcjl.settlement.month_events import MonthClosed
from tests.audit.handmade import Handmade
from tests.cli.test_payouts import served, shop
from tests.cli.test_stock import said_of
from tests.cli.typed import typed as kcjl
from tests.ledger.test_journal_book import table_of
from tests.trade import at, money_line, transactions_read

__all__ = ["served", "shop"]

pytestmark = pytest.mark.anyio

OCTOBER = "2026-10"
DAYS = 24 * 60.0
AFTER = ("--reason", "CY2 waits for the bank")


async def go_on(shop: Handmade, days: float) -> None:
    """So many days later, lines have been read again."""
    shop.clock.tick(days * 86_400)
    await shop.says(transactions_read((shop.clock.now() - at(0)).total_seconds() / 60))


def book_in(folder: Path) -> Workbook:
    (path,) = folder.glob("*.xlsx")
    return openpyxl.load_workbook(path, data_only=True)


async def test_preview_writes_the_files_and_no_event(shop: Handmade, tmp_path: Path) -> None:
    """All sheets, each adding up to its total; every row names its event."""
    done = await kcjl("close", OCTOBER, "--preview", "--out", "out", "--json", cwd=tmp_path)

    assert 0 == done.returncode, done.stderr
    assert not await said_of(shop, MonthClosed)
    book = book_in(tmp_path / "out")
    assert [
        "Summary",
        "Orders",
        "Fees",
        "VAT",
        "Payouts",
        "Unpaid",
        "Late",
        "Gaps",
        "Journals",
    ] == book.sheetnames
    known = msgspec.json.decode(done.stdout)["known"]
    assert 2_802 == known["total"]["amount_minor"]
    orders = table_of(book["Orders"])
    assert 28.02 == pytest.approx(sum(float(str(row[10])) for row in orders))
    for sheet in book.worksheets[1:]:
        for row in table_of(sheet):
            assert isinstance(row[-1], int)
            assert 0 < row[-1] <= known["position"]


async def test_month_is_closed_once_with_its_files_named(
    served: Handmade, tmp_path: Path
) -> None:
    """Held payouts want a reason; the event has the files' hashes; no second time."""
    await go_on(served, 35)
    held = await kcjl("close", OCTOBER, "--out", "out", cwd=tmp_path)
    left = list((tmp_path / "out").iterdir())
    done = await kcjl("close", OCTOBER, "--out", "out", *AFTER, cwd=tmp_path)
    twice = await kcjl("close", OCTOBER, "--out", "out", *AFTER, cwd=tmp_path)

    assert (3, 0, 3) == (held.returncode, done.returncode, twice.returncode), done.stderr
    assert "payouts are not closed (CY2)" in held.stderr
    assert not left
    assert "a month is closed once" in twice.stderr
    ((closed, by),) = await said_of(served, MonthClosed)
    assert by
    assert ("CY2",) == closed.open_payouts
    assert "CY2 waits for the bank" == closed.reason
    assert {each.name: each.sha256 for each in closed.files} == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (tmp_path / "out").iterdir()
    }


@pytest.mark.usefixtures("shop")
async def test_month_is_not_closed_out_of_turn(tmp_path: Path) -> None:
    """Not before it is over, and no files; what is no month, or was not closed, is told so."""
    early = await kcjl("close", OCTOBER, "--out", "out", cwd=tmp_path)
    nonsense = await kcjl("close", "October", cwd=tmp_path)
    none = await kcjl("close", "2026-09", "--again", cwd=tmp_path)

    assert (3, 2, 3) == tuple(each.returncode for each in (early, nonsense, none)), none.stderr
    assert "it is over at 01/11/2026 00:00" in early.stderr
    assert not list((tmp_path / "out").iterdir())
    assert "`kcjl close 2026-09` closes it" in none.stderr


async def test_what_comes_late_is_in_the_next_month_and_the_closed_one_stays(
    served: Handmade, tmp_path: Path
) -> None:
    """The files of October are the same byte for byte; November shows what came since."""
    await go_on(served, 35)
    done = await kcjl("close", OCTOBER, "--out", "out", *AFTER, cwd=tmp_path)
    late = money_line("L77", 300, cycle=None, minutes=90)
    await served.says(late, money_line("L9", 650, cycle=None))
    await go_on(served, 30)
    again = await kcjl("close", OCTOBER, "--again", "--out", "again", cwd=tmp_path)
    then = await kcjl("close", "2026-11", "--out", "next", "--json", *AFTER, cwd=tmp_path)

    assert (0, 0, 0) == tuple(each.returncode for each in (done, again, then)), (
        done.stderr + again.stderr + then.stderr
    )
    for path in (tmp_path / "out").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()
    rows = table_of(book_in(tmp_path / "next")["Late"])
    assert [("L77", 0, 3, 3), ("L9", 7, 6.5, -0.5)] == sorted(
        (row[0], row[5], row[6], row[7]) for row in rows
    )
    known = msgspec.json.decode(then.stdout)["known"]
    assert 0 == known["lines"]
    assert 950 == known["brought_forward"]["amount_minor"]
    assert 950 == known["carried_forward"]["amount_minor"]


async def test_files_that_were_changed_are_told_from_those_that_were_closed_with(
    served: Handmade, tmp_path: Path
) -> None:
    """--again compares with the event: another currency makes other files."""
    await go_on(served, 35)
    await kcjl("close", OCTOBER, "--out", "out", *AFTER, cwd=tmp_path)
    other = await kcjl(
        "close", OCTOBER, "--again", "--currency", "EUR", "--out", "out", cwd=tmp_path
    )

    assert 1 == other.returncode, other.stderr
    assert "not those that were closed with" in other.stderr
