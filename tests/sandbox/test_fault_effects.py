"""What a client sees of each fault of the sandbox, over real HTTP."""

import json
from contextlib import AbstractAsyncContextManager

import aiohttp
import anyio
import msgspec
import pytest

from kcjl.sandbox.world_settings import WorldSettings
from tests.sandbox.johnlewis_client import KEY
from tests.sandbox.test_server import SMALL, Client
from tests.sandbox.test_server import sandbox as serving

pytestmark = pytest.mark.anyio


def sandbox() -> AbstractAsyncContextManager[Client]:
    """A sandbox that may be called as often as one likes."""
    world = WorldSettings.of("quick", seed=5, trade=SMALL)
    open_door = msgspec.structs.replace(world.marketplace, call_limits=False)
    return serving(world=msgspec.structs.replace(world, marketplace=open_door))


async def plan(client: Client, **fault: object) -> int:
    """Plan a fault; returns its number."""
    (planned,) = await client.json("POST", "/sandbox/faults", fault)
    return int(planned["number"])


async def test_duplicated_rows_come_twice_and_amounts_are_as_they_were() -> None:
    """A page whose last row stands twice: total_count knows nothing of it."""
    async with sandbox() as client:
        await client.place_order()
        _, whole, _ = await client.call("GET", "/api/orders")
        await plan(client, kind="duplicated_rows", operation="OR11")
        status, doubled, headers = await client.call("GET", "/api/orders")
        once, twice = json.loads(whole), json.loads(doubled)

    assert 200 == status
    assert [once["orders"][0]] * 2 == twice["orders"]
    assert 1 == twice["total_count"]
    assert "application/json" in headers["Content-Type"]
    assert b'"price":25.00' in doubled


async def test_wrong_type_is_the_right_body_under_another_name() -> None:
    """A proxy that calls everything HTML."""
    async with sandbox() as client:
        _, whole, _ = await client.call("GET", "/api/reasons")
        await plan(client, kind="wrong_type", operation="RE01")
        status, body, headers = await client.call("GET", "/api/reasons")

    assert (200, whole, "text/html; charset=UTF-8") == (status, body, headers["Content-Type"])


async def test_half_json_is_a_whole_answer_that_cannot_be_read() -> None:
    """The length is right, the JSON is not; what was asked for is done."""
    async with sandbox() as client:
        await plan(client, kind="half_json", operation="RE01")
        status, body, headers = await client.call("GET", "/api/reasons")

    assert (200, str(len(body))) == (status, headers["Content-Length"])
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(body)


async def test_stale_answer_is_what_the_same_reading_had_before() -> None:
    """A cache between: what was placed since is not in it; the next reading has it."""
    async with sandbox() as client:
        path = "/api/orders?max=100"
        _, before, _ = await client.call("GET", path)
        await client.place_order()
        await plan(client, kind="stale", operation="OR11", times=2)
        _, stale, _ = await client.call("GET", path)
        _, first, _ = await client.call("GET", "/api/orders?max=99")
        _, after, _ = await client.call("GET", path)
        counts = [json.loads(body)["total_count"] for body in (before, stale, first, after)]

    assert [0, 0, 1, 1] == counts


async def test_stale_fault_does_not_keep_a_change_from_being_made() -> None:
    """Only readings are stale."""
    async with sandbox() as client:
        order = await client.place_order()
        await plan(client, kind="stale", operation="OR21")
        status = await client.accept(order)
        state = await client.state(order)

    assert (204, "WAITING_DEBIT") == (status, state)


async def test_slow_body_begins_at_once_and_comes_whole_in_the_end() -> None:
    """The headers are there, the body takes its time: a client that gives up has half."""
    async with sandbox() as client:
        _, whole, _ = await client.call("GET", "/api/reasons")
        await plan(client, kind="slow_body", operation="RE01", seconds=0.04)
        _, slow, _ = await client.call("GET", "/api/reasons")
        await plan(client, kind="slow_body", operation="RE01", seconds=600)
        url = client.running.johnlewis_url + "/api/reasons"
        async with client.http.get(url, headers={"Authorization": KEY}) as begun:
            status, length = begun.status, begun.headers["Content-Length"]
            with pytest.raises(TimeoutError), anyio.fail_after(0.2):
                await begun.read()
            begun.close()

    assert whole == slow
    assert (200, str(len(whole))) == (status, length)


