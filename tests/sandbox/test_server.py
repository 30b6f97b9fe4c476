"""The sandbox over real HTTP: its clock, its hooks, its faults, and its life after a kill."""

import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import msgspec
import pytest

from kcjl.errors import Misuse
from kcjl.sandbox.doorkeeper import Doorkeeper
from kcjl.sandbox.faults import Fault, FaultPlan, faults_from
from kcjl.sandbox.generator import GeneratedTrade
from kcjl.sandbox.journal import WorldJournal
from kcjl.sandbox.server import Sandbox, SandboxSettings, settings_from
from kcjl.sandbox.world import World
from kcjl.sandbox.world_settings import TradeFile, WorldSettings
from tests.sandbox.pictures import first_difference, picture

pytestmark = pytest.mark.anyio

KEY = {"Authorization": "johnlewis-sandbox-key"}
"""What the sandbox's shop is called with."""
SMALL = GeneratedTrade(orders_per_hour=12, skus=40, closes_at_hour=12, seed=5)
SITES = (
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    '<k:GetSiteList xmlns:k="urn:IKosWebIntf-IKosWeb"/></soap:Body></soap:Envelope>'
)
SOAP = {"Content-Type": "text/xml", "SOAPAction": '"urn:IKosWebIntf-IKosWeb#GetSiteList"'}


class Client:
    """Somebody with an HTTP client and the two addresses."""

    def __init__(self, http: aiohttp.ClientSession, running: Sandbox) -> None:
        self.http = http
        self.running = running

    async def call(
        self, method: str, path: str, body: object = None
    ) -> tuple[int, bytes, dict[str, str]]:
        written = None if body is None else msgspec.json.encode(body)
        headers = {**KEY, "Content-Type": "application/json"} if written else KEY
        url = self.running.johnlewis_url + path
        async with self.http.request(method, url, data=written, headers=headers) as answer:
            return answer.status, await answer.read(), dict(answer.headers)

    async def json(self, method: str, path: str, body: object = None) -> Any:
        status, content, _ = await self.call(method, path, body)
        assert 200 == status, content
        return msgspec.json.decode(content)

    async def sites(self) -> tuple[int, bytes]:
        url = self.running.khaos_url + "/soap/IKosWeb"
        async with self.http.post(url, data=SITES, headers=SOAP) as answer:
            return answer.status, await answer.read()

    async def place_order(self) -> dict[str, Any]:
        """An order of one ware, bought whatever the window shows."""
        sku = next(iter(self.running.world.marketplace.offers))
        line = {"sku": sku, "quantity": 2, "unit_price": {"amount_minor": 1250}}
        customer = {
            "customer_id": "C1",
            "first_name": "Ada",
            "last_name": "O'Example <&>",
            "delivery": {"last_name": "Example", "street_1": "1 Road", "city": "Leeds"},
        }
        wanted = {"basket": [line], "customer": customer, "beyond_the_window": True}
        placed = await self.json("POST", "/sandbox/marketplace/place_order", wanted)
        outcome: dict[str, Any] = placed["outcome"]
        return outcome

    async def accept(self, order: dict[str, Any]) -> int:
        lines = [{"id": line["order_line_id"], "accepted": True} for line in order["lines"]]
        path = f"/api/orders/{order['order_id']}/accept"
        status, _, _ = await self.call("PUT", path, {"order_lines": lines})
        return status

    async def state(self, order: dict[str, Any]) -> str:
        found = await self.json("GET", f"/sandbox/orders/{order['order_id']}")
        return str(found["state"])


def settings(**changes: object) -> SandboxSettings:
    world = WorldSettings.of("quick", seed=5, trade=SMALL)
    standing = SandboxSettings(world=world, port=0, khaos_port=0, speed=0)
    return msgspec.structs.replace(standing, **changes)


@asynccontextmanager
async def sandbox(**changes: object) -> AsyncIterator[Client]:
    """A sandbox whose time stands still unless asked otherwise, and a client beside it."""
    connections = aiohttp.TCPConnector(force_close=True)
    async with (
        Sandbox.serve(settings(**changes)) as running,
        aiohttp.ClientSession(connector=connections) as http,
    ):
        yield Client(http, running)


