"""What nobody knows in an answer: ignored by the reading, counted beside it."""

from datetime import UTC, datetime

import anyio
import msgspec
import pytest

from kcjl.calls.surprises import Surprises
from kcjl.calls.sync_log import SyncLog
from kcjl.errors import ProtocolSurprise
from kcjl.johnlewis import unknown
from kcjl.johnlewis.contract_fields import CONTRACT_FIELDS
from kcjl.johnlewis.port import OrderState, StockImportStatus
from kcjl.johnlewis.seller_api import SellerApi, SellerApiSettings
from kcjl.johnlewis.unknown import ONE_IN, ROWS_COMPARED_MAX
from tests.johnlewis.conftest import JumpingClock, MakeApi
from tests.johnlewis.samples import LINE, ORDER, PAID_CYCLE, TRANSACTION
from tests.johnlewis.server import ScriptedServer, said
from tests.johnlewis.test_seller_api_sandbox import KEY, AgendaClock, serving
from tests.sandbox.marketplace_shop import BEGINNING

pytestmark = pytest.mark.anyio

SINCE = datetime(2026, 2, 1, tzinfo=UTC)


@pytest.fixture
def notes(clock: JumpingClock) -> SyncLog:
    return SyncLog(None, clock)


@pytest.fixture
def api(make_api: MakeApi, notes: SyncLog) -> SellerApi:
    return make_api(sync_log=notes)


def _told(surprises: Surprises) -> dict[str, int]:
    return {f"{each.operation} {each.field}": each.count for each in surprises.taken()}


def _orders(*orders: dict[str, object], **more: object) -> bytes:
    return said(200, {"orders": list(orders), "total_count": len(orders), **more})


