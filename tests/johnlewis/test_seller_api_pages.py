"""The seller API's pages and call budgets: nothing is missed, nothing asked too often."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import anyio
import pytest
import structlog

from kcjl.errors import OutcomeUnknown, ProtocolSurprise, RateLimited, Unavailable
from kcjl.johnlewis.budget import BUDGETS, Budget, CallBudgets
from kcjl.johnlewis.port import StockFigure
from kcjl.johnlewis.seller_api import SellerApi
from tests.johnlewis.conftest import JumpingClock, MakeApi
from tests.johnlewis.samples import ORDER
from tests.johnlewis.server import CUT, Asked, ScriptedServer, said

pytestmark = pytest.mark.anyio

SINCE = datetime(2026, 2, 3, 8, 0, tzinfo=UTC)
STOCK = [StockFigure(sku="A", quantity=1)]


def offer(number: int) -> dict[str, object]:
    return {"offer_id": number, "shop_sku": f"SKU-{number}", "quantity": number}


def paged(
    rows: Callable[[int], list[int]], *, rows_max: int = 100, **told: object
) -> Callable[[Asked], bytes]:
    """A list by offset; `rows` gives what there is at each request, by its number."""
    asked_count = iter(range(1_000_000))

    def answer(asked: Asked) -> bytes:
        there = rows(next(asked_count))
        start = int(asked.one("offset") or 0)
        page = there[start : start + min(rows_max, int(asked.one("max") or 10))]
        body = {"offers": [offer(n) for n in page], "total_count": len(there)}
        return said(200, {**body, **told})

    return answer


async def skus(api: SellerApi) -> list[int]:
    return sorted(one.offer_id for one in await api.offers())


@pytest.mark.parametrize("rows_max", [100, 50, 7])
async def test_pages_of_any_size_are_read_to_the_end(
    market: ScriptedServer, api: SellerApi, rows_max: int
) -> None:
    """A default page of 10 that nobody reads past loses offers (f.5)."""
    market.by = paged(lambda _: list(range(230)), rows_max=rows_max)

    assert await skus(api) == list(range(230))
    assert {asked.one("max") for asked in market.asked} == {"100"}


@pytest.mark.parametrize("total", [None, 0, -1, 3])
async def test_pages_without_a_count_to_trust_are_read_to_the_end(
    market: ScriptedServer, api: SellerApi, total: object
) -> None:
    """Without `total_count`, or with one below what is shown, the rows themselves decide."""
    market.by = paged(lambda _: list(range(230)), rows_max=50, total_count=total)

    assert await skus(api) == list(range(230))


async def test_pages_with_a_link_header_end_where_it_says(
    market: ScriptedServer, api: SellerApi
) -> None:
    """`Link` may be there or not; without a count it saves one request."""
    rows = [offer(n) for n in range(3)]
    market.will_say(
        said(200, {"offers": rows[:2]}, Link='<http://x/?offset=2>; rel="next"'),
        said(200, {"offers": rows[1:]}, Link='<http://x/?offset=0>; rel="previous"'),
    )

    assert await skus(api) == [0, 1, 2]


async def test_rows_that_move_back_under_the_paging_are_taken_once(
    market: ScriptedServer, api: SellerApi
) -> None:
    """New rows in front push others onto the next page again."""
    market.by = paged(lambda request: [-1 - n for n in range(request)] + list(range(230)))

    read = await skus(api)

    assert set(range(230)) <= set(read)
    assert len(read) == len(set(read))


async def test_rows_that_move_forward_under_the_paging_are_not_missed(
    market: ScriptedServer, api: SellerApi
) -> None:
    """A row that leaves makes another slip onto a page already read: it is read again."""
    market.by = paged(lambda request: list(range(0 if request == 0 else 5, 230)))

    assert await skus(api) == list(range(230))


async def test_row_that_leaves_while_another_comes_is_no_reason_to_miss_one(
    market: ScriptedServer, api: SellerApi
) -> None:
    """The count stays, and all the same a row slips onto a page already read."""
    market.by = paged(lambda request: list(range(230)) if not request else list(range(5, 235)))

    assert await skus(api) == list(range(235))


async def test_list_that_never_rests_is_given_as_it_was_seen_and_said(
    market: ScriptedServer, api: SellerApi
) -> None:
    """Reading it again has a bound, and reaching it is no secret."""
    market.by = paged(lambda request: list(range(5 * request, 230)))

    with structlog.testing.capture_logs() as told:
        await api.offers()

    assert [("list_still_moved", "OF21")] == [
        (each["event"], each["operation"]) for each in told if "sweeps" in each
    ]


async def test_rows_doubled_on_pages_are_taken_once_and_none_is_missed(
    market: ScriptedServer, api: SellerApi
) -> None:
    """Some pages repeat the last row of the one before."""

    def answer(asked: Asked) -> bytes:
        start = int(asked.one("offset") or 0)
        page = list(range(230))[max(0, start - 1) :][:100]
        return said(200, {"offers": [offer(n) for n in page], "total_count": 230})

    market.by = answer

    assert await skus(api) == list(range(230))


async def test_list_that_always_shows_the_same_page_comes_to_an_end(
    market: ScriptedServer, api: SellerApi
) -> None:
    """A server that ignores the offset can't hold us for ever."""
    market.by = lambda _: said(200, {"offers": [offer(1), offer(2)]})

    assert await skus(api) == [1, 2]


