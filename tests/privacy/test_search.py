"""Law 7, on a day's trade: nobody who bought can be found in what the program has written.

The real service and both outside systems over HTTP, PostgreSQL, lost and broken answers,
refusals that quote, customers who cancel, goods that come back. The vault alone is not
searched: it is sealed. What every verb of the command line says is searched, too; `orders
buyer`, which is asked for the buyer and says so in the log, is the one that may name them. A
journal pack that was written lies in the folder that is searched; that journals name nobody is
a law of the simulation, where every run has some.
"""

import io
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import redirect_stderr
from pathlib import Path

import anyio
import asyncpg
import msgspec
import pytest
import structlog

from kcjl.cli.main import _log_to_stderr
from kcjl.log.export import export
from kcjl.orders.events import PostingRefused, SalesOrderPosted
from kcjl.projections.catalogue import PROJECTIONS
from kcjl.sandbox.faults import Fault
from kcjl.sandbox.generator import GeneratedTrade
from kcjl.sandbox.world_settings import WorldSettings
from kcjl.settings import SettlementSettings
from kcjl.settlement.events import BillingCycleSeen
from tests.cli.test_stock import CONFIG
from tests.cli.typed import typed
from tests.privacy.searching import database_texts, file_texts, personal_words, search
from tests.privacy.verbs import ACTING, READING, said_by_reading, verbs
from tests.service.running import MERCHANT, Shop, busy_world, serving, shop, until

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

SPEED = 3_000.0
SECRETS = ("johnlewis.key", "vault.key")


def a_day() -> WorldSettings:
    """A dozen orders an hour, from eight to eight, with whatever happens to orders."""
    world = busy_world()
    trade = GeneratedTrade(
        orders_per_hour=12, skus=20, opens_at_hour=8, closes_at_hour=20, share=100, seed=23
    )
    marketplace = msgspec.structs.replace(
        world.marketplace,
        customer_cancel_share=0.1,
        operator_refund_share=0.2,
        received_after_hours_min=1,
        received_after_hours_max=2,
        cycle_every_days=1,
        cycle_time="17:00",
        payout_paid_after_hours=0.5,
    )
    return msgspec.structs.replace(
        world, trade=trade, marketplace=marketplace, mismatches=2, return_share=0.2
    )


FAULTS = (
    Fault(kind="lost_after", side="khaos", operation="ImportOrders", times=3),
    Fault(kind="soap_fault", side="khaos", operation="ImportOrders", times=3),
    Fault(kind="half_json", side="johnlewis", operation="OR11", times=3),
    Fault(kind="wrong_type", side="johnlewis", operation="OR11", times=2),
    Fault(kind="truncated", side="khaos", operation="ExportOrderStatusEx", times=3),
    Fault(kind="lost_after", side="johnlewis", operation="OR21", times=3),
    Fault(kind="lost_after", side="johnlewis", operation="ST01", times=3),
)


@pytest.fixture
def stderr() -> Iterator[io.StringIO]:
    """What the service says of itself, as `kcjl run` has it written."""
    written = io.StringIO()
    with redirect_stderr(written):
        _log_to_stderr()
    yield written
    structlog.reset_defaults()


@pytest.fixture
async def day(database_dsn: str, tmp_path: Path, stderr: io.StringIO) -> AsyncIterator[Shop]:
    async with shop(database_dsn, tmp_path, a_day(), speed=SPEED) as running:
        merchant = msgspec.structs.replace(
            running.settings.merchants[MERCHANT],
            settlement=SettlementSettings(
                transactions_poll_s=600, cycles_read_at=("17:30", "18:30"), close_on="cycle"
            ),
        )
        running.settings = msgspec.structs.replace(
            running.settings, merchants={MERCHANT: merchant}
        )
        yield running


def _hard_addresses(shop: Shop) -> list[str]:
    """Orders of buyers whose address no ERP field holds, or that breaks a naive writer."""
    placed = []
    sku = shop.an_offer()
    for street, name in (
        ("Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch", "Quillfeather-Ōkubo"),
        ("1 <Marzipan> & \"Mews\" \\ 'Lane'", "Brzęczyszczykiewicz"),
    ):
        address = {
            "first_name": "Zoë",
            "last_name": name,
            "street_1": street,
            "street_2": "c/o " + "Featherstonehaugh " * 6,
            "city": "Ynys Môn",
            "postcode": "LL61 5UJ",
            "phone": "+44 (0) 7700 900123 ext. 998877",
        }
        customer = {
            "customer_id": f"C-{name}",
            "first_name": "Zoë",
            "last_name": name,
            "delivery": address,
        }
        order = shop.change(
            "johnlewis",
            "place_order",
            basket=[{"sku": sku, "quantity": 1, "unit_price": {"amount_minor": 1_250}}],
            customer=customer,
            beyond_the_window=True,
        )
        placed.append(str(getattr(order, "order_id")))  # noqa: B009 - a model's answer
    return placed