async def test_unknown_fields_are_counted_by_their_path_and_change_nothing(
    market: ScriptedServer,
    make_api: MakeApi,
    api: SellerApi,
    notes: SyncLog,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """At the top, in a row and in a row's row; the order is read as without them."""
    line = {**LINE, "carbon_grams": 12}
    odd = {**ORDER, "moon_phase": {"inner": "Ada Secret"}, "order_lines": [line, line]}
    market.will_say(_orders(ORDER), _orders(odd, weather="Ada Secret"))
    plain = await make_api().orders_by_id(["700123456-A"])
    read = await api.orders_by_id(["700123456-A"])

    assert {
        "OR11 weather": 1,
        "OR11 orders[].moon_phase": 1,
        "OR11 orders[].order_lines[].carbon_grams": 1,
    } == _told(notes.surprises)
    assert [msgspec.structs.replace(plain[0], lines=plain[0].lines * 2)] == list(read)
    assert "Secret" not in capsys.readouterr().out


async def test_fields_of_the_contract_are_no_surprise(
    market: ScriptedServer, api: SellerApi, notes: SyncLog
) -> None:
    """Most of an answer is passed over because nobody needs it: that is not news."""
    market.will_say(
        _orders({**ORDER, "has_incident": False, "shipping_zone_code": "UK"}),
        said(200, {"data": [TRANSACTION]}),
        said(200, {"data": [PAID_CYCLE]}),
    )
    await api.orders_by_id(["700123456-A"])
    await api.transaction_lines(SINCE)
    await api.billing_cycles(SINCE)

    assert {} == _told(notes.surprises)
    assert CONTRACT_FIELDS >= {"has_incident", "shipping_zone_code", "amount_debited"}


async def test_answers_are_compared_at_first_and_now_and_then(
    market: ScriptedServer, api: SellerApi, notes: SyncLog
) -> None:
    """The first of an operation, and one of each hundred: reading stays quick."""
    market.by = lambda _: said(200, {"shop_id": 1, "moon_phase": 1})
    for _ in range(2 * ONE_IN):
        await api.account()

    assert {"A01 moon_phase": 2} == _told(notes.surprises)


async def test_long_list_is_compared_in_its_first_rows(
    market: ScriptedServer, api: SellerApi, notes: SyncLog
) -> None:
    """A page of any length costs the same."""
    carriers = [{"code": f"C{n}", "label": "x"} for n in range(ROWS_COMPARED_MAX)]
    market.will_say(
        said(200, {"carriers": [*carriers, {"code": "C", "label": "x", "moon_phase": 1}]})
    )
    await api.carriers()

    assert {} == _told(notes.surprises)


@pytest.mark.parametrize(
    "body", [b"[]", b'{"carriers":7}', b'{"carriers":[[1]]}', b'{"carriers":null,"x":[{}]}']
)
async def test_odd_shapes_raise_nothing_of_their_own(
    market: ScriptedServer, api: SellerApi, notes: SyncLog, body: bytes
) -> None:
    """The comparison meets what it meets; the reading alone says what can't be read."""
    market.will_say(said(200, body), said(200, body))
    outcomes = []
    for each in (api, api):
        try:
            outcomes.append(str(await each.carriers()))
        except ProtocolSurprise as error:
            outcomes.append(str(error))

    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("odd", [b'"\xff\xfe"', b"[" * 900 + b"]" * 900, b"1e999"])
async def test_unreadable_part_that_nobody_needs_breaks_no_read(
    market: ScriptedServer, api: SellerApi, notes: SyncLog, odd: bytes
) -> None:
    """What is passed over may be as broken as it likes, in the sampled answer too."""
    market.will_say(said(200, b'{"shop_id":4021,"moon_phase":' + odd + b"}"))

    assert 4021 == (await api.account()).shop_id
    assert set(_told(notes.surprises)) <= {"A01 moon_phase", "A01 (unreadable)"}


async def test_unknown_words_of_states_are_counted_each_time(
    market: ScriptedServer, api: SellerApi, notes: SyncLog, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every one, not a sample; the word is not repeated; the order is read all the same."""
    lines = [{**LINE, "order_line_state": "TELEPORTED"}, LINE]
    odd = {**ORDER, "order_state": "TELEPORTING", "order_lines": lines}
    market.by = lambda asked: (
        _orders(odd) if "orders" in asked.path else said(200, {"status": "PONDERING"})
    )
    for _ in range(2):
        (order,) = await api.orders_by_id(["700123456-A"])
    stock_import = await api.stock_import("u")

    assert {
        "OR11 orders[].order_state": 2,
        "OR11 orders[].order_lines[].order_line_state": 2,
        "STO02 status": 1,
    } == _told(notes.surprises)
    assert (OrderState.UNKNOWN, "TELEPORTING") == (order.state, order.state_raw)
    assert StockImportStatus.RUNNING == stock_import.status
    assert "TELEPORT" not in capsys.readouterr().out


async def test_spelling_that_we_know_is_no_unknown_word(
    market: ScriptedServer, api: SellerApi, notes: SyncLog
) -> None:
    """CANCELLED is CANCELED; no state at all is no word."""
    market.will_say(
        _orders({**ORDER, "order_state": "CANCELLED"}), _orders({**ORDER, "order_state": None})
    )
    for _ in range(2):
        await api.orders_by_id(["700123456-A"])

    assert {} == _told(notes.surprises)


async def test_two_shops_side_by_side_have_their_own_surprises(
    market: ScriptedServer, make_api: MakeApi, clock: JumpingClock
) -> None:
    """What one shop's marketplace sends is not counted as the other's."""
    both = [SyncLog(None, clock), SyncLog(None, clock)]
    market.by = lambda asked: said(
        200, {"shop_id": 1, "moon_phase" if asked.one("shop_id") == "0" else "tide": 1}
    )
    async with anyio.create_task_group() as group:
        for number, notes in enumerate(both):
            group.start_soon(make_api(shop_id=number, sync_log=notes).account)

    assert [{"A01 moon_phase": 1}, {"A01 tide": 1}] == [_told(x.surprises) for x in both]


async def test_reading_without_a_listener_counts_nothing() -> None:
    """A translation that nobody listens to works as well."""
    unknown.unknown_word("OR11", "orders[].order_state")
    unknown.compare_now_and_then("OR11", b'{"moon":1}', dict)


async def test_sandbox_sends_nothing_that_the_contract_does_not_know() -> None:
    """What we try ourselves on speaks the contract's language."""
    async with serving() as world:
        clock = AgendaClock(world.shop.agenda)
        notes = SyncLog(None, clock)
        settings = SellerApiSettings(base_url=world.base_url, api_key=KEY)
        api = SellerApi(settings, clock=clock, session=world.session, sync_log=notes)
        world.shop.received_order()
        world.shop.wait(hours=24 * 12)
        await api.account()
        await api.platform()
        await api.carriers()
        await api.shipping_types()
        await api.offers()
        await api.orders_updated_since(BEGINNING)
        assert await api.transaction_lines(BEGINNING)
        assert await api.billing_cycles(BEGINNING)

        assert {} == _told(notes.surprises)