# ── the clock ───────────────────────────────────────────────────────────────────────────────


async def test_time_stands_still_until_both_sides_were_called() -> None:
    """Health checks, the WSDL and the sandbox's own routes do not begin the day."""
    async with sandbox(speed=600.0, wait_for_client=True) as client:
        await client.json("GET", "/api/version")
        async with client.http.get(client.running.khaos_url + "/wsdl/IKosWeb") as wsdl:
            assert 200 == wsdl.status
        waiting = await client.json("GET", "/sandbox/clock")
        await client.json("GET", "/api/account")
        half = await client.json("GET", "/sandbox/clock")
        await client.sites()
        begun = await client.json("GET", "/sandbox/clock")

    assert (False, 0, 600) == (waiting["running"], waiting["speed"], waiting["speed_set"])
    assert ["johnlewis", "khaos"] == waiting["waiting_for"]
    assert waiting["starts_at"] == waiting["now"]
    assert (False, ["khaos"]) == (half["running"], half["waiting_for"])
    assert (True, 600, []) == (begun["running"], begun["speed"], begun["waiting_for"])
    assert waiting["started_real"] is None
    assert begun["started_real"] is not None


async def test_clock_when_told_to_leap_lets_happen_what_lies_between() -> None:
    """World time goes ahead by what is asked, never back."""
    async with sandbox() as client:
        before = await client.json("GET", "/sandbox/clock")
        after = await client.json("POST", "/sandbox/clock", {"leap_s": 6 * 3600})
        truth = await client.json("GET", "/sandbox/truth")
        back, refusal, _ = await client.call("POST", "/sandbox/clock", {"leap_s": -1})
        wrong, _, _ = await client.call("POST", "/sandbox/clock", {"pace": 1})

    then, now = (datetime.fromisoformat(clock["now"]) for clock in (before, after))
    assert timedelta(hours=6) == now - then
    assert truth["trade_over"]
    assert truth["counted"]["baskets"] > 20
    assert (400, 400) == (back, wrong)
    assert b"does not go back" in refusal


async def test_clock_at_speed_moves_without_being_called() -> None:
    """The ticker moves the world; the speed can be changed while it runs."""
    async with sandbox(speed=100_000.0) as client:
        await client.running.until_over()
        stopped = await client.json("POST", "/sandbox/clock", {"speed": 0})

    assert stopped["finished"]
    assert stopped["now"] > stopped["trade_ends_at"]
    assert 0 == stopped["speed"]


async def test_world_at_its_horizon_stands_still_and_says_so() -> None:
    """The bound is reported, and time does not pass it."""
    world = WorldSettings.of("quick", seed=5, trade=SMALL)
    async with sandbox(world=msgspec.structs.replace(world, horizon_days=1.0)) as client:
        clock = await client.json("POST", "/sandbox/clock", {"leap_s": 5 * 86_400})
        status, _, _ = await client.call("POST", "/sandbox/clock", {"running": True})

    assert (True, False) == (clock["ended"], clock["running"])
    assert clock["ends_at"] == clock["now"]
    assert 400 == status


# ── a person's hand ─────────────────────────────────────────────────────────────────────────


async def test_order_placed_by_hand_is_seen_by_the_seller() -> None:
    """What a hook does is what the faces show, and the truth counts it."""
    async with sandbox() as client:
        order = await client.place_order()
        (found,) = (await client.json("GET", "/api/orders"))["orders"]
        listed = await client.json("GET", "/sandbox/orders")
        accepted = await client.accept(order)
        state = await client.state(order)
        truth = await client.json("GET", "/sandbox/truth")

    assert order["order_id"] == found["order_id"]
    assert "O'Example <&>" == found["customer"]["lastname"]
    assert (1, order["order_id"]) == (listed["total"], listed["orders"][0]["order_id"])
    assert (204, "WAITING_DEBIT") == (accepted, state)
    assert 1 == truth["counted"]["orders_placed"]


