"""`kcjl orders` as a user meets it: a real process on a database of its own."""

import getpass
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import anyio
import msgspec
import pytest

from kcjl.clock import SeededIds
from kcjl.commands import serve_commands
from kcjl.orders.acceptance_events import AcceptanceDecided, AcceptancePolicySet
from kcjl.orders.events import OrderHeld
from kcjl.rooms import Outside, Rooms
from kcjl.vault import MemoryVault
from tests.audit.handmade import MERCHANT, Handmade, handmade, raised
from tests.cli.test_stock import CONFIG, SETTINGS
from tests.cli.typed import typed
from tests.commanding import commands_of
from tests.outside.erp import Books, Warehouse
from tests.outside.marketplace import Shop
from tests.trade import (
    SHIPPING,
    at,
    changed,
    gbp,
    intended,
    money_line,
    ordered,
    posted,
    received,
    sealed,
    shipped,
)

pytestmark = pytest.mark.anyio

DONE = received("O1")
WAITS = received("O2", ordered("O2-1", "B-2", 5), ordered("O2-2", "A-1"), minutes=5)
URGENT = received("O3", state=SHIPPING, minutes=-3 * 24 * 60)


@pytest.fixture
async def shop(database_dsn: str, tmp_path: Path) -> AsyncIterator[Handmade]:
    """One order that is done, one that is held, one that is late."""
    (tmp_path / "kcjl.toml").write_text(CONFIG.format(dsn=database_dsn))
    held = OrderHeld(
        order_id="O2",
        reason="policy",
        message="its total 70.00 GBP is above 50.00 GBP",
        skus=(),
        money=gbp(7_000),
        accept_by=at(24 * 60),
        rule="dear",
        policy_version=4,
        occurred_at=at(6),
    )
    async with handmade(database_dsn) as made:
        await made.append(DONE, changed(DONE), sealed())
        await made.append(intended(DONE), posted(DONE))
        await made.append(shipped(), changed(DONE, "SHIPPED", minutes=40), money_line())
        await made.append(WAITS, URGENT)
        await made.append(held)
        await made.append(
            raised("order_held", "O2"), causation=(await made.log.head()).position
        )
        await made.fold()
        yield made


kcjl = partial(typed, "orders")


async def listed(*arguments: str, cwd: Path) -> list[str]:
    ended = await kcjl("list", "--json", *arguments, cwd=cwd)
    assert 0 == ended.returncode, ended.stderr
    return [msgspec.json.decode(line)["order_id"] for line in ended.stdout.splitlines()]


# ── reading ─────────────────────────────────────────────────────────────────────────────────


async def test_list_shows_what_is_waited_for_the_soonest_deadline_first(
    shop: Handmade, tmp_path: Path
) -> None:
    """Ended orders when they are asked for; filters add up."""
    assert ["O3", "O2"] == await listed(cwd=tmp_path)
    assert {"O1", "O2", "O3"} == set(await listed("--all", cwd=tmp_path))
    assert ["O2"] == await listed("--held", cwd=tmp_path)
    assert ["O1"] == await listed("--state", "shipped", cwd=tmp_path)
    assert ["O2"] == await listed("--sku", "b-2", cwd=tmp_path)
    assert ["O2"] == await listed("--above", "69.99", cwd=tmp_path)
    assert [] == await listed("--above", "70", cwd=tmp_path)
    assert ["O2"] == await listed("--since", "2026-10-01T08:01", cwd=tmp_path)


