"""`kcjl payouts bankfile | bank | received`, as typed, on a log of a payout that is booked."""

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from kcjl.settlement.received_events import PayoutReceiptWithdrawn, PayoutReceived
from tests.audit.handmade import Handmade
from tests.cli.test_payouts import kcjl, served, shop
from tests.cli.test_stock import said_of
from tests.ledger.statements import barclays, camt, ofx1
from tests.trade import gbp

pytestmark = pytest.mark.anyio

__all__ = ["served", "shop"]

DAY = date(2026, 10, 1)


@pytest.mark.usefixtures("shop")
async def test_clearing_file_is_written_once_and_adds_up(tmp_path: Path) -> None:
    """Both layouts; the same again is the same bytes; over another file never."""
    named = ("payouts", "bankfile", "CY1")
    done = await kcjl(*named, "--out", "clearing.csv", cwd=tmp_path)
    again = await kcjl(*named, "--out", "clearing.csv", cwd=tmp_path)
    other = await kcjl(*named, "--layout", "amazon", "--out", "clearing.csv", cwd=tmp_path)
    amazon = await kcjl(*named, "--layout", "amazon", cwd=tmp_path)
    held = await kcjl("payouts", "bankfile", "CY2", cwd=tmp_path)

    assert (0, 0, 3, 0, 3) == tuple(
        each.returncode for each in (done, again, other, amazon, held)
    ), done.stderr
    rows = list(csv.DictReader((tmp_path / "clearing.csv").open()))
    assert Decimal("-67.45") == sum(Decimal(row["Amount"]) for row in rows)
    assert "-67.45 GBP in all" in done.stderr
    assert "name another file" in other.stderr
    detail = list(csv.DictReader(amazon.stdout.splitlines(), delimiter="\t"))
    assert Decimal(0) == sum(Decimal(row["amount"]) for row in detail)
    assert "has no journal yet" in held.stderr
    assert not list(tmp_path.glob("*.part"))


async def test_statement_is_previewed_read_and_read_again(
    served: Handmade, tmp_path: Path
) -> None:
    """Nothing with a preview; booked once; an overlapping OFX of the same money is known."""
    jl = (DAY, 2_102, "JOHN LEWIS BACS 1")
    others = ((DAY, 5_000, "MRS A CUSTOMER"), (DAY, -700, "RENT"))
    (tmp_path / "one.csv").write_text(barclays(jl, *others))
    (tmp_path / "two.ofx").write_text(ofx1(jl))
    preview = await kcjl("payouts", "bank", "one.csv", "--preview", cwd=tmp_path)
    assert [] == await said_of(served, PayoutReceived)
    booked = await kcjl("payouts", "bank", "one.csv", "--json", cwd=tmp_path)
    await served.fold()
    again = await kcjl("payouts", "bank", "one.csv", cwd=tmp_path)
    twice = await kcjl("payouts", "bank", "two.ofx", cwd=tmp_path)
    shown = await kcjl("payouts", "show", "CY1", cwd=tmp_path)
    listed = await kcjl("payouts", "list", cwd=tmp_path)

    assert (0, 0, 0, 1) == tuple(each.returncode for each in (preview, booked, again, twice)), (
        booked.stderr
    )
    assert "a payout's" in preview.stdout
    assert "nothing was changed" in preview.stderr
    found = msgspec.json.decode(booked.stdout)
    assert ("line 2", "matched", ["CY1"]) == (
        found["where"],
        found["verdict"],
        found["payouts"],
    )
    assert "payout CY1: 21.02 GBP in the bank on 2026-10-01" in booked.stderr
    assert "known" in again.stdout
    assert "in the bank already" in twice.stdout
    ((came, by),) = await said_of(served, PayoutReceived)
    assert (gbp(2_102), "one.csv, line 2", "reference") == (
        came.amount,
        came.source,
        came.matched_by,
    )
    assert by != "settlement"
    assert "21.02 GBP in the bank" in listed.stdout
    assert "one.csv, line 2, by its reference" in shown.stdout
    told = "".join([f"{recorded}" async for page in served.log.read() for recorded in page])
    assert "CUSTOMER" not in told


async def test_money_is_said_by_hand_and_taken_back(served: Handmade, tmp_path: Path) -> None:
    """An amount that differs is told; withdrawn it is as if nothing had come."""
    said = ("payouts", "received", "CY1")
    short = await kcjl(
        *said, "20.02", "--on", "2026-10-01", "--reference", "FP 7", cwd=tmp_path
    )
    await served.fold()
    explained = await kcjl("payouts", "explain", "CY1", "--line", "T03", cwd=tmp_path)
    back = await kcjl(*said, "--withdraw", "--reason", "slip", cwd=tmp_path)
    await served.fold()
    shown = await kcjl("payouts", "show", "CY1", cwd=tmp_path)
    nothing = await kcjl(*said, "--withdraw", "--reason", "slip", cwd=tmp_path)
    future = await kcjl(*said, "20.02", "--on", "2030-01-01", cwd=tmp_path)
    no_day = await kcjl(*said, "20.02", cwd=tmp_path)
    no_amount = await kcjl(*said, "twelve", "--on", "2026-10-01", cwd=tmp_path)

    assert (0, 0, 0, 3, 3, 2, 2) == tuple(
        each.returncode for each in (short, explained, back, nothing, future, no_day, no_amount)
    ), short.stderr
    assert "-1.00 GBP off" in short.stderr
    assert "20.02 GBP in the bank" in explained.stdout
    assert "was taken back: slip" in shown.stdout
    assert "is to come" in future.stderr
    assert "--on" in no_day.stderr
    assert "is no amount" in no_amount.stderr
    ((gone, _),) = await said_of(served, PayoutReceiptWithdrawn)
    assert gbp(2_002) == gone.amount


@pytest.mark.usefixtures("shop")
async def test_bad_statement_is_one_line_of_words(tmp_path: Path) -> None:
    """A bomb, a file that is not there, one that is too long, a currency: what and what next."""
    (tmp_path / "bomb.xml").write_text(
        camt((DAY, 1, "x")).replace("?>\n", '?>\n<!DOCTYPE a [<!ENTITY b "b">]>', 1)
    )
    with (tmp_path / "long.csv").open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    (tmp_path / "euro.xml").write_text(camt((DAY, 1, "x"), currency="EUR"))
    for name, said in (
        ("bomb.xml", "it has a DTD"),
        ("none.csv", "can't be read"),
        ("long.csv", "Export fewer days"),
        ("euro.xml", "is in EUR, and not in GBP"),
    ):
        refused = await kcjl("payouts", "bank", name, cwd=tmp_path)

        assert 2 == refused.returncode, refused.stderr
        assert name in refused.stderr
        assert said in refused.stderr
        assert "Traceback" not in refused.stderr
