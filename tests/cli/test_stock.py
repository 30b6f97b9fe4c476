"""`kcjl stock` as a user meets it: a real process on a database of its own."""

import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
import msgspec
import pytest

from kcjl.clock import SeededIds
from kcjl.commands import serve_commands
from kcjl.events import vocabulary
from kcjl.log.queries import PostgresQueries
from kcjl.projections.stockreading import StockRows
from kcjl.rooms import Outside, Rooms
from kcjl.settings import (
    InvoiceAddress,
    JohnLewisSettings,
    KhaosSettings,
    MerchantSettings,
)
from kcjl.stock.events import (
    BufferSet,
    GuardFinding,
    HeldFigure,
    LevelsWatched,
    PublishHeld,
    PublishReleased,
    SkuAliasApproved,
    SkuAliasWithdrawn,
    StockPublishingSwitched,
)
from kcjl.vault import MemoryVault
from kcjl.vocabulary import Event
from tests.audit.handmade import MERCHANT, Handmade, handmade
from tests.cli.typed import typed
from tests.commanding import commands_of
from tests.outside.erp import Books, Warehouse
from tests.outside.marketplace import Shop
from tests.trade import (
    at,
    confirmed,
    level,
    listed,
    ordered,
    orders_read,
    received,
    stock_read,
    unmatched,
)

pytestmark = pytest.mark.anyio
E = TypeVar("E", bound=Event)

HOLD = "4f1c02aa5d3b4f6e8a7c9b1d2e3f4a5b"
SETTINGS = MerchantSettings(
    johnlewis=JohnLewisSettings(base_url="https://tenant.example"),
    khaos=KhaosSettings(
        base_url="https://erp.example",
        invoice_address=InvoiceAddress(
            line1="1 Example Road", town="London", postcode="ZZ1 1ZZ"
        ),
    ),
)

CONFIG = """\
database = "{dsn}"
[merchants.acme.johnlewis]
base_url = "https://tenant.example"
[merchants.acme.khaos]
base_url = "https://erp.example/KhaosKSD.exe"
[merchants.acme.khaos.invoice_address]
line1 = "1 Example Road"
town = "London"
postcode = "ZZ1 1ZZ"
"""


@pytest.fixture
async def shop(database_dsn: str, tmp_path: Path) -> AsyncIterator[Handmade]:
    """A lamp with ten on the shelf, two of them ordered; and a SKU that the ERP lacks."""
    (tmp_path / "kcjl.toml").write_text(CONFIG.format(dsn=database_dsn))
    async with handmade(database_dsn) as made:
        await made.append(
            BufferSet(units=1, version=1, occurred_at=at()),
            listed("A-1"),
            listed("JL-9"),
            confirmed("A-1"),
            unmatched("JL-9", "JL9", "LAMP-01"),
            level(10, minutes=1),
            stock_read(1, finished=2),
        )
        made.clock.tick(60)
        await made.append(received("O1", ordered("O1-1", "A-1", 2)), orders_read(3))
        await made.fold()
        yield made


kcjl = partial(typed, "stock")


async def position_of(shop: Handmade, kind: str) -> int:
    async for page in shop.log.read():
        for recorded in page:
            if recorded.type == kind:
                return recorded.position
    raise AssertionError(f"no {kind}")


# ── reading ─────────────────────────────────────────────────────────────────────────────────


async def test_show_sets_out_the_sum_and_names_the_event_of_each_term(
    shop: Handmade, tmp_path: Path
) -> None:
    """Level, in flight, buffer: each with position and both clocks; they add up."""
    ended = await kcjl("show", "a-1", "--json", cwd=tmp_path)
    found = msgspec.json.decode(ended.stdout)
    terms = {term["name"]: term for term in found["terms"]}

    assert 0 == ended.returncode, ended.stderr
    assert (7, "open", 1) == (found["quantity"], found["gate"], found["policy_version"])
    assert 7 == sum(int(term["units"]) for term in found["terms"])
    assert ["LevelRead", "OrderReceived", "BufferSet"] == [
        term["origins"][0]["type"] for term in found["terms"]
    ]
    (flying,) = terms["in flight"]["origins"]
    assert await position_of(shop, "OrderReceived") == flying["position"]
    assert flying["occurred_at"] != flying["recorded_at"]
    assert [("O1", 2)] == [(each["order_id"], each["units"]) for each in found["in_flight"]]