async def test_warehouse_hook_changes_the_stock_that_is_shown() -> None:
    """Goods that come in by hand are in the ERP's level."""
    async with sandbox() as client:
        before = await client.json("GET", "/sandbox/stock")
        code = next(code for code, level in before.items() if level is not None)
        await client.json("POST", "/sandbox/warehouse/goods_in", {"code": code, "quantity": 7})
        after = await client.json("GET", "/sandbox/stock")
        offers = await client.json("GET", "/sandbox/offers")

    assert int(before[code]) + 7 == int(after[code])
    assert 0 == offers[code]


@pytest.mark.parametrize(
    ("path", "body", "status", "reason"),
    [
        ("warehouse/import_orders", {"document": ""}, 400, "there is no operation"),
        ("marketplace/_note", {}, 400, "there is no operation"),
        ("warehouse/goods_in", {"unit": 1}, 400, "can't be called so"),
        ("warehouse/goods_in", [1], 400, "can't be read"),
        ("warehouse/goods_in", {"code": "no such", "quantity": 1}, 400, "no such"),
        ("marketplace/operator_cancels", {"order_id": "X"}, 409, "not found"),
    ],
)
async def test_hook_that_cannot_be_done_is_refused_in_one_sentence(
    path: str, body: object, status: int, reason: str
) -> None:
    """Only what is on the list, with arguments that it takes."""
    async with sandbox() as client:
        refused, content, _ = await client.call("POST", f"/sandbox/{path}", body)

    assert status == refused
    assert reason in msgspec.json.decode(content)["error"]


# ── faults ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "state"), [("lost_before", "WAITING_ACCEPTANCE"), ("lost_after", "WAITING_DEBIT")]
)
async def test_answer_that_is_lost_was_carried_out_or_not(kind: str, state: str) -> None:
    """The client sees the same cut both times; only the world knows."""
    async with sandbox() as client:
        order = await client.place_order()
        fault = {"kind": kind, "operation": "OR21", "times": 2}  # aiohttp tries a PUT twice
        await client.json("POST", "/sandbox/faults", fault)
        with pytest.raises(aiohttp.ClientError):
            await client.accept(order)
        found = await client.state(order)
        (planned,) = await client.json("GET", "/sandbox/faults")

    assert state == found
    assert planned["happened"] >= 1


async def test_error_page_comes_as_often_as_planned_and_only_to_its_side() -> None:
    """Two failures of one SOAP method; the other side answers as ever."""
    fault = {"kind": "status", "side": "khaos", "operation": "GetSiteList", "times": 2}
    async with sandbox() as client:
        await client.json("POST", "/sandbox/faults", fault)
        account, _, _ = await client.call("GET", "/api/account")
        answers = [await client.sites() for _ in range(3)]

    assert 200 == account
    assert [500, 500, 200] == [status for status, _ in answers]
    assert b"<html>" in answers[0][1]
    assert b"Main Site" in answers[2][1]


async def test_rate_limit_says_when_to_come_again() -> None:
    """429 with Retry-After, as the platform does; cleared faults strike no more."""
    fault = {"kind": "rate_limit", "times": None, "retry_after_s": 17}
    async with sandbox() as client:
        await client.json("POST", "/sandbox/faults", [fault])
        status, _, headers = await client.call("GET", "/api/account")
        cleared = await client.json("DELETE", "/sandbox/faults")
        again, _, _ = await client.call("GET", "/api/account")

    assert (429, "17") == (status, headers["Retry-After"])
    assert ({"cleared": 1}, 200) == (cleared, again)


async def test_truncated_answer_breaks_off_in_the_middle() -> None:
    """The length promised is not the length sent."""
    async with sandbox() as client:
        await client.json("POST", "/sandbox/faults", {"kind": "truncated", "operation": "A01"})
        with pytest.raises(aiohttp.ClientPayloadError):
            await client.call("GET", "/api/account")
        again, _, _ = await client.call("GET", "/api/account")

    assert 200 == again


async def test_empty_answer_is_200_without_a_body() -> None:
    """The effect was done, and nothing is said."""
    async with sandbox() as client:
        order = await client.place_order()
        await client.json("POST", "/sandbox/faults", {"kind": "empty", "operation": "OR21"})
        status = await client.accept(order)
        state = await client.state(order)

    assert (200, "WAITING_DEBIT") == (status, state)