async def test_page_token_that_comes_again_is_a_surprise(
    market: ScriptedServer, api: SellerApi
) -> None:
    """Pages that go round in a circle are told, not followed for ever."""
    market.by = lambda _: said(200, {"data": [], "next_page_token": "again"})

    with pytest.raises(ProtocolSurprise, match="do not come to an end"):
        await api.transaction_lines(SINCE)


# ── budgets ─────────────────────────────────────────────────────────────────────────────────


async def test_budgets_are_those_of_the_contract() -> None:
    """The column "at most" of d.1; once a day is the caller's to plan, and not held."""
    assert {
        name: [(budget.calls, budget.period_s) for budget in budgets]
        for name, budgets in BUDGETS.items()
    } == {
        "OR11": [(1, 60)],
        "OR13": [(1, 300)],
        "OR14": [(1, 2)],
        "OR04": [(1, 60)],
        "OR07": [(60, 3600)],
        "OR31": [(5, 1)],
        "ST12": [(1, 300)],
        "RT11": [(1, 300)],
        "OF24": [(1, 60)],
        "STO01": [(1, 60)],
        "PRI01": [(1, 60)],
        "OF01": [(1, 60)],
        "OF02": [(1, 60)],
        "OF03": [(1, 60)],
        "PRI02": [(1, 60)],
        "PRI03": [(1, 60)],
        "STO03": [(1, 60)],
        "STO02": [(1, 15)],
        "OF51": [(1, 60)],
        "OF52": [(1, 60)],
        "OF53": [(1, 10)],
        "TL04": [(1, 10)],
        "TL02": [(20, 60), (60, 3600)],
    }


async def test_second_call_within_a_minute_waits_for_the_rest_of_it(
    market: ScriptedServer, api: SellerApi, clock: JumpingClock
) -> None:
    """STO01 at most once a minute, in the clock's own time; other operations do not wait."""
    market.by = lambda _: said(201, {"import_id": "u", "status": "RUNNING"})

    await api.publish_stock(STOCK)
    clock.at += timedelta(seconds=20)
    await api.publish_stock(STOCK)
    await api.stock_import("u")
    await api.ship("A")
    await api.stock_import("u")

    assert clock.slept_s == [40, 15]


async def test_budget_counts_from_the_answer(
    market: ScriptedServer, api: SellerApi, clock: JumpingClock
) -> None:
    """They may have seen the call as late as they answered it."""

    def slow(_: Asked) -> bytes:
        clock.at += timedelta(seconds=30)
        return said(201, {"import_id": "u"})

    market.by = slow

    await api.publish_stock(STOCK)
    await api.publish_stock(STOCK)

    assert clock.slept_s == [60]


async def test_pages_of_one_read_are_one_call(
    market: ScriptedServer, api: SellerApi, clock: JumpingClock
) -> None:
    """Orders may be read once a minute, over as many pages as there are."""

    def answer(asked: Asked) -> bytes:
        start = int(asked.one("offset") or 0)
        rows = [{**ORDER, "order_id": f"O{n}"} for n in range(1000)][start : start + 100]
        return said(200, {"orders": rows, "total_count": 1000})

    market.by = answer

    assert len(await api.orders_updated_since(SINCE)) == 1000
    assert clock.slept_s == []
    assert len(market.asked) == 10


