"""Acceptance, the shell: answers, people's words, the time that runs, the order of work."""

from collections.abc import Mapping

import msgspec
import pytest

from kcjl.errors import Misuse, NotFound, Refused
from kcjl.khaos import port as erp
from kcjl.orders.acceptance_events import (
    AcceptanceDecided,
    AcceptancePolicySet,
    AcceptanceTimePassed,
    OrderLetThrough,
    PostingRetried,
)
from kcjl.orders.acceptance_policy import AcceptancePolicy
from kcjl.orders.asked import order_words
from kcjl.orders.events import (
    AcceptanceConfirmed,
    AcceptanceIntended,
    AcceptanceRefused,
    OrderChanged,
    OrderHeld,
    PostingIntended,
    PostingRefused,
    SalesOrderPosted,
)
from tests.outside.marketplace import marketplace_line, marketplace_order
from tests.outside.mishaps import LOST, Killed
from tests.rooms import Premises, Process
from tests.trade import SHIPPING, WAITING

pytestmark = pytest.mark.anyio

DEAR = '[[holds]]\nname = "dear"\nabove = "19.99"\n'


def premises(*orders_there: str, units: int = 10, state: str = WAITING) -> Premises:
    """Orders of two A-1 each, and so many on the shelf."""
    place = Premises()
    place.warehouse.put("A-1", units)
    place.shop.offers_there["A-1"] = 10
    for number, order_id in enumerate(orders_there or ("O1",)):
        place.shop.place(marketplace_order(order_id, state=state, minutes=number))
    return place


async def read_all(process: Process) -> None:
    """Offers, stock and orders are known."""
    await process.do("offers", "levels", "intake", "new-skus", "levels")


async def say(process: Process, verb: str, **arguments: str) -> str:
    """As the queue of commands does; in the name of jo."""
    told: Mapping[str, str] = {"order_id": "O1", "reason": "asked for", "lines": ""} | arguments
    return str(await order_words(process.orders)[verb](told, "jo"))


async def by_jo(place: Premises) -> list[str]:
    return [each.type for each in await place.recorded() if each.by == "jo"]


# ── policy ──────────────────────────────────────────────────────────────────────────────────


async def test_policy_of_the_settings_is_the_first_version_and_a_persons_the_next() -> None:
    """Policy is history: who, when, which version."""
    place = premises()
    async with place.open() as process:
        await process.do("acceptance", "acceptance")
        assert "version 2" in await say(process, "acceptance-policy-set", document=DEAR)
        await say(process, "acceptance-policy-set", document=DEAR)

    assert [(1, "opening policy"), (2, "jo")] == [
        (each.event.version, each.by)
        for each in await place.recorded()
        if isinstance(each.event, AcceptancePolicySet)
    ]


async def test_stock_for_one_order_goes_to_the_older_one() -> None:
    """Two orders, stock for one: the second is held by name, and goes on with the goods."""
    place = premises("O1", "O2", units=3)
    async with place.open() as process:
        await read_all(process)
        await process.do("acceptance", "judge")
        (held,) = await place.said(OrderHeld)
        assert {"order_held:O2"} == set(process.desk.open)
        place.clock.tick(60)
        place.warehouse.put("A-1", 4)
        await process.do("levels", "acceptance", "judge")

        assert set() == set(process.desk.open)
    assert ("O2", "not_available", 1) == (held.order_id, held.reason, held.policy_version)
    assert [SHIPPING, SHIPPING] == [each.state_raw for each in place.shop.orders_there.values()]
    assert [1, 1] == [each.policy_version for each in await place.said(AcceptanceIntended)]


async def test_held_orders_of_one_sku_go_on_together_the_oldest_deadline_first() -> None:
    """One delivery frees all: nobody who ordered later is served before."""
    place = premises("O3", "O1", "O2", units=0)
    async with place.open() as process:
        await read_all(process)
        await process.do("acceptance")
        place.clock.tick(60)
        place.warehouse.put("A-1", 9)
        await process.do("levels", "acceptance")

    assert ["O3", "O1", "O2"] == [
        each.order_id for each in await place.said(AcceptanceConfirmed)
    ]


async def test_order_of_an_automatic_marketplace_is_held_before_it_is_posted() -> None:
    """No answer is asked for; nothing goes to the ERP until the goods are there."""
    place = premises(units=1, state=SHIPPING)
    place.shop.accepts_by_itself = True
    async with place.open() as process:
        await process.read_tenant()
        await read_all(process)
        await process.do("acceptance", "posting")
        assert [] == await place.said(PostingIntended)
        place.clock.tick(60)
        place.warehouse.put("A-1", 2)
        await process.do("levels", "acceptance", "posting")

    assert 0 == place.shop.mishaps.times("accept")
    assert 1 == len(await place.said(OrderHeld))
    assert 1 == len(await place.said(SalesOrderPosted))
    assert 1 == (await place.said(PostingIntended))[0].policy_version


# ── what people say ─────────────────────────────────────────────────────────────────────────