async def test_slow_answer_keeps_a_client_waiting_that_gives_up() -> None:
    """The client's deadline passes; what it asked for is done all the same, later or before."""
    fault = {"kind": "slow", "operation": "OR21", "seconds": 30.0, "after_effect": True}
    async with sandbox() as client:
        order = await client.place_order()
        await client.json("POST", "/sandbox/faults", fault)
        with pytest.raises(TimeoutError):
            with anyio.fail_after(0.3):
                await client.accept(order)
        state = await client.state(order)

    assert "WAITING_DEBIT" == state


def test_fault_with_a_window_and_a_chance_strikes_there_only() -> None:
    """World times bound it; its chance comes from the seed."""
    at = datetime(2026, 11, 2, 9, tzinfo=UTC)
    fault = Fault(
        kind="status", times=None, share=0.5, from_time=at, until_time=at + timedelta(hours=1)
    )

    def struck(seed: int) -> list[bool]:
        plan = FaultPlan(seed)
        plan.add([fault])
        return [
            plan.take("khaos", "GetVersion", at + timedelta(minutes=minute)) is not None
            for minute in range(-60, 120)
        ]

    hits = struck(1)

    assert hits == struck(1) != struck(2)
    assert not any(hits[:60])
    assert 15 < sum(hits[60:120]) < 45
    assert not any(hits[120:])


@pytest.mark.parametrize(
    "written",
    [
        b"{",
        b'{"kind":"flood"}',
        b'{"kind":"slow","seconds":-1}',
        b'{"kind":"slow","share":2}',
        b'{"kind":"slow","from_time":"2026-11-02T09:00:00"}',
        b'{"kind":"slow","extra":1}',
    ],
)
def test_fault_plan_that_makes_no_sense_is_refused(written: bytes) -> None:
    """A plan is checked before it strikes."""
    with pytest.raises(Misuse, match="no fault plan"):
        faults_from(written, of="the plan")


# ── settings and ports ──────────────────────────────────────────────────────────────────────


async def test_port_in_use_is_named_with_its_option() -> None:
    """One clear line, before anything is served."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Misuse, match=rf"port {port} .* --khaos-port"):
            async with sandbox(khaos_port=port):
                pass


def test_options_become_settings(tmp_path: Path) -> None:
    """A trade file needs its first day; without a file the trade is generated."""
    plan = tmp_path / "faults.json"
    plan.write_bytes(b'[{"kind":"empty"}]')

    replay = settings_from(trade=tmp_path / "t.csv", first_day=date(2011, 3, 1), share=40)
    made = settings_from(seed=9, preset="life", faults_file=plan)

    assert isinstance(replay.world.trade, TradeFile)
    assert 40 == replay.world.trade.share
    assert isinstance(made.world.trade, GeneratedTrade)
    assert (9, 9) == (made.world.seed, made.world.trade.seed)
    assert (1, 11, 21) == made.world.marketplace.cycle_days_of_month
    assert (Fault(kind="empty"),) == made.faults
    with pytest.raises(Misuse, match="--from"):
        settings_from(trade=tmp_path / "t.csv")
    with pytest.raises(Misuse, match=r"nowhere\.json"):
        settings_from(faults_file=tmp_path / "nowhere.json")


def test_tenant_file_switches_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    """Switches by the settings' names, over those of the preset; mistakes are named."""
    tenant = tmp_path / "tenant.json"
    tenant.write_text('{"multi_shipment": false, "commission_rate": "0.38"}')
    preset, chosen = (
        settings_from(tenant_file=file).world.marketplace for file in (None, tenant)
    )
    rest = {"multi_shipment": True, "commission_rate": preset.commission_rate}

    assert (False, "0.38") == (chosen.multi_shipment, str(chosen.commission_rate))
    assert preset == msgspec.structs.replace(chosen, **rest)
    for written, reason in (
        ('{"multishipment": false}', "no switch multishipment"),
        ('{"multi_shipment": "no"}', "Expected `bool`"),
        ('{"api_keys": []}', "a shop without a key"),
        ("[]", "no object of switches"),
    ):
        tenant.write_text(written)
        with pytest.raises(Misuse, match=reason):
            settings_from(tenant_file=tenant)
    with pytest.raises(Misuse, match=r"nowhere\.json"):
        settings_from(tenant_file=tmp_path / "nowhere.json")