async def test_reads_that_are_told_are_the_polls_whatever_the_watch_said_since(
    shop: Handmade,
) -> None:
    """A look of the watch stands in the same stream, and is no read of all that moved."""
    head = await shop.log.head()
    watched = LevelsWatched(codes=1, changed=1, finished_at=at(6), occurred_at=at(5))
    await shop.append(watched)
    queries = PostgresQueries(shop.database, MERCHANT, vocabulary())
    told = await StockRows(shop.database, MERCHANT).reads(queries, head.position + 1)

    assert told is not None
    assert (at(1), at(3)) == (told.stock_began_at, told.orders_began_at)


async def test_show_reads_as_a_sum(shop: Handmade, tmp_path: Path) -> None:
    """What a person at the warehouse sees."""
    said = (await kcjl("show", "A-1", cwd=tmp_path)).stdout

    assert said.startswith("A-1: 7 can be sold\n")
    assert "− 2  in flight" in said
    assert "− 1  buffer" in said
    assert "= 7  can be sold" in said
    assert "offer A-1" in said


async def test_show_of_an_unmatched_sku_names_the_nearest_codes_and_the_next_step(
    shop: Handmade, tmp_path: Path
) -> None:
    """Why it is at 0, what was probably meant, and what to type."""
    said = (await kcjl("show", "JL-9", cwd=tmp_path)).stdout

    assert "shut: the ERP does not know this SKU" in said
    assert "JL9 (only punctuation differs)" in said
    assert "kcjl stock alias JL-9 JL9" in said


async def test_show_of_a_sku_that_nobody_has_heard_of_says_where_to_look(
    shop: Handmade, tmp_path: Path
) -> None:
    """One clear line, and no traceback."""
    ended = await kcjl("show", "NOPE", cwd=tmp_path)

    assert (3, "") == (ended.returncode, ended.stdout)
    assert "'NOPE'" in ended.stderr
    assert "kcjl stock list" in ended.stderr
    assert "Traceback" not in ended.stderr


async def test_list_shows_each_product_and_filters_add_up(
    shop: Handmade, tmp_path: Path
) -> None:
    """By state, by zero; what is counted is said apart from the rows."""
    every = await kcjl("list", "--json", cwd=tmp_path)
    none = await kcjl("list", "--zero", "--state", "unmatched", "--json", cwd=tmp_path)
    cut = await kcjl("list", "--lines", "1", cwd=tmp_path)

    rows = {row["sku"]: row for row in map(msgspec.json.decode, every.stdout.splitlines())}
    assert {"A-1", "JL-9"} == set(rows)
    assert (7, "confirmed", 2) == tuple(
        rows["A-1"][name] for name in ("can_be_sold", "state", "in_flight")
    )
    assert ["JL-9"] == [msgspec.json.decode(line)["sku"] for line in none.stdout.splitlines()]
    assert "2 of 2 products; the first 1 are shown" in cut.stderr


async def test_list_says_why_nothing_is_published_and_gives_levels_in_plain_digits(
    shop: Handmade, tmp_path: Path
) -> None:
    """A figure that differs from what is shown has a reason; JSON is for machines to read."""
    await shop.append(
        level(12_345, minutes=4),
        StockPublishingSwitched(on=False, reason="stock-taking", occurred_at=at(5)),
    )
    await shop.fold()
    off = await kcjl("list", "--json", cwd=tmp_path)
    await shop.append(
        StockPublishingSwitched(on=True, reason="done", occurred_at=at(6)),
        PublishHeld(hold_id="H1", findings=(), occurred_at=at(6)),
    )
    await shop.fold()
    held = await kcjl("list", cwd=tmp_path)
    await shop.append(PublishReleased(hold_id="H1", occurred_at=at(7)))
    await shop.fold()
    free = await kcjl("list", cwd=tmp_path)

    levels = {
        each["sku"]: each["level"] for each in map(msgspec.json.decode, off.stdout.splitlines())
    }
    assert {"A-1": "12345", "JL-9": None} == levels
    assert "now: publishing is off (stock-taking): kcjl stock publishing on" in off.stderr
    assert "now: a guard holds the figures: kcjl stock release" in held.stderr
    assert "nothing is published" not in free.stderr