async def test_nobody_who_bought_is_found_in_what_the_program_has_written(
    day: Shop, database_dsn: str, tmp_path: Path, stderr: io.StringIO
) -> None:
    """Tables, log lines, exports: no name, address, postcode, phone or e-mail; and
    one that is planted in any of them is found, so the search can find.
    """
    day.fails(*FAULTS)
    async with serving(day):
        hard = _hard_addresses(day)
        await day.until(PostingRefused, lambda each: each.order_id in hard)
        ends_at = day.sandbox.world.trade.ends_at
        await until(lambda: day.clock.now() >= ends_at)
        await day.until(SalesOrderPosted, count=60)
        answered = await _answered_by_the_service(day, database_dsn, tmp_path, hard[0])
    with (tmp_path / "log.export").open("wb") as file:
        await export(day.log, file)
    orders = list(day.sandbox.world.marketplace.orders.values())
    words = personal_words(orders)
    tables = await database_texts(database_dsn)
    files = file_texts(tmp_path, but=SECRETS)
    log_lines = stderr.getvalue()
    config = str(tmp_path / "kcjl.toml")
    there_is = await _there_is(day, hard)
    read = await anyio.to_thread.run_sync(lambda: said_by_reading(config, there_is))
    shown_on_asking = answered.pop("orders buyer")
    said = {"stderr": log_lines, **answered, **read}

    assert 100 <= len(orders)
    assert 500 <= len(words)
    assert {"table event", "table sync_log", "table snapshot"} <= set(tables)
    assert "SalesOrderPosted" in tables["table event"]
    assert "SalesOrderPosted" in files["file log.export"]
    assert "ExceptionRaised" in tables["table event"]
    assert "posting_refused" in said[f"orders show {hard[0]} --json"]
    assert "SalesOrderPosted" in said["log tail -n 10000"]
    assert "ImportOrders" in said["calls -n 10000"]
    assert [] != search({"orders buyer": shown_on_asking}, words)
    assert [] == search(tables | files | said, words)
    assert "job_interrupted" in said["stderr"]

    buyer = orders[0].customer.delivery
    await _plant_in_the_database(database_dsn, buyer.postcode)
    (tmp_path / "planted.txt").write_text(f"for {buyer.street_1}!", encoding="utf-8")
    planted = {
        **await database_texts(database_dsn),
        **file_texts(tmp_path, but=SECRETS),
        "stderr": log_lines + f"[{buyer.phone}]",
    }

    found = search(planted, words)

    assert {f"table command: {buyer.postcode}", f"file planted.txt: {buyer.street_1}"} <= set(
        found
    )
    assert f"stderr: {buyer.phone}" in found


def test_each_verb_of_the_command_line_is_read_or_known_to_act() -> None:
    """One that is added is searched for buyers, or it is said why not."""
    assert set(READING) | ACTING == verbs()
    assert set() == set(READING) & ACTING


async def _answered_by_the_service(
    day: Shop, database_dsn: str, folder: Path, refused: str
) -> dict[str, str]:
    """What it says to people who ask about an order, and do something about another."""
    (folder / "kcjl.toml").write_text(CONFIG.format(dsn=database_dsn))
    (posted, *_) = await day.events(SalesOrderPosted)
    why = ("--reason", "to see")
    said = {}
    for verb, *options in (
        ("count", "--json"),
        ("refund", posted.order_id, "--code", "17"),
        ("accept", refused, *why),
        ("retry", refused, *why),
        ("hold", refused, *why),
        ("erase", refused, *why),
        ("buyer", refused, *why),
    ):
        ended = await typed("orders", verb, *options, cwd=folder)
        assert 2 != ended.returncode, ended.stderr
        said[f"orders {verb}"] = ended.stdout + ended.stderr
    return said


async def _there_is(day: Shop, hard: Sequence[str]) -> dict[str, Sequence[str]]:
    """What the verbs can be asked about: of orders the refused, the first and the last."""
    orders = [*day.sandbox.world.marketplace.orders]
    head = await day.log.head()
    payouts = [each.cycle_id for each in await day.events(BillingCycleSeen)]
    return {
        "order": (*hard, orders[0], orders[-1]),
        "sku": (day.an_offer(),),
        "payout": payouts[:1],
        "month": (f"{day.clock.now():%Y-%m}",),
        "position": ("1", str(head.position)),
        "projection": tuple(each.name for each in PROJECTIONS),
    }


async def _plant_in_the_database(dsn: str, word: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            "insert into command (merchant, id, issued_at, by, body) "
            "values ($1, 'planted', now(), 'jo', $2)",
            MERCHANT,
            msgspec.json.encode({"verb": "x", "arguments": {"note": word}}).decode(),
        )
    finally:
        await connection.close()
