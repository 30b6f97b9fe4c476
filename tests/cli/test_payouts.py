"""`kcjl payouts …` and `kcjl settlement …`, as typed, on a log of a payout that is booked."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import msgspec
import pytest

from kcjl.clock import SeededIds
from kcjl.commands import serve_commands
from kcjl.rooms import Outside, Rooms
from kcjl.settlement.events import (
    JournalAcknowledged,
    JournalIntended,
)
from kcjl.settlement.intake_events import InvoiceDocumentKept
from kcjl.vault import MemoryVault
from tests.audit.handmade import MERCHANT, Handmade, handmade
from tests.cli.test_stock import CONFIG, SETTINGS, said_of
from tests.cli.typed import typed
from tests.commanding import commands_of
from tests.outside.erp import Books, Warehouse
from tests.outside.marketplace import Shop
from tests.settlement.booked import booked_payout

pytestmark = pytest.mark.anyio


@pytest.fixture
async def shop(database_dsn: str, tmp_path: Path) -> AsyncIterator[Handmade]:
    """Contract e.4's payout, closed and booked; one that is held; a line that is not paid."""
    (tmp_path / "kcjl.toml").write_text(CONFIG.format(dsn=database_dsn))
    async with handmade(database_dsn) as made:
        await booked_payout(made)
        await made.fold()
        yield made


@pytest.fixture
async def served(shop: Handmade) -> AsyncIterator[Handmade]:
    """The settlement room hears commands."""
    outside = Outside(Shop(shop.clock), Warehouse(shop.clock), Books(), Books())
    vault = MemoryVault(MERCHANT, b"k" * 32)
    rooms = Rooms(SETTINGS, shop.log, vault, outside, shop.clock, SeededIds(9))
    queue = commands_of(shop.database, MERCHANT)
    async with anyio.create_task_group() as group:
        group.start_soon(serve_commands, queue, rooms.handlers(), shop.clock.now)
        yield shop
        group.cancel_scope.cancel()


@pytest.mark.usefixtures("shop")
async def test_payouts_are_listed_and_what_is_unpaid_beside_them(tmp_path: Path) -> None:
    """One that is booked, one that is held and why; one order that waits for a cycle."""
    listed = await typed("payouts", "list", cwd=tmp_path)
    unpaid = await typed("payouts", "list", "--unpaid", "--json", cwd=tmp_path)

    assert (0, 0) == (listed.returncode, unpaid.returncode), listed.stderr
    booked, held = sorted(listed.stdout.splitlines()[1:])
    assert "CY1" in booked
    assert "done" in booked
    assert "21.02 GBP" in booked
    assert "the stated amount and the lines differ by 5.00 GBP" in held
    (waits,) = [msgspec.json.decode(each) for each in unpaid.stdout.splitlines()]
    assert ("O1", 700, "PAYABLE") == (
        waits["order_id"],
        waits["amount"]["amount_minor"],
        waits["payment_state"],
    )


@pytest.mark.usefixtures("shop")
async def test_payout_is_shown_whole_with_its_gaps_and_its_journal(tmp_path: Path) -> None:
    """The sum, the refund whose goods did not come back, and what was booked."""
    shown = await typed("payouts", "show", "CY1", cwd=tmp_path)
    told = await typed("payouts", "show", "BACS 1", "--json", cwd=tmp_path)
    journal = await typed("payouts", "journal", "CY1", cwd=tmp_path)
    unknown = await typed("payouts", "show", "nobody's", cwd=tmp_path)

    assert (0, 0, 0, 3) == tuple(each.returncode for each in (shown, told, journal, unknown)), (
        shown.stderr
    )
    assert "21.02 GBP in 14 lines" in shown.stdout
    assert "refund without return" in shown.stdout
    assert "expected        45.02 GBP" in shown.stdout
    assert "Marketplace Commission" in journal.stdout
    assert journal.stdout.strip() in shown.stdout.replace("\n\n", "\n")
    account = msgspec.json.decode(told.stdout)
    assert "CY2" == account["cycle"]["cycle_id"]  # the newer of two with this reference
    assert "kcjl payouts list" in unknown.stderr