async def test_pages_of_transaction_lines_are_calls(
    market: ScriptedServer, api: SellerApi, clock: JumpingClock
) -> None:
    """Of TL02 the contract does not say that its pages are free (d.1)."""
    market.will_say(
        *(said(200, {"data": [], "next_page_token": f"t{n}"}) for n in range(20)),
        said(200, {"data": []}),
    )

    assert await api.transaction_lines(SINCE) == []
    assert clock.slept_s == [60]


async def test_transaction_lines_keep_both_their_budgets(
    market: ScriptedServer, api: SellerApi, clock: JumpingClock
) -> None:
    """TL02: 20 a minute and 60 an hour."""
    market.by = lambda _: said(200, {"data": []})

    for _ in range(61):
        await api.transaction_lines(SINCE)

    assert clock.slept_s == [60, 60, 3480]


async def test_budget_of_the_settings_replaces_the_contract_s(
    market: ScriptedServer, make_api: MakeApi, clock: JumpingClock
) -> None:
    """An "External Partner" user reads orders every 15 minutes; a limit can be lifted."""
    market.by = lambda _: said(200, {"orders": [], "import_id": "u"})
    api = make_api(budgets={"OR11": [{"calls": 1, "period_s": 900}], "STO01": []})

    await api.orders_updated_since(SINCE)
    await api.orders_updated_since(SINCE)
    await api.publish_stock(STOCK)
    await api.publish_stock(STOCK)

    assert clock.slept_s == [900]


async def test_failed_call_counts_too(
    market: ScriptedServer, api: SellerApi, clock: JumpingClock
) -> None:
    """They may count what they did not answer."""
    market.will_say(CUT, said(500), said(201, {"import_id": "u"}))

    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            await api.publish_stock(STOCK)
    await api.publish_stock(STOCK)

    assert clock.slept_s == [60, 60]


async def test_rate_limit_holds_the_operation_back(
    market: ScriptedServer, api: SellerApi, clock: JumpingClock
) -> None:
    """After a 429 the operation rests for Retry-After, also one without a budget."""
    market.will_say(said(429, Retry_After="90"), said(200), said(204))

    with pytest.raises(RateLimited):
        await api.ship("A")
    await api.ping()
    clock.at += timedelta(seconds=30)
    await api.ship("A")

    assert clock.slept_s == [60]


async def test_waiting_callers_take_turns(
    market: ScriptedServer, api: SellerApi, clock: JumpingClock
) -> None:
    """Several actors may ask at once; each still has its own minute."""
    seen: list[datetime] = []

    def note(_: Asked) -> bytes:
        seen.append(clock.at)
        return said(200, {"orders": []})

    market.by = note

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(api.orders_updated_since, SINCE)

    gaps = [(after - before).total_seconds() for before, after in pairwise(seen)]
    assert len(gaps) == 3
    assert min(gaps) >= 60


async def test_clock_set_back_waits_one_period_at_most(clock: JumpingClock) -> None:
    """A world that jumps back does not stop the calls for years."""
    budgets = CallBudgets({"OR11": (Budget(calls=1, period_s=60),)}, clock)
    budgets.answered(await budgets.turn("OR11"))
    budgets.hold("OR24", 99_999)
    clock.at -= timedelta(days=365)

    await budgets.turn("OR11")
    await budgets.turn("OR24")

    assert clock.slept_s == [60, 3600]


async def test_waiter_that_is_cancelled_has_used_nothing(
    clock: JumpingClock,
) -> None:
    """Cancellation while waiting neither sends nor spends a turn."""
    budgets = CallBudgets(BUDGETS, clock)
    budgets.answered(await budgets.turn("OR11"))
    with anyio.CancelScope() as scope:
        scope.cancel()
        await budgets.turn("OR11")

    assert scope.cancelled_caught
    await budgets.turn("OR11")
    assert clock.slept_s == [60, 60]


async def test_page_that_fails_fails_the_read(market: ScriptedServer, api: SellerApi) -> None:
    """Half a list is never given as the whole."""
    market.will_say(said(200, {"offers": [offer(1)], "total_count": 2}), said(500))

    with pytest.raises(Unavailable):
        await api.offers()