def test_warehouse_file_switches_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    """Sites and couriers too, which can't be switched later; mistakes are named."""
    erp = tmp_path / "erp.json"
    erp.write_text(
        '{"sites": [{"site_id": 1, "name": "Main"}, {"site_id": 4, "name": "Leeds"}], '
        '"tax_percent": {"1": 20, "2": 0}}'
    )
    preset, chosen = (
        settings_from(warehouse_file=file).world.warehouse for file in (None, erp)
    )
    kept = {"sites": preset.sites, "tax_percent": preset.tax_percent}

    assert ["Main", "Leeds"] == [site.name for site in chosen.sites]
    assert {1: 20, 2: 0} == chosen.tax_percent
    assert preset == msgspec.structs.replace(chosen, **kept)
    for written, reason in (
        ('{"site": []}', "no switch site"),
        ('{"sites": []}', "needs a site"),
    ):
        erp.write_text(written)
        with pytest.raises(Misuse, match=reason):
            settings_from(warehouse_file=erp)


# ── its life after a kill ───────────────────────────────────────────────────────────────────

_PROCESS = """
import sys
from pathlib import Path
import anyio
from kcjl.sandbox.server import Sandbox, settings_from

async def main():
    settings = settings_from(
        seed=5, orders_per_hour=12, skus=40, port=0, khaos_port=0, speed=3600,
        state_dir=Path(sys.argv[1]),
    )
    async with Sandbox.serve(settings) as running:
        print(running.johnlewis_url, running.khaos_url, flush=True)
        await anyio.sleep_forever()

anyio.run(main)
"""


@asynccontextmanager
async def other_process(state: Path) -> AsyncIterator[aiohttp.ClientSession]:
    """A sandbox in a process of its own; leaving the block kills it (-9)."""
    process = await anyio.open_process(
        [sys.executable, "-c", _PROCESS, str(state)],
        cwd=Path(__file__).parents[2],
        stderr=None,
    )
    async with process:
        try:
            assert process.stdout is not None
            url = (await process.stdout.receive()).split()[0].decode()
            async with aiohttp.ClientSession(url, headers=KEY) as http:
                yield http
        finally:
            process.kill()


async def said(
    http: aiohttp.ClientSession, method: str, path: str, body: object = None
) -> bytes:
    written = None if body is None else msgspec.json.encode(body)
    kind = {"Content-Type": "application/json"} if written else {}
    async with http.request(method, path, data=written, headers=kind) as answer:
        assert answer.status < 300, await answer.text()
        return await answer.read()


async def sell_for_a_while(http: aiohttp.ClientSession) -> int:
    """Publish stock, let orders come, accept them; returns how many there were."""
    offers = msgspec.json.decode(await said(http, "GET", "/sandbox/offers"))
    form = aiohttp.FormData()
    rows = "\n".join(["offer-sku;quantity", *(f'"{sku}";50' for sku in offers)])
    form.add_field("file", rows.encode(), filename="stock.csv")
    async with http.post("/api/offers/stock/imports", data=form) as answer:
        assert 201 == answer.status
    await said(http, "POST", "/sandbox/clock", {"leap_s": 2 * 3600})
    orders = msgspec.json.decode(await said(http, "GET", "/api/orders"))["orders"]
    for order in orders:
        lines = order["order_lines"]
        yes = [{"id": line["order_line_id"], "accepted": True} for line in lines]
        path = f"/api/orders/{order['order_id']}/accept"
        await said(http, "PUT", path, {"order_lines": yes})
    await said(http, "POST", "/sandbox/clock", {"leap_s": 1800})
    return len(orders)