@pytest.mark.usefixtures("shop")
async def test_penny_is_explained_from_the_payout_to_the_journal(tmp_path: Path) -> None:
    """Payout, line, order line, parcel, sales order, invoice, journal line; and the gap."""
    told = await typed("payouts", "explain", "CY1", "--line", "T03", "--json", cwd=tmp_path)
    refund = await typed("payouts", "explain", "CY1", "--line", "T09", cwd=tmp_path)
    none = await typed("payouts", "explain", "CY1", "--account", "Nowhere", cwd=tmp_path)

    assert (0, 0, 3) == (told.returncode, refund.returncode, none.returncode), told.stderr
    chain = msgspec.json.decode(told.stdout)
    assert [
        "payout",
        "line",
        "order line",
        "sales order",
        "sales invoice",
        "operator's invoice",
        "journal line",
    ] == [step["at"] for step in chain["steps"]]
    names = {step["at"]: step["name"] for step in chain["steps"]}
    assert ("SO-O1", "INV1") == (names["sales order"], names["sales invoice"])
    assert "Marketplace Commission, in its debit of 8.69 GBP" in chain["steps"][-1]["said"]
    assert "refund 55012" in refund.stdout
    assert "gap refund_without_return" in refund.stdout


@pytest.mark.usefixtures("shop")
async def test_month_is_printed_as_it_is_and_as_it_was_known(tmp_path: Path) -> None:
    """Before the first line was recorded, nothing was known of it."""
    known = await typed("payouts", "month", "2026-10", "--at", "2020-01-01", cwd=tmp_path)
    wrong = await typed("payouts", "month", "October", cwd=tmp_path)

    assert (0, 2) == (known.returncode, wrong.returncode), known.stderr
    total = known.stdout.splitlines()[-1].split("  ")
    assert ["total", "0.00 GBP", "28.02 GBP"] == [
        each.strip() for each in total if each.strip()
    ]
    assert "28.02 GBP came since" in known.stderr


async def test_journal_is_acknowledged_and_a_second_number_refused(
    served: Handmade, tmp_path: Path
) -> None:
    """The ledger's number, once, under the name of who said it."""
    ((journal, _),) = await said_of(served, JournalIntended)
    first = await typed("payouts", "ack", journal.reference, "4711", "--json", cwd=tmp_path)
    other = await typed("payouts", "ack", journal.reference, "4712", cwd=tmp_path)

    assert (0, 3) == (first.returncode, other.returncode), first.stderr
    assert "ack" == msgspec.json.decode(first.stdout)["verb"]
    assert "4711 in the ledger already" in other.stderr
    assert 1 == len(await said_of(served, JournalAcknowledged))


async def test_account_is_previewed_named_and_the_journal_made_anew(
    served: Handmade, tmp_path: Path
) -> None:
    """First shown and nothing changed; then named; then the payout's journal with it."""
    account = ("settlement", "account", "commission", "7105")
    preview = await typed(*account, "--preview", cwd=tmp_path)
    before = len(await said_of(served, JournalIntended))
    named = await typed(*account, cwd=tmp_path)
    made = await typed("payouts", "reverse", "CY1", "--reason", "7105", cwd=tmp_path)

    assert (0, 0, 0) == (preview.returncode, named.returncode, made.returncode), made.stderr
    assert "7105" in preview.stdout
    assert 1 == before
    new = [event for event, _ in await said_of(served, JournalIntended)][1:]
    assert ["reversal", "correction"] == [each.kind for each in new]
    assert "7105" in {each.account for each in new[1].lines}


async def test_payout_that_is_held_is_accepted_with_a_reason(
    served: Handmade, tmp_path: Path
) -> None:
    """A word for one that is held; none for one that is done."""
    words = ("--reason", "case 88")
    held = await typed("payouts", "accept", "CY2", *words, cwd=tmp_path)
    done = await typed("payouts", "accept", "CY1", *words, cwd=tmp_path)

    assert (0, 3) == (held.returncode, done.returncode), held.stderr
    assert "and not held" in done.stderr
    assert 1 == len(await said_of(served, InvoiceDocumentKept))


@pytest.mark.usefixtures("served")
async def test_terms_are_set_shown_and_refused_when_they_are_wrong(tmp_path: Path) -> None:
    """What is shown can be set again; a slip of the pen is told at once."""
    (tmp_path / "terms.toml").write_text("[[rates]]\npercent = 12.5\n")
    (tmp_path / "wrong.toml").write_text("[[rates]]\npercent = 125\n")
    words = ("--reason", "as signed")
    none = await typed("settlement", "terms", "show", cwd=tmp_path)
    done = await typed("settlement", "terms", "set", "terms.toml", *words, cwd=tmp_path)
    wrong = await typed("settlement", "terms", "set", "wrong.toml", *words, cwd=tmp_path)
    shown = await typed("settlement", "terms", "show", cwd=tmp_path)

    assert (3, 0, 2, 0) == tuple(each.returncode for each in (none, done, wrong, shown)), (
        done.stderr
    )
    assert "it is 0 to 100" in wrong.stderr
    assert 'percent = "12.5"' in shown.stdout
    assert "as signed" in shown.stderr