async def test_hold_and_release_are_events_of_the_person_and_once_each() -> None:
    """Said twice, as after a crash, it is one event."""
    place = premises()
    async with place.open() as process:
        await read_all(process)
        for _ in range(2):
            await say(process, "order-hold", reason="ask the buyer")
        await process.do("acceptance")
        assert WAITING == place.shop.orders_there["O1"].state_raw
        for _ in range(2):
            await say(process, "order-release")
        await process.do("acceptance")

    assert ["OrderHeld", "OrderReleased"] == await by_jo(place)
    assert SHIPPING == place.shop.orders_there["O1"].state_raw


async def test_release_overrules_the_rule_that_held_it() -> None:
    """Which rule of which version stands in the log, and it is not held again."""
    place = premises()
    async with place.open() as process:
        await read_all(process)
        await say(process, "acceptance-policy-set", document=DEAR)
        await process.do("acceptance")
        await say(process, "order-release", reason="known buyer")
        await process.do("acceptance", "acceptance")

    (through,) = await place.said(OrderLetThrough)
    assert ("dear", 1) == (through.rule, through.policy_version)
    assert 1 == len(await place.said(OrderHeld))
    assert SHIPPING == place.shop.orders_there["O1"].state_raw


async def test_refusal_is_told_to_the_marketplace_and_read_back_at_once() -> None:
    """Refused, gone, and its offer is to be said again: the order is not left for a poll."""
    place = premises()
    async with place.open() as process:
        await read_all(process)
        await say(process, "acceptance-policy-set", document='accept = "manual"')
        await process.do("acceptance")
        place.clock.tick(60)
        await say(process, "order-refuse", reason="broken on the shelf")
        await process.do("acceptance", "judge")

        assert set() == set(process.desk.open)
        (product,) = process.stock.products.values()
        assert (0, None) == (product.units_in_flight, product.shown[0].quantity)
    assert "REFUSED" == place.shop.orders_there["O1"].state_raw
    (decided,) = await place.said(AcceptanceDecided)
    assert ((), ("O1-1",), "broken on the shelf") == (
        decided.accepted,
        decided.refused,
        decided.reason,
    )
    assert ["REFUSED"] == [each.state for each in await place.said(OrderChanged)]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_refusal_whose_answer_was_lost_is_looked_up_and_sent_once(when: str) -> None:
    """Law 2 for refusals: never two answers for one order."""
    place = premises()
    getattr(place.shop.mishaps, when)("accept", LOST)
    async with place.open() as process:
        await read_all(process)
        place.clock.tick(60)
        await say(process, "order-refuse")
        await process.do("acceptance", "acceptance", "acceptance")

    assert "REFUSED" == place.shop.orders_there["O1"].state_raw
    assert (2 if when == "before" else 1) == place.shop.mishaps.times("accept")
    assert 1 == len(await place.said(AcceptanceConfirmed))


async def test_restart_in_the_middle_of_a_refusal_looks_it_up_first() -> None:
    """Killed while refusing: the new process looks before it writes."""
    place = premises()
    place.shop.mishaps.after("accept", Killed())
    async with place.open() as process:
        await read_all(process)
        place.clock.tick(60)
        await say(process, "order-refuse")
        with pytest.raises(Killed):
            await process.do("acceptance")

    async with place.open() as process:
        await process.do("acceptance")

    assert 1 == place.shop.mishaps.times("accept")
    assert "REFUSED" == place.shop.orders_there["O1"].state_raw


async def test_answer_in_part_that_the_marketplace_does_not_take_can_be_changed() -> None:
    """ORDER_PARTIAL_ACCEPTANCE_DISABLED: raised, and the person answers for the whole."""
    place = premises()
    two = (marketplace_line("O1-1", "A-1"), marketplace_line("O1-2", "A-1"))
    place.shop.place(marketplace_order("O1", *two))
    place.shop.mishaps.before("accept", Refused("ORDER_PARTIAL_ACCEPTANCE_DISABLED"))
    async with place.open() as process:
        await read_all(process)
        await say(process, "order-refuse", lines="O1-2")
        await process.do("acceptance", "judge")
        assert {"acceptance_refused:O1"} == set(process.desk.open)
        assert (("O1-1",), ("O1-2",)) == next(
            (each.lines, each.refused) for each in await place.said(AcceptanceIntended)
        )
        await say(process, "order-accept")
        await process.do("acceptance", "judge")

        assert set() == set(process.desk.open)
    assert SHIPPING == place.shop.orders_there["O1"].state_raw


async def test_acceptance_that_was_refused_is_sent_again_on_a_persons_word() -> None:
    """The operator has mended it: the same answer goes out once more."""
    place = premises()
    place.shop.mishaps.before("accept", Refused("not now"))
    async with place.open() as process:
        await read_all(process)
        await process.do("acceptance")
        await say(process, "order-retry")
        await process.do("acceptance")

    assert 1 == len(await place.said(AcceptanceRefused))
    assert SHIPPING == place.shop.orders_there["O1"].state_raw


