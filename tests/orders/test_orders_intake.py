"""Orders, the shell: reading, sealing, accepting, holding, comparing, writing back."""

from datetime import timedelta

import msgspec
import pytest

from kcjl.errors import OutcomeUnknown, Refused, Unavailable
from kcjl.johnlewis.order_port import OrdersUnreadable, UnreadableOrder
from kcjl.orders.events import (
    AcceptanceConfirmed,
    AcceptanceIntended,
    AcceptanceRefused,
    AcceptanceUnknown,
    OrderChanged,
    OrderHeld,
    OrderReceived,
    OrderReleased,
    OrdersRead,
    ReferenceWriteFailed,
    ReferenceWritten,
)
from kcjl.orders.events_intake import OrderNotRead, OrderReadAgain
from kcjl.orders.posting_events import TotalsCompared
from kcjl.orders.reading import UNREAD_MAX
from kcjl.settings import OrderSettings
from tests.outside.marketplace import marketplace_line, marketplace_order
from tests.outside.mishaps import LOST, Killed
from tests.rooms import Premises, Process
from tests.trade import SHIPPING, gbp

pytestmark = pytest.mark.anyio


def premises(state: str = SHIPPING) -> Premises:
    """One order, of a product that is on the shelf."""
    place = Premises()
    place.warehouse.put("A-1", 10)
    place.shop.offers_there["A-1"] = 10
    place.shop.place(marketplace_order(state=state))
    return place


async def read_all(process: Process) -> None:
    """Offers, stock and orders are known."""
    await process.do("offers", "levels", "intake", "new-skus")


# ── acceptance ──────────────────────────────────────────────────────────────────────────────


async def test_acceptance_of_known_codes_is_confirmed() -> None:
    """Every code known: accepted, in one call for the whole order."""
    place = premises("WAITING_ACCEPTANCE")
    async with place.open() as process:
        await read_all(process)
        await process.do("acceptance", "acceptance")

    assert SHIPPING == place.shop.orders_there["O1"].state_raw
    assert 1 == place.shop.mishaps.times("accept")
    assert 1 == len(await place.said(AcceptanceConfirmed))


async def test_acceptance_whose_answer_was_lost_is_looked_up() -> None:
    """Taken there, answer lost: the order's own state tells, and nothing is sent again."""
    place = premises("WAITING_ACCEPTANCE")
    place.shop.mishaps.after("accept", LOST)
    async with place.open() as process:
        await read_all(process)
        place.clock.tick(1)
        await process.do("acceptance", "acceptance")

    assert [
        "AcceptanceIntended",
        "AcceptanceUnknown",
        "AcceptanceConfirmed",
    ] == await place.story(
        AcceptanceIntended, AcceptanceUnknown, AcceptanceConfirmed, AcceptanceRefused
    )
    assert 1 == place.shop.mishaps.times("accept")


async def test_acceptance_that_never_arrived_is_sent_again() -> None:
    """Not there: it may be sent once more."""
    place = premises("WAITING_ACCEPTANCE")
    place.shop.mishaps.before("accept", LOST)
    async with place.open() as process:
        await read_all(process)
        await process.do("acceptance", "acceptance")

    assert SHIPPING == place.shop.orders_there["O1"].state_raw
    (never,) = await place.said(AcceptanceRefused)
    assert never.retry


async def test_acceptance_that_is_refused_waits_for_a_person() -> None:
    """A no is said, and not sent again."""
    place = premises("WAITING_ACCEPTANCE")
    place.shop.mishaps.before("accept", Refused("too late"))
    async with place.open() as process:
        await read_all(process)
        await process.do("acceptance", "acceptance", "judge")

        assert {"acceptance_refused:O1"} == set(process.desk.open)
    assert 1 == place.shop.mishaps.times("accept")


async def test_acceptance_that_was_refused_because_it_was_done_is_confirmed() -> None:
    """Refused because the order has moved on: that is an acceptance, not a refusal."""
    place = premises("WAITING_ACCEPTANCE")
    async with place.open() as process:
        await read_all(process)
        place.clock.tick(1)
        place.shop.set_state("O1", SHIPPING)
        await process.do("acceptance")

    assert [] == await place.said(AcceptanceRefused)
    assert 1 == len(await place.said(AcceptanceConfirmed))


