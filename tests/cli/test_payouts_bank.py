"""`kcjl payouts bankfile | bank | received`, as typed, on a log of a payout that is booked."""

import csv
import os
from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from kcjl.cli.payouts import app
from kcjl.errors import Misuse
from kcjl.settlement.received_events import PayoutReceiptWithdrawn, PayoutReceived
from tests.audit.handmade import Handmade
from tests.cli.test_payouts import served, shop
from tests.cli.test_stock import CONFIG, said_of
from tests.cli.typed import typed
from tests.ledger.statements import barclays, camt
from tests.trade import gbp

pytestmark = pytest.mark.anyio

__all__ = ["served", "shop"]

DAY = date(2026, 10, 1)


@pytest.mark.usefixtures("shop")
async def test_clearing_file_is_written_once_and_adds_up(tmp_path: Path) -> None:
    """Over another file never; a payout that is open has none."""
    named = ("payouts", "bankfile", "CY1")
    written = tmp_path / "clearing.csv"
    done = await typed(*named, "--out", written.name, cwd=tmp_path)
    other = await typed(*named, "--layout", "amazon", "--out", written.name, cwd=tmp_path)
    amazon = await typed(*named, "--layout", "amazon", cwd=tmp_path)
    held = await typed("payouts", "bankfile", "CY2", cwd=tmp_path)

    assert (0, 3, 0, 3) == tuple(each.returncode for each in (done, other, amazon, held)), (
        done.stderr
    )
    rows = list(csv.DictReader(written.read_text().splitlines()))
    assert Decimal("-67.45") == sum(Decimal(row["Amount"]) for row in rows)
    assert "-67.45 GBP in all" in done.stderr
    assert "name another file" in other.stderr
    detail = list(csv.DictReader(amazon.stdout.splitlines(), delimiter="\t"))
    assert Decimal(0) == sum(Decimal(row["amount"]) for row in detail)
    assert "has no journal yet" in held.stderr
    assert not written.with_name("clearing.csv.part").exists()


async def test_statement_is_previewed_read_and_read_again(
    served: Handmade, tmp_path: Path
) -> None:
    """Nothing with a preview; booked once, under the caller's name; no one else is named."""
    jl = (DAY, 2_102, "JOHN LEWIS BACS 1")
    others = ((DAY, 5_000, "MRS A CUSTOMER"), (DAY, -700, "RENT"))
    (tmp_path / "one.csv").write_text(barclays(jl, *others))
    preview = await typed("payouts", "bank", "one.csv", "--preview", cwd=tmp_path)
    assert [] == await said_of(served, PayoutReceived)
    booked = await typed("payouts", "bank", "one.csv", "--json", cwd=tmp_path)
    await served.fold()
    again = await typed("payouts", "bank", "one.csv", cwd=tmp_path)
    listed = await typed("payouts", "list", cwd=tmp_path)

    assert (0, 0, 0) == tuple(e.returncode for e in (preview, booked, again)), booked.stderr
    assert "a payout's" in preview.stdout
    assert "nothing was changed" in preview.stderr
    found = msgspec.json.decode(booked.stdout)
    assert ("line 2", "matched", ["CY1"]) == tuple(
        found[name] for name in ("where", "verdict", "payouts")
    )
    assert "payout CY1: 21.02 GBP in the bank on 2026-10-01" in booked.stderr
    assert "known" in again.stdout
    assert "21.02 GBP in the bank" in listed.stdout
    ((came, by),) = await said_of(served, PayoutReceived)
    assert (gbp(2_102), "one.csv, line 2", "reference") == (
        came.amount,
        came.source,
        came.matched_by,
    )
    assert by not in ("", "settlement")
    log = [recorded async for page in served.log.read() for recorded in page]
    assert not any(b"CUSTOMER" in recorded.data for recorded in log)


async def test_money_is_said_by_hand_and_taken_back(served: Handmade, tmp_path: Path) -> None:
    """An amount that differs is told; withdrawn it is as if nothing had come."""
    said = ("payouts", "received", "CY1")
    words = ("20.02", "--on", "2026-10-01", "--reference", "FP 7")
    short = await typed(*said, *words, cwd=tmp_path)
    await served.fold()
    explained = await typed("payouts", "explain", "CY1", "--line", "T03", cwd=tmp_path)
    back = await typed(*said, "--withdraw", "--reason", "slip", cwd=tmp_path)
    await served.fold()
    shown = await typed("payouts", "show", "CY1", cwd=tmp_path)

    assert (0, 0, 0) == tuple(e.returncode for e in (short, explained, back)), short.stderr
    assert "-1.00 GBP off" in short.stderr
    assert "20.02 GBP in the bank" in explained.stdout
    assert "was taken back: slip" in shown.stdout
    ((came, _),) = await said_of(served, PayoutReceived)
    assert ("FP 7", "person") == (came.reference, came.matched_by)
    ((gone, _),) = await said_of(served, PayoutReceiptWithdrawn)
    assert gbp(2_002) == gone.amount


@pytest.mark.usefixtures("served")
async def test_word_that_can_not_be_is_refused_with_the_next_step(tmp_path: Path) -> None:
    """Nothing to take back; a day to come; no amount."""
    said = ("payouts", "received", "CY1")
    nothing = await typed(*said, "--withdraw", "--reason", "slip", cwd=tmp_path)
    future = await typed(*said, "20.02", "--on", "2030-01-01", cwd=tmp_path)
    no_amount = await typed(*said, "twelve", "--on", "2026-10-01", cwd=tmp_path)

    codes = tuple(each.returncode for each in (nothing, future, no_amount))
    assert (3, 3, 2) == codes, nothing.stderr
    assert "kcjl payouts show" in nothing.stderr
    assert "is to come" in future.stderr
    assert "is no amount" in no_amount.stderr


def test_bad_statement_and_half_a_word_are_refused_before_the_log_is_asked(
    tmp_path: Path,
) -> None:
    """A bomb, a file that is not there or too long, a currency; a receipt without its day."""
    config = tmp_path / "kcjl.toml"
    config.write_text(CONFIG.format(dsn="postgresql://nobody@127.0.0.1:1/none"))
    bomb = camt((DAY, 1, "x")).replace("?>\n", '?>\n<!DOCTYPE a [<!ENTITY b "b">]>', 1)
    (tmp_path / "bomb.xml").write_text(bomb)
    (tmp_path / "long.csv").write_bytes(b"")
    os.truncate(tmp_path / "long.csv", 100 * 1024 * 1024)
    (tmp_path / "euro.xml").write_text(camt((DAY, 1, "x"), currency="EUR"))

    for words, said in (
        (["bank", str(tmp_path / "bomb.xml")], "bomb.xml: it has a DTD"),
        (["bank", str(tmp_path / "none.csv")], "none.csv can't be read: No such file"),
        (["bank", str(tmp_path / "long.csv")], "Export fewer days"),
        (["bank", str(tmp_path / "euro.xml")], "is in EUR, and not in GBP"),
        (["received", "CY1", "20.02"], "--on DATE"),
        (["received", "CY1", "20.02", "--withdraw", "--reason", "x"], "no amount"),
        (["received", "CY1", "--withdraw"], "wants a --reason"),
    ):
        refused = CliRunner().invoke(app, [*words, "--config", str(config)]).exception

        assert isinstance(refused, Misuse)
        assert said in refused.message