async def test_sandbox_when_killed_resumes_the_same_world(tmp_path: Path) -> None:
    """After kill -9 there are the same truth and the same orders, byte for byte."""
    async with other_process(tmp_path) as http:
        orders = await sell_for_a_while(http)
        await said(http, "POST", "/sandbox/clock", {"speed": 0})
        before = [await said(http, "GET", f"/sandbox/{room}") for room in ("truth", "orders")]

    resumed = settings_from(
        seed=5, orders_per_hour=12, skus=40, port=0, khaos_port=0, speed=0, state_dir=tmp_path
    )
    async with (
        Sandbox.serve(resumed) as running,
        aiohttp.ClientSession(running.johnlewis_url) as http,
    ):
        after = [await said(http, "GET", f"/sandbox/{room}") for room in ("truth", "orders")]

    assert orders > 3
    assert ["", ""] == [first_difference(a, b) for a, b in zip(before, after, strict=True)]
    assert running.doorkeeper.resumed


class Steps:
    """A monotonic clock that goes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def lived(directory: Path, *, killed_after: frozenset[int]) -> bytes:
    """A world in which something is changed each hour; killed and resumed at some of them."""
    steps = Steps()

    def begin() -> tuple[Doorkeeper, WorldJournal]:
        world_settings = WorldSettings.of("quick", seed=5, trade=SMALL)
        journal = WorldJournal(directory, world_settings.recorded())
        door = Doorkeeper(
            World(world_settings), FaultPlan(5), journal, speed=3600.0, monotonic=steps
        )
        return door, journal

    door, journal = begin()
    for hour in range(1, 40):
        steps.seconds += 1
        door.enter("johnlewis", "STO01")
        world = door.world
        rows = [f'"{sku}";{hour}' for sku in world.marketplace.offers]
        content = "\n".join(["offer-sku;quantity", *rows])
        door.change("johnlewis", "import_stock", {"csv_text": content})
        with pytest.raises(Misuse):
            door.change("khaos", "goods_in", {"code": "nothing", "quantity": 1})
        for order in list(world.marketplace.orders.values()):
            if order.state == "WAITING_ACCEPTANCE":
                lines = [{"id": line.line_id, "accepted": True} for line in order.lines]
                accepted: dict[str, object] = {
                    "order_id": order.order_id,
                    "decisions": lines,
                }
                door.change("johnlewis", "accept", accepted)
        if hour in killed_after:
            journal.close()
            door, journal = begin()
    journal.close()
    return picture(door.world)


def test_world_that_was_killed_is_the_world_that_was_not(tmp_path: Path) -> None:
    """Wherever it was killed, the world goes on as if it had not been, to the byte."""
    whole = lived(tmp_path / "whole", killed_after=frozenset())
    broken = lived(tmp_path / "broken", killed_after=frozenset({1, 2, 7, 20, 39}))

    assert "" == first_difference(whole, broken)


async def test_fault_that_has_happened_does_not_happen_again_after_a_kill(
    tmp_path: Path,
) -> None:
    """A fault of one time is one time in the life of a world."""
    faults = (Fault(kind="status", operation="A01"),)
    statuses = []
    for _ in range(2):
        async with sandbox(state_dir=tmp_path, faults=faults) as client:
            for _ in range(2):
                status, _, _ = await client.call("GET", "/api/account")
                statuses.append(status)

    assert [500, 200, 200, 200] == statuses


async def test_resumed_world_with_another_seed_is_refused(tmp_path: Path) -> None:
    """A state directory belongs to one world."""
    async with sandbox(state_dir=tmp_path):
        pass

    other = WorldSettings.of("quick", seed=6, trade=SMALL)
    with pytest.raises(Misuse, match="seed was 5 and is now 6"):
        async with sandbox(state_dir=tmp_path, world=other):
            pass


async def test_hundred_calls_while_the_world_runs_fast_are_all_answered() -> None:
    """An hour a second, and both sides answer each call with the world's own figures."""
    async with sandbox(speed=3600.0) as client:
        answers: list[int] = []

        async def ask() -> None:
            status, _ = await client.sites()
            answers.append(status)
            status, _, _ = await client.call("GET", "/sandbox/clock")
            answers.append(status)

        async with anyio.create_task_group() as tasks:
            for _ in range(50):
                tasks.start_soon(ask)

    assert [200] * 100 == answers