async def test_restart_in_the_middle_of_an_acceptance_looks_it_up_first() -> None:
    """Killed while accepting: the new process looks at the order before it writes."""
    place = premises("WAITING_ACCEPTANCE")
    place.shop.mishaps.after("accept", Killed())
    async with place.open() as process:
        await read_all(process)
        place.clock.tick(1)
        with pytest.raises(Killed):
            await process.do("acceptance")

    async with place.open() as process:
        await process.do("acceptance")

    assert 1 == place.shop.mishaps.times("accept")
    assert 1 == len(await place.said(AcceptanceConfirmed))


async def test_order_with_an_unknown_code_is_held_and_goes_on_when_it_is_known() -> None:
    """Held with the nearest codes; mended in the ERP, it goes on by itself."""
    place = premises("WAITING_ACCEPTANCE")
    place.shop.place(marketplace_order("O2", marketplace_line("O2-1", "A1")))
    async with place.open() as process:
        await read_all(process)
        await process.do("acceptance")
        (held,) = await place.said(OrderHeld)
        place.warehouse.put("A1", 5)
        await process.do("levels", "acceptance")

    assert ("O2", ("A-1",)) == (held.order_id, held.skus[0].nearest)
    assert 1 == len(await place.said(OrderReleased))
    assert SHIPPING == place.shop.orders_there["O2"].state_raw


# ── intake, totals, write-back ──────────────────────────────────────────────────────────────


async def test_intake_of_the_same_orders_writes_nothing_new() -> None:
    """Reading again, and again after a restart, adds the fact of reading and nothing else."""
    place = premises()
    async with place.open() as process:
        await process.do("intake", "intake")
    async with place.open() as process:
        place.clock.tick(2 * 86_400)
        await process.do("intake")

    assert 1 == len(await place.said(OrderReceived))
    assert [] == await place.said(OrderChanged)
    assert [True, False, True] == [each.swept for each in await place.said(OrdersRead)]


async def test_intake_that_fails_leaves_the_cursor() -> None:
    """What could not be read is read from the same place next time."""
    place = premises()
    async with place.open() as process:
        await process.do("intake")
        place.shop.mishaps.before("orders_updated_since", Unavailable())
        with pytest.raises(Unavailable):
            await process.do("intake")

    assert 1 == len(await place.said(OrdersRead))


def unreadable(*order_ids: str, skus: tuple[str, ...] | None = None) -> OrdersUnreadable:
    """What a read raises that could not read these; the shop's own others are in it."""
    strange = [
        UnreadableOrder(order_id=each, message="Expected `bool` - at `$.can_cancel`", skus=skus)
        for each in order_ids
    ]
    return OrdersUnreadable(
        "OR11", read=[marketplace_order(state=SHIPPING)], unreadable=strange
    )


async def test_order_of_which_nothing_is_known_keeps_the_cursor_and_the_stock() -> None:
    """The others are taken; it may hold anything, so no stock goes out, and that is said."""
    place = premises()
    place.shop.mishaps.before("orders_updated_since", unreadable("O2"))
    async with place.open() as process:
        with pytest.raises(OrdersUnreadable, match=r"O2: Expected.*no stock is published"):
            await process.do("intake")

        assert ["O1"] == [each.order_id for each in await place.said(OrderReceived)]
        assert [] == await place.said(OrdersRead)
        place.shop.place(marketplace_order("O2"))
        await process.do("intake")

    assert ["O1", "O2"] == [each.order_id for each in await place.said(OrderReceived)]
    assert 1 == len(await place.said(OrdersRead))


async def test_what_has_run_out_is_not_sold_on_for_an_order_of_which_nothing_is_known() -> None:
    """It may hold anything, so no figure can be told but one: what is 0 is 0 in any case."""
    place = premises()
    place.warehouse.put("B-2", 7)
    place.shop.offers_there["B-2"] = 1
    async with place.open() as process:
        await process.do("offers", "levels", "new-skus", "intake", "publish", "publish")
        assert {"A-1": 8, "B-2": 7} == place.shop.offers_there
        place.shop.mishaps.before("orders_updated_since", *[unreadable("O2")] * 3)
        place.warehouse.put("A-1", 5)
        place.warehouse.put("B-2", 0)
        for _ in range(3):
            place.clock.tick(300)
            await process.do("levels")
            with pytest.raises(OrdersUnreadable):
                await process.do("intake")
            await process.do("publish")
        assert {"A-1": 8, "B-2": 0} == place.shop.offers_there
        place.shop.place(marketplace_order("O2"))
        place.clock.tick(300)
        await process.do("levels", "intake", "publish", "publish")

    assert {"A-1": 1, "B-2": 0} == place.shop.offers_there


