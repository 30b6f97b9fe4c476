"""`kcjl orders count` and `done` as a user meets them: a real process on its own database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import msgspec
import pytest

from kcjl.clock import SeededIds
from kcjl.commands import serve_commands
from kcjl.orders.events_intake import OrdersCounted
from kcjl.rooms import Outside, Rooms
from kcjl.vault import MemoryVault
from tests.audit.handmade import MERCHANT, Handmade, handmade
from tests.cli.test_stock import CONFIG, SETTINGS
from tests.cli.typed import typed
from tests.commanding import commands_of
from tests.outside.erp import Books, Warehouse
from tests.outside.marketplace import Shop, marketplace_order
from tests.trade import SHIPPING

pytestmark = pytest.mark.anyio


@pytest.fixture
async def made(database_dsn: str, tmp_path: Path) -> AsyncIterator[Handmade]:
    (tmp_path / "kcjl.toml").write_text(CONFIG.format(dsn=database_dsn))
    async with handmade(database_dsn) as place:
        yield place


@asynccontextmanager
async def served(made: Handmade) -> AsyncIterator[None]:
    """The service's rooms, carrying out commands; the ERP has a sales order too many."""
    shop, warehouse = Shop(made.clock), Warehouse(made.clock)
    shop.place(marketplace_order("O1", state=SHIPPING))
    warehouse.sources["STRAY"] = True
    rooms = Rooms(
        SETTINGS,
        made.log,
        MemoryVault(MERCHANT, b"k" * 32),
        Outside(shop, warehouse, Books(), Books()),
        made.clock,
        SeededIds(9),
    )
    queue = commands_of(made.database, MERCHANT)
    async with anyio.create_task_group() as group:
        group.start_soon(serve_commands, queue, rooms.handlers(), made.clock.now)
        yield
        group.cancel_scope.cancel()


@pytest.mark.timeout(60)
async def test_count_shows_figures_and_ends_with_1_for_a_gap(
    made: Handmade, tmp_path: Path
) -> None:
    """A sales order without an order: figures on stdout, talk on stderr, exit code 1."""
    async with served(made):
        shown = await typed("orders", "count", cwd=tmp_path)
        told = await typed("orders", "count", "--json", cwd=tmp_path)
    figures = msgspec.json.decode(told.stdout, type=OrdersCounted)

    assert (1, 1) == (shown.returncode, told.returncode), shown.stderr + told.stderr
    assert "sales orders without an order" in shown.stdout
    assert "intake had missed 1" in shown.stderr
    assert (1, 1, 1) == (figures.gaps, figures.without_order.orders, figures.at_marketplace)


@pytest.mark.timeout(60)
async def test_done_of_a_task_that_is_not_open_is_refused(
    made: Handmade, tmp_path: Path
) -> None:
    """No, with the reason: exit code 3."""
    async with served(made):
        said = await typed("orders", "done", "O1", "F1/refund", "--note", "CN-1", cwd=tmp_path)

    assert 3 == said.returncode
    assert "order O1 has no open correction F1/refund" in said.stderr