async def test_list_for_people_says_what_is_late_what_is_held_and_what_was_cut(
    shop: Handmade, tmp_path: Path
) -> None:
    """Rows to stdout, the count to stderr."""
    whole = await kcjl("list", cwd=tmp_path)
    cut = await kcjl("list", "--lines", "1", cwd=tmp_path)

    assert "its total 70.00 GBP is above 50.00 GBP" in whole.stdout
    assert "LATE" in whole.stdout
    assert "2 orders; the first 1 are shown" in cut.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--state", "sold"), "passed_over"),
        (("--above", "much"), "write it like 250"),
        (("--since", "then"), "--since"),
    ],
)
async def test_list_that_cant_be_meant_is_a_usage_error(
    shop: Handmade, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    """Exit code 2, and one clear line."""
    ended = await kcjl("list", *arguments, cwd=tmp_path)

    assert (2, "") == (ended.returncode, ended.stdout)
    assert said in ended.stderr


async def test_show_tells_the_life_as_a_tree_with_both_clocks_and_masks_the_buyer(
    shop: Handmade, tmp_path: Path
) -> None:
    """Sales order, parcel and line of settlement stand under what caused them."""
    ended = await kcjl("show", "O1", "--json", cwd=tmp_path)
    shown = msgspec.json.decode(ended.stdout)
    depth = {each["type"]: each["depth"] for each in shown["events"]}

    assert 0 == ended.returncode, ended.stderr
    assert ("shipped", "SO-O1", "masked") == (
        shown["standing"],
        shown["erp_order_code"],
        shown["buyer"],
    )
    assert 0 == depth["OrderReceived"] < depth["OrderChanged"]
    assert depth["PostingIntended"] < depth["SalesOrderPosted"] < depth["ParcelShipped"]
    assert depth["SalesOrderPosted"] < depth["SettlementLineSeen"]
    assert all(each["occurred_at"] and each["recorded_at"] for each in shown["events"])


async def test_show_names_the_exception_under_the_event_that_raised_it(
    shop: Handmade, tmp_path: Path
) -> None:
    """Law 9: the rule and the version are there for whoever asks why."""
    said = (await kcjl("show", "O2", cwd=tmp_path)).stdout
    shown = msgspec.json.decode((await kcjl("show", "O2", "--json", cwd=tmp_path)).stdout)
    kinds = [(each["type"], each["depth"]) for each in shown["events"]]

    assert said.startswith("O2: held")
    assert ("dear", 4) == (shown["rule"], shown["policy_version"])
    assert [("OrderReceived", 0), ("OrderHeld", 1), ("ExceptionRaised", 2)] == kinds


async def test_show_of_an_order_that_is_none_says_where_to_look(
    shop: Handmade, tmp_path: Path
) -> None:
    """One clear line, and no traceback."""
    ended = await kcjl("show", "O9", cwd=tmp_path)

    assert (3, "") == (ended.returncode, ended.stdout)
    assert "kcjl orders list --all" in ended.stderr
    assert "Traceback" not in ended.stderr


# ── acting ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def served(shop: Handmade) -> AsyncIterator[Handmade]:
    """The orders room hears commands; both outsides are there, and are not asked."""
    outside = Outside(Shop(shop.clock), Warehouse(shop.clock), Books(), Books())
    vault = MemoryVault(MERCHANT, b"k" * 32)
    rooms = Rooms(SETTINGS, shop.log, vault, outside, shop.clock, SeededIds(9))
    queue = commands_of(shop.database, MERCHANT)
    async with anyio.create_task_group() as group:
        group.start_soon(serve_commands, queue, rooms.handlers(), shop.clock.now)
        yield shop
        group.cancel_scope.cancel()


async def by_me(shop: Handmade) -> list[str]:
    name = getpass.getuser()
    return [each.type async for page in shop.log.read() for each in page if each.by == name]


async def test_words_of_a_person_are_events_in_their_name(
    served: Handmade, tmp_path: Path
) -> None:
    """Hold, release, refuse one line: carried out by the service, answered, and logged."""
    held = await kcjl("hold", "O2", "--reason", "ask the buyer", "--json", cwd=tmp_path)
    freed = await kcjl("release", "O2", cwd=tmp_path)
    refused = await kcjl("refuse", "O2", "--line", "O2-1", "--reason", "broken", cwd=tmp_path)

    assert (0, 0, 0) == (held.returncode, freed.returncode, refused.returncode), held.stderr
    assert "hold" == msgspec.json.decode(held.stdout)["verb"]
    assert "to be accepted 1, to be refused 1 of its lines" in refused.stderr
    assert ["OrderHeld", "OrderReleased", "AcceptanceDecided"] == await by_me(served)
    (decided,) = [
        each.event
        async for page in served.log.read()
        for each in page
        if isinstance(each.event, AcceptanceDecided)
    ]
    assert (("O2-2",), ("O2-1",)) == (decided.accepted, decided.refused)


async def test_word_that_comes_too_late_is_a_no_with_the_next_step(
    served: Handmade, tmp_path: Path
) -> None:
    """Exit code 3; nothing is written."""
    late = [
        await kcjl("hold", "O1", "--reason", "wait", cwd=tmp_path),
        await kcjl("refuse", "O1", "--reason", "wait", cwd=tmp_path),
        await kcjl("retry", "O1", cwd=tmp_path),
        await kcjl("accept", "O9", cwd=tmp_path),
    ]

    assert [3, 3, 3, 3] == [each.returncode for each in late]
    for each, said in zip(
        late,
        ("Stop it there", "refunded", "nothing of order O1", "kcjl orders list"),
        strict=True,
    ):
        assert said in each.stderr
        assert "Traceback" not in each.stderr
    assert [] == await by_me(served)


async def test_policy_is_set_by_a_person_and_shown_as_it_is_written(
    served: Handmade, tmp_path: Path
) -> None:
    """A slip is told before anything is asked; what is shown can be set again."""
    (tmp_path / "bad.toml").write_text('accept = "perhaps"')
    (tmp_path / "policy.toml").write_text('[[holds]]\nname = "dear"\nabove = 500.50\n')
    bad = await kcjl("policy", "set", "bad.toml", "--reason", "x", cwd=tmp_path)
    none = await kcjl("policy", "show", cwd=tmp_path)
    done = await kcjl("policy", "set", "policy.toml", "--reason", "agreed", cwd=tmp_path)
    shown = await kcjl("policy", "show", cwd=tmp_path)
    (tmp_path / "again.toml").write_text(shown.stdout)
    again = await kcjl("policy", "set", "again.toml", "--reason", "same", cwd=tmp_path)
    history = await kcjl("policy", "show", "--history", "--json", cwd=tmp_path)

    assert (2, 3, 0, 0) == (
        bad.returncode,
        none.returncode,
        done.returncode,
        again.returncode,
    ), again.stderr
    assert 'above = "500.50"' in shown.stdout
    assert "agreed" in shown.stderr
    assert [(1, getpass.getuser(), "agreed")] == [
        (each["version"], each["by"], each["reason"])
        for each in map(msgspec.json.decode, history.stdout.splitlines())
    ]
    assert ["AcceptancePolicySet"] == await by_me(served)
    assert AcceptancePolicySet.__name__ in await by_me(served)
