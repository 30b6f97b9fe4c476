"""`kcjl orders buyer | erase | refund`, as typed, beside a service that carries them out."""

import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio
import msgspec
import pytest

from kcjl.clock import SeededIds
from kcjl.commands import serve_commands
from kcjl.orders.personal_events import BuyerErased, BuyerShown
from kcjl.orders.translate import SealedBuyer
from kcjl.rooms import Outside, Rooms
from kcjl.tenant.actor import told
from kcjl.vault import MemoryVault
from tests.audit.handmade import MERCHANT, Handmade, handmade
from tests.cli.test_stock import CONFIG, SETTINGS, said_of
from tests.cli.typed import typed
from tests.commanding import commands_of
from tests.outside.erp import Books, Warehouse
from tests.outside.marketplace import BUYER, EMAIL, Shop, marketplace_order
from tests.trade import SHIPPING, at, posted, received, sealed

pytestmark = pytest.mark.anyio


kcjl = partial(typed, "orders")


@asynccontextmanager
async def serving(made: Handmade) -> AsyncIterator[Shop]:
    """An order that is posted, its buyer sealed, and rooms that carry commands out."""
    order, market = received("O1", state=SHIPPING), Shop(made.clock)
    market.place(marketplace_order(state=SHIPPING))
    vault = MemoryVault(MERCHANT, b"k" * 32)
    buyer = msgspec.json.encode(SealedBuyer(address=BUYER, email=EMAIL))
    await vault.seal("buyer-O1", buyer, at=at(), until=at(60 * 24 * 90))
    tenant = told(await market.tenant_profile(), at())
    await made.says(tenant, order, sealed(), posted(order))
    outside = Outside(market, Warehouse(made.clock), Books(), Books())
    rooms = Rooms(SETTINGS, made.log, vault, outside, made.clock, SeededIds(1))
    for room in rooms.all():
        await room.catch_up()
    queue = commands_of(made.database, MERCHANT)
    async with anyio.create_task_group() as group:
        group.start_soon(serve_commands, queue, rooms.handlers(), made.clock.now)
        yield market
        group.cancel_scope.cancel()


async def test_buyer_is_shown_and_erased_under_the_callers_name(
    database_dsn: str, tmp_path: Path
) -> None:
    """On the screen of who asked, and nowhere in the queue; then gone."""
    (tmp_path / "kcjl.toml").write_text(CONFIG.format(dsn=database_dsn))
    async with handmade(database_dsn) as made, serving(made):
        shown = await kcjl("buyer", "O1", "--reason", "a call", cwd=tmp_path)
        erased = await kcjl("erase", "O1", "--reason", "they asked", cwd=tmp_path)
        again = await kcjl("buyer", "O1", "--reason", "a call", cwd=tmp_path)
        queue = await made.database.fetch("select body::text, outcome::text from command")
        ((asked, by),) = await said_of(made, BuyerShown)

        assert (0, 0, 3) == (shown.returncode, erased.returncode, again.returncode)
        assert "Wilhelmina Featherstonehaugh" in shown.stdout
        assert "was erased" in again.stderr
        assert "Featherstone" not in repr(queue)
        assert ("a call", getpass.getuser()) == (asked.reason, by)
        assert 1 == len(await said_of(made, BuyerErased))


async def test_refund_is_shown_first_and_done_with_its_plan(
    database_dsn: str, tmp_path: Path
) -> None:
    """Amounts on stdout, nothing done; the plan's id does it; an unknown reason is refused."""
    (tmp_path / "kcjl.toml").write_text(CONFIG.format(dsn=database_dsn))
    async with handmade(database_dsn) as made, serving(made):
        wrong = await kcjl("refund", "O1", "--code", "99", cwd=tmp_path)
        shown = await kcjl("refund", "O1", "--code", "17", cwd=tmp_path)
        plan = shown.stdout.rpartition("--plan ")[2].split()[0]
        bare = await kcjl("refund", "O1", "--code", "17", "--plan", plan, cwd=tmp_path)
        words = ("refund", "O1", "--code", "17", "--plan", plan, "--reason", "broken")
        done = await kcjl(*words, cwd=tmp_path)

    assert (3, 0, 2, 0) == (
        wrong.returncode,
        shown.returncode,
        bare.returncode,
        done.returncode,
    )
    assert "17 (Returned)" in wrong.stderr
    assert "in all 20.00 GBP" in shown.stdout
    assert plan in done.stderr