async def test_list_of_a_state_that_is_none_names_those_there_are(tmp_path: Path) -> None:
    """A usage error, before anything is looked at."""
    ended = await kcjl("list", "--state", "sold", cwd=tmp_path)

    assert 2 == ended.returncode
    assert "unmatched" in ended.stderr


async def test_explain_at_a_position_knows_nothing_that_came_later(
    shop: Handmade, tmp_path: Path
) -> None:
    """Before the order was seen there was more to sell; the chain ends there too."""
    before = await position_of(shop, "OrderReceived") - 1
    then = await kcjl("explain", "A-1", "--at", f"#{before}", "--json", cwd=tmp_path)
    now = await kcjl("explain", "A-1", "--json", cwd=tmp_path)
    old, new = (msgspec.json.decode(each.stdout) for each in (then, now))

    assert (9, 7) == (old["sum"]["quantity"], new["sum"]["quantity"])
    assert max(step["origin"]["position"] for step in old["steps"]) <= before
    assert any("order O1 was seen" in step["said"] for step in new["steps"])


async def test_explain_speaks_in_sentences(shop: Handmade, tmp_path: Path) -> None:
    """The sum first, then what happened, in the order in which we learnt it."""
    said = (await kcjl("explain", "A-1", cwd=tmp_path)).stdout

    assert "7 of A-1 can be sold: 10 (site 1 has 10 free to sell), less 2 for in flight" in said
    assert "the ERP has A-1 as stock code A-1" in said
    assert said.index("lists an offer") < said.index("order O1 was seen")


async def test_explain_before_the_sku_was_known_says_so(shop: Handmade, tmp_path: Path) -> None:
    """There was nothing to explain yet."""
    ended = await kcjl("explain", "A-1", "--at", "#1", cwd=tmp_path)

    assert 3 == ended.returncode
    assert "name a later time" in ended.stderr


# ── acting ──────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def serving(shop: Handmade, warehouse: Warehouse) -> AsyncIterator[None]:
    """A service's rooms that carry out what is asked of them; their jobs stand still."""
    outside = Outside(Shop(shop.clock), warehouse, Books(), Books())
    vault = MemoryVault(MERCHANT, b"k" * 32)
    rooms = Rooms(SETTINGS, shop.log, vault, outside, shop.clock, SeededIds(1))
    for room in rooms.all():
        await room.catch_up()
    queue = commands_of(shop.database, MERCHANT)
    async with anyio.create_task_group() as group:
        group.start_soon(serve_commands, queue, rooms.handlers(), shop.clock.now)
        yield
        group.cancel_scope.cancel()


async def said_of(shop: Handmade, kind: type[E]) -> list[tuple[E, str]]:
    """The events of a kind, each with the name of whoever said it."""
    return [
        (recorded.event, recorded.by)
        async for page in shop.log.read()
        for recorded in page
        if isinstance(recorded.event, kind)
    ]


async def test_alias_is_checked_carried_out_and_stands_under_the_callers_name(
    shop: Handmade, tmp_path: Path
) -> None:
    """A slip is refused with what was meant; then the code, in any case, is taken."""
    warehouse = Warehouse(shop.clock)
    warehouse.put("LAMP-01", 4)
    async with serving(shop, warehouse):
        slip = await kcjl("alias", "JL-9", "LAMP01", cwd=tmp_path)
        taken = await kcjl("alias", "JL-9", "lamp-01", cwd=tmp_path)
        back = await kcjl("alias", "JL-9", "--withdraw", cwd=tmp_path)

    assert 3 == slip.returncode
    assert "nearest codes: LAMP-01 (only punctuation differs)" in slip.stderr
    assert (0, "") == (taken.returncode, taken.stdout)
    assert "JL-9 stands for stock code LAMP-01 from now on" in taken.stderr
    assert "offered at 0" in back.stderr
    ((approved, by),) = await said_of(shop, SkuAliasApproved)
    assert ("JL-9", "LAMP-01") == (approved.sku, approved.stock_code)
    assert getpass.getuser() == by
    assert 1 == len(await said_of(shop, SkuAliasWithdrawn))