@pytest.mark.parametrize("retry_after_s", [None, 17])
async def test_next_calls_of_an_operation_are_refused_with_and_without_a_wait(
    retry_after_s: int | None,
) -> None:
    """429 on the next two calls of one operation, the others as ever."""
    async with sandbox() as client:
        await plan(
            client, kind="rate_limit", operation="RE01", times=2, retry_after_s=retry_after_s
        )
        answers = [await client.call("GET", "/api/reasons") for _ in range(3)]
        other, _, _ = await client.call("GET", "/api/shipping/carriers")
        waits = [headers.get("Retry-After") for _, _, headers in answers]

    wait = None if retry_after_s is None else str(retry_after_s)
    assert [429, 429, 200] == [status for status, _, _ in answers]
    assert (wait, wait, None, 200) == (*waits, other)


async def test_files_of_exports_can_be_hit_too() -> None:
    """A file of an export breaks off in the middle, and can be fetched again."""
    async with sandbox() as client:
        taken = await client.json("POST", "/api/offers/export/async", {})
        await client.json("POST", "/sandbox/clock", {"leap_s": 60})
        path = f"/api/offers/export/async/status/{taken['tracking_id']}"
        (url,) = (await client.json("GET", path))["urls"]
        await plan(client, kind="truncated", operation="OF54")
        with pytest.raises(aiohttp.ClientPayloadError):
            async with client.http.get(url) as broken:
                await broken.read()
        async with client.http.get(url) as again:
            body = await again.read()

    assert body.startswith(b'"offer-id"')


async def test_one_fault_is_taken_back_and_the_others_stay() -> None:
    """Listed with how often they struck; taken back by number."""
    async with sandbox() as client:
        numbers = [await plan(client, kind="empty", operation=code) for code in ("A01", "RE01")]
        gone = await client.json("DELETE", f"/sandbox/faults/{numbers[0]}")
        left = await client.json("GET", "/sandbox/faults")
        again, _, _ = await client.call("DELETE", f"/sandbox/faults/{numbers[0]}")
        odd, _, _ = await client.call("DELETE", "/sandbox/faults/x")
        account, _, _ = await client.call("GET", "/api/account")
        _, reasons, _ = await client.call("GET", "/api/reasons")

    assert numbers[0] == gone["number"]
    assert [(numbers[1], 0)] == [(each["number"], each["happened"]) for each in left]
    assert (400, 400, 200, b"") == (again, odd, account, reasons)


async def test_fault_of_an_operation_that_there_is_not_is_refused() -> None:
    """A typing mistake would never strike, and its test would prove nothing."""
    async with sandbox() as client:
        fault = {"kind": "empty", "side": "johnlewis", "operation": "OR99"}
        status, body, _ = await client.call("POST", "/sandbox/faults", fault)

    assert 400 == status
    assert b"no operation 'OR99'" in body


async def test_hooks_are_listed_with_what_they_take() -> None:
    """Who has the sandbox alone learns from it what a hand can do."""
    async with sandbox() as client:
        hooks = await client.json("GET", "/sandbox/hooks")

    assert {"cloud", "marketplace", "warehouse", "xero"} == set(hooks)
    assert hooks["marketplace"]["fail_exports"]["about"]
    assert any("quantity" in each for each in hooks["warehouse"]["goods_in"]["arguments"])


async def test_imports_can_be_slowed_and_exports_failed_by_hand() -> None:
    """The hooks of the imports and the exports, through their routes."""
    async with sandbox() as client:
        await client.json("POST", "/sandbox/marketplace/slow_imports", {"seconds_each": 3600})
        await client.json("POST", "/sandbox/marketplace/fail_exports", {"count": 1})
        offers = {"offers": [{"shop_sku": "X", "update_delete": "delete"}]}
        taken, slow, _ = await client.call("POST", "/api/offers", offers)
        failed = await client.json("POST", "/api/offers/export/async", {})
        await client.json("POST", "/sandbox/clock", {"leap_s": 60})
        imported = await client.json(
            "GET", f"/api/offers/imports/{json.loads(slow)['import_id']}"
        )
        exported = await client.json(
            "GET", f"/api/offers/export/async/status/{failed['tracking_id']}"
        )
        refused, _, _ = await client.call(
            "POST", "/sandbox/marketplace/slow_imports", {"seconds_each": -1}
        )

    assert (201, "WAITING", "FAILED", 400) == (
        taken,
        imported["status"],
        exported["status"],
        refused,
    )