async def test_order_whose_skus_are_known_stops_their_stock_only() -> None:
    """It is raised and asked for again; other SKUs go on, and so do its own once it is read."""
    place = premises()
    for sku in ("B-2", "C-3"):
        place.warehouse.put(sku, 7)
        place.shop.offers_there[sku] = 1
    place.shop.mishaps.before("orders_updated_since", unreadable("O2", skus=("b-2",)))
    async with place.open() as process:
        await process.do("offers", "levels", "new-skus", "intake", "publish", "judge")
        assert {"order_unreadable:O2"} == set(process.desk.open)
        assert {"A-1": 8, "B-2": 1, "C-3": 7} == place.shop.offers_there

        again = unreadable("O2", skus=("b-2",))
        place.shop.mishaps.before("orders_by_id", again)
        place.clock.tick(600)
        await process.do("levels", "intake", "publish")
        assert 1 == place.shop.offers_there["B-2"]

        place.shop.place(marketplace_order("O2", marketplace_line("O2-1", "B-2")))
        place.clock.tick(600)
        await process.do("levels", "intake", "publish", "judge")
        assert {} == dict(process.desk.open.items())
        assert 5 == place.shop.offers_there["B-2"]

    assert ["OrderNotRead", "OrderReadAgain"] == await place.story(OrderNotRead, OrderReadAgain)
    assert 3 == len(await place.said(OrdersRead))


async def test_order_that_was_never_read_and_is_gone_stops_nothing_any_more() -> None:
    """The marketplace shows it no more: nothing is held for it."""
    place = premises()
    place.shop.mishaps.before("orders_updated_since", unreadable("O2", skus=("B-2",)))
    async with place.open() as process:
        await process.do("intake", "intake")

        assert 0 == len(process.orders.unread)


async def test_too_many_orders_that_cant_be_read_are_no_odd_ones() -> None:
    """The form of all has changed: nothing is published until somebody has looked."""
    place = premises()
    many = unreadable(*(f"X{number}" for number in range(UNREAD_MAX + 1)), skus=("B-2",))
    place.shop.mishaps.before("orders_updated_since", many)
    async with place.open() as process:
        with pytest.raises(OrdersUnreadable, match="too many"):
            await process.do("intake")

    assert [] == await place.said(OrdersRead)


@pytest.mark.parametrize(("overlap_s", "received"), [(3600, ["O1", "O2"]), (60, ["O1"])])
async def test_intake_reaches_back_behind_its_cursor(
    overlap_s: float, received: list[str]
) -> None:
    """An order that shows later than it says is read, as far back as the settings reach."""
    place = premises()
    place.order_settings = OrderSettings(overlap_s=overlap_s)
    async with place.open() as process:
        await process.do("intake")
        late = marketplace_order("O2")
        half_an_hour_ago = place.clock.now() - timedelta(minutes=30)
        place.shop.place(msgspec.structs.replace(late, updated_at=half_an_hour_ago))
        await process.do("intake")

    assert received == [each.order_id for each in await place.said(OrderReceived)]


async def test_totals_that_differ_are_said_to_the_penny() -> None:
    """A penny off is an exception of finance."""
    place = premises()
    place.warehouse.penny_off = gbp(1)
    async with place.open() as process:
        await read_all(process)
        await process.do("posting", "judge")

        assert {"total_differs:O1"} == set(process.desk.open)
    (compared,) = await place.said(TotalsCompared)
    assert (gbp(2_000), gbp(2_001)) == (compared.ours, compared.erp)


async def test_write_back_that_was_refused_is_tried_again() -> None:
    """A number that could not be written is written in the next round."""
    place = premises()
    place.shop.refused_references["O1"] = "locked"
    async with place.open() as process:
        await read_all(process)
        await process.do("posting", "write-back")
        place.shop.refused_references.clear()
        await process.do("write-back", "write-back")

    assert 1 == len(await place.said(ReferenceWriteFailed))
    assert 1 == len(await place.said(ReferenceWritten))
    assert {"O1": "SO-REF-O1"} == place.shop.references


async def test_write_back_whose_answer_was_lost_is_written_again() -> None:
    """Writing the same number again is harmless."""
    place = premises()
    place.shop.mishaps.after("write_seller_references", LOST)
    async with place.open() as process:
        await read_all(process)
        await process.do("posting")
        with pytest.raises(OutcomeUnknown):
            await process.do("write-back")
        await process.do("write-back")

    assert 1 == len(await place.said(ReferenceWritten))
