"""The hostile texts through the real service: typed at the marketplace, read on every way out.

Both systems over HTTP, PostgreSQL, every reading verb with and without `--json`, the log lines,
the metrics. Pages, papers, cells, chats and mails have each text in `test_ways_out.py`; the
monitor's glass is `tests/tui/test_hostile.py`.
"""

import io
from contextlib import redirect_stderr
from functools import partial
from pathlib import Path

import anyio
import pytest
import structlog

from kcjl.cli.main import _log_to_stderr
from kcjl.database import SERVICE, Database
from kcjl.exceptions.events import ExceptionRaised
from kcjl.orders.events import OrderReceived
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.projections.runner import ProjectionRunner
from kcjl.projections.store import PostgresRows
from tests.cli.test_stock import CONFIG
from tests.hostile.strings import HOSTILE
from tests.hostile.test_ways_out import unseen_in
from tests.privacy.verbs import said_by_reading
from tests.service.running import MERCHANT, Shop, quiet_world, serving, shop

pytestmark = pytest.mark.anyio


def bought(shop: Shop, text: str) -> str:
    """An order of a product that is called so, by somebody who is called so."""
    shop.change("johnlewis", "list_offer", sku=text, price={"amount_minor": 1_250}, title=text)
    person = {"first_name": text, "last_name": text}
    address = {"street_1": text, "city": text, "postcode": "LS1 9ZZ"}
    placed = shop.change(
        "johnlewis",
        "place_order",
        basket=[{"sku": text, "quantity": 1, "unit_price": {"amount_minor": 1_250}}],
        customer={"customer_id": text, **person, "delivery": {**person, **address}},
        beyond_the_window=True,
    )
    return str(getattr(placed, "order_id"))  # noqa: B009 - a model's answer has no type


def is_about(order: str, raised: ExceptionRaised) -> bool:
    return order in raised.subject


async def test_product_called_as_an_escape_sequence_does_not_own_the_screen(
    database_dsn: str, tmp_path: Path
) -> None:
    """Every verb that reads shows each of them; none of what is shown is unseen or steers."""
    written = io.StringIO()
    with redirect_stderr(written):
        _log_to_stderr()
        try:
            async with shop(database_dsn, tmp_path, quiet_world()) as running:
                async with serving(running):
                    placed = {bought(running, text): text for text in HOSTILE}
                    await running.until(OrderReceived, count=len(placed))
                    for order in placed:
                        await running.until(ExceptionRaised, partial(is_about, order))
                async with Database(database_dsn, role=SERVICE) as database:
                    rows = PostgresRows(database, MERCHANT)
                    await ProjectionRunner(running.log, rows, PROJECTIONS).catch_up()
                (tmp_path / "kcjl.toml").write_text(CONFIG.format(dsn=database_dsn))
                head = await running.log.head()
        finally:
            structlog.reset_defaults()
    there_is = {
        "order": (*placed,)[:2],
        "sku": ("A-1",),
        "position": (str(head.position),),
        "projection": tuple(each.name for each in PROJECTIONS),
        "payout": ("none",),
        "month": ("2026-10",),
    }
    said = await anyio.to_thread.run_sync(
        lambda: said_by_reading(str(tmp_path / "kcjl.toml"), there_is)
    )

    steering = {verb: found for verb, text in said.items() if (found := unseen_in(text))}
    assert {} == steering
    assert set() == unseen_in(written.getvalue())
    assert "A\\x1b[2JB" in said["stock list -n 1000"]
    assert "A\\u202egpj.B" in said["stock list -n 1000"]