async def test_alias_without_a_code_says_the_two_ways(tmp_path: Path) -> None:
    """One line with both commands, as they are typed."""
    ended = await kcjl("alias", "JL-9", cwd=tmp_path)

    assert 2 == ended.returncode
    assert "kcjl stock alias JL-9 CODE" in ended.stderr
    assert "--withdraw" in ended.stderr


async def test_show_says_when_nothing_is_published_and_what_to_do(
    shop: Handmade, tmp_path: Path
) -> None:
    """A sum that the marketplace does not show has its reason beside it."""
    await shop.says(PublishHeld(hold_id=HOLD, findings=(), occurred_at=at(5)))
    ended = await kcjl("show", "A-1", cwd=tmp_path)

    told = "nothing is published now: a guard holds the figures: kcjl stock release"
    assert told in ended.stderr


async def test_release_shows_what_is_held_and_lets_through_that_and_no_other(
    shop: Handmade, tmp_path: Path
) -> None:
    """Without a hold it shows; with another one's id it refuses; with its own it releases."""
    nothing = await kcjl("release", cwd=tmp_path)
    example = HeldFigure(sku="A-1", before=9, after=0)
    finding = GuardFinding(guard="to_zero", skus=40, offered=120, examples=(example,))
    await shop.says(PublishHeld(hold_id=HOLD, findings=(finding,), occurred_at=at(5)))
    async with serving(shop, Warehouse(shop.clock)):
        shown = await kcjl("release", cwd=tmp_path)
        other = await kcjl("release", "ffffffff", cwd=tmp_path)
        done = await kcjl("release", HOLD[:8], cwd=tmp_path)
        after = await kcjl("release", cwd=tmp_path)

    assert "nothing is held" in nothing.stderr
    assert "40 of 120 offers would go to 0" in shown.stdout
    assert f"kcjl stock release {HOLD[:8]}" in shown.stderr
    assert (2, 0, 3) == (other.returncode, done.returncode, after.returncode)
    ((released, by),) = await said_of(shop, PublishReleased)
    assert (HOLD, getpass.getuser()) == (released.hold_id, by)


async def test_publishing_is_switched_with_a_reason_and_a_name(
    shop: Handmade, tmp_path: Path
) -> None:
    """The switch is an event; a third position is a usage error."""
    async with serving(shop, Warehouse(shop.clock)):
        off = await kcjl("publishing", "off", "--reason", "stock-taking", cwd=tmp_path)
        wrong = await kcjl("publishing", "maybe", "--reason", "why not", cwd=tmp_path)

    assert (0, 2) == (off.returncode, wrong.returncode)
    ((switched, by),) = await said_of(shop, StockPublishingSwitched)
    assert (False, "stock-taking") == (switched.on, switched.reason)
    assert getpass.getuser() == by


async def test_retry_of_what_was_not_refused_says_so(shop: Handmade, tmp_path: Path) -> None:
    """Nothing to retry is an answer, and no event."""
    async with serving(shop, Warehouse(shop.clock)):
        ended = await kcjl("retry", "A-1", cwd=tmp_path)

    assert 3 == ended.returncode
    assert "was not refused" in ended.stderr


@pytest.mark.parametrize(
    "verb", ["list", "show", "explain", "codes", "alias", "release", "publishing", "retry"]
)
async def test_help_of_each_verb_has_an_example(verb: str, tmp_path: Path) -> None:
    """What it does, and how it is typed."""
    ended = await kcjl(verb, "--help", cwd=tmp_path)
    said = " ".join(ended.stdout.split())

    assert 0 == ended.returncode
    assert f"`kcjl stock {verb}" in said