async def test_posting_that_was_given_up_starts_again_with_a_look() -> None:
    """Six refusals; mended; looked up first, then sent: one sales order."""
    place = premises(state=SHIPPING)
    place.warehouse.mishaps.before("create_order", *(Refused("no such postcode"),) * 6)
    async with place.open() as process:
        await read_all(process)
        for _ in range(40):
            await process.do("posting", "judge")
            place.clock.tick(1_200)
        assert 6 == len(await place.said(PostingRefused))
        place.warehouse.mishaps.calls.clear()
        for _ in range(2):
            await say(process, "order-retry", reason="the postcode is mended")
        for _ in range(3):
            await process.do("posting", "judge")
            place.clock.tick(60)

        assert set() == set(process.desk.open)
    assert "find_order" == place.warehouse.mishaps.calls[0]
    assert 1 == len(await place.said(PostingRetried))
    assert 1 == len(place.warehouse.taken)


async def test_word_about_an_order_that_is_none_says_where_to_look() -> None:
    """A slip of the pen is a clear no."""
    place = premises()
    async with place.open() as process:
        for verb in ("order-hold", "order-release", "order-retry", "order-accept"):
            with pytest.raises(NotFound, match="kcjl orders list"):
                await say(process, verb, order_id="O9")
        with pytest.raises(Misuse, match="no TOML"):
            await say(process, "acceptance-policy-set", document="?")


# ── the time that runs ──────────────────────────────────────────────────────────────────────


async def test_time_for_accepting_is_warned_raised_and_ended_by_the_policy() -> None:
    """Half, four fifths, and then what the policy says; the desk follows."""
    place = premises()
    policy = 'accept = "manual"\nat_the_end = "refuse"\n'
    desk: list[set[str]] = []
    async with place.open() as process:
        await read_all(process)
        await say(process, "acceptance-policy-set", document=policy)
        for hours in (0, 12, 8, 4):
            place.clock.tick(hours * 3_600)
            await process.do("acceptance", "judge")
            desk.append({each.partition(":")[0] for each in process.desk.open})
        await process.do("acceptance", "judge")

        assert set() == set(process.desk.open)
    assert [
        {"order_held"},
        {"order_held", "acceptance_half_gone"},
        {"order_held", "acceptance_nearly_over"},
        {"order_held", "acceptance_nearly_over"},
    ] == desk
    assert [50, 80, 95] == [each.percent for each in await place.said(AcceptanceTimePassed)]
    assert "REFUSED" == place.shop.orders_there["O1"].state_raw


async def test_acceptance_looks_again_when_the_time_has_something_to_say() -> None:
    """Not only when it polls: the deadline sets the pace."""
    place = premises()
    place.order_settings = place.order_settings.__class__(poll_s=86_400)
    place.opening_acceptance = AcceptancePolicy(accept="manual")
    async with place.open() as process:
        await read_all(process)
        (job,) = (each for each in process.orders.jobs if each.name == "acceptance")
        due_s = await job.run()

    assert due_s is not None
    assert 12 * 3_600 - 60 <= due_s <= 12 * 3_600


# ── the order of work ───────────────────────────────────────────────────────────────────────


class SlowErp:
    """The ERP takes its time; meanwhile other orders come in."""

    def __init__(self, place: Premises, process: Process) -> None:
        self._place, self._process = place, process
        self._create = place.warehouse.create_order
        self.taken: list[str] = []

    async def create_order(self, order: erp.NewOrder) -> erp.CreatedOrder:
        self._place.clock.tick(0.3)
        self.taken.append(order.external_ref)
        if len(self.taken) == 5:
            urgent = marketplace_order("URGENT", state=SHIPPING)
            soon = msgspec.structs.replace(urgent, ship_by=self._place.clock.now())
            self._place.shop.place(soon)
            await self._process.do("intake")
        return await self._create(order)


async def test_order_that_is_soonest_too_late_is_posted_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a slow ERP: in order of deadline, also for one that comes in the middle."""
    ids = [f"O{number:02}" for number in range(40, 0, -1)]
    place = premises(*ids, units=1_000, state=SHIPPING)
    for number, order_id in enumerate(ids):
        # The later it was read, the sooner it has to be shipped.
        place.shop.place(marketplace_order(order_id, state=SHIPPING, minutes=-number))
    async with place.open() as process:
        await read_all(process)
        slow = SlowErp(place, process)
        monkeypatch.setattr(place.warehouse, "create_order", slow.create_order)
        await process.do("posting")

    expected = [f"REF-{order_id}" for order_id in reversed(ids)]
    expected.insert(10, "REF-URGENT")
    assert expected == slow.taken


async def test_acceptances_are_sent_in_order_of_their_deadline() -> None:
    """The one whose time is over first is answered first."""
    place = premises("O3", "O2", "O1")
    async with place.open() as process:
        await read_all(process)
        await process.do("acceptance")

    assert ["O3", "O2", "O1"] == [
        each.order_id for each in await place.said(AcceptanceConfirmed)
    ]
